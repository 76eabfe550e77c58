//! Maps locations of operations to nodes of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::bundle::{METHODS, ROOT, members};
use crate::metadata;
use crate::pointer::join;
use crate::surface::Key;
use crate::yaml_editor::Sources;

/// Reference to a node of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeRef {
    /// File name.
    pub file: String,
    /// JSON pointer.
    pub pointer: String,
}

impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spec/{}#{}", self.file, self.pointer)
    }
}

impl NodeRef {
    pub(super) fn below(&self, name: &str) -> Self {
        Self { file: self.file.clone(), pointer: join(&self.pointer, name) }
    }

    /// Returns the name of the named schema that is or contains the node.
    pub fn schema_name(&self) -> Option<&str> {
        let rest = self.pointer.strip_prefix("/components/schemas/")?;
        Some(rest.split('/').next().unwrap_or(rest))
    }

    /// Returns whether the node is a named schema.
    pub(super) fn is_schema(&self) -> bool {
        self.pointer.strip_prefix("/components/schemas/").is_some_and(|rest| !rest.contains('/'))
    }
}

/// A query or path parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Element in the parameter list of the operation.
    pub element: NodeRef,
    /// The parameter itself; another node if the element references a shared parameter.
    pub node: NodeRef,
}

/// The nodes of a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedLocation {
    /// Schema, or reference to a schema.
    pub site: NodeRef,
    /// Schema after all references are resolved.
    pub target: NodeRef,
    /// Parameter, if the location is declared in a parameter list.
    pub parameter: Option<Parameter>,
    /// Object that has the location as a property.
    pub owner: Option<NodeRef>,
    /// Whether the schema contains itself here. Locations below are not listed.
    pub recursive: bool,
}

/// All locations of all operations.
#[derive(Clone, Debug, Default)]
pub struct LocationIndex {
    /// Operations and locations that the document does not specify.
    pub(super) unspecified: Unspecified,
    /// Nodes by operation and location.
    pub operations: BTreeMap<Key, BTreeMap<String, ResolvedLocation>>,
    /// Nodes of the operations.
    pub nodes: BTreeMap<Key, NodeRef>,
    /// Schema whose properties are also query parameters of the operation.
    pub queries: BTreeMap<Key, NodeRef>,
    /// Locations that use a node.
    pub users: BTreeMap<NodeRef, BTreeSet<(Key, String)>>,
    /// Schemas that extend another one, with that schema.
    pub(super) bases: BTreeMap<NodeRef, NodeRef>,
}

/// Operations and locations that a document does not specify: operations that it does not have, and locations where
/// evidence contradicts it. They do not block additive changes of a schema that they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unspecified {
    /// Operations.
    pub operations: BTreeSet<Key>,
    /// Locations of other operations.
    pub locations: BTreeSet<(Key, String)>,
}

impl Unspecified {
    /// Returns whether a location of an operation is among them.
    pub(super) fn contains(&self, user: &(Key, String)) -> bool {
        self.operations.contains(&user.0) || self.locations.contains(user)
    }
}

impl LocationIndex {
    /// Resolves the locations of all operations.
    pub fn new(sources: &Sources) -> Self {
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
                let mut visitor = Visitor { sources, locations: BTreeMap::new() };
                if let Some(query) = visitor.operation(&item, &node) {
                    map.queries.insert(key.clone(), query);
                }
                map.nodes.insert(key.clone(), node);
                map.operations.insert(key, visitor.locations);
            }
        }
        for file in sources.names() {
            for (name, node) in members(sources.tree(file), "/components/schemas") {
                let base = node[metadata::KEY]["extends"].as_str().and_then(|base| schema(sources, base));
                let extension =
                    || NodeRef { file: file.to_owned(), pointer: join("/components/schemas", name) };
                map.bases.extend(base.map(|base| (extension(), base)));
            }
        }
        for (key, locations) in &map.operations {
            for (location, located) in locations {
                let user = (key.clone(), location.clone());
                map.users.entry(located.site.clone()).or_default().insert(user.clone());
                if !located.recursive {
                    map.users.entry(located.target.clone()).or_default().insert(user.clone());
                }
                if let Some(parameter) = &located.parameter {
                    map.users.entry(parameter.node.clone()).or_default().insert(user);
                }
            }
        }
        map
    }

    /// Returns the nodes of a location.
    pub fn find(&self, key: &Key, location: &str) -> Option<&ResolvedLocation> {
        self.operations.get(key)?.get(location)
    }
}

/// Returns the schema of this name in any file.
pub(super) fn schema(sources: &Sources, name: &str) -> Option<NodeRef> {
    let pointer = join("/components/schemas", name);
    let file = sources.names().find(|file| sources.at(file, &pointer).is_some())?;
    Some(NodeRef { file: file.to_owned(), pointer })
}

/// Resolves a reference in a file.
pub(super) fn resolve(sources: &Sources, file: &str, target: &str) -> Option<NodeRef> {
    let (other, pointer) = target.split_once('#')?;
    let file = if other.is_empty() { file } else { other };
    sources.at(file, pointer).map(|_| NodeRef { file: file.to_owned(), pointer: pointer.to_owned() })
}

struct Visitor<'a> {
    sources: &'a Sources,
    locations: BTreeMap<String, ResolvedLocation>,
}

impl<'a> Visitor<'a> {
    fn node(&self, at: &NodeRef) -> &'a Value {
        self.sources.at(&at.file, &at.pointer).unwrap_or(&Value::Null)
    }

    /// Returns the target of a reference, or the node itself if it is not a reference.
    fn follow(&self, at: NodeRef) -> NodeRef {
        let target = self.node(&at)["$ref"].as_str();
        target.and_then(|target| resolve(self.sources, &at.file, target)).unwrap_or(at)
    }

    fn operation(&mut self, item: &NodeRef, node: &NodeRef) -> Option<NodeRef> {
        let mut declared = BTreeSet::new();
        for list in [item.below("parameters"), node.below("parameters")] {
            let count = self.node(&list).as_array().map_or(0, Vec::len);
            for index in 0..count {
                let element = list.below(&index.to_string());
                let parameter = self.follow(element.clone());
                let value = self.node(&parameter);
                let (Some(part), Some(name)) = (value["in"].as_str(), value["name"].as_str()) else {
                    continue;
                };
                declared.insert(name);
                let part = if part == "header" { "headers" } else { part };
                let location = format!("request.{part}.{name}");
                self.schema(parameter.below("schema"), &location, None, &mut Vec::new());
                if let Some(located) = self.locations.get_mut(&location) {
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
                    let location = format!("request.query.{name}");
                    self.schema(site, &location, Some(filter), &mut Vec::new());
                }
            }
        }
        self.content(self.follow(node.below("requestBody")), "request.body");
        for (status, _) in members(self.node(node), "/responses") {
            let response = node.below("responses").below(status);
            let location = format!("response.{status}");
            if !self.content(self.follow(response.clone()), &location) {
                let located = ResolvedLocation {
                    site: response.clone(),
                    target: response,
                    parameter: None,
                    owner: None,
                    recursive: false,
                };
                self.locations.insert(location, located);
            }
        }
        query
    }

    /// Adds the locations of a request or response body, of the JSON media type if there are several.
    fn content(&mut self, body: NodeRef, location: &str) -> bool {
        let content = body.below("content");
        let Some(map) = self.node(&content).as_object() else { return false };
        let media = map.get_key_value("application/json").or_else(|| map.iter().next());
        let Some((media, _)) = media else { return false };
        self.schema(content.below(media).below("schema"), location, None, &mut Vec::new());
        true
    }

    fn schema(&mut self, site: NodeRef, location: &str, owner: Option<&NodeRef>, visited: &mut Vec<NodeRef>) {
        let mut target = site.clone();
        let depth = visited.len();
        let mut recursive = false;
        while let Some(reference) = self.node(&target)["$ref"].as_str() {
            let Some(found) = resolve(self.sources, &target.file, reference) else { break };
            target = found;
            if visited.contains(&target) {
                recursive = true;
                break;
            }
            visited.push(target.clone());
        }
        let located = ResolvedLocation {
            site,
            target: target.clone(),
            parameter: None,
            owner: owner.cloned(),
            recursive,
        };
        self.locations.insert(location.to_owned(), located);
        if !recursive {
            let schema = self.node(&target);
            for (name, _) in members(schema, "/properties") {
                let site = target.below("properties").below(name);
                self.schema(site, &format!("{location}.{name}"), Some(&target), visited);
            }
            // A filter that extends another one has its properties, too.
            let base = schema[metadata::KEY]["extends"].as_str();
            if let Some(base) = base.and_then(|name| self::schema(self.sources, name)) {
                for (name, _) in members(self.node(&base), "/properties") {
                    if schema["properties"].get(name).is_none() {
                        let site = base.below("properties").below(name);
                        self.schema(site, &format!("{location}.{name}"), Some(&base), visited);
                    }
                }
            }
            if schema["items"].is_object() {
                self.schema(target.below("items"), &format!("{location}[]"), None, visited);
            }
            if schema["additionalProperties"].as_object().is_some_and(|map| !map.is_empty()) {
                self.schema(target.below("additionalProperties"), &format!("{location}{{}}"), None, visited);
            }
        }
        visited.truncate(depth);
    }
}
