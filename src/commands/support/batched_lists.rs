//! Lists that are filtered by IDs, read in batches.

use sentinelone_raw::runtime::Request;
use sentinelone_raw::runtime::commands::ListCommand;
use serde_json::Value;

use super::batch_action::send_action;
use super::context_entry::context_under;
use super::execution::Requests;
use super::ids::unique;
use super::list_entries::ContextEntries;
use super::list_pages::{Keep, ObservedClient, finite, read_pages};
use crate::Result;
use crate::client::Client;
use crate::commands::Outcome;
use crate::commands::argument_error::argument_error;
use crate::entry_id::id_string;
use crate::json_path::{get_path, set_path};
use crate::paging::with_page_size;

/// Maximum number of IDs in one URL. 100 IDs are 2,000 to 4,000 characters, which proxies accept.
const MAX_IDS_PER_URL: usize = 100;

/// Returns `None` for an empty list, so that the field is not sent.
pub(crate) fn non_empty<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// Returns the requests of a list with an optional filter by ID, in batches that fit in a URL. Without IDs there is
/// one request. `limit` bounds the page size; without it pages have the maximum size of the API.
pub(crate) fn batched_list_requests(
    ids: &[String],
    limit: Option<u64>,
    build: impl Fn(&[String]) -> Result<Request<Value>>,
) -> Result<Requests> {
    let ids = unique(ids);
    let request = |ids: &[String]| Ok(with_page_size(build(ids)?, limit)?);
    if ids.is_empty() {
        return Ok(vec![request(&[])?]);
    }
    ids.chunks(MAX_IDS_PER_URL).map(request).collect()
}

/// Rejects an argument that applies to one list only, such as a cursor, if the IDs need several requests.
pub(crate) fn require_single_list<C: ListCommand>(command: &C) -> Result<()> {
    let (id_argument, ids) = command.ids();
    let set = command.single_request_arguments();
    if let Some(argument) = set.first().filter(|_| unique(ids).len() > MAX_IDS_PER_URL) {
        let message = format!(
            "cannot be used with more than {MAX_IDS_PER_URL} {id_argument}, which are read as several lists"
        );
        return Err(argument_error(C::INFO.name, argument, message));
    }
    Ok(())
}

/// Reads lists in sequence into one outcome, until `limit` items match `keep`. Each item becomes a context entry.
///
/// An error before the first page is returned. A later error becomes [`Outcome::failure`].
pub(crate) async fn read_lists<'a>(
    observed: impl Into<ObservedClient<'a>>,
    requests: Requests,
    limit: Option<u64>,
    keep: Keep<'_>,
    entries: impl Into<ContextEntries<'_>>,
) -> Result<Outcome> {
    let (observed, entries) = (observed.into(), entries.into());
    let limit = finite(limit);
    let lists = requests.len();
    let items_path = requests.first().map_or("data", |request| request.operation().items);
    let mut outcome = Outcome::new(Value::Null, Value::Null);
    let (mut items, mut context, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut count, mut stopped, mut whole_lists) = (0_u64, false, 0);
    for (number, request) in requests.into_iter().enumerate() {
        let left = limit.map(|limit| limit.saturating_sub(count));
        if left == Some(0) || stopped || outcome.failure.is_some() {
            break;
        }
        match read_pages(observed, request, left, keep, entries, number).await {
            Ok(mut list) => {
                whole_lists += usize::from(list.is_whole);
                items.append(&mut list.items);
                context.append(&mut list.entries);
                count += list.count as u64;
                stopped = list.stopped;
                let mut part = list.outcome;
                totals.push(get_path(&part.response, "pagination.totalItems").and_then(Value::as_u64));
                outcome.errors.append(&mut part.errors);
                outcome.repairs.extend(&part.repairs);
                (outcome.response, outcome.failure) = (part.response, part.failure);
            }
            Err(error) if outcome.response.is_null() => return Err(error),
            Err(error) => outcome.failure = Some(error),
        }
    }
    if let Some(requested) = observed.requested.filter(|_| whole_lists == lists) {
        outcome.not_found = requested.not_found();
    }
    outcome.context = context_under(entries.prefix, Value::Array(context));
    // The envelope of the last list holds the items of all lists.
    set_path(&mut outcome.response, items_path, Value::Array(items));
    let pagination = outcome.response.get_mut("pagination").and_then(Value::as_object_mut);
    if let Some(pagination) = pagination.filter(|_| lists > 1) {
        // The total is known if each list has one. A cursor is a position in one list only.
        let total = totals.iter().try_fold(0_u64, |sum, total| Some(sum.saturating_add((*total)?)));
        pagination.insert("totalItems".into(), total.filter(|_| totals.len() == lists).into());
        pagination.insert("nextCursor".into(), Value::Null);
    }
    Ok(outcome)
}

/// Returns the IDs of a kind, such as `siteIds`, in the scope of an entry. A single ID becomes a list.
pub(crate) fn scope_ids(entry: &Value, kind: &str) -> Vec<String> {
    // A value that is not an ID is kept as JSON text, which matches no ID.
    let to_string = |id: &Value| id_string(id).unwrap_or_else(|| id.to_string());
    match entry.pointer(&format!("/scope/{kind}")) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(ids)) => ids.iter().map(to_string).collect(),
        Some(one) => vec![to_string(one)],
    }
}

/// Deletes entries. If a request fails and may have taken effect, the outcome holds the failure and the results are
/// unknown.
pub(crate) async fn delete_entries(client: &Client, deletions: Requests) -> Result<Outcome> {
    let (outcome, ..) = send_action(client, deletions).await?;
    Ok(outcome)
}
