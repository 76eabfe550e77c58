//! `sentinelone-get-activities`: lists activities.

use sentinelone_raw::activities::{self as raw, ActivitiesListQuery, ActivitySortField};
use sentinelone_raw::runtime::{ApiVersion, Request, Timestamp};
use sentinelone_raw::shared::SortOrder;
use serde_json::Value;

use super::arguments::argument_error;
use super::support::batched_lists::{
    batched_list_requests, effective_limit, non_empty, read_lists, require_single_list,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 50;

/// Lists activities that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetActivities {
    /// Created after this time.
    pub created_after: Option<Timestamp>,
    /// Email addresses of the users who caused the activity.
    pub user_emails: Vec<String>,
    /// Group IDs.
    pub group_ids: Vec<String>,
    /// Created at or before this time.
    pub created_until: Option<Timestamp>,
    /// Whether to include internal activities, which the console hides.
    pub include_hidden: Option<bool>,
    /// Activity IDs.
    pub activities_ids: Vec<String>,
    /// Created before this time.
    pub created_before: Option<Timestamp>,
    /// Threat IDs.
    pub threats_ids: Vec<String>,
    /// Type numbers.
    pub activity_types: Vec<String>,
    /// IDs of the users who caused the activity.
    pub user_ids: Vec<String>,
    /// Created at or after this time.
    pub created_from: Option<Timestamp>,
    /// Inclusive range of the creation time, with millisecond precision.
    pub created_between: Option<(Timestamp, Timestamp)>,
    /// Agent IDs.
    pub agent_ids: Vec<String>,
    /// Maximum number of items. Default: 50, or the number of `activities_ids` if larger.
    pub limit: Option<u64>,
    /// Sort field.
    pub sort_by: Option<ActivitySortField>,
    /// Sort direction.
    pub sort_order: Option<SortOrder>,
}

const PREFIX: &str = "SentinelOne.Activity";

/// Values of the integration.
const SORT_FIELDS: &[&str] = &["activityType", "createdAt", "id"];
const SORT_ORDERS: &[&str] = &["asc", "desc"];

impl Command for GetActivities {
    const INFO: CommandInfo = CommandInfo {
        name: "get-activities",
        full_name: "sentinelone-get-activities",
        topic: Topic::Console,
        summary: "List activities",
        example: "s1 get-activities --created-after '2 days' --agent-ids 440000000000000001 --limit 50",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["activities_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Activity.ID", "String", "ID of the activity", "id"),
        ContextPath::field("SentinelOne.Activity.CreatedAt", "Date", "Time of the activity", "createdAt"),
        ContextPath::field("SentinelOne.Activity.ActivityType", "Number", "Type number", "activityType"),
        ContextPath::field(
            "SentinelOne.Activity.PrimaryDescription",
            "String",
            "Description",
            "primaryDescription",
        ),
        ContextPath::field(
            "SentinelOne.Activity.SecondaryDescription",
            "String",
            "Additional description",
            "secondaryDescription",
        ),
        ContextPath::field("SentinelOne.Activity.AgentID", "String", "ID of the agent", "agentId"),
        ContextPath::field("SentinelOne.Activity.ThreatID", "String", "ID of the threat", "threatId"),
        ContextPath::field("SentinelOne.Activity.UserID", "String", "ID of the user", "userId"),
        ContextPath::field(
            "SentinelOne.Activity.AgentUpdatedVersion",
            "String",
            "Agent version after an update",
            "agentUpdatedVersion",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Activity.SiteID", "String", "ID of the site", "siteId").no_column(),
        ContextPath::field("SentinelOne.Activity.GroupID", "String", "ID of the group", "groupId")
            .no_column(),
        ContextPath::field(
            "SentinelOne.Activity.OsFamily",
            "String",
            "Operating system of the agent",
            "osFamily",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Activity.data.SiteID",
            "String",
            "ID of the site in the details",
            "data.siteId",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Activity.data.SiteName",
            "String",
            "Name of the site in the details",
            "data.siteName",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Activity.data.username",
            "String",
            "Name of the user in the details",
            "data.username",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Activity.Hash", "String", "File hash of the threat", "hash")
            .no_column(),
        ContextPath::field("SentinelOne.Activity.UpdatedAt", "Date", "Time of the last change", "updatedAt")
            .no_column(),
        ContextPath::field("SentinelOne.Activity.Comments", "String", "Comments", "comments").no_column(),
        ContextPath::field(
            "SentinelOne.Activity.Description",
            "String",
            "Further description",
            "description",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Activity.Data",
            "Unknown",
            "All details with the field names of the API; they depend on the type",
            "data",
        )
        .no_column()
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String, Time};
        vec![
            Argument::new("created_after", Time, "Created after this time."),
            Argument::new("user_emails", List, "Email addresses of the users who caused the activity."),
            Argument::new("group_ids", List, "Group IDs."),
            Argument::new("created_until", Time, "Created at or before this time."),
            Argument::new(
                "include_hidden",
                Boolean,
                "Whether to include internal activities, which the console hides.",
            ),
            Argument::new("activities_ids", List, "Activity IDs."),
            Argument::new("created_before", Time, "Created before this time."),
            Argument::new("threats_ids", List, "Threat IDs."),
            Argument::new("activity_types", List, "Activity type numbers, such as 52."),
            Argument::new("user_ids", List, "IDs of the users who caused the activity."),
            Argument::new("created_from", Time, "Created at or after this time."),
            Argument::new(
                "created_between",
                String,
                "Inclusive range of the creation time: two values in epoch milliseconds joined by a hyphen, \
                 or two times separated by a comma.",
            ),
            Argument::new("agent_ids", List, "Agent IDs."),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of activities; if not set, at least the number of activities_ids.",
            )
            .default("50")
            .accepts_all(),
            Argument::new("sort_by", String, "Sort field.").values(SORT_FIELDS),
            Argument::new("sort_order", String, "Sort direction.").values(SORT_ORDERS),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
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

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let ids = ("activities_ids", self.activities_ids.as_slice());
        require_single_list(self, ("sort_by", self.sort_by.is_some()), ids)?;
        require_single_list(self, ("sort_order", self.sort_order.is_some()), ids)?;
        batched_list_requests(&self.activities_ids, Some(self.effective_limit()), |ids| self.request(ids))
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let limit = Some(self.effective_limit());
        let requested = RequestedIds::default().with("activities_ids", &self.activities_ids, &["id"]);
        read_lists((client, observer, &requested), requests, limit, None, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetActivities {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.activities_ids)
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Value>> {
        let query = ActivitiesListQuery {
            created_at_gt: self.created_after.clone(),
            created_at_gte: self.created_from.clone(),
            created_at_lt: self.created_before.clone(),
            created_at_lte: self.created_until.clone(),
            created_at_between: self.between()?,
            user_emails: non_empty(&self.user_emails),
            group_ids: non_empty(&self.group_ids),
            include_hidden: self.include_hidden,
            ids,
            threat_ids: non_empty(&self.threats_ids),
            activity_types: non_empty(&self.activity_types),
            user_ids: non_empty(&self.user_ids),
            agent_ids: non_empty(&self.agent_ids),
            sort_by: self.sort_by.clone(),
            sort_order: self.sort_order.clone(),
            ..ActivitiesListQuery::default()
        };
        Ok(raw::list(&query)?.with_response_type())
    }

    /// Returns the range in the format of the API.
    fn between(&self) -> Result<Option<String>> {
        let Some((from, to)) = &self.created_between else { return Ok(None) };
        let message = match (from.unix_millis(), to.unix_millis()) {
            (Some(from), Some(to)) if from > to => "ends before it starts",
            (Some(from), Some(to)) => return Ok(Some(format!("{from}-{to}"))),
            _ => "contains a value that is not a time",
        };
        Err(argument_error(Self::INFO.name, "created_between", message))
    }
}

/// Parses a range: epoch milliseconds joined by a hyphen, or two times separated by a comma or by ` - `.
fn range(arguments: &mut Arguments, name: &str) -> Result<Option<(Timestamp, Timestamp)>, ArgumentError> {
    let Some(text) = arguments.string(name)? else { return Ok(None) };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let milliseconds = text.trim().split_once('-').map(|(from, to)| (from.trim(), to.trim()));
    let milliseconds = milliseconds.filter(|(from, to)| is_number(from) && is_number(to));
    let Some((from, to)) = milliseconds.or_else(|| text.split_once(',')).or_else(|| text.split_once(" - "))
    else {
        let message = format!(
            "is {text:?}; expected epoch milliseconds such as 1514978764288-1514978999999, or two times \
             separated by a comma"
        );
        return Err(arguments.error(name, message));
    };
    let mut time = |text: &str| {
        arguments.set(name, text);
        arguments.time(name)
    };
    Ok(time(from)?.zip(time(to)?))
}
