//! `sentinelone-reactivate-site`: an expired site comes back.

use sentinelone_raw::runtime::{ApiVersion, Request, Timestamp};
use sentinelone_raw::sites::{self as raw, SiteReactivation, SiteReactivationData};
use serde_json::{Value, json};

use super::act::{known, refuse};
use super::context::{Output, under};
use super::lists::required_id;
use super::single::act_on_one;
use super::sites_context::{PREFIX, came_into};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Brings an expired site back, until a time or without an end.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactivateSite {
    /// The site.
    pub site_id: String,
    /// Whether it has no end; false where there is an expiration.
    pub unlimited: Option<bool>,
    /// When it ends.
    pub expiration: Option<Timestamp>,
}

impl Command for ReactivateSite {
    const INFO: Info = Info {
        name: "reactivate-site",
        full_name: "sentinelone-reactivate-site",
        summary: "Reactivate an expired site",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: false,
        operations: &["sites_reactivate"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Site.ID", "String", "Identifier of the site", "site_id"),
        Output::computed(
            "SentinelOne.Site.Reactivated",
            "Boolean",
            "Whether it is active again; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("site_id", ArgumentKind::Text, "Identifier of the site.").required(),
            Argument::new(
                "unlimited",
                ArgumentKind::Boolean,
                "Whether the site has no end. Give this as true, or an expiration.",
            ),
            Argument::new(
                "expiration",
                ArgumentKind::Time,
                "When the site is to expire: a time to come, written out, since relative times count back.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            site_id: required_id(arguments, "site_id")?,
            unlimited: arguments.boolean("unlimited")?,
            expiration: arguments.time_to_come("expiration")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let name = Self::INFO.name;
        let unlimited = match (self.unlimited, &self.expiration) {
            (None, None) => {
                return Err(refuse(name, "expiration", "is missing; give it, or unlimited as true"));
            }
            (Some(false), None) => {
                return Err(refuse(name, "expiration", "is missing; a site that is not unlimited needs it"));
            }
            (Some(true), Some(_)) => {
                let message = "is given, but unlimited is true; leave one of them out";
                return Err(refuse(name, "expiration", message));
            }
            (unlimited, _) => unlimited.unwrap_or(false),
        };
        let data = SiteReactivationData { expiration: self.expiration.clone(), unlimited: Some(unlimited) };
        Ok(vec![raw::reactivate(&self.site_id, &SiteReactivation::new(data))?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let judge = |answer: &Value| came_into("active", &self.site_id, answer);
        let mut outcome = act_on_one(self, client, judge).await?;
        let reactivated = outcome.ids.first().map(known);
        outcome.context = under(PREFIX, json!({ "ID": self.site_id, "Reactivated": reactivated }));
        Ok(outcome)
    }
}
