//! IDs of arguments.

use std::collections::HashSet;

/// Removes duplicate IDs and keeps the order.
pub(crate) fn unique(ids: &[String]) -> Vec<String> {
    let mut known_ids = HashSet::new();
    ids.iter().filter(|id| known_ids.insert(*id)).cloned().collect()
}
