//! Content of vendor documents that is normalized while reading.

use std::fmt;

/// Content that is not valid OpenAPI, or has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// `x-nullable`, which is `nullable` in OpenAPI 3.0.
    NullableExtension,
    /// Null among the values of an enum, which makes it nullable.
    NullInEnum,
    /// A list among the values of an enum.
    ListInEnum,
    /// A duplicate enum value.
    DuplicateInEnum,
    /// A numeric bound of a string, as in ID parameters.
    NumericBoundOfString,
    /// A null default, which has no meaning.
    NullDefault,
    /// A default that does not match its type.
    InvalidDefault,
    /// An empty string or list as the default, which is the same as a missing field.
    EmptyDefault,
    /// `required` that is not a list of names.
    RequiredFlag,
    /// A schema name with characters that a reference cannot have.
    SchemaName,
    /// A pattern in the dialect of Python that OpenAPI can express.
    PythonPattern,
    /// A pattern in the dialect of Python that OpenAPI cannot express.
    InvalidPattern,
    /// A choice of one schema and null, which is `nullable` in OpenAPI 3.0.
    NullAlternative,
    /// A summary that starts with `[DEPRECATED]`, which means a deprecated operation.
    DeprecatedSummary,
    /// A file in a JSON body, which cannot have one.
    FileInJson,
    /// Items of a value that is not a list, which may therefore be either.
    ItemsOfAnotherType,
    /// An object in a query, whose form no source states.
    ObjectInQuery,
    /// A list of lists in a query, which has one list of values for a parameter.
    NestedListInQuery,
    /// A parameter without a type, which is a string.
    UntypedParameter,
    /// A parameter of the path that the operation does not declare.
    UndeclaredPathParameter,
}

impl Quirk {
    /// Returns the description of the quirk and of its normalization.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NullableExtension => "x-nullable, converted to nullable",
            Self::NullInEnum => "null among enum values, converted to nullable",
            Self::ListInEnum => "list among enum values, removed",
            Self::DuplicateInEnum => "duplicate enum value, removed",
            Self::NumericBoundOfString => "numeric bound of a string, removed",
            Self::NullDefault => "null default, removed",
            Self::InvalidDefault => "default that does not match its type, removed",
            Self::EmptyDefault => "empty default, removed",
            Self::RequiredFlag => "required that is not a list of names, removed",
            Self::SchemaName => "schema name that a reference cannot have, invalid characters replaced by _",
            Self::PythonPattern => "pattern in the dialect of Python, translated",
            Self::InvalidPattern => "pattern that OpenAPI cannot express, removed",
            Self::NullAlternative => "choice of a schema and null, converted to nullable",
            Self::DeprecatedSummary => "[DEPRECATED] in a summary, converted to deprecated",
            Self::FileInJson => "file in a JSON body, converted to a form",
            Self::ItemsOfAnotherType => "items of a type other than a list, converted to any type",
            Self::ObjectInQuery => "object in a query, removed",
            Self::NestedListInQuery => "list of lists in a query, converted to a list",
            Self::UntypedParameter => "parameter without a type, converted to a string",
            Self::UndeclaredPathParameter => "undeclared parameter of a path, added as a string",
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
