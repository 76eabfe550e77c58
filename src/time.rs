//! Parsing of absolute and relative times.

use jiff::{Span, Timestamp as Instant, tz::TimeZone};
use sentinelone_raw::runtime::Timestamp;

/// The error of [`parse_timestamp`] for a string that is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a time; expected a time such as 2026-11-21T08:30:00Z or 2026-11-21, \
     a period before now such as \"3 days\" or \"12 hours\", or epoch milliseconds"
)]
pub struct ParseTimestampError {
    text: String,
}

/// Parses an RFC 3339 timestamp, a date, or a period before `now`.
///
/// Periods are `3 days`, `12 hours`, `1 year ago`, `5 months` and similar. Months and years follow the calendar, in
/// UTC. The string `now` is the time `now`. A date or time without a zone is UTC. A number of thirteen digits is epoch
/// milliseconds.
///
/// ```
/// use sentinelone::{Timestamp, parse_timestamp};
///
/// let now = Timestamp::from("2026-11-21T08:30:00Z");
/// assert_eq!(parse_timestamp("3 days", &now)?.as_str(), "2026-11-18T08:30:00Z");
/// assert_eq!(parse_timestamp("2026-11-01", &now)?.as_str(), "2026-11-01T00:00:00Z");
/// assert!(parse_timestamp("soon", &now).is_err());
/// # Ok::<(), sentinelone::ParseTimestampError>(())
/// ```
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
    let lower = text.to_ascii_lowercase();
    let period = lower.strip_suffix(" ago").unwrap_or(&lower);
    let mut span = Span::new();
    let mut tokens = period.split_whitespace();
    let mut has_unit = false;
    while let Some(count) = tokens.next() {
        // Accepts both "3d" and "3 days".
        let digits = count.find(|c: char| !c.is_ascii_digit()).unwrap_or(count.len());
        let (count, unit) = count.split_at(digits);
        let unit = if unit.is_empty() { tokens.next()? } else { unit };
        let count: i64 = count.parse().ok()?;
        span = match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => span.try_seconds(count).ok()?,
            "m" | "min" | "mins" | "minute" | "minutes" => span.try_minutes(count).ok()?,
            "h" | "hour" | "hours" => span.try_hours(count).ok()?,
            "d" | "day" | "days" => span.try_days(count).ok()?,
            "w" | "week" | "weeks" => span.try_weeks(count).ok()?,
            "month" | "months" => span.try_months(count).ok()?,
            "y" | "year" | "years" => span.try_years(count).ok()?,
            _ => return None,
        };
        has_unit = true;
    }
    let now: Instant = now.to_utc()?.as_str().parse().ok()?;
    let then = now.to_zoned(TimeZone::UTC).checked_sub(span).ok()?;
    has_unit.then(|| Timestamp::from(then.timestamp().to_string()))
}
