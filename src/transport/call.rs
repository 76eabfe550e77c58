//! Runs a call: rate-limit permits, attempts and backoff within one timeout.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ::http::StatusCode;
use tracing::{Span, debug, info, warn};

use super::config::CallConfig;
use super::lock::lock;
use super::rate_limits::Permit;
use super::retry::{MIN_THROTTLED_DELAY, uncounted_delay};
use super::target::{CallTarget, ResponseMetrics};
use crate::Result;
use crate::error::{Error, ErrorKind, ErrorRepr, History, LimitTimeout};

/// One attempt of a call. It is boxed so that the compiler checks `Send` once, and not through all nested futures.
pub(super) type Attempt<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Starts an attempt of a call. The argument is the remaining time.
pub(super) type StartAttempt<'a, T> = &'a (dyn Fn(Duration) -> Attempt<'a, T> + Send + Sync + 'a);

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A running call.
pub(super) struct Call<'a, T> {
    config: &'a CallConfig,
    target: &'a CallTarget<'a>,
    attempt: StartAttempt<'a, T>,
    start: Duration,
    state: Mutex<CallState>,
}

/// The state of a running call.
#[derive(Default)]
struct CallState {
    history: History,
    /// Number of attempts, without those that the console throttled or that met a running query.
    counted: u32,
    waited: Duration,
    /// Error of the last attempt.
    last_error: Option<Error>,
    /// Whether the remaining time is too short for another attempt.
    timed_out: bool,
    /// Whether the end of the call was logged.
    reported: bool,
}

/// A failed attempt, or an attempt without a permit. `CallState` has the error.
struct Failed;

/// The future of an attempt, or of a whole call.
type CallFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send + 'a>>;

impl<'a, T> Call<'a, T> {
    pub(super) fn new(
        config: &'a CallConfig,
        target: &'a CallTarget<'a>,
        attempt: StartAttempt<'a, T>,
    ) -> Self {
        let start = config.clock.now();
        Self { config, target, attempt, start, state: Mutex::default() }
    }

    /// Records the metrics in the span and logs the end of the call, once. `end` is `None` for a dropped call, and
    /// otherwise has the error kind, if the call failed.
    fn report(&self, end: Option<Option<ErrorKind>>) {
        let (history, waited) = {
            let mut state = self.state();
            if std::mem::replace(&mut state.reported, true) {
                return;
            }
            (state.history, state.waited)
        };
        let span = Span::current();
        span.record("attempts", history.attempts);
        span.record("waited_ms", millis(waited));
        let ResponseMetrics { status, bytes, request_id } = std::mem::take(&mut *self.target.metrics());
        span.record("status", status).record("bytes", bytes).record("request_id", request_id);
        match end {
            Some(None) => info!(target: "sentinelone", "completed"),
            Some(Some(kind)) => {
                span.record("error", tracing::field::debug(kind));
                info!(target: "sentinelone", "failed");
            }
            None => info!(target: "sentinelone", "dropped"),
        }
    }

    fn state(&self) -> MutexGuard<'_, CallState> {
        lock(&self.state)
    }
}

/// Reports a dropped call.
impl<T> Drop for Call<'_, T> {
    fn drop(&mut self) {
        self.report(None);
    }
}

impl<T: Send> Call<'_, T> {
    /// Runs the call. Returns the result of the last attempt with the history, which the caller needs if the response
    /// does not decode.
    pub(super) async fn run(self) -> Result<(T, History)> {
        let result = self.attempts().await;
        let history = self.state().history;
        let result = result.map_err(|Failed| {
            let last_error = self.state().last_error.take();
            last_error.unwrap_or_else(|| self.limit_error(LimitTimeout::CallTimeout))
        });
        self.report(Some(result.as_ref().err().map(Error::kind)));
        result.map(|value| (value, history)).map_err(|error| error.with_history(history))
    }

    /// Runs attempts until one succeeds or is not retried.
    async fn attempts(&self) -> Result<T, Failed> {
        let CallConfig { retry, random, clock, .. } = self.config;
        let mut retries = 0_u32;
        loop {
            match self.run_attempt().await {
                Ok(value) => return Ok(value),
                Err(Failed) => {
                    let backoff = retry.jittered_backoff(retries, random());
                    let delay = self.next_delay(backoff).ok_or(Failed)?;
                    self.record_delay(delay);
                    clock.sleep(delay).await;
                    retries = retries.saturating_add(1);
                }
            }
        }
    }

    /// Acquires a permit and runs one attempt.
    fn run_attempt(&self) -> CallFuture<'_, T> {
        Box::pin(async {
            let (left, permit) = match self.acquire_permit().await {
                Ok(acquired) => acquired,
                Err(error) => {
                    let mut state = self.state();
                    state.timed_out = true;
                    // The error of the previous attempt is more useful than a missing permit.
                    state.last_error.get_or_insert(error);
                    return Err(Failed);
                }
            };
            let number = {
                let history = &mut self.state().history;
                history.attempts += 1;
                history.attempts
            };
            *self.target.metrics() = ResponseMetrics::default();
            debug!(target: "sentinelone", attempt = number, "sending");
            let result = (self.attempt)(left).await;
            match (&result, &permit) {
                (Ok(_), Some(permit)) => permit.succeeded(),
                (Err(error), Some(permit)) if is_throttled(error) => permit.throttled(),
                _ => {}
            }
            result.map_err(|error| {
                let mut state = self.state();
                state.history.add(&error);
                state.counted += u32::from(uncounted_delay(&error).is_none());
                state.last_error = Some(error);
                Failed
            })
        })
    }

    /// Acquires a rate-limit permit for an attempt; another server than the console needs none. Returns the remaining
    /// time of the call, too.
    async fn acquire_permit(&self) -> Result<(Duration, Option<Permit>)> {
        let mut permit = None;
        if self.target.prepared.is_some() {
            let CallConfig { limits, clock, .. } = self.config;
            let acquired = limits.acquire(self.target.operation, clock, self.left()).await;
            self.state().waited += acquired.as_ref().map_or_else(|timeout| timeout.waited, |one| one.waited);
            permit = Some(acquired.map_err(|timeout| self.limit_error(timeout.reason))?);
        }
        let left = self.left();
        if left.is_zero() { Err(self.limit_error(LimitTimeout::CallTimeout)) } else { Ok((left, permit)) }
    }

    fn limit_error(&self, reason: LimitTimeout) -> Error {
        Error::for_operation(self.target.operation, ErrorRepr::RateLimitTimeout(reason))
    }

    /// Returns the delay before the next attempt, or `None` if the call is not retried.
    fn next_delay(&self, backoff: Duration) -> Option<Duration> {
        let state = self.state();
        let error = state.last_error.as_ref().filter(|_| !state.timed_out)?;
        let CallConfig { retry, limits, clock, console, .. } = self.config;
        // A name without a domain is a mistake and not a failure of the network.
        if self.target.prepared.is_some() && console.short_host().is_some() && error.is_dns_failure() {
            return None;
        }
        let delay = retry.delay(self.target.operation, error, state.counted, backoff);
        if self.target.prepared.is_some() && is_throttled(error) {
            // The pause applies to other calls even if this call is not retried.
            let pause = delay.or(error.retry_after()).unwrap_or(backoff).max(MIN_THROTTLED_DELAY);
            limits.pause(self.target.operation, clock.now(), pause);
        }
        // A delay beyond the call timeout is not started.
        delay.filter(|delay| *delay < self.left())
    }

    /// Adds a delay to the time waited, and logs the retry.
    fn record_delay(&self, delay: Duration) {
        let mut state = self.state();
        state.waited += delay;
        let Some(error) = &state.last_error else { return };
        let status = error.status().map(|status| status.as_u16());
        let (kind, wait_ms) = (error.kind(), millis(delay));
        let (operation, attempt) = (self.target.operation.id, state.history.attempts);
        // The span may be disabled at this level.
        warn!(
            target: "sentinelone",
            operation,
            attempt,
            status,
            ?kind,
            wait_ms,
            "attempt failed; retrying after a delay"
        );
    }

    /// Returns the remaining time of the call.
    fn left(&self) -> Duration {
        let CallConfig { timeout, clock, .. } = self.config;
        timeout.saturating_sub(clock.now().saturating_sub(self.start))
    }
}

fn is_throttled(error: &Error) -> bool {
    error.status() == Some(StatusCode::TOO_MANY_REQUESTS)
}
