//! Deserializer of response objects, which reads member by member.
//!
//! A derived deserializer has one type for the member names, one for each member with its own `deserialize_with`, and
//! a second reader for sequences. For a thousand members that was half of the build time of this crate. A derived
//! deserializer also rejects a duplicate member; this one keeps the last value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::lenient;

/// A type that reads its members by their wire names.
pub(crate) trait ReadMembers: Default {
    /// Reads the value of a member. Returns false, and reads nothing, if the type has no member with this name.
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// Reads an object and ignores undeclared members.
pub(crate) fn read<'de, T: ReadMembers, D: Deserializer<'de>>(de: D) -> Result<T, D::Error> {
    struct MembersVisitor<T>(PhantomData<T>);

    impl<'de, T: ReadMembers> Visitor<'de> for MembersVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            let mut value = T::default();
            while let Some(Name(name)) = map.next_key()? {
                if !value.member(&name, &mut map)? {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(value)
        }

        // Some servers write an empty list for an empty object, for example in responses to deletions.
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
            match seq.next_element::<IgnoredAny>()? {
                None => Ok(T::default()),
                Some(_) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            }
        }
    }

    de.deserialize_any(MembersVisitor(PhantomData))
}

/// The name of a member, copied only if it contains escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }

            fn visit_string<E: Error>(self, name: String) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name)))
            }
        }

        de.deserialize_identifier(NameVisitor)
    }
}

/// Defines member readers, one for each function of [`lenient`].
macro_rules! member_readers {
    ($($(#[$doc:meta])* fn $name:ident$(<$of:ident>)? -> $value:ty;)+) => {
        $(
            $(#[$doc])*
            #[allow(dead_code, reason = "a specification may have no member of this type")]
            pub(crate) fn $name<'de, $($of: Deserialize<'de>,)? A: MapAccess<'de>>(
                map: &mut A,
            ) -> Result<Option<$value>, A::Error> {
                struct MemberSeed<T>(PhantomData<T>);

                impl<'de $(, $of: Deserialize<'de>)?> DeserializeSeed<'de> for MemberSeed<$value> {
                    type Value = Option<$value>;

                    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
                        lenient::$name(de)
                    }
                }

                map.next_value_seed(MemberSeed::<$value>(PhantomData))
            }
        )+
    };
}

member_readers! {
    /// Reads a string.
    fn string -> String;
    /// Reads a boolean.
    fn boolean -> bool;
    /// Reads an integer.
    fn integer -> i64;
    /// Reads a number.
    fn number -> f64;
    /// Reads a list.
    fn list<T> -> Vec<T>;
    /// Reads a map.
    fn map<T> -> BTreeMap<String, T>;
    /// Reads an object. A value of another type is read as missing.
    fn object<T> -> T;
}

/// Reads a nullable value with the deserializer of its type, without lenient conversion.
pub(crate) fn value<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    map.next_value()
}

/// Implements `Deserialize` for a type with [`ReadMembers`].
macro_rules! impl_read_members {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                $crate::runtime::object_reader::read(de)
            }
        }
    };
}
pub(crate) use impl_read_members;
