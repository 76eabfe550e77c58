//! IDs of arguments.

use std::collections::HashSet;

/// Removes duplicate IDs and keeps the order.
pub(crate) fn unique(ids: &[String]) -> Vec<String> {
    let mut known_ids = HashSet::new();
    ids.iter().filter(|id| known_ids.insert(*id)).cloned().collect()
}

/// Returns whether a text has hexadecimal digits only, as a hash does.
pub(crate) fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
