//! State that all connections share: the tenant and the recorded exchanges.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::clock::SandboxClock;
use super::tenant::Tenant;

/// Maximum number of recorded exchanges.
pub(super) const MAX_EXCHANGES: usize = 1000;

/// A request to the sandbox and its response, without the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordedExchange {
    /// HTTP method.
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query parameters as decoded pairs of name and value, in order.
    pub query: Vec<(String, String)>,
    /// Request body: JSON, or a string if it is not JSON. `None` if it is missing or larger than 1 MB.
    pub body: Option<Value>,
    /// HTTP status of the response.
    pub status: u16,
    /// Response body; null for a file.
    pub response: Value,
}

/// State that all connections share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: SandboxClock,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) tenant: Tenant,
    pub(super) exchanges: VecDeque<RecordedExchange>,
    response_count: u64,
}

impl State {
    pub(super) fn new(tenant: Tenant, clock: SandboxClock) -> Self {
        let inner = Inner { tenant, exchanges: VecDeque::new(), response_count: 0 };
        Self { clock, inner: Mutex::new(inner) }
    }

    /// Returns the number of long-running queries that have not ended.
    pub(super) fn running_queries(&self) -> usize {
        let now = self.clock.now().unix_millis().unwrap_or_default();
        self.lock().tenant.queries.count(now)
    }

    /// Locks the state. The lock is not held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panicked request leaves at most some of its own changes.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Stores an exchange and returns the number of the response.
    pub(super) fn record(&mut self, exchange: RecordedExchange) -> u64 {
        if self.exchanges.len() == MAX_EXCHANGES {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange);
        self.response_count += 1;
        self.response_count
    }
}
