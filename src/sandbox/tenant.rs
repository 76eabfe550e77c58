//! The state of the tenant: named lists of things.

use std::collections::BTreeMap;

use serde_json::Value;

use super::select;
use crate::dotted::{at, put};

/// The tenant that every sandbox starts with.
const BUNDLED: &str = include_str!("tenant.json");

/// New ids count up from here; those of the bundled things are all below.
const FIRST_ID: u64 = 900_000_000_000_000_001;

#[derive(Debug)]
pub(super) struct Tenant {
    collections: BTreeMap<String, Vec<Value>>,
    next_id: u64,
}

impl Default for Tenant {
    fn default() -> Self {
        // The file is part of the build and tests read it; an empty tenant is never seen.
        let file: BTreeMap<String, Value> = serde_json::from_str(BUNDLED).unwrap_or_default();
        let collections = file.into_iter().filter_map(|(name, value)| match value {
            Value::Array(mut things) => {
                things.sort_by(|one, other| select::order(created(one), created(other)));
                Some((name, things))
            }
            _ => None,
        });
        Self { collections: collections.collect(), next_id: FIRST_ID }
    }
}

impl Tenant {
    /// The things of a collection in the order in which they were created.
    pub(super) fn things(&self, collection: &str) -> &[Value] {
        self.collections.get(collection).map_or(&[], Vec::as_slice)
    }

    pub(super) fn thing_mut(&mut self, collection: &str, index: usize) -> Option<&mut Value> {
        self.collections.get_mut(collection)?.get_mut(index)
    }

    /// Adds a thing, which is the newest.
    pub(super) fn insert(&mut self, collection: &str, thing: Value) {
        self.collections.entry(collection.to_owned()).or_default().push(thing);
    }

    /// Takes things out; the positions of the others move.
    pub(super) fn remove(&mut self, collection: &str, positions: &[usize]) {
        let Some(things) = self.collections.get_mut(collection) else { return };
        let mut position = 0;
        things.retain(|_| {
            position += 1;
            !positions.contains(&(position - 1))
        });
    }

    /// Lets things go on that were looked at: the next step of what is to come of them is taken.
    pub(super) fn advance(&mut self, collection: &str, positions: &[usize]) {
        for position in positions {
            let Some(thing) = self.thing_mut(collection, *position) else { continue };
            if let Some(after) = thing.get("_after").and_then(Value::as_u64).filter(|after| *after > 0) {
                put(thing, "_after", (after - 1).into());
                continue;
            }
            let Some(Value::Array(steps)) = thing.get_mut("_then") else { continue };
            if steps.is_empty() {
                continue;
            }
            let Value::Object(step) = steps.remove(0) else { continue };
            step.into_iter().for_each(|(field, value)| put(thing, &field, value));
        }
    }

    pub(super) fn new_id(&mut self) -> String {
        let id = self.next_id;
        self.next_id += 1;
        id.to_string()
    }
}

/// When a thing was created: its own `createdAt`, or that of the part that has one.
fn created(thing: &Value) -> Option<&Value> {
    at(thing, "createdAt").or_else(|| {
        let parts = thing.as_object().into_iter().flatten();
        parts.filter_map(|(_, part)| part.get("createdAt")).next()
    })
}
