//! Polling of queries, scripts and uploads.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::execution::{ProgressEvent, ProgressObserver};
use crate::Result;
use crate::error::Error;

/// Longest part of the timeout that is reserved for the final poll.
const FINAL_POLL_MARGIN: Duration = Duration::from_secs(5);

/// Longest interval and timeout. Larger values would overflow `Instant`.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Interval and timeout of a poll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PollPolicy {
    /// Time between the first poll and the second.
    pub(crate) interval: Duration,
    /// Longest time between two polls. The interval doubles after each poll up to this value.
    pub(crate) max_interval: Duration,
    /// Longest total time.
    pub(crate) timeout: Duration,
}

impl PollPolicy {
    /// Returns a policy with a constant interval.
    pub(crate) const fn fixed(interval: Duration, timeout: Duration) -> Self {
        Self { interval, max_interval: interval, timeout }
    }

    /// Calls `poll` until it returns [`PollStatus::Ready`] and reports the other states to `observer`.
    ///
    /// The first poll is immediate. A poll that is pending when the timeout expires is canceled. Transient errors
    /// are retried, not before the `Retry-After` of the console. Returns `None` on a timeout, or the transient
    /// error if the last poll failed.
    pub(crate) async fn poll<T, F: Future<Output = Result<PollStatus<T>>>>(
        self,
        observer: &dyn ProgressObserver,
        mut poll: impl FnMut() -> F,
    ) -> Result<Option<T>> {
        let end = Instant::now() + self.timeout.min(MAX_DURATION);
        let mut wait = self.interval.min(MAX_DURATION);
        let margin = (self.timeout / 10).min(FINAL_POLL_MARGIN);
        loop {
            let Ok(status) = timeout_at(end, poll()).await else { return Ok(None) };
            let (state, transient) = match status {
                Ok(PollStatus::Ready(value)) => return Ok(Some(value)),
                Ok(PollStatus::Pending(state)) => (state, None),
                Err(error) if error.is_transient() => (error.report().to_string(), Some(error)),
                Err(error) => return Err(error),
            };
            // The final poll starts one margin before the deadline, so that it can finish in time.
            let left = end.saturating_duration_since(Instant::now()).saturating_sub(margin);
            let retry_after = transient.as_ref().and_then(Error::retry_after).unwrap_or_default();
            if left.is_zero() || retry_after > left {
                return transient.map_or(Ok(None), Err);
            }
            let next = wait.min(left).max(retry_after);
            observer.on_event(ProgressEvent::Waiting { state, next });
            sleep(next).await;
            wait = (wait * 2).min(self.max_interval);
        }
    }
}

/// Result of one poll.
pub(crate) enum PollStatus<T> {
    /// The job is finished.
    Ready(T),
    /// The job is not finished; holds its state.
    Pending(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::cell::Cell;

    use super::super::execution::NoProgress;
    use super::*;
    use crate::retry_after::RetryAfter;

    async fn run_polls(interval: u64, timeout: u64, ready_at: Option<u32>) -> (u32, Option<()>, Duration) {
        let policy = PollPolicy::fixed(Duration::from_millis(interval), Duration::from_millis(timeout));
        let (count, start) = (Cell::new(0), Instant::now());
        let found =
            policy.poll(&NoProgress, || {
                count.set(count.get() + 1);
                let ready = Some(count.get()) == ready_at;
                async move {
                    Ok(if ready { PollStatus::Ready(()) } else { PollStatus::Pending("running".into()) })
                }
            });
        let found = found.await.unwrap_or_default();
        (count.get(), found, start.elapsed())
    }

    /// The clock advances only while the test sleeps.
    #[tokio::test(start_paused = true)]
    async fn poll_uses_whole_timeout() {
        let (count, found, took) = run_polls(8000, 8000, None).await;
        assert_eq!((count, found), (2, None), "one immediate poll, one shortly before the deadline");
        assert!(took >= Duration::from_millis(7000) && took <= Duration::from_millis(8000), "{took:?}");
        assert_eq!(run_polls(60_000, 10_000, Some(2)).await.1, Some(()), "the interval exceeds the timeout");
        let (count, found, took) = run_polls(1000, 60_000, Some(5)).await;
        assert_eq!((count, found), (5, Some(())));
        assert_eq!(took.as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn poll_retries_throttling_and_unavailability() {
        let console_error = |status: u16, header: Option<&str>| {
            let status = http::StatusCode::from_u16(status).unwrap();
            let retry_after = |header: &str| RetryAfter {
                header: header.to_owned(),
                delay: header.parse().ok().map(Duration::from_secs),
            };
            let retry_after = header.map(retry_after);
            Error::api(&sentinelone_raw::agents::LIST, status, bytes::Bytes::new(), retry_after)
        };
        let policy = PollPolicy::fixed(Duration::from_secs(1), Duration::from_secs(30));
        let (count, start) = (Cell::new(0), Instant::now());
        let found = policy.poll(&NoProgress, || {
            count.set(count.get() + 1);
            let response = match count.get() {
                1 => Err(console_error(429, Some("7"))),
                2 => Err(console_error(503, None)),
                _ => Ok(PollStatus::Ready(())),
            };
            async move { response }
        });
        assert_eq!(found.await.unwrap(), Some(()));
        assert_eq!(start.elapsed().as_secs(), 8, "Retry-After of 7 s, then the interval of 1 s");
        for (error, max_polls) in [
            (console_error(503, None), 30),
            (console_error(429, Some("60")), 1),
            (console_error(403, None), 1),
        ] {
            let (count, status) = (Cell::new(0), error.status());
            let poll = || {
                count.set(count.get() + 1);
                let error = console_error(status.unwrap().as_u16(), error.retry_after_header());
                async move { Err::<PollStatus<()>, _>(error) }
            };
            assert_eq!(policy.poll(&NoProgress, poll).await.unwrap_err().status(), status);
            assert!(count.get() <= max_polls && count.get() > max_polls / 2, "{status:?}: {}", count.get());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn poll_pending_request_stops_at_deadline() {
        let policy = PollPolicy::fixed(Duration::from_secs(1), Duration::from_secs(3));
        let never = policy.poll(&NoProgress, std::future::pending::<Result<PollStatus<()>>>);
        assert!(matches!(never.await, Ok(None)));
    }
}
