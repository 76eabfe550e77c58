//! What commands that create or replace one thing have in common.

use sentinelone_raw::runtime::Request;
use serde_json::Value;

use super::Outcome;
use super::act::without_answer;
use super::context::{Output, under};
use super::read::entries;
use crate::Result;
use crate::client::Client;
use crate::outcome::IdState;

/// What is saved.
pub(super) enum Thing<'a> {
    /// A new one, which so far only has this name.
    New(&'a str),
    /// The one with this identifier.
    Known(&'a str),
}

/// Saves one thing. Below `prefix` the context shows it as the console does now; `id` is the field of its
/// identifier. An answer that does not show it leaves open whether it was saved.
pub(super) async fn save(
    client: &Client,
    request: &Request<Value>,
    thing: Thing<'_>,
    id: &str,
    (prefix, outputs): (&str, &[Output]),
) -> Result<Outcome> {
    let answer = client.send(request).await?;
    let body = answer.json();
    let shown: Vec<Value> = match body.get("data") {
        Some(Value::Array(list)) => list.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => Vec::new(),
    };
    let ids = shown.iter().filter_map(|one| one.get(id)?.as_str().map(str::to_owned));
    let done: Vec<String> = match thing {
        Thing::New(_) => ids.collect(),
        Thing::Known(known) => ids.filter(|id| id == known).collect(),
    };
    let (Thing::New(name) | Thing::Known(name)) = thing;
    let mut context = entries(outputs, prefix, client.api_version(), &shown);
    if let Some([one]) = context.as_array_mut().map(Vec::as_mut_slice) {
        context = one.take();
    }
    let errors = answer.vendor_errors().to_vec();
    let mut outcome = Outcome { errors, ..Outcome::found(body, under(prefix, context)) };
    if done.is_empty() {
        outcome.ids.push(without_answer(name.to_owned(), IdState::Unknown));
    } else {
        outcome.affected = Some(done.len() as u64);
        outcome.ids.extend(done.into_iter().map(|id| without_answer(id, IdState::Done)));
    }
    Ok(outcome)
}
