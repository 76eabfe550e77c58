//! Filter conditions on items.

use std::cmp::Ordering;

use serde_json::Value;

use super::values::{compare, equal, lookup_all, scalar_to_string};

/// A condition of a request.
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

/// The effect of a filter field on the selection.
#[derive(Debug, PartialEq)]
pub(super) enum FieldEffect {
    Condition(Condition),
    /// The field does not restrict the selection.
    Ignored,
    /// The specification does not map the field to fields of items.
    Unknown,
}

/// Returns the effect of a field with a value. It depends on the `x-s1` extension and the name of the field.
pub(super) fn field_effect(name: &str, x_s1: &Value, value: &Value) -> FieldEffect {
    // Consoles ignore lists without items. They also ignore null, where it is declared.
    if !is_present(value) {
        return FieldEffect::Ignored;
    }
    let fields: Vec<String> = match x_s1.get("field") {
        Some(Value::String(field)) => vec![field.clone()],
        Some(Value::Array(fields)) => fields.iter().map(scalar_to_string).collect(),
        _ if x_s1.get("selective") == Some(&Value::Bool(false)) => return FieldEffect::Ignored,
        _ => return FieldEffect::Unknown,
    };
    let comparison = match (x_s1.get("op").and_then(Value::as_str), name.rsplit_once("__")) {
        (Some("contains"), _) => Comparison::Contains,
        (Some("exists"), _) => Comparison::Exists,
        (Some("atLeast"), _) => Comparison::AtLeast,
        (Some(_), _) => return FieldEffect::Unknown,
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
    FieldEffect::Condition(Condition { fields, comparison, value: value.clone() })
}

impl Condition {
    /// Returns whether an item matches. One matching field and one matching value are sufficient.
    pub(super) fn matches(&self, item: &Value) -> bool {
        let actual: Vec<&Value> =
            self.fields.iter().flat_map(|field| lookup_all(item, field)).filter(|v| is_present(v)).collect();
        let expected = match &self.value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let any = |test: fn(&Value, &Value) -> bool| {
            actual.iter().any(|actual| {
                expected.iter().any(|expected| any_element(actual, |actual| test(actual, expected)))
            })
        };
        match self.comparison {
            Comparison::Equal | Comparison::OneOf => any(equal),
            Comparison::NoneOf => !any(equal),
            Comparison::Contains => any(contains),
            Comparison::Exists => self.value == Value::Bool(!actual.is_empty()),
            Comparison::AtLeast => {
                any(|actual, expected| compare(actual, expected).is_some_and(Ordering::is_ge))
            }
            Comparison::Above => {
                any(|actual, expected| compare(actual, expected).is_some_and(Ordering::is_gt))
            }
            Comparison::Below => {
                any(|actual, expected| compare(actual, expected).is_some_and(Ordering::is_lt))
            }
            Comparison::AtMost => {
                any(|actual, expected| compare(actual, expected).is_some_and(Ordering::is_le))
            }
            Comparison::Between => any(between),
        }
    }
}

/// Returns whether a value is neither null nor an empty list.
fn is_present(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
}

/// Returns whether a test is true for a value or for any element of a list.
fn any_element(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(test),
        one => test(one),
    }
}

fn contains(actual: &Value, expected: &Value) -> bool {
    scalar_to_string(actual).to_lowercase().contains(&scalar_to_string(expected).to_lowercase())
}

/// Returns whether a value is in a range, written with a hyphen: numbers, versions, or times in epoch
/// milliseconds.
fn between(actual: &Value, range: &Value) -> bool {
    let range = scalar_to_string(range);
    let Some((min, max)) = range.split_once('-') else { return false };
    let millis = |value: &Value| value.as_str()?.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond());
    let actual = millis(actual).map_or_else(|| actual.clone(), Value::from);
    let bound = |bound: &str| match (actual.is_number(), bound.trim().parse::<i64>()) {
        (true, Ok(number)) => Value::from(number),
        _ => Value::from(bound.trim()),
    };
    compare(&actual, &bound(min)).is_some_and(Ordering::is_ge)
        && compare(&actual, &bound(max)).is_some_and(Ordering::is_le)
}
