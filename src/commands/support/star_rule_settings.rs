//! Settings of a STAR rule, shared by the commands that save one.

use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    ExpirationMode, RuleCoolOff, RuleQueryType, RuleSchedule, RuleThreshold, StarRule,
};
use serde_json::Value;

use super::batch_action::without_detail;
use super::batched_lists::non_empty;
use super::context_entry::context_under;
use super::list_pages::entries;
use crate::Result;
use crate::client::Client;
use crate::commands::Outcome;
use crate::commands::argument_error::argument_error;
use crate::commands::{CommandDeclaration, CreateStarRule, StarRuleSettings};
use crate::entry_id::id_of;
use crate::outcome::{IdOutcome, IdState};
use crate::rule_update::{Comparison, SavedRule};

/// Rejects settings that contradict each other in any rule.
pub(crate) fn check(settings: &StarRuleSettings, command: &'static str) -> Result<()> {
    if settings.expiration_mode == Some(ExpirationMode::Permanent) && settings.expiration_date.is_some() {
        let message = "requires expiration_mode Temporary; expiration_mode is Permanent";
        return Err(argument_error(command, "expiration_date", message));
    }
    if let Some(query_type) = settings.query_type.as_ref().filter(|one| **one != RuleQueryType::Scheduled) {
        check_schedule(settings, command, query_type.as_str())?;
    }
    Ok(())
}

/// Rejects the settings of a schedule, for a rule of another type.
fn check_schedule(settings: &StarRuleSettings, command: &'static str, query_type: &str) -> Result<()> {
    let schedule = [
        ("run_interval_minutes", settings.run_interval_minutes.is_some()),
        ("lookback_window_minutes", settings.lookback_window_minutes.is_some()),
        ("threshold_value", settings.threshold_value.is_some()),
        ("threshold_operator", settings.threshold_operator.is_some()),
    ];
    match schedule.iter().find(|(_, is_set)| *is_set) {
        Some((argument, _)) => {
            let message = format!("requires query_type scheduled; query_type is {query_type}");
            Err(argument_error(command, argument, message))
        }
        None => Ok(()),
    }
}

/// Applies the settings to a rule.
pub(crate) fn apply_to(
    settings: &StarRuleSettings,
    command: &'static str,
    rule: &mut StarRule,
) -> Result<()> {
    let previous_type = rule.query_type.clone();
    replace(&mut rule.name, &settings.name);
    replace(&mut rule.severity, &settings.severity);
    replace(&mut rule.query_type, &settings.query_type);
    replace(&mut rule.description, &settings.description);
    replace(&mut rule.network_quarantine, &settings.network_quarantine);
    replace(&mut rule.treat_as_threat, &settings.treat_as_threat);
    replace(&mut rule.query_lang, &settings.query_lang.clone().map(Value::String));
    apply_expiration(settings, command, rule)?;
    apply_query(settings, command, rule, previous_type.as_ref())?;
    if let Some(minutes) = settings.cool_off_minutes {
        rule.cool_off_settings = Some(RuleCoolOff::default().renotify_minutes(minutes));
    }
    Ok(())
}

fn apply_expiration(settings: &StarRuleSettings, command: &'static str, rule: &mut StarRule) -> Result<()> {
    replace(&mut rule.expiration_mode, &settings.expiration_mode);
    replace(&mut rule.expiration, &settings.expiration_date);
    let date_error = |message| Err(argument_error(command, "expiration_date", message));
    match (&rule.expiration_mode, &rule.expiration) {
        (Some(ExpirationMode::Temporary), None) => date_error("is missing; a temporary rule requires it"),
        (Some(ExpirationMode::Permanent), Some(_)) if settings.expiration_date.is_some() => {
            date_error("requires expiration_mode Temporary; expiration_mode is Permanent")
        }
        (Some(ExpirationMode::Permanent), Some(_)) if settings.expiration_mode.is_some() => {
            // The rule was temporary.
            rule.expiration = None;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Sets the query at the place that the query type has for it.
fn apply_query(
    settings: &StarRuleSettings,
    command: &'static str,
    rule: &mut StarRule,
    previous_type: Option<&RuleQueryType>,
) -> Result<()> {
    let query_type = rule.query_type.clone();
    let type_name = query_type.as_ref().map_or("unknown", RuleQueryType::as_str).to_owned();
    let is_scheduled = query_type == Some(RuleQueryType::Scheduled);
    let changes_place = previous_type.is_some_and(|previous| {
        Some(previous) != query_type.as_ref()
            && !(has_s1ql(previous) && query_type.as_ref().is_some_and(has_s1ql))
    });
    if changes_place && settings.query.is_none() {
        let message = format!("is missing; the rule has no query for query_type {type_name}");
        return Err(argument_error(command, "query", message));
    }
    if changes_place {
        // The other query types do not have these settings.
        (rule.s1ql, rule.scheduled_params) = (None, None);
        (rule.correlation_params, rule.advanced_detection_params) = (None, None);
    }
    if !is_scheduled {
        check_schedule(settings, command, &type_name)?;
    }
    if is_scheduled {
        return apply_schedule(settings, command, rule, changes_place);
    }
    match (&settings.query, query_type.as_ref().is_some_and(has_s1ql)) {
        (Some(query), true) => rule.s1ql = Some(query.clone()),
        (Some(_), false) => {
            let message = format!("cannot be set for a rule with query_type {type_name}");
            return Err(argument_error(command, "query", message));
        }
        (None, _) => {}
    }
    Ok(())
}

fn apply_schedule(
    settings: &StarRuleSettings,
    command: &'static str,
    rule: &mut StarRule,
    is_new_type: bool,
) -> Result<()> {
    let mut schedule = rule.scheduled_params.take().unwrap_or_default();
    replace(&mut schedule.query, &settings.query);
    replace(&mut schedule.run_interval_minutes, &settings.run_interval_minutes);
    replace(&mut schedule.lookback_window_minutes, &settings.lookback_window_minutes);
    if settings.threshold_value.is_some() || settings.threshold_operator.is_some() {
        let threshold = schedule.threshold.get_or_insert_with(RuleThreshold::default);
        replace(&mut threshold.value, &settings.threshold_value);
        replace(&mut threshold.operator, &settings.threshold_operator);
    }
    let RuleSchedule { query, run_interval_minutes, lookback_window_minutes, .. } = &schedule;
    let required = [
        ("query", query.is_some()),
        ("run_interval_minutes", run_interval_minutes.is_some()),
        ("lookback_window_minutes", lookback_window_minutes.is_some()),
    ];
    if let Some((argument, _)) = required.iter().find(|(_, is_set)| !is_set) {
        return Err(argument_error(command, argument, "is missing; query_type scheduled requires it"));
    }
    if settings.query_lang.as_deref().is_some_and(|language| language != "2.0") {
        let message = "is 1.0; a rule with query_type scheduled requires 2.0";
        return Err(argument_error(command, "query_lang", message));
    }
    if is_new_type || rule.query_lang.as_ref().is_none_or(Value::is_null) {
        rule.query_lang = Some("2.0".into());
    }
    rule.scheduled_params = Some(schedule);
    Ok(())
}

/// Returns the scope that the arguments name; `None` without one.
pub(crate) fn named_scope(settings: &StarRuleSettings, command: &'static str) -> Result<Option<ScopeFilter>> {
    let mut scope = ScopeFilter::default();
    scope.site_ids = non_empty(&settings.site_ids);
    scope.group_ids = non_empty(&settings.group_ids);
    scope.account_ids = non_empty(&settings.account_ids);
    let is_tenant = settings.tenant == Some(true);
    match (is_tenant, scope != ScopeFilter::default()) {
        (false, false) => return Ok(None),
        (true, true) => {
            let message = "cannot be true together with site_ids, group_ids or account_ids";
            return Err(argument_error(command, "tenant", message));
        }
        _ => {}
    }
    scope.tenant = is_tenant.then_some(true);
    Ok(Some(scope))
}

/// Returns the error for a rule without a scope.
pub(crate) fn missing_scope(command: &'static str) -> crate::error::Error {
    let message = "or group_ids or account_ids is required, or tenant=true for the whole tenant";
    argument_error(command, "site_ids", message)
}

/// Returns whether a query type has one query in S1QL.
fn has_s1ql(query_type: &RuleQueryType) -> bool {
    matches!(query_type, RuleQueryType::Events | RuleQueryType::Processes)
}

/// Replaces a setting if the new value is set.
fn replace<T: Clone>(setting: &mut Option<T>, new: &Option<T>) {
    if new.is_some() {
        setting.clone_from(new);
    }
}

/// Returns the outcome of saving a rule, with the settings that the console stored differently. `rule_id` is the ID of an
/// existing rule; `name` that of the rule.
///
/// The result is unknown if the console does not return the rule, or does not report a requested setting.
pub(crate) fn saved_rule_outcome(
    client: &Client,
    saved: SavedRule<Value>,
    (rule_id, name): (Option<&str>, &str),
) -> Outcome {
    let (prefix, body) = (CreateStarRule::INFO.context, saved.response.json());
    let rules: Vec<Value> = match (body.get("data"), &saved.rule) {
        (Some(Value::Array(list)), None) => list.clone(),
        (_, rule) => Vec::from_iter(rule.clone()),
    };
    let ids: Vec<String> = match rule_id {
        Some(id) => saved.rule.iter().map(|_| id.to_owned()).collect(),
        None => rules.iter().filter_map(id_of).collect(),
    };
    let mut context = entries(CreateStarRule::OUTPUTS, prefix, client.api_version(), &rules);
    if let Some([object]) = context.as_array_mut().map(Vec::as_mut_slice) {
        context = object.take();
    }
    let mut outcome = Outcome::new(body, context_under(prefix, context));
    outcome.add_diagnostics(&saved.response);
    outcome.failure = saved.failure;
    if ids.is_empty() {
        let id = rule_id.unwrap_or(name).to_owned();
        outcome.results.push(without_detail(id, IdState::Unknown));
    } else {
        outcome.affected = Some(ids.len() as u64);
        outcome.results.extend(ids.into_iter().map(|id| result(id, &saved.comparison)));
    }
    outcome
}

fn result(id: String, comparison: &Comparison) -> IdOutcome {
    let Comparison { differences, unreported } = comparison;
    let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
    match (texts.is_empty(), unreported.is_empty()) {
        (true, true) => without_detail(id, IdState::Done),
        (false, _) => IdOutcome { detail: Some(texts.join("; ")), ..without_detail(id, IdState::Partial) },
        (true, false) => {
            let detail = format!("the console does not report {}", unreported.join(", "));
            IdOutcome { detail: Some(detail), ..without_detail(id, IdState::Unknown) }
        }
    }
}
