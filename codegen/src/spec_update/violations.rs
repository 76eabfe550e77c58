//! Maps lint findings to the changes that caused them.

use std::collections::BTreeMap;

use super::locate::NodeRef;
use crate::lint::Finding;
use crate::pointer::join;

/// Nodes that each change edited or created.
#[derive(Debug)]
pub(super) struct EditedNodes<T> {
    nodes: Vec<(String, T)>,
}

impl<T> Default for EditedNodes<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<T: Clone + Ord> EditedNodes<T> {
    pub(super) fn add(&mut self, node: &NodeRef, change: T) {
        self.nodes.push((node.pointer.clone(), change));
    }

    pub(super) fn add_schema(&mut self, name: &str, change: T) {
        self.nodes.push((join("/components/schemas", name), change));
    }

    /// Returns the changes that the findings are about, each with its findings, and the findings that are about none.
    pub(super) fn causes(&self, findings: &[Finding]) -> (BTreeMap<T, String>, Vec<Finding>) {
        let mut causes: BTreeMap<T, Vec<String>> = BTreeMap::new();
        let mut others = Vec::new();
        for finding in findings {
            let place = pointer(&finding.location);
            let mut found = false;
            for (node, change) in &self.nodes {
                if is_within(node, &place) || is_within(&place, node) {
                    found = true;
                    let reasons = causes.entry(change.clone()).or_default();
                    let reason = finding.to_string();
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
            }
            if !found {
                others.push(finding.clone());
            }
        }
        (causes.into_iter().map(|(change, reasons)| (change, reasons.join("; "))).collect(), others)
    }
}

/// Returns the pointer of the location of a finding: an operation with an optional part, a schema, a property, or a
/// JSON pointer.
fn pointer(location: &str) -> String {
    if location.starts_with('/') {
        return location.to_owned();
    }
    let mut words = location.split(' ');
    match (words.next(), words.next()) {
        (Some(method), Some(path)) if path.starts_with('/') => {
            join(&join("/paths", path), &method.to_lowercase())
        }
        _ => match location.split_once('.') {
            Some((schema, property)) => {
                join(&join(&join("/components/schemas", schema), "properties"), property)
            }
            None => join("/components/schemas", location),
        },
    }
}

fn is_within(pointer: &str, parent: &str) -> bool {
    pointer.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
