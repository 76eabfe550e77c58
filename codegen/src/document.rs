//! A document as others write it, as plain OpenAPI 3.0.
//!
//! Swagger 2.0 and OpenAPI 3.0 are read, as JSON or YAML. What the vendor's document has of its own (see
//! [`Quirk`]) is settled on the way and counted, so that nothing disappears unseen. Names, types, figures and texts
//! stay as they are; extensions other than `x-nullable` too.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::bundle::{METHODS, members};
use crate::surface::Key;
use crate::{Error, Result};

/// A document, converted.
#[derive(Debug)]
pub struct Document {
    /// OpenAPI 3.0; references point at its own components.
    pub value: Value,
    /// What it was: `Swagger 2.0`, `OpenAPI 3.0.3`.
    pub format: String,
    /// How often a quirk was settled.
    pub quirks: BTreeMap<Quirk, usize>,
}

/// What is not as OpenAPI wants it, or says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// `x-nullable`, which OpenAPI 3.0 calls `nullable`.
    NullableExtension,
    /// Null among the values of an enum, which then is nullable.
    NullInEnum,
    /// A list among the values of an enum, as if two lists had been put together in the wrong way.
    ListInEnum,
    /// A value twice in one enum.
    TwiceInEnum,
    /// A numeric bound on a text, as the identifiers have it.
    BoundOnText,
    /// A default of null, which is none.
    NullDefault,
    /// A default that its own type does not allow.
    MalformedDefault,
    /// An empty text or list as the default, which is what leaving the field out means.
    EmptyDefault,
    /// `required` that is no list of names.
    RequiredFlag,
    /// A name of a schema with characters that a reference cannot hold.
    SchemaName,
}

impl Quirk {
    /// What was done about it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NullableExtension => "x-nullable, read as nullable",
            Self::NullInEnum => "null among the values of an enum, read as nullable",
            Self::ListInEnum => "a list among the values of an enum, left out",
            Self::TwiceInEnum => "a value twice in one enum, once is enough",
            Self::BoundOnText => "a numeric bound on a text, left out",
            Self::NullDefault => "null as the default, left out",
            Self::MalformedDefault => "a default that its type does not allow, left out",
            Self::EmptyDefault => "an empty default, left out",
            Self::RequiredFlag => "required that is no list of names, left out",
            Self::SchemaName => "a schema's name that no reference can hold, written with _",
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, is neither JSON nor YAML, or is no document of Swagger 2.0 or OpenAPI 3.0.
pub fn read(path: &Path) -> Result<Value> {
    Ok(open(path)?.value)
}

/// Reads a file, and says what was settled.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path) -> Result<Document> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    convert(&path.display().to_string(), &text)
}

/// Reads a text; `name` is for errors.
///
/// # Errors
/// As [`read`].
pub fn parse(name: &str, text: &str) -> Result<Value> {
    Ok(convert(name, text)?.value)
}

/// Reads a text, and says what was settled.
///
/// # Errors
/// As [`read`].
pub fn convert(name: &str, text: &str) -> Result<Document> {
    let wrong = |message: String| Error::Document { name: name.to_owned(), message };
    let source: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| wrong(format!("is no JSON: {error}")))?
    } else {
        crate::yaml::read(text).map_err(|error| wrong(format!("is no YAML: {error}")))?
    };
    let mut reader = Reader::default();
    let (value, format) = match (version(&source["swagger"]), version(&source["openapi"])) {
        (Some(version), _) if version == "2.0" || version == "2" => {
            (reader.swagger(&source).map_err(wrong)?, "Swagger 2.0".to_owned())
        }
        (_, Some(version)) if version.starts_with("3.0") => {
            (reader.openapi(&source), format!("OpenAPI {version}"))
        }
        (Some(version), _) => {
            return Err(wrong(format!("is Swagger {version}, and 2.0 is what can be read")));
        }
        (_, Some(version)) => {
            return Err(wrong(format!("is OpenAPI {version}; convert it to 3.0, which is what can be read")));
        }
        _ => return Err(wrong("says neither `swagger: \"2.0\"` nor `openapi: 3.0.x` on top".to_owned())),
    };
    Ok(Document { value, format, quirks: reader.quirks })
}

/// A version, which YAML may have read as a number.
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
    fn note(&mut self, quirk: Quirk) {
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
                    shared.iter().copied().chain(own).map(|one| local(source, one)).collect();
                let mut node =
                    self.rest(operation, &["parameters", "responses", "consumes", "produces", "schemes"]);
                let (parameters, body) = self.parameters(&parameters, &media(operation, "consumes"));
                if !parameters.is_empty() {
                    node.insert("parameters".into(), Value::Array(parameters));
                }
                if let Some(body) = body {
                    node.insert("requestBody".into(), body);
                }
                let produces = media(operation, "produces");
                let answers = members(operation, "/responses")
                    .map(|(status, answer)| (status.clone(), self.answer(local(source, answer), &produces)));
                let answers: Map<_, _> = answers.collect();
                node.insert("responses".into(), Value::Object(answers));
                new.insert(method.to_owned(), Value::Object(node));
            }
            paths.insert(format!("{base}{path}"), Value::Object(new));
        }
        let mut schemas = Map::new();
        for (name, schema) in members(source, "/definitions") {
            let schema = self.schema(schema);
            if *name != plain(name) {
                self.note(Quirk::SchemaName);
            }
            schemas.insert(plain(name), schema);
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

    /// The members of a node that are taken over as they are.
    fn rest(&self, node: &Value, but: &[&str]) -> Map<String, Value> {
        let rest = members(node, "").filter(|(name, _)| !but.contains(&name.as_str()));
        rest.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Parameters and body of an operation of Swagger 2.0.
    fn parameters(&mut self, parameters: &[&Value], media: &str) -> (Vec<Value>, Option<Value>) {
        let (mut others, mut body) = (Vec::new(), None);
        let (mut fields, mut needed, mut file) = (Map::new(), Vec::new(), false);
        for parameter in parameters {
            match parameter["in"].as_str() {
                Some("body") => {
                    let schema = self.schema(&parameter["schema"]);
                    let mut node = json!({ "content": { media: { "schema": schema } } });
                    node["required"] = json!(parameter["required"] == true);
                    body = Some(node);
                }
                Some("formData") => {
                    let Some(name) = parameter["name"].as_str() else { continue };
                    file |= parameter["type"] == "file";
                    if parameter["required"] == true {
                        needed.push(json!(name));
                    }
                    let mut schema =
                        self.schema(&without(parameter, &["in", "name", "required", "collectionFormat"]));
                    schema["description"] = parameter["description"].clone();
                    fields.insert(name.to_owned(), schema);
                }
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
                        let repeated = parameter["collectionFormat"] == "multi";
                        node.insert("explode".into(), json!(repeated));
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
                    node.insert("schema".into(), self.schema(&schema));
                    others.push(Value::Object(node));
                }
                None => {}
            }
        }
        if body.is_none() && !fields.is_empty() {
            let media = if file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
            let mut schema = json!({ "type": "object", "properties": fields });
            if !needed.is_empty() {
                schema["required"] = Value::Array(needed);
            }
            body = Some(json!({ "required": true, "content": { media: { "schema": schema } } }));
        }
        (others, body)
    }

    fn answer(&mut self, answer: &Value, media: &str) -> Value {
        let mut node = self.rest(answer, &["schema", "examples", "headers"]);
        if let Some(schema) = answer.get("schema") {
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

    /// Converts every schema below a node of OpenAPI 3.0: what stands under `schema`, and the components.
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
                Some(name) => format!("#/components/schemas/{}", plain(name)),
                None => target.to_owned(),
            };
            new.insert("$ref".into(), json!(target));
            if new.remove("x-nullable") == Some(json!(true)) {
                self.note(Quirk::NullableExtension);
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
                        self.note(Quirk::NullableExtension);
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
                    // A map of anything is a free object.
                    let free =
                        members(&schema, "").all(|(name, _)| name.starts_with("x-") || name == "description");
                    new.insert(key.clone(), if free { json!(true) } else { schema });
                }
                "allOf" | "oneOf" | "anyOf" => {
                    let parts = value.as_array().into_iter().flatten().map(|one| self.schema(one));
                    let parts: Vec<Value> = parts.collect();
                    new.insert(key.clone(), Value::Array(parts));
                }
                "required" if !value.is_array() => self.note(Quirk::RequiredFlag),
                "minimum" | "maximum" if kind == Some("string") => self.note(Quirk::BoundOnText),
                "default" if value.is_null() => self.note(Quirk::NullDefault),
                "default" if !allows(map, value) => self.note(Quirk::MalformedDefault),
                "default" if *value == json!("") || *value == json!([]) => self.note(Quirk::EmptyDefault),
                "enum" => {
                    let values = self.values(value, &mut new);
                    if !values.is_empty() {
                        new.insert(key.clone(), Value::Array(values));
                    }
                }
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
        Value::Object(new)
    }

    fn values(&mut self, values: &Value, schema: &mut Map<String, Value>) -> Vec<Value> {
        let mut kept: Vec<Value> = Vec::new();
        for value in values.as_array().into_iter().flatten() {
            match value {
                Value::Null => {
                    self.note(Quirk::NullInEnum);
                    schema.insert("nullable".into(), json!(true));
                }
                Value::Array(_) | Value::Object(_) => self.note(Quirk::ListInEnum),
                value if kept.contains(value) => self.note(Quirk::TwiceInEnum),
                value => kept.push(value.clone()),
            }
        }
        kept
    }
}

/// Whether a default is one of the schema's type. Objects have none that could be told.
fn allows(schema: &Map<String, Value>, value: &Value) -> bool {
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

/// A name that a reference can hold.
fn plain(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

fn without(node: &Value, names: &[&str]) -> Value {
    let rest = members(node, "").filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A shared parameter or answer of Swagger 2.0, or the node itself.
fn local<'a>(source: &'a Value, node: &'a Value) -> &'a Value {
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
            let mut inside = json!({ "scopes": scopes });
            for key in ["authorizationUrl", "tokenUrl"] {
                if let Some(url) = node.get(key) {
                    inside[key] = url.clone();
                }
            }
            json!({ "type": "oauth2", "flows": { flow: inside } })
        }
        _ => node.clone(),
    }
}

/// The operations of these keys alone, with every reference written out, under the paths and identifiers that
/// `names` gives them. The identifier of the document is kept as `x-reference`.
///
/// A schema that holds itself is cut off where it comes again.
///
/// # Errors
/// When an operation is beyond all measure with its references written out.
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
            let mut writer = Writer::new(document);
            let mut node = writer.written_out(&node);
            if writer.left == 0 {
                let message = format!("{id} has more than {NODES} nodes with everything that it refers to");
                return Err(Error::Document { name: "the document".to_owned(), message });
            }
            if let Some(map) = node.as_object_mut() {
                let reference = map.insert("operationId".into(), json!(id));
                map.insert("x-reference".into(), reference.unwrap_or(Value::Null));
                // Paths of both documents fill their braces in the same order.
                rename(map, path, ours);
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

/// Gives the path parameters of an operation the names that our path has for them.
fn rename(operation: &mut Map<String, Value>, theirs: &str, ours: &str) {
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

/// What stands beside a reference holds for what it refers to.
fn beside(reference: &Map<String, Value>, found: &mut Value) {
    if let Some(found) = found.as_object_mut() {
        for (name, value) in reference.iter().filter(|(name, _)| *name != "$ref") {
            found.insert(name.clone(), value.clone());
        }
    }
}

/// Writes references out.
pub(crate) struct Writer<'a> {
    document: &'a Value,
    seen: Vec<String>,
    /// How many nodes may still be written.
    left: usize,
}

/// How many nodes one operation may have, with everything that it refers to. The largest of the vendor's has some
/// 20,000.
const NODES: usize = 2_000_000;

/// How many references may lead to each other.
const REFERENCES: usize = 100;

impl<'a> Writer<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self { document, seen: Vec::new(), left: NODES }
    }

    /// A node without references. A schema that holds itself is cut off where it comes again, and so is what is too
    /// deep or too much.
    pub(crate) fn written_out(&mut self, node: &Value) -> Value {
        self.left = self.left.saturating_sub(1);
        match node {
            Value::Object(map) => {
                let target = map.get("$ref").and_then(Value::as_str);
                let found = target
                    .and_then(|target| Some((target, self.document.pointer(target.strip_prefix('#')?)?)));
                let Some((target, found)) = found else {
                    let inside =
                        map.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"));
                    let inside = inside.map(|(name, value)| {
                        // A property may be called `example`, and stands under `properties`.
                        let value = match (name.as_str(), value) {
                            ("properties", Value::Object(all)) => {
                                let all = all.iter().map(|(name, one)| (name.clone(), self.written_out(one)));
                                Value::Object(all.collect())
                            }
                            _ => self.written_out(value),
                        };
                        (name.clone(), value)
                    });
                    return Value::Object(inside.collect());
                };
                let again = self.seen.iter().any(|one| one == target);
                if again || self.seen.len() > REFERENCES || self.left == 0 {
                    let mut cut = json!({ "type": "object", "x-recursive": true });
                    beside(map, &mut cut);
                    return cut;
                }
                self.seen.push(target.to_owned());
                let mut found = self.written_out(found);
                self.seen.pop();
                beside(map, &mut found);
                found
            }
            Value::Array(list) => Value::Array(list.iter().map(|one| self.written_out(one)).collect()),
            other => other.clone(),
        }
    }
}
