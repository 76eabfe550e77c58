//! The error for an invalid request.

use std::fmt;

use super::{ApiVersion, Operation};

/// The error for an invalid request, which is not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestError {
    operation: &'static str,
    kind: Box<RequestErrorKind>,
}

impl RequestError {
    pub(super) fn new(operation: &'static Operation, kind: RequestErrorKind) -> Self {
        Self { operation: operation.id, kind: Box::new(kind) }
    }

    /// Creates an error for a missing required value. `field` is its wire name, such as `data.incidentStatus`.
    pub fn missing(operation: &'static Operation, field: &str) -> Self {
        Self::new(operation, RequestErrorKind::Missing(field.to_owned()))
    }

    /// Returns the ID of the operation.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> &RequestErrorKind {
        &self.kind
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind)
    }
}

impl std::error::Error for RequestError {}

/// The kind of a [`RequestError`]. Fields have their wire names, prefixed with the part of the body: `filter.ids`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// An action without a filter, or with a filter that is not selective.
    EmptyFilter,
    /// A missing required value.
    Missing(String),
    /// An empty list, of values or of objects, in the query or at any depth of the body. The console would ignore an
    /// empty list in a filter, which then matches more items; in data it adds nothing.
    EmptyList(String),
    /// An empty or blank string, or such an item of a list.
    Blank(String),
    /// A comma in a list item of a query parameter, which the wire format cannot express.
    CommaInListItem {
        /// The field.
        field: String,
        /// The item.
        item: String,
    },
    /// A list with more or fewer items than the API accepts.
    ItemCountOutOfRange {
        /// The field.
        field: String,
        /// The number of items.
        count: u64,
        /// The minimum and maximum.
        bounds: (Option<u64>, Option<u64>),
    },
    /// A string, or an item of a list, that is shorter or longer than the API accepts.
    LengthOutOfRange {
        /// The field.
        field: String,
        /// The number of characters.
        count: u64,
        /// The minimum and maximum.
        bounds: (Option<u64>, Option<u64>),
    },
    /// A number outside the range that the API accepts.
    ValueOutOfRange {
        /// The field.
        field: String,
        /// The number. A fraction, or a number beyond 64 bits, is rounded to the nearest integer out of bounds.
        value: i64,
        /// The minimum and maximum.
        bounds: (Option<i64>, Option<i64>),
    },
    /// A string that is not a valid timestamp.
    InvalidTimestamp {
        /// The field.
        field: String,
        /// The string.
        value: String,
    },
    /// A string that is not a JSON object of non-empty string lists. An empty object would not be selective.
    InvalidJsonString {
        /// The field.
        field: String,
        /// The string.
        value: String,
    },
    /// A path parameter that is empty, a dot segment, or contains control characters.
    InvalidPathParam {
        /// The name.
        name: &'static str,
        /// The value.
        value: String,
    },
    /// A header that is empty, or contains other characters than visible ASCII characters and spaces.
    InvalidHeader {
        /// The name.
        name: &'static str,
        /// The value.
        value: String,
    },
    /// This version of the API does not have the operation.
    UnsupportedApiVersion {
        /// The requested version.
        version: ApiVersion,
        /// The versions that have the operation.
        supported: &'static [ApiVersion],
    },
    /// A query parameter that the operation does not declare. The console would ignore it.
    UndeclaredParameter(String),
    /// A value that does not serialize as a JSON object.
    Unserializable(String),
}

struct Bounds<N>((Option<N>, Option<N>));

impl<N: fmt::Display> fmt::Display for Bounds<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any"),
        }
    }
}

impl fmt::Display for RequestErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFilter => {
                f.write_str("the filter is not selective, so the action would affect everything in scope")
            }
            Self::Missing(field) => write!(f, "{field} is missing; the API requires it"),
            Self::EmptyList(field) => write!(f, "{field} is an empty list; expected at least 1 item"),
            Self::Blank(field) => {
                write!(f, "{field} has an empty string, which matches all items or no items")
            }
            Self::CommaInListItem { field, item } => {
                write!(f, "{field} has {item:?}; a list item of a query parameter cannot contain a comma")
            }
            Self::ItemCountOutOfRange { field, count, bounds } => {
                write!(f, "{field} has {}; expected {}", counted(*count, "item"), Bounds(*bounds))
            }
            Self::LengthOutOfRange { field, count, bounds } => {
                write!(
                    f,
                    "{field} has a string of {}; expected {}",
                    counted(*count, "character"),
                    Bounds(*bounds)
                )
            }
            Self::ValueOutOfRange { field, value, bounds } => {
                write!(f, "{field} is {value}; expected {}", Bounds(*bounds))
            }
            Self::InvalidTimestamp { field, value } => {
                write!(f, "{field} is {value:?}; expected a timestamp such as 2026-11-21T08:30:00Z")
            }
            Self::InvalidJsonString { field, value } => {
                write!(
                    f,
                    "{field} is {value:?}; expected an object such as {{\"key\": [\"value\"]}}, \
                     with at least one value"
                )
            }
            Self::InvalidPathParam { name, value } => {
                write!(f, "{name} is {value:?}, which is not valid in a path; expected an ID")
            }
            Self::InvalidHeader { name, value } => {
                write!(f, "the header {name} is {value:?}; expected visible ASCII characters")
            }
            Self::UnsupportedApiVersion { version, supported } => {
                let supported: Vec<_> = supported.iter().map(|version| version.as_str()).collect();
                write!(f, "not supported on API {version}; supported on {}", supported.join(" and "))
            }
            Self::UndeclaredParameter(name) => {
                write!(f, "{name} is not a parameter of this operation, and the console would ignore it")
            }
            Self::Unserializable(reason) => write!(f, "the request cannot be serialized as JSON: {reason}"),
        }
    }
}

/// Returns a number with its noun, such as `1 item` or `3 items`.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
