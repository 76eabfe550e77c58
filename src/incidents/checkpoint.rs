//! How far the fetching has come.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use sentinelone_raw::runtime::Timestamp;
use serde::{Deserialize, Serialize};

use super::settings::Stream;

/// How far the fetching of each stream has come: a small value to be stored beside what was fetched, and given back
/// with the next poll. A new one starts at the first fetch time of the settings.
///
/// It is told by what the console says about times and identifiers alone. Polls with the same checkpoint give the same
/// incidents again: store it when the batch is safe, and a crash in between repeats that batch and loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Checkpoint {
    /// Where the threats stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) threats: Option<Position>,
    /// Where the alerts stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alerts: Option<Position>,
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Position {
    /// Nothing that was created before is wanted.
    pub(super) from: Timestamp,
    /// When the newest thing that was handed out, or passed over, was created.
    pub(super) newest: Timestamp,
    /// What was handed out and may show again: identifier to when it was created.
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

    /// When the newest thing of a stream was created that was handed out or passed over; `None` before the first
    /// poll.
    pub fn newest(&self, stream: Stream) -> Option<&Timestamp> {
        self.position(stream).map(|position| &position.newest)
    }
}

impl Position {
    /// One that nothing was handed out from.
    pub(super) fn new(from: Timestamp) -> Self {
        Self { newest: from.clone(), from, seen: BTreeMap::new() }
    }

    /// From when on the console is to be asked: the overlap before the newest, and not before the first fetch.
    pub(super) fn floor(&self, overlap: Duration) -> SystemTime {
        let from = moment(&self.from);
        match moment(&self.newest).checked_sub(overlap) {
            Some(time) => time.max(from),
            None => from,
        }
    }

    /// Goes on to a newer thing, and forgets what cannot show any more.
    pub(super) fn advance(&mut self, newest: Option<SystemTime>, overlap: Duration) {
        if let Some(newest) = newest.filter(|newest| *newest > moment(&self.newest)) {
            self.newest = Timestamp::from(newest);
        }
        let floor = self.floor(overlap);
        self.seen.retain(|_, created| created.to_system_time().is_none_or(|created| created >= floor));
    }
}

/// A time of a checkpoint. What cannot be read is the beginning of time: everything is read again, and nothing is lost.
fn moment(time: &Timestamp) -> SystemTime {
    time.to_system_time().unwrap_or(SystemTime::UNIX_EPOCH)
}
