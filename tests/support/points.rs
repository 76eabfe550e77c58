//! The values of a document with their schemas.

use sentinelone_contract::Contract;
use serde_json::Value;

use crate::schemas::keyword;

/// Returns whether a schema allows null.
pub(crate) fn is_nullable(schema: &Value) -> bool {
    schema["nullable"] == true || keyword(schema, "nullable").is_some_and(|nullable| nullable == true)
}

/// A value of a document with its schema and location.
pub(crate) struct Point<'a> {
    pub(crate) pointer: String,
    pub(crate) location: String,
    pub(crate) schema: &'a Value,
    pub(crate) nullable: bool,
}

/// Returns all values of a document of this schema, innermost first. Locations begin with `root`.
pub(crate) fn points<'a>(schema: &'a Value, value: &Value, root: &str) -> Vec<Point<'a>> {
    let mut all = Vec::new();
    visit(schema, value, String::new(), root.to_owned(), &mut all);
    all
}

fn visit<'a>(schema: &'a Value, value: &Value, pointer: String, location: String, into: &mut Vec<Point<'a>>) {
    let contract = Contract::bundled();
    match value {
        Value::Object(fields) => {
            let properties = contract.properties(schema);
            for (name, value) in fields {
                let Some(inner) = properties.get(name.as_str()).copied().or(contract.items(schema)) else {
                    continue;
                };
                visit(inner, value, format!("{pointer}/{name}"), format!("{location}.{name}"), into);
            }
        }
        Value::Array(items) => {
            let Some(inner) = contract.items(schema) else { return };
            for (index, value) in items.iter().enumerate() {
                visit(inner, value, format!("{pointer}/{index}"), format!("{location}[{index}]"), into);
            }
        }
        _ => {}
    }
    // A schema without a type allows any value.
    let nullable = is_nullable(schema) || contract.type_of(schema).is_none();
    into.push(Point { pointer, location, schema, nullable });
}
