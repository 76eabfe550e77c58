//! Identifiers that arguments of a read name, and those that the items of its lists have.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use sentinelone_raw::runtime::commands::ListCommand;
use serde_json::Value;

use super::ids::unique;
use crate::commands::NotFound;
use crate::entry_id::id_string;
use crate::json_path::get_path;

/// The identifiers of one argument.
struct Identifiers {
    argument: &'static str,
    values: Vec<String>,
    /// Locations of the identifier in an item; empty if any item has it.
    fields: &'static [&'static str],
    /// Identifiers of the items read so far, in lower case.
    found: Mutex<HashSet<String>>,
}

/// The identifiers that the arguments of a read name. The list reader records the items, and reports the identifiers
/// that none of them has.
#[derive(Default)]
pub(crate) struct RequestedIds(Vec<Identifiers>);

impl RequestedIds {
    /// Adds the values of an argument. An item has one of them at one of `fields`; case is ignored.
    pub(crate) fn with(
        mut self,
        argument: &'static str,
        values: &[String],
        fields: &'static [&'static str],
    ) -> Self {
        if !values.is_empty() {
            let (values, found) = (unique(values), Mutex::default());
            self.0.push(Identifiers { argument, values, fields, found });
        }
        self
    }

    /// Adds an argument that names one object: each item of the list has this identifier.
    pub(crate) fn with_one(self, argument: &'static str, value: Option<&String>) -> Self {
        self.with(argument, value.map(std::slice::from_ref).unwrap_or_default(), &[])
    }

    /// Returns the identifiers that the arguments of a list command name.
    pub(crate) fn of<C: ListCommand>(command: &C) -> Self {
        command
            .identifiers()
            .into_iter()
            .fold(Self::default(), |requested, one| requested.with(one.argument, one.values, one.fields))
    }

    /// Removes an argument.
    pub(crate) fn without(mut self, argument: &str) -> Self {
        self.0.retain(|one| one.argument != argument);
        self
    }

    /// Returns whether the arguments name no identifier.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records an item of the list.
    pub(crate) fn record(&self, item: &Value) {
        for one in &self.0 {
            let mut found = one.found.lock().unwrap_or_else(PoisonError::into_inner);
            match one.fields {
                [] => found.extend(one.values.iter().map(|value| value.to_ascii_lowercase())),
                fields => {
                    let ids = fields.iter().filter_map(|field| id_string(get_path(item, field)?));
                    found.extend(ids.map(|id| id.to_ascii_lowercase()));
                }
            }
        }
    }

    /// Returns the identifiers that no recorded item has, in the order of the arguments.
    pub(crate) fn not_found(&self) -> Vec<NotFound> {
        let missing = self.0.iter().flat_map(|one| {
            let found = one.found.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = one.values.iter().filter(|value| !found.contains(&value.to_ascii_lowercase()));
            missing.map(|value| NotFound::new(one.argument, value)).collect::<Vec<_>>()
        });
        missing.collect()
    }
}
