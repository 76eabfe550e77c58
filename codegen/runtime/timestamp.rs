//! Points in time as the API writes them.

use std::fmt;
use std::time::SystemTime;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A point in time, kept exactly as it was written.
///
/// The API writes RFC 3339 in UTC with three to six fraction digits, and now and then leaves out the
/// zone, or sends an empty text. Nothing of that fails to decode: the text is kept, and
/// [`unix_millis`](Self::unix_millis) says what it means, if it means a time at all. A text without a
/// zone counts as UTC. In a request only a real point in time is accepted, and it is sent as RFC 3339
/// in UTC, ending in `Z`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// The present moment, with microseconds.
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        Self::of(now.round(jiff::Unit::Microsecond).unwrap_or(now))
    }

    /// The point in time this many milliseconds after 1970-01-01T00:00:00Z; `None` outside the years
    /// -9999 to 9999.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self::of)
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down; `None` if the text is no point in time.
    pub fn unix_millis(&self) -> Option<i64> {
        // jiff's own milliseconds are cut off towards zero, which rounds up before 1970.
        i64::try_from(self.parse()?.as_nanosecond().div_euclid(1_000_000)).ok()
    }

    /// The same moment for the standard library; `None` if the text is no point in time.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        self.parse().map(SystemTime::from)
    }

    /// The same moment as RFC 3339 in UTC, ending in `Z`; `None` if the text is no point in time.
    pub fn to_utc(&self) -> Option<Self> {
        self.parse().map(Self::of)
    }

    fn of(at: jiff::Timestamp) -> Self {
        Self(at.to_string().into())
    }

    fn parse(&self) -> Option<jiff::Timestamp> {
        let text = self.0.trim();
        // An annotation such as [Europe/Berlin] would be read as UTC.
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
                // Fields that some releases write as a number are epoch milliseconds: 13 digits from 2001
                // to 2286.
                let millis = text.parse().ok().filter(|_| text.len() == 13)?;
                jiff::Timestamp::from_millisecond(millis).ok()
            })
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
    /// A moment outside the years -9999 to 9999 becomes a text that no request accepts.
    fn from(value: SystemTime) -> Self {
        match jiff::Timestamp::try_from(value) {
            Ok(at) => Self::of(at),
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

        impl Visitor<'_> for AnyScalar {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a point in time")
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

            // `agentDecommissionedAt` is declared as a flag although its name is that of a time.
            fn visit_bool<E: Error>(self, value: bool) -> Result<Timestamp, E> {
                Ok(value.to_string().into())
            }
        }

        de.deserialize_any(AnyScalar)
    }
}
