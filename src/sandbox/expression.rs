//! Paths and expressions of `x-s1.sandbox`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::dotted::at;

/// The values at a path in which `*` stands for every key or element. Nulls are left out.
pub(super) fn lookup_all<'a>(thing: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut values = vec![thing];
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

/// A scalar as text, which is how ids and the keys of maps compare.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What the names in expressions stand for.
pub(super) struct Scope<'a> {
    pub(super) path: &'a BTreeMap<String, String>,
    pub(super) query: &'a Map<String, Value>,
    pub(super) body: &'a Value,
    pub(super) item: &'a Value,
    /// What became of the fields that the request asked to set.
    pub(super) set: &'a BTreeMap<String, &'static str>,
    pub(super) now: &'a str,
    pub(super) new_id: &'a str,
}

impl Scope<'_> {
    /// The value of an expression; `None` when it is absent.
    pub(super) fn evaluate(&self, expression: &Value) -> Option<Value> {
        match expression {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self.name(name),
                None => Some(expression.clone()),
            },
            Value::Object(fields) => match (fields.get("of"), fields.get("map")) {
                (Some(of), Some(map)) => map.get(text(&self.evaluate(of)?)).cloned(),
                _ => Some(expression.clone()),
            },
            _ => Some(expression.clone()),
        }
    }

    fn name(&self, name: &str) -> Option<Value> {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        match root {
            "path" => self.path.get(rest).cloned().map(Value::String),
            "query" => self.query.get(rest).cloned(),
            "body" => at(self.body, rest).cloned(),
            "item" => at(self.item, rest).cloned(),
            "set" => self.set.get(rest).map(|what| Value::from(*what)),
            "now" => Some(self.now.into()),
            "newId" => Some(self.new_id.into()),
            _ => None,
        }
    }
}
