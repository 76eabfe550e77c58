//! Context paths: where a SOAR platform looks for what a command found.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Map, Value};

use crate::dotted::{at, put};

/// A context path of a command, such as `SentinelOne.Threat.ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// The path.
    pub path: &'static str,
    /// The type that the integration documents: `String`, `Number`, `Boolean` or `Date`.
    pub kind: &'static str,
    /// Meaning.
    pub doc: &'static str,
    /// Where the value comes from.
    pub source: Source,
    /// Whether the integration writes it without documenting it.
    pub undocumented: bool,
    /// Whether it is a column of a table for people.
    pub column: bool,
    /// Why one version of the API cannot fill it.
    pub absent: Option<(ApiVersion, &'static str)>,
    /// Why no version of the API can.
    pub never: Option<&'static str>,
}

/// Where the value of a context path comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A field of the answer, by API version.
    Field {
        /// On 2.0.
        v2_0: Option<&'static str>,
        /// On 2.1.
        v2_1: Option<&'static str>,
    },
    /// An argument of the command.
    Argument(&'static str),
    /// Concluded from the answer.
    Computed,
    /// Nowhere: no version of the API has it.
    Never,
}

impl Output {
    const fn new(path: &'static str, kind: &'static str, doc: &'static str, source: Source) -> Self {
        Self { path, kind, doc, source, undocumented: false, column: true, absent: None, never: None }
    }

    /// From the same field on every version.
    pub(super) const fn field(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        field: &'static str,
    ) -> Self {
        Self::new(path, kind, doc, Source::Field { v2_0: Some(field), v2_1: Some(field) })
    }

    /// From one field on 2.0 and another on 2.1.
    pub(super) const fn fields(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        v2_0: &'static str,
        v2_1: &'static str,
    ) -> Self {
        Self::new(path, kind, doc, Source::Field { v2_0: Some(v2_0), v2_1: Some(v2_1) })
    }

    /// From a field of 2.0 that 2.1 does not have.
    pub(super) const fn only_2_0(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        field: &'static str,
        why: &'static str,
    ) -> Self {
        let mut output = Self::new(path, kind, doc, Source::Field { v2_0: Some(field), v2_1: None });
        output.absent = Some((ApiVersion::V2_1, why));
        output
    }

    /// Documented by the integration, but not to be had from the API on any version; `why` says so.
    pub(super) const fn never(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        why: &'static str,
    ) -> Self {
        let mut output = Self::new(path, kind, doc, Source::Never);
        output.never = Some(why);
        output
    }

    /// From an argument.
    pub(super) const fn argument(
        path: &'static str,
        kind: &'static str,
        doc: &'static str,
        name: &'static str,
    ) -> Self {
        Self::new(path, kind, doc, Source::Argument(name))
    }

    /// Concluded.
    pub(super) const fn computed(path: &'static str, kind: &'static str, doc: &'static str) -> Self {
        Self::new(path, kind, doc, Source::Computed)
    }

    /// Too long or too seldom looked at for a table.
    pub(super) const fn no_column(mut self) -> Self {
        self.column = false;
        self
    }

    /// Written by the integration without documentation.
    pub(super) const fn undocumented(mut self) -> Self {
        self.undocumented = true;
        self
    }
}

/// The context entry of one thing of an answer: the fields that `outputs` name, below `prefix`.
/// Null and absent fields are left out.
pub(super) fn entry(outputs: &[Output], prefix: &str, version: ApiVersion, thing: &Value) -> Value {
    let mut entry = Value::Object(Map::new());
    for output in outputs {
        let Source::Field { v2_0, v2_1 } = output.source else { continue };
        let field = if version == ApiVersion::V2_0 { v2_0 } else { v2_1 };
        let value = field.and_then(|field| at(thing, field)).filter(|value| !value.is_null());
        if let Some(value) = value {
            put(&mut entry, below(output.path, prefix), value.clone());
        }
    }
    entry
}

/// The whole context: entries under their prefix.
pub(super) fn under(prefix: &str, entries: Value) -> Value {
    let mut context = Value::Object(Map::new());
    put(&mut context, prefix, entries);
    context
}

fn below<'a>(path: &'a str, prefix: &str) -> &'a str {
    path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path)
}
