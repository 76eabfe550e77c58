//! The Cargo features that compile the operations of the documented tier, and the types that only they use.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

use crate::bundle::{Bundle, members};
use crate::dialect::query_schema;
use crate::generator::{Model, TypeModel};
use crate::metadata::{self, SchemaFacts, Tier};
use crate::{Error, Result};

/// Pointer of the declared features in the root file of the specification.
pub(crate) const FEATURES: &str = "/x-s1/features";

/// The feature that all others enable. It compiles what several of them use, and resources that no feature lists.
pub(crate) const SHARED: &str = "documented";

/// The feature that compiles an item; without one, the item is always compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gate(Option<String>);

impl Gate {
    /// The item is always compiled.
    pub(crate) const ALWAYS: Self = Self(None);

    fn shared() -> Self {
        Self(Some(SHARED.to_owned()))
    }

    /// Returns whether every feature compiles the item.
    pub(crate) fn is_common(&self) -> bool {
        *self == Self::ALWAYS || *self == Self::shared()
    }

    /// Returns the attribute that compiles an item with the feature only, as a line, or an empty string.
    pub(crate) fn attribute(&self, indent: &str) -> String {
        self.0.iter().map(|feature| format!("{indent}#[cfg(feature = \"{feature}\")]\n")).collect()
    }

    /// Returns the name of the module with the items.
    pub(crate) fn module(&self) -> String {
        self.0.as_deref().unwrap_or_default().replace('-', "_")
    }

    /// Returns the gate of a module whose items have these gates. Each feature enables the shared one.
    pub(crate) fn of_module(gates: &BTreeSet<Self>) -> Self {
        match gates.iter().collect::<Vec<_>>().as_slice() {
            [single] => (*single).clone(),
            [first, ..] if **first != Self::ALWAYS => Self::shared(),
            _ => Self::ALWAYS,
        }
    }
}

/// The gates of all operations and types.
pub(crate) struct Features {
    operations: BTreeMap<String, Gate>,
    types: BTreeMap<String, Gate>,
}

impl Features {
    /// Assigns each operation of the documented tier the feature of its resource, and each type the feature of the
    /// operations that use it.
    ///
    /// # Errors
    /// Returns an error if the metadata of an operation is not valid.
    pub(crate) fn read(bundle: &Bundle, model: &Model) -> Result<Self> {
        let mut of_resource = BTreeMap::new();
        for (feature, node) in members(&bundle.document, FEATURES) {
            for resource in node["resources"].as_array().into_iter().flatten().filter_map(|one| one.as_str())
            {
                of_resource.insert(resource, feature);
            }
        }
        let (mut operations, mut types) = (BTreeMap::new(), BTreeMap::new());
        for operation in bundle.operations() {
            let id = operation.id();
            let facts = metadata::read_operation(operation.node);
            let facts = facts.map_err(|message| Error::Generator(format!("{id}: {message}")))?;
            let resource = operation.node["tags"][0].as_str().unwrap_or_default();
            let gate = match facts.tier {
                // A schema has many types, so each has a feature with the name of its resource.
                Tier::Curated if facts.graphql.is_some() => Gate(Some(resource.replace('_', "-"))),
                Tier::Curated => Gate::ALWAYS,
                Tier::Documented => match of_resource.get(resource) {
                    Some(feature) => Gate(Some((*feature).clone())),
                    None => Gate::shared(),
                },
            };
            let mut used = UsedTypes { bundle, model, names: BTreeSet::new() };
            if let Some(method) = model.methods.get(id) {
                method.arguments.iter().for_each(|(_, ty)| used.visit_type(ty));
                used.visit_type(&method.response);
            }
            used.add(&query_schema(id));
            facts.query.iter().for_each(|name| used.add(name));
            for name in used.names {
                let others = types.entry(name).or_insert_with(|| gate.clone());
                if *others != gate {
                    let always = *others == Gate::ALWAYS || gate == Gate::ALWAYS;
                    *others = if always { Gate::ALWAYS } else { Gate::shared() };
                }
            }
            operations.insert(id.to_owned(), gate);
        }
        Ok(Self { operations, types })
    }

    /// Returns the gate of an operation.
    pub(crate) fn operation(&self, id: &str) -> &Gate {
        self.operations.get(id).unwrap_or(&Gate::ALWAYS)
    }

    /// Returns the gate of a type. A type that no operation uses is always compiled.
    pub(crate) fn ty(&self, name: &str) -> &Gate {
        self.types.get(name).unwrap_or(&Gate::ALWAYS)
    }
}

/// Returns the declared features with their descriptions, in the order of their names.
pub(crate) fn declared(bundle: &Bundle) -> impl Iterator<Item = (&str, &str)> {
    let features = members(&bundle.document, FEATURES);
    features.map(|(name, node)| (name.as_str(), node["description"].as_str().unwrap_or_default()))
}

/// The types that an operation uses, directly or through other types.
struct UsedTypes<'a> {
    bundle: &'a Bundle,
    model: &'a Model,
    names: BTreeSet<String>,
}

impl UsedTypes<'_> {
    fn add(&mut self, name: &str) {
        let Some(ty) = self.model.types.get(name) else { return };
        if !self.names.insert(name.to_owned()) {
            return;
        }
        if let TypeModel::Struct(fields) = ty {
            fields.iter().for_each(|field| self.visit_type(&field.ty));
        }
        let schema = self.bundle.schema(name).and_then(|schema| metadata::read::<SchemaFacts>(schema).ok());
        if let Some(base) = schema.and_then(|facts| facts.extends) {
            self.add(&base);
        }
    }
}

impl Visit<'_> for UsedTypes<'_> {
    fn visit_ident(&mut self, ident: &syn::Ident) {
        self.add(&ident.to_string());
    }
}
