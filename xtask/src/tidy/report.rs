//! Violations of the rules.

use std::fmt;

/// A violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// File or directory, relative to the project root.
    pub(crate) path: String,
    /// Line number, from 1.
    pub(crate) line: usize,
    /// ID of the rule.
    pub(crate) rule: &'static str,
    pub(super) finding: String,
    pub(super) remedy: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, finding, remedy } = self;
        write!(f, "{path}:{line}: {finding} ({rule}): {remedy}")
    }
}

/// Collects the violations of all rules.
pub(super) struct Report {
    /// ID of the current rule.
    pub(super) rule: &'static str,
    pub(super) violations: Vec<Violation>,
}

impl Report {
    /// Adds a violation of the current rule.
    pub(super) fn add(
        &mut self,
        path: &str,
        line: usize,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (finding, remedy) = (finding.into(), remedy.into());
        self.violations.push(Violation { path: path.to_owned(), line, rule: self.rule, finding, remedy });
    }
}
