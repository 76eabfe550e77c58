//! Comparison of a vendor document with `spec/`, location by location.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::baseline::{self, Baseline, BaselineChange};
use super::conventions::{conventions, pairwise};
use super::moves::{self, Move};
use super::operations::{self, Operations};
use super::overlays::{self, Overlay};
use crate::bundle::{Bundle, Operation};
use crate::diff::renames;
use crate::document::{Document, Quirk, extract};
use crate::metadata::{Evidence, EvidenceSource, OperationFacts, Tier};
use crate::surface::{Facts, Key, Surface};
use crate::{Error, Result, metadata, surface};

/// Comparison of a document with `spec/`.
#[derive(Debug)]
pub struct Import {
    /// Original format of the document, for example `Swagger 2.0`.
    pub format: String,
    /// Number of operations in the document.
    pub operations: usize,
    /// Number of occurrences of each quirk.
    pub quirks: BTreeMap<Quirk, usize>,
    /// Effects of the corrections.
    pub corrections: Vec<Correction>,
    /// Corrections without a target, in a document that should have the target.
    pub unmatched: Option<Error>,
    /// Differences between the baseline and the document, behind a correction or evidence.
    pub baseline_changes: Vec<BaselineChange>,
    /// The baseline of this document.
    pub baseline: Baseline,
    /// Differences without an explanation.
    pub differences: Vec<Difference>,
    /// Differences with evidence in `spec/`.
    pub explained: Vec<Difference>,
    /// Operations that the document probably has at another path.
    pub moves: Vec<Move>,
    /// Listed operations that the document has and `spec/` does not have yet.
    pub new: Vec<String>,
    /// Surface of `spec/`, without the parts that conventions define.
    pub ours: Surface,
    /// Surface of the corrected document, without the parts that conventions define.
    pub theirs: Surface,
    /// Operations of the corrected document, as OpenAPI 3.0 without references.
    pub corrected: Value,
}

/// Effect of a correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// File of the overlay.
    pub file: String,
    /// JSONPath of the target.
    pub target: String,
    /// Description of the correction.
    pub description: String,
    /// Number of matching nodes.
    pub matched: usize,
    /// Number of changed nodes: 0 means that the document is already correct.
    pub changed: usize,
}

/// A difference between the document and `spec/`.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Operation ID in `spec/`.
    pub id: String,
    /// Method and path of the operation.
    pub key: Key,
    /// Location; empty for the operation itself.
    pub location: String,
    /// Kind of difference.
    pub kind: DifferenceKind,
}

/// A kind of difference.
#[derive(Clone, Debug, PartialEq)]
pub enum DifferenceKind {
    /// Only `spec/` has the location.
    Ours,
    /// Only the document has the location.
    Theirs,
    /// The document probably has the location under another name.
    Renamed {
        /// Name in the document.
        to: String,
        /// How sure it is, in percent.
        confidence: u8,
    },
    /// The document probably has the operation at another path.
    Moved {
        /// Path for `spec/`.
        to: String,
        /// How sure it is, in percent.
        confidence: u8,
    },
    /// The values of a fact differ.
    Fact {
        /// Keyword of the fact.
        name: &'static str,
        /// Value in `spec/`.
        ours: Option<Value>,
        /// Value in the document.
        theirs: Option<Value>,
    },
}

/// Reads `spec/` and compares a document with it.
///
/// # Errors
/// Returns an error if `spec/` cannot be read, or the target of a correction cannot be changed.
pub fn compare_with_spec(spec: &Path, document: Document) -> Result<Import> {
    let bundle = Bundle::read(spec)?;
    let listed = operations::read(spec)?;
    let overlays = overlays::read(spec)?;
    compare(&bundle, &listed, &overlays, &Baseline::read(spec)?, document)
}

/// Compares a document with a specification that is already read.
///
/// # Errors
/// Returns an error if the target of a correction cannot be changed.
pub fn compare(
    bundle: &Bundle,
    listed: &Operations,
    overlays: &[Overlay],
    baseline: &Baseline,
    document: Document,
) -> Result<Import> {
    let mut ours = Surface::from_document(&bundle.document);
    conventions(&mut ours);
    let is_expected = |key: &Key| has_vendor_evidence(bundle, key) && !is_removed(bundle, key);
    let moves = moves::find(&document.value, listed, &ours, is_expected)?;
    let mut names: BTreeMap<Key, (String, String)> =
        listed.iter().map(|(id, one)| (one.key(), (one.path.clone(), id.clone()))).collect();
    for one in &moves {
        names.remove(&one.from);
        names.insert(one.to.clone(), (one.path.clone(), one.id.clone()));
    }
    let mut corrected = extract(&document.value, &names)?;
    let paths: Vec<(&str, &str)> =
        moves.iter().map(|one| (one.old_path.as_str(), one.path.as_str())).collect();
    let overlays = &overlays.iter().map(|one| one.with_paths(&paths)).collect::<Result<Vec<_>>>()?;
    let count = |paths: &Value| -> usize {
        let methods = |item: &Value| {
            crate::bundle::METHODS.iter().filter(|method| item.get(**method).is_some()).count()
        };
        paths.as_object().into_iter().flat_map(|paths| paths.values()).map(methods).sum()
    };

    let applied = overlays::apply(overlays, &mut corrected)?;
    // A target may be missing with its operation, which is a separate difference.
    let missing: Vec<_> = bundle
        .operations()
        .filter(|one| corrected["paths"][one.path].get(one.method).is_none())
        .filter(|one| has_vendor_evidence(bundle, &Key::new(one.method, one.path)))
        .collect();
    let is_expected = |one: &overlays::Applied<'_>| {
        missing.iter().any(|operation| one.action.concerns(operation.method, operation.path))
    };
    let unmatched = overlays::unmatched(applied.iter().filter(|one| !is_expected(one)));
    let before =
        applied.iter().map(|one| (format!("{} {}", one.file, one.action.target), one.before.clone()));
    let before = before.collect();
    let corrections = applied
        .iter()
        .map(|one| Correction {
            file: one.file.to_owned(),
            target: one.action.target.clone(),
            description: one.action.description.clone(),
            matched: one.matched,
            changed: one.changed,
        })
        .collect();

    let mut theirs = Surface::from_document(&corrected);
    conventions(&mut theirs);
    fill_error_bodies(&mut theirs, &ours);
    let is_documented = |one: &Operation<'_>| {
        metadata::read_operation(one.node).is_ok_and(|facts| facts.tier == Tier::Documented)
    };
    let documented = bundle.operations().filter(is_documented).map(|one| Key::new(one.method, one.path));
    pairwise(&mut ours, &mut theirs, &documented.collect());

    let has_permissions = theirs.operations.values().any(|one| one.facts.contains_key("permissions"));
    let (mut differences, mut explained, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for (id, one) in listed {
        let key = one.key();
        let moved = moves.iter().find(|one| one.from == key);
        let operation_difference =
            |kind| Difference { id: id.clone(), key: key.clone(), location: String::new(), kind };
        if let Some(Move { path, confidence, .. }) = moved {
            let kind = DifferenceKind::Moved { to: path.clone(), confidence: *confidence };
            differences.push(operation_difference(kind));
        }
        let their_key = moved.map_or(&key, |one| &one.to);
        match (ours.operations.get(&key), theirs.operations.get(their_key)) {
            (None, Some(_)) => new.push(id.clone()),
            (None, None) => differences.push(operation_difference(DifferenceKind::Ours)),
            (Some(_), None) if has_vendor_evidence(bundle, &key) && !is_removed(bundle, &key) => {
                differences.push(operation_difference(DifferenceKind::Ours))
            }
            (Some(_), None) => explained.push(operation_difference(DifferenceKind::Ours)),
            (Some(ours), Some(theirs)) => {
                for kind in fact_differences(&ours.facts, &theirs.facts) {
                    match &kind {
                        // Documents before 2026 have no permissions.
                        DifferenceKind::Fact { name: "permissions", .. } if !has_permissions => {}
                        DifferenceKind::Fact { name: "deprecated", theirs: None, .. }
                            if has_end(bundle, &key) =>
                        {
                            explained.push(operation_difference(kind));
                        }
                        _ => differences.push(operation_difference(kind)),
                    }
                }
                for (location, kind, evidence) in location_differences(&ours.locations, &theirs.locations) {
                    let one = Difference { id: id.clone(), key: key.clone(), location, kind };
                    if evidence { explained.push(one) } else { differences.push(one) }
                }
            }
        }
    }
    let current = Baseline { corrections: before, explained: explained.iter().map(baseline_entry).collect() };
    let baseline_changes = baseline.changes(&current);
    Ok(Import {
        unmatched,
        baseline_changes,
        baseline: current,
        format: document.format,
        operations: count(&document.value["paths"]),
        quirks: document.quirks,
        corrections,
        differences,
        explained,
        moves,
        new,
        ours,
        theirs,
        corrected,
    })
}

/// Returns the baseline entry of an explained difference.
fn baseline_entry(one: &Difference) -> (String, String) {
    match &one.kind {
        DifferenceKind::Ours => (one.name(), "missing".to_owned()),
        DifferenceKind::Theirs => (one.name(), "present".to_owned()),
        DifferenceKind::Renamed { to, .. } | DifferenceKind::Moved { to, .. } => (one.name(), to.clone()),
        DifferenceKind::Fact { name, theirs, .. } => {
            (format!("{} {name}", one.name()), baseline::summary(theirs.as_ref()))
        }
    }
}

/// Adds the bodies of error responses from `ours` where the document does not describe them.
fn fill_error_bodies(theirs: &mut Surface, ours: &Surface) {
    for (key, operation) in &mut theirs.operations {
        let Some(known) = ours.operations.get(key) else { continue };
        let without_body: Vec<String> = operation
            .locations
            .iter()
            .filter(|(location, node)| location.starts_with("response.") && node.facts.is_empty())
            .filter(|(location, _)| !location.starts_with("response.2") && !location.contains(['[', '{']))
            .filter(|(location, _)| location.matches('.').count() == 1)
            .map(|(location, _)| location.clone())
            .collect();
        for location in without_body {
            let below = known
                .locations
                .iter()
                .filter(|(one, _)| **one == location || surface::is_below(one, &location));
            operation.locations.extend(below.map(|(location, node)| (location.clone(), node.clone())));
        }
    }
}

/// Returns whether the operation has the vendor document as evidence.
fn has_vendor_evidence(bundle: &Bundle, key: &Key) -> bool {
    let is_vendor = |one: &Evidence| one.source == EvidenceSource::VendorDocument;
    facts(bundle, key).is_some_and(|facts| facts.evidence.iter().any(is_vendor))
}

/// Returns whether a source announces the end of the operation.
fn has_end(bundle: &Bundle, key: &Key) -> bool {
    facts(bundle, key).is_some_and(|facts| facts.end.is_some())
}

/// Returns whether `spec/` says that the newest document does not have the operation.
fn is_removed(bundle: &Bundle, key: &Key) -> bool {
    facts(bundle, key).is_some_and(|facts| facts.end.is_some_and(|end| end.removed))
}

fn facts(bundle: &Bundle, key: &Key) -> Option<OperationFacts> {
    let operation = bundle.operations().find(|one| Key::new(one.method, one.path) == *key)?;
    metadata::read_operation(operation.node).ok()
}

impl Import {
    /// Returns the key in the document of an operation of `spec/`.
    pub(super) fn their_key<'a>(&'a self, key: &'a Key) -> &'a Key {
        self.moves.iter().find(|one| one.from == *key).map_or(key, |one| &one.to)
    }

    /// Returns whether no part of the import requires attention.
    pub fn is_settled(&self) -> bool {
        self.differences.is_empty()
            && self.new.is_empty()
            && self.baseline_changes.is_empty()
            && self.unmatched.is_none()
    }
}

impl Difference {
    /// Returns the operation ID and the location.
    pub fn name(&self) -> String {
        if self.location.is_empty() { self.id.clone() } else { format!("{} {}", self.id, self.location) }
    }
}

type Locations = BTreeMap<String, surface::Node>;

/// Returns the differences between two sets of locations, and whether evidence explains them. If only one side has a
/// location, its children are not separate differences.
fn location_differences(ours: &Locations, theirs: &Locations) -> Vec<(String, DifferenceKind, bool)> {
    let mut found = Vec::new();
    let mut theirs = theirs.clone();
    for one in renames::fields(ours, &theirs) {
        let to = one.to.rsplit('.').next().unwrap_or_default().to_owned();
        found.push((one.from.clone(), DifferenceKind::Renamed { to, confidence: one.confidence }, false));
        // The rest is compared under the name in `spec/`.
        theirs = renames::relocate(theirs, &one.to, &one.from);
    }
    let theirs = &theirs;
    let mut outermost: Vec<&str> = Vec::new();
    for (location, node) in ours {
        if outermost.iter().any(|outer| surface::is_below(location, outer)) {
            continue;
        }
        let Some(other) = theirs.get(location) else {
            // Evidence of a list also applies to its items.
            let list = location.strip_suffix("[]").and_then(|list| ours.get(list));
            let evidence = node.evidence || list.is_some_and(|list| list.evidence);
            found.push((location.clone(), DifferenceKind::Ours, evidence));
            outermost.push(location);
            continue;
        };
        for kind in fact_differences(&node.facts, &other.facts) {
            let evidence = node.evidence && extends(&kind);
            found.push((location.clone(), kind, evidence));
        }
    }
    outermost.clear();
    for location in theirs.keys() {
        if outermost.iter().any(|outer| surface::is_below(location, outer)) {
            continue;
        }
        if !ours.contains_key(location) {
            found.push((location.clone(), DifferenceKind::Theirs, false));
            outermost.push(location);
        }
    }
    found
}

/// Returns the facts that differ.
fn fact_differences(ours: &Facts, theirs: &Facts) -> Vec<DifferenceKind> {
    let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
    let differs = names.filter_map(|name| {
        let (our, their) = (ours.get(name), theirs.get(name));
        let kind = || DifferenceKind::Fact { name, ours: our.cloned(), theirs: their.cloned() };
        (!is_equal(name, our, their)).then(kind)
    });
    differs.collect()
}

/// Returns whether the value of `spec/` adds information without contradicting the document. Evidence does not explain
/// other differences, because it is older than a change of the document.
fn extends(kind: &DifferenceKind) -> bool {
    let values =
        |value: &Option<Value>| value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    match kind {
        DifferenceKind::Fact { theirs: None, .. } => true,
        DifferenceKind::Fact { name: "enum", ours, theirs } => {
            values(theirs).iter().all(|value| values(ours).contains(value))
        }
        _ => false,
    }
}

/// Returns whether two facts are equal. The order of enum values is ignored.
fn is_equal(name: &str, ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    let set = |value: Option<&Value>| {
        let mut values: Vec<String> =
            value.and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect();
        values.sort();
        values
    };
    match name {
        "enum" => ours.is_some() == theirs.is_some() && set(ours) == set(theirs),
        _ => ours == theirs,
    }
}
