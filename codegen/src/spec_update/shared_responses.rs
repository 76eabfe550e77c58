//! Shared error responses of `openapi.yaml`.

use serde_json::{Value, json};

/// Shared responses of `openapi.yaml`, by status.
const SHARED_RESPONSES: [(&str, &str); 8] = [
    ("302", "Found"),
    ("400", "BadRequest"),
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("404", "NotFound"),
    ("409", "Conflict"),
    ("422", "UnprocessableContent"),
    ("500", "InternalServerError"),
];

/// Returns the reference to the shared response of a status.
pub(super) fn shared_response(status: &str) -> Option<Value> {
    let (_, name) = SHARED_RESPONSES.iter().find(|(code, _)| *code == status)?;
    Some(json!({ "$ref": format!("openapi.yaml#/components/responses/{name}") }))
}
