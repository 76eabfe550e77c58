//! The long-running queries of a tenant.

use std::collections::BTreeMap;

use serde_json::Value;

use super::query_fault::QueryFault;

/// Milliseconds after the launch or the last read at which a query ends.
const LIFETIME: i64 = 30_000;

/// The queries.
#[derive(Debug, Default)]
pub(super) struct RunningQueries {
    by_id: BTreeMap<String, RunningQuery>,
    /// Faults that have not occurred.
    faults: Vec<QueryFault>,
}

/// A launched query with its results.
#[derive(Debug)]
pub(super) struct RunningQuery {
    /// Route to the node that runs it; `None` if it needs none.
    pub(super) tag: Option<String>,
    /// Time of the launch, in milliseconds since 1970.
    pub(super) launched: i64,
    /// Time of the launch or of the last read, in milliseconds since 1970.
    pub(super) last_seen: i64,
    /// Number of completed steps.
    pub(super) steps: u64,
    /// Start and end of the range, in milliseconds since 1970.
    pub(super) range: (i64, i64),
    /// Whether the results report that they are partial.
    pub(super) is_partial: bool,
    pub(super) data: Value,
}

impl RunningQueries {
    pub(super) fn set_faults(&mut self, faults: Vec<QueryFault>) {
        self.faults = faults;
    }

    /// Takes the next fault of a call.
    pub(super) fn next_fault(&mut self, step: &str) -> Option<QueryFault> {
        let position = self.faults.iter().position(|fault| fault.step() == step)?;
        Some(self.faults.remove(position))
    }

    /// Returns the query that was launched last. IDs grow.
    pub(super) fn newest_mut(&mut self) -> Option<&mut RunningQuery> {
        self.by_id.values_mut().next_back()
    }

    pub(super) fn insert(&mut self, id: String, query: RunningQuery) {
        self.by_id.insert(id, query);
    }

    /// Returns a query that has not ended.
    pub(super) fn get_mut(&mut self, id: &str, now: i64) -> Option<&mut RunningQuery> {
        self.by_id.retain(|_, query| query.is_alive(now));
        self.by_id.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// Returns the number of queries that have not ended.
    pub(super) fn count(&self, now: i64) -> usize {
        self.by_id.values().filter(|query| query.is_alive(now)).count()
    }
}

impl RunningQuery {
    fn is_alive(&self, now: i64) -> bool {
        now.saturating_sub(self.last_seen) <= LIFETIME
    }
}
