//! Requests as values: built and checked without I/O.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{ApiVersion, Field, FieldKind, FilterRule, Kind, Method, Operation, Secret, Timestamp};

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in the place of a secret.
const COVERED: &str = "********";

/// A request that can be looked at, and sent any number of times.
///
/// It holds neither the console's address nor the token nor the API version: those belong to the
/// client that sends it. `T` is what the answer decodes into.
pub struct Request<T> {
    operation: &'static Operation,
    segments: Vec<(&'static str, String)>,
    query: Map<String, Value>,
    body: Option<Value>,
    /// Whether the body's filter selects anything; the query is looked at when asked, since it changes.
    body_selects: bool,
    everything: bool,
    answer: PhantomData<fn() -> T>,
}

impl<T> Clone for Request<T> {
    fn clone(&self) -> Self {
        Self {
            operation: self.operation,
            segments: self.segments.clone(),
            query: self.query.clone(),
            body: self.body.clone(),
            body_selects: self.body_selects,
            everything: self.everything,
            answer: PhantomData,
        }
    }
}

impl<T> PartialEq for Request<T> {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation
            && self.segments == other.segments
            && self.query == other.query
            && self.body == other.body
            && self.everything == other.everything
    }
}

/// Bodies may hold passwords, so only the outline is shown.
impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation.id)
            .field("segments", &self.segments)
            .field("query", &self.query.keys().collect::<Vec<_>>())
            .field("body", &self.body.as_ref().map(|_| "…"))
            .finish()
    }
}

impl<T> Request<T> {
    pub(crate) fn new(operation: &'static Operation) -> Self {
        Self {
            operation,
            segments: Vec::new(),
            query: Map::new(),
            body: None,
            body_selects: false,
            everything: false,
            answer: PhantomData,
        }
    }

    pub(crate) fn segment(
        mut self,
        name: &'static str,
        value: impl AsRef<str>,
    ) -> Result<Self, RequestError> {
        let value = value.as_ref();
        // URL parsers fold dot segments away even when they are percent-encoded, and an empty segment
        // makes another path: both would reach an operation that nobody asked for.
        if value.trim().is_empty() || matches!(value, "." | "..") || value.contains(char::is_control) {
            let value = value.to_owned();
            return Err(self.refuse(Problem::PathSegment { name, value }));
        }
        self.segments.push((name, utf8_percent_encode(value, SEGMENT).to_string()));
        Ok(self)
    }

    pub(crate) fn query_of(mut self, query: &impl Serialize) -> Result<Self, RequestError> {
        let mut map = self.object(query)?;
        map.retain(|_, value| !value.is_null());
        let check = Check { part: "", place: Place::Query };
        let fields = check.fields(&mut map, |name| self.operation.query_field(name));
        fields.map_err(|problem| self.refuse(problem))?;
        self.query = map;
        Ok(self)
    }

    pub(crate) fn body_of(mut self, body: &impl Serialize) -> Result<Self, RequestError> {
        let mut map = self.object(body)?;
        for part in self.operation.body {
            let place = if part.is_filter { Place::Filter } else { Place::Data };
            let check = Check { part: part.name, place };
            let field = |name: &str| part.fields.iter().find(|field| field.name == name);
            let objects: Vec<&mut Map<String, Value>> = match map.get_mut(part.name) {
                None if part.name.is_empty() => vec![&mut map],
                Some(Value::Object(fields)) => vec![fields],
                Some(Value::Array(list)) => list.iter_mut().filter_map(Value::as_object_mut).collect(),
                _ => continue,
            };
            for fields in objects {
                let selects = check.fields(fields, field);
                let selects = selects.map_err(|problem| self.refuse(problem))?;
                self.body_selects |= part.is_filter && selects;
            }
        }
        self.body = Some(Value::Object(map));
        Ok(self)
    }

    fn object(&self, value: &impl Serialize) -> Result<Map<String, Value>, RequestError> {
        match serde_json::to_value(value) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(self.refuse(Problem::Unserializable("not an object".into()))),
            Err(error) => Err(self.refuse(Problem::Unserializable(error.to_string()))),
        }
    }

    fn refuse(&self, problem: Problem) -> RequestError {
        RequestError { operation: self.operation.id, problem: Box::new(problem) }
    }

    /// Says in so many words that the action is meant for everything in scope: every threat, every
    /// agent that the token can reach. Without it an action whose filter selects nothing in particular
    /// is refused.
    #[must_use]
    pub fn everything_in_scope(mut self) -> Self {
        self.everything = true;
        self
    }

    /// The facts about the operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The HTTP method.
    pub fn method(&self) -> Method {
        self.operation.method
    }

    /// The path from the root of the console, such as `/web/api/v2.1/threats`, percent-encoded.
    ///
    /// # Errors
    /// [`Problem::Version`] when the operation does not exist on that version of the API.
    pub fn path(&self, version: ApiVersion) -> Result<String, RequestError> {
        if !self.operation.is_in(version) {
            return Err(self.refuse(Problem::Version { version, exists: self.operation.versions }));
        }
        let mut path = String::with_capacity(self.operation.path.len());
        let mut parts = self.operation.path.split('{');
        path.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = match name {
                "version" => version.as_str(),
                name => self
                    .segments
                    .iter()
                    .find(|(segment, _)| *segment == name)
                    .map_or("", |(_, value)| value.as_str()),
            };
            path.push_str(value);
            path.push_str(rest);
        }
        Ok(path)
    }

    /// The query as names and values, not percent-encoded, sorted by name. Lists are joined by commas.
    pub fn query(&self) -> Vec<(String, String)> {
        let mut query: Vec<_> = self.query.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        // The map keeps the order of insertion when some crate of the build asks serde_json for that.
        query.sort_unstable();
        query
    }

    /// The JSON body.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    /// Values that this version of the client does not know, of fields whose values it does: the field, named as
    /// on the wire with the part of the body in front, and the value. They may be newer than the client, or
    /// misspelt, which some consoles answer with an empty list and no error.
    pub fn unknown_values(&self) -> Vec<(String, String)> {
        let mut unknown = Vec::new();
        let mut look = |part: &str, field: Option<&Field>, value: &Value| {
            let Some(field) = field.filter(|field| !field.known.is_empty()) else { return };
            let place =
                if part.is_empty() { field.name.to_owned() } else { format!("{part}.{}", field.name) };
            let values = match value {
                Value::Array(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            let texts = values.iter().filter_map(Value::as_str).filter(|text| !field.known.contains(text));
            unknown.extend(texts.map(|text| (place.clone(), text.to_owned())));
        };
        for (name, value) in &self.query {
            look("", self.operation.query_field(name), value);
        }
        for part in self.operation.body {
            let field = |name: &str| part.fields.iter().find(|field| field.name == name);
            let place = match part.name {
                "" => self.body.as_ref(),
                name => self.body.as_ref().and_then(|body| body.get(name)),
            };
            let objects: Vec<&Map<String, Value>> = match place {
                Some(Value::Object(fields)) => vec![fields],
                Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
                _ => continue,
            };
            for (name, value) in objects.into_iter().flatten() {
                look(part.name, field(name), value);
            }
        }
        unknown
    }

    /// The JSON body with every secret in it, such as a password, covered: to be shown to people.
    pub fn shown_body(&self) -> Option<Value> {
        let mut body = self.body.clone()?;
        for (part, field) in self.secret_fields() {
            let place = if part.is_empty() { Some(&mut body) } else { body.get_mut(part) };
            let objects = match place {
                Some(Value::Array(list)) => list.as_mut_slice(),
                Some(one) => std::slice::from_mut(one),
                None => continue,
            };
            for value in objects.iter_mut().filter_map(|object| object.get_mut(field)) {
                if !value.is_null() {
                    *value = Value::from(COVERED);
                }
            }
        }
        Some(body)
    }

    /// The texts in the body that are secret, such as a password: to be taken out of what others write.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for (part, field) in self.secret_fields() {
            let body = self.body.as_ref();
            let place = if part.is_empty() { body } else { body.and_then(|body| body.get(part)) };
            let objects = match place {
                Some(Value::Array(list)) => list.as_slice(),
                Some(one) => std::slice::from_ref(one),
                None => continue,
            };
            secrets.extend(objects.iter().filter_map(|object| object.get(field)?.as_str()).map(Secret::from));
        }
        secrets
    }

    /// The secret fields of the body, each with the part that it is in.
    fn secret_fields(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<T> {
        // Most bodies have none, and some a hundred fields.
        self.operation.body.iter().filter(|part| part.has_secrets).flat_map(|part| {
            part.fields.iter().filter(|field| field.secret).map(|field| (part.name, field.name))
        })
    }

    /// The request that counts what the filter of this action selects, by a list that takes the same filter;
    /// `None` when the list takes another, or none.
    pub fn counting<U>(&self, list: &'static Operation) -> Option<Request<U>> {
        let part = self.operation.body.iter().find(|part| part.is_filter)?;
        // Not by address: the compiler may keep several copies of a table.
        let same =
            |fields: &&[Field]| fields.iter().map(|one| one.name).eq(part.fields.iter().map(|one| one.name));
        if list.kind != Kind::Read || !list.query.iter().any(same) {
            return None;
        }
        let mut count = Request::new(list);
        let filter = self.body.as_ref()?.get(part.name)?.as_object()?;
        for (name, value) in filter.iter().filter(|(name, value)| !value.is_null() && *name != "limit") {
            // What a query cannot express, such as an item with a comma, cannot be counted either.
            count.set_query(name, value.clone()).ok()?;
        }
        count.set_query("countOnly", true).ok()?;
        Some(count)
    }

    /// Whether the filter, or the query of a read, selects anything in particular.
    pub fn selects(&self) -> bool {
        let selects = |name: &String| self.operation.query_field(name).is_some_and(|field| field.selects);
        self.body_selects || self.query.keys().any(selects)
    }

    /// Sets or removes one query parameter, as paging does with `cursor`.
    ///
    /// # Errors
    /// When the operation does not declare the parameter, or the value does not fit.
    pub fn set_query(&mut self, name: &str, value: impl Into<Value>) -> Result<(), RequestError> {
        let value = value.into();
        if value.is_null() {
            self.query.remove(name);
            return Ok(());
        }
        let field = |name: &str| self.operation.query_field(name);
        if field(name).is_none() {
            return Err(self.refuse(Problem::UndeclaredParameter(name.to_owned())));
        }
        let mut map = Map::from_iter([(name.to_owned(), value)]);
        let check = Check { part: "", place: Place::Query };
        check.fields(&mut map, field).map_err(|problem| self.refuse(problem))?;
        self.query.append(&mut map);
        Ok(())
    }

    /// Whether the request may be sent: the client asks before sending, a dry run before printing.
    ///
    /// # Errors
    /// [`Problem::EmptyFilter`] when the operation demands a filter, nothing is selected, and
    /// [`everything_in_scope`](Self::everything_in_scope) was not said.
    pub fn check(&self) -> Result<(), RequestError> {
        let mandatory = self.operation.filter == FilterRule::Mandatory;
        if mandatory && !self.body_selects && !self.everything {
            return Err(self.refuse(Problem::EmptyFilter));
        }
        Ok(())
    }

    /// The same request with the answer decoded into another type: `Page<Value>` keeps the items of a
    /// list as the server sent them.
    pub fn answering<U>(self) -> Request<U> {
        Request {
            operation: self.operation,
            segments: self.segments,
            query: self.query,
            body: self.body,
            body_selects: self.body_selects,
            everything: self.everything,
            answer: PhantomData,
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A request that cannot be sent, or must not be.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestError {
    operation: &'static str,
    problem: Box<Problem>,
}

impl RequestError {
    /// A value that the operation cannot be without is not there: `field`, named as on the wire.
    pub fn missing(operation: &'static Operation, field: &str) -> Self {
        Self { operation: operation.id, problem: Box::new(Problem::Missing(field.to_owned())) }
    }

    /// Identifier of the operation.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.problem)
    }
}

impl std::error::Error for RequestError {}

/// What is wrong with a request. Fields are named as on the wire, with the part of the body in front:
/// `filter.ids`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// An action without a filter, or with one that selects nothing in particular.
    EmptyFilter,
    /// A value that the operation cannot be without.
    Missing(String),
    /// A list that was given without items. The server ignores it, which makes a filter wider.
    EmptyList(String),
    /// A text, or an item of a list, that is empty or blank.
    Blank(String),
    /// An item of a list in a query holds a comma, which the wire format cannot express.
    Comma {
        /// The field.
        field: String,
        /// The item.
        item: String,
    },
    /// More or fewer items than the API takes.
    Items {
        /// The field.
        field: String,
        /// How many there were.
        count: u64,
        /// Least and most.
        bounds: (Option<u64>, Option<u64>),
    },
    /// A text, or an item of a list, that is shorter or longer than the API takes.
    Length {
        /// The field.
        field: String,
        /// How many characters there were.
        count: u64,
        /// Least and most.
        bounds: (Option<u64>, Option<u64>),
    },
    /// A number outside what the API takes.
    Range {
        /// The field.
        field: String,
        /// The number; one that is not whole, or beyond 64 bits, as the nearest that is out of bounds too.
        value: i64,
        /// Least and most.
        bounds: (Option<i64>, Option<i64>),
    },
    /// A text that is no point in time.
    NotATime {
        /// The field.
        field: String,
        /// The text.
        value: String,
    },
    /// A text that is no JSON object of lists with texts in them. Without any the field would select
    /// nothing in particular.
    NotLists {
        /// The field.
        field: String,
        /// The text.
        value: String,
    },
    /// A path segment that is empty, a dot segment, or holds control characters.
    PathSegment {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The operation does not exist on this version of the API.
    Version {
        /// The version asked for.
        version: ApiVersion,
        /// The versions that have it.
        exists: &'static [ApiVersion],
    },
    /// A query parameter that the operation does not have. The server would ignore it.
    UndeclaredParameter(String),
    /// The value is no JSON object.
    Unserializable(String),
}

struct Bounds<N>((Option<N>, Option<N>));

impl<N: fmt::Display> fmt::Display for Bounds<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            (Some(least), Some(most)) => write!(f, "{least} to {most}"),
            (Some(least), None) => write!(f, "at least {least}"),
            (None, Some(most)) => write!(f, "at most {most}"),
            (None, None) => f.write_str("any"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFilter => f.write_str(
                "the filter selects nothing in particular, so this would act on everything in scope; \
                 give a filter, or say that everything in scope is meant",
            ),
            Self::Missing(field) => write!(f, "{field} is missing; the API demands it"),
            Self::EmptyList(field) => {
                write!(
                    f,
                    "{field} is a list without items, which the server would ignore; leave it out or fill it"
                )
            }
            Self::Blank(field) => {
                write!(
                    f,
                    "{field} holds an empty text, which matches anything or nothing; leave it out or fill it"
                )
            }
            Self::Comma { field, item } => {
                write!(
                    f,
                    "{field} holds {item:?}; commas separate the items of a query and cannot be part of one"
                )
            }
            Self::Items { field, count, bounds } => {
                write!(f, "{field} has {count} items; the API takes {}", Bounds(*bounds))
            }
            Self::Length { field, count, bounds } => {
                write!(f, "{field} has a text of {count} characters; the API takes {}", Bounds(*bounds))
            }
            Self::Range { field, value, bounds } => {
                write!(f, "{field} is {value}; the API takes {}", Bounds(*bounds))
            }
            Self::NotATime { field, value } => {
                write!(f, "{field} is {value:?}, which is no point in time; write it as 2026-11-21T08:30:00Z")
            }
            Self::NotLists { field, value } => {
                write!(
                    f,
                    "{field} is {value:?}; write it as {{\"key\": [\"value\"]}}, with at least one value"
                )
            }
            Self::PathSegment { name, value } => {
                write!(f, "{name} is {value:?}, which cannot stand in a path; give an identifier")
            }
            Self::Version { version, exists } => {
                let exists: Vec<_> = exists.iter().map(|version| version.as_str()).collect();
                write!(f, "not on API {version}, only on {}", exists.join(" and "))
            }
            Self::UndeclaredParameter(name) => {
                write!(f, "{name} is no parameter of this operation; the server would ignore it")
            }
            Self::Unserializable(why) => write!(f, "the request cannot be written as JSON: {why}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Query,
    Filter,
    Data,
}

#[derive(Clone, Copy)]
struct Check {
    part: &'static str,
    place: Place,
}

impl Check {
    /// Checks the values against what is known of the fields, writes times in the form of the API, and
    /// tells whether any value narrows the selection.
    fn fields(
        self,
        map: &mut Map<String, Value>,
        known: impl Fn(&str) -> Option<&'static Field>,
    ) -> Result<bool, Problem> {
        let mut selects = false;
        for (name, value) in map.iter_mut().filter(|(_, value)| !value.is_null()) {
            let Some(field) = known(name) else { continue };
            self.value(field, value)?;
            // No tenant is no scope.
            let no_tenant = name == "tenant" && *value == Value::Bool(false);
            selects |= field.selects && !no_tenant;
        }
        Ok(selects)
    }

    fn name(self, field: &Field) -> String {
        match self.part {
            "" => field.name.to_owned(),
            part => format!("{part}.{}", field.name),
        }
    }

    fn value(self, field: &Field, value: &mut Value) -> Result<(), Problem> {
        match value {
            Value::Array(list) => {
                if list.is_empty() && self.place != Place::Data {
                    return Err(Problem::EmptyList(self.name(field)));
                }
                let count = list.len() as u64;
                if outside(count, field.items) {
                    let field_name = self.name(field);
                    return Err(Problem::Items { field: field_name, count, bounds: field.items });
                }
                for item in list {
                    // Nowhere is an item without anything in it meant: where a script's variable was empty.
                    if item.as_str().is_some_and(|text| text.trim().is_empty()) {
                        return Err(Problem::Blank(self.name(field)));
                    }
                    self.text(field, item)?;
                }
            }
            Value::Number(number) => {
                if let Some(value) = beyond(number, field.range) {
                    let field_name = self.name(field);
                    return Err(Problem::Range { field: field_name, value, bounds: field.range });
                }
            }
            other => self.text(field, other)?,
        }
        Ok(())
    }

    fn text(self, field: &Field, value: &mut Value) -> Result<(), Problem> {
        let Value::String(text) = value else { return Ok(()) };
        if text.trim().is_empty() && self.place != Place::Data {
            return Err(Problem::Blank(self.name(field)));
        }
        if field.kind == FieldKind::Timestamp {
            match Timestamp::from(text.as_str()).to_utc() {
                Some(time) => *text = time.as_str().to_owned(),
                None => {
                    return Err(Problem::NotATime { field: self.name(field), value: text.clone() });
                }
            }
        }
        if field.kind == FieldKind::Json && !holds_lists(text) {
            return Err(Problem::NotLists { field: self.name(field), value: text.clone() });
        }
        let count = text.chars().count() as u64;
        if outside(count, field.length) {
            return Err(Problem::Length { field: self.name(field), count, bounds: field.length });
        }
        if field.kind == FieldKind::List && self.place == Place::Query && text.contains(',') {
            return Err(Problem::Comma { field: self.name(field), item: text.clone() });
        }
        Ok(())
    }
}

/// Whether a text is a JSON object that is not empty, of lists that are not empty, of texts that are not
/// blank.
fn holds_lists(text: &str) -> bool {
    let Ok(map) = serde_json::from_str::<BTreeMap<String, Vec<String>>>(text) else { return false };
    let full = |list: &Vec<String>| !list.is_empty() && list.iter().all(|item| !item.trim().is_empty());
    !map.is_empty() && map.values().all(full)
}

fn outside<N: PartialOrd>(value: N, (least, most): (Option<N>, Option<N>)) -> bool {
    least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most)
}

/// The number, if it is outside the bounds.
fn beyond(number: &Number, (least, most): (Option<i64>, Option<i64>)) -> Option<i64> {
    match (number.as_i64(), number.as_f64()?) {
        (Some(value), _) => outside(value, (least, most)).then_some(value),
        (None, value) if least.is_some_and(|least| value < least as f64) => Some(value.floor() as i64),
        (None, value) if most.is_some_and(|most| value > most as f64) => Some(value.ceil() as i64),
        (None, _) => None,
    }
}
