//! Validation of values against a JSON Schema.

use std::collections::HashMap;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, JsonType, JsonTypeSet, ValidationError, Validator};
use sentinelone::raw::runtime::Timestamp;
use serde_json::Value;

use super::finding::{ContractRule, Finding};
use super::location;
use super::schema::Schemas;

/// Part of an exchange that a schema is compiled for.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Compiles a schema of the specification.
///
/// # Errors
/// Returns the message of the compiler if the schema is not usable.
pub(super) fn compile(schemas: &Schemas, schema: &Value, direction: Direction) -> Result<Validator, String> {
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    let options = match direction {
        Direction::Request => options,
        // Some consoles omit the time zone, and the client accepts that.
        Direction::Response => {
            options.with_format("date-time", |text: &str| Timestamp::from(text).to_utc().is_some())
        }
    };
    options.build(&schemas.json_schema(schema)).map_err(|error| error.to_string())
}

pub(super) fn validate(
    validator: &Result<Validator, String>,
    value: &Value,
    root: &str,
    findings: &mut Vec<Finding>,
) {
    let validator = match validator {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("the schema of the specification is not usable: {error}");
            findings.push(Finding::new(ContractRule::SchemaViolation, root, message));
            return;
        }
    };
    validate_with(validator, value, root, findings, |_, _| false);
}

/// Validates a value. `intercept` is called with the JSON pointer of each error; if it returns true, the error is skipped.
pub(super) fn validate_with(
    validator: &Validator,
    value: &Value,
    root: &str,
    findings: &mut Vec<Finding>,
    mut intercept: impl FnMut(&str, &mut Vec<Finding>) -> bool,
) {
    let mut indexes: HashMap<String, usize> = HashMap::new();
    for error in validator.iter_errors(value) {
        if intercept(error.instance_path().as_str(), findings) {
            continue;
        }
        let mut location = location::from_pointer(root, value, error.instance_path().as_str());
        let (rule, message) = classify(&error, &mut location);
        let finding = Finding::new(rule, location, message);
        // A value of the wrong type violates other keywords, too; one finding is sufficient.
        let earlier = indexes.get(&finding.location).copied();
        match earlier.map(|index| &mut findings[index]) {
            Some(earlier) if finding.rule == ContractRule::TypeMismatch => *earlier = finding,
            Some(earlier) if earlier.rule == ContractRule::TypeMismatch => {}
            Some(earlier) if earlier.rule == finding.rule => {}
            _ => {
                indexes.entry(finding.location.clone()).or_insert(findings.len());
                findings.push(finding);
            }
        }
    }
}

fn classify(error: &ValidationError<'_>, location: &mut String) -> (ContractRule, String) {
    use ValidationErrorKind as Error;
    let instance = error.instance();
    let rule = match error.kind() {
        Error::Type { .. } | Error::Enum { .. } if instance.is_null() => {
            return (ContractRule::UndeclaredNull, "null is not declared".into());
        }
        Error::Enum { .. } => {
            let message = format!("{} is not a declared value", summarize(instance));
            return (ContractRule::UndeclaredEnumValue, message);
        }
        Error::Required { property } => {
            location::field(location, property.as_str().unwrap_or_default());
            return (ContractRule::MissingField, "required, but missing".into());
        }
        Error::Type { kind } => {
            let message = format!("{} is not {}", summarize(instance), expected_types(kind));
            return (ContractRule::TypeMismatch, message);
        }
        Error::Format { .. } | Error::Pattern { .. } => ContractRule::FormatMismatch,
        Error::Minimum { .. }
        | Error::Maximum { .. }
        | Error::ExclusiveMinimum { .. }
        | Error::ExclusiveMaximum { .. }
        | Error::MultipleOf { .. }
        | Error::MinLength { .. }
        | Error::MaxLength { .. }
        | Error::MinItems { .. }
        | Error::MaxItems { .. }
        | Error::MinProperties { .. }
        | Error::MaxProperties { .. } => ContractRule::OutOfBounds,
        _ => ContractRule::SchemaViolation,
    };
    (rule, error.masked_with(summarize(instance)).to_string())
}

/// Returns the declared types for a message, null last.
fn expected_types(kind: &TypeKind) -> String {
    let types = match kind {
        TypeKind::Single(one) => JsonTypeSet::from(*one),
        TypeKind::Multiple(all) => *all,
    };
    let (null, other): (Vec<_>, Vec<_>) = types.iter().partition(|one| *one == JsonType::Null);
    let names = other.into_iter().chain(null).map(|one| match one {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    });
    names.collect::<Vec<_>>().join(" or ")
}

/// Formats a value for a message. Long values are shortened or described.
pub(super) fn summarize(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {} items", items.len()),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("{:?}…", text.chars().take(60).collect::<String>())
        }
        other => other.to_string(),
    }
}
