//! What `spec/` has to be told so that it says what the document says.

use serde_json::{Value, json};

use super::lossy::{Loss, below};
use super::operations::Operations;
use super::{Difference, Import, NOT_READ, What};
use crate::bundle::members;
use crate::rewrite::{Change, NewOperation};
use crate::surface::Key;

/// The changes of an import, and the differences that no change can settle, each with the reason.
pub fn changes(import: &Import, listed: &Operations, date: &str) -> (Vec<Change>, Vec<(Difference, String)>) {
    let (mut changes, mut left) = (Vec::new(), Vec::new());
    for id in &import.new {
        let Some(one) = listed.get(id) else { continue };
        let Some(mut node) = operation(&import.corrected, &one.key()).cloned() else { continue };
        let reference = node["x-reference"].as_str().unwrap_or_default().to_owned();
        settle(&mut node);
        changes.push(Change::AddOperation {
            operation: Box::new(NewOperation {
                key: one.key(),
                path: one.path.clone(),
                id: id.clone(),
                file: one.file.clone(),
                node,
                reference,
                date: date.to_owned(),
            }),
        });
    }
    // A list that becomes an object is one change, and nothing of it can be made without the rest.
    let shaped =
        |value: &Option<Value>| matches!(value.as_ref().and_then(Value::as_str), Some("object" | "array"));
    let recast: Vec<(&Key, &str)> = import
        .differences
        .iter()
        .filter(|one| {
            matches!(&one.what, What::Fact { name: "type", ours, theirs } if shaped(ours) || shaped(theirs))
        })
        .map(|one| (&one.key, one.place.as_str()))
        .collect();
    for difference in &import.differences {
        let part_of = |(key, place): &(&Key, &str)| {
            **key == difference.key && (difference.place == *place || below(&difference.place, place))
        };
        if recast.iter().any(part_of) {
            let reason = "It is part of another form: a list, an object or a value has become another one of them. Write \
                          it by hand, with what it means for the client.";
            left.push((difference.clone(), reason.to_owned()));
            continue;
        }
        match change(import, difference) {
            Ok(change) => changes.push(change),
            Err(reason) => left.push((difference.clone(), reason)),
        }
    }
    (changes, left)
}

/// What changes have in common that may be one change at several places: what becomes of a fact, whatever the fields
/// are called that refer to it, or the name of a field.
pub(super) fn kind(change: &Change) -> String {
    let last = |place: &str| place.rsplit('.').next().unwrap_or_default().to_owned();
    match change {
        Change::Fact { fact, value, .. } => format!("fact {fact} {value:?}"),
        Change::Add { place, .. } => format!("add {}", last(place)),
        Change::Remove { place, .. } => format!("remove {}", last(place)),
        Change::AddStatus { status, .. } => format!("status {status}"),
        Change::RemoveStatus { status, .. } => format!("no status {status}"),
        Change::AddOperation { operation } => format!("operation {}", operation.id),
    }
}

/// What a change does, in a few words.
pub(super) fn name(import: &Import, change: &Change) -> String {
    let id = |key: &Key| match import.ours.operations.get(key) {
        Some(operation) => operation.id.clone(),
        None => key.to_string(),
    };
    match change {
        Change::Fact { operation, place, fact, value: Some(value) } => {
            format!("{} {place}: {fact} is {value}", id(operation))
        }
        Change::Fact { operation, place, fact, value: None } => {
            format!("{} {place}: no {fact}", id(operation))
        }
        Change::Add { operation, place, .. } => format!("{} {place}: new", id(operation)),
        Change::Remove { operation, place } => format!("{} {place}: gone", id(operation)),
        Change::AddStatus { operation, status } => format!("{} response.{status}: new", id(operation)),
        Change::RemoveStatus { operation, status } => format!("{} response.{status}: gone", id(operation)),
        Change::AddOperation { operation } => format!("{}: new", operation.id),
    }
}

fn change(import: &Import, difference: &Difference) -> Result<Change, String> {
    let Difference { key, place, what, .. } = difference;
    if place.is_empty() {
        return Err(match what {
            What::Ours => {
                "The document does not have the operation. When it is gone for good, remove its line from \
                           operations.toml, its path item, and what depends on it."
                    .to_owned()
            }
            _ => "It is about the operation as a whole, which people decide on.".to_owned(),
        });
    }
    let (operation, place) = (key.clone(), place.clone());
    if let Some(status) = status(&place) {
        let status = status.to_owned();
        return match what {
            What::Theirs => Ok(Change::AddStatus { operation, status }),
            What::Ours => Ok(Change::RemoveStatus { operation, status }),
            What::Fact { name, theirs, .. } => {
                Ok(Change::Fact { operation, place, fact: (*name).to_owned(), value: theirs.clone() })
            }
        };
    }
    match what {
        What::Ours => Ok(Change::Remove { operation, place }),
        What::Fact { name, theirs, .. } => {
            Ok(Change::Fact { operation, place, fact: (*name).to_owned(), value: theirs.clone() })
        }
        What::Theirs => {
            let (node, required) = find(&import.corrected, key, &place)
                .ok_or_else(|| "The place cannot be followed in the document.".to_owned())?;
            if uncertain(node) && import.profile.losses.iter().any(|loss| guesses(*loss)) {
                return Err("The document does not know its type for certain; write it by hand.".to_owned());
            }
            let answer = place.starts_with("response.");
            let mut node = node.clone();
            clean(&mut node, answer, false);
            Ok(Change::Add { operation, place, node, required: required && !answer })
        }
    }
}

/// The status, where the place is an answer as a whole.
fn status(place: &str) -> Option<&str> {
    let status = place.strip_prefix("response.")?;
    status.chars().all(|c| c.is_ascii_alphanumeric()).then_some(status)
}

/// Whether a loss leaves a type uncertain.
fn guesses(loss: Loss) -> bool {
    matches!(loss, Loss::IntegerOrNumber | Loss::ObjectOrAny | Loss::ParameterEnums)
}

fn uncertain(node: &Value) -> bool {
    const MARKS: [&str; 3] = ["x-enum-lost", "x-number-kind", "x-object-or-any"];
    match node {
        Value::Object(map) => MARKS.iter().any(|mark| map.contains_key(*mark)) || map.values().any(uncertain),
        Value::Array(list) => list.iter().any(uncertain),
        _ => false,
    }
}

fn operation<'a>(document: &'a Value, key: &Key) -> Option<&'a Value> {
    let mut items = members(document, "/paths");
    let (_, item) = items.find(|(path, item)| {
        Key::new(&key.method, path) == *key && item.get(key.method.as_str()).is_some()
    })?;
    item.get(key.method.as_str())
}

/// The node of a place, and whether it has to be there. For a parameter the parameter itself.
fn find<'a>(document: &'a Value, key: &Key, place: &str) -> Option<(&'a Value, bool)> {
    let operation = operation(document, key)?;
    if let Some((name, place_in)) = place
        .strip_prefix("request.query.")
        .map(|name| (name, "query"))
        .or_else(|| place.strip_prefix("request.path.").map(|name| (name, "path")))
        && let Some(parameter) = operation["parameters"]
            .as_array()?
            .iter()
            .find(|one| one["name"] == name && one["in"] == place_in)
    {
        return Some((parameter, parameter["required"] == true));
    }
    let (mut node, mut rest) = if let Some(rest) = place.strip_prefix("request.body") {
        (content(&operation["requestBody"])?, rest)
    } else if let Some(rest) = place.strip_prefix("response.") {
        let end = rest.find(['.', '[', '{']).unwrap_or(rest.len());
        let (status, rest) = rest.split_at(end);
        (content(operation["responses"].get(status)?)?, rest)
    } else {
        // Inside of a parameter, as the elements of a list are.
        let rest = place.strip_prefix("request.query.").or_else(|| place.strip_prefix("request.path."))?;
        let end = rest.find(['.', '[', '{']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let mut parameters = operation["parameters"].as_array()?.iter();
        (&parameters.find(|one| one["name"] == name)?["schema"], rest)
    };
    let mut required = false;
    while !rest.is_empty() {
        required = false;
        if let Some(after) = rest.strip_prefix("[]") {
            (node, rest) = (node.get("items")?, after);
        } else if let Some(after) = rest.strip_prefix("{}") {
            (node, rest) = (node.get("additionalProperties")?, after);
        } else {
            // A name may hold a dot: the longest one that is there.
            let after = rest.strip_prefix('.')?;
            let properties = node["properties"].as_object()?;
            let name = properties
                .keys()
                .filter(|name| {
                    after
                        .strip_prefix(name.as_str())
                        .is_some_and(|end| end.is_empty() || end.starts_with(['.', '[', '{']))
                })
                .max_by_key(|name| name.len())?;
            required = node["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            (node, rest) = (properties.get(name)?, &after[name.len()..]);
        }
    }
    Some((node, required))
}

fn content(node: &Value) -> Option<&Value> {
    let content = node["content"].as_object()?;
    let body = content.get("application/json").or_else(|| content.values().next())?;
    Some(&body["schema"])
}

/// Takes the conventions of `spec/README.md` to a new operation.
fn settle(operation: &mut Value) {
    if let Some(map) = operation.as_object_mut() {
        map.retain(|name, _| !name.starts_with("x-"));
    }
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        clean(parameter, false, false);
        if let Some(schema) = parameter["schema"].as_object_mut() {
            schema.remove("nullable");
        }
    }
    let content = |node: &mut Value, answer: bool| {
        let content = node.get_mut("content").and_then(Value::as_object_mut);
        for body in content.into_iter().flat_map(|content| content.values_mut()) {
            clean(&mut body["schema"], answer, false);
        }
    };
    if let Some(body) = operation.get_mut("requestBody") {
        content(body, false);
        body["required"] = json!(true);
    }
    for answer in operation["responses"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        content(answer, true);
    }
}

/// Takes out what `spec/` does not say of a schema: extensions, examples and titles; in an answer also what is
/// required, bounds and defaults. `names` tells that the members are fields and not keywords.
fn clean(node: &mut Value, answer: bool, names: bool) {
    const NEVER: [&str; 4] = ["example", "examples", "title", "xml"];
    match node {
        Value::Object(map) if names => map.values_mut().for_each(|value| clean(value, answer, false)),
        Value::Object(map) => {
            let unsaid = |name: &str| {
                name.starts_with("x-") || NEVER.contains(&name) || (answer && NOT_READ.contains(&name))
            };
            map.retain(|name, _| !unsaid(name));
            if let Some(Value::Object(items)) = map.get_mut("items") {
                items.remove("nullable");
            }
            for (name, value) in map.iter_mut() {
                if !matches!(name.as_str(), "enum" | "default" | "required") {
                    clean(value, answer, name == "properties");
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| clean(value, answer, false)),
        _ => {}
    }
}
