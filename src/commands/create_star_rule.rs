//! `sentinelone-create-star-rule`: creates a STAR rule.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::star_rules::{self as raw, RuleStatus, StarRule, StarRulesCreateRequest};

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::support::star_rule_settings::{RULE_OUTPUTS, StarRuleSettings, missing_scope, saved_rule_outcome};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::rule_update::{self, settings_of};

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
        operations: &["star_rules_create", "star_rules_list"],
    };

    const OUTPUTS: &'static [ContextPath] = RULE_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        StarRuleSettings::arguments(true)
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { rule: StarRuleSettings::from_arguments(arguments, true)? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        let scope = self.rule.named_scope(name)?.ok_or_else(|| missing_scope(name))?;
        let mut rule = StarRule::default();
        rule.status = Some(RuleStatus::Draft);
        self.rule.apply_to(name, &mut rule)?;
        let body = StarRulesCreateRequest::new(settings_of(&rule)?).filter(scope);
        Ok(vec![raw::create(&body)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        // A response may lack settings. Only a language that the console did not store makes the rule useless.
        let is_checked = |setting: &str| setting == "queryLang";
        let name = self.rule.name.as_deref().unwrap_or_default();
        let saved = rule_update::create(client, &first_request(actions)?, is_checked).await?;
        Ok(saved_rule_outcome(client, saved, (None, name)))
    }
}
