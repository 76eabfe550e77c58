//! Archives with a password.

use std::fs::File;
use std::io::{Read, copy};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zip::ZipArchive;

use super::Saved;
use crate::Result;
use crate::error::Error;
use crate::text::is_unprintable;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all entries inflate to, in all.
    pub bytes: u64,
    /// Entries.
    pub entries: usize,
    /// Folders that an entry is in, one inside the other.
    pub depth: usize,
}

impl Default for Limits {
    /// One GiB, a thousand entries, and 64 folders deep: agents hand over 10 MB a request.
    fn default() -> Self {
        Self { bytes: 1024 * 1024 * 1024, entries: 1000, depth: 64 }
    }
}

/// Unpacks a zip file into a new folder, with the password that it is protected by, in the old manner
/// (ZipCrypto) or with AES; entries without protection are taken too. All of it is unpacked beside that folder
/// first, and the folder gets its name when everything is there. Folders without files are left out.
///
/// It takes as long as the disk does: on an async runtime, call it where blocking is allowed.
///
/// # Errors
/// When the password is wrong, an entry would leave the folder or is a link, two would be the same file here,
/// or it holds more than `limits` allow: [`ErrorKind::Archive`](crate::ErrorKind). When the folder is there already
/// or the disk does not take it: [`ErrorKind::File`](crate::ErrorKind). Nothing is written to the folder then.
pub fn unpack(archive: &Path, password: &SecretString, folder: &Path, limits: Limits) -> Result<Vec<Saved>> {
    unpack_while(archive, password, folder, limits, &|| true)
}

/// The same, as long as it is wanted.
pub(crate) fn unpack_while(
    archive: &Path,
    password: &SecretString,
    folder: &Path,
    limits: Limits,
    wanted: &dyn Fn() -> bool,
) -> Result<Vec<Saved>> {
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
        if place.components().count() > limits.depth {
            let depth = limits.depth;
            return Err(Error::archive(format!("the entry {name:?} is more than {depth} folders deep")));
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
        // What the archive says of its sizes is not trusted.
        let limited = entry.by_ref().take(left.saturating_add(1));
        let bytes = copy(&mut While { wanted, inner: limited }, &mut file)
            .map_err(|error| Error::archive(format!("the entry {name:?} cannot be read: {error}")))?;
        left = left.checked_sub(bytes).ok_or_else(|| {
            Error::archive(format!("the archive inflates to more than {} bytes", limits.bytes))
        })?;
        saved.push(Saved { path: folder.join(&place), name, bytes });
    }
    if !wanted() {
        return Err(Error::archive("nobody waits for it any more"));
    }
    std::fs::rename(beside.path(), folder).map_err(failed)?;
    // What is left to drop has another name now.
    let _ = beside.keep();
    Ok(saved)
}

/// Reads as long as it is wanted.
struct While<'a, R> {
    wanted: &'a dyn Fn() -> bool,
    inner: R,
}

impl<R: Read> Read for While<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !(self.wanted)() {
            // The kind Interrupted would be tried again.
            return Err(std::io::Error::other("nobody waits for it any more"));
        }
        self.inner.read(buffer)
    }
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
            part => place.push(file_name(part)),
        }
    }
    (!place.as_os_str().is_empty()).then_some(place)
}

/// The name of one file or folder, such that every file system takes it and no terminal is steered by it.
fn file_name(part: &str) -> String {
    let bad = |c: char| ":*?\"<>|".contains(c) || is_unprintable(c);
    let name = part.replace(bad, "_");
    // Windows drops these, after which two names may be one.
    let name = match name.trim_end_matches(['.', ' ']).len() {
        end if end == name.len() => name,
        end => format!("{}{}", &name[..end], "_".repeat(name.len() - end)),
    };
    if super::is_device(&name) { format!("_{name}") } else { name }
}
