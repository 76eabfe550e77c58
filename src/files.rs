//! File downloads, and the password-protected archives that agents upload.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::Result;
use crate::cancel_on_drop::CancelOnDrop;
use crate::error::Error;
use crate::transport::is_zip_name;

pub use crate::transport::Download;
pub use link::DownloadLink;

pub(crate) use link::parts as link_parts;

#[cfg(feature = "unzip")]
mod archive;
mod link;
#[cfg(feature = "commands")]
pub(crate) mod manifest;

#[cfg(feature = "unzip")]
pub use archive::{UnpackLimits, unpack};
#[cfg(all(feature = "commands", feature = "unzip"))]
pub(crate) use archive::{read_content, unpack_while, unpacked_content};

/// Number of bytes that are written at once. Each write is handed to another thread.
const WRITE_SIZE: usize = 256 * 1024;

/// A file that was written to the local disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Original name: that of the archive entry, or of the download.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
}

impl Download {
    /// Writes the file to a directory, which is created if it does not exist. Unsafe characters of the name are
    /// replaced. The file gets its final name when it is complete, so a file with that name is never partial.
    /// The file is written on a thread for blocking work, so a slow disk does not delay other tasks of the runtime.
    /// `progress` is called after each chunk with the number of bytes so far. A file with the extension `.zip` must be a
    /// complete zip archive.
    ///
    /// Dropping the future ends the download, and no file remains. A drop while the complete file gets its name, which is
    /// the last step, can be too late: the file then exists.
    ///
    /// # Errors
    /// Returns the errors of [`chunk`](Self::chunk), and [`ErrorKind::Io`](crate::ErrorKind::Io) if the file exists or
    /// cannot be written. No partial file remains.
    pub async fn save(mut self, dir: &Path, name: &str, progress: impl Fn(u64)) -> Result<SavedFile> {
        if is_zip_name(name) {
            self.expect_archive();
        }
        let path = dir.join(safe_name(name));
        let failed = |source| Error::io(&path, source);
        let into = dir.to_owned();
        let mut file = off_executor(move || {
            std::fs::create_dir_all(&into)?;
            NamedTempFile::new_in(&into)
        })
        .await
        .map_err(failed)?;
        let mut chunks = Vec::new();
        let mut size = 0;
        loop {
            let chunk = self.chunk().await?;
            let is_end = chunk.is_none();
            if let Some(chunk) = chunk {
                size += chunk.len();
                chunks.push(chunk);
            }
            if size >= WRITE_SIZE || is_end {
                let written = std::mem::take(&mut chunks);
                size = 0;
                file = off_executor(move || {
                    written.iter().try_for_each(|chunk| file.write_all(chunk))?;
                    Ok(file)
                })
                .await
                .map_err(failed)?;
            }
            if is_end {
                break;
            }
            progress(self.received());
        }
        let guard = CancelOnDrop::default();
        let (target, is_canceled) = (path.clone(), guard.is_canceled());
        off_executor(move || persist(file, &target, is_canceled)).await.map_err(failed)?;
        Ok(SavedFile { name: name.to_owned(), bytes: self.received(), path })
    }
}

/// Gives a complete file its name, unless its save was canceled: the file is then removed.
fn persist(file: NamedTempFile, target: &Path, is_canceled: impl Fn() -> bool) -> io::Result<()> {
    file.as_file().sync_all()?;
    if is_canceled() {
        return Err(io::Error::other("the save was canceled"));
    }
    file.persist_noclobber(target).map(drop).map_err(|error| error.error)
}

/// Runs file operations on a thread for blocking work.
async fn off_executor<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // An error means that the work panicked or the runtime ends.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Converts a name from another machine into a local file name: one path component, without special characters.
pub(crate) fn safe_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.() ".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    let name = name.trim_matches(['.', ' ']);
    // A long name is truncated at the beginning, to preserve the extension.
    let start = name.char_indices().map(|(index, _)| index).find(|index| name.len() - index <= MAX_NAME);
    let name = name[start.unwrap_or_default()..].trim_matches(['.', ' ']);
    match name {
        "" => "file".to_owned(),
        name if is_device(name) => format!("_{name}"),
        name => name.to_owned(),
    }
}

/// Maximum length of a file name in bytes. File systems allow 255; the difference is for suffixes of temporary files.
const MAX_NAME: usize = 200;

/// Returns whether a name is a device on Windows, with any extension.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device| stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n != "0");
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn persist_after_drop_of_the_guard_leaves_no_file() {
        for is_canceled in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let (guard, target) = (CancelOnDrop::default(), dir.path().join("one.zip"));
            let canceled = guard.is_canceled();
            let guard = (!is_canceled).then_some(guard);
            let persisted = persist(NamedTempFile::new_in(dir.path()).unwrap(), &target, canceled);
            assert_eq!((persisted.is_err(), target.exists()), (is_canceled, !is_canceled));
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), usize::from(!is_canceled));
            drop(guard);
        }
    }

    #[test]
    fn safe_name_returns_one_component() {
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
