//! The time range of a query.

use std::time::Duration;

use sentinelone_raw::runtime::Timestamp;

use super::error::QueryError;

/// The time range of a query. The default is the last 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryRange(Bounds);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Bounds {
    Last(Duration),
    Between(Timestamp, Timestamp),
}

impl QueryRange {
    /// Returns the time range from `duration` ago until the query is launched.
    pub const fn last(duration: Duration) -> Self {
        Self(Bounds::Last(duration))
    }

    /// Returns the time range from `start` to `end`.
    pub fn between(start: impl Into<Timestamp>, end: impl Into<Timestamp>) -> Self {
        Self(Bounds::Between(start.into(), end.into()))
    }

    /// Returns the range in milliseconds since 1970. A range that is sent in parts must not move.
    pub(super) fn resolve(&self, now: &Timestamp) -> Result<MillisRange, QueryError> {
        let now = now.unix_millis().ok_or_else(|| QueryError::InvalidTime(now.to_string()))?;
        let text = |millis: i64| {
            Timestamp::from_unix_millis(millis).map_or_else(|| millis.to_string(), |time| time.to_string())
        };
        let millis =
            |time: &Timestamp| time.unix_millis().ok_or_else(|| QueryError::InvalidTime(time.to_string()));
        let (start, end) = match &self.0 {
            Bounds::Last(duration) => {
                let duration = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
                (now.saturating_sub(duration), now)
            }
            Bounds::Between(start, end) => (millis(start)?, millis(end)?),
        };
        if end <= start {
            return Err(QueryError::EndBeforeStart { start: text(start), end: text(end) });
        }
        if start > now {
            return Err(QueryError::StartInFuture(text(start)));
        }
        Ok(MillisRange { start, end })
    }
}

impl Default for QueryRange {
    fn default() -> Self {
        Self::last(Duration::from_secs(24 * 60 * 60))
    }
}

/// A time range in milliseconds since 1970, whose end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MillisRange {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl MillisRange {
    /// Cuts the range into at most `count` parts of at least one millisecond, oldest first.
    pub(super) fn cut(self, count: u32) -> Vec<Self> {
        let (length, count) = (i128::from(self.end) - i128::from(self.start), i128::from(count));
        let count = count.clamp(1, length.max(1));
        let at =
            |part: i128| i64::try_from(i128::from(self.start) + length * part / count).unwrap_or(self.end);
        (0..count).map(|part| Self { start: at(part), end: at(part + 1) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_of_a_duration_ends_now() {
        let now = Timestamp::from("1970-01-01T00:01:40Z");
        let range = QueryRange::last(Duration::from_secs(60)).resolve(&now);
        assert_eq!(range, Ok(MillisRange { start: 40_000, end: 100_000 }));
    }

    #[test]
    fn range_that_matches_nothing_is_rejected() {
        let now = Timestamp::from("1970-01-01T01:00:00Z");
        let reject = |start: &str, end: &str| QueryRange::between(start, end).resolve(&now);
        let (early, late) = ("1970-01-01T00:10:00Z", "1970-01-01T00:20:00Z");
        assert!(reject(early, late).is_ok());
        assert!(matches!(reject(late, early), Err(QueryError::EndBeforeStart { .. })));
        assert!(matches!(reject(early, early), Err(QueryError::EndBeforeStart { .. })));
        let future = "1970-01-01T02:00:00Z";
        assert_eq!(
            reject(future, "1970-01-01T03:00:00Z"),
            Err(QueryError::StartInFuture("1970-01-01T02:00:00Z".into()))
        );
        assert_eq!(reject("yesterday", late), Err(QueryError::InvalidTime("yesterday".into())));
    }

    #[test]
    fn cut_range_covers_each_millisecond_once() {
        for (start, end, count) in [(0, 10, 3), (0, 2, 5), (-5, 100, 7), (0, 1, 1), (i64::MIN, i64::MAX, 4)] {
            let parts = MillisRange { start, end }.cut(count);
            assert!(parts.len() <= count as usize && !parts.is_empty());
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (start, end));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(parts.iter().all(|part| part.start < part.end), "{parts:?}");
        }
    }
}
