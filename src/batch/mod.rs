//! Actions on many IDs: batches of a size that the API accepts, several in flight, one outcome per ID, and a journal with
//! which an interrupted run is resumed.
//!
//! ```
//! use sentinelone::threats::IncidentStatus;
//! # use sentinelone::{ApiToken, Client};
//! # use sentinelone_sandbox::Sandbox;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = Sandbox::start().await?;
//! # let client = Client::builder(sandbox.url()).token(ApiToken::new(Sandbox::TOKEN)?).build()?;
//!
//! let ids = ["460000000000000011", "460000000000000009", "1"];
//! let resolve = client.threats().update_incident().status(IncidentStatus::Resolved);
//! let report = resolve.batches(ids)?.in_flight(8).send().await?;
//! for outcome in &report.outcomes {
//!     println!("{}: {}", outcome.id, outcome.state);
//! }
//! # assert_eq!(report.outcomes.len(), 3);
//! # Ok(())
//! # }
//! ```

mod engine;
mod fingerprint;
mod journal;
mod recovery;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use sentinelone_raw::runtime::{Request, RequestError, ResponseBody};
use tokio::sync::watch;

use crate::Result;
use crate::client::Client;
use crate::error::{ApiError, Error};
use crate::outcome::IdOutcome;
use crate::response::Response;

pub use journal::Journal;
#[cfg(all(test, feature = "commands"))]
pub(crate) use recovery::recovery_of;

/// Number of IDs of a batch, unless the IDs fit in one request or [`ActionBatch::batch_size`] is set.
///
/// The API accepts up to 5,000 IDs for most actions. Smaller batches leave fewer IDs with an unknown outcome if a response
/// is lost, and several of them are in flight.
pub const DEFAULT_BATCH_SIZE: usize = 1_000;

/// Default number of batches in flight.
pub const DEFAULT_IN_FLIGHT: usize = 4;

/// Maximum number of batches in flight.
pub const MAX_IN_FLIGHT: usize = 16;

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
    /// and otherwise [`DEFAULT_BATCH_SIZE`]. A value above the maximum of the API, and 0, have no effect.
    pub fn batch_size(mut self, ids: usize) -> Self {
        self.settings.batch_size = Some(ids);
        self
    }

    /// Sets the number of batches in flight, 1 to [`MAX_IN_FLIGHT`]. The default is [`DEFAULT_IN_FLIGHT`]. The
    /// [rate limits](crate::RateLimits) of the client apply to all of them.
    pub fn in_flight(mut self, batches: usize) -> Self {
        self.settings.in_flight = batches;
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
    /// Returns an error if the list of IDs is empty, or the API does not accept an ID.
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
    /// Returns the first error if the run certainly affected no ID. Nothing is sent if a request is invalid, if the
    /// journal is that of another action, or if the state of an ID with an unknown outcome cannot be read.
    pub async fn send(&self) -> Result<BatchReport<A>> {
        engine::run(&self.client, self.requests()?, &self.settings).await
    }
}

/// The outcome of an action on many IDs.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchReport<A> {
    /// Outcome of each distinct ID, in the order of the request.
    pub outcomes: Vec<IdOutcome>,
    /// Number of affected items, including those of earlier runs in the journal; `None` if a response had no count or was
    /// lost.
    pub affected: Option<u64>,
    /// Responses of this run, in the order of the batches.
    pub responses: Vec<Response<A>>,
    /// Errors that the console returned in addition to data, and contradictions of its counts.
    pub api_errors: Vec<ApiError>,
    /// Batches of this run without a response, in the order of the batches.
    pub failures: Vec<BatchFailure>,
    /// Whether the [`StopSignal`] ended the run early.
    pub is_stopped: bool,
}

impl<A> BatchReport<A> {
    /// Returns whether each ID has the requested state, without errors.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
            && self.api_errors.is_empty()
            && !self.is_stopped
            && self.outcomes.iter().all(|outcome| outcome.state.is_success())
    }
}

/// A batch that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchFailure {
    /// IDs of the batch.
    pub ids: Vec<String>,
    /// The error. [`may_have_taken_effect`](Error::may_have_taken_effect) is whether the outcome of the IDs is unknown.
    pub error: Error,
}

/// The progress of an action on many IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchProgress {
    /// Number of IDs whose batch has finished, in this run or an earlier one.
    pub finished: usize,
    /// Number of all IDs.
    pub total: usize,
}

/// A signal that stops a run; clones share it.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<watch::Sender<bool>>);

impl StopSignal {
    /// Stops the runs that have this signal.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the signal is set.
    async fn stopped(&self) {
        // The sender exists as long as `self`.
        let _ = self.0.subscribe().wait_for(|is_stopped| *is_stopped).await;
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

/// Settings of actions on many IDs.
#[derive(Clone)]
pub(crate) struct BatchSettings {
    pub(crate) batch_size: Option<usize>,
    pub(crate) in_flight: usize,
    pub(crate) journal: Option<Journal>,
    pub(crate) resend_unknown: bool,
    pub(crate) stop: StopSignal,
    pub(crate) progress: Option<Arc<dyn Fn(BatchProgress) + Send + Sync>>,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            batch_size: None,
            in_flight: DEFAULT_IN_FLIGHT,
            journal: None,
            resend_unknown: false,
            stop: StopSignal::default(),
            progress: None,
        }
    }
}

impl fmt::Debug for BatchSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSettings")
            .field("batch_size", &self.batch_size)
            .field("in_flight", &self.in_flight)
            .field("journal", &self.journal)
            .field("resend_unknown", &self.resend_unknown)
            .finish_non_exhaustive()
    }
}

/// Returns the number of IDs of a batch; `max` is the maximum of the API.
pub(crate) fn effective_batch_size(max: Option<u64>, ids: usize, batch_size: Option<usize>) -> usize {
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let size = match batch_size.filter(|size| *size > 0) {
        Some(size) => size,
        None if ids <= max => ids,
        None => DEFAULT_BATCH_SIZE,
    };
    size.min(max).max(1)
}

/// Returns whether the filter limits the number of items.
fn has_limit<A>(action: &Request<A>) -> bool {
    action.body().and_then(|body| body.pointer("/filter/limit")).is_some_and(|limit| !limit.is_null())
}

/// Returns the requests of an action on these IDs.
pub(crate) fn batch_requests<A>(
    action: &Request<A>,
    ids: &[String],
    batch_size: Option<usize>,
) -> Result<Vec<Request<A>>> {
    let max = action.id_field().and_then(|(_, field)| field.item_count.1);
    let size = effective_batch_size(max, ids.len(), batch_size);
    if has_limit(action) && ids.len() > size {
        // The limit applies to each request, so several requests would exceed it.
        return Err(Error::configuration(format!(
            "{}: filter.limit cannot be used with {} IDs in batches of {size}",
            action.operation().id,
            ids.len()
        )));
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
