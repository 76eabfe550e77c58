//! Every kind of change, made at several places of the specification, is found once, by the right rule, in the
//! right class, and with the commands that it concerns.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::release::{self, Release, Step, Verdict};
use sentinelone_codegen::diff::render::{self, Comparison};
use sentinelone_codegen::diff::{self, Atlas, Class, Commands, Direction, Finding, Rule};
use sentinelone_codegen::sources::Sources;
use sentinelone_codegen::surface::Surface;
use serde_json::{Value, json};

/// How many places each kind is tried at.
const PLACES: usize = 4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| Bundle::read(&root().join("spec")).unwrap())
}

fn document() -> &'static Value {
    &bundle().document
}

/// What the specification says as it is.
fn untouched() -> &'static Surface {
    static SURFACE: OnceLock<Surface> = OnceLock::new();
    SURFACE.get_or_init(|| Surface::of(document()))
}

/// A command of its own for every operation, and one for every resource.
fn commands_of(id: &str, tag: &str) -> BTreeSet<String> {
    BTreeSet::from([format!("only-{id}"), format!("all-{tag}")])
}

fn atlas() -> &'static Atlas {
    static ATLAS: OnceLock<Atlas> = OnceLock::new();
    ATLAS.get_or_init(|| {
        let mut commands = Commands::new();
        for (_, _, node) in operations(document()) {
            let id = node["operationId"].as_str().unwrap();
            commands.insert(id.to_owned(), commands_of(id, node["tags"][0].as_str().unwrap()));
        }
        let mut atlas = Atlas::new(commands);
        atlas.add(bundle()).unwrap();
        atlas
    })
}

/// Pointer, method and node of every operation.
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

/// The names of all schemas that a node reaches, by following references as they stand in the text.
fn reached(document: &Value, node: &Value, into: &mut BTreeSet<String>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value.as_str()) {
                    ("$ref", Some(target)) => {
                        let name = target.rsplit('/').next().unwrap().to_owned();
                        if into.insert(name.clone()) {
                            reached(document, &document["components"]["schemas"][&name], into);
                        }
                    }
                    _ => reached(document, value, into),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| reached(document, one, into)),
        _ => {}
    }
}

/// Schemas that each operation sends, and those that it reads, by the operation's pointer.
fn reach() -> &'static BTreeMap<String, [BTreeSet<String>; 2]> {
    static REACH: OnceLock<BTreeMap<String, [BTreeSet<String>; 2]>> = OnceLock::new();
    REACH.get_or_init(|| {
        let mut all = BTreeMap::new();
        for (pointer, _, node) in operations(document()) {
            let mut both = [BTreeSet::new(), BTreeSet::new()];
            reached(document(), &node["parameters"], &mut both[0]);
            reached(document(), &node["requestBody"], &mut both[0]);
            reached(document(), &node["responses"], &mut both[1]);
            all.insert(pointer, both);
        }
        all
    })
}

/// Where a kind of change is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    /// A named schema.
    Schema,
    /// A property of a named schema.
    Property,
    /// A parameter of an operation.
    Parameter,
    /// An operation, with its body and its answers.
    Operation,
}

/// What a change is called and what class it has for what is sent, what is read, and the operation.
type Expected = (&'static str, [Option<Class>; 3]);

struct Kind {
    name: &'static str,
    on: On,
    /// Whether it can be made at this node.
    fits: fn(&Value) -> bool,
    /// What has to be there before, which is no part of the change.
    before: fn(&mut Value),
    /// The change: the document and the pointer of the node.
    change: fn(&mut Value, &str),
    expected: Expected,
    /// For a required field, whose rule is another one where it is read.
    read_rule: Option<&'static str>,
    /// The other way round.
    back: Expected,
}

const CALLERS: Option<Class> = Some(Class::BreaksCallers);
const DECODING: Option<Class> = Some(Class::BreaksDecoding);
const BEHAVES: Option<Class> = Some(Class::BehavesDifferently);
const NEW: Option<Class> = Some(Class::New);
const TEXT: Option<Class> = Some(Class::TextOnly);

fn nothing(_: &mut Value) {}

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is nowhere"))
}

/// The pointer of the schema of a property or a parameter.
fn inline(node: &Value, kind: &str) -> bool {
    let schema = node.get("schema").unwrap_or(node);
    schema["type"] == kind && schema.get("enum").is_none()
}

fn text(node: &Value) -> bool {
    inline(node, "string")
}

fn plain_text(node: &Value) -> bool {
    text(node) && node.get("format").is_none()
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

/// The first property that fits, by name.
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

fn require(schema: &mut Value, name: &str) {
    let mut all = required(schema);
    all.push(name.to_owned());
    schema["required"] = json!(all);
}

fn unrequire(schema: &mut Value, name: &str) {
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

/// Puts another schema in the place of one, with the facts that belong to the place.
fn replace(document: &mut Value, pointer: &str, mut with: Value) {
    let kept = at(document, pointer).clone();
    let target = kept["$ref"].as_str().or_else(|| kept["allOf"][0]["$ref"].as_str()).map(str::to_owned);
    let target = target.map(|target| document.pointer(&target[1..]).unwrap().clone()).unwrap_or_default();
    for key in ["description", "nullable", "deprecated", "x-s1"] {
        if let Some(value) = kept.get(key).or_else(|| target.get(key).filter(|_| key != "x-s1")) {
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

fn mandatory(operation: &Value) -> bool {
    operation["x-s1"]["filter"] == "mandatory"
}

/// The path and the method in the pointer of an operation.
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
    on: On,
    fits: fn(&Value) -> bool,
    change: fn(&mut Value, &str),
    expected: Expected,
    back: Expected,
) -> Kind {
    Kind { name, on, fits, before: nothing, change, expected, read_rule: None, back }
}

/// A keyword that a property or a parameter gains.
macro_rules! gains {
    ($name:literal, $on:expr, $fits:expr, $key:literal: $value:expr, $expected:expr, $back:expr) => {
        kind(
            $name,
            $on,
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
    let both = |rule, send, read| (rule, [send, read, None]);
    let sent = |rule, class| (rule, [class, None, None]);
    let read = |rule, class| (rule, [None, class, None]);
    let itself = |rule, class| (rule, [None, None, class]);
    let bound_narrowed = both("bound-narrowed", CALLERS, TEXT);
    let bound_widened = both("bound-widened", NEW, TEXT);
    let type_changed = both("type-changed", CALLERS, DECODING);
    let mut all = vec![
        // Existence.
        kind(
            "a field goes",
            On::Schema,
            |schema| optional_property(schema).is_some(),
            |document, pointer| {
                let name = optional_property(at(document, pointer)).unwrap();
                remove(document, &format!("{pointer}/properties"), &name);
            },
            both("field-removed", CALLERS, DECODING),
            both("field-added", NEW, NEW),
        ),
        kind(
            "an object goes with its members",
            On::Schema,
            |schema| {
                property(schema, |_, node| refers_to_object(node)).is_some() && required(schema).is_empty()
            },
            |document, pointer| {
                let name = property(at(document, pointer), |_, node| refers_to_object(node)).unwrap();
                remove(document, &format!("{pointer}/properties"), &name);
            },
            both("field-removed", CALLERS, DECODING),
            both("field-added", NEW, NEW),
        ),
        kind(
            "a field comes",
            On::Schema,
            object,
            |document, pointer| {
                set(document, &format!("{pointer}/properties"), "brandNew", json!({"type": "string"}))
            },
            both("field-added", NEW, NEW),
            both("field-removed", CALLERS, DECODING),
        ),
        kind(
            "an object comes with its members",
            On::Schema,
            object,
            |document, pointer| {
                let members =
                    json!({"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}});
                let new = json!({"type": "object", "properties": members, "required": ["a"]});
                set(document, &format!("{pointer}/properties"), "brandNew", new);
            },
            both("field-added", NEW, NEW),
            both("field-removed", CALLERS, DECODING),
        ),
        Kind {
            read_rule: Some("field-added"),
            ..kind(
                "a required field comes",
                On::Schema,
                object,
                |document, pointer| {
                    set(document, &format!("{pointer}/properties"), "brandNew", json!({"type": "string"}));
                    require(at(document, pointer), "brandNew");
                },
                both("required-field-added", CALLERS, NEW),
                both("field-removed", CALLERS, DECODING),
            )
        },
        // Requiredness.
        kind(
            "a field becomes required",
            On::Schema,
            |schema| optional_property(schema).is_some(),
            |document, pointer| {
                let name = optional_property(at(document, pointer)).unwrap();
                require(at(document, pointer), &name);
            },
            both("became-required", CALLERS, NEW),
            both("became-optional", NEW, DECODING),
        ),
        kind(
            "a field becomes optional",
            On::Schema,
            |schema| object(schema) && !required(schema).is_empty(),
            |document, pointer| {
                let name = required(at(document, pointer)).remove(0);
                unrequire(at(document, pointer), &name);
            },
            both("became-optional", NEW, DECODING),
            both("became-required", CALLERS, NEW),
        ),
        // Type.
        gains!("a text becomes a number", On::Property, text, "type": json!("number"), type_changed, type_changed),
        gains!("a number becomes a text", On::Property, integer, "type": json!("string"), type_changed, type_changed),
        gains!("a list becomes an object", On::Property, list, "type": json!("object"), type_changed, type_changed),
        kind(
            "an object becomes a text",
            On::Property,
            refers_to_object,
            |document, pointer| replace(document, pointer, json!({"type": "string"})),
            type_changed,
            type_changed,
        ),
        kind(
            "a text becomes a list of objects",
            On::Property,
            plain_text,
            |document, pointer| {
                let item = json!({"type": "object", "properties": {"a": {"type": "string"}}});
                replace(document, pointer, json!({"type": "array", "items": item}));
            },
            type_changed,
            type_changed,
        ),
        kind(
            "the elements of a list become numbers",
            On::Property,
            |node| list(node) && node["items"]["type"] == "string",
            |document, pointer| set(document, &format!("{pointer}/items"), "type", json!("integer")),
            type_changed,
            type_changed,
        ),
        gains!("a text gets a format", On::Property, plain_text, "format": json!("uuid"),
            both("format-changed", CALLERS, DECODING), both("format-changed", CALLERS, DECODING)),
        gains!("a time gets another format", On::Property, |node| node["format"] == "date-time",
            "format": json!("date"), both("format-changed", CALLERS, DECODING), both("format-changed", CALLERS, DECODING)),
        // Constraints.
        gains!("a least value comes or rises", On::Property, integer, "minimum": json!(100_000),
            bound_narrowed, bound_widened),
        gains!("a greatest value comes or falls", On::Property, integer, "maximum": json!(-100_000),
            bound_narrowed, bound_widened),
        gains!("an open lower end comes", On::Property, integer, "exclusiveMinimum": json!(true),
            bound_narrowed, bound_widened),
        gains!("an open upper end comes", On::Property, integer, "exclusiveMaximum": json!(true),
            bound_narrowed, bound_widened),
        gains!("steps come", On::Property, integer, "multipleOf": json!(5), bound_narrowed, bound_widened),
        gains!("a least length comes or rises", On::Property, text, "minLength": json!(5000),
            bound_narrowed, bound_widened),
        gains!("a greatest length comes or falls", On::Property, text, "maxLength": json!(0),
            bound_narrowed, bound_widened),
        gains!("a least number of elements comes or rises", On::Property, list, "minItems": json!(9000),
            bound_narrowed, bound_widened),
        gains!("a greatest number of elements comes or falls", On::Property, list, "maxItems": json!(0),
            bound_narrowed, bound_widened),
        gains!("elements have to differ", On::Property, list, "uniqueItems": json!(true),
            bound_narrowed, bound_widened),
        gains!("a pattern comes", On::Property, text, "pattern": json!("^a+$"),
            both("pattern-added", CALLERS, TEXT), both("pattern-removed", NEW, TEXT)),
        Kind {
            before: |node| node["pattern"] = json!("^b+$"),
            ..gains!("a pattern changes", On::Property, text, "pattern": json!("^a+$"),
                both("pattern-changed", CALLERS, TEXT), both("pattern-changed", CALLERS, TEXT))
        },
        Kind {
            before: |node| node["multipleOf"] = json!(10),
            ..gains!("steps become finer", On::Property, integer, "multipleOf": json!(5),
                bound_widened, bound_narrowed)
        },
        // Values.
        kind(
            "an enum loses a value",
            On::Schema,
            |schema| schema["enum"].as_array().is_some_and(|all| all.len() > 1),
            |document, pointer| drop(at(document, pointer)["enum"].as_array_mut().unwrap().remove(0)),
            both("enum-value-removed", CALLERS, CALLERS),
            both("enum-value-added", NEW, BEHAVES),
        ),
        kind(
            "an enum gains two values",
            On::Schema,
            is_enum,
            |document, pointer| {
                let values = at(document, pointer)["enum"].as_array_mut().unwrap();
                values.extend([json!("brand_new"), json!("other_new")]);
            },
            both("enum-value-added", NEW, BEHAVES),
            both("enum-value-removed", CALLERS, CALLERS),
        ),
        kind(
            "an enum is lifted",
            On::Schema,
            is_enum,
            |document, pointer| remove(document, pointer, "enum"),
            both("enum-lifted", CALLERS, DECODING),
            both("enum-imposed", CALLERS, DECODING),
        ),
        gains!("an enum is imposed", On::Property, plain_text, "enum": json!(["a", "b"]),
            both("enum-imposed", CALLERS, DECODING), both("enum-lifted", CALLERS, DECODING)),
        // Null, defaults, life.
        gains!("a field may be null", On::Property, |node| node["nullable"] != true && !refers(node),
            "nullable": json!(true), both("became-nullable", NEW, DECODING), both("no-longer-nullable", CALLERS, NEW)),
        kind(
            "a named schema may be null",
            On::Schema,
            |schema| schema["nullable"] != true && left_to_the_schema(schema, "nullable"),
            |document, pointer| set(document, pointer, "nullable", json!(true)),
            both("became-nullable", NEW, DECODING),
            both("no-longer-nullable", CALLERS, NEW),
        ),
        gains!("a default comes or changes", On::Property, plain_text, "default": json!("brand new"),
            both("default-changed", BEHAVES, TEXT), both("default-changed", BEHAVES, TEXT)),
        gains!("a field is only for reading", On::Property, always, "readOnly": json!(true),
            both("access-changed", BEHAVES, TEXT), both("access-changed", BEHAVES, TEXT)),
        gains!("a field is only for writing", On::Property, always, "writeOnly": json!(true),
            both("access-changed", BEHAVES, TEXT), both("access-changed", BEHAVES, TEXT)),
        gains!("a field is deprecated", On::Property, |node| node["deprecated"] != true, "deprecated": json!(true),
            both("deprecated", TEXT, TEXT), both("undeprecated", TEXT, TEXT)),
        gains!("a field is described anew", On::Property, always, "description": json!("Something else."),
            both("text-changed", TEXT, TEXT), both("text-changed", TEXT, TEXT)),
        // Structure.
        gains!("an object takes any members", On::Schema, |schema| object(schema)
                && schema.get("additionalProperties").is_none(), "additionalProperties": json!(true),
            both("map-changed", CALLERS, DECODING), both("map-changed", CALLERS, DECODING)),
        gains!("an object takes typed members", On::Schema, |schema| object(schema)
                && schema.get("additionalProperties").is_none(), "additionalProperties": json!({"type": "string"}),
            both("map-changed", CALLERS, DECODING), both("map-changed", CALLERS, DECODING)),
        kind(
            "a struct becomes a map",
            On::Schema,
            |schema| object(schema) && schema.get("additionalProperties").is_none(),
            |document, pointer| {
                remove(document, pointer, "properties");
                set(document, pointer, "additionalProperties", json!({"type": "string"}));
            },
            both("map-changed", CALLERS, DECODING),
            both("map-changed", CALLERS, DECODING),
        ),
        kind(
            "a list says nothing of its elements",
            On::Property,
            list,
            |document, pointer| remove(document, pointer, "items"),
            both("structure-changed", CALLERS, DECODING),
            both("structure-changed", CALLERS, DECODING),
        ),
        gains!("a choice comes", On::Property, text, "oneOf": json!([{"minLength": 1}, {"maxLength": 9}]),
            both("structure-changed", CALLERS, DECODING), both("structure-changed", CALLERS, DECODING)),
        // Facts of fields.
        kind(
            "a text becomes a secret",
            On::Property,
            |node| plain_text(node) && node["x-s1"]["secret"] != true,
            |document, pointer| set_fact(at(document, pointer), "secret", json!(true)),
            both("secret-changed", CALLERS, CALLERS),
            both("secret-changed", CALLERS, CALLERS),
        ),
        kind(
            "a field does not select any more",
            On::Property,
            |node| node["x-s1"]["selects"] != false,
            |document, pointer| set_fact(at(document, pointer), "selects", json!(false)),
            both("selects-changed", BEHAVES, TEXT),
            both("selects-changed", BEHAVES, TEXT),
        ),
    ];
    all.extend(kinds_of_parameters(sent));
    all.extend(kinds_of_bodies(sent, read));
    all.extend(kinds_of_operations(itself));
    all
}

fn kinds_of_parameters(sent: fn(&'static str, Option<Class>) -> Expected) -> Vec<Kind> {
    vec![
        kind(
            "a query parameter goes",
            On::Operation,
            |operation| {
                last_query(operation).is_some_and(|at| operation["parameters"][at]["required"] != true)
            },
            |document, pointer| {
                let operation = at(document, pointer);
                let last = last_query(operation).unwrap();
                operation["parameters"].as_array_mut().unwrap().remove(last);
            },
            sent("parameter-removed", CALLERS),
            sent("parameter-added", NEW),
        ),
        kind(
            "a required query parameter comes",
            On::Operation,
            |operation| operation["parameters"].is_array(),
            |document, pointer| {
                let new = json!({"name": "brandNew", "in": "query", "required": true, "schema": {"type": "string"}});
                at(document, pointer)["parameters"].as_array_mut().unwrap().push(new);
            },
            sent("required-parameter-added", CALLERS),
            sent("parameter-removed", CALLERS),
        ),
        kind(
            "a header parameter comes",
            On::Operation,
            always,
            |document, pointer| {
                let operation = at(document, pointer);
                let new = json!({"name": "X-New", "in": "header", "schema": {"type": "string"}});
                match operation["parameters"].as_array_mut() {
                    Some(all) => all.push(new),
                    None => operation["parameters"] = json!([new]),
                }
            },
            sent("parameter-added", NEW),
            sent("parameter-removed", CALLERS),
        ),
        kind(
            "a query parameter becomes required",
            On::Parameter,
            |node| node["required"] != true && node["in"] == "query",
            |document, pointer| set(document, pointer, "required", json!(true)),
            sent("became-required", CALLERS),
            sent("became-optional", NEW),
        ),
        gains!("a parameter becomes a flag", On::Parameter, integer, "type": json!("boolean"),
            sent("type-changed", CALLERS), sent("type-changed", CALLERS)),
        gains!("a parameter gets a format", On::Parameter, |node| text(node) && node["schema"].get("format").is_none(),
            "format": json!("uuid"), sent("format-changed", CALLERS), sent("format-changed", CALLERS)),
        gains!("a parameter is bounded", On::Parameter, integer, "maximum": json!(-5),
            sent("bound-narrowed", CALLERS), sent("bound-widened", NEW)),
        gains!("a list in the query is bounded", On::Parameter, list, "maxItems": json!(0),
            sent("bound-narrowed", CALLERS), sent("bound-widened", NEW)),
        gains!("a parameter has to fit a pattern", On::Parameter, text, "pattern": json!("^a+$"),
            sent("pattern-added", CALLERS), sent("pattern-removed", NEW)),
        gains!("a parameter becomes an enum", On::Parameter, text, "enum": json!(["a", "b"]),
            sent("enum-imposed", CALLERS), sent("enum-lifted", CALLERS)),
        gains!("a parameter may be null", On::Parameter, |node| text(node) && node["schema"]["nullable"] != true,
            "nullable": json!(true), sent("became-nullable", NEW), sent("no-longer-nullable", CALLERS)),
        gains!("a parameter gets another default", On::Parameter, integer, "default": json!(77_777),
            sent("default-changed", BEHAVES), sent("default-changed", BEHAVES)),
        kind(
            "a list in the query is written in another style",
            On::Parameter,
            |node| list(node) && node["in"] == "query",
            |document, pointer| set(document, pointer, "style", json!("pipeDelimited")),
            sent("style-changed", BEHAVES),
            sent("style-changed", BEHAVES),
        ),
        kind(
            "a list in the query is repeated",
            On::Parameter,
            |node| list(node) && node["in"] == "query",
            |document, pointer| set(document, pointer, "explode", json!(true)),
            sent("explode-changed", BEHAVES),
            sent("explode-changed", BEHAVES),
        ),
        kind(
            "a parameter is deprecated",
            On::Parameter,
            |node| node["deprecated"] != true && node["schema"]["deprecated"] != true,
            |document, pointer| set(document, pointer, "deprecated", json!(true)),
            sent("deprecated", TEXT),
            sent("undeprecated", TEXT),
        ),
        kind(
            "a parameter is described anew",
            On::Parameter,
            always,
            |document, pointer| set(document, pointer, "description", json!("Something else.")),
            sent("text-changed", TEXT),
            sent("text-changed", TEXT),
        ),
        kind(
            "a parameter does not select any more",
            On::Parameter,
            |node| node["in"] == "query" && node["x-s1"]["selects"] != false,
            |document, pointer| set_fact(at(document, pointer), "selects", json!(false)),
            sent("selects-changed", BEHAVES),
            sent("selects-changed", BEHAVES),
        ),
    ]
}

fn kinds_of_bodies(
    sent: fn(&'static str, Option<Class>) -> Expected,
    read: fn(&'static str, Option<Class>) -> Expected,
) -> Vec<Kind> {
    vec![
        kind(
            "a body goes",
            On::Operation,
            |operation| operation["requestBody"]["required"] == true,
            |document, pointer| remove(document, pointer, "requestBody"),
            sent("body-removed", CALLERS),
            sent("required-body-added", CALLERS),
        ),
        kind(
            "a body comes that can be left out",
            On::Operation,
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
            sent("body-added", NEW),
            sent("body-removed", CALLERS),
        ),
        kind(
            "a body becomes optional",
            On::Operation,
            |operation| operation["requestBody"]["required"] == true,
            |document, pointer| set(document, &format!("{pointer}/requestBody"), "required", json!(false)),
            sent("became-optional", NEW),
            sent("became-required", CALLERS),
        ),
        kind(
            "a body is sent as a form",
            On::Operation,
            |operation| operation["requestBody"].is_object(),
            |document, pointer| {
                let content = &mut at(document, pointer)["requestBody"]["content"];
                *content = json!({"multipart/form-data": content["application/json"]});
            },
            sent("media-type-changed", CALLERS),
            sent("media-type-changed", CALLERS),
        ),
        kind(
            "an answer comes as bytes",
            On::Operation,
            |operation| {
                let answer = success(operation).map(|status| &operation["responses"][status]);
                answer.is_some_and(|answer| answer["content"]["application/json"].is_object())
            },
            |document, pointer| {
                let operation = at(document, pointer);
                let status = success(operation).unwrap();
                let bytes = json!({"schema": {"type": "string", "format": "binary"}});
                operation["responses"][status]["content"] = json!({"application/octet-stream": bytes});
            },
            read("media-type-changed", DECODING),
            read("media-type-changed", DECODING),
        ),
        kind(
            "an envelope loses its data",
            On::Operation,
            |operation| {
                let answer = success(operation).map(|status| &operation["responses"][status]);
                answer.is_some_and(|one| {
                    one["content"]["application/json"]["schema"]["properties"]["data"].is_object()
                })
            },
            |document, pointer| {
                let status = success(at(document, pointer)).unwrap();
                let schema =
                    format!("{pointer}/responses/{status}/content/application~1json/schema/properties");
                remove(document, &schema, "data");
            },
            read("field-removed", DECODING),
            read("field-added", NEW),
        ),
        kind(
            "success has another status",
            On::Operation,
            |operation| success(operation).is_some(),
            |document, pointer| {
                let responses = at(document, pointer)["responses"].as_object_mut().unwrap();
                let status = responses.keys().find(|status| status.starts_with('2')).unwrap().clone();
                let answer = responses.remove(&status).unwrap();
                responses.insert("207".into(), answer);
            },
            read("success-status-changed", DECODING),
            read("success-status-changed", DECODING),
        ),
        kind(
            "success has one status more",
            On::Operation,
            |operation| success(operation).is_some(),
            |document, pointer| {
                let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
                let answer = json!({"description": "", "content": {"application/json": {"schema": schema}}});
                set(document, &format!("{pointer}/responses"), "207", answer);
            },
            read("success-status-added", DECODING),
            read("success-status-removed", DECODING),
        ),
        kind(
            "a failure has a status of its own",
            On::Operation,
            |operation| operation["responses"]["418"].is_null(),
            |document, pointer| {
                let answer = at(document, pointer)["responses"]["400"].clone();
                set(document, &format!("{pointer}/responses"), "418", answer);
            },
            read("error-status-added", NEW),
            read("error-status-removed", TEXT),
        ),
    ]
}

fn kinds_of_operations(itself: fn(&'static str, Option<Class>) -> Expected) -> Vec<Kind> {
    macro_rules! fact {
        ($name:literal, $fits:expr, $key:literal: $value:expr, $expected:expr, $back:expr) => {
            kind(
                $name,
                On::Operation,
                $fits,
                |document, pointer| set_fact(at(document, pointer), $key, $value),
                $expected,
                $back,
            )
        };
    }
    vec![
        kind(
            "an operation goes",
            On::Operation,
            always,
            |document, pointer| {
                let (path, method) = split(pointer);
                document["paths"][path].as_object_mut().unwrap().remove(&method).unwrap();
            },
            itself("operation-removed", CALLERS),
            itself("operation-added", NEW),
        ),
        kind(
            "an operation moves to another path",
            On::Operation,
            always,
            |document, pointer| {
                let (path, method) = split(pointer);
                move_to(document, pointer, &format!("/brand-new{path}"), &method);
            },
            itself("operation-moved", BEHAVES),
            itself("operation-moved", BEHAVES),
        ),
        kind(
            "an operation moves to another method",
            On::Operation,
            |operation| operation["x-s1"]["kind"] == "action" && success(operation).is_some(),
            |document, pointer| {
                let (path, method) = split(pointer);
                let taken = document["paths"][&path].as_object().unwrap().clone();
                let free = ["put", "post", "delete", "get"].into_iter().find(|one| !taken.contains_key(*one));
                assert_ne!(free.unwrap(), method);
                move_to(document, pointer, &path, free.unwrap());
            },
            itself("operation-moved", BEHAVES),
            itself("operation-moved", BEHAVES),
        ),
        kind(
            "an operation moves to a path with another parameter",
            On::Operation,
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
            itself("operation-reshaped", CALLERS),
            itself("operation-reshaped", CALLERS),
        ),
        kind(
            "an operation is renamed",
            On::Operation,
            always,
            |document, pointer| set(document, pointer, "operationId", json!("brand_new_name")),
            itself("operation-renamed", CALLERS),
            itself("operation-renamed", CALLERS),
        ),
        kind(
            "a path parameter is renamed",
            On::Operation,
            has_path_parameter,
            |document, pointer| {
                let (path, method) = split(pointer);
                let parameters = at(document, pointer)["parameters"].as_array_mut().unwrap();
                let parameter = parameters.iter_mut().find(|one| one["in"] == "path").unwrap();
                let name = parameter["name"].as_str().unwrap().to_owned();
                parameter["name"] = json!("brand_new");
                move_to(document, pointer, &path.replace(&format!("{{{name}}}"), "{brand_new}"), &method);
            },
            itself("path-parameter-renamed", TEXT),
            itself("path-parameter-renamed", TEXT),
        ),
        kind(
            "an operation asks for another authentication",
            On::Operation,
            always,
            |document, pointer| {
                document["components"]["securitySchemes"]["Other"] =
                    json!({"type": "http", "scheme": "basic"});
                set(document, pointer, "security", json!([{"Other": []}]));
            },
            itself("security-changed", CALLERS),
            itself("security-changed", CALLERS),
        ),
        kind(
            "an operation asks for no authentication",
            On::Operation,
            |operation| operation.get("security").is_none(),
            |document, pointer| set(document, pointer, "security", json!([])),
            itself("security-removed", BEHAVES),
            itself("security-added", CALLERS),
        ),
        fact!("an operation leaves a version", |one| one["x-s1"]["versions"] == json!(["2.0", "2.1"]),
            "versions": json!(["2.1"]), itself("version-removed", CALLERS), itself("version-added", NEW)),
        fact!("a filter becomes mandatory", |one| !mandatory(one), "filter": json!("mandatory"),
            itself("filter-mandatory", CALLERS), itself("filter-changed", BEHAVES)),
        fact!("an operation loses its filter", |one| one["x-s1"]["filter"] == "optional", "filter": json!("none"),
            itself("filter-changed", BEHAVES), itself("filter-changed", BEHAVES)),
        fact!("a read becomes an action", |one| one["x-s1"]["kind"] == "read", "kind": json!("action"),
            itself("kind-changed", BEHAVES), itself("kind-changed", BEHAVES)),
        fact!("a second call does more", |one| one["x-s1"]["idempotent"] == true, "idempotent": json!(false),
            itself("idempotence-changed", BEHAVES), itself("idempotence-changed", BEHAVES)),
        fact!("an operation becomes destructive", |one| one["x-s1"]["destructive"] == false,
            "destructive": json!(true), itself("destructiveness-changed", BEHAVES),
            itself("destructiveness-changed", BEHAVES)),
        fact!("an operation gets a rate", always,
            "rate": json!({"class": "new", "perSecond": 0.5, "burst": 3, "source": "inference"}),
            itself("rate-changed", BEHAVES), itself("rate-changed", BEHAVES)),
        fact!("an operation needs another permission", always, "permission": json!("Brand new"),
            itself("permission-changed", BEHAVES), itself("permission-changed", BEHAVES)),
        fact!("a list is not paged any more", |one| one["x-s1"]["paging"] == "cursor", "paging": json!("none"),
            itself("paging-changed", CALLERS), itself("paging-changed", CALLERS)),
        fact!("a list stands in another member", always, "items": json!("brandNew"),
            itself("list-member-changed", CALLERS), itself("list-member-changed", CALLERS)),
        kind(
            "an operation is deprecated",
            On::Operation,
            |operation| operation["deprecated"] != true,
            |document, pointer| set(document, pointer, "deprecated", json!(true)),
            itself("deprecated", TEXT),
            itself("undeprecated", TEXT),
        ),
        kind(
            "an operation is described anew",
            On::Operation,
            always,
            |document, pointer| set(document, pointer, "description", json!("Something else.")),
            itself("text-changed", TEXT),
            itself("text-changed", TEXT),
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

/// Whether everybody who refers to a schema leaves a fact to it.
fn left_to_the_schema(schema: &Value, key: &str) -> bool {
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

/// The last query parameter that the operation declares itself; what a filter brings along is a field of that.
fn last_query(operation: &Value) -> Option<usize> {
    let filter = operation.pointer("/x-s1/query").and_then(Value::as_str).unwrap_or_default();
    let brought = &document()["components"]["schemas"][filter]["properties"];
    let own = |one: &Value| brought.get(one["name"].as_str().unwrap_or_default()).is_none();
    operation["parameters"].as_array()?.iter().rposition(|one| one["in"] == "query" && own(one))
}

/// The nodes of a kind, with who reaches them: pointers of operations that send, and of those that read.
fn candidates(kind: &Kind) -> Vec<(String, [Vec<String>; 2])> {
    let mut found = Vec::new();
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let by = |name: &str| {
        [0, 1].map(|direction| {
            let all = reach().iter().filter(|(_, both)| both[direction].contains(name));
            all.map(|(pointer, _)| pointer.clone()).collect::<Vec<_>>()
        })
    };
    match kind.on {
        On::Schema => {
            for (name, schema) in schemas.iter().filter(|(_, schema)| (kind.fits)(schema)) {
                let _ = schema;
                found.push((format!("/components/schemas/{name}"), by(name)));
            }
        }
        On::Property => {
            for (name, schema) in schemas {
                for (property, node) in schema["properties"].as_object().into_iter().flatten() {
                    if (kind.fits)(node) {
                        found.push((format!("/components/schemas/{name}/properties/{property}"), by(name)));
                    }
                }
            }
        }
        On::Parameter => {
            for (pointer, _, node) in operations(document()) {
                for (at, one) in node["parameters"].as_array().into_iter().flatten().enumerate() {
                    if (kind.fits)(one) {
                        let reached = [vec![pointer.clone()], Vec::new()];
                        found.push((format!("{pointer}/parameters/{at}"), reached));
                    }
                }
            }
        }
        On::Operation => {
            for (pointer, _, node) in operations(document()) {
                if (kind.fits)(node) {
                    found.push((pointer.clone(), [vec![pointer.clone()], vec![pointer]]));
                }
            }
        }
    }
    found.retain(|(_, [send, read])| !send.is_empty() || !read.is_empty());
    found
}

/// Some of them, spread over the document, others for every kind.
fn some<T>(name: &str, mut all: Vec<T>) -> Vec<T> {
    let seed = name.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let count = all.len().min(PLACES);
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

/// What is expected in each direction: rule, class, commands.
fn expectation(
    kind: &Kind,
    (rule, classes): Expected,
    read_rule: Option<&'static str>,
    [send, read]: &[Vec<String>; 2],
) -> BTreeMap<Direction, (&'static str, Class, BTreeSet<String>)> {
    let mut expected = BTreeMap::new();
    let reached = if kind.on == On::Operation { [send, send, send] } else { [send, read, send] };
    let directions = [Direction::Send, Direction::Read, Direction::Operation];
    for ((direction, class), pointers) in directions.into_iter().zip(classes).zip(reached) {
        let Some(class) = class.filter(|_| !pointers.is_empty()) else { continue };
        let rule = read_rule.filter(|_| direction == Direction::Read).unwrap_or(rule);
        expected.insert(direction, (rule, class, commands(pointers)));
    }
    expected
}

fn check(
    what: &str,
    findings: &[Finding],
    expected: &BTreeMap<Direction, (&'static str, Class, BTreeSet<String>)>,
    with_commands: bool,
) {
    let shown = || serde_json::to_string_pretty(findings).unwrap();
    assert_eq!(findings.len(), expected.len(), "{what}: {expected:?}\n{}", shown());
    for finding in findings {
        let Some((rule, class, commands)) = expected.get(&finding.direction) else {
            panic!("{what}: nothing of {:?}\n{}", finding.direction, shown());
        };
        assert_eq!(finding.rule.name(), *rule, "{what}\n{}", shown());
        assert_eq!(finding.class, *class, "{what}\n{}", shown());
        if with_commands {
            let found: BTreeSet<String> = finding.commands.iter().cloned().collect();
            assert_eq!(found, *commands, "{what}\n{}", shown());
            assert!(!finding.rust.is_empty(), "{what}: no Rust item\n{}", shown());
        }
        assert!(!finding.operations.is_empty() && !finding.message.is_empty(), "{what}\n{}", shown());
    }
}

/// Makes a kind of change at some places; gives how often, and the rules that were seen.
fn tried(kind: &Kind) -> (usize, BTreeSet<Rule>) {
    let mut rules = BTreeSet::new();
    let unknown = Atlas::default();
    let places = some(kind.name, candidates(kind));
    assert!(!places.is_empty(), "{}: there is no place for it", kind.name);
    for (pointer, reached) in &places {
        let what = format!("{} at {pointer}", kind.name);
        let mut document = document().clone();
        let node = document.pointer(pointer).unwrap().clone();
        (kind.before)(at(&mut document, pointer));
        let prepared = (document.pointer(pointer) != Some(&node)).then(|| Surface::of(&document));
        let old = prepared.as_ref().unwrap_or_else(|| untouched());
        (kind.change)(&mut document, pointer);
        let new = Surface::of(&document);

        let expected = expectation(kind, kind.expected, kind.read_rule, reached);
        assert!(!expected.is_empty(), "{what}: reached by nobody");
        let there = diff::compare(old, &new, atlas());
        check(&what, &there, &expected, true);
        let back = expectation(kind, kind.back, None, reached);
        let again = diff::compare(&new, old, atlas());
        check(&format!("{what}, the other way round"), &again, &back, true);
        // By what the documents say alone.
        check(&format!("{what}, without an atlas"), &diff::compare(old, &new, &unknown), &expected, false);

        for finding in &there {
            let mirrored = again.iter().find(|other| other.direction == finding.direction).unwrap();
            assert!(finding.rule.mirror().contains(&mirrored.rule), "{what}: {:?}", mirrored.rule);
            assert!(mirrored.rule.mirror().contains(&finding.rule), "{what}: {:?}", finding.rule);
            rules.extend([finding.rule, mirrored.rule]);
        }
        assert!(diff::compare(&new, &new, atlas()).is_empty(), "{what}: differs from itself");
    }
    (places.len(), rules)
}

#[test]
fn every_kind_of_change_is_found_once_where_it_is() {
    let kinds = kinds();
    let half = kinds.len().div_ceil(2);
    let (mut changes, mut rules) = (0, BTreeSet::new());
    std::thread::scope(|scope| {
        let parts: Vec<_> = kinds
            .chunks(half)
            .map(|part| scope.spawn(move || part.iter().map(tried).collect::<Vec<_>>()))
            .collect();
        for part in parts {
            for (count, seen) in part.join().unwrap() {
                changes += count;
                rules.extend(seen);
            }
        }
    });
    println!("{} kinds of change, {changes} changes:", kinds.len());
    for kind in &kinds {
        println!("  {}", kind.name);
    }
    assert!(kinds.len() >= 80, "{}", kinds.len());
    let names: BTreeSet<&str> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kinds.len(), "a name is there twice");
    // The one that is left has its own test.
    let unseen: Vec<Rule> = Rule::ALL.iter().copied().filter(|rule| !rules.contains(rule)).collect();
    assert_eq!(unseen, [Rule::OperationRelabelled]);
}

/// A filter is written out as the parameters of a list by the bundle, so that this starts from the files.
#[test]
fn what_a_filter_gains_is_one_change_for_bodies_and_queries() {
    let mut sources = Sources::read(&root().join("spec")).unwrap();
    let before = Surface::of(&sources.bundle().unwrap().document);
    let field = json!({ "type": "boolean", "description": "D." });
    let at = "/components/schemas/AgentFilter/properties";
    sources.put("agents.yaml", at, "isWanted", &field).unwrap();
    let after = Surface::of(&sources.bundle().unwrap().document);
    for (old, new, rule) in [(&before, &after, "field-added"), (&after, &before, "field-removed")] {
        let findings = diff::compare(old, new, atlas());
        assert_eq!(findings.len(), 1, "{findings:#?}");
        let one = &findings[0];
        assert_eq!((one.rule.name(), one.owner.as_str()), (rule, "AgentFilter.isWanted"));
        let reached: BTreeSet<&str> = one.operations.iter().map(|one| one.operation.as_str()).collect();
        assert!(reached.contains("agents_list") && reached.contains("agents_shutdown"), "{reached:?}");
    }
}

#[test]
fn a_document_does_not_differ_from_itself() {
    let surface = Surface::of(document());
    assert_eq!(diff::compare(&surface, &surface.clone(), atlas()), []);
}

#[test]
fn the_table_mirrors_itself_and_knows_every_direction() {
    for rule in Rule::ALL {
        for other in rule.mirror() {
            assert!(other.mirror().contains(rule), "{} and {}", rule.name(), other.name());
        }
        let classes: Vec<Class> = [Direction::Send, Direction::Read, Direction::Operation]
            .into_iter()
            .filter_map(|direction| rule.class(direction))
            .collect();
        assert!(!classes.is_empty(), "{} never occurs", rule.name());
        assert!(rule.reason().ends_with('.'), "{} has no reason", rule.name());
        let kebab = rule.name().chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(kebab, "{}", rule.name());
    }
}

/// A document of others: no facts of ours, identifiers that no function is named after, inline schemas.
fn of_others(id: &str, limit: u32) -> Surface {
    let answer = json!({"type": "object", "properties": {
        "data": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }});
    Surface::of(&json!({
        "openapi": "3.0.3",
        "paths": {
            "/web/api/v2.1/groups": {"get": {
                "operationId": id,
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": limit}},
                ],
                "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
            }},
            "/web/api/v2.1/nowhere": {"get": {"operationId": "nowhere", "responses": {}}},
        },
    }))
}

#[test]
fn what_others_publish_is_told_with_our_names() {
    let (old, new) = (of_others("_groups_get", 1000), of_others("groups_v2", 500));
    let findings = diff::compare(&old, &new, atlas());
    let [narrowed, relabelled] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((narrowed.rule, narrowed.class), (Rule::BoundNarrowed, Class::BreaksCallers));
    assert_eq!(narrowed.operations[0].operation, "groups_list");
    assert_eq!(narrowed.rust, ["sentinelone::raw::groups::GroupsListQuery::limit"]);
    assert_eq!(narrowed.commands, ["all-groups", "only-groups_list"]);
    assert_eq!((relabelled.rule, relabelled.class), (Rule::OperationRelabelled, Class::TextOnly));
    assert_eq!(relabelled.rust, ["sentinelone::raw::groups::list"]);

    // A value and a field that are new there are named as they are, and would be.
    let mut more = of_others("_groups_get", 1000);
    let key = more.operations.keys().next().unwrap().clone();
    let places = &mut more.operations.get_mut(&key).unwrap().places;
    let field = places["response.200.data[].name"].clone();
    places.insert("response.200.data[].brandNew".into(), field);
    let findings = diff::compare(&of_others("_groups_get", 1000), &more, atlas());
    let [added] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!(added.owner, "Group.brandNew", "the curated schema owns it");
    assert_eq!(added.rust, ["sentinelone::raw::groups::Group::brand_new"]);

    // What nobody uses is left out on demand.
    let (mut old, mut new) = (of_others("_groups_get", 1000), of_others("_groups_get", 500));
    new.operations.retain(|key, _| key.path == "/groups");
    assert_eq!(diff::compare(&old, &new, atlas()).len(), 2);
    diff::only_used(&mut old, &mut new, atlas());
    let findings = diff::compare(&old, &new, atlas());
    assert_eq!(findings.iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::BoundNarrowed]);
}

/// Every place of every operation leads to an item that the generated crate has.
#[test]
fn rust_items_are_there() {
    let mut texts = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("generated/src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            texts.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    let (mut items, mut places) = (BTreeSet::new(), 0);
    for key in atlas().keys() {
        items.insert(atlas().function(key).unwrap().to_owned());
        for (place, node) in atlas().places(key) {
            places += 1;
            items.insert(atlas().item(key, place).unwrap_or_else(|| panic!("{key} {place}")));
            items.extend(atlas().type_item(key, place));
            if let Some(values) = node.facts.get("enum").and_then(Value::as_array) {
                let variants = atlas().values(key, place, values);
                assert_eq!(variants.len(), values.len(), "{key} {place}: {variants:?}");
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
                let there = [format!("pub struct {ty} {{"), format!("pub enum {ty} {{")];
                assert!(there.iter().any(|start| text.contains(start)), "{item}");
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
    println!("{places} places: {fields} fields, {functions} functions, {variants} variants, {types} types");
    assert!(places > 5000 && fields > 1000 && functions == 70 && variants > 200 && types > 50, "{items:?}");
}

/// Two editions of something small, with a change of each class.
fn small() -> Vec<Finding> {
    let edition = |new: bool| {
        let mut thing = json!({"type": "object", "properties": {
            "name": {"type": "string", "description": "A <name>."},
            "kind": {"$ref": "#/components/schemas/Kind"},
            "size": {"type": "integer", "format": "int32"},
        }});
        let mut kinds = json!(["a|b", "c"]);
        let mut limit = json!({"type": "integer", "minimum": 1});
        if new {
            thing["properties"].as_object_mut().unwrap().remove("size");
            thing["properties"]["name"]["description"] = json!("A <script>alert(1)</script> name.");
            kinds = json!(["a|b", "c", "d_e", "<f>"]);
            limit["maximum"] = json!(50);
        }
        let list = json!({
            "operationId": "things_list",
            "parameters": [{"name": "limit", "in": "query", "schema": limit}],
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
            "x-s1": {"kind": "read", "versions": ["2.1"]},
        });
        let mut get = list.clone();
        get["operationId"] = json!("things_get");
        let mut paths = json!({"/things": {"get": list}, "/things/{id}": {"get": get}});
        if new {
            paths["/others"] = json!({"get": {"operationId": "others_list", "responses": {}}});
        } else {
            paths["/old"] = json!({"delete": {"operationId": "old_delete", "responses": {}}});
        }
        let schemas = json!({"Thing": thing, "Kind": {"type": "string", "enum": kinds}});
        Surface::of(&json!({"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}))
    };
    let id = |id: &str, command: &str| (id.to_owned(), BTreeSet::from([command.to_owned()]));
    let commands = Commands::from([id("things_list", "list-things"), id("old_delete", "delete-old")]);
    diff::compare(&edition(false), &edition(true), &Atlas::new(commands))
}

#[test]
fn findings_are_shown_in_four_forms() {
    let findings = small();
    let comparison = Comparison { old: "v1:spec", new: "spec", findings: &findings };
    assert!(comparison.breaks());
    insta::assert_snapshot!("text", render::text(&comparison));
    insta::assert_snapshot!("markdown", render::markdown(&comparison));
    insta::assert_snapshot!("json", render::json(&comparison));
    let html = render::html(&comparison);
    let body = html.find("<header>").unwrap()..html.find("</main>").unwrap();
    insta::assert_snapshot!("html", &html[body]);
    // What the documents say is no markup.
    assert!(!html.contains("<script>alert") && !html.contains("<f>"));
    assert!(html.contains("&lt;script&gt;alert"));
    for elsewhere in ["src=", "@import", "url(", "http://", "https://"] {
        assert!(!html.contains(elsewhere), "the page needs no network: {elsewhere}");
    }
    let nothing = Comparison { findings: &[], ..comparison };
    assert!(!nothing.breaks());
    assert_eq!(render::markdown(&nothing).lines().last(), Some("Nothing changed."));
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let many: Vec<Finding> = (0..150)
        .map(|at| {
            let mut finding = small().remove(0);
            finding.operations[0].operation = format!("things_{at}");
            finding.commands = (0..9).map(|command| format!("command-{command}")).collect();
            finding
        })
        .collect();
    let comparison = Comparison { old: "a", new: "b", findings: &many };
    let text = render::text(&comparison);
    assert!(
        text.contains("command-5 and 3 more") && text.contains("and 50 more; --format json has all"),
        "{text}"
    );
    assert_eq!(text.matches("    - ").count(), 100);
    let markdown = render::markdown(&comparison);
    assert!(markdown.contains("<details>") && markdown.contains("\nand 50 more\n"));
    let json: Value = serde_json::from_str(&render::json(&comparison)).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 150);
}

#[test]
fn notes_of_a_release_say_what_the_findings_say() {
    let findings = small();
    let release = Release { version: [0, 1, 0], since: "v0.1.0", findings: &findings, verdicts: None };
    insta::assert_snapshot!("release", release.notes());

    let only = |class: Class| -> Vec<Finding> {
        findings.iter().filter(|finding| finding.class == class).cloned().collect()
    };
    for (class, version, next) in [
        (Class::BreaksCallers, [0, 4, 2], [0, 5, 0]),
        (Class::BreaksDecoding, [0, 0, 2], [0, 0, 3]),
        (Class::BehavesDifferently, [0, 4, 2], [0, 4, 3]),
        (Class::New, [0, 4, 2], [0, 4, 3]),
        (Class::BreaksDecoding, [1, 4, 2], [2, 0, 0]),
        (Class::New, [1, 4, 2], [1, 5, 0]),
        (Class::TextOnly, [1, 4, 2], [1, 4, 3]),
    ] {
        let findings = only(class);
        assert!(!findings.is_empty(), "{class:?}");
        assert_eq!(Step::of(&findings).next(version), next, "{class:?} after {version:?}");
    }
    assert_eq!(Step::of(&[]).next([1, 4, 2]), [1, 4, 2]);

    // The code may have changed where the specification did not.
    let told = "     Summary semver requires new major version: 2 major and 0 minor checks failed\n";
    let verdict = |done, output| Verdict::read("sentinelone", done, output);
    let code = Release {
        findings: &[],
        verdicts: Some(vec![verdict(false, told), verdict(true, "     Summary no semver update required\n")]),
        ..release.clone()
    };
    assert_eq!(code.step(), Step::Breaking);
    assert!(code.notes().starts_with("minor release: 0.1.0 -> 0.2.0"), "{}", code.notes());
    let unknown = verdict(false, "error: no such revision\n");
    assert_eq!(unknown.step, None);
    let unknown = Release { findings: &[], verdicts: Some(vec![unknown]), ..release };
    assert!(unknown.notes().contains("error: no such revision (could not tell)"), "{}", unknown.notes());

    assert_eq!(release::version("1.20.3").unwrap(), [1, 20, 3]);
    for wrong in ["1.2", "1.2.x", "1.2.3.4", ""] {
        assert!(release::version(wrong).is_err(), "{wrong}");
    }
}
