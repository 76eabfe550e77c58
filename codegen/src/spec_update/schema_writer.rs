//! Writes new schemas, with placeholder descriptions.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::{Map, Value, json};

use super::locate::{self, NodeRef};
use super::style::BOUNDS;
use crate::bundle::{ROOT, members};
use crate::dialect::check_enum;
use crate::emit::RUNTIME;
use crate::lint::is_secret_string;
use crate::metadata;
use crate::pointer::join;
use crate::yaml_editor::{Position, Sources};
use crate::{Result, bundle};

/// Keywords that are copied unchanged, in addition to [`BOUNDS`].
const COPIED_KEYWORDS: [&str; 7] =
    ["type", "format", "pattern", "default", "nullable", "deprecated", "style"];

/// Keywords that a reference may have as siblings.
const SIBLINGS: [&str; 3] = ["default", "nullable", "deprecated"];

/// Request fields that do not narrow a selection.
pub(super) const NOT_SELECTIVE: [&str; 8] =
    ["limit", "skip", "cursor", "countOnly", "skipCount", "sortBy", "sortOrder", "tenant"];

/// Maximum nesting depth of a schema.
const MAX_DEPTH: usize = 24;

/// Comment above the enums of a file.
const ENUM_COMMENT: &str = "# Enums. The client also accepts values that are not listed.";

/// A named schema that new schemas are compared with.
#[derive(Debug)]
struct ExistingSchema {
    name: String,
    file: String,
    /// Normalized form in a request and in a response, each created when it is first compared; `None` for a recursive
    /// schema.
    normalized: [OnceCell<Option<Value>>; 2],
    filter: bool,
}

impl ExistingSchema {
    fn equals(&self, sources: &Sources, expected: &Value, direction: Direction) -> bool {
        let normalized = self.normalized[direction as usize].get_or_init(|| {
            let schema = sources.at(&self.file, &join("/components/schemas", &self.name));
            normalize_resolved(sources, &self.file, schema.unwrap_or(&Value::Null), direction, 0)
        });
        normalized.as_ref() == Some(expected)
    }
}

/// The named schemas of the files.
#[derive(Debug)]
pub(super) struct SchemaCatalog {
    existing: Vec<ExistingSchema>,
    /// Indexes of the schemas with the same field names or enum values; most schemas differ here.
    by_names: BTreeMap<BTreeSet<String>, Vec<usize>>,
    taken: BTreeSet<String>,
}

impl SchemaCatalog {
    pub(super) fn new(sources: &Sources) -> Self {
        let taken = RUNTIME.iter().map(|name| (*name).to_owned()).collect();
        let mut catalog = Self { existing: Vec::new(), by_names: BTreeMap::new(), taken };
        for file in sources.names() {
            for (name, schema) in members(sources.tree(file), "/components/schemas") {
                let filter = schema[metadata::KEY]["filter"] == true;
                catalog.add(name, file, names(schema), filter, [OnceCell::new(), OnceCell::new()]);
            }
        }
        catalog
    }

    fn add(
        &mut self,
        name: &str,
        file: &str,
        names: BTreeSet<String>,
        filter: bool,
        normalized: [OnceCell<Option<Value>>; 2],
    ) {
        self.taken.insert(name.to_owned());
        self.by_names.entry(names).or_default().push(self.existing.len());
        self.existing.push(ExistingSchema {
            name: name.to_owned(),
            file: file.to_owned(),
            normalized,
            filter,
        });
    }

    /// Returns the schemas with these field names or enum values.
    fn with_names(&self, names: &BTreeSet<String>) -> impl Iterator<Item = &ExistingSchema> {
        self.by_names.get(names).into_iter().flatten().filter_map(|index| self.existing.get(*index))
    }

    /// Removes the schemas that were added after there were `length` of them.
    fn truncate(&mut self, length: usize) {
        self.existing.truncate(length);
        self.by_names.values_mut().for_each(|indexes| indexes.retain(|index| *index < length));
    }
}

/// Returns the field names of an object, or the values of an enum.
fn names(schema: &Value) -> BTreeSet<String> {
    let fields = members(schema, "/properties").map(|(name, _)| name.clone());
    let values = schema["enum"].as_array().into_iter().flatten();
    fields.chain(values.map(Value::to_string)).collect()
}

/// Direction of a schema. Fields of a response are never required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Prepares new schemas. [`finish`](Self::finish) returns them.
pub(super) struct SchemaWriter<'a> {
    date: &'a str,
    /// File of the new schemas.
    file: String,
    sources: &'a Sources,
    catalog: &'a mut SchemaCatalog,
    /// Number of schemas of the catalog before the new ones.
    before: usize,
    pending: Vec<(String, Value)>,
    undescribed: Vec<String>,
    /// Differences between the document and the written schemas.
    pub(super) notes: Vec<String>,
    /// Fields of the items that filters select; empty if they are unknown.
    pub(super) fields: BTreeSet<String>,
}

/// New schemas of a [`SchemaWriter`].
#[derive(Debug)]
pub(super) struct NewSchemas {
    file: String,
    schemas: Vec<(String, Value)>,
    /// Elements with a placeholder description, as file and name.
    pub(super) undescribed: Vec<String>,
    /// Differences between the document and the written schemas.
    pub(super) notes: Vec<String>,
}

impl<'a> SchemaWriter<'a> {
    pub(super) fn new(
        sources: &'a Sources,
        catalog: &'a mut SchemaCatalog,
        file: &str,
        date: &'a str,
    ) -> Self {
        Self {
            date,
            file: file.to_owned(),
            sources,
            before: catalog.existing.len(),
            catalog,
            pending: Vec::new(),
            undescribed: Vec::new(),
            notes: Vec::new(),
            fields: BTreeSet::new(),
        }
    }

    /// Returns the new schemas.
    pub(super) fn finish(self) -> NewSchemas {
        let Self { file, pending, undescribed, notes, .. } = self;
        NewSchemas { file, schemas: pending, undescribed, notes }
    }

    /// Removes the new schemas from the catalog, for an operation that cannot be added.
    pub(super) fn cancel(self) {
        self.catalog.truncate(self.before);
        for (name, _) in &self.pending {
            self.catalog.taken.remove(name);
        }
    }

    /// Returns a placeholder description derived from a name, and records the element in `undescribed`.
    pub(super) fn describe(&mut self, element: &str, subject: &str) -> String {
        self.undescribed.push(format!("spec/{}: {element}", self.file));
        format!("{}. {}", phrase(subject), placeholder(self.date))
    }

    /// Returns a reference from the file of the new schemas.
    pub(super) fn reference(&self, file: &str, name: &str) -> Value {
        let file = if file == self.file { "" } else { file };
        json!({ "$ref": format!("{file}#/components/schemas/{name}") })
    }

    /// Returns a property or parameter, with a placeholder description.
    pub(super) fn property(
        &mut self,
        owner: &str,
        name: &str,
        node: &Value,
        direction: Direction,
    ) -> Result<Value, String> {
        let mut property = self.schema(&property_schema_name(owner, name), node, direction)?;
        property["description"] = json!(self.describe(&format!("{owner}.{name}"), name));
        // A person may say otherwise.
        if is_secret_string(name, &property) {
            property[metadata::KEY] = json!({ "secret": true });
        }
        Ok(property)
    }

    /// Returns a schema for inline use. `name` is the schema name if it must be a named schema.
    pub(super) fn schema(&mut self, name: &str, node: &Value, direction: Direction) -> Result<Value, String> {
        for key in ["$ref", "oneOf", "anyOf", "allOf", "not"] {
            if node.get(key).is_some() {
                return Err(format!("{name} has {key}, which is not supported"));
            }
        }
        let mut output = Map::new();
        for key in COPIED_KEYWORDS.into_iter().chain(BOUNDS) {
            if let Some(value) = node.get(key).filter(|value| !value.is_null() && **value != false) {
                output.insert(key.to_owned(), value.clone());
            }
        }
        // A default may be `false`, which the loop above omits.
        if let Some(value) = node.get("default").filter(|value| !value.is_null()) {
            output.insert("default".into(), value.clone());
        }
        output.remove("style");
        if let Some(values) = node["enum"].as_array() {
            let strings: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
            if strings.len() < values.len() {
                output.insert("nullable".into(), json!(true));
            }
            match check_enum(&strings) {
                Ok(()) => {
                    return self.reference_with_siblings(
                        name,
                        &json!({ "type": "string", "enum": strings }),
                        direction,
                        output,
                    );
                }
                Err(reason) => self.notes.push(format!("the enum of {name} is omitted: {reason}")),
            }
        }
        if node["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
            return self.reference_with_siblings(name, node, direction, output);
        }
        if node["items"].is_object() {
            output.insert("type".into(), json!("array"));
            output.insert("items".into(), self.schema(&singular(name), &node["items"], direction)?);
        } else if output.get("type") == Some(&json!("array")) {
            output.insert("items".into(), json!({}));
        }
        match node.get("additionalProperties") {
            Some(Value::Object(values)) if !values.is_empty() => {
                let values = self.schema(name, &node["additionalProperties"], direction)?;
                output.insert("additionalProperties".into(), values);
            }
            Some(Value::Bool(false)) => {}
            _ if output.get("type") == Some(&json!("object")) => {
                output.insert("additionalProperties".into(), json!(true));
            }
            _ => {}
        }
        Ok(Value::Object(output))
    }

    /// Returns a reference to a named schema, with the keywords that a reference may have as siblings.
    fn reference_with_siblings(
        &mut self,
        name: &str,
        node: &Value,
        direction: Direction,
        output: Map<String, Value>,
    ) -> Result<Value, String> {
        let mut reference = self.named_schema(name, node, direction, false)?;
        for key in SIBLINGS {
            if let Some(value) = output.get(key) {
                reference[key] = value.clone();
            }
        }
        Ok(reference)
    }

    /// Returns a reference to an existing schema that equals `node`, or to a new named schema.
    pub(super) fn named_schema(
        &mut self,
        name: &str,
        node: &Value,
        direction: Direction,
        filter: bool,
    ) -> Result<Value, String> {
        let expected = normalize(node, direction);
        let member_names = names(&expected);
        let is_enum = node.get("enum").is_some();
        let same = self.catalog.with_names(&member_names).find(|existing| {
            let near = existing.file == self.file || existing.file == ROOT;
            // Small equal schemas of other resources may have another meaning.
            let comparable = near || existing.name == name || (!is_enum && member_names.len() >= 3);
            comparable && existing.filter == filter && existing.equals(self.sources, &expected, direction)
        });
        if let Some(existing) = same {
            return Ok(self.reference(&existing.file, &existing.name));
        }
        let name = self.unused_name(name);
        self.catalog.taken.insert(name.clone());
        let index = self.pending.len();
        self.pending.push((name.clone(), Value::Null));
        let mut schema = json!({ "type": node["type"].as_str().unwrap_or("object") });
        if is_enum {
            schema["enum"] = node["enum"].clone();
            schema["description"] = json!(self.describe(&name, &format!("{name} values")));
        } else {
            schema["type"] = json!("object");
            schema["description"] = json!(self.describe(&name, &name));
            let mut properties = Map::new();
            let mut idents = BTreeSet::new();
            for (property, node) in members(node, "/properties") {
                if !idents.insert(property.to_snake_case()) {
                    return Err(format!("{name}.{property} has the same Rust name as another property"));
                }
                let mut written = self.property(nested_prefix(&name), property, node, direction)?;
                if filter {
                    // A condition is in the query of a list too, and not secret.
                    if let Some(map) = written.as_object_mut() {
                        map.remove(metadata::KEY);
                    }
                    self.add_filter_metadata(property, &mut written);
                }
                properties.insert(property.clone(), written);
            }
            schema["properties"] = Value::Object(properties);
            let required: BTreeSet<&str> =
                node["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if direction == Direction::Request && !filter && !required.is_empty() {
                schema["required"] = json!(required);
            }
            if filter {
                schema[metadata::KEY] = json!({ "filter": true });
            }
        }
        // A response schema has no required fields, so its request form equals its response form.
        let normalized = match direction {
            Direction::Response => [expected.clone(), expected],
            Direction::Request => [expected, normalize(node, Direction::Response)],
        };
        let normalized = normalized.map(|schema| OnceCell::from(Some(schema)));
        self.catalog.add(&name, &self.file, names(node), filter, normalized);
        if let Some(entry) = self.pending.get_mut(index) {
            entry.1 = schema;
        }
        Ok(self.reference(&self.file.clone(), &name))
    }

    /// Returns a reference to a new schema for a request body with a filter.
    pub(super) fn body_with_filter(
        &mut self,
        name: &str,
        body: &Value,
        filter: &Value,
    ) -> Result<Value, String> {
        let (file, filter) = self.existing_filter(filter).ok_or("the filter is not supported")?;
        let name = self.unused_name(name);
        self.catalog.taken.insert(name.clone());
        let index = self.pending.len();
        self.pending.push((name.clone(), Value::Null));
        let mut properties = Map::new();
        for (property, node) in members(body, "/properties") {
            let written = self.property(nested_prefix(&name), property, node, Direction::Request)?;
            properties.insert(property.clone(), written);
        }
        let mut reference = self.reference(&file, &filter);
        reference["description"] = json!("Items to act on.");
        properties.insert("filter".into(), reference);
        let required = body["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut required: BTreeSet<&str> = required.collect();
        required.insert("filter");
        let schema = json!({
            "type": "object",
            "description": self.describe(&name, &name),
            "required": required,
            "properties": properties,
        });
        if let Some(entry) = self.pending.get_mut(index) {
            entry.1 = schema;
        }
        Ok(self.reference(&self.file.clone(), &name))
    }

    /// Adds the `x-s1` metadata of a filter field: whether it is selective, and the field it compares.
    pub(super) fn add_filter_metadata(&self, name: &str, node: &mut Value) {
        if NOT_SELECTIVE.contains(&name) {
            node[metadata::KEY] = json!({ "selective": false });
        } else if let Some(field) = self.field(name) {
            node[metadata::KEY] = json!({ "field": field });
        }
    }

    /// Returns the field that a parameter compares, if its name contains one.
    fn field(&self, name: &str) -> Option<String> {
        let base = name.split("__").next().unwrap_or(name);
        let base = base.strip_suffix("Nin").unwrap_or(base);
        let single = singular(base);
        let all = [base, single.as_str()];
        all.into_iter().find(|name| self.fields.contains(*name)).map(str::to_owned)
    }

    /// Returns file and name of the existing filter schema that equals `node`.
    pub(super) fn existing_filter(&self, node: &Value) -> Option<(String, String)> {
        let expected = normalize(node, Direction::Request);
        let member_names = names(&expected);
        let mut all = self.catalog.with_names(&member_names).filter(|existing| existing.filter);
        let found = all.find(|existing| existing.equals(self.sources, &expected, Direction::Request));
        found.map(|existing| (existing.file.clone(), existing.name.clone()))
    }

    /// Returns whether an existing schema has this name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.catalog.taken.contains(name)
    }

    fn unused_name(&self, name: &str) -> String {
        let name = name.to_upper_camel_case();
        let mut all = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}{number}")));
        all.find(|name| !self.catalog.taken.contains(name)).unwrap_or(name)
    }
}

impl NewSchemas {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.schemas.iter().map(|(name, _)| name.as_str())
    }

    /// Adds the new schemas to their file, after the schema `after` if it is given.
    pub(super) fn write(&mut self, sources: &mut Sources, after: Option<&str>) -> Result<()> {
        const SCHEMAS: &str = "/components/schemas";
        let mut after = after.map(str::to_owned);
        for (name, schema) in self.schemas.drain(..) {
            let file = self.file.as_str();
            if sources.at(file, SCHEMAS).is_none() {
                if sources.at(file, "/components").is_none() {
                    sources.put(file, "", "components", &json!({ "schemas": { name: schema } }))?;
                } else {
                    sources.put(file, "/components", "schemas", &json!({ name: schema }))?;
                }
                continue;
            }
            let names = sources.keys(file, SCHEMAS);
            let is_enum =
                |name: &String| sources.tree(file)["components"]["schemas"][name].get("enum").is_some();
            let first_enum = schema.get("enum").is_some() && !names.iter().any(is_enum);
            let position = if schema.get("enum").is_some() {
                names.last().cloned()
            } else {
                let last = names.iter().rfind(|name| !is_enum(name)).cloned();
                let near = after.take().filter(|name| names.contains(name) && !is_enum(name)).or(last);
                after = Some(name.clone());
                near
            };
            sources.put_at(file, SCHEMAS, &name, &schema, Position::After(position.as_deref()))?;
            if first_enum && !sources.text(file).contains(ENUM_COMMENT) {
                sources.comment_above(file, &join(SCHEMAS, &name), ENUM_COMMENT)?;
            }
        }
        Ok(())
    }
}

/// Returns the structure of a schema without references, in a form for comparison.
pub(super) fn normalize(node: &Value, direction: Direction) -> Value {
    strip_annotations(node.clone(), direction)
}

/// Resolves the references of a schema and returns its structure in a form for comparison; `None` if it is recursive.
pub(super) fn normalize_resolved(
    sources: &Sources,
    file: &str,
    node: &Value,
    direction: Direction,
    depth: usize,
) -> Option<Value> {
    inline_references(sources, file, node, depth).map(|node| strip_annotations(node, direction))
}

fn inline_references(sources: &Sources, file: &str, node: &Value, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(target) = node["$ref"].as_str() {
        let at = locate::resolve(sources, file, target)?;
        let mut found = inline_references(sources, &at.file, sources.at(&at.file, &at.pointer)?, depth + 1)?;
        for key in ["default", "nullable"] {
            if let Some(value) = node.get(key) {
                found[key] = value.clone();
            }
        }
        return Some(found);
    }
    match node {
        Value::Object(map) => {
            let all = map.iter().map(|(name, value)| {
                Some((name.clone(), inline_references(sources, file, value, depth + 1)?))
            });
            all.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Value::Array(list) => {
            let all = list.iter().map(|value| inline_references(sources, file, value, depth + 1));
            all.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        other => Some(other.clone()),
    }
}

/// Removes descriptions and other annotations, and sorts lists without order.
fn strip_annotations(node: Value, direction: Direction) -> Value {
    let Value::Object(map) = node else { return node };
    let mut output = Map::new();
    for (name, value) in map {
        let sorted = |value: Value| match value {
            Value::Array(list) => {
                let mut keyed: Vec<(String, Value)> =
                    list.into_iter().map(|value| (value.to_string(), value)).collect();
                keyed.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Array(keyed.into_iter().map(|(_, value)| value).collect())
            }
            other => other,
        };
        match name.as_str() {
            "properties" => {
                let Value::Object(properties) = value else { continue };
                let properties =
                    properties.into_iter().map(|(name, node)| (name, strip_annotations(node, direction)));
                output.insert(name, properties.collect());
            }
            "items" => drop(output.insert(name, strip_annotations(value, direction))),
            "additionalProperties" if value.is_object() => {
                drop(output.insert(name, strip_annotations(value, direction)))
            }
            "enum" => drop(output.insert(name, sorted(value))),
            "required"
                if direction == Direction::Request
                    && value.as_array().is_some_and(|list| !list.is_empty()) =>
            {
                output.insert(name, sorted(value));
            }
            "default" if !value.is_null() => drop(output.insert(name, value)),
            "deprecated" | "style" => {}
            other
                if (COPIED_KEYWORDS.contains(&other) || BOUNDS.contains(&other))
                    && !value.is_null()
                    && value != false =>
            {
                output.insert(name, value);
            }
            _ => {}
        }
    }
    Value::Object(output)
}

/// Returns the name for the schema of a property.
pub(super) fn property_schema_name(owner: &str, name: &str) -> String {
    format!("{}{}", owner.to_upper_camel_case(), name.to_upper_camel_case())
}

/// Returns the singular of a noun.
pub(crate) fn singular(noun: &str) -> String {
    let same = ["ss", "us", "is"].iter().any(|end| noun.ends_with(end));
    if same {
        return noun.to_owned();
    }
    if let Some(stem) = noun.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "shes", "ches", "uses"] {
        if noun.ends_with(end) {
            return noun[..noun.len() - 2].to_owned();
        }
    }
    match noun.strip_suffix('s') {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => noun.to_owned(),
    }
}

/// Returns the placeholder description of elements that have only a name; `date` is the month of the document.
pub(super) fn placeholder(date: &str) -> String {
    format!("{} (vendor document of {date}).", metadata::PLACEHOLDER)
}

/// Returns a name as a capitalized phrase.
fn phrase(name: &str) -> String {
    let phrase = name.to_snake_case().replace('_', " ");
    let mut chars = phrase.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// Returns all schemas without references to them.
pub(super) fn unused_schemas(sources: &Sources) -> BTreeSet<NodeRef> {
    let mut used = BTreeSet::new();
    let mut pending: Vec<(String, &Value)> = Vec::new();
    for (_, item) in members(sources.tree(ROOT), "/paths") {
        pending.push((ROOT.to_owned(), item));
    }
    // Shared parameters and responses stay, whether they are used or not.
    for component in ["parameters", "responses"] {
        pending.push((ROOT.to_owned(), &sources.tree(ROOT)["components"][component]));
    }
    let mut visited = BTreeSet::new();
    while let Some((file, node)) = pending.pop() {
        match node {
            Value::Object(map) => {
                let target = map.get("$ref").and_then(Value::as_str);
                let target = target.and_then(|target| locate::resolve(sources, &file, target));
                let query = map.get("query").and_then(Value::as_str).filter(|_| map.contains_key("versions"));
                let query = query.and_then(|name| locate::schema(sources, name));
                for at in target.into_iter().chain(query) {
                    if visited.insert(at.clone())
                        && let Some(node) = sources.at(&at.file, &at.pointer)
                    {
                        pending.push((at.file.clone(), node));
                        if at.is_schema() {
                            used.insert(at);
                        }
                    }
                }
                pending.extend(map.values().map(|value| (file.clone(), value)));
            }
            Value::Array(list) => pending.extend(list.iter().map(|value| (file.clone(), value))),
            _ => {}
        }
    }
    let mut unused = BTreeSet::new();
    for file in sources.names() {
        for (name, _) in bundle::members(sources.tree(file), "/components/schemas") {
            let at = NodeRef { file: file.to_owned(), pointer: join("/components/schemas", name) };
            if !used.contains(&at) {
                unused.insert(at);
            }
        }
    }
    unused
}

/// Returns the prefix of the schemas below a schema: `ThreatsAddNoteData` belongs to `ThreatsAddNoteRequest`.
fn nested_prefix(name: &str) -> &str {
    name.strip_suffix("Request").unwrap_or(name)
}
