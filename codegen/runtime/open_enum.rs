//! Enums that keep unlisted values.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde_json::Value;

use super::Sealed;

/// An enum of the API, to which SentinelOne may add values without notice.
///
/// Every value survives a round trip: the variant `Unrecognized` keeps an unlisted value as the console sent it. Only
/// generated types implement it.
pub trait OpenEnum: Sealed + From<String> + for<'a> From<&'a str> {
    /// The wire values that this version of the client lists, in the order of the specification.
    const VALUES: &'static [&'static str];

    /// Returns the wire value.
    fn as_str(&self) -> &str;

    /// Returns whether this version of the client lists the value.
    fn is_known(&self) -> bool {
        Self::VALUES.contains(&self.as_str())
    }
}

struct ScalarVisitor<E>(PhantomData<E>);

impl<'de, E: OpenEnum> Visitor<'de> for ScalarVisitor<E> {
    type Value = E;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<Er: Error>(self, value: &str) -> Result<E, Er> {
        Ok(E::from(value))
    }

    fn visit_string<Er: Error>(self, value: String) -> Result<E, Er> {
        Ok(E::from(value))
    }

    // Some enums were numbers or booleans in one release of the console, and strings again in the next.
    fn visit_bool<Er: Error>(self, value: bool) -> Result<E, Er> {
        Ok(E::from(value.to_string()))
    }

    fn visit_i64<Er: Error>(self, value: i64) -> Result<E, Er> {
        Ok(E::from(value.to_string()))
    }

    fn visit_u64<Er: Error>(self, value: u64) -> Result<E, Er> {
        Ok(E::from(value.to_string()))
    }

    fn visit_f64<Er: Error>(self, value: f64) -> Result<E, Er> {
        Ok(E::from(value.to_string()))
    }

    // With the serde_json feature `arbitrary_precision`, which another crate may enable, numbers are maps.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<E, A::Error> {
        match Value::deserialize(MapAccessDeserializer::new(map))? {
            Value::Number(number) => Ok(E::from(number.to_string())),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}

/// Reads any scalar into an open enum.
pub(crate) fn deserialize<'de, E: OpenEnum, D: Deserializer<'de>>(de: D) -> Result<E, D::Error> {
    de.deserialize_any(ScalarVisitor(PhantomData))
}

macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $wire:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A value that this version of the client does not list, as the console sent it.
            Unrecognized(Box<str>),
        }

        impl $name {
            /// Returns the wire value.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Unrecognized(value) => value,
                }
            }
        }

        impl $crate::runtime::Sealed for $name {}

        impl $crate::runtime::OpenEnum for $name {
            const VALUES: &'static [&'static str] = &[$($wire),+];

            fn as_str(&self) -> &str {
                Self::as_str(self)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($wire => Self::$variant,)+
                    other => Self::Unrecognized(other.into()),
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl From<&String> for $name {
            fn from(value: &String) -> Self {
                Self::from(value.as_str())
            }
        }

        impl From<std::borrow::Cow<'_, str>> for $name {
            fn from(value: std::borrow::Cow<'_, str>) -> Self {
                Self::from(&*value)
            }
        }

        impl From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(value))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                $crate::runtime::open_enum_deserialize(de)
            }
        }
    };
}
pub(crate) use open_enum;
