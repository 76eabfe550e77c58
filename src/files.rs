//! Files: downloads to disk, and the protected archives that agents upload.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use sentinelone_raw::runtime::Operation;
use tempfile::NamedTempFile;

use crate::Result;
use crate::error::{Error, ErrorKind, History, Trouble};
use crate::transport::Patience;

#[cfg(feature = "unzip")]
mod archive;

#[cfg(all(feature = "commands", feature = "unzip"))]
pub(crate) use archive::unpack_while;
#[cfg(feature = "unzip")]
pub use archive::{Limits, unpack};

/// How long a download may take in all.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(6 * 60 * 60);

/// A file that was written to this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called at its origin: the name in the archive, or that of the download.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// A file on its way here, part by part; from [`Client::download`](crate::Client::download).
///
/// Dropping it ends the download.
#[must_use = "nothing is read until it is asked for"]
pub struct Download {
    operation: &'static Operation,
    answer: reqwest::Response,
    length: Option<u64>,
    received: u64,
    patience: Patience,
    /// What it took to begin.
    history: History,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, received, .. } = self;
        f.debug_struct("Download").field("operation", &operation.id).field("received", received).finish()
    }
}

impl Download {
    /// One that begins now, and may stand still for no longer than `pause`.
    pub(crate) fn new(operation: &'static Operation, answer: reqwest::Response, pause: Duration) -> Self {
        // What is still to come is all that the answer tells once it is being read.
        let length = answer.content_length();
        let patience = Patience::new(operation, pause, LONGEST_DOWNLOAD, "the download took six hours");
        Self { operation, answer, length, received: 0, patience, history: History::default() }
    }

    /// The same after these attempts.
    pub(crate) fn after(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// How many bytes the server announced.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// How many bytes were read so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// [`Timeout`](ErrorKind::Timeout) when the connection stands still for longer than
    /// [`read_timeout`](crate::ClientBuilder::read_timeout) allows, or the download takes six hours, and
    /// [`Broken`](ErrorKind::Broken) when it breaks or gives another number of bytes than was announced.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let history = self.history;
        let part = self.patience.with(self.answer.chunk()).await.map_err(|error| history.ended(error))?;
        self.received += part.as_ref().map_or(0, |part| part.len() as u64);
        match self.length {
            Some(length) if self.received > length || part.is_none() && self.received < length => {
                let message = format!("the download has {} of {length} bytes", self.received);
                let kind = ErrorKind::Broken;
                Err(history.ended(Error::of(self.operation, Trouble::Line { kind, message })))
            }
            _ => Ok(part),
        }
    }

    /// Writes the file into a folder, under a name of which only safe characters are kept. It is written
    /// beside that name first and gets it when all of it is there, so that a file of that name is whole; one
    /// that is there already is not overwritten. `progress` is called with the bytes so far.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk), and when the disk does not take it. Nothing is left behind then.
    pub async fn save(mut self, folder: &Path, name: &str, progress: impl Fn(u64)) -> Result<Saved> {
        let path = folder.join(safe_name(name));
        let failed = |source| Error::file(&path, source);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
        while let Some(part) = self.chunk().await? {
            file.write_all(&part).map_err(failed)?;
            progress(self.received);
        }
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(&path).map_err(|error| failed(error.error))?;
        Ok(Saved { name: name.to_owned(), bytes: self.received, path })
    }
}

/// A name for a file of this machine out of one from elsewhere: one component, without what means something
/// to a file system.
pub(crate) fn safe_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.() ".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    let name = name.trim_matches(['.', ' ']);
    // The ending says what it is; the beginning gives way.
    let long = name.char_indices().map(|(at, _)| at).find(|at| name.len() - at <= LONGEST_NAME);
    let name = name[long.unwrap_or_default()..].trim_matches(['.', ' ']);
    match name {
        "" => "file".to_owned(),
        name if is_device(name) => format!("_{name}"),
        name => name.to_owned(),
    }
}

/// File systems have room for 255 bytes; some is left for what is written beside the file.
const LONGEST_NAME: usize = 200;

/// Names that are no files on Windows, whatever their ending.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device| stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n != "0");
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn names_from_elsewhere_are_one_component() {
        assert_eq!(safe_name("C:\\Users\\x.txt"), "C__Users_x.txt");
        assert_eq!(safe_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(safe_name(".."), "file");
        assert_eq!(safe_name(""), "file");
        assert_eq!(safe_name("a b-c_d.zip"), "a b-c_d.zip");
        assert_eq!(safe_name("nul.txt"), "_nul.txt");
        assert_eq!(safe_name("COM1"), "_COM1");
        assert_eq!(safe_name("common.txt"), "common.txt");
        let long = safe_name(&format!("{}.zip", "名".repeat(124)));
        assert!(long.len() <= 200 && long.ends_with("名.zip"), "{long}");
    }
}
