//! Waiting for what takes a while: queries, scripts, uploads.

use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::{ArgumentError, Arguments};
use crate::Result;
use crate::error::Error;

/// How much of the time is kept for the last look.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Longer than anyone waits, and short enough for the clock to count.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Something that happened while a command ran.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Something was started on the console that goes on by itself. With this argument of the command it is
    /// taken up again, should the command be ended.
    Started {
        /// Name of the argument, such as `query_id`.
        argument: &'static str,
        /// Its value.
        value: String,
    },
    /// It is not finished yet; the next look is after this time.
    Waiting {
        /// What the console says of it.
        state: String,
        /// How long until the next look.
        next: Duration,
    },
    /// A part of a file arrived.
    Received {
        /// Name of the file.
        name: String,
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all, where the server said so.
        total: Option<u64>,
    },
    /// A further page of a list was read.
    Listed {
        /// How many things it added to those before.
        things: usize,
    },
}

/// What became of a page that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Taken {
    /// It was not taken: it goes into the outcome.
    No,
    /// It was, and is not held any longer: the outcome is without it.
    Yes,
    /// It was, and no further one is wanted.
    Last,
}

/// Who wants to know what happens while a command runs: a progress bar, a log.
pub trait Watch: Send + Sync {
    /// Called as it happens. It must not block.
    fn on(&self, event: Event);

    /// Called with what each page of a list adds to what is found, in order. Whoever takes it keeps long lists
    /// out of memory.
    fn page(&self, things: &[Value]) -> Taken {
        let _ = things;
        Taken::No
    }
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {
    fn on(&self, _: Event) {}
}

/// How long to wait, and how often to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patience {
    /// Between the first look and the second.
    pub(super) interval: Duration,
    /// Between any two looks; the time between them doubles up to this.
    pub(super) slowest: Duration,
    /// In all.
    pub(super) timeout: Duration,
}

impl Patience {
    /// The same time between all looks.
    pub(super) const fn steady(interval: Duration, timeout: Duration) -> Self {
        Self { interval, slowest: interval, timeout }
    }

    /// Looks until one finds something, and tells the others' state; `None` when the time is over. The first
    /// look comes at once. A look that is under way when the time is over is given up. One that fails for
    /// what may pass is made again, and no earlier than the console asks for; its error stands when the time is
    /// over.
    pub(super) async fn until<T, F: Future<Output = Result<Look<T>>>>(
        self,
        watch: &dyn Watch,
        mut look: impl FnMut() -> F,
    ) -> Result<Option<T>> {
        let end = Instant::now() + self.timeout.min(LONGEST);
        let mut wait = self.interval.min(LONGEST);
        let last_look = (self.timeout / 10).min(LAST_LOOK);
        loop {
            let Ok(found) = timeout_at(end, look()).await else { return Ok(None) };
            let (state, trouble) = match found {
                Ok(Look::Found(found)) => return Ok(Some(found)),
                Ok(Look::NotYet(state)) => (state, None),
                Err(error) if error.may_pass() => (error.to_string(), Some(error)),
                Err(error) => return Err(error),
            };
            // The last look comes shortly before the time is over, with time to be answered, and not up to an
            // interval earlier.
            let left = end.saturating_duration_since(Instant::now()).saturating_sub(last_look);
            let asked = trouble.as_ref().and_then(Error::retry_after_wait).unwrap_or_default();
            if left.is_zero() || asked > left {
                return trouble.map_or(Ok(None), Err);
            }
            let next = wait.min(left).max(asked);
            watch.on(Event::Waiting { state, next });
            sleep(next).await;
            wait = (wait * 2).min(self.slowest);
        }
    }
}

/// The seconds that an argument says.
pub(super) fn seconds(
    arguments: &mut Arguments,
    name: &str,
    default: Duration,
) -> Result<Duration, ArgumentError> {
    Ok(arguments.count(name)?.map_or(default, Duration::from_secs))
}

/// What a look found.
pub(super) enum Look<T> {
    /// It is there.
    Found(T),
    /// Not yet: the state that it is in.
    NotYet(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::transport::RetryAfter;

    async fn looks(interval: u64, timeout: u64, found_at: Option<u32>) -> (u32, Option<()>, Duration) {
        let patience = Patience::steady(Duration::from_millis(interval), Duration::from_millis(timeout));
        let (looks, start) = (Cell::new(0), Instant::now());
        let found = patience.until(&Silent, || {
            looks.set(looks.get() + 1);
            let found = Some(looks.get()) == found_at;
            async move { Ok(if found { Look::Found(()) } else { Look::NotYet("on its way".into()) }) }
        });
        let found = found.await.unwrap_or_default();
        (looks.get(), found, start.elapsed())
    }

    /// Time stands still but for what is waited for.
    #[tokio::test(start_paused = true)]
    async fn the_time_is_waited_out() {
        let (count, found, took) = looks(8000, 8000, None).await;
        assert_eq!((count, found), (2, None), "one look at once, one shortly before the end");
        assert!(took >= Duration::from_millis(7000) && took <= Duration::from_millis(8000), "{took:?}");
        assert_eq!(looks(60_000, 10_000, Some(2)).await.1, Some(()), "an interval longer than the time");
        let (count, found, took) = looks(1000, 60_000, Some(5)).await;
        assert_eq!((count, found), (5, Some(())));
        assert_eq!(took.as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_waited_out() {
        let busy = |status: u16, wait: Option<&str>| {
            let status = http::StatusCode::from_u16(status).unwrap();
            let after = |text: &str| RetryAfter {
                text: text.to_owned(),
                wait: text.parse().ok().map(Duration::from_secs),
            };
            Error::api(&sentinelone_raw::agents::LIST, status, bytes::Bytes::new(), wait.map(after))
        };
        let patience = Patience::steady(Duration::from_secs(1), Duration::from_secs(30));
        let (looks, start) = (Cell::new(0), Instant::now());
        let found = patience.until(&Silent, || {
            looks.set(looks.get() + 1);
            let answer = match looks.get() {
                1 => Err(busy(429, Some("7"))),
                2 => Err(busy(503, None)),
                _ => Ok(Look::Found(())),
            };
            async move { answer }
        });
        assert_eq!(found.await.unwrap(), Some(()));
        assert_eq!(start.elapsed().as_secs(), 8, "seven as asked for, and one");
        for (error, looks_made) in [(busy(503, None), 30), (busy(429, Some("60")), 1), (busy(403, None), 1)] {
            let (looks, status) = (Cell::new(0), error.status());
            let look = || {
                looks.set(looks.get() + 1);
                let again = busy(status.unwrap().as_u16(), error.retry_after());
                async move { Err::<Look<()>, _>(again) }
            };
            assert_eq!(patience.until(&Silent, look).await.unwrap_err().status(), status);
            assert!(looks.get() <= looks_made && looks.get() > looks_made / 2, "{status:?}: {}", looks.get());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_never_answered_ends_with_the_time() {
        let patience = Patience::steady(Duration::from_secs(1), Duration::from_secs(3));
        let never = patience.until(&Silent, std::future::pending::<Result<Look<()>>>);
        assert!(matches!(never.await, Ok(None)));
    }
}
