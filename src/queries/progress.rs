//! The response to a launch or a read of a query.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::exact::{Members, count, items, members, string, value};

/// The progress of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryProgress {
    /// Number of completed steps.
    pub steps_completed: u64,
    /// Number of steps; 0 while the query is being planned.
    pub steps_total: u64,
}

impl QueryProgress {
    /// Returns whether all steps are completed.
    pub fn is_finished(self) -> bool {
        self.steps_total > 0 && self.steps_completed >= self.steps_total
    }
}

/// A parsed response.
#[derive(Debug, Default)]
pub(super) struct QueryState<'a> {
    pub(super) id: Option<String>,
    pub(super) progress: QueryProgress,
    pub(super) data: Members<'a>,
    /// Members next to `data`.
    pub(super) rest: Members<'a>,
}

impl<'a> QueryState<'a> {
    pub(super) fn parse(body: &'a str) -> Self {
        let mut rest = members(body);
        let number = |name: &str, other: &str| {
            let text = rest.get(name).or_else(|| rest.get(other));
            text.and_then(|text| count(text)).unwrap_or_default()
        };
        let progress = QueryProgress {
            steps_completed: number("stepsCompleted", "completedSteps"),
            // One published client reads `totalSteps`.
            steps_total: number("stepsTotal", "totalSteps"),
        };
        let id = rest.get("id").and_then(|text| string(text));
        let data = rest.remove("data").map(|data| members(data.get())).unwrap_or_default();
        Self { id, progress, data, rest }
    }

    /// Returns the reason of a failed query, whose status is 200.
    pub(super) fn failure(&self) -> Option<String> {
        let error = self.rest.get("error").map(|error| value(error)).filter(|error| !error.is_null())?;
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let parts: Vec<String> = [text("message"), text("details")].into_iter().flatten().collect();
        Some(if parts.is_empty() { error.to_string() } else { parts.join(": ") })
    }

    /// Returns whether the results have a row.
    pub(super) fn has_rows(&self) -> bool {
        ["matches", "values"].into_iter().any(|name| !self.list(name).is_empty())
    }

    /// Returns a list of the results.
    pub(super) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        self.data.get(name).map(|list| items(list.get())).unwrap_or_default()
    }

    /// Returns a member of the results, or next to them.
    pub(super) fn member(&self, name: &str) -> Option<&'a RawValue> {
        let given = |text: &&&RawValue| text.get() != "null";
        self.data.get(name).filter(given).or_else(|| self.rest.get(name).filter(given)).copied()
    }
}

/// What a query reports in addition to its rows.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct QuerySummary {
    /// Number of matching events, which can be an estimate; `None` if the data lake reports none.
    pub match_count: Option<u64>,
    /// Warnings of the data lake.
    pub warnings: Vec<String>,
    /// Number of events that the data lake left out.
    pub omitted_events: Option<u64>,
    /// Number of items that the data lake dropped from arrays.
    pub discarded_array_items: Option<u64>,
    /// Whether the results are incomplete because the query reached the time limit of the data lake.
    pub is_partial: bool,
    /// Address of the complete results, if the response has only a part of them.
    pub full_result_url: Option<String>,
    /// Processor time of the query in the data lake.
    pub cpu_time: Option<Duration>,
}

impl QuerySummary {
    pub(super) fn of(state: &QueryState<'_>) -> Self {
        let number = |name: &str| state.member(name).and_then(count);
        let warnings = state.member("warnings").map(|list| items(list.get())).unwrap_or_default();
        let warning = |text: &&RawValue| string(text).unwrap_or_else(|| text.get().to_owned());
        Self {
            match_count: number("matchCount").or_else(|| number("estimatedMatchCount")),
            warnings: warnings.iter().map(warning).collect(),
            omitted_events: number("omittedEvents").filter(|count| *count > 0),
            discarded_array_items: number("discardedArrayItems").filter(|count| *count > 0),
            is_partial: state.member("partialResultsDueToTimeLimit").is_some_and(|text| text.get() == "true"),
            full_result_url: state.member("fullResultUrl").and_then(string),
            cpu_time: number("cpuUsage").map(Duration::from_nanos),
        }
    }

    /// Returns why rows are missing from the results; empty if they are complete.
    pub fn gaps(&self) -> Vec<String> {
        let omitted = |count: u64| format!("{count} events were omitted");
        let discarded = |count: u64| format!("{count} items of arrays were dropped");
        let time_limit = "the query reached the time limit of the data lake".to_owned();
        let is_part = "the response has only a part of the rows".to_owned();
        let gaps = [
            self.is_partial.then_some(time_limit),
            self.omitted_events.map(omitted),
            self.discarded_array_items.map(discarded),
            self.full_result_url.is_some().then_some(is_part),
        ];
        gaps.into_iter().flatten().collect()
    }

    /// Returns whether rows are missing from the results.
    pub fn is_incomplete(&self) -> bool {
        !self.gaps().is_empty()
    }

    /// Adds the summary of another part of the same query.
    pub(super) fn add(&mut self, other: Self) {
        fn sum<T: std::ops::Add<Output = T>>(one: Option<T>, other: Option<T>) -> Option<T> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one + other),
                (one, other) => one.or(other),
            }
        }
        self.match_count = sum(self.match_count, other.match_count);
        self.omitted_events = sum(self.omitted_events, other.omitted_events);
        self.discarded_array_items = sum(self.discarded_array_items, other.discarded_array_items);
        self.cpu_time = sum(self.cpu_time, other.cpu_time);
        self.is_partial |= other.is_partial;
        self.full_result_url = self.full_result_url.take().or(other.full_result_url);
        for warning in other.warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}
