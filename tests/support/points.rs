//! The places of a document.

use sentinelone::contract::Contract;
use serde_json::Value;

use crate::schemas::says;

/// Whether a schema says that null may stand there.
pub(crate) fn may_be_null(schema: &Value) -> bool {
    schema["nullable"] == true || says(schema, "nullable").is_some_and(|yes| yes == true)
}

/// A place of a document with what the specification says of it.
pub(crate) struct Point<'a> {
    pub(crate) pointer: String,
    pub(crate) place: String,
    pub(crate) schema: &'a Value,
    pub(crate) nullable: bool,
}

/// Every place of a document of this schema, the innermost first; `root` is what the places begin with.
pub(crate) fn points<'a>(schema: &'a Value, value: &Value, root: &str) -> Vec<Point<'a>> {
    let mut all = Vec::new();
    walk(schema, value, String::new(), root.to_owned(), &mut all);
    all
}

fn walk<'a>(schema: &'a Value, value: &Value, pointer: String, place: String, into: &mut Vec<Point<'a>>) {
    let contract = Contract::bundled();
    match value {
        Value::Object(fields) => {
            let properties = contract.properties(schema);
            for (name, value) in fields {
                let Some(inner) = properties.get(name.as_str()).copied().or(contract.items(schema)) else {
                    continue;
                };
                walk(inner, value, format!("{pointer}/{name}"), format!("{place}.{name}"), into);
            }
        }
        Value::Array(items) => {
            let Some(inner) = contract.items(schema) else { return };
            for (index, value) in items.iter().enumerate() {
                walk(inner, value, format!("{pointer}/{index}"), format!("{place}[{index}]"), into);
            }
        }
        _ => {}
    }
    // What has no type may be anything.
    let nullable = may_be_null(schema) || contract.type_of(schema).is_none();
    into.push(Point { pointer, place, schema, nullable });
}
