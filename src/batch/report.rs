//! The outcome of an action on many IDs.

use crate::error::{ApiError, Error};
use crate::outcome::IdOutcome;
use crate::response::Response;

/// The outcome of an action on many IDs.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "it states for which IDs the action succeeded"]
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
    /// Whether the [`StopSignal`](super::StopSignal) ended the run early.
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
#[must_use = "it states which IDs may not have been changed"]
pub struct BatchFailure {
    /// IDs of the batch.
    pub ids: Vec<String>,
    /// The error. [`may_have_taken_effect`](Error::may_have_taken_effect) is whether the outcome of the IDs is unknown.
    pub error: Error,
}
