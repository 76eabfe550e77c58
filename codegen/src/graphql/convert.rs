//! Conversion of types and selections of GraphQL to JSON schemas.

use std::collections::BTreeSet;

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, Schema};
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::{Map, Value, json};

/// A converted document: the names of its schemas.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) variables: String,
    pub(super) data: String,
    pub(super) is_mutation: bool,
}

/// Converts the types that documents use.
pub(super) struct Converter<'a> {
    schema: &'a Schema,
    filters: &'a [String],
    nulls: &'a [String],
    schemas: Map<String, Value>,
    /// Text of the fragment of each schema, which has to be the same in all documents.
    fragments: Map<String, Value>,
}

impl<'a> Converter<'a> {
    pub(super) fn new(schema: &'a Schema, filters: &'a [String], nulls: &'a [String]) -> Self {
        Self { schema, filters, nulls, schemas: Map::new(), fragments: Map::new() }
    }

    /// Returns the schemas by name.
    pub(super) fn into_schemas(self) -> Map<String, Value> {
        self.schemas
    }

    /// Converts the only operation of a document.
    pub(super) fn operation(&mut self, id: &str, document: &ExecutableDocument) -> Result<Operation, String> {
        let mut operations = document.operations.iter();
        let (Some(operation), None) = (operations.next(), operations.next()) else {
            return Err("has to have one operation".to_owned());
        };
        let name = operation.name.as_ref().map(ToString::to_string).unwrap_or_default();
        let expected = id.to_upper_camel_case();
        if name != expected {
            return Err(format!("the operation has the name {name:?}; expected {expected}"));
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for variable in &operation.variables {
            if variable.ty.is_non_null() && variable.default_value.is_none() {
                required.push(json!(variable.name.as_str()));
            }
            let mut schema = self.input(&variable.ty)?;
            describe(&mut schema, variable.name.as_str(), None);
            properties.insert(variable.name.to_string(), schema);
        }
        let variables = format!("{expected}Variables");
        let description = format!("Variables of the document `{id}`.");
        self.add(&variables, json!({ "type": "object", "description": description, "properties": properties, "required": required }))?;
        let data = format!("{expected}Data");
        let schema =
            self.selection(&operation.selection_set, document, &format!("Data of the document `{id}`."))?;
        self.add(&data, schema)?;
        Ok(Operation { variables, data, is_mutation: operation.is_mutation() })
    }

    /// Adds a schema. Two documents can have the same one.
    fn add(&mut self, name: &str, schema: Value) -> Result<(), String> {
        match self.schemas.insert(name.to_owned(), schema.clone()) {
            Some(other) if other != schema => Err(format!("{name} has two definitions")),
            _ => Ok(()),
        }
    }

    /// Returns the schema of an input type.
    fn input(&mut self, ty: &Type) -> Result<Value, String> {
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                Ok(json!({ "type": "array", "items": self.input(item)? }))
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.named(name.as_str(), None),
        }
    }

    /// Returns the schema of a type by its name: a scalar, an enum, an input object, or the fragment of an object.
    fn named(&mut self, name: &str, fragment: Option<&str>) -> Result<Value, String> {
        let schema = self.schema;
        let definition = schema.types.get(name).ok_or_else(|| format!("the type {name} does not exist"))?;
        match definition {
            ExtendedType::Scalar(_) => {
                scalar(name).ok_or_else(|| format!("the scalar {name} has no JSON type"))
            }
            ExtendedType::Enum(definition) => {
                // An enum in Rust keeps a value without a variant, and has no variant for this one.
                let values: Vec<&str> = definition.values.keys().map(|value| value.as_str()).collect();
                let values: Vec<&str> = values.into_iter().filter(|value| *value != "UNRECOGNIZED").collect();
                let description = described(definition.description.as_deref(), name);
                let name = rust_name(name);
                self.add(&name, json!({ "type": "string", "description": description, "enum": values }))?;
                Ok(reference(&name))
            }
            ExtendedType::InputObject(definition) => {
                let own = rust_name(name);
                if self.schemas.contains_key(&own) {
                    return Ok(reference(&own));
                }
                // The name is known before the fields, which can use it.
                self.schemas.insert(own.clone(), Value::Null);
                let (mut properties, mut required) = (Map::new(), Vec::new());
                for (field, value) in &definition.fields {
                    if value.ty.is_non_null() && value.default_value.is_none() {
                        required.push(json!(field.as_str()));
                    }
                    let mut schema = self.input(&value.ty)?;
                    if self.nulls.iter().any(|one| *one == format!("{name}.{field}")) {
                        required.push(json!(field.as_str()));
                        schema["nullable"] = json!(true);
                    }
                    describe(&mut schema, field.as_str(), value.description.as_deref());
                    properties.insert(field.to_string(), schema);
                }
                let description = described(definition.description.as_deref(), name);
                let mut schema = json!({ "type": "object", "description": description, "properties": properties, "required": required });
                if self.filters.iter().any(|filter| filter == name) {
                    schema["x-s1"] = json!({ "filter": true });
                }
                self.schemas.insert(own.clone(), schema);
                Ok(reference(&own))
            }
            ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_) => match fragment {
                Some(fragment) => Ok(reference(fragment)),
                None => Err(format!("{name} is not an input type")),
            },
        }
    }

    /// Returns the schema of a selection.
    fn selection(
        &mut self,
        selection: &SelectionSet,
        document: &ExecutableDocument,
        description: &str,
    ) -> Result<Value, String> {
        let mut properties = Map::new();
        self.add_fields(selection, document, &mut properties)?;
        Ok(json!({ "type": "object", "description": description, "properties": properties }))
    }

    fn add_fields(
        &mut self,
        selection: &SelectionSet,
        document: &ExecutableDocument,
        into: &mut Map<String, Value>,
    ) -> Result<(), String> {
        for one in &selection.selections {
            match one {
                Selection::Field(field) => {
                    let key = field.response_key().to_string();
                    let schema = self.field(field, document)?;
                    if let Some(other) = into.insert(key.clone(), schema.clone())
                        && other != schema
                    {
                        return Err(format!("{key} of {} has two types", selection.ty));
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.add_fields(&inline.selection_set, document, into)?
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.fragment_name;
                    return Err(format!(
                        "the fragment {name} is next to other selections of {}",
                        selection.ty
                    ));
                }
            }
        }
        Ok(())
    }

    /// Returns the schema of a field. An object has to have one fragment, whose name is that of its type.
    fn field(&mut self, field: &Field, document: &ExecutableDocument) -> Result<Value, String> {
        let fragment = match field.selection_set.selections.as_slice() {
            [] => None,
            [Selection::FragmentSpread(spread)] => Some(spread.fragment_name.to_string()),
            _ => return Err(format!("the selection of {} is not one fragment", field.name)),
        };
        if let Some(name) = &fragment {
            self.fragment(name, document)?;
        }
        let mut schema = self.output(field.ty(), fragment.as_deref())?;
        describe(&mut schema, field.name.as_str(), field.definition.description.as_deref());
        Ok(schema)
    }

    /// Adds the schema of a fragment. Documents that have a fragment of the same name have the same one.
    fn fragment(&mut self, name: &str, document: &ExecutableDocument) -> Result<(), String> {
        let definition = document.fragments.get(name).ok_or_else(|| format!("no fragment {name}"))?;
        let text = json!(definition.to_string());
        match self.fragments.insert(name.to_owned(), text.clone()) {
            Some(other) if other == text => return Ok(()),
            Some(_) => return Err(format!("the fragment {name} is different in another document")),
            None => {}
        }
        let of_type = self.schema.types.get(definition.type_condition().as_str());
        let description = of_type.and_then(ExtendedType::description).map(|text| text.to_string());
        let description = described(description.as_deref(), definition.type_condition().as_str());
        let schema = self.selection(&definition.selection_set, document, &description)?;
        self.add(name, schema)
    }

    /// Returns the schema of an output type. A member can be null although the schema forbids it, so each one can.
    fn output(&mut self, ty: &Type, fragment: Option<&str>) -> Result<Value, String> {
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                Ok(json!({ "type": "array", "nullable": true, "items": self.output(item, fragment)? }))
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.named(name.as_str(), fragment),
        }
    }
}

/// Adds the names of the fragments that a selection uses, directly or indirectly.
pub(super) fn add_fragments(
    document: &ExecutableDocument,
    selection: &SelectionSet,
    into: &mut BTreeSet<String>,
) {
    for one in &selection.selections {
        match one {
            Selection::Field(field) => add_fragments(document, &field.selection_set, into),
            Selection::InlineFragment(inline) => add_fragments(document, &inline.selection_set, into),
            Selection::FragmentSpread(spread) => {
                if into.insert(spread.fragment_name.to_string())
                    && let Some(fragment) = document.fragments.get(&spread.fragment_name)
                {
                    add_fragments(document, &fragment.selection_set, into);
                }
            }
        }
    }
}

fn scalar(name: &str) -> Option<Value> {
    Some(match name {
        "Int" | "Long" => json!({ "type": "integer" }),
        "Float" => json!({ "type": "number" }),
        "Boolean" => json!({ "type": "boolean" }),
        "String" | "ID" | "UUID" => json!({ "type": "string" }),
        "DateTime" | "Instant" => json!({ "type": "string", "format": "date-time" }),
        "JSON" | "ObjectScalar" => json!({}),
        _ => return None,
    })
}

/// Returns the name of a type in Rust, which has no underscore.
fn rust_name(name: &str) -> String {
    name.split('_').collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns a description, or one from the name.
fn described(description: Option<&str>, name: &str) -> String {
    description.map_or_else(|| format!("The GraphQL type `{name}`."), str::to_owned)
}

/// Adds a description to the schema of a member: the one of the GraphQL schema, or one derived from the name.
fn describe(schema: &mut Value, name: &str, description: Option<&str>) {
    let derived = || {
        let words = name.trim_start_matches('_').to_snake_case().replace('_', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    };
    let description = description.map_or_else(derived, str::to_owned);
    if let Some(target) = schema.get("$ref").cloned() {
        *schema = json!({ "allOf": [{ "$ref": target }] });
    }
    schema["description"] = json!(description);
}
