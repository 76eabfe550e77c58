//! Example exchanges for every operation, made from the specification: `fixtures/<operation>/generated_*.json`.
//!
//! All values are invented, and the same specification gives the same bytes everywhere: what is chosen depends on
//! the operation and the place alone, so that a change of the specification shows where it was made. Things that
//! belong together do so here too: an identifier in a request is that of the thing in the answer.

mod texts;
mod values;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bundle::{Bundle, Operation, members, reference};
use crate::dialect::{Envelope, envelope, items};
use crate::facts::{self, FilterRule, Kind, OperationFacts, Paging};
use crate::files::Files;
use crate::{Error, Result};

use values::{Look, Maker, Spot};

/// How the names of the files begin that are written here, and no others.
const PREFIX: &str = "generated_";

/// How many things a page holds that is not the only one, and how many there are in all.
const PAGE: usize = 3;
const IN_ALL: usize = 7;

/// Whether a file below `fixtures/` is one of those that are written here.
pub fn owns(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(".json"))
}

/// All examples: path below `fixtures/` to content.
///
/// # Errors
/// When an operation has no facts, or an answer of no known form.
pub fn all(bundle: &Bundle) -> Result<Files> {
    let mut files = Files::new();
    for operation in bundle.operations() {
        let id = operation.id();
        let facts = facts::of_operation(operation.node)
            .map_err(|error| Error::Generator(format!("{id}: {error}")))?;
        let form = envelope(bundle, operation).map_err(Error::Generator)?;
        let example = Example { bundle, operation, facts: &facts, form: &form };
        for (name, exchange) in example.all() {
            let mut text = serde_json::to_string_pretty(&exchange)
                .map_err(|error| Error::Generator(format!("{id}: {error}")))?;
            text.push('\n');
            files.insert(format!("{id}/{PREFIX}{name}.json"), text);
        }
    }
    Ok(files)
}

/// An exchange, in the order in which its members are written.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

#[derive(Serialize)]
struct Provenance {
    kind: &'static str,
    source: String,
    note: &'static str,
}

/// What is to be shown of an operation.
struct Example<'a> {
    bundle: &'a Bundle,
    operation: Operation<'a>,
    facts: &'a OperationFacts,
    form: &'a Envelope,
}

impl<'a> Example<'a> {
    fn all(&self) -> Vec<(String, Exchange)> {
        let mut all = Vec::new();
        let whole = self.request(None);
        let mut add = |name: &str, exchange| all.push((name.to_owned(), exchange));
        match self.form {
            Envelope::Page(_) | Envelope::Data(_) => {
                let answer = self.answer(&[Look::Full, Look::Full], 0, page(None, 2));
                let note = "Every declared field of the answer is there.";
                add("full", self.success(&whole, answer, note));
                let answer = self.answer(&[Look::Null, Look::NullBelow], 0, page(None, 2));
                let note =
                    "Every field that may be null is; of a list's second thing, those that hold no other.";
                add("null", self.success(&whole, answer, note));
            }
            Envelope::Binary => add("full", self.binary(&whole)),
            Envelope::Empty => add("full", self.exchange(&whole, self.success_status(), NOTHING)),
        }
        if self.facts.paging == Paging::Cursor {
            let (first, second) = (self.cursor("first"), self.cursor("second"));
            let request = self.request(Some(&first));
            let answer = self.answer(&[Look::Some; PAGE], PAGE, page(Some(&second), IN_ALL));
            add("middle_page", self.success(&request, answer, "There are pages before and after it."));
            let request = self.request(Some(&second));
            let answer = self.answer(&[Look::Some], 2 * PAGE, page(None, IN_ALL));
            add("last_page", self.success(&request, answer, "What comes after the middle page."));
        }
        if self.facts.kind == Kind::Action && matches!(self.form, Envelope::Page(_) | Envelope::Data(_)) {
            add("nothing", self.success(&whole, self.nothing(), NOTHING));
        }
        for status in self.failures() {
            add(&format!("error_{status}"), self.failure(&whole, status));
        }
        all
    }

    fn maker(&self, look: Look) -> Maker<'a> {
        Maker::new(self.bundle, self.operation.id(), look)
    }

    /// What the operation is about, as the name of an identifier: `threatId`.
    fn subject(&self) -> &'static str {
        let tag = self.operation.node["tags"][0].as_str().unwrap_or_default();
        // Lists of another thing than that of their resource.
        match self.operation.id() {
            "threats_list_notes" => "noteId",
            "threats_list_timeline" => "eventId",
            "remote_scripts_list_tasks" => "taskId",
            _ => texts::subject(tag),
        }
    }

    fn success_status(&self) -> u16 {
        self.operation.success().and_then(|(status, _)| status.parse().ok()).unwrap_or(200)
    }

    /// The declared failures. Where none is declared, a token that is not accepted is one all the same.
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

    fn success(&self, request: &Request, answer: Value, note: &'static str) -> Exchange {
        let mut answer = answer;
        answer.sort_all_objects();
        Exchange { response: Some(answer), ..self.exchange(request, self.success_status(), note) }
    }

    fn binary(&self, request: &Request) -> Exchange {
        let content = self.operation.success().and_then(|(_, answer)| answer["content"].as_object());
        let kind = content.and_then(|content| content.keys().next());
        let text = format!("What {} answers: any bytes.\n", self.operation.id());
        Exchange {
            headers: kind.map(|kind| json!({ "content-type": kind })),
            response_text: Some(text),
            ..self.exchange(request, self.success_status(), "A file that holds a text.")
        }
    }

    /// The path from the root of the console, on the newest version that has the operation.
    fn path(&self) -> String {
        let version = self.facts.versions.iter().max().map_or("2.1", String::as_str);
        self.operation.full_path().replace("{version}", version)
    }

    fn cursor(&self, page: &str) -> String {
        let number = values::hash(&[self.operation.id(), "cursor", page]);
        format!("cursor-{number:016x}")
    }

    /// A request that selects something; with a cursor one for a page of a longer list.
    fn request(&self, cursor: Option<&str>) -> Request {
        let maker = self.maker(Look::Some);
        let template = self.path();
        let mut path = template.clone();
        for parameter in self.operation.parameters_in("path") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let value = maker.value(&parameter["schema"], &Spot::new(name, "path"));
            path = path.replace(&format!("{{{name}}}"), &text(&value));
        }
        let mut query = Map::new();
        // The things of a page stand after those of the pages before it.
        let may_name = cursor.is_none();
        let scoped = ["ids", "uuids", "siteIds", "accountIds"];
        let chosen = scoped.into_iter().filter(|name| may_name || !matches!(*name, "ids" | "uuids"));
        let chosen = chosen.into_iter().find(|name| self.parameter(name).is_some());
        for parameter in self.operation.parameters_in("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let limit = if may_name { 100 } else { PAGE };
            let value = match name {
                "limit" => json!(limit.to_string()),
                "cursor" => match cursor {
                    Some(cursor) => json!(cursor),
                    None => continue,
                },
                // The things are in this order.
                "sortBy" if allows(self.bundle, &parameter["schema"], "createdAt") => json!("createdAt"),
                "sortOrder" if allows(self.bundle, &parameter["schema"], "asc") => json!("asc"),
                "createdAt__gte" => json!(texts::BEGINNING),
                _ if parameter["required"] == true || chosen == Some(name) || name == "queryId" => {
                    let value =
                        self.maker(Look::Full).value(&parameter["schema"], &self.request_spot(name, "query"));
                    json!(text(&value))
                }
                _ => continue,
            };
            query.insert(name.to_owned(), value);
        }
        let mut query = Value::Object(query);
        query.sort_all_objects();
        let query = query.as_object().cloned().unwrap_or_default();
        let body = self.operation.body().map(|schema| self.body(schema));
        Request { path: (path != template).then_some(path), query, body }
    }

    fn parameter(&self, name: &str) -> Option<&'a Value> {
        self.operation.parameters_in("query").find(|parameter| parameter["name"] == name)
    }

    /// A place in a request, where `ids` are those of what the operation is about.
    fn request_spot(&self, name: &str, place: &str) -> Spot {
        let known_as = if name == "ids" { self.subject() } else { name };
        Spot { known_as: known_as.to_owned(), ..Spot::new(name, place) }
    }

    fn body(&self, schema: &Value) -> Value {
        let maker = self.maker(Look::Some);
        let schema = values::resolve(self.bundle, schema);
        let mut body = Map::new();
        for (name, property) in members(schema, "/properties") {
            let is_filter = name == "filter";
            let inner = values::resolve(self.bundle, property);
            let required = values::requires(schema, name);
            let value = if is_filter && self.facts.filter != FilterRule::None {
                self.filter(reference(property).unwrap_or_default(), inner)
            } else if values::is_free(inner) && !required {
                continue;
            } else {
                maker.value(property, &self.request_spot(name, &format!("body.{name}")))
            };
            if required || is_filter || name == "data" || !value.is_null() {
                body.insert(name.clone(), value);
            }
        }
        let mut body = Value::Object(body);
        self.name_subjects(&mut body);
        body.sort_all_objects();
        body
    }

    /// The identifiers in `data.ids` are those of what the operation is about, too.
    fn name_subjects(&self, body: &mut Value) {
        if let Some(ids) = body.pointer_mut("/data/ids") {
            *ids = json!([texts::id(self.subject(), 0), texts::id(self.subject(), 1)]);
        }
    }

    /// A filter that selects two things by name, or the narrowest scope.
    fn filter(&self, kind: &str, schema: &Value) -> Value {
        let properties = &schema["properties"];
        let names = ["ids", "uuids", "siteIds", "groupIds", "accountIds"];
        let named = names.into_iter().find(|name| properties.get(*name).is_some());
        let selects = |facts: &Value| facts[facts::KEY]["selects"] != false;
        let first = || {
            let mut all = members(schema, "/properties");
            all.find(|(_, property)| selects(property)).map(|(name, _)| name.as_str())
        };
        let Some(name) = named.or_else(first) else { return json!({}) };
        // A group takes agents in, say.
        let subject = texts::subject_of_filter(kind).unwrap_or(self.subject());
        let known_as = if name == "ids" { subject } else { name };
        let spot = Spot { known_as: known_as.to_owned(), ..Spot::new(name, "body.filter") };
        let value = self.maker(Look::Full).value(&properties[name], &spot);
        json!({ name: value })
    }

    /// An answer whose things, or whose only thing, look so; the first of them is `first`.
    fn answer(&self, looks: &[Look], first: usize, pagination: Value) -> Value {
        let Some((_, answer)) = self.operation.success() else { return Value::Null };
        let schema = &answer["content"]["application/json"]["schema"];
        let look = looks.first().copied().unwrap_or(Look::Full);
        let mut envelope = Map::new();
        for (name, property) in members(schema, "/properties") {
            let value = match name.as_str() {
                // A success with errors is a failure.
                "errors" if look == Look::Null => Value::Null,
                "errors" if look == Look::Full => json!([]),
                "errors" => continue,
                "pagination" => pagination.clone(),
                "data" => self.data(property, looks, first),
                _ => self.maker(look).value(property, &Spot::new(name, "")),
            };
            envelope.insert(name.clone(), value);
        }
        Value::Object(envelope)
    }

    fn data(&self, schema: &Value, looks: &[Look], first: usize) -> Value {
        let list = |schema: &Value| {
            let things = looks.iter().enumerate().map(|(number, look)| {
                let spot = Spot { item: first + number, ..self.thing() };
                self.maker(*look).value(&schema["items"], &spot)
            });
            Value::Array(things.collect())
        };
        let schema = values::resolve(self.bundle, schema);
        if matches!(self.form, Envelope::Page(_)) {
            let Some(inner) = items(self.operation) else { return list(schema) };
            let look = looks.first().copied().unwrap_or(Look::Full);
            let around = members(schema, "/properties").map(|(name, property)| {
                let value = match name == inner {
                    true => list(property),
                    false => self.maker(look).value(property, &Spot::new(name, "data")),
                };
                (name.clone(), value)
            });
            return around.collect();
        }
        let look = looks.first().copied().unwrap_or(Look::Full);
        let mut data = self.maker(look).value(schema, &self.thing());
        // As many as the filter names.
        for name in COUNTS {
            if let Some(count) = data.get_mut(*name) {
                *count = json!(2);
            }
        }
        data
    }

    /// The place of what the operation is about, whose `id` is known by a name of its own.
    fn thing(&self) -> Spot {
        Spot { known_as: self.subject().to_owned(), is_subject: true, ..Spot::new("data", "") }
    }

    /// An answer that says that nothing was done.
    fn nothing(&self) -> Value {
        if matches!(self.form, Envelope::Page(_)) {
            return json!({ "data": [] });
        }
        let Envelope::Data(name) = self.form else { return json!({}) };
        let schema = self.bundle.schema(name).unwrap_or(&Value::Null);
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
        // Lists are of interest beside a count only; something made anew is not there at all.
        if !COUNTS.iter().any(|count| data.contains_key(*count)) {
            data.retain(|name, _| name == "success");
        }
        json!({ "data": data })
    }

    fn failure(&self, request: &Request, status: u16) -> Exchange {
        let (title, detail, note) = texts::failure(status);
        let error = json!({ "code": u32::from(status) * 10_000 + 10, "detail": detail, "title": title });
        // Some consoles have a message in the place of title and detail.
        let other = json!({
            "code": u32::from(status) * 10_000 + 20, "detail": null, "message": "An invented message",
            "params": { "field": "filter" },
        });
        let mut answer = json!({ "errors": [error, other] });
        answer.sort_all_objects();
        Exchange { response: Some(answer), ..self.exchange(request, status, note) }
    }
}

/// Names of what counts the things that an action was applied to.
const COUNTS: &[&str] = &["affected", "agentsMoved"];

const NOTHING: &str = "Nothing was done.";

fn page(next: Option<&str>, in_all: usize) -> Value {
    json!({ "nextCursor": next, "totalItems": in_all })
}

/// Whether a value is among those that an enum knows.
fn allows(bundle: &Bundle, schema: &Value, value: &str) -> bool {
    let words = values::resolve(bundle, schema)["enum"].as_array();
    words.is_some_and(|words| words.iter().any(|word| word == value))
}

/// A value as a query or a path has it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The name of a schema, for those who look for the end of a chain of references.
fn named<'a>(bundle: &'a Bundle, schema: &'a Value) -> Option<&'a Value> {
    reference(schema).and_then(|name| bundle.schema(name))
}
