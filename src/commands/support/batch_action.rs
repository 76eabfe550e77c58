//! Actions on IDs: batches of requests, and the result of each ID.

use sentinelone_raw::remote_scripts;
use sentinelone_raw::runtime::{Field, Request, RequestError};
use serde_json::{Value, json};

use super::error_text::error_about;
use super::execution::Requests;
use super::ids::unique;
use crate::Result;
use crate::batch::{self, BatchFailure, BatchReport, effective_batch_size};
use crate::client::Client;
use crate::commands::Outcome;
use crate::commands::argument_error::argument_error;
use crate::outcome::{IdOutcome, IdState};

/// Returns the requests of an action on IDs, in [batches](effective_batch_size). Duplicates are removed. An empty list of
/// IDs is an error.
pub(crate) fn batch_requests<T>(
    command: &'static str,
    (argument, ids): (&str, &[String]),
    fields: &[Field],
    build: impl Fn(Vec<String>) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    let unique = unique(ids);
    if unique.is_empty() {
        return Err(argument_error(command, argument, "is missing; expected at least one value"));
    }
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let max = field("ids").or_else(|| field("uuids")).and_then(|field| field.item_count.1);
    let size = effective_batch_size(max, unique.len(), None);
    unique.chunks(size).map(|ids| Ok(build(ids.to_vec())?.with_response_type())).collect()
}

/// Returns the result of an action without a count, from the member `success` of the response.
pub(crate) fn success_outcome(id: &str, response: &Value) -> Vec<IdOutcome> {
    let state = match response.pointer("/data/success") {
        Some(Value::Bool(true)) => IdState::Done,
        Some(Value::Bool(false)) => IdState::NotAffected,
        // Some consoles send a string.
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => IdState::Done,
        _ => IdState::Unknown,
    };
    vec![without_detail(id.to_owned(), state)]
}

/// Returns the requests in batches of the size that the caller set, if they differ only in their IDs. A script stays one
/// request, because each request starts a run.
pub(crate) fn with_batch_size(requests: Requests, batch_size: Option<usize>) -> Result<Requests> {
    let has_ids = |request: &Request<Value>| !request.ids().is_empty();
    match (requests.first(), batch_size) {
        (Some(first), Some(size))
            if requests.iter().all(has_ids) && first.operation() != &remote_scripts::EXECUTE =>
        {
            batch::batch_requests(first, &batch::unique_ids(&requests), Some(size))
        }
        _ => Ok(requests),
    }
}

/// Sends the requests of an action, as [`ActionBatch::send`](batch::ActionBatch::send) does. Returns the outcome and the
/// HTTP status of each response.
///
/// The error of a single request is returned, unless there is a journal. Otherwise an error becomes
/// [`Outcome::failure`], unless the action certainly had no effect.
pub(crate) async fn run_action(client: &Client, requests: Requests) -> Result<(Outcome, Vec<u16>)> {
    let (mut outcome, statuses, sent) = send_action(client, requests).await?;
    if sent == 1
        && statuses.is_empty()
        && client.batch_settings().journal.is_none()
        && let Some(error) = outcome.failure.take()
    {
        return Err(error);
    }
    Ok((outcome, statuses))
}

/// Sends the requests of an action. Returns the outcome, the HTTP status of each response, and the number of requests.
pub(crate) async fn send_action(client: &Client, requests: Requests) -> Result<(Outcome, Vec<u16>, usize)> {
    let settings = client.batch_settings();
    let requests = with_batch_size(requests, settings.batch_size)?;
    let count = requests.len();
    let report = batch::send_requests(client, requests, &settings).await?;
    let BatchReport { outcomes, affected, responses, api_errors, failures, is_stopped, .. } = report;
    let mut outcome = Outcome::new(Value::Null, Value::Null);
    (outcome.results, outcome.affected, outcome.errors) = (outcomes, affected, api_errors);
    outcome.is_stopped = is_stopped;
    let mut statuses = Vec::new();
    for response in responses {
        merge_response(&mut outcome.response, response.json());
        outcome.repairs.extend(response.repairs());
        statuses.push(response.status().as_u16());
    }
    // Each batch has its own error. The first one has a remedy.
    for BatchFailure { ids, error, .. } in failures {
        if outcome.failure.is_none() {
            outcome.failure = Some(error);
            continue;
        }
        let first = ids.first().map(|id| format!(" from {id}")).unwrap_or_default();
        outcome.errors.push(error_about(&format!("batch of {} IDs{first}", ids.len()), error.to_string()));
    }
    Ok((outcome, statuses, count))
}

/// Returns whether the action on an ID succeeded, or null if the result is unknown or partial.
pub(crate) fn success_or_null(result: &IdOutcome) -> Value {
    match result.state {
        IdState::Unknown | IdState::Partial => Value::Null,
        state => Value::Bool(state.is_success()),
    }
}

/// Returns the result of an ID without a detail of the console.
pub(crate) fn without_detail(id: String, state: IdState) -> IdOutcome {
    IdOutcome { id, state, detail: None }
}

/// Merges a response into another: lists are concatenated, counts of affected items are added, other members are
/// replaced.
pub(crate) fn merge_response(into: &mut Value, body: Value) {
    match (into, body) {
        (Value::Object(into), Value::Object(body)) => {
            for (name, value) in body {
                let sum = into.get(&name).and_then(Value::as_u64).zip(value.as_u64());
                match (into.get_mut(&name), sum) {
                    (Some(present), Some((before, now)))
                        if matches!(name.as_str(), "affected" | "agentsMoved") =>
                    {
                        *present = json!(before.saturating_add(now))
                    }
                    (Some(present), _) => merge_response(present, value),
                    (None, _) => {
                        into.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(body)) => into.extend(body),
        // An empty response does not replace the earlier ones.
        (into, Value::Null) if !into.is_null() => {}
        (into, body) => *into = body,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use sentinelone_raw::OPERATIONS;
    use sentinelone_raw::runtime::{ApiVersion, Operation, OperationKind};

    use super::*;
    use crate::batch::recovery_of;
    use crate::commands::{ArgumentKind, find, registry};

    /// Returns whether the body of an action selects items by ID.
    fn has_ids(operation: &Operation) -> bool {
        let fields = operation
            .body_parts
            .iter()
            .flat_map(|part| part.fields.iter().map(|field| (part.name, field.name)));
        operation.kind == OperationKind::Action
            && fields
                .into_iter()
                .any(|id| [("filter", "ids"), ("filter", "uuids"), ("data", "ids")].contains(&id))
    }

    #[test]
    fn recovery_covers_each_action_on_ids_of_the_commands() {
        for entry in registry() {
            for id in entry.info.operations {
                let operation = OPERATIONS.iter().find(|operation| operation.id == *id).unwrap();
                // The filter of a new rule is its scope.
                let expected = has_ids(operation) && !id.ends_with("_create") && *id != "star_rules_update";
                assert_eq!(recovery_of(id).is_some(), expected, "{id} of {}", entry.info.name);
            }
        }
    }

    #[test]
    fn batched_commands_are_the_actions_on_a_list_of_ids() {
        for entry in registry() {
            let arguments = (entry.arguments)();
            let argument = entry.batch_argument();
            let kind =
                argument.and_then(|name| arguments.iter().find(|one| one.name == name)).map(|one| one.kind);
            assert_eq!(kind, argument.map(|_| ArgumentKind::List), "{}", entry.info.name);
            if argument.is_some() {
                assert!(
                    entry.info.operations.iter().any(|id| recovery_of(id).is_some()),
                    "{}",
                    entry.info.name
                );
            }
        }
    }

    #[test]
    fn with_batch_size_keeps_requests_without_ids() {
        let command = find("shutdown-agent").unwrap();
        let requests = |name: &str| {
            let arguments = crate::commands::Arguments::new().with(name, "1,2,3");
            let requests = command.prepare(arguments).unwrap().requests(ApiVersion::V2_1).unwrap();
            with_batch_size(requests, Some(2)).unwrap().iter().map(|one| one.ids().len()).collect::<Vec<_>>()
        };
        assert_eq!(requests("agent_id"), [2, 1]);
        assert_eq!(requests("group_id"), [0]);
    }
}
