//! The items of a list, from pages that are read one after the other or in parts.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use sentinelone_raw::runtime::{
    Page, PageItems, RawItem, Request, RequestError, ResponseBody, UndecodedItem,
};
use serde_json::Value;

use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorRepr};
use crate::json_repair::Repairs;
use crate::paging::Pages;
use crate::parallel::ParallelPages;
#[cfg(feature = "commands")]
use crate::parallel::refusal;
use crate::response::Response;
use crate::transport::RetryPolicy;

impl Client {
    /// Returns the items of all pages of a list.
    pub fn items<T>(&self, request: Request<Page<T>>) -> Items<T> {
        self.pages(request).items()
    }
}

impl<T> Pages<T> {
    /// Returns the items of all pages.
    pub fn items(self) -> Items<T> {
        Items::new(PageReader::Sequential(self))
    }
}

impl<T> ParallelPages<T> {
    /// Returns the items of all pages.
    pub fn items(self) -> Items<T> {
        Items::new(PageReader::Parallel(self))
    }
}

/// The items of all pages of a list. The next page is requested after the last item of the current one, or
/// [in advance](Self::prefetch).
#[must_use = "no page is requested before it is needed"]
pub struct Items<T> {
    pages: PageReader<T>,
    current: Option<PageItems<T>>,
    repairs: Repairs,
}

impl<T> Items<T> {
    fn new(pages: PageReader<T>) -> Self {
        Self { pages, current: None, repairs: Repairs::default() }
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

    /// Sets the timeout of each page; see [`Pages::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.pages = match self.pages {
            PageReader::Sequential(pages) => PageReader::Sequential(pages.timeout(timeout)),
            PageReader::Parallel(pages) => PageReader::Parallel(pages.timeout(timeout)),
        };
        self
    }

    /// Sets the retry policy of each page; see [`Pages::retry`].
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.pages = match self.pages {
            PageReader::Sequential(pages) => PageReader::Sequential(pages.retry(retry)),
            PageReader::Parallel(pages) => PageReader::Parallel(pages.retry(retry)),
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

impl<T> Items<T> {
    /// Returns the next item of the current page; `None` if the next page is needed. A page is freed before the next one
    /// arrives.
    fn next_of_page(&mut self) -> Option<Result<T>> {
        match self.current.as_mut()?.next() {
            Some(Ok(item)) => Some(Ok(item)),
            Some(Err(item)) => Some(Err(self.undecoded_error(item))),
            None => {
                self.current = None;
                None
            }
        }
    }

    fn set_page(&mut self, page: Result<Response<Page<T>>>) -> Result<()> {
        let page = page?;
        self.repairs.extend(page.repairs());
        self.current = Some(page.into_value().into_items());
        Ok(())
    }

    fn undecoded_error(&self, item: UndecodedItem) -> Error {
        let (client, request) = match self.pages.source() {
            (client, Ok(request)) => (client, request),
            (_, Err(error)) => return error.clone().into(),
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
        client.redact_error(error, request)
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
            if let Some(item) = self.next_of_page() {
                return Some(item);
            }
            let page = self.pages.next().await?;
            if let Err(error) = self.set_page(page) {
                return Some(Err(error));
            }
        }
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
}

/// The items as [`next`](Items::next) returns them; see the stream of [`Pages`].
impl<T> Stream for Items<T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let items = self.get_mut();
        loop {
            if let Some(item) = items.next_of_page() {
                return Poll::Ready(Some(item));
            }
            let Some(page) = ready!(items.pages.poll_next(cx)) else { return Poll::Ready(None) };
            if let Err(error) = items.set_page(page) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

/// No field is pinned.
impl<T> Unpin for Items<T> {}

/// Omits the items, and the values of the request.
impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages: &dyn fmt::Debug = match &self.pages {
            PageReader::Sequential(pages) => pages,
            PageReader::Parallel(pages) => pages,
        };
        f.debug_struct("Items").field("pages", pages).finish_non_exhaustive()
    }
}

/// The pages of a list, read one after the other or in parts.
pub(crate) enum PageReader<T> {
    Sequential(Pages<T>),
    Parallel(ParallelPages<T>),
}

impl<T> PageReader<T> {
    /// Returns the client and the request of the list.
    fn source(&self) -> (&Client, &Result<Request<Page<T>>, RequestError>) {
        match self {
            Self::Sequential(pages) => (&pages.client, &pages.request),
            Self::Parallel(pages) => (&pages.client, &pages.request),
        }
    }
}

#[cfg(feature = "commands")]
impl<T> PageReader<T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    /// Creates the reader of a list with the concurrency of the client, if the list can be read in parts, and otherwise
    /// with or without a prefetch.
    pub(crate) fn new(client: &Client, request: Request<Page<T>>, prefetch: bool) -> Self {
        let requests = client.list_concurrency();
        let is_parallel = requests > 1 && refusal(&request).is_none();
        let pages = client.pages(request);
        match is_parallel {
            true => Self::Parallel(pages.concurrency(requests)),
            false if prefetch => Self::Sequential(pages.prefetch()),
            false => Self::Sequential(pages),
        }
    }

    /// Returns whether the pages are read in parts. Their responses have cursors of the parts.
    pub(crate) fn is_parallel(&self) -> bool {
        matches!(self, Self::Parallel(_))
    }
}

impl<T> PageReader<T>
where
    Page<T>: ResponseBody,
{
    /// Returns the next page; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<Result<Response<Page<T>>>> {
        match self {
            Self::Sequential(pages) => pages.next().await,
            Self::Parallel(pages) => pages.next().await,
        }
    }
}

impl<T> PageReader<T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<Page<T>>>>> {
        match self {
            Self::Sequential(pages) => Pin::new(pages).poll_next(cx),
            Self::Parallel(pages) => Pin::new(pages).poll_next(cx),
        }
    }
}
