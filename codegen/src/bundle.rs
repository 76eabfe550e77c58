//! Joins the files of `spec/` into one plain OpenAPI document.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{Error, Result, facts};

/// The file with what all resources share.
pub const ROOT: &str = "openapi.yaml";

/// The HTTP methods that a path item may have, in the order of the document.
pub const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// The specification in one document.
#[derive(Debug)]
pub struct Bundle {
    /// OpenAPI 3.0.3. References point at `#/components/schemas/` only; parameters and responses stand
    /// where they are used; query parameters that an operation shares with a filter are written out.
    pub document: Value,
    /// The module that each schema belongs to: the file's name in snake case, `shared` for the root.
    pub modules: BTreeMap<String, String>,
    /// The module of the file that each path stands in.
    pub path_modules: BTreeMap<String, String>,
    /// Paths that a resource file has and the index has not, with the file.
    pub unlisted: Vec<(String, String)>,
}

/// One operation of a document.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Path as in the document.
    pub path: &'a str,
    /// Method in lower case.
    pub method: &'a str,
    /// The operation's node.
    pub node: &'a Value,
}

impl<'a> Operation<'a> {
    /// Its identifier.
    pub fn id(&self) -> &'a str {
        self.node["operationId"].as_str().unwrap_or_default()
    }

    /// Its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'a Value> {
        self.node["parameters"].as_array().into_iter().flatten()
    }

    /// Its parameters in this place: `query` or `path`.
    pub fn parameters_in(&self, place: &'static str) -> impl Iterator<Item = &'a Value> {
        self.parameters().filter(move |parameter| parameter["in"] == place)
    }

    /// The schema of its JSON body.
    pub fn body(&self) -> Option<&'a Value> {
        self.node.pointer("/requestBody/content/application~1json/schema")
    }

    /// Its first successful answer: the status and the answer's node.
    pub fn success(&self) -> Option<(&'a str, &'a Value)> {
        let responses = self.node["responses"].as_object()?;
        let (status, answer) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        Some((status, answer))
    }

    /// The path from the root of the console, the version left open: `/web/api/v{version}/threats`.
    pub fn full_path(&self) -> String {
        match self.path.strip_prefix("/v2.0/") {
            Some(rest) => format!("/web/api/v2.0/{rest}"),
            None => format!("/web/api/v{{version}}{}", self.path),
        }
    }
}

impl Bundle {
    /// Reads all files of the folder and joins them.
    ///
    /// # Errors
    /// When a file cannot be read, is no YAML, or a reference leads nowhere.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::join(&texts(folder)?)
    }

    /// Joins files that are already read: name to text.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn join(texts: &BTreeMap<String, String>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, text) in texts {
            let node: Value = crate::yaml::read(text).map_err(|message| wrong(name, message))?;
            files.insert(name.as_str(), node);
        }
        let root = files.get(ROOT).ok_or_else(|| wrong(ROOT, "is missing".into()))?;

        let mut modules = BTreeMap::new();
        let mut schemas = Map::new();
        for (file, node) in &files {
            for (name, schema) in members(node, "/components/schemas") {
                let mut schema = schema.clone();
                settle(file, &files, &mut schema)?;
                // Also where a dependent lets serde_json keep the order of a file.
                schema.sort_all_objects();
                if let Some(other) = modules.insert(name.clone(), module(file)) {
                    let message = format!("schema {name} is already in the module {other}");
                    return Err(wrong(file, message));
                }
                schemas.insert(name.clone(), schema);
            }
        }

        let mut paths = Map::new();
        let mut listed: Vec<(String, String)> = Vec::new();
        for (path, item) in members(root, "/paths") {
            let target = item["$ref"]
                .as_str()
                .ok_or_else(|| wrong(ROOT, format!("{path} is no $ref to a resource file")))?;
            let (file, item) = resolve(ROOT, &files, target)?;
            listed.push((file.to_owned(), path.clone()));
            let mut item = item.clone();
            settle(file, &files, &mut item)?;
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                write_out_query(file, operation, &schemas)?;
            }
            paths.insert(path.clone(), item);
        }
        let unlisted = files
            .iter()
            .filter(|(file, _)| **file != ROOT)
            .flat_map(|(file, node)| members(node, "/paths").map(|(path, _)| (*file, path)))
            .filter(|(file, path)| !listed.iter().any(|(f, p)| f == file && p == *path))
            .map(|(file, path)| (file.to_owned(), path.clone()))
            .collect();

        let mut document = root.clone();
        document["paths"] = Value::Object(paths);
        document["components"] = json!({
            "schemas": schemas,
            "securitySchemes": root["components"]["securitySchemes"].clone(),
        });
        document.sort_all_objects();
        let path_modules = listed.iter().map(|(file, path)| (path.clone(), module(file))).collect();
        Ok(Self { document, modules, path_modules, unlisted })
    }

    /// All operations, by path and method.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        members(&self.document, "/paths").flat_map(|(path, item)| {
            METHODS
                .into_iter()
                .filter_map(move |method| Some(Operation { path, method, node: item.get(method)? }))
        })
    }

    /// All schemas by name.
    pub fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        members(&self.document, "/components/schemas")
    }

    /// The schema of this name.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.document["components"]["schemas"].get(name)
    }
}

/// The YAML files of a folder, by name; not those of folders in it.
pub(crate) fn texts(folder: &Path) -> Result<BTreeMap<String, String>> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let mut texts = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".yaml") {
            texts.insert(name, std::fs::read_to_string(&path).map_err(io(&path))?);
        }
    }
    Ok(texts)
}

/// The name of the schema that a node references, directly or as its only `allOf`.
pub fn reference(node: &Value) -> Option<&str> {
    let target = node
        .get("$ref")
        .or_else(|| node.get("allOf")?.as_array().filter(|all| all.len() == 1)?.first()?.get("$ref"))?;
    target.as_str()?.strip_prefix("#/components/schemas/")
}

/// Calls `visit` with the name of every schema that a node references, however deep.
pub fn each_reference(node: &Value, visit: &mut impl FnMut(&str)) {
    match node {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                visit(name.strip_prefix("#/components/schemas/").unwrap_or(name));
            }
            map.values().for_each(|value| each_reference(value, visit));
        }
        Value::Array(list) => list.iter().for_each(|value| each_reference(value, visit)),
        _ => {}
    }
}

fn wrong(file: &str, message: String) -> Error {
    Error::Spec { file: file.to_owned(), message }
}

/// The members of the object at a JSON pointer; none when there is no object.
pub fn members<'a>(node: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    node.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

fn module(file: &str) -> String {
    match file.trim_end_matches(".yaml") {
        "openapi" => "shared".to_owned(),
        name => name.replace('-', "_"),
    }
}

fn resolve<'a>(
    file: &'a str,
    files: &'a BTreeMap<&str, Value>,
    target: &'a str,
) -> Result<(&'a str, &'a Value)> {
    let (other, pointer) = target.split_once('#').unwrap_or((target, ""));
    let other = if other.is_empty() { file } else { other };
    files
        .get(other)
        .and_then(|node| node.pointer(pointer))
        .map(|node| (other, node))
        .ok_or_else(|| wrong(file, format!("{target} leads nowhere")))
}

/// Settles all references below a node of `file`: parameters, responses and path items are put in the
/// place of the reference, schemas become local to the joined document. A schema reference with
/// siblings is written as `allOf`, the form that OpenAPI 3.0 allows.
fn settle(file: &str, files: &BTreeMap<&str, Value>, node: &mut Value) -> Result<()> {
    match node {
        Value::Object(map) => {
            let Some(target) = map.get("$ref").and_then(Value::as_str).map(str::to_owned) else {
                return map.values_mut().try_for_each(|value| settle(file, files, value));
            };
            let (other, found) = resolve(file, files, &target)?;
            let (_, pointer) = target.split_once('#').unwrap_or(("", &target));
            if !pointer.starts_with("/components/schemas/") {
                let mut found = found.clone();
                settle(other, files, &mut found)?;
                *node = found;
                return Ok(());
            }
            let pointer = format!("#{pointer}");
            if map.len() == 1 {
                map.insert("$ref".into(), Value::String(pointer));
            } else {
                map.remove("$ref");
                map.insert("allOf".into(), json!([{ "$ref": pointer }]));
            }
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|value| settle(file, files, value)),
        _ => Ok(()),
    }
}

/// Adds the properties of the filter that an operation names as query parameters of their own.
fn write_out_query(file: &str, operation: &mut Value, schemas: &Map<String, Value>) -> Result<()> {
    let Some(name) = operation.pointer("/x-s1/query").and_then(Value::as_str) else {
        return Ok(());
    };
    let Some(filter) = schemas.get(name) else {
        return Err(wrong(file, format!("x-s1.query names {name}, which is no schema")));
    };
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let declared: Vec<Value> = parameters.iter().map(|one| one["name"].clone()).collect();
    for (name, property) in members(filter, "/properties") {
        if declared.iter().any(|other| other == name) {
            continue;
        }
        parameters.push(query_parameter(name, property));
    }
    operation["parameters"] = Value::Array(parameters);
    Ok(())
}

/// The query parameter that a property of a filter is written out as.
pub(crate) fn query_parameter(name: &str, property: &Value) -> Value {
    let mut schema = property.clone();
    let mut parameter = json!({
        "name": name,
        "in": "query",
        "required": false,
        "description": schema["description"],
    });
    if let Some(map) = schema.as_object_mut() {
        map.remove("description");
        if let Some(facts) = map.remove(facts::KEY) {
            parameter[facts::KEY] = facts;
        }
    }
    if schema["type"] == "array" {
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
    }
    parameter["schema"] = schema;
    parameter
}
