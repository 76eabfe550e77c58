//! The `Retry-After` header.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// Upper bound of a requested delay; longer than any call timeout.
const MAX_DELAY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The `Retry-After` header: seconds, or a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryAfter {
    /// Unparsed header value.
    pub(crate) header: String,
    /// Delay; zero for a time in the past, `None` if the header is invalid.
    pub(crate) delay: Option<Duration>,
}

impl RetryAfter {
    /// Parses the header. A date is relative to the `Date` header of the response, because the two clocks may differ.
    pub(crate) fn parse(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let header = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().to_owned();
        let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
        let server_time = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
        let delay = parse_seconds(&header).or_else(|| {
            let until = httpdate::parse_http_date(&header).ok()?;
            Some(until.duration_since(server_time).unwrap_or_default().min(MAX_DELAY))
        });
        Some(Self { header, delay })
    }
}

/// Parses seconds. Some servers send fractions, and some send negative seconds for a time in the past.
fn parse_seconds(header: &str) -> Option<Duration> {
    let number = header.strip_prefix('-').unwrap_or(header);
    let is_decimal = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = number.parse().ok().filter(|_| is_decimal)?;
    if header.starts_with('-') {
        return Some(Duration::ZERO);
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(MAX_DELAY).min(MAX_DELAY))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap();
        let delay = |value: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            date.map(|date| headers.insert(header::DATE, date.parse().unwrap()));
            RetryAfter::parse(&headers, now).unwrap().delay.map(|delay| delay.as_secs_f64())
        };
        assert_eq!(delay("7", None), Some(7.0));
        assert_eq!(delay(" 1.5 ", None), Some(1.5));
        assert_eq!(delay("0", None), Some(0.0));
        assert_eq!(delay("-30", None), Some(0.0), "a time in the past");
        assert_eq!(delay("Sat, 21 Nov 2026 12:00:30 GMT", None), Some(30.0));
        assert_eq!(delay("Sat, 21 Nov 2026 11:00:00 GMT", None), Some(0.0), "a date in the past");
        let (until, date) = ("Sat, 21 Nov 2026 15:00:05 GMT", "Sat, 21 Nov 2026 15:00:00 GMT");
        assert_eq!(
            delay(until, Some(date)),
            Some(5.0),
            "relative to the clock of the console, which is three hours ahead"
        );
        let years = delay("99999999999999999999999999", None).unwrap();
        assert_eq!(years, MAX_DELAY.as_secs_f64());
        for invalid in ["", "soon", "1e9", "NaN", "inf", "1.2.3", "+5"] {
            assert_eq!(delay(invalid, None), None, "{invalid}");
        }
    }
}
