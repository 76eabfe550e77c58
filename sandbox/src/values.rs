//! Lookup, comparison and order of JSON values.

use std::cmp::Ordering;

use serde_json::Value;

/// Returns the non-null values at a path. `*` matches each key of an object or element of an array.
pub(super) fn lookup_all<'a>(item: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut values = vec![item];
    for name in path.split('.') {
        values = values
            .into_iter()
            .flat_map(|value| match (name, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                ("*", Value::Object(fields)) => fields.values().collect(),
                (name, value) => value.get(name).into_iter().collect::<Vec<_>>(),
            })
            .filter(|value| !value.is_null())
            .collect();
    }
    values
}

/// Converts a scalar to the string form in which IDs and map keys are compared.
pub(super) fn scalar_to_string(value: &Value) -> String {
    match value {
        Value::String(string) => string.clone(),
        other => other.to_string(),
    }
}

/// Returns whether two scalars are equal. An ID may be a number on one side and a string on the other, and an enum value
/// may be `IN_PROGRESS` in a filter and `In progress` in an item.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    if one == other {
        return true;
    }
    let (one, other) = (scalar_to_string(one), scalar_to_string(other));
    let is_upper = |text: &String| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let lower = |text: &String| text.replace(' ', "_").to_ascii_lowercase();
    one == other || ((is_upper(&one) || is_upper(&other)) && lower(&one) == lower(&other))
}

/// Compares two scalars; `None` if they are not comparable. Strings that are timestamps are compared as times.
pub(super) fn compare(one: &Value, other: &Value) -> Option<Ordering> {
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

/// Compares two values for sorting. Missing and incomparable values come first.
pub(super) fn order(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    let scalar = |value: Option<&'_ Value>| value.is_some_and(|v| !v.is_null() && !v.is_object());
    match (one, other) {
        (Some(one), Some(other)) if scalar(Some(one)) && scalar(Some(other)) => {
            compare(one, other).unwrap_or(Ordering::Equal)
        }
        (one, other) => scalar(one).cmp(&scalar(other)),
    }
}
