//! Update of `spec/` with the differences of an import.

use std::collections::BTreeMap;
use std::path::Path;

use super::changes;
use super::comparison::Import;
use super::operations;
use crate::spec_update::{self, Change, Unspecified};
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
    let report = apply(&mut sources, changes, &unspecified(import), date)?;
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

/// Applies the changes. If they violate a lint rule together, applies each group that does not violate one.
fn apply(
    sources: &mut Sources,
    changes: Vec<Change>,
    unspecified: &Unspecified,
    date: &str,
) -> Result<spec_update::Report> {
    let all_at_once = match spec_update::apply_with_unspecified(sources, changes.clone(), unspecified, date) {
        Err(Error::Lint(_) | Error::Spec { .. } | Error::Generator(_)) => None,
        done => Some(done),
    };
    if let Some(done) = all_at_once {
        return done;
    }
    // Changes that can be one change at several locations stay in one group.
    let mut groups: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in changes {
        groups.entry(changes::group_key(&change)).or_default().push(change);
    }
    let mut all = spec_update::Report::default();
    for group in groups.into_values() {
        match spec_update::apply_with_unspecified(sources, group.clone(), unspecified, date) {
            Ok(report) => {
                all.applied.extend(report.applied);
                all.rejected.extend(report.rejected);
                all.undescribed.extend(report.undescribed);
            }
            Err(error) => {
                let reason = error.to_string();
                all.rejected.extend(group.into_iter().map(|change| (change, reason.clone())));
            }
        }
    }
    Ok(all)
}
