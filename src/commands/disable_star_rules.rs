//! `sentinelone-disable-star-rules`: disables STAR rules.

use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::star_rules::{self as raw, StarRuleFilter, StarRulesDisableRequest};

use super::support::batch_action::{batch_requests, run_id_action, success_or_null};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::star_rule_settings::PREFIX;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Disables STAR rules, which stop raising alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct DisableStarRules {
    /// Rule IDs.
    pub rule_ids: Vec<String>,
}

impl Command for DisableStarRules {
    const INFO: CommandInfo = CommandInfo {
        name: "disable-star-rules",
        full_name: "sentinelone-disable-star-rules",
        topic: Topic::Detection,
        summary: "Disable STAR rules",
        example: "s1 disable-star-rules --rule-ids 540000000000000001",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["star_rules_disable"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.StarRule.ID", "String", "ID of the rule", "rule_ids"),
        ContextPath::computed(
            "SentinelOne.StarRule.Disabled",
            "Boolean",
            "Whether the rule was disabled; null if unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("rule_ids", ArgumentKind::List, "Rule IDs.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { rule_ids: arguments.required_list("rule_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("rule_ids", &self.rule_ids), StarRuleFilter::FIELDS, |ids| {
            raw::disable(&StarRulesDisableRequest::new(StarRuleFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_id_action(client, actions, (PREFIX, "ID"), |result, entry| {
            set_path(entry, "Disabled", success_or_null(result))
        })
        .await
    }
}
