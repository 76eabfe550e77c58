//! What commands that list have in common.

use sentinelone_raw::runtime::{Answer, ApiVersion, Page, Request};
use serde_json::Value;

use super::context::{Output, entry, under};
use super::{Event, Outcome, Silent, Taken, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::paging::Pages;

/// The client that is asked, and who looks on.
#[derive(Clone, Copy)]
pub(super) struct Watched<'a> {
    pub(super) client: &'a Client,
    watch: &'a dyn Watch,
}

impl<'a> From<&'a Client> for Watched<'a> {
    fn from(client: &'a Client) -> Self {
        Self { client, watch: &Silent }
    }
}

impl<'a> From<(&'a Client, &'a dyn Watch)> for Watched<'a> {
    fn from((client, watch): (&'a Client, &'a dyn Watch)) -> Self {
        Self { client, watch }
    }
}

/// What a walk through the pages of a list came to.
pub(super) struct Walked {
    pub(super) outcome: Outcome,
    /// What was found and nobody took on the way.
    pub(super) items: Vec<Value>,
    /// How many things were found.
    pub(super) count: usize,
    /// Whether whoever took them wants no more.
    pub(super) enough: bool,
}

/// Reads the pages of a list, of the size that the request says, until there are as many items as wanted
/// that `keep` lets pass. Each becomes an entry of the context.
///
/// What ends the walk early is in the outcome once something was read; before that it is the error.
pub(super) async fn list<'a>(
    watched: impl Into<Watched<'a>>,
    request: Request<Page<Value>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
    (prefix, outputs): (&str, &[Output]),
) -> Result<Outcome> {
    let watched = watched.into();
    let Walked { mut outcome, items, .. } = walk(watched, request, limit, keep).await?;
    outcome.context = under(prefix, entries(outputs, prefix, watched.client.api_version(), &items));
    Ok(outcome)
}

/// The same without a context, and the items beside it. `pagination.nextCursor` of the answer is where a
/// further walk of the same page size begins: a page of which only a part was wanted is begun again, so that
/// nothing of it is lost.
pub(super) async fn walk<'a>(
    watched: impl Into<Watched<'a>>,
    request: Request<Page<Value>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
) -> Result<Walked> {
    let Watched { client, watch } = watched.into();
    let place = request.operation().items;
    let mut next = request.query().into_iter().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor);
    let mut pages = Pages::of(client.clone(), Ok(request));
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut outcome = Outcome::found(Value::Null, Value::Null);
    let (mut items, mut count, mut enough) = (Vec::new(), 0, false);
    // What is not kept does not count, so that the walk itself knows no limit.
    while count < most && !enough {
        match pages.next().await {
            None => break,
            Some(Ok(page)) => {
                outcome.errors.extend_from_slice(page.vendor_errors());
                outcome.answer = page.json();
                let page = page.into_value();
                let following = page.next_cursor().map(str::to_owned);
                let mut found: Vec<Value> = page.data.into_iter().filter(&keep).collect();
                let wanted = found.len().min(most - count);
                if wanted == found.len() {
                    next = following;
                } else {
                    // Without a cursor to this page it cannot be begun again, so there is none to go on with.
                    let here = next.take().map_or(Value::Null, Value::String);
                    put(&mut outcome.answer, "pagination.nextCursor", here);
                    found.truncate(wanted);
                }
                count += wanted;
                watch.on(Event::Listed { things: wanted });
                match watch.page(&found) {
                    Taken::No => items.append(&mut found),
                    taken => enough = taken == Taken::Last,
                }
            }
            Some(Err(error)) if outcome.answer.is_null() => return Err(error),
            Some(Err(error)) => outcome.failure = Some(error),
        }
    }
    // The last page's envelope around the items of all.
    put(&mut outcome.answer, place, Value::Array(items.clone()));
    Ok(Walked { outcome, items, count, enough })
}

/// Reads one thing, which becomes one entry of the context.
pub(super) async fn get<T: Answer>(
    client: &Client,
    request: &Request<T>,
    (prefix, outputs): (&str, &[Output]),
) -> Result<Outcome> {
    let answer = client.send(request).await?;
    let body = answer.json();
    // Some consoles put the one thing into a list.
    let data = match body.get("data") {
        Some(Value::Array(things)) if things.len() == 1 => things.first(),
        data => data,
    };
    let thing = data.filter(|data| data.is_object());
    let thing = thing.ok_or_else(|| answer.lacks("data"))?;
    let context = under(prefix, entry(outputs, prefix, client.api_version(), thing));
    let errors = answer.vendor_errors().to_vec();
    Ok(Outcome { errors, ..Outcome::found(body, context) })
}

/// The context entries of several things.
pub(super) fn entries(outputs: &[Output], prefix: &str, version: ApiVersion, items: &[Value]) -> Value {
    items.iter().map(|item| entry(outputs, prefix, version, item)).collect()
}
