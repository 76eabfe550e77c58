//! Context paths, under which a SOAR platform finds the results of a command.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Map, Value};

use crate::json_path::{get_path, set_path};

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
    /// Derived from the response.
    Computed,
    /// Not available on any API version.
    Unavailable,
}

impl ContextPath {
    const fn new(path: &'static str, kind: &'static str, doc: &'static str, source: ContextSource) -> Self {
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

    /// A path with the same field on each API version.
    pub(crate) const fn field(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        field: &'static str,
    ) -> Self {
        Self::new(path, kind, doc, ContextSource::Field { v2_0: Some(field), v2_1: Some(field) })
    }

    /// A path with one field on API 2.0 and another on API 2.1.
    pub(crate) const fn fields(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        v2_0: &'static str,
        v2_1: &'static str,
    ) -> Self {
        Self::new(path, kind, doc, ContextSource::Field { v2_0: Some(v2_0), v2_1: Some(v2_1) })
    }

    /// A path with a field of API 2.0 that API 2.1 does not have.
    pub(crate) const fn only_2_0(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        field: &'static str,
        reason: &'static str,
    ) -> Self {
        let mut output = Self::new(path, kind, doc, ContextSource::Field { v2_0: Some(field), v2_1: None });
        output.unavailable_on = Some((ApiVersion::V2_1, reason));
        output
    }

    /// A path that the integration documents and no API version has. `reason` describes the cause.
    pub(crate) const fn unavailable(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        reason: &'static str,
    ) -> Self {
        let mut output = Self::new(path, kind, doc, ContextSource::Unavailable);
        output.unavailable = Some(reason);
        output
    }

    /// A path with the value of an argument.
    pub(crate) const fn argument(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        name: &'static str,
    ) -> Self {
        Self::new(path, kind, doc, ContextSource::Argument(name))
    }

    /// A path with a derived value.
    pub(crate) const fn computed(path: &'static str, kind: &'static str, doc: &'static str) -> Self {
        Self::new(path, kind, doc, ContextSource::Computed)
    }

    /// Returns the location of the value in an item; `None` if it is not a field on this API version.
    pub(crate) fn field_on(&self, version: ApiVersion) -> Option<&'static str> {
        match self.source {
            ContextSource::Field { v2_0, v2_1 } => {
                if version == ApiVersion::V2_0 {
                    v2_0
                } else {
                    v2_1
                }
            }
            _ => None,
        }
    }

    /// Returns the path below `prefix`, or the whole path if it has another prefix.
    pub(crate) fn relative_to(&self, prefix: &str) -> &'static str {
        self.path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(self.path)
    }

    /// Excludes the path from tables, for long or rarely needed values.
    pub(crate) const fn no_column(mut self) -> Self {
        self.column = false;
        self
    }

    /// Marks a path that the integration writes without documenting it.
    pub(crate) const fn undocumented(mut self) -> Self {
        self.undocumented = true;
        self
    }
}

/// Returns the context entry of an item: the fields of `outputs`, relative to `prefix`. Null and missing fields are
/// omitted.
pub(crate) fn entry(outputs: &[ContextPath], prefix: &str, version: ApiVersion, item: &Value) -> Value {
    let mut entry = Value::Object(Map::new());
    for output in outputs {
        let field = output.field_on(version);
        let value = field.and_then(|field| get_path(item, field)).filter(|value| !value.is_null());
        if let Some(value) = value {
            set_path(&mut entry, output.relative_to(prefix), value.clone());
        }
    }
    entry
}

/// Returns a context with `entries` at `prefix`.
pub(crate) fn context_under(prefix: &str, entries: Value) -> Value {
    let mut context = Value::Object(Map::new());
    set_path(&mut context, prefix, entries);
    context
}
