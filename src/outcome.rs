//! What is known about each thing that an action was asked for.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde_json::Value;

use crate::error::VendorError;

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

/// What the console says of one thing.
#[derive(Clone, Debug, Default)]
struct Said {
    /// Its words, in order.
    words: Vec<String>,
    /// Whether it reports that something was started.
    started: bool,
    /// Whether it says something that is not understood.
    unclear: bool,
}

/// What an answer to an action says of each identifier that was asked for; of those that the console
/// mentions where none was.
///
/// The console's word on one comes first; one that is not known means that nobody knows. A mention without
/// a word counts as done as far as the count of affected things goes. Without any details the count decides:
/// if it covers all that were asked for, they are done, and if it is zero, none is. In every other case
/// nobody knows.
pub(crate) fn outcomes(asked: &[String], answer: &Value) -> Vec<IdOutcome> {
    let affected = answer.pointer("/data/affected").and_then(Value::as_u64);
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    let mut mentioned = Vec::new();
    // Whether there are details that cannot be told whose they are.
    let mut unread = false;
    match answer.pointer("/data/details") {
        None | Some(Value::Null) => {}
        Some(Value::Array(details)) => {
            for detail in details {
                let id = match detail.get("threatId") {
                    Some(Value::String(id)) => id.clone(),
                    Some(Value::Number(id)) => id.to_string(),
                    _ => {
                        unread = true;
                        continue;
                    }
                };
                said.entry(id.clone()).or_default().add(detail);
                mentioned.push(id);
            }
        }
        Some(_) => unread = true,
    }
    let ids = if asked.is_empty() { &mentioned } else { asked };
    let mut seen = HashSet::new();
    let mut outcomes: Vec<IdOutcome> = Vec::new();
    for id in ids.iter().filter(|id| seen.insert(*id)) {
        let words = said.get(id).map(|said| said.words.join(", ")).filter(|words| !words.is_empty());
        let state = said.get(id).and_then(Said::state).unwrap_or(IdState::Unknown);
        outcomes.push(IdOutcome { id: id.clone(), state, detail: words });
    }
    let is_silent = |one: &IdOutcome| said.get(&one.id).is_none_or(|said| said.state().is_none());
    let is_mentioned = |one: &IdOutcome| said.contains_key(&one.id);
    let told =
        outcomes.iter().filter(|one| matches!(one.state, IdState::Done | IdState::Partly)).count() as u64;
    let count = outcomes.iter().filter(|one| is_silent(one)).count() as u64;
    let mentions = outcomes.iter().filter(|one| is_silent(one) && is_mentioned(one)).count() as u64;
    let unclear = unread || said.values().any(|said| said.unclear);
    let left = affected.map(|affected| affected.saturating_sub(told));
    for one in outcomes.iter_mut().filter(|one| is_silent(one)) {
        one.state = match left {
            Some(0) if !unread => IdState::NotAffected,
            // Nobody is told done by what was left over from something that is not understood.
            _ if unclear => IdState::Unknown,
            Some(left) if is_mentioned(one) && left >= mentions => IdState::Done,
            Some(left) if !is_mentioned(one) && mentions > 0 && left == mentions => IdState::NotAffected,
            // With details, a thing that they leave out is not counted among the rest by guesswork.
            Some(left) if said.is_empty() && left >= count => IdState::Done,
            _ => IdState::Unknown,
        };
    }
    outcomes
}

/// An error where the console acted on more things than were named: whatever its filter meant to it, it was not
/// what was asked for.
pub(crate) fn too_many(asked: &[String], affected: Option<u64>) -> Option<VendorError> {
    let affected = affected.filter(|affected| !asked.is_empty() && *affected > asked.len() as u64)?;
    let detail = format!(
        "the console acted on {affected} things where {} were named; look at what it did",
        asked.len()
    );
    Some(VendorError { detail: Some(detail), ..VendorError::default() })
}

impl Said {
    /// Takes in one entry of the details; a thing may have several.
    fn add(&mut self, detail: &Value) {
        for name in ["result", "analystVerdict"] {
            match detail.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(word)) if word.trim().is_empty() => {}
                Some(Value::String(word)) => self.words.push(word.clone()),
                Some(_) => self.unclear = true,
            }
        }
        // Nothing was asked of a part that is not changed, if another part says more.
        if self.words.iter().any(|word| word != "not_changed") {
            self.words.retain(|word| word != "not_changed");
        }
        let list =
            |name: &str| detail.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for skip in list("skipped") {
            let reason = skip.get("reason").and_then(Value::as_str).unwrap_or("reason unknown");
            self.words.push(format!("skipped: {reason}"));
        }
        for report in list("reports") {
            let missing = report.get("groupNotFound") == Some(&Value::Bool(true));
            match report.get("status").and_then(Value::as_str) {
                _ if missing => self.words.push("failed: the agent does not find the threat".to_owned()),
                // Ordered, or done: an agent that is offline acts when it returns.
                None | Some("success" | "sent" | "pending" | "pending-reboot") => self.started = true,
                Some("partial") => {
                    self.started = true;
                    self.words.push("failed: in part".to_owned());
                }
                Some("failed") => self.words.push("failed".to_owned()),
                Some(other) => {
                    self.unclear = true;
                    self.words.push(other.to_owned());
                }
            }
        }
        self.words.dedup();
    }

    /// What that means; `None` for a bare mention.
    fn state(&self) -> Option<IdState> {
        let is_refusal = |word: &String| {
            matches!(word.as_str(), "not_changed" | "conditions_not_met" | "missing_permissions")
                || word.starts_with("skipped: ")
                || word.starts_with("failed")
        };
        let is_known = |word: &String| is_refusal(word) || matches!(word.as_str(), "updated" | "already_set");
        if self.unclear || !self.words.iter().all(is_known) {
            return Some(IdState::Unknown);
        }
        let changed = self.started || self.words.iter().any(|word| word == "updated");
        let refused = self.words.iter().any(is_refusal);
        match (changed, refused) {
            (true, true) => Some(IdState::Partly),
            (true, false) => Some(IdState::Done),
            (false, true) => Some(IdState::NotAffected),
            (false, false) if self.words.is_empty() => None,
            (false, false) => Some(IdState::AlreadySet),
        }
    }
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
    fn what_is_not_understood_is_nobodys_certainty() {
        let ids = ["a".to_owned(), "7".to_owned()];
        let states = |details: Value| -> Vec<&str> {
            let answer = json!({ "data": { "affected": 2, "details": details } });
            outcomes(&ids, &answer).iter().map(|one| one.state.as_str()).collect()
        };
        let refused = json!({ "threatId": 7, "result": "missing_permissions" });
        assert_eq!(states(json!([refused])), ["unknown", "not_affected"], "numbers are identifiers too");
        for odd in [
            json!([{ "id": "a", "result": "missing_permissions" }]),
            json!({ "threatId": "a", "result": "missing_permissions" }),
            json!("two of them"),
            json!([{ "threatId": "a", "result": false }, { "threatId": "7", "result": 3 }]),
            json!([{ "threatId": "a", "result": "success" }, { "threatId": "7", "result": "UPDATED" }]),
        ] {
            assert_eq!(states(odd.clone()), ["unknown", "unknown"], "{odd}");
        }
        let twice = json!([
            { "threatId": "a", "result": "missing_permissions" },
            { "threatId": "a", "result": "updated" },
        ]);
        assert_eq!(states(twice), ["partly", "unknown"]);
        assert_eq!(states(json!([{ "threatId": "a", "result": "" }, { "threatId": "7" }])), ["done", "done"]);
        assert_eq!(states(json!([])), ["done", "done"]);
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
        let reported = |report: Value| {
            let detail = json!({ "threatId": "a", "reports": [report], "skipped": [] });
            states(json!(1), json!([detail]))[0]
        };
        assert_eq!(reported(json!({ "status": "sent" })), "done", "the order was given");
        assert_eq!(reported(json!({ "status": "failed" })), "not_affected");
        assert_eq!(reported(json!({ "status": "partial" })), "partly");
        assert_eq!(reported(json!({ "status": "success", "groupNotFound": true })), "not_affected");
        assert_eq!(reported(json!({ "status": "exploded" })), "unknown");
        let both = json!({ "threatId": "a", "reports": [{ "status": "success" }, { "status": "failed" }] });
        assert_eq!(states(json!(1), json!([both]))[0], "partly");
    }
}
