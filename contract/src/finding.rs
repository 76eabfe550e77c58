//! Findings of the contract checks, with rule, severity and location.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::secret_text::{MASK, contains_jwt};

/// A difference between an exchange and the specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that the exchange violates.
    pub rule: ContractRule,
    /// The location: `request.query.ids`, `request.body.filter.ids[2]`, `response.body.data[1].threatInfo.sha1`.
    pub location: String,
    /// The difference. The message may quote a short value of the exchange.
    pub message: String,
    /// The operation of the exchange; `None` if only a part of an exchange was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

/// The severity of a finding, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The specification does not declare the operation, so the exchange is not validated.
    Note,
    /// The request has a form that the console takes, although the specification declares another one.
    Tolerated,
    /// The response holds an undeclared but harmless value. The specification needs an update.
    Drift,
    /// The exchange contradicts the specification, or a recording contains a secret.
    Error,
}

/// The part of an exchange that a finding refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessagePart {
    /// The path of the request.
    RequestPath,
    /// The query.
    RequestQuery,
    /// The headers of the request. They are checked for secrets only.
    RequestHeaders,
    /// The body of the request.
    RequestBody,
    /// The status code of the response.
    ResponseStatus,
    /// The headers of the response.
    ResponseHeaders,
    /// The body of the response.
    ResponseBody,
}

/// The parts by the prefix of a location.
const PARTS: &[(&str, MessagePart)] = &[
    ("request.path", MessagePart::RequestPath),
    ("request.query", MessagePart::RequestQuery),
    ("request.headers", MessagePart::RequestHeaders),
    ("request.body", MessagePart::RequestBody),
    ("response.status", MessagePart::ResponseStatus),
    ("response.headers", MessagePart::ResponseHeaders),
    ("response.body", MessagePart::ResponseBody),
];

impl Finding {
    pub(crate) fn new(rule: ContractRule, location: impl Into<String>, message: impl Into<String>) -> Self {
        Self { rule, location: location.into(), message: message.into(), operation: None }
    }

    pub(super) fn with_operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Removes the value from the message, and a signed token from the location. The value may be a secret.
    pub(super) fn redacted(mut self) -> Self {
        if self.rule != ContractRule::UnredactedSecret {
            self.message = format!("{}; the value is not shown", self.rule);
        }
        // A field name can hold a secret, too.
        if contains_jwt(&self.location) {
            let part = PARTS.iter().find(|(prefix, _)| self.location.starts_with(prefix));
            self.location = format!("{}.{MASK}", part.map_or("", |(prefix, _)| prefix));
        }
        self
    }

    /// Returns the operation ID, such as `threats_list`, or method and path if the specification does not declare
    /// the operation. Returns `None` if only a part of an exchange was checked, as in
    /// [`check_response`](super::Contract::check_response).
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Returns the part of the exchange that the finding refers to.
    pub fn part(&self) -> MessagePart {
        let part = PARTS.iter().find(|(prefix, _)| self.location.starts_with(prefix));
        part.map_or(MessagePart::ResponseBody, |(_, part)| *part)
    }

    /// Returns the path within the [part](Self::part), such as `data[1].threatInfo.sha1`; empty for the part itself.
    pub fn path(&self) -> &str {
        let rest = PARTS.iter().find_map(|(prefix, _)| self.location.strip_prefix(prefix));
        let rest = rest.unwrap_or(&self.location);
        rest.strip_prefix('.').unwrap_or(rest)
    }

    /// Returns the severity.
    pub fn severity(&self) -> Severity {
        match self.rule {
            ContractRule::UndeclaredOperation => Severity::Note,
            ContractRule::ToleratedForm => Severity::Tolerated,
            _ if self.is_drift() => Severity::Drift,
            _ => Severity::Error,
        }
    }

    /// Returns whether the finding is in the response and its rule is a [drift rule](ContractRule::is_drift).
    pub fn is_drift(&self) -> bool {
        self.rule.is_drift() && !self.location.starts_with("request")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.location, self.message)
    }
}

/// A rule of the contract checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContractRule {
    /// The JSON type differs from the declared type.
    TypeMismatch,
    /// A number, a length or an item count is outside the declared bounds.
    OutOfBounds,
    /// A string does not match the declared format or pattern, such as an invalid date-time.
    FormatMismatch,
    /// A required field is missing.
    MissingField,
    /// The value violates another keyword of the schema.
    SchemaViolation,
    /// A value is not in the declared enum.
    UndeclaredEnumValue,
    /// A value is null, and the schema does not allow null.
    UndeclaredNull,
    /// The schema does not declare the field.
    UndeclaredField,
    /// The operation does not declare the status code.
    UndeclaredStatus,
    /// The operation does not declare the query parameter.
    UndeclaredParameter,
    /// A required parameter is missing.
    MissingParameter,
    /// A query parameter that is not a list occurs more than once.
    DuplicateParameter,
    /// A value of a request has a form that published clients send and the console takes: `True` for true, a list as
    /// repeated parameters or as one text, a time that is not RFC 3339, an empty object as the body of an operation
    /// without a body.
    ToleratedForm,
    /// A body is not JSON, and JSON is declared.
    InvalidJson,
    /// The response announces the end of the operation.
    Deprecation,
    /// The specification has no operation with this method and path.
    UndeclaredOperation,
    /// The specification has the operation, but not in the API version of the path.
    UndeclaredVersion,
    /// A recording contains a secret.
    UnredactedSecret,
}

impl Severity {
    /// Returns `note`, `tolerated`, `drift` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Tolerated => "tolerated",
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

/// The error of parsing a [`ContractRule`] from an unknown ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule {0:?}")]
pub struct UnknownRuleError(String);

impl FromStr for ContractRule {
    type Err = UnknownRuleError;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let rule = Self::ALL.iter().copied().find(|rule| rule.as_str() == id);
        rule.ok_or_else(|| UnknownRuleError(id.to_owned()))
    }
}

impl ContractRule {
    /// All rules.
    pub const ALL: &'static [Self] = &[
        Self::TypeMismatch,
        Self::OutOfBounds,
        Self::FormatMismatch,
        Self::MissingField,
        Self::SchemaViolation,
        Self::UndeclaredEnumValue,
        Self::UndeclaredNull,
        Self::UndeclaredField,
        Self::UndeclaredStatus,
        Self::UndeclaredParameter,
        Self::MissingParameter,
        Self::DuplicateParameter,
        Self::ToleratedForm,
        Self::InvalidJson,
        Self::Deprecation,
        Self::UndeclaredOperation,
        Self::UndeclaredVersion,
        Self::UnredactedSecret,
    ];

    /// Returns the stable ID, such as `undeclared_field`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TypeMismatch => "type_mismatch",
            Self::OutOfBounds => "out_of_bounds",
            Self::FormatMismatch => "format_mismatch",
            Self::MissingField => "missing_field",
            Self::SchemaViolation => "schema_violation",
            Self::UndeclaredEnumValue => "undeclared_enum_value",
            Self::UndeclaredNull => "undeclared_null",
            Self::UndeclaredField => "undeclared_field",
            Self::UndeclaredStatus => "undeclared_status",
            Self::UndeclaredParameter => "undeclared_parameter",
            Self::MissingParameter => "missing_parameter",
            Self::DuplicateParameter => "duplicate_parameter",
            Self::ToleratedForm => "tolerated_form",
            Self::InvalidJson => "invalid_json",
            Self::Deprecation => "deprecation",
            Self::UndeclaredOperation => "undeclared_operation",
            Self::UndeclaredVersion => "undeclared_version",
            Self::UnredactedSecret => "unredacted_secret",
        }
    }

    /// Returns whether the rule is drift in a response: an undeclared field, enum value, null or status code, or
    /// the announcement of a deprecation. The client decodes such responses; the specification needs an update.
    /// The other rules are contradictions, except [`UndeclaredOperation`](Self::UndeclaredOperation), which is a note,
    /// and [`ToleratedForm`](Self::ToleratedForm).
    ///
    /// A request cannot drift: an undeclared value in a request is an error.
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

    /// Returns the name for display, such as `undeclared field`.
    pub fn label(self) -> &'static str {
        match self {
            Self::TypeMismatch => "type mismatch",
            Self::OutOfBounds => "out of bounds",
            Self::FormatMismatch => "format mismatch",
            Self::MissingField => "missing field",
            Self::SchemaViolation => "schema violation",
            Self::UndeclaredEnumValue => "undeclared enum value",
            Self::UndeclaredNull => "undeclared null",
            Self::UndeclaredField => "undeclared field",
            Self::UndeclaredStatus => "undeclared status",
            Self::UndeclaredParameter => "undeclared parameter",
            Self::MissingParameter => "missing parameter",
            Self::DuplicateParameter => "duplicate parameter",
            Self::ToleratedForm => "tolerated form",
            Self::InvalidJson => "invalid JSON",
            Self::Deprecation => "deprecation",
            Self::UndeclaredOperation => "undeclared operation",
            Self::UndeclaredVersion => "undeclared version",
            Self::UnredactedSecret => "unredacted secret",
        }
    }
}

impl fmt::Display for ContractRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_location_splits_into_part_and_path() {
        let finding = |location: &str| Finding::new(ContractRule::TypeMismatch, location, "");
        for (location, part, path) in [
            ("request.path", MessagePart::RequestPath, ""),
            ("request.query.ids[2]", MessagePart::RequestQuery, "ids[2]"),
            ("request.query[\"a b\"]", MessagePart::RequestQuery, "[\"a b\"]"),
            ("request.body.filter.ids", MessagePart::RequestBody, "filter.ids"),
            ("response.status", MessagePart::ResponseStatus, ""),
            ("response.headers.x", MessagePart::ResponseHeaders, "x"),
            ("response.body[0].id", MessagePart::ResponseBody, "[0].id"),
            ("response.body.data", MessagePart::ResponseBody, "data"),
        ] {
            assert_eq!((finding(location).part(), finding(location).path()), (part, path), "{location}");
        }
    }

    #[test]
    fn contract_rule_as_str_matches_serialization() {
        for rule in ContractRule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
            assert_eq!(rule.as_str().parse(), Ok(*rule));
        }
        assert!("moods".parse::<ContractRule>().is_err());
    }
}
