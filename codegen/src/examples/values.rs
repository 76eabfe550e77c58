//! Example values of schemas.

use serde_json::{Map, Value, json};

use super::hash::hash;
use super::strings;
use crate::bundle::{Bundle, members, reference};
use crate::metadata;

/// Maximum nesting depth. Deeper objects are empty, which ends recursive schemas.
const MAX_DEPTH: usize = 12;

/// Set of fields that an example contains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ExampleVariant {
    /// Every field.
    Full,
    /// Required fields and some of the others.
    Partial,
    /// Every field; nullable fields are null.
    Null,
    /// As `Null`, but objects and lists of objects are present, so that their nullable fields are null.
    NullBelow,
}

/// Location of a value in an example.
#[derive(Clone)]
pub(super) struct ValueLocation {
    /// Name of the field; elements of a list have the name of the list.
    pub(super) name: String,
    /// Specific name of the value: `threatId` for the `id` of a threat, otherwise the field name.
    pub(super) id_name: String,
    /// Whether this is an item of the operation.
    pub(super) is_subject: bool,
    /// Field names from the root, without list indexes; equal for all items.
    pub(super) path: String,
    /// Number of the item, plus the indexes of the list elements that contain the value.
    pub(super) item: usize,
    pub(super) depth: usize,
}

impl ValueLocation {
    pub(super) fn new(name: &str, parent: &str) -> Self {
        Self {
            name: name.to_owned(),
            id_name: name.to_owned(),
            is_subject: false,
            path: format!("{parent}.{name}"),
            item: 0,
            depth: 0,
        }
    }

    fn field(&self, name: &str) -> Self {
        // Every object may have an `id`.
        let id_name = match name {
            "id" if self.is_subject => self.id_name.clone(),
            "id" => format!("{}Id", self.name),
            _ => name.to_owned(),
        };
        Self {
            name: name.to_owned(),
            id_name,
            is_subject: false,
            path: format!("{}.{name}", self.path),
            item: self.item,
            depth: self.depth + 1,
        }
    }

    fn element(&self, number: usize) -> Self {
        Self { item: self.item + number, depth: self.depth + 1, ..self.clone() }
    }
}

/// Generates the values of an operation.
pub(super) struct ValueGenerator<'a> {
    bundle: &'a Bundle,
    operation: &'a str,
    variant: ExampleVariant,
}

impl<'a> ValueGenerator<'a> {
    pub(super) fn new(bundle: &'a Bundle, operation: &'a str, variant: ExampleVariant) -> Self {
        Self { bundle, operation, variant }
    }

    /// Returns a value that is valid for the schema.
    pub(super) fn value(&self, schema: &Value, location: &ValueLocation) -> Value {
        let inner = resolve(self.bundle, schema);
        let nullable = [schema, inner].iter().any(|schema| schema["nullable"] == true);
        let holds_fields = |schema: &Value| schema["properties"].is_object();
        let is_null = match self.variant {
            ExampleVariant::Null => nullable,
            ExampleVariant::NullBelow => {
                let items = resolve(self.bundle, &inner["items"]);
                nullable && !holds_fields(inner) && !holds_fields(items)
            }
            ExampleVariant::Full | ExampleVariant::Partial => false,
        };
        if is_null {
            return Value::Null;
        }
        match inner["type"].as_str() {
            Some("object") => self.object(inner, location),
            Some("array") => self.list(inner, location),
            // Examples with this member are successful.
            Some("boolean") if location.name == "success" => json!(true),
            Some("string") if location.name == "success" => json!("true"),
            Some("boolean") => json!((self.number(location) + location.item as u64).is_multiple_of(2)),
            Some("integer" | "number") => self.integer(inner, location),
            _ => self.string(schema, inner, location),
        }
    }

    fn object(&self, schema: &Value, location: &ValueLocation) -> Value {
        let mut fields = Map::new();
        if location.depth > MAX_DEPTH {
            return Value::Object(fields);
        }
        let is_chosen = |name: &str| {
            name == "id" || requires(schema, name) || self.number(&location.field(name)) & 1 == 0
        };
        // An object without chosen fields gets all fields.
        let none_chosen = !members(schema, "/properties").any(|(name, _)| is_chosen(name));
        for (name, property) in members(schema, "/properties") {
            let location = location.field(name);
            if self.variant == ExampleVariant::Partial && !none_chosen && !is_chosen(name) {
                continue;
            }
            fields.insert(name.clone(), self.value(property, &location));
        }
        match &schema["additionalProperties"] {
            // The schema declares no members.
            Value::Bool(true) => {
                fields.insert("computerName".to_owned(), json!(strings::host(location.item)));
                fields.insert("count".to_owned(), json!(1 + location.item));
            }
            values @ Value::Object(_) => {
                let location = ValueLocation { name: location.name.clone(), ..location.field("key") };
                fields.insert(strings::key(&location.name).to_owned(), self.value(values, &location));
            }
            _ => {}
        }
        Value::Object(fields)
    }

    fn list(&self, schema: &Value, location: &ValueLocation) -> Value {
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        let min = bound("minItems").unwrap_or_default();
        let max = bound("maxItems").unwrap_or(usize::MAX);
        let count = match self.variant {
            ExampleVariant::Full | ExampleVariant::NullBelow => 2,
            ExampleVariant::Partial | ExampleVariant::Null => 1,
        };
        let items = 0..count.max(min).min(max);
        items.map(|number| self.value(&schema["items"], &location.element(number))).collect()
    }

    fn integer(&self, schema: &Value, location: &ValueLocation) -> Value {
        let number = self.number(&location.element(location.item));
        let name = location.name.to_ascii_lowercase();
        let (from, to) = if name.ends_with("port") {
            (1024, 9999)
        } else if name.ends_with("size") || name.ends_with("memory") {
            (4096, 8_388_608)
        } else {
            (1, 100)
        };
        let bound = |name: &str| schema[name].as_u64();
        let from = bound("minimum").unwrap_or(from);
        let to = bound("maximum").unwrap_or(to.max(from)).max(from);
        json!(from + number % (to - from + 1))
    }

    fn string(&self, outer: &Value, schema: &Value, location: &ValueLocation) -> Value {
        let number = self.number(location);
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            // Consecutive items get different values.
            let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
            let index = (number % values.len() as u64) as usize + location.item;
            return values[index % values.len()].clone();
        }
        if schema["format"] == "date-time" {
            return json!(strings::time(&location.name, number, location.item));
        }
        if let Some(text) = strings::of_format(schema, number) {
            return json!(text);
        }
        if outer[metadata::KEY]["json"] == true {
            return json!(json!({ "owner": ["finance"] }).to_string());
        }
        // Blocklist entries have file hashes.
        let blocked = location.name == "value" && self.operation.starts_with("blocklist");
        let id_name = if blocked { "sha1" } else { &location.id_name };
        // Several items share a scope.
        let is_scope = matches!(location.name.as_str(), "accountId" | "siteId" | "groupId");
        let item = if is_scope { location.item % 2 } else { location.item };
        // A compound name has the same value in every operation.
        let is_compound = id_name.contains(|c: char| c.is_ascii_uppercase());
        let number = if is_compound { hash(&["text", id_name]) } else { number };
        let text = strings::for_field(id_name, number, item);
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        let max = bound("maxLength").unwrap_or(usize::MAX);
        let mut text: String = text.chars().take(max).collect();
        while text.chars().count() < bound("minLength").unwrap_or_default() {
            text.push('x');
        }
        json!(strings::matching(schema, text))
    }

    fn number(&self, location: &ValueLocation) -> u64 {
        hash(&[self.operation, &location.path])
    }
}

/// Follows references to the schema itself.
pub(super) fn resolve<'a>(bundle: &'a Bundle, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let Some(inner) = referenced_schema(bundle, schema) else { break };
        schema = inner;
    }
    schema
}

/// Returns whether a field of an object is required.
pub(super) fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
}

/// Returns whether the schema is an object without declared members.
pub(super) fn is_free(schema: &Value) -> bool {
    schema["additionalProperties"] == true && schema["properties"].is_null()
}

/// Returns the schema that a node references; `None` if the node is not a reference.
fn referenced_schema<'a>(bundle: &'a Bundle, schema: &'a Value) -> Option<&'a Value> {
    reference(schema).and_then(|name| bundle.schema(name))
}
