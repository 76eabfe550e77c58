//! Keys of the objects of the dialect.

use serde_json::Value;

use crate::bundle::{METHODS, members};
use crate::metadata;

const PATH_ITEM: [&str; 6] = ["get", "post", "put", "delete", "parameters", "servers"];

const OPERATION: [&str; 9] = [
    "operationId",
    "tags",
    "summary",
    "description",
    "deprecated",
    "parameters",
    "requestBody",
    "responses",
    "security",
];

const PARAMETER: [&str; 8] =
    ["name", "in", "required", "deprecated", "style", "explode", "schema", "description"];

const REQUEST_BODY: [&str; 3] = ["required", "content", "description"];

const RESPONSE: [&str; 3] = ["description", "content", "headers"];

const HEADER: [&str; 3] = ["description", "required", "schema"];

const MEDIA_TYPE: [&str; 1] = ["schema"];

const SCHEMA: [&str; 25] = [
    "type",
    "format",
    "nullable",
    "deprecated",
    "items",
    "additionalProperties",
    "enum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "pattern",
    "default",
    "required",
    "description",
    "properties",
    "readOnly",
    "allOf",
    "$ref",
];

/// Returns the location and the key of each key that an object of the document cannot have, with the keys that it can have.
pub(super) fn unknown(document: &Value) -> Vec<(String, String)> {
    let mut keys = Keys { found: Vec::new() };
    for (path, item) in members(document, "/paths") {
        keys.object(path, "path item", item, &PATH_ITEM);
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            keys.operation(&format!("{} {path}", method.to_uppercase()), operation);
        }
    }
    for (name, schema) in members(document, "/components/schemas") {
        keys.schema(name, schema);
    }
    keys.found
}

struct Keys {
    found: Vec<(String, String)>,
}

impl Keys {
    fn object(&mut self, location: &str, kind: &str, node: &Value, allowed: &[&str]) {
        for (key, _) in members(node, "") {
            // Extensions have a rule of their own.
            if !allowed.contains(&key.as_str()) && !key.starts_with("x-") {
                let message = format!("{key} is not a key of the {kind}: expected {}", allowed.join(", "));
                self.found.push((location.to_owned(), message));
            }
        }
    }

    fn operation(&mut self, location: &str, node: &Value) {
        self.object(location, "operation", node, &OPERATION);
        for parameter in node["parameters"].as_array().into_iter().flatten() {
            let location = format!("{location} parameter {}", parameter["name"].as_str().unwrap_or_default());
            self.object(&location, "parameter", parameter, &PARAMETER);
            self.schema(&location, &parameter["schema"]);
        }
        let body = &node["requestBody"];
        self.object(&format!("{location} requestBody"), "request body", body, &REQUEST_BODY);
        self.content(&format!("{location} requestBody"), body);
        for (status, response) in members(node, "/responses") {
            let location = format!("{location} response {status}");
            self.object(&location, "response", response, &RESPONSE);
            for (name, header) in members(response, "/headers") {
                let location = format!("{location} header {name}");
                self.object(&location, "header", header, &HEADER);
                self.schema(&location, &header["schema"]);
            }
            self.content(&location, response);
        }
    }

    fn content(&mut self, location: &str, node: &Value) {
        for (_, media) in members(node, "/content") {
            self.object(location, "media type", media, &MEDIA_TYPE);
            self.schema(location, &media["schema"]);
        }
    }

    fn schema(&mut self, location: &str, node: &Value) {
        self.object(location, "schema", node, &SCHEMA);
        for (name, property) in members(node, "/properties") {
            self.schema(&format!("{location}.{name}"), property);
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = node.get(key).filter(|inner| inner.is_object()) {
                self.schema(location, inner);
            }
        }
        // What the client sends is a schema too.
        if let Some(sent) = node[metadata::KEY].get("send").filter(|sent| sent.is_object()) {
            self.schema(location, sent);
        }
    }
}
