//! Operations of `spec/` that a document has at another path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::conventions::conventions;
use super::operations::Operations;
use crate::Result;
use crate::bundle::{METHODS, members};
use crate::diff::renames;
use crate::document::extract;
use crate::lint::braces;
use crate::surface::{Key, Surface, relative_path};

/// An operation that probably moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Operation ID in `spec/`.
    pub id: String,
    /// Method and path in `spec/`.
    pub from: Key,
    /// Path in `spec/`, as it is written there.
    pub old_path: String,
    /// Method and path in the document.
    pub to: Key,
    /// Path for `spec/`. Its parameters have the names of the old path if there are as many.
    pub path: String,
    /// How sure the match is, in percent.
    pub confidence: u8,
}

/// Returns the operations of `ours` that the document probably has at another path. `is_expected` says whether the document
/// should have an operation.
pub(super) fn find(
    document: &Value,
    listed: &Operations,
    ours: &Surface,
    is_expected: impl Fn(&Key) -> bool,
) -> Result<Vec<Move>> {
    let mut paths: BTreeMap<Key, &str> = BTreeMap::new();
    for (path, item) in members(document, "/paths") {
        for method in METHODS.into_iter().filter(|method| item.get(*method).is_some()) {
            paths.insert(Key::new(method, path), path);
        }
    }
    let gone = listed.iter().map(|(id, one)| (id, one, one.key()));
    let gone: Vec<_> = gone.filter(|(_, _, key)| !paths.contains_key(key) && is_expected(key)).collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let known: BTreeSet<Key> = listed.values().map(|one| one.key()).collect();
    let candidates = paths.iter().filter(|(key, _)| !known.contains(key));
    let names = candidates.map(|(key, path)| (key.clone(), ((*path).to_owned(), key.to_string()))).collect();
    let mut theirs = Surface::from_document(&extract(document, &names)?);
    conventions(&mut theirs);
    let removed = gone.iter().filter_map(|(_, _, key)| ours.operations.get_key_value(key)).collect();
    let matches = renames::operations(&removed, &theirs.operations.iter().collect());
    let moved = matches.into_iter().filter_map(|one| {
        let (id, listed, _) = gone.iter().find(|(_, _, key)| key == one.from)?;
        let new = relative_path(paths.get(one.to)?);
        Some(Move {
            id: (*id).clone(),
            from: one.from.clone(),
            old_path: listed.path.clone(),
            to: one.to.clone(),
            path: with_names(new, &listed.path),
            confidence: one.confidence,
        })
    });
    Ok(moved.collect())
}

/// Returns a path whose parameters have the names of those in `other`, if there are as many.
fn with_names(path: &str, other: &str) -> String {
    let (own, names): (Vec<&str>, Vec<&str>) = (braces(path).collect(), braces(other).collect());
    if own.len() != names.len() {
        return path.to_owned();
    }
    let pairs = own.iter().zip(&names);
    pairs.fold(path.to_owned(), |path, (own, name)| {
        path.replace(&format!("{{{own}}}"), &format!("{{{name}}}"))
    })
}
