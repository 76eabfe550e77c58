//! Schema keywords of the specification, and deterministic random choices.

use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(sentinelone::raw::OPENAPI).unwrap());

/// Deterministic random choices.
#[derive(Clone, Debug)]
pub(crate) struct SeededRng(pub(crate) u64);

impl SeededRng {
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Returns the value of a schema keyword. Follows `$ref` and `allOf`.
pub(crate) fn keyword<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return keyword(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(), key);
    }
    let inner = || schema["allOf"].as_array().into_iter().flatten().find_map(|part| keyword(part, key));
    schema.get(key).or_else(inner)
}

/// Returns the listed values of an enum.
pub(crate) fn enum_values(schema: &Value) -> Vec<&str> {
    let values = keyword(schema, "enum").and_then(Value::as_array);
    values.into_iter().flatten().filter_map(Value::as_str).collect()
}
