//! The parts of a recorded request.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::RequestError;
use super::json::item;

/// The parts of a recorded request.
#[derive(Clone, Default, PartialEq)]
pub struct RequestParts {
    /// Path parameters by name, percent-decoded.
    pub path_params: BTreeMap<String, String>,
    /// Query parameters. Lists are arrays; booleans and numbers have their JSON type.
    pub query: Map<String, Value>,
    /// Headers that are parameters of the operation, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// JSON body, or the fields of a form, in which a file is its name.
    pub body: Option<Value>,
}

/// Omits the values of query, headers and body, because a body may contain passwords.
impl fmt::Debug for RequestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestParts")
            .field("path_params", &self.path_params)
            .field("query", &self.query.keys().collect::<Vec<_>>())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body.as_ref().map(|_| "…"))
            .finish()
    }
}

/// The error of building a request from recorded parts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestPartsError {
    /// No operation has this ID.
    UnknownOperation(String),
    /// A part is missing or has the wrong type.
    InvalidPart {
        /// `query`, `body`, or the name of a path parameter or a header.
        name: String,
        /// Description of the error.
        message: String,
    },
    /// The request is invalid.
    Request(RequestError),
}

impl RequestPartsError {
    pub(crate) fn unknown(operation: &str) -> Self {
        Self::UnknownOperation(operation.to_owned())
    }
}

impl From<RequestError> for RequestPartsError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for RequestPartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperation(operation) => write!(f, "unknown operation {operation}"),
            Self::InvalidPart { name, message } => write!(f, "{name}: {message}"),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RequestPartsError {}

impl RequestParts {
    /// Returns a path parameter.
    ///
    /// # Errors
    /// Returns an error if it is missing.
    pub fn path_param(&self, name: &str) -> Result<&str, RequestPartsError> {
        self.path_params.get(name).map(String::as_str).ok_or_else(|| missing(name))
    }

    /// Returns a header; `None` if the request does not have it. The name is in lower case.
    pub fn optional_header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns a required header. The name is in lower case.
    ///
    /// # Errors
    /// Returns an error if it is missing.
    pub fn header(&self, name: &str) -> Result<&str, RequestPartsError> {
        self.optional_header(name).ok_or_else(|| missing(name))
    }

    /// Decodes the query.
    ///
    /// # Errors
    /// Returns an error if a parameter has the wrong type or a required one is missing.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, RequestPartsError> {
        read("query", &Value::Object(self.query.clone()))
    }

    /// Decodes the body.
    ///
    /// # Errors
    /// Returns an error if a member has the wrong type or a required one is missing.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, RequestPartsError> {
        read("body", self.body.as_ref().unwrap_or(&Value::Null))
    }
}

fn missing(name: &str) -> RequestPartsError {
    RequestPartsError::InvalidPart { name: name.to_owned(), message: "is missing".to_owned() }
}

fn read<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, RequestPartsError> {
    item(value)
        .map_err(|error| RequestPartsError::InvalidPart { name: name.to_owned(), message: error.to_string() })
}
