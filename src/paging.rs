//! Lists over all their pages.

use std::collections::HashSet;

use futures_util::stream::{self, BoxStream, StreamExt};
use sentinelone_raw::runtime::{Page, PageItems, Request, RequestError, Undecoded};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Trouble};
use crate::response::Response;

/// The pages of a list, one request each, made when the page is asked for, or [one ahead](Self::prefetch).
///
/// The walk ends when the server gives no further cursor, or when [`limit`](Self::limit) is reached; no
/// page is fetched beyond that. A cursor that comes a second time ends it with an error, since the list
/// would never end. After an error the walk is over.
#[must_use = "nothing is fetched until it is asked for"]
pub struct Pages<T> {
    client: Client,
    request: Result<Request<Page<T>>, RequestError>,
    left: Option<u64>,
    page_size: Option<u64>,
    cursor: Option<String>,
    seen: HashSet<String>,
    /// The size of every page, once it is settled.
    size: Option<Option<u64>>,
    state: State,
    /// How the next page is begun before it is asked for.
    begin: Option<Begin<T>>,
    ahead: Option<Ahead<T>>,
}

type Begin<T> = fn(Client, Request<Page<T>>, &Handle) -> Ahead<T>;

/// A page on its way. It is given up when nobody can ask for it any more.
struct Ahead<T>(JoinHandle<Result<Response<Page<T>>>>);

impl<T: DeserializeOwned + Send + 'static> Ahead<T> {
    fn begin(client: Client, request: Request<Page<T>>, runtime: &Handle) -> Self {
        Self(runtime.spawn(async move { client.send(&request).await }.in_current_span()))
    }
}

impl<T> Ahead<T> {
    /// Waits for the page; `None` where it has to be asked for again: its runtime is gone, or it failed because of the
    /// line, at a time when nobody waited for it.
    async fn page(&mut self) -> Option<Result<Response<Page<T>>>> {
        match (&mut self.0).await {
            Ok(Err(error)) if is_of_its_time(&error) => None,
            Ok(page) => Some(page),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        }
    }
}

/// Whether an error is about the moment in which it came. A caller that works without a pause holds up the page ahead,
/// which then runs out of time.
fn is_of_its_time(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Held | ErrorKind::Timeout | ErrorKind::Broken)
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The size of a page: what is asked for, else what the request says itself, else as many as the API
/// gives; never more than are wanted or given. `None` where the list has no such parameter.
fn page_size<T>(request: &Request<T>, asked: Option<u64>, wanted: Option<u64>) -> Option<u64> {
    let limit = request.operation().query_field("limit")?;
    let most = limit.range.1.and_then(|most| u64::try_from(most).ok());
    let given = request.query().into_iter().find(|(name, _)| name == "limit");
    let given = given.and_then(|(_, value)| value.parse().ok());
    let size = asked.or(given).or(most);
    [size, wanted, most].into_iter().flatten().min()
}

/// The request of the first page of a walk that ends after so many items.
#[cfg(feature = "commands")]
pub(crate) fn sized<T>(mut request: Request<T>, wanted: Option<u64>) -> Result<Request<T>, RequestError> {
    if let Some(size) = page_size(&request, None, wanted) {
        request.set_query("limit", size)?;
    }
    Ok(request)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Walking,
    Repeated,
    Over,
}

impl<T> Pages<T> {
    /// A request that cannot be built is the first thing that the walk gives.
    pub(crate) fn of(client: Client, request: Result<Request<Page<T>>, RequestError>) -> Self {
        let (left, page_size, cursor) = (None, None, None);
        let (seen, size, state) = (HashSet::new(), None, State::Walking);
        let (begin, ahead) = (None, None);
        Self { client, request, left, page_size, cursor, seen, size, state, begin, ahead }
    }

    /// How many items to read in all; without it, all there are.
    pub fn limit(mut self, items: u64) -> Self {
        self.left = Some(items);
        self
    }

    /// How many items to ask for at once; without it what the request says, else as many as the API
    /// gives, which is 1000 on most lists, and never more than [`limit`](Self::limit). Every page of a walk
    /// is asked for with the same size.
    pub fn page_size(mut self, items: u64) -> Self {
        self.page_size = Some(items);
        self
    }

    /// The items of all pages.
    pub fn items(self) -> Items<T> {
        Items { pages: self, ready: None }
    }
}

impl<T: DeserializeOwned + Send + 'static> Pages<T> {
    /// Asks for the next page as soon as this one is there, for callers who have something to wait for between pages: it
    /// comes while they do. It is a task of the runtime, so that a caller who works without an `await` holds it up unless
    /// another thread of the runtime is free. One page more is held in memory; none is asked for beyond
    /// [`limit`](Self::limit). Dropping the walk gives up what is on its way. A page ahead that ran out of time, or
    /// did not reach the console, is asked for once more when it is wanted.
    pub fn prefetch(mut self) -> Self {
        self.begin = Some(Ahead::begin);
        self
    }
}

impl<T: DeserializeOwned> Pages<T> {
    /// The next page; `None` after the last. Dropping the future loses nothing: the page is asked for
    /// again, or is still on its way.
    ///
    /// # Errors
    /// Whatever [`Client::send`] gives, and [`ErrorKind::RepeatedCursor`](crate::ErrorKind).
    pub async fn next(&mut self) -> Option<Result<Response<Page<T>>>> {
        if self.left == Some(0) {
            self.state = State::Over;
        }
        let page = match self.state {
            State::Over => return None,
            _ => self.fetch().await,
        };
        if page.is_err() {
            self.state = State::Over;
        }
        Some(page)
    }

    async fn fetch(&mut self) -> Result<Response<Page<T>>> {
        let begun = match &mut self.ahead {
            Some(ahead) => ahead.page().await,
            None => None,
        };
        self.ahead = None;
        let mut page = match begun {
            Some(page) => page?,
            None => {
                let request = self.request()?;
                self.client.send(&request).await?
            }
        };

        let value = &mut page.value;
        if let Some(left) = &mut self.left {
            let count = (value.data.len() + value.undecoded.len()) as u64;
            if count > *left {
                let keep = usize::try_from(*left).unwrap_or(usize::MAX);
                value.undecoded.retain(|item| item.index < keep);
                value.data.truncate(keep - value.undecoded.len());
            }
            *left = left.saturating_sub(count);
        }
        // A list that takes no cursor has no further page, whatever it says.
        let takes_cursor = page.operation.query_field("cursor").is_some();
        self.cursor = value.next_cursor().filter(|_| takes_cursor).map(str::to_owned);
        self.state = match &self.cursor {
            None => State::Over,
            Some(cursor) if !self.seen.insert(cursor.clone()) => State::Repeated,
            Some(_) => State::Walking,
        };
        if let (Some(begin), State::Walking) = (self.begin, self.state)
            && self.left != Some(0)
            && let (Ok(request), Ok(runtime)) = (self.request(), Handle::try_current())
        {
            self.ahead = Some(begin(self.client.clone(), request, &runtime));
        }
        Ok(page)
    }

    /// The request of the next page.
    fn request(&mut self) -> Result<Request<Page<T>>> {
        let mut request = self.request.clone()?;
        if self.state == State::Repeated {
            return Err(Error::of(request.operation(), Trouble::RepeatedCursor));
        }
        let size = match self.size {
            Some(size) => size,
            None => *self.size.insert(page_size(&request, self.page_size, self.left)),
        };
        if let Some(size) = size {
            request.set_query("limit", size)?;
        }
        if let Some(cursor) = &self.cursor {
            request.set_query("cursor", cursor.as_str())?;
            // The cursor holds the position. The size of the page stays what it was on the first one:
            // whether a cursor takes another is not known, and more than is wanted is dropped here.
            request.set_query("skip", Value::Null)?;
        }
        Ok(request)
    }

    /// The pages as a stream.
    pub fn into_stream(self) -> BoxStream<'static, Result<Response<Page<T>>>>
    where
        T: Send + 'static,
    {
        stream::unfold(self, |mut pages| async move { pages.next().await.map(|page| (page, pages)) }).boxed()
    }
}

/// The items of a list over all its pages. The next page is fetched when the items of the one before
/// are used up, or [one ahead](Self::prefetch).
#[must_use = "nothing is fetched until it is asked for"]
pub struct Items<T> {
    pages: Pages<T>,
    ready: Option<PageItems<T>>,
}

impl<T> Items<T> {
    /// How many items to read in all; without it, all there are.
    pub fn limit(mut self, items: u64) -> Self {
        self.pages = self.pages.limit(items);
        self
    }

    /// As [`Pages::page_size`].
    pub fn page_size(mut self, items: u64) -> Self {
        self.pages = self.pages.page_size(items);
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Items<T> {
    /// As [`Pages::prefetch`]: the next page is asked for as soon as this one is there.
    pub fn prefetch(mut self) -> Self {
        self.pages = self.pages.prefetch();
        self
    }
}

impl<T: DeserializeOwned> Items<T> {
    /// The next item; `None` after the last. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Those of [`Pages::next`], after which the walk is over; and [`ErrorKind::Decode`] for an item
    /// that does not decode, after which it goes on with the next one.
    ///
    /// [`ErrorKind::Decode`]: crate::ErrorKind::Decode
    pub async fn next(&mut self) -> Option<Result<T>> {
        loop {
            match self.ready.as_mut().and_then(Iterator::next) {
                Some(Ok(item)) => return Some(Ok(item)),
                Some(Err(bad)) => return Some(Err(self.undecoded(bad))),
                None => {
                    // Before the next page comes, not after.
                    self.ready = None;
                    match self.pages.next().await? {
                        Ok(page) => self.ready = Some(page.into_value().into_items()),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }

    fn undecoded(&self, item: Undecoded) -> Error {
        let request = match &self.pages.request {
            Ok(request) => request,
            Err(error) => return error.clone().into(),
        };
        let source = item.located();
        let body = item.value.to_string().into();
        let error =
            Error::of(request.operation(), Trouble::Decode { status: http::StatusCode::OK, source, body });
        self.pages.client.clean(error, request)
    }

    /// All items in one list, which is held in memory.
    ///
    /// # Errors
    /// The first one that [`next`](Self::next) gives.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    /// The items as a stream.
    pub fn into_stream(self) -> BoxStream<'static, Result<T>>
    where
        T: Send + 'static,
    {
        stream::unfold(self, |mut items| async move { items.next().await.map(|item| (item, items)) }).boxed()
    }
}
