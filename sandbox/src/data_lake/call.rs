//! Calls of long-running queries, and responses of the data lake.

use http::StatusCode;
use serde_json::{Value, json};

use crate::message::{ResponseContent, SandboxResponse};

/// Header with the route to the node that runs a query.
pub(crate) const FORWARD_TAG: &str = "x-dataset-query-forward-tag";

/// A call of a long-running query.
pub(crate) struct QueryCall<'a> {
    /// `launch`, `read` or `delete`.
    pub(crate) step: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) tag: Option<&'a str>,
    pub(crate) body: Value,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

/// Returns the response to a call of a query that does not exist.
pub(super) fn not_found(id: &str) -> SandboxResponse {
    let body = json!({ "code": "not_found", "message": format!("Requested token={id} not found") });
    SandboxResponse { status: StatusCode::NOT_FOUND, ..SandboxResponse::ok(body) }
}

/// Returns a response that is not JSON.
pub(super) fn text(status: StatusCode, text: String) -> SandboxResponse {
    SandboxResponse { status, body: ResponseContent::Text(text), headers: Vec::new() }
}
