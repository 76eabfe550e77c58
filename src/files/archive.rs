//! Password-protected archives.

use std::fs::File;
use std::io::{Read, copy};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zip::ZipArchive;

use super::SavedFile;
use crate::Result;
use crate::error::Error;
use crate::text::is_unprintable;

/// Limits for the content of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Maximum uncompressed size of all entries in bytes.
    pub bytes: u64,
    /// Maximum number of entries.
    pub entries: usize,
    /// Maximum directory depth of an entry.
    pub depth: usize,
}

impl Default for UnpackLimits {
    /// Returns the limits 1 GiB, 1000 entries and a depth of 64. Agents upload 10 MB per request.
    fn default() -> Self {
        Self { bytes: 1024 * 1024 * 1024, entries: 1000, depth: 64 }
    }
}

/// Unpacks a zip file into a new directory. Entries may be encrypted with ZipCrypto or AES, or not encrypted.
///
/// The files are unpacked into a temporary directory, which gets the name `dir` when it is complete. Empty directories
/// are skipped. The function blocks; on an async runtime, call it in a blocking task.
///
/// # Errors
/// Returns [`ErrorKind::Archive`](crate::ErrorKind) if the password is wrong, an entry is a link or leaves the
/// directory, two entries have the same file name, or the archive exceeds `limits`. Returns
/// [`ErrorKind::Io`](crate::ErrorKind) if the directory exists or cannot be written. After an error, the directory does
/// not exist, unless it existed before.
pub fn unpack(
    archive: &Path,
    password: &SecretString,
    dir: &Path,
    limits: UnpackLimits,
) -> Result<Vec<SavedFile>> {
    unpack_while(archive, password, dir, limits, &|| true)
}

/// Unpacks a zip file like [`unpack`], and stops if `is_active` returns false.
pub(crate) fn unpack_while(
    archive: &Path,
    password: &SecretString,
    dir: &Path,
    limits: UnpackLimits,
    is_active: &dyn Fn() -> bool,
) -> Result<Vec<SavedFile>> {
    let failed = |source| Error::io(dir, source);
    if dir.exists() {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let file = File::open(archive).map_err(|source| Error::io(archive, source))?;
    let mut zip =
        ZipArchive::new(file).map_err(|error| Error::archive(format!("not a zip archive: {error}")))?;
    if zip.len() > limits.entries {
        let (count, max) = (zip.len(), limits.entries);
        return Err(Error::archive(format!("the archive has {count} entries, more than {max}")));
    }
    let temp_dir = tempfile::TempDir::new_in(parent).map_err(failed)?;
    let mut remaining = limits.bytes;
    let mut saved = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index_decrypt(index, password.expose_secret().as_bytes())
            .map_err(|error| Error::archive(format!("cannot open entry {index}: {error}")))?;
        let name = entry
            .name()
            .map_err(|error| Error::archive(format!("entry {index} has no valid name: {error}")))?;
        let name = name.into_owned();
        let relative = relative_path(&name)
            .ok_or_else(|| Error::archive(format!("the entry {name:?} leaves the target directory")))?;
        if entry.is_symlink() {
            return Err(Error::archive(format!("the entry {name:?} is a link")));
        }
        let path = temp_dir.path().join(&relative);
        if relative.components().count() > limits.depth {
            let depth = limits.depth;
            return Err(Error::archive(format!("the entry {name:?} is more than {depth} directories deep")));
        }
        if entry.is_dir() {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = match File::create_new(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(Error::archive(format!("the entry {name:?} has the same name as another")));
            }
            file => file.map_err(failed)?,
        };
        // The sizes in the archive are not trusted.
        let limited = entry.by_ref().take(remaining.saturating_add(1));
        let bytes = copy(&mut Cancellable { is_active, inner: limited }, &mut file)
            .map_err(|error| Error::archive(format!("cannot read the entry {name:?}: {error}")))?;
        remaining = remaining.checked_sub(bytes).ok_or_else(|| {
            Error::archive(format!("the uncompressed archive has more than {} bytes", limits.bytes))
        })?;
        saved.push(SavedFile { path: dir.join(&relative), name, bytes });
    }
    if !is_active() {
        return Err(Error::archive(CANCELED));
    }
    std::fs::rename(temp_dir.path(), dir).map_err(failed)?;
    // The temporary directory was renamed; `keep` prevents its deletion.
    let _ = temp_dir.keep();
    Ok(saved)
}

const CANCELED: &str = "unpacking was canceled";

/// A reader that fails after cancellation.
struct Cancellable<'a, R> {
    is_active: &'a dyn Fn() -> bool,
    inner: R,
}

impl<R: Read> Read for Cancellable<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !(self.is_active)() {
            // `copy` would retry the kind Interrupted.
            return Err(std::io::Error::other(CANCELED));
        }
        self.inner.read(buffer)
    }
}

/// Returns the path of an entry below the target directory; `None` if the name leaves it. Names from Windows may have
/// backslashes, and a drive letter with a colon, which is not valid in a file name.
fn relative_path(name: &str) -> Option<PathBuf> {
    let name = name.replace('\\', "/");
    if name.starts_with('/') || name.contains('\0') {
        return None;
    }
    let mut path = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => path.push(file_name(part)),
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}

/// Returns a name for one file or directory that is valid on every file system and safe to print on a terminal.
fn file_name(part: &str) -> String {
    let is_invalid = |c: char| ":*?\"<>|".contains(c) || is_unprintable(c);
    let name = part.replace(is_invalid, "_");
    // Windows drops trailing dots and spaces, so two names could become equal.
    let name = match name.trim_end_matches(['.', ' ']).len() {
        end if end == name.len() => name,
        end => format!("{}{}", &name[..end], "_".repeat(name.len() - end)),
    };
    if super::is_device(&name) { format!("_{name}") } else { name }
}
