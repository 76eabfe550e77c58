//! Declaration of an argument.

use crate::runtime::{Field, FieldKind};

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// Name, such as `threat_ids`.
    pub name: &'static str,
    /// Kind of the value.
    pub kind: ArgumentKind,
    /// Whether the argument is required.
    pub required: bool,
    /// Whether the published integration documents the required argument as optional.
    pub documented_as_optional: bool,
    /// Default value; `None` if the argument has no default.
    pub default: Option<&'static str>,
    /// Allowed values; empty if any string is allowed.
    pub values: &'static [&'static str],
    /// Minimum and maximum of an integer, inclusive.
    pub range: (Option<i64>, Option<i64>),
    /// Description.
    pub doc: &'static str,
    /// Whether a limit also accepts `all`, which reads the list to its last page.
    pub accepts_all: bool,
    /// Whether the value is a secret, such as a password, which is never printed.
    pub secret: bool,
}

/// Kind of the value of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgumentKind {
    /// Any string.
    String,
    /// Strings separated by commas, or a JSON array of strings.
    List,
    /// `true` or `false`, or `yes` or `no`.
    Boolean,
    /// An integer.
    Integer,
    /// A time; see [`parse_timestamp`](crate::runtime::parse_timestamp).
    Time,
}

impl ArgumentKind {
    /// Returns `string`, `list`, `boolean`, `integer` or `time`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Time => "time",
        }
    }
}

impl Argument {
    /// Creates an optional argument without constraints.
    pub(crate) const fn new(name: &'static str, kind: ArgumentKind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            required: false,
            documented_as_optional: false,
            default: None,
            values: &[],
            range: (None, None),
            doc,
            accepts_all: false,
            secret: false,
        }
    }

    /// Creates the argument for a field of a request.
    pub(crate) fn from_field(field: &Field) -> Self {
        let kind = match field.kind {
            FieldKind::List => ArgumentKind::List,
            FieldKind::Boolean => ArgumentKind::Boolean,
            FieldKind::Integer => ArgumentKind::Integer,
            FieldKind::Timestamp => ArgumentKind::Time,
            _ => ArgumentKind::String,
        };
        Self { values: field.enum_values, ..Self::new(field.rust_name, kind, field.doc) }
    }

    /// Returns whether the values are IDs of objects. A value that cannot be an ID, such as one with a space, is
    /// rejected before a request is sent.
    pub fn is_id(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let is_text = matches!(self.kind, ArgumentKind::String | ArgumentKind::List);
        let has_suffix = ["id", "ids", "uuids", "id_in"].into_iter().any(|suffix| {
            let rest = name.strip_suffix(suffix);
            // `queryId` and `ruleIds` have no underscore.
            rest.is_some_and(|rest| {
                rest.is_empty()
                    || rest.ends_with('_')
                    || self.name.ends_with("Id")
                    || self.name.ends_with("Ids")
            })
        });
        is_text && has_suffix && !name.starts_with("external")
    }
}

/// Characters of IDs other than letters and digits.
pub(super) const ID_PUNCTUATION: &str = "- _ . : ~ + =";

/// Returns whether a text can be the ID of an object: ASCII letters, digits and the characters `-_.:~+=`, with at least
/// one letter or digit.
pub fn is_possible_id(text: &str) -> bool {
    let is_punctuation = |c: char| c != ' ' && ID_PUNCTUATION.contains(c);
    text.contains(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || is_punctuation(c))
}
