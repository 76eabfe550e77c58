//! Context entries from the fields of a response.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::runtime::commands::ContextPath;
use serde_json::{Map, Value};

use crate::json_path::{get_path, set_path};

/// Returns the context entry of an item: the fields of `outputs`, relative to `prefix`. Null and missing fields are
/// omitted.
pub(crate) fn entry(outputs: &[ContextPath], prefix: &str, version: ApiVersion, item: &Value) -> Value {
    let mut entry = Value::Object(Map::new());
    for output in outputs {
        let field = output.field_on(version);
        let value = field.and_then(|field| get_path(item, field)).filter(|value| !value.is_null());
        if let Some(value) = value {
            set_path(&mut entry, output.relative_to(prefix), value.clone());
        }
    }
    entry
}

/// Returns a context with `entries` at `prefix`.
pub(crate) fn context_under(prefix: &str, entries: Value) -> Value {
    let mut context = Value::Object(Map::new());
    set_path(&mut context, prefix, entries);
    context
}
