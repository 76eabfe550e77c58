//! Actions on IDs: batches of requests, and the result of each ID.

use sentinelone_raw::runtime::{Field, Request, RequestError};
use serde_json::{Value, json};

use super::batched_lists::unique;
use super::context_path::{ContextPath, context_under};
use crate::Result;
use crate::client::Client;
use crate::commands::{Argument, ArgumentKind, Command, Outcome};
use crate::error::Error;
use crate::outcome::{IdOutcome, IdState, too_many_affected};

/// Returns the requests of an action on IDs, in batches of the maximum size of the API. Duplicates are removed. An
/// empty list of IDs is an error.
pub(crate) fn batch_requests<C: Command, T>(
    _: &C,
    (argument, ids): (&str, &[String]),
    fields: &[Field],
    build: impl Fn(Vec<String>) -> Result<Request<T>, RequestError>,
) -> Result<Vec<Request<Value>>> {
    let unique = unique(ids);
    if unique.is_empty() {
        return Err(argument_error(C::INFO.name, argument, "is missing; expected at least one value"));
    }
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let max = field("ids").or_else(|| field("uuids")).and_then(|field| field.item_count.1);
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(unique.len());
    unique.chunks(max.max(1)).map(|ids| Ok(build(ids.to_vec())?.with_response_type())).collect()
}

/// Runs an action on threats. The context has one entry per threat, to which `fill` adds the values of the command.
pub(crate) async fn run_threat_action<C: Command>(
    command: &C,
    client: &Client,
    fill: impl Fn(&IdOutcome, &mut Value),
) -> Result<Outcome> {
    run_id_action(command, client, ("SentinelOne.Threat", "ID"), fill).await
}

/// Runs an action on IDs. The context has one entry per ID at `prefix`, with the ID as member `id`. `fill` adds the
/// values of the command.
pub(crate) async fn run_id_action<C: Command>(
    command: &C,
    client: &Client,
    (prefix, id): (&str, &str),
    fill: impl Fn(&IdOutcome, &mut Value),
) -> Result<Outcome> {
    let (mut outcome, _) = run_action(client, command.requests(client.api_version())?).await?;
    let entries = outcome.results.iter().map(|result| {
        let mut entry = json!({ id: result.id });
        fill(result, &mut entry);
        entry
    });
    outcome.context = context_under(prefix, entries.collect());
    Ok(outcome)
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

/// The argument for the IDs of the threats.
pub(crate) fn threat_ids() -> Argument {
    Argument::new("threat_ids", ArgumentKind::List, "Threat IDs.").required()
}

/// Context path of the ID of a threat.
pub(crate) const THREAT_ID: ContextPath =
    ContextPath::argument("SentinelOne.Threat.ID", "String", "ID of the threat", "threat_ids");

/// Sends the requests of an action in sequence. Returns the outcome and the HTTP status of each response.
///
/// An error of the first request is returned. A later error becomes [`Outcome::failure`], and the remaining requests
/// are not sent.
pub(crate) async fn run_action(
    client: &Client,
    requests: Vec<Request<Value>>,
) -> Result<(Outcome, Vec<u16>)> {
    // No request is sent unless all are valid.
    requests.iter().try_for_each(Request::validate)?;
    let mut outcome = Outcome::new(Value::Null, Value::Null);
    let mut statuses = Vec::new();
    for request in &requests {
        let ids = requested_ids(request);
        if outcome.failure.is_some() {
            outcome.results.extend(ids.into_iter().map(|id| without_detail(id, IdState::NotAffected)));
            continue;
        }
        match client.send(request).await {
            Ok(response) => {
                let body = response.json();
                let affected = body.pointer("/data/affected").and_then(Value::as_u64);
                outcome.results.extend(response.outcomes_of(&ids));
                outcome.add_diagnostics(&response);
                outcome.errors.extend(too_many_affected(&ids, affected));
                outcome.affected = match (outcome.affected, affected) {
                    (Some(before), Some(now)) => Some(before.saturating_add(now)),
                    (None, now) if statuses.is_empty() => now,
                    _ => None,
                };
                statuses.push(response.status().as_u16());
                merge_response(&mut outcome.response, body);
            }
            Err(error) if statuses.is_empty() => return Err(error),
            Err(error) => {
                let state =
                    if error.may_have_taken_effect() { IdState::Unknown } else { IdState::NotAffected };
                outcome.results.extend(ids.into_iter().map(|id| without_detail(id, state)));
                if error.may_have_taken_effect() {
                    // The total count is unknown.
                    outcome.affected = None;
                }
                outcome.failure = Some(error);
            }
        }
    }
    Ok((outcome, statuses))
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

/// Returns the IDs in the body of a request.
pub(crate) fn requested_ids(request: &Request<Value>) -> Vec<String> {
    let body = request.body();
    let ids = ["/filter/ids", "/filter/uuids", "/data/ids"].iter();
    let ids = ids.filter_map(|pointer| body?.pointer(pointer)?.as_array()).next();
    ids.into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Merges a response into another: lists are concatenated, `affected` is added, other members are replaced.
pub(crate) fn merge_response(into: &mut Value, body: Value) {
    match (into, body) {
        (Value::Object(into), Value::Object(body)) => {
            for (name, value) in body {
                let sum = into.get(&name).and_then(Value::as_u64).zip(value.as_u64());
                match (into.get_mut(&name), sum) {
                    (Some(present), Some((before, now))) if name == "affected" => {
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

/// Returns an argument error, for commands that validate while they build their requests.
pub(crate) fn argument_error(command: &'static str, argument: &str, message: impl Into<String>) -> Error {
    crate::commands::ArgumentError::new(command, argument, message).into()
}
