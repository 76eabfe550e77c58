//! `sentinelone-create-star-rule`: creates a STAR rule.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::star_rules::{self as raw, RuleStatus, StarRulesCreateRequest};
use serde_json::Value;

use super::support::context_path::ContextPath;
use super::support::saved::{SaveTarget, save};
use super::support::star_rule_settings::{PREFIX, RULE_OUTPUTS, StarRuleSettings};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Creates a STAR rule as a draft, which is inactive until it is enabled. A scope is required.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateStarRule {
    /// Settings of the rule.
    pub rule: StarRuleSettings,
}

impl Command for CreateStarRule {
    const INFO: CommandInfo = CommandInfo {
        name: "create-star-rule",
        full_name: "sentinelone-create-star-rule",
        topic: Topic::Detection,
        summary: "Create a STAR rule as a draft",
        example: "s1 create-star-rule --name 'Encoded PowerShell' --query-type events \
            --query 'CmdLine Contains \"-enc\"' --rule-severity High --expiration-mode Permanent \
            --network-quarantine false --treat-as-threat UNDEFINED --site-ids 420000000000000001",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["star_rules_create"],
    };

    const OUTPUTS: &'static [ContextPath] = RULE_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        StarRuleSettings::arguments()
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { rule: StarRuleSettings::from_arguments(arguments)? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        save(client, &self.request()?, SaveTarget::New(&self.rule.name), "id", (PREFIX, RULE_OUTPUTS)).await
    }
}

impl CreateStarRule {
    fn request(&self) -> Result<Request<Value>> {
        let data = self.rule.data(Self::INFO.name, RuleStatus::Draft)?;
        Ok(raw::create(&StarRulesCreateRequest::new(data).filter(self.rule.scope(Self::INFO.name)?))?
            .with_response_type())
    }
}
