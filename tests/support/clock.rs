//! Clocks by which no test waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sentinelone::{Clock, Sleep};
use tokio::sync::watch;

/// What is asked to last longer than this is the end of a call, and not a wait in it.
const HORIZON: Duration = Duration::from_secs(24 * 60 * 60);

/// A clock that goes ahead instead of waiting, or waits until a test says that time has passed.
#[derive(Clone, Debug)]
pub(crate) struct Virtual(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The real time counts too when there is a start of it, so that a deadline is one.
    start: Option<Instant>,
    held: bool,
    now: watch::Sender<Duration>,
    waits: Mutex<Vec<Duration>>,
    asleep: Mutex<BTreeMap<u64, Duration>>,
}

/// A sleeper that is dropped sleeps no more.
struct Bed(Arc<Inner>, u64);

impl Drop for Bed {
    fn drop(&mut self) {
        self.0.asleep.lock().unwrap().remove(&self.1);
    }
}

impl Virtual {
    fn new(start: Option<Instant>, held: bool) -> Self {
        let (waits, asleep) = Default::default();
        Self(Arc::new(Inner { start, held, now: watch::Sender::new(Duration::ZERO), waits, asleep }))
    }

    /// Every wait is over at once, and the time that it was for has passed.
    pub(crate) fn skipping() -> Self {
        Self::new(None, false)
    }

    /// The same, and real time passes too.
    pub(crate) fn real_and_skipping() -> Self {
        Self::new(Some(Instant::now()), false)
    }

    /// Time passes only by [`advance`](Self::advance).
    pub(crate) fn held() -> Self {
        Self::new(None, true)
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.now.send_modify(|now| *now += time);
    }

    /// The waits that were begun, in seconds.
    pub(crate) fn waits(&self) -> Vec<f64> {
        self.0.waits.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.now().as_secs_f64()
    }

    /// For how long those who sleep now were to sleep when they began; the shortest first.
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

impl Clock for Virtual {
    fn now(&self) -> Duration {
        *self.0.now.borrow() + self.0.start.map(|start| start.elapsed()).unwrap_or_default()
    }

    fn time_of_day(&self) -> SystemTime {
        // Dates in the tests are held against this one.
        httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap() + self.now()
    }

    fn sleep(&self, time: Duration) -> Sleep {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            inner.waits.lock().unwrap().push(time);
            if !inner.held && time < HORIZON {
                inner.now.send_modify(|now| *now += time);
                // Others get to run, as they do when someone waits.
                return tokio::task::yield_now().await;
            }
            let mut now = inner.now.subscribe();
            let end = *now.borrow() + time;
            let id = fastrand::u64(..);
            inner.asleep.lock().unwrap().insert(id, time);
            let _bed = Bed(Arc::clone(&inner), id);
            let _ = now.wait_for(|now| *now >= end).await;
        })
    }
}
