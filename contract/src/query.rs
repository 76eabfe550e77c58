//! Conversion of query values to JSON.

use serde_json::{Number, Value};

use super::schema::Schemas;

/// Converts a query value to the declared type. An invalid value stays a string, and validation reports it.
pub(super) fn to_json(schemas: &Schemas, schema: &Value, text: &str) -> Value {
    let number = match schemas.type_of(schema) {
        Some("array") => {
            let items = schemas.items(schema).unwrap_or(&Value::Null);
            // An empty value is an empty list, not a list with one empty string.
            let values = text.split(',').filter(|_| !text.is_empty());
            return values.map(|value| to_json(schemas, items, value)).collect();
        }
        Some("boolean") => {
            return match text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => Value::String(other.to_owned()),
            };
        }
        Some("integer") => serde_json::from_str(text).ok().filter(|number: &Number| !number.is_f64()),
        Some("number") => serde_json::from_str(text).ok(),
        _ => None,
    };
    match number {
        // serde_json accepts whitespace around a number; the console does not.
        Some(number) if text.trim() == text => Value::Number(number),
        _ => Value::String(text.to_owned()),
    }
}
