//! `sentinelone-delete-star-rule`: STAR rules away.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::star_rules::{self as raw, StarRuleDeletion, StarRuleFilter};
use serde_json::Value;

use super::act::{act_on, known, requests};
use super::context::Output;
use super::star_rule_settings::PREFIX;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Deletes STAR rules for good.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteStarRule {
    /// The rules.
    pub rule_ids: Vec<String>,
}

impl Command for DeleteStarRule {
    const INFO: Info = Info {
        name: "delete-star-rule",
        full_name: "sentinelone-delete-star-rule",
        summary: "Delete STAR rules",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["star_rules_delete"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.StarRule.ID", "String", "Identifier of the rule", "rule_ids"),
        Output::computed(
            "SentinelOne.StarRule.Deleted",
            "Boolean",
            "Whether it was deleted; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("rule_ids", ArgumentKind::List, "Identifiers of the rules.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { rule_ids: arguments.required_list("rule_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("rule_ids", &self.rule_ids), StarRuleFilter::FIELDS, |ids| {
            raw::delete(&StarRuleDeletion::new(StarRuleFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on(self, client, (PREFIX, "ID"), |one, entry| put(entry, "Deleted", known(one))).await
    }
}
