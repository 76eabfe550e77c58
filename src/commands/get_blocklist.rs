//! `sentinelone-get-blocklist`: entries of the blocklist.

use sentinelone_raw::blocklist::{self as raw, BlocklistListQuery, BlocklistSortField};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use sentinelone_raw::shared::SortOrder;
use serde_json::Value;

use super::act::refuse;
use super::context::Output;
use super::lists::given;
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::paging::sized;

const DEFAULT_LIMIT: u64 = 1000;
/// The API skips no more than this.
const MOST_SKIPPED: i64 = 1000;

/// Entries of the blocklist of the tenant, or of the groups, sites and accounts that are named, the one that
/// was changed last first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetBlocklist {
    /// Whether the list of the whole tenant is meant; without it, where no group, site or account is named.
    pub global: Option<bool>,
    /// Groups.
    pub group_ids: Vec<String>,
    /// Sites.
    pub site_ids: Vec<String>,
    /// Accounts.
    pub account_ids: Vec<String>,
    /// How many to leave out from the start, at most 1000.
    pub offset: Option<i64>,
    /// How many at the most; without it 1000.
    pub limit: Option<u64>,
    /// Hashes, or parts of them.
    pub hash: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Blocklist";

impl Command for GetBlocklist {
    const INFO: Info = Info {
        name: "get-blocklist",
        full_name: "sentinelone-get-blocklist",
        summary: "List the blocklist",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["blocklist_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Blocklist.UserId", "String", "User who added the entry", "userId")
            .no_column(),
        Output::field("SentinelOne.Blocklist.UpdatedAt", "String", "When it was last changed", "updatedAt"),
        Output::field("SentinelOne.Blocklist.Value", "String", "The hash", "value"),
        Output::field("SentinelOne.Blocklist.ScopePath", "String", "Path of its scope", "scopePath")
            .no_column(),
        Output::field("SentinelOne.Blocklist.Type", "String", "Kind of the entry", "type").no_column(),
        Output::field("SentinelOne.Blocklist.Source", "String", "Where it comes from", "source"),
        Output::field("SentinelOne.Blocklist.ID", "String", "Identifier of the entry", "id"),
        Output::field("SentinelOne.Blocklist.CreatedAt", "String", "When it was added", "createdAt")
            .no_column(),
        Output::field("SentinelOne.Blocklist.Description", "String", "Description", "description"),
        Output::field("SentinelOne.Blocklist.OSType", "String", "Operating system it is for", "osType"),
        Output::field("SentinelOne.Blocklist.ScopeName", "String", "Name of its scope", "scopeName"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List};
        vec![
            Argument::new(
                "global",
                Boolean,
                "Whether the list of the whole tenant is meant. Where groups, sites or accounts are named, those \
                 are meant whatever it says: the API takes one or the other.",
            )
            .values(&["true", "false"])
            .default("true"),
            Argument::new("group_ids", List, "Groups, by identifier."),
            Argument::new("site_ids", List, "Sites, by identifier."),
            Argument::new("account_ids", List, "Accounts, by identifier."),
            Argument::new("offset", Integer, "How many entries to leave out from the start, at most 1000.")
                .default("0"),
            Argument::new("limit", Integer, "How many entries at the most.").default("1000").or_all(),
            Argument::new("hash", List, "Hashes, or parts of them; any of them will do."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            global: arguments.boolean("global")?,
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            offset: arguments.integer("offset")?,
            limit: arguments.limit()?,
            hash: arguments.list("hash")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        list((client, watch), self.request()?, Some(self.wanted()), |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetBlocklist {
    fn wanted(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    fn request(&self) -> Result<Request<Page<Value>>> {
        let name = Self::INFO.name;
        let scopes = [&self.group_ids, &self.site_ids, &self.account_ids];
        let named = scopes.iter().any(|ids| !ids.is_empty());
        if let Some(offset) = self.offset
            && !(0..=MOST_SKIPPED).contains(&offset)
        {
            let message = format!(
                "is {offset}; give a number from 0 to {MOST_SKIPPED}, and a larger limit for what is beyond"
            );
            return Err(refuse(name, "offset", message));
        }
        let query = BlocklistListQuery {
            // Beside ids it would mean the tenant's own list, or nothing.
            tenant: (!named).then_some(self.global.unwrap_or(true)),
            group_ids: given(&self.group_ids),
            site_ids: given(&self.site_ids),
            account_ids: given(&self.account_ids),
            skip: self.offset,
            value_contains: given(&self.hash),
            sort_by: Some(BlocklistSortField::UpdatedAt),
            sort_order: Some(SortOrder::Desc),
            ..BlocklistListQuery::default()
        };
        Ok(sized(raw::list(&query)?.answering(), Some(self.wanted()))?)
    }
}
