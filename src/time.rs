//! Points in time as people write them.

use jiff::{Span, Timestamp as Instant, tz::TimeZone};
use sentinelone_raw::runtime::Timestamp;

/// Why a text is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?}; write it as 2026-11-21T08:30:00Z, as 2026-11-21, as \"3 days\" or \"12 hours\", \
     which is so long ago, or as epoch milliseconds"
)]
pub struct TimeError {
    text: String,
}

/// Reads a point in time: RFC 3339, a date, or how long ago it was.
///
/// `3 days`, `12 hours`, `1 year ago`, `5 months` and the like count back from `now`: months and years by
/// the calendar, in UTC. `now` is a word of its own. A date or time without a zone is UTC. A number of
/// thirteen digits is epoch milliseconds.
///
/// ```
/// use sentinelone::{Timestamp, point_in_time};
///
/// let now = Timestamp::from("2026-11-21T08:30:00Z");
/// assert_eq!(point_in_time("3 days", &now)?.as_str(), "2026-11-18T08:30:00Z");
/// assert_eq!(point_in_time("2026-11-01", &now)?.as_str(), "2026-11-01T00:00:00Z");
/// assert!(point_in_time("soon", &now).is_err());
/// # Ok::<(), sentinelone::TimeError>(())
/// ```
///
/// # Errors
/// When the text is none of these, or the time is outside the years -9999 to 9999.
pub fn point_in_time(text: &str, now: &Timestamp) -> Result<Timestamp, TimeError> {
    let text = text.trim();
    let wrong = || TimeError { text: text.to_owned() };
    if text.eq_ignore_ascii_case("now") {
        return now.to_utc().ok_or_else(wrong);
    }
    if let Some(ago) = ago(text, now) {
        return Ok(ago);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && !text.contains([':', 'T', 't', '['])
    {
        let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
        return Timestamp::from(midnight.timestamp().to_string()).to_utc().ok_or_else(wrong);
    }
    Timestamp::from(text).to_utc().ok_or_else(wrong)
}

fn ago(text: &str, now: &Timestamp) -> Option<Timestamp> {
    let lower = text.to_ascii_lowercase();
    let words = lower.strip_suffix(" ago").unwrap_or(&lower);
    let mut span = Span::new();
    let mut words = words.split_whitespace();
    let mut any = false;
    while let Some(count) = words.next() {
        // "3d" and "3 days" alike.
        let digits = count.find(|c: char| !c.is_ascii_digit()).unwrap_or(count.len());
        let (count, unit) = count.split_at(digits);
        let unit = if unit.is_empty() { words.next()? } else { unit };
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
        any = true;
    }
    let now: Instant = now.to_utc()?.as_str().parse().ok()?;
    let then = now.to_zoned(TimeZone::UTC).checked_sub(span).ok()?;
    any.then(|| Timestamp::from(then.timestamp().to_string()))
}
