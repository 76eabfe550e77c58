//! A finding in plain words.

use serde_json::Value;

use super::compare::Change;
use super::rules::{Direction, Rule};

/// The sentence of a change.
pub(super) fn of(change: &Change) -> String {
    let what = subject(change);
    let (old, new) = (said(&change.old), said(&change.new));
    let fact = words(change.fact);
    let rest = match change.rule {
        Rule::OperationRemoved => "is not there any more".to_owned(),
        Rule::OperationAdded => "is new".to_owned(),
        Rule::OperationMoved => format!("moved to {new}"),
        Rule::OperationReshaped => format!("moved to {new}, which has other parameters"),
        Rule::OperationRenamed | Rule::OperationRelabelled => format!("is called {new} instead of {old}"),
        Rule::PathParameterRenamed => format!("names a part of its path {new} instead of {old}"),
        Rule::SecurityAdded => "asks for authentication".to_owned(),
        Rule::SecurityChanged => "asks for another authentication".to_owned(),
        Rule::SecurityRemoved => "does not ask for authentication any more".to_owned(),
        Rule::VersionRemoved => format!("is not on API {} any more", plain(&change.old)),
        Rule::VersionAdded => format!("is on API {} too", plain(&change.new)),
        Rule::FilterMandatory => "is refused without a filter".to_owned(),
        Rule::FilterChanged => changed("takes its filter as", &change.old, &change.new),
        Rule::KindChanged => changed("counts as", &change.old, &change.new),
        Rule::IdempotenceChanged => match change.new == true {
            true => "leaves the same state when it is sent twice".to_owned(),
            false => "may do more when it is sent twice".to_owned(),
        },
        Rule::DestructivenessChanged => match change.new == true {
            true => "counts as destructive".to_owned(),
            false => "does not count as destructive any more".to_owned(),
        },
        Rule::RateChanged => changed("has as its rate (class, a second, at once)", &change.old, &change.new),
        Rule::PermissionChanged => changed("needs the permission", &change.old, &change.new),
        Rule::PagingChanged => changed("is paged by", &change.old, &change.new),
        Rule::ListMemberChanged => changed("has its list in", &change.old, &change.new),
        Rule::ParameterRemoved | Rule::BodyRemoved | Rule::FieldRemoved => "is gone".to_owned(),
        Rule::ParameterAdded | Rule::BodyAdded | Rule::FieldAdded => "is new".to_owned(),
        Rule::RequiredParameterAdded | Rule::RequiredBodyAdded | Rule::RequiredFieldAdded => {
            "is new and has to be given".to_owned()
        }
        Rule::BecameRequired => match change.direction {
            Direction::Read => "is always there".to_owned(),
            _ => "has to be given".to_owned(),
        },
        Rule::BecameOptional => match change.direction {
            Direction::Read => "may be missing".to_owned(),
            _ => "may be left out".to_owned(),
        },
        Rule::TypeChanged => changed("has the type", &change.old, &change.new),
        Rule::FormatChanged => changed("has the format", &change.old, &change.new),
        Rule::StructureChanged => format!("is put together in another way ({fact})"),
        Rule::MapChanged => format!(
            "{} members of any name instead of {}",
            open(&change.new, "takes"),
            open(&change.old, "taking")
        ),
        Rule::MediaTypeChanged => changed("is written as", &change.old, &change.new),
        Rule::EnumValueRemoved => format!("does not know {old} any more"),
        Rule::EnumValueAdded => format!("also knows {new}"),
        Rule::EnumImposed => format!("is one of {new} instead of any text"),
        Rule::EnumLifted => format!("is any value instead of one of {old}"),
        Rule::BoundNarrowed | Rule::BoundWidened => {
            let way = if change.rule == Rule::BoundWidened { "widened" } else { "narrowed" };
            match (change.old.is_null(), change.new.is_null()) {
                (true, _) => format!("has {fact} {new}, where there was none"),
                (_, true) => format!("has no {fact} any more, where it was {old}"),
                _ => format!("has {fact} {way} from {old} to {new}"),
            }
        }
        Rule::PatternAdded => format!("has to fit {new}"),
        Rule::PatternChanged => format!("has to fit {new} instead of {old}"),
        Rule::PatternRemoved => format!("does not have to fit {old} any more"),
        Rule::BecameNullable => match change.direction {
            Direction::Read => {
                "may be null (this client takes null everywhere, strict readers do not)".to_owned()
            }
            _ => "may be null".to_owned(),
        },
        Rule::NoLongerNullable => match change.direction {
            Direction::Read => "is never null".to_owned(),
            _ => "may not be null any more".to_owned(),
        },
        Rule::DefaultChanged => changed("is taken, when it is left out, as", &change.old, &change.new),
        Rule::StyleChanged => changed("is written in the style", &change.old, &change.new),
        Rule::ExplodeChanged => match change.new == true {
            true => "is repeated for every element instead of joined".to_owned(),
            false => "is joined instead of repeated for every element".to_owned(),
        },
        Rule::AccessChanged => match (change.fact, change.new == true) {
            ("readOnly", true) => "is only for reading".to_owned(),
            ("readOnly", false) => "is not only for reading any more".to_owned(),
            (_, true) => "is only for writing".to_owned(),
            (_, false) => "is not only for writing any more".to_owned(),
        },
        Rule::SecretChanged => match change.new == true {
            true => "is a secret".to_owned(),
            false => "is no secret any more".to_owned(),
        },
        Rule::SelectsChanged => match change.new == false {
            true => "does not narrow what is selected any more".to_owned(),
            false => "narrows what is selected".to_owned(),
        },
        Rule::SuccessStatusAdded => "is new".to_owned(),
        Rule::SuccessStatusRemoved => "is gone".to_owned(),
        Rule::SuccessStatusChanged => {
            format!("comes with status {} instead of {}", plain(&change.new), plain(&change.old))
        }
        Rule::ErrorStatusAdded => "is new among the failures".to_owned(),
        Rule::ErrorStatusRemoved => "is not among the failures any more".to_owned(),
        Rule::Deprecated => "is deprecated".to_owned(),
        Rule::Undeprecated => "is not deprecated any more".to_owned(),
        Rule::TextChanged => format!("has another {fact}"),
    };
    format!("{what} {rest}")
}

/// What the sentence is about.
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
            Rule::OperationRenamed | Rule::OperationRelabelled => format!("`{}`", change.request),
            _ => "the operation".to_owned(),
        };
    }
    let end = if change.direction == Direction::Read { "answers" } else { "requests" };
    if change.in_schema {
        return format!("`{}` in {end}", change.owner);
    }
    place(&change.place)
}

/// A place in words.
fn place(place: &str) -> String {
    if let Some(rest) = place.strip_prefix("request.") {
        return match rest.split_once('.') {
            Some(("body", field)) => format!("`{field}` of the body"),
            Some((site, name)) => format!("the {site} parameter `{name}`"),
            None if rest == "body" => "the body of the request".to_owned(),
            None => format!("`{}` of the body", rest.trim_start_matches("body")),
        };
    }
    let rest = place.strip_prefix("response.").unwrap_or(place);
    match rest.find(['.', '[', '{']) {
        Some(at) => {
            let (status, field) = rest.split_at(at);
            format!("`{}` of the answer {status}", field.trim_start_matches('.'))
        }
        None => format!("the answer {rest}"),
    }
}

fn changed(verb: &str, old: &Value, new: &Value) -> String {
    format!("{verb} {} instead of {}", said(new), said(old))
}

fn open(value: &Value, verb: &str) -> String {
    match value {
        Value::Bool(true) => format!("{verb} any"),
        Value::String(_) => format!("{verb} typed"),
        _ => format!("{verb} no"),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(" and "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value in a sentence, cut where it is long.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => format!("`{}`", short(text)),
        Value::Array(all) if all.iter().all(|one| !one.is_array() && !one.is_object()) => {
            let shown: Vec<String> = all.iter().take(8).map(said).collect();
            let more = match all.len().saturating_sub(8) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            shown.join(", ") + &more
        }
        Value::Array(_) | Value::Object(_) => format!("`{}`", short(&value.to_string())),
        other => format!("`{other}`"),
    }
}

fn short(text: &str) -> String {
    let text = text.replace('`', "'");
    if text.chars().count() <= 80 {
        return text;
    }
    text.chars().take(79).chain(['…']).collect()
}

/// A keyword in words.
fn words(keyword: &str) -> String {
    match keyword {
        "minimum" => "a least value of",
        "maximum" => "a greatest value of",
        "exclusiveMinimum" => "an open lower end of",
        "exclusiveMaximum" => "an open upper end of",
        "multipleOf" => "steps of",
        "minLength" => "a least length of",
        "maxLength" => "a greatest length of",
        "minItems" => "a least number of elements of",
        "maxItems" => "a greatest number of elements of",
        "uniqueItems" => "uniqueness of elements",
        other => return other.to_owned(),
    }
    .to_owned()
}
