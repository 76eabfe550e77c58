//! Turns the specification into the dialect of OpenAPI that the generator reads well.
//!
//! progenitor takes one success and no error per operation, one object for all query parameters, and
//! turns bounds, defaults and titles into types that refuse what the server sends. All of that is
//! taken out here; nothing is lost, since facts and bounds are emitted from the specification itself.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};

use crate::bundle::{Bundle, Operation, each_reference, members, reference};
use crate::facts;
use crate::{Error, Result};

/// The form of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{data: [T], …}`, or `{data: {items: [T], …}, …}` where the facts name `items`: the name of the
    /// schema of T.
    Page(String),
    /// `{data: T, …}`: the name of the schema of T.
    Data(String),
    /// No content.
    Empty,
    /// Any bytes.
    Binary,
}

/// The form of an operation's answer.
///
/// # Errors
/// When it is none of the known forms.
pub fn envelope(bundle: &Bundle, operation: Operation<'_>) -> Result<Envelope, String> {
    let Some((status, answer)) = operation.success() else {
        return Err("declares no successful answer".into());
    };
    let Some(content) = answer.get("content").and_then(Value::as_object).filter(|c| !c.is_empty()) else {
        return Ok(Envelope::Empty);
    };
    let Some(schema) = content.get("application/json").map(|json| &json["schema"]) else {
        return Ok(Envelope::Binary);
    };
    let data = &schema["properties"]["data"];
    if let Some(name) = reference(&data["items"]) {
        return Ok(Envelope::Page(name.to_owned()));
    }
    if let Some(items) = items(operation) {
        let list =
            reference(data).and_then(|name| bundle.schema(name)).map(|data| &data["properties"][items]);
        let name = list.and_then(|list| reference(&list["items"]));
        let wrong = || format!("answer {status} has no list of a named schema at data.{items}");
        return name.map(|name| Envelope::Page(name.to_owned())).ok_or_else(wrong);
    }
    match reference(data) {
        Some(name) => Ok(Envelope::Data(name.to_owned())),
        None => {
            Err(format!("answer {status} is neither {{data: [T]}} nor {{data: T}} with a named schema for T"))
        }
    }
}

/// The member of an answer's `data` that holds the list, where `data` itself is none.
pub(crate) fn items(operation: Operation<'_>) -> Option<&str> {
    operation.node.pointer("/x-s1/items")?.as_str()
}

/// The document for the generator, with what was decided on the way.
#[derive(Debug)]
pub struct Dialect {
    /// The document.
    pub document: Value,
    /// Schemas that requests reach.
    pub in_requests: BTreeSet<String>,
    /// Schemas that answers reach.
    pub in_answers: BTreeSet<String>,
}

/// The name of the schema that holds the query of an operation.
pub fn query_schema(operation_id: &str) -> String {
    format!("{operation_id}_query").to_upper_camel_case()
}

/// Keywords that the generator would turn into refusals or into other types.
const DROPPED: [&str; 16] = [
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
    facts::KEY,
];

/// Turns the bundled specification into the generator's document.
///
/// # Errors
/// When an operation is beyond the dialect.
pub fn apply(bundle: &Bundle) -> Result<Dialect> {
    let mut schemas = bundle.document["components"]["schemas"].clone();
    let mut paths = Map::new();
    let (mut in_requests, mut in_answers) = (BTreeSet::new(), BTreeSet::new());
    for operation in bundle.operations() {
        let id = operation.id();
        let mut parameters: Vec<Value> = operation.parameters_in("path").cloned().collect();
        if let Some(query) = query_object(bundle, operation)? {
            let name = query_schema(id);
            each_reference(&query, &mut |name| reach(bundle, name, &mut in_requests));
            in_requests.insert(name.clone());
            if schemas.get(&name).is_some() {
                return Err(Error::Generator(format!("{name} is the name of the query of {id}")));
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
        each_reference(&json!(parameters), &mut |name| reach(bundle, name, &mut in_requests));
        let mut node = json!({
            "operationId": id,
            "tags": operation.node["tags"],
            "summary": operation.node["summary"],
            "description": operation.node["description"],
            "parameters": parameters,
        });
        if let Some(body) = operation.body() {
            each_reference(body, &mut |name| reach(bundle, name, &mut in_requests));
            let content = json!({ "application/json": { "schema": body } });
            node["requestBody"] = json!({ "required": true, "content": content });
        }
        let form = envelope(bundle, operation).map_err(Error::Generator)?;
        node["responses"] = match &form {
            Envelope::Page(name) | Envelope::Data(name) => {
                reach(bundle, name, &mut in_answers);
                let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
                let content = json!({ "application/json": { "schema": schema } });
                json!({ "200": { "description": "", "content": content } })
            }
            // What these answers mean is decided where requests are emitted.
            Envelope::Empty | Envelope::Binary => json!({ "204": { "description": "" } }),
        };
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method] = node;
    }

    // Error schemas and paging have their place in the hand-written support code.
    let reached = |name: &String| in_requests.contains(name) || in_answers.contains(name);
    if let Some(map) = schemas.as_object_mut() {
        map.retain(|name, _| reached(name));
        for (name, schema) in map.iter_mut() {
            if schema.get("enum").is_none() {
                open(schema, in_answers.contains(name));
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
    Ok(Dialect { document, in_requests, in_answers })
}

/// All schemas that one reaches, itself among them.
fn reach(bundle: &Bundle, name: &str, into: &mut BTreeSet<String>) {
    if into.insert(name.to_owned())
        && let Some(schema) = bundle.schema(name)
    {
        each_reference(schema, &mut |name| reach(bundle, name, into));
    }
}

/// One object for all query parameters of an operation: its own as properties, those that it shares
/// with a filter as one property `filter`, which is flattened when it is written.
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
            return Err(Error::Generator(format!("{id}: a parameter cannot be named filter")));
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
        let description = "What is selected. `limit` is the size of the page.";
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

/// Lets every property be null, so that it becomes an `Option`; in answers also lets everything be
/// absent. In a request this keeps a list that was not given apart from one without items.
fn open(schema: &mut Value, answer: bool) {
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    if answer && let Some(map) = schema.as_object_mut() {
        map.remove("required");
        map.remove("additionalProperties");
    }
    let Some(properties) = schema["properties"].as_object_mut() else { return };
    for (name, property) in properties {
        if !answer && required.iter().any(|one| one == name) {
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

/// Drops the keywords that do harm. Inside `properties` names are names, not keywords.
fn strip(node: &mut Value, names: bool) {
    match node {
        Value::Object(map) => {
            if !names {
                map.retain(|key, _| !DROPPED.contains(&key.as_str()));
                // Sizes and counts outgrow 32 bits; only the form of times matters.
                if map.get("format").is_some_and(|format| format != "date-time") {
                    map.remove("format");
                }
                // A nullable enum would become a type of its own around an Option.
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

/// The members of a schema's `properties`, with whether each is required.
pub(crate) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value, bool)> {
    let required = schema["required"].as_array();
    members(schema, "/properties").map(move |(name, property)| {
        let required = required.into_iter().flatten().any(|one| one == name);
        (name, property, required)
    })
}
