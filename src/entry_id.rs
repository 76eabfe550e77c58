//! IDs of items. Consoles send them as strings, and some as numbers.

use serde_json::Value;

/// Returns the ID of an item; `None` if it is missing or blank.
pub(crate) fn id_of(item: &Value) -> Option<String> {
    item.get("id").and_then(id_string)
}

/// Returns an ID that is a string or a number.
pub(crate) fn id_string(id: &Value) -> Option<String> {
    match id {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
