//! Lenient decoding of responses: accepts each form in which consoles write a value.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_json::{Number, Value};

/// A list without its null elements.
pub(crate) struct Sparse<T>(pub(crate) Vec<T>);

impl<T> Sparse<T> {
    /// Reads the list element by element, without an intermediate list.
    pub(crate) fn read<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error>
    where
        T: Deserialize<'de>,
    {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element::<Option<T>>()? {
            list.extend(element);
        }
        Ok(Self(list))
    }
}

/// Reads a list that may be null, and drops its null elements. A single element is read as a list of one: some
/// consoles send one ID where the specification has a list.
pub fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(de: D) -> Result<Option<Vec<T>>, D::Error> {
    struct ListVisitor<T>(PhantomData<T>);

    /// Reads a single element.
    fn one<'de, T: Deserialize<'de>, E: Error>(
        value: impl IntoDeserializer<'de, E>,
    ) -> Result<Option<Vec<T>>, E> {
        T::deserialize(value.into_deserializer()).map(|one| Some(vec![one]))
    }

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            Sparse::read(seq).map(|list| Some(list.0))
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(|one| Some(vec![one]))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            one(text)
        }

        fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
            one(flag)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            one(number)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            one(number)
        }
    }

    de.deserialize_any(ListVisitor(PhantomData))
}

/// Reads a map that may be null, and drops its null entries.
pub fn map<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    de: D,
) -> Result<Option<BTreeMap<String, T>>, D::Error> {
    let map = Option::<BTreeMap<String, Option<T>>>::deserialize(de)?;
    Ok(map.map(|map| map.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()))
}

/// A scalar that is also read from other JSON types: a boolean or a number from a string, a string from a number.
trait Lenient: Sized {
    const EXPECTED: &'static str;

    /// Returns `None` if the string is not a valid value, and `Some(None)` if it is `null` or `none`.
    fn from_string(text: &str) -> Option<Option<Self>>;

    fn from_boolean(_: bool) -> Option<Self> {
        None
    }

    fn from_number(_: &Number) -> Option<Self> {
        None
    }
}

/// Reads a scalar without building a [`Value`] first, because a page has up to 100,000 scalars.
fn lenient<'de, T: Lenient, D: Deserializer<'de>>(de: D) -> Result<Option<T>, D::Error> {
    struct LenientVisitor<T>(PhantomData<T>);

    impl<T: Lenient> LenientVisitor<T> {
        fn number<E: Error>(number: &Number, found: Unexpected<'_>) -> Result<Option<T>, E> {
            T::from_number(number).map(Some).ok_or_else(|| E::invalid_type(found, &T::EXPECTED))
        }
    }

    impl<'de, T: Lenient> Visitor<'de> for LenientVisitor<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTED)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
            T::from_boolean(flag).map(Some).ok_or_else(|| E::invalid_type(Unexpected::Bool(flag), &self))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Self::number(&number.into(), Unexpected::Signed(number))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            Self::number(&number.into(), Unexpected::Unsigned(number))
        }

        // An integer beyond 64 bits, which is an integer only with the serde_json feature `arbitrary_precision`.
        fn visit_u128<E: Error>(self, number: u128) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_i128<E: Error>(self, number: i128) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            let found = Unexpected::Float(number);
            let number = Number::from_f64(number).ok_or_else(|| E::invalid_type(found, &self))?;
            Self::number(&number, found)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            T::from_string(text).ok_or_else(|| E::invalid_type(Unexpected::Str(text), &self))
        }

        // With the serde_json feature `arbitrary_precision`, which another crate may enable, numbers are maps.
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            match Value::deserialize(MapAccessDeserializer::new(map))? {
                Value::Number(number) => Self::number(&number, Unexpected::Other("number")),
                _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
            }
        }
    }

    de.deserialize_any(LenientVisitor(PhantomData))
}

/// Returns whether a string is `null` or `none`, as in edited samples.
fn is_null(text: &str) -> bool {
    text.eq_ignore_ascii_case("null") || text.eq_ignore_ascii_case("none")
}

impl Lenient for bool {
    const EXPECTED: &'static str = "a boolean";

    fn from_string(text: &str) -> Option<Option<Self>> {
        match text {
            null if is_null(null) => Some(None),
            text if text.eq_ignore_ascii_case("true") => Some(Some(true)),
            text if text.eq_ignore_ascii_case("false") => Some(Some(false)),
            _ => None,
        }
    }

    fn from_boolean(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Lenient for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_string(text: &str) -> Option<Option<Self>> {
        if is_null(text) { Some(None) } else { text.trim().parse().ok().map(Some) }
    }

    /// Accepts an integer that is written with a decimal point.
    fn from_number(number: &Number) -> Option<Self> {
        number.as_i64().or_else(|| {
            let integral = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
            integral.map(|number| number as i64)
        })
    }
}

impl Lenient for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_string(text: &str) -> Option<Option<Self>> {
        if is_null(text) { Some(None) } else { text.trim().parse().ok().map(Some) }
    }

    fn from_number(number: &Number) -> Option<Self> {
        number.as_f64()
    }
}

impl Lenient for String {
    const EXPECTED: &'static str = "a string";

    fn from_string(text: &str) -> Option<Option<Self>> {
        Some(Some(text.to_owned()))
    }

    fn from_boolean(flag: bool) -> Option<Self> {
        Some(flag.to_string())
    }

    fn from_number(number: &Number) -> Option<Self> {
        Some(number.to_string())
    }
}

/// Reads a boolean that may be null or a string. Some consoles, and programs that forward their responses, write
/// `"True"`.
pub fn boolean<'de, D: Deserializer<'de>>(de: D) -> Result<Option<bool>, D::Error> {
    lenient(de)
}

/// Reads an integer that may be null or a string.
pub fn integer<'de, D: Deserializer<'de>>(de: D) -> Result<Option<i64>, D::Error> {
    lenient(de)
}

/// Reads a number that may be null or a string.
pub fn number<'de, D: Deserializer<'de>>(de: D) -> Result<Option<f64>, D::Error> {
    lenient(de)
}

/// Reads a string that may be null, a number or a boolean. Some consoles write IDs as numbers.
pub fn string<'de, D: Deserializer<'de>>(de: D) -> Result<Option<String>, D::Error> {
    lenient(de)
}

/// Reads an object that may be null. A value of another type is read as missing, so that its item is not lost: one
/// release of the console sends a list of names where the next sends an object.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(de: D) -> Result<Option<T>, D::Error> {
    struct ObjectVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    de.deserialize_any(ObjectVisitor(PhantomData))
}
