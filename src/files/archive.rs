//! Password-protected archives.

use std::fs::File;
use std::io::{Read, copy};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zip::ZipArchive;
use zip::result::ZipError;

use super::SavedFile;
#[cfg(feature = "commands")]
use super::manifest::{ArchiveContent, ManifestText, decode, is_manifest};
use crate::Result;
use crate::error::{ArchiveFault, Error};
use crate::text::is_unprintable;

/// Limits for the content of an archive. Change those of [`default`](Self::default).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
/// Returns [`ErrorKind::Archive`](crate::ErrorKind) if the file is not a zip archive or is damaged, the password is
/// wrong, an entry is a link or leaves the directory, two entries have the same file name, or the archive exceeds
/// `limits`. The [`help`](crate::Error::help) of the error mentions the password only if an entry was not decrypted. Returns
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
    let mut zip = open(archive, limits)?;
    let temp_dir = tempfile::TempDir::new_in(parent).map_err(failed)?;
    let mut remaining = limits.bytes;
    let mut saved = Vec::new();
    let unsafe_content = |message: String| Error::archive(ArchiveFault::Content, message);
    // After the first decrypted entry, the password is right.
    let mut is_decrypted = false;
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index_decrypt(index, password.expose_secret().as_bytes())
            .map_err(|error| cannot_open(index, &error))?;
        let name = entry
            .name()
            .map_err(|error| unsafe_content(format!("entry {index} has no valid name: {error}")))?;
        let name = name.into_owned();
        let relative = relative_path(&name)
            .ok_or_else(|| unsafe_content(format!("the entry {name:?} leaves the target directory")))?;
        if entry.is_symlink() {
            return Err(unsafe_content(format!("the entry {name:?} is a link")));
        }
        let path = temp_dir.path().join(&relative);
        if relative.components().count() > limits.depth {
            let depth = limits.depth;
            return Err(unsafe_content(format!("the entry {name:?} is more than {depth} directories deep")));
        }
        if entry.is_dir() {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = match File::create_new(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(unsafe_content(format!("the entry {name:?} has the same name as another")));
            }
            file => file.map_err(failed)?,
        };
        let is_encrypted = entry.encrypted();
        // The sizes in the archive are not trusted.
        let limited = entry.by_ref().take(remaining.saturating_add(1));
        let bytes = copy(&mut Cancellable { is_active, inner: limited }, &mut file).map_err(|error| {
            // An error of the file system, such as a full disk.
            if error.raw_os_error().is_some() {
                return failed(error);
            }
            match is_encrypted && is_active() {
                // ZipCrypto detects some wrong passwords at the checksum only.
                true if !is_decrypted => {
                    Error::archive(ArchiveFault::Password, format!("cannot read the entry {name:?}: {error}"))
                }
                true => unsafe_content(format!("cannot read the entry {name:?}: its data are damaged")),
                false => unsafe_content(format!("cannot read the entry {name:?}: {error}")),
            }
        })?;
        is_decrypted |= is_encrypted;
        remaining = remaining.checked_sub(bytes).ok_or_else(|| {
            unsafe_content(format!("the uncompressed archive has more than {} bytes", limits.bytes))
        })?;
        saved.push(SavedFile { path: dir.join(&relative), name, bytes });
    }
    if !is_active() {
        return Err(unsafe_content(CANCELED.to_owned()));
    }
    std::fs::rename(temp_dir.path(), dir).map_err(failed)?;
    // The temporary directory was renamed; `keep` prevents its deletion.
    let _ = temp_dir.keep();
    Ok(saved)
}

/// Opens an archive with at most the number of entries of `limits`.
fn open(archive: &Path, limits: UnpackLimits) -> Result<ZipArchive<File>> {
    let file = File::open(archive).map_err(|source| Error::io(archive, source))?;
    let invalid = |error| Error::archive(ArchiveFault::Download, format!("not a zip archive: {error}"));
    let zip = ZipArchive::new(file).map_err(invalid)?;
    if zip.len() > limits.entries {
        let message = format!("the archive has {} entries, more than {}", zip.len(), limits.entries);
        return Err(Error::archive(ArchiveFault::Content, message));
    }
    Ok(zip)
}

fn cannot_open(index: usize, error: &ZipError) -> Error {
    let is_password = matches!(error, ZipError::InvalidPassword);
    let fault = if is_password { ArchiveFault::Password } else { ArchiveFault::Content };
    Error::archive(fault, format!("cannot open entry {index}: {error}"))
}

/// Maximum number of bytes that are read of a manifest.
#[cfg(feature = "commands")]
const MAX_MANIFEST: u64 = 4 << 20;

/// Maximum number of manifests that are read, in the order of their directory depth: fetched files can have the name of a
/// manifest, and the manifest of the upload is above them.
#[cfg(feature = "commands")]
const MAX_MANIFESTS: usize = 8;

/// Returns the positions of the manifests to read.
#[cfg(feature = "commands")]
fn manifests(names: &[String]) -> Vec<usize> {
    let is_separator = |c: &char| matches!(c, '/' | '\\');
    let mut found: Vec<usize> = (0..names.len()).filter(|at| is_manifest(&names[*at])).collect();
    found.sort_by_key(|at| names[*at].chars().filter(is_separator).count());
    found.truncate(MAX_MANIFESTS);
    found
}

/// Reads the names of the entries and the manifests, without unpacking the archive.
#[cfg(feature = "commands")]
pub(crate) fn read_content(
    archive: &Path,
    password: &SecretString,
    limits: UnpackLimits,
) -> Result<ArchiveContent> {
    let mut zip = open(archive, limits)?;
    let mut content = ArchiveContent::default();
    let mut indexes = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|error| cannot_open(index, &error))?;
        let is_file = !entry.is_dir();
        let Ok(name) = entry.name().map(|name| name.into_owned()) else { continue };
        if is_file {
            content.names.push(name);
            indexes.push(index);
        }
    }
    for at in manifests(&content.names) {
        match read_manifest(&mut zip, indexes[at], password) {
            Ok(text) => content.manifests.push(ManifestText { name: content.names[at].clone(), text }),
            Err(error) => content.unreadable = content.unreadable.or(Some(error)),
        }
    }
    Ok(content)
}

#[cfg(feature = "commands")]
fn read_manifest(zip: &mut ZipArchive<File>, index: usize, password: &SecretString) -> Result<String> {
    let mut entry = zip
        .by_index_decrypt(index, password.expose_secret().as_bytes())
        .map_err(|error| cannot_open(index, &error))?;
    let is_encrypted = entry.encrypted();
    let mut bytes = Vec::new();
    entry.by_ref().take(MAX_MANIFEST).read_to_end(&mut bytes).map_err(|error| {
        let fault = if is_encrypted { ArchiveFault::Password } else { ArchiveFault::Content };
        Error::archive(fault, format!("cannot read the entry {index}: {error}"))
    })?;
    Ok(decode(&bytes))
}

/// Reads the names and the manifests of unpacked files.
#[cfg(feature = "commands")]
pub(crate) fn unpacked_content(files: &[SavedFile]) -> Result<ArchiveContent> {
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let mut content = ArchiveContent::default();
    for file in manifests(&names).into_iter().map(|at| &files[at]) {
        let failed = |source| Error::io(&file.path, source);
        let mut bytes = Vec::new();
        File::open(&file.path).map_err(failed)?.take(MAX_MANIFEST).read_to_end(&mut bytes).map_err(failed)?;
        content.manifests.push(ManifestText { name: file.name.clone(), text: decode(&bytes) });
    }
    Ok(ArchiveContent { names, ..content })
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
