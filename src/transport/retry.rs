//! When a call is made again, and after how long.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use sentinelone_raw::runtime::{Kind, Operation};

use crate::error::{Error, ErrorKind};

/// The longest wait that is counted with: longer than any call lasts.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The shortest wait after an answer of status 429, whatever it and the dice say.
pub(super) const SHORTEST: Duration = Duration::from_millis(100);

/// How often a call is made again, and how long is waited before.
///
/// What is made again:
///
/// | what happened | a read | an action |
/// | --- | --- | --- |
/// | the console was not reached | yes | yes: nothing arrived there |
/// | no answer in time, the connection broke | yes | no: it may have been done |
/// | 429 | yes | yes: the console refused it |
/// | 503 with `Retry-After` | yes | yes: the console put it off |
/// | 502, 503, 504 | yes | no: it may have been done |
/// | anything else | no | no |
///
/// Before the n-th repetition the client waits for a random part of `first wait * 2^(n-1)`, capped by the
/// longest wait, and no less than `Retry-After` asks for. A wait that would go beyond the
/// [timeout](crate::ClientBuilder::timeout) of the call is not begun: the error comes at once. Answers of
/// status 429 do not count as attempts, since waiting is what they ask for: for them the timeout is the only end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Retry {
    attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
}

impl Default for Retry {
    /// Five attempts; 0.5 s, doubling up to 30 s.
    fn default() -> Self {
        Self { attempts: 5, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

impl Retry {
    /// No call is made again, whatever happens.
    pub fn off() -> Self {
        Self::default().attempts(0)
    }

    /// How many attempts there are in all, the first included. With none or one, no call is made again, not
    /// after a 429 either.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The upper bound of the first wait, which doubles with every attempt.
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// The upper bound of every wait that the console does not ask for.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// How long to wait before a call is made again, of which `counted` attempts are made; `None` when it is not.
    /// `part` is the random part of the wait, which was drawn already.
    pub(crate) fn wait(
        &self,
        operation: &Operation,
        error: &Error,
        counted: u32,
        part: Duration,
    ) -> Option<Duration> {
        let counts = error.status() != Some(StatusCode::TOO_MANY_REQUESTS);
        if self.attempts < 2 || counts && counted >= self.attempts || !is_safe_again(operation, error) {
            return None;
        }
        let wait = error.retry_after_wait().unwrap_or_default().max(part);
        // Whoever is told to wait never comes back at once.
        Some(if counts { wait } else { wait.max(SHORTEST) })
    }

    /// The random part of the wait after so many others.
    pub(crate) fn part(&self, made: u32, random: f64) -> Duration {
        let bound = self.first_wait.saturating_mul(2_u32.saturating_pow(made)).min(self.longest_wait);
        // A source of numbers that is none must not make a wait longer, nor stop the program.
        if (0.0..=1.0).contains(&random) { bound.mul_f64(random) } else { bound }
    }
}

/// Whether making the call again after this error cannot do anything twice.
fn is_safe_again(operation: &Operation, error: &Error) -> bool {
    let repeatable = operation.kind == Kind::Read && operation.idempotent;
    match error.kind() {
        ErrorKind::Connect => true,
        ErrorKind::Timeout | ErrorKind::Broken => repeatable,
        ErrorKind::Api => match error.status().map(|status| status.as_u16()) {
            Some(429) => true,
            Some(503) if error.retry_after_wait().is_some() => true,
            Some(502..=504) => repeatable,
            _ => false,
        },
        _ => false,
    }
}

/// What `Retry-After` says: seconds, or a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryAfter {
    /// As it came.
    pub(crate) text: String,
    /// How long that is from now, and nothing when it is over already; `None` when it means no time.
    pub(crate) wait: Option<Duration>,
}

impl RetryAfter {
    /// Reads the header. A date is held against the one that the answer itself bears, since two clocks seldom
    /// agree.
    pub(crate) fn of(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().to_owned();
        let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
        let there = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
        let wait = seconds(&text).or_else(|| {
            let until = httpdate::parse_http_date(&text).ok()?;
            Some(until.duration_since(there).unwrap_or_default().min(LONGEST))
        });
        Some(Self { text, wait })
    }
}

/// Some servers write fractions, and some the seconds until a moment that is over.
fn seconds(text: &str) -> Option<Duration> {
    let number = text.strip_prefix('-').unwrap_or(text);
    let digits = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = number.parse().ok().filter(|_| digits)?;
    if text.starts_with('-') {
        return Some(Duration::ZERO);
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_every_form() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap();
        let wait = |text: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            date.map(|date| headers.insert(header::DATE, date.parse().unwrap()));
            RetryAfter::of(&headers, now).unwrap().wait.map(|wait| wait.as_secs_f64())
        };
        assert_eq!(wait("7", None), Some(7.0));
        assert_eq!(wait(" 1.5 ", None), Some(1.5));
        assert_eq!(wait("0", None), Some(0.0));
        assert_eq!(wait("-30", None), Some(0.0), "a moment that is over");
        assert_eq!(wait("Sat, 21 Nov 2026 12:00:30 GMT", None), Some(30.0));
        assert_eq!(wait("Sat, 21 Nov 2026 11:00:00 GMT", None), Some(0.0), "a date that is over");
        let (until, there) = ("Sat, 21 Nov 2026 15:00:05 GMT", "Sat, 21 Nov 2026 15:00:00 GMT");
        assert_eq!(wait(until, Some(there)), Some(5.0), "by the console's clock, which is three hours ahead");
        let years = wait("99999999999999999999999999", None).unwrap();
        assert_eq!(years, LONGEST.as_secs_f64());
        for none in ["", "soon", "1e9", "NaN", "inf", "1.2.3", "+5"] {
            assert_eq!(wait(none, None), None, "{none}");
        }
    }

    #[test]
    fn waits_are_a_random_part_of_what_doubles() {
        let retry = Retry::default().first_wait(Duration::from_secs(1)).longest_wait(Duration::from_secs(10));
        let parts = |random: f64| (0..6).map(move |made| retry.part(made, random).as_secs_f64());
        assert_eq!(parts(1.0).collect::<Vec<_>>(), [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(parts(0.5).collect::<Vec<_>>(), [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]);
        assert_eq!(parts(0.0).sum::<f64>(), 0.0, "full jitter reaches down to nothing");
        assert_eq!(parts(f64::NAN).collect::<Vec<_>>(), parts(1.0).collect::<Vec<_>>());
        assert_eq!(parts(-3.0).collect::<Vec<_>>(), parts(1.0).collect::<Vec<_>>());
        assert_eq!(retry.part(u32::MAX, 1.0).as_secs(), 10, "however many there were");
    }
}
