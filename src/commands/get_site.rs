//! `sentinelone-get-site`: one site.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::sites as raw;
use serde_json::Value;

use super::context::Output;
use super::lists::required_id;
use super::read::get;
use super::sites_context as site;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// One site.
#[derive(Clone, Debug, PartialEq)]
pub struct GetSite {
    /// The site.
    pub site_id: String,
}

impl Command for GetSite {
    const INFO: Info = Info {
        name: "get-site",
        full_name: "sentinelone-get-site",
        summary: "Get a site",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["sites_get"],
    };

    const OUTPUTS: &'static [Output] = &[
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
        Output::field("SentinelOne.Site.IsDefault", "Boolean", "Whether it is the default site", "isDefault")
            .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("site_id", ArgumentKind::Text, "Identifier of the site.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { site_id: required_id(arguments, "site_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        get(client, &self.request()?, (site::PREFIX, Self::OUTPUTS)).await
    }
}

impl GetSite {
    fn request(&self) -> Result<Request<Value>> {
        Ok(raw::get(&self.site_id)?.answering())
    }
}
