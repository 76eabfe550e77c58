//! Values that a JSON document loses in a round trip: decode, then encode.

use std::fmt;

use serde_json::Value;

/// A value that is missing or different after a round trip.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RoundTripLoss {
    /// The location, such as `data[1].threatInfo.fileSize`; `.` for the document itself.
    pub path: String,
    /// The original value.
    pub original: Value,
    /// The value after the round trip; `None` if it is missing.
    pub reencoded: Option<Value>,
}

impl fmt::Display for RoundTripLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reencoded {
            Some(reencoded) => write!(f, "{}: {} became {reencoded}", self.path, self.original),
            None => write!(f, "{}: {} is missing", self.path, self.original),
        }
    }
}

/// Returns the values of `original` that are missing or different in `reencoded`, in the order of `original`.
///
/// Null and missing are equal, in objects and as array items. Numbers compare by value, so 1 and 1.0 are equal.
/// Additional values in `reencoded` are not losses, unless `original` has a null there. To find additions, swap
/// the arguments.
pub fn round_trip_losses(original: &Value, reencoded: &Value) -> Vec<RoundTripLoss> {
    let mut losses = Vec::new();
    collect_losses(original, Some(reencoded), &mut String::new(), &mut losses);
    losses
}

fn collect_losses(
    original: &Value,
    reencoded: Option<&Value>,
    path: &mut String,
    losses: &mut Vec<RoundTripLoss>,
) {
    let length = path.len();
    match (original, reencoded) {
        (Value::Null, None) => {}
        (Value::Object(fields), Some(Value::Object(others))) => {
            for (name, value) in fields {
                super::location::field(path, name);
                collect_losses(value, others.get(name), path, losses);
                path.truncate(length);
            }
        }
        (Value::Array(items), Some(Value::Array(others))) => {
            let mut others = others.iter().filter(|item| !item.is_null());
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                super::location::index(path, index);
                collect_losses(item, others.next(), path, losses);
                path.truncate(length);
            }
        }
        (original, Some(reencoded)) if is_equal(original, reencoded) => {}
        (original, reencoded) => losses.push(RoundTripLoss {
            path: if path.is_empty() { ".".into() } else { path.clone() },
            original: original.clone(),
            reencoded: reencoded.filter(|value| !value.is_null()).cloned(),
        }),
    }
}

fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            // As floats, integers beyond 2^53 can be equal although they differ.
            one == other
                || (one.is_f64() || other.is_f64()) && one.as_f64().is_some_and(|n| Some(n) == other.as_f64())
        }
        _ => one == other,
    }
}
