//! `sentinelone-get-white-list`: lists exclusions.

use sentinelone_raw::exclusions::{self as raw, ExclusionType, ExclusionsListQuery};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request};
use sentinelone_raw::threats::OsType;
use serde_json::Value;

use super::support::batched_lists::{batched_list_requests, effective_limit, non_empty, read_lists};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 10;

/// Lists exclusions that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetWhiteList {
    /// Exclusion IDs.
    pub item_ids: Vec<String>,
    /// Operating systems.
    pub os_types: Vec<OsType>,
    /// Type of the value.
    pub exclusion_type: Option<ExclusionType>,
    /// Maximum number of items. Default: 10, or the number of `item_ids` if larger.
    pub limit: Option<u64>,
    /// Whether to include exclusions of parent scopes.
    pub include_parent: Option<bool>,
    /// Whether to include exclusions of child scopes.
    pub include_children: Option<bool>,
}

const PREFIX: &str = "SentinelOne.Exclusions";

/// Exclusion types of the integration for new exclusions.
pub(super) const TYPES: &[&str] = &["file_type", "path", "white_hash", "certificate", "browser"];
pub(super) const OS_TYPES: &[&str] = &["windows", "windows_legacy", "macos", "linux"];

impl Command for GetWhiteList {
    const INFO: CommandInfo = CommandInfo {
        name: "get-white-list",
        full_name: "sentinelone-get-white-list",
        topic: Topic::Exclusions,
        summary: "List exclusions",
        example: "s1 get-white-list --exclusion-type path --os-types linux",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["exclusions_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Exclusions.ID", "String", "ID of the exclusion", "id"),
        ContextPath::field("SentinelOne.Exclusions.Type", "String", "Type of the value", "type"),
        ContextPath::field("SentinelOne.Exclusions.Value", "String", "Excluded value", "value"),
        ContextPath::field("SentinelOne.Exclusions.OsType", "String", "Operating system", "osType"),
        ContextPath::field("SentinelOne.Exclusions.Mode", "String", "Exclusion mode, for paths only", "mode"),
        ContextPath::field("SentinelOne.Exclusions.Source", "String", "Source of the exclusion", "source"),
        ContextPath::field("SentinelOne.Exclusions.UserName", "String", "Name of the creator", "userName"),
        ContextPath::field("SentinelOne.Exclusions.CreatedAt", "Date", "Creation time", "createdAt"),
        ContextPath::field("SentinelOne.Exclusions.UserID", "String", "ID of the creator", "userId")
            .no_column(),
        ContextPath::field(
            "SentinelOne.Exclusions.UpdatedAt",
            "Date",
            "Time of the last change",
            "updatedAt",
        )
        .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String};
        vec![
            Argument::new("item_ids", List, "Exclusion IDs."),
            Argument::new("os_types", List, "Operating systems.").values(OS_TYPES),
            Argument::new("exclusion_type", String, "Type of the value.").values(ExclusionType::VALUES),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of exclusions; if not set, at least the number of item_ids.",
            )
            .default("10")
            .accepts_all(),
            Argument::new("include_parent", Boolean, "Whether to include exclusions of parent scopes.")
                .default("false"),
            Argument::new("include_children", Boolean, "Whether to include exclusions of child scopes.")
                .default("false"),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            item_ids: arguments.list("item_ids")?.unwrap_or_default(),
            os_types: arguments.choices("os_types", OS_TYPES)?,
            exclusion_type: arguments.choice("exclusion_type", ExclusionType::VALUES)?,
            limit: arguments.limit()?,
            include_parent: arguments.boolean("include_parent")?,
            include_children: arguments.boolean("include_children")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batched_list_requests(&self.item_ids, Some(self.effective_limit()), |ids| self.request(ids))
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let limit = Some(self.effective_limit());
        let requested = RequestedIds::default().with("item_ids", &self.item_ids, &["id"]);
        read_lists((client, observer, &requested), requests, limit, None, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetWhiteList {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.item_ids)
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Value>> {
        let query = ExclusionsListQuery {
            ids,
            os_types: non_empty(&self.os_types),
            type_: self.exclusion_type.clone(),
            include_parents: Some(self.include_parent.unwrap_or(false)),
            include_children: Some(self.include_children.unwrap_or(false)),
            ..ExclusionsListQuery::default()
        };
        Ok(raw::list(&query)?.with_response_type())
    }
}
