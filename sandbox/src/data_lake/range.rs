//! The time range of a query.

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A time range in milliseconds since 1970, whose end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl TimeRange {
    /// Reads a range: by default the last 24 hours, or 24 hours from or to the time that is given.
    pub(super) fn parse(start: Option<&str>, end: Option<&str>, now: i64) -> Result<Self, String> {
        let time = |text: &str| millis(text, now).ok_or_else(|| format!("Invalid time '{text}'"));
        let (start, end) = (start.map(time).transpose()?, end.map(time).transpose()?);
        let range = match (start, end) {
            (Some(start), Some(end)) => Self { start, end },
            (Some(start), None) => Self { start, end: start.saturating_add(DAY) },
            (None, end) => {
                let end = end.unwrap_or(now);
                Self { start: end.saturating_sub(DAY), end }
            }
        };
        match range.start < range.end {
            true => Ok(range),
            false => Err("The end of the time range is not after its start".to_owned()),
        }
    }

    pub(super) fn contains(self, millis: i64) -> bool {
        (self.start..self.end).contains(&millis)
    }
}

/// Returns the time of a text: ISO 8601, a duration before now such as `24h`, `now`, or seconds, milliseconds or nanoseconds
/// since 1970.
fn millis(text: &str, now: i64) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(match text.trim_start_matches('-').len() {
            0..=11 => number.saturating_mul(1_000),
            12..=14 => number,
            _ => number / 1_000_000,
        });
    }
    if text.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let length = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    Some(now.saturating_sub(count.saturating_mul(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_has_the_forms_of_the_data_lake() {
        let now = 1_700_000_000_000;
        let parse = |start, end| TimeRange::parse(start, end, now);
        assert_eq!(parse(None, None), Ok(TimeRange { start: now - DAY, end: now }));
        assert_eq!(parse(Some("2h"), Some("now")), Ok(TimeRange { start: now - 7_200_000, end: now }));
        for text in ["1699999990", "1699999990000", "1699999990000000000", "2023-11-14T22:13:10Z"] {
            assert_eq!(
                parse(Some(text), Some("now")),
                Ok(TimeRange { start: now - 10_000, end: now }),
                "{text}"
            );
        }
        assert_eq!(parse(Some("1w"), None).map(|range| range.end - range.start), Ok(DAY));
        assert!(parse(Some("now"), Some("1h")).is_err() && parse(Some("soon"), None).is_err());
    }
}
