//! Checks the specification against the rules of `spec/README.md`.

mod features;
mod finding;
mod keys;

pub use finding::Finding;

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use crate::bundle::{
    Bundle, DATA_LAKE, FORM, JSON, METHODS, Operation, add_used, each_reference, members, reference,
};
use crate::dialect::{ENVELOPE, Envelope, envelope, is_file, is_filter};
use crate::emit::RUNTIME;
use crate::metadata::{self, FilterRequirement, Kind, Op, Paging, PropertyFacts, SchemaFacts, Send, Tier};
use crate::pattern;
use crate::runtime::is_secret_name;

/// Names of the standard library and of serde_json that the emitted modules use. [`RUNTIME`] has those of the support
/// code.
const RESERVED: [&str; 10] =
    ["BTreeMap", "Default", "Into", "IntoIterator", "Map", "Option", "Result", "String", "Value", "Vec"];

/// Returns all violations, in the order of the document.
pub fn check(bundle: &Bundle) -> Vec<Finding> {
    let client = bundle.sent_by_client();
    let mut lint = Linter {
        bundle,
        findings: Vec::new(),
        used: BTreeSet::new(),
        generated: BTreeSet::new(),
        in_requests: BTreeSet::new(),
        forms: BTreeSet::new(),
    };
    for form in client.operations().filter(|operation| operation.has_form()) {
        lint.forms.extend(form.body().and_then(reference).map(str::to_owned));
    }
    for body in client.operations().filter_map(|operation| operation.body()) {
        add_used(&client, body, &mut lint.in_requests);
    }
    each_reference(&client.document, &mut |name| {
        lint.generated.insert(name.to_owned());
    });
    if bundle.document["openapi"] != "3.0.3" {
        lint.add("openapi.yaml", "the OpenAPI version is not 3.0.3");
    }
    for (file, path) in &bundle.unlisted {
        let pointer = path.replace('~', "~0").replace('/', "~1");
        lint.add(
            file,
            format!("{path} is not in the index: add `{path}: {{ $ref: '{file}#/paths/{pointer}' }}` to openapi.yaml"),
        );
    }
    let mut ids = BTreeMap::new();
    for operation in bundle.operations() {
        let location = format!("{} {}", operation.method.to_uppercase(), operation.path);
        if let Some(other) = ids.insert(operation.id(), location.clone()) {
            lint.add(&location, format!("duplicate operationId {}, also of {other}", operation.id()));
        }
        lint.operation(&location, operation);
    }
    for (name, schema) in bundle.schemas() {
        lint.schema(name, schema);
    }
    for (location, message) in features::findings(bundle) {
        lint.add(&location, message);
    }
    lint.extensions(&bundle.document, &mut String::new(), false);
    for (location, message) in keys::unknown(&bundle.document) {
        lint.add(&location, message);
    }
    // A schema is used if an operation references it, directly or indirectly, or sends it in place of another.
    let mut pending: Vec<String> = lint.used.iter().cloned().collect();
    while let Some(name) = pending.pop() {
        for schema in [bundle, &client].into_iter().filter_map(|view| view.schema(&name)) {
            each_reference(schema, &mut |name| {
                if lint.used.insert(name.to_owned()) {
                    pending.push(name.to_owned());
                }
            });
        }
    }
    for (name, _) in bundle.schemas() {
        if !lint.used.contains(name) {
            lint.add(name, "the schema is not used by an operation");
        }
    }
    lint.findings
}

struct Linter<'a> {
    bundle: &'a Bundle,
    findings: Vec<Finding>,
    used: BTreeSet<String>,
    /// Schemas that the client sends or receives; each is a Rust type.
    generated: BTreeSet<String>,
    /// Schemas that request bodies use, directly or indirectly.
    in_requests: BTreeSet<String>,
    /// Schemas of forms.
    forms: BTreeSet<String>,
}

impl Linter<'_> {
    fn add(&mut self, location: &str, message: impl Into<String>) {
        self.findings.push(Finding { location: location.to_owned(), message: message.into() });
    }

    fn operation(&mut self, location: &str, operation: Operation<'_>) {
        let node = operation.node;
        each_reference(node, &mut |name| {
            self.used.insert(name.to_owned());
        });
        if let Some(name) = node.pointer("/x-s1/query").and_then(Value::as_str) {
            self.used.insert(name.to_owned());
            self.generated.insert(name.to_owned());
            let schema = self.bundle.schema(name).unwrap_or(&Value::Null);
            if schema["required"].as_array().is_some_and(|required| !required.is_empty()) {
                self.add(
                    location,
                    format!("query schema {name} has required properties: a filter cannot have them"),
                );
            }
        }
        let id = operation.id();
        let tags: Vec<_> = node["tags"].as_array().into_iter().flatten().collect();
        match tags.as_slice() {
            [Value::String(tag)] if id.starts_with(&format!("{tag}_")) => {}
            _ => self.add(
                location,
                format!("operationId {id:?} does not start with its only tag and an underscore"),
            ),
        }
        if let (Some(file), [Value::String(tag)]) =
            (self.bundle.path_modules.get(operation.path), tags.as_slice())
            && file != tag
        {
            self.add(location, format!("tag {tag} does not match the file of {file}"));
        }
        if id != id.to_snake_case() {
            self.add(location, format!("operationId {id:?} is not snake case"));
        }
        for key in ["summary", "description"] {
            if node[key].as_str().is_none_or(|text| text.trim().is_empty()) {
                self.add(location, format!("has no {key}"));
            }
        }
        for parameter in operation.parameters() {
            self.parameter(location, parameter);
        }
        for name in operation.parameters_in("path").filter_map(|parameter| parameter["name"].as_str()) {
            if !braces(operation.path).any(|other| other == name) {
                self.add(location, format!("path parameter {name} is not in the path"));
            }
        }
        for name in braces(operation.path) {
            if !operation.parameters_in("path").any(|parameter| parameter["name"] == name) {
                self.add(location, format!("path parameter {name} is not declared"));
            }
        }
        if operation.path.starts_with("/v2.0/") || operation.path.starts_with(DATA_LAKE) {
            let servers = format!("/paths/{}/servers", operation.path.replace('/', "~1"));
            if self.bundle.document.pointer(&servers).is_none() {
                self.add(location, "a path that starts with /v2.0/ or /sdl/ needs `servers`");
            }
        }
        for parameter in operation.parameters_in("header") {
            self.header(location, parameter);
        }
        if let Err(message) = metadata::security(&self.bundle.document, node) {
            self.add(location, message);
        }
        let media = members(node, "/requestBody/content").map(|(media, _)| media.as_str());
        let media: Vec<&str> = media.collect();
        if !matches!(media.as_slice(), [] | [JSON] | [FORM]) {
            let found = media.join(" and ");
            self.add(location, format!("the request body is {found}: expected {JSON} or {FORM}"));
        }
        if let Some(body) = operation.body() {
            match reference(body) {
                None => self.add(location, "the request body is not a named schema"),
                Some(name) => self.body_parts(location, name),
            }
        }
        let success = operation.success().map(|(_, response)| response);
        let envelope_members = success
            .and_then(|response| response.pointer("/content/application~1json/schema/properties"))
            .filter(|properties| properties.get("data").is_some());
        for (name, _) in envelope_members.into_iter().flat_map(|properties| members(properties, "")) {
            if !ENVELOPE.contains(&name.as_str()) {
                let expected = "data, pagination and errors";
                self.add(
                    location,
                    format!("the response has a member {name}: an envelope has only {expected}"),
                );
            }
        }
        match envelope(self.bundle, operation) {
            Err(message) => self.add(location, message),
            Ok(Envelope::Page(_)) => {}
            Ok(form) => {
                if let Envelope::Data(schema) | Envelope::Json(schema) = form {
                    self.inline_schema(location, schema);
                }
                if metadata::read_operation(node).is_ok_and(|facts| facts.paging == Paging::Cursor) {
                    self.add(location, "pagination is set, but the response is not a list");
                }
            }
        }
        match metadata::read_operation(node) {
            Err(message) => self.add(location, message),
            Ok(facts) => self.facts(location, operation, &facts),
        }
    }

    fn facts(&mut self, location: &str, operation: Operation<'_>, facts: &metadata::OperationFacts) {
        if facts.evidence.is_empty() {
            self.add(location, "x-s1.evidence is empty");
        }
        match facts.tier {
            Tier::Documented if facts.kind == Kind::Action && !facts.destructive => {
                self.add(
                    location,
                    "an action of the documented tier is destructive until a person has reviewed it",
                );
            }
            Tier::Curated
                if operation.node["description"]
                    .as_str()
                    .is_some_and(|text| text.contains(metadata::PLACEHOLDER)) =>
            {
                self.add(location, "a curated operation has a placeholder description: describe it");
            }
            _ => {}
        }
        if facts.end.is_some() != (operation.node["deprecated"] == true) {
            self.add(location, "x-s1.end requires `deprecated: true`, and the reverse");
        }
        if let Some(version) = facts.versions.iter().find(|v| !["2.0", "2.1"].contains(&v.as_str())) {
            self.add(location, format!("invalid version {version}: expected 2.0 or 2.1"));
        }
        if operation.path.starts_with("/v2.0/") != (facts.versions == ["2.0"]) {
            self.add(location, "the path prefix /v2.0/ requires versions [\"2.0\"], and the reverse");
        }
        if facts.destructive && facts.kind == Kind::Read {
            self.add(location, "a read cannot be destructive");
        }
        if facts.graphql.is_some() {
            self.add(location, "x-s1.graphql is only for the documents of spec/graphql");
        }
        let parameters: Vec<_> = operation.parameters_in("query").collect();
        if facts.paging == Paging::Cursor && !parameters.iter().any(|one| one["name"] == "cursor") {
            self.add(location, "pagination is by cursor, but the parameter cursor is missing");
        }
        let has_filter = operation
            .body()
            .and_then(reference)
            .and_then(|name| self.bundle.schema(name))
            .is_some_and(|body| body["properties"].get("filter").is_some_and(is_filter));
        match (facts.kind, facts.filter) {
            (Kind::Action, FilterRequirement::Optional) => {
                self.add(location, "the filter of an action is optional: expected required or none");
            }
            (Kind::Action, FilterRequirement::Required) if !has_filter && facts.query.is_none() => {
                self.add(
                    location,
                    "x-s1.filter is `required`, but neither the body nor the query has a filter",
                );
            }
            (Kind::Action, FilterRequirement::None) if facts.query.is_some() => {
                self.add(location, "the query of the action is a filter, but x-s1.filter is `none`");
            }
            (_, FilterRequirement::None) if has_filter => {
                self.add(location, "the request body has a filter, but x-s1.filter is `none`");
            }
            _ => {}
        }
    }

    fn body_parts(&mut self, location: &str, name: &str) {
        let Some(body) = self.bundle.schema(name) else { return };
        let Some(filter) = body["properties"].get("filter").filter(|filter| is_filter(filter)) else {
            return;
        };
        let named = reference(filter).and_then(|name| self.bundle.schema(name));
        let is_filter =
            named.is_some_and(|schema| metadata::read::<SchemaFacts>(schema).is_ok_and(|facts| facts.filter));
        let is_free = reference(filter).is_none() && filter["type"] == "object";
        if !is_filter && !is_free {
            self.add(location, format!("filter of {name} is not a schema with `x-s1: {{filter: true}}`"));
        }
    }

    fn parameter(&mut self, location: &str, parameter: &Value) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let schema = &parameter["schema"];
        if parameter["description"].as_str().is_none_or(str::is_empty) {
            self.add(location, format!("parameter {name} has no description"));
        }
        let is_joined = parameter["style"] == "form" && parameter["explode"] == false;
        if parameter["in"] == "query" && schema["type"] == "array" && !is_joined {
            self.add(location, format!("parameter {name} is an array: add `style: form, explode: false`"));
        }
        if parameter["in"] == "query" && schema["items"]["type"] == "array" {
            self.add(
                location,
                format!("parameter {name} is a list of lists; a query has one list of values"),
            );
        }
        match metadata::read::<PropertyFacts>(parameter) {
            Err(message) => self.add(location, format!("parameter {name}: {message}")),
            Ok(facts) if facts.send.is_some() => {
                self.add(location, format!("parameter {name}: `send` is only for request bodies"));
            }
            Ok(_) => {}
        }
        self.inline_schema(&format!("{location} parameter {name}"), schema);
    }

    fn header(&mut self, location: &str, parameter: &Value) {
        let name = parameter["name"].as_str().unwrap_or_default();
        if ["accept", "authorization", "content-type"].contains(&name.to_ascii_lowercase().as_str()) {
            self.add(location, format!("header {name}: OpenAPI declares it elsewhere"));
        }
        if parameter["schema"]["type"] != "string" {
            self.add(location, format!("header {name}: expected a string"));
        }
    }

    /// Checks an inline schema: it must be a scalar, a list or a map.
    fn inline_schema(&mut self, location: &str, schema: &Value) {
        if let Some(pattern) = schema["pattern"].as_str().filter(|pattern| !pattern::is_valid(pattern)) {
            self.add(location, format!("pattern {pattern:?} is not a valid regular expression of ECMA-262"));
        }
        if schema.get("enum").is_some() {
            self.add(location, "an inline enum is not supported: move it to components/schemas");
        }
        if schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
            self.add(location, "an inline object is not supported: move it to components/schemas");
        }
        if let Some(items) = schema.get("items") {
            self.inline_schema(location, items);
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            self.inline_schema(location, values);
        }
    }

    /// Finds unknown and misplaced extensions. `names` means that the keys of the node are names, not keywords.
    fn extensions(&mut self, node: &Value, at: &mut String, names: bool) {
        let length = at.len();
        match node {
            Value::Object(map) => {
                for (key, value) in map {
                    if !names && key == metadata::KEY {
                        if !allows_metadata(at) {
                            let allowed = "operations, parameters, named schemas and their properties";
                            self.add(at, format!("{key} is not supported here: it belongs to {allowed}"));
                        }
                        continue;
                    }
                    if !names && key.starts_with("x-") {
                        self.add(at, format!("unknown extension {key}: the only one is {}", metadata::KEY));
                        continue;
                    }
                    at.push('/');
                    at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    let of_names =
                        ["properties", "paths", "schemas", "responses", "headers", "content", "variables"];
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
        if RESERVED.contains(&name) || RUNTIME.contains(&name) {
            self.add(name, "the name is reserved for a type of the support code or the standard library");
        }
        if schema["description"].as_str().is_none_or(str::is_empty) {
            self.add(name, "has no description");
        }
        let facts = match metadata::read::<SchemaFacts>(schema) {
            Ok(facts) => facts,
            Err(message) => return self.add(name, message),
        };
        match (schema.get("enum"), schema["type"].as_str()) {
            (Some(values), Some("string")) => self.values(name, values),
            (None, Some("object")) => {}
            _ => self.add(name, "is neither an object nor an enum of strings"),
        }
        let mut idents = BTreeMap::new();
        for (property, node) in members(schema, "/properties") {
            let location = format!("{name}.{property}");
            if let Some(other) = idents.insert(property.to_snake_case(), property.clone()) {
                self.add(&location, format!("the Rust name is the same as that of {other}"));
            }
            if node["description"].as_str().is_none_or(str::is_empty) {
                self.add(&location, "has no description");
            }
            self.inline_schema(&location, node);
            if is_file(node) && !self.forms.contains(name) {
                self.add(&location, format!("`format: binary` is only for members of a {FORM} body"));
            }
            match metadata::read::<PropertyFacts>(node) {
                Err(message) => self.add(&location, message),
                Ok(property) if property.field.is_some() && !facts.filter => {
                    self.add(&location, "`field` is only for filters");
                }
                Ok(facts) if facts.send == Some(Send::Field(true)) => {
                    self.add(
                        &location,
                        "`send: true` is the default: expected false, a $ref or an integer schema",
                    );
                }
                Ok(facts) if facts.send == Some(Send::Field(false)) && is_required(schema, property) => {
                    self.add(&location, "`send: false`, but the property is required");
                }
                Ok(own) if own.secret == Some(false) && own.evidence.is_empty() => {
                    self.add(&location, "`secret: false` needs evidence with the reason");
                }
                Ok(own)
                    if own.secret.is_none()
                        && !facts.filter
                        && self.in_requests.contains(name)
                        && is_secret_string(property, node) =>
                {
                    self.add(
                        &location,
                        "the name is that of a secret: set `x-s1.secret`, or to false with evidence",
                    );
                }
                Ok(property) => {
                    let boolean = node["type"] == "boolean";
                    if property.op == Some(Op::Exists) && !boolean {
                        self.add(&location, "`op: exists` is only for booleans");
                    }
                }
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let property = required.as_str().and_then(|one| schema["properties"].get(one));
            if property.is_none() {
                self.add(name, format!("required property {required} does not exist"));
            }
        }
    }

    fn values(&mut self, name: &str, values: &Value) {
        let mut idents = BTreeMap::new();
        for value in values.as_array().into_iter().flatten() {
            let Some(text) = value.as_str() else {
                self.add(name, format!("enum value {value} is not a string"));
                continue;
            };
            if !self.generated.contains(name) {
                continue;
            }
            let ident = text.to_upper_camel_case();
            if ident.is_empty() || ident == "Unrecognized" {
                self.add(name, format!("enum value {text:?} has no valid Rust name"));
            }
            if let Some(other) = idents.insert(ident, text) {
                self.add(name, format!("enum values {text:?} and {other:?} have the same Rust name"));
            }
        }
    }
}

/// Returns whether a property is a string that is secret by its name.
pub(crate) fn is_secret_string(name: &str, property: &Value) -> bool {
    let is_text = property["type"] == "string" && property["format"] != "date-time";
    is_text && property.get("enum").is_none() && is_secret_name(name)
}

fn is_required(schema: &Value, property: &str) -> bool {
    schema["required"].as_array().into_iter().flatten().any(|name| name == property)
}

/// Returns whether the node at a JSON pointer can have `x-s1`.
fn allows_metadata(pointer: &str) -> bool {
    match pointer.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["paths", _, method] => METHODS.contains(method),
        ["paths", _, method, "parameters", _] => METHODS.contains(method),
        // The features of the client.
        [] => true,
        ["components", "schemas", _] | ["components", "schemas", _, "properties", _] => true,
        _ => false,
    }
}

/// Returns the names in braces of a path.
pub(crate) fn braces(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}
