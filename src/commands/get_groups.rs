//! `sentinelone-get-groups`: lists groups.

use sentinelone_raw::groups::{self as raw, GroupType, GroupsListQuery};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum};

use super::support::batched_lists::{effective_limit, id, non_empty};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::list;
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::paging::with_page_size;

const DEFAULT_LIMIT: u64 = 50;

/// Lists groups that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetGroups {
    /// Group type.
    pub group_type: Option<GroupType>,
    /// Group IDs.
    pub group_ids: Vec<String>,
    /// Group ID.
    pub group_id: Option<String>,
    /// Whether to list default groups only (true) or other groups only (false).
    pub is_default: Option<bool>,
    /// Exact name.
    pub name: Option<String>,
    /// Full-text search.
    pub query: Option<String>,
    /// Rank of a dynamic group.
    pub rank: Option<i64>,
    /// Maximum number of items. Default: 50, or the number of `group_ids` if larger.
    pub limit: Option<u64>,
}

const PREFIX: &str = "SentinelOne.Group";

impl Command for GetGroups {
    const INFO: CommandInfo = CommandInfo {
        name: "get-groups",
        full_name: "sentinelone-get-groups",
        topic: Topic::Console,
        summary: "List groups",
        example: "s1 get-groups --query servers",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["groups_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Group.id", "String", "ID of the group", "id"),
        ContextPath::field("SentinelOne.Group.name", "String", "Name of the group", "name"),
        ContextPath::field("SentinelOne.Group.type", "String", "Group type", "type"),
        ContextPath::field("SentinelOne.Group.siteId", "String", "ID of the site", "siteId"),
        ContextPath::field("SentinelOne.Group.totalAgents", "Number", "Number of agents", "totalAgents"),
        ContextPath::field("SentinelOne.Group.rank", "Number", "Rank of a dynamic group, from 1", "rank"),
        ContextPath::field(
            "SentinelOne.Group.isDefault",
            "Boolean",
            "Whether it is the default group of the site",
            "isDefault",
        ),
        ContextPath::field(
            "SentinelOne.Group.inherits",
            "Boolean",
            "Whether it inherits the policy of the site",
            "inherits",
        ),
        ContextPath::field(
            "SentinelOne.Group.filterId",
            "String",
            "ID of the filter of a dynamic group",
            "filterId",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Group.filterName",
            "String",
            "Name of the filter of a dynamic group",
            "filterName",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Group.creator", "String", "Name of the creator", "creator")
            .no_column(),
        ContextPath::field("SentinelOne.Group.creatorId", "String", "ID of the creator", "creatorId")
            .no_column(),
        ContextPath::field("SentinelOne.Group.createdAt", "Date", "Creation time", "createdAt").no_column(),
        ContextPath::field("SentinelOne.Group.updatedAt", "Date", "Time of the last change", "updatedAt")
            .no_column(),
        ContextPath::field("SentinelOne.Group.description", "String", "Description", "description")
            .no_column()
            .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String};
        vec![
            Argument::new("group_type", String, "Group type.").values(GroupType::VALUES),
            Argument::new("group_ids", List, "Group IDs."),
            Argument::new("group_id", String, "Group ID."),
            Argument::new(
                "is_default",
                Boolean,
                "Whether to list default groups only (true) or other groups only (false).",
            ),
            Argument::new("name", String, "Exact name."),
            Argument::new("query", String, "Full-text search."),
            Argument::new("rank", Integer, "Rank of a dynamic group, from 1."),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of groups; if not set, at least the number of group_ids.",
            )
            .default("50")
            .accepts_all(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            group_type: arguments.choice("group_type", GroupType::VALUES)?,
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            group_id: id(arguments, "group_id")?,
            is_default: arguments.boolean("is_default")?,
            name: arguments.string("name")?,
            query: arguments.string("query")?,
            rank: arguments.integer("rank")?,
            limit: arguments.limit()?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = GroupsListQuery {
            type_: self.group_type.clone(),
            group_ids: non_empty(&self.group_ids),
            id: self.group_id.clone(),
            is_default: self.is_default,
            name: self.name.clone(),
            query: self.query.clone(),
            rank: self.rank,
            ..GroupsListQuery::default()
        };
        Ok(vec![with_page_size(raw::list(&query)?.with_response_type(), Some(self.effective_limit()))?])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let limit = Some(self.effective_limit());
        let requested = RequestedIds::default()
            .with("group_ids", &self.group_ids, &["id"])
            .with_one("group_id", self.group_id.as_ref())
            .with_one("name", self.name.as_ref());
        list((client, observer, &requested), requests, limit, None, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetGroups {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.group_ids)
    }
}
