//! What a check finds, and how bad it is.

use std::fmt;

use serde::Serialize;

/// A place where an exchange departs from the specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of departure it is.
    pub kind: FindingKind,
    /// Where: `request.query.ids`, `request.body.filter.ids[2]`, `answer.data[1].threatInfo.sha1`.
    pub place: String,
    /// What is wrong there. It may quote a short value from the exchange.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, place: place.into(), message: message.into() }
    }

    /// Whether the API moved without anything being lost: [`FindingKind::is_drift`], and in an answer.
    pub fn is_drift(&self) -> bool {
        self.kind.is_drift() && !self.place.starts_with("request")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.kind, self.place, self.message)
    }
}

/// How an exchange departs from the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A value of another JSON type than the declared one.
    WrongType,
    /// A number, a length or a count of items outside the declared bounds.
    OutOfBounds,
    /// A text that is not in the declared format, such as a time that is none.
    WrongFormat,
    /// A field that is required and absent.
    MissingField,
    /// Any other violation of the schema.
    Violation,
    /// A text that is not among the values of its enum.
    UndeclaredEnumValue,
    /// A null where the schema allows none.
    UndeclaredNull,
    /// A field that the schema does not have.
    UndeclaredField,
    /// A status that the operation does not declare.
    UndeclaredStatus,
    /// A query parameter that the operation does not have.
    UndeclaredParameter,
    /// A parameter that is required and absent.
    MissingParameter,
    /// A query parameter that is given more than once.
    RepeatedParameter,
    /// A body that is no JSON where JSON is declared.
    NotJson,
    /// The console announces that it will withdraw the operation.
    Deprecation,
    /// The specification has no operation of this method and path.
    UndeclaredOperation,
    /// The specification has the operation, but not on the API version in the path.
    UndeclaredVersion,
    /// A recording holds what looks like a secret.
    Secret,
}

impl FindingKind {
    /// Whether the API moved without anything being lost: an answer holds a field, an enum value, a
    /// null or a status that the specification does not know yet, or an announcement of withdrawal.
    /// The client decodes such answers; the specification should be updated. Everything else
    /// contradicts the specification.
    ///
    /// In a request there is no drift: what is undeclared there is wrong.
    pub fn is_drift(self) -> bool {
        matches!(
            self,
            Self::UndeclaredEnumValue
                | Self::UndeclaredNull
                | Self::UndeclaredField
                | Self::UndeclaredStatus
                | Self::Deprecation
        )
    }

    /// The kind in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongType => "wrong type",
            Self::OutOfBounds => "out of bounds",
            Self::WrongFormat => "wrong format",
            Self::MissingField => "missing field",
            Self::Violation => "violation",
            Self::UndeclaredEnumValue => "undeclared enum value",
            Self::UndeclaredNull => "undeclared null",
            Self::UndeclaredField => "undeclared field",
            Self::UndeclaredStatus => "undeclared status",
            Self::UndeclaredParameter => "undeclared parameter",
            Self::MissingParameter => "missing parameter",
            Self::RepeatedParameter => "repeated parameter",
            Self::NotJson => "not JSON",
            Self::Deprecation => "deprecation",
            Self::UndeclaredOperation => "undeclared operation",
            Self::UndeclaredVersion => "undeclared version",
            Self::Secret => "secret",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
