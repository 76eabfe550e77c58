//! Texts of a query as JSON.

use serde_json::{Number, Value};

use super::schema::Schemas;

/// Reads a text as its schema says. What does not read so stays text, and validation reports it.
pub(super) fn read(schemas: &Schemas, schema: &Value, text: &str) -> Value {
    let number = match schemas.type_of(schema) {
        Some("array") => {
            let items = schemas.items(schema).unwrap_or(&Value::Null);
            // An empty text is a list without items, not a list of one empty text.
            let texts = text.split(',').filter(|_| !text.is_empty());
            return texts.map(|text| read(schemas, items, text)).collect();
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
        // The JSON reader passes over white space around a number; the console would not.
        Some(number) if text.trim() == text => Value::Number(number),
        _ => Value::String(text.to_owned()),
    }
}
