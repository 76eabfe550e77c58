//! Parsing of absolute and relative times.

use std::fmt;

use jiff::fmt::friendly::SpanParser;
use jiff::{Timestamp as Instant, tz::TimeZone};

use super::Timestamp;

/// The error of [`parse_timestamp`] for a string that is not a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTimestampError {
    text: String,
}

impl std::error::Error for ParseTimestampError {}

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a time; expected a time such as 2026-11-21T08:30:00Z or 2026-11-21, a period before now such \
             as \"3 days\" or \"12 hours\", or epoch milliseconds",
            self.text
        )
    }
}

/// Parses an RFC 3339 timestamp, a date, or a period before `now`.
///
/// Periods are `3 days`, `12 hours`, `1 year ago`, `2h30m` and similar, with the largest unit first. Months and years
/// follow the calendar, in UTC. The string `now` is the time `now`. A date or time without a zone is UTC. A number of thirteen digits is epoch
/// milliseconds.
///
/// # Errors
/// Returns an error if the string has none of these formats, or the time is outside the years -9999 to 9999.
pub fn parse_timestamp(text: &str, now: &Timestamp) -> Result<Timestamp, ParseTimestampError> {
    let text = text.trim();
    let invalid = || ParseTimestampError { text: text.to_owned() };
    if text.eq_ignore_ascii_case("now") {
        return now.to_utc().ok_or_else(invalid);
    }
    if let Some(time) = before_now(text, now) {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && !text.contains([':', 'T', 't', '['])
    {
        let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| invalid())?;
        return Timestamp::from(midnight.timestamp().to_string()).to_utc().ok_or_else(invalid);
    }
    Timestamp::from(text).to_utc().ok_or_else(invalid)
}

fn before_now(text: &str, now: &Timestamp) -> Option<Timestamp> {
    // A sign would make the period one after now.
    if text.starts_with(['+', '-']) {
        return None;
    }
    let span = SpanParser::new().parse_span(text.to_ascii_lowercase()).ok()?.abs();
    let now: Instant = now.to_utc()?.as_str().parse().ok()?;
    let then = now.to_zoned(TimeZone::UTC).checked_sub(span).ok()?;
    Some(Timestamp::from(then.timestamp().to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{Timestamp, parse_timestamp};

    #[test]
    fn parse_timestamp_periods_are_before_now() {
        let now = Timestamp::from("2026-03-31T08:30:00Z");
        for (text, expected) in [
            ("3 days", "2026-03-28T08:30:00Z"),
            ("3d", "2026-03-28T08:30:00Z"),
            ("3 Days ago", "2026-03-28T08:30:00Z"),
            ("1 month", "2026-02-28T08:30:00Z"),
            ("1 year 5 months", "2024-10-31T08:30:00Z"),
            ("2h30m", "2026-03-31T06:00:00Z"),
            ("90 secs", "2026-03-31T08:28:30Z"),
            ("2 weeks", "2026-03-17T08:30:00Z"),
        ] {
            assert_eq!(parse_timestamp(text, &now).unwrap().as_str(), expected, "{text}");
        }
        assert_eq!(parse_timestamp("2026-11-01", &now).unwrap().as_str(), "2026-11-01T00:00:00Z");
        for text in ["3", "days", "-3 days", "+3 days", "3 fortnights", "99999 years", "3 days later", ""] {
            assert!(parse_timestamp(text, &now).is_err(), "{text}");
        }
    }
}
