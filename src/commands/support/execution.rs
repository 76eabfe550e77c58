//! What commands execute: their requests, with the observer of their progress.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use sentinelone_raw::runtime::Request;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::list_entries::ListPage;
use crate::Result;
use crate::error::Error;

/// The requests of a command.
pub(crate) type Requests = Vec<Request<Value>>;

/// Returns the request of a command that sends one, for a response of type `T`.
pub(crate) fn first_request<T>(requests: Requests) -> Result<Request<T>> {
    next_request(&mut requests.into_iter())
}

/// Returns the next request, for a response of type `T`. A missing request is an error.
pub(crate) fn next_request<T>(requests: &mut impl Iterator<Item = Request<Value>>) -> Result<Request<T>> {
    let request = requests.next().map(Request::with_response_type);
    request.ok_or_else(|| Error::configuration("a request of the command is missing").before_request())
}

/// An event of a running command.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ProgressEvent {
    /// The console started a job that continues if the command ends. The same command with this argument resumes it.
    Started {
        /// Name of the argument, such as `query_id`.
        argument: &'static str,
        /// Value of the argument.
        value: String,
    },
    /// A long-running query searches these accounts, because the command names none: all that the token reaches.
    Accounts {
        /// IDs of the accounts.
        ids: Vec<String>,
    },
    /// The console returned a warning with its results.
    Warning {
        /// Text of the warning.
        message: String,
    },
    /// The job is not finished.
    Waiting {
        /// State of the job, or the error of the last poll.
        state: String,
        /// Time until the next poll.
        next: Duration,
    },
    /// A part of a file was downloaded.
    Received {
        /// Name of the file.
        name: String,
        /// Bytes downloaded so far.
        bytes: u64,
        /// Size of the file in bytes, if the server sent it.
        total: Option<u64>,
    },
    /// A page of a list was read.
    PageRead {
        /// Number of items that the page added.
        items: usize,
    },
    /// A batch of an action on many IDs has finished.
    BatchFinished {
        /// Number of IDs whose batch has finished, in this run or an earlier one.
        finished: usize,
        /// Number of all IDs.
        total: usize,
    },
}

/// The handling of a page's items by a [`ProgressObserver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageHandling {
    /// The observer did not consume the items. They become part of the outcome.
    Buffer,
    /// The observer consumed the items. They are not part of the outcome.
    Consumed,
    /// The observer consumed the items, and no further page is read.
    Stop,
}

/// Receives the events of a running command, for example to draw a progress bar or write a log.
pub trait ProgressObserver: Send + Sync {
    /// Handles an event. It must not block.
    fn on_event(&self, event: ProgressEvent);

    /// Handles the items that a page adds to a list; pages arrive in order. An observer that consumes them keeps
    /// long lists out of memory. The default returns [`PageHandling::Buffer`].
    fn on_page(&self, page: &ListPage<'_>) -> PageHandling {
        let _ = page;
        PageHandling::Buffer
    }
}

/// Passes the events that are received during a run to the observer.
pub(crate) async fn relay<T>(
    run: impl Future<Output = T>,
    mut received: UnboundedReceiver<ProgressEvent>,
    observer: &dyn ProgressObserver,
) -> T {
    let mut run = pin!(run);
    poll_fn(|context| {
        let polled = run.as_mut().poll(context);
        while let Poll::Ready(Some(event)) = received.poll_recv(context) {
            observer.on_event(event);
        }
        polled
    })
    .await
}

/// An observer that ignores all events.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl ProgressObserver for NoProgress {
    fn on_event(&self, _: ProgressEvent) {}
}
