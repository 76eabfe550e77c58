//! Names of fields in both versions. Source: published converter and vendor document of June 2026.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use sentinelone_raw::query_fields::QUERY_FIELDS;

static NAMES: LazyLock<Names> = LazyLock::new(|| Names::new(QUERY_FIELDS));

/// The version of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// A name of 2.0: one of the table, one with a dot, `#` or `$`, or a word in lower case such as `uid`.
    Version2,
    /// A name of 1.0.
    Version1 {
        /// The name in 2.0.
        version_2: &'static str,
        /// Whether the case is that of the table.
        is_exact: bool,
    },
    /// A name that is in neither version.
    Unknown,
}

/// Words in lower case, which can be names of both versions if 1.0 has the name in another case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LowerCase {
    /// The query has no part of 1.0: the words are names of 2.0, such as `url` of another data source.
    Version2,
    /// The query has parts of 1.0: a word that is in its table is one of them, such as `srcprocname`.
    Version1,
}

/// Returns the version of a name. The exact case is looked up first, then the only name in another case.
pub(super) fn resolve(name: &str, lower_case: LowerCase) -> Resolution {
    let names = &*NAMES;
    if names.version_2.contains(name) {
        return Resolution::Version2;
    }
    if let Some(version_2) = names.version_1.get(name) {
        return Resolution::Version1 { version_2, is_exact: true };
    }
    if name.contains('.') || name.starts_with(['#', '$']) {
        return Resolution::Version2;
    }
    let is_lower_case = !name.chars().any(char::is_uppercase);
    if is_lower_case && lower_case == LowerCase::Version2 {
        return Resolution::Version2;
    }
    match names.folded.get(&name.to_ascii_lowercase()) {
        Some(Some(version_2)) => Resolution::Version1 { version_2, is_exact: false },
        _ if is_lower_case => Resolution::Version2,
        _ => Resolution::Unknown,
    }
}

struct Names {
    /// Names of 1.0 with those of 2.0.
    version_1: HashMap<&'static str, &'static str>,
    /// The same in lower case; `None` if two names differ in case only and have two meanings.
    folded: HashMap<String, Option<&'static str>>,
    version_2: HashSet<&'static str>,
}

impl Names {
    fn new(table: &'static [(&'static str, &'static str)]) -> Self {
        let mut names = Self { version_1: HashMap::new(), folded: HashMap::new(), version_2: HashSet::new() };
        for (version_1, version_2) in table.iter().copied() {
            names.version_1.insert(version_1, version_2);
            names.version_2.insert(version_2);
            names
                .folded
                .entry(version_1.to_ascii_lowercase())
                .and_modify(|other| *other = other.filter(|other| *other == version_2))
                .or_insert(Some(version_2));
        }
        names
    }
}
