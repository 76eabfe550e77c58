//! Messages of findings.

use serde_json::Value;

use super::compare::Change;
use super::rules::{Direction, Rule};

/// Returns the message of a change.
pub(super) fn describe(change: &Change) -> String {
    let subject = subject(change);
    let (old, new) = (quoted(&change.old), quoted(&change.new));
    let fact = change.fact;
    let sure = change.confidence.map(|percent| format!(" ({percent} % sure)")).unwrap_or_default();
    let predicate = match change.rule {
        Rule::OperationRemoved => "is removed".to_owned(),
        Rule::OperationAdded => "is new".to_owned(),
        Rule::OperationMoved => format!("moved to {new}{sure}"),
        Rule::OperationReshaped => format!("moved to {new}, which has other parameters{sure}"),
        Rule::OperationRenamed | Rule::OperationIdChanged => format!("is renamed from {old} to {new}"),
        Rule::PathParameterRenamed => format!("has the path parameter {old} renamed to {new}"),
        Rule::SecurityAdded => "requires authentication".to_owned(),
        Rule::SecurityChanged => "requires another authentication".to_owned(),
        Rule::SecurityRemoved => "does not require authentication any more".to_owned(),
        Rule::VersionRemoved => format!("is removed from API {}", plain(&change.old)),
        Rule::VersionAdded => format!("is available on API {} too", plain(&change.new)),
        Rule::FilterRequired => "requires a filter".to_owned(),
        Rule::FilterChanged => changed("has the filter requirement", &change.old, &change.new),
        Rule::KindChanged => changed("is of kind", &change.old, &change.new),
        Rule::IdempotenceChanged => match change.new == true {
            true => "is idempotent".to_owned(),
            false => "is not idempotent any more".to_owned(),
        },
        Rule::DestructivenessChanged => match change.new == true {
            true => "is destructive".to_owned(),
            false => "is not destructive any more".to_owned(),
        },
        Rule::RateLimitChanged => {
            changed("has the rate limit (class, per second, burst)", &change.old, &change.new)
        }
        Rule::PermissionChanged => changed("requires the permissions", &change.old, &change.new),
        Rule::PagingChanged => changed("has the pagination", &change.old, &change.new),
        Rule::ListMemberChanged => changed("has its list in", &change.old, &change.new),
        Rule::ParameterRemoved | Rule::BodyRemoved | Rule::FieldRemoved => "is removed".to_owned(),
        Rule::ParameterAdded | Rule::BodyAdded | Rule::FieldAdded => "is new".to_owned(),
        Rule::RequiredParameterAdded | Rule::RequiredBodyAdded | Rule::RequiredFieldAdded => {
            "is new and required".to_owned()
        }
        Rule::ParameterRenamed | Rule::FieldRenamed => format!("is renamed to {new}{sure}"),
        Rule::BecameRequired => match change.direction {
            Direction::Response => "is always present".to_owned(),
            _ => "is required".to_owned(),
        },
        Rule::BecameOptional => match change.direction {
            Direction::Response => "may be missing".to_owned(),
            _ => "is optional".to_owned(),
        },
        Rule::TypeChanged => changed("has the type", &change.old, &change.new),
        Rule::FormatChanged => changed("has the format", &change.old, &change.new),
        Rule::StructureChanged => format!("has another structure ({fact})"),
        Rule::AdditionalPropertiesChanged => format!(
            "allows {} additional properties instead of {}",
            additional_properties(&change.new),
            additional_properties(&change.old)
        ),
        Rule::MediaTypeChanged => changed("has the media type", &change.old, &change.new),
        Rule::EnumValueRemoved => format!("does not have {} {old} any more", enum_values(&change.old)),
        Rule::EnumValueAdded => format!("has the new {} {new}", enum_values(&change.new)),
        Rule::EnumAdded => format!("is an enum of {new} instead of any value"),
        Rule::EnumRemoved => format!("is any value instead of an enum of {old}"),
        Rule::BoundNarrowed | Rule::BoundWidened => bound(change.fact, &change.old, &change.new),
        Rule::PatternAdded => format!("has the new pattern {new}"),
        Rule::PatternChanged => format!("has the pattern {new} instead of {old}"),
        Rule::PatternRemoved => format!("does not have the pattern {old} any more"),
        Rule::BecameNullable => match change.direction {
            Direction::Response => {
                "may be null (this client accepts null everywhere, strict clients do not)".to_owned()
            }
            _ => "may be null".to_owned(),
        },
        Rule::NoLongerNullable => match change.direction {
            Direction::Response => "is never null".to_owned(),
            _ => "must not be null".to_owned(),
        },
        Rule::DefaultChanged => changed("has the default", &change.old, &change.new),
        Rule::StyleChanged => changed("has the style", &change.old, &change.new),
        Rule::ExplodeChanged => match change.new == true {
            true => "is repeated for each item instead of joined".to_owned(),
            false => "is joined instead of repeated for each item".to_owned(),
        },
        Rule::ReadOnlyChanged => match (change.fact, change.new == true) {
            ("readOnly", true) => "is read-only".to_owned(),
            ("readOnly", false) => "is not read-only any more".to_owned(),
            (_, true) => "is write-only".to_owned(),
            (_, false) => "is not write-only any more".to_owned(),
        },
        Rule::SecretChanged => match change.new == true {
            true => "is a secret".to_owned(),
            false => "is not a secret any more".to_owned(),
        },
        Rule::SelectiveChanged => match change.new == false {
            true => "is not selective any more".to_owned(),
            false => "is selective".to_owned(),
        },
        Rule::SuccessStatusAdded => "is new".to_owned(),
        Rule::SuccessStatusRemoved => "is removed".to_owned(),
        Rule::SuccessStatusChanged => {
            format!("has the status {} instead of {}", plain(&change.new), plain(&change.old))
        }
        Rule::ErrorStatusAdded => "is a new error response".to_owned(),
        Rule::ErrorStatusRemoved => "is removed from the error responses".to_owned(),
        Rule::Deprecated => "is deprecated".to_owned(),
        Rule::Undeprecated => "is not deprecated any more".to_owned(),
        Rule::DescriptionChanged => format!("has another {fact}"),
    };
    format!("{subject} {predicate}")
}

/// Returns the subject of the message.
fn subject(change: &Change) -> String {
    if change.direction == Direction::Operation {
        return match change.rule {
            Rule::OperationAdded | Rule::OperationRemoved => match change.operation == change.request {
                true => format!("`{}`", change.request),
                false => format!("`{}` ({})", change.operation, change.request),
            },
            Rule::OperationMoved | Rule::OperationReshaped => {
                format!("`{}` ({})", change.operation, change.owner)
            }
            Rule::OperationRenamed | Rule::OperationIdChanged => format!("`{}`", change.request),
            _ => "the operation".to_owned(),
        };
    }
    let side = if change.direction == Direction::Response { "responses" } else { "requests" };
    if change.in_schema {
        return format!("`{}` in {side}", change.owner);
    }
    location(&change.location)
}

/// Describes a location.
fn location(location: &str) -> String {
    if let Some(rest) = location.strip_prefix("request.") {
        return match rest.split_once('.') {
            Some(("body", field)) => format!("`{field}` of the request body"),
            Some((part, name)) => format!("the {part} parameter `{name}`"),
            None if rest == "body" => "the request body".to_owned(),
            None => format!("`{}` of the request body", rest.trim_start_matches("body")),
        };
    }
    let rest = location.strip_prefix("response.").unwrap_or(location);
    match rest.find(['.', '[', '{']) {
        Some(at) => {
            let (status, field) = rest.split_at(at);
            format!("`{}` of the response {status}", field.trim_start_matches('.'))
        }
        None => format!("the response {rest}"),
    }
}

fn changed(verb: &str, old: &Value, new: &Value) -> String {
    format!("{verb} {} instead of {}", quoted(new), quoted(old))
}

fn additional_properties(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "any",
        Value::String(_) => "typed",
        _ => "no",
    }
}

fn enum_values(values: &Value) -> &'static str {
    if values.as_array().is_some_and(|all| all.len() == 1) { "enum value" } else { "enum values" }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(" and "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Formats a value for a message, and truncates long values.
fn quoted(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => format!("`{}`", truncated(text)),
        Value::Array(all) if all.iter().all(|one| !one.is_array() && !one.is_object()) => {
            let values: Vec<String> = all.iter().take(8).map(quoted).collect();
            let more = match all.len().saturating_sub(8) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            values.join(", ") + &more
        }
        Value::Array(_) | Value::Object(_) => format!("`{}`", truncated(&value.to_string())),
        other => format!("`{other}`"),
    }
}

fn truncated(text: &str) -> String {
    let text = text.replace('`', "'");
    if text.chars().count() <= 80 {
        return text;
    }
    text.chars().take(79).chain(['…']).collect()
}

/// Returns the predicate for a changed bound.
fn bound(keyword: &str, old: &Value, new: &Value) -> String {
    let is_set = |value: &Value| !value.is_null() && value != false;
    let name = match keyword {
        "minimum" => "minimum",
        "maximum" => "maximum",
        "minLength" => "minimum length",
        "maxLength" => "maximum length",
        "minItems" => "minimum number of items",
        "maxItems" => "maximum number of items",
        "multipleOf" => "`multipleOf`",
        // The other keywords are booleans.
        boolean => {
            let excluded = match boolean {
                "exclusiveMinimum" => "its minimum",
                "exclusiveMaximum" => "its maximum",
                _ => "duplicate items",
            };
            return match is_set(new) {
                true => format!("excludes {excluded}"),
                false => format!("allows {excluded}"),
            };
        }
    };
    match (is_set(old), is_set(new)) {
        (false, _) => format!("has the new {name} {}", quoted(new)),
        (_, false) => format!("does not have the {name} {} any more", quoted(old)),
        _ => format!("has the {name} {} instead of {}", quoted(new), quoted(old)),
    }
}
