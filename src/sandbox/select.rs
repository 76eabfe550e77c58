//! Conditions on things.

use std::cmp::Ordering;

use serde_json::Value;

use super::expression::{lookup_all, text};

/// A condition that a request puts.
#[derive(Debug, PartialEq)]
pub(super) struct Condition {
    fields: Vec<String>,
    comparison: Comparison,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    OneOf,
    NoneOf,
    Contains,
    Exists,
    AtLeast,
    Above,
    Below,
    AtMost,
    Between,
}

/// What a field of a filter means for the selection.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Condition(Condition),
    /// It narrows nothing.
    Nothing,
    /// The specification does not say what it looks at.
    Unknown,
}

/// What a field with a value means, by its `x-s1` extension and its name.
pub(super) fn meaning(name: &str, x_s1: &Value, value: &Value) -> Meaning {
    let fields: Vec<String> = match x_s1.get("field") {
        Some(Value::String(field)) => vec![field.clone()],
        Some(Value::Array(fields)) => fields.iter().map(text).collect(),
        _ if x_s1.get("selects") == Some(&Value::Bool(false)) => return Meaning::Nothing,
        _ => return Meaning::Unknown,
    };
    // Consoles pass over lists without items.
    if value.as_array().is_some_and(Vec::is_empty) {
        return Meaning::Nothing;
    }
    let comparison = match (x_s1.get("op").and_then(Value::as_str), name.rsplit_once("__")) {
        (Some("text"), _) => Comparison::Contains,
        (Some("exists"), _) => Comparison::Exists,
        (Some("atLeast"), _) => Comparison::AtLeast,
        (Some(_), _) => return Meaning::Unknown,
        (None, Some((_, "contains" | "like"))) => Comparison::Contains,
        (None, Some((_, "gt"))) => Comparison::Above,
        (None, Some((_, "gte"))) => Comparison::AtLeast,
        (None, Some((_, "lt"))) => Comparison::Below,
        (None, Some((_, "lte"))) => Comparison::AtMost,
        (None, Some((_, "between"))) => Comparison::Between,
        (None, _) if name.ends_with("Nin") => Comparison::NoneOf,
        (None, _) if value.is_array() => Comparison::OneOf,
        (None, _) => Comparison::Equal,
    };
    Meaning::Condition(Condition { fields, comparison, value: value.clone() })
}

impl Condition {
    /// Whether a thing meets it. Of several fields, and of several values in one, any will do.
    pub(super) fn holds(&self, thing: &Value) -> bool {
        let found: Vec<&Value> =
            self.fields.iter().flat_map(|field| lookup_all(thing, field)).filter(|v| present(v)).collect();
        let wanted = match &self.value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let any = |test: fn(&Value, &Value) -> bool| {
            found.iter().any(|found| wanted.iter().any(|wanted| each(found, |found| test(found, wanted))))
        };
        match self.comparison {
            Comparison::Equal | Comparison::OneOf => any(same),
            Comparison::NoneOf => !any(same),
            Comparison::Contains => any(contains),
            Comparison::Exists => self.value == Value::Bool(!found.is_empty()),
            Comparison::AtLeast => any(|found, wanted| compare(found, wanted).is_some_and(Ordering::is_ge)),
            Comparison::Above => any(|found, wanted| compare(found, wanted).is_some_and(Ordering::is_gt)),
            Comparison::Below => any(|found, wanted| compare(found, wanted).is_some_and(Ordering::is_lt)),
            Comparison::AtMost => any(|found, wanted| compare(found, wanted).is_some_and(Ordering::is_le)),
            Comparison::Between => any(between),
        }
    }
}

/// Null and an empty list count as absent.
fn present(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
}

/// Whether a test holds for a value, or for any element of a list.
fn each(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(test),
        one => test(one),
    }
}

/// Whether two scalars are the same; an id may be a number on one side and text on the other.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    one == other || text(one) == text(other)
}

fn contains(found: &Value, wanted: &Value) -> bool {
    text(found).to_lowercase().contains(&text(wanted).to_lowercase())
}

/// Whether a value lies between two that are joined by a hyphen: numbers, versions, or times in epoch
/// milliseconds.
fn between(found: &Value, range: &Value) -> bool {
    let range = text(range);
    let Some((least, most)) = range.split_once('-') else { return false };
    let millis = |value: &Value| value.as_str()?.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond());
    let found = millis(found).map_or_else(|| found.clone(), Value::from);
    let bound = |text: &str| match (found.is_number(), text.trim().parse::<i64>()) {
        (true, Ok(number)) => Value::from(number),
        _ => Value::from(text.trim()),
    };
    compare(&found, &bound(least)).is_some_and(Ordering::is_ge)
        && compare(&found, &bound(most)).is_some_and(Ordering::is_le)
}

/// Which of two scalars comes first; `None` when they cannot be compared. Texts that are times compare
/// as times.
fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
        },
        (Value::String(one), Value::String(other)) => {
            match (one.parse::<jiff::Timestamp>(), other.parse::<jiff::Timestamp>()) {
                (Ok(one), Ok(other)) => Some(one.cmp(&other)),
                _ => Some(one.cmp(other)),
            }
        }
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// The order of a list: what is absent or cannot be compared comes first.
pub(super) fn order(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    let scalar = |value: Option<&'_ Value>| value.is_some_and(|v| !v.is_null() && !v.is_object());
    match (one, other) {
        (Some(one), Some(other)) if scalar(Some(one)) && scalar(Some(other)) => {
            compare(one, other).unwrap_or(Ordering::Equal)
        }
        (one, other) => scalar(one).cmp(&scalar(other)),
    }
}
