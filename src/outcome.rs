//! What is known about each thing that an action was asked for.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde_json::Value;

/// What is known about one of the identifiers that an action was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdOutcome {
    /// The identifier.
    pub id: String,
    /// What is known.
    pub state: IdState,
    /// The console's own word for it, such as `already_set`; absent when it gave none.
    pub detail: Option<String>,
}

/// Whether an action was applied to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdState {
    /// The action was applied.
    Done,
    /// The thing is in the wanted state already.
    AlreadySet,
    /// Part of what was asked for was applied, and part was not.
    Partly,
    /// The action was not applied: the thing is unknown, out of scope, or does not allow it.
    NotAffected,
    /// The console did not say enough to know.
    Unknown,
}

impl IdState {
    /// `done`, `already_set`, `partly`, `not_affected` or `unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadySet => "already_set",
            Self::Partly => "partly",
            Self::NotAffected => "not_affected",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the thing is now as it was asked for.
    pub const fn is_fulfilled(self) -> bool {
        matches!(self, Self::Done | Self::AlreadySet)
    }
}

impl fmt::Display for IdState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an answer to an action says of each identifier that was asked for; of those that the console
/// mentions where none was.
///
/// The console's word on one comes first. A mention without a word counts as done as far as the count of
/// affected things goes. Without any details the count decides: if it covers all that were asked for, they
/// are done, and if it is zero, none is. In every other case nobody knows.
pub(crate) fn outcomes(asked: &[String], answer: &Value) -> Vec<IdOutcome> {
    let affected = answer.pointer("/data/affected").and_then(Value::as_u64);
    let details = answer.pointer("/data/details").and_then(Value::as_array);
    let mut said = BTreeMap::new();
    let mut mentioned = Vec::new();
    for detail in details.into_iter().flatten() {
        if let Some(id) = detail.get("threatId").and_then(Value::as_str) {
            said.insert(id, word(detail));
            mentioned.push(id.to_owned());
        }
    }
    let ids = if asked.is_empty() { &mentioned } else { asked };
    let mut seen = HashSet::new();
    let mut outcomes: Vec<IdOutcome> = Vec::new();
    for id in ids.iter().filter(|id| seen.insert(*id)) {
        let (state, detail) = match said.get(id.as_str()) {
            Some(Some((state, word))) => (*state, Some(word.clone())),
            _ => (IdState::Unknown, None),
        };
        outcomes.push(IdOutcome { id: id.clone(), state, detail });
    }
    let told = outcomes.iter().filter(|one| matches!(one.state, IdState::Done | IdState::Partly)).count();
    let left = affected.map(|affected| affected.saturating_sub(told as u64));
    let silent = |one: &IdOutcome| one.detail.is_none();
    let mentions =
        outcomes.iter().filter(|one| silent(one) && said.contains_key(one.id.as_str())).count() as u64;
    let count = outcomes.iter().filter(|one| silent(one)).count() as u64;
    for one in outcomes.iter_mut().filter(|one| silent(one)) {
        let is_mentioned = said.contains_key(one.id.as_str());
        one.state = match left {
            Some(0) => IdState::NotAffected,
            Some(left) if is_mentioned && left >= mentions => IdState::Done,
            Some(left) if !is_mentioned && mentions > 0 && left == mentions => IdState::NotAffected,
            // With details, a thing that they leave out is not counted among the rest by guesswork.
            Some(left) if said.is_empty() && left >= count => IdState::Done,
            _ => IdState::Unknown,
        };
    }
    outcomes
}

/// What the console says of one thing; `None` for a bare mention.
fn word(detail: &Value) -> Option<(IdState, String)> {
    let list = |name: &str| detail.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut words: Vec<String> =
        ["result", "analystVerdict"].iter().filter_map(|name| text(detail, name)).collect();
    // Nothing was asked of a part that is not changed, if another part says more.
    if words.iter().any(|word| word != "not_changed") {
        words.retain(|word| word != "not_changed");
    }
    let skipped = list("skipped").iter().map(|skip| text(skip, "reason").unwrap_or_else(|| "skipped".into()));
    words.extend(skipped);
    words.dedup();
    let refused = words.iter().any(|word| !matches!(word.as_str(), "updated" | "already_set"));
    let changed = words.iter().any(|word| word == "updated") || !list("reports").is_empty();
    let state = match (changed, refused) {
        (true, true) => IdState::Partly,
        (true, false) => IdState::Done,
        (false, true) => IdState::NotAffected,
        (false, false) => IdState::AlreadySet,
    };
    (!words.is_empty()).then(|| (state, words.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The states of the identifiers a, b and c.
    fn states(affected: Value, details: Value) -> Vec<&'static str> {
        let ids = ["a", "b", "c", "a"].map(str::to_owned);
        let answer = json!({ "data": { "affected": affected, "details": details } });
        outcomes(&ids, &answer).iter().map(|one| one.state.as_str()).collect()
    }

    #[test]
    fn a_count_alone_tells_all_or_nothing() {
        assert_eq!(states(json!(3), json!(null)), ["done", "done", "done"]);
        assert_eq!(states(json!(0), json!(null)), ["not_affected", "not_affected", "not_affected"]);
        assert_eq!(states(json!(2), json!(null)), ["unknown", "unknown", "unknown"], "nobody knows which");
        assert_eq!(states(json!(null), json!(null)), ["unknown", "unknown", "unknown"]);
    }

    #[test]
    fn the_console_has_the_word() {
        let of = |id: &str, result: &str| json!({ "threatId": id, "result": result });
        let all = json!([of("a", "updated"), of("b", "already_set"), of("c", "missing_permissions")]);
        assert_eq!(states(json!(1), all), ["done", "already_set", "not_affected"]);
        let one = json!([of("a", "updated")]);
        assert_eq!(states(json!(1), one.clone()), ["done", "not_affected", "not_affected"]);
        // The count may hold others than those that were asked for: no one is told done by subtraction.
        assert_eq!(states(json!(3), one.clone()), ["done", "unknown", "unknown"]);
        assert_eq!(states(json!(null), one), ["done", "unknown", "unknown"]);
        let two = json!([of("a", "updated"), of("b", "already_set")]);
        assert_eq!(states(json!(2), two), ["done", "already_set", "unknown"]);
    }

    #[test]
    fn being_mentioned_without_a_word_counts_first() {
        let mention = |id: &str| json!({ "threatId": id });
        assert_eq!(states(json!(1), json!([mention("b")])), ["not_affected", "done", "not_affected"]);
        assert_eq!(states(json!(0), json!([mention("b")])), ["not_affected", "not_affected", "not_affected"]);
        assert_eq!(states(json!(2), json!([mention("b")])), ["unknown", "done", "unknown"]);
        let two = json!([mention("b"), mention("c")]);
        assert_eq!(states(json!(1), two), ["unknown", "unknown", "unknown"]);
    }

    #[test]
    fn part_of_what_was_asked_for_is_neither_done_nor_not() {
        let both = |result: &str, verdict: &str| json!([{ "threatId": "a", "result": result, "analystVerdict": verdict }]);
        assert_eq!(states(json!(1), both("updated", "missing_permissions"))[0], "partly");
        assert_eq!(states(json!(1), both("updated", "not_changed"))[0], "done");
        assert_eq!(states(json!(1), both("already_set", "updated"))[0], "done");
        assert_eq!(states(json!(0), both("not_changed", "not_changed"))[0], "not_affected");
        let report = json!({ "threatId": "a", "reports": [{}], "skipped": [{ "reason": "not_supported" }] });
        assert_eq!(states(json!(1), json!([report]))[0], "partly");
        let skipped = json!({ "threatId": "a", "reports": [], "skipped": [{ "reason": "permissions" }] });
        assert_eq!(states(json!(0), json!([skipped]))[0], "not_affected");
        let started = json!({ "threatId": "a", "reports": [{}], "skipped": [] });
        assert_eq!(states(json!(1), json!([started]))[0], "done");
    }
}
