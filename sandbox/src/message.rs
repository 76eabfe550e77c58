//! Requests to the sandbox and its responses.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use sentinelone::raw::runtime::Timestamp;
use serde_json::{Value, json};

use sentinelone_contract::{Contract, OperationSpec};

use super::files;

/// A request to the sandbox.
pub(super) struct SandboxRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
    /// Headers that can be parameters of an operation, by name in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Time of the request.
    pub(super) now: Timestamp,
    /// Origin of the sandbox, as in the request.
    pub(super) origin: String,
    pub(super) body: Body,
}

/// The received request body.
pub(super) enum Body {
    Complete(Bytes),
    TooLong,
    Incomplete,
}

/// Error title for an item that already exists.
pub(super) const EXISTS: &str = "Already Exists Error";

/// A response of the sandbox.
#[derive(Debug)]
pub(super) struct SandboxResponse {
    pub(super) status: StatusCode,
    pub(super) body: ResponseContent,
    /// Headers of the operation.
    pub(super) headers: Vec<(&'static str, String)>,
}

/// The body of a response.
#[derive(Debug)]
pub(super) enum ResponseContent {
    Json(Value),
    Zip(Vec<u8>),
    Text(String),
}

impl SandboxResponse {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: ResponseContent::Json(body), headers: Vec::new() }
    }

    /// Returns the JSON body.
    pub(super) fn json_mut(&mut self) -> Option<&mut Value> {
        match &mut self.body {
            ResponseContent::Json(body) => Some(body),
            _ => None,
        }
    }

    pub(super) fn data(data: Value) -> Self {
        Self::ok(json!({ "data": data }))
    }

    pub(super) fn zip(entries: &Value, password: Option<&str>) -> Result<Self, Self> {
        let failed = |error| {
            let detail = format!("The archive cannot be written: {error}");
            Self::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Error", [detail])
        };
        let bytes = files::zip(entries, password).map_err(failed)?;
        Ok(Self { status: StatusCode::OK, body: ResponseContent::Zip(bytes), headers: Vec::new() })
    }

    /// Returns an invented response of an operation without behavior in the sandbox.
    pub(super) fn example(contract: &Contract, operation: &OperationSpec, is_count: bool) -> Self {
        let declared = operation.as_json().get("responses").and_then(Value::as_object);
        let codes = declared.into_iter().flat_map(|responses| responses.keys());
        let status = codes.filter_map(|code| code.parse().ok()).find(StatusCode::is_success);
        let status = status.unwrap_or(StatusCode::OK);
        let body = match contract.example_response(operation, status.as_u16()) {
            Some(mut body) => {
                if let Some(data) = body.get_mut("data").filter(|data| is_count && data.is_array()) {
                    *data = json!([]);
                }
                ResponseContent::Json(body)
            }
            None if status == StatusCode::NO_CONTENT => ResponseContent::Text(String::new()),
            None => ResponseContent::Text(format!("Example of {}\n", operation.id())),
        };
        Self { status, body, headers: Vec::new() }
    }

    /// Returns an error response in the format of SentinelOne. The codes for status 400 and 401 are those of
    /// SentinelOne; the others are invented by the same scheme.
    pub(super) fn error(status: StatusCode, title: &str, details: impl IntoIterator<Item = String>) -> Self {
        let code = match (status, title) {
            (StatusCode::BAD_REQUEST, EXISTS) => 4_000_030,
            (StatusCode::BAD_REQUEST, _) => 4_000_040,
            (other, _) => u32::from(other.as_u16()) * 10_000 + 10,
        };
        let entry = |detail| json!({ "code": code, "title": title, "detail": detail });
        let details = details.into_iter();
        Self {
            status,
            body: ResponseContent::Json(json!({ "errors": details.map(entry).collect::<Vec<_>>() })),
            headers: Vec::new(),
        }
    }

    pub(super) fn bad_request(details: impl IntoIterator<Item = String>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "Validation Error", details)
    }

    pub(super) fn not_found(detail: String) -> Self {
        Self::error(StatusCode::NOT_FOUND, "Not Found", [detail])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn example_has_the_declared_form() {
        let list = json!({ "type": "object", "properties": {
            "data": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" } } } },
            "pagination": { "type": "object", "properties": { "nextCursor": { "type": "string" } } },
        } });
        let content = json!({ "application/json": { "schema": list } });
        let operation = |id: &str, responses: Value| {
            let facts = json!({ "versions": ["2.1"], "kind": "read", "filter": "none", "paging": "none" });
            json!({ "operationId": id, "tags": ["items"], "responses": responses, "x-s1": facts })
        };
        let document = json!({ "openapi": "3.0.3", "paths": {
            "/items": {
                "get": operation("items_list", json!({ "200": { "description": "x", "content": content } })),
                "delete": operation("items_delete", json!({ "204": { "description": "x" } })),
            },
            "/items/export": {
                "get": operation("items_export", json!({ "200": { "description": "x", "content": { "*/*": {} } } })),
            },
        } });
        let contract = Contract::from_document(document).unwrap();
        let example = |id: &str, is_count| {
            SandboxResponse::example(&contract, contract.operation(id).unwrap(), is_count)
        };
        let page = json!({ "nextCursor": null, "totalItems": 1 });
        for (is_count, data) in [(false, json!([{ "id": "1000000000000000001" }])), (true, json!([]))] {
            let ResponseContent::Json(body) = example("items_list", is_count).body else { unreachable!() };
            assert_eq!(body, json!({ "data": data, "pagination": page }));
        }
        let deleted = example("items_delete", false);
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        assert!(matches!(deleted.body, ResponseContent::Text(text) if text.is_empty()));
        let export = example("items_export", false).body;
        assert!(matches!(export, ResponseContent::Text(text) if text == "Example of items_export\n"));
    }
}
