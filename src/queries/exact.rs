//! JSON values whose numbers are not rounded.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Members of a JSON object, as text.
pub(super) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Returns the members of an object; none for another value.
pub(super) fn members(text: &str) -> Members<'_> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Returns the items of a list; none for another value.
pub(super) fn items(text: &str) -> Vec<&RawValue> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Parses a value. An integer with more than 64 bits becomes a string with its digits.
pub(super) fn value(text: &RawValue) -> Value {
    let text = text.get();
    match text.as_bytes().first() {
        Some(b'[') => items(text).into_iter().map(value).collect(),
        Some(b'{') => {
            let fields = members(text).into_iter().map(|(name, text)| (name, value(text)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Some(b'-' | b'0'..=b'9') if is_large_integer(text) => Value::String(text.to_owned()),
        _ => serde_json::from_str(text).unwrap_or_default(),
    }
}

fn is_large_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<i64>().is_err()
        && text.parse::<u64>().is_err()
}

/// Returns a count, from a number or its text.
pub(super) fn count(text: &RawValue) -> Option<u64> {
    text.get().trim_matches('"').parse().ok()
}

/// Returns a string; `None` for another value.
pub(super) fn string(text: &RawValue) -> Option<String> {
    serde_json::from_str(text.get()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn value_keeps_integers_of_any_size() {
        let text =
            r#"{"a": [9007199254740993, 18446744073709551615, -9223372036854775809, 1.5], "b": {"c": null}}"#;
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        let expected = json!({
            "a": [9_007_199_254_740_993_u64, u64::MAX, "-9223372036854775809", 1.5],
            "b": { "c": null },
        });
        assert_eq!(value(raw), expected);
    }
}
