//! Paths with dots into JSON documents: `threatInfo.incidentStatus`.

use serde_json::Value;

/// The value at a path.
pub(crate) fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| value.get(name))
}

/// Puts a value at a path, with the objects on the way there in the place of anything else.
#[cfg(any(feature = "commands", feature = "sandbox"))]
pub(crate) fn put(document: &mut Value, path: &str, new: Value) {
    let mut place = document;
    for name in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Some(fields) = place.as_object_mut() else { return };
        place = fields.entry(name).or_insert(Value::Null);
    }
    *place = new;
}
