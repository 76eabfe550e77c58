//! Holds the specification to the rules of `spec/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use crate::bundle::{Bundle, METHODS, Operation, each_reference, members, reference};
use crate::dialect::{Envelope, envelope};
use crate::emit::RUNTIME;
use crate::facts::{self, FilterRule, Kind, Op, Paging, PropertyFacts, SchemaFacts};

/// Names of the standard library and of serde_json that the emitted modules use; those of the support
/// code are [`RUNTIME`].
const TAKEN: [&str; 10] =
    ["BTreeMap", "Default", "Into", "IntoIterator", "Map", "Option", "Result", "String", "Value", "Vec"];

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: an operation or a schema.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// All broken rules, in the order of the document.
pub fn check(bundle: &Bundle) -> Vec<Finding> {
    let mut lint = Lint { bundle, findings: Vec::new(), used: BTreeSet::new() };
    if bundle.document["openapi"] != "3.0.3" {
        lint.add("openapi.yaml", "the version is not 3.0.3, which is what the generator reads");
    }
    for (file, path) in &bundle.unlisted {
        let pointer = path.replace('~', "~0").replace('/', "~1");
        lint.add(
            file,
            format!("{path} is not in the index; add `{path}: {{ $ref: '{file}#/paths/{pointer}' }}` to openapi.yaml"),
        );
    }
    let mut ids = BTreeMap::new();
    for operation in bundle.operations() {
        let place = format!("{} {}", operation.method.to_uppercase(), operation.path);
        if let Some(other) = ids.insert(operation.id(), place.clone()) {
            lint.add(&place, format!("operationId {} is also that of {other}", operation.id()));
        }
        lint.operation(&place, operation);
    }
    for (name, schema) in bundle.schemas() {
        lint.schema(name, schema);
    }
    lint.extensions(&bundle.document, &mut String::new(), false);
    // Unused means: not reached from any operation.
    let mut todo: Vec<String> = lint.used.iter().cloned().collect();
    while let Some(name) = todo.pop() {
        if let Some(schema) = bundle.schema(&name) {
            each_reference(schema, &mut |name| {
                if lint.used.insert(name.to_owned()) {
                    todo.push(name.to_owned());
                }
            });
        }
    }
    for (name, _) in bundle.schemas() {
        if !lint.used.contains(name) {
            lint.add(name, "no operation uses the schema");
        }
    }
    lint.findings
}

struct Lint<'a> {
    bundle: &'a Bundle,
    findings: Vec<Finding>,
    used: BTreeSet<String>,
}

impl Lint<'_> {
    fn add(&mut self, place: &str, message: impl Into<String>) {
        self.findings.push(Finding { place: place.to_owned(), message: message.into() });
    }

    fn operation(&mut self, place: &str, operation: Operation<'_>) {
        let node = operation.node;
        each_reference(node, &mut |name| {
            self.used.insert(name.to_owned());
        });
        if let Some(name) = node.pointer("/x-s1/query").and_then(Value::as_str) {
            self.used.insert(name.to_owned());
            let schema = self.bundle.schema(name).unwrap_or(&Value::Null);
            if schema["required"].as_array().is_some_and(|required| !required.is_empty()) {
                self.add(place, format!("{name} is its query and requires something; a filter cannot"));
            }
        }
        let id = operation.id();
        let tags: Vec<_> = node["tags"].as_array().into_iter().flatten().collect();
        match tags.as_slice() {
            [Value::String(tag)] if id.starts_with(&format!("{tag}_")) => {}
            _ => self.add(place, format!("operationId {id:?} does not start with its only tag and _")),
        }
        if let (Some(file), [Value::String(tag)]) =
            (self.bundle.path_modules.get(operation.path), tags.as_slice())
            && file != tag
        {
            self.add(place, format!("the tag is {tag}, but the file is that of {file}"));
        }
        if id != id.to_snake_case() {
            self.add(place, format!("operationId {id:?} is not snake case"));
        }
        for key in ["summary", "description"] {
            if node[key].as_str().is_none_or(|text| text.trim().is_empty()) {
                self.add(place, format!("has no {key}"));
            }
        }
        for parameter in operation.parameters() {
            self.parameter(place, parameter);
        }
        for name in operation.parameters_in("path").filter_map(|parameter| parameter["name"].as_str()) {
            if !braces(operation.path).any(|other| other == name) {
                self.add(place, format!("path parameter {name} is not in the path"));
            }
        }
        for name in braces(operation.path) {
            if !operation.parameters_in("path").any(|parameter| parameter["name"] == name) {
                self.add(place, format!("path parameter {name} is not declared"));
            }
        }
        if operation.path.starts_with("/v2.0/") {
            let servers = format!("/paths/{}/servers", operation.path.replace('/', "~1"));
            if self.bundle.document.pointer(&servers).is_none() {
                self.add(place, "a path of API 2.0 overrides `servers` in its path item");
            }
        }
        if let Some(body) = operation.body() {
            match reference(body) {
                None => self.add(place, "the body is no named schema"),
                Some(name) => self.body_parts(place, name),
            }
        }
        for (name, _) in operation
            .success()
            .into_iter()
            .flat_map(|(_, answer)| members(answer, "/content/application~1json/schema/properties"))
        {
            if !["data", "pagination", "errors"].contains(&name.as_str()) {
                let message = "an envelope has data, pagination and errors";
                self.add(place, format!("the answer has a member {name}; {message}"));
            }
        }
        match envelope(self.bundle, operation) {
            Err(message) => self.add(place, message),
            Ok(Envelope::Page(_)) => {}
            Ok(_) => {
                if facts::of_operation(node).is_ok_and(|facts| facts.paging == Paging::Cursor) {
                    self.add(place, "is paged, but its answer is no list");
                }
            }
        }
        match facts::of_operation(node) {
            Err(message) => self.add(place, message),
            Ok(facts) => self.facts(place, operation, &facts),
        }
    }

    fn facts(&mut self, place: &str, operation: Operation<'_>, facts: &facts::OperationFacts) {
        if facts.evidence.is_empty() {
            self.add(place, "says nothing about where its facts come from");
        }
        if let Some(version) = facts.versions.iter().find(|v| !["2.0", "2.1"].contains(&v.as_str())) {
            self.add(place, format!("version {version} is neither 2.0 nor 2.1"));
        }
        if operation.path.starts_with("/v2.0/") != (facts.versions == ["2.0"]) {
            self.add(place, "the prefix /v2.0/ goes with versions [\"2.0\"], and only with them");
        }
        if facts.destructive && facts.kind == Kind::Read {
            self.add(place, "a read cannot be destructive");
        }
        let parameters: Vec<_> = operation.parameters_in("query").collect();
        if facts.paging == Paging::Cursor && !parameters.iter().any(|one| one["name"] == "cursor") {
            self.add(place, "is paged by cursor, but has no parameter cursor");
        }
        let has_filter = operation
            .body()
            .and_then(reference)
            .and_then(|name| self.bundle.schema(name))
            .is_some_and(|body| body["properties"].get("filter").is_some());
        match (facts.kind, facts.filter) {
            (Kind::Action, FilterRule::Optional) => {
                self.add(place, "the filter of an action is mandatory, or it has none");
            }
            (Kind::Action, FilterRule::Mandatory) if !has_filter => {
                self.add(place, "a filter is mandatory, but the body has none");
            }
            (_, FilterRule::None) if has_filter => {
                self.add(place, "the body has a filter, but the facts say that there is none");
            }
            _ => {}
        }
    }

    fn body_parts(&mut self, place: &str, name: &str) {
        let Some(body) = self.bundle.schema(name) else { return };
        let Some(filter) = body["properties"].get("filter") else { return };
        let named = reference(filter).and_then(|name| self.bundle.schema(name));
        let is_filter =
            named.is_some_and(|schema| facts::of::<SchemaFacts>(schema).is_ok_and(|facts| facts.filter));
        if !is_filter {
            self.add(place, format!("filter of {name} is no schema with `x-s1: {{filter: true}}`"));
        }
    }

    fn parameter(&mut self, place: &str, parameter: &Value) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let schema = &parameter["schema"];
        if parameter["description"].as_str().is_none_or(str::is_empty) {
            self.add(place, format!("parameter {name} has no description"));
        }
        let is_joined = parameter["style"] == "form" && parameter["explode"] == false;
        if parameter["in"] == "query" && schema["type"] == "array" && !is_joined {
            self.add(place, format!("parameter {name} is a list: it needs `style: form, explode: false`"));
        }
        if let Err(message) = facts::of::<PropertyFacts>(parameter) {
            self.add(place, format!("parameter {name}: {message}"));
        }
        self.in_place(&format!("{place} parameter {name}"), schema);
    }

    /// A schema that stands where it is used: scalars and lists of them only.
    fn in_place(&mut self, place: &str, schema: &Value) {
        if schema.get("enum").is_some() {
            self.add(place, "an enum needs a name: put it into components/schemas");
        }
        if schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
            self.add(place, "an object needs a name: put it into components/schemas");
        }
        if let Some(items) = schema.get("items") {
            self.in_place(place, items);
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            self.in_place(place, values);
        }
    }

    /// Finds extensions that have no meaning where they stand. `names` says that the keys of the node are
    /// names that the document gives, and no keywords.
    fn extensions(&mut self, node: &Value, at: &mut String, names: bool) {
        let length = at.len();
        match node {
            Value::Object(map) => {
                for (key, value) in map {
                    if !names && key == facts::KEY {
                        if !has_facts(at) {
                            let places = "operations, parameters, named schemas and their properties";
                            self.add(at, format!("{key} has no meaning here; it goes on {places}"));
                        }
                        continue;
                    }
                    if !names && key.starts_with("x-") {
                        self.add(at, format!("{key} is an extension, and {} is the only one", facts::KEY));
                        continue;
                    }
                    at.push('/');
                    at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    let of_names = ["properties", "paths", "schemas", "responses", "content", "variables"];
                    self.extensions(value, at, !names && of_names.contains(&key.as_str()));
                    at.truncate(length);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    at.push_str(&format!("/{index}"));
                    self.extensions(value, at, false);
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        if name != name.to_upper_camel_case() {
            self.add(name, "the name is not upper camel case");
        }
        if TAKEN.contains(&name) || RUNTIME.contains(&name) {
            self.add(name, "the name is that of a type in the support code or the standard library");
        }
        if schema["description"].as_str().is_none_or(str::is_empty) {
            self.add(name, "has no description");
        }
        let facts = match facts::of::<SchemaFacts>(schema) {
            Ok(facts) => facts,
            Err(message) => return self.add(name, message),
        };
        match (schema.get("enum"), schema["type"].as_str()) {
            (Some(values), Some("string")) => self.values(name, values),
            (None, Some("object")) => {}
            _ => self.add(name, "is neither an object nor an enum of texts"),
        }
        let mut idents = BTreeMap::new();
        for (property, node) in members(schema, "/properties") {
            let place = format!("{name}.{property}");
            if let Some(other) = idents.insert(property.to_snake_case(), property.clone()) {
                self.add(&place, format!("has the same Rust name as {other}"));
            }
            if node["description"].as_str().is_none_or(str::is_empty) {
                self.add(&place, "has no description");
            }
            self.in_place(&place, node);
            match facts::of::<PropertyFacts>(node) {
                Err(message) => self.add(&place, message),
                Ok(property) if property.field.is_some() && !facts.filter => {
                    self.add(&place, "`field` is for filters");
                }
                Ok(property) => {
                    let boolean = node["type"] == "boolean";
                    if property.op == Some(Op::Exists) && !boolean {
                        self.add(&place, "`op: exists` is for flags");
                    }
                }
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let known = required.as_str().and_then(|one| schema["properties"].get(one));
            if known.is_none() {
                self.add(name, format!("requires {required}, which is no property"));
            }
        }
    }

    fn values(&mut self, name: &str, values: &Value) {
        let mut idents = BTreeMap::new();
        for value in values.as_array().into_iter().flatten() {
            let Some(text) = value.as_str() else {
                self.add(name, format!("the value {value} is no text"));
                continue;
            };
            let ident = text.to_upper_camel_case();
            if ident.is_empty() || ident == "Unrecognized" {
                self.add(name, format!("the value {text:?} gives no usable Rust name"));
            }
            if let Some(other) = idents.insert(ident, text) {
                self.add(name, format!("{text:?} and {other:?} have the same Rust name"));
            }
        }
    }
}

/// Whether the node at this JSON pointer is one whose facts are read.
fn has_facts(pointer: &str) -> bool {
    match pointer.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["paths", _, method] => METHODS.contains(method),
        ["paths", _, method, "parameters", _] => METHODS.contains(method),
        ["components", "schemas", _] | ["components", "schemas", _, "properties", _] => true,
        _ => false,
    }
}

/// The names in braces of a path.
pub(crate) fn braces(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}
