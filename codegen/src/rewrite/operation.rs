//! Writes an operation that is new.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;
use serde_json::{Map, Value, json};

use super::author::{Author, NO_SELECTION, Way, bare, form, singular, usable};
use super::locate::{At, schema};
use super::style;
use crate::bundle::{METHODS, ROOT, members};
use crate::lint::braces;
use crate::sources::{Position, Sources, join};
use crate::surface::Key;

/// An operation that is new, with everything that is settled about it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOperation {
    /// Method and path, as the surface has them.
    pub key: Key,
    /// The path as the index will have it: `/tags/{tag_id}`.
    pub path: String,
    /// Its identifier: `tags_list`.
    pub id: String,
    /// The file of its resource: `tags.yaml`.
    pub file: String,
    /// The operation as OpenAPI 3.0, with all references written out.
    pub node: Value,
    /// What the document calls it.
    pub reference: String,
    /// The month of the document: `2024-03`.
    pub date: String,
}

/// What was written.
pub(super) struct Added {
    pub(super) at: String,
    pub(super) notes: Vec<String>,
    pub(super) undescribed: Vec<String>,
}

/// The shared parameters of `openapi.yaml`.
const SHARED: [(&str, &str); 6] = [
    ("limit", "Limit"),
    ("skip", "Skip"),
    ("cursor", "Cursor"),
    ("countOnly", "CountOnly"),
    ("skipCount", "SkipCount"),
    ("sortOrder", "SortOrder"),
];

/// A filter is a parameter's source only if it has more fields than chance gives.
const MANY: usize = 5;

/// What the things of a file are called, one of them.
pub(super) fn subject(file: &str) -> String {
    singular(file.trim_end_matches(".yaml")).to_upper_camel_case()
}

/// A query parameter as an operation declares it.
pub(super) fn parameter(
    sources: &Sources,
    author: &mut Author<'_>,
    schema_name: &str,
    name: &str,
    node: &Value,
    required: bool,
) -> Result<Value, String> {
    // A query has no null.
    let mut schema = node.get("schema").unwrap_or(node).clone();
    if let Some(map) = schema.as_object_mut() {
        map.remove("nullable");
    }
    let schema = &schema;
    if let Some((_, shared)) = SHARED.iter().find(|(known, _)| *known == name) {
        let at = format!("/components/parameters/{shared}");
        let known = sources.at(ROOT, &at);
        let same = known.is_some_and(|known| {
            known["required"] != true
                && form(sources, ROOT, &known["schema"], Way::Sent, 0) == Some(bare(schema, Way::Sent))
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
    let mut inner = author.schema(schema_name, schema, Way::Sent)?;
    if let Some(map) = inner.as_object_mut() {
        map.remove("deprecated");
    }
    if inner["type"] == "array" {
        written["style"] = json!("form");
        written["explode"] = json!(false);
    }
    written["schema"] = inner;
    written["description"] = json!(author.describe(&format!("parameter {name}"), name));
    author.selecting(name, &mut written);
    Ok(written)
}

/// A member of an answer that is the same everywhere.
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

/// What an operation answers with.
enum Data<'a> {
    /// A list of things.
    List(&'a Value),
    /// A list within an object, by name.
    Inner(&'a str, &'a Value, &'a Value),
    One(&'a Value),
    Bytes(&'a str),
    Nothing,
}

/// Adds an operation; on refusal the sources may be half changed.
pub(super) fn add(sources: &mut Sources, new: &NewOperation) -> Result<Added, String> {
    let failed = |error: crate::Error| error.to_string();
    let tag = new.file.trim_end_matches(".yaml").replace('-', "_");
    if !new.id.starts_with(&format!("{tag}_")) {
        return Err(format!("the identifier {} does not start with {tag}_", new.id));
    }
    if Key::new(&new.key.method, &new.path) != new.key {
        return Err(format!("{} is not the path of {}", new.path, new.key));
    }
    let map = super::Map::of(sources);
    if map.nodes.contains_key(&new.key) {
        return Err("it is there already".into());
    }
    let same_id = map.nodes.values().any(|at| {
        sources.at(&at.file, &at.pointer).is_some_and(|node| node["operationId"] == new.id.as_str())
    });
    if same_id {
        return Err(format!("another operation is called {}", new.id));
    }
    let mut author = Author::new(sources, &new.file, &new.date);
    let writer = Writer { sources, new, tag: &tag };
    let (node, main) = writer.operation(&mut author)?;
    let listed = members(sources.tree(ROOT), "/paths")
        .find(|(path, _)| {
            let method = &new.key.method;
            Key::new(method, path) == new.key
        })
        .map(|(path, item)| (path.clone(), item["$ref"].as_str().unwrap_or_default().to_owned()));
    let at = match &listed {
        Some((path, target)) => {
            let item = super::locate::resolve(sources, ROOT, target).ok_or("the index leads nowhere")?;
            if item.file != new.file {
                return Err(format!("{path} is in {} and not in {}", item.file, new.file));
            }
            if braces(path).ne(braces(&new.path)) {
                return Err(format!("the index calls the path {path}"));
            }
            let order = |method: &str| METHODS.iter().position(|one| *one == method);
            let methods = sources.keys(&item.file, &item.pointer);
            let last = methods.into_iter().rfind(|method| order(method) < order(&new.key.method));
            sources
                .put_at(&item.file, &item.pointer, &new.key.method, &node, Position::After(last.as_deref()))
                .map_err(failed)?;
            item.below(&new.key.method)
        }
        None => {
            let item = json!({ new.key.method.as_str(): node });
            if sources.text(&new.file).is_empty() {
                create(sources, new, &tag, &item).map_err(failed)?;
            } else {
                let paths = sources.keys(&new.file, "/paths");
                let last = paths.iter().rfind(|path| !path.starts_with("/v2.0/")).or(paths.last());
                let position = Position::After(last.map(String::as_str));
                sources.put_at(&new.file, "/paths", &new.path, &item, position).map_err(failed)?;
            }
            list(sources, new).map_err(failed)?;
            At { file: new.file.clone(), pointer: join(&join("/paths", &new.path), &new.key.method) }
        }
    };
    author.flush(sources, main.as_deref()).map_err(failed)?;
    let Author { undescribed, notes, .. } = author;
    Ok(Added { at: at.to_string(), notes, undescribed })
}

/// A new file for a resource that has none, and its tag.
fn create(sources: &mut Sources, new: &NewOperation, tag: &str, item: &Value) -> crate::Result<()> {
    let words = tag.replace('_', " ");
    let title: String =
        words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect();
    let source = format!("known by name alone, from the vendor's document of {}.", new.date);
    let paths = style::entry("paths", &json!({ new.path.as_str(): item }), 0, false);
    sources.create(&new.file, format!("# {title}: {source}\n\n{paths}"))?;
    let tags = sources.at(ROOT, "/tags").and_then(Value::as_array);
    if tags.is_some_and(|tags| !tags.iter().any(|one| one["name"] == tag)) {
        let description = format!("{title}; {source}");
        sources.push(ROOT, "/tags", &json!({ "name": tag, "description": description }))?;
    }
    Ok(())
}

/// The line of the index: with the others of its file, or behind all of the same version.
fn list(sources: &mut Sources, new: &NewOperation) -> crate::Result<()> {
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

struct Writer<'a> {
    sources: &'a Sources,
    new: &'a NewOperation,
    tag: &'a str,
}

impl<'a> Writer<'a> {
    /// The operation, and the schema that new ones stand behind.
    fn operation(&self, author: &mut Author<'_>) -> Result<(Value, Option<String>), String> {
        let new = self.new;
        let data = self.data()?;
        author.fields = self.fields(&data);
        let item = self.item();
        let (answer, answered) = self.answer(author, &data, &item)?;
        let mut node = json!({ "operationId": new.id, "tags": [self.tag] });
        let title = new.id[self.tag.len() + 1..].replace('_', " ");
        let things = self.tag.replace('_', " ");
        let words = match title.contains(' ') {
            true => format!("{title} ({things})"),
            false if new.path.ends_with('}') => format!("{title} {}", singular(&things)),
            false => format!("{title} {things}"),
        };
        node["summary"] = json!(capital(&words));
        node["description"] = json!(author.describe(&new.id, &words));

        let mut parameters = self.path_parameters(author)?;
        let (of_query, query, selects) = self.query_parameters(author, &item)?;
        parameters.extend(of_query);
        if !parameters.is_empty() {
            node["parameters"] = Value::Array(parameters);
        }
        let body = self.body(author, &item)?;
        if let Some((reference, _)) = &body {
            let content = json!({ "application/json": { "schema": reference } });
            node["requestBody"] = json!({ "required": true, "content": content });
        }
        let mut responses = Map::new();
        responses.insert(answer.0.to_owned(), answer.1);
        for (status, _) in members(&new.node, "/responses") {
            if status.starts_with('2') {
                continue;
            }
            match super::answer(status) {
                Some(reference) => drop(responses.insert(status.clone(), reference)),
                None => author.notes.push(format!("status {status} is left out: there is no shared answer")),
            }
        }
        node["responses"] = Value::Object(responses);

        let has_filter = body.as_ref().is_some_and(|(_, body)| body["properties"].get("filter").is_some());
        node["x-s1"] = self.facts(&data, query.as_deref(), selects, has_filter, answered.as_deref());
        Ok((node, answered))
    }

    fn facts(
        &self,
        data: &Data<'_>,
        query: Option<&str>,
        selects: bool,
        has_filter: bool,
        answered: Option<&str>,
    ) -> Value {
        let new = self.new;
        let read = new.key.method == "get";
        let filter = match (read, has_filter, selects) {
            (false, true, _) => "mandatory",
            (true, true, _) | (true, _, true) => "optional",
            _ => "none",
        };
        let paged = matches!(data, Data::List(_) | Data::Inner(..)) && self.parameter("cursor").is_some();
        let mut facts = json!({
            "versions": ["2.1"],
            "permission": null,
            "kind": if read { "read" } else { "action" },
            "idempotent": new.key.method != "post",
            "destructive": !read,
            "filter": filter,
            "rate": null,
            "paging": if paged { "cursor" } else { "none" },
            "evidence": [
                { "source": "vendor-document", "date": new.date, "ref": new.reference },
                {
                    "source": "inference",
                    "date": new.date,
                    "ref": new.reference,
                    "note": "Facts inferred from method and shape; an action counts as destructive until someone knows better.",
                },
            ],
            "sandbox": self.sandbox(data, has_filter, answered),
        });
        if read {
            facts["evidence"][1]["note"] = json!("Facts inferred from method and shape.");
        }
        if let Data::Inner(list, ..) = data {
            facts["items"] = json!(list);
        }
        if let Some(query) = query {
            facts["query"] = json!(query);
        }
        facts
    }

    /// How the sandbox can play it, as far as method and shape tell.
    fn sandbox(&self, data: &Data<'_>, has_filter: bool, answered: Option<&str>) -> Value {
        let last = braces(&self.new.path).last();
        let one = last.filter(|name| self.new.path.ends_with(&format!("{{{name}}}")));
        let mut plan = json!({ "collection": self.tag });
        if let Some(name) = one {
            plan["where"] = json!({ "id": format!("$path.{name}") });
        }
        if let Data::Inner(list, ..) = data {
            plan["list"] = json!(list);
        }
        let answer = match answered {
            Some("SuccessFlag") => Some(json!({ "success": true })),
            Some("Affected") | None => None,
            Some(_) => Some(json!("$shown")),
        };
        let sent = self.request_schema().map(|body| &body["properties"]["data"]);
        let fields = sent.map(|sent| members(sent, "/properties").map(|(name, _)| name.clone()).collect());
        let fields: Vec<String> = fields.unwrap_or_default();
        match self.new.key.method.as_str() {
            "get" => return plan,
            "delete" => plan["delete"] = json!(true),
            "put" if one.is_some() || has_filter => {
                let set = fields.iter().map(|name| (name.clone(), json!(format!("$body.data.{name}"))));
                let set: Map<String, Value> = set.collect();
                if !set.is_empty() {
                    plan["set"] = Value::Object(set);
                }
            }
            "post" if one.is_none() && !has_filter => {
                let fields = fields.iter().filter(|name| *name != "id");
                let mut item: Map<String, Value> =
                    fields.map(|name| (name.clone(), json!(format!("$body.data.{name}")))).collect();
                item.insert("id".into(), json!("$newId"));
                plan = json!({ "create": { "collection": self.tag, "item": item } });
                if answered.is_some_and(|name| !matches!(name, "SuccessFlag" | "Affected")) {
                    plan["answer"] = json!("$created");
                    return plan;
                }
            }
            _ => {}
        }
        if let Some(answer) = answer.filter(|answer| *answer != "$shown" || plan.get("delete").is_none()) {
            plan["answer"] = answer;
        }
        plan
    }

    /// What one thing of the path is called.
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

    fn parameters(&self, place: &'static str) -> impl Iterator<Item = &'a Value> {
        let all = self.new.node["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }

    fn parameter(&self, name: &str) -> Option<&'a Value> {
        self.parameters("query").find(|parameter| parameter["name"] == name)
    }

    fn path_parameters(&self, author: &mut Author<'_>) -> Result<Vec<Value>, String> {
        let declared: Vec<&Value> = self.parameters("path").collect();
        let names: Vec<&str> = braces(&self.new.path).collect();
        if declared.len() != names.len() {
            return Err(format!(
                "{} has {} parameters, the document {}",
                self.new.path,
                names.len(),
                declared.len()
            ));
        }
        let by_name = names.iter().all(|name| declared.iter().any(|one| one["name"] == *name));
        let mut written = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let found = match by_name {
                true => declared.iter().find(|one| one["name"] == *name),
                false => declared.get(index),
            };
            let schema = found.map_or(&Value::Null, |one| &one["schema"]);
            let inner = author.schema(
                &format!("{}{}", self.item(), name.to_upper_camel_case()),
                schema,
                Way::Sent,
            )?;
            let description = author.describe(&format!("{} parameter {name}", self.new.id), name);
            written.push(json!({
                "name": name, "in": "path", "required": true, "schema": inner, "description": description,
            }));
        }
        Ok(written)
    }

    /// The query parameters that the operation declares itself, the filter whose fields are the others, and
    /// whether anything selects.
    fn query_parameters(
        &self,
        author: &mut Author<'_>,
        item: &str,
    ) -> Result<(Vec<Value>, Option<String>, bool), String> {
        let all: Vec<&Value> = self.parameters("query").collect();
        let query = self.query(&all);
        let fields: BTreeSet<&String> = query
            .as_deref()
            .and_then(|name| schema(self.sources, name))
            .and_then(|at| self.sources.at(&at.file, &at.pointer))
            .map(|filter| members(filter, "/properties").map(|(name, _)| name).collect())
            .unwrap_or_default();
        let mut written = Vec::new();
        let mut selects = query.is_some();
        for node in all {
            let name = node["name"].as_str().ok_or("a parameter has no name")?;
            selects |= !NO_SELECTION.contains(&name);
            if fields.contains(&name.to_owned()) {
                continue;
            }
            let schema_name = match name {
                "sortBy" => format!("{item}SortField"),
                _ => format!("{item}{}", singular(name).to_upper_camel_case()),
            };
            let required = node["required"] == true;
            written.push(parameter(self.sources, author, &schema_name, name, node, required)?);
        }
        Ok((written, query, selects))
    }

    /// The filter all of whose fields are query parameters here.
    fn query(&self, all: &[&Value]) -> Option<String> {
        let mut best: Option<(usize, String)> = None;
        for file in self.sources.names() {
            for (name, filter) in members(self.sources.tree(file), "/components/schemas") {
                let named = |name: &String| all.iter().any(|one| one["name"] == name.as_str());
                if filter["x-s1"]["filter"] != true
                    || !members(filter, "/properties").all(|(name, _)| named(name))
                {
                    continue;
                }
                let same = |(name, property): (&String, &Value)| {
                    let found =
                        all.iter().find(|one| one["name"] == name.as_str() && one["required"] != true);
                    let wanted = found.map(|one| {
                        let mut schema = bare(&one["schema"], Way::Sent);
                        schema.as_object_mut().and_then(|map| map.remove("nullable"));
                        schema
                    });
                    wanted.is_some() && form(self.sources, file, property, Way::Sent, 0) == wanted
                };
                let many = members(filter, "/properties").count();
                let better = best.as_ref().is_none_or(|(most, _)| many > *most);
                if many >= MANY && better && members(filter, "/properties").all(same) {
                    best = Some((many, name.clone()));
                }
            }
        }
        best.map(|(_, name)| name)
    }

    fn request_schema(&self) -> Option<&'a Value> {
        self.new.node.pointer("/requestBody/content/application~1json/schema")
    }

    fn body(&self, author: &mut Author<'_>, item: &str) -> Result<Option<(Value, &'a Value)>, String> {
        if self.new.node["requestBody"].is_null() {
            return Ok(None);
        }
        let body = self.request_schema().ok_or("the body is not JSON")?;
        let has_fields = |node: &Value| node["properties"].as_object().is_some_and(|map| !map.is_empty());
        if !has_fields(body) {
            return Err("the body says nothing about its fields, and a body is a named schema".into());
        }
        if let Some(filter) = body["properties"].get("filter") {
            if !has_fields(filter) {
                return Err("the filter of the body says nothing about its fields".into());
            }
            // It gets its name before the body, which then finds it.
            if author.filter_of(filter).is_none() {
                let common = format!("{}Filter", subject(&self.new.file));
                let name = if author.is_taken(&common) { format!("{item}Filter") } else { common };
                author.named(&name, filter, Way::Sent, true)?;
            }
        }
        let verb = self.new.id[self.tag.len() + 1..].to_upper_camel_case();
        let subject = subject(&self.new.file);
        let name = format!("{subject}{verb}");
        let mut plain = body.clone();
        let filter = plain["properties"].as_object_mut().and_then(|map| map.remove("filter"));
        let Some(filter) = filter else {
            return Ok(Some((author.named(&name, body, Way::Sent, false)?, body)));
        };
        let reference = author.body(&name, &plain, &filter)?;
        Ok(Some((reference, body)))
    }

    fn success(&self) -> Result<(&'a str, &'a Value), String> {
        let mut all = members(&self.new.node, "/responses");
        let found = all.find(|(status, _)| status.starts_with('2'));
        found
            .map(|(status, answer)| (status.as_str(), answer))
            .ok_or_else(|| "it has no successful answer".into())
    }

    /// What the answer holds, if it has one of the known forms.
    fn data(&self) -> Result<Data<'a>, String> {
        let (_, answer) = self.success()?;
        let Some(content) = answer["content"].as_object().filter(|content| !content.is_empty()) else {
            return Ok(Data::Nothing);
        };
        let Some(json) = content.get("application/json") else {
            return Ok(content.keys().next().map_or(Data::Nothing, |media| Data::Bytes(media)));
        };
        let schema = &json["schema"];
        if let Some((name, _)) = members(schema, "/properties")
            .find(|(name, _)| !["data", "pagination", "errors"].contains(&name.as_str()))
        {
            return Err(format!(
                "the answer has a member {name}; an envelope has data, pagination and errors"
            ));
        }
        let has_fields = |node: &Value| node["properties"].as_object().is_some_and(|map| !map.is_empty());
        let data = &schema["properties"]["data"];
        if data["items"].is_object() || data["type"] == "array" {
            return match has_fields(&data["items"]) || is_words(&data["items"]) {
                true => Ok(Data::List(&data["items"])),
                false => Err("the answer lists things of which nobody says what fields they have".into()),
            };
        }
        if !has_fields(data) {
            return Err("the answer is neither {data: [T]} nor {data: T} with the fields of T".into());
        }
        let mut lists = members(data, "/properties").filter(|(_, node)| has_fields(&node["items"]));
        match (lists.next(), lists.next()) {
            (Some((name, list)), None) if self.parameter("cursor").is_some() => {
                Ok(Data::Inner(name, data, &list["items"]))
            }
            _ => Ok(Data::One(data)),
        }
    }

    /// The fields of the thing that the operation is about.
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

    /// The status and the answer, and the name of the schema of what it holds.
    fn answer(
        &self,
        author: &mut Author<'_>,
        data: &Data<'_>,
        item: &str,
    ) -> Result<((&'a str, Value), Option<String>), String> {
        let (status, node) = self.success()?;
        let name = |reference: &Value| {
            let target = reference["$ref"].as_str().unwrap_or_default();
            target.rsplit('/').next().map(str::to_owned)
        };
        let (data, name) = match data {
            Data::Nothing => return Ok(((status, json!({ "description": "The answer." })), None)),
            Data::Bytes(media) => {
                let schema = json!({ "type": "string", "format": "binary" });
                let content = json!({ *media: { "schema": schema } });
                return Ok(((status, json!({ "description": "The answer.", "content": content })), None));
            }
            Data::List(thing) => {
                let reference = author.named(item, thing, Way::Read, false)?;
                let name = name(&reference);
                (json!({ "type": "array", "items": reference }), name)
            }
            Data::Inner(_, data, thing) => {
                // The thing gets the shorter name.
                let thing = author.named(item, thing, Way::Read, false)?;
                let page = author.named(&format!("{item}Page"), data, Way::Read, false)?;
                (page, name(&thing))
            }
            Data::One(data) => {
                let last_names_it = self.new.path.ends_with('}') || self.new.key.method == "post";
                let own = match author.is_taken(item) || !last_names_it {
                    true => format!(
                        "{}{}Result",
                        subject(&self.new.file),
                        self.new.id[self.tag.len() + 1..].to_upper_camel_case()
                    ),
                    false => item.to_owned(),
                };
                // A thing that is there already is found by its fields.
                let reference = author.named(&own, data, Way::Read, false)?;
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
        Ok(((status, json!({ "description": "The answer.", "content": content })), name))
    }
}

/// Whether a list is one of words that an enum can list.
fn is_words(node: &Value) -> bool {
    let values = node["enum"].as_array();
    values.is_some_and(|values| usable(&values.iter().collect::<Vec<_>>()).is_ok())
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
