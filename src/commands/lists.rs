//! What the lists of the console have in common.

use sentinelone_raw::runtime::OpenEnum;

use super::{ArgumentError, Arguments};

/// A list that is not given is not sent.
pub(super) fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// How many items are wanted: without a limit the usual number, or all that are named if those are more.
pub(super) fn wanted(limit: Option<u64>, usual: u64, named: &[String]) -> u64 {
    limit.unwrap_or(usual.max(named.len() as u64))
}

/// Known values of an enum.
pub(super) fn choices<E: OpenEnum>(
    arguments: &mut Arguments,
    name: &str,
    values: &[&str],
) -> Result<Vec<E>, ArgumentError> {
    let items = arguments.list(name)?.unwrap_or_default();
    items.iter().try_for_each(|item| arguments.one_of(name, item, values))?;
    Ok(items.into_iter().map(E::from).collect())
}

/// An identifier, which has to be there.
pub(super) fn required_id(arguments: &mut Arguments, name: &str) -> Result<String, ArgumentError> {
    Ok(arguments.required(name)?.trim().to_owned())
}

/// An identifier, if it is given.
pub(super) fn id(arguments: &mut Arguments, name: &str) -> Result<Option<String>, ArgumentError> {
    Ok(arguments.text(name)?.map(|id| id.trim().to_owned()))
}
