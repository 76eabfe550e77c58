//! The long-running queries of a tenant.

use std::collections::BTreeMap;

use serde_json::Value;

/// Milliseconds after the launch or the last read at which a query ends.
const LIFETIME: i64 = 30_000;

/// The queries, by ID.
#[derive(Debug, Default)]
pub(super) struct RunningQueries(BTreeMap<String, RunningQuery>);

/// A launched query with its results.
#[derive(Debug)]
pub(super) struct RunningQuery {
    /// Route to the node that runs it.
    pub(super) tag: String,
    /// Time of the launch or of the last read, in milliseconds since 1970.
    pub(super) last_seen: i64,
    /// Number of completed steps.
    pub(super) steps: u64,
    /// Start and end of the range, in milliseconds since 1970.
    pub(super) range: (i64, i64),
    pub(super) data: Value,
}

impl RunningQueries {
    pub(super) fn insert(&mut self, id: String, query: RunningQuery) {
        self.0.insert(id, query);
    }

    /// Returns a query that has not ended.
    pub(super) fn get_mut(&mut self, id: &str, now: i64) -> Option<&mut RunningQuery> {
        self.0.retain(|_, query| query.is_alive(now));
        self.0.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Returns the number of queries that have not ended.
    pub(super) fn count(&self, now: i64) -> usize {
        self.0.values().filter(|query| query.is_alive(now)).count()
    }
}

impl RunningQuery {
    fn is_alive(&self, now: i64) -> bool {
        now.saturating_sub(self.last_seen) <= LIFETIME
    }
}
