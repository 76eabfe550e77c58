//! Example exchanges of every operation, generated from the specification: `fixtures/<operation>/generated_*.json`.
//!
//! All values are invented. The output is deterministic: a value depends only on the operation and its location, so
//! a change of the specification changes only the values it concerns. Related values are consistent: an ID in a
//! request is the ID of the item in the response.

mod hash;
mod strings;
mod values;

pub use crate::fixture_names::owns;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bundle::{Bundle, Operation, members, reference};
use crate::dialect::{Envelope, envelope, has_properties, items};
use crate::files::Files;
use crate::fixture_names::PREFIX;
use crate::metadata::{self, FilterRequirement, Kind, OperationFacts, Paging, Tier};
use crate::{Error, Result};

use hash::hash;
use values::{ExampleVariant, ValueGenerator, ValueLocation};

/// Number of items on each page of a list with several pages.
const PAGE_SIZE: usize = 3;
/// Number of items of a list with several pages.
const TOTAL_ITEMS: usize = 7;

/// Returns all generated fixtures: path below `fixtures/`, mapped to the content.
///
/// # Errors
/// Returns an error if an operation has no `x-s1` metadata, or a response that is not supported.
pub fn all(bundle: &Bundle) -> Result<Files> {
    let mut files = Files::new();
    for operation in bundle.operations() {
        let id = operation.id();
        let facts = metadata::read_operation(operation.node)
            .map_err(|error| Error::Generator(format!("{id}: {error}")))?;
        let form = envelope(bundle, operation).map_err(Error::Generator)?;
        let example = Example { bundle, operation, facts: &facts, form };
        for (name, exchange) in example.all() {
            let mut text = serde_json::to_string_pretty(&exchange)
                .map_err(|error| Error::Generator(format!("{id}: {error}")))?;
            text.push('\n');
            files.insert(format!("{id}/{PREFIX}{name}.json"), text);
        }
    }
    Ok(files)
}

/// An exchange; the field order is the member order in the file.
#[derive(Serialize)]
struct Exchange {
    operation: String,
    request: Request,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_text: Option<String>,
    provenance: Provenance,
}

#[derive(Clone, Serialize)]
struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    query: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

#[derive(Serialize)]
struct Provenance {
    kind: &'static str,
    source: String,
    note: &'static str,
}

/// An operation whose fixtures are generated.
struct Example<'a> {
    bundle: &'a Bundle,
    operation: Operation<'a>,
    facts: &'a OperationFacts,
    form: Envelope<'a>,
}

impl<'a> Example<'a> {
    fn all(&self) -> Vec<(String, Exchange)> {
        let mut all = Vec::new();
        let base = self.request(None);
        let mut add = |name: &str, exchange| {
            // One exchange shows an operation that a program wrote. The other kinds are covered by properties.
            if self.facts.tier == Tier::Curated || name == "full" {
                all.push((name.to_owned(), exchange));
            }
        };
        match self.form {
            Envelope::Page(_) | Envelope::Data(_) | Envelope::Json(_) => {
                let response =
                    self.response(&[ExampleVariant::Full, ExampleVariant::Full], 0, pagination(None, 2));
                let note = "Every declared field of the response is present.";
                add("full", self.success(&base, response, note));
                let response =
                    self.response(&[ExampleVariant::Null, ExampleVariant::NullBelow], 0, pagination(None, 2));
                let note = "Every nullable field is null. In the second item, nullable objects are present with null fields.";
                add("null", self.success(&base, response, note));
            }
            Envelope::Binary | Envelope::Undocumented => add("full", self.binary(&base)),
            Envelope::Empty => {
                add("full", self.exchange(&base, self.success_status(), "A success with an empty body."))
            }
        }
        if self.facts.paging == Paging::Cursor {
            let (first, second) = (self.cursor("first"), self.cursor("second"));
            let request = self.request(Some(&first));
            let response = self.response(
                &[ExampleVariant::Partial; PAGE_SIZE],
                PAGE_SIZE,
                pagination(Some(&second), TOTAL_ITEMS),
            );
            add("middle_page", self.success(&request, response, "A page between two other pages."));
            let request = self.request(Some(&second));
            let response =
                self.response(&[ExampleVariant::Partial], 2 * PAGE_SIZE, pagination(None, TOTAL_ITEMS));
            add("last_page", self.success(&request, response, "The page after the middle page."));
        }
        if self.facts.kind == Kind::Action && matches!(self.form, Envelope::Page(_) | Envelope::Data(_)) {
            add("no_effect", self.success(&base, self.no_effect(), "A success without effect."));
        }
        for status in self.failures() {
            add(&format!("error_{status}"), self.failure(&base, status));
        }
        all
    }

    fn values(&self, variant: ExampleVariant) -> ValueGenerator<'a> {
        ValueGenerator::new(self.bundle, self.operation.id(), variant)
    }

    /// Returns the ID field of the operation's items, for example `threatId`.
    fn subject(&self) -> &'static str {
        let tag = self.operation.node["tags"][0].as_str().unwrap_or_default();
        // Lists whose items are not of the resource of their tag.
        match self.operation.id() {
            "threats_list_notes" => "noteId",
            "threats_list_timeline" => "eventId",
            "remote_scripts_list_tasks" => "taskId",
            _ => strings::subject(tag),
        }
    }

    fn success_status(&self) -> u16 {
        self.operation.success().and_then(|(status, _)| status.parse().ok()).unwrap_or(200)
    }

    /// Returns the declared error statuses, or 401 if none is declared.
    fn failures(&self) -> Vec<u16> {
        let statuses =
            members(self.operation.node, "/responses").filter_map(|(status, _)| status.parse().ok());
        let mut failures: Vec<u16> = statuses.filter(|status| *status >= 400).collect();
        if failures.is_empty() {
            failures.push(401);
        }
        failures
    }

    fn exchange(&self, request: &Request, status: u16, note: &'static str) -> Exchange {
        let file = match self.bundle.path_modules.get(self.operation.path).map(String::as_str) {
            None | Some("shared") => "openapi.yaml".to_owned(),
            Some(module) => format!("{}.yaml", module.replace('_', "-")),
        };
        Exchange {
            operation: format!("{} {}", self.operation.method.to_uppercase(), self.path()),
            request: request.clone(),
            status,
            headers: None,
            response: None,
            response_text: None,
            provenance: Provenance { kind: "generated", source: format!("spec/{file}"), note },
        }
    }

    fn success(&self, request: &Request, response: Value, note: &'static str) -> Exchange {
        let mut response = response;
        response.sort_all_objects();
        Exchange { response: Some(response), ..self.exchange(request, self.success_status(), note) }
    }

    fn binary(&self, request: &Request) -> Exchange {
        let content = self.operation.success().and_then(|(_, response)| response["content"].as_object());
        let media_type = content.and_then(|content| content.keys().next());
        let content_text = format!("Invented file content of {}.\n", self.operation.id());
        Exchange {
            headers: media_type.map(|media_type| json!({ "content-type": media_type })),
            response_text: Some(content_text),
            ..self.exchange(request, self.success_status(), "A file with text content.")
        }
    }

    /// Returns the request path of the newest API version that has the operation.
    fn path(&self) -> String {
        let version = self.facts.versions.iter().max().map_or("2.1", String::as_str);
        self.operation.full_path().replace("{version}", version)
    }

    fn cursor(&self, page: &str) -> String {
        let number = hash(&[self.operation.id(), "cursor", page]);
        format!("cursor-{number:016x}")
    }

    /// Returns a request with a selective filter; with a cursor, the request for a page of a longer list.
    fn request(&self, cursor: Option<&str>) -> Request {
        let generator = self.values(ExampleVariant::Partial);
        let template = self.path();
        let mut path = template.clone();
        for parameter in self.operation.parameters_in("path") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let value = generator.value(&parameter["schema"], &ValueLocation::new(name, "path"));
            path = path.replace(&format!("{{{name}}}"), &parameter_text(&value));
        }
        let mut query = Map::new();
        // Item numbers of a later page differ from those that `ids` would name.
        let first_page = cursor.is_none();
        let scoped = ["ids", "uuids", "siteIds", "accountIds"];
        let chosen = scoped.into_iter().filter(|name| first_page || !matches!(*name, "ids" | "uuids"));
        let chosen = chosen.into_iter().find(|name| self.parameter(name).is_some());
        for parameter in self.operation.parameters_in("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let limit = if first_page { 100 } else { PAGE_SIZE };
            let value = match name {
                "limit" => json!(limit.to_string()),
                "cursor" => match cursor {
                    Some(cursor) => json!(cursor),
                    None => continue,
                },
                // The items are in this order.
                "sortBy" if allows(self.bundle, &parameter["schema"], "createdAt") => json!("createdAt"),
                "sortOrder" if allows(self.bundle, &parameter["schema"], "asc") => json!("asc"),
                "createdAt__gte" => json!(strings::EARLIEST_TIME),
                _ if parameter["required"] == true || chosen == Some(name) || name == "queryId" => {
                    let value = self
                        .values(ExampleVariant::Full)
                        .value(&parameter["schema"], &self.request_location(name, "query"));
                    json!(parameter_text(&value))
                }
                _ => continue,
            };
            query.insert(name.to_owned(), value);
        }
        let mut query = Value::Object(query);
        query.sort_all_objects();
        let query = query.as_object().cloned().unwrap_or_default();
        let headers =
            self.operation.parameters_in("header").filter(|parameter| parameter["required"] == true);
        let headers = headers.map(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default();
            let value = self.values(ExampleVariant::Full);
            let value = value.value(&parameter["schema"], &ValueLocation::new(name, "headers"));
            (name.to_owned(), json!(parameter_text(&value)))
        });
        let headers = headers.collect();
        let body = self.operation.body().map(|schema| self.body(schema));
        Request { path: (path != template).then_some(path), query, headers, body }
    }

    fn parameter(&self, name: &str) -> Option<&'a Value> {
        self.operation.parameters_in("query").find(|parameter| parameter["name"] == name)
    }

    /// Returns a location in a request, where `ids` are IDs of the operation's items.
    fn request_location(&self, name: &str, parent: &str) -> ValueLocation {
        let id_name = if name == "ids" { self.subject() } else { name };
        ValueLocation { id_name: id_name.to_owned(), ..ValueLocation::new(name, parent) }
    }

    fn body(&self, schema: &Value) -> Value {
        let generator = self.values(ExampleVariant::Partial);
        let schema = values::resolve(self.bundle, schema);
        let mut body = Map::new();
        for (name, property) in members(schema, "/properties") {
            let is_filter = name == "filter";
            let inner = values::resolve(self.bundle, property);
            let required = values::requires(schema, name);
            let value = if is_filter && self.facts.filter != FilterRequirement::None {
                self.filter(reference(property).unwrap_or_default(), inner)
            } else if values::is_free(inner) && !required {
                continue;
            } else {
                generator.value(property, &self.request_location(name, &format!("body.{name}")))
            };
            if required || is_filter || name == "data" || !value.is_null() {
                body.insert(name.clone(), value);
            }
        }
        let mut body = Value::Object(body);
        self.set_data_ids(&mut body);
        body.sort_all_objects();
        body
    }

    /// Sets `data.ids` to IDs of the operation's items.
    fn set_data_ids(&self, body: &mut Value) {
        if let Some(ids) = body.pointer_mut("/data/ids") {
            *ids = json!([strings::id(self.subject(), 0), strings::id(self.subject(), 1)]);
        }
    }

    /// Returns a filter with two IDs, or with the narrowest scope.
    fn filter(&self, kind: &str, schema: &Value) -> Value {
        let properties = &schema["properties"];
        let names = ["ids", "uuids", "siteIds", "groupIds", "accountIds"];
        let by_id = names.into_iter().find(|name| properties.get(*name).is_some());
        let selective = |facts: &Value| facts[metadata::KEY]["selective"] != false;
        let first = || {
            let mut all = members(schema, "/properties");
            all.find(|(_, property)| selective(property)).map(|(name, _)| name.as_str())
        };
        let Some(name) = by_id.or_else(first) else { return json!({}) };
        // The filter may select other items; the filter of a group operation selects agents, for example.
        let subject = strings::subject_of_filter(kind).unwrap_or(self.subject());
        let id_name = if name == "ids" { subject } else { name };
        let location =
            ValueLocation { id_name: id_name.to_owned(), ..ValueLocation::new(name, "body.filter") };
        let value = self.values(ExampleVariant::Full).value(&properties[name], &location);
        json!({ name: value })
    }

    /// Returns a response whose items, or whose only item, have these variants. `first` is the number of the first
    /// item.
    fn response(&self, variants: &[ExampleVariant], first: usize, pagination: Value) -> Value {
        let Some((_, response)) = self.operation.success() else { return Value::Null };
        let schema = &response["content"]["application/json"]["schema"];
        let variant = variants.first().copied().unwrap_or(ExampleVariant::Full);
        if let Envelope::Json(schema) = self.form {
            return self.values(variant).value(schema, &self.subject_location());
        }
        let mut envelope = Map::new();
        for (name, property) in members(schema, "/properties") {
            let value = match name.as_str() {
                // A response with errors is a failure.
                "errors" if variant == ExampleVariant::Null => Value::Null,
                "errors" if variant == ExampleVariant::Full => json!([]),
                "errors" => continue,
                "pagination" => pagination.clone(),
                "data" => self.data(property, variants, first),
                _ => self.values(variant).value(property, &ValueLocation::new(name, "")),
            };
            envelope.insert(name.clone(), value);
        }
        Value::Object(envelope)
    }

    fn data(&self, schema: &Value, variants: &[ExampleVariant], first: usize) -> Value {
        let list = |schema: &Value| {
            let items = variants.iter().enumerate().map(|(number, variant)| {
                let location = ValueLocation { item: first + number, ..self.subject_location() };
                self.values(*variant).value(&schema["items"], &location)
            });
            Value::Array(items.collect())
        };
        let schema = values::resolve(self.bundle, schema);
        if matches!(self.form, Envelope::Page(_)) {
            let Some(inner) = items(self.operation) else { return list(schema) };
            let variant = variants.first().copied().unwrap_or(ExampleVariant::Full);
            let envelope = members(schema, "/properties").map(|(name, property)| {
                let value = match name == inner {
                    true => list(property),
                    false => self.values(variant).value(property, &ValueLocation::new(name, "data")),
                };
                (name.clone(), value)
            });
            return envelope.collect();
        }
        let variant = variants.first().copied().unwrap_or(ExampleVariant::Full);
        let mut data = self.values(variant).value(schema, &self.subject_location());
        // The filter has two IDs.
        for name in COUNTS {
            if let Some(count) = data.get_mut(*name).filter(|count| count.is_number()) {
                *count = json!(2);
            }
        }
        data
    }

    /// Returns the location of an item of the operation, whose `id` is [`subject`](Self::subject).
    fn subject_location(&self) -> ValueLocation {
        ValueLocation {
            id_name: self.subject().to_owned(),
            is_subject: true,
            ..ValueLocation::new("data", "")
        }
    }

    /// Returns a success response of an action without effect.
    fn no_effect(&self) -> Value {
        if matches!(self.form, Envelope::Page(_)) {
            return json!({ "data": [] });
        }
        let Envelope::Data(schema) = self.form else { return json!({}) };
        let schema = values::resolve(self.bundle, schema);
        let mut data = Map::new();
        for (name, property) in members(schema, "/properties") {
            let schema = values::resolve(self.bundle, property);
            let value = match schema["type"].as_str() {
                Some("integer") if COUNTS.contains(&name.as_str()) => json!(0),
                Some("boolean") if name == "success" => json!(false),
                Some("array") => json!([]),
                _ => continue,
            };
            data.insert(name.clone(), value);
        }
        // Lists are kept only with a count; a response without a count describes a created item, which is missing
        // here.
        if !COUNTS.iter().any(|count| data.contains_key(*count)) {
            data.retain(|name, _| name == "success");
        }
        json!({ "data": data })
    }

    fn failure(&self, request: &Request, status: u16) -> Exchange {
        let (title, detail, note) = strings::failure(status);
        let error = json!({ "code": u32::from(status) * 10_000 + 10, "detail": detail, "title": title });
        // Some consoles send a message instead of title and detail.
        let other = json!({
            "code": u32::from(status) * 10_000 + 20, "detail": null, "message": "Invented message",
            "params": { "field": "filter" },
        });
        let mut response = json!({ "errors": [error, other] });
        let pointer = format!("/responses/{status}/content/application~1json/schema");
        let declared = self.operation.node.pointer(&pointer);
        // The data lake has an error of another form.
        if let Some(schema) = declared
            && has_properties(values::resolve(self.bundle, schema))
            && values::resolve(self.bundle, schema)["properties"].get("errors").is_none()
        {
            let location = ValueLocation::new("error", self.subject());
            response = self.values(ExampleVariant::Full).value(schema, &location);
        }
        response.sort_all_objects();
        Exchange { response: Some(response), ..self.exchange(request, status, note) }
    }
}

/// Members that hold the number of items an action changed.
const COUNTS: &[&str] = &["affected", "agentsMoved"];

fn pagination(next: Option<&str>, total: usize) -> Value {
    json!({ "nextCursor": next, "totalItems": total })
}

/// Returns whether an enum schema lists the value.
fn allows(bundle: &Bundle, schema: &Value, value: &str) -> bool {
    let listed = values::resolve(bundle, schema)["enum"].as_array();
    listed.is_some_and(|listed| listed.iter().any(|one| one == value))
}

/// Returns a value as a query or path parameter.
fn parameter_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(parameter_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
