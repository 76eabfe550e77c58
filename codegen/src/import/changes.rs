//! Changes that make `spec/` match the document.

use serde_json::{Value, json};

use super::comparison::{Difference, DifferenceKind, Import};
use super::conventions::OMITTED_IN_RESPONSES;
use super::operations::Operations;
use crate::bundle::members;
use crate::metadata;
use crate::spec_update::{Change, NewOperation};
use crate::surface::{Key, is_below};

/// Returns the changes of an import, and the differences that require a manual change, each with the reason.
pub fn changes(import: &Import, listed: &Operations, date: &str) -> (Vec<Change>, Vec<(Difference, String)>) {
    let (mut changes, mut manual) = (Vec::new(), Vec::new());
    let new: Operations = listed
        .iter()
        .filter(|(id, _)| import.new.contains(id))
        .map(|(id, one)| (id.clone(), one.clone()))
        .collect();
    changes.extend(new_operations(&import.corrected, &new, date));
    // If a list becomes an object or the reverse, none of its differences can be applied separately.
    let is_container =
        |value: &Option<Value>| matches!(value.as_ref().and_then(Value::as_str), Some("object" | "array"));
    let restructured: Vec<(&Key, &str)> = import
        .differences
        .iter()
        .filter(|one| {
            matches!(&one.kind, DifferenceKind::Fact { name: "type", ours, theirs } if is_container(ours) || is_container(theirs))
        })
        .map(|one| (&one.key, one.location.as_str()))
        .collect();
    for difference in &import.differences {
        let part_of = |(key, location): &(&Key, &str)| {
            **key == difference.key
                && (difference.location == *location || is_below(&difference.location, location))
        };
        if restructured.iter().any(part_of) {
            let reason = "a list, an object or a value has become another one of these; change it manually, \
                          together with the client";
            manual.push((difference.clone(), reason.to_owned()));
            continue;
        }
        match change(import, difference) {
            Ok(change) => changes.push(change),
            Err(reason) => manual.push((difference.clone(), reason)),
        }
    }
    (changes, manual)
}

/// Returns the changes that add operations of a document whose references are resolved.
pub(super) fn new_operations(document: &Value, entries: &Operations, date: &str) -> Vec<Change> {
    let mut operations = Vec::new();
    for (id, one) in entries {
        let Some(mut node) = operation(document, &one.key()).cloned() else { continue };
        let reference = node["x-reference"].as_str().unwrap_or_default().to_owned();
        apply_conventions(&mut node);
        operations.push(NewOperation {
            key: one.key(),
            path: one.path.clone(),
            id: id.clone(),
            file: one.file.clone(),
            node,
            reference,
            date: date.to_owned(),
        });
    }
    // A filter schema of a small list of parameters can be part of a larger one, but not the reverse.
    operations.sort_by_key(|one| {
        let parameters = one.node["parameters"].as_array().map_or(0, Vec::len);
        (parameters, one.key.method != "get", one.path.clone())
    });
    operations.into_iter().map(|operation| Change::AddOperation { operation: Box::new(operation) }).collect()
}

/// Describes a change.
pub(super) fn describe(import: &Import, change: &Change) -> String {
    let id = |key: &Key| match import.ours.operations.get(key) {
        Some(operation) => operation.id.clone(),
        None => key.to_string(),
    };
    match change {
        Change::Keyword { operation, location, keyword, value: Some(value) } => {
            format!("{} {location}: set {keyword} to {value}", id(operation))
        }
        Change::Keyword { operation, location, keyword, value: None } => {
            format!("{} {location}: remove {keyword}", id(operation))
        }
        Change::Add { operation, location, .. } => format!("{} {location}: add", id(operation)),
        Change::Remove { operation, location } => format!("{} {location}: remove", id(operation)),
        Change::AddStatus { operation, status } => format!("{} response.{status}: add", id(operation)),
        Change::RemoveStatus { operation, status } => format!("{} response.{status}: remove", id(operation)),
        Change::Fact { operation, name, value: Some(value) } => {
            format!("{} {name}: set to {value}", id(operation))
        }
        Change::Fact { operation, name, value: None } => format!("{} {name}: remove", id(operation)),
        Change::AddOperation { operation } => format!("{} operation: add", operation.id),
        Change::Rename { operation, location, to } => format!("{} {location}: rename to {to}", id(operation)),
        Change::Move { operation, path } => format!("{} path: move to {path}", id(operation)),
    }
}

fn change(import: &Import, difference: &Difference) -> Result<Change, String> {
    let Difference { key, location, kind, .. } = difference;
    if location.is_empty() {
        return match kind {
            DifferenceKind::Fact { name: name @ ("deprecated" | "permissions"), theirs, .. } => {
                Ok(Change::Fact { operation: key.clone(), name, value: theirs.clone() })
            }
            DifferenceKind::Moved { to, .. } => Ok(Change::Move { operation: key.clone(), path: to.clone() }),
            DifferenceKind::Ours => Err(
                "the document does not have the operation; if SentinelOne has removed it, add `deprecated: true` and \
                 x-s1.end with `removed: true` while something uses it, else remove its line from operations.toml, its \
                 path item and its fixtures"
                    .to_owned(),
            ),
            _ => Err("a change of the operation as a whole requires a manual change".to_owned()),
        };
    }
    let (operation, location) = (key.clone(), location.clone());
    if let Some(status) = status(&location) {
        let status = status.to_owned();
        return match kind {
            DifferenceKind::Theirs => Ok(Change::AddStatus { operation, status }),
            DifferenceKind::Ours => Ok(Change::RemoveStatus { operation, status }),
            DifferenceKind::Renamed { .. } | DifferenceKind::Moved { .. } => {
                Err("a status has no name".to_owned())
            }
            DifferenceKind::Fact { name, theirs, .. } => Ok(Change::Keyword {
                operation,
                location,
                keyword: (*name).to_owned(),
                value: theirs.clone(),
            }),
        };
    }
    match kind {
        DifferenceKind::Ours => Ok(Change::Remove { operation, location }),
        DifferenceKind::Renamed { to, .. } => Ok(Change::Rename { operation, location, to: to.clone() }),
        DifferenceKind::Moved { .. } => Err("only an operation moves".to_owned()),
        DifferenceKind::Fact { name, theirs, .. } => {
            Ok(Change::Keyword { operation, location, keyword: (*name).to_owned(), value: theirs.clone() })
        }
        DifferenceKind::Theirs => {
            let (node, required) = find(&import.corrected, import.their_key(key), &location)
                .ok_or_else(|| "the document does not have the location".to_owned())?;
            let in_response = location.starts_with("response.");
            let mut node = node.clone();
            clean(&mut node, in_response, false);
            Ok(Change::Add { operation, location, node, required: required && !in_response })
        }
    }
}

/// Returns the status if the location is a response as a whole.
fn status(location: &str) -> Option<&str> {
    let status = location.strip_prefix("response.")?;
    status.chars().all(|c| c.is_ascii_alphanumeric()).then_some(status)
}

fn operation<'a>(document: &'a Value, key: &Key) -> Option<&'a Value> {
    let mut items = members(document, "/paths");
    let (_, item) = items.find(|(path, item)| {
        Key::new(&key.method, path) == *key && item.get(key.method.as_str()).is_some()
    })?;
    item.get(key.method.as_str())
}

/// Returns the node of a location, and whether it is required. For a parameter, this is the parameter object.
fn find<'a>(document: &'a Value, key: &Key, location: &str) -> Option<(&'a Value, bool)> {
    let operation = operation(document, key)?;
    let parts = [("request.query.", "query"), ("request.path.", "path"), ("request.headers.", "header")];
    if let Some((name, part)) =
        parts.into_iter().find_map(|(root, part)| Some((location.strip_prefix(root)?, part)))
        && let Some(parameter) =
            operation["parameters"].as_array()?.iter().find(|one| one["name"] == name && one["in"] == part)
    {
        return Some((parameter, parameter["required"] == true));
    }
    let (mut node, mut rest) = if let Some(rest) = location.strip_prefix("request.body") {
        (content(&operation["requestBody"])?, rest)
    } else if let Some(rest) = location.strip_prefix("response.") {
        let end = rest.find(['.', '[', '{']).unwrap_or(rest.len());
        let (status, rest) = rest.split_at(end);
        (content(operation["responses"].get(status)?)?, rest)
    } else {
        // Inside a parameter, for example the items of a list.
        let rest =
            location.strip_prefix("request.query.").or_else(|| location.strip_prefix("request.path."))?;
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
            // A name may contain a dot: the longest matching name counts.
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

/// Applies the conventions of `spec/README.md` to a new operation.
fn apply_conventions(operation: &mut Value) {
    if let Some(map) = operation.as_object_mut() {
        map.retain(|name, _| name == metadata::KEY || !name.starts_with("x-"));
    }
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        clean(parameter, false, false);
        if let Some(schema) = parameter["schema"].as_object_mut() {
            schema.remove("nullable");
        }
    }
    let content = |node: &mut Value, in_response: bool| {
        let content = node.get_mut("content").and_then(Value::as_object_mut);
        for body in content.into_iter().flat_map(|content| content.values_mut()) {
            clean(&mut body["schema"], in_response, false);
        }
    };
    if let Some(body) = operation.get_mut("requestBody") {
        content(body, false);
        body["required"] = json!(true);
    }
    for response in operation["responses"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        content(response, true);
    }
}

/// Removes the keywords of a schema that `spec/` does not have: extensions, examples and titles; in a response also
/// `required`, bounds and defaults. `names` means that the keys of the node are property names.
fn clean(node: &mut Value, in_response: bool, names: bool) {
    const REMOVED: [&str; 4] = ["example", "examples", "title", "xml"];
    match node {
        Value::Object(map) if names => map.values_mut().for_each(|value| clean(value, in_response, false)),
        Value::Object(map) => {
            let is_removed = |name: &str| {
                name.starts_with("x-")
                    || REMOVED.contains(&name)
                    || (in_response && OMITTED_IN_RESPONSES.contains(&name))
            };
            map.retain(|name, _| !is_removed(name));
            if let Some(Value::Object(items)) = map.get_mut("items") {
                items.remove("nullable");
            }
            for (name, value) in map.iter_mut() {
                if !matches!(name.as_str(), "enum" | "default" | "required") {
                    clean(value, in_response, name == "properties");
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| clean(value, in_response, false)),
        _ => {}
    }
}
