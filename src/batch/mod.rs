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

mod action;
mod console;
mod engine;
mod fingerprint;
mod journal;
mod recovery;
mod report;
mod requests;
mod settings;
#[cfg(test)]
mod tests;

pub use action::ActionBatch;
#[cfg(feature = "commands")]
pub(crate) use action::send_requests;
pub use journal::Journal;
#[cfg(all(test, feature = "commands"))]
pub(crate) use recovery::recovery_of;
pub use report::{BatchFailure, BatchReport};
pub use requests::DEFAULT_BATCH_SIZE;
#[cfg(feature = "commands")]
pub(crate) use requests::{batch_requests, effective_batch_size, unique_ids};
#[cfg(feature = "commands")]
pub(crate) use settings::BatchSettings;
pub use settings::{BatchProgress, DEFAULT_IN_FLIGHT, MAX_IN_FLIGHT, StopSignal};
