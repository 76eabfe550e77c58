//! What actions on identifiers have in common: batches, and the truth about each identifier.

use sentinelone_raw::runtime::{Field, Request, RequestError};
use serde_json::{Value, json};

use super::context::{Output, under};
use super::lists::unique;
use super::{Argument, ArgumentKind, Command, Outcome};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::{IdOutcome, IdState, too_many};

/// The requests of an action on identifiers: one for as many as the API takes at once. Repeated ones are
/// named once; without any there is nothing to act on, which is an error and no success.
pub(super) fn requests<C: Command, T>(
    _: &C,
    (argument, ids): (&str, &[String]),
    fields: &[Field],
    build: impl Fn(Vec<String>) -> Result<Request<T>, RequestError>,
) -> Result<Vec<Request<Value>>> {
    let unique = unique(ids);
    if unique.is_empty() {
        return Err(refuse(C::INFO.name, argument, "is missing; give at least one"));
    }
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let most = field("ids").or_else(|| field("uuids")).and_then(|field| field.items.1);
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(unique.len());
    unique.chunks(most.max(1)).map(|ids| Ok(build(ids.to_vec())?.answering())).collect()
}

/// Runs a command that acts on threats. Its context has one entry for each, into which `fill` puts what
/// the command says of it.
pub(super) async fn act_on_threats<C: Command>(
    command: &C,
    client: &Client,
    fill: impl Fn(&IdOutcome, &mut Value),
) -> Result<Outcome> {
    act_on(command, client, ("SentinelOne.Threat", "ID"), fill).await
}

/// Runs a command that acts on identifiers. Below `prefix` its context has one entry for each, with the
/// identifier under the name `id`, into which `fill` puts what the command says of it.
pub(super) async fn act_on<C: Command>(
    command: &C,
    client: &Client,
    (prefix, id): (&str, &str),
    fill: impl Fn(&IdOutcome, &mut Value),
) -> Result<Outcome> {
    let (mut outcome, _) = act(client, command.requests(client.api_version())?).await?;
    let entries = outcome.ids.iter().map(|one| {
        let mut entry = json!({ id: one.id });
        fill(one, &mut entry);
        entry
    });
    outcome.context = under(prefix, entries.collect());
    Ok(outcome)
}

/// What is known of the things that an action without a count was asked for: it was taken, as the console
/// says with `success`, or nobody knows.
pub(super) fn succeeded(id: &str, answer: &Value) -> Vec<IdOutcome> {
    let state = match answer.pointer("/data/success") {
        Some(Value::Bool(true)) => IdState::Done,
        Some(Value::Bool(false)) => IdState::NotAffected,
        // Some consoles say it as a text.
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => IdState::Done,
        _ => IdState::Unknown,
    };
    vec![without_answer(id.to_owned(), state)]
}

/// The argument that names the threats to act on.
pub(super) fn threat_ids() -> Argument {
    Argument::new("threat_ids", ArgumentKind::List, "Identifiers of the threats.").required()
}

/// The context path of each threat's identifier.
pub(super) const THREAT_ID: Output =
    Output::argument("SentinelOne.Threat.ID", "String", "Identifier of the threat", "threat_ids");

/// Sends the requests of an action one after the other. What ends them early is in the outcome once
/// something was done; before that it is the error.
pub(super) async fn act(client: &Client, requests: Vec<Request<Value>>) -> Result<(Outcome, Vec<u16>)> {
    // All of them may be sent, or none is.
    requests.iter().try_for_each(Request::check)?;
    let mut outcome = Outcome::found(Value::Null, Value::Null);
    let mut statuses = Vec::new();
    for request in &requests {
        let asked = asked_ids(request);
        if outcome.failure.is_some() {
            outcome.ids.extend(asked.into_iter().map(|id| without_answer(id, IdState::NotAffected)));
            continue;
        }
        match client.send(request).await {
            Ok(answer) => {
                let body = answer.json();
                let affected = body.pointer("/data/affected").and_then(Value::as_u64);
                outcome.ids.extend(answer.outcomes_of(&asked));
                outcome.errors.extend_from_slice(answer.vendor_errors());
                outcome.errors.extend(too_many(&asked, affected));
                outcome.affected = match (outcome.affected, affected) {
                    (Some(before), Some(now)) => Some(before.saturating_add(now)),
                    (None, now) if statuses.is_empty() => now,
                    _ => None,
                };
                statuses.push(answer.status().as_u16());
                join(&mut outcome.answer, body);
            }
            Err(error) if statuses.is_empty() => return Err(error),
            Err(error) => {
                let state = if error.may_have_acted() { IdState::Unknown } else { IdState::NotAffected };
                outcome.ids.extend(asked.into_iter().map(|id| without_answer(id, state)));
                if error.may_have_acted() {
                    // How many it was in all is not known any more.
                    outcome.affected = None;
                }
                outcome.failure = Some(error);
            }
        }
    }
    Ok((outcome, statuses))
}

/// Whether an identifier is as it was asked for; null when nobody knows, or when only part of it is.
pub(super) fn known(one: &IdOutcome) -> Value {
    match one.state {
        IdState::Unknown | IdState::Partly => Value::Null,
        state => Value::Bool(state.is_fulfilled()),
    }
}

/// Of an identifier that no answer tells of.
pub(super) fn without_answer(id: String, state: IdState) -> IdOutcome {
    IdOutcome { id, state, detail: None }
}

/// The identifiers that a request names.
pub(super) fn asked_ids(request: &Request<Value>) -> Vec<String> {
    let body = request.body();
    let ids = ["/filter/ids", "/filter/uuids", "/data/ids"].iter();
    let ids = ids.filter_map(|place| body?.pointer(place)?.as_array()).next();
    ids.into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Makes one answer of several: lists are joined, `affected` is added up, everything else is the last one's.
pub(super) fn join(into: &mut Value, body: Value) {
    match (into, body) {
        (Value::Object(into), Value::Object(body)) => {
            for (name, value) in body {
                let sum = into.get(&name).and_then(Value::as_u64).zip(value.as_u64());
                match (into.get_mut(&name), sum) {
                    (Some(present), Some((before, now))) if name == "affected" => {
                        *present = json!(before.saturating_add(now))
                    }
                    (Some(present), _) => join(present, value),
                    (None, _) => {
                        into.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(body)) => into.extend(body),
        // An answer without a word takes nothing away from those before it.
        (into, Value::Null) if !into.is_null() => {}
        (into, body) => *into = body,
    }
}

/// An error of an argument, for commands that find it when they build their requests.
pub(super) fn refuse(command: &'static str, argument: &str, message: impl Into<String>) -> Error {
    super::ArgumentError::new(command, argument, message).into()
}
