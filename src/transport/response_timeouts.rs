//! Read timeout and total timeout of a response.

use std::future::Future;
use std::time::Duration;

use sentinelone_raw::runtime::Operation;
use tokio::time::{Instant, timeout_at};

use super::connection::HttpError;
use crate::Result;
use crate::error::{Error, ErrorKind, ErrorRepr};

/// Upper bound of all timeouts, so that adding them to an instant does not overflow.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The read timeout and the deadline of a response. Data that has already arrived sets no timer.
pub(crate) struct ResponseTimeouts {
    operation: &'static Operation,
    read_timeout: Duration,
    deadline: Instant,
    /// Error message after the deadline.
    deadline_message: &'static str,
}

impl ResponseTimeouts {
    /// Starts the timeouts; `total` is the time until the deadline.
    #[inline]
    pub(crate) fn new(
        operation: &'static Operation,
        read_timeout: Duration,
        total: Duration,
        deadline_message: &'static str,
    ) -> Self {
        Self {
            operation,
            read_timeout: read_timeout.min(MAX_TIMEOUT),
            deadline: Instant::now() + total.min(MAX_TIMEOUT),
            deadline_message,
        }
    }

    /// Waits for the next part of the response, within both timeouts.
    pub(super) async fn apply<T>(&self, part: impl Future<Output = Result<T, HttpError>>) -> Result<T> {
        let Self { operation, read_timeout, deadline, deadline_message } = *self;
        let now = Instant::now();
        let read_deadline = now + read_timeout;
        let timeout_error = || {
            let message = match read_deadline < deadline {
                true => format!("no data for {} s", read_timeout.as_secs_f64()),
                false => deadline_message.to_owned(),
            };
            Error::for_operation(operation, ErrorRepr::Connection { kind: ErrorKind::Timeout, message })
        };
        if deadline <= now {
            return Err(timeout_error());
        }
        let part = timeout_at(deadline.min(read_deadline), part).await.map_err(|_| timeout_error())?;
        part.map_err(|error| Error::for_operation(operation, error.into()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::future::{pending, ready};
    use std::time::Duration;

    use sentinelone_raw::OPERATIONS;
    use tokio::time::{Instant, sleep};

    use super::{HttpError, ResponseTimeouts};

    fn timeouts(read_timeout: u64, total: u64) -> ResponseTimeouts {
        let [read_timeout, total] = [read_timeout, total].map(Duration::from_secs);
        ResponseTimeouts::new(OPERATIONS[0], read_timeout, total, "the total timeout elapsed")
    }

    #[tokio::test(start_paused = true)]
    async fn response_timeouts_report_first_expired() {
        let start = Instant::now();
        for (read_timeout, total, message, seconds) in [
            (2, 10, "no data for 2 s", 2),
            (10, 2, "the total timeout elapsed", 2),
            (u64::MAX, 3, "the total timeout elapsed", 3),
            (3, u64::MAX, "no data for 3 s", 3),
        ] {
            let before = start.elapsed();
            let timeouts = timeouts(read_timeout, total);
            let error = timeouts.apply(pending::<Result<(), HttpError>>()).await.unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!((start.elapsed() - before).as_secs(), seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn read_timeout_resets_per_chunk_total_does_not() {
        let timeouts = timeouts(2, 4);
        let part = || async {
            sleep(Duration::from_millis(1_500)).await;
            Ok::<(), HttpError>(())
        };
        assert!(timeouts.apply(part()).await.is_ok());
        assert!(timeouts.apply(part()).await.is_ok());
        let error = timeouts.apply(part()).await.unwrap_err();
        assert!(error.to_string().contains("the total timeout elapsed"), "{error}");
        // Data that has already arrived is too late as well.
        assert!(timeouts.apply(ready(Ok(()))).await.is_err());
    }
}
