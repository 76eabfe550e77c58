//! Schemas of OpenAPI 3.0: translated into JSON Schema for validation, and walked for fields that they
//! do not declare.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::finding::{Finding, FindingKind};
use super::place;

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    named: Map<String, Value>,
}

const COMPONENT: &str = "#/components/schemas/";

impl Schemas {
    pub(super) fn of(document: &Value) -> Self {
        let named = document.pointer("/components/schemas").and_then(Value::as_object);
        Self { named: named.cloned().unwrap_or_default() }
    }

    /// The schema that a reference names, or the schema itself.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // A chain longer than the number of schemas is a circle.
        for _ in 0..=self.named.len() {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { break };
            let Some(named) = self.get(reference) else { break };
            schema = named;
        }
        schema
    }

    pub(super) fn get(&self, reference: &str) -> Option<&Value> {
        self.named.get(reference.strip_prefix(COMPONENT)?)
    }

    /// The schema and everything that it is put together from.
    pub(super) fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let mut parts: Vec<&Value> = Vec::new();
        let mut pending = vec![schema];
        while let Some(schema) = pending.pop() {
            let schema = self.resolve(schema);
            if parts.iter().any(|part| std::ptr::eq(*part, schema)) {
                continue;
            }
            parts.push(schema);
            for key in ["allOf", "anyOf", "oneOf"] {
                pending.extend(schema.get(key).and_then(Value::as_array).into_iter().flatten().rev());
            }
        }
        parts
    }

    /// The declared type.
    pub(super) fn type_of<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        self.parts(schema).into_iter().find_map(|part| part.get("type")?.as_str())
    }

    /// The schema of the elements of a list or of the values of a map.
    pub(super) fn items<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        self.parts(schema).into_iter().find_map(|part| {
            let values = || part.get("additionalProperties").filter(|schema| schema.is_object());
            part.get("items").or_else(values)
        })
    }

    /// The declared fields of an object.
    pub(super) fn properties<'a>(&'a self, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
        let objects = self.parts(schema).into_iter().filter_map(|part| part.get("properties")?.as_object());
        objects.flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
    }

    /// The schema as JSON Schema 2020-12, with the named ones that it reaches under `$defs`.
    pub(super) fn json_schema(&self, schema: &Value) -> Value {
        let mut pending = Vec::new();
        let mut root = translate(schema, false, &mut pending);
        let mut definitions = Map::new();
        let mut seen = BTreeSet::new();
        while let Some((name, nullable)) = pending.pop() {
            if !seen.insert((name.clone(), nullable)) {
                continue;
            }
            if let Some(named) = self.named.get(&name) {
                let key = definition(&name, nullable);
                definitions.insert(key, translate(named, nullable, &mut pending));
            }
        }
        if let Some(root) = root.as_object_mut() {
            root.insert("$defs".into(), Value::Object(definitions));
        }
        root
    }

    /// Reports the fields of a value that its schema does not declare. Validation lets them pass.
    pub(super) fn undeclared(&self, schema: &Value, value: &Value, at: &str, findings: &mut Vec<Finding>) {
        self.walk(&[schema], value, &mut at.to_owned(), findings);
    }

    fn walk(&self, schemas: &[&Value], value: &Value, at: &mut String, findings: &mut Vec<Finding>) {
        let parts: Vec<&Value> = schemas.iter().flat_map(|schema| self.parts(schema)).collect();
        let length = at.len();
        match value {
            Value::Array(values) => {
                let items: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
                for (index, value) in values.iter().enumerate() {
                    place::index(at, index);
                    self.walk(&items, value, at, findings);
                    at.truncate(length);
                }
            }
            Value::Object(fields) => {
                let declares = |part: &&Value| {
                    part.get("properties").is_some() || part.get("additionalProperties").is_some()
                };
                let free = !parts.iter().any(declares);
                for (name, value) in fields {
                    let own = parts.iter().filter_map(|part| part.get("properties")?.get(name));
                    let mut known: Vec<&Value> = own.collect();
                    let mut allowed = free;
                    if known.is_empty() {
                        for further in parts.iter().filter_map(|part| part.get("additionalProperties")) {
                            match further {
                                Value::Bool(yes) => allowed |= *yes,
                                schema => known.push(schema),
                            }
                        }
                    }
                    place::field(at, name);
                    if !known.is_empty() {
                        self.walk(&known, value, at, findings);
                    } else if !allowed {
                        let message = "the specification has no such field";
                        findings.push(Finding::new(FindingKind::UndeclaredField, at.as_str(), message));
                    }
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// `:` cannot stand in the name of a component, so the two kinds of definition stay apart.
fn definition(name: &str, nullable: bool) -> String {
    if nullable { format!("{name}:null") } else { name.to_owned() }
}

/// OpenAPI 3.0 says `nullable` beside a reference, where JSON Schema would need `anyOf`, whose errors say
/// nothing about the place. So the null is carried into the named schema, which is then defined twice:
/// with and without it.
fn translate(schema: &Value, nullable: bool, pending: &mut Vec<(String, bool)>) -> Value {
    let Value::Object(schema) = schema else { return json!({}) };
    let nullable = nullable || schema.get("nullable") == Some(&Value::Bool(true));
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(COMPONENT)) {
        pending.push((name.to_owned(), nullable));
        return json!({ "$ref": format!("#/$defs/{}", definition(name, nullable)) });
    }
    let mut out = Map::new();
    for (key, value) in schema {
        let translated = match (key.as_str(), value) {
            ("type", kind) if nullable => json!([kind, "null"]),
            ("enum", Value::Array(values)) if nullable && !values.contains(&Value::Null) => {
                values.iter().cloned().chain([Value::Null]).collect()
            }
            // False is left to the walk, which names the place.
            ("additionalProperties", Value::Bool(_)) => continue,
            ("items" | "additionalProperties" | "not", schema) => translate(schema, false, pending),
            ("properties", Value::Object(properties)) => {
                let translated = properties.iter();
                translated.map(|(name, schema)| (name.clone(), translate(schema, false, pending))).collect()
            }
            ("allOf", Value::Array(schemas)) => {
                schemas.iter().map(|schema| translate(schema, nullable, pending)).collect()
            }
            ("anyOf" | "oneOf", Value::Array(schemas)) => {
                let mut all: Vec<Value> = schemas.iter().map(|s| translate(s, false, pending)).collect();
                all.extend(nullable.then(|| json!({ "type": "null" })));
                Value::Array(all)
            }
            // In OpenAPI 3.0 these are flags on the bound.
            ("exclusiveMinimum" | "exclusiveMaximum", _) => continue,
            ("minimum" | "maximum", bound) => {
                let exclusive = if key == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
                let strict = schema.get(exclusive) == Some(&Value::Bool(true));
                out.insert(if strict { exclusive.into() } else { key.clone() }, bound.clone());
                continue;
            }
            (
                "type" | "enum" | "required" | "format" | "pattern" | "multipleOf" | "minLength"
                | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties" | "maxProperties",
                value,
            ) => value.clone(),
            _ => continue,
        };
        out.insert(key.clone(), translated);
    }
    Value::Object(out)
}
