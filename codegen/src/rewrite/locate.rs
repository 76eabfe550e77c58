//! Where in the files a place of an operation stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::bundle::{METHODS, ROOT, members};
use crate::sources::{Sources, join};
use crate::surface::Key;

/// A node of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The file's name.
    pub file: String,
    /// The JSON pointer in it.
    pub pointer: String,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spec/{}#{}", self.file, self.pointer)
    }
}

impl At {
    pub(super) fn below(&self, name: &str) -> Self {
        Self { file: self.file.clone(), pointer: join(&self.pointer, name) }
    }

    /// The name of the schema that stands here or around here.
    pub fn schema_name(&self) -> Option<&str> {
        let rest = self.pointer.strip_prefix("/components/schemas/")?;
        Some(rest.split('/').next().unwrap_or(rest))
    }

    /// Whether a named schema stands here.
    pub(super) fn is_schema(&self) -> bool {
        self.pointer.strip_prefix("/components/schemas/").is_some_and(|rest| !rest.contains('/'))
    }
}

/// A query or path parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its element in the operation's list.
    pub element: At,
    /// The parameter itself: elsewhere, if the element refers to a shared one.
    pub node: At,
}

/// Where a place stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The schema, or the reference to one.
    pub site: At,
    /// The schema that is referred to in the end.
    pub target: At,
    /// The parameter, if the place is one that stands in a list of parameters.
    pub parameter: Option<Parameter>,
    /// The object whose property it is.
    pub owner: Option<At>,
    /// The schema comes a second time on the way here, and nothing was read below.
    pub again: bool,
}

/// All places of all operations.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Operations and places that the document has no say about.
    pub(super) silent: Silent,
    /// By operation and place.
    pub operations: BTreeMap<Key, BTreeMap<String, Located>>,
    /// The operations' nodes.
    pub nodes: BTreeMap<Key, At>,
    /// The schema whose properties are query parameters of the operation, too.
    pub queries: BTreeMap<Key, At>,
    /// All places that a node of a file is reached from.
    pub reached: BTreeMap<At, BTreeSet<(Key, String)>>,
}

/// What a document has no say about, so that it cannot ask for a change there: operations that it does not have, and
/// places where evidence says otherwise. What they share with others may grow with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silent {
    /// Whole operations.
    pub operations: BTreeSet<Key>,
    /// Places of others.
    pub places: BTreeSet<(Key, String)>,
}

impl Silent {
    /// Whether a place is among them.
    pub(super) fn has(&self, user: &(Key, String)) -> bool {
        self.operations.contains(&user.0) || self.places.contains(user)
    }
}

impl Map {
    /// Finds everything.
    pub fn of(sources: &Sources) -> Self {
        let mut map = Self::default();
        for (path, entry) in members(sources.tree(ROOT), "/paths") {
            let Some(item) = entry["$ref"].as_str().and_then(|target| resolve(sources, ROOT, target)) else {
                continue;
            };
            for method in METHODS {
                let node = item.below(method);
                if sources.at(&node.file, &node.pointer).is_none() {
                    continue;
                }
                let key = Key::new(method, path);
                let mut walk = Walk { sources, places: BTreeMap::new() };
                if let Some(query) = walk.operation(&item, &node) {
                    map.queries.insert(key.clone(), query);
                }
                map.nodes.insert(key.clone(), node);
                map.operations.insert(key, walk.places);
            }
        }
        for (key, places) in &map.operations {
            for (place, located) in places {
                let user = (key.clone(), place.clone());
                map.reached.entry(located.site.clone()).or_default().insert(user.clone());
                if !located.again {
                    map.reached.entry(located.target.clone()).or_default().insert(user.clone());
                }
                if let Some(parameter) = &located.parameter {
                    map.reached.entry(parameter.node.clone()).or_default().insert(user);
                }
            }
        }
        map
    }

    /// Where a place stands.
    pub fn find(&self, key: &Key, place: &str) -> Option<&Located> {
        self.operations.get(key)?.get(place)
    }
}

/// The schema of this name, wherever it stands.
pub(super) fn schema(sources: &Sources, name: &str) -> Option<At> {
    let pointer = join("/components/schemas", name);
    let file = sources.names().find(|file| sources.at(file, &pointer).is_some())?;
    Some(At { file: file.to_owned(), pointer })
}

/// The node that a reference in a file names.
pub(super) fn resolve(sources: &Sources, file: &str, target: &str) -> Option<At> {
    let (other, pointer) = target.split_once('#')?;
    let file = if other.is_empty() { file } else { other };
    sources.at(file, pointer).map(|_| At { file: file.to_owned(), pointer: pointer.to_owned() })
}

struct Walk<'a> {
    sources: &'a Sources,
    places: BTreeMap<String, Located>,
}

impl<'a> Walk<'a> {
    fn node(&self, at: &At) -> &'a Value {
        self.sources.at(&at.file, &at.pointer).unwrap_or(&Value::Null)
    }

    /// What stands here, or what the reference that stands here names.
    fn follow(&self, at: At) -> At {
        let target = self.node(&at)["$ref"].as_str();
        target.and_then(|target| resolve(self.sources, &at.file, target)).unwrap_or(at)
    }

    fn operation(&mut self, item: &At, node: &At) -> Option<At> {
        let mut declared = BTreeSet::new();
        for list in [item.below("parameters"), node.below("parameters")] {
            let many = self.node(&list).as_array().map_or(0, Vec::len);
            for index in 0..many {
                let element = list.below(&index.to_string());
                let parameter = self.follow(element.clone());
                let value = self.node(&parameter);
                let (Some(place), Some(name)) = (value["in"].as_str(), value["name"].as_str()) else {
                    continue;
                };
                declared.insert(name);
                let at = format!("request.{place}.{name}");
                self.schema(parameter.below("schema"), &at, None, &mut Vec::new());
                if let Some(located) = self.places.get_mut(&at) {
                    located.parameter = Some(Parameter { element, node: parameter });
                }
            }
        }
        let query = self.node(node).pointer("/x-s1/query").and_then(Value::as_str);
        let query = query.and_then(|name| schema(self.sources, name));
        if let Some(filter) = &query {
            for (name, _) in members(self.node(filter), "/properties") {
                if !declared.contains(name.as_str()) {
                    let site = filter.below("properties").below(name);
                    let at = format!("request.query.{name}");
                    self.schema(site, &at, Some(filter), &mut Vec::new());
                }
            }
        }
        self.content(self.follow(node.below("requestBody")), "request.body");
        for (status, _) in members(self.node(node), "/responses") {
            let answer = node.below("responses").below(status);
            let at = format!("response.{status}");
            if !self.content(self.follow(answer.clone()), &at) {
                let located = Located {
                    site: answer.clone(),
                    target: answer,
                    parameter: None,
                    owner: None,
                    again: false,
                };
                self.places.insert(at, located);
            }
        }
        query
    }

    /// The body of a request or an answer: JSON where there is a choice.
    fn content(&mut self, body: At, at: &str) -> bool {
        let content = body.below("content");
        let Some(map) = self.node(&content).as_object() else { return false };
        let media = map.get_key_value("application/json").or_else(|| map.iter().next());
        let Some((media, _)) = media else { return false };
        self.schema(content.below(media).below("schema"), at, None, &mut Vec::new());
        true
    }

    fn schema(&mut self, site: At, at: &str, owner: Option<&At>, seen: &mut Vec<At>) {
        let mut target = site.clone();
        let before = seen.len();
        let mut again = false;
        while let Some(reference) = self.node(&target)["$ref"].as_str() {
            let Some(found) = resolve(self.sources, &target.file, reference) else { break };
            target = found;
            if seen.contains(&target) {
                again = true;
                break;
            }
            seen.push(target.clone());
        }
        let located = Located { site, target: target.clone(), parameter: None, owner: owner.cloned(), again };
        self.places.insert(at.to_owned(), located);
        if !again {
            let schema = self.node(&target);
            for (name, _) in members(schema, "/properties") {
                let site = target.below("properties").below(name);
                self.schema(site, &format!("{at}.{name}"), Some(&target), seen);
            }
            if schema["items"].is_object() {
                self.schema(target.below("items"), &format!("{at}[]"), None, seen);
            }
            if schema["additionalProperties"].as_object().is_some_and(|map| !map.is_empty()) {
                self.schema(target.below("additionalProperties"), &format!("{at}{{}}"), None, seen);
            }
        }
        seen.truncate(before);
    }
}
