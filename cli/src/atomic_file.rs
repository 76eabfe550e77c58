//! Files that are replaced atomically, and their locks.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Opens the lock file of a file. The file itself is replaced on each write, so a lock on it has no effect.
pub(crate) fn open_lock(file: &Path) -> io::Result<File> {
    let mut path = file.to_path_buf().into_os_string();
    path.push(".lock");
    File::options().create(true).truncate(false).write(true).open(path)
}

/// Replaces a file atomically. Only its owner can read it.
pub(crate) fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(dir)?;
    new.write_all(content)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    // Make the rename durable. Not every system can open a directory.
    if let Ok(dir) = File::open(dir) {
        let _ = dir.sync_all();
    }
    Ok(())
}
