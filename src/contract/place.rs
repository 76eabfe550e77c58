//! How places in JSON documents are written: `data[1].threatInfo.fileSize`.

use std::fmt::Write;

use serde_json::Value;

/// Goes on to a field. Names that could be misread are quoted.
pub(super) fn field(place: &mut String, name: &str) {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    if !plain {
        let _ = write!(place, "[{name:?}]");
        return;
    }
    if !place.is_empty() {
        place.push('.');
    }
    place.push_str(name);
}

/// Goes on to an element of a list.
pub(super) fn index(place: &mut String, index: usize) {
    let _ = write!(place, "[{index}]");
}

/// A JSON pointer into a document, as a place below `root`.
pub(super) fn of_pointer(root: &str, document: &Value, pointer: &str) -> String {
    let mut place = root.to_owned();
    let mut at = Some(document);
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        // Only the document tells an index from a field whose name is a number.
        match (at, segment.parse::<usize>()) {
            (Some(Value::Array(items)), Ok(position)) => {
                index(&mut place, position);
                at = items.get(position);
            }
            (parent, _) => {
                field(&mut place, &segment);
                at = parent.and_then(|parent| parent.get(&segment));
            }
        }
    }
    place
}
