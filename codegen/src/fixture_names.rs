//! File names of generated fixtures.

/// File name prefix of generated fixtures; no other fixture has it.
pub(crate) const PREFIX: &str = "generated_";

/// Returns whether a file below `fixtures/` is a generated fixture.
pub fn owns(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(".json"))
}
