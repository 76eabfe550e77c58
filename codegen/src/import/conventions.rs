//! Conventions of `spec/README.md` that do not count as differences from a document.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::dialect::{ANY_MEDIA, check_enum};
use crate::surface::{Facts, Key, OperationSurface, Surface, is_below};

/// Keywords that `spec/` omits in responses.
pub(super) const OMITTED_IN_RESPONSES: [&str; 13] = [
    "required",
    "readOnly",
    "writeOnly",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
];

/// Conventions of a request.
fn request(location: &str, facts: &mut Facts) {
    facts.remove("readOnly");
    if location.starts_with("request.path.")
        || location.starts_with("request.query.")
        || location.ends_with("[]")
    {
        facts.remove("nullable");
    }
    match location.strip_prefix("request.body") {
        Some("") => drop(facts.remove("required")),
        Some(".filter") => {
            facts.remove("required");
            facts.remove("nullable");
        }
        Some(member) if member.starts_with(".filter.") && !member[8..].contains(['.', '[', '{']) => {
            facts.remove("required");
        }
        _ => {}
    }
}

/// Removes the facts that the conventions of `spec/README.md` define for all operations, so that they do not count as
/// differences:
///
/// - texts and the metadata of `x-s1` are the project's own, except the permissions;
/// - properties of responses are not required, bounded or read-only, and have no default;
/// - `nullable` of a parameter has no meaning;
/// - a declared request body is required;
/// - all error responses have the same media type;
/// - list items are not null, and an object without properties allows any members;
/// - an enum whose values have no Rust names is omitted; numbers have no format, and requests no `readOnly`;
/// - a filter is required, and its members are not.
pub fn conventions(surface: &mut Surface) {
    const TEXTS: [&str; 5] = ["description", "title", "secret", "selective", "unresolved"];
    for operation in surface.operations.values_mut() {
        operation.facts.retain(|name, _| ["security", "deprecated", "permissions"].contains(name));
        for (location, node) in &mut operation.locations {
            let facts = &mut node.facts;
            facts.retain(|name, _| !TEXTS.contains(name));
            if location.starts_with("response.") {
                facts.retain(|name, _| !OMITTED_IN_RESPONSES.contains(name));
            }
            if location.starts_with("request.") {
                request(location, facts);
            } else if location.ends_with("[]") {
                facts.remove("nullable");
            }
            let of_number = ["int32", "int64", "float", "double"];
            if facts.get("format").is_some_and(|format| of_number.iter().any(|one| format == one)) {
                facts.remove("format");
            }
            let values = facts.get("enum").and_then(Value::as_array);
            if values.is_some_and(|values| check_enum(&values.iter().collect::<Vec<_>>()).is_err()) {
                facts.remove("enum");
            }
            if let Some(Value::Object(composed)) = facts.get_mut("composed") {
                composed.remove("discriminator");
                if composed.is_empty() {
                    facts.remove("composed");
                }
            }
            // `produces` of Swagger applies to all responses of an operation, but means the success response.
            if location.starts_with("response.") && !location.starts_with("response.2") {
                facts.remove("media");
            }
            if facts.get("additionalProperties") == Some(&json!(true)) {
                facts.remove("additionalProperties");
            }
        }
    }
}

/// Applies the conventions that concern `spec/` and a document together:
///
/// - a format that the document does not state is that of `spec/`;
/// - a file has only its media type, and what `spec/` calls undocumented is not compared;
/// - the operations in `documented` have the shared pagination and error bodies.
pub(super) fn pairwise(ours: &mut Surface, theirs: &mut Surface, documented: &BTreeSet<Key>) {
    for (key, own) in &mut ours.operations {
        let Some(other) = theirs.operations.get_mut(key) else { continue };
        for (location, node) in &own.locations {
            let Some(their) = other.locations.get_mut(location) else { continue };
            let (format, is_text) =
                (node.facts.get("format"), their.facts.get("type") == Some(&json!("string")));
            if let Some(format) = format.filter(|_| is_text && !their.facts.contains_key("format")) {
                their.facts.insert("format", format.clone());
            }
        }
        let successes: Vec<String> = own
            .locations
            .keys()
            .chain(other.locations.keys())
            .filter(|location| is_status(location, "response.2"))
            .cloned()
            .collect();
        for location in successes {
            success(own, other, &location);
        }
        if documented.contains(key) {
            for operation in [own, other] {
                operation.locations.retain(|location, _| !is_shared(location));
                for (location, node) in &mut operation.locations {
                    if is_status(location, "response.") && !location.starts_with("response.2") {
                        node.facts.clear();
                    }
                    if location.starts_with("response.2") && location.ends_with(".data") {
                        node.facts.remove("nullable");
                    }
                }
            }
        }
    }
}

/// Returns whether a location is a response as a whole, whose status starts with these characters.
fn is_status(location: &str, start: &str) -> bool {
    location.starts_with(start) && location.matches('.').count() == 1 && !location.contains(['[', '{'])
}

/// Aligns a success response that is a file, or whose form no source states.
fn success(own: &mut OperationSurface, other: &mut OperationSurface, location: &str) {
    let media = |operation: &OperationSurface| {
        operation
            .locations
            .get(location)
            .and_then(|node| node.facts.get("media")?.as_str().map(str::to_owned))
    };
    let (ours, theirs) = (media(own), media(other));
    let is_file = ours.as_deref().is_some_and(|media| media != ANY_MEDIA && !media.contains("json"));
    if ours.as_deref() == Some(ANY_MEDIA) && theirs.is_none() {
        for operation in [own, other] {
            operation.locations.retain(|one, _| one != location && !is_below(one, location));
        }
    } else if is_file && ours == theirs {
        for operation in [own, other] {
            operation.locations.retain(|one, _| !is_below(one, location));
            if let Some(node) = operation.locations.get_mut(location) {
                node.facts.retain(|name, _| *name == "media");
            }
        }
    }
}

/// Returns whether a location is below the pagination of a response, or below an error response.
fn is_shared(location: &str) -> bool {
    let Some(rest) = location.strip_prefix("response.") else { return false };
    let (status, rest) = rest.split_at(rest.find(['.', '[', '{']).unwrap_or(rest.len()));
    if status.starts_with('2') {
        rest.starts_with(".pagination.") || rest.starts_with(".errors")
    } else {
        !rest.is_empty()
    }
}
