//! Builder of calls whose arguments are complete, for operations without a handwritten method.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use sentinelone_raw::runtime::{Binary, Request, RequestError, ResponseBody};

use crate::Result;
use crate::batch::ActionBatch;
use crate::client::{Client, RetryPolicy};
use crate::files::Download;
use crate::response::Response;

/// A builder of a call. [`send`](Self::send), or `.await`, sends the request.
#[must_use = "no request is sent until `send` is called"]
pub struct CallBuilder<A> {
    client: Client,
    request: Result<Request<A>, RequestError>,
}

impl<A> CallBuilder<A> {
    #[allow(dead_code, reason = "the feature documented alone has no operations")]
    pub(super) fn new(client: &Client, request: Result<Request<A>, RequestError>) -> Self {
        Self { client: client.clone(), request }
    }

    /// Sets the timeout of the call, above zero, instead of [that of the client](crate::ClientBuilder::timeout). It
    /// includes all attempts, rate-limit permits, delays that the console requests, and backoff.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of the call, in the ranges of [`RetryPolicy`], instead of [that of the
    /// client](crate::ClientBuilder::retry_policy).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Allows an action on all items in the scope of the token. Without it, an empty filter is rejected.
    pub fn everything_in_scope(mut self) -> Self {
        self.request = self.request.map(Request::everything_in_scope);
        self
    }

    /// Returns the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the API does not accept a value, or if a required value is missing.
    pub fn request(&self) -> Result<Request<A>, RequestError> {
        self.request.clone()
    }

    /// Returns the number of items that the filter of an action matches, to check before `send`; `None` if no list has
    /// this filter, or the console returns no total.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`] fails.
    pub async fn count(&self) -> Result<Option<u64>> {
        self.client.count_matching(&self.request()?).await
    }
}

impl<A: ResponseBody> CallBuilder<A> {
    /// Sends the request.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`] fails. A filter of an action that is not selective is rejected before the
    /// request is sent.
    pub async fn send(&self) -> Result<Response<A>> {
        self.client.send(&self.request()?).await
    }
}

impl<A: ResponseBody + Send> CallBuilder<A> {
    /// Returns an action on each of these IDs, in batches of a size that the API accepts. The other conditions of the
    /// filter apply to each batch.
    ///
    /// # Errors
    /// Returns the errors of [`request`](Self::request), and an error if the list is empty, the operation does not select
    /// items by ID, or the API does not accept an ID.
    pub fn batches<I: Into<String>>(&self, ids: impl IntoIterator<Item = I>) -> Result<ActionBatch<A>> {
        ActionBatch::new(&self.client, self.request()?, ids)
    }
}

impl CallBuilder<Binary> {
    /// Starts the download of the file, whose bytes are read in chunks; see [`Client::download`].
    ///
    /// # Errors
    /// Returns an error if [`Client::download`] fails.
    pub async fn download(&self) -> Result<Download> {
        self.client.download(&self.request()?).await
    }
}

/// Sends the request, as [`send`](CallBuilder::send) does.
impl<A: ResponseBody + Send + Sync + 'static> IntoFuture for CallBuilder<A> {
    type Output = Result<Response<A>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await })
    }
}

impl<A> Clone for CallBuilder<A> {
    fn clone(&self) -> Self {
        let Self { client, request } = self;
        Self { client: client.clone(), request: request.clone() }
    }
}

/// Omits the parameters and the body, which may contain secrets.
impl<A> fmt::Debug for CallBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBuilder").finish_non_exhaustive()
    }
}
