//! Commands that create or replace one object.

use sentinelone_raw::runtime::Request;
use serde_json::Value;

use super::batch_action::without_detail;
use super::context_path::{ContextPath, context_under};
use super::list_pages::entries;
use crate::Result;
use crate::client::Client;
use crate::commands::Outcome;
use crate::outcome::IdState;

/// The object to save.
pub(crate) enum SaveTarget<'a> {
    /// A new object with this name.
    New(&'a str),
    /// The object with this ID.
    Existing(&'a str),
}

/// Saves an object. The context has the object of the response at `prefix`; `id` is the name of its ID field. The
/// result is unknown if the response does not contain the object.
pub(crate) async fn save(
    client: &Client,
    request: &Request<Value>,
    target: SaveTarget<'_>,
    id: &str,
    (prefix, outputs): (&str, &[ContextPath]),
) -> Result<Outcome> {
    let response = client.send(request).await?;
    let body = response.json();
    let saved: Vec<Value> = match body.get("data") {
        Some(Value::Array(list)) => list.clone(),
        Some(object @ Value::Object(_)) => vec![object.clone()],
        _ => Vec::new(),
    };
    let ids = saved.iter().filter_map(|object| object.get(id)?.as_str().map(str::to_owned));
    let done: Vec<String> = match target {
        SaveTarget::New(_) => ids.collect(),
        SaveTarget::Existing(existing) => ids.filter(|id| id == existing).collect(),
    };
    let (SaveTarget::New(name) | SaveTarget::Existing(name)) = target;
    let mut context = entries(outputs, prefix, client.api_version(), &saved);
    if let Some([object]) = context.as_array_mut().map(Vec::as_mut_slice) {
        context = object.take();
    }
    let errors = response.api_errors().to_vec();
    let mut outcome = Outcome { errors, ..Outcome::new(body, context_under(prefix, context)) };
    if done.is_empty() {
        outcome.results.push(without_detail(name.to_owned(), IdState::Unknown));
    } else {
        outcome.affected = Some(done.len() as u64);
        outcome.results.extend(done.into_iter().map(|id| without_detail(id, IdState::Done)));
    }
    Ok(outcome)
}
