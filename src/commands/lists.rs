//! What the lists of the console have in common.

use std::iter::{once, repeat};

use sentinelone_raw::runtime::Request;
use serde_json::Value;

use super::act::{act, asked_ids, without_answer};
use super::{ArgumentError, Arguments, Outcome};
use crate::Result;
use crate::client::Client;
use crate::outcome::IdState;

/// A list that is not given is not sent.
pub(super) fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// How many items are wanted: without a limit the usual number, or all that are named if those are more.
pub(super) fn wanted(limit: Option<u64>, usual: u64, named: &[String]) -> u64 {
    limit.unwrap_or(usual.max(named.len() as u64))
}

/// An identifier, which has to be there.
pub(super) fn required_id(arguments: &mut Arguments, name: &str) -> Result<String, ArgumentError> {
    Ok(arguments.required(name)?.trim().to_owned())
}

/// An identifier, if it is given.
pub(super) fn id(arguments: &mut Arguments, name: &str) -> Result<Option<String>, ArgumentError> {
    Ok(arguments.text(name)?.map(|id| id.trim().to_owned()))
}

/// The identifier of an entry; consoles give numbers too.
pub(super) fn id_of(entry: &Value) -> Option<String> {
    entry.get("id").and_then(id_text)
}

fn id_text(id: &Value) -> Option<String> {
    match id {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The identifiers of a kind, such as `siteIds`, in the scope of an entry. A lone one is a list of one.
pub(super) fn scope_ids(entry: &Value, kind: &str) -> Vec<String> {
    // What is no identifier is still something, and none of those that are known.
    let text = |id: &Value| id_text(id).unwrap_or_else(|| id.to_string());
    match entry.pointer(&format!("/scope/{kind}")) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(ids)) => ids.iter().map(text).collect(),
        Some(one) => vec![text(one)],
    }
}

/// Removes entries that were found. Where the first request fails and may have removed its entries all the same,
/// that is in the outcome, with what was found.
pub(super) async fn remove(client: &Client, deletions: Vec<Request<Value>>) -> Result<Outcome> {
    let asked: Vec<_> = deletions.iter().map(asked_ids).collect();
    match act(client, deletions).await {
        Ok((outcome, _)) => Ok(outcome),
        Err(error) if error.may_have_acted() => {
            let mut outcome = Outcome::found(Value::Null, Value::Null);
            // The further ones were not sent.
            let states = once(IdState::Unknown).chain(repeat(IdState::NotAffected));
            for (ids, state) in asked.into_iter().zip(states) {
                outcome.ids.extend(ids.into_iter().map(|id| without_answer(id, state)));
            }
            outcome.failure = Some(error);
            Ok(outcome)
        }
        Err(error) => Err(error),
    }
}
