//! Schemas of OpenAPI 3.0: translation into JSON Schema, and search for undeclared fields.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use sentinelone::raw::positions;
use serde_json::{Map, Value, json};

use super::finding::{ContractRule, Finding};
use super::location;

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    /// Sorted by name.
    named: Vec<(Cow<'static, str>, Node)>,
}

/// An object of a document, parsed on first use.
#[derive(Debug)]
pub(super) struct Node {
    text: &'static str,
    value: OnceLock<Value>,
}

impl Node {
    pub(super) fn parsed(value: Value) -> Self {
        Self { text: "", value: OnceLock::from(value) }
    }

    /// Returns the object at a position of the bundled document.
    pub(super) fn bundled(start: usize, end: usize) -> Self {
        Self { text: sentinelone::raw::OPENAPI.get(start..end).unwrap_or_default(), value: OnceLock::new() }
    }

    #[cfg(test)]
    pub(super) fn is_parsed(&self) -> bool {
        self.value.get().is_some()
    }

    pub(super) fn get(&self) -> &Value {
        self.value.get_or_init(|| {
            // The document is part of the build and a test parses it, so the default never occurs.
            let mut value = serde_json::from_str(self.text).unwrap_or_default();
            join_null(&mut value);
            value
        })
    }
}

/// The findings of a list that was checked before the rest of its document.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) location: String,
    pub(super) findings: Vec<Finding>,
}

const COMPONENT: &str = "#/components/schemas/";

impl Schemas {
    pub(super) fn from_document(document: &Value) -> Self {
        let named = document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
        let named = named.map(|(name, schema)| (name.clone().into(), Node::parsed(schema.clone())));
        let mut named: Vec<(Cow<'static, str>, Node)> = named.collect();
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { named }
    }

    pub(super) fn bundled() -> Self {
        let named = positions::SCHEMAS.iter();
        Self {
            named: named
                .map(|(name, start, end)| (Cow::Borrowed(*name), Node::bundled(*start, *end)))
                .collect(),
        }
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
        self.named(reference.strip_prefix(COMPONENT)?)
    }

    fn named(&self, name: &str) -> Option<&Value> {
        let position = self.named.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()?;
        self.named.get(position).map(|(_, node)| node.get())
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
            if let Some(named) = self.named(&name) {
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
    pub(super) fn undeclared(
        &self,
        schema: &Value,
        value: &Value,
        root: &str,
        mut splice: Option<Splice>,
        findings: &mut Vec<Finding>,
    ) {
        self.visit(&[schema], value, &mut root.to_owned(), &mut splice, findings);
    }

    fn visit(
        &self,
        schemas: &[&Value],
        value: &Value,
        location: &mut String,
        splice: &mut Option<Splice>,
        findings: &mut Vec<Finding>,
    ) {
        if !value.is_array() && !value.is_object() {
            return;
        }
        let parts: Vec<&Value> = schemas.iter().flat_map(|schema| self.parts(schema)).collect();
        let length = location.len();
        match value {
            Value::Array(values) => {
                if let Some(list) = splice.take_if(|list| list.location == *location) {
                    findings.extend(list.findings);
                    return;
                }
                let items: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
                for (index, value) in values.iter().enumerate() {
                    location::index(location, index);
                    self.visit(&items, value, location, splice, findings);
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
                        self.visit(&schemas, value, location, splice, findings);
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

#[cfg(test)]
mod tests {
    use crate::Contract;

    #[test]
    fn bundled_parts_equal_those_of_the_parsed_document() {
        let document = serde_json::from_str(sentinelone::raw::OPENAPI).unwrap();
        let (parsed, bundled) = (Contract::from_document(document).unwrap(), Contract::with_positions());
        let schemas = |contract: &Contract| {
            let named = contract.schemas.named.iter();
            named.map(|(name, node)| (name.to_string(), node.get().clone())).collect::<Vec<_>>()
        };
        assert_eq!(schemas(&parsed), schemas(&bundled));
        assert_eq!(parsed.operations.len(), bundled.operations.len());
        for operation in &parsed.operations {
            let other = bundled.operation(operation.id()).unwrap();
            assert_eq!((operation.method(), operation.path()), (other.method(), other.path()));
            assert_eq!((operation.versions(), operation.as_json()), (other.versions(), other.as_json()));
            assert_eq!(format!("{:?}", operation.parameters()), format!("{:?}", other.parameters()));
        }
    }

    /// The cost of a request does not grow with the API.
    #[test]
    fn request_parses_only_the_parts_that_it_refers_to() {
        let contract = Contract::with_positions();
        let found = contract.match_operation("GET", "/web/api/v2.1/system/status").unwrap();
        assert_eq!(contract.check_request(found.operation, &found.path_values, &[], None), []);
        assert_eq!(contract.check_response(found.operation, 200, br#"{"data": {"health": "ok"}}"#), []);
        let schemas = contract.schemas.named.iter().filter(|(_, node)| node.is_parsed()).count();
        let operations = contract.operations.iter().filter(|operation| operation.is_parsed()).count();
        assert!(schemas <= 5 && operations == 1, "schemas: {schemas}, operations: {operations}");
    }
}
