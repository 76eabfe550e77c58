//! Settings of a sandbox.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use sentinelone::raw::runtime::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::tenant::Tenant;
use super::{Sandbox, State, server};

/// Settings of a sandbox; from [`Sandbox::builder`].
#[derive(Debug, Default)]
pub struct SandboxBuilder {
    port: u16,
    clock: SandboxClock,
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

    /// Starts the sandbox, with tasks on the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the port is in use or not permitted, or if the time of the clock is not a valid time.
    pub async fn start(self) -> io::Result<Sandbox> {
        let now = self.clock.now();
        let Some(tenant) = Tenant::at(&now) else {
            let message =
                format!("the clock of the sandbox returned {:?}, which is not a time", now.as_str());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(tenant, self.clock));
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopped));
        Ok(Sandbox { address, state, stop, server })
    }
}

/// The source of the time of a sandbox.
pub(super) struct SandboxClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl SandboxClock {
    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for SandboxClock {
    fn default() -> Self {
        Self(Arc::new(Timestamp::now))
    }
}

impl fmt::Debug for SandboxClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxClock")
    }
}
