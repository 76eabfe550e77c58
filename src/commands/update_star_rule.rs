//! `sentinelone-update-star-rule`: replaces a STAR rule.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::star_rules::{self as raw, RuleStatus, StarRulesUpdateRequest};
use serde_json::Value;

use super::support::context_path::ContextPath;
use super::support::saved::{SaveTarget, save};
use super::support::star_rule_settings::{PREFIX, RULE_OUTPUTS, StarRuleSettings};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Replaces a STAR rule. Omitted settings are not preserved. The status is part of the rule: with the status Draft, an
/// active rule stops. A scope is required.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateStarRule {
    /// Rule ID.
    pub rule_id: String,
    /// Settings of the rule.
    pub rule: StarRuleSettings,
    /// Status: draft or active.
    pub status: RuleStatus,
}

const STATUSES: &[&str] = &["Draft", "Active"];

impl Command for UpdateStarRule {
    const INFO: CommandInfo = CommandInfo {
        name: "update-star-rule",
        full_name: "sentinelone-update-star-rule",
        topic: Topic::Detection,
        summary: "Replace a STAR rule",
        example: "s1 update-star-rule --rule-id 540000000000000001 --name 'Encoded PowerShell' \
            --query-type events --query 'CmdLine Contains \"-enc\"' --rule-severity High \
            --expiration-mode Permanent --network-quarantine false --treat-as-threat UNDEFINED \
            --site-ids 420000000000000001",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["star_rules_update"],
    };

    const OUTPUTS: &'static [ContextPath] = RULE_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        let mut arguments =
            vec![Argument::new("rule_id", ArgumentKind::String, "ID of the rule.").required()];
        arguments.extend(StarRuleSettings::arguments());
        arguments.push(
            Argument::new(
                "status",
                ArgumentKind::String,
                "Status of the rule. Draft stops an active rule; Active keeps it active.",
            )
            .values(STATUSES)
            .default("Draft"),
        );
        arguments
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            rule_id: arguments.required("rule_id")?.trim().to_owned(),
            rule: StarRuleSettings::from_arguments(arguments)?,
            status: arguments.choice_ignore_case("status", STATUSES)?.unwrap_or(RuleStatus::Draft),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        save(client, &self.request()?, SaveTarget::Existing(&self.rule_id), "id", (PREFIX, RULE_OUTPUTS))
            .await
    }
}

impl UpdateStarRule {
    fn request(&self) -> Result<Request<Value>> {
        let data = self.rule.data(Self::INFO.name, self.status.clone())?;
        let body = StarRulesUpdateRequest::new(data).filter(self.rule.scope(Self::INFO.name)?);
        Ok(raw::update(&self.rule_id, &body)?.with_response_type())
    }
}
