//! `sentinelone-get-blocklist`: lists the blocklist.

use sentinelone_raw::blocklist::{self as raw, BlocklistListQuery, BlocklistSortField};
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::shared::SortOrder;

use super::arguments::argument_error;
use super::get_hash::is_hexadecimal;
use super::support::batched_lists::non_empty;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::list;
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::paging::with_page_size;

const DEFAULT_LIMIT: u64 = 1000;
/// Maximum offset of the API.
const MAX_OFFSET: i64 = 1000;

/// Lists the blocklist of the tenant, or of groups, sites and accounts, sorted by the time of the last change, newest
/// first. A search by hash without a scope includes the scopes below the tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetBlocklist {
    /// Whether to list the blocklist of the tenant. Default: true. Ignored if groups, sites or accounts are set.
    pub global: Option<bool>,
    /// Group IDs.
    pub group_ids: Vec<String>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Whether to include entries of the scopes below. Default: true if `hash` is set and no scope is, otherwise false.
    pub include_children: Option<bool>,
    /// Number of entries to skip, at most 1000.
    pub offset: Option<i64>,
    /// Maximum number of items. Default: 1000.
    pub limit: Option<u64>,
    /// Hashes or substrings of hashes.
    pub hash: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Blocklist";

impl Command for GetBlocklist {
    const INFO: CommandInfo = CommandInfo {
        name: "get-blocklist",
        full_name: "sentinelone-get-blocklist",
        topic: Topic::Exclusions,
        summary: "List blocklist entries",
        example: "s1 get-blocklist --site-ids 420000000000000001 --limit 50",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["blocklist_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field(
            "SentinelOne.Blocklist.UserId",
            "String",
            "ID of the user who added the entry",
            "userId",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Blocklist.UpdatedAt",
            "String",
            "Time of the last change",
            "updatedAt",
        ),
        ContextPath::field("SentinelOne.Blocklist.Value", "String", "The hash", "value"),
        ContextPath::field("SentinelOne.Blocklist.ScopePath", "String", "Path of the scope", "scopePath")
            .no_column(),
        ContextPath::field("SentinelOne.Blocklist.Type", "String", "Type of the entry", "type").no_column(),
        ContextPath::field("SentinelOne.Blocklist.Source", "String", "Source of the entry", "source"),
        ContextPath::field("SentinelOne.Blocklist.ID", "String", "ID of the entry", "id"),
        ContextPath::field("SentinelOne.Blocklist.CreatedAt", "String", "Creation time", "createdAt")
            .no_column(),
        ContextPath::field("SentinelOne.Blocklist.Description", "String", "Description", "description"),
        ContextPath::field("SentinelOne.Blocklist.OSType", "String", "Operating system", "osType"),
        ContextPath::field("SentinelOne.Blocklist.ScopeName", "String", "Name of the scope", "scopeName"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List};
        vec![
            Argument::new(
                "global",
                Boolean,
                "Whether to list the blocklist of the tenant. Ignored if group_ids, site_ids or account_ids \
                 is set.",
            )
            .values(&["true", "false"])
            .default("true"),
            Argument::new("group_ids", List, "Group IDs."),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new("account_ids", List, "Account IDs."),
            Argument::new(
                "include_children",
                Boolean,
                "Whether to include entries of the accounts, sites and groups below the scope. Default: true for a \
                 search by hash without a scope, otherwise false.",
            )
            .values(&["true", "false"]),
            Argument::new("offset", Integer, "Number of entries to skip, at most 1000.").default("0"),
            Argument::new("limit", Integer, "Maximum number of entries.").default("1000").accepts_all(),
            Argument::new("hash", List, "Hashes or substrings of hashes; any of them matches."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            global: arguments.boolean("global")?,
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            include_children: arguments.boolean("include_children")?,
            offset: arguments.integer("offset")?,
            limit: arguments.limit()?,
            hash: arguments.list("hash")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        let scopes = [&self.group_ids, &self.site_ids, &self.account_ids];
        let has_scope = scopes.iter().any(|ids| !ids.is_empty());
        if let Some(offset) = self.offset
            && !(0..=MAX_OFFSET).contains(&offset)
        {
            let message = format!(
                "is {offset}; expected 0 to {MAX_OFFSET}; use a larger limit to read further entries"
            );
            return Err(argument_error(name, "offset", message));
        }
        // A hash that only a site blocks is blocked, too.
        let is_search = !self.hash.is_empty() && !has_scope && self.global != Some(false);
        let query = BlocklistListQuery {
            // The API accepts either the tenant or IDs.
            tenant: (!has_scope).then_some(self.global.unwrap_or(true)),
            group_ids: non_empty(&self.group_ids),
            site_ids: non_empty(&self.site_ids),
            account_ids: non_empty(&self.account_ids),
            include_children: self.include_children.or(is_search.then_some(true)),
            skip: self.offset,
            value_contains: non_empty(&self.hash),
            sort_by: Some(BlocklistSortField::UpdatedAt),
            sort_order: Some(SortOrder::Desc),
            ..BlocklistListQuery::default()
        };
        Ok(vec![with_page_size(raw::list(&query)?.with_response_type(), Some(self.effective_limit()))?])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        // A shorter value is a substring.
        let is_hash = |value: &&String| matches!(value.len(), 32 | 40 | 64) && is_hexadecimal(value);
        let hashes: Vec<String> = self.hash.iter().filter(is_hash).cloned().collect();
        let requested = RequestedIds::default().with("hash", &hashes, &["value"]);
        list(
            (client, observer, &requested),
            requests,
            Some(self.effective_limit()),
            None,
            (PREFIX, Self::OUTPUTS),
        )
        .await
    }
}

impl GetBlocklist {
    fn effective_limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}
