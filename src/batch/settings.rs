//! Settings and progress of an action on many IDs.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::journal::Journal;
use crate::Result;
use crate::error::Error;

/// Default number of batches in flight.
pub const DEFAULT_IN_FLIGHT: usize = 4;

/// Maximum number of batches in flight.
pub const MAX_IN_FLIGHT: usize = 16;

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

    pub(super) fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the signal is set.
    pub(super) async fn stopped(&self) {
        // The sender exists as long as `self`.
        let _ = self.0.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }
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

impl BatchSettings {
    /// Checks the number of batches in flight.
    pub(super) fn validate(&self) -> Result<()> {
        if (1..=MAX_IN_FLIGHT).contains(&self.in_flight) {
            return Ok(());
        }
        let number = self.in_flight;
        let message = format!("the number of batches in flight is {number}; expected 1 to {MAX_IN_FLIGHT}");
        Err(Error::configuration(message))
    }
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
