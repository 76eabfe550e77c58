//! What a check finds, and how bad it is.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::spot::{MASK, holds_jwt};

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
    /// Whose exchange it is; nothing where only a part of one was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

/// How bad a finding is, from the least to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The specification says nothing of the exchange, so that it was not held to anything.
    Note,
    /// The API moved without anything being lost: the specification should be updated.
    Drift,
    /// It contradicts the specification, or must not be where it is.
    Error,
}

/// The part of an exchange that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// The path that was asked.
    RequestPath,
    /// The query.
    RequestQuery,
    /// The headers of the request, of which only those are looked at that hold secrets.
    RequestHeaders,
    /// The body of the request.
    RequestBody,
    /// The status of the answer.
    Status,
    /// The headers of the answer.
    AnswerHeaders,
    /// The body of the answer.
    Answer,
}

/// The parts by what a place begins with, the longer ones first.
const PARTS: &[(&str, Part)] = &[
    ("request.path", Part::RequestPath),
    ("request.query", Part::RequestQuery),
    ("request.headers", Part::RequestHeaders),
    ("request.body", Part::RequestBody),
    ("answer.status", Part::Status),
    ("answer.headers", Part::AnswerHeaders),
    ("answer", Part::Answer),
];

impl Finding {
    pub(crate) fn new(kind: FindingKind, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, place: place.into(), message: message.into(), operation: None }
    }

    pub(super) fn of(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Without what stands at the place, which may be a secret.
    pub(super) fn covered(mut self) -> Self {
        if self.kind != FindingKind::Secret {
            self.message = format!("{}; what stands there is not shown", self.kind);
        }
        // The name of a field may be one, too.
        if holds_jwt(&self.place) {
            let part = PARTS.iter().find(|(prefix, _)| self.place.starts_with(prefix));
            self.place = format!("{}.{MASK}", part.map_or("", |(prefix, _)| prefix));
        }
        self
    }

    /// The operation, such as `threats_list`; method and path where the specification does not have it. `None`
    /// where only a part of an exchange was checked, as with [`check_answer`](super::Contract::check_answer).
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// The part of the exchange that it is about.
    pub fn part(&self) -> Part {
        let part = PARTS.iter().find(|(prefix, _)| self.place.starts_with(prefix));
        part.map_or(Part::Answer, |(_, part)| *part)
    }

    /// Where in that [part](Self::part), such as `data[1].threatInfo.sha1`; empty for the part itself.
    pub fn path(&self) -> &str {
        let rest = PARTS.iter().find_map(|(prefix, _)| self.place.strip_prefix(prefix));
        let rest = rest.unwrap_or(&self.place);
        rest.strip_prefix('.').unwrap_or(rest)
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self.kind {
            FindingKind::UndeclaredOperation => Severity::Note,
            _ if self.is_drift() => Severity::Drift,
            _ => Severity::Error,
        }
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

impl Severity {
    /// `note`, `drift` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Drift => "drift",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No rule has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule {0:?}")]
pub struct UnknownRule(String);

impl FromStr for FindingKind {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.iter().copied().find(|kind| kind.name() == name);
        kind.ok_or_else(|| UnknownRule(name.to_owned()))
    }
}

impl FindingKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::WrongType,
        Self::OutOfBounds,
        Self::WrongFormat,
        Self::MissingField,
        Self::Violation,
        Self::UndeclaredEnumValue,
        Self::UndeclaredNull,
        Self::UndeclaredField,
        Self::UndeclaredStatus,
        Self::UndeclaredParameter,
        Self::MissingParameter,
        Self::RepeatedParameter,
        Self::NotJson,
        Self::Deprecation,
        Self::UndeclaredOperation,
        Self::UndeclaredVersion,
        Self::Secret,
    ];

    /// The name of the rule, for machines: `undeclared_field`.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongType => "wrong_type",
            Self::OutOfBounds => "out_of_bounds",
            Self::WrongFormat => "wrong_format",
            Self::MissingField => "missing_field",
            Self::Violation => "violation",
            Self::UndeclaredEnumValue => "undeclared_enum_value",
            Self::UndeclaredNull => "undeclared_null",
            Self::UndeclaredField => "undeclared_field",
            Self::UndeclaredStatus => "undeclared_status",
            Self::UndeclaredParameter => "undeclared_parameter",
            Self::MissingParameter => "missing_parameter",
            Self::RepeatedParameter => "repeated_parameter",
            Self::NotJson => "not_json",
            Self::Deprecation => "deprecation",
            Self::UndeclaredOperation => "undeclared_operation",
            Self::UndeclaredVersion => "undeclared_version",
            Self::Secret => "secret",
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_part_and_a_path() {
        let place = |place: &str| Finding::new(FindingKind::WrongType, place, "");
        for (text, part, path) in [
            ("request.path", Part::RequestPath, ""),
            ("request.query.ids[2]", Part::RequestQuery, "ids[2]"),
            ("request.query[\"a b\"]", Part::RequestQuery, "[\"a b\"]"),
            ("request.body.filter.ids", Part::RequestBody, "filter.ids"),
            ("answer.status", Part::Status, ""),
            ("answer.headers.x", Part::AnswerHeaders, "x"),
            ("answer[0].id", Part::Answer, "[0].id"),
            ("answer.data", Part::Answer, "data"),
        ] {
            assert_eq!((place(text).part(), place(text).path()), (part, path), "{text}");
        }
    }

    /// The names that scripts write are those that JSON has.
    #[test]
    fn every_rule_has_its_name() {
        for kind in FindingKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
        assert!("moods".parse::<FindingKind>().is_err());
    }
}
