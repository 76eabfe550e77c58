//! Context paths, under which a SOAR platform finds the results of a command.

use crate::runtime::ApiVersion;

/// A context path of a command, such as `SentinelOne.Threat.ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextPath {
    /// The path.
    pub path: &'static str,
    /// Type that the integration documents: `String`, `Number`, `Boolean`, `Date`, `Object` or `Unknown`.
    pub kind: &'static str,
    /// Description.
    pub doc: &'static str,
    /// Source of the value.
    pub source: ContextSource,
    /// Whether the integration writes the path without documenting it.
    pub undocumented: bool,
    /// Whether a table shows the path as a column.
    pub column: bool,
    /// API version that does not have the value, and the reason.
    pub unavailable_on: Option<(ApiVersion, &'static str)>,
    /// Reason why no API version has the value.
    pub unavailable: Option<&'static str>,
}

/// Source of the value of a context path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextSource {
    /// A field of the response, for each API version.
    Field {
        /// Location on API 2.0.
        v2_0: Option<&'static str>,
        /// Location on API 2.1.
        v2_1: Option<&'static str>,
    },
    /// An argument of the command.
    Argument(&'static str),
    /// The result of an action for one ID.
    Result(ResultValue),
    /// Derived from the response.
    Computed,
    /// Not available on any API version.
    Unavailable,
}

/// A form of the result of an action for one ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultValue {
    /// `true` if the action was applied or the state was already set, `false` if not, null if the result is unknown or
    /// partial.
    Success,
    /// `Success`, `Failed` or `Unknown`.
    Word,
}

impl ContextPath {
    /// Creates a path that is a column and that all API versions have.
    pub(crate) const fn new(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        source: ContextSource,
    ) -> Self {
        Self {
            path,
            kind,
            doc,
            source,
            undocumented: false,
            column: true,
            unavailable_on: None,
            unavailable: None,
        }
    }

    /// Returns the location of the value in an item; `None` if it is not a field on this API version.
    pub fn field_on(&self, version: ApiVersion) -> Option<&'static str> {
        match self.source {
            ContextSource::Field { v2_0, .. } if version == ApiVersion::V2_0 => v2_0,
            ContextSource::Field { v2_1, .. } => v2_1,
            _ => None,
        }
    }

    /// Returns the path below `prefix`, or the whole path if it has another prefix.
    pub fn relative_to(&self, prefix: &str) -> &'static str {
        self.path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(self.path)
    }
}
