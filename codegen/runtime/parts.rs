//! Requests from recorded parts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::RequestError;
use super::envelope::item;

/// What a recorded request consists of.
#[derive(Clone, Default, PartialEq)]
pub struct Parts {
    /// Path segments by name, percent-decoded.
    pub segments: BTreeMap<String, String>,
    /// Query parameters, with lists as arrays and flags and numbers as such.
    pub query: Map<String, Value>,
    /// The body.
    pub body: Option<Value>,
}

/// Bodies may hold passwords, so only the outline is shown.
impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("segments", &self.segments)
            .field("query", &self.query.keys().collect::<Vec<_>>())
            .field("body", &self.body.as_ref().map(|_| "…"))
            .finish()
    }
}

/// Why recorded parts are no request of an operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PartsError {
    /// There is no operation of this identifier.
    UnknownOperation(String),
    /// A part is missing or is none of its type.
    Part {
        /// `query`, `body`, or the name of a segment.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The request is not one that the API takes.
    Request(RequestError),
}

impl PartsError {
    pub(crate) fn unknown(operation: &str) -> Self {
        Self::UnknownOperation(operation.to_owned())
    }
}

impl From<RequestError> for PartsError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for PartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperation(operation) => write!(f, "there is no operation {operation}"),
            Self::Part { name, message } => write!(f, "{name}: {message}"),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PartsError {}

impl Parts {
    pub(crate) fn segment(&self, name: &str) -> Result<&str, PartsError> {
        let missing = || PartsError::Part { name: name.to_owned(), message: "is missing".to_owned() };
        self.segments.get(name).map(String::as_str).ok_or_else(missing)
    }

    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, PartsError> {
        read("query", &Value::Object(self.query.clone()))
    }

    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, PartsError> {
        read("body", self.body.as_ref().unwrap_or(&Value::Null))
    }
}

fn read<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, PartsError> {
    item(value).map_err(|error| PartsError::Part { name: name.to_owned(), message: error.to_string() })
}
