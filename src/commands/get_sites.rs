//! `sentinelone-get-sites`: sites that match.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request, Timestamp};
use sentinelone_raw::sites::{self as raw, LicenceFeature, LicenceState, LicenceType, SitesListQuery, Suite};
use serde_json::Value;

use super::context::Output;
use super::lists::{given, id, wanted};
use super::read::list;
use super::sites_context as site;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::paging::sized;

const DEFAULT_LIMIT: u64 = 50;

/// Sites that match, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetSites {
    /// Last updated at this very time.
    pub updated_at: Option<Timestamp>,
    /// Free text.
    pub query: Option<String>,
    /// Whether the licence is a trial or paid for.
    pub site_type: Option<LicenceType>,
    /// Features that the site supports.
    pub features: Vec<LicenceFeature>,
    /// Whether the site is in use.
    pub state: Option<LicenceState>,
    /// Product tier.
    pub suite: Option<Suite>,
    /// Only sites that the user has admin rights on.
    pub admin_only: Option<bool>,
    /// Account.
    pub account_id: Option<String>,
    /// The whole name.
    pub site_name: Option<String>,
    /// Created at this very time.
    pub created_at: Option<Timestamp>,
    /// How many at the most; without it 50.
    pub limit: Option<u64>,
}

/// Those that the integration offers.
const TYPES: &[&str] = &["Trial", "Paid", "POC", "DEV", "NFR"];
const STATES: &[&str] = &["active", "deleted", "expired"];

impl Command for GetSites {
    const INFO: Info = Info {
        name: "get-sites",
        full_name: "sentinelone-get-sites",
        summary: "List the sites that match",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["sites_list"],
    };

    const OUTPUTS: &'static [Output] = &[
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
        use ArgumentKind::{Boolean, Integer, List, Text, Time};
        vec![
            Argument::new("updated_at", Time, "Last updated at this very time."),
            Argument::new("query", Text, "Free text, looked for in the names of site and account."),
            Argument::new("site_type", Text, "Type of the licence.").values(TYPES),
            Argument::new("features", List, "Features that the site supports.").values(LicenceFeature::KNOWN),
            Argument::new("state", Text, "Whether the site is in use.").values(STATES),
            Argument::new("suite", Text, "Product tier.").values(Suite::KNOWN),
            Argument::new(
                "admin_only",
                Boolean,
                "Only sites that the user has admin rights on. Some consoles are said to answer 500 to it.",
            ),
            Argument::new("account_id", Text, "Account, by identifier."),
            Argument::new("site_name", Text, "The whole name of the site."),
            Argument::new("created_at", Time, "Created at this very time."),
            Argument::new("limit", Integer, "How many sites at the most.").default("50").or_all(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            updated_at: arguments.time("updated_at")?,
            query: arguments.text("query")?,
            site_type: arguments.choice("site_type", TYPES)?,
            features: arguments.choices("features", LicenceFeature::KNOWN)?,
            state: arguments.choice("state", STATES)?,
            suite: arguments.choice("suite", Suite::KNOWN)?,
            admin_only: arguments.boolean("admin_only")?,
            account_id: id(arguments, "account_id")?,
            site_name: arguments.text("site_name")?,
            created_at: arguments.time("created_at")?,
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
        list((client, watch), self.request()?, limit, |_| true, (site::PREFIX, Self::OUTPUTS)).await
    }
}

impl GetSites {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &[])
    }

    fn request(&self) -> Result<Request<Page<Value>>> {
        let query = SitesListQuery {
            updated_at: self.updated_at.clone(),
            query: self.query.clone(),
            site_type: self.site_type.clone(),
            features: given(&self.features),
            state: self.state.clone(),
            suite: self.suite.clone(),
            admin_only: self.admin_only,
            account_id: self.account_id.clone(),
            name: self.site_name.clone(),
            created_at: self.created_at.clone(),
            ..SitesListQuery::default()
        };
        Ok(sized(raw::list(&query)?.answering(), Some(self.wanted()))?)
    }
}
