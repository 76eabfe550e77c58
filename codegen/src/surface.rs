//! Requests and responses of each operation by location, independent of schema names.
//!
//! Two documents of the same API can have different schemas. A [`Surface`] makes them comparable: it has each
//! parameter, each property of a request body and each property of a response, with its facts. A location is a dotted
//! path as in contract findings, with `[]` for the items of a list and `{}` for the values of a map:
//! `request.query.limit`, `request.body.filter.ids[]`, `response.200.data[].id`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};

use crate::bundle::{METHODS, members, query_parameter};
use crate::metadata;
use crate::resolver::Resolver;

/// Facts of a node or an operation, by keyword.
pub type Facts = BTreeMap<&'static str, Value>;

/// Operations of a document.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    /// Operations by method and path.
    pub operations: BTreeMap<Key, OperationSurface>,
}

/// Method and path of an operation, independent of the names of path parameters and of the path prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Path without `/web/api/v2.1` or `/web/api`, with `{}` for each parameter.
    pub path: String,
    /// HTTP method, lower case.
    pub method: String,
}

/// Returns a path of any document without `/web/api/v2.1` or `/web/api`.
pub(crate) fn relative_path(path: &str) -> &str {
    let rests = ["/web/api/v2.1", "/web/api"].into_iter().filter_map(|base| path.strip_prefix(base));
    rests.into_iter().find(|rest| rest.starts_with('/')).unwrap_or(path)
}

impl Key {
    /// Creates the key from a method and a path of any document.
    pub fn new(method: &str, path: &str) -> Self {
        let path = relative_path(path);
        let mut blank = String::new();
        let mut inside = false;
        for c in path.chars() {
            match c {
                '{' => {
                    inside = true;
                    blank.push_str("{}");
                }
                '}' => inside = false,
                c if !inside => blank.push(c),
                _ => {}
            }
        }
        Self { path: blank, method: method.to_lowercase() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.to_uppercase(), self.path)
    }
}

/// Request and responses of an operation.
#[derive(Clone, Debug, Default)]
pub struct OperationSurface {
    /// Operation ID in the document.
    pub id: String,
    /// Path in the document.
    pub path: String,
    /// Facts of the operation: `security`, `deprecated`, texts, and the members of `x-s1` that affect a caller.
    pub facts: Facts,
    /// Nodes of the request and the responses, by location.
    pub locations: BTreeMap<String, Node>,
}

/// A location of an operation with its facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Facts by keyword.
    pub facts: Facts,
    /// Location of the schema or of the reference to it.
    pub site: SchemaLocation,
    /// Location of the type: differs from `site` if the site refers to a named schema.
    pub target: SchemaLocation,
    /// Facts of [`SITE_FACTS`] that the site inherits from the named schema.
    pub inherited: BTreeSet<&'static str>,
    /// The property has evidence of its own, because it differs from the vendor document.
    pub evidence: bool,
}

/// Returns whether a location is below another.
pub fn is_below(location: &str, outer: &str) -> bool {
    location.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[', '{']))
}

/// A location in the document: below a named schema, or in the operation itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaLocation {
    /// Named schema, if any.
    pub schema: Option<String>,
    /// Path from there, as in a location; empty for the schema itself.
    pub path: String,
}

/// Facts that belong to the site of a reference, not to the referenced schema.
pub const SITE_FACTS: [&str; 8] =
    ["required", "nullable", "description", "deprecated", "secret", "selective", "style", "explode"];

impl Node {
    /// Returns the location of a fact.
    pub fn location_of(&self, fact: &str) -> &SchemaLocation {
        if self.is_at_site(fact) { &self.site } else { &self.target }
    }

    /// Returns whether a fact is at the site, not in the referenced schema.
    pub fn is_at_site(&self, fact: &str) -> bool {
        SITE_FACTS.contains(&fact) && !self.inherited.contains(fact)
    }

    /// Sets a fact of the site; overrides that of the schema.
    fn set_site_fact(&mut self, fact: &'static str, value: Value) {
        self.facts.insert(fact, value);
        self.inherited.remove(fact);
    }
}

/// Schema keywords that are copied unchanged.
const KEYWORDS: [&str; 17] = [
    "type",
    "format",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "pattern",
    "default",
    "description",
    "title",
];

/// Boolean keywords.
const BOOLEANS: [&str; 4] = ["nullable", "readOnly", "writeOnly", "deprecated"];

/// Maximum depth of a location. Deeper schemas are cut off, as recursive ones are.
const MAX_DEPTH: usize = 100;

/// Members of `x-s1` of an operation that affect a caller.
const OPERATION_FACTS: [&str; 9] =
    ["versions", "permissions", "access", "kind", "idempotent", "destructive", "filter", "paging", "items"];

impl Surface {
    /// Reads an OpenAPI 3.0 document. References must be local.
    pub fn from_document(document: &Value) -> Self {
        let mut operations = BTreeMap::new();
        for (path, item) in members(document, "/paths") {
            for method in METHODS.into_iter().chain(["patch", "head", "options"]) {
                let Some(node) = item.get(method) else { continue };
                let mut builder = Builder { document, locations: BTreeMap::new() };
                builder.operation(item, node);
                let surface = OperationSurface {
                    id: node["operationId"].as_str().unwrap_or_default().to_owned(),
                    path: path.clone(),
                    facts: operation_facts(document, node),
                    locations: builder.locations,
                };
                operations.insert(Key::new(method, path), surface);
            }
        }
        Self { operations }
    }
}

fn operation_facts(document: &Value, node: &Value) -> Facts {
    let mut facts = Facts::new();
    for key in ["summary", "description"] {
        if let Some(text) = node[key].as_str().filter(|text| !text.is_empty()) {
            facts.insert(key, json!(single_line(text)));
        }
    }
    if node["deprecated"] == true {
        facts.insert("deprecated", json!(true));
    }
    let security = node.get("security").or_else(|| document.get("security"));
    if let Some(security) = security.filter(|security| security.as_array().is_some_and(|all| !all.is_empty()))
    {
        let schemes = &document["components"]["securitySchemes"];
        let mut named = Vec::new();
        for one in security.as_array().into_iter().flatten() {
            for (name, _) in members(one, "") {
                let scheme = &schemes[name];
                named.push(json!({
                    "type": scheme["type"], "in": scheme["in"], "name": scheme["name"], "scheme": scheme["scheme"],
                }));
            }
        }
        facts.insert("security", json!(named));
    }
    for key in OPERATION_FACTS {
        if let Some(value) = node[metadata::KEY].get(key).filter(|value| !value.is_null()) {
            facts.insert(key, value.clone());
        }
    }
    let rate = &node[metadata::KEY]["rateLimit"];
    if rate.is_object() {
        facts.insert("rateLimit", json!([rate["class"], rate["perSecond"], rate["burst"]]));
    }
    facts
}

struct Builder<'a> {
    document: &'a Value,
    locations: BTreeMap<String, Node>,
}

impl<'a> Builder<'a> {
    fn operation(&mut self, item: &'a Value, node: &'a Value) {
        let query = node.pointer("/x-s1/query").and_then(Value::as_str);
        let filter = query.and_then(|name| self.document["components"]["schemas"].get(name));
        let shared = item["parameters"].as_array().into_iter().flatten();
        for parameter in shared.chain(node["parameters"].as_array().into_iter().flatten()) {
            let parameter = self.resolve(parameter);
            let (Some(part), Some(name)) = (parameter["in"].as_str(), parameter["name"].as_str()) else {
                continue;
            };
            let at = match part {
                "header" => format!("request.headers.{name}"),
                part => format!("request.{part}.{name}"),
            };
            // The bundle copies the properties of a filter to query parameters; the site is then in the filter.
            let from_filter = filter
                .and_then(|filter| filter["properties"].get(name))
                .is_some_and(|property| query_parameter(name, property) == *parameter);
            let site = match query.filter(|_| from_filter) {
                Some(schema) => SchemaLocation { schema: Some(schema.to_owned()), path: name.to_owned() },
                None => SchemaLocation { schema: None, path: at.clone() },
            };
            let required = parameter["required"] == true;
            self.schema(&parameter["schema"], &at, &site, required, &mut Vec::new());
            if let Some(node) = self.locations.get_mut(&at) {
                if parameter["deprecated"] == true {
                    node.set_site_fact("deprecated", json!(true));
                }
                if let Some(text) = parameter["description"].as_str() {
                    node.set_site_fact("description", json!(single_line(text)));
                }
                if node.facts.get("type") == Some(&json!("array")) {
                    for key in ["style", "explode"] {
                        if let Some(value) = parameter.get(key) {
                            node.set_site_fact(key, value.clone());
                        }
                    }
                }
                property_facts(parameter, &mut node.facts);
                node.evidence |= has_evidence(parameter);
            }
        }
        let body = self.resolve(&node["requestBody"]);
        if let Some((media, schema)) = content(body) {
            let site = SchemaLocation { schema: None, path: "request.body".into() };
            self.schema(schema, "request.body", &site, body["required"] == true, &mut Vec::new());
            if let Some(node) = self.locations.get_mut("request.body") {
                node.facts.insert("media", json!(media));
            }
        }
        for (status, response) in members(&node["responses"], "") {
            let response = self.resolve(response);
            let at = format!("response.{status}");
            let site = SchemaLocation { schema: None, path: at.clone() };
            match content(response) {
                Some((media, schema)) => {
                    self.schema(schema, &at, &site, false, &mut Vec::new());
                    if let Some(node) = self.locations.get_mut(&at) {
                        node.facts.insert("media", json!(media));
                        node.facts.remove("description");
                    }
                }
                None => {
                    self.locations.insert(at, Node { site: site.clone(), target: site, ..Node::default() });
                }
            }
        }
    }

    /// Returns the target of a reference, or the node itself.
    fn resolve(&self, node: &'a Value) -> &'a Value {
        let target = node["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(node)
    }

    /// Adds the node of a schema and of its children. `visiting` has the named schemas on the path.
    fn schema(
        &mut self,
        node: &'a Value,
        at: &str,
        site: &SchemaLocation,
        required: bool,
        visiting: &mut Vec<&'a str>,
    ) {
        let mut facts = Facts::new();
        let mut target = site.clone();
        let mut schema = node;
        let before = visiting.len();
        let mut recursive = false;
        let mut evidence = false;
        let mut parts: Vec<&'a Value> = Vec::new();
        let mut inherited = BTreeSet::new();
        loop {
            let previous: BTreeSet<&'static str> = facts.keys().copied().collect();
            add_facts(schema, &mut facts);
            if target != *site {
                inherited.extend(facts.keys().filter(|key| !previous.contains(*key)));
            }
            // Evidence of an object schema is about the object, not about the property that refers to it.
            let own = std::ptr::eq(schema, node) || schema.get("properties").is_none();
            evidence |= own && has_evidence(schema);
            let next = match schema["allOf"].as_array().map(Vec::as_slice) {
                Some([one]) => Some(one),
                Some(several) => {
                    several.iter().for_each(|part| self.flatten_all_of(part, &mut parts, 0));
                    None
                }
                None => schema.get("$ref").map(|_| schema),
            };
            let Some(next) = next else { break };
            let Some(name) =
                next["$ref"].as_str().and_then(|target| target.rsplit_once('/')).map(|(_, name)| name)
            else {
                schema = next;
                continue;
            };
            let found = self.resolve(next);
            if std::ptr::eq(found, next) {
                facts.insert("unresolved", json!(name));
                break;
            }
            target = SchemaLocation { schema: Some(name.to_owned()), path: String::new() };
            if visiting.contains(&name) || visiting.len() > MAX_DEPTH {
                facts.insert("recursive", json!(name));
                recursive = true;
                break;
            }
            visiting.push(name);
            schema = found;
        }
        if required {
            facts.insert("required", json!(true));
        }
        let composed = ["oneOf", "anyOf", "not", "discriminator"];
        let composed: Map<String, Value> = composed
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), self.resolved(schema.get(*key)?))))
            .collect();
        if !composed.is_empty() {
            facts.insert("composed", Value::Object(composed));
        }
        match &schema["additionalProperties"] {
            // `false` is implicit in the specification: the published document has it in requests.
            Value::Bool(true) => drop(facts.insert("additionalProperties", json!(true))),
            Value::Object(map) if map.is_empty() => drop(facts.insert("additionalProperties", json!(true))),
            _ => {}
        }
        let node = Node { facts, site: site.clone(), target: target.clone(), inherited, evidence };
        self.locations.insert(at.to_owned(), node);
        if !recursive && at.bytes().filter(|byte| matches!(byte, b'.' | b'[' | b'{')).count() < MAX_DEPTH {
            let all = || std::iter::once(schema).chain(parts.iter().copied());
            let required = all().flat_map(|part| part["required"].as_array().into_iter().flatten());
            let required_names: BTreeSet<&str> = required.filter_map(Value::as_str).collect();
            for part in all() {
                if let Some(node) = self.locations.get_mut(at) {
                    add_facts(part, &mut node.facts);
                }
                self.children(part, at, &target, &required_names, visiting);
            }
        }
        visiting.truncate(before);
    }

    /// Collects the parts of an `allOf`, including nested ones.
    fn flatten_all_of(&self, part: &'a Value, parts: &mut Vec<&'a Value>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let part = self.resolve(part);
        parts.push(part);
        for inner in part["allOf"].as_array().into_iter().flatten() {
            self.flatten_all_of(inner, parts, depth + 1);
        }
    }

    /// Returns a composition keyword with its references resolved. It is compared as one fact.
    fn resolved(&self, node: &Value) -> Value {
        let mut resolver = Resolver::new(self.document);
        resolver.resolve(node)
    }

    fn children(
        &mut self,
        schema: &'a Value,
        at: &str,
        target: &SchemaLocation,
        required_names: &BTreeSet<&str>,
        visiting: &mut Vec<&'a str>,
    ) {
        let child = |more: &str| {
            let dot = if target.path.is_empty() && target.schema.is_some() { "" } else { "." };
            let path = match more.strip_prefix('.') {
                Some(name) => format!("{}{dot}{name}", target.path),
                None => format!("{}{more}", target.path),
            };
            SchemaLocation { schema: target.schema.clone(), path }
        };
        // The bundle copies the properties of a schema to those that extend it; their location is in that schema.
        let base = schema[metadata::KEY]["extends"].as_str();
        for (name, property) in members(schema, "/properties") {
            let required = required_names.contains(name.as_str());
            let copied_from = base.filter(|base| {
                self.document["components"]["schemas"][base]["properties"].get(name) == Some(property)
            });
            let site = match copied_from {
                Some(base) => SchemaLocation { schema: Some((*base).to_owned()), path: name.clone() },
                None => child(&format!(".{name}")),
            };
            self.schema(property, &format!("{at}.{name}"), &site, required, visiting);
        }
        if schema["items"].is_object() {
            self.schema(&schema["items"], &format!("{at}[]"), &child("[]"), false, visiting);
        }
        if schema["additionalProperties"].as_object().is_some_and(|map| !map.is_empty()) {
            let values = &schema["additionalProperties"];
            self.schema(values, &format!("{at}{{}}"), &child("{}"), false, visiting);
        }
    }
}

/// Returns the media type and the schema of a body. JSON is preferred.
fn content(node: &Value) -> Option<(&str, &Value)> {
    let content = node["content"].as_object()?;
    let (media, body) = content.get_key_value("application/json").or_else(|| content.iter().next())?;
    Some((media, &body["schema"]))
}

/// Adds the facts of a schema that are not set yet.
fn add_facts(schema: &Value, facts: &mut Facts) {
    for key in KEYWORDS {
        if let Some(value) = schema.get(key).filter(|value| !value.is_null()) {
            let value = match key {
                "description" | "title" => json!(single_line(value.as_str().unwrap_or_default())),
                _ => value.clone(),
            };
            facts.entry(key).or_insert(value);
        }
    }
    for key in BOOLEANS {
        if schema[key] == true {
            facts.entry(key).or_insert(json!(true));
        }
    }
    property_facts(schema, facts);
}

fn property_facts(node: &Value, facts: &mut Facts) {
    let own = &node[metadata::KEY];
    if own["secret"] == true {
        facts.entry("secret").or_insert(json!(true));
    }
    if own["selective"] == false {
        facts.entry("selective").or_insert(json!(false));
    }
}

fn has_evidence(node: &Value) -> bool {
    node[metadata::KEY]["evidence"].as_array().is_some_and(|all| !all.is_empty())
}

/// Joins a text to one line.
pub(crate) fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Converts facts to a JSON object.
pub fn object(facts: &Facts) -> Value {
    Value::Object(
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>(),
    )
}
