//! Values of the specification's schemas, for whoever wants to see what becomes of them.

use sentinelone::contract::Contract;
use serde_json::{Map, Value};

use crate::schemas::{Dice, says, words};

/// Makes values. The walk over the schemas is the same for all; what stands in them is not.
pub(crate) trait Values {
    fn dice(&mut self) -> &mut Dice;

    /// A text of no special kind.
    fn text(&mut self, schema: &Value) -> String;

    /// Anything else in the place of what the schema says.
    fn instead(&mut self, _schema: &Value) -> Option<Value> {
        None
    }

    /// Whether a field is there that may be absent.
    fn keeps(&mut self) -> bool {
        self.dice().below(3) == 0
    }

    /// A field that nobody declared.
    fn further(&mut self) -> Option<(String, Value)> {
        None
    }

    /// What stands where the schema says nothing.
    fn any(&mut self) -> Value {
        Value::Null
    }

    /// A value of a schema.
    fn value(&mut self, schema: &Value, depth: u32) -> Value {
        if let Some(value) = self.instead(schema) {
            return value;
        }
        let contract = Contract::bundled();
        match contract.type_of(schema) {
            Some("object") if depth > 0 => {
                let required = says(schema, "required").and_then(Value::as_array);
                let mut fields = Map::new();
                for (name, property) in contract.properties(schema) {
                    let required = required.is_some_and(|names| names.iter().any(|one| one == name));
                    if required || self.keeps() {
                        fields.insert(name.to_owned(), self.value(property, depth - 1));
                    }
                }
                if let Some(values) = contract.items(schema)
                    && self.keeps()
                {
                    fields.insert("first".to_owned(), self.value(values, depth - 1));
                }
                fields.extend(self.further());
                Value::Object(fields)
            }
            Some("array") if depth > 0 => {
                let items = contract.items(schema).unwrap_or(&Value::Null);
                let bound =
                    |key| says(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
                let least = bound("minItems").unwrap_or_default();
                let most = bound("maxItems").unwrap_or(least + 3).min(least + 3);
                let many = least + self.dice().below(most - least + 1);
                (0..many).map(|_| self.value(items, depth - 1)).collect()
            }
            Some("object") => Value::Object(Map::new()),
            Some("array") => Value::Array(Vec::new()),
            Some("string") => match words(schema).as_slice() {
                [] if says(schema, "format").is_some_and(|format| format == "date-time") => {
                    "2026-11-18T06:13:02.004512Z".into()
                }
                [] => self.text(schema).into(),
                words => (*self.dice().pick(words)).into(),
            },
            Some("integer" | "number") => {
                let bound =
                    |key| says(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
                let least = bound("minimum").unwrap_or_default();
                let most = bound("maximum").unwrap_or(1_000_000);
                (least + self.dice().below(most - least + 1)).into()
            }
            Some("boolean") => self.dice().below(2).eq(&0).into(),
            _ => self.any(),
        }
    }
}
