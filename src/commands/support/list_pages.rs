//! Commands that read one list or one object.

use sentinelone_raw::runtime::{ApiVersion, Page, Request, ResponseBody};
use serde_json::Value;

use super::context_path::{ContextPath, context_under, entry};
use crate::Result;
use crate::client::Client;
use crate::commands::{NoProgress, Outcome, PageHandling, ProgressEvent, ProgressObserver};
use crate::json_path::set_path;
use crate::paging::Pages;

/// A client with the observer of the command.
#[derive(Clone, Copy)]
pub(crate) struct ObservedClient<'a> {
    pub(crate) client: &'a Client,
    observer: &'a dyn ProgressObserver,
}

impl<'a> From<&'a Client> for ObservedClient<'a> {
    fn from(client: &'a Client) -> Self {
        Self { client, observer: &NoProgress }
    }
}

impl<'a> From<(&'a Client, &'a dyn ProgressObserver)> for ObservedClient<'a> {
    fn from((client, observer): (&'a Client, &'a dyn ProgressObserver)) -> Self {
        Self { client, observer }
    }
}

/// The result of reading the pages of a list.
pub(crate) struct ListResult {
    pub(crate) outcome: Outcome,
    /// Items that the observer did not consume.
    pub(crate) items: Vec<Value>,
    /// Number of items, including consumed ones.
    pub(crate) count: usize,
    /// Whether the observer stopped the reading.
    pub(crate) stopped: bool,
}

/// Reads the pages of a list until `limit` items match `keep`. Each item becomes a context entry. The request
/// determines the page size.
///
/// An error of the first page is returned. A later error becomes [`Outcome::failure`].
pub(crate) async fn list<'a>(
    observed: impl Into<ObservedClient<'a>>,
    request: Request<Page<Value>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
    (prefix, outputs): (&str, &[ContextPath]),
) -> Result<Outcome> {
    let observed = observed.into();
    let ListResult { mut outcome, items, .. } = read_pages(observed, request, limit, keep).await?;
    outcome.context = context_under(prefix, entries(outputs, prefix, observed.client.api_version(), &items));
    Ok(outcome)
}

/// Like [`list`], without a context and with the items. `pagination.nextCursor` of the response resumes the list with
/// the same page size. If the limit truncates a page, it is the cursor of that page, so no item is lost.
pub(crate) async fn read_pages<'a>(
    observed: impl Into<ObservedClient<'a>>,
    request: Request<Page<Value>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
) -> Result<ListResult> {
    let ObservedClient { client, observer } = observed.into();
    let items_path = request.operation().items;
    let mut next = request.query().into_iter().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor);
    let mut pages = Pages::new(client.clone(), Ok(request));
    let max = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut outcome = Outcome::new(Value::Null, Value::Null);
    let (mut items, mut count, mut stopped) = (Vec::new(), 0, false);
    // Dropped items do not count, so the pages have no limit of their own.
    while count < max && !stopped {
        match pages.next().await {
            None => break,
            Some(Ok(page)) => {
                outcome.errors.extend_from_slice(page.api_errors());
                outcome.response = page.json();
                let page = page.into_value();
                let next_page = page.next_cursor().map(str::to_owned);
                let mut found: Vec<Value> = page.data.into_iter().filter(&keep).collect();
                let added = found.len().min(max - count);
                if added == found.len() {
                    next = next_page;
                } else {
                    // Without a cursor to this page the list cannot be resumed.
                    let current = next.take().map_or(Value::Null, Value::String);
                    set_path(&mut outcome.response, "pagination.nextCursor", current);
                    found.truncate(added);
                }
                count += added;
                observer.on_event(ProgressEvent::PageRead { items: added });
                match observer.on_page(&found) {
                    PageHandling::Buffer => items.append(&mut found),
                    handling => stopped = handling == PageHandling::Stop,
                }
            }
            Some(Err(error)) if outcome.response.is_null() => return Err(error),
            Some(Err(error)) => outcome.failure = Some(error),
        }
    }
    // The envelope of the last page holds the items of all pages.
    set_path(&mut outcome.response, items_path, Value::Array(items.clone()));
    Ok(ListResult { outcome, items, count, stopped })
}

/// Reads one object, which becomes one context entry.
pub(crate) async fn get<T: ResponseBody>(
    client: &Client,
    request: &Request<T>,
    (prefix, outputs): (&str, &[ContextPath]),
) -> Result<Outcome> {
    let response = client.send(request).await?;
    let body = response.json();
    // Some consoles wrap the object in a list.
    let data = match body.get("data") {
        Some(Value::Array(items)) if items.len() == 1 => items.first(),
        data => data,
    };
    let item = data.filter(|data| data.is_object());
    let item = item.ok_or_else(|| response.missing_value("data"))?;
    let context = context_under(prefix, entry(outputs, prefix, client.api_version(), item));
    let errors = response.api_errors().to_vec();
    Ok(Outcome { errors, ..Outcome::new(body, context) })
}

/// Returns the context entries of items.
pub(crate) fn entries(outputs: &[ContextPath], prefix: &str, version: ApiVersion, items: &[Value]) -> Value {
    items.iter().map(|item| entry(outputs, prefix, version, item)).collect()
}
