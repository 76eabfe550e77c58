//! `sentinelone-get-groups`: groups that match.

use sentinelone_raw::groups::{self as raw, GroupType, GroupsListQuery};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request};
use serde_json::Value;

use super::context::Output;
use super::lists::{given, id, wanted};
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::paging::sized;

const DEFAULT_LIMIT: u64 = 50;

/// Groups that match, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetGroups {
    /// How agents come into the group.
    pub group_type: Option<GroupType>,
    /// Any of these groups.
    pub group_ids: Vec<String>,
    /// This group.
    pub group_id: Option<String>,
    /// Only default groups, or none of them.
    pub is_default: Option<bool>,
    /// The whole name.
    pub name: Option<String>,
    /// Free text.
    pub query: Option<String>,
    /// Place of a dynamic group among the others.
    pub rank: Option<i64>,
    /// How many at the most; without it 50, or as many as there are `group_ids`.
    pub limit: Option<u64>,
}

const PREFIX: &str = "SentinelOne.Group";

impl Command for GetGroups {
    const INFO: Info = Info {
        name: "get-groups",
        full_name: "sentinelone-get-groups",
        summary: "List the groups that match",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["groups_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Group.id", "String", "Identifier of the group", "id"),
        Output::field("SentinelOne.Group.name", "String", "Name of the group", "name"),
        Output::field("SentinelOne.Group.type", "String", "How agents come into it", "type"),
        Output::field("SentinelOne.Group.siteId", "String", "Site of the group", "siteId"),
        Output::field("SentinelOne.Group.totalAgents", "Number", "How many agents it has", "totalAgents"),
        Output::field("SentinelOne.Group.rank", "Number", "Place of a dynamic group, from 1", "rank"),
        Output::field(
            "SentinelOne.Group.isDefault",
            "Boolean",
            "Whether it is its site's default",
            "isDefault",
        ),
        Output::field(
            "SentinelOne.Group.inherits",
            "Boolean",
            "Whether it has its site's policy and none of its own",
            "inherits",
        ),
        Output::field(
            "SentinelOne.Group.filterId",
            "String",
            "Filter that fills a dynamic group",
            "filterId",
        )
        .no_column(),
        Output::field("SentinelOne.Group.filterName", "String", "Name of that filter", "filterName")
            .no_column(),
        Output::field("SentinelOne.Group.creator", "String", "Name of the user who created it", "creator")
            .no_column(),
        Output::field("SentinelOne.Group.creatorId", "String", "That user's identifier", "creatorId")
            .no_column(),
        Output::field("SentinelOne.Group.createdAt", "Date", "When it was created", "createdAt").no_column(),
        Output::field("SentinelOne.Group.updatedAt", "Date", "When it was last changed", "updatedAt")
            .no_column(),
        Output::field("SentinelOne.Group.description", "String", "Description", "description")
            .no_column()
            .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, Text};
        vec![
            Argument::new("group_type", Text, "How agents come into the group.").values(GroupType::KNOWN),
            Argument::new("group_ids", List, "Any of these groups, by identifier."),
            Argument::new("group_id", Text, "The group with this identifier."),
            Argument::new("is_default", Boolean, "Only default groups, or none of them."),
            Argument::new("name", Text, "The whole name of the group."),
            Argument::new("query", Text, "Free text."),
            Argument::new("rank", Integer, "Place of a dynamic group among the others, from 1."),
            Argument::new(
                "limit",
                Integer,
                "How many groups at the most; as many as group_ids where those are more and no limit is given.",
            )
            .default("50").or_all(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            group_type: arguments.choice("group_type", GroupType::KNOWN)?,
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            group_id: id(arguments, "group_id")?,
            is_default: arguments.boolean("is_default")?,
            name: arguments.text("name")?,
            query: arguments.text("query")?,
            rank: arguments.integer("rank")?,
            limit: arguments.limit()?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let limit = Some(self.wanted());
        list((client, watch), self.request()?, limit, |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetGroups {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.group_ids)
    }

    fn request(&self) -> Result<Request<Page<Value>>> {
        let query = GroupsListQuery {
            type_: self.group_type.clone(),
            group_ids: given(&self.group_ids),
            id: self.group_id.clone(),
            is_default: self.is_default,
            name: self.name.clone(),
            query: self.query.clone(),
            rank: self.rank,
            ..GroupsListQuery::default()
        };
        Ok(sized(raw::list(&query)?.answering(), Some(self.wanted()))?)
    }
}
