//! A call: attempt after attempt, each in its turn, within one deadline.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::StatusCode;
use backon::Retryable;
use tracing::{Span, debug, info, warn};

use super::limits::Held;
use super::retry::{Retry, SHORTEST};
use super::{Answered, Asked, Settings};
use crate::Result;
use crate::error::{Error, ErrorKind, History, Trouble};

/// One attempt of a call. It is boxed so that the compiler need not look through all of them to see that a call
/// may move between threads.
pub(super) type Attempt<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What makes the attempts of a call, each within the time that is left.
pub(super) type Attempts<'a, T> = &'a (dyn Fn(Duration) -> Attempt<'a, T> + Send + Sync + 'a);

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The random parts of waits, for the loop that waits them.
struct Parts<'a> {
    retry: Retry,
    random: &'a (dyn Fn() -> f64 + Send + Sync),
    made: u32,
}

impl Iterator for Parts<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let part = self.retry.part(self.made, (self.random)());
        self.made = self.made.saturating_add(1);
        Some(part)
    }
}

/// A call on its way.
pub(super) struct Call<'a, T> {
    settings: &'a Settings,
    asked: &'a Asked<'a>,
    attempt: Attempts<'a, T>,
    start: Duration,
    steps: Mutex<Steps>,
}

/// How far a call has come.
#[derive(Default)]
struct Steps {
    history: History,
    /// Attempts without those that the console refused for their number.
    counted: u32,
    waited: Duration,
    /// What the last attempt came to.
    failed: Option<Error>,
    /// Whether there is no time for another one.
    over: bool,
    /// Whether the end was told.
    told: bool,
}

/// An attempt failed, or was not made; the steps say why.
struct Failed;

/// An attempt, or a call of them.
type Try<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 'a>>;

impl<'a, T> Call<'a, T> {
    pub(super) fn new(settings: &'a Settings, asked: &'a Asked<'a>, attempt: Attempts<'a, T>) -> Self {
        let start = settings.clock.now();
        Self { settings, asked, attempt, start, steps: Mutex::default() }
    }

    /// Tells the span of the call its numbers, once, and the log that it is over: `None` when it was dropped.
    fn tell(&self, end: Option<Option<ErrorKind>>) {
        let (history, waited) = {
            let mut steps = self.steps();
            if std::mem::replace(&mut steps.told, true) {
                return;
            }
            (steps.history, steps.waited)
        };
        let span = Span::current();
        span.record("attempts", history.attempts);
        span.record("waited_ms", millis(waited));
        let Answered { status, bytes, request_id } = std::mem::take(&mut *self.asked.answered());
        span.record("status", status).record("bytes", bytes).record("request_id", request_id);
        match end {
            Some(None) => info!(target: "sentinelone", "done"),
            Some(Some(kind)) => {
                span.record("error", tracing::field::debug(kind));
                info!(target: "sentinelone", "failed");
            }
            None => info!(target: "sentinelone", "dropped"),
        }
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that nobody waits for any more is told too.
impl<T> Drop for Call<'_, T> {
    fn drop(&mut self) {
        self.tell(None);
    }
}

impl<T: Send> Call<'_, T> {
    /// Gives what came of it, and what the attempts came to: an answer may still turn out to be none.
    pub(super) async fn run(self) -> Result<(T, History)> {
        let result = self.attempts().await;
        let history = self.steps().history;
        let result = result.map_err(|Failed| {
            let failed = self.steps().failed.take();
            failed.unwrap_or_else(|| self.held(Held::Over))
        });
        self.tell(Some(result.as_ref().err().map(Error::kind)));
        result.map(|value| (value, history)).map_err(|error| error.after(history))
    }

    fn attempts(&self) -> Try<'_, T> {
        let parts = Parts { retry: self.settings.retry, random: &*self.settings.random, made: 0 };
        let clock = Arc::clone(&self.settings.clock);
        let attempts = (move || self.once())
            .retry(parts)
            .sleep(move |wait| clock.sleep(wait))
            .adjust(move |_: &Failed, part: Option<Duration>| self.again(part.unwrap_or_default()))
            .notify(move |_: &Failed, wait: Duration| self.waits(wait));
        Box::pin(attempts.into_future())
    }

    /// One attempt, in its turn.
    fn once(&self) -> Try<'_, T> {
        Box::pin(async {
            let left = match self.turn().await {
                Ok(left) => left,
                Err(held) => {
                    let mut steps = self.steps();
                    steps.over = true;
                    // What the attempt before came to says more than that there is no time for another one.
                    steps.failed.get_or_insert(held);
                    return Err(Failed);
                }
            };
            let number = {
                let history = &mut self.steps().history;
                history.attempts += 1;
                history.attempts
            };
            *self.asked.answered() = Answered::default();
            debug!(target: "sentinelone", attempt = number, "sending");
            (self.attempt)(left).await.map_err(|error| {
                let mut steps = self.steps();
                steps.history.add(&error);
                steps.counted += u32::from(!is_throttled(&error));
                steps.failed = Some(error);
                Failed
            })
        })
    }

    /// Waits for the turn of an attempt; gives how long it may take.
    async fn turn(&self) -> Result<Duration> {
        if self.asked.prepared.is_some() {
            let Settings { limits, clock, .. } = self.settings;
            let turn = limits.turn(self.asked.operation, clock, self.left()).await;
            self.steps().waited += turn.as_ref().map_or_else(|late| late.waited, |waited| *waited);
            turn.map_err(|late| self.held(late.held))?;
        }
        let left = self.left();
        if left.is_zero() { Err(self.held(Held::Over)) } else { Ok(left) }
    }

    fn held(&self, held: Held) -> Error {
        Error::of(self.asked.operation, Trouble::Held(held))
    }

    /// How long to wait before another attempt, if there is one. `part` is the random part of it.
    fn again(&self, part: Duration) -> Option<Duration> {
        let steps = self.steps();
        let error = steps.failed.as_ref().filter(|_| !steps.over)?;
        let Settings { retry, limits, clock, .. } = self.settings;
        let wait = retry.wait(self.asked.operation, error, steps.counted, part);
        if self.asked.prepared.is_some() && is_throttled(error) {
            // Others are held up too when this call itself is not made again.
            let pause = wait.or(error.retry_after_wait()).unwrap_or(part).max(SHORTEST);
            limits.pause(self.asked.operation, clock.now(), pause);
        }
        // What would be over before the wait is, is over now.
        wait.filter(|wait| *wait < self.left())
    }

    fn waits(&self, wait: Duration) {
        let mut steps = self.steps();
        steps.waited += wait;
        let Some(error) = &steps.failed else { return };
        let status = error.status().map(|status| status.as_u16());
        let (kind, wait_ms) = (error.kind(), millis(wait));
        let (operation, attempt) = (self.asked.operation.id, steps.history.attempts);
        // The span may be off at this level.
        warn!(
            target: "sentinelone",
            operation,
            attempt,
            status,
            ?kind,
            wait_ms,
            "failed; tried again after a wait"
        );
    }

    /// How long the call may still last.
    fn left(&self) -> Duration {
        let Settings { timeout, clock, .. } = self.settings;
        timeout.saturating_sub(clock.now().saturating_sub(self.start))
    }
}

fn is_throttled(error: &Error) -> bool {
    error.status() == Some(StatusCode::TOO_MANY_REQUESTS)
}
