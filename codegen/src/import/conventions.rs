//! Conventions of `spec/README.md` that do not count as differences from a document.

use serde_json::json;

use crate::surface::Surface;

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

/// Removes the facts that the conventions of `spec/README.md` define for all operations, so that they do not count as
/// differences:
///
/// - texts and the metadata of `x-s1` are the project's own, except the permissions;
/// - properties of responses are not required, bounded or read-only, and have no default;
/// - `nullable` of a parameter has no meaning;
/// - a declared request body is required;
/// - all error responses have the same media type;
/// - list items are not null, and an object without properties allows any members.
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
            if location.starts_with("request.path.")
                || location.starts_with("request.query.")
                || location.ends_with("[]")
            {
                facts.remove("nullable");
            }
            if location == "request.body" {
                facts.remove("required");
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
