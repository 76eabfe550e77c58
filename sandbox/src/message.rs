//! Requests to the sandbox and its responses.

use bytes::Bytes;
use http::StatusCode;
use sentinelone::raw::runtime::Timestamp;
use serde_json::{Value, json};

use super::files;

/// A request to the sandbox.
pub(super) struct SandboxRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: Option<&'a str>,
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
}

/// The body of a response.
#[derive(Debug)]
pub(super) enum ResponseContent {
    Json(Value),
    Zip(Vec<u8>),
}

impl SandboxResponse {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: ResponseContent::Json(body) }
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
        Ok(Self { status: StatusCode::OK, body: ResponseContent::Zip(bytes) })
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
        }
    }

    pub(super) fn bad_request(details: impl IntoIterator<Item = String>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "Validation Error", details)
    }

    pub(super) fn not_found(detail: String) -> Self {
        Self::error(StatusCode::NOT_FOUND, "Not Found", [detail])
    }
}
