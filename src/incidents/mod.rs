//! Threats and alerts as incidents: fetched without loss, mirrored without surprises.
//!
//! A [`Fetcher`] polls the console. What is new comes as [`Incident`]s, with a [`Checkpoint`] to go on from:
//!
//! ```no_run
//! # async fn example(client: sentinelone::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use sentinelone::incidents::{Checkpoint, FetchType, Fetcher, Settings};
//!
//! let mut settings = Settings::default();
//! settings.fetch_type = FetchType::Both;
//! let fetcher = Fetcher::new(client, settings)?;
//!
//! let mut checkpoint = Checkpoint::default(); // or the stored one: it is a serde value
//! loop {
//!     let batch = fetcher.poll(&checkpoint).await?;
//!     for incident in &batch.incidents {
//!         println!("{}: {}", incident.dedupe_key, incident.name);
//!     }
//!     checkpoint = batch.checkpoint; // store it when the incidents are safe
//!     if !batch.more {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is kept
//!
//! Everything that the lists show within the [overlap](Settings::overlap) comes exactly once from one checkpoint to
//! the next: things of the same moment, things that show late, more than a batch takes, across restarts, whatever
//! the clock here says. A crash between a batch and the storing of its checkpoint repeats that batch, and its
//! [`dedupe_key`](Incident::dedupe_key)s tell.
//!
//! What is not fetched: what shows later than the overlap after the newest thing, and what did not have one of the
//! configured statuses while it was within the overlap.
//!
//! # Mirroring
//!
//! A [`ThreatMirror`] keeps incidents and their threats in step: what changed on the console comes in as
//! [`RemoteThreat`]s, with what is to become of the incident, and what changed in the incident goes out as a
//! [`Delta`], of which every [step](Step) is told apart afterwards. `examples/mirror.rs` does both with a store of
//! tickets. Alerts are not mirrored.

mod checkpoint;
mod connection;
pub(crate) mod delta;
mod fetch;
mod incident;
pub mod labels;
pub(crate) mod mirror;
mod settings;

#[cfg(test)]
mod tests;

pub use checkpoint::Checkpoint;
pub use connection::ConnectionError;
pub use delta::{Delta, Step, StepOutcome, Updated};
pub use fetch::{Batch, Failure, Fetcher, Nameless};
pub use incident::{INCIDENT_TYPE, Incident, Mirror, Severity};
pub use mirror::{Entry, MappingField, MirrorError, RemoteThreat, ThreatMirror};
pub use settings::{FetchType, Mirroring, Settings, SettingsError, Stream, WordError};
