//! Operations that the vendor announced to end.

use std::collections::BTreeMap;

use sentinelone::commands::RegisteredCommand;
use sentinelone::raw::OPERATIONS;
use sentinelone::raw::runtime::{End, Operation};

use crate::findings::annotation;

/// Returns the operations of a command that end.
pub(crate) fn of_command(
    entry: &RegisteredCommand,
) -> impl Iterator<Item = (&'static Operation, End)> + use<> {
    entry.operations().filter_map(|operation| Some((operation, operation.end?)))
}

/// Returns the sentence about the end of an operation.
pub(crate) fn sentence(operation: &Operation, end: End) -> String {
    format!("{} {} {end}", operation.method.as_str(), operation.path)
}

/// Returns the day of an end, for a table.
pub(crate) fn day(end: End) -> &'static str {
    if end.date.is_empty() { "deprecated" } else { end.date }
}

/// The exchanges with operations that end.
#[derive(Default)]
pub(crate) struct EndingExchanges(BTreeMap<&'static str, (&'static Operation, End, usize)>);

impl EndingExchanges {
    /// Counts an exchange with an operation.
    pub(crate) fn count(&mut self, id: &str) {
        let operation = OPERATIONS.iter().find(|operation| operation.id == id);
        if let Some((operation, end)) = operation.and_then(|operation| Some((*operation, operation.end?))) {
            self.0.entry(operation.id).or_insert((operation, end, 0)).2 += 1;
        }
    }

    /// Returns lines of text, or annotations.
    pub(crate) fn report(&self, are_annotations: bool) -> String {
        let line = |(operation, end, count): &(&'static Operation, End, usize)| {
            let message = format!("{} (exchanges: {count})", sentence(operation, *end));
            match are_annotations {
                true => annotation("notice", None, "announced end", &message),
                false => format!("announced end: {message}\n"),
            }
        };
        self.0.values().map(line).collect()
    }
}
