//! Forms of request values that published clients send and the console takes, although the document declares others.

use std::sync::LazyLock;

use jsonschema::Validator;
use sentinelone::raw::runtime::Timestamp;
use serde_json::{Map, Value, json};

use super::finding::{ContractRule, Finding};
use super::location;
use super::operation::OperationSpec;
use super::schema::Schemas;

/// A request in the declared forms; from [`Contract::check_declared`](crate::Contract::check_declared).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeclaredRequest {
    /// Query parameters as JSON values of their declared types.
    pub query: Map<String, Value>,
    /// Body; `None` if the request or the operation has none.
    pub body: Option<Value>,
    /// Findings of the request. A value that had another form than the declared one is one of them.
    pub findings: Vec<Finding>,
}

impl DeclaredRequest {
    /// Converts the query (names and decoded values, in order) and the body of a request. A value that has neither the
    /// declared form nor a tolerated one stays unchanged, and the validation reports it.
    pub(super) fn new(
        schemas: &Schemas,
        operation: &OperationSpec,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Self {
        let mut converter = Converter { schemas, findings: Vec::new() };
        let query = converter.query(operation, query);
        let body = match (operation.body_schema(), body) {
            (Some(schema), Some(body)) => Some(converter.value(schema, body, &mut "request.body".to_owned())),
            (None, Some(Value::Object(fields))) if fields.is_empty() => {
                converter.tolerate("request.body", "an empty object; the operation has no body");
                None
            }
            (None, Some(Value::Null)) => {
                converter.tolerate("request.body", "null; the operation has no body");
                None
            }
            (_, body) => body.cloned(),
        };
        Self { query, body, findings: converter.findings }
    }
}

/// Returns the finding for a query parameter that occurs more than once.
pub(super) fn repeated(schemas: &Schemas, operation: Option<&OperationSpec>, name: &str) -> Finding {
    let mut location = "request.query".to_owned();
    location::field(&mut location, name);
    let parameter = operation.and_then(|operation| operation.query_parameter(name));
    if parameter.is_some_and(|parameter| schemas.type_of(&parameter.schema) == Some("array")) {
        let message = "the list is several parameters; the declared form is one value joined by commas";
        return Finding::new(ContractRule::ToleratedForm, location, message);
    }
    let message = "the parameter occurs more than once; only the first value counts";
    Finding::new(ContractRule::DuplicateParameter, location, message)
}

struct Converter<'a> {
    schemas: &'a Schemas,
    findings: Vec<Finding>,
}

impl Converter<'_> {
    fn tolerate(&mut self, location: &str, message: &str) {
        self.findings.push(Finding::new(ContractRule::ToleratedForm, location, message));
    }

    fn query(&mut self, operation: &OperationSpec, pairs: &[(String, String)]) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, text) in pairs {
            let Some(parameter) = operation.query_parameter(name) else {
                map.entry(name).or_insert_with(|| Value::String(text.clone()));
                continue;
            };
            let value = super::query::to_json(self.schemas, &parameter.schema, text);
            let Some(earlier) = map.get_mut(name) else {
                map.insert(name.clone(), value);
                continue;
            };
            let finding = repeated(self.schemas, Some(operation), name);
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
            if let (Value::Array(earlier), Value::Array(more)) = (earlier, value) {
                earlier.extend(more);
            }
        }
        for (name, value) in &mut map {
            if let Some(parameter) = operation.query_parameter(name) {
                let mut location = "request.query".to_owned();
                location::field(&mut location, name);
                *value = self.value(&parameter.schema, value, &mut location);
            }
        }
        map
    }

    fn value(&mut self, schema: &Value, value: &Value, location: &mut String) -> Value {
        let length = location.len();
        match (self.schemas.type_of(schema), value) {
            (Some("array"), Value::Array(items)) => {
                let schema = self.schemas.items(schema).unwrap_or(&Value::Null);
                let items = items.iter().enumerate().map(|(index, item)| {
                    location::index(location, index);
                    let item = self.value(schema, item, location);
                    location.truncate(length);
                    item
                });
                items.collect()
            }
            (Some("array"), Value::String(text)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let list: Vec<Value> = items.map(Value::from).collect();
                let item_type = self.schemas.items(schema).and_then(|items| self.schemas.type_of(items));
                // A text without items stays an error: an empty list would select everything. A text cannot join
                // objects.
                if list.is_empty() || item_type == Some("object") {
                    return value.clone();
                }
                self.tolerate(location, "a text; the declared form is a list");
                self.value(schema, &Value::Array(list), location)
            }
            (Some("boolean"), Value::String(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "false" => {
                    self.tolerate(location, "a text; the declared form is true or false");
                    Value::Bool(text.eq_ignore_ascii_case("true"))
                }
                _ => value.clone(),
            },
            (Some("string"), Value::String(_) | Value::Number(_)) if self.schemas.is_date_time(schema) => {
                self.date_time(value, location)
            }
            (_, Value::Object(fields)) => {
                let properties = self.schemas.properties(schema);
                let map_values = self.schemas.items(schema);
                let mut map = Map::new();
                for (name, value) in fields {
                    location::field(location, name);
                    let schema = properties.get(name.as_str()).copied().or(map_values);
                    let value = match schema {
                        Some(schema) => self.value(schema, value, location),
                        None => value.clone(),
                    };
                    location.truncate(length);
                    map.insert(name.clone(), value);
                }
                Value::Object(map)
            }
            _ => value.clone(),
        }
    }

    /// Converts a time that is not RFC 3339, such as epoch milliseconds or a time without a zone.
    fn date_time(&mut self, value: &Value, location: &str) -> Value {
        static RFC_3339: LazyLock<Option<Validator>> = LazyLock::new(|| {
            let schema = json!({ "format": "date-time" });
            jsonschema::options().should_validate_formats(true).build(&schema).ok()
        });
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let declared = value.is_string() && RFC_3339.as_ref().is_some_and(|format| format.is_valid(value));
        match Timestamp::from(text).to_utc().filter(|_| !declared) {
            Some(time) => {
                self.tolerate(location, "a time in another form; the declared form is RFC 3339");
                Value::String(time.as_str().to_owned())
            }
            None => value.clone(),
        }
    }
}
