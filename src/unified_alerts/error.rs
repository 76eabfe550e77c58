//! Errors of GraphQL responses.

use std::fmt;

use sentinelone_raw::runtime::Data;
use serde_json::Value;

use crate::Result;
use crate::error::{Error, ErrorKind};
use crate::response::Response;

/// Errors in a GraphQL response with status 200. Of an action they do not mean that nothing was done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GraphQlError {
    /// Operation, such as `unified_alerts_list`.
    pub operation: &'static str,
    /// Messages of the errors.
    pub messages: Vec<String>,
    /// Classifications of the errors, such as `DataFetchingException`.
    pub classifications: Vec<String>,
    /// The data next to the errors; null if the response has no data.
    pub data: Value,
}

impl fmt::Display for GraphQlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.messages.join("; "))
    }
}

impl std::error::Error for GraphQlError {}

/// Returns the value of a response; an error if it has GraphQL errors, or no data.
pub(super) fn data<T>(response: Response<Data<T>>, is_action: bool) -> Result<T> {
    let errors = response.value.errors.clone().unwrap_or_default();
    if errors.is_empty() {
        let missing = response.missing_value("data");
        return response.into_value().data.ok_or(missing);
    }
    let text = |error: &Value, path: &str| error.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let messages = errors.iter().map(|error| text(error, "/message").unwrap_or_else(|| error.to_string()));
    let classification =
        |error: &Value| text(error, "/extensions/classification").or_else(|| text(error, "/classification"));
    let error = GraphQlError {
        operation: response.operation().id,
        messages: messages.collect(),
        classifications: errors.iter().filter_map(classification).collect(),
        data: response.json().get("data").cloned().unwrap_or_default(),
    };
    let help = match is_action {
        true => "read the alerts before you repeat the action: it may have been done in part",
        false => "check the IDs and the scope of the token",
    };
    Err(Error::caused(ErrorKind::Api, error, Some(help.to_owned())))
}
