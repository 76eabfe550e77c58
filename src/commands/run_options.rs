//! Options with which a prepared command runs.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::{NoProgress, ProgressEvent, ProgressObserver};
use crate::batch::{BatchProgress, BatchSettings, DEFAULT_IN_FLIGHT, Journal, StopSignal};

/// Options with which a [`PreparedCommand`](super::PreparedCommand) runs.
///
/// The options other than `observer` and `concurrency` apply to the commands with a
/// [`batch_argument`](super::RegisteredCommand::batch_argument), whose action goes out in batches.
///
/// ```
/// use sentinelone::commands::RunOptions;
///
/// let mut options = RunOptions::default();
/// options.in_flight = 8;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RunOptions<'a> {
    /// Receives the progress. The default ignores it.
    pub observer: &'a dyn ProgressObserver,
    /// Maximum number of requests in flight of a list, which is then read [in parts](crate::Pages::concurrency). By
    /// default, one page is read after the other.
    pub concurrency: Option<NonZeroUsize>,
    /// Journal, with which an interrupted run is resumed. Without it, an interruption loses the outcomes so far.
    pub journal: Option<Journal>,
    /// Number of batches in flight; see [`ActionBatch::in_flight`](crate::batch::ActionBatch::in_flight).
    pub in_flight: usize,
    /// Maximum number of IDs of a batch; see [`ActionBatch::batch_size`](crate::batch::ActionBatch::batch_size).
    pub batch_size: Option<usize>,
    /// Whether IDs with an unknown outcome are sent even if the action may then be applied twice; see
    /// [`ActionBatch::resend_unknown`](crate::batch::ActionBatch::resend_unknown).
    pub resend_unknown: bool,
    /// Stops the action after the batches in flight.
    pub stop: StopSignal,
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        Self {
            observer: &NoProgress,
            concurrency: None,
            journal: None,
            in_flight: DEFAULT_IN_FLIGHT,
            batch_size: None,
            resend_unknown: false,
            stop: StopSignal::default(),
        }
    }
}

impl fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("concurrency", &self.concurrency)
            .field("journal", &self.journal)
            .field("in_flight", &self.in_flight)
            .field("batch_size", &self.batch_size)
            .field("resend_unknown", &self.resend_unknown)
            .finish_non_exhaustive()
    }
}

impl RunOptions<'_> {
    /// Returns whether several requests of a list are in flight.
    pub(super) fn reads_in_parallel(&self) -> bool {
        self.concurrency.is_some_and(|requests| requests.get() > 1)
    }

    /// Returns the settings of actions on many IDs, which send their progress to `events`.
    pub(super) fn batch_settings(&self, events: UnboundedSender<ProgressEvent>) -> BatchSettings {
        let progress = move |BatchProgress { finished, total, .. }| {
            // The receiver exists as long as the command runs.
            let _ = events.send(ProgressEvent::BatchFinished { finished, total });
        };
        BatchSettings {
            batch_size: self.batch_size,
            in_flight: self.in_flight,
            journal: self.journal.clone(),
            resend_unknown: self.resend_unknown,
            stop: self.stop.clone(),
            progress: Some(Arc::new(progress)),
        }
    }
}
