//! Expressions of `x-s1.sandbox`.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sentinelone::raw::runtime::Timestamp;
use serde_json::{Map, Value, json};

use super::tenant::Tenant;
use super::values::scalar_to_string;
use sentinelone::json_path::get_path;

/// Values of the variables in expressions.
#[derive(Clone, Copy)]
pub(super) struct EvalContext<'a> {
    pub(super) path: &'a BTreeMap<String, String>,
    pub(super) query: &'a Map<String, Value>,
    pub(super) body: &'a Value,
    pub(super) now: &'a str,
    /// Origin of the sandbox, with its scheme.
    pub(super) origin: &'a str,
    /// ID of the request, which created items may share.
    pub(super) request_id: &'a str,
    pub(super) tenant: &'a Tenant,
    /// The current item.
    pub(super) item: &'a Value,
    /// The current element of an `each`.
    pub(super) each: &'a Value,
    pub(super) new_id: &'a str,
    /// Outcomes of the fields that the request sets.
    pub(super) set: &'a BTreeMap<String, &'static str>,
    /// The created or returned item.
    pub(super) result: &'a Value,
    pub(super) affected: u64,
    /// All selected items.
    pub(super) selected: &'a [&'a Value],
}

impl EvalContext<'_> {
    /// Evaluates an expression; `None` if the value is missing.
    pub(super) fn evaluate(&self, expression: &Value) -> Option<Value> {
        match expression {
            Value::String(string) => match string.strip_prefix('$') {
                Some(name) => self.variable(name),
                None => Some(expression.clone()),
            },
            Value::Array(items) => Some(items.iter().filter_map(|item| self.evaluate(item)).collect()),
            Value::Object(fields) => self.evaluate_object(fields),
            _ => Some(expression.clone()),
        }
    }

    /// Evaluates an operator such as `{of, map}`, or an object whose members are expressions.
    fn evaluate_object(&self, fields: &Map<String, Value>) -> Option<Value> {
        let member = |name: &str| fields.get(name);
        if let (Some(of), Some(map)) = (member("of"), member("map")) {
            return map.get(scalar_to_string(&self.evaluate(of)?)).cloned();
        }
        if let Some(Value::Array(parts)) = member("join") {
            let strings = parts.iter().map(|part| self.evaluate(part).map(|value| scalar_to_string(&value)));
            return Some(strings.collect::<Option<String>>()?.into());
        }
        if let (Some(Value::String(collection)), Some(id), Some(Value::String(field))) =
            (member("lookup"), member("id"), member("field"))
        {
            let id = self.evaluate(id)?;
            let found = self.tenant.items(collection).iter().rfind(|item| item.get("id") == Some(&id));
            return get_path(found?, field).cloned();
        }
        if let Some(Value::Array(expressions)) = member("first") {
            return expressions.iter().find_map(|expression| self.evaluate(expression));
        }
        if let Some(seconds) = member("secondsAgo").and_then(Value::as_i64) {
            let now = Timestamp::from(self.now).unix_millis()?;
            return Some(now.checked_sub(seconds.checked_mul(1000)?)?.into());
        }
        if let Some(Value::String(path)) = member("sum") {
            let numbers = self.selected.iter().filter_map(|item| get_path(item, path)?.as_i64());
            return Some(numbers.sum::<i64>().into());
        }
        if let Some(Value::String(property)) = member("scope") {
            return self.filter_scope(property);
        }
        if let (Some(list), Some(item)) = (member("each"), member("item")) {
            let list = self.evaluate(list)?;
            let items = list.as_array().into_iter().flatten();
            return Some(items.filter_map(|each| EvalContext { each, ..*self }.evaluate(item)).collect());
        }
        if let (Some(name), Some(entries)) = (member("file"), member("entries")) {
            let file = json!({ "name": self.evaluate(name)?, "entries": self.evaluate(entries)? });
            let segment = utf8_percent_encode(&file.to_string(), NON_ALPHANUMERIC).to_string();
            return Some(format!("{}{FILES_PREFIX}{segment}", self.origin).into());
        }
        let fields =
            fields.iter().filter_map(|(name, expression)| Some((name.clone(), self.evaluate(expression)?)));
        Some(Value::Object(fields.collect()))
    }

    /// Returns a part of the console scope in the filter of the request: its `level`, its `ids`, or the first
    /// `id`.
    fn filter_scope(&self, property: &str) -> Option<Value> {
        let filter = self.body.get("filter")?;
        let levels = [("groupIds", "group"), ("siteIds", "site"), ("accountIds", "account")];
        let found = levels.iter().find_map(|(field, level)| Some((filter.get(field)?.as_array()?, *level)));
        match (property, found) {
            ("level", found) => Some(found.map_or("global", |(_, level)| level).into()),
            ("ids", found) => Some(Value::Array(found.map(|(ids, _)| ids.clone()).unwrap_or_default())),
            ("id", Some((ids, _))) => ids.first().cloned(),
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Option<Value> {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let inner = |value: &Value| {
            if rest.is_empty() { Some(value.clone()) } else { get_path(value, rest).cloned() }
        };
        match root {
            "path" => self.path.get(rest).cloned().map(Value::String),
            "query" => self.query.get(rest).cloned(),
            "body" => inner(self.body),
            "item" => inner(self.item),
            "each" => inner(self.each),
            "created" | "result" => inner(self.result),
            "set" => self.set.get(rest).map(|outcome| Value::from(*outcome)),
            "now" => Some(self.now.into()),
            "newId" => Some(self.new_id.into()),
            "requestId" => Some(self.request_id.into()),
            "affected" => Some(self.affected.into()),
            _ => None,
        }
    }
}

/// Path prefix of downloadable files. The rest of the path contains the file.
pub(super) const FILES_PREFIX: &str = "/sandbox-files/";
