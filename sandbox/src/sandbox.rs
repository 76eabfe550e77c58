//! A running sandbox and its settings.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sentinelone::raw::runtime::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock::SandboxClock;
use super::query_fault::QueryFault;
use super::routing::TOKEN;
use super::server;
use super::state::{MAX_EXCHANGES, RecordedExchange, State};
use super::tenant::Tenant;

/// A running sandbox. Dropping it stops it at once; [`stop`](Self::stop) completes the requests in progress.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    pub(super) state: Arc<State>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// The accepted token, which is not a secret.
    pub const TOKEN: &str = TOKEN;

    /// Maximum number of exchanges that [`exchanges`](Self::exchanges) returns.
    pub const MAX_EXCHANGES: usize = MAX_EXCHANGES;

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

    /// Returns the number of long-running queries that were neither deleted nor ended after 30 seconds.
    pub fn running_queries(&self) -> usize {
        self.state.running_queries()
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

/// Settings of a sandbox; from [`Sandbox::builder`].
#[derive(Debug, Default)]
pub struct SandboxBuilder {
    port: u16,
    clock: SandboxClock,
    query_faults: Vec<QueryFault>,
}

impl SandboxBuilder {
    /// Sets the port on 127.0.0.1. Default: 0, which selects a free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the clock. Default: the system clock.
    ///
    /// The times of the example data are relative to the time of the clock at the start. Items that requests create,
    /// and the header `Date` of responses, have the time of the clock at the request. A fixed time makes the data
    /// independent of the day on which a test runs:
    ///
    /// ```no_run
    /// # async fn run() -> std::io::Result<()> {
    /// use sentinelone::Timestamp;
    /// use sentinelone_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().clock(|| Timestamp::from("2026-11-20T10:00:00Z")).start().await?;
    /// assert_eq!(sandbox.now().as_str(), "2026-11-20T10:00:00Z");
    /// # Ok(())
    /// # }
    /// ```
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = SandboxClock(Arc::new(clock));
        self
    }

    /// Sets faults of long-running queries. Each occurs once, in this order, at the next call that it concerns.
    pub fn query_faults(mut self, faults: impl IntoIterator<Item = QueryFault>) -> Self {
        self.query_faults = faults.into_iter().collect();
        self
    }

    /// Starts the sandbox, with tasks on the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the port is in use or not permitted, or if the time of the clock is not a valid time.
    pub async fn start(self) -> io::Result<Sandbox> {
        let port = self.port;
        let state = Arc::new(self.state()?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopped));
        Ok(Sandbox { address, state, stop, server })
    }

    /// Returns the state at the start.
    pub(super) fn state(self) -> io::Result<State> {
        let now = self.clock.now();
        let Some(mut tenant) = Tenant::at(&now) else {
            let message =
                format!("the clock of the sandbox returned {:?}, which is not a time", now.as_str());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        tenant.queries.set_faults(self.query_faults);
        Ok(State::new(tenant, self.clock))
    }
}
