//! Conversion of the specification to the OpenAPI dialect that progenitor supports.
//!
//! progenitor expects one success response and no error response per operation, and one object for all query
//! parameters. It generates types from bounds, defaults and titles that reject responses of the server. This module
//! removes those keywords. The metadata and bounds in the generated code come from the specification itself.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};

use crate::bundle::{Bundle, Operation, add_used, members, reference};
use crate::metadata;
use crate::{Error, Result};

/// Format of a response. T is a named schema, or an inline schema without properties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Envelope<'a> {
    /// `{data: [T], …}`, or `{data: {items: [T], …}, …}` with `items` from the metadata. Contains the schema of T.
    Page(&'a Value),
    /// `{data: T, …}`. Contains the schema of T.
    Data(&'a Value),
    /// T without an envelope.
    Json(&'a Value),
    /// No content.
    Empty,
    /// Bytes of a media type other than JSON.
    Binary,
    /// No source states the media type and the schema.
    Undocumented,
}

/// Media type of a response that no source describes.
pub const ANY_MEDIA: &str = "*/*";

/// Members of an envelope.
pub(crate) const ENVELOPE: [&str; 3] = ["data", "pagination", "errors"];

/// Returns the format of the success response.
///
/// # Errors
/// Returns an error if the operation has no success response, or one of another format.
pub fn envelope<'a>(bundle: &'a Bundle, operation: Operation<'a>) -> Result<Envelope<'a>, String> {
    let Some((status, response)) = operation.success() else {
        return Err("has no success response".into());
    };
    let Some(content) = response.get("content").and_then(Value::as_object).filter(|c| !c.is_empty()) else {
        return Ok(Envelope::Empty);
    };
    let Some(schema) = content.get("application/json").map(|json| &json["schema"]) else {
        let is_undocumented = content.contains_key(ANY_MEDIA);
        return Ok(if is_undocumented { Envelope::Undocumented } else { Envelope::Binary });
    };
    if reference(schema).is_some() {
        return Ok(Envelope::Json(schema));
    }
    let Some(data) = schema["properties"].get("data") else {
        return match has_properties(schema) {
            true => Err(format!(
                "response {status} is an object without `data`: move its schema to components/schemas"
            )),
            false => Ok(Envelope::Json(schema)),
        };
    };
    if let Some(items) = items(operation) {
        let list =
            reference(data).and_then(|name| bundle.schema(name)).map(|data| &data["properties"][items]);
        let item = list.map(|list| &list["items"]).filter(|item| item.is_object());
        return item
            .map(Envelope::Page)
            .ok_or_else(|| format!("response {status} has no list at data.{items}"));
    }
    if let Some(item) = data.get("items") {
        return Ok(Envelope::Page(item));
    }
    Ok(Envelope::Data(data))
}

/// Returns whether a schema is an object with declared properties.
pub(crate) fn has_properties(schema: &Value) -> bool {
    schema["properties"].as_object().is_some_and(|properties| !properties.is_empty())
}

/// Returns whether the member `filter` of a body selects items: it is an object, not a text or a list.
pub(crate) fn is_filter(member: &Value) -> bool {
    reference(member).is_some() || member["type"] == "object" || has_properties(member)
}

/// Returns whether a member of a form is a file.
pub(crate) fn is_file(node: &Value) -> bool {
    node["type"] == "string" && node["format"] == "binary"
}

/// Returns whether a response schema is an envelope: an object with `data` and no other members than those of an envelope.
pub(crate) fn is_envelope(schema: &Value) -> bool {
    let names = || members(schema, "/properties").map(|(name, _)| name.as_str());
    names().any(|name| name == "data") && names().all(|name| ENVELOPE.contains(&name))
}

/// Returns the member of `data` that has the list, if `data` itself is not a list.
pub(crate) fn items(operation: Operation<'_>) -> Option<&str> {
    operation.node.pointer("/x-s1/items")?.as_str()
}

/// Document for the generator.
#[derive(Debug)]
pub struct Dialect {
    /// OpenAPI document.
    pub document: Value,
    /// Names of the schemas that requests use, directly or indirectly.
    pub in_requests: BTreeSet<String>,
    /// Names of the schemas that responses use, directly or indirectly.
    pub in_responses: BTreeSet<String>,
}

/// Checks whether the values are supported as an enum.
///
/// # Errors
/// Returns the reason if they are not.
pub(crate) fn check_enum(values: &[&Value]) -> Result<(), String> {
    if values.is_empty() {
        return Err("it has no values".into());
    }
    let mut idents = BTreeSet::new();
    for value in values {
        let Some(text) = value.as_str() else { return Err(format!("{value} is not a string")) };
        let ident = text.to_upper_camel_case();
        if ident.is_empty() || ident == "Unrecognized" {
            return Err(format!("{text:?} has no valid Rust name"));
        }
        if !idents.insert(ident) {
            return Err(format!("{text:?} has the same Rust name as another value"));
        }
    }
    Ok(())
}

/// Returns the name of the query schema of an operation.
pub fn query_schema(operation_id: &str) -> String {
    format!("{operation_id}_query").to_upper_camel_case()
}

/// Keywords that would make the generated types reject values, or change the types.
const REMOVED_KEYWORDS: [&str; 16] = [
    "title",
    "default",
    "example",
    "examples",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "pattern",
    "readOnly",
    "writeOnly",
    "deprecated",
    metadata::KEY,
];

/// Converts the bundled specification to the document for the generator.
///
/// # Errors
/// Returns an error if the dialect does not support an operation.
pub fn apply(bundle: &Bundle) -> Result<Dialect> {
    let mut schemas = bundle.document["components"]["schemas"].clone();
    let mut paths = Map::new();
    let (mut in_requests, mut in_responses) = (BTreeSet::new(), BTreeSet::new());
    for operation in bundle.operations() {
        let id = operation.id();
        let simple = operation.parameters_in("path").chain(operation.parameters_in("header"));
        let mut parameters: Vec<Value> = simple.cloned().collect();
        if let Some(query) = query_object(bundle, operation)? {
            let name = query_schema(id);
            add_used(bundle, &query, &mut in_requests);
            in_requests.insert(name.clone());
            if schemas.get(&name).is_some() {
                return Err(Error::Generator(format!(
                    "schema name {name} is reserved for the query of {id}"
                )));
            }
            schemas[&name] = query;
            parameters.push(json!({
                "name": "query",
                "in": "query",
                "required": true,
                "style": "form",
                "explode": true,
                "schema": { "$ref": format!("#/components/schemas/{name}") },
            }));
        }
        add_used(bundle, &json!(parameters), &mut in_requests);
        let mut node = json!({
            "operationId": id,
            "tags": operation.node["tags"],
            "summary": operation.node["summary"],
            "description": operation.node["description"],
            "parameters": parameters,
        });
        if let Some(body) = operation.body() {
            add_used(bundle, body, &mut in_requests);
            let content = json!({ "application/json": { "schema": body } });
            node["requestBody"] = json!({ "required": true, "content": content });
        }
        let form = envelope(bundle, operation).map_err(Error::Generator)?;
        node["responses"] = match &form {
            Envelope::Page(schema) | Envelope::Data(schema) | Envelope::Json(schema) => {
                add_used(bundle, schema, &mut in_responses);
                let schema = match reference(schema) {
                    Some(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
                    None => (*schema).clone(),
                };
                let content = json!({ "application/json": { "schema": schema } });
                json!({ "200": { "description": "", "content": content } })
            }
            // `emit` sets the response type of these formats.
            Envelope::Empty | Envelope::Binary | Envelope::Undocumented => {
                json!({ "204": { "description": "" } })
            }
        };
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method] = node;
    }

    // The support code has its own types for errors and pagination.
    let is_used = |name: &String| in_requests.contains(name) || in_responses.contains(name);
    if let Some(map) = schemas.as_object_mut() {
        map.retain(|name, _| is_used(name));
        for (name, schema) in map.iter_mut() {
            match schema["enum"].as_array() {
                Some(values) => check_enum(&values.iter().collect::<Vec<_>>())
                    .map_err(|reason| Error::Generator(format!("the enum {name}: {reason}")))?,
                None => make_nullable(schema, in_responses.contains(name)),
            }
        }
    }
    let mut document = json!({
        "openapi": "3.0.3",
        "info": bundle.document["info"],
        "paths": paths,
        "components": { "schemas": schemas },
    });
    strip(&mut document["paths"], false);
    strip(&mut document["components"]["schemas"], true);
    document.sort_all_objects();
    Ok(Dialect { document, in_requests, in_responses })
}

/// Returns one object for all query parameters of an operation. Parameters of a filter are one property `filter`, which
/// is flattened for serialization.
fn query_object(bundle: &Bundle, operation: Operation<'_>) -> Result<Option<Value>> {
    let shared = operation.node.pointer("/x-s1/query").and_then(Value::as_str);
    let filter = shared.and_then(|name| bundle.schema(name));
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in operation.parameters_in("query") {
        let name = parameter["name"].as_str().unwrap_or_default();
        if filter.is_some_and(|filter| filter["properties"].get(name).is_some()) {
            continue;
        }
        if name == "filter" {
            let id = operation.id();
            return Err(Error::Generator(format!("{id}: the parameter name filter is reserved")));
        }
        let mut schema = parameter["schema"].clone();
        if let Some(target) = schema.get("$ref").cloned() {
            schema = json!({ "allOf": [{ "$ref": target }] });
        }
        schema["description"] = parameter["description"].clone();
        if parameter["required"] == true {
            required.push(name.to_owned());
        }
        properties.insert(name.to_owned(), schema);
    }
    if let Some(name) = shared {
        let target = format!("#/components/schemas/{name}");
        let description = "Filter for the selection. `limit` is the page size.";
        properties
            .insert("filter".into(), json!({ "allOf": [{ "$ref": target }], "description": description }));
        required.push("filter".into());
    }
    if properties.is_empty() {
        return Ok(None);
    }
    let summary = operation.node["summary"].as_str().unwrap_or_default();
    let description = format!("Query parameters of `{}`: {summary}", operation.id());
    Ok(Some(json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
    })))
}

/// Makes properties nullable, so that their types become `Option`. In responses all properties also become optional. In
/// requests this distinguishes a missing list from an empty one.
fn make_nullable(schema: &mut Value, response: bool) {
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    if response && let Some(map) = schema.as_object_mut() {
        map.remove("required");
        map.remove("additionalProperties");
    }
    let Some(properties) = schema["properties"].as_object_mut() else { return };
    for (name, property) in properties {
        if !response && required.iter().any(|one| one == name) {
            continue;
        }
        if let Some(target) = property.get("$ref").cloned() {
            let description = property["description"].clone();
            *property = json!({ "allOf": [{ "$ref": target }] });
            if description.is_string() {
                property["description"] = description;
            }
        }
        property["nullable"] = json!(true);
    }
}

/// Removes the unsupported keywords. `names` means that the keys of the node are property names.
fn strip(node: &mut Value, names: bool) {
    match node {
        Value::Object(map) => {
            if !names {
                map.retain(|key, _| !REMOVED_KEYWORDS.contains(&key.as_str()));
                // Sizes and counts can exceed 32 bits, so only `date-time` is used.
                if map.get("format").is_some_and(|format| format != "date-time") {
                    map.remove("format");
                }
                // progenitor would generate a separate type for a nullable enum.
                if map.contains_key("enum") {
                    map.remove("nullable");
                }
            }
            for (key, value) in map.iter_mut() {
                strip(value, !names && key == "properties");
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| strip(value, false)),
        _ => {}
    }
}

/// Returns the properties of a schema, and whether each is required.
pub(crate) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value, bool)> {
    let required = schema["required"].as_array();
    members(schema, "/properties").map(move |(name, property)| {
        let required = required.into_iter().flatten().any(|one| one == name);
        (name, property, required)
    })
}
