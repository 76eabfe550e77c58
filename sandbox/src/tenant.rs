//! The state of the tenant: named collections of items.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp as Instant};
use sentinelone::raw::runtime::Timestamp;
use serde_json::Value;

use super::running_queries::RunningQueries;
use super::values::order;
use sentinelone::json_path::{get_path, set_path};

/// The tenant of a new sandbox, with times for a start at its `_now`.
const BUNDLED_TENANT: &str = include_str!("tenant.json");

/// First ID of new items. The IDs of the bundled items are lower.
const FIRST_ID: u64 = 900_000_000_000_000_001;

#[derive(Debug)]
pub(super) struct Tenant {
    collections: BTreeMap<String, Vec<Value>>,
    next_id: u64,
    pub(super) queries: RunningQueries,
}

impl Tenant {
    /// Returns the tenant of a sandbox that starts at `now`; `None` if that is not a time.
    pub(super) fn at(now: &Timestamp) -> Option<Self> {
        let now = now.unix_millis()?.div_euclid(1000);
        // The file is part of the build and tests validate it, so the default is never used.
        let mut file: BTreeMap<String, Value> = serde_json::from_str(BUNDLED_TENANT).unwrap_or_default();
        let reference =
            file.get("_now").and_then(Value::as_str).and_then(|text| text.parse::<Instant>().ok());
        if let Some(reference) = reference {
            let age = SignedDuration::from_secs(now.saturating_sub(reference.as_second()));
            file.values_mut().for_each(|value| shift_times(value, age));
        }
        let collections = file.into_iter().filter_map(|(name, value)| match value {
            Value::Array(mut items) => {
                items.sort_by(|one, other| order(creation_time(one), creation_time(other)));
                Some((name, items))
            }
            _ => None,
        });
        Some(Self {
            collections: collections.collect(),
            next_id: FIRST_ID,
            queries: RunningQueries::default(),
        })
    }

    /// Returns the items of a collection, oldest first.
    pub(super) fn items(&self, collection: &str) -> &[Value] {
        self.collections.get(collection).map_or(&[], Vec::as_slice)
    }

    pub(super) fn item_mut(&mut self, collection: &str, index: usize) -> Option<&mut Value> {
        self.collections.get_mut(collection)?.get_mut(index)
    }

    /// Adds an item as the newest one.
    pub(super) fn insert(&mut self, collection: &str, item: Value) {
        self.collections.entry(collection.to_owned()).or_default().push(item);
    }

    /// Removes items. The positions of the other items change.
    pub(super) fn remove(&mut self, collection: &str, positions: &[usize]) {
        let Some(items) = self.collections.get_mut(collection) else { return };
        let mut position = 0;
        items.retain(|_| {
            position += 1;
            !positions.contains(&(position - 1))
        });
    }

    /// Advances items that were read: applies the next step of each.
    pub(super) fn advance(&mut self, collection: &str, positions: &[usize]) {
        for position in positions {
            let Some(item) = self.item_mut(collection, *position) else { continue };
            if let Some(after) = item.get("_after").and_then(Value::as_u64).filter(|after| *after > 0) {
                set_path(item, "_after", (after - 1).into());
                continue;
            }
            let Some(Value::Array(steps)) = item.get_mut("_then") else { continue };
            if steps.is_empty() {
                continue;
            }
            let Value::Object(step) = steps.remove(0) else { continue };
            step.into_iter().for_each(|(field, value)| set_path(item, &field, value));
        }
    }

    pub(super) fn new_id(&mut self) -> String {
        let id = self.next_id;
        self.next_id += 1;
        id.to_string()
    }
}

/// Moves the timestamps in a value by whole seconds. Their fractions and their order do not change. A time that would
/// leave the years -9999 to 9999 is kept.
fn shift_times(value: &mut Value, by: SignedDuration) {
    match value {
        Value::String(text) => {
            if let Some(shifted) = shift_time(text, by) {
                *text = shifted;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shift_times(item, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| shift_times(field, by)),
        _ => {}
    }
}

/// Returns a timestamp such as `2026-11-20T10:00:00.000Z` moved by a duration; `None` if the text has another format.
fn shift_time(text: &str, by: SignedDuration) -> Option<String> {
    let (seconds, fraction) = text.strip_suffix('Z')?.split_at_checked("2026-11-20T10:00:00".len())?;
    if !fraction.is_empty() && !fraction.starts_with('.') {
        return None;
    }
    let time: Instant = format!("{seconds}Z").parse().ok()?;
    let shifted = time.checked_add(by).ok()?.to_string();
    Some(format!("{}{fraction}Z", shifted.strip_suffix('Z')?))
}

/// Returns the creation time of an item: its `createdAt`, or that of a member.
fn creation_time(item: &Value) -> Option<&Value> {
    get_path(item, "createdAt").or_else(|| {
        let members = item.as_object().into_iter().flatten();
        members.filter_map(|(_, member)| member.get("createdAt")).next()
    })
}
