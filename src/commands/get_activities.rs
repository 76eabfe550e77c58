//! `sentinelone-get-activities`: entries of the activity log.

use sentinelone_raw::activities::{self as raw, ActivitiesListQuery, ActivitySortField};
use sentinelone_raw::runtime::{ApiVersion, Page, Request, Timestamp};
use sentinelone_raw::shared::SortOrder;
use serde_json::Value;

use super::act::refuse;
use super::context::Output;
use super::lists::{given, in_batches, of_one_list, read_all, wanted};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 50;

/// Entries of the activity log, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetActivities {
    /// Created after.
    pub created_after: Option<Timestamp>,
    /// E-mail addresses of the users who did it.
    pub user_emails: Vec<String>,
    /// Groups.
    pub group_ids: Vec<String>,
    /// Created then or before.
    pub created_until: Option<Timestamp>,
    /// Also internal activities that the console does not show.
    pub include_hidden: Option<bool>,
    /// Identifiers.
    pub activities_ids: Vec<String>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// Threats.
    pub threats_ids: Vec<String>,
    /// Types, by number.
    pub activity_types: Vec<String>,
    /// Users who did it.
    pub user_ids: Vec<String>,
    /// Created then or after.
    pub created_from: Option<Timestamp>,
    /// Created in this range, both ends included, to the millisecond.
    pub created_between: Option<(Timestamp, Timestamp)>,
    /// Agents.
    pub agent_ids: Vec<String>,
    /// How many at the most; without it 50, or as many as there are `activities_ids`.
    pub limit: Option<u64>,
    /// What decides the order.
    pub sort_by: Option<ActivitySortField>,
    /// Direction of the order.
    pub sort_order: Option<SortOrder>,
}

const PREFIX: &str = "SentinelOne.Activity";

/// Those that the integration offers.
const SORT_FIELDS: &[&str] = &["activityType", "createdAt", "id"];
const SORT_ORDERS: &[&str] = &["asc", "desc"];

impl Command for GetActivities {
    const INFO: Info = Info {
        name: "get-activities",
        full_name: "sentinelone-get-activities",
        summary: "List the activities that match",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["activities_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Activity.ID", "String", "Identifier of the activity", "id"),
        Output::field("SentinelOne.Activity.CreatedAt", "Date", "When it was recorded", "createdAt"),
        Output::field("SentinelOne.Activity.ActivityType", "Number", "Type, as a number", "activityType"),
        Output::field(
            "SentinelOne.Activity.PrimaryDescription",
            "String",
            "What happened",
            "primaryDescription",
        ),
        Output::field(
            "SentinelOne.Activity.SecondaryDescription",
            "String",
            "More about it",
            "secondaryDescription",
        ),
        Output::field("SentinelOne.Activity.AgentID", "String", "Agent that it is about", "agentId"),
        Output::field("SentinelOne.Activity.ThreatID", "String", "Threat that it is about", "threatId"),
        Output::field("SentinelOne.Activity.UserID", "String", "User who did it", "userId"),
        Output::field(
            "SentinelOne.Activity.AgentUpdatedVersion",
            "String",
            "Version that the agent was updated to",
            "agentUpdatedVersion",
        )
        .no_column(),
        Output::field("SentinelOne.Activity.SiteID", "String", "Site that it is about", "siteId").no_column(),
        Output::field("SentinelOne.Activity.GroupID", "String", "Group that it is about", "groupId")
            .no_column(),
        Output::field("SentinelOne.Activity.OsFamily", "String", "Operating system of the agent", "osFamily")
            .no_column(),
        Output::field("SentinelOne.Activity.data.SiteID", "String", "Site in its details", "data.siteId")
            .no_column(),
        Output::field(
            "SentinelOne.Activity.data.SiteName",
            "String",
            "Name of the site in its details",
            "data.siteName",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Activity.data.username",
            "String",
            "Name of the user in its details",
            "data.username",
        )
        .no_column(),
        Output::field("SentinelOne.Activity.Hash", "String", "Hash of the threat's file", "hash").no_column(),
        Output::field("SentinelOne.Activity.UpdatedAt", "Date", "When it was last changed", "updatedAt")
            .no_column(),
        Output::field("SentinelOne.Activity.Comments", "String", "Comments", "comments").no_column(),
        Output::field("SentinelOne.Activity.Description", "String", "Further text", "description")
            .no_column(),
        Output::field(
            "SentinelOne.Activity.Data",
            "Unknown",
            "All details, with the names of the API; they depend on the type",
            "data",
        )
        .no_column()
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, Text, Time};
        vec![
            Argument::new("created_after", Time, "Created after this time."),
            Argument::new("user_emails", List, "E-mail addresses of the users who did it."),
            Argument::new("group_ids", List, "Groups, by identifier."),
            Argument::new("created_until", Time, "Created at this time or before."),
            Argument::new(
                "include_hidden",
                Boolean,
                "Whether to list internal activities too that the console does not show.",
            ),
            Argument::new("activities_ids", List, "Activities, by identifier."),
            Argument::new("created_before", Time, "Created before this time."),
            Argument::new("threats_ids", List, "Threats that they are about, by identifier."),
            Argument::new("activity_types", List, "Types, by number, such as 52."),
            Argument::new("user_ids", List, "Users who did it, by identifier."),
            Argument::new("created_from", Time, "Created at this time or after."),
            Argument::new(
                "created_between",
                Text,
                "Created in this range, both ends included: two epoch milliseconds joined by a hyphen, or two \
                 times of any form with a comma between them.",
            ),
            Argument::new("agent_ids", List, "Agents that they are about, by identifier."),
            Argument::new(
                "limit",
                Integer,
                "How many activities at the most; as many as activities_ids where those are more and no limit \
                 is given.",
            )
            .default("50").or_all(),
            Argument::new("sort_by", Text, "What decides the order.").values(SORT_FIELDS),
            Argument::new("sort_order", Text, "Direction of the order.").values(SORT_ORDERS),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let mut list = |name| Ok(arguments.list(name)?.unwrap_or_default());
        let user_emails = list("user_emails")?;
        let group_ids = list("group_ids")?;
        let activities_ids = list("activities_ids")?;
        let threats_ids = list("threats_ids")?;
        let activity_types = list("activity_types")?;
        let user_ids = list("user_ids")?;
        let agent_ids = list("agent_ids")?;
        Ok(Self {
            created_after: arguments.time("created_after")?,
            user_emails,
            group_ids,
            created_until: arguments.time("created_until")?,
            include_hidden: arguments.boolean("include_hidden")?,
            activities_ids,
            created_before: arguments.time("created_before")?,
            threats_ids,
            activity_types,
            user_ids,
            created_from: arguments.time("created_from")?,
            created_between: range(arguments, "created_between")?,
            agent_ids,
            limit: arguments.limit()?,
            sort_by: arguments.choice("sort_by", SORT_FIELDS)?,
            sort_order: arguments.choice("sort_order", SORT_ORDERS)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let limit = Some(self.wanted());
        read_all((client, watch), self.lists()?, limit, |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetActivities {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.activities_ids)
    }

    fn lists(&self) -> Result<Vec<Request<Page<Value>>>> {
        let ids = ("activities_ids", self.activities_ids.as_slice());
        of_one_list(self, ("sort_by", self.sort_by.is_some()), ids)?;
        of_one_list(self, ("sort_order", self.sort_order.is_some()), ids)?;
        in_batches(&self.activities_ids, Some(self.wanted()), |ids| self.request(ids))
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let query = ActivitiesListQuery {
            created_at_gt: self.created_after.clone(),
            created_at_gte: self.created_from.clone(),
            created_at_lt: self.created_before.clone(),
            created_at_lte: self.created_until.clone(),
            created_at_between: self.between()?,
            user_emails: given(&self.user_emails),
            group_ids: given(&self.group_ids),
            include_hidden: self.include_hidden,
            ids,
            threat_ids: given(&self.threats_ids),
            activity_types: given(&self.activity_types),
            user_ids: given(&self.user_ids),
            agent_ids: given(&self.agent_ids),
            sort_by: self.sort_by.clone(),
            sort_order: self.sort_order.clone(),
            ..ActivitiesListQuery::default()
        };
        Ok(raw::list(&query)?.answering())
    }

    /// The range as the API writes it.
    fn between(&self) -> Result<Option<String>> {
        let Some((from, to)) = &self.created_between else { return Ok(None) };
        let message = match (from.unix_millis(), to.unix_millis()) {
            (Some(from), Some(to)) if from > to => "ends before it begins",
            (Some(from), Some(to)) => return Ok(Some(format!("{from}-{to}"))),
            _ => "holds a text that is no point in time",
        };
        Err(refuse(Self::INFO.name, "created_between", message))
    }
}

/// Two times: the milliseconds of the API, or any two with a comma or a hyphen in blanks between them.
fn range(arguments: &mut Arguments, name: &str) -> Result<Option<(Timestamp, Timestamp)>, ArgumentError> {
    let Some(text) = arguments.text(name)? else { return Ok(None) };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let milliseconds = text.trim().split_once('-').map(|(from, to)| (from.trim(), to.trim()));
    let milliseconds = milliseconds.filter(|(from, to)| is_number(from) && is_number(to));
    let Some((from, to)) = milliseconds.or_else(|| text.split_once(',')).or_else(|| text.split_once(" - "))
    else {
        let message = format!(
            "is {text:?}; give two epoch milliseconds as 1514978764288-1514978999999, or two times with a \
             comma between them"
        );
        return Err(arguments.wrong(name, message));
    };
    let mut time = |text: &str| {
        arguments.set(name, text);
        arguments.time(name)
    };
    Ok(time(from)?.zip(time(to)?))
}
