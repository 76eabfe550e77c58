//! Pagination of lists.

mod position;

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
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
    prefetch: Option<Prefetch<T>>,
}

type StartPrefetch<T> = fn(Client, Request<Page<T>>, &Handle) -> Prefetch<T>;

/// A page that is requested in advance. Dropping it cancels the request.
struct Prefetch<T>(JoinHandle<Result<Response<Page<T>>>>);

impl<T: Send + 'static> Prefetch<T>
where
    Page<T>: ResponseBody,
{
    fn start(client: Client, request: Request<Page<T>>, runtime: &Handle) -> Self {
        Self(runtime.spawn(async move { client.send(&request).await }.in_current_span()))
    }
}

impl<T> Prefetch<T> {
    /// Waits for the page; `None` if it must be requested again, because its runtime has ended or the connection failed
    /// while the caller was busy.
    async fn page(&mut self) -> Option<Result<Response<Page<T>>>> {
        match (&mut self.0).await {
            Ok(Err(error)) if is_timing_dependent(&error) => None,
            Ok(page) => Some(page),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        }
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

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.0.abort();
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
            prefetch: None,
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

    /// Sets the timeout of each page instead of [that of the client](crate::ClientBuilder::timeout). It includes all
    /// attempts, rate-limit permits, delays that the console requests, and backoff.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of each page instead of [that of the client](crate::ClientBuilder::retry_policy).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Returns the list from its first page, with each item as JSON text instead of a type. The settings are kept.
    pub fn raw(self) -> Pages<RawItem> {
        let Self { client, request, remaining, page_size, start_prefetch, .. } = self;
        let start_prefetch = start_prefetch.map(|_| Prefetch::start as StartPrefetch<RawItem>);
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
        self.start_prefetch = Some(Prefetch::start);
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
        if self.remaining == Some(0) {
            self.position.end();
        }
        if self.position.is_ended() {
            return None;
        }
        let page = self.fetch().await;
        if page.is_err() {
            self.position.end();
        }
        Some(page)
    }

    async fn fetch(&mut self) -> Result<Response<Page<T>>> {
        let prefetched = match &mut self.prefetch {
            Some(prefetch) => prefetch.page().await,
            None => None,
        };
        self.prefetch = None;
        let mut page = match prefetched {
            Some(page) => page?,
            None => {
                let request = self.next_request()?;
                self.client.send(&request).await?
            }
        };

        self.position.advance(&page)?;
        truncate(&mut page.value, &mut self.remaining);
        if let Some(start) = self.start_prefetch
            && self.position.is_active()
            && self.remaining != Some(0)
            && let (Ok(request), Ok(runtime)) = (self.next_request(), Handle::try_current())
        {
            self.prefetch = Some(start(self.client.clone(), request, &runtime));
        }
        Ok(page)
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

    /// Converts the pages into a stream.
    pub fn into_stream(self) -> BoxStream<'static, Result<Response<Page<T>>>>
    where
        T: Send + 'static,
    {
        stream::unfold(self, |mut pages| async move { pages.next().await.map(|page| (page, pages)) }).boxed()
    }
}
