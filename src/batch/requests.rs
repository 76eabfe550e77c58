//! The requests of an action on many IDs: batches of a size that the API accepts.

use std::collections::HashSet;

use sentinelone_raw::runtime::{Request, RequestError};

use crate::Result;
use crate::error::Error;

/// Number of IDs of a batch, unless the IDs fit in one request or
/// [`ActionBatch::batch_size`](super::ActionBatch::batch_size) is set.
///
/// The API accepts up to 5,000 IDs for most actions. Smaller batches leave fewer IDs with an unknown outcome if a response
/// is lost, and several of them are in flight.
pub const DEFAULT_BATCH_SIZE: usize = 1_000;

/// Returns the number of IDs of a batch; `max` is the maximum of the API.
pub(crate) fn effective_batch_size(max: Option<u64>, ids: usize, batch_size: Option<usize>) -> usize {
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let size = match batch_size {
        Some(size) => size,
        None if ids <= max => ids,
        None => DEFAULT_BATCH_SIZE,
    };
    size.min(max).max(1)
}

/// Returns whether the action limits the number of items.
pub(super) fn has_limit<A>(action: &Request<A>) -> bool {
    action.body().and_then(|body| body.pointer("/filter/limit")).is_some_and(|limit| !limit.is_null())
}

/// Returns the requests of an action on these IDs.
pub(crate) fn batch_requests<A>(
    action: &Request<A>,
    ids: &[String],
    batch_size: Option<usize>,
) -> Result<Vec<Request<A>>> {
    if batch_size == Some(0) {
        return Err(Error::configuration("the batch size is 0 IDs; expected 1 or more"));
    }
    let max = action.id_field().and_then(|(_, field)| field.item_count.1);
    let size = effective_batch_size(max, ids.len(), batch_size);
    if has_limit(action) && ids.len() > size {
        return Err(Error::configuration(format!(
            "{}: the action has a limit and {} IDs in batches of {size}; expected at most {size} IDs, because the \
             limit applies to each batch",
            action.operation().id,
            ids.len()
        ))
        .with_help("leave out the limit, or pass fewer IDs"));
    }
    if ids.is_empty() {
        // The list is rejected.
        return Ok(vec![action.clone().with_ids(ids)?]);
    }
    let requests = ids.chunks(size).map(|ids| action.clone().with_ids(ids));
    Ok(requests.collect::<Result<_, RequestError>>()?)
}

/// Returns the distinct IDs of requests, in order.
pub(crate) fn unique_ids<A>(requests: &[Request<A>]) -> Vec<String> {
    let mut known_ids = HashSet::new();
    let ids = requests.iter().flat_map(Request::ids);
    ids.filter(|id| known_ids.insert(id.clone())).collect()
}
