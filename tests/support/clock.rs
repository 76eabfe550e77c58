//! A clock that goes ahead instead of waiting.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sentinelone::{Clock, Sleep};

/// Every sleep is over at once, and the time has passed. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaping(Arc<Mutex<Duration>>);

impl Clock for Leaping {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn time_of_day(&self) -> SystemTime {
        // 2026-11-21T12:00:00Z
        UNIX_EPOCH + Duration::from_secs(1_795_262_400) + self.now()
    }

    fn sleep(&self, time: Duration) -> Sleep {
        let now = Arc::clone(&self.0);
        Box::pin(async move {
            // Others get their turn while time passes.
            tokio::task::yield_now().await;
            *now.lock().unwrap() += time;
        })
    }
}
