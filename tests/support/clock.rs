//! Virtual clocks, with which tests do not wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sentinelone::{Clock, SleepFuture};
use tokio::sync::watch;

/// A longer sleep is the timeout of a call and not a delay in it.
const HORIZON: Duration = Duration::from_secs(24 * 60 * 60);

/// A clock that advances when code sleeps, or only when a test advances it.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// If set, elapsed real time is added, so that timeouts also expire in real time.
    start: Option<Instant>,
    is_manual: bool,
    now: watch::Sender<Duration>,
    waits: Mutex<Vec<Duration>>,
    asleep: Mutex<BTreeMap<u64, Duration>>,
}

/// Removes a sleeper when it is dropped.
struct Sleeper(Arc<Inner>, u64);

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.asleep.lock().unwrap().remove(&self.1);
    }
}

impl VirtualClock {
    fn new(start: Option<Instant>, is_manual: bool) -> Self {
        let (waits, asleep) = Default::default();
        Self(Arc::new(Inner { start, is_manual, now: watch::Sender::new(Duration::ZERO), waits, asleep }))
    }

    /// Returns a clock that ends each sleep at once and advances by its duration.
    pub(crate) fn auto() -> Self {
        Self::new(None, false)
    }

    /// Like [`auto`](Self::auto), plus elapsed real time.
    pub(crate) fn auto_with_real_time() -> Self {
        Self::new(Some(Instant::now()), false)
    }

    /// Returns a clock that advances only by [`advance`](Self::advance).
    pub(crate) fn manual() -> Self {
        Self::new(None, true)
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.now.send_modify(|now| *now += time);
    }

    /// Returns the durations of all sleeps, in seconds.
    pub(crate) fn waits(&self) -> Vec<f64> {
        self.0.waits.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.now().as_secs_f64()
    }

    /// Waits for `count` sleepers and returns their durations, shortest first.
    pub(crate) async fn sleepers(&self, count: usize) -> Vec<Duration> {
        loop {
            let asleep: Vec<Duration> = self.0.asleep.lock().unwrap().values().copied().collect();
            if asleep.len() == count {
                let mut asleep = asleep;
                asleep.sort();
                return asleep;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        *self.0.now.borrow() + self.0.start.map(|start| start.elapsed()).unwrap_or_default()
    }

    fn system_time(&self) -> SystemTime {
        // Tests compare their dates with this one.
        httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap() + self.now()
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            inner.waits.lock().unwrap().push(time);
            if !inner.is_manual && time < HORIZON {
                inner.now.send_modify(|now| *now += time);
                // Other tasks run, as during a real sleep.
                return tokio::task::yield_now().await;
            }
            let mut now = inner.now.subscribe();
            let end = *now.borrow() + time;
            let id = fastrand::u64(..);
            inner.asleep.lock().unwrap().insert(id, time);
            let _sleeper = Sleeper(Arc::clone(&inner), id);
            let _ = now.wait_for(|now| *now >= end).await;
        })
    }
}
