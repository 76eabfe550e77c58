//! The warning about operations that end.

use std::sync::Once;

use sentinelone_raw::runtime::Operation;

/// Warns that an operation ends, once in a process.
pub(super) fn warn_of_end(operation: &Operation) {
    static WARNED: Once = Once::new();
    if let Some(end) = operation.end {
        WARNED.call_once(|| {
            let (method, path) = (operation.method.as_str(), operation.path);
            tracing::warn!(
                target: "sentinelone::announced_end",
                operation = operation.id,
                "{method} {path} {end}; source: {}",
                end.source
            );
        });
    }
}
