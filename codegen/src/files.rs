//! Writes generated files, or compares them with what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::{Error, Result, examples};

/// Generated files: path below their folder, with `/`, to content.
pub type Files = BTreeMap<String, String>;

/// What a run changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that were written, because they were missing or different.
    pub written: Vec<String>,
    /// Files that were removed, because nothing generates them any more.
    pub removed: Vec<String>,
}

/// Makes the folder hold exactly these files. What is the same already is not touched.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn write(folder: &Path, files: &Files) -> Result<Changes> {
    write_owned(folder, files, |_| true)
}

/// Makes the folder hold exactly these files among those whose path `owns` accepts; others are left alone.
///
/// # Errors
/// As [`write`](fn@write).
pub fn write_owned(folder: &Path, files: &Files, owns: fn(&str) -> bool) -> Result<Changes> {
    let mut changes = Changes::default();
    for (name, content) in files {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|present| present == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io(parent))?;
        }
        std::fs::write(&path, content).map_err(io(&path))?;
        changes.written.push(name.clone());
    }
    for name in present(folder)?.into_iter().filter(|name| owns(name)) {
        if !files.contains_key(&name) {
            let path = folder.join(&name);
            std::fs::remove_file(&path).map_err(io(&path))?;
            changes.removed.push(name);
        }
    }
    Ok(changes)
}

/// Compares the folder with these files.
///
/// # Errors
/// [`Error::Drift`] with a unified diff, from what is there to what it should be, when they differ.
pub fn check(folder: &Path, files: &Files) -> Result<()> {
    let diff = difference(folder, "generated", files, |_| true)?;
    if diff.is_empty() { Ok(()) } else { Err(Error::Drift(diff)) }
}

/// The same for the examples among the files of `fixtures/`.
///
/// # Errors
/// [`Error::Fixtures`] with a unified diff when they differ.
pub fn check_fixtures(folder: &Path, files: &Files) -> Result<()> {
    let diff = difference(folder, "fixtures", files, examples::owns)?;
    if diff.is_empty() { Ok(()) } else { Err(Error::Fixtures(diff)) }
}

/// What differs, as a unified diff; empty when nothing does.
fn difference(folder: &Path, root: &str, files: &Files, owns: fn(&str) -> bool) -> Result<String> {
    let mut diff = String::new();
    let present = present(folder)?.into_iter().filter(|name| owns(name));
    let names: BTreeSet<String> = files.keys().cloned().chain(present).collect();
    for name in names {
        let path = folder.join(&name);
        let there = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(&path)(error)),
        };
        let wanted = files.get(&name).map(String::as_str).unwrap_or_default();
        if there != wanted || !files.contains_key(&name) {
            let text = TextDiff::from_lines(there.as_str(), wanted);
            let (old, new) = (format!("a/{root}/{name}"), format!("b/{root}/{name}"));
            let text = text.unified_diff().context_radius(3).header(&old, &new).to_string();
            // An empty file differs from no file, but has no lines to show it.
            diff.push_str(&if text.is_empty() { format!("--- {old}\n+++ {new}\n") } else { text });
        }
    }
    Ok(diff)
}

/// All files below the folder, without what cargo leaves there.
fn present(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(below) = todo.pop() {
        let here = folder.join(&below);
        let entries = match std::fs::read_dir(&here) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io(&here)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(io(&here))?;
            let name = below.join(entry.file_name());
            if entry.path().is_dir() {
                if name != Path::new("target") {
                    todo.push(name);
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
