//! Actions on many IDs, as callers build and send them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sentinelone_raw::runtime::{Request, ResponseBody};

use super::engine;
use super::journal::{Header, Journal};
use super::report::BatchReport;
use super::requests::batch_requests;
use super::settings::{BatchProgress, BatchSettings, StopSignal};
use crate::Result;
use crate::client::Client;
use crate::transport::RetryPolicy;

/// An action on many IDs, from [`ActionBuilder::batches`](crate::resources::ActionBuilder::batches) or
/// [`new`](Self::new).
#[derive(Debug)]
#[must_use = "no request is sent until `send` is called"]
pub struct ActionBatch<A> {
    client: Client,
    action: Request<A>,
    ids: Vec<String>,
    settings: BatchSettings,
}

impl<A: ResponseBody + Send> ActionBatch<A> {
    /// Creates the action `action` on each of these IDs, which replace the IDs of its body. The other conditions of its
    /// filter apply to each batch. Duplicates are removed.
    ///
    /// # Errors
    /// Returns an error if the list is empty, the operation does not select items by ID, or the API does not accept an ID.
    pub fn new<I: Into<String>>(
        client: &Client,
        action: Request<A>,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Self> {
        let mut known_ids = HashSet::new();
        let ids =
            ids.into_iter().map(Into::into).filter(|id: &String| known_ids.insert(id.clone())).collect();
        let batch = Self { client: client.clone(), action, ids, settings: BatchSettings::default() };
        batch.requests()?;
        Ok(batch)
    }

    /// Sets the maximum number of IDs of a batch. The default is the maximum of the API if all IDs fit in one request,
    /// and otherwise [`DEFAULT_BATCH_SIZE`](super::DEFAULT_BATCH_SIZE). A value above the maximum of the API has no
    /// effect. With 0, [`requests`](Self::requests) and [`send`](Self::send) return an error.
    pub fn batch_size(mut self, ids: usize) -> Self {
        self.settings.batch_size = Some(ids);
        self
    }

    /// Sets the number of batches in flight, 1 to [`MAX_IN_FLIGHT`](super::MAX_IN_FLIGHT). The default is
    /// [`DEFAULT_IN_FLIGHT`](super::DEFAULT_IN_FLIGHT). The [rate limits](crate::RateLimits) of the client apply to all of
    /// them. With another number, [`send`](Self::send) returns an error.
    pub fn in_flight(mut self, batches: usize) -> Self {
        self.settings.in_flight = batches;
        self
    }

    /// Sets the timeout of each batch, above zero, instead of that of the action builder or [that of the
    /// client](crate::ClientBuilder::timeout). It includes all attempts, rate-limit permits, delays that the console
    /// requests, and backoff. The whole run has no timeout.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of each batch, in the ranges of [`RetryPolicy`], instead of that of the action builder or
    /// [that of the client](crate::ClientBuilder::retry_policy).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Sets the journal, with which an interrupted run is resumed: IDs with a recorded outcome are not sent a second time,
    /// and the state of IDs that were sent without a recorded outcome is read first.
    pub fn journal(mut self, journal: Journal) -> Self {
        self.settings.journal = Some(journal);
        self
    }

    /// Sets whether IDs with an unknown outcome are sent even if the action may then be applied twice. The default is
    /// false: if the console does not show the state, and the action is not repeatable, they stay
    /// [`Unknown`](crate::IdState::Unknown). It has no effect without a journal.
    pub fn resend_unknown(mut self, resend: bool) -> Self {
        self.settings.resend_unknown = resend;
        self
    }

    /// Sets a signal that stops the run: no further batch is sent, and those in flight have five seconds to finish.
    pub fn stop_signal(mut self, stop: StopSignal) -> Self {
        self.settings.stop = stop;
        self
    }

    /// Sets a function that is called after each batch. It must not block.
    pub fn on_progress(mut self, observe: impl Fn(BatchProgress) + Send + Sync + 'static) -> Self {
        self.settings.progress = Some(Arc::new(observe));
        self
    }

    /// Returns the requests of all IDs without sending them, regardless of the journal.
    ///
    /// # Errors
    /// Returns an error if the list of IDs is empty, the batch size is 0, or the API does not accept an ID.
    pub fn requests(&self) -> Result<Vec<Request<A>>> {
        batch_requests(&self.action, &self.ids, self.settings.batch_size)
    }

    /// Sends the batches. Each ID has one outcome, also after a failure:
    ///
    /// - A batch that the console rejects because of its content (400, 404, 409, 413, 422) is not applied. The other
    ///   batches continue.
    /// - After any other failure, no further batch is sent, and those in flight finish. The IDs of the failed batch are
    ///   unknown if it may have taken effect, and not affected otherwise.
    ///
    /// Dropping the future ends the run. Batches in flight may have taken effect.
    ///
    /// # Errors
    /// Returns the first error if the run certainly affected no ID. Nothing is sent if a setting or a request is
    /// invalid, if the journal is that of another action, or if the state of an ID with an unknown outcome cannot be
    /// read.
    pub async fn send(&self) -> Result<BatchReport<A>> {
        engine::run(&self.client, self.requests()?, &self.settings).await
    }
}

/// Sends requests that differ only in their IDs.
#[cfg(feature = "commands")]
pub(crate) async fn send_requests(
    client: &Client,
    requests: Vec<Request<serde_json::Value>>,
    settings: &BatchSettings,
) -> Result<BatchReport<serde_json::Value>> {
    engine::run(client, requests, settings).await
}

impl Journal {
    /// Returns how many distinct IDs of these requests have no outcome so far: they are sent, or their state is read
    /// first.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Journal`](crate::ErrorKind::Journal) if the journal belongs to another action, console or
    /// version of the API.
    pub fn remaining<A>(&self, client: &Client, requests: &[Request<A>]) -> Result<u64> {
        let header = |first| Header::new(&client.console_url().to_string(), client.api_version(), first);
        let header = requests.first().map(header).transpose()?;
        self.count_open(header.as_ref(), requests)
    }
}
