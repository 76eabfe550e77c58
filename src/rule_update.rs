//! Updates of STAR rules. `PUT` replaces a rule, so an update starts from the present settings and checks the result.

use std::fmt;

use sentinelone_raw::runtime::{
    DecodeError, FieldKind, Fields, Page, Request, RequestError, ResponseBody, Timestamp, UndecodedItem,
};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    self as raw, SavedStarRule, StarRule, StarRuleData, StarRuleFilter, StarRulesListQuery,
};
use serde_json::{Map, Value, json};

use crate::Result;
use crate::client::{Client, IS_LEGACY};
use crate::entry_id::id_of;
use crate::error::{Error, ErrorRepr};
use crate::response::Response;

/// Values of `isLegacy` for which a console returns different rules: scheduled rules are in the list for `false` only.
/// Consoles of 2024 do not have the parameter.
pub(crate) const LISTS: [Option<bool>; 2] = [None, Some(false)];

/// Returns the requests that search for a rule, in order: in the lists of the scope, then in those of the token.
pub(crate) fn lookups(
    rule_id: &str,
    scope: &StarRuleFilter,
) -> Result<Vec<Request<Page<StarRule>>>, RequestError> {
    let anywhere = StarRuleFilter::default();
    let scopes = if *scope == anywhere { vec![&anywhere] } else { vec![scope, &anywhere] };
    let mut requests = Vec::new();
    for scope in scopes {
        // The list with scheduled rules usually has the other rules, too.
        for is_legacy in LISTS.into_iter().rev() {
            let mut query = StarRulesListQuery::default().filter(scope.clone().ids([rule_id]));
            query.is_legacy = is_legacy;
            requests.push(raw::list(&query)?);
        }
    }
    Ok(requests)
}

/// A rule as the console lists it.
pub(crate) struct FoundRule {
    pub(crate) rule: StarRule,
    /// The rule with all members.
    pub(crate) json: Value,
}

/// Sends the [`lookups`] of a rule and returns the rule with this ID; `None` if no list has it.
///
/// # Errors
/// Returns an error if a setting of the rule does not decode, because an update would lose it.
pub(crate) async fn find(
    client: &Client,
    rule_id: &str,
    lookups: Vec<Request<Page<StarRule>>>,
) -> Result<Option<FoundRule>> {
    for request in lookups {
        let Some(page) = send_lookup(client, &request).await? else { continue };
        let body = page.json();
        let items = body.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let Some(item) = items.iter().find(|item| has_id(item, rule_id)) else { continue };
        let unread = page.undecoded.iter().find(|one| has_id(&one.value, rule_id));
        let rule = page.data.iter().find(|rule| rule.id.as_deref() == Some(rule_id));
        let source = match (unread.map(UndecodedItem::error_with_page_path), rule) {
            (None, Some(rule)) => match unread_setting(rule, item) {
                None => return Ok(Some(FoundRule { rule: rule.clone(), json: item.clone() })),
                Some(name) => {
                    invalid(&format!("data[].{name}"), "has a type that the specification does not declare")
                }
            },
            (Some(error), _) => error,
            (None, None) => invalid("data[].id", "does not decode"),
        };
        let repr = ErrorRepr::Decode { status: page.status(), source, body: page.body().clone() };
        return Err(client.redact_error(Error::for_operation(page.operation(), repr), &request));
    }
    Ok(None)
}

/// Returns the response of a search; `None` if the console rejects `isLegacy`. The other searches do not send it.
async fn send_lookup(
    client: &Client,
    request: &Request<Page<StarRule>>,
) -> Result<Option<Response<Page<StarRule>>>> {
    let sends_parameter = request.query().iter().any(|(name, _)| name == IS_LEGACY);
    match client.send(request).await {
        Err(error) if sends_parameter && rejects_is_legacy(&error) => Ok(None),
        response => response.map(Some),
    }
}

/// Returns whether the console does not have the parameter `isLegacy`, and thus has one list only.
pub(crate) fn rejects_is_legacy(error: &Error) -> bool {
    let names_parameter = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(IS_LEGACY));
    let mut errors = error.api_errors().iter();
    error.status().is_some_and(|status| status == 400)
        && errors.any(|error| names_parameter(&error.detail) || names_parameter(&error.title))
}

fn has_id(rule: &Value, rule_id: &str) -> bool {
    id_of(rule).is_some_and(|id| id == rule_id)
}

fn invalid(path: &str, message: &str) -> DecodeError {
    DecodeError { path: path.to_owned(), message: message.to_owned() }
}

/// Returns the settings of a rule as JSON. A required setting that the rule lacks is an empty string.
fn settings_json(rule: &StarRule) -> Value {
    let mut rule = rule.clone();
    rule.name.get_or_insert_default();
    rule.expiration_mode.get_or_insert_with(|| "".into());
    rule.query_type.get_or_insert_with(|| "".into());
    rule.severity.get_or_insert_with(|| "".into());
    rule.status.get_or_insert_with(|| "".into());
    settings_of(&rule).ok().and_then(|settings| serde_json::to_value(settings).ok()).unwrap_or_default()
}

/// Returns the name of a setting that the console reports and the decoded rule does not have.
fn unread_setting(rule: &StarRule, item: &Value) -> Option<&'static str> {
    let settings = settings_json(rule);
    let is_unread =
        |name: &&str| settings.get(name).is_none() && item.get(name).is_some_and(|value| !is_unset(value));
    StarRuleData::FIELDS.iter().map(|field| field.name).find(is_unread)
}

/// Returns the error for a rule that [`find`] does not return.
pub(crate) fn not_found(rule_id: &str) -> Error {
    let message = format!("STAR rule {rule_id} was not found, neither with isLegacy=false nor without it");
    let help = "check the ID, and that the token reaches the scope of the rule";
    Error::no_result(&raw::LIST, message, help)
}

/// Returns the settings of a rule, as the operations that save a rule take them. Null and undeclared members are left
/// out, because the console rejects them.
///
/// # Errors
/// Returns an error if the rule lacks a required setting.
pub(crate) fn settings_of(rule: &StarRule) -> Result<StarRuleData, RequestError> {
    let missing = |name: &str| RequestError::missing(&raw::UPDATE, &format!("data.{name}"));
    let StarRule { name, severity, status, .. } = rule.clone();
    let mut data = StarRuleData::new(
        rule.expiration_mode.clone().ok_or_else(|| missing("expirationMode"))?,
        name.ok_or_else(|| missing("name"))?,
        rule.query_type.clone().ok_or_else(|| missing("queryType"))?,
        severity.ok_or_else(|| missing("severity"))?,
        status.ok_or_else(|| missing("status"))?,
    );
    data.advanced_detection_params = rule.advanced_detection_params.clone();
    data.cool_off_settings = rule.cool_off_settings.clone();
    data.correlation_params = rule.correlation_params.clone();
    data.description = rule.description.clone();
    data.expiration = rule.expiration.clone();
    data.id = rule.id.clone();
    data.network_quarantine = rule.network_quarantine;
    let language = rule.query_lang.as_ref().filter(|language| !is_unset(language));
    data.query_lang =
        language.map(|language| language_text(language).map_or_else(|| language.clone(), Value::String));
    data.s1ql = rule.s1ql.clone();
    data.scheduled_params = rule.scheduled_params.clone();
    data.template_rule_id = rule.template_rule_id.clone();
    data.treat_as_threat = rule.treat_as_threat.clone();
    Ok(data)
}

/// Returns an update of a rule with the members inside of its settings that the specification does not declare. A setting of a newer
/// console would be lost without them, because `PUT` replaces the rule.
///
/// Members next to the settings are not added: most of them describe the rule, and the console rejects those.
pub(crate) fn with_undeclared_members<T>(request: Request<T>, rule: &StarRule, stored: &Value) -> Request<T> {
    let declared = settings_json(rule);
    let settings = declared.as_object().into_iter().flatten().filter(|(name, _)| *name != "queryLang");
    let stored = settings.filter_map(|(name, _)| Some((name.clone(), stored.get(name)?.clone())));
    let stored: Map<String, Value> = stored.collect();
    request.with_undeclared_members(&json!({ "data": declared }), &json!({ "data": stored }))
}

/// Returns the language of a rule as a string, which the console accepts; `None` for another value. Consoles also send
/// numbers, and the document of 2024 has the object `{"query_syntax": "2.0"}`.
fn language_text(language: &Value) -> Option<String> {
    match language {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) if number.is_u64() => Some(format!("{number}.0")),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(members) => members.get("query_syntax").and_then(language_text),
        _ => None,
    }
}

/// Returns the scope of a rule; `None` if the rule does not report it.
pub(crate) fn scope_of(rule: &StarRule) -> Option<ScopeFilter> {
    let level = rule.scope.as_ref()?.as_str().to_ascii_lowercase();
    let ids = rule.scope_id.clone().filter(|ids| !ids.is_empty());
    let scope = ScopeFilter::default();
    match (level.as_str(), ids) {
        ("global" | "tenant", _) => Some(scope.tenant(true)),
        ("account", Some(ids)) => Some(scope.account_ids(ids)),
        ("site", Some(ids)) => Some(scope.site_ids(ids)),
        ("group", Some(ids)) => Some(scope.group_ids(ids)),
        _ => None,
    }
}

/// A setting that the console stored with another value than the requested one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SettingDifference {
    /// Wire name of the setting, such as `queryLang` or `scheduledParams.query`.
    pub setting: String,
    /// Requested value.
    pub requested: Value,
    /// Stored value.
    pub stored: Value,
}

impl fmt::Display for SettingDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        write!(f, "{} is {}, not {}", self.setting, text(&self.stored), text(&self.requested))
    }
}

/// Comparison of the requested settings of a rule with the stored ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) differences: Vec<SettingDifference>,
    /// Requested settings that the stored rule does not report.
    pub(crate) unreported: Vec<String>,
}

/// Compares the settings in the body of a request with a rule that the console returned.
pub(crate) fn compare<T>(request: &Request<T>, stored: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.add("", settings_in(request), stored);
    comparison
}

/// Returns the settings in the body of a request.
fn settings_in<T>(request: &Request<T>) -> Option<&Map<String, Value>> {
    request.body()?.get("data")?.as_object()
}

impl Comparison {
    fn add(&mut self, prefix: &str, requested: Option<&Map<String, Value>>, stored: &Value) {
        for (name, requested) in requested.into_iter().flatten() {
            let setting = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match (requested, stored.get(name)) {
                (requested, None | Some(Value::Null)) if is_unset(requested) => {}
                (_, None) => self.unreported.push(setting),
                (Value::Object(members), Some(stored @ Value::Object(_))) => {
                    self.add(&setting, Some(members), stored)
                }
                (Value::Array(items), Some(Value::Array(stored))) if items.len() == stored.len() => {
                    for (index, (item, stored)) in items.iter().zip(stored).enumerate() {
                        match item {
                            Value::Object(members) => {
                                self.add(&format!("{setting}[{index}]"), Some(members), stored)
                            }
                            item if is_equal(&setting, item, stored) => {}
                            item => self.differ(format!("{setting}[{index}]"), item, stored),
                        }
                    }
                }
                (requested, Some(stored)) if is_equal(&setting, requested, stored) => {}
                (requested, Some(stored)) => self.differ(setting, requested, stored),
            }
        }
    }

    fn differ(&mut self, setting: String, requested: &Value, stored: &Value) {
        self.differences.push(SettingDifference {
            setting,
            requested: requested.clone(),
            stored: stored.clone(),
        });
    }

    /// Adds what another form of the rule reports: about each setting if `is_current`, otherwise about those that this
    /// form does not report.
    fn complete(&mut self, other: Self, is_current: bool) {
        let missing = std::mem::take(&mut self.unreported);
        let is_missing = |setting: &str| {
            let mut rests = missing.iter().filter_map(|one| setting.strip_prefix(one.as_str()));
            rests.any(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        for one in other.differences {
            let is_known = self.differences.iter().any(|known| known.setting == one.setting);
            if !is_known && (is_current || is_missing(&one.setting)) {
                self.differences.push(one);
            }
        }
        self.unreported = other.unreported.into_iter().filter(|one| is_missing(one)).collect();
    }
}

/// Returns whether a value is the one that a console stores as null.
fn is_unset(requested: &Value) -> bool {
    match requested {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty() || text.eq_ignore_ascii_case("undefined"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Returns whether a stored value has the meaning of the requested one. Consoles write some enum values in lower case,
/// numbers as strings, and times with more digits; a status changes from `Activating` to `Active`.
fn is_equal(setting: &str, requested: &Value, stored: &Value) -> bool {
    let field = StarRuleData::FIELDS.iter().find(|field| field.name == setting);
    if let ("queryLang", Some(requested), Some(stored)) =
        (setting, language_text(requested), language_text(stored))
    {
        return requested == stored;
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let (requested, stored) = (text(requested), text(stored));
    if field.is_some_and(|field| field.kind == FieldKind::Timestamp) {
        let millis = |text: &str| Timestamp::from(text).unix_millis();
        return requested == stored
            || (millis(&requested).is_some() && millis(&requested) == millis(&stored));
    }
    if field.is_none_or(|field| field.enum_values.is_empty()) {
        return requested == stored;
    }
    let settled = |text: String| match text.to_ascii_lowercase().as_str() {
        "activating" => "active".to_owned(),
        "disabling" => "disabled".to_owned(),
        other => other.to_owned(),
    };
    settled(requested) == settled(stored)
}

/// The result of saving a rule.
pub(crate) struct SavedRule<T> {
    pub(crate) response: Response<T>,
    /// The rule in the response, or else in the list. `None` if neither has it.
    #[cfg_attr(
        not(feature = "commands"),
        expect(dead_code, reason = "commands convert it to context paths")
    )]
    pub(crate) rule: Option<Value>,
    pub(crate) comparison: Comparison,
    /// Error of reading the rule, after the action took effect.
    pub(crate) failure: Option<Error>,
}

/// Saves a new rule and compares it with the request. If the response does not report all settings for which
/// `is_checked` returns true, the rule is read.
#[cfg(feature = "commands")]
pub(crate) async fn create<T: ResponseBody>(
    client: &Client,
    request: &Request<T>,
    is_checked: impl Fn(&str) -> bool,
) -> Result<SavedRule<T>> {
    let response = client.send(request).await?;
    let (rule, mut comparison, mut failure) = (rule_in(&response.json(), None), Comparison::default(), None);
    if let Some(rule) = &rule {
        comparison = compare(request, rule);
        comparison.unreported.retain(|setting| is_checked(setting));
    }
    let id = rule.as_ref().and_then(id_of);
    if let Some(id) = id.filter(|_| !comparison.unreported.is_empty()) {
        match read_back(client, &id).await {
            Ok(Some(rule)) => comparison.complete(compare(request, &rule), false),
            Ok(None) => {}
            Err(error) => failure = Some(error),
        }
    }
    Ok(SavedRule { response, rule, comparison, failure })
}

/// Replaces a rule, reads it again, and compares it with the request. `before` is the rule as it was listed before.
///
/// A list in which all settings and the time of the last change are as before may be out of date: then it decides only
/// about settings that the response does not report.
pub(crate) async fn update<T: ResponseBody>(
    client: &Client,
    request: &Request<T>,
    (rule_id, before): (&str, &Value),
) -> Result<SavedRule<T>> {
    let response = client.send(request).await?;
    let reported = rule_in(&response.json(), Some(rule_id));
    let mut comparison = compare(request, reported.as_ref().unwrap_or(&Value::Null));
    let (listed, failure) = match read_back(client, rule_id).await {
        Ok(listed) => (listed, None),
        // The response has confirmed, or contradicted, each setting.
        Err(_) if comparison.unreported.is_empty() => (None, None),
        Err(error) => (None, Some(error)),
    };
    if let Some(listed) = &listed {
        let names = settings_in(request).into_iter().flat_map(Map::keys).map(String::as_str);
        let is_current = names.chain(["updatedAt"]).any(|name| listed.get(name) != before.get(name));
        comparison.complete(compare(request, listed), is_current);
    }
    Ok(SavedRule { response, rule: reported.or(listed), comparison, failure })
}

/// Returns the rule in the response of an action that saves one; with `rule_id`, only that rule.
fn rule_in(body: &Value, rule_id: Option<&str>) -> Option<Value> {
    let data = match body.get("data") {
        Some(Value::Array(items)) if items.len() == 1 => items.first(),
        data => data,
    };
    let is_rule = |rule: &&Value| match rule_id {
        Some(id) => has_id(rule, id),
        None => rule.get("id").is_some(),
    };
    data.filter(is_rule).cloned()
}

/// Returns the rule as the console reports it, with all members.
async fn read_back(client: &Client, rule_id: &str) -> Result<Option<Value>> {
    for request in lookups(rule_id, &StarRuleFilter::default())? {
        let Some(page) = send_lookup(client, &request).await? else { continue };
        let page = page.json();
        let items = page.get("data").and_then(Value::as_array);
        let rule = items.into_iter().flatten().find(|rule| has_id(rule, rule_id));
        if let Some(rule) = rule {
            return Ok(Some(rule.clone()));
        }
    }
    Ok(None)
}

/// The result of [`StarRules::change`](crate::resources::star_rules::StarRules::change).
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "it states which settings the console stored differently"]
pub struct ChangedStarRule {
    /// The rule in the response of the update.
    pub rule: SavedStarRule,
    /// Settings that the console stored with another value than the requested one.
    pub differences: Vec<SettingDifference>,
    /// Wire names of the requested settings that the console does not report.
    pub unreported: Vec<String>,
}

impl ChangedStarRule {
    pub(crate) fn new(rule: SavedStarRule, comparison: Comparison) -> Self {
        let Comparison { differences, unreported } = comparison;
        Self { rule, differences, unreported }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sentinelone_raw::runtime::{Field, FieldKind, Fields};
    use sentinelone_raw::star_rules::{StarRule, StarRuleData};
    use serde_json::{Map, Value, json};

    use super::settings_of;

    #[test]
    fn settings_of_has_each_declared_setting() {
        let value = |field: &Field| match field.kind {
            _ if field.name == "queryLang" => json!("2.0"),
            FieldKind::Boolean => json!(true),
            FieldKind::Object => json!({}),
            FieldKind::Timestamp => json!("2026-11-21T08:30:00Z"),
            _ => json!("1"),
        };
        let members = StarRuleData::FIELDS.iter().map(|field| (field.name.to_owned(), value(field)));
        let rule = Value::Object(members.collect::<Map<_, _>>());
        let rule: StarRule = serde_json::from_value(rule).unwrap();
        let settings = serde_json::to_value(settings_of(&rule).unwrap()).unwrap();
        for field in StarRuleData::FIELDS {
            assert!(settings.get(field.name).is_some(), "{} would be lost", field.name);
        }
    }
}
