//! Timestamps of the API.

use std::cmp::Ordering;
use std::fmt;
use std::time::SystemTime;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// A timestamp, stored exactly as it was written.
///
/// The API writes RFC 3339 in UTC with three to six fraction digits. Some values have no zone, and some are empty
/// strings. All of them decode: the string is preserved, and [`unix_millis`](Self::unix_millis) returns the time if it
/// is valid. A string without a zone is UTC. A request accepts valid timestamps only, and sends them as RFC 3339 in
/// UTC, ending in `Z`.
///
/// # Order and equality
///
/// Timestamps are ordered by their instant, then by their string. Those that are not valid are last, ordered by their
/// string. Timestamps are equal only if their strings are equal: `2026-11-20T10:00:00Z` and `2026-11-20T11:00:00+01:00`
/// are the same instant and not equal. To compare instants, convert both to `jiff::Timestamp` or [`SystemTime`]. A
/// comparison parses both strings.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// Returns the current time, with microseconds.
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        Self::from_jiff(now.round(jiff::Unit::Microsecond).unwrap_or(now))
    }

    /// Returns the time `millis` milliseconds after 1970-01-01T00:00:00Z; `None` outside the years -9999 to 9999.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self::from_jiff)
    }

    /// Returns the string as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z, rounded down; `None` if the string is not a valid
    /// timestamp.
    pub fn unix_millis(&self) -> Option<i64> {
        // jiff truncates milliseconds toward zero, which rounds up before 1970.
        i64::try_from(self.parse()?.as_nanosecond().div_euclid(1_000_000)).ok()
    }

    /// Converts the timestamp to a [`SystemTime`]; `None` if the string is not a valid timestamp.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        self.parse().map(SystemTime::from)
    }

    /// Converts the timestamp to RFC 3339 in UTC, ending in `Z`; `None` if the string is not a valid timestamp.
    pub fn to_utc(&self) -> Option<Self> {
        self.parse().map(Self::from_jiff)
    }

    fn from_jiff(time: jiff::Timestamp) -> Self {
        Self(time.to_string().into())
    }

    fn parse(&self) -> Option<jiff::Timestamp> {
        let text = self.0.trim();
        // jiff would read an annotation such as [Europe/Berlin] as UTC.
        if text.contains('[') {
            return None;
        }
        text.parse()
            .ok()
            .or_else(|| {
                let local: jiff::civil::DateTime = text.parse().ok()?;
                local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
            })
            .or_else(|| {
                // Some releases write epoch milliseconds, which have 13 digits from 2001 to 2286.
                let millis = text.parse().ok().filter(|_| text.len() == 13)?;
                jiff::Timestamp::from_millisecond(millis).ok()
            })
    }
}

/// The error of the conversion of a [`Timestamp`] that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTimestampError {
    text: Box<str>,
}

impl InvalidTimestampError {
    /// Returns the string that is not a valid timestamp.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for InvalidTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a timestamp; expected RFC 3339, such as 2026-11-20T10:00:00Z", self.text)
    }
}

impl std::error::Error for InvalidTimestampError {}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_instant = match (self.parse(), other.parse()) {
            (Some(one), Some(other)) => one.cmp(&other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        };
        by_instant.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes RFC 3339 in UTC, ending in `Z`.
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_jiff(time)
    }
}

impl TryFrom<&Timestamp> for jiff::Timestamp {
    type Error = InvalidTimestampError;

    fn try_from(time: &Timestamp) -> Result<Self, InvalidTimestampError> {
        time.parse().ok_or_else(|| InvalidTimestampError { text: time.0.clone() })
    }
}

impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = InvalidTimestampError;

    fn try_from(time: Timestamp) -> Result<Self, InvalidTimestampError> {
        Self::try_from(&time)
    }
}

impl From<&str> for Timestamp {
    fn from(value: &str) -> Self {
        Self(value.into())
    }
}

impl From<String> for Timestamp {
    fn from(value: String) -> Self {
        Self(value.into())
    }
}

impl From<&Timestamp> for Timestamp {
    fn from(value: &Timestamp) -> Self {
        value.clone()
    }
}

impl From<SystemTime> for Timestamp {
    /// A time outside the years -9999 to 9999 becomes a string that no request accepts.
    fn from(value: SystemTime) -> Self {
        match jiff::Timestamp::try_from(value) {
            Ok(time) => Self::from_jiff(time),
            Err(_) => Self(format!("{value:?}").into()),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({})", self.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct AnyScalar;

        impl<'de> Visitor<'de> for AnyScalar {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a timestamp")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Timestamp, E> {
                Ok(value.into())
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Timestamp, E> {
                Ok(value.to_string().into())
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Timestamp, E> {
                Ok(value.to_string().into())
            }

            // The specification declares `agentDecommissionedAt` as a boolean, although its name suggests a time.
            fn visit_bool<E: Error>(self, value: bool) -> Result<Timestamp, E> {
                Ok(value.to_string().into())
            }

            // With the serde_json feature `arbitrary_precision`, which another crate may enable, numbers are maps.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Timestamp, A::Error> {
                match Value::deserialize(MapAccessDeserializer::new(map))? {
                    Value::Number(number) if !number.is_f64() => Ok(number.to_string().into()),
                    _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
                }
            }
        }

        de.deserialize_any(AnyScalar)
    }
}
