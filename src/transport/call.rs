//! A call: attempt after attempt, each in its turn, within one deadline.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::StatusCode;
use backon::Retryable;
use sentinelone_raw::runtime::Operation;
use tracing::{Span, debug, info, warn};

use super::limits::TooLate;
use super::retry::Retry;
use super::{Settings, Transport};
use crate::Result;
use crate::error::{Error, History, Trouble};

/// One attempt of a call. It is boxed so that the compiler need not look through all of them to see that a call
/// may move between threads.
pub(super) type Attempt<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What makes the attempts of a call, each within the time that is left.
pub(super) type Attempts<'a, T> = &'a (dyn Fn(Duration) -> Attempt<'a, T> + Send + Sync + 'a);

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The random parts of waits, for the loop that waits them.
struct Parts {
    retry: Retry,
    random: Arc<dyn Fn() -> f64 + Send + Sync>,
    made: u32,
}

impl Iterator for Parts {
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
    operation: &'static Operation,
    /// Whether it takes turns with others.
    limited: bool,
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
}

/// An attempt failed, or was not made; the steps say why.
struct Failed;

/// An attempt, or a call of them.
type Try<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 'a>>;

impl<'a, T: Send> Call<'a, T> {
    pub(super) fn new(
        transport: &'a Transport,
        operation: &'static Operation,
        limited: bool,
        attempt: Attempts<'a, T>,
    ) -> Self {
        let settings = &transport.settings;
        let start = settings.clock.now();
        Self { settings, operation, limited, attempt, start, steps: Mutex::default() }
    }

    /// Gives what came of it, and what the attempts came to: an answer may still turn out to be none.
    pub(super) async fn run(self) -> Result<(T, History)> {
        let result = self.attempts().await;
        let Steps { history, waited, failed, .. } = std::mem::take(&mut *self.steps());
        let span = Span::current();
        span.record("attempts", history.attempts);
        span.record("waited_ms", millis(waited));
        match result {
            Ok(value) => {
                info!(target: "sentinelone", "done");
                Ok((value, history))
            }
            Err(Failed) => {
                let error = failed.unwrap_or_else(|| self.held(Duration::ZERO, false));
                span.record("error", tracing::field::debug(error.kind()));
                info!(target: "sentinelone", "failed");
                Err(error.after(history))
            }
        }
    }

    fn attempts(&self) -> Try<'_, T> {
        let parts = Parts { retry: self.settings.retry, random: Arc::clone(&self.settings.random), made: 0 };
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
            let turn = self.turn().await;
            if let Err(held) = turn {
                let mut steps = self.steps();
                steps.over = true;
                // What the attempt before came to says more than that there is no time for another one.
                steps.failed.get_or_insert(held);
                return Err(Failed);
            }
            let number = {
                let history = &mut self.steps().history;
                history.attempts += 1;
                history.attempts
            };
            debug!(target: "sentinelone", attempt = number, "sending");
            (self.attempt)(self.left()).await.map_err(|error| {
                let mut steps = self.steps();
                steps.history.add(&error);
                steps.counted += u32::from(!is_throttled(&error));
                steps.failed = Some(error);
                Failed
            })
        })
    }

    /// Waits for the turn of an attempt.
    async fn turn(&self) -> Result<()> {
        if self.limited {
            let Settings { limits, clock, .. } = self.settings;
            let turn = limits.turn(self.operation, clock, self.left()).await;
            self.steps().waited += turn.map_err(|TooLate { wait, paused }| self.held(wait, paused))?;
        }
        if self.left().is_zero() { Err(self.held(Duration::ZERO, false)) } else { Ok(()) }
    }

    fn held(&self, wait: Duration, paused: bool) -> Error {
        Error::of(self.operation, Trouble::Held { wait, paused })
    }

    /// How long to wait before another attempt, if there is one. `part` is the random part of it.
    fn again(&self, part: Duration) -> Option<Duration> {
        let steps = self.steps();
        let error = steps.failed.as_ref().filter(|_| !steps.over)?;
        let Settings { retry, limits, clock, .. } = self.settings;
        let wait = retry.wait(self.operation, error, steps.counted, part);
        if self.limited && is_throttled(error) {
            let pause = wait.or(error.retry_after_wait()).unwrap_or_default();
            limits.pause(self.operation, clock.now(), pause);
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
        warn!(target: "sentinelone", status, ?kind, wait_ms, "failed; tried again after a wait");
    }

    /// How long the call may still last.
    fn left(&self) -> Duration {
        let Settings { timeout, clock, .. } = self.settings;
        timeout.saturating_sub(clock.now().saturating_sub(self.start))
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_throttled(error: &Error) -> bool {
    error.status() == Some(StatusCode::TOO_MANY_REQUESTS)
}
