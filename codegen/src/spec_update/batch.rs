//! Adds new operations to the files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::locate::{self, NodeRef};
use super::operation::{NewOperation, OperationWriter, capitalize};
use super::schema_writer::{NewSchemas, SchemaCatalog, SchemaWriter, placeholder};
use super::style;
use super::violations::EditedNodes;
use crate::bundle::{DATA_LAKE, METHODS, ROOT, members};
use crate::lint::{Finding, braces};
use crate::pointer::join;
use crate::surface::Key;
use crate::yaml_editor::{Position, Sources};

/// Result of [`Batch::add`].
pub(super) struct Added {
    pub(super) at: NodeRef,
    pub(super) notes: Vec<String>,
    pub(super) undescribed: Vec<String>,
}

/// Adds operations to files.
pub(super) struct Batch {
    catalog: SchemaCatalog,
    keys: BTreeSet<Key>,
    ids: BTreeSet<String>,
    /// The new operations and schemas, by the ID of the operation.
    edited: EditedNodes<String>,
}

impl Batch {
    pub(super) fn new(sources: &Sources) -> Self {
        let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for (path, entry) in members(sources.tree(ROOT), "/paths") {
            let target = entry["$ref"].as_str().unwrap_or_default();
            let item = locate::resolve(sources, ROOT, target);
            let item = item.as_ref().and_then(|at| sources.at(&at.file, &at.pointer));
            for method in METHODS {
                let Some(node) = item.and_then(|item| item.get(method)) else { continue };
                keys.insert(Key::new(method, path));
                ids.extend(node["operationId"].as_str().map(str::to_owned));
            }
        }
        Self { catalog: SchemaCatalog::new(sources), keys, ids, edited: EditedNodes::default() }
    }

    /// Adds an operation, or returns the reason why it is not supported; the sources are unchanged then.
    ///
    /// # Errors
    /// Returns an error if a file cannot be edited.
    pub(super) fn add(
        &mut self,
        sources: &mut Sources,
        new: &NewOperation,
    ) -> crate::Result<Result<Added, String>> {
        let (place, node, mut schemas, main) = match self.prepare(sources, new) {
            Ok(prepared) => prepared,
            Err(reason) => return Ok(Err(reason)),
        };
        for name in schemas.names() {
            self.edited.add_schema(name, new.id.clone());
        }
        self.keys.insert(new.key.clone());
        self.ids.insert(new.id.clone());
        let at = place.put(sources, new, &node)?;
        self.edited.add(&at, new.id.clone());
        schemas.write(sources, main.as_deref())?;
        let NewSchemas { undescribed, notes, .. } = schemas;
        Ok(Ok(Added { at, notes, undescribed }))
    }

    /// Returns place, operation object, new schemas, and the name of the schema that new schemas follow.
    fn prepare(
        &mut self,
        sources: &Sources,
        new: &NewOperation,
    ) -> Result<(Place, Value, NewSchemas, Option<String>), String> {
        let tag = tag(new);
        if !new.id.starts_with(&format!("{tag}_")) {
            return Err(format!("the operationId {} does not start with {tag}_", new.id));
        }
        if Key::new(&new.key.method, &new.path) != new.key {
            return Err(format!("{} is not the path of {}", new.path, new.key));
        }
        if self.keys.contains(&new.key) {
            return Err("it already exists".into());
        }
        if self.ids.contains(&new.id) {
            return Err(format!("the operationId {} is already in use", new.id));
        }
        let mut schemas = SchemaWriter::new(sources, &mut self.catalog, &new.file, &new.date);
        let writer = OperationWriter { sources, new, tag: &tag };
        let written =
            writer.operation(&mut schemas).and_then(|written| Ok((Place::of(sources, new)?, written)));
        match written {
            Ok((place, (node, main))) => Ok((place, node, schemas.finish(), main)),
            Err(reason) => {
                schemas.cancel();
                Err(reason)
            }
        }
    }

    /// Returns the operations that lint findings reject, each with its findings. A finding that is about no new operation
    /// rejects all.
    pub(super) fn rejections(&self, findings: &[Finding]) -> BTreeMap<String, String> {
        let (mut rejected, others) = self.edited.causes(findings);
        for finding in others {
            for id in &self.ids {
                rejected.entry(id.clone()).or_insert_with(|| finding.to_string());
            }
        }
        rejected
    }
}

/// Place of a new operation.
enum Place {
    /// A method of a path that is listed in the index.
    Listed(NodeRef),
    NewPath,
}

impl Place {
    fn of(sources: &Sources, new: &NewOperation) -> Result<Self, String> {
        let mut paths = members(sources.tree(ROOT), "/paths");
        let Some((path, entry)) = paths.find(|(path, _)| Key::new(&new.key.method, path) == new.key) else {
            return Ok(Self::NewPath);
        };
        let target = entry["$ref"].as_str().unwrap_or_default();
        let item = locate::resolve(sources, ROOT, target).ok_or("the index has an invalid reference")?;
        if item.file != new.file {
            return Err(format!("{path} is in {}, not in {}", item.file, new.file));
        }
        if braces(path).ne(braces(&new.path)) {
            return Err(format!("the index names the path {path}"));
        }
        Ok(Self::Listed(item))
    }

    fn put(self, sources: &mut Sources, new: &NewOperation, node: &Value) -> crate::Result<NodeRef> {
        match self {
            Self::Listed(item) => {
                let order = |method: &str| METHODS.iter().position(|one| *one == method);
                let methods = sources.keys(&item.file, &item.pointer);
                let last = methods.into_iter().rfind(|method| order(method) < order(&new.key.method));
                let position = Position::After(last.as_deref());
                sources.put_at(&item.file, &item.pointer, &new.key.method, node, position)?;
                Ok(item.below(&new.key.method))
            }
            Self::NewPath => {
                let mut item = Map::new();
                if new.path.starts_with(DATA_LAKE) {
                    let console = &sources.tree(ROOT)["servers"][0]["variables"]["console"]["default"];
                    let variables = json!({ "console": { "default": console } });
                    let server = json!({ "url": "https://{console}", "variables": variables });
                    item.insert("servers".to_owned(), json!([server]));
                }
                item.insert(new.key.method.clone(), node.clone());
                let item = Value::Object(item);
                if sources.text(&new.file).is_empty() {
                    create(sources, new, &item)?;
                } else {
                    let paths = sources.keys(&new.file, "/paths");
                    let newest = || paths.iter().filter(|path| !path.starts_with("/v2.0/"));
                    let before = newest().rfind(|path| **path < new.path);
                    let last = before.or(newest().next_back()).or(paths.last());
                    let position = Position::After(last.map(String::as_str));
                    sources.put_at(&new.file, "/paths", &new.path, &item, position)?;
                }
                add_to_index(sources, new)?;
                let pointer = join(&join("/paths", &new.path), &new.key.method);
                Ok(NodeRef { file: new.file.clone(), pointer })
            }
        }
    }
}

/// Returns the tag of an operation, by its file.
fn tag(new: &NewOperation) -> String {
    new.file.trim_end_matches(".yaml").replace('-', "_")
}

/// Creates the file of a new resource, and its tag.
fn create(sources: &mut Sources, new: &NewOperation, item: &Value) -> crate::Result<()> {
    let tag = tag(new);
    let title = capitalize(&tag.replace('_', " "));
    let description = format!("{title}. {}", placeholder(&new.date));
    let paths = style::entry("paths", &json!({ new.path.as_str(): item }), 0, false);
    sources.create(&new.file, format!("# {description}\n\n{paths}"))?;
    let tags = sources.at(ROOT, "/tags").and_then(Value::as_array);
    if tags.is_some_and(|tags| !tags.iter().any(|one| one["name"] == tag.as_str())) {
        sources.push(ROOT, "/tags", &json!({ "name": tag, "description": description }))?;
    }
    Ok(())
}

/// Adds the path to the index: after the other paths of its file, or after all paths of the same version.
fn add_to_index(sources: &mut Sources, new: &NewOperation) -> crate::Result<()> {
    let pointer = join("/paths", &new.path);
    let line = json!({ "$ref": format!("{}#{pointer}", new.file) });
    let paths = sources.keys(ROOT, "/paths");
    let newest: Vec<&String> = paths.iter().filter(|path| !path.starts_with("/v2.0/")).collect();
    let of_file = |path: &&&String| {
        let target = &sources.tree(ROOT)["paths"][path.as_str()]["$ref"];
        target.as_str().is_some_and(|target| target.starts_with(&format!("{}#", new.file)))
    };
    let last = newest.iter().rfind(of_file).or(newest.last()).map(|path| (**path).clone());
    sources.put_at(ROOT, "/paths", &new.path, &line, Position::After(last.as_deref()))
}
