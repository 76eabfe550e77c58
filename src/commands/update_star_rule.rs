//! `sentinelone-update-star-rule`: changes settings of a STAR rule.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    self as raw, RuleStatus, StarRule, StarRuleData, StarRuleFilter, StarRulesUpdateRequest,
};
use serde_json::Value;

use super::support::batched_lists::{non_empty, required_id};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::star_rule_settings::{RULE_OUTPUTS, StarRuleSettings, missing_scope, saved_rule_outcome};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::rule_update::{self, FoundRule, find, lookups, not_found, scope_of, settings_of};

/// Changes settings of a STAR rule, and keeps the others.
///
/// The API replaces the whole rule, so the command reads the rule first and sends each setting that is not named with
/// its present value: the query language, the status and the settings of a schedule, too. Without a scope, the scope of
/// the rule applies. The rule is read again after the update; the result is partial if the console stored a setting with
/// another value.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateStarRule {
    /// Rule ID.
    pub rule_id: String,
    /// Settings to change.
    pub rule: StarRuleSettings,
    /// Status: draft or active. Default: the status of the rule.
    pub status: Option<RuleStatus>,
}

const STATUSES: &[&str] = &["Draft", "Active"];

impl Command for UpdateStarRule {
    const INFO: CommandInfo = CommandInfo {
        name: "update-star-rule",
        full_name: "sentinelone-update-star-rule",
        topic: Topic::Detection,
        summary: "Change settings of a STAR rule",
        example: "s1 update-star-rule --rule-id 540000000000000001 --rule-severity Critical",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["star_rules_list", "star_rules_update"],
    };

    const OUTPUTS: &'static [ContextPath] = RULE_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        let mut arguments =
            vec![Argument::new("rule_id", ArgumentKind::String, "ID of the rule.").required()];
        arguments.extend(StarRuleSettings::arguments(false));
        arguments.push(
            Argument::new(
                "status",
                ArgumentKind::String,
                "Status of the rule. Draft stops an active rule. Default: the status of the rule.",
            )
            .values(STATUSES),
        );
        arguments
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let command = Self {
            rule_id: required_id(arguments, "rule_id")?,
            rule: StarRuleSettings::from_arguments(arguments, false)?,
            status: arguments.choice_ignore_case("status", STATUSES)?,
        };
        if command.rule == StarRuleSettings::default() && command.status.is_none() {
            return Err(arguments.error("rule_id", "is the only argument; expected a setting to change"));
        }
        Ok(command)
    }

    /// Returns the searches for the rule, which end with the first that finds it. The update depends on the rule.
    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        self.rule.named_scope(Self::INFO.name)?;
        self.rule.check(Self::INFO.name)?;
        // The path of the update accepts fewer IDs than the search.
        let any = StarRuleData::new("Permanent", "any", "events", "Low", "Draft");
        raw::update(&self.rule_id, &StarRulesUpdateRequest::new(any))?;
        Ok(lookups(&self.rule_id, &self.scope())?.into_iter().map(Request::with_response_type).collect())
    }

    async fn execute(&self, client: &Client, lookups: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let named_scope = self.rule.named_scope(Self::INFO.name)?;
        let lookups = lookups.into_iter().map(Request::with_response_type).collect();
        let found = find(client, &self.rule_id, lookups).await?;
        let FoundRule { mut rule, json: before } = found.ok_or_else(|| not_found(&self.rule_id))?;
        let scope = named_scope.or_else(|| scope_of(&rule)).ok_or_else(|| missing_scope(Self::INFO.name))?;
        let listed = rule.clone();
        let request = self.update(&mut rule, scope)?;
        let request = rule_update::with_undeclared_members(request, &listed, &before);
        let name = rule.name.as_deref().unwrap_or_default();
        let saved = rule_update::update(client, &request, (&self.rule_id, &before)).await?;
        Ok(saved_rule_outcome(client, saved, (Some(&self.rule_id), name)))
    }
}

impl UpdateStarRule {
    /// Returns the scope in which the rule is searched first: a console may list the rules of a scope on request only.
    fn scope(&self) -> StarRuleFilter {
        let StarRuleSettings { site_ids, group_ids, account_ids, .. } = &self.rule;
        StarRuleFilter {
            site_ids: non_empty(site_ids),
            group_ids: non_empty(group_ids),
            account_ids: non_empty(account_ids),
            ..StarRuleFilter::default()
        }
    }

    fn update(&self, rule: &mut StarRule, scope: ScopeFilter) -> Result<Request<Value>> {
        self.rule.apply_to(Self::INFO.name, rule)?;
        rule.status = self.status.clone().or(rule.status.take());
        let body = StarRulesUpdateRequest::new(settings_of(rule)?).filter(scope);
        Ok(raw::update(&self.rule_id, &body)?.with_response_type())
    }
}
