//! Which of the declared fields of an answer were ever seen.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Contract, OperationSpec};

/// The fields that the answer of an operation is declared to have, and what was seen of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<String, Seen>);

/// What was seen of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// Whether it is declared to take null.
    pub nullable: bool,
    /// Whether it was seen with a value.
    pub with_value: bool,
    /// Whether it was seen as null.
    pub as_null: bool,
}

impl Contract {
    /// The declared fields of an operation's answer of this status, none of them seen yet; `None` where no JSON is
    /// declared.
    ///
    /// ```
    /// use sentinelone::contract::Contract;
    ///
    /// let contract = Contract::bundled();
    /// let threats = contract.operation("threats_list").unwrap();
    /// let mut coverage = contract.coverage(threats, 200).unwrap();
    /// contract.cover(threats, 200, &serde_json::json!({ "data": [{ "id": "1" }] }), &mut coverage);
    /// assert!(coverage.iter().any(|(place, seen)| place == "answer.data[].id" && seen.with_value));
    /// ```
    pub fn coverage(&self, operation: &OperationSpec, status: u16) -> Option<Coverage> {
        let mut coverage = Coverage::default();
        self.declared(operation.answer_schema(status)?, "answer", &mut Vec::new(), &mut coverage);
        Some(coverage)
    }

    /// Adds what an answer shows. Fields that are not declared are left out.
    pub fn cover(&self, operation: &OperationSpec, status: u16, answer: &Value, coverage: &mut Coverage) {
        if let Some(schema) = operation.answer_schema(status) {
            self.shown(schema, answer, "answer", coverage);
        }
    }

    /// Whether a schema takes null.
    pub fn is_nullable(&self, schema: &Value) -> bool {
        let says = |schema: &Value| schema.get("nullable") == Some(&Value::Bool(true));
        says(schema) || self.schemas.parts(schema).into_iter().any(says)
    }

    fn declared<'a>(
        &'a self,
        schema: &'a Value,
        place: &str,
        above: &mut Vec<*const Value>,
        into: &mut Coverage,
    ) {
        let parts = self.schemas.parts(schema);
        let Some(first) = parts.first().map(|part| std::ptr::from_ref(*part)) else { return };
        // What contains itself is looked into once.
        if above.contains(&first) {
            return;
        }
        above.push(first);
        for (name, field) in self.properties(schema) {
            let place = format!("{place}.{name}");
            let seen = Seen { nullable: self.is_nullable(field), ..Seen::default() };
            into.0.insert(place.clone(), seen);
            self.declared(field, &place, above, into);
        }
        if let Some(items) = self.items(schema) {
            self.declared(items, &format!("{place}{}", self.step(schema)), above, into);
        }
        above.pop();
    }

    fn shown(&self, schema: &Value, value: &Value, place: &str, into: &mut Coverage) {
        match value {
            Value::Array(items) => {
                let Some(schema) = self.items(schema) else { return };
                for item in items {
                    self.shown(schema, item, &format!("{place}[]"), into);
                }
            }
            Value::Object(fields) => {
                let declared = self.properties(schema);
                for (name, value) in fields {
                    let Some(field) = declared.get(name.as_str()) else {
                        if let Some(schema) = self.items(schema) {
                            self.shown(schema, value, &format!("{place}.*"), into);
                        }
                        continue;
                    };
                    let place = format!("{place}.{name}");
                    if let Some(seen) = into.0.get_mut(&place) {
                        seen.as_null |= value.is_null();
                        seen.with_value |= !value.is_null();
                    }
                    self.shown(field, value, &place, into);
                }
            }
            _ => {}
        }
    }

    /// How the elements of a list, or the values of a map, are called.
    fn step(&self, schema: &Value) -> &'static str {
        if self.type_of(schema) == Some("array") { "[]" } else { ".*" }
    }
}

impl Coverage {
    /// Every declared field by its place, such as `answer.data[].id`, with what was seen of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Seen)> {
        self.0.iter().map(|(place, seen)| (place.as_str(), *seen))
    }

    /// Adds what another one saw of the same fields.
    pub fn merge(&mut self, other: &Self) {
        for (place, seen) in &other.0 {
            if let Some(own) = self.0.get_mut(place) {
                own.with_value |= seen.with_value;
                own.as_null |= seen.as_null;
            }
        }
    }
}
