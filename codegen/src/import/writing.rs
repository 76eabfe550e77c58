//! Update of `spec/` with the differences of an import.

use std::path::Path;

use super::changes;
use super::comparison::Import;
use super::operations;
use crate::Result;
use crate::spec_update::{self, Change, Unspecified};
use crate::yaml_editor::Sources;

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
        reasons.into_iter().map(|(reason, names)| format!("{}: {reason}", names.join("; "))).collect();
    let done = report.applied.iter().map(|one| {
        let notes: String = one.notes.iter().map(|note| format!("; {note}")).collect();
        format!("{}: {}{notes}", describe(&one.change), one.at)
    });
    let done = done.collect();
    Ok(WriteReport { files: sources.write(spec)?, done, manual, undescribed: report.undescribed })
}

/// Returns the operations that the document does not have, and the locations that evidence explains.
fn unspecified(import: &Import) -> Unspecified {
    let missing = import.ours.operations.keys().filter(|key| !import.theirs.operations.contains_key(*key));
    let explained = import.explained.iter().map(|one| (one.key.clone(), one.location.clone()));
    Unspecified { operations: missing.cloned().collect(), locations: explained.collect() }
}
