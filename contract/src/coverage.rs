//! Coverage of the declared fields of a response.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Contract, OperationSpec};

/// The declared fields of a response, with the kinds of values that occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<String, FieldCoverage>);

/// The coverage of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldCoverage {
    /// Whether the schema allows null.
    pub nullable: bool,
    /// Whether a value other than null occurred.
    pub has_value: bool,
    /// Whether null occurred.
    pub has_null: bool,
}

impl Contract {
    /// Returns an empty coverage with all declared fields of a response; `None` if the operation declares no JSON for
    /// this status code.
    ///
    /// ```
    /// use sentinelone_contract::Contract;
    ///
    /// let contract = Contract::bundled();
    /// let threats = contract.operation("threats_list").unwrap();
    /// let mut coverage = contract.coverage(threats, 200).unwrap();
    /// contract.record_coverage(threats, 200, &serde_json::json!({ "data": [{ "id": "1" }] }), &mut coverage);
    /// let id = coverage.iter().find(|(location, _)| *location == "response.body.data[].id");
    /// assert!(id.unwrap().1.has_value);
    /// ```
    pub fn coverage(&self, operation: &OperationSpec, status: u16) -> Option<Coverage> {
        let mut coverage = Coverage::default();
        let schema = operation.response_schema(status)?;
        self.add_declared(schema, "response.body", &mut Vec::new(), &mut coverage);
        Some(coverage)
    }

    /// Records in `coverage` the fields that occur in a response. Undeclared fields are ignored.
    pub fn record_coverage(
        &self,
        operation: &OperationSpec,
        status: u16,
        response: &Value,
        coverage: &mut Coverage,
    ) {
        if let Some(schema) = operation.response_schema(status) {
            self.add_occurrences(schema, response, "response.body", coverage);
        }
    }

    /// Returns whether a schema allows null.
    pub fn is_nullable(&self, schema: &Value) -> bool {
        let nullable = |schema: &Value| schema.get("nullable") == Some(&Value::Bool(true));
        nullable(schema) || self.schemas.parts(schema).into_iter().any(nullable)
    }

    /// Returns the values of an enum; `None` for a schema without one.
    pub fn enum_values<'a>(&'a self, schema: &'a Value) -> Option<Vec<&'a Value>> {
        let enums = self.schemas.parts(schema).into_iter().filter_map(|part| part.get("enum")?.as_array());
        let enums: Vec<_> = enums.collect();
        (!enums.is_empty()).then(|| enums.into_iter().flatten().collect())
    }

    fn add_declared<'a>(
        &'a self,
        schema: &'a Value,
        location: &str,
        ancestors: &mut Vec<*const Value>,
        coverage: &mut Coverage,
    ) {
        let parts = self.schemas.parts(schema);
        let Some(first) = parts.first().map(|part| std::ptr::from_ref(*part)) else { return };
        // A recursive schema is visited once.
        if ancestors.contains(&first) {
            return;
        }
        ancestors.push(first);
        for (name, field) in self.properties(schema) {
            let location = format!("{location}.{name}");
            let field_coverage =
                FieldCoverage { nullable: self.is_nullable(field), ..FieldCoverage::default() };
            coverage.0.insert(location.clone(), field_coverage);
            self.add_declared(field, &location, ancestors, coverage);
        }
        if let Some(items) = self.items(schema) {
            self.add_declared(items, &format!("{location}{}", self.step(schema)), ancestors, coverage);
        }
        ancestors.pop();
    }

    fn add_occurrences(&self, schema: &Value, value: &Value, location: &str, coverage: &mut Coverage) {
        match value {
            Value::Array(items) => {
                let Some(schema) = self.items(schema) else { return };
                for item in items {
                    self.add_occurrences(schema, item, &format!("{location}[]"), coverage);
                }
            }
            Value::Object(fields) => {
                let declared = self.properties(schema);
                for (name, value) in fields {
                    let Some(field) = declared.get(name.as_str()) else {
                        if let Some(schema) = self.items(schema) {
                            self.add_occurrences(schema, value, &format!("{location}.*"), coverage);
                        }
                        continue;
                    };
                    let location = format!("{location}.{name}");
                    if let Some(field_coverage) = coverage.0.get_mut(&location) {
                        field_coverage.has_null |= value.is_null();
                        field_coverage.has_value |= !value.is_null();
                    }
                    self.add_occurrences(field, value, &location, coverage);
                }
            }
            _ => {}
        }
    }

    /// Returns the location step of the items of an array, or of the values of a map.
    fn step(&self, schema: &Value) -> &'static str {
        if self.type_of(schema) == Some("array") { "[]" } else { ".*" }
    }
}

impl Coverage {
    /// Returns each declared field by its location, such as `response.body.data[].id`, with its coverage.
    pub fn iter(&self) -> impl Iterator<Item = (&str, FieldCoverage)> {
        self.0.iter().map(|(location, coverage)| (location.as_str(), *coverage))
    }

    /// Adds the coverage of the same fields from `other`.
    pub fn merge(&mut self, other: &Self) {
        for (location, coverage) in &other.0 {
            if let Some(field) = self.0.get_mut(location) {
                field.has_value |= coverage.has_value;
                field.has_null |= coverage.has_null;
            }
        }
    }
}
