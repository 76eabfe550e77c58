//! Incidents from threats and alerts: lossless fetching and mirroring.
//!
//! A [`Fetcher`] polls the console. It returns new items as [`Incident`]s, with a [`Checkpoint`] for the next
//! poll:
//!
//! ```no_run
//! # async fn example(client: sentinelone::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use sentinelone::incidents::{Checkpoint, FetchType, Fetcher, IncidentConfig};
//!
//! let mut config = IncidentConfig::default();
//! config.fetch_type = FetchType::Both;
//! let fetcher = Fetcher::new(client, config)?;
//!
//! let mut checkpoint = Checkpoint::default(); // or the stored one; it implements serde
//! loop {
//!     let batch = fetcher.poll(&checkpoint).await?;
//!     for incident in &batch.incidents {
//!         println!("{}: {}", incident.dedupe_key, incident.name);
//!     }
//!     checkpoint = batch.checkpoint; // store it after the incidents
//!     if !batch.has_more {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Delivery guarantees
//!
//! From one checkpoint to the next, each item that the lists show within the [overlap](IncidentConfig::overlap)
//! is returned exactly once. This includes items with the same creation time, items that appear late and items
//! above the limit. It holds across restarts and does not depend on the local clock. A crash after a batch and
//! before its checkpoint is stored repeats that batch; its [`dedupe_key`](Incident::dedupe_key)s identify the
//! incidents.
//!
//! Two kinds of items are not fetched: those that appear later than the overlap after the newest item, and those
//! without a configured status while they were within the overlap.
//!
//! # Mirroring
//!
//! A [`ThreatMirror`] synchronizes incidents and their threats. Changes on the console are returned as
//! [`RemoteThreat`]s, with the action for the incident. Changes of the incident are sent as a [`Delta`]; the
//! report has the outcome of each [step](UpdateStep). `examples/mirror.rs` does both with a ticket store. Alerts
//! are not mirrored.

mod checkpoint;
mod config;
mod connection;
pub(crate) mod delta;
mod fetch;
mod incident;
pub mod labels;
pub(crate) mod mirror;
mod mirror_error;

#[cfg(test)]
mod tests;

pub use checkpoint::Checkpoint;
pub use config::{FetchType, IncidentConfig, IncidentConfigError, MirrorDirection, ParseEnumError, Stream};
pub use connection::ConnectionError;
pub use delta::{Delta, StepOutcome, UpdateReport, UpdateStep};
pub use fetch::{Batch, Fetcher, ItemSetApart, ItemWithoutId, StreamFailure};
pub use incident::{INCIDENT_TYPE, Incident, IncidentSeverity, MirrorInfo};
pub use mirror::{IncidentAction, MappingField, RemoteThreat, ThreatMirror};
pub use mirror_error::MirrorError;
