//! Objects of answers, read member by member into the one type.
//!
//! A derived reader has a type for the names, one for each member that is read in a way of its own, and a second
//! reader for objects that come as lists; for a thousand members that was half of what this crate cost to build. It
//! also refuses a member that comes twice, of which the last counts here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::lenient;

/// A type that reads its members by their names on the wire.
pub(crate) trait Members: Default {
    /// Reads the value of a member, or tells that it has none of this name.
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// Reads an object; members that the type does not have are passed over.
pub(crate) fn read<'de, T: Members, D: Deserializer<'de>>(de: D) -> Result<T, D::Error> {
    struct MembersVisitor<T>(PhantomData<T>);

    impl<'de, T: Members> Visitor<'de> for MembersVisitor<T> {
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

        // What some servers write for an object without members; one of deletions was seen.
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
            match seq.next_element::<IgnoredAny>()? {
                None => Ok(T::default()),
                Some(_) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            }
        }
    }

    de.deserialize_any(MembersVisitor(PhantomData))
}

/// The name of a member, copied only where it has escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
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

/// Ways to read a member: a function for each way of [`lenient`].
macro_rules! ways {
    ($($(#[$doc:meta])* fn $name:ident$(<$of:ident>)? -> $value:ty;)+) => {
        $(
            $(#[$doc])*
            #[allow(dead_code, reason = "not every specification has a member of each kind")]
            pub(crate) fn $name<'de, $($of: Deserialize<'de>,)? A: MapAccess<'de>>(
                map: &mut A,
            ) -> Result<Option<$value>, A::Error> {
                struct Way<T>(PhantomData<T>);

                impl<'de $(, $of: Deserialize<'de>)?> DeserializeSeed<'de> for Way<$value> {
                    type Value = Option<$value>;

                    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
                        lenient::$name(de)
                    }
                }

                map.next_value_seed(Way::<$value>(PhantomData))
            }
        )+
    };
}

ways! {
    /// A text.
    fn text -> String;
    /// A flag.
    fn flag -> bool;
    /// A whole number.
    fn integer -> i64;
    /// A number.
    fn number -> f64;
    /// A list.
    fn list<T> -> Vec<T>;
    /// An object with names that are data.
    fn map<T> -> BTreeMap<String, T>;
    /// An object, whose place may have something else in it.
    fn object<T> -> T;
}

/// A value that has one form, or is null.
pub(crate) fn value<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    map.next_value()
}

/// Makes a type with [`Members`] one that is read.
macro_rules! read_by_members {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                $crate::runtime::members::read(de)
            }
        }
    };
}
pub(crate) use read_by_members;
