//! What commands that list have in common.

use sentinelone_raw::runtime::{Answer, ApiVersion, Page, Request};
use serde_json::Value;

use super::Outcome;
use super::context::{Output, entry, under};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::paging::Pages;

/// Reads the pages of a list, of the size that the request says, until there are as many items as wanted
/// that `keep` lets pass.
///
/// What ends the walk early is in the outcome once something was read; before that it is the error.
pub(super) async fn list(
    client: &Client,
    request: Request<Page<Value>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
    (prefix, outputs): (&str, &[Output]),
) -> Result<Outcome> {
    let version = client.api_version();
    let place = request.operation().items;
    let mut pages = Pages::of(client.clone(), Ok(request));
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut outcome = Outcome::found(Value::Null, Value::Null);
    let mut items = Vec::new();
    // What is not kept does not count, so that the walk itself knows no limit.
    while items.len() < most {
        match pages.next().await {
            None => break,
            Some(Ok(page)) => {
                outcome.errors.extend_from_slice(page.vendor_errors());
                outcome.answer = page.json();
                items.extend(page.into_value().data.into_iter().filter(&keep));
            }
            Some(Err(error)) if outcome.answer.is_null() => return Err(error),
            Some(Err(error)) => outcome.failure = Some(error),
        }
    }
    items.truncate(most);
    outcome.context = under(prefix, entries(outputs, prefix, version, &items));
    // The last page's envelope around the items of all.
    put(&mut outcome.answer, place, Value::Array(items));
    Ok(outcome)
}

/// Reads one thing, which becomes one entry of the context.
pub(super) async fn get<T: Answer>(
    client: &Client,
    request: &Request<T>,
    (prefix, outputs): (&str, &[Output]),
) -> Result<Outcome> {
    let answer = client.send(request).await?;
    let body = answer.json();
    let thing = body.get("data").filter(|data| data.is_object());
    let thing = thing.ok_or_else(|| client.clean(answer.lacks("data")))?;
    let context = under(prefix, entry(outputs, prefix, client.api_version(), thing));
    let errors = answer.vendor_errors().to_vec();
    Ok(Outcome { errors, ..Outcome::found(body, context) })
}

/// The context entries of several things.
pub(super) fn entries(outputs: &[Output], prefix: &str, version: ApiVersion, items: &[Value]) -> Value {
    items.iter().map(|item| entry(outputs, prefix, version, item)).collect()
}
