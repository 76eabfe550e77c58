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
    /// Whether the value is a secret, which is never shown.
    pub secret: bool,
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
    /// A list of texts, or of `true` and `false`: an array in a body, separated by commas in a query.
    List,
    /// A text that holds a JSON object whose values are lists of texts.
    Json,
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
            secret: false,
            known: &[],
            items: (None, None),
            length: (None, None),
            range: (None, None),
            doc,
        }
    }
}

/// A filter whose fields can be set by their names on the wire, as a command line has them.
pub trait Filter: Fields + Default + Clone {
    /// Sets the field of this name.
    ///
    /// # Errors
    /// Gives the value back when no field has the name, or the field is of another kind.
    fn set(&mut self, name: &str, value: Setting) -> Result<(), Setting>;
}

/// A value for a field of a [`Filter`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Setting {
    /// For a [`FieldKind::List`].
    List(Vec<String>),
    /// For a [`FieldKind::Text`], a [`FieldKind::Timestamp`] or a [`FieldKind::Json`].
    Text(String),
    /// For a [`FieldKind::Boolean`].
    Boolean(bool),
    /// For a [`FieldKind::Integer`].
    Integer(i64),
}

impl Setting {
    pub(crate) fn list<T: From<String>>(self) -> Result<Option<Vec<T>>, Self> {
        match self {
            Self::List(items) => Ok(Some(items.into_iter().map(T::from).collect())),
            other => Err(other),
        }
    }

    pub(crate) fn flags(self) -> Result<Option<Vec<bool>>, Self> {
        match self {
            Self::List(items) => {
                let flag = |item: &String| item.trim().to_ascii_lowercase().parse::<bool>();
                let flags: Result<Vec<_>, _> = items.iter().map(flag).collect();
                flags.map(Some).map_err(|_| Self::List(items))
            }
            other => Err(other),
        }
    }

    pub(crate) fn text<T: From<String>>(self) -> Result<Option<T>, Self> {
        match self {
            Self::Text(text) => Ok(Some(T::from(text))),
            other => Err(other),
        }
    }

    pub(crate) fn boolean(self) -> Result<Option<bool>, Self> {
        match self {
            Self::Boolean(flag) => Ok(Some(flag)),
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
