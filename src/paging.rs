//! Pagination of lists.

mod position;

use futures_util::stream::{self, BoxStream, StreamExt};
use sentinelone_raw::runtime::{
    Page, PageItems, RawItem, Request, RequestError, ResponseBody, UndecodedItem,
};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorKind, ErrorRepr};
use crate::json_repair::Repairs;
use crate::parallel::PageReader;
use crate::response::Response;

pub(crate) use position::Position;

/// The pages of a list. Each page is requested when it is needed, or [in advance](Self::prefetch).
///
/// The list ends if the console returns no further cursor, or [`limit`](Self::limit) is reached; no page is requested
/// beyond the limit. A repeated cursor is an error, because the list would never end, and so are 15 pages in a row that
/// are empty or equal an earlier page. An error ends the list.
#[must_use = "no page is requested before it is needed"]
pub struct Pages<T> {
    client: Client,
    request: Result<Request<Page<T>>, RequestError>,
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

    /// Returns the list from its first page, with each item as JSON text instead of a type. The settings are kept.
    pub fn raw(self) -> Pages<RawItem> {
        let Self { client, request, remaining, page_size, start_prefetch, .. } = self;
        let start_prefetch = start_prefetch.map(|_| Prefetch::start as StartPrefetch<RawItem>);
        let request = request.map(Request::with_response_type);
        Pages { remaining, page_size, start_prefetch, ..Pages::new(client, request) }
    }

    /// Returns the items of all pages.
    pub fn items(self) -> Items<T> {
        let (client, request) = (self.client.clone(), self.request.clone());
        Items::new(PageReader::Sequential(self), client, request)
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

/// The items of all pages of a list. The next page is requested after the last item of the current one, or
/// [in advance](Self::prefetch).
#[must_use = "no page is requested before it is needed"]
pub struct Items<T> {
    pages: PageReader<T>,
    client: Client,
    request: Result<Request<Page<T>>, RequestError>,
    current: Option<PageItems<T>>,
    repairs: Repairs,
}

impl<T> Items<T> {
    pub(crate) fn new(
        pages: PageReader<T>,
        client: Client,
        request: Result<Request<Page<T>>, RequestError>,
    ) -> Self {
        Self { pages, client, request, current: None, repairs: Repairs::default() }
    }

    /// Sets the maximum number of items. The default is all items.
    pub fn limit(mut self, items: u64) -> Self {
        self.pages = match self.pages {
            PageReader::Sequential(pages) => PageReader::Sequential(pages.limit(items)),
            PageReader::Parallel(pages) => PageReader::Parallel(pages.limit(items)),
        };
        self
    }

    /// Sets the number of items per page; see [`Pages::page_size`].
    pub fn page_size(mut self, items: u64) -> Self {
        self.pages = match self.pages {
            PageReader::Sequential(pages) => PageReader::Sequential(pages.page_size(items)),
            PageReader::Parallel(pages) => PageReader::Parallel(pages.page_size(items)),
        };
        self
    }

    /// Returns the same items as JSON text; see [`Pages::raw`].
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let mut threats = client.threats().list().items().raw();
    /// while let Some(threat) = threats.next().await {
    ///     println!("{}", threat?.get());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(self) -> Items<RawItem> {
        match self.pages {
            PageReader::Sequential(pages) => pages.raw().items(),
            PageReader::Parallel(pages) => pages.raw().items(),
        }
    }

    /// Returns the repairs of the pages so far; see [`Response::repairs`]. An item that is set apart is also an error of
    /// [`next`](Self::next).
    pub fn repairs(&self) -> &Repairs {
        &self.repairs
    }
}

impl<T: Send + 'static> Items<T>
where
    Page<T>: ResponseBody,
{
    /// Requests the next page as soon as the current one has arrived; see [`Pages::prefetch`]. It has no effect on a list
    /// that is read in parallel.
    pub fn prefetch(mut self) -> Self {
        self.pages = match self.pages {
            PageReader::Sequential(pages) => PageReader::Sequential(pages.prefetch()),
            parallel => parallel,
        };
        self
    }
}

impl<T> Items<T>
where
    Page<T>: ResponseBody,
{
    /// Returns the next item; `None` after the last one. Dropping the future loses no item.
    ///
    /// # Errors
    /// Returns the errors of [`Pages::next`], which end the list, and [`ErrorKind::Decode`] for an item that does not
    /// decode. After that, the next call continues with the next item.
    ///
    /// [`ErrorKind::Decode`]: crate::ErrorKind::Decode
    pub async fn next(&mut self) -> Option<Result<T>> {
        loop {
            match self.current.as_mut().and_then(Iterator::next) {
                Some(Ok(item)) => return Some(Ok(item)),
                Some(Err(item)) => return Some(Err(self.undecoded_error(item))),
                None => {
                    // Frees the page before the next one arrives.
                    self.current = None;
                    match self.pages.next().await? {
                        Ok(page) => {
                            self.repairs.extend(page.repairs());
                            self.current = Some(page.into_value().into_items());
                        }
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }

    fn undecoded_error(&self, item: UndecodedItem) -> Error {
        let request = match &self.request {
            Ok(request) => request,
            Err(error) => return error.clone().into(),
        };
        let source = item.error_with_page_path();
        let body = match item.value {
            // The text of an item that is not valid JSON.
            Value::String(text) => text.into(),
            value => value.to_string().into(),
        };
        let error = Error::for_operation(
            request.operation(),
            ErrorRepr::Decode { status: http::StatusCode::OK, source, body },
        );
        self.client.redact_error(error, request)
    }

    /// Collects all items in one `Vec`, which is held in memory.
    ///
    /// # Errors
    /// Returns the first error of [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    /// Converts the items into a stream.
    pub fn into_stream(self) -> BoxStream<'static, Result<T>>
    where
        T: Send + 'static,
    {
        stream::unfold(self, |mut items| async move { items.next().await.map(|item| (item, items)) }).boxed()
    }
}
