//! Paths and expressions of `x-s1.sandbox`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The value at a path with dots.
pub(super) fn lookup<'a>(thing: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(thing, |value, name| value.get(name))
}

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

/// Puts a value at a path with dots, with the objects on the way there.
pub(super) fn assign(thing: &mut Value, path: &str, new: Value) {
    let mut place = thing;
    for name in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(fields) = place.as_object_mut() else { return };
        place = fields.entry(name).or_insert(Value::Null);
    }
    *place = new;
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
            "body" => lookup(self.body, rest).cloned(),
            "item" => lookup(self.item, rest).cloned(),
            "set" => self.set.get(rest).map(|what| Value::from(*what)),
            "now" => Some(self.now.into()),
            "newId" => Some(self.new_id.into()),
            _ => None,
        }
    }
}
