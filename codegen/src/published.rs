//! The bundled document as it is published: what is implicit in `spec/`, written in plain OpenAPI 3.0.3.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Value, json};

use crate::bundle::{Bundle, add_used, reference};
use crate::{Error, Result};

const SCHEMA: &str = "#/components/schemas/";

/// Suffix of the request form of a schema that responses use as well.
const REQUEST_FORM: &str = "Input";

/// Returns the text of `openapi.json`.
///
/// - A reference that can be null is an `anyOf` of the schema and of null, because `nullable` only extends a `type` of
///   the same schema object.
/// - Objects in request bodies have `additionalProperties: false`. Responses have no such limit, so an object that both
///   use has a second schema for requests.
///
/// # Errors
/// Returns an error if the name of a second schema is taken.
pub(crate) fn document(bundle: &Bundle) -> Result<String> {
    let mut document = bundle.document.clone();
    close_requests(bundle, &mut document)?;
    let types = |name: &str| bundle.schema(name).map(|schema| schema["type"].clone());
    write_null(&mut document, false, &types);
    document.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&document).map_err(|e| Error::Generator(e.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// Returns the module with the positions of operations and named schemas in the text of [`document`], so that a reader can
/// parse single ones.
///
/// # Errors
/// Returns an error if an operation or a schema is not found in the text.
pub(crate) fn positions(bundle: &Bundle, text: &str) -> Result<String> {
    let document: Value = serde_json::from_str(text).map_err(|e| Error::Generator(e.to_string()))?;
    // The members of an object are in the order of the text, so the search for each one continues after the last.
    let mut from = 0;
    let mut position = |name: &str, node: &Value| {
        let lines = serde_json::to_string_pretty(node).map_err(|e| Error::Generator(e.to_string()))?;
        let nested = format!("\n      {}: {}", json!(name), lines.replace('\n', "\n      "));
        let missing = || Error::Generator(format!("{name} is not at its place in openapi.json"));
        let start = text.get(from..).and_then(|rest| rest.find(&nested)).ok_or_else(missing)? + from;
        from = start + nested.len();
        Ok::<_, Error>(from - lines.replace('\n', "\n      ").len()..from)
    };
    let mut schemas = String::new();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let Range { start, end } = position(name, schema)?;
        schemas.push_str(&format!("    ({name:?}, {start}, {end}),\n"));
    }
    let mut operations = BTreeMap::new();
    for (_, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, node) in item.as_object().into_iter().flatten() {
            if let Some(id) = node["operationId"].as_str() {
                operations.insert(id.to_owned(), position(method, node)?);
            }
        }
    }
    let count = bundle.operations().count();
    if operations.len() != count {
        return Err(Error::Generator(format!("openapi.json has {} of {count} operations", operations.len())));
    }
    let operations: String = operations
        .iter()
        .map(|(id, Range { start, end })| format!("    ({id:?}, {start}, {end}),\n"))
        .collect();
    Ok(format!(
        "//! Positions in [`OPENAPI`](crate::OPENAPI), in bytes: the start, and the end without the following comma.\n\n\
         /// All operations, sorted by ID.\n\
         pub static OPERATIONS: &[(&str, usize, usize)] = &[\n{operations}];\n\n\
         /// The named schemas, sorted by name.\n\
         pub static SCHEMAS: &[(&str, usize, usize)] = &[\n{schemas}];\n"
    ))
}

/// Reads a published document: a reference that can be null is `allOf` with `nullable` again, as in `spec/`.
pub(crate) fn read_null(node: &mut Value) {
    match node {
        Value::Object(map) => {
            map.values_mut().for_each(read_null);
            let Some([target, null]) = map.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else {
                return;
            };
            if null["enum"] == json!([Value::Null]) && target.get("$ref").is_some() {
                let target = target.clone();
                map.remove("anyOf");
                map.insert("allOf".into(), json!([target]));
                map.insert("nullable".into(), json!(true));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(read_null),
        _ => {}
    }
}

/// Rewrites `nullable` without a type. `names` means that the keys of the node are property names.
fn write_null(node: &mut Value, names: bool, types: &impl Fn(&str) -> Option<Value>) {
    match node {
        Value::Object(map) => {
            if !names && map.get("nullable") == Some(&Value::Bool(true)) && !map.contains_key("type") {
                map.remove("nullable");
                // Without a type, a schema accepts any value, null included.
                let target = reference(&Value::Object(map.clone())).map(str::to_owned);
                if let Some(name) = target {
                    map.remove("allOf");
                    let only_null = json!({ "type": types(&name), "nullable": true, "enum": [null] });
                    map.insert("anyOf".into(), json!([{ "$ref": format!("{SCHEMA}{name}") }, only_null]));
                }
            }
            for (key, value) in map.iter_mut() {
                write_null(value, !names && key == "properties", types);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| write_null(value, false, types)),
        _ => {}
    }
}

/// Declares that objects in request bodies have no other members.
fn close_requests(bundle: &Bundle, document: &mut Value) -> Result<()> {
    let (mut in_requests, mut in_responses) = (BTreeSet::new(), BTreeSet::new());
    for operation in bundle.operations() {
        add_used(bundle, &operation.node["requestBody"], &mut in_requests);
        add_used(bundle, &operation.node["responses"], &mut in_responses);
    }
    let is_object =
        |name: &&String| bundle.schema(name).is_some_and(|schema| schema.get("properties").is_some());
    let shared: BTreeSet<&String> = in_requests.intersection(&in_responses).filter(is_object).collect();
    let rename = |name: &str| shared.contains(&name.to_owned()).then(|| format!("{name}{REQUEST_FORM}"));
    for name in in_requests.iter().filter(is_object) {
        let mut schema = bundle.schema(name).cloned().unwrap_or_default();
        rename_references(&mut schema, &rename);
        if schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = json!(false);
        }
        let name = match rename(name) {
            Some(new) if bundle.schema(&new).is_some() => {
                return Err(Error::Generator(format!(
                    "schema name {new} is reserved for the request form of {name}"
                )));
            }
            Some(new) => new,
            None => name.clone(),
        };
        document["components"]["schemas"][name] = schema;
    }
    for (_, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(body) = operation.get_mut("requestBody") {
                rename_references(body, &rename);
            }
        }
    }
    Ok(())
}

fn rename_references(node: &mut Value, rename: &impl Fn(&str) -> Option<String>) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some(new) = target.strip_prefix(SCHEMA).and_then(rename)
            {
                *target = format!("{SCHEMA}{new}");
            }
            map.values_mut().for_each(|value| rename_references(value, rename));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rename_references(value, rename)),
        _ => {}
    }
}
