//! `sentinelone-get-site`: returns a site.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::sites as raw;
use serde_json::Value;

use super::support::batched_lists::required_id;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::get;
use super::support::sites_context as site;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Returns a site.
#[derive(Clone, Debug, PartialEq)]
pub struct GetSite {
    /// Site ID.
    pub site_id: String,
}

impl Command for GetSite {
    const INFO: CommandInfo = CommandInfo {
        name: "get-site",
        full_name: "sentinelone-get-site",
        topic: Topic::Console,
        summary: "Get a site",
        example: "s1 get-site --site-id 420000000000000001",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["sites_get"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        site::ID,
        site::NAME,
        site::TYPE,
        site::STATE,
        site::ACCOUNT_NAME,
        site::ACCOUNT_ID,
        site::ACTIVE_LICENSES,
        site::TOTAL_LICENSES,
        site::UNLIMITED_LICENSES,
        site::EXPIRATION,
        site::CREATED_AT,
        site::CREATOR,
        site::SUITE,
        site::HEALTH_STATUS,
        ContextPath::field(
            "SentinelOne.Site.IsDefault",
            "Boolean",
            "Whether it is the default site",
            "isDefault",
        )
        .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("site_id", ArgumentKind::String, "ID of the site.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { site_id: required_id(arguments, "site_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![raw::get(&self.site_id)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, reads: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        get::<Value>(client, reads, Some(("site_id", &self.site_id)), (site::PREFIX, Self::OUTPUTS)).await
    }
}
