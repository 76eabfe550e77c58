//! How long is waited for the other side.

use std::future::Future;
use std::time::Duration;

use sentinelone_raw::runtime::Operation;
use tokio::time::{Instant, timeout_at};

use crate::Result;
use crate::error::{Error, ErrorKind, Trouble};

/// What nobody waits longer for, and clocks can still count.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// For how long the other side may send nothing, and until when all of it has to be there. What is there already sets
/// no timer.
pub(crate) struct Patience {
    operation: &'static Operation,
    pause: Duration,
    end: Instant,
    /// What is said at the end.
    over: &'static str,
}

impl Patience {
    /// From now on.
    #[inline]
    pub(crate) fn new(
        operation: &'static Operation,
        pause: Duration,
        left: Duration,
        over: &'static str,
    ) -> Self {
        Self { operation, pause: pause.min(FOREVER), end: Instant::now() + left.min(FOREVER), over }
    }

    /// Waits for what comes next.
    pub(crate) async fn with<T>(&self, part: impl Future<Output = reqwest::Result<T>>) -> Result<T> {
        let Self { operation, pause, end, over } = *self;
        let now = Instant::now();
        let still = now + pause;
        let late = || {
            let message = match still < end {
                true => format!("nothing came for {} s", pause.as_secs_f64()),
                false => over.to_owned(),
            };
            Error::of(operation, Trouble::Line { kind: ErrorKind::Timeout, message })
        };
        if end <= now {
            return Err(late());
        }
        let part = timeout_at(end.min(still), part).await.map_err(|_| late())?;
        part.map_err(|error| Error::transport(operation, error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::future::{pending, ready};
    use std::time::Duration;

    use sentinelone_raw::OPERATIONS;
    use tokio::time::{Instant, sleep};

    use super::Patience;

    fn patience(pause: u64, left: u64) -> Patience {
        let [pause, left] = [pause, left].map(Duration::from_secs);
        Patience::new(OPERATIONS[0], pause, left, "it took too long")
    }

    #[tokio::test(start_paused = true)]
    async fn whichever_is_over_first_is_said() {
        let begun = Instant::now();
        for (pause, left, said, after) in [
            (2, 10, "nothing came for 2 s", 2),
            (10, 2, "it took too long", 2),
            (u64::MAX, 3, "it took too long", 3),
            (3, u64::MAX, "nothing came for 3 s", 3),
        ] {
            let before = begun.elapsed();
            let error = patience(pause, left).with(pending::<reqwest::Result<()>>()).await.unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!((begun.elapsed() - before).as_secs(), after);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_begins_anew_with_every_part_and_the_end_does_not() {
        let patience = patience(2, 4);
        let part = || async {
            sleep(Duration::from_millis(1_500)).await;
            reqwest::Result::Ok(())
        };
        assert!(patience.with(part()).await.is_ok());
        assert!(patience.with(part()).await.is_ok());
        let error = patience.with(part()).await.unwrap_err();
        assert!(error.to_string().contains("it took too long"), "{error}");
        // Also what is there already comes too late then.
        assert!(patience.with(ready(Ok(()))).await.is_err());
    }
}
