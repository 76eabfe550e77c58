//! What is known about the fields of requests.

/// A field of a filter, of request data or of a query.
#[derive(Debug)]
#[non_exhaustive]
pub struct Field {
    /// Name on the wire, such as `computerName__contains`.
    pub name: &'static str,
    /// Name of the Rust field and setter, such as `computer_name_contains`.
    pub rust_name: &'static str,
    /// What values look like.
    pub kind: FieldKind,
    /// Whether the request cannot be without it.
    pub required: bool,
    /// Whether a value narrows what a filter selects. `limit`, for one, does not.
    pub selects: bool,
    /// Values known to this version of the client; empty where any text goes.
    pub known: &'static [&'static str],
    /// Least and most list items, inclusive.
    pub items: (Option<u64>, Option<u64>),
    /// Least and most characters of a text or a list item, inclusive.
    pub length: (Option<u64>, Option<u64>),
    /// Least and most value of a number, inclusive.
    pub range: (Option<i64>, Option<i64>),
    /// Meaning, in a sentence or two.
    pub doc: &'static str,
}

/// What values of a [`Field`] look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// A text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number that need not be whole.
    Number,
    /// A point in time, RFC 3339.
    Timestamp,
    /// A list of texts: an array in a body, separated by commas in a query.
    List,
    /// A nested object, or a value of any kind.
    Object,
}

/// A part of a request whose fields are known.
pub trait Fields {
    /// The fields, in the order of the specification.
    const FIELDS: &'static [Field];
}

impl Field {
    /// A field of this name and kind without any bounds; the start of every table.
    pub(crate) const fn new(
        name: &'static str,
        rust_name: &'static str,
        kind: FieldKind,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            rust_name,
            kind,
            required: false,
            selects: true,
            known: &[],
            items: (None, None),
            length: (None, None),
            range: (None, None),
            doc,
        }
    }
}
