//! Dotted paths in JSON documents, such as `threatInfo.incidentStatus`. A path cannot name a member with a dot, nor an
//! element of a list.

use serde_json::Value;

/// Returns the value at a path.
pub fn get_path<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| value.get(name))
}

/// Sets the value at a path. Intermediate values that are not objects are replaced by objects.
pub fn set_path(document: &mut Value, path: &str, new: Value) {
    let mut target = document;
    for name in path.split('.') {
        if !target.is_object() {
            *target = Value::Object(serde_json::Map::new());
        }
        let Some(members) = target.as_object_mut() else { return };
        target = members.entry(name).or_insert(Value::Null);
    }
    *target = new;
}
