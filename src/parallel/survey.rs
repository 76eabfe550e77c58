//! What is known about a list before it is read: its first page, and where it is cut.

use futures_util::stream::{self, Stream, StreamExt};
use sentinelone_raw::runtime::{Page, Request};
use serde_json::Value;

use super::column::Column;
use super::part::cut_points;
use super::plan::{PageSource, Plan};
use crate::Result;
use crate::json_path::get_path;
use crate::response::Response;

/// Maximum number of parts at the start, per request in flight. It limits the requests that a wrong count causes.
/// Larger parts are cut again when they are read.
const MAX_PARTS: u64 = 64;

/// Number of buckets, per request in flight, from which no further bucket is counted.
const MAX_BUCKETS: usize = 16;

/// Number of parts from which a bucket is counted in smaller ones.
const MAX_BUCKET_PARTS: u64 = 12;

/// Number of times that large buckets are counted in smaller ones.
const MAX_COUNTS: u32 = 3;

/// Lower bound of the creation times, in milliseconds since 1970, for a list that cannot be sorted by them: 2013, when
/// the vendor was founded.
const EARLIEST: i64 = 1_356_998_400_000;

/// The first page of a list, and its cuts.
pub(super) struct Survey<T> {
    pub(super) first_page: Result<Response<Page<T>>>,
    /// `None` if the list is read as a whole.
    pub(super) cuts: Option<Cuts>,
}

/// The points at which a list is cut, in milliseconds since 1970 and ascending.
pub(super) struct Cuts {
    pub(super) points: Vec<i64>,
    /// The first value of the list, and the end of its last one.
    pub(super) range: (i64, i64),
    pub(super) total: u64,
}

/// A range of times with its number of items.
struct Bucket {
    from: i64,
    until: i64,
    /// The count, or an estimate.
    items: u64,
    is_counted: bool,
}

/// Requests the first page of the whole list, and at the same time what is needed to cut the list.
pub(super) async fn survey<T, S: PageSource<T>>(source: &S, plan: &Plan<T>) -> Result<Survey<T>> {
    let Plan { request, column, concurrency, limit, .. } = plan;
    let min_items = plan.page_size.saturating_mul(2);
    if *concurrency < 2 || limit.is_some_and(|limit| limit <= min_items) {
        return Ok(Survey { first_page: source.request(request.clone()).await, cuts: None });
    }
    let whole = count_request(request)?;
    // Items without a value are in none of the parts.
    let valued = count_request(&column.bounded(request, Some(0), None)?)?;
    let requests = [request.clone(), whole.clone(), valued.clone()].into_iter().chain(column.edges(request)?);
    let mut responses = send(source, plan, requests.collect());
    let first_page = match responses.next().await {
        Some(page) => page,
        None => source.request(request.clone()).await,
    };
    if first_page.as_ref().map_or(true, |page| page.next_cursor().is_none()) {
        return Ok(Survey { first_page, cuts: None });
    }
    let rest: Vec<_> = responses.map(|response| summary(response, column)).collect().await;
    let cuts = match &rest[..] {
        [(Some(total), _), (Some(with_value), _), edges @ ..] if *total > min_items => {
            let range = match edges {
                // The list cannot be sorted by the column.
                [] => Some((EARLIEST, source.now())),
                [(_, Some(first)), (_, Some(last))] => Some((*first.min(last), *first.max(last))),
                _ => None,
            };
            match range {
                Some(range) if with_value >= total || all_have_value(source, plan, valued, whole).await => {
                    Some(cuts(source, plan, range, *total).await?)
                }
                _ => None,
            }
        }
        _ => None,
    };
    Ok(Survey { first_page, cuts })
}

/// Counts again whether each item has a value: an item may have appeared between the first two counts.
async fn all_have_value<T, S: PageSource<T>>(
    source: &S,
    plan: &Plan<T>,
    valued: Request<Page<T>>,
    whole: Request<Page<T>>,
) -> bool {
    let counts: Vec<_> = send(source, plan, vec![valued, whole]).map(total_of).collect().await;
    matches!(counts[..], [Some(with_value), Some(total)] if with_value >= total)
}

/// Counts the items of buckets, and returns the cuts into parts with the same number of items. `range` has the first
/// and the last value.
async fn cuts<T, S: PageSource<T>>(
    source: &S,
    plan: &Plan<T>,
    range: (i64, i64),
    total: u64,
) -> Result<Cuts> {
    let requests = plan.concurrency as u64;
    let part_items = |total: u64| plan.part_items().max(total.div_ceil(MAX_PARTS.saturating_mul(requests)));
    let max_items = part_items(total).saturating_mul(MAX_BUCKET_PARTS);
    let (from, until) = (range.0, range.1.saturating_add(1));
    let mut buckets = vec![Bucket { from, until, items: total, is_counted: true }];
    for _ in 0..MAX_COUNTS {
        let split = |bucket: Bucket| match bucket.items > max_items {
            // Smaller buckets have half of the maximum, and one round of requests counts them.
            true => bucket.split(bucket.items.div_ceil(max_items / 2).min(requests)),
            false => vec![bucket],
        };
        buckets = buckets.into_iter().flat_map(split).collect();
        let mut counts = Vec::new();
        for bucket in buckets.iter().filter(|bucket| !bucket.is_counted) {
            let bounded = plan.column.bounded(&plan.request, Some(bucket.from), Some(bucket.until))?;
            counts.push(count_request(&bounded)?);
        }
        let is_last = counts.is_empty() || buckets.len() > MAX_BUCKETS.saturating_mul(plan.concurrency);
        let counts: Vec<_> = send(source, plan, counts).map(total_of).collect().await;
        for (bucket, count) in buckets.iter_mut().filter(|bucket| !bucket.is_counted).zip(counts) {
            // A count only balances the work, so its failure is not an error.
            bucket.items = count.unwrap_or(bucket.items);
            bucket.is_counted = true;
        }
        if is_last {
            break;
        }
    }
    let counted = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.items));
    Ok(Cuts { points: quantiles(&buckets, part_items(counted)), range: (from, until), total })
}

impl Bucket {
    /// Returns smaller buckets of the same duration, which share the items equally until they are counted.
    fn split(&self, pieces: u64) -> Vec<Self> {
        let points = cut_points(self.from, self.until, pieces);
        let items = self.items / (points.len() as u64 + 1);
        let starts = [self.from].into_iter().chain(points.iter().copied());
        let ends = points.iter().copied().chain([self.until]);
        starts.zip(ends).map(|(from, until)| Self { from, until, items, is_counted: false }).collect()
    }
}

/// Returns the points between which there are `size` items each, in ascending order. The items of a bucket count as
/// evenly distributed.
fn quantiles(buckets: &[Bucket], size: u64) -> Vec<i64> {
    let (mut points, mut filled) = (Vec::new(), 0);
    let (first, last) =
        (buckets.first().map(|bucket| bucket.from), buckets.last().map(|bucket| bucket.until));
    for bucket in buckets {
        let mut used = 0;
        while size > 0 && bucket.items - used >= size - filled {
            used += size - filled;
            filled = 0;
            let width = i128::from(bucket.until) - i128::from(bucket.from);
            let offset = width * i128::from(used) / i128::from(bucket.items.max(1));
            points.extend(i64::try_from(i128::from(bucket.from) + offset));
        }
        filled += bucket.items - used;
    }
    points.dedup();
    points.retain(|point| Some(*point) > first && Some(*point) < last);
    points
}

/// Sends requests, and returns the responses in their order.
fn send<'a, T: 'a, S: PageSource<T>>(
    source: &S,
    plan: &Plan<T>,
    requests: Vec<Request<Page<T>>>,
) -> impl Stream<Item = Result<Response<Page<T>>>> + Unpin + use<'a, T, S> {
    let responses: Vec<_> = requests.into_iter().map(|request| source.request(request)).collect();
    stream::iter(responses).buffered(plan.concurrency)
}

fn total_of<T>(response: Result<Response<Page<T>>>) -> Option<u64> {
    response.ok()?.total()
}

/// Returns the total of a list, and the value of its first item.
fn summary<T>(response: Result<Response<Page<T>>>, column: &Column) -> (Option<u64>, Option<i64>) {
    let Ok(page) = response else { return (None, None) };
    let body = page.json();
    let first = get_path(&body, page.operation.items).and_then(|items| items.get(0));
    (page.total(), first.and_then(|item| column.value(item)))
}

/// Returns the request that counts the items of a list.
fn count_request<T>(list: &Request<Page<T>>) -> Result<Request<Page<T>>> {
    let mut request = list.clone();
    for name in ["skip", "skipCount", "sortBy", "sortOrder", "limit"] {
        request.set_query_param(name, Value::Null)?;
    }
    match request.operation().query_field("countOnly") {
        Some(_) => request.set_query_param("countOnly", true)?,
        None => request.set_query_param("limit", 1)?,
    }
    Ok(request)
}
