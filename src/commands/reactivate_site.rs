//! `sentinelone-reactivate-site`: reactivates an expired site.

use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use sentinelone_raw::sites::{self as raw, SiteReactivationData, SitesReactivateRequest};
use serde_json::{Value, json};

use super::arguments::argument_error;
use super::support::batch_action::success_or_null;
use super::support::batched_lists::required_id;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::support::single::run_single_action;
use super::support::sites_context::{PREFIX, state_outcome};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Reactivates an expired site, with an expiration time or without limit.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactivateSite {
    /// Site ID.
    pub site_id: String,
    /// Whether the site never expires. Cannot be true together with an expiration time.
    pub unlimited: Option<bool>,
    /// Expiration time.
    pub expiration: Option<Timestamp>,
}

impl Command for ReactivateSite {
    const INFO: CommandInfo = CommandInfo {
        name: "reactivate-site",
        full_name: "sentinelone-reactivate-site",
        topic: Topic::Console,
        summary: "Reactivate an expired site",
        example: "s1 reactivate-site --site-id 420000000000000001 --unlimited true",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["sites_reactivate"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Site.ID", "String", "ID of the site", "site_id"),
        ContextPath::computed(
            "SentinelOne.Site.Reactivated",
            "Boolean",
            "Whether the site is active; null if unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("site_id", ArgumentKind::String, "ID of the site.").required(),
            Argument::new(
                "unlimited",
                ArgumentKind::Boolean,
                "Whether the site never expires. unlimited=true or expiration is required.",
            ),
            Argument::new("expiration", ArgumentKind::Time, "Expiration time, absolute and in the future."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            site_id: required_id(arguments, "site_id")?,
            unlimited: arguments.boolean("unlimited")?,
            expiration: arguments.future_time("expiration")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        let unlimited = match (self.unlimited, &self.expiration) {
            (None, None) => {
                return Err(argument_error(name, "expiration", "is missing; set it, or unlimited=true"));
            }
            (Some(false), None) => {
                return Err(argument_error(
                    name,
                    "expiration",
                    "is missing; it is required with unlimited=false",
                ));
            }
            (Some(true), Some(_)) => {
                let message = "cannot be used with unlimited=true";
                return Err(argument_error(name, "expiration", message));
            }
            (unlimited, _) => unlimited.unwrap_or(false),
        };
        let data = SiteReactivationData { expiration: self.expiration.clone(), unlimited: Some(unlimited) };
        Ok(vec![raw::reactivate(&self.site_id, &SitesReactivateRequest::new(data))?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let evaluate = |response: &Value| state_outcome("active", &self.site_id, response);
        let mut outcome = run_single_action(client, actions, evaluate).await?;
        let reactivated = outcome.results.first().map(success_or_null);
        outcome.context = context_under(PREFIX, json!({ "ID": self.site_id, "Reactivated": reactivated }));
        Ok(outcome)
    }
}
