//! Request values, which are built and validated without I/O.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::field_validator::{FieldLocation, FieldValidator};
use super::request_error::{RequestError, RequestErrorKind};
use super::{
    ApiVersion, BodyPart, Field, FilePart, FilterRequirement, Method, Operation, OperationKind,
    RequestFormat, Secret,
};

/// All characters except the unreserved ones of RFC 3986.
const PATH_PARAM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replacement of a secret.
const REDACTED: &str = "********";

/// A request that can be inspected, and sent any number of times.
///
/// It contains no console URL, no token and no API version, which belong to the client that sends it. `T` is the type
/// of the decoded response.
pub struct Request<T> {
    operation: &'static Operation,
    path_params: Vec<(&'static str, String)>,
    query: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    files: Vec<(&'static str, FilePart)>,
    /// Whether the filter of the body is selective. The query is evaluated on demand, because it can change.
    has_selective_body_filter: bool,
    everything_in_scope: bool,
    response: PhantomData<fn() -> T>,
}

impl<T> Clone for Request<T> {
    fn clone(&self) -> Self {
        Self {
            operation: self.operation,
            path_params: self.path_params.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            files: self.files.clone(),
            has_selective_body_filter: self.has_selective_body_filter,
            everything_in_scope: self.everything_in_scope,
            response: PhantomData,
        }
    }
}

impl<T> PartialEq for Request<T> {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation
            && self.path_params == other.path_params
            && self.query == other.query
            && self.headers == other.headers
            && self.body == other.body
            && self.files == other.files
            && self.everything_in_scope == other.everything_in_scope
    }
}

/// Omits the values of the query and the body, because a body may contain passwords.
impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation.id)
            .field("path_params", &self.path_params)
            .field("query", &self.query.keys().collect::<Vec<_>>())
            .field("body", &self.body.as_ref().map(|_| "…"))
            .finish()
    }
}

impl<T> Request<T> {
    pub(crate) fn new(operation: &'static Operation) -> Self {
        Self {
            operation,
            path_params: Vec::new(),
            query: Map::new(),
            headers: Vec::new(),
            body: None,
            files: Vec::new(),
            has_selective_body_filter: false,
            everything_in_scope: false,
            response: PhantomData,
        }
    }

    pub(crate) fn path_param(
        mut self,
        name: &'static str,
        value: impl AsRef<str>,
    ) -> Result<Self, RequestError> {
        let value = value.as_ref();
        // URL parsers remove dot segments even if they are percent-encoded, and an empty segment changes the path.
        // Both would call another operation.
        if value.trim().is_empty() || matches!(value, "." | "..") || value.contains(char::is_control) {
            let value = value.to_owned();
            return Err(self.error(RequestErrorKind::InvalidPathParam { name, value }));
        }
        self.path_params.push((name, utf8_percent_encode(value, PATH_PARAM).to_string()));
        Ok(self)
    }

    #[allow(dead_code, reason = "only operations of some features have headers")]
    pub(crate) fn header_param<'a>(
        mut self,
        name: &'static str,
        value: impl Into<Option<&'a str>>,
    ) -> Result<Self, RequestError> {
        let Some(value) = value.into() else { return Ok(self) };
        let is_visible = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if value.trim().is_empty() || !is_visible {
            let value = value.to_owned();
            return Err(self.error(RequestErrorKind::InvalidHeader { name, value }));
        }
        self.headers.push((name, value.to_owned()));
        Ok(self)
    }

    /// Adds the content of a file whose name is in the body.
    #[allow(dead_code, reason = "only operations of some features have files")]
    pub(crate) fn with_file<'a>(
        mut self,
        name: &'static str,
        file: impl Into<Option<&'a FilePart>>,
    ) -> Result<Self, RequestError> {
        self.files.extend(file.into().map(|file| (name, file.clone())));
        Ok(self)
    }

    pub(crate) fn with_query(mut self, query: &impl Serialize) -> Result<Self, RequestError> {
        let mut map = self.object(query)?;
        map.retain(|_, value| !value.is_null());
        let validator = FieldValidator { part: "", location: FieldLocation::Query };
        let validated = validator.validate(&mut map, |name| self.operation.query_field(name));
        validated.map_err(|kind| self.error(kind))?;
        self.query = map;
        Ok(self)
    }

    pub(crate) fn with_body(mut self, body: &impl Serialize) -> Result<Self, RequestError> {
        let mut map = self.object(body)?;
        for part in self.operation.body_parts {
            let location = if part.is_filter { FieldLocation::Filter } else { FieldLocation::Data };
            let validator = FieldValidator { part: part.name, location };
            let field = |name: &str| part.fields.iter().find(|field| field.name == name);
            let objects: Vec<&mut Map<String, Value>> = match map.get_mut(part.name) {
                None if part.name.is_empty() => vec![&mut map],
                Some(Value::Object(fields)) => vec![fields],
                Some(Value::Array(list)) => list.iter_mut().filter_map(Value::as_object_mut).collect(),
                _ => continue,
            };
            for fields in objects {
                let mut selective = validator.validate(fields, field).map_err(|kind| self.error(kind))?;
                // No source lists the fields of such a filter, so any condition counts.
                selective |= part.fields.is_empty() && fields.iter().any(is_condition);
                if let RequestFormat::GraphQl(_) = self.operation.request_format {
                    selective = selects_a_part(fields);
                }
                self.has_selective_body_filter |= part.is_filter && selective;
            }
        }
        // PUT replaces an object, whose lists are sent as the console returned them. A list in place of the object
        // selects items, like the filter.
        let replaces = |name: &str| {
            let is_filter = self.operation.body_parts.iter().any(|part| part.is_filter && part.name == name);
            self.operation.method == Method::Put && !is_filter
        };
        let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        let mut checked = map.iter().filter(|(name, value)| is_empty(value) || !replaces(name));
        if let Some(location) = checked.find_map(|(name, value)| self.empty_list(name, value)) {
            return Err(self.error(RequestErrorKind::EmptyList(location)));
        }
        self.body = Some(Value::Object(map));
        Ok(self)
    }

    /// Returns the location of the first empty list in a member of a body, at any depth. A declared field whose
    /// minimum is 0 items may be empty: the operation documents what an empty list does.
    fn empty_list(&self, location: &str, value: &Value) -> Option<String> {
        match value {
            Value::Array(items) if items.is_empty() => {
                let allows_empty = |part: &BodyPart| {
                    let name = match part.name {
                        "" => Some(location),
                        name => location.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')),
                    };
                    part.fields.iter().any(|field| Some(field.name) == name && field.allows_empty_list())
                };
                (!self.operation.body_parts.iter().any(allows_empty)).then(|| location.to_owned())
            }
            Value::Array(items) => items.iter().find_map(|item| self.empty_list(location, item)),
            Value::Object(fields) => {
                let mut nested = fields.iter().filter(|(_, value)| value.is_array() || value.is_object());
                nested.find_map(|(name, value)| self.empty_list(&format!("{location}.{name}"), value))
            }
            _ => None,
        }
    }

    fn object(&self, value: &impl Serialize) -> Result<Map<String, Value>, RequestError> {
        match serde_json::to_value(value) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(self.error(RequestErrorKind::Unserializable("not an object".into()))),
            Err(error) => Err(self.error(RequestErrorKind::Unserializable(error.to_string()))),
        }
    }

    fn error(&self, kind: RequestErrorKind) -> RequestError {
        RequestError::new(self.operation, kind)
    }

    /// Adds the members of a stored object that its type does not declare to the body, at any depth. `declared` is the
    /// body for the object as it is stored, `stored` the same with all members.
    ///
    /// Objects that the body does not have any more, and lists with another number of items, stay unchanged.
    #[must_use]
    pub fn with_undeclared_members(mut self, declared: &Value, stored: &Value) -> Self {
        if let Some(body) = &mut self.body {
            add_undeclared(body, declared, stored);
        }
        self
    }

    /// Allows the action to affect everything in scope: every threat or agent that the token can reach. Without it,
    /// an action whose filter is not selective is rejected.
    #[must_use]
    pub fn everything_in_scope(mut self) -> Self {
        self.everything_in_scope = true;
        self
    }

    /// Returns the part of the body that selects items by their ID, and its field: `filter.ids`, `filter.uuids` or
    /// `data.ids`. The field that has a list in this request precedes the others; `None` if the operation has none.
    pub fn id_field(&self) -> Option<(&'static str, &'static Field)> {
        let candidates = [("filter", "ids"), ("filter", "uuids"), ("data", "ids")];
        let declared = candidates.into_iter().filter_map(|(part, name)| {
            let part = self.operation.body_parts.iter().find(|one| one.name == part)?;
            Some((part.name, part.fields.iter().find(|field| field.name == name)?))
        });
        let has_list = |(part, field): &(&str, &Field)| {
            self.body.as_ref().and_then(|body| body.get(part)?.get(field.name)?.as_array()).is_some()
        };
        declared.clone().find(has_list).or_else(|| declared.clone().next())
    }

    /// Returns the IDs in the field of [`id_field`](Self::id_field); empty if the request has none.
    pub fn ids(&self) -> Vec<String> {
        let list = || {
            let (part, field) = self.id_field()?;
            self.body.as_ref()?.get(part)?.get(field.name)?.as_array()
        };
        list().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns the same request for these IDs only, in the field of [`id_field`](Self::id_field).
    ///
    /// # Errors
    /// Returns an error if the operation has no such field, or the API does not accept the IDs or their number. An empty
    /// list is an error.
    pub fn with_ids(mut self, ids: &[String]) -> Result<Self, RequestError> {
        let Some((part, field)) = self.id_field() else {
            return Err(self.error(RequestErrorKind::UndeclaredParameter("ids".to_owned())));
        };
        let mut body = self.body.take().unwrap_or_default();
        if !body.is_object() {
            body = Value::Object(Map::new());
        }
        if !body[part].is_object() {
            body[part] = Value::Object(Map::new());
        }
        body[part][field.name] = Value::from(ids);
        self.has_selective_body_filter = false;
        self.with_body(&body)
    }

    /// Returns the metadata of the operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Returns the HTTP method.
    pub fn method(&self) -> Method {
        self.operation.method
    }

    /// Returns the percent-encoded path from the root of the console, such as `/web/api/v2.1/threats`.
    ///
    /// # Errors
    /// Returns [`RequestErrorKind::UnsupportedApiVersion`] if this version of the API does not have the operation.
    pub fn path(&self, version: ApiVersion) -> Result<String, RequestError> {
        if !self.operation.supports(version) {
            return Err(self.error(RequestErrorKind::UnsupportedApiVersion {
                version,
                supported: self.operation.versions,
            }));
        }
        let mut path = String::with_capacity(self.operation.path.len());
        let mut parts = self.operation.path.split('{');
        path.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = match name {
                "version" => version.as_str(),
                name => self
                    .path_params
                    .iter()
                    .find(|(param, _)| *param == name)
                    .map_or("", |(_, value)| value.as_str()),
            };
            path.push_str(value);
            path.push_str(rest);
        }
        Ok(path)
    }

    /// Returns the query parameters as names and values, sorted by name and not percent-encoded. Lists are joined by
    /// commas.
    pub fn query(&self) -> Vec<(String, String)> {
        let mut query: Vec<_> =
            self.query.iter().map(|(name, value)| (name.clone(), to_query_value(value))).collect();
        // With the serde_json feature `preserve_order`, which another crate may enable, the map is not sorted.
        query.sort_unstable();
        query
    }

    /// Returns the headers that are parameters of the operation.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// Returns the JSON body, or the fields of a form, in which a file is its name.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    /// Returns the JSON document that is sent: the body, or the GraphQL document with the body as its variables.
    pub fn document(&self) -> Option<Cow<'_, Value>> {
        match self.operation.request_format {
            RequestFormat::GraphQl(document) => {
                Some(Cow::Owned(json!({ "query": document, "variables": self.body })))
            }
            _ => self.body.as_ref().map(Cow::Borrowed),
        }
    }

    /// Returns the files of a form, each with the name of its field.
    pub fn files(&self) -> &[(&'static str, FilePart)] {
        &self.files
    }

    /// Returns the enum values that this version of the client does not list, each with its field. The field has its
    /// wire name, prefixed with the part of the body. Such a value may be newer than the client or misspelled; some
    /// consoles return an empty list and no error for a misspelled value.
    pub fn unknown_enum_values(&self) -> Vec<(String, String)> {
        let mut unknown = Vec::new();
        let mut collect = |part: &str, field: Option<&Field>, value: &Value| {
            let Some(field) = field.filter(|field| !field.enum_values.is_empty()) else { return };
            let location =
                if part.is_empty() { field.name.to_owned() } else { format!("{part}.{}", field.name) };
            let values = match value {
                Value::Array(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            };
            let unlisted =
                values.iter().filter_map(Value::as_str).filter(|value| !field.enum_values.contains(value));
            unknown.extend(unlisted.map(|value| (location.clone(), value.to_owned())));
        };
        for (name, value) in &self.query {
            collect("", self.operation.query_field(name), value);
        }
        for part in self.operation.body_parts {
            let field = |name: &str| part.fields.iter().find(|field| field.name == name);
            let value = match part.name {
                "" => self.body.as_ref(),
                name => self.body.as_ref().and_then(|body| body.get(name)),
            };
            let objects: Vec<&Map<String, Value>> = match value {
                Some(Value::Object(fields)) => vec![fields],
                Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
                _ => continue,
            };
            for (name, value) in objects.into_iter().flatten() {
                collect(part.name, field(name), value);
            }
        }
        unknown
    }

    /// Returns the JSON body with redacted secrets, such as passwords, for display.
    pub fn redacted_body(&self) -> Option<Value> {
        let mut body = self.body.clone()?;
        for path in self.operation.secret_fields {
            each_at(&mut body, path, &mut |secret| *secret = Value::from(REDACTED));
        }
        Some(body)
    }

    /// Returns the secret strings of the body, such as passwords, so that they can be redacted elsewhere.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        if self.operation.secret_fields.is_empty() {
            return secrets;
        }
        let mut body = self.body.clone().unwrap_or_default();
        for path in self.operation.secret_fields {
            each_at(&mut body, path, &mut |secret| secrets.extend(secret.as_str().map(Secret::from)));
        }
        secrets
    }

    /// Returns a request that counts the items that match the filter of this action. `list` is a list with the same
    /// filter; the result is `None` if it has another filter or no filter.
    pub fn count_request<U>(&self, list: &'static Operation) -> Option<Request<U>> {
        let part = self.operation.body_parts.iter().find(|part| part.is_filter)?;
        // Compares the names, because the compiler may emit several copies of a table. The filter of an action may also
        // have the maximum number of items.
        let conditions =
            |fields: &'static [Field]| fields.iter().map(|field| field.name).filter(|name| *name != "limit");
        let same = |fields: &&'static [Field]| conditions(fields).eq(conditions(part.fields));
        if list.kind != OperationKind::Read || !list.query_params.iter().any(same) {
            return None;
        }
        let mut count = Request::new(list);
        let filter = self.body.as_ref()?.get(part.name)?.as_object()?;
        for (name, value) in filter.iter().filter(|(name, value)| !value.is_null() && *name != "limit") {
            // A value that a query cannot express, such as an item with a comma, cannot be counted.
            count.set_query_param(name, value.clone()).ok()?;
        }
        count.set_query_param("countOnly", true).ok()?;
        Some(count)
    }

    /// Returns whether the filter, or the query of a read, is selective.
    pub fn has_selective_filter(&self) -> bool {
        let is_selective =
            |name: &String| self.operation.query_field(name).is_some_and(|field| field.narrows_selection);
        self.has_selective_body_filter || self.query.keys().any(is_selective)
    }

    /// Sets one query parameter, or removes it if the value is null. Pagination sets `cursor` this way.
    ///
    /// # Errors
    /// Returns an error if the operation does not declare the parameter, or the value is invalid.
    pub fn set_query_param(&mut self, name: &str, value: impl Into<Value>) -> Result<(), RequestError> {
        let value = value.into();
        if value.is_null() {
            self.query.remove(name);
            return Ok(());
        }
        let field = |name: &str| self.operation.query_field(name);
        if field(name).is_none() {
            return Err(self.error(RequestErrorKind::UndeclaredParameter(name.to_owned())));
        }
        let mut map = Map::from_iter([(name.to_owned(), value)]);
        let validator = FieldValidator { part: "", location: FieldLocation::Query };
        validator.validate(&mut map, field).map_err(|kind| self.error(kind))?;
        self.query.append(&mut map);
        Ok(())
    }

    /// Validates the filter of the request. The client calls it before sending, and a dry run before printing.
    ///
    /// # Errors
    /// Returns [`RequestErrorKind::EmptyFilter`] if the operation requires a filter, the filter is not selective, and
    /// [`everything_in_scope`](Self::everything_in_scope) is not set.
    pub fn validate(&self) -> Result<(), RequestError> {
        let required = self.operation.filter == FilterRequirement::Required;
        // The filter of an action is in its body, or in its query if the body has none.
        let in_body = self.operation.body_parts.iter().any(|part| part.is_filter);
        let selective = if in_body { self.has_selective_body_filter } else { self.has_selective_filter() };
        if required && !selective && !self.everything_in_scope {
            return Err(self.error(RequestErrorKind::EmptyFilter));
        }
        Ok(())
    }

    /// Changes the type into which the response is decoded. `Page<Value>`, for example, keeps the items of a list as
    /// the console sent them.
    pub fn with_response_type<U>(self) -> Request<U> {
        Request {
            operation: self.operation,
            path_params: self.path_params,
            query: self.query,
            headers: self.headers,
            body: self.body,
            files: self.files,
            has_selective_body_filter: self.has_selective_body_filter,
            everything_in_scope: self.everything_in_scope,
            response: PhantomData,
        }
    }
}

/// Calls `visit` with each value at a path of [`Operation::secret_fields`] that is not null.
fn each_at(value: &mut Value, path: &str, visit: &mut dyn FnMut(&mut Value)) {
    if let Value::Array(items) = value {
        return items.iter_mut().for_each(|item| each_at(item, path, visit));
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    match value {
        Value::Null => {}
        secret if path.is_empty() => visit(secret),
        Value::Object(map) if name == "*" => map.values_mut().for_each(|value| each_at(value, rest, visit)),
        Value::Object(map) => map.get_mut(name).into_iter().for_each(|value| each_at(value, rest, visit)),
        _ => {}
    }
}

/// Returns whether a member of a filter without declared fields is a condition with a value.
fn is_condition((name, value): (&String, &Value)) -> bool {
    let is_empty = match value {
        Value::Null => true,
        Value::Bool(value) => !value && name == "tenant",
        Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    };
    !is_empty && !["limit", "skip", "cursor", "sortBy", "sortOrder"].contains(&name.as_str())
}

fn to_query_value(value: &Value) -> String {
    match value {
        Value::String(string) => string.clone(),
        Value::Array(list) => list.iter().map(to_query_value).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn add_undeclared(value: &mut Value, declared: &Value, stored: &Value) {
    match (value, declared, stored) {
        (Value::Object(fields), Value::Object(declared), Value::Object(stored)) => {
            for (name, stored) in stored.iter().filter(|(_, stored)| !stored.is_null()) {
                match (fields.get_mut(name), declared.get(name)) {
                    (Some(field), Some(declared)) => add_undeclared(field, declared, stored),
                    (None, None) => drop(fields.insert(name.clone(), stored.clone())),
                    _ => {}
                }
            }
        }
        (Value::Array(items), Value::Array(declared), Value::Array(stored))
            if items.len() == declared.len() && items.len() == stored.len() =>
        {
            let pairs = declared.iter().zip(stored);
            items.iter_mut().zip(pairs).for_each(|(item, (declared, stored))| {
                add_undeclared(item, declared, stored);
            });
        }
        _ => {}
    }
}

/// Returns whether a GraphQL filter selects a part of the items: it has at least one group, and each group has a
/// condition. A group without a condition selects all items, and so does a filter without a group.
fn selects_a_part(filter: &Map<String, Value>) -> bool {
    let list = |value: Option<&'_ Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    // A null value finds items without a value; a range needs one end.
    let is_set = |name: &str, value: &Value| match name {
        "value" => true,
        "values" => value.as_array().is_some_and(|list| !list.is_empty()),
        "start" | "end" => !value.is_null(),
        _ => false,
    };
    let is_comparator = |(_, value): (&String, &Value)| {
        value.as_object().is_some_and(|one| one.iter().any(|(name, value)| is_set(name, value)))
    };
    let has_condition = |group: &Value| {
        let conditions = list(group.get("and"));
        conditions.iter().filter_map(Value::as_object).any(|one| one.iter().any(is_comparator))
    };
    let groups = list(filter.get("or"));
    !groups.is_empty() && groups.iter().all(has_condition)
}
