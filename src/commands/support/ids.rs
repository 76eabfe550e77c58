//! IDs of arguments and of entries.

use std::collections::HashSet;

use serde_json::Value;

/// Removes duplicate IDs and keeps the order.
pub(crate) fn unique(ids: &[String]) -> Vec<String> {
    let mut known_ids = HashSet::new();
    ids.iter().filter(|id| known_ids.insert(*id)).cloned().collect()
}

/// Returns an ID that is a string or a number.
pub(crate) fn id_string(id: &Value) -> Option<String> {
    match id {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
