//! Example responses.

use serde_json::{Map, Value, json};

use super::contract::Contract;
use super::operation::OperationSpec;
use super::schema::Schemas;

/// Depth from which optional members are left out.
const MAX_DEPTH: usize = 8;

impl Contract {
    /// Returns an invented response with this status code, or `None` if no JSON is declared. It has every declared member up
    /// to a limited depth, and conforms to the schema. A list has one item and no next page.
    pub fn example_response(&self, operation: &OperationSpec, status: u16) -> Option<Value> {
        let schema = operation.response_schema(status)?;
        let mut example = self.schemas().example(schema, "", 0);
        if let Some(map) = example.as_object_mut().filter(|map| map.contains_key("data")) {
            map.remove("errors");
            if map.contains_key("pagination") {
                map.insert("pagination".to_owned(), json!({ "nextCursor": null, "totalItems": 1 }));
            }
        }
        Some(example)
    }
}

/// Returns a text that matches a pattern, if one of these does.
fn matching(pattern: &str) -> Option<&'static str> {
    const TEXTS: [&str; 6] = ["example", "12:30", "12:30:00", "2026-01-01", "192.0.2.1", "1"];
    let validator = jsonschema::validator_for(&json!({ "pattern": pattern })).ok()?;
    TEXTS.into_iter().find(|text| validator.is_valid(&json!(text)))
}

impl Schemas {
    fn example(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let parts = self.parts(schema);
        let keyword = |key: &str| parts.iter().find_map(|part| part.get(key));
        if let Some(value) = keyword("enum").and_then(|values| values.as_array()?.first()) {
            return value.clone();
        }
        let count =
            |key: &str| keyword(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        match self.type_of(schema) {
            Some("string") => {
                let pattern = keyword("pattern").and_then(Value::as_str);
                if let Some(text) = pattern.and_then(matching) {
                    return Value::from(text);
                }
                let text = match keyword("format").and_then(Value::as_str) {
                    Some("date-time") => "2026-01-01T00:00:00.000000Z",
                    Some("date") => "2026-01-01",
                    Some("duration") => "PT1H",
                    Some("uuid") => "00000000-0000-4000-8000-000000000000",
                    _ if name.ends_with("Id") || name.ends_with("Ids") || name == "id" => {
                        "1000000000000000001"
                    }
                    _ => "example",
                };
                let text =
                    text.to_owned() + &"x".repeat(count("minLength").unwrap_or(0).saturating_sub(text.len()));
                let most = count("maxLength").unwrap_or(usize::MAX);
                Value::from(text.chars().take(most).collect::<String>())
            }
            Some("integer") => {
                keyword("minimum").filter(|least| least.is_i64()).cloned().unwrap_or_else(|| json!(1))
            }
            Some("number") => keyword("minimum").cloned().unwrap_or_else(|| json!(1.0)),
            Some("boolean") => json!(true),
            Some("array") if depth < MAX_DEPTH => {
                let items = self.items(schema);
                let item = items.map_or(Value::Null, |items| self.example(items, name, depth + 1));
                let count = count("minItems").unwrap_or(1).max(1);
                if items.is_some() { Value::Array(vec![item; count]) } else { json!([]) }
            }
            Some("array") => json!([]),
            Some("object") => {
                let properties = self.properties(schema).into_iter();
                let members = properties.filter(|_| depth < MAX_DEPTH);
                let members =
                    members.map(|(name, node)| (name.to_owned(), self.example(node, name, depth + 1)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            _ => Value::Null,
        }
    }
}
