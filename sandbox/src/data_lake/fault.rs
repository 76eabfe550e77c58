//! The effects of faults.

use http::StatusCode;
use serde_json::{Value, json};

use super::call::{FORWARD_TAG, QueryCall, not_found, text};
use crate::message::SandboxResponse;
use crate::query_fault::QueryFault;
use crate::running_queries::RunningQuery;

/// Returns the response to a call that has no effect; `None` if the fault changes the response to a successful call.
pub(super) fn refusal(fault: QueryFault, call: &QueryCall<'_>) -> Option<SandboxResponse> {
    let page = || "<html><body>429 Too Many Requests</body></html>".to_owned();
    match fault {
        QueryFault::LaunchUnavailable => {
            let body = json!({ "message": format!("The data lake is not available for {}", call.body) });
            Some(SandboxResponse { status: StatusCode::SERVICE_UNAVAILABLE, ..SandboxResponse::ok(body) })
        }
        QueryFault::LaunchThrottled | QueryFault::ReadThrottled => {
            Some(text(StatusCode::TOO_MANY_REQUESTS, page()))
        }
        QueryFault::ReadNotFound => Some(not_found(call.id.unwrap_or_default())),
        QueryFault::DeletionFails => {
            Some(text(StatusCode::INTERNAL_SERVER_ERROR, "Internal error".to_owned()))
        }
        _ => None,
    }
}

/// Changes the response to a successful call.
pub(super) fn change(fault: QueryFault, response: &mut SandboxResponse) {
    match fault {
        QueryFault::LaunchWithoutRoute => response.headers.retain(|(name, _)| *name != FORWARD_TAG),
        QueryFault::DeletionWithBody => *response = SandboxResponse::ok(json!({})),
        _ => {}
    }
    let Some(body) = response.json_mut() else { return };
    match fault {
        QueryFault::LaunchWithoutRows => {
            body["stepsCompleted"] = body["stepsTotal"].clone();
            body["data"] = json!({ "matches": [], "values": [] });
        }
        QueryFault::QueryFails => {
            body["error"] = json!({ "message": "The query failed", "details": "a fault of the sandbox" });
            body["data"] = Value::Null;
        }
        _ => {}
    }
}

/// Changes a launched query.
pub(super) fn change_query(fault: QueryFault, query: &mut RunningQuery) {
    match fault {
        QueryFault::LaunchWithoutRoute => query.tag = None,
        QueryFault::PartialResults => query.is_partial = true,
        _ => {}
    }
}

/// Adds what partial results report.
pub(super) fn mark_partial(body: &mut Value) {
    body["warnings"] = json!(["a warning next to the data"]);
    body["partialResultsDueToTimeLimit"] = true.into();
    body["discardedArrayItems"] = 2.into();
    body["data"]["warnings"] = json!(["a warning in the data"]);
    body["data"]["omittedEvents"] = 3.into();
}
