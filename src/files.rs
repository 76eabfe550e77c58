//! File downloads, and the password-protected archives that agents upload.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::Result;
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
    /// `progress` is called after each chunk with the number of bytes so far. A file with the extension `.zip` must be a
    /// complete zip archive.
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
        std::fs::create_dir_all(dir).map_err(failed)?;
        let mut file = NamedTempFile::new_in(dir).map_err(failed)?;
        while let Some(chunk) = self.chunk().await? {
            file.write_all(&chunk).map_err(failed)?;
            progress(self.received());
        }
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(&path).map_err(|error| failed(error.error))?;
        Ok(SavedFile { name: name.to_owned(), bytes: self.received(), path })
    }
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
mod tests {
    use super::safe_name;

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
