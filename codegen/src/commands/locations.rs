//! Locations in the requests and responses of operations.

use serde_json::Value;

use crate::bundle::{Bundle, Operation, members, reference};
use crate::dialect::{Envelope, envelope};

/// Lowest similarity of a suggested name.
const MIN_SIMILARITY: f64 = 0.6;

/// Returns the schema behind references.
pub(super) fn dereference<'a>(bundle: &'a Bundle, mut schema: &'a Value) -> &'a Value {
    while let Some(target) = reference(schema).and_then(|name| bundle.schema(name)) {
        schema = target;
    }
    schema
}

/// Returns the schema of one item of the response, or of its only object. `items` is the list below the data, if it is
/// not that of the operation.
///
/// # Errors
/// Returns the problem if the response has no such schema.
pub(super) fn item<'a>(
    bundle: &'a Bundle,
    operation: Operation<'a>,
    items: Option<&str>,
) -> Result<&'a Value, String> {
    let id = operation.id();
    let schema = match envelope(bundle, operation)? {
        Envelope::Page(schema) | Envelope::Data(schema) | Envelope::Json(schema) => schema,
        _ => return Err(format!("the response of {id} has no data")),
    };
    let root = match reference(schema) {
        Some(name) => bundle.schema(name).ok_or_else(|| format!("the response of {id} has no schema"))?,
        None => schema,
    };
    match items {
        Some(path) => field(bundle, root, path).map_err(|problem| problem.describe(id)),
        None => Ok(root),
    }
}

/// A field that a schema does not have.
pub(super) struct MissingField {
    path: String,
    nearest: Option<String>,
}

impl MissingField {
    /// Returns the message for the response of an operation.
    pub(super) fn describe(&self, operation: &str) -> String {
        let nearest = self.nearest.as_ref().map(|name| format!("; the nearest is {name}"));
        format!("{} is not a field of the response of {operation}{}", self.path, nearest.unwrap_or_default())
    }
}

/// Returns the schema of a field, such as `agentRealtimeInfo.name`. Lists on the way are those of their items. A free
/// object has any field.
///
/// # Errors
/// Returns the field and the nearest one that exists.
pub(super) fn field<'a>(bundle: &'a Bundle, root: &'a Value, path: &str) -> Result<&'a Value, MissingField> {
    let mut schema = root;
    let mut parents: Vec<&str> = Vec::new();
    for name in path.split('.') {
        schema = dereference(bundle, schema);
        while schema["type"] == "array" {
            schema = dereference(bundle, &schema["items"]);
        }
        let Some(properties) = schema.get("properties") else {
            let is_free = schema["type"] == "object" || schema.get("type").is_none();
            if is_free {
                return Ok(&Value::Null);
            }
            return Err(MissingField { path: path.to_owned(), nearest: None });
        };
        let Some(next) = properties.get(name) else {
            let names = members(schema, "/properties").map(|(name, _)| name.as_str());
            let nearest = nearest(name, names).map(|name| [&parents[..], &[name]].concat().join("."));
            return Err(MissingField { path: path.to_owned(), nearest });
        };
        parents.push(name);
        schema = next;
    }
    Ok(dereference(bundle, schema))
}

/// Returns the candidate that is most similar to `input`, or `None` if no candidate is similar.
pub(super) fn nearest<'a>(input: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let input = input.to_lowercase();
    let similarity = |name: &str| strsim::jaro(&input, &name.to_lowercase());
    let scored = candidates.into_iter().map(|name| (similarity(name), name));
    let similar = scored.filter(|(similarity, _)| *similarity > MIN_SIMILARITY);
    similar.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}
