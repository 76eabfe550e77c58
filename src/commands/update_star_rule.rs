//! `sentinelone-update-star-rule`: a STAR rule anew.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::star_rules::{self as raw, RuleStatus, StarRuleUpdate};
use serde_json::Value;

use super::context::Output;
use super::saved::{Thing, save};
use super::star_rule_settings::{PREFIX, SAVED, StarRuleSettings};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Replaces a STAR rule: what is left out is not kept. The status is part of it, so that an active rule
/// stops as a draft. The scope is part of it too, and has to be named.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateStarRule {
    /// The rule.
    pub rule_id: String,
    /// What it is to be.
    pub rule: StarRuleSettings,
    /// Whether it is a draft from now on, or active.
    pub status: RuleStatus,
}

const STATUSES: &[&str] = &["Draft", "Active"];

impl Command for UpdateStarRule {
    const INFO: Info = Info {
        name: "update-star-rule",
        full_name: "sentinelone-update-star-rule",
        summary: "Replace a STAR rule",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["star_rules_update"],
    };

    const OUTPUTS: &'static [Output] = SAVED;

    fn arguments() -> Vec<Argument> {
        let mut arguments =
            vec![Argument::new("rule_id", ArgumentKind::Text, "Identifier of the rule.").required()];
        arguments.extend(StarRuleSettings::arguments());
        arguments.push(
            Argument::new(
                "status",
                ArgumentKind::Text,
                "Draft makes it a draft, which stops an active rule; Active leaves an active rule active.",
            )
            .values(STATUSES)
            .default("Draft"),
        );
        arguments
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            rule_id: arguments.required("rule_id")?.trim().to_owned(),
            rule: StarRuleSettings::read(arguments)?,
            status: arguments.choice_of_any_case("status", STATUSES)?.unwrap_or(RuleStatus::Draft),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        save(client, &self.request()?, Thing::Known(&self.rule_id), "id", (PREFIX, SAVED)).await
    }
}

impl UpdateStarRule {
    fn request(&self) -> Result<Request<Value>> {
        let data = self.rule.data(Self::INFO.name, self.status.clone())?;
        let body = StarRuleUpdate::new(data).filter(self.rule.scope(Self::INFO.name)?);
        Ok(raw::update(&self.rule_id, &body)?.answering())
    }
}
