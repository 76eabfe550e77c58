//! Paths and expressions of `x-s1.sandbox`.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::tenant::Tenant;
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
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) path: &'a BTreeMap<String, String>,
    pub(super) query: &'a Map<String, Value>,
    pub(super) body: &'a Value,
    pub(super) now: &'a str,
    /// Where the sandbox is, with its scheme.
    pub(super) origin: &'a str,
    /// An id of its own for each request, which what comes of it may share.
    pub(super) request_id: &'a str,
    pub(super) tenant: &'a Tenant,
    /// The thing that it is about.
    pub(super) item: &'a Value,
    /// The element of a list that it is about.
    pub(super) each: &'a Value,
    pub(super) new_id: &'a str,
    /// What became of the fields that the request asked to set.
    pub(super) set: &'a BTreeMap<String, &'static str>,
    /// What was created, or is shown.
    pub(super) result: &'a Value,
    pub(super) affected: u64,
    /// All that was selected.
    pub(super) selected: &'a [&'a Value],
}

impl Scope<'_> {
    /// The value of an expression; `None` when it is absent.
    pub(super) fn evaluate(&self, expression: &Value) -> Option<Value> {
        match expression {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self.name(name),
                None => Some(expression.clone()),
            },
            Value::Array(items) => Some(items.iter().filter_map(|item| self.evaluate(item)).collect()),
            Value::Object(fields) => self.form(fields),
            _ => Some(expression.clone()),
        }
    }

    /// A form such as `{of, map}`, or an object whose members are expressions.
    fn form(&self, fields: &Map<String, Value>) -> Option<Value> {
        let part = |name: &str| fields.get(name);
        if let (Some(of), Some(map)) = (part("of"), part("map")) {
            return map.get(text(&self.evaluate(of)?)).cloned();
        }
        if let Some(Value::Array(parts)) = part("join") {
            let texts = parts.iter().map(|part| self.evaluate(part).map(|value| text(&value)));
            return Some(texts.collect::<Option<String>>()?.into());
        }
        if let (Some(Value::String(collection)), Some(id), Some(Value::String(field))) =
            (part("lookup"), part("id"), part("field"))
        {
            let id = self.evaluate(id)?;
            let found = self.tenant.things(collection).iter().rfind(|thing| thing.get("id") == Some(&id));
            return at(found?, field).cloned();
        }
        if let Some(Value::String(path)) = part("sum") {
            let numbers = self.selected.iter().filter_map(|thing| at(thing, path)?.as_i64());
            return Some(numbers.sum::<i64>().into());
        }
        if let Some(Value::String(what)) = part("scope") {
            return self.scope(what);
        }
        if let (Some(list), Some(item)) = (part("each"), part("item")) {
            let list = self.evaluate(list)?;
            let items = list.as_array().into_iter().flatten();
            return Some(items.filter_map(|each| Scope { each, ..*self }.evaluate(item)).collect());
        }
        if let (Some(name), Some(entries)) = (part("file"), part("entries")) {
            let file = json!({ "name": self.evaluate(name)?, "entries": self.evaluate(entries)? });
            let segment = utf8_percent_encode(&file.to_string(), NON_ALPHANUMERIC).to_string();
            return Some(format!("{}{FILES}{segment}", self.origin).into());
        }
        let fields = fields.iter().filter_map(|(name, e)| Some((name.clone(), self.evaluate(e)?)));
        Some(Value::Object(fields.collect()))
    }

    /// What the request's filter says about where something belongs to: its `level`, its `ids`, the first `id`.
    fn scope(&self, what: &str) -> Option<Value> {
        let filter = self.body.get("filter")?;
        let levels = [("groupIds", "group"), ("siteIds", "site"), ("accountIds", "account")];
        let found = levels.iter().find_map(|(field, level)| Some((filter.get(field)?.as_array()?, *level)));
        match (what, found) {
            ("level", found) => Some(found.map_or("global", |(_, level)| level).into()),
            ("ids", found) => Some(Value::Array(found.map(|(ids, _)| ids.clone()).unwrap_or_default())),
            ("id", Some((ids, _))) => ids.first().cloned(),
            _ => None,
        }
    }

    fn name(&self, name: &str) -> Option<Value> {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let inner =
            |value: &Value| if rest.is_empty() { Some(value.clone()) } else { at(value, rest).cloned() };
        match root {
            "path" => self.path.get(rest).cloned().map(Value::String),
            "query" => self.query.get(rest).cloned(),
            "body" => inner(self.body),
            "item" => inner(self.item),
            "each" => inner(self.each),
            "created" | "shown" => inner(self.result),
            "set" => self.set.get(rest).map(|what| Value::from(*what)),
            "now" => Some(self.now.into()),
            "newId" => Some(self.new_id.into()),
            "requestId" => Some(self.request_id.into()),
            "affected" => Some(self.affected.into()),
            _ => None,
        }
    }
}

/// Where the files lie that the sandbox gives out addresses of. What is in them is in the address.
pub(super) const FILES: &str = "/sandbox-files/";
