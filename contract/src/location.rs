//! Locations in JSON documents, such as `data[1].threatInfo.fileSize`.

use std::fmt::Write;

use serde_json::Value;

/// Appends a field to `location`. Ambiguous names are quoted.
pub(super) fn field(location: &mut String, name: &str) {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    if !plain {
        let _ = write!(location, "[{name:?}]");
        return;
    }
    if !location.is_empty() {
        location.push('.');
    }
    location.push_str(name);
}

/// Appends an array index to `location`.
pub(super) fn index(location: &mut String, index: usize) {
    let _ = write!(location, "[{index}]");
}

/// Converts a JSON pointer into `document` to a location below `root`.
pub(super) fn from_pointer(root: &str, document: &Value, pointer: &str) -> String {
    let mut location = root.to_owned();
    let mut current = Some(document);
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        // A numeric segment is an index or a field name, depending on the document.
        match (current, segment.parse::<usize>()) {
            (Some(Value::Array(items)), Ok(position)) => {
                index(&mut location, position);
                current = items.get(position);
            }
            (parent, _) => {
                field(&mut location, &segment);
                current = parent.and_then(|parent| parent.get(&segment));
            }
        }
    }
    location
}
