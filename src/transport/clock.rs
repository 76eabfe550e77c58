//! Time, as far as the client waits or counts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Something that is over when the time is.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock by which a client waits between attempts, keeps to rates and ends calls.
///
/// The client's own is that of tokio. A test gives one that goes ahead instead of waiting; see
/// [`ClientBuilder::clock`](crate::ClientBuilder::clock).
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time since some moment that stays the same. It never goes back.
    fn now(&self) -> Duration;

    /// The time of day, by which dates in answers are read.
    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits. The end of a call is waited for as well as what comes before it, so that a clock which goes ahead
    /// should not do so for what is longer than a call lasts.
    fn sleep(&self, time: Duration) -> Sleep;
}

/// The clock of tokio.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokioClock;

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        Instant::now().saturating_duration_since(*START.get_or_init(Instant::now))
    }

    fn sleep(&self, time: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(time))
    }
}
