//! Tests of the API diff: each kind of change, at several locations of the specification, is one finding with the
//! expected rule, class and commands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/curated.rs"]
mod curated;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::release::{self, Release, ReleaseLevel, SemverCheck};
use sentinelone_codegen::diff::render::{self, Comparison};
use sentinelone_codegen::diff::{self, Class, Commands, Direction, Finding, Rule, SpecIndex};
use sentinelone_codegen::surface::Surface;
use sentinelone_codegen::yaml_editor::Sources;
use serde_json::{Value, json};

/// Number of locations for each kind of change.
const MAX_LOCATIONS: usize = 4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| Bundle::read(&curated::spec()).unwrap())
}

fn document() -> &'static Value {
    &bundle().document
}

/// Surface of the unmodified specification.
fn unmodified() -> &'static Surface {
    static SURFACE: OnceLock<Surface> = OnceLock::new();
    SURFACE.get_or_init(|| Surface::from_document(document()))
}

/// Returns one command per operation and one per resource.
fn commands_of(id: &str, tag: &str) -> BTreeSet<String> {
    BTreeSet::from([format!("only-{id}"), format!("all-{tag}")])
}

fn index() -> &'static SpecIndex {
    static INDEX: OnceLock<SpecIndex> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut commands = Commands::new();
        for (_, _, node) in operations(document()) {
            let id = node["operationId"].as_str().unwrap();
            commands.insert(id.to_owned(), commands_of(id, node["tags"][0].as_str().unwrap()));
        }
        let mut index = SpecIndex::new(commands);
        index.add(bundle()).unwrap();
        index
    })
}

/// Returns pointer, method and node of each operation.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "delete"] {
            if let Some(node) = item.get(method) {
                let pointer = format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
                all.push((pointer, method.to_owned(), node));
            }
        }
    }
    all
}

/// Adds the names of all schemas that a node references, directly or indirectly.
fn add_referenced(document: &Value, node: &Value, into: &mut BTreeSet<String>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value.as_str()) {
                    ("$ref", Some(target)) => {
                        let name = target.rsplit('/').next().unwrap().to_owned();
                        if into.insert(name.clone()) {
                            add_referenced(document, &document["components"]["schemas"][&name], into);
                        }
                    }
                    // What the client sends is not part of the schema.
                    ("x-s1", _) => {}
                    _ => add_referenced(document, value, into),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| add_referenced(document, one, into)),
        _ => {}
    }
}

/// Returns the schemas of the request and of the responses of each operation, by pointer.
fn schemas_by_operation() -> &'static BTreeMap<String, [BTreeSet<String>; 2]> {
    static SCHEMAS: OnceLock<BTreeMap<String, [BTreeSet<String>; 2]>> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let mut all = BTreeMap::new();
        for (pointer, _, node) in operations(document()) {
            let mut both = [BTreeSet::new(), BTreeSet::new()];
            add_referenced(document(), &node["parameters"], &mut both[0]);
            add_referenced(document(), &node["requestBody"], &mut both[0]);
            add_referenced(document(), &node["responses"], &mut both[1]);
            all.insert(pointer, both);
        }
        all
    })
}

/// Target of a kind of change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    /// A named schema.
    Schema,
    /// A property of a named schema.
    Property,
    /// A parameter of an operation.
    Parameter,
    /// An operation, with its request body and its responses.
    Operation,
}

/// Rule of a change, with its class for the request, the response and the operation.
type Expected = (&'static str, [Option<Class>; 3]);

struct Kind {
    name: &'static str,
    target: Target,
    /// Whether the change is possible at a node.
    fits: fn(&Value) -> bool,
    /// Preparation that is not part of the change.
    before: fn(&mut Value),
    /// The change; takes the document and the pointer of the node.
    change: fn(&mut Value, &str),
    expected: Expected,
    /// Rule in responses, if it differs.
    response_rule: Option<&'static str>,
    /// Expectation with the documents swapped.
    reverse: Expected,
}

const BREAKING: Option<Class> = Some(Class::Breaking);
const BREAKING_DECODE: Option<Class> = Some(Class::BreakingDecode);
const BEHAVIOR_CHANGE: Option<Class> = Some(Class::BehaviorChange);
const NEW: Option<Class> = Some(Class::New);
const DOCS_ONLY: Option<Class> = Some(Class::DocsOnly);

fn unchanged(_: &mut Value) {}

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} does not exist"))
}

/// Returns whether the inline schema of a property or a parameter has a type, and no enum.
fn inline(node: &Value, kind: &str) -> bool {
    let schema = node.get("schema").unwrap_or(node);
    schema["type"] == kind && schema.get("enum").is_none()
}

fn string(node: &Value) -> bool {
    inline(node, "string")
}

fn plain_string(node: &Value) -> bool {
    string(node) && node.get("format").is_none()
}

fn integer(node: &Value) -> bool {
    inline(node, "integer")
}

fn list(node: &Value) -> bool {
    inline(node, "array")
}

fn object(node: &Value) -> bool {
    node["properties"].is_object()
}

fn always(_: &Value) -> bool {
    true
}

fn is_enum(node: &Value) -> bool {
    node["enum"].is_array()
}

fn refers_to_object(node: &Value) -> bool {
    let target = node["$ref"].as_str().or_else(|| node["allOf"][0]["$ref"].as_str());
    let schema = target.and_then(|target| document().pointer(&target[1..]));
    schema.is_some_and(object)
}

/// Returns the first matching property, by name.
fn property(schema: &Value, fits: impl Fn(&str, &Value) -> bool) -> Option<String> {
    let properties = schema["properties"].as_object()?;
    properties.iter().find(|(name, node)| fits(name, node)).map(|(name, _)| name.clone())
}

fn required(schema: &Value) -> Vec<String> {
    let list = schema["required"].as_array();
    list.into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn optional_property(schema: &Value) -> Option<String> {
    property(schema, |name, _| !required(schema).iter().any(|one| one == name))
}

fn optional_string(schema: &Value) -> Option<String> {
    property(schema, |name, node| plain_string(node) && !required(schema).iter().any(|one| one == name))
}

fn make_required(schema: &mut Value, name: &str) {
    let mut all = required(schema);
    all.push(name.to_owned());
    schema["required"] = json!(all);
}

fn make_optional(schema: &mut Value, name: &str) {
    let all: Vec<String> = required(schema).into_iter().filter(|one| one != name).collect();
    schema["required"] = json!(all);
}

fn set(document: &mut Value, pointer: &str, key: &str, value: Value) {
    at(document, pointer)[key] = value;
}

fn remove(document: &mut Value, pointer: &str, key: &str) {
    at(document, pointer)
        .as_object_mut()
        .unwrap()
        .remove(key)
        .unwrap_or_else(|| panic!("{pointer} has no {key}"));
}

/// Replaces a schema and keeps the facts of the reference.
fn replace(document: &mut Value, pointer: &str, mut with: Value) {
    let previous = at(document, pointer).clone();
    let target =
        previous["$ref"].as_str().or_else(|| previous["allOf"][0]["$ref"].as_str()).map(str::to_owned);
    let target = target.map(|target| document.pointer(&target[1..]).unwrap().clone()).unwrap_or_default();
    for key in ["description", "nullable", "deprecated", "x-s1"] {
        if let Some(value) = previous.get(key).or_else(|| target.get(key).filter(|_| key != "x-s1")) {
            with[key] = value.clone();
        }
    }
    *at(document, pointer) = with;
}

fn success(operation: &Value) -> Option<String> {
    let statuses = operation["responses"].as_object()?;
    statuses.keys().find(|status| status.starts_with('2')).cloned()
}

fn has_path_parameter(operation: &Value) -> bool {
    operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["in"] == "path"))
}

fn filter_required(operation: &Value) -> bool {
    operation["x-s1"]["filter"] == "required"
}

/// Returns the path and the method in the pointer of an operation.
fn split(pointer: &str) -> (String, String) {
    let (path, method) = pointer.strip_prefix("/paths/").unwrap().rsplit_once('/').unwrap();
    (path.replace("~1", "/").replace("~0", "~"), method.to_owned())
}

fn move_to(document: &mut Value, pointer: &str, path: &str, method: &str) {
    let (from, of) = split(pointer);
    let paths = document["paths"].as_object_mut().unwrap();
    let item = paths.get_mut(&from).unwrap().as_object_mut().unwrap();
    let operation = item.remove(&of).unwrap();
    if item.is_empty() {
        paths.remove(&from);
    }
    let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    item[method] = operation;
}

fn kind(
    name: &'static str,
    target: Target,
    fits: fn(&Value) -> bool,
    change: fn(&mut Value, &str),
    expected: Expected,
    reverse: Expected,
) -> Kind {
    Kind { name, target, fits, before: unchanged, change, expected, response_rule: None, reverse }
}

/// Creates a kind of change that sets a keyword of a property or a parameter.
macro_rules! sets {
    ($name:literal, $target:expr, $fits:expr, $key:literal: $value:expr, $expected:expr, $back:expr) => {
        kind(
            $name,
            $target,
            $fits,
            |document, pointer| {
                let inner = if document.pointer(pointer).unwrap().get("schema").is_some() {
                    format!("{pointer}/schema")
                } else {
                    pointer.to_owned()
                };
                set(document, &inner, $key, $value)
            },
            $expected,
            $back,
        )
    };
}

fn kinds() -> Vec<Kind> {
    let both = |rule, request, response| (rule, [request, response, None]);
    let request = |rule, class| (rule, [class, None, None]);
    let response = |rule, class| (rule, [None, class, None]);
    let operation = |rule, class| (rule, [None, None, class]);
    let bound_narrowed = both("bound-narrowed", BREAKING, DOCS_ONLY);
    let bound_widened = both("bound-widened", NEW, DOCS_ONLY);
    let type_changed = both("type-changed", BREAKING, BREAKING_DECODE);
    let mut all = vec![
        // Existence.
        kind(
            "a field is removed",
            Target::Schema,
            |schema| optional_property(schema).is_some(),
            |document, pointer| {
                let name = optional_property(at(document, pointer)).unwrap();
                remove(document, &format!("{pointer}/properties"), &name);
            },
            both("field-removed", BREAKING, BREAKING_DECODE),
            both("field-added", NEW, NEW),
        ),
        kind(
            "an object is removed with its members",
            Target::Schema,
            |schema| {
                property(schema, |_, node| refers_to_object(node)).is_some() && required(schema).is_empty()
            },
            |document, pointer| {
                let name = property(at(document, pointer), |_, node| refers_to_object(node)).unwrap();
                remove(document, &format!("{pointer}/properties"), &name);
            },
            both("field-removed", BREAKING, BREAKING_DECODE),
            both("field-added", NEW, NEW),
        ),
        kind(
            "a field is added",
            Target::Schema,
            object,
            |document, pointer| {
                set(document, &format!("{pointer}/properties"), "brandNew", json!({"type": "string"}))
            },
            both("field-added", NEW, NEW),
            both("field-removed", BREAKING, BREAKING_DECODE),
        ),
        kind(
            "an object is added with its members",
            Target::Schema,
            object,
            |document, pointer| {
                let members =
                    json!({"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}});
                let new = json!({"type": "object", "properties": members, "required": ["a"]});
                set(document, &format!("{pointer}/properties"), "brandNew", new);
            },
            both("field-added", NEW, NEW),
            both("field-removed", BREAKING, BREAKING_DECODE),
        ),
        Kind {
            response_rule: Some("field-added"),
            ..kind(
                "a required field is added",
                Target::Schema,
                object,
                |document, pointer| {
                    set(document, &format!("{pointer}/properties"), "brandNew", json!({"type": "string"}));
                    make_required(at(document, pointer), "brandNew");
                },
                both("required-field-added", BREAKING, NEW),
                both("field-removed", BREAKING, BREAKING_DECODE),
            )
        },
        kind(
            "a field is renamed",
            Target::Schema,
            |schema| schema["properties"].is_object() && optional_string(schema).is_some(),
            |document, pointer| {
                let name = optional_string(at(document, pointer)).unwrap();
                let properties = at(document, &format!("{pointer}/properties")).as_object_mut().unwrap();
                let field = properties.remove(&name).unwrap();
                properties.insert(format!("{name}Renamed"), field);
            },
            both("field-renamed", BREAKING, BREAKING_DECODE),
            both("field-renamed", BREAKING, BREAKING_DECODE),
        ),
        // Requiredness.
        kind(
            "a field becomes required",
            Target::Schema,
            |schema| optional_property(schema).is_some(),
            |document, pointer| {
                let name = optional_property(at(document, pointer)).unwrap();
                make_required(at(document, pointer), &name);
            },
            both("became-required", BREAKING, NEW),
            both("became-optional", BREAKING, BEHAVIOR_CHANGE),
        ),
        kind(
            "a field becomes optional",
            Target::Schema,
            |schema| object(schema) && !required(schema).is_empty(),
            |document, pointer| {
                let name = required(at(document, pointer)).remove(0);
                make_optional(at(document, pointer), &name);
            },
            both("became-optional", BREAKING, BEHAVIOR_CHANGE),
            both("became-required", BREAKING, NEW),
        ),
        // Type.
        sets!("a string becomes a number", Target::Property, string, "type": json!("number"), type_changed, type_changed),
        sets!("a number becomes a string", Target::Property, integer, "type": json!("string"), type_changed, type_changed),
        sets!("a list becomes an object", Target::Property, list, "type": json!("object"), type_changed, type_changed),
        kind(
            "an object becomes a string",
            Target::Property,
            refers_to_object,
            |document, pointer| replace(document, pointer, json!({"type": "string"})),
            type_changed,
            type_changed,
        ),
        kind(
            "a string becomes a list of objects",
            Target::Property,
            plain_string,
            |document, pointer| {
                let item = json!({"type": "object", "properties": {"a": {"type": "string"}}});
                replace(document, pointer, json!({"type": "array", "items": item}));
            },
            type_changed,
            type_changed,
        ),
        kind(
            "the items of a list become numbers",
            Target::Property,
            |node| list(node) && node["items"]["type"] == "string",
            |document, pointer| set(document, &format!("{pointer}/items"), "type", json!("integer")),
            type_changed,
            type_changed,
        ),
        sets!("a string gets a format", Target::Property, plain_string, "format": json!("uuid"),
            both("format-changed", BREAKING, BREAKING_DECODE), both("format-changed", BREAKING, BREAKING_DECODE)),
        sets!("a time gets another format", Target::Property, |node| node["format"] == "date-time",
            "format": json!("date"), both("format-changed", BREAKING, BREAKING_DECODE), both("format-changed", BREAKING, BREAKING_DECODE)),
        // Constraints.
        sets!("a minimum is added or raised", Target::Property, integer, "minimum": json!(100_000),
            bound_narrowed, bound_widened),
        sets!("a maximum is added or lowered", Target::Property, integer, "maximum": json!(-100_000),
            bound_narrowed, bound_widened),
        sets!("an exclusive minimum is added", Target::Property, integer, "exclusiveMinimum": json!(true),
            bound_narrowed, bound_widened),
        sets!("an exclusive maximum is added", Target::Property, integer, "exclusiveMaximum": json!(true),
            bound_narrowed, bound_widened),
        sets!("multipleOf is added", Target::Property, integer, "multipleOf": json!(5), bound_narrowed, bound_widened),
        sets!("a minimum length is added or raised", Target::Property, string, "minLength": json!(5000),
            bound_narrowed, bound_widened),
        sets!("a maximum length is added or lowered", Target::Property, string, "maxLength": json!(0),
            bound_narrowed, bound_widened),
        sets!("a minimum number of items is added or raised", Target::Property, list, "minItems": json!(9000),
            bound_narrowed, bound_widened),
        sets!("a maximum number of items is added or lowered", Target::Property, list, "maxItems": json!(0),
            bound_narrowed, bound_widened),
        sets!("items become unique", Target::Property, list, "uniqueItems": json!(true),
            bound_narrowed, bound_widened),
        sets!("a pattern is added", Target::Property, string, "pattern": json!("^a+$"),
            both("pattern-added", BREAKING, DOCS_ONLY), both("pattern-removed", NEW, DOCS_ONLY)),
        Kind {
            before: |node| node["pattern"] = json!("^b+$"),
            ..sets!("a pattern changes", Target::Property, string, "pattern": json!("^a+$"),
                both("pattern-changed", BREAKING, DOCS_ONLY), both("pattern-changed", BREAKING, DOCS_ONLY))
        },
        Kind {
            before: |node| node["multipleOf"] = json!(10),
            ..sets!("multipleOf becomes smaller", Target::Property, integer, "multipleOf": json!(5),
                bound_widened, bound_narrowed)
        },
        // Values.
        kind(
            "an enum loses a value",
            Target::Schema,
            |schema| schema["enum"].as_array().is_some_and(|all| all.len() > 1),
            |document, pointer| drop(at(document, pointer)["enum"].as_array_mut().unwrap().remove(0)),
            both("enum-value-removed", BREAKING, BREAKING),
            both("enum-value-added", NEW, BEHAVIOR_CHANGE),
        ),
        kind(
            "an enum gains two values",
            Target::Schema,
            is_enum,
            |document, pointer| {
                let values = at(document, pointer)["enum"].as_array_mut().unwrap();
                values.extend([json!("brand_new"), json!("other_new")]);
            },
            both("enum-value-added", NEW, BEHAVIOR_CHANGE),
            both("enum-value-removed", BREAKING, BREAKING),
        ),
        kind(
            "an enum is removed",
            Target::Schema,
            is_enum,
            |document, pointer| remove(document, pointer, "enum"),
            both("enum-removed", BREAKING, BREAKING_DECODE),
            both("enum-added", BREAKING, BREAKING_DECODE),
        ),
        sets!("an enum is added", Target::Property, plain_string, "enum": json!(["a", "b"]),
            both("enum-added", BREAKING, BREAKING_DECODE), both("enum-removed", BREAKING, BREAKING_DECODE)),
        // Null, defaults, lifecycle.
        sets!("a field may be null", Target::Property, |node| node["nullable"] != true && !refers(node),
            "nullable": json!(true), both("became-nullable", NEW, BEHAVIOR_CHANGE), both("no-longer-nullable", BREAKING, NEW)),
        kind(
            "a named schema may be null",
            Target::Schema,
            |schema| schema["nullable"] != true && no_reference_overrides(schema, "nullable"),
            |document, pointer| set(document, pointer, "nullable", json!(true)),
            both("became-nullable", NEW, BEHAVIOR_CHANGE),
            both("no-longer-nullable", BREAKING, NEW),
        ),
        sets!("a default is added or changed", Target::Property, plain_string, "default": json!("brand new"),
            both("default-changed", BEHAVIOR_CHANGE, DOCS_ONLY), both("default-changed", BEHAVIOR_CHANGE, DOCS_ONLY)),
        sets!("a field becomes read-only", Target::Property, always, "readOnly": json!(true),
            both("read-only-changed", BEHAVIOR_CHANGE, DOCS_ONLY), both("read-only-changed", BEHAVIOR_CHANGE, DOCS_ONLY)),
        sets!("a field becomes write-only", Target::Property, always, "writeOnly": json!(true),
            both("read-only-changed", BEHAVIOR_CHANGE, DOCS_ONLY), both("read-only-changed", BEHAVIOR_CHANGE, DOCS_ONLY)),
        sets!("a field is deprecated", Target::Property, |node| node["deprecated"] != true, "deprecated": json!(true),
            both("deprecated", DOCS_ONLY, DOCS_ONLY), both("undeprecated", DOCS_ONLY, DOCS_ONLY)),
        sets!("a field gets another description", Target::Property, always, "description": json!("Another description."),
            both("description-changed", DOCS_ONLY, DOCS_ONLY), both("description-changed", DOCS_ONLY, DOCS_ONLY)),
        // Structure.
        sets!("an object allows any members", Target::Schema, |schema| object(schema)
                && schema.get("additionalProperties").is_none(), "additionalProperties": json!(true),
            both("additional-properties-changed", BREAKING, BREAKING_DECODE), both("additional-properties-changed", BREAKING, BREAKING_DECODE)),
        sets!("an object allows typed members", Target::Schema, |schema| object(schema)
                && schema.get("additionalProperties").is_none(), "additionalProperties": json!({"type": "string"}),
            both("additional-properties-changed", BREAKING, BREAKING_DECODE), both("additional-properties-changed", BREAKING, BREAKING_DECODE)),
        kind(
            "a struct becomes a map",
            Target::Schema,
            |schema| object(schema) && schema.get("additionalProperties").is_none(),
            |document, pointer| {
                remove(document, pointer, "properties");
                set(document, pointer, "additionalProperties", json!({"type": "string"}));
            },
            both("additional-properties-changed", BREAKING, BREAKING_DECODE),
            both("additional-properties-changed", BREAKING, BREAKING_DECODE),
        ),
        kind(
            "a list loses its item schema",
            Target::Property,
            list,
            |document, pointer| remove(document, pointer, "items"),
            both("structure-changed", BREAKING, BREAKING_DECODE),
            both("structure-changed", BREAKING, BREAKING_DECODE),
        ),
        sets!("a choice is added", Target::Property, string, "oneOf": json!([{"minLength": 1}, {"maxLength": 9}]),
            both("structure-changed", BREAKING, BREAKING_DECODE), both("structure-changed", BREAKING, BREAKING_DECODE)),
        // Metadata of fields.
        kind(
            "a string becomes a secret",
            Target::Property,
            |node| plain_string(node) && node["x-s1"]["secret"] != true,
            |document, pointer| set_fact(at(document, pointer), "secret", json!(true)),
            both("secret-changed", BREAKING, BREAKING),
            both("secret-changed", BREAKING, BREAKING),
        ),
        kind(
            "a field is not selective any more",
            Target::Property,
            |node| node["x-s1"]["selective"] != false,
            |document, pointer| set_fact(at(document, pointer), "selective", json!(false)),
            both("selective-changed", BEHAVIOR_CHANGE, DOCS_ONLY),
            both("selective-changed", BEHAVIOR_CHANGE, DOCS_ONLY),
        ),
    ];
    all.extend(parameter_kinds(request));
    all.extend(body_kinds(request, response));
    all.extend(operation_kinds(operation));
    all
}

fn parameter_kinds(request: fn(&'static str, Option<Class>) -> Expected) -> Vec<Kind> {
    vec![
        kind(
            "a query parameter is removed",
            Target::Operation,
            |operation| {
                last_query(operation).is_some_and(|at| operation["parameters"][at]["required"] != true)
            },
            |document, pointer| {
                let operation = at(document, pointer);
                let last = last_query(operation).unwrap();
                operation["parameters"].as_array_mut().unwrap().remove(last);
            },
            request("parameter-removed", BREAKING),
            request("parameter-added", NEW),
        ),
        kind(
            "a query parameter is renamed",
            Target::Operation,
            |operation| last_query(operation).is_some(),
            |document, pointer| {
                let operation = at(document, pointer);
                let last = last_query(operation).unwrap();
                let parameter = &mut operation["parameters"][last];
                parameter["name"] = json!(format!("{}Renamed", parameter["name"].as_str().unwrap()));
            },
            request("parameter-renamed", BREAKING),
            request("parameter-renamed", BREAKING),
        ),
        kind(
            "a required query parameter is added",
            Target::Operation,
            |operation| operation["parameters"].is_array(),
            |document, pointer| {
                let new = json!({"name": "brandNew", "in": "query", "required": true, "schema": {"type": "string"}});
                at(document, pointer)["parameters"].as_array_mut().unwrap().push(new);
            },
            request("required-parameter-added", BREAKING),
            request("parameter-removed", BREAKING),
        ),
        kind(
            "a header parameter is added",
            Target::Operation,
            always,
            |document, pointer| {
                let operation = at(document, pointer);
                let new = json!({"name": "X-New", "in": "header", "schema": {"type": "string"}});
                match operation["parameters"].as_array_mut() {
                    Some(all) => all.push(new),
                    None => operation["parameters"] = json!([new]),
                }
            },
            request("parameter-added", NEW),
            request("parameter-removed", BREAKING),
        ),
        kind(
            "a query parameter becomes required",
            Target::Parameter,
            |node| node["required"] != true && node["in"] == "query",
            |document, pointer| set(document, pointer, "required", json!(true)),
            request("became-required", BREAKING),
            request("became-optional", BREAKING),
        ),
        sets!("a parameter becomes a boolean", Target::Parameter, integer, "type": json!("boolean"),
            request("type-changed", BREAKING), request("type-changed", BREAKING)),
        sets!("a parameter gets a format", Target::Parameter, |node| string(node) && node["schema"].get("format").is_none(),
            "format": json!("uuid"), request("format-changed", BREAKING), request("format-changed", BREAKING)),
        sets!("a parameter is bounded", Target::Parameter, integer, "maximum": json!(-5),
            request("bound-narrowed", BREAKING), request("bound-widened", NEW)),
        sets!("a list in the query is bounded", Target::Parameter, list, "maxItems": json!(0),
            request("bound-narrowed", BREAKING), request("bound-widened", NEW)),
        sets!("a parameter gets a pattern", Target::Parameter, string, "pattern": json!("^a+$"),
            request("pattern-added", BREAKING), request("pattern-removed", NEW)),
        sets!("a parameter becomes an enum", Target::Parameter, string, "enum": json!(["a", "b"]),
            request("enum-added", BREAKING), request("enum-removed", BREAKING)),
        sets!("a parameter may be null", Target::Parameter, |node| string(node) && node["schema"]["nullable"] != true,
            "nullable": json!(true), request("became-nullable", NEW), request("no-longer-nullable", BREAKING)),
        sets!("a parameter gets another default", Target::Parameter, integer, "default": json!(77_777),
            request("default-changed", BEHAVIOR_CHANGE), request("default-changed", BEHAVIOR_CHANGE)),
        kind(
            "a list in the query gets another style",
            Target::Parameter,
            |node| list(node) && node["in"] == "query",
            |document, pointer| set(document, pointer, "style", json!("pipeDelimited")),
            request("style-changed", BEHAVIOR_CHANGE),
            request("style-changed", BEHAVIOR_CHANGE),
        ),
        kind(
            "a list in the query is repeated",
            Target::Parameter,
            |node| list(node) && node["in"] == "query",
            |document, pointer| set(document, pointer, "explode", json!(true)),
            request("explode-changed", BEHAVIOR_CHANGE),
            request("explode-changed", BEHAVIOR_CHANGE),
        ),
        kind(
            "a parameter is deprecated",
            Target::Parameter,
            |node| node["deprecated"] != true && node["schema"]["deprecated"] != true,
            |document, pointer| set(document, pointer, "deprecated", json!(true)),
            request("deprecated", DOCS_ONLY),
            request("undeprecated", DOCS_ONLY),
        ),
        kind(
            "a parameter gets another description",
            Target::Parameter,
            always,
            |document, pointer| set(document, pointer, "description", json!("Another description.")),
            request("description-changed", DOCS_ONLY),
            request("description-changed", DOCS_ONLY),
        ),
        kind(
            "a parameter is not selective any more",
            Target::Parameter,
            |node| node["in"] == "query" && node["x-s1"]["selective"] != false,
            |document, pointer| set_fact(at(document, pointer), "selective", json!(false)),
            request("selective-changed", BEHAVIOR_CHANGE),
            request("selective-changed", BEHAVIOR_CHANGE),
        ),
    ]
}

fn body_kinds(
    request: fn(&'static str, Option<Class>) -> Expected,
    response: fn(&'static str, Option<Class>) -> Expected,
) -> Vec<Kind> {
    vec![
        kind(
            "a body is removed",
            Target::Operation,
            |operation| operation["requestBody"]["required"] == true,
            |document, pointer| remove(document, pointer, "requestBody"),
            request("body-removed", BREAKING),
            request("required-body-added", BREAKING),
        ),
        kind(
            "an optional body is added",
            Target::Operation,
            |operation| operation.get("requestBody").is_none(),
            |document, pointer| {
                let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
                set(
                    document,
                    pointer,
                    "requestBody",
                    json!({"content": {"application/json": {"schema": schema}}}),
                );
            },
            request("body-added", NEW),
            request("body-removed", BREAKING),
        ),
        kind(
            "a body becomes optional",
            Target::Operation,
            |operation| operation["requestBody"]["required"] == true,
            |document, pointer| set(document, &format!("{pointer}/requestBody"), "required", json!(false)),
            request("became-optional", BREAKING),
            request("became-required", BREAKING),
        ),
        kind(
            "a body becomes a form",
            Target::Operation,
            |operation| operation["requestBody"].is_object(),
            |document, pointer| {
                let content = &mut at(document, pointer)["requestBody"]["content"];
                *content = json!({"multipart/form-data": content["application/json"]});
            },
            request("media-type-changed", BREAKING),
            request("media-type-changed", BREAKING),
        ),
        kind(
            "a response becomes binary",
            Target::Operation,
            |operation| {
                let response = success(operation).map(|status| &operation["responses"][status]);
                response.is_some_and(|response| response["content"]["application/json"].is_object())
            },
            |document, pointer| {
                let operation = at(document, pointer);
                let status = success(operation).unwrap();
                let bytes = json!({"schema": {"type": "string", "format": "binary"}});
                operation["responses"][status]["content"] = json!({"application/octet-stream": bytes});
            },
            response("media-type-changed", BREAKING_DECODE),
            response("media-type-changed", BREAKING_DECODE),
        ),
        kind(
            "an envelope loses its data",
            Target::Operation,
            |operation| {
                let response = success(operation).map(|status| &operation["responses"][status]);
                response.is_some_and(|one| {
                    one["content"]["application/json"]["schema"]["properties"]["data"].is_object()
                })
            },
            |document, pointer| {
                let status = success(at(document, pointer)).unwrap();
                let schema =
                    format!("{pointer}/responses/{status}/content/application~1json/schema/properties");
                remove(document, &schema, "data");
            },
            response("field-removed", BREAKING_DECODE),
            response("field-added", NEW),
        ),
        kind(
            "the success status changes",
            Target::Operation,
            |operation| success(operation).is_some(),
            |document, pointer| {
                let responses = at(document, pointer)["responses"].as_object_mut().unwrap();
                let status = responses.keys().find(|status| status.starts_with('2')).unwrap().clone();
                let response = responses.remove(&status).unwrap();
                responses.insert("207".into(), response);
            },
            response("success-status-changed", BREAKING_DECODE),
            response("success-status-changed", BREAKING_DECODE),
        ),
        kind(
            "a success status is added",
            Target::Operation,
            |operation| success(operation).is_some(),
            |document, pointer| {
                let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
                let response =
                    json!({"description": "", "content": {"application/json": {"schema": schema}}});
                set(document, &format!("{pointer}/responses"), "207", response);
            },
            response("success-status-added", BREAKING_DECODE),
            response("success-status-removed", BREAKING_DECODE),
        ),
        kind(
            "an error status is added",
            Target::Operation,
            |operation| operation["responses"]["418"].is_null(),
            |document, pointer| {
                let response = at(document, pointer)["responses"]["400"].clone();
                set(document, &format!("{pointer}/responses"), "418", response);
            },
            response("error-status-added", NEW),
            response("error-status-removed", DOCS_ONLY),
        ),
    ]
}

fn operation_kinds(operation: fn(&'static str, Option<Class>) -> Expected) -> Vec<Kind> {
    macro_rules! fact {
        ($name:literal, $fits:expr, $key:literal: $value:expr, $expected:expr, $back:expr) => {
            kind(
                $name,
                Target::Operation,
                $fits,
                |document, pointer| set_fact(at(document, pointer), $key, $value),
                $expected,
                $back,
            )
        };
    }
    vec![
        kind(
            "an operation is removed",
            Target::Operation,
            always,
            |document, pointer| {
                let (path, method) = split(pointer);
                document["paths"][path].as_object_mut().unwrap().remove(&method).unwrap();
            },
            operation("operation-removed", BREAKING),
            operation("operation-added", NEW),
        ),
        kind(
            "an operation moves to another path",
            Target::Operation,
            always,
            |document, pointer| {
                let (path, method) = split(pointer);
                move_to(document, pointer, &format!("/brand-new{path}"), &method);
            },
            operation("operation-moved", BREAKING),
            operation("operation-moved", BREAKING),
        ),
        kind(
            "an operation moves to another method",
            Target::Operation,
            |operation| operation["x-s1"]["kind"] == "action" && success(operation).is_some(),
            |document, pointer| {
                let (path, method) = split(pointer);
                let taken = document["paths"][&path].as_object().unwrap().clone();
                let free = ["put", "post", "delete", "get"].into_iter().find(|one| !taken.contains_key(*one));
                assert_ne!(free.unwrap(), method);
                move_to(document, pointer, &path, free.unwrap());
            },
            operation("operation-moved", BREAKING),
            operation("operation-moved", BREAKING),
        ),
        kind(
            "an operation moves to a path with another parameter",
            Target::Operation,
            always,
            |document, pointer| {
                let (path, method) = split(pointer);
                let new =
                    json!({"name": "tenant", "in": "path", "required": true, "schema": {"type": "string"}});
                let operation = at(document, pointer);
                match operation["parameters"].as_array_mut() {
                    Some(all) => all.push(new),
                    None => operation["parameters"] = json!([new]),
                }
                move_to(document, pointer, &format!("/tenants/{{tenant}}{path}"), &method);
            },
            operation("operation-reshaped", BREAKING),
            operation("operation-reshaped", BREAKING),
        ),
        kind(
            "an operation is renamed",
            Target::Operation,
            always,
            |document, pointer| set(document, pointer, "operationId", json!("brand_new_name")),
            operation("operation-renamed", BREAKING),
            operation("operation-renamed", BREAKING),
        ),
        kind(
            "a path parameter is renamed",
            Target::Operation,
            has_path_parameter,
            |document, pointer| {
                let (path, method) = split(pointer);
                let parameters = at(document, pointer)["parameters"].as_array_mut().unwrap();
                let parameter = parameters.iter_mut().find(|one| one["in"] == "path").unwrap();
                let name = parameter["name"].as_str().unwrap().to_owned();
                parameter["name"] = json!("brand_new");
                move_to(document, pointer, &path.replace(&format!("{{{name}}}"), "{brand_new}"), &method);
            },
            operation("path-parameter-renamed", DOCS_ONLY),
            operation("path-parameter-renamed", DOCS_ONLY),
        ),
        kind(
            "an operation requires another authentication",
            Target::Operation,
            always,
            |document, pointer| {
                document["components"]["securitySchemes"]["Other"] =
                    json!({"type": "http", "scheme": "basic"});
                set(document, pointer, "security", json!([{"Other": []}]));
            },
            operation("security-changed", BREAKING),
            operation("security-changed", BREAKING),
        ),
        kind(
            "an operation does not require authentication",
            Target::Operation,
            |operation| operation.get("security").is_none(),
            |document, pointer| set(document, pointer, "security", json!([])),
            operation("security-removed", BEHAVIOR_CHANGE),
            operation("security-added", BREAKING),
        ),
        fact!("an operation is removed from a version", |one| one["x-s1"]["versions"] == json!(["2.0", "2.1"]),
            "versions": json!(["2.1"]), operation("version-removed", BREAKING), operation("version-added", NEW)),
        fact!("a filter becomes required", |one| !filter_required(one), "filter": json!("required"),
            operation("filter-required", BREAKING), operation("filter-changed", BEHAVIOR_CHANGE)),
        fact!("an operation loses its filter", |one| one["x-s1"]["filter"] == "optional", "filter": json!("none"),
            operation("filter-changed", BEHAVIOR_CHANGE), operation("filter-changed", BEHAVIOR_CHANGE)),
        fact!("a read becomes an action", |one| one["x-s1"]["kind"] == "read", "kind": json!("action"),
            operation("kind-changed", BEHAVIOR_CHANGE), operation("kind-changed", BEHAVIOR_CHANGE)),
        fact!("an operation is not idempotent any more", |one| one["x-s1"]["idempotent"] == true, "idempotent": json!(false),
            operation("idempotence-changed", BEHAVIOR_CHANGE), operation("idempotence-changed", BEHAVIOR_CHANGE)),
        fact!("an operation becomes destructive", |one| one["x-s1"]["destructive"] == false,
            "destructive": json!(true), operation("destructiveness-changed", BEHAVIOR_CHANGE),
            operation("destructiveness-changed", BEHAVIOR_CHANGE)),
        fact!("an operation gets a rate limit", always,
            "rateLimit": json!({"class": "new", "perSecond": 0.5, "burst": 3, "source": "inference"}),
            operation("rate-limit-changed", BEHAVIOR_CHANGE), operation("rate-limit-changed", BEHAVIOR_CHANGE)),
        fact!("an operation requires another permission", always, "permissions": json!({ "required": ["Brand.new"] }),
            operation("permission-changed", BEHAVIOR_CHANGE), operation("permission-changed", BEHAVIOR_CHANGE)),
        fact!("a list has no pagination any more", |one| one["x-s1"]["paging"] == "cursor", "paging": json!("none"),
            operation("paging-changed", BREAKING), operation("paging-changed", BREAKING)),
        fact!("a list is in another member", always, "items": json!("brandNew"),
            operation("list-member-changed", BREAKING), operation("list-member-changed", BREAKING)),
        kind(
            "an operation is deprecated",
            Target::Operation,
            |operation| operation["deprecated"] != true,
            |document, pointer| set(document, pointer, "deprecated", json!(true)),
            operation("deprecated", DOCS_ONLY),
            operation("undeprecated", DOCS_ONLY),
        ),
        kind(
            "an operation gets another description",
            Target::Operation,
            always,
            |document, pointer| set(document, pointer, "description", json!("Another description.")),
            operation("description-changed", DOCS_ONLY),
            operation("description-changed", DOCS_ONLY),
        ),
    ]
}

fn set_fact(node: &mut Value, key: &str, value: Value) {
    if !node["x-s1"].is_object() {
        node["x-s1"] = json!({});
    }
    node["x-s1"][key] = value;
}

fn refers(node: &Value) -> bool {
    node.get("$ref").is_some() || node.get("allOf").is_some()
}

/// Returns whether no reference to a schema overrides a fact of it.
fn no_reference_overrides(schema: &Value, key: &str) -> bool {
    fn all(node: &Value, target: &str, key: &str) -> bool {
        let refers = node["$ref"] == target || node["allOf"][0]["$ref"] == target;
        if refers && node.get(key).is_some() {
            return false;
        }
        match node {
            Value::Object(map) => map.values().all(|value| all(value, target, key)),
            Value::Array(list) => list.iter().all(|value| all(value, target, key)),
            _ => true,
        }
    }
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let name = schemas.iter().find(|(_, one)| *one == schema).map(|(name, _)| name);
    name.is_some_and(|name| all(document(), &format!("#/components/schemas/{name}"), key))
}

/// Returns the last query parameter of the operation that is not a property of its filter.
fn last_query(operation: &Value) -> Option<usize> {
    let filter = operation.pointer("/x-s1/query").and_then(Value::as_str).unwrap_or_default();
    let filter_properties = &document()["components"]["schemas"][filter]["properties"];
    let own = |one: &Value| filter_properties.get(one["name"].as_str().unwrap_or_default()).is_none();
    operation["parameters"].as_array()?.iter().rposition(|one| one["in"] == "query" && own(one))
}

/// Returns the possible nodes of a kind, with the pointers of the operations that use them in requests and responses.
fn candidates(kind: &Kind) -> Vec<(String, [Vec<String>; 2])> {
    let mut found = Vec::new();
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let users = |name: &str| {
        [0, 1].map(|direction| {
            let all = schemas_by_operation().iter().filter(|(_, both)| both[direction].contains(name));
            all.map(|(pointer, _)| pointer.clone()).collect::<Vec<_>>()
        })
    };
    match kind.target {
        Target::Schema => {
            for (name, schema) in schemas.iter().filter(|(_, schema)| (kind.fits)(schema)) {
                let _ = schema;
                found.push((format!("/components/schemas/{name}"), users(name)));
            }
        }
        Target::Property => {
            for (name, schema) in schemas {
                for (property, node) in schema["properties"].as_object().into_iter().flatten() {
                    if (kind.fits)(node) {
                        found
                            .push((format!("/components/schemas/{name}/properties/{property}"), users(name)));
                    }
                }
            }
        }
        Target::Parameter => {
            for (pointer, _, node) in operations(document()) {
                for (at, one) in node["parameters"].as_array().into_iter().flatten().enumerate() {
                    if (kind.fits)(one) {
                        let users = [vec![pointer.clone()], Vec::new()];
                        found.push((format!("{pointer}/parameters/{at}"), users));
                    }
                }
            }
        }
        Target::Operation => {
            for (pointer, _, node) in operations(document()) {
                if (kind.fits)(node) {
                    found.push((pointer.clone(), [vec![pointer.clone()], vec![pointer]]));
                }
            }
        }
    }
    found.retain(|(_, [requests, responses])| !requests.is_empty() || !responses.is_empty());
    found
}

/// Selects some nodes, spread over the document. The selection depends on the name of the kind.
fn sample<T>(name: &str, mut all: Vec<T>) -> Vec<T> {
    let seed = name.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let count = all.len().min(MAX_LOCATIONS);
    let (first, step) = (seed % all.len().max(1), all.len() / count.max(1));
    let length = all.len();
    let mut chosen: Vec<usize> = (0..count).map(|at| (first + at * step) % length).collect();
    chosen.sort_unstable_by(|a, b| b.cmp(a));
    chosen.dedup();
    chosen.into_iter().map(|at| all.swap_remove(at)).collect()
}

fn commands(pointers: &[String]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for pointer in pointers {
        let node = document().pointer(pointer).unwrap();
        all.extend(commands_of(node["operationId"].as_str().unwrap(), node["tags"][0].as_str().unwrap()));
    }
    all
}

/// Returns the expected rule, class and commands for each direction.
fn expectation(
    kind: &Kind,
    (rule, classes): Expected,
    response_rule: Option<&'static str>,
    [requests, responses]: &[Vec<String>; 2],
) -> BTreeMap<Direction, (&'static str, Class, BTreeSet<String>)> {
    let mut expected = BTreeMap::new();
    let users = if kind.target == Target::Operation {
        [requests, requests, requests]
    } else {
        [requests, responses, requests]
    };
    let directions = [Direction::Request, Direction::Response, Direction::Operation];
    for ((direction, class), pointers) in directions.into_iter().zip(classes).zip(users) {
        let Some(class) = class.filter(|_| !pointers.is_empty()) else { continue };
        let rule = response_rule.filter(|_| direction == Direction::Response).unwrap_or(rule);
        expected.insert(direction, (rule, class, commands(pointers)));
    }
    expected
}

fn check(
    context: &str,
    findings: &[Finding],
    expected: &BTreeMap<Direction, (&'static str, Class, BTreeSet<String>)>,
    with_commands: bool,
) {
    let json = || serde_json::to_string_pretty(findings).unwrap();
    assert_eq!(findings.len(), expected.len(), "{context}: {expected:?}\n{}", json());
    for finding in findings {
        let Some((rule, class, commands)) = expected.get(&finding.direction) else {
            panic!("{context}: unexpected direction {:?}\n{}", finding.direction, json());
        };
        assert_eq!(finding.rule.name(), *rule, "{context}\n{}", json());
        assert_eq!(finding.class, *class, "{context}\n{}", json());
        if with_commands {
            let found: BTreeSet<String> = finding.commands.iter().cloned().collect();
            assert_eq!(found, *commands, "{context}\n{}", json());
            assert!(!finding.rust.is_empty(), "{context}: no Rust item\n{}", json());
        }
        assert!(!finding.operations.is_empty() && !finding.message.is_empty(), "{context}\n{}", json());
    }
}

/// Returns the document with the operations that use a location, and some others.
fn part_with(pointer: &str, users: &[Vec<String>; 2]) -> Value {
    let path_of = |pointer: &str| pointer.strip_prefix("/paths/")?.split('/').next().map(str::to_owned);
    let used = users.iter().flatten().map(String::as_str).chain([pointer]);
    let used: BTreeSet<String> = used.filter_map(path_of).collect();
    let mut part = document().clone();
    let mut number = 0;
    part["paths"].as_object_mut().unwrap().retain(|path, _| {
        number += 1;
        number % 8 == 0 || used.contains(&path.replace('~', "~0").replace('/', "~1"))
    });
    part
}

/// Applies a kind of change at some locations. Returns the number of locations, and the rules of the findings.
fn check_kind(kind: &Kind) -> (usize, BTreeSet<Rule>) {
    let mut rules = BTreeSet::new();
    let empty_index = SpecIndex::default();
    let locations = sample(kind.name, candidates(kind));
    assert!(!locations.is_empty(), "{}: no candidates", kind.name);
    for (number, (pointer, users)) in locations.iter().enumerate() {
        let context = format!("{} at {pointer}", kind.name);
        // One location of each kind with the whole document, the others with a part of it, which takes less time.
        let is_whole = number == 0;
        let mut document = if is_whole { document().clone() } else { part_with(pointer, users) };
        let node = document.pointer(pointer).unwrap().clone();
        (kind.before)(at(&mut document, pointer));
        let is_unchanged = is_whole && document.pointer(pointer) == Some(&node);
        let prepared = (!is_unchanged).then(|| Surface::from_document(&document));
        let old = prepared.as_ref().unwrap_or_else(|| unmodified());
        (kind.change)(&mut document, pointer);
        let new = Surface::from_document(&document);

        let expected = expectation(kind, kind.expected, kind.response_rule, users);
        assert!(!expected.is_empty(), "{context}: no expectation");
        let forward = diff::compare(old, &new, index());
        check(&context, &forward, &expected, true);
        let reverse = expectation(kind, kind.reverse, None, users);
        let backward = diff::compare(&new, old, index());
        check(&format!("{context}, documents swapped"), &backward, &reverse, true);
        // Without the names of the curated specification.
        check(&format!("{context}, empty index"), &diff::compare(old, &new, &empty_index), &expected, false);

        for finding in &forward {
            let mirrored = backward.iter().find(|other| other.direction == finding.direction).unwrap();
            assert!(finding.rule.mirror().contains(&mirrored.rule), "{context}: {:?}", mirrored.rule);
            assert!(mirrored.rule.mirror().contains(&finding.rule), "{context}: {:?}", finding.rule);
            rules.extend([finding.rule, mirrored.rule]);
        }
        assert!(diff::compare(&new, &new, index()).is_empty(), "{context}: differs from itself");
    }
    (locations.len(), rules)
}

#[test]
fn compare_each_change_kind_is_one_finding() {
    let kinds = kinds();
    let chunk_size = kinds.len().div_ceil(2);
    let (mut changes, mut rules) = (0, BTreeSet::new());
    std::thread::scope(|scope| {
        let parts: Vec<_> = kinds
            .chunks(chunk_size)
            .map(|part| scope.spawn(move || part.iter().map(check_kind).collect::<Vec<_>>()))
            .collect();
        for part in parts {
            for (count, found) in part.join().unwrap() {
                changes += count;
                rules.extend(found);
            }
        }
    });
    println!("{} kinds of change, {changes} changes:", kinds.len());
    for kind in &kinds {
        println!("  {}", kind.name);
    }
    assert!(kinds.len() >= 80, "{}", kinds.len());
    let names: BTreeSet<&str> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kinds.len(), "duplicate name");
    // The remaining rule has its own test.
    let untested: Vec<Rule> = Rule::ALL.iter().copied().filter(|rule| !rules.contains(rule)).collect();
    assert_eq!(untested, [Rule::OperationIdChanged]);
}

/// The bundle copies the properties of a filter to query parameters, so the test edits the files.
#[test]
fn compare_filter_property_is_one_finding_for_bodies_and_queries() {
    let mut sources = Sources::read(&curated::spec()).unwrap();
    let before = Surface::from_document(&sources.bundle().unwrap().document);
    let field = json!({ "type": "boolean", "description": "D." });
    let at = "/components/schemas/AgentFilter/properties";
    sources.put("agents.yaml", at, "isPinned", &field).unwrap();
    let after = Surface::from_document(&sources.bundle().unwrap().document);
    for (old, new, rule) in [(&before, &after, "field-added"), (&after, &before, "field-removed")] {
        let findings = diff::compare(old, new, index());
        assert_eq!(findings.len(), 1, "{findings:#?}");
        let one = &findings[0];
        assert_eq!((one.rule.name(), one.owner.as_str()), (rule, "AgentFilter.isPinned"));
        let operations: BTreeSet<&str> = one.operations.iter().map(|one| one.operation.as_str()).collect();
        assert!(
            operations.contains("agents_list") && operations.contains("agents_shutdown"),
            "{operations:?}"
        );
    }
}

#[test]
fn compare_identical_documents_is_empty() {
    let surface = Surface::from_document(document());
    assert_eq!(diff::compare(&surface, &surface.clone(), index()), []);
}

#[test]
fn rule_table_is_symmetric_and_complete() {
    for rule in Rule::ALL {
        for other in rule.mirror() {
            assert!(other.mirror().contains(rule), "{} and {}", rule.name(), other.name());
        }
        let classes: Vec<Class> = [Direction::Request, Direction::Response, Direction::Operation]
            .into_iter()
            .filter_map(|direction| rule.class(direction))
            .collect();
        assert!(!classes.is_empty(), "{} has no class", rule.name());
        assert!(rule.reason().ends_with('.'), "{} has no reason", rule.name());
        let kebab = rule.name().chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(kebab, "{}", rule.name());
    }
}

/// Returns a vendor document: without `x-s1`, with other operation IDs and with inline schemas.
fn vendor_document(id: &str, limit: u32) -> Surface {
    let response = json!({"type": "object", "properties": {
        "data": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }});
    Surface::from_document(&json!({
        "openapi": "3.0.3",
        "paths": {
            "/web/api/v2.1/groups": {"get": {
                "operationId": id,
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": limit}},
                ],
                "responses": {"200": {"content": {"application/json": {"schema": response}}}},
            }},
            "/web/api/v2.1/unknown": {"get": {"operationId": "unknown", "responses": {}}},
        },
    }))
}

#[test]
fn compare_foreign_document_uses_curated_names() {
    let (old, new) = (vendor_document("_groups_get", 1000), vendor_document("groups_v2", 500));
    let findings = diff::compare(&old, &new, index());
    let [narrowed, renamed] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((narrowed.rule, narrowed.class), (Rule::BoundNarrowed, Class::Breaking));
    assert_eq!(narrowed.operations[0].operation, "groups_list");
    assert_eq!(narrowed.rust, ["sentinelone::raw::groups::GroupsListQuery::limit"]);
    assert_eq!(narrowed.commands, ["all-groups", "only-groups_list"]);
    assert_eq!((renamed.rule, renamed.class), (Rule::OperationIdChanged, Class::DocsOnly));
    assert_eq!(renamed.rust, ["sentinelone::raw::groups::list"]);

    // A new field gets the name that it would have in the generated crate.
    let mut more = vendor_document("_groups_get", 1000);
    let key = more.operations.keys().next().unwrap().clone();
    let locations = &mut more.operations.get_mut(&key).unwrap().locations;
    let field = locations["response.200.data[].name"].clone();
    locations.insert("response.200.data[].brandNew".into(), field);
    let findings = diff::compare(&vendor_document("_groups_get", 1000), &more, index());
    let [added] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!(added.owner, "Group.brandNew", "the curated schema owns it");
    assert_eq!(added.rust, ["sentinelone::raw::groups::Group::brand_new"]);

    // `retain_known` removes the operations that the specification does not have.
    let (mut old, mut new) = (vendor_document("_groups_get", 1000), vendor_document("_groups_get", 500));
    new.operations.retain(|key, _| key.path == "/groups");
    assert_eq!(diff::compare(&old, &new, index()).len(), 2);
    diff::retain_known(&mut old, &mut new, index());
    let findings = diff::compare(&old, &new, index());
    assert_eq!(findings.iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::BoundNarrowed]);
}

/// Each location of each operation has an item that exists in the generated crate.
#[test]
fn spec_index_items_exist_in_generated_crate() {
    let mut texts = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("generated/src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            texts.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    let (mut items, mut locations) = (BTreeSet::new(), 0);
    for key in index().keys() {
        items.insert(index().function(key).unwrap().to_owned());
        for (location, node) in index().locations(key) {
            locations += 1;
            items.insert(index().item(key, location).unwrap_or_else(|| panic!("{key} {location}")));
            items.extend(index().type_item(key, location));
            if let Some(values) = node.facts.get("enum").and_then(Value::as_array) {
                let variants = index().values(key, location, values);
                // The client sends one spelling of values that the API accepts in upper and lower case.
                let distinct: BTreeSet<String> =
                    values.iter().map(|value| value.as_str().unwrap().to_lowercase()).collect();
                assert!(variants.len() >= distinct.len(), "{key} {location}: {variants:?}");
                items.extend(variants);
            }
        }
    }
    let (mut fields, mut functions, mut variants, mut types) = (0, 0, 0, 0);
    for item in &items {
        let parts: Vec<&str> = item.strip_prefix("sentinelone::raw::").unwrap().split("::").collect();
        let text = texts.get(parts[0]).unwrap_or_else(|| panic!("{item}: no such module"));
        let body = |start: &str| -> &str {
            let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{item}: no {start}"));
            rest.split_once('}').unwrap().0
        };
        match parts.as_slice() {
            [_, function] if function.starts_with(|c: char| c.is_ascii_lowercase()) => {
                assert!(text.contains(&format!("pub fn {function}(")), "{item}");
                functions += 1;
            }
            [_, ty] => {
                let starts = [format!("pub struct {ty} {{"), format!("pub enum {ty} {{")];
                assert!(starts.iter().any(|start| text.contains(start)), "{item}");
                types += 1;
            }
            [_, ty, field] if field.starts_with(|c: char| c.is_ascii_lowercase()) => {
                assert!(body(&format!("pub struct {ty} {{")).contains(&format!("pub {field}: ")), "{item}");
                fields += 1;
            }
            [_, ty, variant] => {
                assert!(body(&format!("pub enum {ty} {{")).contains(&format!(" {variant} = ")), "{item}");
                variants += 1;
            }
            _ => panic!("{item}"),
        }
    }
    println!(
        "{locations} locations: {fields} fields, {functions} functions, {variants} variants, {types} types"
    );
    assert!(
        locations > 5000
            && fields > 1000
            && functions == index().keys().count()
            && variants > 200
            && types > 50,
        "{items:?}"
    );
}

/// Returns the findings between two editions of a small document, with a change of each class.
fn small_findings() -> Vec<Finding> {
    let edition = |new: bool| {
        let mut widget = json!({"type": "object", "properties": {
            "name": {"type": "string", "description": "A <name>."},
            "kind": {"$ref": "#/components/schemas/Kind"},
            "size": {"type": "integer", "format": "int32"},
        }});
        let mut kinds = json!(["a|b", "c"]);
        let mut limit = json!({"type": "integer", "minimum": 1});
        if new {
            widget["properties"].as_object_mut().unwrap().remove("size");
            widget["properties"]["name"]["description"] = json!("A <script>alert(1)</script> name.");
            kinds = json!(["a|b", "c", "d_e", "<f>"]);
            limit["maximum"] = json!(50);
        }
        let list = json!({
            "operationId": "widgets_list",
            "parameters": [{"name": "limit", "in": "query", "schema": limit}],
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Widget"}}}}},
            "x-s1": {"kind": "read", "versions": ["2.1"]},
        });
        let mut get = list.clone();
        get["operationId"] = json!("widgets_get");
        let mut paths = json!({"/widgets": {"get": list}, "/widgets/{id}": {"get": get}});
        if new {
            paths["/others"] = json!({"get": {"operationId": "others_list", "responses": {}}});
        } else {
            paths["/old"] = json!({"delete": {"operationId": "old_delete", "responses": {}}});
        }
        let schemas = json!({"Widget": widget, "Kind": {"type": "string", "enum": kinds}});
        Surface::from_document(
            &json!({"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}),
        )
    };
    let id = |id: &str, command: &str| (id.to_owned(), BTreeSet::from([command.to_owned()]));
    let commands = Commands::from([id("widgets_list", "list-widgets"), id("old_delete", "delete-old")]);
    diff::compare(&edition(false), &edition(true), &SpecIndex::new(commands))
}

#[test]
fn render_all_formats_match_snapshots() {
    let findings = small_findings();
    let comparison = Comparison { old: "v1:spec", new: "spec", findings: &findings };
    assert!(comparison.breaks());
    insta::assert_snapshot!("text", render::text(&comparison));
    insta::assert_snapshot!("markdown", render::markdown(&comparison));
    insta::assert_snapshot!("json", render::json(&comparison));
    let html = render::html(&comparison);
    let body = html.find("<header>").unwrap()..html.find("</main>").unwrap();
    insta::assert_snapshot!("html", &html[body]);
    // Content of the documents is escaped.
    assert!(!html.contains("<script>alert") && !html.contains("<f>"));
    assert!(html.contains("&lt;script&gt;alert"));
    for external in ["src=", "@import", "url(", "http://", "https://"] {
        assert!(!html.contains(external), "external resource: {external}");
    }
    let unchanged = Comparison { findings: &[], ..comparison };
    assert!(!unchanged.breaks());
    assert_eq!(render::markdown(&unchanged).lines().last(), Some("No changes."));
}

#[test]
fn render_long_lists_are_truncated() {
    let listed = 100;
    let many: Vec<Finding> = (0..listed + 50)
        .map(|at| {
            let mut finding = small_findings().remove(0);
            finding.operations[0].operation = format!("widgets_{at}");
            finding.commands = (0..9).map(|command| format!("command-{command}")).collect();
            finding
        })
        .collect();
    let comparison = Comparison { old: "a", new: "b", findings: &many };
    let text = render::text(&comparison);
    assert!(
        text.contains("command-5 and 3 more") && text.contains("and 50 more; use --format json for all"),
        "{text}"
    );
    assert_eq!(text.matches("    - ").count(), listed);
    let markdown = render::markdown(&comparison);
    assert!(markdown.contains("<details>") && markdown.contains("\nand 50 more\n"));
    let json: Value = serde_json::from_str(&render::json(&comparison)).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), many.len());
}

#[test]
fn release_notes_match_findings() {
    let findings = small_findings();
    let release = Release { version: [0, 1, 0], since: "v0.1.0", findings: &findings, semver_checks: None };
    insta::assert_snapshot!("release", release.notes());

    let only = |class: Class| -> Vec<Finding> {
        findings.iter().filter(|finding| finding.class == class).cloned().collect()
    };
    for (class, version, next) in [
        (Class::Breaking, [0, 4, 2], [0, 5, 0]),
        (Class::BreakingDecode, [0, 0, 2], [0, 0, 3]),
        (Class::BehaviorChange, [0, 4, 2], [0, 4, 3]),
        (Class::New, [0, 4, 2], [0, 4, 3]),
        (Class::BreakingDecode, [1, 4, 2], [2, 0, 0]),
        (Class::New, [1, 4, 2], [1, 5, 0]),
        (Class::DocsOnly, [1, 4, 2], [1, 4, 3]),
    ] {
        let findings = only(class);
        assert!(!findings.is_empty(), "{class:?}");
        assert_eq!(ReleaseLevel::from_findings(&findings).next(version), next, "{class:?} after {version:?}");
    }
    assert_eq!(ReleaseLevel::from_findings(&[]).next([1, 4, 2]), [1, 4, 2]);

    // The code can change without the specification.
    let output = "     Summary semver requires new major version: 2 major and 0 minor checks failed\n";
    let check = |success, output| SemverCheck::read("sentinelone", success, output);
    let code = Release {
        findings: &[],
        semver_checks: Some(vec![
            check(false, output),
            check(true, "     Summary no semver update required\n"),
        ]),
        ..release.clone()
    };
    assert_eq!(code.level(), ReleaseLevel::Breaking);
    assert!(code.notes().starts_with("minor release: 0.1.0 -> 0.2.0"), "{}", code.notes());
    let unknown = check(false, "error: no such revision\n");
    assert_eq!(unknown.level, None);
    let unknown = Release { findings: &[], semver_checks: Some(vec![unknown]), ..release };
    assert!(unknown.notes().contains("error: no such revision (no result)"), "{}", unknown.notes());

    assert_eq!(release::version("1.20.3").unwrap(), [1, 20, 3]);
    for wrong in ["1.2", "1.2.x", "1.2.3.4", ""] {
        assert!(release::version(wrong).is_err(), "{wrong}");
    }
}
