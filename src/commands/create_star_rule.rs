//! `sentinelone-create-star-rule`: a new STAR rule.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::star_rules::{self as raw, RuleStatus, StarRuleCreation};
use serde_json::Value;

use super::context::Output;
use super::saved::{Thing, save};
use super::star_rule_settings::{PREFIX, SAVED, StarRuleSettings};
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Creates a STAR rule as a draft, which does nothing until it is enabled. Its scope has to be named.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateStarRule {
    /// What it is to be.
    pub rule: StarRuleSettings,
}

impl Command for CreateStarRule {
    const INFO: Info = Info {
        name: "create-star-rule",
        full_name: "sentinelone-create-star-rule",
        summary: "Create a STAR rule as a draft",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["star_rules_create"],
    };

    const OUTPUTS: &'static [Output] = SAVED;

    fn arguments() -> Vec<Argument> {
        StarRuleSettings::arguments()
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { rule: StarRuleSettings::read(arguments)? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        save(client, &self.request()?, Thing::New(&self.rule.name), "id", (PREFIX, SAVED)).await
    }
}

impl CreateStarRule {
    fn request(&self) -> Result<Request<Value>> {
        let data = self.rule.data(Self::INFO.name, RuleStatus::Draft)?;
        Ok(raw::create(&StarRuleCreation::new(data).filter(self.rule.scope(Self::INFO.name)?))?.answering())
    }
}
