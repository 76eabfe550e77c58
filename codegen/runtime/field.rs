//! Metadata of request fields.

use std::str::FromStr;

/// A field of a filter, of request data or of a query, with its constraints.
#[derive(Debug)]
#[non_exhaustive]
pub struct Field {
    /// Name on the wire, such as `computerName__contains`.
    pub name: &'static str,
    /// Name of the Rust field and setter, such as `computer_name_contains`.
    pub rust_name: &'static str,
    /// Type of the values.
    pub kind: FieldKind,
    /// Whether the request must have the field.
    pub required: bool,
    /// Whether a value makes a filter selective. `limit`, for example, does not.
    pub narrows_selection: bool,
    /// Enum values that this version of the client lists; empty if the field accepts any string.
    pub enum_values: &'static [&'static str],
    /// Minimum and maximum number of list items, inclusive. A minimum of 0 means that the operation documents what an
    /// empty list does, such as removing all values; without it, an empty list is rejected.
    pub item_count: (Option<u64>, Option<u64>),
    /// Minimum and maximum number of characters of a string or a list item, inclusive.
    pub length: (Option<u64>, Option<u64>),
    /// Minimum and maximum of a number or of the numbers in a list, inclusive.
    pub range: (Option<i64>, Option<i64>),
    /// Description, in one or two sentences.
    pub doc: &'static str,
}

/// The type of the values of a [`Field`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// A string.
    String,
    /// `true` or `false`.
    Boolean,
    /// An integer.
    Integer,
    /// A number, with or without a fraction.
    Number,
    /// An RFC 3339 timestamp.
    Timestamp,
    /// A list of strings, booleans or integers: an array in a body, separated by commas in a query.
    List,
    /// A string with a JSON object whose values are lists of strings.
    Json,
    /// A nested object, or a value of any type.
    Object,
}

mod sealed {
    /// Only generated code implements the traits that describe it, so that they can get more methods.
    pub trait Sealed {}
}

pub(crate) use sealed::Sealed;

/// A part of a request with declared fields. Only generated types implement it.
pub trait Fields: Sealed {
    /// The fields, in the order of the specification.
    const FIELDS: &'static [Field];
}

impl Field {
    /// Creates a field without constraints.
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
            narrows_selection: true,
            enum_values: &[],
            item_count: (None, None),
            length: (None, None),
            range: (None, None),
            doc,
        }
    }

    /// Returns whether an empty list is a value of the field: its minimum is 0 items.
    pub(crate) fn allows_empty_list(&self) -> bool {
        self.item_count.0 == Some(0)
    }
}

/// A filter whose fields can be set by their wire names, for example from a command line.
pub trait Filter: Fields + Default + Clone {
    /// Sets the field with the wire name `name`.
    ///
    /// # Errors
    /// Returns the value if no field has the name, or the field has another type.
    fn set(&mut self, name: &str, value: FieldValue) -> Result<(), FieldValue>;
}

/// A value for a field of a [`Filter`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// For a [`FieldKind::List`].
    List(Vec<String>),
    /// For a [`FieldKind::String`], a [`FieldKind::Timestamp`] or a [`FieldKind::Json`].
    String(String),
    /// For a [`FieldKind::Boolean`].
    Boolean(bool),
    /// For a [`FieldKind::Integer`].
    Integer(i64),
}

impl FieldValue {
    pub(crate) fn list<T: From<String>>(self) -> Result<Option<Vec<T>>, Self> {
        match self {
            Self::List(items) => Ok(Some(items.into_iter().map(T::from).collect())),
            other => Err(other),
        }
    }

    pub(crate) fn booleans(self) -> Result<Option<Vec<bool>>, Self> {
        self.parsed()
    }

    pub(crate) fn integers(self) -> Result<Option<Vec<i64>>, Self> {
        self.parsed()
    }

    /// Parses the items of a list, ignoring case and surrounding spaces.
    fn parsed<T: FromStr>(self) -> Result<Option<Vec<T>>, Self> {
        match self {
            Self::List(items) => {
                let item = |item: &String| item.trim().to_ascii_lowercase().parse();
                let parsed: Result<Vec<T>, _> = items.iter().map(item).collect();
                parsed.map(Some).map_err(|_| Self::List(items))
            }
            other => Err(other),
        }
    }

    pub(crate) fn string<T: From<String>>(self) -> Result<Option<T>, Self> {
        match self {
            Self::String(string) => Ok(Some(T::from(string))),
            other => Err(other),
        }
    }

    pub(crate) fn boolean(self) -> Result<Option<bool>, Self> {
        match self {
            Self::Boolean(boolean) => Ok(Some(boolean)),
            other => Err(other),
        }
    }

    pub(crate) fn integer(self) -> Result<Option<i64>, Self> {
        match self {
            Self::Integer(number) => Ok(Some(number)),
            other => Err(other),
        }
    }
}

/// Converts the items of a list.
#[inline]
pub(crate) fn converted<T>(items: impl IntoIterator<Item = impl Into<T>>) -> Vec<T> {
    items.into_iter().map(Into::into).collect()
}
