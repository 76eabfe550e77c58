//! Retries and backoff.

use std::time::Duration;

use http::StatusCode;
use sentinelone_raw::runtime::{Operation, OperationKind};

use crate::Result;
use crate::error::{Error, ErrorKind};

/// Minimum delay after a response with status 429.
pub(super) const MIN_THROTTLED_DELAY: Duration = Duration::from_millis(100);

/// Minimum delay after a response with status 409, which ends when another query or a query itself is finished.
const MIN_CONFLICT_DELAY: Duration = Duration::from_secs(1);

/// The number of retries and the delays before them.
///
/// | failure | read | action |
/// | --- | --- | --- |
/// | the console was not reached | retried | retried: the request was not delivered |
/// | no response in time, or the connection was lost | retried | not retried: it may have taken effect |
/// | 429 | retried | retried: the console rejected it |
/// | 503 with `Retry-After` | retried | retried: the console deferred it |
/// | 409 of Deep Visibility: a query is running | retried | only starting a query is retried |
/// | 502, 503, 504 | retried | not retried: it may have taken effect |
/// | any other response | not retried | not retried |
///
/// The delay before the n-th retry is random between zero and `initial_backoff * 2^(n-1)`, at most `max_backoff`, and
/// never shorter than `Retry-After`. A call whose next delay exceeds the remaining [call
/// timeout](crate::ClientBuilder::timeout) fails immediately with the last error. Responses with status 429 and the 409
/// of Deep Visibility do not count as attempts, so only the call timeout limits them. A host name without a domain that
/// does not resolve is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
}

impl Default for RetryPolicy {
    /// Returns a policy with five attempts and a backoff of 0.5 s, which doubles up to 30 s.
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy without retries.
    pub fn disabled() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets the maximum number of attempts, including the first one; 1 or more. 1 disables retries, also after a 429.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the upper bound of the first delay, which doubles with each attempt; above zero.
    pub fn initial_backoff(mut self, delay: Duration) -> Self {
        self.initial_backoff = delay;
        self
    }

    /// Sets the upper bound of all backoff delays; above zero. It does not apply to delays that the console requests.
    pub fn max_backoff(mut self, delay: Duration) -> Self {
        self.max_backoff = delay;
        self
    }

    /// Checks the settings.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.max_attempts == 0 {
            let error = Error::configuration("max_attempts of the retry policy is 0; expected 1 or more");
            return Err(error.with_help("use RetryPolicy::disabled for a single attempt"));
        }
        require_time("initial_backoff of the retry policy", self.initial_backoff)?;
        require_time("max_backoff of the retry policy", self.max_backoff)
    }

    /// Returns the delay before the next attempt, or `None` if the call is not retried. `counted` is the number of
    /// attempts so far, and `backoff` is the jittered backoff.
    pub(crate) fn delay(
        &self,
        operation: &Operation,
        error: &Error,
        counted: u32,
        backoff: Duration,
    ) -> Option<Duration> {
        let minimum = uncounted_delay(error);
        let counts = minimum.is_none();
        if self.max_attempts < 2 || counts && counted >= self.max_attempts || !is_retryable(operation, error)
        {
            return None;
        }
        let delay = error.retry_after().unwrap_or_default().max(backoff);
        Some(delay.max(minimum.unwrap_or_default()))
    }

    /// Returns the jittered backoff after `retries` retries. `random` is a number from 0 to 1.
    pub(crate) fn jittered_backoff(&self, retries: u32, random: f64) -> Duration {
        let bound = self.initial_backoff.saturating_mul(2_u32.saturating_pow(retries)).min(self.max_backoff);
        // An invalid number of a custom jitter source must not cause a longer delay or a panic.
        if (0.0..=1.0).contains(&random) { bound.mul_f64(random) } else { bound }
    }
}

/// Returns an error if a time is zero.
pub(crate) fn require_time(name: &str, time: Duration) -> Result<()> {
    if time.is_zero() {
        return Err(Error::configuration(format!("{name} is 0 s; expected a time above zero")));
    }
    Ok(())
}

/// Returns the minimum delay after an attempt that does not count; `None` for an attempt that counts.
pub(super) fn uncounted_delay(error: &Error) -> Option<Duration> {
    match error.status() {
        Some(StatusCode::TOO_MANY_REQUESTS) => Some(MIN_THROTTLED_DELAY),
        _ if error.is_temporary_conflict() => Some(MIN_CONFLICT_DELAY),
        _ => None,
    }
}

/// Returns whether a retry after this error cannot apply the operation twice.
fn is_retryable(operation: &Operation, error: &Error) -> bool {
    let repeatable = operation.kind == OperationKind::Read && operation.idempotent;
    match error.kind() {
        ErrorKind::Connect => true,
        ErrorKind::Timeout | ErrorKind::ConnectionLost => repeatable,
        ErrorKind::Api => match error.status().map(|status| status.as_u16()) {
            Some(429) => true,
            // The console rejected the request.
            Some(409) => error.is_temporary_conflict(),
            Some(503) if error.retry_after().is_some() => true,
            Some(502..=504) => repeatable,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_with_full_jitter() {
        let retry = RetryPolicy::default()
            .initial_backoff(Duration::from_secs(1))
            .max_backoff(Duration::from_secs(10));
        let delays =
            |random: f64| (0..6).map(move |retries| retry.jittered_backoff(retries, random).as_secs_f64());
        assert_eq!(delays(1.0).collect::<Vec<_>>(), [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(delays(0.5).collect::<Vec<_>>(), [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]);
        assert_eq!(delays(0.0).sum::<f64>(), 0.0, "full jitter includes zero");
        assert_eq!(delays(f64::NAN).collect::<Vec<_>>(), delays(1.0).collect::<Vec<_>>());
        assert_eq!(delays(-3.0).collect::<Vec<_>>(), delays(1.0).collect::<Vec<_>>());
        assert_eq!(retry.jittered_backoff(u32::MAX, 1.0).as_secs(), 10, "the delay has an upper bound");
    }
}
