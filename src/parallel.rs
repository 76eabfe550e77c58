//! Lists that are read in parts at the same time.

mod column;
mod part;
mod plan;
mod reader;
mod survey;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::{BoxFuture, FutureExt};
use sentinelone_raw::runtime::{Page, RawItem, Request, RequestError, ResponseBody};
use tokio::runtime::Handle;

use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorRepr};
use crate::paging::{Pages, effective_page_size, operation_id, truncate};
use crate::response::Response;
use crate::transport::RetryPolicy;

use column::Column;
use plan::{PageSource, Plan};
use reader::Running;

#[cfg(feature = "commands")]
pub(crate) use column::{is_parallel, refusal};

impl<T> PageSource<T> for Client
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    fn request(&self, request: Request<Page<T>>) -> BoxFuture<'static, Result<Response<Page<T>>>> {
        let client = self.clone();
        async move { client.send(&request).await }.boxed()
    }

    fn now(&self) -> i64 {
        self.now().unix_millis().unwrap_or_default()
    }
}

/// The pages of a list that is read in parts at the same time; from [`Pages::concurrency`].
///
/// The list is cut by a time that never changes, such as `createdAt`. Each part is a list of its own with a cursor of
/// its own, so all parts together have the items that one list would have: each item that matches during the whole
/// reading exactly once. An item that appears or disappears meanwhile may be read or not, as in one list. The parts are
/// chosen by counting; wrong counts make the reading slower, but do not change its result.
///
/// If the request sorts by the time, the pages are in this order. Otherwise, they are in the order of arrival. A page
/// has no cursor, and its total is the number of items at the start. Its [`body`](Response::body) is that of the part.
///
/// A list of up to two pages, one that has items without the time, and one whose console returns no counts are read as
/// one list.
///
/// A page that fails with a temporary error after all [retries](crate::RetryPolicy) is requested up to twice more. If
/// the console does not accept a cursor any more, the part is read again without the items that were handed on. Any
/// other error ends the list. About twice as many pages as requests are held in memory. Dropping the list cancels the
/// requests.
#[must_use = "no page is requested before it is needed"]
pub struct ParallelPages<T> {
    pub(crate) client: Client,
    pub(crate) request: Result<Request<Page<T>>, RequestError>,
    concurrency: usize,
    page_size: Option<u64>,
    remaining: Option<u64>,
    start: fn(Client, Plan<T>, &Handle) -> Running<T>,
    running: Option<Running<T>>,
    is_ended: bool,
}

impl<T> Pages<T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    /// Reads parts of the list at the same time, with up to `requests` requests in flight, 1 or more. 1 reads one page
    /// after the other. [Rate limits](crate::RateLimits) apply. A [prefetch](Self::prefetch) has no effect.
    ///
    /// The first page is an error of kind [`InvalidRequest`](crate::ErrorKind) if `requests` is 0, or the list cannot be
    /// read in parts:
    ///
    /// - the operation has no filter by a time that never changes,
    /// - the list is sorted by another field, or
    /// - the request starts at a cursor or skips items.
    pub fn concurrency(self, requests: usize) -> ParallelPages<T> {
        let (client, request, page_size, remaining) = self.into_parts();
        ParallelPages {
            client,
            request,
            concurrency: requests,
            page_size,
            remaining,
            start: Running::start,
            running: None,
            is_ended: false,
        }
    }
}

impl<T> ParallelPages<T> {
    /// Sets the maximum number of items. The default is all items. If the request is not sorted, any items are read.
    pub fn limit(mut self, items: u64) -> Self {
        self.remaining = Some(items);
        self
    }

    /// Sets the number of items per page; see [`Pages::page_size`].
    pub fn page_size(mut self, items: u64) -> Self {
        self.page_size = Some(items);
        self
    }

    /// Sets the timeout of each request, above zero, instead of [that of the client](crate::ClientBuilder::timeout). It
    /// includes all attempts, rate-limit permits, delays that the console requests, and backoff.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of each request, in the ranges of [`RetryPolicy`], instead of [that of the
    /// client](crate::ClientBuilder::retry_policy).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Returns the list from its first page, with each item as JSON text; see [`Pages::raw`].
    pub fn raw(self) -> ParallelPages<RawItem> {
        let Self { client, request, concurrency, page_size, remaining, .. } = self;
        let request = request.map(Request::with_response_type);
        let (start, running, is_ended) = (Running::start as _, None, false);
        ParallelPages { client, request, concurrency, page_size, remaining, start, running, is_ended }
    }

    /// Returns the next page; `None` after the last one. Dropping the future loses no page.
    ///
    /// # Errors
    /// Returns the errors of [`Pages::next`], and an error of kind [`InvalidRequest`](crate::ErrorKind) if the list
    /// [cannot be read in parts](Pages::concurrency). It must be called within a Tokio runtime.
    pub async fn next(&mut self) -> Option<Result<Response<Page<T>>>> {
        poll_fn(|cx| self.poll_page(cx)).await
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<Page<T>>>>> {
        if self.is_ended || self.remaining == Some(0) {
            self.end();
            return Poll::Ready(None);
        }
        let page = match self.running() {
            Ok(running) => ready!(running.poll_next(cx)),
            Err(error) => Some(Err(error)),
        };
        Poll::Ready(match page {
            Some(Ok(mut page)) => {
                truncate(&mut page.value, &mut self.remaining);
                if self.remaining == Some(0) {
                    self.end();
                }
                Some(Ok(page))
            }
            end => {
                self.end();
                end
            }
        })
    }

    fn end(&mut self) {
        self.is_ended = true;
        self.running = None;
    }

    /// Returns the reading of the list, and starts it first.
    fn running(&mut self) -> Result<&mut Running<T>> {
        let running = match self.running.take() {
            Some(running) => running,
            None => {
                let mut request = self.request.clone()?;
                if self.concurrency == 0 {
                    let reason = "0 requests in flight; expected 1 or more".to_owned();
                    return Err(Error::for_operation(request.operation(), ErrorRepr::NotParallel(reason)));
                }
                let column = Column::of(&request)?;
                let page_size = effective_page_size(&request, self.page_size, self.remaining);
                if let Some(size) = page_size {
                    request.set_query_param("limit", size)?;
                }
                let runtime = Handle::try_current()
                    .map_err(|_| Error::configuration("reading in parallel requires a Tokio runtime"))?;
                let (concurrency, limit) = (self.concurrency, self.remaining);
                let page_size = page_size.unwrap_or(1).max(1);
                let plan = Plan { request, column, concurrency, page_size, limit };
                (self.start)(self.client.clone(), plan, &runtime)
            }
        };
        Ok(self.running.insert(running))
    }
}

/// The pages as [`next`](ParallelPages::next) returns them.
impl<T> Stream for ParallelPages<T> {
    type Item = Result<Response<Page<T>>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(cx)
    }
}

/// No field is pinned.
impl<T> Unpin for ParallelPages<T> {}

/// Omits the values of the request.
impl<T> fmt::Debug for ParallelPages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelPages")
            .field("operation", &operation_id(&self.request))
            .field("concurrency", &self.concurrency)
            .field("limit", &self.remaining)
            .field("page_size", &self.page_size)
            .finish_non_exhaustive()
    }
}
