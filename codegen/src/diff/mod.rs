//! Comparison of two API documents, with the effect of each change on a program that uses the client.
//!
//! [`compare`] compares the [`Surface`]s of two documents location by location, regardless of schema names. [`rules`]
//! is the table of diff rules. Each change is one finding: a change of a schema that thirty operations share is one
//! finding with thirty operations. The [`SpecIndex`] of the curated specification has the schema that owns a location,
//! the commands that send its operation, and its Rust item.

mod compare;
mod facts;
mod locations;
mod message;
pub mod release;
pub(crate) mod renames;
pub mod render;
pub mod rules;
mod spec_index;

pub use spec_index::{Commands, SpecIndex};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use compare::Change;
pub use rules::{Class, Direction, Rule};

use crate::surface::Surface;

/// A change with all affected operations, commands and Rust items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Effect on a program that uses the client.
    pub class: Class,
    /// Whether the change is in a request, in a response, or of the operation.
    pub direction: Direction,
    /// Kind of change.
    pub rule: Rule,
    /// Owner: a property of a named schema (`Group.name`), a location (`request.query.limit`), an operation
    /// (`GET /groups`), or empty for metadata of operations.
    pub owner: String,
    /// Description of the change, without the operations.
    pub message: String,
    /// Old value; null if missing.
    pub old: Value,
    /// New value; null if missing.
    pub new: Value,
    /// How sure it is that a field is renamed or an operation has moved, in percent; `None` if it is certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Affected operations, with the locations of the change.
    pub operations: Vec<AffectedOperation>,
    /// Commands that can send one of these operations.
    pub commands: Vec<String>,
    /// Affected public items of the Rust client.
    pub rust: Vec<String>,
    /// Handwritten files that use them or the names on the wire, as `path:line`; empty unless they were searched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
}

/// An operation that a change affects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AffectedOperation {
    /// Operation ID in the curated specification, else in the document, else method and path.
    pub operation: String,
    /// Method and path.
    pub request: String,
    /// Locations of the change; empty if the operation itself changed.
    pub locations: Vec<String>,
}

/// Returns the changes from `old` to `new`, the most severe class first.
pub fn compare(old: &Surface, new: &Surface, index: &SpecIndex) -> Vec<Finding> {
    let mut changes = compare::Changes::new(index);
    changes.compare_surfaces(old, new);
    let mut groups: BTreeMap<_, Vec<compare::Change>> = BTreeMap::new();
    for change in changes.found {
        let key = (
            change.direction,
            change.rule,
            change.owner.clone(),
            change.old.to_string(),
            change.new.to_string(),
        );
        groups.entry(key).or_default().push(change);
    }
    let mut findings: Vec<Finding> = groups.into_values().filter_map(|group| finding(group, index)).collect();
    findings.sort_by(|a, b| {
        let rank = |one: &Finding| (one.class, one.rule, one.direction);
        rank(a).cmp(&rank(b)).then_with(|| a.owner.cmp(&b.owner)).then_with(|| a.message.cmp(&b.message))
    });
    findings
}

fn finding(group: Vec<compare::Change>, index: &SpecIndex) -> Option<Finding> {
    let first = group.first()?;
    let class = group.iter().filter_map(|change| change.rule.class(change.direction)).min()?;
    let mut operations: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let (mut commands, mut rust) = (BTreeSet::new(), BTreeSet::new());
    for change in &group {
        let locations = operations.entry((change.operation.clone(), change.request.clone())).or_default();
        if !change.location.is_empty() {
            locations.insert(change.location.clone());
        }
        for id in &change.ids {
            commands.extend(index.commands(id).cloned());
        }
        rust.extend(rust_items(change, index));
    }
    let operations = operations
        .into_iter()
        .map(|((operation, request), locations)| AffectedOperation {
            operation,
            request,
            locations: locations.into_iter().collect(),
        })
        .collect();
    Some(Finding {
        class,
        direction: first.direction,
        rule: first.rule,
        owner: first.owner.clone(),
        message: message::describe(first),
        old: first.old.clone(),
        new: first.new.clone(),
        confidence: first.confidence,
        operations,
        commands: commands.into_iter().collect(),
        rust: rust.into_iter().collect(),
        users: Vec::new(),
    })
}

/// Removes the operations that the curated specification does not have. Keeps operations that moved from or to one of
/// its paths.
pub fn retain_known(old: &mut Surface, new: &mut Surface, index: &SpecIndex) {
    let ids = |surface: &Surface| -> BTreeSet<String> {
        let contained = surface.operations.iter().filter(|(key, _)| index.contains(key));
        contained.map(|(_, operation)| operation.id.clone()).filter(|id| !id.is_empty()).collect()
    };
    let (in_old, in_new) = (ids(old), ids(new));
    let curated = |id: &str| index.key(id).is_some();
    old.operations.retain(|key, one| index.contains(key) || in_new.contains(&one.id) || curated(&one.id));
    new.operations.retain(|key, one| index.contains(key) || in_old.contains(&one.id) || curated(&one.id));
}

/// Returns the Rust items of a change.
fn rust_items(change: &Change, index: &SpecIndex) -> Vec<String> {
    let Change { key, location, .. } = change;
    if location.is_empty() {
        return index.function(key).map(str::to_owned).into_iter().collect();
    }
    let values = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match change.rule {
        Rule::EnumValueAdded => index.values(key, location, &values(&change.new)),
        Rule::EnumValueRemoved => index.values(key, location, &values(&change.old)),
        // A change of the schema itself affects the type, a change of a property affects its field.
        _ if change.in_schema && !change.owner.contains(['.', '[', '{']) => {
            index.type_item(key, location).into_iter().collect()
        }
        _ => index.item(key, location).into_iter().collect(),
    }
}
