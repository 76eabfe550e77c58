//! Removal of values that the response of an operation does not declare.

use serde_json::{Map, Value};

use sentinelone_contract::Contract;

/// Removes nulls that the schema does not allow, and strings that are not among the values of an enum.
///
/// Some requests accept more than the responses declare: null as the description of an exclusion, or any string where
/// the response has an enum. The response then omits the value.
pub(super) fn remove_undeclared_values(contract: &Contract, schema: &Value, response: &mut Value) {
    visit(contract, schema, vec![response]);
}

/// The nulls and strings that a schema allows.
struct AllowedValues<'a> {
    null: bool,
    /// Values of the enum; `None` without an enum.
    listed: Option<Vec<&'a Value>>,
}

impl<'a> AllowedValues<'a> {
    fn of(contract: &'a Contract, schema: &'a Value) -> Self {
        // A schema without a type allows every value.
        let null = contract.type_of(schema).is_none() || contract.is_nullable(schema);
        Self { null, listed: contract.enum_values(schema) }
    }

    fn contains(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            Value::String(_) => self.listed.as_ref().is_none_or(|listed| listed.contains(&value)),
            _ => true,
        }
    }
}

/// Visits all values of one schema together, so that its properties are resolved once.
fn visit(contract: &Contract, schema: &Value, values: Vec<&mut Value>) {
    let mut lists: Vec<&mut Vec<Value>> = Vec::new();
    let mut objects: Vec<&mut Map<String, Value>> = Vec::new();
    for value in values {
        match value {
            Value::Array(items) => lists.push(items),
            Value::Object(fields) => objects.push(fields),
            _ => {}
        }
    }
    if !lists.is_empty()
        && let Some(schema) = contract.items(schema)
    {
        let allowed = AllowedValues::of(contract, schema);
        lists.iter_mut().for_each(|items| items.retain(|item| allowed.contains(item)));
        visit(contract, schema, lists.into_iter().flatten().collect());
    }
    if objects.is_empty() {
        return;
    }
    for (name, schema) in contract.properties(schema) {
        let allowed = AllowedValues::of(contract, schema);
        for fields in &mut objects {
            if fields.get(name).is_some_and(|value| !allowed.contains(value)) {
                fields.retain(|field, _| field != name);
            }
        }
        let members = objects.iter_mut().filter_map(|fields| fields.get_mut(name)).collect();
        visit(contract, schema, members);
    }
}
