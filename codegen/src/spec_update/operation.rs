//! Writes new operations.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};

use super::locate::schema;
use super::schema_writer::{Direction, NOT_SELECTIVE, SchemaWriter, normalize, normalize_resolved, singular};
use super::shared_responses::shared_response;
use crate::bundle::{DATA_LAKE, FORM, JSON, ROOT, members};
use crate::dialect::{ANY_MEDIA, has_properties, is_envelope, is_filter};
use crate::lint::braces;
use crate::surface::Key;
use crate::yaml_editor::Sources;

/// A new operation.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOperation {
    /// Method and path.
    pub key: Key,
    /// Path in the index, for example `/tags/{tag_id}`.
    pub path: String,
    /// `operationId`, for example `tags_list`.
    pub id: String,
    /// File of its resource, for example `tags.yaml`.
    pub file: String,
    /// Operation object in OpenAPI 3.0, with all references resolved.
    pub node: Value,
    /// ID of the operation in the document.
    pub reference: String,
    /// Month of the document, for example `2024-03`.
    pub date: String,
}

/// Shared parameters of `openapi.yaml`.
const SHARED_PARAMETERS: [(&str, &str); 6] = [
    ("limit", "Limit"),
    ("skip", "Skip"),
    ("cursor", "Cursor"),
    ("countOnly", "CountOnly"),
    ("skipCount", "SkipCount"),
    ("sortOrder", "SortOrder"),
];

/// Minimum number of fields of a filter that is used as `x-s1.query`. A smaller filter may match by chance.
const MIN_FILTER_FIELDS: usize = 5;

/// Minimum number of conditions for which a new operation gets a filter schema.
const NEW_FILTER_FIELDS: usize = 8;

/// Returns the schema name of an item of a resource file.
pub(super) fn subject(file: &str) -> String {
    singular(file.trim_end_matches(".yaml")).to_upper_camel_case()
}

/// Returns the declaration of a query parameter.
pub(super) fn parameter(
    sources: &Sources,
    schemas: &mut SchemaWriter<'_>,
    schema_name: &str,
    name: &str,
    node: &Value,
    required: bool,
) -> Result<Value, String> {
    // A query parameter cannot be null.
    let mut schema = node.get("schema").unwrap_or(node).clone();
    if let Some(map) = schema.as_object_mut() {
        map.remove("nullable");
    }
    let schema = &schema;
    if let Some((_, shared)) = SHARED_PARAMETERS.iter().find(|(shared, _)| *shared == name) {
        let at = format!("/components/parameters/{shared}");
        let declared = sources.at(ROOT, &at);
        let same = declared.is_some_and(|declared| {
            declared["required"] != true
                && normalize_resolved(sources, ROOT, &declared["schema"], Direction::Request, 0)
                    == Some(normalize(schema, Direction::Request))
        });
        if same && !required && node["deprecated"] != true {
            return Ok(json!({ "$ref": format!("{ROOT}#{at}") }));
        }
    }
    let mut written = json!({ "name": name, "in": "query" });
    if required {
        written["required"] = json!(true);
    }
    if node["deprecated"] == true {
        written["deprecated"] = json!(true);
    }
    let mut inner = schemas.schema(schema_name, schema, Direction::Request)?;
    if let Some(map) = inner.as_object_mut() {
        map.remove("deprecated");
    }
    if inner["type"] == "array" {
        written["style"] = json!("form");
        written["explode"] = json!(false);
    }
    written["schema"] = inner;
    written["description"] = json!(schemas.describe(&format!("parameter {name}"), name));
    schemas.add_filter_metadata(name, &mut written);
    Ok(written)
}

/// Returns the end of an operation that the document only marks as deprecated.
pub(super) fn end(date: &str) -> Value {
    json!({ "source": format!("deprecated in the vendor document of {date}, without a date") })
}

/// Returns a response member that is equal in all operations.
pub(super) fn envelope_member(name: &str) -> Value {
    match name {
        "pagination" => json!({ "$ref": "openapi.yaml#/components/schemas/Pagination" }),
        _ => json!({
            "type": "array",
            "nullable": true,
            "items": { "$ref": "openapi.yaml#/components/schemas/ErrorEntry" },
        }),
    }
}

/// The `data` of a response.
enum Data<'a> {
    /// List of items.
    List(&'a Value),
    /// List inside an object: list name, object, item.
    Inner(&'a str, &'a Value, &'a Value),
    One(&'a Value),
    /// A response without an envelope.
    Json(&'a Value),
    Bytes(&'a str),
    Empty,
    /// The document does not state the media type and the schema.
    Undocumented,
}

/// Writes the operation object of a new operation.
pub(super) struct OperationWriter<'a> {
    pub(super) sources: &'a Sources,
    pub(super) new: &'a NewOperation,
    /// Tag of the operation.
    pub(super) tag: &'a str,
}

impl<'a> OperationWriter<'a> {
    /// Returns the operation object, and the name of the schema that new schemas follow.
    pub(super) fn operation(
        &self,
        schemas: &mut SchemaWriter<'_>,
    ) -> Result<(Value, Option<String>), String> {
        let new = self.new;
        let data = self.data()?;
        schemas.fields = self.fields(&data);
        let item = self.item();
        let (mut response, data_schema) = self.response(schemas, &data, &item)?;
        if let Some(headers) = self.response_headers(schemas, response.0)? {
            response.1["headers"] = headers;
        }
        let mut node = json!({ "operationId": new.id, "tags": [self.tag] });
        let title = new.id[self.tag.len() + 1..].replace('_', " ");
        let resource = self.tag.replace('_', " ");
        let summary = match title.contains(' ') {
            true => format!("{title} ({resource})"),
            false if new.path.ends_with('}') => format!("{title} {}", singular(&resource)),
            false => format!("{title} {resource}"),
        };
        node["summary"] = json!(capitalize(&summary));
        node["description"] = json!(schemas.describe(&new.id, &summary));
        if new.node["deprecated"] == true {
            node["deprecated"] = json!(true);
        }

        let mut parameters = self.path_parameters(schemas)?;
        let (query_parameters, query, selective) = self.query_parameters(schemas, &item)?;
        parameters.extend(query_parameters);
        parameters.extend(self.header_parameters(schemas)?);
        if !parameters.is_empty() {
            node["parameters"] = Value::Array(parameters);
        }
        let body = self.body(schemas, &item)?;
        if let Some((media, reference, _)) = &body {
            let content = json!({ *media: { "schema": reference } });
            node["requestBody"] = json!({ "required": true, "content": content });
        }
        let mut responses = Map::new();
        let success = response.1;
        responses.insert(response.0.to_owned(), success.clone());
        for (status, _) in members(&new.node, "/responses") {
            if status == response.0 {
                continue;
            }
            let declared = |status: &str| &self.new.node["responses"][status]["content"];
            if status.starts_with('2') && declared(status) == declared(response.0) {
                responses.insert(status.clone(), success.clone());
                continue;
            }
            match shared_response(status) {
                Some(reference) => drop(responses.insert(status.clone(), reference)),
                None => schemas
                    .notes
                    .push(format!("status {status} is omitted: it has no shared response in openapi.yaml")),
            }
        }
        node["responses"] = Value::Object(responses);

        let has_filter =
            body.as_ref().is_some_and(|(_, _, body)| body["properties"].get("filter").is_some_and(is_filter));
        if new.path.starts_with(DATA_LAKE) {
            node["security"] = json!([{ "Bearer": [] }]);
        }
        node["x-s1"] = self.metadata(&data, query.as_deref(), selective, has_filter);
        Ok((node, data_schema))
    }

    fn metadata(&self, data: &Data<'_>, query: Option<&str>, selective: bool, has_filter: bool) -> Value {
        let new = self.new;
        let read = new.key.method == "get";
        let filter = match (read, has_filter || query.is_some(), selective) {
            (false, true, _) => "required",
            (true, true, _) | (true, _, true) => "optional",
            _ => "none",
        };
        let paged = matches!(data, Data::List(_) | Data::Inner(..)) && self.parameter("cursor").is_some();
        let mut metadata = json!({
            "tier": "documented",
            "versions": ["2.1"],
            "kind": if read { "read" } else { "action" },
            "idempotent": new.key.method != "post",
            "destructive": !read,
            "filter": filter,
            "rateLimit": null,
            "paging": if paged { "cursor" } else { "none" },
            "evidence": [
                { "source": "vendor-document", "date": new.date, "ref": new.reference },
                {
                    "source": "inference",
                    "date": new.date,
                    "ref": new.reference,
                    "note": "Facts inferred from method and schema. An action is marked as destructive until it is reviewed.",
                },
            ],
        });
        if new.node["deprecated"] == true {
            metadata["end"] = end(&new.date);
        }
        if let Some(permissions) = new.node.pointer("/x-s1/permissions") {
            metadata["permissions"] = permissions.clone();
        }
        if read {
            metadata["evidence"][1]["note"] = json!("Facts inferred from method and schema.");
        }
        if new.path.starts_with(DATA_LAKE)
            && let Some(evidence) = metadata["evidence"].as_array_mut()
        {
            evidence.push(json!({
                "source": "inference",
                "date": new.date,
                "ref": new.reference,
                "note": "The document states the scheme ApiToken. Published clients send Bearer for these paths.",
            }));
        }
        if let Data::Inner(list, ..) = data {
            metadata["items"] = json!(list);
        }
        if let Some(query) = query {
            metadata["query"] = json!(query);
        }
        metadata
    }

    /// Returns the schema name of an item of the path.
    fn item(&self) -> String {
        let subject = subject(&self.new.file);
        let segments: Vec<&str> =
            self.new.path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{')).collect();
        match segments.as_slice() {
            [] | [_] => subject,
            [.., last] => {
                let last = singular(last).to_upper_camel_case();
                if last == subject { subject } else { format!("{subject}{last}") }
            }
        }
    }

    fn parameters(&self, part: &'static str) -> impl Iterator<Item = &'a Value> {
        let all = self.new.node["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == part)
    }

    fn parameter(&self, name: &str) -> Option<&'a Value> {
        self.parameters("query").find(|parameter| parameter["name"] == name)
    }

    fn path_parameters(&self, schemas: &mut SchemaWriter<'_>) -> Result<Vec<Value>, String> {
        let declared: Vec<&Value> = self.parameters("path").collect();
        let names: Vec<&str> = braces(&self.new.path).collect();
        if declared.len() > names.len() {
            return Err(format!(
                "{} has {} path parameters, the document has {}",
                self.new.path,
                names.len(),
                declared.len()
            ));
        }
        if declared.len() < names.len() {
            schemas.notes.push("the document does not declare all path parameters".to_owned());
        }
        let by_name = names.iter().all(|name| declared.iter().any(|one| one["name"] == *name));
        let mut written = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let found = match by_name {
                true => declared.iter().find(|one| one["name"] == *name),
                false => declared.get(index),
            };
            let text = json!({ "type": "string" });
            let schema = found.map_or(&text, |one| &one["schema"]);
            let inner = schemas.schema(
                &format!("{}{}", self.item(), name.to_upper_camel_case()),
                schema,
                Direction::Request,
            )?;
            let description = schemas.describe(&format!("{} parameter {name}", self.new.id), name);
            written.push(json!({
                "name": name, "in": "path", "required": true, "schema": inner, "description": description,
            }));
        }
        Ok(written)
    }

    /// Returns the declared query parameters, the filter whose fields are the other parameters, and whether a
    /// parameter is selective.
    fn query_parameters(
        &self,
        schemas: &mut SchemaWriter<'_>,
        item: &str,
    ) -> Result<(Vec<Value>, Option<String>, bool), String> {
        let all: Vec<&Value> = self.parameters("query").collect();
        let (query, fields) = match self.query(&all) {
            Some(name) => {
                let at = schema(self.sources, &name);
                let filter = at.and_then(|at| self.sources.at(&at.file, &at.pointer));
                let fields =
                    filter.map(|filter| members(filter, "/properties").map(|(name, _)| name.clone()));
                (Some(name), fields.into_iter().flatten().collect())
            }
            None => self.new_query(schemas, item, &all)?,
        };
        let mut written = Vec::new();
        let mut selective = query.is_some();
        for node in all {
            let name = node["name"].as_str().ok_or("a parameter has no name")?;
            selective |= !NOT_SELECTIVE.contains(&name);
            if fields.contains(name) {
                continue;
            }
            let schema_name = match name {
                "sortBy" => format!("{item}SortField"),
                _ => format!("{item}{}", singular(name).to_upper_camel_case()),
            };
            let required = node["required"] == true;
            written.push(parameter(self.sources, schemas, &schema_name, name, node, required)?);
        }
        Ok((written, query, selective))
    }

    /// Returns a new filter schema of the optional conditions, and its fields; `None` if there are only a few. Other
    /// operations with the same parameters use it too.
    fn new_query(
        &self,
        schemas: &mut SchemaWriter<'_>,
        item: &str,
        all: &[&Value],
    ) -> Result<(Option<String>, BTreeSet<String>), String> {
        let is_condition = |one: &&&Value| {
            one["required"] != true && one["name"].as_str().is_some_and(|name| !NOT_SELECTIVE.contains(&name))
        };
        let mut properties = Map::new();
        for one in all.iter().filter(is_condition) {
            let mut schema = one["schema"].clone();
            if let Some(map) = schema.as_object_mut() {
                map.remove("nullable");
            }
            properties.insert(one["name"].as_str().unwrap_or_default().to_owned(), schema);
        }
        if properties.len() < NEW_FILTER_FIELDS {
            return Ok((None, BTreeSet::new()));
        }
        let fields = properties.keys().cloned().collect();
        let filter = json!({ "type": "object", "properties": properties });
        let reference = schemas.named_schema(&format!("{item}Filter"), &filter, Direction::Request, true)?;
        let name = reference["$ref"].as_str().and_then(|target| target.rsplit('/').next());
        Ok((name.map(str::to_owned), fields))
    }

    /// Returns the filter schema whose fields are all query parameters of the operation.
    fn query(&self, all: &[&Value]) -> Option<String> {
        let mut best: Option<(usize, String)> = None;
        for file in self.sources.names() {
            for (name, filter) in members(self.sources.tree(file), "/components/schemas") {
                let is_parameter = |name: &String| all.iter().any(|one| one["name"] == name.as_str());
                if filter["x-s1"]["filter"] != true
                    || !members(filter, "/properties").all(|(name, _)| is_parameter(name))
                {
                    continue;
                }
                let same = |(name, property): (&String, &Value)| {
                    let found =
                        all.iter().find(|one| one["name"] == name.as_str() && one["required"] != true);
                    let expected = found.map(|one| {
                        let mut schema = normalize(&one["schema"], Direction::Request);
                        schema.as_object_mut().and_then(|map| map.remove("nullable"));
                        schema
                    });
                    expected.is_some()
                        && normalize_resolved(self.sources, file, property, Direction::Request, 0) == expected
                };
                let count = members(filter, "/properties").count();
                let better = best.as_ref().is_none_or(|(most, _)| count > *most);
                if count >= MIN_FILTER_FIELDS && better && members(filter, "/properties").all(same) {
                    best = Some((count, name.clone()));
                }
            }
        }
        best.map(|(_, name)| name)
    }

    /// Returns the headers of the request.
    fn header_parameters(&self, schemas: &mut SchemaWriter<'_>) -> Result<Vec<Value>, String> {
        let mut written = Vec::new();
        for one in self.parameters("header") {
            let name = one["name"].as_str().ok_or("a header has no name")?;
            let text = json!({ "type": "string" });
            let schema = Some(&one["schema"]).filter(|schema| schema.get("type").is_some()).unwrap_or(&text);
            let schema_name = format!("{}{}", self.item(), name.to_upper_camel_case());
            let mut node = json!({ "name": name, "in": "header" });
            if one["required"] == true {
                node["required"] = json!(true);
            }
            node["schema"] = schemas.schema(&schema_name, schema, Direction::Request)?;
            node["description"] = json!(schemas.describe(&format!("header {name}"), name));
            written.push(node);
        }
        Ok(written)
    }

    /// Returns media type and schema of the request body.
    fn request_schema(&self) -> Option<(&'static str, &'a Value)> {
        let content = &self.new.node["requestBody"]["content"];
        [JSON, FORM].into_iter().find_map(|media| Some((media, content.get(media)?.get("schema")?)))
    }

    /// Returns media type, reference and declared schema of the request body.
    fn body(
        &self,
        schemas: &mut SchemaWriter<'_>,
        item: &str,
    ) -> Result<Option<(&'static str, Value, &'a Value)>, String> {
        if self.new.node["requestBody"].is_null() {
            return Ok(None);
        }
        let (media, body) = self.request_schema().ok_or("the request body is neither JSON nor a form")?;
        if !has_properties(body) {
            return Err("the request body declares no fields".into());
        }
        if let Some(filter) = body["properties"].get("filter").filter(|filter| has_properties(filter)) {
            // The filter schema is written first, so that the body can reference it.
            if schemas.existing_filter(filter).is_none() {
                let common = format!("{}Filter", subject(&self.new.file));
                let name = if schemas.is_taken(&common) { format!("{item}Filter") } else { common };
                schemas.named_schema(&name, filter, Direction::Request, true)?;
            }
        }
        let name = format!("{}Request", self.new.id.to_upper_camel_case());
        let mut without_filter = body.clone();
        let filter = without_filter["properties"].as_object_mut().and_then(|map| map.remove("filter"));
        let Some(filter) = filter.filter(has_properties) else {
            let reference = schemas.named_schema(&name, body, Direction::Request, false)?;
            return Ok(Some((media, reference, body)));
        };
        let reference = schemas.body_with_filter(&name, &without_filter, &filter)?;
        Ok(Some((media, reference, body)))
    }

    fn success(&self) -> Option<(&'a str, &'a Value)> {
        let mut all = members(&self.new.node, "/responses");
        let (status, response) = all.find(|(status, _)| status.starts_with('2'))?;
        Some((status, response))
    }

    /// Returns the data of the success response.
    ///
    /// # Errors
    /// Returns an error if the form of the response is not supported.
    fn data(&self) -> Result<Data<'a>, String> {
        let Some((status, response)) = self.success() else { return Ok(Data::Undocumented) };
        let Some(content) = response["content"].as_object().filter(|content| !content.is_empty()) else {
            return Ok(if status == "204" { Data::Empty } else { Data::Undocumented });
        };
        let Some(json) = content.get("application/json") else {
            return Ok(content.keys().next().map_or(Data::Undocumented, |media| Data::Bytes(media)));
        };
        let schema = &json["schema"];
        if !is_envelope(schema) {
            return Ok(Data::Json(schema));
        }
        let data = &schema["properties"]["data"];
        if data["items"].is_object() || data["type"] == "array" {
            return Ok(Data::List(&data["items"]));
        }
        if !has_properties(data) {
            return Ok(Data::One(data));
        }
        let mut lists = members(data, "/properties").filter(|(_, node)| node["items"].is_object());
        match (lists.next(), lists.next()) {
            (Some((name, list)), None)
                if has_properties(&list["items"]) && self.parameter("cursor").is_some() =>
            {
                Ok(Data::Inner(name, data, &list["items"]))
            }
            _ => Ok(Data::One(data)),
        }
    }

    /// Returns the fields of the items that the operation reads or changes.
    fn fields(&self, data: &Data<'_>) -> BTreeSet<String> {
        let of = |node: &Value| members(node, "/properties").map(|(name, _)| name.clone()).collect();
        match data {
            Data::List(item) | Data::Inner(_, _, item) => of(item),
            _ => {
                let at = schema(self.sources, &subject(&self.new.file));
                let item = at.and_then(|at| self.sources.at(&at.file, &at.pointer));
                item.map(of).unwrap_or_default()
            }
        }
    }

    /// Returns the headers of a response.
    fn response_headers(
        &self,
        schemas: &mut SchemaWriter<'_>,
        status: &str,
    ) -> Result<Option<Value>, String> {
        let mut headers = Map::new();
        for (name, header) in members(&self.new.node["responses"][status], "/headers") {
            let schema_name = format!("{}{}", self.item(), name.to_upper_camel_case());
            let schema = schemas.schema(&schema_name, &header["schema"], Direction::Response)?;
            let description = schemas.describe(&format!("header {name}"), name);
            headers.insert(name.clone(), json!({ "description": description, "schema": schema }));
        }
        Ok(Some(Value::Object(headers)).filter(|headers| headers != &json!({})))
    }

    /// Returns status and response object of the success response, and the schema name of its data.
    fn response(
        &self,
        schemas: &mut SchemaWriter<'_>,
        data: &Data<'_>,
        item: &str,
    ) -> Result<((&'a str, Value), Option<String>), String> {
        let (status, node) = self.success().unwrap_or(("200", &Value::Null));
        let name = |reference: &Value| {
            let target = reference["$ref"].as_str().unwrap_or_default();
            target.rsplit('/').next().map(str::to_owned)
        };
        let (data, name) = match data {
            Data::Empty => return Ok(((status, json!({ "description": "The response." })), None)),
            Data::Bytes(media) => {
                let schema = json!({ "type": "string", "format": "binary" });
                let content = json!({ *media: { "schema": schema } });
                return Ok(((status, json!({ "description": "The response.", "content": content })), None));
            }
            Data::Undocumented => {
                schemas.notes.push("the form of the success response is not documented".to_owned());
                let content = json!({ ANY_MEDIA: { "schema": {} } });
                let description = "The form of the response is not documented.";
                return Ok(((status, json!({ "description": description, "content": content })), None));
            }
            Data::Json(schema) => {
                let result = format!("{}Result", self.new.id.to_upper_camel_case());
                let written = schemas.schema(&result, schema, Direction::Response)?;
                let name = name(&written);
                let content = json!({ "application/json": { "schema": written } });
                return Ok(((status, json!({ "description": "The response.", "content": content })), name));
            }
            Data::List(list_item) => {
                let written = match has_properties(list_item) {
                    true => schemas.named_schema(item, list_item, Direction::Response, false)?,
                    false => schemas.schema(item, list_item, Direction::Response)?,
                };
                let name = name(&written);
                (json!({ "type": "array", "items": written }), name)
            }
            Data::One(data) if !has_properties(data) => {
                let result = format!("{}Result", self.new.id.to_upper_camel_case());
                let written = schemas.schema(&result, data, Direction::Response)?;
                let name = name(&written);
                (written, name)
            }
            Data::Inner(_, data, list_item) => {
                // The item schema is written first, so that it gets the shorter name.
                let list_item = schemas.named_schema(item, list_item, Direction::Response, false)?;
                let page = schemas.named_schema(&format!("{item}Page"), data, Direction::Response, false)?;
                (page, name(&list_item))
            }
            Data::One(data) => {
                let returns_item = self.new.path.ends_with('}') || self.new.key.method == "post";
                let schema_name = match schemas.is_taken(item) || !returns_item {
                    true => format!("{}Result", self.new.id.to_upper_camel_case()),
                    false => item.to_owned(),
                };
                // `named_schema` uses an existing schema with the same fields.
                let reference = schemas.named_schema(&schema_name, data, Direction::Response, false)?;
                let name = name(&reference);
                (reference, name)
            }
        };
        let mut properties = Map::new();
        properties.insert("data".into(), data);
        let schema = node.pointer("/content/application~1json/schema/properties");
        for member in ["pagination", "errors"] {
            if schema.is_some_and(|schema| schema.get(member).is_some()) {
                properties.insert(member.into(), envelope_member(member));
            }
        }
        let schema = json!({ "type": "object", "properties": properties });
        let content = json!({ "application/json": { "schema": schema } });
        Ok(((status, json!({ "description": "The response.", "content": content })), name))
    }
}

pub(super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
