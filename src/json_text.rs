//! Parts of JSON text, read without a tree of the whole text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Returns a document with an empty list at the dotted path `list`, whose items are not read. Returns `None` if the body
/// is not valid JSON.
pub(crate) fn envelope(body: &[u8], list: &str) -> Option<Value> {
    let document: &RawValue = serde_json::from_slice(body).ok()?;
    let path: Vec<&str> = list.split('.').collect();
    envelope_at(document, &path)
}

fn envelope_at(text: &RawValue, path: &[&str]) -> Option<Value> {
    let Some((name, rest)) = path.split_first() else { return Some(Value::Array(Vec::new())) };
    if !text.get().starts_with('{') {
        return serde_json::from_str(text.get()).ok();
    }
    let Members(members) = serde_json::from_str(text.get()).ok()?;
    let value = |(member, text): (Cow<'_, str>, &RawValue)| {
        let value =
            if member == *name { envelope_at(text, rest)? } else { serde_json::from_str(text.get()).ok()? };
        Some((member.into_owned(), value))
    };
    members.into_iter().map(value).collect::<Option<Map<_, _>>>().map(Value::Object)
}

/// The members of an object as text.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        de.deserialize_map(MembersVisitor)
    }
}

/// A member name, copied only if it contains escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an item to read, at dotted paths. The other members are skipped.
#[derive(Debug, Default)]
pub(crate) struct Projection(BTreeMap<&'static str, Node>);

#[derive(Debug)]
enum Node {
    Whole,
    Members(Projection),
}

impl Projection {
    /// Creates a projection of the values at some paths.
    pub(crate) fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        let mut root = Self::default();
        for path in paths {
            root.add(path);
        }
        root
    }

    fn add(&mut self, path: &'static str) {
        let Some((name, rest)) = path.split_once('.') else {
            self.0.insert(path, Node::Whole);
            return;
        };
        let node = self.0.entry(name).or_insert_with(|| Node::Members(Self::default()));
        if let Node::Members(members) = node {
            members.add(rest);
        }
    }

    /// Reads an item: an object with the members of the paths. Null if the text is not an object.
    pub(crate) fn read(&self, text: &str) -> Value {
        let mut de = serde_json::Deserializer::from_str(text);
        self.deserialize(&mut de).unwrap_or_default()
    }
}

impl<'de> DeserializeSeed<'de> for &Projection {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Value, D::Error> {
        de.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Projection {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(Name(name)) = map.next_key()? {
            let value = match self.0.get(&*name) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Some(Node::Whole) => map.next_value()?,
                Some(Node::Members(members)) => map.next_value_seed(members)?,
            };
            members.insert(name.into_owned(), value);
        }
        Ok(Value::Object(members))
    }

    // A value without members has none of the paths.

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json_path::get_path;

    #[test]
    fn envelope_list_is_empty_and_siblings_are_kept() {
        let body =
            br#"{"pagination":{"nextCursor":"a"},"data":{"sites":[{"id":"1"}],"allSites":{"total":2}}}"#;
        let expected = json!({ "pagination": { "nextCursor": "a" }, "data": { "sites": [], "allSites": { "total": 2 } } });
        assert_eq!(envelope(body, "data.sites"), Some(expected));
        assert_eq!(
            envelope(br#"{"data":[{"id":1}],"errors":[]}"#, "data"),
            Some(json!({ "data": [], "errors": [] }))
        );
        assert_eq!(envelope(br#"{"data":null}"#, "data.sites"), Some(json!({ "data": null })));
        assert_eq!(envelope(br#"{"data":[1,2]}"#, "data.sites"), Some(json!({ "data": [1, 2] })));
        for invalid in ["", "{", "[1", r#"{"data": nul}"#] {
            assert_eq!(envelope(invalid.as_bytes(), "data"), None, "{invalid}");
        }
    }

    /// JSON values with few names, so that paths occur.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c\"\\\\é]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    const PATHS: [&str; 8] = ["a", "b", "a.b", "a.c", "b.a.c", "c.c.c", "c", "b.b"];

    proptest! {
        #[test]
        fn projection_has_the_values_of_its_paths(
            value in any_json(),
            paths in proptest::sample::subsequence(&PATHS[..], 0..=8).prop_shuffle(),
        ) {
            let projected = Projection::new(paths.iter().copied()).read(&value.to_string());
            for path in paths {
                prop_assert_eq!(get_path(&projected, path), get_path(&value, path), "{}", path);
            }
        }

        #[test]
        fn projection_of_any_text_does_not_panic(text in any::<String>()) {
            let _ = Projection::new(PATHS).read(&text);
        }
    }
}
