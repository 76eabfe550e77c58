//! Checkpoints of incident fetching.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use sentinelone_raw::runtime::Timestamp;
use serde::{Deserialize, Serialize};

use super::config::Stream;

/// The position of each stream. Store it with the fetched incidents and pass it to the next poll. A default checkpoint
/// starts at [`first_fetch`](super::IncidentConfig::first_fetch).
///
/// A checkpoint depends only on times and IDs of the console. Polls with the same checkpoint return the same
/// incidents. Store it after the incidents: a crash in between repeats that batch and loses no incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Checkpoint {
    /// Position of the threats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) threats: Option<Position>,
    /// Position of the alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alerts: Option<Position>,
}

/// The position of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Position {
    /// Start of the first fetch; earlier items are not fetched.
    pub(super) from: Timestamp,
    /// Creation time of the newest item that was returned or skipped.
    pub(super) newest: Timestamp,
    /// IDs of returned items that may appear again, with their creation times.
    #[serde(default)]
    pub(super) seen: BTreeMap<String, Timestamp>,
}

impl Checkpoint {
    pub(super) fn position(&self, stream: Stream) -> Option<&Position> {
        match stream {
            Stream::Threats => self.threats.as_ref(),
            Stream::Alerts => self.alerts.as_ref(),
        }
    }

    pub(super) fn set(&mut self, stream: Stream, position: Position) {
        match stream {
            Stream::Threats => self.threats = Some(position),
            Stream::Alerts => self.alerts = Some(position),
        }
    }

    /// Returns the creation time of the newest item of a stream that was returned or skipped, or `None` before
    /// the first poll.
    pub fn newest(&self, stream: Stream) -> Option<&Timestamp> {
        self.position(stream).map(|position| &position.newest)
    }
}

impl Position {
    /// Returns the position before the first fetch.
    pub(super) fn new(from: Timestamp) -> Self {
        Self { newest: from.clone(), from, seen: BTreeMap::new() }
    }

    /// Returns the creation time from which to list: the overlap before the newest item, but not before the first
    /// fetch.
    pub(super) fn floor(&self, overlap: Duration) -> SystemTime {
        let from = system_time(&self.from);
        match system_time(&self.newest).checked_sub(overlap) {
            Some(time) => time.max(from),
            None => from,
        }
    }

    /// Advances to a newer item and removes the IDs that cannot appear again.
    pub(super) fn advance(&mut self, newest: Option<SystemTime>, overlap: Duration) {
        if let Some(newest) = newest.filter(|newest| *newest > system_time(&self.newest)) {
            self.newest = Timestamp::from(newest);
        }
        let floor = self.floor(overlap);
        self.seen.retain(|_, created| created.to_system_time().is_none_or(|created| created >= floor));
    }
}

/// Converts a time of a checkpoint. An unparsable time becomes the epoch, so that all items are read again and
/// none is lost.
fn system_time(time: &Timestamp) -> SystemTime {
    time.to_system_time().unwrap_or(SystemTime::UNIX_EPOCH)
}
