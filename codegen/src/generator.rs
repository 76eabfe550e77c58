//! Runs progenitor and takes names and types from its output.
//!
//! What progenitor decides is kept: the Rust names of types, fields, variants and methods, the types of
//! fields, the order of arguments. What it cannot know about this API is emitted around that. Output of
//! an unknown shape is an error, so that an upgrade of the generator cannot slip something in.

use std::collections::{BTreeMap, BTreeSet};

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use quote::ToTokens;
use syn::visit_mut::VisitMut;

use crate::bundle::Bundle;
use crate::dialect::Dialect;
use crate::{Error, Result};

/// What the generator made of the document.
#[derive(Debug, Default)]
pub struct Model {
    /// Types by name, which is also the name of the schema.
    pub types: BTreeMap<String, TypeModel>,
    /// Methods by name, which is also the `operationId`.
    pub methods: BTreeMap<String, MethodModel>,
    /// Types that requests reach.
    pub in_requests: BTreeSet<String>,
    /// Types that answers reach.
    pub in_answers: BTreeSet<String>,
}

/// A type.
#[derive(Debug)]
pub enum TypeModel {
    /// An object.
    Struct(Vec<FieldModel>),
    /// An enum of texts.
    Enum(Vec<VariantModel>),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub struct FieldModel {
    /// Rust name.
    pub ident: syn::Ident,
    /// Name on the wire.
    pub wire: String,
    /// Rust type, in short form.
    pub ty: syn::Type,
}

/// A value of an enum.
#[derive(Debug)]
pub struct VariantModel {
    /// Rust name.
    pub ident: syn::Ident,
    /// Value on the wire.
    pub wire: String,
}

/// A method.
#[derive(Debug)]
pub struct MethodModel {
    /// Arguments after `self`: name and type, in short form.
    pub arguments: Vec<(syn::Ident, syn::Type)>,
}

/// Runs the generator on the document of the dialect.
///
/// # Errors
/// When the generator refuses the document, or its output has an unknown shape.
pub fn run(bundle: &Bundle, dialect: &Dialect) -> Result<Model> {
    let failed = |error: String| Error::Generator(error);
    let document: openapiv3::OpenAPI =
        serde_json::from_value(dialect.document.clone()).map_err(|e| failed(e.to_string()))?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap")
        .with_conversion(date_time(), "crate::runtime::Timestamp", [].into_iter());
    let tokens =
        Generator::new(&settings).generate_tokens(&document).map_err(|error| failed(error.to_string()))?;
    let file: syn::File = syn::parse2(tokens).map_err(|error| failed(error.to_string()))?;

    let mut model = Model {
        in_requests: dialect.in_requests.clone(),
        in_answers: dialect.in_answers.clone(),
        ..Model::default()
    };
    for item in file.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => {
                for item in module.content.map(|(_, items)| items).unwrap_or_default() {
                    model.take_type(item)?;
                }
            }
            syn::Item::Impl(block) if block.trait_.is_none() => model.take_methods(block)?,
            // The client, its constructors and its prelude have their hand-written counterparts.
            _ => {}
        }
    }
    for operation in bundle.operations() {
        if !model.methods.contains_key(operation.id()) {
            return Err(Error::Generator(format!("{} has no method in the output", operation.id())));
        }
    }
    Ok(model)
}

fn date_time() -> schemars::schema::SchemaObject {
    schemars::schema::SchemaObject {
        instance_type: Some(schemars::schema::InstanceType::String.into()),
        format: Some("date-time".into()),
        ..Default::default()
    }
}

impl Model {
    fn take_type(&mut self, item: syn::Item) -> Result<()> {
        match item {
            syn::Item::Struct(item) => {
                let name = item.ident.to_string();
                let syn::Fields::Named(fields) = item.fields else {
                    return Err(unknown(&name, "is a struct without named fields"));
                };
                let mut models = Vec::new();
                for field in fields.named {
                    let Some(ident) = field.ident else { continue };
                    let wire = rename(&field.attrs)?.unwrap_or_else(|| ident.to_string());
                    let mut ty = field.ty;
                    Shorten.visit_type_mut(&mut ty);
                    models.push(FieldModel { ident, wire, ty });
                }
                self.types.insert(name, TypeModel::Struct(models));
            }
            syn::Item::Enum(item) => {
                let name = item.ident.to_string();
                let mut models = Vec::new();
                for variant in item.variants {
                    if !matches!(variant.fields, syn::Fields::Unit) {
                        return Err(unknown(&name, "is an enum with data"));
                    }
                    let wire = rename(&variant.attrs)?.unwrap_or_else(|| variant.ident.to_string());
                    models.push(VariantModel { ident: variant.ident, wire });
                }
                self.types.insert(name, TypeModel::Enum(models));
            }
            // Conversions of enums and defaults of structs are emitted another way.
            syn::Item::Impl(block) => {
                const KNOWN: [&str; 6] = ["From", "TryFrom", "FromStr", "Display", "Default", "PartialEq"];
                let name = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
                if !name.is_some_and(|segment| KNOWN.iter().any(|known| segment.ident == known)) {
                    let name = block.self_ty.to_token_stream().to_string();
                    return Err(unknown(&name, "has an impl of an unknown kind"));
                }
            }
            // `mod error`, for conversions that are not used, and `mod defaults`, of which there are none.
            syn::Item::Mod(module) if module.ident == "error" => {}
            syn::Item::Use(_) => {}
            other => {
                let text: String = other.to_token_stream().to_string().chars().take(80).collect();
                return Err(unknown("types", &format!("holds an item of an unknown kind: {text}")));
            }
        }
        Ok(())
    }

    fn take_methods(&mut self, block: syn::ItemImpl) -> Result<()> {
        for item in block.items {
            let syn::ImplItem::Fn(method) = item else { continue };
            if method.sig.asyncness.is_none() {
                continue;
            }
            let mut arguments = Vec::new();
            for input in method.sig.inputs {
                let syn::FnArg::Typed(argument) = input else { continue };
                let syn::Pat::Ident(pattern) = *argument.pat else {
                    return Err(unknown(&method.sig.ident.to_string(), "has an argument without a name"));
                };
                let mut ty = *argument.ty;
                Shorten.visit_type_mut(&mut ty);
                arguments.push((pattern.ident, ty));
            }
            self.methods.insert(method.sig.ident.to_string(), MethodModel { arguments });
        }
        Ok(())
    }
}

fn unknown(name: &str, what: &str) -> Error {
    Error::Generator(format!("{name} {what}; the passes have to learn this shape first"))
}

/// The name that serde is told to use.
fn rename(attributes: &[syn::Attribute]) -> Result<Option<String>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute
            .parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
                } else if meta.input.peek(syn::Token![=]) {
                    meta.value()?.parse::<syn::Expr>()?;
                }
                Ok(())
            })
            .map_err(|error| Error::Generator(error.to_string()))?;
    }
    Ok(name)
}

/// Writes types as people do: `Option`, not `::std::option::Option`; no lifetimes, no `types::`.
struct Shorten;

impl VisitMut for Shorten {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        syn::visit_mut::visit_path_mut(self, path);
        let full = path.segments.iter().map(|one| one.ident.to_string()).collect::<Vec<_>>().join("::");
        let keep = match full.as_str() {
            "std::option::Option" | "std::vec::Vec" | "std::string::String" => 1,
            "std::collections::BTreeMap" | "serde_json::Value" | "serde_json::Map" => 1,
            "crate::runtime::Timestamp" => 1,
            _ if full.starts_with("types::") => 1,
            _ => return,
        };
        path.leading_colon = None;
        let skip = path.segments.len() - keep;
        path.segments = path.segments.iter().skip(skip).cloned().collect();
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        syn::visit_mut::visit_type_reference_mut(self, reference);
        reference.lifetime = None;
    }
}
