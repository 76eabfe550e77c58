//! Settings of a STAR rule, shared by the commands that save one.

use sentinelone_raw::runtime::{OpenEnum, Timestamp};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    ExpirationMode, RuleCoolOff, RuleQueryType, RuleSchedule, RuleThreshold, Severity, StarRule,
    ThresholdOperator, TreatAsThreat,
};
use serde_json::Value;

use super::batch_action::without_detail;
use super::batched_lists::non_empty;
use super::context_path::{ContextPath, context_under};
use super::list_pages::entries;
use crate::Result;
use crate::client::Client;
use crate::commands::arguments::argument_error;
use crate::commands::{Argument, ArgumentError, ArgumentKind, Arguments, Outcome};
use crate::entry_id::id_of;
use crate::outcome::{IdOutcome, IdState};
use crate::rule_update::{Comparison, SavedRule};

/// Settings of a STAR rule. A new rule requires those without a default; an update keeps each setting of the rule that
/// is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StarRuleSettings {
    /// Name.
    pub name: Option<String>,
    /// Severity of the alerts of the rule.
    pub severity: Option<Severity>,
    /// Whether the rule expires.
    pub expiration_mode: Option<ExpirationMode>,
    /// Type of the query.
    pub query_type: Option<RuleQueryType>,
    /// The query: a PowerQuery for the type `scheduled`, otherwise S1QL.
    pub query: Option<String>,
    /// Version of the query language: `1.0` or `2.0`. The console stores 1.0 if a request has none. Default for a
    /// scheduled rule: `2.0`, which the console requires.
    pub query_lang: Option<String>,
    /// Description, up to 2,000 characters; older consoles accept 250.
    pub description: Option<String>,
    /// Expiration time. Required for a temporary rule, not allowed for a permanent one.
    pub expiration_date: Option<Timestamp>,
    /// Interval between two runs of a scheduled rule, in minutes, 1 to 43,200.
    pub run_interval_minutes: Option<i64>,
    /// Period before each run that a scheduled rule searches, in minutes, 1 to 43,200.
    pub lookback_window_minutes: Option<i64>,
    /// Number of result rows with which a scheduled rule compares the result. Default of the console: 0.
    pub threshold_value: Option<i64>,
    /// Comparison of the number of rows with the threshold. Default of the console: `Greater`.
    pub threshold_operator: Option<ThresholdOperator>,
    /// Period without further alerts after an alert, in minutes, 1 to 1,440.
    pub cool_off_minutes: Option<i64>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Group IDs.
    pub group_ids: Vec<String>,
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Whether the rule applies to the whole tenant instead of sites, groups or accounts. A new rule requires one of
    /// these scopes, so that an omitted argument does not widen the scope.
    pub tenant: bool,
    /// Whether the rule disconnects matching endpoints from the network.
    pub network_quarantine: Option<bool>,
    /// How matches are treated: as malicious or suspicious threats, or not as threats (`UNDEFINED`).
    pub treat_as_threat: Option<TreatAsThreat>,
}

pub(crate) const PREFIX: &str = "SentinelOne.StarRule";

/// Context paths of a saved rule.
pub(crate) const RULE_OUTPUTS: &[ContextPath] = &[
    ContextPath::field("SentinelOne.StarRule.ID", "String", "ID of the rule", "id"),
    ContextPath::field("SentinelOne.StarRule.Name", "String", "Name", "name"),
    ContextPath::field("SentinelOne.StarRule.Status", "String", "Status, such as Draft", "status"),
    ContextPath::field("SentinelOne.StarRule.Severity", "String", "Severity of the alerts", "severity"),
    ContextPath::field("SentinelOne.StarRule.Description", "String", "Description", "description")
        .no_column(),
    ContextPath::field(
        "SentinelOne.StarRule.NetworkQuarantine",
        "Boolean",
        "Whether the rule disconnects endpoints from the network",
        "networkQuarantine",
    ),
    ContextPath::field(
        "SentinelOne.StarRule.TreatAsThreat",
        "String",
        "How matches are treated: Malicious, Suspicious or UNDEFINED",
        "treatAsThreat",
    ),
    ContextPath::field(
        "SentinelOne.StarRule.ExpirationMode",
        "String",
        "Permanent or Temporary",
        "expirationMode",
    ),
    ContextPath::field("SentinelOne.StarRule.ExpirationDate", "String", "Expiration time", "expiration")
        .no_column(),
    ContextPath::field("SentinelOne.StarRule.ScopeHierarchy", "String", "Scope level", "scope"),
    ContextPath::field("SentinelOne.StarRule.CreatedAt", "String", "Creation time", "createdAt").no_column(),
    ContextPath::field("SentinelOne.StarRule.UpdatedAt", "String", "Time of the last change", "updatedAt")
        .no_column(),
];

const SEVERITIES: &[&str] = &["Low", "Medium", "High", "Critical"];
const MODES: &[&str] = &["Permanent", "Temporary"];
/// Query types with one query, which an argument can set.
const QUERY_TYPES: &[&str] = &["events", "processes", "scheduled"];
const LANGUAGES: &[&str] = &["1.0", "2.0"];
const TREATMENTS: &[&str] = &["Malicious", "Suspicious", "UNDEFINED"];

impl StarRuleSettings {
    /// Returns the arguments. Those that a new rule requires are optional unless `is_new`.
    pub(crate) fn arguments(is_new: bool) -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String, Time};
        let required = |argument: Argument| if is_new { argument.required() } else { argument };
        let account_ids = if is_new {
            "Account IDs. A scope is required: sites, groups, accounts, or tenant=true."
        } else {
            "Account IDs. Default of the scope: the scope of the rule."
        };
        vec![
            required(Argument::new("name", String, "Name of the rule.")),
            required(Argument::new("rule_severity", String, "Severity of the alerts.").values(SEVERITIES)),
            required(Argument::new("expiration_mode", String, "Whether the rule expires.").values(MODES)),
            required(Argument::new("query_type", String, "Type of the query.").values(QUERY_TYPES)),
            required(Argument::new("query", String, "Query: a PowerQuery for query_type scheduled, else S1QL.")),
            Argument::new(
                "query_lang",
                String,
                "Version of the query language. An update keeps that of the rule. Without it, the console stores \
                 1.0 for a new rule, and a query in 2.0 then matches nothing. Default for a new rule with \
                 query_type scheduled: 2.0.",
            )
            .values(LANGUAGES),
            Argument::new(
                "description",
                String,
                "Description, up to 2000 characters; older consoles accept 250.",
            ),
            Argument::new("expiration_date", Time, "Expiration time of a temporary rule, in the future."),
            Argument::new(
                "run_interval_minutes",
                Integer,
                "Interval between two runs of a scheduled rule, in minutes, 1 to 43200.",
            ),
            Argument::new(
                "lookback_window_minutes",
                Integer,
                "Period before each run that a scheduled rule searches, in minutes, 1 to 43200.",
            ),
            Argument::new(
                "threshold_value",
                Integer,
                "Number of result rows that a scheduled rule compares with threshold_operator; 0 if not set.",
            ),
            Argument::new(
                "threshold_operator",
                String,
                "Comparison that raises an alert of a scheduled rule; Greater if not set.",
            )
            .values(ThresholdOperator::VALUES),
            Argument::new(
                "cool_off_minutes",
                Integer,
                "Period without further alerts after an alert, in minutes, 1 to 1440.",
            ),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new("group_ids", List, "Group IDs."),
            Argument::new("account_ids", List, account_ids),
            Argument::new("tenant", Boolean, "Whether the rule applies to the whole tenant."),
            required(
                Argument::new(
                    "network_quarantine",
                    Boolean,
                    "Whether the rule disconnects matching endpoints from the network.",
                )
                .values(&["true", "false"]),
            ),
            required(Argument::new("treatAsThreat", String, "How to treat matches.").values(TREATMENTS)),
        ]
    }

    /// Parses the arguments. Missing ones that a new rule requires are an error if `is_new`.
    pub(crate) fn from_arguments(arguments: &mut Arguments, is_new: bool) -> Result<Self, ArgumentError> {
        let minutes = |arguments: &mut Arguments, name: &str, max: i64| {
            let minutes = arguments.integer(name)?;
            match minutes.filter(|minutes| !(1..=max).contains(minutes)) {
                Some(minutes) => Err(arguments.error(name, format!("is {minutes}; expected 1 to {max}"))),
                None => Ok(minutes),
            }
        };
        let threshold_value = arguments.integer("threshold_value")?;
        if let Some(value) = threshold_value.filter(|value| *value < 0) {
            return Err(arguments.error("threshold_value", format!("is {value}; expected at least 0")));
        }
        let settings = Self {
            name: arguments.string("name")?,
            severity: arguments.choice_ignore_case("rule_severity", SEVERITIES)?,
            expiration_mode: arguments.choice_ignore_case("expiration_mode", MODES)?,
            query_type: arguments.choice_ignore_case("query_type", QUERY_TYPES)?,
            query: arguments.string("query")?,
            query_lang: language(arguments)?,
            description: arguments.string("description")?,
            expiration_date: arguments.future_time("expiration_date")?,
            run_interval_minutes: minutes(arguments, "run_interval_minutes", 43_200)?,
            lookback_window_minutes: minutes(arguments, "lookback_window_minutes", 43_200)?,
            threshold_value,
            threshold_operator: arguments
                .choice_ignore_case("threshold_operator", ThresholdOperator::VALUES)?,
            cool_off_minutes: minutes(arguments, "cool_off_minutes", 1_440)?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            tenant: arguments.boolean("tenant")?.unwrap_or(false),
            network_quarantine: arguments.boolean("network_quarantine")?,
            treat_as_threat: arguments.choice_ignore_case("treatAsThreat", TREATMENTS)?,
        };
        let required: [(&str, bool, &[&str]); 7] = [
            ("name", settings.name.is_some(), &[]),
            ("rule_severity", settings.severity.is_some(), SEVERITIES),
            ("expiration_mode", settings.expiration_mode.is_some(), MODES),
            ("query_type", settings.query_type.is_some(), QUERY_TYPES),
            ("query", settings.query.is_some(), &[]),
            ("network_quarantine", settings.network_quarantine.is_some(), &["true", "false"]),
            ("treatAsThreat", settings.treat_as_threat.is_some(), TREATMENTS),
        ];
        match required.into_iter().find(|(_, is_set, _)| is_new && !is_set) {
            None => Ok(settings),
            Some((name, _, [])) => Err(arguments.error(name, "is missing")),
            Some((name, _, values)) => {
                Err(arguments.error(name, format!("is missing; expected one of {}", values.join(", "))))
            }
        }
    }

    /// Rejects settings that contradict each other in any rule.
    pub(crate) fn check(&self, command: &'static str) -> Result<()> {
        if self.expiration_mode == Some(ExpirationMode::Permanent) && self.expiration_date.is_some() {
            let message = "requires expiration_mode Temporary; expiration_mode is Permanent";
            return Err(argument_error(command, "expiration_date", message));
        }
        if let Some(query_type) = self.query_type.as_ref().filter(|one| **one != RuleQueryType::Scheduled) {
            self.check_schedule(command, query_type.as_str())?;
        }
        Ok(())
    }

    /// Rejects the settings of a schedule, for a rule of another type.
    fn check_schedule(&self, command: &'static str, query_type: &str) -> Result<()> {
        let schedule = [
            ("run_interval_minutes", self.run_interval_minutes.is_some()),
            ("lookback_window_minutes", self.lookback_window_minutes.is_some()),
            ("threshold_value", self.threshold_value.is_some()),
            ("threshold_operator", self.threshold_operator.is_some()),
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
    pub(crate) fn apply_to(&self, command: &'static str, rule: &mut StarRule) -> Result<()> {
        let previous_type = rule.query_type.clone();
        replace(&mut rule.name, &self.name);
        replace(&mut rule.severity, &self.severity);
        replace(&mut rule.query_type, &self.query_type);
        replace(&mut rule.description, &self.description);
        replace(&mut rule.network_quarantine, &self.network_quarantine);
        replace(&mut rule.treat_as_threat, &self.treat_as_threat);
        replace(&mut rule.query_lang, &self.query_lang.clone().map(Value::String));
        self.apply_expiration(command, rule)?;
        self.apply_query(command, rule, previous_type.as_ref())?;
        if let Some(minutes) = self.cool_off_minutes {
            rule.cool_off_settings = Some(RuleCoolOff::default().renotify_minutes(minutes));
        }
        Ok(())
    }

    fn apply_expiration(&self, command: &'static str, rule: &mut StarRule) -> Result<()> {
        replace(&mut rule.expiration_mode, &self.expiration_mode);
        replace(&mut rule.expiration, &self.expiration_date);
        let date_error = |message| Err(argument_error(command, "expiration_date", message));
        match (&rule.expiration_mode, &rule.expiration) {
            (Some(ExpirationMode::Temporary), None) => date_error("is missing; a temporary rule requires it"),
            (Some(ExpirationMode::Permanent), Some(_)) if self.expiration_date.is_some() => {
                date_error("requires expiration_mode Temporary; expiration_mode is Permanent")
            }
            (Some(ExpirationMode::Permanent), Some(_)) if self.expiration_mode.is_some() => {
                // The rule was temporary.
                rule.expiration = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Sets the query at the place that the query type has for it.
    fn apply_query(
        &self,
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
        if changes_place && self.query.is_none() {
            let message = format!("is missing; the rule has no query for query_type {type_name}");
            return Err(argument_error(command, "query", message));
        }
        if changes_place {
            // The other query types do not have these settings.
            (rule.s1ql, rule.scheduled_params) = (None, None);
            (rule.correlation_params, rule.advanced_detection_params) = (None, None);
        }
        if !is_scheduled {
            self.check_schedule(command, &type_name)?;
        }
        if is_scheduled {
            return self.apply_schedule(command, rule, changes_place);
        }
        match (&self.query, query_type.as_ref().is_some_and(has_s1ql)) {
            (Some(query), true) => rule.s1ql = Some(query.clone()),
            (Some(_), false) => {
                let message = format!("cannot be set for a rule with query_type {type_name}");
                return Err(argument_error(command, "query", message));
            }
            (None, _) => {}
        }
        Ok(())
    }

    fn apply_schedule(&self, command: &'static str, rule: &mut StarRule, is_new_type: bool) -> Result<()> {
        let mut schedule = rule.scheduled_params.take().unwrap_or_default();
        replace(&mut schedule.query, &self.query);
        replace(&mut schedule.run_interval_minutes, &self.run_interval_minutes);
        replace(&mut schedule.lookback_window_minutes, &self.lookback_window_minutes);
        if self.threshold_value.is_some() || self.threshold_operator.is_some() {
            let threshold = schedule.threshold.get_or_insert_with(RuleThreshold::default);
            replace(&mut threshold.value, &self.threshold_value);
            replace(&mut threshold.operator, &self.threshold_operator);
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
        if self.query_lang.as_deref().is_some_and(|language| language != "2.0") {
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
    pub(crate) fn named_scope(&self, command: &'static str) -> Result<Option<ScopeFilter>> {
        let (sites, groups, accounts) =
            (non_empty(&self.site_ids), non_empty(&self.group_ids), non_empty(&self.account_ids));
        match (self.tenant, sites.is_some() || groups.is_some() || accounts.is_some()) {
            (false, false) => return Ok(None),
            (true, true) => {
                let message = "cannot be true together with site_ids, group_ids or account_ids";
                return Err(argument_error(command, "tenant", message));
            }
            _ => {}
        }
        let tenant = self.tenant.then_some(true);
        Ok(Some(ScopeFilter { account_ids: accounts, group_ids: groups, site_ids: sites, tenant }))
    }
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

fn language(arguments: &mut Arguments) -> Result<Option<String>, ArgumentError> {
    let Some(language) = arguments.string("query_lang")? else { return Ok(None) };
    let language = language.trim().to_owned();
    arguments.check_value("query_lang", &language, LANGUAGES)?;
    Ok(Some(language))
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
    let body = saved.response.json();
    let rules: Vec<Value> = match (body.get("data"), &saved.rule) {
        (Some(Value::Array(list)), None) => list.clone(),
        (_, rule) => Vec::from_iter(rule.clone()),
    };
    let ids: Vec<String> = match rule_id {
        Some(id) => saved.rule.iter().map(|_| id.to_owned()).collect(),
        None => rules.iter().filter_map(id_of).collect(),
    };
    let mut context = entries(RULE_OUTPUTS, PREFIX, client.api_version(), &rules);
    if let Some([object]) = context.as_array_mut().map(Vec::as_mut_slice) {
        context = object.take();
    }
    let mut outcome = Outcome::new(body, context_under(PREFIX, context));
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
