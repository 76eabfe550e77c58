//! Outcome of an action for each ID.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde_json::Value;

use crate::error::ApiError;

/// The outcome of an action for one ID.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it states whether the action succeeded for this ID"]
pub struct IdOutcome {
    /// The ID.
    pub id: String,
    /// State of the ID.
    pub state: IdState,
    /// Result value of the console, such as `already_set`, or why the client has no result; `None` if both are missing.
    pub detail: Option<String>,
}

/// Whether an action was applied to one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdState {
    /// The action was applied.
    Done,
    /// The item already has the requested state.
    AlreadySet,
    /// One part of the action was applied, and another was not.
    Partial,
    /// The action was not applied: the ID does not exist, is out of scope, or does not allow it.
    NotAffected,
    /// The response does not contain enough information.
    Unknown,
}

impl IdState {
    /// Returns `done`, `already_set`, `partial`, `not_affected` or `unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadySet => "already_set",
            Self::Partial => "partial",
            Self::NotAffected => "not_affected",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the state with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let states = [Self::Done, Self::AlreadySet, Self::Partial, Self::NotAffected, Self::Unknown];
        states.into_iter().find(|state| state.as_str() == name)
    }

    /// Returns whether the item has the requested state.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Done | Self::AlreadySet)
    }
}

impl fmt::Display for IdState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The details that the response reports for one ID.
#[derive(Clone, Debug, Default)]
struct ReportedDetail {
    /// Results, in order.
    results: Vec<String>,
    /// Whether a report confirms that the action started.
    started: bool,
    /// Whether a value is not recognized.
    unrecognized: bool,
}

/// Returns the number of items that an action affected; `None` if the response has no count. Moving agents has its own
/// member.
pub(crate) fn affected_count(response: &Value) -> Option<u64> {
    let counts = ["/data/affected", "/data/agentsMoved"].into_iter();
    counts.filter_map(|pointer| response.pointer(pointer)).find_map(Value::as_u64)
}

/// Returns the outcome of each requested ID. If `ids` is empty, the result has the IDs in the response.
///
/// A result in the details takes precedence; a result that is not recognized gives `Unknown`. An ID with details but
/// without a result is `Done`, if the count of affected items covers it. Without any details the count decides: all IDs
/// are `Done` if it covers all of them, and `NotAffected` if it is zero. In all other cases the state is `Unknown`.
pub(crate) fn outcomes(ids: &[String], response: &Value) -> Vec<IdOutcome> {
    let affected = affected_count(response);
    let mut reported: BTreeMap<String, ReportedDetail> = BTreeMap::new();
    let mut reported_ids = Vec::new();
    // Whether there are details without a readable ID.
    let mut has_unassigned = false;
    match response.pointer("/data/details") {
        None | Some(Value::Null) => {}
        Some(Value::Array(details)) => {
            for detail in details {
                let id = match detail.get("threatId") {
                    Some(Value::String(id)) => id.clone(),
                    Some(Value::Number(id)) => id.to_string(),
                    _ => {
                        has_unassigned = true;
                        continue;
                    }
                };
                reported.entry(id.clone()).or_default().add(detail);
                reported_ids.push(id);
            }
        }
        Some(_) => has_unassigned = true,
    }
    let ids = if ids.is_empty() { &reported_ids } else { ids };
    let mut visited = HashSet::new();
    let mut outcomes: Vec<IdOutcome> = Vec::new();
    for id in ids.iter().filter(|id| visited.insert(*id)) {
        let results = reported.get(id).map(|detail| detail.results.join(", "));
        let state = reported.get(id).and_then(ReportedDetail::state).unwrap_or(IdState::Unknown);
        outcomes.push(IdOutcome {
            id: id.clone(),
            state,
            detail: results.filter(|results| !results.is_empty()),
        });
    }
    let is_undecided =
        |outcome: &IdOutcome| reported.get(&outcome.id).is_none_or(|detail| detail.state().is_none());
    let is_reported = |outcome: &IdOutcome| reported.contains_key(&outcome.id);
    let applied =
        outcomes.iter().filter(|outcome| matches!(outcome.state, IdState::Done | IdState::Partial)).count()
            as u64;
    let undecided = outcomes.iter().filter(|outcome| is_undecided(outcome)).count() as u64;
    let undecided_reported =
        outcomes.iter().filter(|outcome| is_undecided(outcome) && is_reported(outcome)).count() as u64;
    let unrecognized = has_unassigned || reported.values().any(|detail| detail.unrecognized);
    let remaining = affected.map(|affected| affected.saturating_sub(applied));
    for outcome in outcomes.iter_mut().filter(|outcome| is_undecided(outcome)) {
        outcome.state = match remaining {
            Some(0) if !has_unassigned => IdState::NotAffected,
            // With unrecognized details, the remaining count cannot be assigned to an ID.
            _ if unrecognized => IdState::Unknown,
            Some(remaining) if is_reported(outcome) && remaining >= undecided_reported => IdState::Done,
            Some(remaining)
                if !is_reported(outcome) && undecided_reported > 0 && remaining == undecided_reported =>
            {
                IdState::NotAffected
            }
            // If there are details, an ID that is missing from them is not assumed to be affected.
            Some(remaining) if reported.is_empty() && remaining >= undecided => IdState::Done,
            _ => IdState::Unknown,
        };
    }
    outcomes
}

/// Returns an error if the action affected more items than the request had IDs, because the console then applied
/// another filter than the requested one.
pub(crate) fn too_many_affected(ids: &[String], affected: Option<u64>) -> Option<ApiError> {
    let affected = affected.filter(|affected| !ids.is_empty() && *affected > ids.len() as u64)?;
    let detail = format!(
        "the action affected {affected} items, but the request had {} IDs; check the result",
        ids.len()
    );
    Some(ApiError { detail: Some(detail), ..ApiError::default() })
}

impl ReportedDetail {
    /// Adds an entry of the details; an ID may have several.
    fn add(&mut self, detail: &Value) {
        for name in ["result", "analystVerdict"] {
            match detail.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(result)) if result.trim().is_empty() => {}
                Some(Value::String(result)) => self.results.push(result.clone()),
                Some(_) => self.unrecognized = true,
            }
        }
        // `not_changed` only counts if no other part has a result: the request did not concern that part.
        if self.results.iter().any(|result| result != "not_changed") {
            self.results.retain(|result| result != "not_changed");
        }
        let list =
            |name: &str| detail.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for skip in list("skipped") {
            let reason = skip.get("reason").and_then(Value::as_str).unwrap_or("reason unknown");
            self.results.push(format!("skipped: {reason}"));
        }
        for report in list("reports") {
            let missing = report.get("groupNotFound") == Some(&Value::Bool(true));
            match report.get("status").and_then(Value::as_str) {
                _ if missing => self.results.push("failed: the agent does not find the threat".to_owned()),
                // Accepted or completed: an offline agent runs it when it connects.
                None | Some("success" | "sent" | "pending" | "pending-reboot") => self.started = true,
                Some("partial") => {
                    self.started = true;
                    self.results.push("failed: partial".to_owned());
                }
                Some("failed") => self.results.push("failed".to_owned()),
                Some(other) => {
                    self.unrecognized = true;
                    self.results.push(other.to_owned());
                }
            }
        }
        self.results.dedup();
    }

    /// Returns the state that the details describe; `None` if they contain no result.
    fn state(&self) -> Option<IdState> {
        let is_failure = |result: &String| {
            matches!(result.as_str(), "not_changed" | "conditions_not_met" | "missing_permissions")
                || result.starts_with("skipped: ")
                || result.starts_with("failed")
        };
        let is_recognized =
            |result: &String| is_failure(result) || matches!(result.as_str(), "updated" | "already_set");
        if self.unrecognized || !self.results.iter().all(is_recognized) {
            return Some(IdState::Unknown);
        }
        let changed = self.started || self.results.iter().any(|result| result == "updated");
        let failed = self.results.iter().any(is_failure);
        match (changed, failed) {
            (true, true) => Some(IdState::Partial),
            (true, false) => Some(IdState::Done),
            (false, true) => Some(IdState::NotAffected),
            (false, false) if self.results.is_empty() => None,
            (false, false) => Some(IdState::AlreadySet),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns the states of the IDs a, b and c.
    fn states(affected: Value, details: Value) -> Vec<&'static str> {
        let ids = ["a", "b", "c", "a"].map(str::to_owned);
        let response = json!({ "data": { "affected": affected, "details": details } });
        outcomes(&ids, &response).iter().map(|outcome| outcome.state.as_str()).collect()
    }

    #[test]
    fn outcomes_without_details_follow_affected_count() {
        assert_eq!(states(json!(3), json!(null)), ["done", "done", "done"]);
        assert_eq!(states(json!(0), json!(null)), ["not_affected", "not_affected", "not_affected"]);
        assert_eq!(states(json!(2), json!(null)), ["unknown", "unknown", "unknown"], "no ID is identified");
        assert_eq!(states(json!(null), json!(null)), ["unknown", "unknown", "unknown"]);
    }

    #[test]
    fn outcomes_with_details_use_reported_result() {
        let detail = |id: &str, result: &str| json!({ "threatId": id, "result": result });
        let all =
            json!([detail("a", "updated"), detail("b", "already_set"), detail("c", "missing_permissions")]);
        assert_eq!(states(json!(1), all), ["done", "already_set", "not_affected"]);
        let single = json!([detail("a", "updated")]);
        assert_eq!(states(json!(1), single.clone()), ["done", "not_affected", "not_affected"]);
        // The count may include items that were not requested, so it decides no ID without details.
        assert_eq!(states(json!(3), single.clone()), ["done", "unknown", "unknown"]);
        assert_eq!(states(json!(null), single), ["done", "unknown", "unknown"]);
        let two = json!([detail("a", "updated"), detail("b", "already_set")]);
        assert_eq!(states(json!(2), two), ["done", "already_set", "unknown"]);
    }

    #[test]
    fn outcomes_reported_ids_without_result_are_counted_first() {
        let without_result = |id: &str| json!({ "threatId": id });
        assert_eq!(states(json!(1), json!([without_result("b")])), ["not_affected", "done", "not_affected"]);
        assert_eq!(
            states(json!(0), json!([without_result("b")])),
            ["not_affected", "not_affected", "not_affected"]
        );
        assert_eq!(states(json!(2), json!([without_result("b")])), ["unknown", "done", "unknown"]);
        let two = json!([without_result("b"), without_result("c")]);
        assert_eq!(states(json!(1), two), ["unknown", "unknown", "unknown"]);
    }

    #[test]
    fn outcomes_unrecognized_details_are_unknown() {
        let ids = ["a".to_owned(), "7".to_owned()];
        let states = |details: Value| -> Vec<&str> {
            let response = json!({ "data": { "affected": 2, "details": details } });
            outcomes(&ids, &response).iter().map(|outcome| outcome.state.as_str()).collect()
        };
        let refused = json!({ "threatId": 7, "result": "missing_permissions" });
        assert_eq!(states(json!([refused])), ["unknown", "not_affected"], "an ID may be a number");
        for details in [
            json!([{ "id": "a", "result": "missing_permissions" }]),
            json!({ "threatId": "a", "result": "missing_permissions" }),
            json!("two of them"),
            json!([{ "threatId": "a", "result": false }, { "threatId": "7", "result": 3 }]),
            json!([{ "threatId": "a", "result": "success" }, { "threatId": "7", "result": "UPDATED" }]),
        ] {
            assert_eq!(states(details.clone()), ["unknown", "unknown"], "{details}");
        }
        let twice = json!([
            { "threatId": "a", "result": "missing_permissions" },
            { "threatId": "a", "result": "updated" },
        ]);
        assert_eq!(states(twice), ["partial", "unknown"]);
        assert_eq!(states(json!([{ "threatId": "a", "result": "" }, { "threatId": "7" }])), ["done", "done"]);
        assert_eq!(states(json!([])), ["done", "done"]);
    }

    #[test]
    fn outcomes_mixed_results_are_partial() {
        let both = |result: &str, verdict: &str| json!([{ "threatId": "a", "result": result, "analystVerdict": verdict }]);
        assert_eq!(states(json!(1), both("updated", "missing_permissions"))[0], "partial");
        assert_eq!(states(json!(1), both("updated", "not_changed"))[0], "done");
        assert_eq!(states(json!(1), both("already_set", "updated"))[0], "done");
        assert_eq!(states(json!(0), both("not_changed", "not_changed"))[0], "not_affected");
        let report = json!({ "threatId": "a", "reports": [{}], "skipped": [{ "reason": "not_supported" }] });
        assert_eq!(states(json!(1), json!([report]))[0], "partial");
        let skipped = json!({ "threatId": "a", "reports": [], "skipped": [{ "reason": "permissions" }] });
        assert_eq!(states(json!(0), json!([skipped]))[0], "not_affected");
        let started = json!({ "threatId": "a", "reports": [{}], "skipped": [] });
        assert_eq!(states(json!(1), json!([started]))[0], "done");
        let reported = |report: Value| {
            let detail = json!({ "threatId": "a", "reports": [report], "skipped": [] });
            states(json!(1), json!([detail]))[0]
        };
        assert_eq!(reported(json!({ "status": "sent" })), "done", "the console accepted it");
        assert_eq!(reported(json!({ "status": "failed" })), "not_affected");
        assert_eq!(reported(json!({ "status": "partial" })), "partial");
        assert_eq!(reported(json!({ "status": "success", "groupNotFound": true })), "not_affected");
        assert_eq!(reported(json!({ "status": "exploded" })), "unknown");
        let both = json!({ "threatId": "a", "reports": [{ "status": "success" }, { "status": "failed" }] });
        assert_eq!(states(json!(1), json!([both]))[0], "partial");
    }
}
