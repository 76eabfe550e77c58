//! `sentinelone-expire-site`: a site ends now.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::sites as raw;
use serde_json::{Value, json};

use super::context::{Output, entry, under};
use super::lists::required_id;
use super::single::act_on_one;
use super::sites_context::{self as site, PREFIX, came_into};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Ends the licence of a site at once. Its agents are not served until it is reactivated.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpireSite {
    /// The site.
    pub site_id: String,
}

impl Command for ExpireSite {
    const INFO: Info = Info {
        name: "expire-site",
        full_name: "sentinelone-expire-site",
        summary: "Let a site expire now",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: true,
        asks: true,
        operations: &["sites_expire"],
    };

    const OUTPUTS: &'static [Output] = &[
        site::ID,
        site::NAME,
        site::STATE,
        Output::field("SentinelOne.Site.SKU", "String", "Product tier that is licensed", "sku"),
        Output::field("SentinelOne.Site.SiteType", "String", "Whether it is paid for or a trial", "siteType"),
        site::SUITE,
        Output::field(
            "SentinelOne.Site.TotalLicenses",
            "String",
            "How many licences it has",
            "totalLicenses",
        ),
        site::ACCOUNT_ID,
        site::CREATOR,
        Output::field(
            "SentinelOne.Site.CreatorID",
            "String",
            "Identifier of the user who created it",
            "creatorId",
        )
        .no_column(),
        Output::field("SentinelOne.Site.Description", "String", "Description", "description").no_column(),
        site::EXPIRATION,
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("site_id", ArgumentKind::Text, "Identifier of the site.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { site_id: required_id(arguments, "site_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![raw::expire(&self.site_id)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let judge = |answer: &Value| came_into("expired", &self.site_id, answer);
        let mut outcome = act_on_one(self, client, judge).await?;
        let site = outcome.answer.get("data").unwrap_or(&Value::Null);
        let mut entry = entry(Self::OUTPUTS, PREFIX, client.api_version(), site);
        // An answer without the site is still about this one.
        put(&mut entry, "ID", json!(self.site_id));
        outcome.context = under(PREFIX, entry);
        Ok(outcome)
    }
}
