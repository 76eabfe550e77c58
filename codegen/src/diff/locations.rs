//! Locations that contain other locations.

/// Returns the parent locations, nearest first. A dot in a name is treated as a separator.
pub(super) fn parents(location: &str) -> impl Iterator<Item = &str> {
    let separators = location.char_indices().rev().filter(|(at, c)| *at > 0 && matches!(c, '.' | '[' | '{'));
    separators.map(|(at, _)| &location[..at])
}
