//! What the lists of the console have in common.

use super::{ArgumentError, Arguments};

/// A list that is not given is not sent.
pub(super) fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// How many items are wanted: without a limit the usual number, or all that are named if those are more.
pub(super) fn wanted(limit: Option<u64>, usual: u64, named: &[String]) -> u64 {
    limit.unwrap_or(usual.max(named.len() as u64))
}

/// An identifier, which has to be there.
pub(super) fn required_id(arguments: &mut Arguments, name: &str) -> Result<String, ArgumentError> {
    Ok(arguments.required(name)?.trim().to_owned())
}

/// An identifier, if it is given.
pub(super) fn id(arguments: &mut Arguments, name: &str) -> Result<Option<String>, ArgumentError> {
    Ok(arguments.text(name)?.map(|id| id.trim().to_owned()))
}
