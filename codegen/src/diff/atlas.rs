//! What is known of the curated specification: who owns a place, and what it is called in Rust.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bundle::{Bundle, Operation};
use crate::dialect::query_schema;
use crate::emit::{field_name, function_name};
use crate::generator::{self, Model, TypeModel};
use crate::surface::{Key, Node, Spot, Surface};
use crate::{Result, dialect};

/// The crate and the module through which people reach the generated items.
const CRATE: &str = "sentinelone::raw";

/// Names of commands by the identifier of an operation that they may send.
pub type Commands = BTreeMap<String, BTreeSet<String>>;

/// The curated specification as a map.
///
/// More than one edition of it can be put in: what an earlier one knows wins, a later one adds what that does not
/// have, such as the operation that was removed meanwhile.
#[derive(Debug, Default)]
pub struct Atlas {
    operations: BTreeMap<Key, Known>,
    by_id: BTreeMap<String, Key>,
    /// Generated types by the name of their schema.
    types: BTreeMap<String, Type>,
    commands: Commands,
}

#[derive(Debug)]
struct Known {
    id: String,
    function: String,
    places: BTreeMap<String, Node>,
    /// Items of the fields that query parameters are.
    query: BTreeMap<String, String>,
    /// The type that a new query parameter would be a field of.
    query_type: String,
}

#[derive(Debug, Default)]
struct Type {
    /// Its full path.
    path: String,
    /// Its fields or variants, by their name on the wire.
    members: BTreeMap<String, String>,
    /// It is an enum.
    closed: bool,
}

impl Atlas {
    /// An atlas that knows which command sends which operation, and nothing else yet.
    pub fn new(commands: Commands) -> Self {
        Self { commands, ..Self::default() }
    }

    /// Puts an edition of the curated specification in.
    ///
    /// # Errors
    /// When the generator cannot read it, so that its Rust names are not known.
    pub fn add(&mut self, bundle: &Bundle) -> Result<()> {
        let dialect = dialect::apply(bundle)?;
        let model = generator::run(bundle, &dialect)?;
        for (name, ty) in &model.types {
            self.add_type(bundle, name, ty);
        }
        let mut surface = Surface::of(&bundle.document);
        for operation in bundle.operations() {
            let key = Key::new(operation.method, operation.path);
            let Some(found) = surface.operations.remove(&key) else { continue };
            self.by_id.entry(found.id.clone()).or_insert_with(|| key.clone());
            let known = known(bundle, &model, operation, found.places);
            self.operations.entry(key).or_insert(known);
        }
        Ok(())
    }

    fn add_type(&mut self, bundle: &Bundle, name: &str, ty: &TypeModel) {
        let module = match bundle.modules.get(name) {
            Some(module) => module.clone(),
            None => {
                let owner = bundle.operations().find(|operation| query_schema(operation.id()) == name);
                let Some(owner) = owner else { return };
                tag(owner).to_owned()
            }
        };
        let known = self.types.entry(name.to_owned()).or_default();
        if known.path.is_empty() {
            known.path = format!("{CRATE}::{module}::{name}");
        }
        let members: Vec<(&String, String)> = match ty {
            TypeModel::Struct(fields) => {
                fields.iter().map(|one| (&one.wire, one.ident.to_string())).collect()
            }
            TypeModel::Enum(variants) => {
                known.closed = true;
                variants.iter().map(|one| (&one.wire, one.ident.to_string())).collect()
            }
        };
        for (wire, ident) in members {
            known.members.entry(wire.clone()).or_insert(ident);
        }
    }

    /// Whether the curated specification has the operation.
    pub fn knows(&self, key: &Key) -> bool {
        self.operations.contains_key(key)
    }

    /// The identifier that the curated specification has for an operation.
    pub fn id(&self, key: &Key) -> Option<&str> {
        self.operations.get(key).map(|known| known.id.as_str())
    }

    /// Where the curated specification has the operation of an identifier.
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }

    /// All operations that it knows.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.operations.keys()
    }

    /// The places of an operation.
    pub fn places(&self, key: &Key) -> impl Iterator<Item = (&String, &Node)> {
        self.operations.get(key).into_iter().flat_map(|known| &known.places)
    }

    /// The commands that may send an operation.
    pub fn commands(&self, id: &str) -> impl Iterator<Item = &String> {
        self.commands.get(id).into_iter().flatten()
    }

    /// Where a place stands, and where its type does: as the curated specification has it, else as it would.
    pub(super) fn spots(&self, key: &Key, place: &str) -> Option<(Spot, Spot)> {
        let places = &self.operations.get(key)?.places;
        if let Some(node) = places.get(place) {
            return Some((node.site.clone(), node.target.clone()));
        }
        // What a place that is known would have below it.
        let parent = super::above(place).find(|above| places.contains_key(*above))?;
        let above = &places.get(parent)?.target;
        let more = place.strip_prefix(parent)?;
        let path = match (&above.schema, above.path.is_empty()) {
            (Some(_), true) => more.trim_start_matches('.').to_owned(),
            _ => format!("{}{more}", above.path),
        };
        let spot = Spot { schema: above.schema.clone(), path };
        Some((spot.clone(), spot))
    }

    /// The Rust item of an operation.
    pub fn function(&self, key: &Key) -> Option<&str> {
        self.operations.get(key).map(|known| known.function.as_str())
    }

    /// The Rust item of a place: a field, a type, or the function of its operation where the client has nothing
    /// closer, as for the envelope of an answer.
    pub fn item(&self, key: &Key, place: &str) -> Option<String> {
        let known = self.operations.get(key)?;
        if let Some(rest) = place.strip_prefix("request.query.") {
            // The elements and members of a parameter belong to its field.
            let name = known.query.keys().filter(|name| within(rest, name)).max_by_key(|name| name.len());
            return Some(match name {
                Some(name) => known.query[name].clone(),
                None if known.query_type.is_empty() => known.function.clone(),
                None => format!("{}::{}", known.query_type, field_name(rest)),
            });
        }
        let Some((site, target)) = self.spots(key, place) else { return Some(known.function.clone()) };
        let item = self.member(&site).or_else(|| self.member(&target));
        Some(item.unwrap_or_else(|| known.function.clone()))
    }

    fn member(&self, spot: &Spot) -> Option<String> {
        let ty = self.types.get(spot.schema.as_deref()?)?;
        let wire = spot.path.split(['.', '[', '{']).next().unwrap_or_default();
        if wire.is_empty() || ty.closed {
            return Some(ty.path.clone());
        }
        let name = ty.members.get(&spot.path).or_else(|| ty.members.get(wire));
        Some(format!("{}::{}", ty.path, name.cloned().unwrap_or_else(|| field_name(wire))))
    }

    /// The Rust items of values of an enum that stands at a place: the variants that are known, else the enum.
    pub fn values(&self, key: &Key, place: &str, values: &[Value]) -> Vec<String> {
        let ty = self.spots(key, place).and_then(|(_, target)| self.types.get(target.schema.as_deref()?));
        let Some(ty) = ty.filter(|ty| ty.closed) else {
            return self.item(key, place).into_iter().collect();
        };
        let variant = |value: &Value| {
            let name = value.as_str().and_then(|value| ty.members.get(value));
            name.map_or_else(|| ty.path.clone(), |name| format!("{}::{name}", ty.path))
        };
        let items: BTreeSet<String> = values.iter().map(variant).collect();
        items.into_iter().collect()
    }

    /// The Rust type that stands at a place, where it is one of the generated ones; else as [`item`](Self::item).
    pub fn type_item(&self, key: &Key, place: &str) -> Option<String> {
        let (_, target) = self.spots(key, place)?;
        let ty = self.types.get(target.schema.as_deref()?).filter(|_| target.path.is_empty());
        ty.map(|ty| ty.path.clone()).or_else(|| self.item(key, place))
    }
}

fn tag<'a>(operation: Operation<'a>) -> &'a str {
    operation.node["tags"][0].as_str().unwrap_or_default()
}

fn known(bundle: &Bundle, model: &Model, operation: Operation<'_>, places: BTreeMap<String, Node>) -> Known {
    let (id, tag) = (operation.id(), tag(operation));
    let own = query_schema(id);
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
        let in_query = || Some((tag, own.as_str(), field(&own, name)?));
        if let Some((module, ty, field)) = in_filter.or_else(in_query) {
            query.insert(name.to_owned(), format!("{CRATE}::{module}::{ty}::{field}"));
        }
    }
    let query_type = match model.types.contains_key(&own) {
        true => format!("{CRATE}::{tag}::{own}"),
        false => String::new(),
    };
    let function = format!("{CRATE}::{tag}::{}", function_name(id, tag));
    Known { id: id.to_owned(), function, places, query, query_type }
}

/// Whether a place of the query is this parameter, or stands below it.
fn within(place: &str, parameter: &str) -> bool {
    place.strip_prefix(parameter).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}
