//! `sentinelone-update-star-rule`: changes settings of a STAR rule.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    self as raw, StarRule, StarRuleData, StarRuleFilter, StarRulesUpdateRequest,
};
use serde_json::Value;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batched_lists::non_empty;
use super::support::execution::Requests;
use super::support::star_rule_settings::{apply_to, check, missing_scope, named_scope, saved_rule_outcome};
use super::{CommandDeclaration, Outcome, StarRuleSettings, UpdateStarRule};
use crate::Result;
use crate::rule_update::{self, FoundRule, find, lookups, not_found, scope_of, settings_of};

impl Behavior for UpdateStarRule {
    /// Returns the searches for the rule, which end with the first that finds it. The update depends on the rule.
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        // A platform passes false for a scope that it does not name.
        let mut named = self.rule.clone();
        named.tenant = named.tenant.filter(|tenant| *tenant);
        if named == StarRuleSettings::default() && self.status.is_none() {
            let message = "is the only argument; expected a setting to change";
            return Err(argument_error(Self::INFO.name, "rule_id", message));
        }
        named_scope(&self.rule, Self::INFO.name)?;
        check(&self.rule, Self::INFO.name)?;
        // The path of the update accepts fewer IDs than the search.
        let any = StarRuleData::new("Permanent", "any", "events", "Low", "Draft");
        raw::update(&self.rule_id, &StarRulesUpdateRequest::new(any))?;
        Ok(lookups(&self.rule_id, &scope(self))?.into_iter().map(Request::with_response_type).collect())
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: lookups, .. } = run;
        let named_scope = named_scope(&self.rule, Self::INFO.name)?;
        let lookups = lookups.into_iter().map(Request::with_response_type).collect();
        let found = find(client, &self.rule_id, lookups).await?;
        let FoundRule { mut rule, json: before } = found.ok_or_else(|| not_found(&self.rule_id))?;
        let scope = named_scope.or_else(|| scope_of(&rule)).ok_or_else(|| missing_scope(Self::INFO.name))?;
        let listed = rule.clone();
        let request = update(self, &mut rule, scope)?;
        let request = rule_update::with_undeclared_members(request, &listed, &before);
        let name = rule.name.as_deref().unwrap_or_default();
        let saved = rule_update::update(client, &request, (&self.rule_id, &before)).await?;
        Ok(saved_rule_outcome(client, saved, (Some(&self.rule_id), name)))
    }
}

/// Returns the scope in which the rule is searched first: a console may list the rules of a scope on request only.
fn scope(command: &UpdateStarRule) -> StarRuleFilter {
    let StarRuleSettings { site_ids, group_ids, account_ids, .. } = &command.rule;
    let mut filter = StarRuleFilter::default();
    filter.site_ids = non_empty(site_ids);
    filter.group_ids = non_empty(group_ids);
    filter.account_ids = non_empty(account_ids);
    filter
}

fn update(command: &UpdateStarRule, rule: &mut StarRule, scope: ScopeFilter) -> Result<Request<Value>> {
    apply_to(&command.rule, UpdateStarRule::INFO.name, rule)?;
    rule.status = command.status.clone().or(rule.status.take());
    let body = StarRulesUpdateRequest::new(settings_of(rule)?).filter(scope);
    Ok(raw::update(&command.rule_id, &body)?.with_response_type())
}
