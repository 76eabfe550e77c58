//! Clock for delays and rate limits.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A future that completes after a delay; from [`Clock::sleep`].
pub type SleepFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock of a client, for backoff, rate limits and call timeouts.
///
/// The default is the clock of tokio. Tests set a clock that advances instead of waiting; see
/// [`ClientBuilder::clock`](crate::ClientBuilder::clock).
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the time since a fixed instant. It never decreases.
    fn now(&self) -> Duration;

    /// Returns the system time, to which dates in responses are compared.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits for `delay`. While the client waits for a permit, it also sleeps until the call timeout. A clock that
    /// advances instead of waiting should therefore not skip delays that are longer than a call.
    fn sleep(&self, delay: Duration) -> SleepFuture;
}

/// The clock of tokio.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokioClock;

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        Instant::now().saturating_duration_since(*START.get_or_init(Instant::now))
    }

    fn sleep(&self, delay: Duration) -> SleepFuture {
        Box::pin(tokio::time::sleep(delay))
    }
}
