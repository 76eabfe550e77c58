//! What decoding and encoding again loses of a document.

use std::fmt;

use serde_json::Value;

/// Something of a JSON document that another one does not hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Loss {
    /// Where in the document, such as `data[1].threatInfo.fileSize`; `.` for the document itself.
    pub path: String,
    /// What stood there.
    pub original: Value,
    /// What stands there now; `None` when nothing does.
    pub again: Option<Value>,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.again {
            Some(again) => write!(f, "{}: {} became {again}", self.path, self.original),
            None => write!(f, "{}: {} is gone", self.path, self.original),
        }
    }
}

/// Everything in `original` that is missing or different in `again`, in the order of the original.
///
/// Null and absence count as the same, in objects and as elements of lists; numbers compare by value,
/// so that 1 and 1.0 are equal. What `again` holds beyond the original is no loss, except where the
/// original says null. With `original` and `again` exchanged the same function tells what was added.
pub fn compare(original: &Value, again: &Value) -> Vec<Loss> {
    let mut losses = Vec::new();
    walk(original, Some(again), &mut String::new(), &mut losses);
    losses
}

fn walk(original: &Value, again: Option<&Value>, path: &mut String, losses: &mut Vec<Loss>) {
    let length = path.len();
    match (original, again) {
        (Value::Null, None) => {}
        (Value::Object(fields), Some(Value::Object(others))) => {
            for (name, value) in fields {
                super::place::field(path, name);
                walk(value, others.get(name), path, losses);
                path.truncate(length);
            }
        }
        (Value::Array(items), Some(Value::Array(others))) => {
            let mut others = others.iter().filter(|item| !item.is_null());
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                super::place::index(path, index);
                walk(item, others.next(), path, losses);
                path.truncate(length);
            }
        }
        (original, Some(again)) if same(original, again) => {}
        (original, again) => losses.push(Loss {
            path: if path.is_empty() { ".".into() } else { path.clone() },
            original: original.clone(),
            again: again.filter(|value| !value.is_null()).cloned(),
        }),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            // Whole numbers beyond 2^53 are told apart only as whole numbers.
            one == other
                || (one.is_f64() || other.is_f64()) && one.as_f64().is_some_and(|n| Some(n) == other.as_f64())
        }
        _ => one == other,
    }
}
