//! Index of the curated specification: the schema that owns a location, its commands and its Rust items.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::locations::parents;
use crate::bundle::{Bundle, Operation, members, reference};
use crate::dialect::query_schema;
use crate::emit::{field_name, function_name};
use crate::generator::{self, Model, TypeModel};
use crate::surface::{Key, Node, SchemaLocation, Surface};
use crate::{Result, dialect};

/// Public path of the generated modules.
const CRATE: &str = "sentinelone::raw";

/// Names of commands by the ID of an operation that they can send.
pub type Commands = BTreeMap<String, BTreeSet<String>>;

/// Index of the curated specification.
///
/// The index can have several editions. An entry of an edition that was added earlier takes precedence; a later one
/// adds missing entries, for example a removed operation.
#[derive(Debug, Default)]
pub struct SpecIndex {
    operations: BTreeMap<Key, OperationEntry>,
    by_id: BTreeMap<String, Key>,
    /// Generated types by schema name.
    types: BTreeMap<String, TypeEntry>,
    /// Schemas that the client sends, by the schema that the API accepts in that place.
    sent: BTreeMap<String, String>,
    /// Properties that the client does not send, with their schema.
    unsent: BTreeSet<(String, String)>,
    commands: Commands,
}

#[derive(Debug)]
struct OperationEntry {
    id: String,
    function: String,
    locations: BTreeMap<String, Node>,
    /// Rust fields by query parameter.
    query: BTreeMap<String, String>,
    /// Type of the query; empty if the operation has none of its own.
    query_type: String,
}

#[derive(Debug, Default)]
struct TypeEntry {
    /// Full path of the type.
    path: String,
    /// Fields or variants by wire name.
    members: BTreeMap<String, String>,
    /// The type is an enum.
    is_enum: bool,
}

impl SpecIndex {
    /// Creates an index that has only the commands of each operation.
    pub fn new(commands: Commands) -> Self {
        Self { commands, ..Self::default() }
    }

    /// Adds an edition of the curated specification.
    ///
    /// # Errors
    /// Returns an error if the generator rejects it, so that the Rust names are missing.
    pub fn add(&mut self, bundle: &Bundle) -> Result<()> {
        for (schema, node) in bundle.schemas() {
            for (name, property) in members(node, "/properties") {
                match property.pointer("/x-s1/send") {
                    Some(Value::Bool(false)) => drop(self.unsent.insert((schema.clone(), name.clone()))),
                    Some(target) => {
                        if let (Some(accepted), Some(sent)) = (reference(property), reference(target)) {
                            self.sent.insert(accepted.to_owned(), sent.to_owned());
                        }
                    }
                    None => {}
                }
            }
        }
        let client = bundle.sent_by_client();
        let dialect = dialect::apply(&client)?;
        let model = generator::run(&client, &dialect)?;
        for (name, ty) in &model.types {
            self.add_type(bundle, &model, name, ty);
        }
        let mut surface = Surface::from_document(&bundle.document);
        for operation in bundle.operations() {
            let key = Key::new(operation.method, operation.path);
            let Some(found) = surface.operations.remove(&key) else { continue };
            self.by_id.entry(found.id.clone()).or_insert_with(|| key.clone());
            let entry = operation_entry(bundle, &model, operation, found.locations);
            self.operations.entry(key).or_insert(entry);
        }
        Ok(())
    }

    fn add_type(&mut self, bundle: &Bundle, model: &Model, name: &str, ty: &TypeModel) {
        let module = match bundle.modules.get(name) {
            Some(module) => module.clone(),
            None => {
                let id = model.queries.get(name);
                let owner = bundle.operations().find(|operation| id.is_some_and(|id| id == operation.id()));
                let Some(owner) = owner else { return };
                tag(owner).to_owned()
            }
        };
        let entry = self.types.entry(name.to_owned()).or_default();
        if entry.path.is_empty() {
            entry.path = format!("{CRATE}::{module}::{name}");
        }
        let members: Vec<(&String, String)> = match ty {
            TypeModel::Struct(fields) => {
                fields.iter().map(|one| (&one.wire, one.ident.to_string())).collect()
            }
            TypeModel::Enum(variants) => {
                entry.is_enum = true;
                variants.iter().map(|one| (&one.wire, one.ident.to_string())).collect()
            }
        };
        for (wire, ident) in members {
            entry.members.entry(wire.clone()).or_insert(ident);
        }
    }

    /// Returns whether the curated specification has the operation.
    pub fn contains(&self, key: &Key) -> bool {
        self.operations.contains_key(key)
    }

    /// Returns the ID of an operation in the curated specification.
    pub fn id(&self, key: &Key) -> Option<&str> {
        self.operations.get(key).map(|entry| entry.id.as_str())
    }

    /// Returns the key of the operation with an ID.
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }

    /// Returns the keys of all operations.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.operations.keys()
    }

    /// Returns the locations of an operation.
    pub fn locations(&self, key: &Key) -> impl Iterator<Item = (&String, &Node)> {
        self.operations.get(key).into_iter().flat_map(|entry| &entry.locations)
    }

    /// Returns the commands that can send an operation.
    pub fn commands(&self, id: &str) -> impl Iterator<Item = &String> {
        self.commands.get(id).into_iter().flatten()
    }

    /// Returns the schema locations of a location and of its type. For an unknown location below a known one, returns
    /// the schema location that it would have.
    pub(super) fn schema_locations(
        &self,
        key: &Key,
        location: &str,
    ) -> Option<(SchemaLocation, SchemaLocation)> {
        let locations = &self.operations.get(key)?.locations;
        if let Some(node) = locations.get(location) {
            return Some((node.site.clone(), node.target.clone()));
        }
        // An unknown location below a known one.
        let parent = parents(location).find(|parent| locations.contains_key(*parent))?;
        let target = &locations.get(parent)?.target;
        let more = location.strip_prefix(parent)?;
        let path = match (&target.schema, target.path.is_empty()) {
            (Some(_), true) => more.trim_start_matches('.').to_owned(),
            _ => format!("{}{more}", target.path),
        };
        let schema = target.schema.as_ref().map(|schema| self.sent.get(schema).unwrap_or(schema).clone());
        let derived = SchemaLocation { schema, path };
        Some((derived.clone(), derived))
    }

    /// Returns the function of an operation.
    pub fn function(&self, key: &Key) -> Option<&str> {
        self.operations.get(key).map(|entry| entry.function.as_str())
    }

    /// Returns the Rust item of a location: a field, a type, or the function of the operation if the location has no
    /// item of its own, for example in the envelope of a response.
    pub fn item(&self, key: &Key, location: &str) -> Option<String> {
        let entry = self.operations.get(key)?;
        if let Some(rest) = location.strip_prefix("request.query.") {
            // Locations below a query parameter belong to the field of the parameter.
            let name = entry.query.keys().filter(|name| is_within(rest, name)).max_by_key(|name| name.len());
            return Some(match name {
                Some(name) => entry.query[name].clone(),
                None if entry.query_type.is_empty() => entry.function.clone(),
                None => format!("{}::{}", entry.query_type, field_name(rest)),
            });
        }
        let Some((site, target)) = self.schema_locations(key, location) else {
            return Some(entry.function.clone());
        };
        let item = self.member(&site).or_else(|| self.member(&target));
        Some(item.unwrap_or_else(|| entry.function.clone()))
    }

    /// Returns the generated type of a schema, or of what the client sends in its place.
    fn type_of(&self, location: &SchemaLocation) -> Option<&TypeEntry> {
        let schema = location.schema.as_ref()?;
        self.types.get(schema).or_else(|| self.types.get(self.sent.get(schema)?))
    }

    fn member(&self, location: &SchemaLocation) -> Option<String> {
        let ty = self.type_of(location)?;
        let wire = location.path.split(['.', '[', '{']).next().unwrap_or_default();
        if wire.is_empty() || ty.is_enum {
            return Some(ty.path.clone());
        }
        let name = ty.members.get(&location.path).or_else(|| ty.members.get(wire)).cloned();
        // The client may have no field for a property that the API accepts.
        let schema = location.schema.as_ref()?;
        let sent =
            self.types.contains_key(schema) && !self.unsent.contains(&(schema.clone(), wire.to_owned()));
        let name = name.or_else(|| sent.then(|| field_name(wire)))?;
        Some(format!("{}::{name}", ty.path))
    }

    /// Returns the variants of enum values at a location, or the enum type for values without a variant.
    pub fn values(&self, key: &Key, location: &str, values: &[Value]) -> Vec<String> {
        let ty = self.schema_locations(key, location).and_then(|(_, target)| self.type_of(&target));
        let Some(ty) = ty.filter(|ty| ty.is_enum) else {
            return self.item(key, location).into_iter().collect();
        };
        let variant = |value: &Value| {
            let name = value.as_str().and_then(|value| ty.members.get(value));
            name.map_or_else(|| ty.path.clone(), |name| format!("{}::{name}", ty.path))
        };
        let items: BTreeSet<String> = values.iter().map(variant).collect();
        items.into_iter().collect()
    }

    /// Returns the generated type of a location; without one, the same item as [`item`](Self::item).
    pub fn type_item(&self, key: &Key, location: &str) -> Option<String> {
        let (_, target) = self.schema_locations(key, location)?;
        let ty = self.type_of(&target).filter(|_| target.path.is_empty());
        ty.map(|ty| ty.path.clone()).or_else(|| self.item(key, location))
    }
}

fn tag<'a>(operation: Operation<'a>) -> &'a str {
    operation.node["tags"][0].as_str().unwrap_or_default()
}

fn operation_entry(
    bundle: &Bundle,
    model: &Model,
    operation: Operation<'_>,
    locations: BTreeMap<String, Node>,
) -> OperationEntry {
    let (id, tag) = (operation.id(), tag(operation));
    let query_name = query_schema(id);
    let shared = operation.node.pointer("/x-s1/query").and_then(Value::as_str);
    let field = |ty: &str, wire: &str| match model.types.get(ty) {
        Some(TypeModel::Struct(fields)) => {
            fields.iter().find(|field| field.wire == wire).map(|field| field.ident.to_string())
        }
        _ => None,
    };
    let mut query = BTreeMap::new();
    for parameter in operation.parameters_in("query") {
        let Some(name) = parameter["name"].as_str() else { continue };
        let in_filter = shared.and_then(|ty| Some((bundle.modules.get(ty)?.as_str(), ty, field(ty, name)?)));
        let in_query = || Some((tag, query_name.as_str(), field(&query_name, name)?));
        if let Some((module, ty, field)) = in_filter.or_else(in_query) {
            query.insert(name.to_owned(), format!("{CRATE}::{module}::{ty}::{field}"));
        }
    }
    let query_type = match model.types.contains_key(&query_name) {
        true => format!("{CRATE}::{tag}::{query_name}"),
        false => String::new(),
    };
    let function = format!("{CRATE}::{tag}::{}", function_name(id, tag));
    OperationEntry { id: id.to_owned(), function, locations, query, query_type }
}

/// Returns whether a location is that of a query parameter or below it.
fn is_within(location: &str, parameter: &str) -> bool {
    location.strip_prefix(parameter).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

/// Returns the operation ID in the curated specification, else in the document, else method and path.
pub(super) fn operation_name(index: &SpecIndex, key: &Key, id: &str) -> String {
    match index.id(key) {
        Some(id) => id.to_owned(),
        None if id.is_empty() => key.to_string(),
        None => id.to_owned(),
    }
}
