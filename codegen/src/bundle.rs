//! Joins the files of `spec/` into one plain OpenAPI document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{Error, Result, metadata, query_fields};

/// File with the index of paths and the shared components.
pub const ROOT: &str = "openapi.yaml";

/// Media type of a JSON body.
pub const JSON: &str = "application/json";

/// Media type of a form with files.
pub const FORM: &str = "multipart/form-data";

/// Start of the paths of the data lake, which are not below `/web/api`.
pub const DATA_LAKE: &str = "/sdl/";

/// Supported HTTP methods, in the order of the document.
pub const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// The specification as one document.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// OpenAPI 3.0.3 document of what the API accepts and returns. References are to `#/components/schemas/` only: parameters and responses are inlined,
    /// and properties of a filter that are query parameters too are copied to the parameters.
    pub document: Value,
    /// Module of each schema: the file name in snake case, `shared` for the root.
    pub modules: BTreeMap<String, String>,
    /// Module of the file of each path.
    pub path_modules: BTreeMap<String, String>,
    /// Paths of resource files that are not in the index, with the file.
    pub unlisted: Vec<(String, String)>,
    /// Names of the fields of queries in S1QL 1.0 and 2.0.
    pub query_fields: Vec<(String, String)>,
}

/// An operation of a document.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Path in the document.
    pub path: &'a str,
    /// HTTP method, lower case.
    pub method: &'a str,
    /// Operation object.
    pub node: &'a Value,
}

impl<'a> Operation<'a> {
    /// Returns the operation ID.
    pub fn id(&self) -> &'a str {
        self.node["operationId"].as_str().unwrap_or_default()
    }

    /// Returns the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'a Value> {
        self.node["parameters"].as_array().into_iter().flatten()
    }

    /// Returns the parameters in `query`, `path` or `header`.
    pub fn parameters_in(&self, part: &'static str) -> impl Iterator<Item = &'a Value> {
        self.parameters().filter(move |parameter| parameter["in"] == part)
    }

    /// Returns the schema of the request body: of JSON, or of a form.
    pub fn body(&self) -> Option<&'a Value> {
        let content = self.node.pointer("/requestBody/content")?;
        Some(&content.get(JSON).or_else(|| content.get(FORM))?["schema"])
    }

    /// Returns whether the request body is a form (`multipart/form-data`).
    pub fn has_form(&self) -> bool {
        self.node.pointer("/requestBody/content").is_some_and(|content| content.get(FORM).is_some())
    }

    /// Returns the status and the node of the first success response.
    pub fn success(&self) -> Option<(&'a str, &'a Value)> {
        let responses = self.node["responses"].as_object()?;
        let (status, response) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        Some((status, response))
    }

    /// Returns the path on the console, with a placeholder for the version: `/web/api/v{version}/threats`. A path that
    /// starts with [`DATA_LAKE`] is not below `/web/api`. The path of a GraphQL document is that of its endpoint.
    pub fn full_path(&self) -> String {
        if let Some(endpoint) = self.node.pointer("/x-s1/graphql/path").and_then(Value::as_str) {
            return format!("/web/api/v{{version}}{endpoint}");
        }
        match self.path.strip_prefix("/v2.0/") {
            Some(rest) => format!("/web/api/v2.0/{rest}"),
            None if self.path.starts_with(DATA_LAKE) => self.path.to_owned(),
            None => format!("/web/api/v{{version}}{}", self.path),
        }
    }
}

impl Bundle {
    /// Reads and joins all files of a directory.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or is not valid YAML, or if a reference has no target.
    pub fn read(dir: &Path) -> Result<Self> {
        let mut bundle = Self::join(&yaml_files(dir)?)?;
        let file = dir.join(query_fields::FILE);
        if file.exists() {
            let text = std::fs::read_to_string(&file).map_err(|source| Error::Io { path: file, source })?;
            bundle.query_fields = query_fields::read(&text)?;
        }
        Ok(bundle)
    }

    /// Joins files, by name.
    ///
    /// # Errors
    /// Returns the same errors as [`read`](Self::read), except for I/O errors.
    pub fn join(texts: &BTreeMap<String, String>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, text) in texts {
            let node: Value = crate::yaml::read(text).map_err(|message| Error::spec(name, message))?;
            files.insert(name.as_str(), node);
        }
        Self::join_parsed(&files.iter().map(|(name, node)| (*name, node)).collect())
    }

    /// Joins parsed files, by name.
    pub(crate) fn join_parsed(files: &BTreeMap<&str, &Value>) -> Result<Self> {
        let root = files.get(ROOT).ok_or_else(|| Error::spec(ROOT, "is missing".into()))?;

        let mut modules = BTreeMap::new();
        let mut schemas = Map::new();
        for (file, node) in files {
            for (name, schema) in members(node, "/components/schemas") {
                let mut schema = schema.clone();
                inline_references(file, files, &mut schema)?;
                // A dependent crate may enable `preserve_order` of serde_json.
                schema.sort_all_objects();
                if let Some(other) = modules.insert(name.clone(), module(file)) {
                    let message = format!("duplicate schema {name}, also in module {other}");
                    return Err(Error::spec(file, message));
                }
                schemas.insert(name.clone(), schema);
            }
        }
        extend_schemas(&mut schemas)?;

        let mut paths = Map::new();
        let mut listed: Vec<(String, String)> = Vec::new();
        for (path, item) in members(root, "/paths") {
            let target = item["$ref"]
                .as_str()
                .ok_or_else(|| Error::spec(ROOT, format!("{path} is not a $ref to a resource file")))?;
            let (file, item) = resolve(ROOT, files, target)?;
            listed.push((file.to_owned(), path.clone()));
            let mut item = item.clone();
            inline_references(file, files, &mut item)?;
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else { continue };
                add_filter_parameters(file, operation, &schemas)?;
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

        let mut document = (*root).clone();
        document["paths"] = Value::Object(paths);
        document["components"] = json!({
            "schemas": schemas,
            "securitySchemes": root["components"]["securitySchemes"].clone(),
        });
        document.sort_all_objects();
        let path_modules = listed.iter().map(|(file, path)| (path.clone(), module(file))).collect();
        Ok(Self { document, modules, path_modules, unlisted, query_fields: Vec::new() })
    }

    /// Returns the specification of what the client sends: `x-s1.send` replaces what the API accepts beyond that.
    ///
    /// The generated types and the example requests come from it; the contract checks use the bundle itself.
    pub fn sent_by_client(&self) -> Self {
        let mut client = self.clone();
        let schemas = client.document["components"]["schemas"].as_object_mut();
        let properties = schemas.into_iter().flatten().filter_map(|(_, schema)| schema.get_mut("properties"));
        for properties in properties.filter_map(Value::as_object_mut) {
            properties.retain(|_, property| {
                let facts = property.get_mut(metadata::KEY).and_then(Value::as_object_mut);
                match facts.and_then(|facts| facts.remove("send")) {
                    Some(Value::Bool(sent)) => sent,
                    Some(Value::Object(inline)) if !inline.contains_key("$ref") => {
                        if let Some(keywords) = property.as_object_mut() {
                            keywords.extend(inline);
                        }
                        true
                    }
                    Some(target) => {
                        if let Some(keywords) = property.as_object_mut() {
                            keywords.remove("type");
                            keywords.insert("allOf".into(), json!([target]));
                        }
                        true
                    }
                    None => true,
                }
            });
        }
        client
    }

    /// Returns all operations, sorted by path and method.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        members(&self.document, "/paths").flat_map(|(path, item)| {
            METHODS
                .into_iter()
                .filter_map(move |method| Some(Operation { path, method, node: item.get(method)? }))
        })
    }

    /// Returns all schemas, sorted by name.
    pub fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        members(&self.document, "/components/schemas")
    }

    /// Returns a schema by name.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.document["components"]["schemas"].get(name)
    }
}

/// Reads the YAML files of a directory, without subdirectories.
pub(crate) fn yaml_files(dir: &Path) -> Result<BTreeMap<String, String>> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(io(dir))? {
        let path = entry.map_err(io(dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".yaml") {
            files.insert(name, std::fs::read_to_string(&path).map_err(io(&path))?);
        }
    }
    Ok(files)
}

/// Returns the name of the schema that a node references, directly or as its only `allOf`.
pub fn reference(node: &Value) -> Option<&str> {
    let target = node
        .get("$ref")
        .or_else(|| node.get("allOf")?.as_array().filter(|all| all.len() == 1)?.first()?.get("$ref"))?;
    target.as_str()?.strip_prefix("#/components/schemas/")
}

/// Calls `visit` with the name of each schema that a node or its descendants reference. References in metadata do not
/// count: they are not part of the schema.
pub fn each_reference(node: &Value, visit: &mut impl FnMut(&str)) {
    match node {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                visit(name.strip_prefix("#/components/schemas/").unwrap_or(name));
            }
            let parts = map.iter().filter(|(key, _)| *key != metadata::KEY);
            parts.for_each(|(_, value)| each_reference(value, visit));
        }
        Value::Array(list) => list.iter().for_each(|value| each_reference(value, visit)),
        _ => {}
    }
}

/// Adds the schemas that a node uses, directly or indirectly.
pub(crate) fn add_used(bundle: &Bundle, node: &Value, into: &mut BTreeSet<String>) {
    each_reference(node, &mut |name| {
        if into.insert(name.to_owned()) {
            add_used(bundle, bundle.schema(name).unwrap_or(&Value::Null), into);
        }
    });
}

/// Returns the members of the object at a JSON pointer; empty if the value is missing.
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
    files: &'a BTreeMap<&str, &Value>,
    target: &'a str,
) -> Result<(&'a str, &'a Value)> {
    let (other, pointer) = target.split_once('#').unwrap_or((target, ""));
    let other = if other.is_empty() { file } else { other };
    files
        .get(other)
        .and_then(|node| node.pointer(pointer))
        .map(|node| (other, node))
        .ok_or_else(|| Error::spec(file, format!("{target} does not exist")))
}

/// Resolves all references below a node of `file`. Parameters, responses and path items are inlined; schema references
/// become local. A schema reference with siblings becomes an `allOf`, as OpenAPI 3.0 requires.
fn inline_references(file: &str, files: &BTreeMap<&str, &Value>, node: &mut Value) -> Result<()> {
    match node {
        Value::Object(map) => {
            let Some(target) = map.get("$ref").and_then(Value::as_str).map(str::to_owned) else {
                return map.values_mut().try_for_each(|value| inline_references(file, files, value));
            };
            let (other, found) = resolve(file, files, &target)?;
            let (_, pointer) = target.split_once('#').unwrap_or(("", &target));
            if !pointer.starts_with("/components/schemas/") {
                let mut found = found.clone();
                inline_references(other, files, &mut found)?;
                *node = found;
                return Ok(());
            }
            let pointer = format!("#{pointer}");
            if let Some(facts) = map.get_mut(metadata::KEY) {
                inline_references(file, files, facts)?;
            }
            if map.len() == 1 {
                map.insert("$ref".into(), Value::String(pointer));
            } else {
                map.remove("$ref");
                map.insert("allOf".into(), json!([{ "$ref": pointer }]));
            }
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|value| inline_references(file, files, value)),
        _ => Ok(()),
    }
}

/// Copies the properties of the schema in `x-s1.extends` to the schema that extends it.
///
/// `allOf` cannot express this: each part would refuse the properties of the others, because request bodies accept
/// declared properties only.
fn extend_schemas(schemas: &mut Map<String, Value>) -> Result<()> {
    let base_of = |schema: &Value| schema[metadata::KEY]["extends"].as_str().map(str::to_owned);
    let extended: Vec<(String, String)> =
        schemas.iter().filter_map(|(name, schema)| Some((name.clone(), base_of(schema)?))).collect();
    for (name, base) in extended {
        let found = schemas.get(&base).filter(|base| base_of(base).is_none());
        let Some(inherited) = found.map(|base| base["properties"].clone()) else {
            let message = format!("x-s1.extends {base} is not a schema, or extends another one");
            return Err(Error::spec(&name, message));
        };
        let own = schemas.get_mut(&name).and_then(|schema| schema.get_mut("properties"));
        if let (Some(Value::Object(own)), Value::Object(inherited)) = (own, inherited) {
            for (name, property) in inherited {
                own.entry(name).or_insert(property);
            }
        }
    }
    Ok(())
}

/// Adds the properties of the filter in `x-s1.query` as query parameters.
fn add_filter_parameters(file: &str, operation: &mut Value, schemas: &Map<String, Value>) -> Result<()> {
    let Some(name) = operation.pointer("/x-s1/query").and_then(Value::as_str) else {
        return Ok(());
    };
    let Some(filter) = schemas.get(name) else {
        return Err(Error::spec(file, format!("x-s1.query {name} is not a schema")));
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

/// Converts a property of a filter to a query parameter.
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
        if let Some(facts) = map.remove(metadata::KEY) {
            parameter[metadata::KEY] = facts;
        }
    }
    if schema["type"] == "array" {
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
    }
    parameter["schema"] = schema;
    parameter
}
