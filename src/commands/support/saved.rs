//! Commands that create one object.

use serde_json::Value;

use super::batch_action::without_detail;
use super::context_entry::context_under;
use super::execution::first_request;
use super::list_pages::entries;
use crate::Result;
use crate::commands::command::Run;
use crate::commands::{CommandDeclaration, Outcome};
use crate::outcome::IdState;

/// Creates an object with this name by the first request. The context has the object of the response;
/// `id` is the name of its ID field. The result is unknown if the response does not contain the object.
pub(crate) async fn create<C: CommandDeclaration>(run: Run<'_>, name: &str, id: &str) -> Result<Outcome> {
    let (client, prefix) = (run.client, C::INFO.context);
    let response = client.send(&first_request::<Value>(run.requests)?).await?;
    let body = response.json();
    let saved: Vec<Value> = match body.get("data") {
        Some(Value::Array(list)) => list.clone(),
        Some(object @ Value::Object(_)) => vec![object.clone()],
        _ => Vec::new(),
    };
    let done: Vec<String> =
        saved.iter().filter_map(|object| object.get(id)?.as_str().map(str::to_owned)).collect();
    let mut context = entries(C::OUTPUTS, prefix, client.api_version(), &saved);
    if let Some([object]) = context.as_array_mut().map(Vec::as_mut_slice) {
        context = object.take();
    }
    let mut outcome = Outcome::new(body, context_under(prefix, context));
    outcome.add_diagnostics(&response);
    if done.is_empty() {
        outcome.results.push(without_detail(name.to_owned(), IdState::Unknown));
    } else {
        outcome.affected = Some(done.len() as u64);
        outcome.results.extend(done.into_iter().map(|id| without_detail(id, IdState::Done)));
    }
    Ok(outcome)
}
