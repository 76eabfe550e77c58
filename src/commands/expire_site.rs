//! `sentinelone-expire-site`: expires a site.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::sites as raw;
use serde_json::{Value, json};

use super::support::batched_lists::required_id;
use super::support::context_path::{ContextPath, context_under, entry};
use super::support::execution::{ProgressObserver, Requests};
use super::support::single::run_single_action;
use super::support::sites_context::{self as site, PREFIX, state_outcome};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Ends the license of a site immediately. Its agents are not served until the site is reactivated.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpireSite {
    /// Site ID.
    pub site_id: String,
}

impl Command for ExpireSite {
    const INFO: CommandInfo = CommandInfo {
        name: "expire-site",
        full_name: "sentinelone-expire-site",
        topic: Topic::Console,
        summary: "Expire a site",
        example: "s1 expire-site --site-id 420000000000000001",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["sites_expire"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        site::ID,
        site::NAME,
        site::STATE,
        ContextPath::field("SentinelOne.Site.SKU", "String", "Licensed product tier", "sku"),
        ContextPath::field(
            "SentinelOne.Site.SiteType",
            "String",
            "License type, such as Paid or Trial",
            "siteType",
        ),
        site::SUITE,
        ContextPath::field("SentinelOne.Site.TotalLicenses", "String", "Number of licenses", "totalLicenses"),
        site::ACCOUNT_ID,
        site::CREATOR,
        ContextPath::field("SentinelOne.Site.CreatorID", "String", "ID of the creator", "creatorId")
            .no_column(),
        ContextPath::field("SentinelOne.Site.Description", "String", "Description", "description")
            .no_column(),
        site::EXPIRATION,
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("site_id", ArgumentKind::String, "ID of the site.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { site_id: required_id(arguments, "site_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![raw::expire(&self.site_id)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let evaluate = |response: &Value| state_outcome("expired", &self.site_id, response);
        let mut outcome = run_single_action(client, actions, evaluate).await?;
        let site = outcome.response.get("data").unwrap_or(&Value::Null);
        let mut entry = entry(Self::OUTPUTS, PREFIX, client.api_version(), site);
        // The response may omit the ID of the site.
        set_path(&mut entry, "ID", json!(self.site_id));
        outcome.context = context_under(PREFIX, entry);
        Ok(outcome)
    }
}
