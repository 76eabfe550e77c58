//! Schemas of OpenAPI 3.0: translation into JSON Schema, and search for undeclared fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::finding::{ContractRule, Finding};
use super::location;

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    named: Map<String, Value>,
}

const COMPONENT: &str = "#/components/schemas/";

impl Schemas {
    pub(super) fn from_document(document: &Value) -> Self {
        let named = document.pointer("/components/schemas").and_then(Value::as_object);
        Self { named: named.cloned().unwrap_or_default() }
    }

    /// Returns the target of a reference, or the schema itself.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // A chain longer than the number of schemas is a cycle.
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

    /// Returns the schema and all schemas that it combines by `allOf`, `anyOf` and `oneOf`.
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

    /// Returns the declared type.
    pub(super) fn type_of<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        self.parts(schema).into_iter().find_map(|part| part.get("type")?.as_str())
    }

    /// Returns whether a schema declares RFC 3339 times.
    pub(super) fn is_date_time(&self, schema: &Value) -> bool {
        self.parts(schema)
            .into_iter()
            .any(|part| part.get("format").is_some_and(|format| format == "date-time"))
    }

    /// Returns the schema of the items of an array, or of the values of a map.
    pub(super) fn items<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        self.parts(schema).into_iter().find_map(|part| {
            let values = || part.get("additionalProperties").filter(|schema| schema.is_object());
            part.get("items").or_else(values)
        })
    }

    /// Returns the declared properties of an object.
    pub(super) fn properties<'a>(&'a self, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
        let objects = self.parts(schema).into_iter().filter_map(|part| part.get("properties")?.as_object());
        objects.flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
    }

    /// Returns the schema as JSON Schema 2020-12, with the referenced schemas in `$defs`.
    pub(super) fn json_schema(&self, schema: &Value) -> Value {
        let mut pending = Vec::new();
        let mut root = translate(schema, false, &mut pending);
        let mut definitions = Map::new();
        let mut visited = BTreeSet::new();
        while let Some((name, nullable)) = pending.pop() {
            if !visited.insert((name.clone(), nullable)) {
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

    /// Reports the fields of a value that its schema does not declare. JSON Schema validation accepts them.
    pub(super) fn undeclared(&self, schema: &Value, value: &Value, root: &str, findings: &mut Vec<Finding>) {
        self.visit(&[schema], value, &mut root.to_owned(), findings);
    }

    fn visit(&self, schemas: &[&Value], value: &Value, location: &mut String, findings: &mut Vec<Finding>) {
        let parts: Vec<&Value> = schemas.iter().flat_map(|schema| self.parts(schema)).collect();
        let length = location.len();
        match value {
            Value::Array(values) => {
                let items: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
                for (index, value) in values.iter().enumerate() {
                    location::index(location, index);
                    self.visit(&items, value, location, findings);
                    location.truncate(length);
                }
            }
            Value::Object(fields) => {
                let declares = |part: &&Value| {
                    part.get("properties").is_some() || part.get("additionalProperties").is_some()
                };
                let open = !parts.iter().any(declares);
                for (name, value) in fields {
                    let declared = parts.iter().filter_map(|part| part.get("properties")?.get(name));
                    let mut schemas: Vec<&Value> = declared.collect();
                    let mut allowed = open;
                    if schemas.is_empty() {
                        for additional in parts.iter().filter_map(|part| part.get("additionalProperties")) {
                            match additional {
                                Value::Bool(yes) => allowed |= *yes,
                                schema => schemas.push(schema),
                            }
                        }
                    }
                    location::field(location, name);
                    if !schemas.is_empty() {
                        self.visit(&schemas, value, location, findings);
                    } else if !allowed {
                        let message = "the specification has no such field";
                        findings.push(Finding::new(
                            ContractRule::UndeclaredField,
                            location.as_str(),
                            message,
                        ));
                    }
                    location.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// Returns the key in `$defs`. Component names cannot contain `:`, so the two kinds of keys differ.
fn definition(name: &str, nullable: bool) -> String {
    if nullable { format!("{name}:null") } else { name.to_owned() }
}

/// Rewrites each `anyOf` of a reference and of null as the reference with `nullable`, which has no meaning in OpenAPI 3.0
/// but one place for the null: errors below an `anyOf` do not have a location.
pub(super) fn join_null(node: &mut Value) {
    match node {
        Value::Object(map) => {
            map.values_mut().for_each(join_null);
            let Some([target, null]) = map.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else {
                return;
            };
            if null.get("enum").is_some_and(|values| *values == json!([null])) && !map.contains_key("allOf") {
                let target = target.clone();
                map.remove("anyOf");
                map.insert("allOf".into(), json!([target]));
                map.insert("nullable".into(), json!(true));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(join_null),
        _ => {}
    }
}

/// Translates a schema of OpenAPI 3.0 into JSON Schema.
///
/// `nullable` can accompany a reference, see [`join_null`]. In JSON Schema, that requires `anyOf`, whose errors do not
/// have the location. Therefore the null is moved into the named schema, which is defined with and without it.
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
            // `false` is left to `Schemas::undeclared`, which reports the location.
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
            // In OpenAPI 3.0 these are booleans that modify the bound.
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
