//! What the schemas of the specification say, and choices that are the same in every run.

use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(sentinelone::raw::OPENAPI).unwrap());

/// Consistent random choices.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, many: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % many
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What a schema says under a key, itself or by what it is put together from.
pub(crate) fn says<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return says(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(), key);
    }
    let inner = || schema["allOf"].as_array().into_iter().flatten().find_map(|part| says(part, key));
    schema.get(key).or_else(inner)
}

/// The values that an enum knows.
pub(crate) fn words(schema: &Value) -> Vec<&str> {
    let words = says(schema, "enum").and_then(Value::as_array);
    words.into_iter().flatten().filter_map(Value::as_str).collect()
}
