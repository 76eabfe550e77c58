//! Update of `spec/` with the differences of an import.

use std::path::Path;

use super::comparison::Import;
use super::{baseline, changes, operations, overlays};
use crate::bundle::yaml_files;
use crate::spec_update::{self, AppliedChange, Change, Unspecified};
use crate::surface::Key;
use crate::yaml_editor::Sources;
use crate::{Error, Result};

/// Result of writing an import.
#[derive(Debug, Default)]
pub struct WriteReport {
    /// Changed files of `spec/`.
    pub files: Vec<String>,
    /// Applied changes.
    pub done: Vec<String>,
    /// Changes that a contributor has to make, with the reason.
    pub manual: Vec<String>,
    /// New properties with a placeholder description.
    pub undescribed: Vec<String>,
}

/// Applies the differences to `spec/`, except those that require a manual change. `date` is the month of the document.
///
/// # Errors
/// Returns an error if `spec/` cannot be read or written. No file changes if an error occurs before writing.
pub fn write(spec: &Path, import: &Import, date: &str) -> Result<WriteReport> {
    let listed = operations::read(spec)?;
    let mut sources = Sources::read(spec)?;
    let (changes, manual) = changes::changes(import, &listed, date);
    let report = spec_update::apply_with_unspecified(&mut sources, changes, &unspecified(import), date)?;
    let describe = |change: &Change| changes::describe(import, change);
    // Groups the manual changes by reason.
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let refused = report.rejected.iter().map(|(change, reason)| (describe(change), reason.clone()));
    for (name, reason) in manual.into_iter().map(|(one, reason)| (one.name(), reason)).chain(refused) {
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let manual =
        reasons.into_iter().map(|(reason, names)| format!("{}: {reason}", by_operation(&names))).collect();
    let done = report.applied.iter().map(|one| {
        let notes: String = one.notes.iter().map(|note| format!("; {note}")).collect();
        format!("{}: {}{notes}", describe(&one.change), one.at)
    });
    let done = done.collect();
    let mut files = sources.write(spec)?;
    let names = Names::of(import, &report.applied);
    files.extend(names.write(spec)?);
    Ok(WriteReport { files, done, manual, undescribed: report.undescribed })
}

/// Joins descriptions of changes that start with an operation ID. The operations of equal changes are joined, too.
fn by_operation(names: &[String]) -> String {
    let mut changes: Vec<(&str, Vec<&str>)> = Vec::new();
    for name in names {
        let (id, change) = name.split_once(' ').unwrap_or((name, ""));
        match changes.iter_mut().find(|(other, _)| *other == change) {
            Some((_, ids)) => ids.push(id),
            None => changes.push((change, vec![id])),
        }
    }
    let joined = changes.into_iter().map(|(change, ids)| format!("{} {change}", ids.join(", ")));
    joined.map(|text| text.trim_end().to_owned()).collect::<Vec<_>>().join("; ")
}

/// Names that have changed, for the files besides the specification that have them.
struct Names<'a> {
    /// Old and new path of each operation that moved.
    paths: Vec<(&'a str, &'a str)>,
    /// Operation ID, location, and new name of each renamed field.
    fields: Vec<(&'a str, &'a str, &'a str)>,
}

impl<'a> Names<'a> {
    fn of(import: &'a Import, applied: &'a [AppliedChange]) -> Self {
        let id = |key: &Key| import.ours.operations.get(key).map_or("", |operation| operation.id.as_str());
        let (mut paths, mut fields) = (Vec::new(), Vec::new());
        for one in applied {
            match &one.change {
                Change::Move { operation, path } => {
                    let old = import.moves.iter().find(|one| one.from == *operation);
                    paths.extend(old.map(|one| (one.old_path.as_str(), path.as_str())));
                }
                Change::Rename { operation, location, to } => {
                    fields.push((id(operation), location.as_str(), to.as_str()));
                }
                _ => {}
            }
        }
        Self { paths, fields }
    }

    /// Writes the list of operations, the overlays and the baseline with the new names. Returns the changed files.
    fn write(&self, spec: &Path) -> Result<Vec<String>> {
        let mut names = vec![operations::FILE.to_owned(), baseline::FILE.to_owned()];
        let overlays = spec.join(overlays::DIR);
        if overlays.exists() {
            names.extend(yaml_files(&overlays)?.into_keys().map(|name| format!("{}/{name}", overlays::DIR)));
        }
        let mut changed = Vec::new();
        for name in names {
            let path = spec.join(&name);
            let io = |source| Error::Io { path: path.clone(), source };
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let new = self.renamed(&name, &text);
            if new != text {
                std::fs::write(&path, new).map_err(io)?;
                changed.push(name);
            }
        }
        Ok(changed)
    }

    fn renamed(&self, file: &str, text: &str) -> String {
        if file == operations::FILE {
            let path = |path: &str| format!("path = {path:?},");
            return self
                .paths
                .iter()
                .fold(text.to_owned(), |text, (old, new)| text.replace(&path(old), &path(new)));
        }
        let text = overlays::with_paths(text, &self.paths);
        let lines = text.split_inclusive('\n').map(|line| {
            self.fields.iter().fold(line.to_owned(), |line, (id, location, to)| {
                let old = location.rsplit('.').next().unwrap_or_default();
                let stem = &location[..location.len() - old.len()];
                let (from, new) = (format!("{id} {stem}{old}"), format!("{id} {stem}{to}"));
                match line.split_once(&from) {
                    Some((_, rest)) if rest.starts_with(['"', ' ', '.', '[', '{']) => {
                        line.replacen(&from, &new, 1)
                    }
                    _ => line,
                }
            })
        });
        lines.collect()
    }
}

/// Returns the operations that the document does not have, and the locations that evidence explains.
fn unspecified(import: &Import) -> Unspecified {
    let is_missing = |key: &&Key| !import.theirs.operations.contains_key(import.their_key(key));
    let missing = import.ours.operations.keys().filter(is_missing);
    let explained = import.explained.iter().map(|one| (one.key.clone(), one.location.clone()));
    Unspecified { operations: missing.cloned().collect(), locations: explained.collect() }
}

#[cfg(test)]
mod tests {
    use super::by_operation;

    #[test]
    fn by_operation_joins_equal_changes() {
        let names =
            ["a_list deprecated: set to true", "b_list deprecated: set to true", "c_list", "a_list x: add"];
        let joined = by_operation(&names.map(str::to_owned));
        assert_eq!(joined, "a_list, b_list deprecated: set to true; c_list; a_list x: add");
    }
}
