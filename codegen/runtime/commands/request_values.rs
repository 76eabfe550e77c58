//! Builds a request from the arguments of a command.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::runtime::{Operation, Request, RequestError, RequestErrorKind};

/// The values that a command sends: path parameters, query and body.
pub(crate) struct RequestValues {
    request: Result<Request<Value>, RequestError>,
    query: Map<String, Value>,
    body: Map<String, Value>,
}

impl RequestValues {
    pub(crate) fn new(operation: &'static Operation) -> Self {
        Self { request: Ok(Request::new(operation)), query: Map::new(), body: Map::new() }
    }

    /// Rejects an empty list of IDs: without them, the filter of an action would match more objects.
    pub(crate) fn require_ids(mut self, argument: &str, ids: &[String]) -> Self {
        let kind = RequestErrorKind::EmptyList(argument.to_owned());
        self.request = self.request.and_then(|request| match ids {
            [] => Err(RequestError::new(request.operation(), kind)),
            _ => Ok(request),
        });
        self
    }

    /// Sets a path parameter.
    pub(crate) fn path(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.request = self.request.and_then(|request| request.path_param(name, value));
        self
    }

    /// Sets a query parameter, unless the value is missing or an empty list.
    pub(crate) fn query(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(value) = self.present(value) {
            self.query.insert(name.to_owned(), value);
        }
        self
    }

    /// Sets a field of a part of the body, unless the value is missing or an empty list. An empty name sets the part.
    pub(crate) fn body(mut self, part: &str, name: &str, value: impl Serialize) -> Self {
        let Some(value) = self.present(value) else { return self };
        let part = self.body.entry(part).or_insert_with(|| Value::Object(Map::new()));
        match part.as_object_mut() {
            Some(fields) if !name.is_empty() => drop(fields.insert(name.to_owned(), value)),
            _ => *part = value,
        }
        self
    }

    fn present(&mut self, value: impl Serialize) -> Option<Value> {
        match serde_json::to_value(value) {
            Ok(Value::Null) => None,
            Ok(Value::Array(items)) if items.is_empty() => None,
            Ok(value) => Some(value),
            Err(error) => {
                let kind = RequestErrorKind::Unserializable(error.to_string());
                if let Ok(request) = &self.request {
                    self.request = Err(RequestError::new(request.operation(), kind));
                }
                None
            }
        }
    }

    /// Builds the request.
    pub(crate) fn build(self) -> Result<Request<Value>, RequestError> {
        let request = self.request?;
        let request = if self.query.is_empty() { request } else { request.with_query(&self.query)? };
        if self.body.is_empty() { Ok(request) } else { request.with_body(&self.body) }
    }
}

/// Returns the items of a list for a parameter that is a string, joined by commas; `None` for an empty list.
pub(crate) fn joined(items: &[String]) -> Option<String> {
    (!items.is_empty()).then(|| items.join(","))
}
