//! Commands that read one list or one object.

use sentinelone_raw::runtime::commands::CommandDeclaration;
use sentinelone_raw::runtime::commands::ContextPath;
use sentinelone_raw::runtime::{ApiVersion, RawItem, Request, ResponseBody};
use serde_json::{Map, Value};

use super::context_entry::{context_under, entry};
use super::execution::{NoProgress, PageHandling, ProgressEvent, ProgressObserver, Requests, first_request};
use super::list_entries::{ContextEntries, ListPage};
use super::requested_ids::RequestedIds;
use crate::Result;
use crate::client::Client;
use crate::commands::Outcome;
use crate::commands::command::Run;
use crate::error::Error;
use crate::items::PageReader;
use crate::json_path::set_path;
use crate::response::Response;

/// A client with the observer of the command, and the identifiers that the command reads.
#[derive(Clone, Copy)]
pub(crate) struct ObservedClient<'a> {
    pub(crate) client: &'a Client,
    observer: &'a dyn ProgressObserver,
    pub(crate) requested: Option<&'a RequestedIds>,
}

impl<'a> From<&'a Client> for ObservedClient<'a> {
    fn from(client: &'a Client) -> Self {
        Self { client, observer: &NoProgress, requested: None }
    }
}

impl<'a> From<(&'a Client, &'a dyn ProgressObserver)> for ObservedClient<'a> {
    fn from((client, observer): (&'a Client, &'a dyn ProgressObserver)) -> Self {
        Self { client, observer, requested: None }
    }
}

impl<'a> From<(&'a Client, &'a RequestedIds)> for ObservedClient<'a> {
    fn from((client, requested): (&'a Client, &'a RequestedIds)) -> Self {
        Self { client, observer: &NoProgress, requested: Some(requested) }
    }
}

impl<'a> From<(&'a Client, &'a dyn ProgressObserver, &'a RequestedIds)> for ObservedClient<'a> {
    fn from((client, observer, requested): (&'a Client, &'a dyn ProgressObserver, &'a RequestedIds)) -> Self {
        Self { client, observer, requested: Some(requested) }
    }
}

/// Returns the limit; `None` for the limit `all`.
pub(crate) fn finite(limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| *limit < u64::MAX)
}

/// Returns whether an item belongs to the result. `None` keeps every item.
pub(crate) type Keep<'a> = Option<&'a (dyn Fn(&Value) -> bool + Sync)>;

/// The result of reading the pages of a list.
pub(crate) struct ListResult {
    pub(crate) outcome: Outcome,
    /// Items that the observer did not consume.
    pub(crate) items: Vec<Value>,
    /// Context entries of these items.
    pub(crate) entries: Vec<Value>,
    /// Number of items, including consumed ones.
    pub(crate) count: usize,
    /// Whether the observer stopped the reading.
    pub(crate) stopped: bool,
    /// Whether each item of the list was read.
    pub(crate) is_whole: bool,
}

/// Reads the pages of the first list of `requests` until `limit` items match `keep`. Each item becomes a context entry.
/// The request determines the page size.
///
/// An error of the first page is returned. A later error becomes [`Outcome::failure`].
pub(crate) async fn list<'a>(
    observed: impl Into<ObservedClient<'a>>,
    requests: Requests,
    limit: Option<u64>,
    keep: Keep<'_>,
    entries: impl Into<ContextEntries<'_>>,
) -> Result<Outcome> {
    let (observed, entries, request) = (observed.into(), entries.into(), first_request(requests)?);
    let items_path = request.operation().items;
    let ListResult { mut outcome, items, entries: context, is_whole, .. } =
        read_pages(observed, request, limit, keep, entries, 0).await?;
    set_path(&mut outcome.response, items_path, Value::Array(items));
    if let Some(requested) = observed.requested.filter(|_| is_whole) {
        outcome.not_found = requested.not_found();
    }
    outcome.context = context_under(entries.prefix, Value::Array(context));
    Ok(outcome)
}

/// Like [`list`], without a context, and with an empty list in the response. `list` is the number of the list.
/// `pagination.nextCursor` of the response resumes the list with the same page size. If the limit truncates a page, it is
/// the cursor of that page, so no item is lost.
pub(crate) async fn read_pages<'a>(
    observed: impl Into<ObservedClient<'a>>,
    request: Request<Value>,
    limit: Option<u64>,
    keep: Keep<'_>,
    entries: ContextEntries<'_>,
    list: usize,
) -> Result<ListResult> {
    let ObservedClient { client, observer, requested } = observed.into();
    // Reading an item takes longer than everything else.
    let requested = requested.filter(|requested| !requested.is_empty());
    let items_path = request.operation().items;
    let reader = entries.reader(client.api_version(), list);
    let query = request.query();
    // A list that starts later lacks the items before.
    let is_later = |(name, value): &(String, String)| name == "cursor" || (name == "skip" && value != "0");
    let is_from_start = !query.iter().any(is_later);
    let mut next = query.into_iter().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor);
    let limit = finite(limit);
    // Without a limit, every page is needed.
    let mut pages = PageReader::new(client, request.with_response_type(), limit.is_none());
    let max = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut result = ListResult {
        outcome: Outcome::new(Value::Null, Value::Null),
        items: Vec::new(),
        entries: Vec::new(),
        count: 0,
        stopped: false,
        is_whole: false,
    };
    let (mut last, mut truncated) = (None, None);
    // Dropped items do not count, so the pages have no limit of their own.
    while result.count < max && !result.stopped {
        let mut page = match pages.next().await {
            None => {
                result.is_whole = result.outcome.failure.is_none();
                break;
            }
            Some(Ok(page)) => page,
            Some(Err(error)) if last.is_none() => return Err(error),
            Some(Err(error)) => {
                result.outcome.failure = Some(error);
                continue;
            }
        };
        result.outcome.add_diagnostics(&page);
        let mut found: Vec<RawItem> = std::mem::take(&mut page.value.data);
        if requested.is_some() || keep.is_some() {
            found.retain(|item| {
                let item = item.to_value();
                requested.iter().for_each(|requested| requested.record(&item));
                keep.is_none_or(|keep| keep(&item))
            });
        }
        let next_page = page.next_cursor().map(str::to_owned);
        let added = found.len().min(max - result.count);
        if added == found.len() {
            // The last part is known at the end only.
            result.is_whole = next_page.is_none() && !pages.is_parallel();
            next = next_page;
        } else {
            // Without a cursor to this page the list cannot be resumed.
            truncated = Some(next.take().map_or(Value::Null, Value::String));
            found.truncate(added);
        }
        last = Some(page);
        result.count += added;
        observer.on_event(ProgressEvent::PageRead { items: added });
        match observer.on_page(&ListPage { items: &found, items_path, reader: &reader }) {
            PageHandling::Buffer => {
                for item in &found {
                    let item = item.to_value();
                    result.entries.push(reader.entry_of(&item));
                    result.items.push(item);
                }
            }
            handling => result.stopped = handling == PageHandling::Stop,
        }
    }
    // The envelope is that of the last page.
    if let Some(page) = last {
        result.outcome.response = page.envelope(items_path);
        if pages.is_parallel() {
            // The body is that of a part.
            truncated = Some(Value::Null);
            set_path(&mut result.outcome.response, "pagination.totalItems", page.total().into());
        }
    }
    if let Some(cursor) = truncated {
        set_path(&mut result.outcome.response, "pagination.nextCursor", cursor);
    }
    let ListResult { outcome, stopped, is_whole, .. } = &mut result;
    // Errors next to the data may be the reason why an item is missing.
    *is_whole &= is_from_start && outcome.errors.is_empty() && !outcome.repairs.has_loss() && !*stopped;
    Ok(result)
}

/// Reads one object with the first of `requests`. The object becomes one context entry. `requested` is the argument
/// that identifies it, with its value.
///
/// A response without the object, or without any documented field of it, is an error that names the identifier.
pub(crate) async fn get<C: CommandDeclaration, T: ResponseBody>(
    run: Run<'_>,
    requested: Option<(&str, &str)>,
) -> Result<Outcome> {
    let (client, prefix) = (run.client, C::INFO.context);
    let response = client.send(&first_request::<T>(run.requests)?).await?;
    let body = response.json();
    // Some consoles wrap the object in a list.
    let data = match body.get("data") {
        Some(Value::Array(items)) if items.len() == 1 => items.first(),
        data => data,
    };
    let item = match data {
        Some(item @ Value::Object(fields)) if !fields.is_empty() => item,
        Some(Value::Null | Value::Object(_)) => return Err(no_object(&response, requested, "no data")),
        Some(Value::Array(items)) if items.is_empty() => {
            return Err(no_object(&response, requested, "an empty list"));
        }
        _ => return Err(response.missing_value("data")),
    };
    let fields = entry(C::OUTPUTS, prefix, client.api_version(), item);
    if fields.as_object().is_none_or(Map::is_empty) {
        return Err(no_object(&response, requested, "none of the documented fields"));
    }
    let mut outcome = Outcome::new(body, context_under(prefix, fields));
    outcome.add_diagnostics(&response);
    Ok(outcome)
}

/// Returns the error for a response without the requested object.
fn no_object<T>(response: &Response<T>, requested: Option<(&str, &str)>, content: &str) -> Error {
    let (message, help) = match requested {
        Some((argument, id)) => (
            format!("{argument} {id} was not found: the response has {content}"),
            "check the identifier and the scope of the token",
        ),
        None => (
            format!("the response has {content}"),
            "check that the console supports this operation; s1 contract probe validates its responses",
        ),
    };
    Error::no_result(response.operation(), message, help)
}

/// Returns the context entries of items.
pub(crate) fn entries(outputs: &[ContextPath], prefix: &str, version: ApiVersion, items: &[Value]) -> Value {
    items.iter().map(|item| entry(outputs, prefix, version, item)).collect()
}
