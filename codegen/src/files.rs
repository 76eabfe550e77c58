//! Writes generated files, or compares them with the files on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::{Error, Result, fixture_names};

/// Generated files: relative path with `/` as separator, mapped to the content.
pub type Files = BTreeMap<String, String>;

/// Files that a run changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Written files: they were missing or different.
    pub written: Vec<String>,
    /// Removed files: they are no longer generated.
    pub removed: Vec<String>,
}

/// Writes the files to the directory and removes all other files. Unchanged files are not written.
///
/// # Errors
/// Returns an error if a file cannot be read, written or removed.
pub fn write(directory: &Path, files: &Files) -> Result<Changes> {
    write_owned(directory, files, |_| true)
}

/// Writes the files to the directory and removes other files whose path `owns` accepts. Files that `owns` rejects are
/// not removed.
///
/// # Errors
/// Returns an error if a file cannot be read, written or removed.
pub fn write_owned(directory: &Path, files: &Files, owns: fn(&str) -> bool) -> Result<Changes> {
    let mut changes = Changes::default();
    for (name, content) in files {
        let path = directory.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|present| present == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io(parent))?;
        }
        std::fs::write(&path, content).map_err(io(&path))?;
        changes.written.push(name.clone());
    }
    for name in present(directory)?.into_iter().filter(|name| owns(name)) {
        if !files.contains_key(&name) {
            let path = directory.join(&name);
            std::fs::remove_file(&path).map_err(io(&path))?;
            changes.removed.push(name);
        }
    }
    Ok(changes)
}

/// Compares the directory with the generated files.
///
/// # Errors
/// Returns [`Error::Drift`] with a unified diff from the present to the generated content if they differ.
pub fn check(directory: &Path, files: &Files) -> Result<()> {
    check_owned(directory, "generated", files, |_| true)
}

/// Compares the generated files of a directory that has other files too. `root` is its path in the diff; `owns` returns
/// whether a file is generated.
///
/// # Errors
/// Returns [`Error::Drift`] with a unified diff if they differ.
pub fn check_owned(directory: &Path, root: &str, files: &Files, owns: fn(&str) -> bool) -> Result<()> {
    let diff = difference(directory, root, files, owns)?;
    if diff.is_empty() { Ok(()) } else { Err(Error::Drift(diff)) }
}

/// Compares the generated fixtures in `fixtures/` with the generated files.
///
/// # Errors
/// Returns [`Error::Fixtures`] with a unified diff if they differ.
pub fn check_fixtures(directory: &Path, files: &Files) -> Result<()> {
    let diff = difference(directory, "fixtures", files, fixture_names::owns)?;
    if diff.is_empty() { Ok(()) } else { Err(Error::Fixtures(diff)) }
}

/// Returns the differences as a unified diff, or an empty string.
fn difference(directory: &Path, root: &str, files: &Files, owns: fn(&str) -> bool) -> Result<String> {
    let mut diff = String::new();
    let present = present(directory)?.into_iter().filter(|name| owns(name));
    let names: BTreeSet<String> = files.keys().cloned().chain(present).collect();
    for name in names {
        let path = directory.join(&name);
        let actual = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(&path)(error)),
        };
        let expected = files.get(&name).map(String::as_str).unwrap_or_default();
        if actual != expected || !files.contains_key(&name) {
            let text = TextDiff::from_lines(actual.as_str(), expected);
            let (old, new) = (format!("a/{root}/{name}"), format!("b/{root}/{name}"));
            let text = text.unified_diff().context_radius(3).header(&old, &new).to_string();
            // The diff between an empty and a missing file has no lines.
            diff.push_str(&if text.is_empty() { format!("--- {old}\n+++ {new}\n") } else { text });
        }
    }
    Ok(diff)
}

/// Returns all files below the directory, except the `target` directory of cargo.
fn present(directory: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        let current = directory.join(&relative);
        let entries = match std::fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io(&current)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(io(&current))?;
            let name = relative.join(entry.file_name());
            if entry.path().is_dir() {
                if name != Path::new("target") {
                    pending.push(name);
                }
            } else {
                names.insert(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(names)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}
