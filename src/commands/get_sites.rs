//! `sentinelone-get-sites`: lists sites.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Timestamp};
use sentinelone_raw::sites::{self as raw, LicenseFeature, LicenseState, LicenseType, SitesListQuery, Suite};

use super::support::batched_lists::{effective_limit, id, non_empty};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::list;
use super::support::requested_ids::RequestedIds;
use super::support::sites_context as site;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::paging::with_page_size;

const DEFAULT_LIMIT: u64 = 50;

/// Lists sites that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetSites {
    /// Exact time of the last update.
    pub updated_at: Option<Timestamp>,
    /// Full-text search.
    pub query: Option<String>,
    /// License type.
    pub site_type: Option<LicenseType>,
    /// Supported features.
    pub features: Vec<LicenseFeature>,
    /// State.
    pub state: Option<LicenseState>,
    /// Product tier.
    pub suite: Option<Suite>,
    /// Whether to list only sites on which the user has admin rights.
    pub admin_only: Option<bool>,
    /// Account ID.
    pub account_id: Option<String>,
    /// Exact name.
    pub site_name: Option<String>,
    /// Exact creation time.
    pub created_at: Option<Timestamp>,
    /// Maximum number of items. Default: 50.
    pub limit: Option<u64>,
}

/// Values of the integration.
const TYPES: &[&str] = &["Trial", "Paid", "POC", "DEV", "NFR"];
const STATES: &[&str] = &["active", "deleted", "expired"];

impl Command for GetSites {
    const INFO: CommandInfo = CommandInfo {
        name: "get-sites",
        full_name: "sentinelone-get-sites",
        topic: Topic::Console,
        summary: "List sites",
        example: "s1 get-sites --state active",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["sites_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        site::ID,
        site::NAME,
        site::TYPE,
        site::STATE,
        site::ACCOUNT_NAME,
        site::ACTIVE_LICENSES,
        site::TOTAL_LICENSES,
        site::UNLIMITED_LICENSES,
        site::EXPIRATION,
        site::CREATED_AT,
        site::CREATOR,
        site::SUITE,
        site::HEALTH_STATUS,
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String, Time};
        vec![
            Argument::new("updated_at", Time, "Exact time of the last update."),
            Argument::new("query", String, "Full-text search in the names of the site and its account."),
            Argument::new("site_type", String, "License type.").values(TYPES),
            Argument::new("features", List, "Supported features.").values(LicenseFeature::VALUES),
            Argument::new("state", String, "State.").values(STATES),
            Argument::new("suite", String, "Product tier.").values(Suite::VALUES),
            Argument::new(
                "admin_only",
                Boolean,
                "Whether to list only sites on which the user has admin rights. Some consoles reportedly \
                 return HTTP 500.",
            ),
            Argument::new("account_id", String, "Account ID."),
            Argument::new("site_name", String, "Exact name."),
            Argument::new("created_at", Time, "Exact creation time."),
            Argument::new("limit", Integer, "Maximum number of sites.").default("50").accepts_all(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            updated_at: arguments.time("updated_at")?,
            query: arguments.string("query")?,
            site_type: arguments.choice("site_type", TYPES)?,
            features: arguments.choices("features", LicenseFeature::VALUES)?,
            state: arguments.choice("state", STATES)?,
            suite: arguments.choice("suite", Suite::VALUES)?,
            admin_only: arguments.boolean("admin_only")?,
            account_id: id(arguments, "account_id")?,
            site_name: arguments.string("site_name")?,
            created_at: arguments.time("created_at")?,
            limit: arguments.limit()?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = SitesListQuery {
            updated_at: self.updated_at.clone(),
            query: self.query.clone(),
            site_type: self.site_type.clone(),
            features: non_empty(&self.features),
            state: self.state.clone(),
            suite: self.suite.clone(),
            admin_only: self.admin_only,
            account_id: self.account_id.clone(),
            name: self.site_name.clone(),
            created_at: self.created_at.clone(),
            ..SitesListQuery::default()
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
        let requested = RequestedIds::default().with_one("site_name", self.site_name.as_ref());
        list((client, observer, &requested), requests, limit, None, (site::PREFIX, Self::OUTPUTS)).await
    }
}

impl GetSites {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &[])
    }
}
