//! `sentinelone-delete-star-rule`: deletes STAR rules.

use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::star_rules::{self as raw, StarRuleFilter, StarRulesDeleteRequest};

use super::support::batch_action::{batch_requests, run_id_action, success_or_null};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::star_rule_settings::PREFIX;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Deletes STAR rules permanently.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteStarRule {
    /// Rule IDs.
    pub rule_ids: Vec<String>,
}

impl Command for DeleteStarRule {
    const INFO: CommandInfo = CommandInfo {
        name: "delete-star-rule",
        full_name: "sentinelone-delete-star-rule",
        topic: Topic::Detection,
        summary: "Delete STAR rules",
        example: "s1 delete-star-rule --rule-ids 540000000000000002",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["star_rules_delete"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.StarRule.ID", "String", "ID of the rule", "rule_ids"),
        ContextPath::computed(
            "SentinelOne.StarRule.Deleted",
            "Boolean",
            "Whether the rule was deleted; null if unknown",
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
            raw::delete(&StarRulesDeleteRequest::new(StarRuleFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_id_action(client, actions, (PREFIX, "ID"), |result, entry| {
            set_path(entry, "Deleted", success_or_null(result))
        })
        .await
    }
}
