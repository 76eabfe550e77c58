//! Pagination of lists.

mod position;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use sentinelone_raw::runtime::{Page, RawItem, Request, RequestError, ResponseBody};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::response::Response;
use crate::transport::RetryPolicy;

pub(crate) use position::Position;

/// The pages of a list. Each page is requested when it is needed, or [in advance](Self::prefetch).
///
/// The list ends if the console returns no further cursor, or [`limit`](Self::limit) is reached; no page is requested
/// beyond the limit. A repeated cursor is an error, because the list would never end, and so are 15 pages in a row that
/// are empty or equal an earlier page. An error ends the list.
#[must_use = "no page is requested before it is needed"]
pub struct Pages<T> {
    pub(crate) client: Client,
    pub(crate) request: Result<Request<Page<T>>, RequestError>,
    remaining: Option<u64>,
    page_size: Option<u64>,
    position: Position,
    /// The effective page size, after the first request; the inner value is `None` if the list has no page size.
    effective_page_size: Option<Option<u64>>,
    /// Starts the prefetch of the next page; `None` without prefetch.
    start_prefetch: Option<StartPrefetch<T>>,
    task: Option<PageTask<T>>,
}

type StartPrefetch<T> = fn(Client, Request<Page<T>>, &Handle) -> PageTask<T>;

/// A page that a task of the runtime requests: in advance, or because a stream is polled. Dropping it cancels the
/// request.
struct PageTask<T> {
    page: JoinHandle<Result<Response<Page<T>>>>,
    is_prefetch: bool,
}

impl<T: Send + 'static> PageTask<T>
where
    Page<T>: ResponseBody,
{
    /// Requests a page that is needed now.
    fn start(client: Client, request: Request<Page<T>>, runtime: &Handle) -> Self {
        let page = runtime.spawn(async move { client.send(&request).await }.in_current_span());
        Self { page, is_prefetch: false }
    }

    /// Requests a page in advance.
    fn prefetch(client: Client, request: Request<Page<T>>, runtime: &Handle) -> Self {
        let mut task = Self::start(client, request, runtime);
        task.is_prefetch = true;
        task
    }
}

impl<T> PageTask<T> {
    /// Waits for the page; `None` if it must be requested again, because it was requested in advance and its runtime has
    /// ended or the connection failed while the caller was busy.
    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<Page<T>>>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.page).poll(cx)) {
            Ok(Err(error)) if self.is_prefetch && is_timing_dependent(&error) => None,
            Ok(page) => Some(page),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) if self.is_prefetch => None,
            Err(_) => Some(Err(Error::configuration("the runtime that requests the page has ended"))),
        })
    }
}

/// Returns whether an error depends on the time of the request. A caller that never awaits delays the prefetch task,
/// which then times out.
fn is_timing_dependent(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::RateLimitTimeout | ErrorKind::Timeout | ErrorKind::ConnectionLost
    )
}

impl<T> Drop for PageTask<T> {
    fn drop(&mut self) {
        self.page.abort();
    }
}

/// Returns the page size: `page_size`, or the limit of the request, or the maximum of the API. It never exceeds the
/// number of items of the whole list, nor the maximum. `None` if the list has no such parameter.
pub(crate) fn effective_page_size<T>(
    request: &Request<T>,
    page_size: Option<u64>,
    items: Option<u64>,
) -> Option<u64> {
    let field = request.operation().query_field("limit")?;
    let max = field.range.1.and_then(|max| u64::try_from(max).ok());
    let limit = request.query().into_iter().find(|(name, _)| name == "limit");
    let limit = limit.and_then(|(_, value)| value.parse().ok());
    let size = page_size.or(limit).or(max);
    [size, items, max].into_iter().flatten().min()
}

/// Drops the items of a page beyond the remaining number, and subtracts the others from it.
pub(crate) fn truncate<T>(page: &mut Page<T>, remaining: &mut Option<u64>) {
    let Some(remaining) = remaining else { return };
    let count = (page.data.len() + page.undecoded.len()) as u64;
    if count > *remaining {
        let keep = usize::try_from(*remaining).unwrap_or(usize::MAX);
        page.undecoded.retain(|item| item.index < keep);
        page.data.truncate(keep - page.undecoded.len());
    }
    *remaining = remaining.saturating_sub(count);
}

/// Sets the page size of the first request of a list that ends after `items` items.
#[cfg(feature = "commands")]
pub(crate) fn with_page_size<T>(
    mut request: Request<T>,
    items: Option<u64>,
) -> Result<Request<T>, RequestError> {
    if let Some(size) = effective_page_size(&request, None, items) {
        request.set_query_param("limit", size)?;
    }
    Ok(request)
}

impl Client {
    /// Returns the pages of a list, from the first to the last. Each page is requested when it is needed.
    pub fn pages<T>(&self, request: Request<Page<T>>) -> Pages<T> {
        Pages::new(self.clone(), Ok(request))
    }
}

impl<T> Pages<T> {
    /// Creates the pages of a list. If the request is invalid, the first page is its error.
    pub(crate) fn new(client: Client, request: Result<Request<Page<T>>, RequestError>) -> Self {
        Self {
            client,
            request,
            remaining: None,
            page_size: None,
            position: Position::default(),
            effective_page_size: None,
            start_prefetch: None,
            task: None,
        }
    }

    /// Sets the maximum number of items. The default is all items.
    pub fn limit(mut self, items: u64) -> Self {
        self.remaining = Some(items);
        self
    }

    /// Sets the number of items per page. The default is the limit of the request, or else the maximum of the API,
    /// which is 1000 on most lists. The size never exceeds [`limit`](Self::limit), and is the same for all pages.
    pub fn page_size(mut self, items: u64) -> Self {
        self.page_size = Some(items);
        self
    }

    /// Sets the timeout of each page, above zero, instead of [that of the client](crate::ClientBuilder::timeout). It
    /// includes all attempts, rate-limit permits, delays that the console requests, and backoff.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of each page, in the ranges of [`RetryPolicy`], instead of [that of the
    /// client](crate::ClientBuilder::retry_policy).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Returns the list from its first page, with each item as JSON text instead of a type. The settings are kept.
    pub fn raw(self) -> Pages<RawItem> {
        let Self { client, request, remaining, page_size, start_prefetch, .. } = self;
        let start_prefetch = start_prefetch.map(|_| PageTask::prefetch as StartPrefetch<RawItem>);
        let request = request.map(Request::with_response_type);
        Pages { remaining, page_size, start_prefetch, ..Pages::new(client, request) }
    }

    /// Returns the client, the request, the page size and the maximum number of items.
    #[expect(clippy::type_complexity, reason = "the values are used at once")]
    pub(crate) fn into_parts(
        self,
    ) -> (Client, Result<Request<Page<T>>, RequestError>, Option<u64>, Option<u64>) {
        (self.client, self.request, self.page_size, self.remaining)
    }
}

impl<T: Send + 'static> Pages<T>
where
    Page<T>: ResponseBody,
{
    /// Requests the next page as soon as the current one has arrived. It helps a caller that waits for other work
    /// between pages.
    ///
    /// The prefetch is a task of the runtime: a caller that never awaits delays it, unless another thread of the runtime
    /// is free. One more page is held in memory. No page is requested beyond [`limit`](Self::limit). Dropping the list
    /// cancels the request. A prefetched page that timed out or did not reach the console is requested once more when it
    /// is needed.
    pub fn prefetch(mut self) -> Self {
        self.start_prefetch = Some(PageTask::prefetch);
        self
    }
}

impl<T> Pages<T>
where
    Page<T>: ResponseBody,
{
    /// Returns the next page; `None` after the last one. Dropping the future loses no page: the page is requested again,
    /// or its prefetch continues.
    ///
    /// # Errors
    /// Returns the errors of [`Client::send`], [`ErrorKind::RepeatedCursor`](crate::ErrorKind) for a repeated cursor, and
    /// [`ErrorKind::EmptyPages`](crate::ErrorKind) for 15 pages in a row that are empty or equal an earlier page. A page
    /// that has a repeated cursor and equals the page that had it first is not returned again.
    pub async fn next(&mut self) -> Option<Result<Response<Page<T>>>> {
        if self.is_ended() {
            return None;
        }
        let page = self.fetch().await;
        Some(self.receive(page))
    }

    async fn fetch(&mut self) -> Result<Response<Page<T>>> {
        if let Some(page) = poll_fn(|cx| self.poll_task(cx)).await {
            return page;
        }
        let request = self.next_request()?;
        self.client.send(&request).await
    }
}

impl<T> Pages<T> {
    fn is_ended(&mut self) -> bool {
        if self.remaining == Some(0) {
            self.position.end();
        }
        self.position.is_ended()
    }

    /// Waits for the page that a task requests; `None` without such a page.
    fn poll_task(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<Page<T>>>>> {
        let Some(task) = &mut self.task else { return Poll::Ready(None) };
        let page = ready!(task.poll_page(cx));
        self.task = None;
        Poll::Ready(page)
    }

    /// Advances the position to the page after this one, or ends the list after an error.
    fn receive(&mut self, page: Result<Response<Page<T>>>) -> Result<Response<Page<T>>> {
        let page = page.and_then(|mut page| {
            self.position.advance(&page)?;
            truncate(&mut page.value, &mut self.remaining);
            Ok(page)
        });
        if page.is_err() {
            self.position.end();
        } else if let Some(start) = self.start_prefetch
            && self.position.is_active()
            && self.remaining != Some(0)
            && let (Ok(request), Ok(runtime)) = (self.next_request(), Handle::try_current())
        {
            self.task = Some(start(self.client.clone(), request, &runtime));
        }
        page
    }

    /// Builds the request for the next page.
    fn next_request(&mut self) -> Result<Request<Page<T>>> {
        let mut request = self.request.clone()?;
        self.position.apply(&mut request)?;
        let size = match self.effective_page_size {
            Some(size) => size,
            None => *self.effective_page_size.insert(effective_page_size(
                &request,
                self.page_size,
                self.remaining,
            )),
        };
        if let Some(size) = size {
            request.set_query_param("limit", size)?;
        }
        Ok(request)
    }
}

/// The pages as [`next`](Pages::next) returns them. A task of the Tokio runtime requests each page, so a page also arrives
/// while the stream is not polled, and its rate-limit permit does not delay other calls. Dropping the stream cancels the
/// request.
impl<T> Stream for Pages<T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    type Item = Result<Response<Page<T>>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pages = self.get_mut();
        if pages.is_ended() {
            return Poll::Ready(None);
        }
        let page = loop {
            if let Some(page) = ready!(pages.poll_task(cx)) {
                break page;
            }
            match pages.next_request().and_then(|request| Ok((request, current_runtime()?))) {
                Ok((request, runtime)) => {
                    pages.task = Some(PageTask::start(pages.client.clone(), request, &runtime));
                }
                Err(error) => break Err(error),
            }
        };
        Poll::Ready(Some(pages.receive(page)))
    }
}

/// No field is pinned.
impl<T> Unpin for Pages<T> {}

/// Omits the values of the request.
impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &operation_id(&self.request))
            .field("limit", &self.remaining)
            .field("page_size", &self.page_size)
            .field("prefetch", &self.start_prefetch.is_some())
            .finish_non_exhaustive()
    }
}

/// Returns the runtime that requests the pages of a stream.
fn current_runtime() -> Result<Handle> {
    Handle::try_current()
        .map_err(|_| Error::configuration("reading a list as a stream requires a Tokio runtime"))
}

/// Returns the ID of the operation of a list, also of an invalid request.
pub(crate) fn operation_id<T>(request: &Result<Request<T>, RequestError>) -> &'static str {
    match request {
        Ok(request) => request.operation().id,
        Err(error) => error.operation(),
    }
}
