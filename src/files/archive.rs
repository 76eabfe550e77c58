//! Archives with a password.

use std::fs::File;
use std::io::{Read, copy};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zip::ZipArchive;

use super::Saved;
use crate::Result;
use crate::error::Error;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all entries inflate to, in all.
    pub bytes: u64,
    /// Entries.
    pub entries: usize,
}

impl Default for Limits {
    /// One GiB, and a thousand entries: agents hand over 10 MB a request.
    fn default() -> Self {
        Self { bytes: 1024 * 1024 * 1024, entries: 1000 }
    }
}

/// Unpacks a zip file into a new folder, with the password that it is protected by, in the old manner
/// (ZipCrypto) or with AES. All of it is unpacked beside that folder first, and the folder gets its name when
/// everything is there.
///
/// # Errors
/// When the password is wrong, an entry would leave the folder or is a link, or it holds more than `limits`
/// allow: [`ErrorKind::Archive`](crate::ErrorKind). When the folder is there already or the disk does not
/// take it: [`ErrorKind::File`](crate::ErrorKind). Nothing is left behind then.
pub fn unpack(archive: &Path, password: &SecretString, folder: &Path, limits: Limits) -> Result<Vec<Saved>> {
    let failed = |source| Error::file(folder, source);
    if folder.exists() {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let file = File::open(archive).map_err(|source| Error::file(archive, source))?;
    let mut zip =
        ZipArchive::new(file).map_err(|error| Error::archive(format!("this is no zip file: {error}")))?;
    if zip.len() > limits.entries {
        let (count, most) = (zip.len(), limits.entries);
        return Err(Error::archive(format!("the archive holds {count} entries, which is more than {most}")));
    }
    let beside = tempfile::TempDir::new_in(parent).map_err(failed)?;
    let mut left = limits.bytes;
    let mut saved = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip
            .by_index_decrypt(index, password.expose_secret().as_bytes())
            .map_err(|error| Error::archive(format!("entry {index} cannot be opened: {error}")))?;
        let name =
            entry.name().map_err(|error| Error::archive(format!("entry {index} has no name: {error}")))?;
        let name = name.into_owned();
        let place = place(&name).ok_or_else(|| {
            Error::archive(format!("the entry {name:?} leaves the folder that it is unpacked into"))
        })?;
        if entry.is_symlink() {
            return Err(Error::archive(format!("the entry {name:?} is a link")));
        }
        let path = beside.path().join(&place);
        if entry.is_dir() {
            std::fs::create_dir_all(&path).map_err(failed)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = File::create_new(&path).map_err(failed)?;
        // What the archive says of its sizes is not trusted.
        let bytes = copy(&mut entry.by_ref().take(left.saturating_add(1)), &mut file)
            .map_err(|error| Error::archive(format!("the entry {name:?} cannot be read: {error}")))?;
        left = left.checked_sub(bytes).ok_or_else(|| {
            Error::archive(format!("the archive inflates to more than {} bytes", limits.bytes))
        })?;
        saved.push(Saved { path: folder.join(&place), name, bytes });
    }
    std::fs::rename(beside.path(), folder).map_err(failed)?;
    // What is left to drop has another name now.
    let _ = beside.keep();
    Ok(saved)
}

/// Where below the folder an entry goes; `None` when its name leads out of it. Names from Windows have
/// backslashes, and a drive whose colon no file name may hold.
fn place(name: &str) -> Option<PathBuf> {
    let name = name.replace('\\', "/");
    if name.starts_with('/') || name.contains('\0') {
        return None;
    }
    let mut place = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => place.push(part.replace([':', '*', '?', '"', '<', '>', '|'], "_")),
        }
    }
    (!place.as_os_str().is_empty()).then_some(place)
}
