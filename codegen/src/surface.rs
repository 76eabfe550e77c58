//! What a document says of each operation, place by place, whatever its schemas are called.
//!
//! Two documents of the same API cut it into schemas in different ways. What can be compared is what an
//! operation sends and reads: every parameter, every field of a body, every field of an answer, each with its
//! facts. A place is written as the contract writes it, with `[]` for any element and `{}` for any value of a
//! map: `request.query.limit`, `request.body.filter.ids[]`, `response.200.data[].id`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};

use crate::bundle::{METHODS, members, query_parameter};
use crate::document::Writer;
use crate::facts;

/// The facts of a node, by keyword.
pub type Facts = BTreeMap<&'static str, Value>;

/// All operations of a document.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    /// By method and path.
    pub operations: BTreeMap<Key, OperationSurface>,
}

/// An operation, however its path parameters are called and whichever prefix its path has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Path without the prefix of version 2.1, with `{}` for every parameter.
    pub path: String,
    /// Method in lower case.
    pub method: String,
}

impl Key {
    /// The key of a method and a path, as either document writes it.
    pub fn new(method: &str, path: &str) -> Self {
        let path = ["/web/api/v2.1", "/web/api"]
            .iter()
            .find_map(|prefix| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')))
            .unwrap_or(path);
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

/// What an operation sends and reads.
#[derive(Clone, Debug, Default)]
pub struct OperationSurface {
    /// Its identifier in the document.
    pub id: String,
    /// Its path as the document writes it.
    pub path: String,
    /// What holds for the operation as a whole: `security`, `deprecated`, texts, and the members of `x-s1` that a
    /// caller can tell.
    pub facts: Facts,
    /// Everything that it sends and reads, by place.
    pub places: BTreeMap<String, Node>,
}

/// A place of an operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// What is said of it.
    pub facts: Facts,
    /// Where it stands.
    pub site: Spot,
    /// Where its type stands: elsewhere, if the site refers to a schema of its own.
    pub target: Spot,
    /// Facts of [`OF_THE_SITE`] that the site leaves to the schema that it refers to.
    pub inherited: BTreeSet<&'static str>,
    /// Whether evidence stands at the field itself, because it departs from the vendor's document.
    pub evidence: bool,
    /// What the document says it does not know here, by extension.
    pub marks: BTreeSet<&'static str>,
}

/// A spot of the document: below a named schema, or in the operation itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The schema, if it stands in one.
    pub schema: Option<String>,
    /// The way from there, in the form of a place; empty for the schema itself.
    pub path: String,
}

/// Facts that belong to the site of a reference rather than to the schema that it refers to.
pub const OF_THE_SITE: [&str; 8] =
    ["required", "nullable", "description", "deprecated", "secret", "selects", "style", "explode"];

impl Node {
    /// Where a fact stands.
    pub fn spot(&self, fact: &str) -> &Spot {
        if self.stands_at_site(fact) { &self.site } else { &self.target }
    }

    /// Whether a fact stands at the site, and not in the schema that it refers to.
    pub fn stands_at_site(&self, fact: &str) -> bool {
        OF_THE_SITE.contains(&fact) && !self.inherited.contains(fact)
    }

    /// Puts a fact of the site in, whatever the schema says.
    fn put(&mut self, fact: &'static str, value: Value) {
        self.facts.insert(fact, value);
        self.inherited.remove(fact);
    }
}

/// Keywords of a schema that are taken over as they are.
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

/// Keywords that are there or not.
const FLAGS: [&str; 4] = ["nullable", "readOnly", "writeOnly", "deprecated"];

/// How deep a place may lie; what lies deeper is cut off, as what holds itself is.
const DEEPEST: usize = 100;

/// Extensions by which a document says that something is lost.
const MARKS: [&str; 4] = ["x-enum-lost", "x-number-kind", "x-object-or-any", "x-default"];

/// Facts of an operation that a caller can tell, in `x-s1`.
const OF_AN_OPERATION: [&str; 8] =
    ["versions", "permission", "kind", "idempotent", "destructive", "filter", "paging", "items"];

impl Surface {
    /// Reads a document of OpenAPI 3.0 whose references point at its own components.
    pub fn of(document: &Value) -> Self {
        let mut operations = BTreeMap::new();
        for (path, item) in members(document, "/paths") {
            for method in METHODS.into_iter().chain(["patch", "head", "options"]) {
                let Some(node) = item.get(method) else { continue };
                let mut walk = Walk { document, places: BTreeMap::new() };
                walk.operation(item, node);
                let surface = OperationSurface {
                    id: node["operationId"].as_str().unwrap_or_default().to_owned(),
                    path: path.clone(),
                    facts: operation_facts(document, node),
                    places: walk.places,
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
            facts.insert(key, json!(words(text)));
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
    for key in OF_AN_OPERATION {
        if let Some(value) = node[facts::KEY].get(key).filter(|value| !value.is_null()) {
            facts.insert(key, value.clone());
        }
    }
    let rate = &node[facts::KEY]["rate"];
    if rate.is_object() {
        facts.insert("rate", json!([rate["class"], rate["perSecond"], rate["burst"]]));
    }
    facts
}

struct Walk<'a> {
    document: &'a Value,
    places: BTreeMap<String, Node>,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, item: &'a Value, node: &'a Value) {
        let query = node.pointer("/x-s1/query").and_then(Value::as_str);
        let filter = query.and_then(|name| self.document["components"]["schemas"].get(name));
        let shared = item["parameters"].as_array().into_iter().flatten();
        for parameter in shared.chain(node["parameters"].as_array().into_iter().flatten()) {
            let parameter = self.resolve(parameter);
            let (Some(place), Some(name)) = (parameter["in"].as_str(), parameter["name"].as_str()) else {
                continue;
            };
            let at = format!("request.{place}.{name}");
            // Written out from a filter by the bundle: it stands there and not in the operation.
            let owner = filter
                .and_then(|filter| filter["properties"].get(name))
                .is_some_and(|property| query_parameter(name, property) == *parameter);
            let spot = match query.filter(|_| owner) {
                Some(schema) => Spot { schema: Some(schema.to_owned()), path: name.to_owned() },
                None => Spot { schema: None, path: at.clone() },
            };
            let required = parameter["required"] == true;
            self.schema(&parameter["schema"], &at, &spot, required, &mut Vec::new());
            if let Some(node) = self.places.get_mut(&at) {
                for flag in ["deprecated"] {
                    if parameter[flag] == true {
                        node.put(flag, json!(true));
                    }
                }
                if let Some(text) = parameter["description"].as_str() {
                    node.put("description", json!(words(text)));
                }
                if node.facts.get("type") == Some(&json!("array")) {
                    for key in ["style", "explode"] {
                        if let Some(value) = parameter.get(key) {
                            node.put(key, value.clone());
                        }
                    }
                }
                property_facts(parameter, &mut node.facts);
                node.evidence |= departs(parameter);
                node.marks.extend(MARKS.into_iter().filter(|mark| parameter.get(*mark).is_some()));
            }
        }
        let body = self.resolve(&node["requestBody"]);
        if let Some((media, schema)) = content(body) {
            let spot = Spot { schema: None, path: "request.body".into() };
            self.schema(schema, "request.body", &spot, body["required"] == true, &mut Vec::new());
            if let Some(node) = self.places.get_mut("request.body") {
                node.facts.insert("media", json!(media));
            }
        }
        for (status, answer) in members(&node["responses"], "") {
            let answer = self.resolve(answer);
            let at = format!("response.{status}");
            let spot = Spot { schema: None, path: at.clone() };
            match content(answer) {
                Some((media, schema)) => {
                    self.schema(schema, &at, &spot, false, &mut Vec::new());
                    if let Some(node) = self.places.get_mut(&at) {
                        node.facts.insert("media", json!(media));
                        node.facts.remove("description");
                    }
                }
                None => {
                    self.places.insert(at, Node { site: spot.clone(), target: spot, ..Node::default() });
                }
            }
        }
    }

    /// The node that a reference leads to, or the node itself.
    fn resolve(&self, node: &'a Value) -> &'a Value {
        let target = node["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(node)
    }

    /// Follows a schema; `seen` are the named schemas on the way.
    fn schema(&mut self, node: &'a Value, at: &str, site: &Spot, required: bool, seen: &mut Vec<&'a str>) {
        let mut facts = Facts::new();
        let mut target = site.clone();
        let mut schema = node;
        let before = seen.len();
        let mut again = false;
        let (mut evidence, mut marks) = (false, BTreeSet::new());
        let mut parts: Vec<&'a Value> = Vec::new();
        let mut inherited = BTreeSet::new();
        loop {
            let said: BTreeSet<&'static str> = facts.keys().copied().collect();
            take(schema, &mut facts);
            if target != *site {
                inherited.extend(facts.keys().filter(|key| !said.contains(*key)));
            }
            // Evidence of an object is about the object, not about the field that holds it.
            let plain = std::ptr::eq(schema, node) || schema.get("properties").is_none();
            evidence |= plain && departs(schema);
            marks.extend(MARKS.into_iter().filter(|mark| schema.get(*mark).is_some()));
            let next = match schema["allOf"].as_array().map(Vec::as_slice) {
                Some([one]) => Some(one),
                Some(several) => {
                    several.iter().for_each(|part| self.flat(part, &mut parts, 0));
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
            target = Spot { schema: Some(name.to_owned()), path: String::new() };
            if seen.contains(&name) || seen.len() > DEEPEST {
                facts.insert("recursive", json!(name));
                again = true;
                break;
            }
            seen.push(name);
            schema = found;
        }
        if required {
            facts.insert("required", json!(true));
        }
        let composed = ["oneOf", "anyOf", "not", "discriminator"];
        let composed: Map<String, Value> = composed
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), self.whole(schema.get(*key)?))))
            .collect();
        if !composed.is_empty() {
            facts.insert("composed", Value::Object(composed));
        }
        match &schema["additionalProperties"] {
            Value::Bool(free) => drop(facts.insert("additionalProperties", json!(free))),
            Value::Object(map) if map.is_empty() => drop(facts.insert("additionalProperties", json!(true))),
            _ => {}
        }
        let node = Node { facts, site: site.clone(), target: target.clone(), inherited, evidence, marks };
        self.places.insert(at.to_owned(), node);
        if !again && at.bytes().filter(|byte| matches!(byte, b'.' | b'[' | b'{')).count() < DEEPEST {
            let all = || std::iter::once(schema).chain(parts.iter().copied());
            let required = all().flat_map(|part| part["required"].as_array().into_iter().flatten());
            let needed: BTreeSet<&str> = required.filter_map(Value::as_str).collect();
            for part in all() {
                if let Some(node) = self.places.get_mut(at) {
                    take(part, &mut node.facts);
                }
                self.below(part, at, &target, &needed, seen);
            }
        }
        seen.truncate(before);
    }

    /// The parts that a schema is put together from, in one list.
    fn flat(&self, part: &'a Value, parts: &mut Vec<&'a Value>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let part = self.resolve(part);
        parts.push(part);
        for inner in part["allOf"].as_array().into_iter().flatten() {
            self.flat(inner, parts, depth + 1);
        }
    }

    /// A choice between schemas, with its references written out: it is compared as one fact.
    fn whole(&self, node: &Value) -> Value {
        let mut writer = Writer::new(self.document);
        writer.written_out(node)
    }

    fn below(
        &mut self,
        schema: &'a Value,
        at: &str,
        target: &Spot,
        needed: &BTreeSet<&str>,
        seen: &mut Vec<&'a str>,
    ) {
        let step = |more: &str| {
            let dot = if target.path.is_empty() && target.schema.is_some() { "" } else { "." };
            let path = match more.strip_prefix('.') {
                Some(name) => format!("{}{dot}{name}", target.path),
                None => format!("{}{more}", target.path),
            };
            Spot { schema: target.schema.clone(), path }
        };
        for (name, property) in members(schema, "/properties") {
            let required = needed.contains(name.as_str());
            self.schema(property, &format!("{at}.{name}"), &step(&format!(".{name}")), required, seen);
        }
        if schema["items"].is_object() {
            self.schema(&schema["items"], &format!("{at}[]"), &step("[]"), false, seen);
        }
        if schema["additionalProperties"].as_object().is_some_and(|map| !map.is_empty()) {
            let values = &schema["additionalProperties"];
            self.schema(values, &format!("{at}{{}}"), &step("{}"), false, seen);
        }
    }
}

/// The media type and the schema of a body: JSON where there is a choice.
fn content(node: &Value) -> Option<(&str, &Value)> {
    let content = node["content"].as_object()?;
    let (media, body) = content.get_key_value("application/json").or_else(|| content.iter().next())?;
    Some((media, &body["schema"]))
}

/// Takes over what a node says and no node before it on the way has said.
fn take(schema: &Value, facts: &mut Facts) {
    for key in KEYWORDS {
        if let Some(value) = schema.get(key).filter(|value| !value.is_null()) {
            let value = match key {
                "description" | "title" => json!(words(value.as_str().unwrap_or_default())),
                _ => value.clone(),
            };
            facts.entry(key).or_insert(value);
        }
    }
    for key in FLAGS {
        if schema[key] == true {
            facts.entry(key).or_insert(json!(true));
        }
    }
    property_facts(schema, facts);
}

fn property_facts(node: &Value, facts: &mut Facts) {
    let own = &node[facts::KEY];
    if own["secret"] == true {
        facts.entry("secret").or_insert(json!(true));
    }
    if own["selects"] == false {
        facts.entry("selects").or_insert(json!(false));
    }
}

fn departs(node: &Value) -> bool {
    node[facts::KEY]["evidence"].as_array().is_some_and(|all| !all.is_empty())
}

/// A text in one line.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A map as an object, for output.
pub fn object(facts: &Facts) -> Value {
    Value::Object(
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>(),
    )
}
