//! `sentinelone-enable-star-rules`: STAR rules on.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::star_rules::{self as raw, StarRuleActivation, StarRuleFilter};
use serde_json::Value;

use super::act::{act_on, known, requests};
use super::context::Output;
use super::star_rule_settings::PREFIX;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Enables STAR rules. From then on they raise alerts, and respond by themselves where they are told to.
#[derive(Clone, Debug, PartialEq)]
pub struct EnableStarRules {
    /// The rules.
    pub rule_ids: Vec<String>,
}

impl Command for EnableStarRules {
    const INFO: Info = Info {
        name: "enable-star-rules",
        full_name: "sentinelone-enable-star-rules",
        summary: "Enable STAR rules",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: true,
        operations: &["star_rules_enable"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.StarRule.ID", "String", "Identifier of the rule", "rule_ids"),
        Output::computed(
            "SentinelOne.StarRule.Enabled",
            "Boolean",
            "Whether it was enabled; null when nobody knows",
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
            raw::enable(&StarRuleActivation::new(StarRuleFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on(self, client, (PREFIX, "ID"), |one, entry| put(entry, "Enabled", known(one))).await
    }
}
