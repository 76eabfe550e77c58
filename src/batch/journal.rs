//! Journal of an action on many IDs: a file with one JSON record per line.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde::{Deserialize, Serialize};

use super::fingerprint::fingerprint;
use super::requests::unique_ids;
use crate::Result;
use crate::error::Error;
use crate::outcome::{IdOutcome, IdState};

/// Version of the format.
const FORMAT: u32 = 1;

/// Remedy for a file that is not the journal of the action.
const OTHER_FILE: &str = "use another journal file, or repeat the action that the journal belongs to";

/// The journal of an action on many IDs, in a file. A run after an interruption sends only what is not known to be done.
///
/// The batch is recorded and flushed to the disk before it is sent, and its outcome afterwards. The file has the operation, the URL
/// of the console, the version of the API, a hash of the request, the IDs and their outcomes. It has no token and no
/// other content of requests and responses. On Unix only its owner can read it. Clones share the file, and one process at
/// a time can use it.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    /// Locked until it is closed.
    file: File,
    header: Option<Header>,
    entries: HashMap<String, Entry>,
    /// The batches that were sent and have no outcome: their IDs, and what was known about them before.
    batches: HashMap<u64, Vec<(String, Option<Entry>)>>,
    /// Sum of the affected items; `None` if a batch had no count.
    affected: Option<u64>,
    last_batch: u64,
    /// Number of bytes up to the end of the last complete line.
    length: u64,
    is_complete: bool,
    /// Set after a failed write: another line after a part of a line would damage the file.
    is_broken: bool,
    /// Number of bytes until a simulated crash.
    #[cfg(test)]
    bytes_until_crash: Option<usize>,
}

/// The action that a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Header {
    format: u32,
    operation: String,
    console: String,
    api_version: String,
    /// Hash of the request without its IDs and secrets.
    request: String,
}

impl Header {
    pub(super) fn new<A>(console: &str, version: ApiVersion, request: &Request<A>) -> Result<Self> {
        Ok(Self {
            format: FORMAT,
            operation: request.operation().id.to_owned(),
            console: console.to_owned(),
            api_version: version.as_str().to_owned(),
            request: fingerprint(version, request)?,
        })
    }
}

/// What a journal has about one ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The ID was sent; no outcome is recorded.
    Sent,
    /// The request was rejected.
    Rejected,
    Outcome(IdState, Option<String>),
}

impl Entry {
    /// Returns whether the console reported what it did with the ID.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Outcome(state, _) if *state != IdState::Unknown)
    }

    /// Returns whether the action may have been applied to the ID, and no outcome says so.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Sent | Self::Outcome(IdState::Unknown, _))
    }
}

/// A line of the file. The variants are tagged externally: serde cannot read numbers in internally tagged variants if the
/// feature `arbitrary_precision` of serde_json is enabled.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Record {
    /// The first line.
    Journal(Header),
    #[serde(rename_all = "camelCase")]
    Sent { batch: u64, ids: Vec<String> },
    #[serde(rename_all = "camelCase")]
    Outcome { batch: u64, affected: Option<u64>, results: Vec<RecordedOutcome> },
    /// The request certainly had no effect.
    Rejected { batch: u64 },
    /// IDs without an outcome that have the requested state on the console.
    Confirmed { results: Vec<RecordedOutcome> },
    /// Each ID has an outcome.
    Complete { ids: u64 },
}

impl Record {
    /// Returns the record of the outcome of a batch.
    pub(super) fn of_outcome(batch: u64, affected: Option<u64>, outcomes: &[IdOutcome]) -> Self {
        Self::Outcome { batch, affected, results: outcomes.iter().map(RecordedOutcome::from).collect() }
    }

    /// Returns the record of outcomes that were read from the console.
    pub(super) fn of_confirmed(outcomes: &[IdOutcome]) -> Self {
        Self::Confirmed { results: outcomes.iter().map(RecordedOutcome::from).collect() }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedOutcome {
    id: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl From<&IdOutcome> for RecordedOutcome {
    fn from(outcome: &IdOutcome) -> Self {
        let IdOutcome { id, state, detail } = outcome;
        Self { id: id.clone(), state: state.as_str().to_owned(), detail: detail.clone() }
    }
}

impl Journal {
    /// Opens or creates a journal, locks it and reads it. An incomplete last line, which an interruption of a write
    /// leaves, is ignored.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Journal`](crate::ErrorKind::Journal) if another process uses the file, or a line is not a
    /// valid record of a journal; the error has the number of the line. Returns
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be created or read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let failed = |error| Error::io(&path, error).before_request();
        let mut file = open_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let help = "wait until the other process ends; one process at a time can use a journal";
                return Err(Error::journal(&path, "another process uses this journal", help));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let mut state = State {
            file,
            header: None,
            entries: HashMap::new(),
            batches: HashMap::new(),
            affected: Some(0),
            last_batch: 0,
            length: 0,
            is_complete: false,
            is_broken: false,
            #[cfg(test)]
            bytes_until_crash: None,
        };
        state.read(&path, &bytes)?;
        Ok(Self(Arc::new(Inner { path, state: Mutex::new(state) })))
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Returns whether each ID of the last run has an outcome.
    pub fn is_complete(&self) -> bool {
        self.state().is_complete
    }

    /// Returns how many distinct IDs of these requests have no outcome so far.
    pub(super) fn count_open<A>(&self, header: Option<&Header>, requests: &[Request<A>]) -> Result<u64> {
        if let Some(header) = header {
            self.check(header)?;
        }
        let state = self.state();
        let is_open = |id: &&String| !state.entries.get(*id).is_some_and(Entry::is_final);
        Ok(unique_ids(requests).iter().filter(is_open).count() as u64)
    }

    /// Returns what the journal has about each ID.
    pub(super) fn entries(&self) -> HashMap<String, Entry> {
        self.state().entries.clone()
    }

    /// Returns the number of items that the recorded batches affected.
    pub(super) fn affected(&self) -> Option<u64> {
        self.state().affected
    }

    /// Starts a run of an action: writes the header of a new journal, or compares that of an existing one, and removes an
    /// incomplete last line.
    pub(super) async fn begin(&self, header: &Header) -> Result<()> {
        let header = header.clone();
        self.off_executor(move |journal| journal.begin_blocking(&header)).await
    }

    fn begin_blocking(&self, header: &Header) -> Result<()> {
        self.check(header)?;
        let mut state = self.state();
        let truncated =
            state.file.set_len(state.length).and_then(|()| state.file.seek(SeekFrom::End(0)).map(|_| ()));
        truncated.map_err(|error| Error::io(&self.0.path, error).before_request())?;
        if state.header.is_none() {
            self.append(&mut state, &Record::Journal(header.clone()))?;
            // Make the new name durable. Not every system can open a directory.
            let dir = self.0.path.parent().filter(|dir| !dir.as_os_str().is_empty());
            if let Ok(dir) = File::open(dir.unwrap_or(Path::new("."))) {
                let _ = dir.sync_all();
            }
        }
        Ok(())
    }

    fn check(&self, header: &Header) -> Result<()> {
        let state = self.state();
        let Some(own) = state.header.as_ref().filter(|own| *own != header) else { return Ok(()) };
        let message = match () {
            () if own.operation != header.operation => {
                format!("the journal belongs to {}, and the action is {}", own.operation, header.operation)
            }
            () if own.console != header.console => {
                format!("the journal belongs to the console {}, not to {}", own.console, header.console)
            }
            () if own.api_version != header.api_version => {
                format!("the journal belongs to API {}, not to {}", own.api_version, header.api_version)
            }
            () => format!("the journal belongs to {} with other values", own.operation),
        };
        Err(Error::journal(&self.0.path, message, OTHER_FILE))
    }

    /// Records that a batch is about to be sent. Returns its number.
    pub(super) async fn sent(&self, ids: &[String]) -> Result<u64> {
        let ids = ids.to_vec();
        self.off_executor(move |journal| {
            let mut state = journal.state();
            let batch = state.last_batch + 1;
            journal.append(&mut state, &Record::Sent { batch, ids })?;
            Ok(batch)
        })
        .await
    }

    /// Writes a record about batches that were sent.
    pub(super) async fn write(&self, record: Record) -> Result<()> {
        self.off_executor(move |journal| journal.append(&mut journal.state(), &record)).await
    }

    /// Records that each ID has an outcome.
    pub(super) async fn complete(&self, ids: u64) -> Result<()> {
        if self.is_complete() { Ok(()) } else { self.write(Record::Complete { ids }).await }
    }

    /// Runs a write on a thread for blocking work, because flushing to a slow disk would delay other tasks. The caller
    /// waits for its end before it sends or reports the batch. A dropped caller does not interrupt the write.
    async fn off_executor<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let journal = self.clone();
        let written = tokio::task::spawn_blocking(move || write(&journal)).await;
        written.unwrap_or_else(|error| Err(Error::io(&self.0.path, io::Error::other(error)).before_request()))
    }

    /// Writes a record and flushes it to the disk.
    fn append(&self, state: &mut State, record: &Record) -> Result<()> {
        let failed = |error| Error::io(&self.0.path, error).before_request();
        if state.is_broken {
            return Err(failed(io::Error::other("an earlier write to the journal failed")));
        }
        let mut line = serde_json::to_vec(record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        if let Err(error) = state.write(&line) {
            state.is_broken = true;
            return Err(failed(error));
        }
        state.length += line.len() as u64;
        // A record that was just created is valid.
        let _ = state.apply(record);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Simulates a crash after this number of bytes: the write is cut off, and all later ones fail.
    #[cfg(test)]
    pub(super) fn crash_after(&self, bytes: usize) {
        self.state().bytes_until_crash = Some(bytes);
    }
}

impl State {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        if let Some(left) = &mut self.bytes_until_crash {
            let written = line.len().min(*left);
            *left -= written;
            self.file.write_all(&line[..written])?;
            // Without a flush: a simulated crash loses nothing that was written.
            return if written < line.len() { Err(io::Error::other("simulated crash")) } else { Ok(()) };
        }
        self.file.write_all(line)?;
        self.file.sync_data()
    }

    /// Reads the lines of a file.
    fn read(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (lines, rest) = bytes.split_at(complete);
        // A file with one incomplete line is a journal if the line is the beginning of a header. It could be another
        // file, which must not be overwritten.
        let header = br#"{"journal":{"format":1,"#;
        let length = header.len().min(rest.len());
        if lines.is_empty() && rest[..length] != header[..length] {
            return Err(Error::journal(path, "the file is not a journal", OTHER_FILE));
        }
        for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let applied = serde_json::from_slice::<Record>(line)
                .map_err(|error| format!("is not a record of a journal: {}", without_position(&error)));
            if let Err(problem) = applied.and_then(|record| self.apply(&record)) {
                let (message, help) = match index {
                    0 => (format!("the file is not a journal: line 1 {problem}"), OTHER_FILE),
                    _ => (
                        format!("line {} {problem}", index + 1),
                        "the journal is damaged; check on the console what was done, and use another journal file",
                    ),
                };
                return Err(Error::journal(path, message, help));
            }
        }
        self.length = complete as u64;
        Ok(())
    }

    /// Applies a record. Returns what is wrong with it, to follow the number of its line.
    fn apply(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Journal(header) if self.header.is_some() => {
                return Err(format!("has a second header, of {}", header.operation));
            }
            Record::Journal(header) if header.format != FORMAT => {
                return Err(format!("has the format {}; expected {FORMAT}", header.format));
            }
            Record::Journal(header) => self.header = Some(header.clone()),
            _ if self.header.is_none() => return Err("is before the header".to_owned()),
            Record::Sent { batch, ids } => {
                if *batch != self.last_batch + 1 || ids.is_empty() {
                    return Err(format!("has the batch {batch} out of order, or without IDs"));
                }
                self.last_batch = *batch;
                self.is_complete = false;
                let sent = |id: &String| (id.clone(), self.entries.insert(id.clone(), Entry::Sent));
                let sent = ids.iter().map(sent).collect();
                self.batches.insert(*batch, sent);
            }
            Record::Rejected { batch } => {
                for (id, before) in self.batches.remove(batch).ok_or_else(|| not_sent(*batch))? {
                    // An earlier request may have had an effect.
                    let entry = before.filter(Entry::is_unknown).unwrap_or(Entry::Rejected);
                    self.entries.insert(id, entry);
                }
            }
            Record::Outcome { batch, affected, results } => {
                let ids = self.batches.remove(batch).ok_or_else(|| not_sent(*batch))?;
                let sent: HashSet<&String> = ids.iter().map(|(id, _)| id).collect();
                let results = outcomes(results, |id| sent.contains(id))?;
                if results.len() != ids.len() {
                    return Err(format!("does not have one outcome per ID of the batch {batch}"));
                }
                self.entries.extend(results);
                self.affected = self.affected.zip(*affected).map(|(before, now)| before.saturating_add(now));
            }
            Record::Confirmed { results } => {
                let entries = &self.entries;
                let results = outcomes(results, |id| entries.get(id).is_some_and(Entry::is_unknown))?;
                self.entries.extend(results);
                // The response with the count is lost.
                self.affected = None;
            }
            Record::Complete { .. } => self.is_complete = true,
        }
        Ok(())
    }
}

fn not_sent(batch: u64) -> String {
    format!("has an outcome of the batch {batch}, which was not sent or has one")
}

/// Returns the entries of recorded outcomes, or what is wrong with one of them.
fn outcomes(
    results: &[RecordedOutcome],
    is_expected: impl Fn(&String) -> bool,
) -> Result<HashMap<String, Entry>, String> {
    let entry = |result: &RecordedOutcome| {
        let RecordedOutcome { id, state, detail } = result;
        let state = IdState::from_name(state).ok_or_else(|| format!("has the unknown state {state:?}"))?;
        if !is_expected(id) {
            return Err(format!("has an outcome of the ID {id:?}, which was not sent or has one"));
        }
        Ok((id.clone(), Entry::Outcome(state, detail.clone())))
    };
    results.iter().map(entry).collect()
}

/// Returns the message of an error without its position, which is relative to the line.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Opens a file for reading and writing. A new file can be read by its owner only.
fn open_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.0.path).finish_non_exhaustive()
    }
}
