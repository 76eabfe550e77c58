//! Reader for vendor documents: converts Swagger 2.0 or OpenAPI 3.0, as JSON or YAML, to plain OpenAPI 3.0.
//!
//! The reader normalizes each [`Quirk`] of the document and counts it. Names, types, numbers, texts, and extensions
//! other than `x-nullable` stay unchanged.

mod quirk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::bundle::{FORM, METHODS, members};
use crate::lint::braces;
use crate::published;
use crate::resolver::{MAX_NODES, Resolver};
use crate::surface::Key;
use crate::{Error, Result, metadata, pattern};

pub use quirk::Quirk;

/// A converted document.
#[derive(Debug)]
pub struct Document {
    /// The document as OpenAPI 3.0. References are local.
    pub value: Value,
    /// Original format: `Swagger 2.0`, `OpenAPI 3.0.3`.
    pub format: String,
    /// Number of occurrences of each quirk.
    pub quirks: BTreeMap<Quirk, usize>,
}

/// Extensions of the vendor document with the permissions of an operation.
const REQUIRED_PERMISSIONS: &str = "x-s1-required-permissions";
const OPTIONAL_PERMISSIONS: &str = "x-s1-optional-permissions";

/// Reads a document from a file.
///
/// # Errors
/// Returns an error if the file cannot be read, is neither JSON nor YAML, or is not Swagger 2.0 or OpenAPI 3.0.
pub fn read(path: &Path) -> Result<Value> {
    Ok(open(path)?.value)
}

/// Reads a document from a file, with its format and quirks.
///
/// # Errors
/// Returns the same errors as [`read`].
pub fn open(path: &Path) -> Result<Document> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    convert(&path.display().to_string(), &text)
}

/// Parses a document; `name` is for error messages.
///
/// # Errors
/// Returns the same errors as [`read`].
pub fn parse(name: &str, text: &str) -> Result<Value> {
    Ok(convert(name, text)?.value)
}

/// Parses a document, with its format and quirks; `name` is for error messages.
///
/// # Errors
/// Returns the same errors as [`read`].
pub fn convert(name: &str, text: &str) -> Result<Document> {
    let invalid = |message: String| Error::Document { name: name.to_owned(), message };
    let mut source: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| invalid(format!("is not valid JSON: {error}")))?
    } else {
        crate::yaml::read(text).map_err(|error| invalid(format!("is not valid YAML: {error}")))?
    };
    let mut reader = Reader::default();
    let (mut value, format) = match (version(&source["swagger"]), version(&source["openapi"])) {
        (Some(version), _) if version == "2.0" || version == "2" => {
            (reader.swagger(&source).map_err(invalid)?, "Swagger 2.0".to_owned())
        }
        (_, Some(version)) if version.starts_with("3.0") => {
            published::read_null(&mut source);
            (reader.openapi(&source), format!("OpenAPI {version}"))
        }
        (Some(version), _) => {
            return Err(invalid(format!("is Swagger {version}; supported is 2.0")));
        }
        (_, Some(version)) => {
            return Err(invalid(format!("is OpenAPI {version}; supported is 3.0, convert it first")));
        }
        _ => {
            return Err(invalid(
                "has neither `swagger: \"2.0\"` nor `openapi: 3.0.x` at the top level".to_owned(),
            ));
        }
    };
    reader.operations(&mut value);
    Ok(Document { value, format, quirks: reader.quirks })
}

/// Returns a version, which may be a number in YAML.
fn version(node: &Value) -> Option<String> {
    match node {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[derive(Default)]
struct Reader {
    quirks: BTreeMap<Quirk, usize>,
}

impl Reader {
    fn count(&mut self, quirk: Quirk) {
        *self.quirks.entry(quirk).or_default() += 1;
    }

    fn swagger(&mut self, source: &Value) -> Result<Value, String> {
        let base = source["basePath"].as_str().unwrap_or_default().trim_end_matches('/');
        let media = |node: &Value, key: &str| -> String {
            let list = node.get(key).or_else(|| source.get(key)).and_then(Value::as_array);
            let mut names = list.into_iter().flatten().filter_map(Value::as_str);
            let first = names.clone().next();
            names.find(|name| name.contains("json")).or(first).unwrap_or("application/json").to_owned()
        };
        if !source["paths"].is_object() {
            return Err("has no paths".to_owned());
        }
        let mut paths = Map::new();
        for (path, item) in members(source, "/paths") {
            let mut new = Map::new();
            let shared: Vec<&Value> = item["parameters"].as_array().into_iter().flatten().collect();
            for method in METHODS.into_iter().chain(["patch", "head", "options"]) {
                let Some(operation) = item.get(method) else { continue };
                let own = operation["parameters"].as_array().into_iter().flatten();
                let parameters: Vec<&Value> =
                    shared.iter().copied().chain(own).map(|one| referenced(source, one)).collect();
                let mut node =
                    self.rest(operation, &["parameters", "responses", "consumes", "produces", "schemes"]);
                let (mut parameters, body) =
                    self.parameters(source, &parameters, &media(operation, "consumes"));
                for name in braces(path) {
                    if !parameters.iter().any(|one| one["in"] == "path" && one["name"] == name) {
                        self.count(Quirk::UndeclaredPathParameter);
                        let schema = json!({ "type": "string" });
                        parameters
                            .push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
                    }
                }
                if !parameters.is_empty() {
                    node.insert("parameters".into(), Value::Array(parameters));
                }
                if let Some(body) = body {
                    node.insert("requestBody".into(), body);
                }
                let produces = media(operation, "produces");
                let responses = members(operation, "/responses").map(|(status, response)| {
                    (status.clone(), self.response(referenced(source, response), &produces))
                });
                let responses: Map<_, _> = responses.collect();
                node.insert("responses".into(), Value::Object(responses));
                new.insert(method.to_owned(), Value::Object(node));
            }
            paths.insert(format!("{base}{path}"), Value::Object(new));
        }
        let mut schemas = Map::new();
        for (name, schema) in members(source, "/definitions") {
            let schema = self.schema(schema);
            if *name != reference_name(name) {
                self.count(Quirk::SchemaName);
            }
            schemas.insert(reference_name(name), schema);
        }
        let schemes = members(source, "/securityDefinitions");
        let schemes: Map<_, _> = schemes.map(|(name, one)| (name.clone(), scheme(one))).collect();
        let mut document = self.rest(
            source,
            &[
                "swagger",
                "paths",
                "definitions",
                "parameters",
                "responses",
                "securityDefinitions",
                "basePath",
                "host",
                "schemes",
                "consumes",
                "produces",
            ],
        );
        document.insert("openapi".into(), json!("3.0.3"));
        document.insert("paths".into(), Value::Object(paths));
        document.insert("components".into(), json!({ "schemas": schemas, "securitySchemes": schemes }));
        Ok(Value::Object(document))
    }

    /// Returns the members of a node that are copied unchanged.
    fn rest(&self, node: &Value, except: &[&str]) -> Map<String, Value> {
        let rest = members(node, "").filter(|(name, _)| !except.contains(&name.as_str()));
        rest.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Converts the parameters of a Swagger 2.0 operation to parameters and a request body.
    fn parameters(
        &mut self,
        source: &Value,
        parameters: &[&Value],
        media: &str,
    ) -> (Vec<Value>, Option<Value>) {
        let (mut others, mut body) = (Vec::new(), None);
        let (mut fields, mut required, mut file) = (Map::new(), Vec::new(), false);
        for parameter in parameters {
            match parameter["in"].as_str() {
                Some("body") => {
                    let declared = referenced(source, &parameter["schema"]);
                    let is_file = |one: &Value| one["format"] == "binary" || one["type"] == "file";
                    let has_file = media.contains("json")
                        && members(declared, "/properties").any(|(_, one)| is_file(one));
                    if has_file {
                        self.count(Quirk::FileInJson);
                    }
                    let media = if has_file { FORM } else { media };
                    let schema = self.schema(&parameter["schema"]);
                    let mut node = json!({ "content": { media: { "schema": schema } } });
                    node["required"] = json!(parameter["required"] == true);
                    body = Some(node);
                }
                Some("formData") => {
                    let Some(name) = parameter["name"].as_str() else { continue };
                    file |= parameter["type"] == "file";
                    if parameter["required"] == true {
                        required.push(json!(name));
                    }
                    let mut schema =
                        self.schema(&without(parameter, &["in", "name", "required", "collectionFormat"]));
                    schema["description"] = parameter["description"].clone();
                    fields.insert(name.to_owned(), schema);
                }
                Some("query") if parameter["type"] == "object" => self.count(Quirk::ObjectInQuery),
                Some(_) => {
                    let mut node = Map::new();
                    for key in ["name", "in", "description", "deprecated", "allowEmptyValue"] {
                        if let Some(value) = parameter.get(key) {
                            node.insert(key.into(), value.clone());
                        }
                    }
                    node.insert("required".into(), json!(parameter["required"] == true));
                    if parameter["type"] == "array" && parameter["in"] != "path" {
                        node.insert("style".into(), json!("form"));
                        let explode = parameter["collectionFormat"] == "multi";
                        node.insert("explode".into(), json!(explode));
                    }
                    let schema = without(
                        parameter,
                        &[
                            "name",
                            "in",
                            "description",
                            "required",
                            "collectionFormat",
                            "allowEmptyValue",
                            "deprecated",
                        ],
                    );
                    let mut schema = self.schema(&schema);
                    let typed = ["type", "enum", "oneOf", "anyOf", "allOf", "$ref"];
                    if typed.iter().all(|key| schema.get(key).is_none()) {
                        self.count(Quirk::UntypedParameter);
                        schema["type"] = json!("string");
                    }
                    node.insert("schema".into(), schema);
                    others.push(Value::Object(node));
                }
                None => {}
            }
        }
        if body.is_none() && !fields.is_empty() {
            let media = if file { FORM } else { "application/x-www-form-urlencoded" };
            let mut schema = json!({ "type": "object", "properties": fields });
            if !required.is_empty() {
                schema["required"] = Value::Array(required);
            }
            body = Some(json!({ "required": true, "content": { media: { "schema": schema } } }));
        }
        (others, body)
    }

    fn response(&mut self, response: &Value, media: &str) -> Value {
        let mut node = self.rest(response, &["schema", "examples", "headers"]);
        let headers = members(response, "/headers").map(|(name, header)| {
            let schema = self.schema(&without(header, &["description", "collectionFormat"]));
            let mut new = json!({ "schema": schema });
            if let Some(description) = header.get("description") {
                new["description"] = description.clone();
            }
            (name.clone(), new)
        });
        let headers: Map<_, _> = headers.collect();
        if !headers.is_empty() {
            node.insert("headers".into(), Value::Object(headers));
        }
        if let Some(schema) = response.get("schema") {
            let schema = self.schema(schema);
            node.insert("content".into(), json!({ media: { "schema": schema } }));
        }
        Value::Object(node)
    }

    fn openapi(&mut self, source: &Value) -> Value {
        let mut document = source.clone();
        self.each_schema(&mut document);
        document
    }

    /// Converts the extensions and markers of the vendor at operations: permissions, and the end of an operation.
    fn operations(&mut self, document: &mut Value) {
        let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
        for node in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
            let Some(operation) = node.as_object_mut() else { continue };
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten().filter(|one| one["in"] == "query") {
                if let Some(inner) = parameter.pointer_mut("/schema/items/items").map(Value::take) {
                    self.count(Quirk::NestedListInQuery);
                    parameter["schema"]["items"] = inner;
                }
            }
            let mut permissions = Map::new();
            for (key, name) in [("required", REQUIRED_PERMISSIONS), ("optional", OPTIONAL_PERMISSIONS)] {
                let list = operation.remove(name);
                if let Some(list) = list.filter(|list| list.as_array().is_some_and(|list| !list.is_empty())) {
                    permissions.insert(key.to_owned(), list);
                }
            }
            if !permissions.is_empty() {
                let facts = operation.entry(metadata::KEY).or_insert_with(|| json!({}));
                facts["permissions"] = Value::Object(permissions);
            }
            let summary = operation.get("summary").and_then(Value::as_str);
            if let Some(rest) = summary.and_then(|summary| summary.strip_prefix("[DEPRECATED]")) {
                let rest = rest.trim().to_owned();
                self.count(Quirk::DeprecatedSummary);
                operation.insert("summary".to_owned(), json!(rest));
                operation.insert("deprecated".to_owned(), json!(true));
            }
        }
    }

    /// Converts each schema below an OpenAPI 3.0 node: members named `schema`, and the components.
    fn each_schema(&mut self, node: &mut Value) {
        match node {
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    match name.as_str() {
                        "schema" => *value = self.schema(value),
                        "schemas" => {
                            for schema in value.as_object_mut().into_iter().flat_map(Map::values_mut) {
                                *schema = self.schema(schema);
                            }
                        }
                        "example" | "examples" => {}
                        _ => self.each_schema(value),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.each_schema(value)),
            _ => {}
        }
    }

    fn schema(&mut self, source: &Value) -> Value {
        let Some(map) = source.as_object() else { return json!({}) };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            let mut new = map.clone();
            let target = match target.strip_prefix("#/definitions/") {
                Some(name) => format!("#/components/schemas/{}", reference_name(name)),
                None => target.to_owned(),
            };
            new.insert("$ref".into(), json!(target));
            if new.remove("x-nullable") == Some(json!(true)) {
                self.count(Quirk::NullableExtension);
                new.insert("nullable".into(), json!(true));
            }
            return Value::Object(new);
        }
        let kind = map.get("type").and_then(Value::as_str);
        let mut new = Map::new();
        for (key, value) in map {
            match key.as_str() {
                "x-nullable" => {
                    if *value == json!(true) {
                        self.count(Quirk::NullableExtension);
                        new.insert("nullable".into(), json!(true));
                    }
                }
                "properties" => {
                    let properties = members(value, "").map(|(name, one)| (name.clone(), self.schema(one)));
                    let properties: Map<_, _> = properties.collect();
                    new.insert(key.clone(), Value::Object(properties));
                }
                "items" | "not" => drop(new.insert(key.clone(), self.schema(value))),
                "additionalProperties" if value.is_object() => {
                    let schema = self.schema(value);
                    // A schema without constraints means any value.
                    let unconstrained =
                        members(&schema, "").all(|(name, _)| name.starts_with("x-") || name == "description");
                    new.insert(key.clone(), if unconstrained { json!(true) } else { schema });
                }
                "oneOf" | "anyOf" if alternative_to_null(value).is_some() => {
                    self.count(Quirk::NullAlternative);
                    if let Some(Value::Object(one)) = alternative_to_null(value).map(|one| self.schema(one)) {
                        new.extend(one);
                    }
                    new.insert("nullable".into(), json!(true));
                }
                "allOf" | "oneOf" | "anyOf" => {
                    let parts = value.as_array().into_iter().flatten().map(|one| self.schema(one));
                    let parts: Vec<Value> = parts.collect();
                    new.insert(key.clone(), Value::Array(parts));
                }
                "required" if !value.is_array() => self.count(Quirk::RequiredFlag),
                "minimum" | "maximum" if kind == Some("string") => self.count(Quirk::NumericBoundOfString),
                "default" if value.is_null() => self.count(Quirk::NullDefault),
                "default" if !default_matches(map, value) => self.count(Quirk::InvalidDefault),
                "default" if *value == json!("") || *value == json!([]) => self.count(Quirk::EmptyDefault),
                "enum" => {
                    let values = self.values(value, &mut new);
                    if !values.is_empty() {
                        new.insert(key.clone(), Value::Array(values));
                    }
                }
                "pattern" => match value.as_str().and_then(pattern::translate) {
                    Some(translated) => {
                        if *value != translated.as_str() {
                            self.count(Quirk::PythonPattern);
                        }
                        new.insert(key.clone(), json!(translated));
                    }
                    None => self.count(Quirk::InvalidPattern),
                },
                "discriminator" if value.is_string() => {
                    new.insert(key.clone(), json!({ "propertyName": value }));
                }
                "type" if *value == json!("file") => {
                    new.insert("type".into(), json!("string"));
                    new.insert("format".into(), json!("binary"));
                }
                _ => drop(new.insert(key.clone(), value.clone())),
            }
        }
        if new.contains_key("items") && new.get("type").is_some_and(|kind| kind != "array") {
            self.count(Quirk::ItemsOfAnotherType);
            for key in ["type", "items", "format"] {
                new.remove(key);
            }
        }
        Value::Object(new)
    }

    fn values(&mut self, values: &Value, schema: &mut Map<String, Value>) -> Vec<Value> {
        let mut valid: Vec<Value> = Vec::new();
        for value in values.as_array().into_iter().flatten() {
            match value {
                Value::Null => {
                    self.count(Quirk::NullInEnum);
                    schema.insert("nullable".into(), json!(true));
                }
                Value::Array(_) | Value::Object(_) => self.count(Quirk::ListInEnum),
                value if valid.contains(value) => self.count(Quirk::DuplicateInEnum),
                value => valid.push(value.clone()),
            }
        }
        valid
    }
}

/// Returns the only alternative of a choice besides null.
fn alternative_to_null(choice: &Value) -> Option<&Value> {
    let is_null = |one: &&Value| one["type"] == "null";
    let all = choice.as_array()?;
    let mut others = all.iter().filter(|one| !is_null(one));
    let one = others.next()?;
    (others.next().is_none() && all.iter().any(|one| is_null(&one))).then_some(one)
}

/// Returns whether a default matches the type of the schema. Defaults of objects are not supported.
fn default_matches(schema: &Map<String, Value>, value: &Value) -> bool {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => false,
        _ => !value.is_object(),
    }
}

/// Replaces the characters of a name that a reference cannot have.
fn reference_name(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

fn without(node: &Value, names: &[&str]) -> Value {
    let rest = members(node, "").filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Returns the shared Swagger 2.0 parameter or response that a node refers to, or the node itself.
fn referenced<'a>(source: &'a Value, node: &'a Value) -> &'a Value {
    let target = node["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| source.pointer(pointer)).unwrap_or(node)
}

fn scheme(node: &Value) -> Value {
    match node["type"].as_str() {
        Some("basic") => json!({ "type": "http", "scheme": "basic" }),
        Some("oauth2") => {
            let scopes = if node["scopes"].is_object() { node["scopes"].clone() } else { json!({}) };
            let flow = match node["flow"].as_str() {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some(other) => other,
                None => "implicit",
            };
            let mut flow_object = json!({ "scopes": scopes });
            for key in ["authorizationUrl", "tokenUrl"] {
                if let Some(url) = node.get(key) {
                    flow_object[key] = url.clone();
                }
            }
            json!({ "type": "oauth2", "flows": { flow: flow_object } })
        }
        _ => node.clone(),
    }
}

/// Returns a document with only the operations of `names`, with all references resolved. `names` has the path and the
/// operation ID for each key. The operation ID of the original document is in `x-reference`.
///
/// Recursive schemas are cut off at the first repetition.
///
/// # Errors
/// Returns an error if a resolved operation has more than 2,000,000 nodes.
pub fn extract(document: &Value, names: &BTreeMap<Key, (String, String)>) -> Result<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for (path, item) in members(document, "/paths") {
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let Some((ours, id)) = names.get(&Key::new(method, path)) else { continue };
            let mut node = node.clone();
            let shared: Vec<Value> = item["parameters"].as_array().cloned().unwrap_or_default();
            if !shared.is_empty() {
                let own = node["parameters"].as_array().cloned().unwrap_or_default();
                node["parameters"] = Value::Array(shared.into_iter().chain(own).collect());
            }
            let mut resolver = Resolver::new(document);
            let mut node = resolver.resolve(&node);
            merge_parts(&mut node);
            if resolver.is_exhausted() {
                let message = format!("{id} has more than {MAX_NODES} nodes with references resolved");
                return Err(Error::Document { name: "the document".to_owned(), message });
            }
            if let Some(map) = node.as_object_mut() {
                let reference = map.insert("operationId".into(), json!(id));
                map.insert("x-reference".into(), reference.unwrap_or(Value::Null));
                // Path parameters have the same order in both documents.
                rename_path_parameters(map, path, ours);
            }
            let item = paths.entry(ours.clone()).or_insert_with(|| json!({}));
            item[method] = node;
        }
    }
    let mut new = json!({ "openapi": "3.0.3", "info": document["info"], "paths": paths });
    if let Some(security) = document.get("security") {
        new["security"] = security.clone();
    }
    new["components"] = json!({ "securitySchemes": document["components"]["securitySchemes"] });
    Ok(new)
}

/// Replaces `allOf`, `oneOf` and `anyOf` of objects by one object with the properties of all parts, which may be missing
/// if a part of a choice does not have them. Any other choice becomes a schema for any value.
fn merge_parts(node: &mut Value) {
    match node {
        Value::Object(map) => {
            map.values_mut().for_each(merge_parts);
            for key in ["allOf", "oneOf", "anyOf"] {
                let Some(Value::Array(parts)) = map.remove(key) else { continue };
                let are_objects = parts.iter().all(|part| part["properties"].is_object());
                if !are_objects {
                    // A single part that is not an object has all keywords.
                    if let ([Value::Object(only)], "allOf") = (parts.as_slice(), key) {
                        only.iter().for_each(|(name, value)| {
                            map.entry(name.clone()).or_insert_with(|| value.clone());
                        });
                    } else {
                        map.remove("type");
                    }
                    continue;
                }
                let required = |part: &Value| -> BTreeSet<String> {
                    let names = part["required"].as_array().into_iter().flatten();
                    names.filter_map(Value::as_str).map(str::to_owned).collect()
                };
                let all = parts.iter().map(required).reduce(|one, other| match key {
                    "allOf" => &one | &other,
                    _ => &one & &other,
                });
                let mut own = required(&Value::Object(map.clone()));
                own.extend(all.unwrap_or_default());
                let mut properties = map.remove("properties").unwrap_or_else(|| json!({}));
                for (name, property) in parts.iter().flat_map(|part| members(part, "/properties")) {
                    let known = &mut properties[name];
                    if known.is_null() {
                        *known = property.clone();
                    } else if known != property {
                        // The parts disagree, so any value is possible.
                        *known = json!({});
                    }
                }
                map.insert("type".into(), json!("object"));
                map.insert("properties".into(), properties);
                map.insert("required".into(), json!(own));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(merge_parts),
        _ => {}
    }
}

/// Renames the path parameters of an operation to those of our path.
fn rename_path_parameters(operation: &mut Map<String, Value>, theirs: &str, ours: &str) {
    let names = |path: &str| -> Vec<String> {
        path.split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    let pairs: BTreeMap<String, String> = names(theirs).into_iter().zip(names(ours)).collect();
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter(|one| one["in"] == "path") {
        if let Some(ours) = parameter["name"].as_str().and_then(|name| pairs.get(name)) {
            parameter["name"] = json!(ours);
        }
    }
}
