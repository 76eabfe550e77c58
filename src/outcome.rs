//! What is known about each thing that an action was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is known about one of the identifiers that an action was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdOutcome {
    /// The identifier.
    pub id: String,
    /// What is known.
    pub state: IdState,
    /// The console's own word for it, such as `already_set`; absent when it gave none.
    pub detail: Option<String>,
}

/// Whether an action was applied to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdState {
    /// The action was applied.
    Done,
    /// The thing is in the wanted state already.
    AlreadySet,
    /// The action was not applied: the thing is unknown, out of scope, or does not allow it.
    NotAffected,
    /// The console counted fewer than were asked for, and did not say which.
    Unknown,
}

impl IdState {
    /// `done`, `already_set`, `not_affected` or `unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadySet => "already_set",
            Self::NotAffected => "not_affected",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the thing is now as it was asked for.
    pub const fn is_fulfilled(self) -> bool {
        matches!(self, Self::Done | Self::AlreadySet)
    }
}

impl fmt::Display for IdState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Tells for each identifier what is known, from what the console counted and what it said of each.
///
/// `said` holds those that the console mentions, with its word if it gives one. Without a word the count
/// decides: if it covers all that are left, they are done; if nothing is left of it, they are not;
/// otherwise nobody knows which.
pub(crate) fn outcomes(
    ids: &[String],
    affected: Option<u64>,
    said: &BTreeMap<String, Option<String>>,
) -> Vec<IdOutcome> {
    let mut outcomes: Vec<IdOutcome> = Vec::new();
    let mut seen = BTreeSet::new();
    for id in ids.iter().filter(|id| seen.insert(*id)) {
        let detail = said.get(id).cloned().flatten();
        let state = match detail.as_deref() {
            Some("updated") => IdState::Done,
            Some("already_set") => IdState::AlreadySet,
            Some(_) => IdState::NotAffected,
            None => IdState::Unknown,
        };
        outcomes.push(IdOutcome { id: id.clone(), state, detail });
    }
    let done = outcomes.iter().filter(|one| one.state == IdState::Done).count() as u64;
    let mut left = affected.map(|affected| affected.saturating_sub(done));
    // First those that are mentioned, then those that are not.
    for mentioned in [true, false] {
        let silent = |one: &&mut IdOutcome| one.detail.is_none() && said.contains_key(&one.id) == mentioned;
        let count = outcomes.iter_mut().filter(silent).count() as u64;
        let state = match left {
            Some(0) => IdState::NotAffected,
            Some(left) if left >= count => IdState::Done,
            _ => IdState::Unknown,
        };
        outcomes.iter_mut().filter(silent).for_each(|one| one.state = state);
        left = left.map(|left| left.saturating_sub(count));
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states of the identifiers a, b and c.
    fn states(affected: Option<u64>, said: &[(&str, Option<&str>)]) -> Vec<&'static str> {
        let ids = ["a", "b", "c", "a"].map(str::to_owned);
        let said = said.iter().map(|(id, word)| ((*id).to_owned(), word.map(str::to_owned))).collect();
        outcomes(&ids, affected, &said).iter().map(|one| one.state.as_str()).collect()
    }

    #[test]
    fn a_count_alone_tells_all_or_nothing() {
        assert_eq!(states(Some(3), &[]), ["done", "done", "done"]);
        assert_eq!(states(Some(0), &[]), ["not_affected", "not_affected", "not_affected"]);
        assert_eq!(states(Some(2), &[]), ["unknown", "unknown", "unknown"], "nobody knows which");
        assert_eq!(states(None, &[]), ["unknown", "unknown", "unknown"]);
    }

    #[test]
    fn the_console_has_the_word() {
        let said = [("a", Some("updated")), ("b", Some("already_set")), ("c", Some("missing_permissions"))];
        assert_eq!(states(Some(1), &said), ["done", "already_set", "not_affected"]);
        assert_eq!(states(Some(1), &said[..1]), ["done", "not_affected", "not_affected"]);
        assert_eq!(states(Some(3), &said[..1]), ["done", "done", "done"]);
        assert_eq!(states(Some(2), &said[..1]), ["done", "unknown", "unknown"]);
    }

    #[test]
    fn being_mentioned_without_a_word_counts_first() {
        assert_eq!(states(Some(1), &[("b", None)]), ["not_affected", "done", "not_affected"]);
        assert_eq!(states(Some(0), &[("b", None)]), ["not_affected", "not_affected", "not_affected"]);
        assert_eq!(states(Some(1), &[("b", None), ("c", None)]), ["not_affected", "unknown", "unknown"]);
    }
}
