//! Random values of the schemas of the specification.

use sentinelone_contract::Contract;
use serde_json::{Map, Value};

use crate::schemas::{SeededRng, enum_values, keyword};

/// Returns the schema of what the client sends of a property; `None` if it sends nothing.
pub(crate) fn sent(property: &Value) -> Option<&Value> {
    match &property["x-s1"]["send"] {
        Value::Bool(false) => None,
        Value::Null => Some(property),
        reference => Some(reference),
    }
}

/// Generates values. The traversal of the schemas is fixed; implementors choose the values.
pub(crate) trait Values {
    fn rng(&mut self) -> &mut SeededRng;

    /// Returns a string for a schema without format and enum.
    fn string(&mut self, schema: &Value) -> String;

    /// Returns one of the values of an enum.
    fn listed(&mut self, values: &[&str]) -> String {
        (*self.rng().pick(values)).to_owned()
    }

    /// Returns a value that replaces the generated one, if any.
    fn replacement(&mut self, _schema: &Value) -> Option<Value> {
        None
    }

    /// Returns whether an optional field is included.
    fn includes_optional(&mut self) -> bool {
        self.rng().below(3) == 0
    }

    /// Returns an undeclared field to add, if any.
    fn extra_field(&mut self) -> Option<(String, Value)> {
        None
    }

    /// Returns a value for a schema without a type.
    fn unconstrained(&mut self) -> Value {
        Value::Null
    }

    /// Generates a value of a schema.
    fn value(&mut self, schema: &Value, depth: u32) -> Value {
        if let Some(value) = self.replacement(schema) {
            return value;
        }
        let contract = Contract::bundled();
        match contract.type_of(schema) {
            Some("object") if depth > 0 => {
                let required = keyword(schema, "required").and_then(Value::as_array);
                let mut fields = Map::new();
                for (name, property) in contract.properties(schema) {
                    let Some(property) = sent(property) else { continue };
                    let required = required.is_some_and(|names| names.iter().any(|one| one == name));
                    if required || self.includes_optional() {
                        fields.insert(name.to_owned(), self.value(property, depth - 1));
                    }
                }
                match contract.items(schema) {
                    Some(values) if self.includes_optional() => {
                        fields.insert("first".to_owned(), self.value(values, depth - 1));
                    }
                    Some(_) => {}
                    None => fields.extend(self.extra_field()),
                }
                Value::Object(fields)
            }
            Some("array") if depth > 0 => {
                let items = contract.items(schema).unwrap_or(&Value::Null);
                let bound =
                    |key| keyword(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
                let min = bound("minItems").unwrap_or_default();
                let max = bound("maxItems").unwrap_or(min + 3).min(min + 3);
                let count = min + self.rng().below(max - min + 1);
                (0..count).map(|_| self.value(items, depth - 1)).collect()
            }
            Some("object") => Value::Object(Map::new()),
            Some("array") => Value::Array(Vec::new()),
            Some("string") => match enum_values(schema).as_slice() {
                [] if keyword(schema, "format").is_some_and(|format| format == "date-time") => {
                    "2026-11-18T06:13:02.004512Z".into()
                }
                [] => self.string(schema).into(),
                values => self.listed(values).into(),
            },
            Some("integer" | "number") => {
                let bound =
                    |key| keyword(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
                let min = bound("minimum").unwrap_or_default();
                let max = bound("maximum").unwrap_or(1_000_000);
                (min + self.rng().below(max - min + 1)).into()
            }
            Some("boolean") => self.rng().below(2).eq(&0).into(),
            _ => self.unconstrained(),
        }
    }
}
