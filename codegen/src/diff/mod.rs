//! What changed between two documents, and whom it concerns.
//!
//! Two documents are compared by their [`Surface`]s: place by place, whatever their schemas are called. The rules
//! are a table, [`rules`]. Each change is found once: what thirty operations share because they refer to one schema
//! is one finding with thirty operations. Who owns a place, which commands send its operation and what it is called
//! in Rust is known by the [`Atlas`], which is made from the curated specification.

mod atlas;
mod compare;
mod message;
pub mod release;
pub mod render;
pub mod rules;

pub use atlas::{Atlas, Commands};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

pub use rules::{Class, Direction, Rule};

use crate::surface::{Key, Surface};

/// A change, with everything that it reaches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it means to a program.
    pub class: Class,
    /// Which way the changed thing goes.
    pub direction: Direction,
    /// What changed.
    pub rule: Rule,
    /// What it belongs to: a member of a named schema (`Group.name`), a place (`request.query.limit`), an operation
    /// (`GET /groups`), or nothing for facts that operations have.
    pub owner: String,
    /// In plain words, without the operations.
    pub message: String,
    /// What was there; null for nothing.
    pub old: Value,
    /// What is there; null for nothing.
    pub new: Value,
    /// The operations that it reaches, with its places there.
    pub operations: Vec<Reached>,
    /// Commands that may send one of these operations.
    pub commands: Vec<String>,
    /// Public items of the Rust client.
    pub rust: Vec<String>,
}

/// An operation that a change reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Its identifier in the curated specification, else in the document, else method and path.
    pub operation: String,
    /// Method and path.
    pub request: String,
    /// Where the change is found; empty where it is the operation itself.
    pub places: Vec<String>,
}

/// What changed from one document to the other, worst first.
pub fn compare(old: &Surface, new: &Surface, atlas: &Atlas) -> Vec<Finding> {
    let mut changes = compare::Changes::new(atlas);
    changes.surfaces(old, new);
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
    let mut findings: Vec<Finding> = groups.into_values().filter_map(|group| finding(group, atlas)).collect();
    findings.sort_by(|a, b| {
        let rank = |one: &Finding| (one.class, one.rule, one.direction);
        rank(a).cmp(&rank(b)).then_with(|| a.owner.cmp(&b.owner)).then_with(|| a.message.cmp(&b.message))
    });
    findings
}

fn finding(group: Vec<compare::Change>, atlas: &Atlas) -> Option<Finding> {
    let first = group.first()?;
    let class = group.iter().filter_map(|change| change.rule.class(change.direction)).min()?;
    let mut operations: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let (mut commands, mut rust) = (BTreeSet::new(), BTreeSet::new());
    for change in &group {
        let places = operations.entry((change.operation.clone(), change.request.clone())).or_default();
        if !change.place.is_empty() {
            places.insert(change.place.clone());
        }
        for id in &change.ids {
            commands.extend(atlas.commands(id).cloned());
        }
        rust.extend(compare::items(change, atlas));
    }
    let operations = operations
        .into_iter()
        .map(|((operation, request), places)| Reached {
            operation,
            request,
            places: places.into_iter().collect(),
        })
        .collect();
    Some(Finding {
        class,
        direction: first.direction,
        rule: first.rule,
        owner: first.owner.clone(),
        message: message::of(first),
        old: first.old.clone(),
        new: first.new.clone(),
        operations,
        commands: commands.into_iter().collect(),
        rust: rust.into_iter().collect(),
    })
}

/// Takes out of two documents what the curated specification does not have; what moved from or to one of its paths
/// stays.
pub fn only_used(old: &mut Surface, new: &mut Surface, atlas: &Atlas) {
    let ids = |surface: &Surface| -> BTreeSet<String> {
        let known = surface.operations.iter().filter(|(key, _)| atlas.knows(key));
        known.map(|(_, operation)| operation.id.clone()).filter(|id| !id.is_empty()).collect()
    };
    let (in_old, in_new) = (ids(old), ids(new));
    let curated = |id: &str| atlas.key(id).is_some();
    old.operations.retain(|key, one| atlas.knows(key) || in_new.contains(&one.id) || curated(&one.id));
    new.operations.retain(|key, one| atlas.knows(key) || in_old.contains(&one.id) || curated(&one.id));
}

/// The places above a place, nearest first, as far as its text tells.
fn above(place: &str) -> impl Iterator<Item = &str> {
    let marks = place.char_indices().rev().filter(|(at, c)| *at > 0 && matches!(c, '.' | '[' | '{'));
    marks.map(|(at, _)| &place[..at])
}

/// The identifier of an operation, by what is known best.
fn name_of(atlas: &Atlas, key: &Key, id: &str) -> String {
    match atlas.id(key) {
        Some(id) => id.to_owned(),
        None if id.is_empty() => key.to_string(),
        None => id.to_owned(),
    }
}
