//! Local sandbox console: an HTTP server on loopback with an example tenant.
//!
//! The sandbox implements all operations of the bundled specification. It validates each request first; an invalid
//! request gets status 400 with one error per finding. Lists support filters, sorting and pagination. Actions change
//! the tenant, and all connections see the change until the sandbox ends. A condition that the sandbox does not
//! implement gets status 501 with its name.
//!
//! As on a real console, an action whose filter is empty or not selective affects all items, and a list without items
//! is ignored. The client prevents this: it does not send such a request unless `everything_in_scope` is set.
//!
//! Jobs advance with each read: queries and scripts finish, STAR rules become active, and uploads appear after a few
//! polls. Uploads are real archives, protected by the requested password. [`Sandbox::inject`] adds threats and alerts.
//!
//! The times of the example data are relative to the start of the sandbox. [`SandboxBuilder::clock`] sets the clock.
//!
//! The sandbox has no rate limits, no permissions and no agents; a mitigation takes effect at once. It listens on
//! 127.0.0.1 only and uses HTTP without TLS.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use sentinelone_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::start().await?;
//! println!("{} with the token {}", sandbox.url(), Sandbox::TOKEN);
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod builder;
mod expression;
mod files;
mod handler;
mod inject;
mod routing;
mod select;
mod server;
mod tenant;
mod undeclared;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sentinelone::raw::runtime::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use builder::SandboxBuilder;
use builder::SandboxClock;
use tenant::Tenant;

/// A running sandbox. Dropping it stops it at once; [`stop`](Self::stop) completes the requests in progress.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

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

impl Sandbox {
    /// The accepted token, which is not a secret.
    pub const TOKEN: &str = "sandbox-token";

    /// Maximum number of exchanges that [`exchanges`](Self::exchanges) returns.
    pub const MAX_EXCHANGES: usize = 1000;

    /// Starts a sandbox on 127.0.0.1 and a free port, with the system clock and tasks on the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns the default settings of a sandbox.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Returns the URL: `http://127.0.0.1:` and the port.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the current time of the sandbox, from its [clock](SandboxBuilder::clock).
    pub fn now(&self) -> Timestamp {
        self.state.clock.now()
    }

    /// Returns the last [`MAX_EXCHANGES`](Self::MAX_EXCHANGES) exchanges, oldest first.
    pub fn exchanges(&self) -> Vec<RecordedExchange> {
        self.state.lock().exchanges.iter().cloned().collect()
    }

    /// Stops the sandbox: rejects new requests and completes those in progress.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error means that the task was canceled or panicked. It has ended in either case.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// State that all connections share.
#[derive(Debug)]
struct State {
    clock: SandboxClock,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    tenant: Tenant,
    exchanges: VecDeque<RecordedExchange>,
    response_count: u64,
}

impl State {
    fn new(tenant: Tenant, clock: SandboxClock) -> Self {
        let inner = Inner { tenant, exchanges: VecDeque::new(), response_count: 0 };
        Self { clock, inner: Mutex::new(inner) }
    }

    /// Locks the state. The lock is not held across an await.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panicked request leaves at most some of its own changes.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Stores an exchange and returns the number of the response.
    fn record(&mut self, exchange: RecordedExchange) -> u64 {
        if self.exchanges.len() == Sandbox::MAX_EXCHANGES {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange);
        self.response_count += 1;
        self.response_count
    }
}
