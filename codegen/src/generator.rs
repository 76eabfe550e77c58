//! Runs progenitor and reads names and types from its output.
//!
//! progenitor determines the Rust names of types, fields, variants and methods, the types of fields and the order
//! of arguments. [`emit`](crate::emit) adds the parts that are specific to this API. Output of an unsupported shape
//! is an error, so an upgrade of progenitor cannot change the generated code unnoticed.

use std::collections::{BTreeMap, BTreeSet};

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use quote::ToTokens;
use syn::visit_mut::VisitMut;

use crate::bundle::Bundle;
use crate::dialect::{Dialect, query_schema};
use crate::generic::generic;
use crate::{Error, Result};

/// Types and methods of the progenitor output.
#[derive(Debug, Default)]
pub struct Model {
    /// Types by name; the name equals the schema name.
    pub types: BTreeMap<String, TypeModel>,
    /// Methods by name; the name equals the `operationId`.
    pub methods: BTreeMap<String, MethodModel>,
    /// Operation ID of each query type.
    pub queries: BTreeMap<String, String>,
    /// Types that requests use, directly or through other types.
    pub in_requests: BTreeSet<String>,
    /// Types that responses use, directly or through other types.
    pub in_responses: BTreeSet<String>,
}

/// A type.
#[derive(Debug)]
pub enum TypeModel {
    /// An object.
    Struct(Vec<FieldModel>),
    /// An enum of strings.
    Enum(Vec<VariantModel>),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub struct FieldModel {
    /// Rust name.
    pub ident: syn::Ident,
    /// Name on the wire.
    pub wire: String,
    /// Rust type, without paths and lifetimes.
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
    /// Arguments after `self`: name and type, without paths and lifetimes.
    pub arguments: Vec<(syn::Ident, syn::Type)>,
    /// Type of the success response, without paths and lifetimes.
    pub response: syn::Type,
}

/// Runs progenitor on the document of the dialect.
///
/// # Errors
/// Returns an error if progenitor rejects the document, or if its output has an unsupported shape.
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
        in_responses: dialect.in_responses.clone(),
        queries: bundle
            .operations()
            .map(|operation| (query_schema(operation.id()), operation.id().to_owned()))
            .collect(),
        ..Model::default()
    };
    for item in file.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => {
                for item in module.content.map(|(_, items)| items).unwrap_or_default() {
                    model.add_type(item)?;
                }
            }
            syn::Item::Impl(block) if block.trait_.is_none() => model.add_methods(block)?,
            // The client, its constructors and its prelude are hand-written elsewhere.
            _ => {}
        }
    }
    for operation in bundle.operations() {
        if !model.methods.contains_key(operation.id()) {
            return Err(Error::Generator(format!(
                "{} has no method in the progenitor output",
                operation.id()
            )));
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
    fn add_type(&mut self, item: syn::Item) -> Result<()> {
        match item {
            syn::Item::Struct(item) => {
                let name = item.ident.to_string();
                let syn::Fields::Named(fields) = item.fields else {
                    return Err(unsupported(&name, "is a struct without named fields"));
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
                        return Err(unsupported(&name, "is an enum with data"));
                    }
                    let wire = rename(&variant.attrs)?.unwrap_or_else(|| variant.ident.to_string());
                    models.push(VariantModel { ident: variant.ident, wire });
                }
                self.types.insert(name, TypeModel::Enum(models));
            }
            // Conversions of enums and defaults of structs are emitted by `emit`.
            syn::Item::Impl(block) => {
                const EXPECTED: [&str; 6] = ["From", "TryFrom", "FromStr", "Display", "Default", "PartialEq"];
                let name = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
                if !name.is_some_and(|segment| EXPECTED.iter().any(|expected| segment.ident == expected)) {
                    let name = block.self_ty.to_token_stream().to_string();
                    return Err(unsupported(&name, "has an unexpected impl"));
                }
            }
            // `mod error` serves conversions that are not used. `mod defaults` does not occur: the dialect drops
            // defaults.
            syn::Item::Mod(module) if module.ident == "error" => {}
            syn::Item::Use(_) => {}
            other => {
                let code: String = other.to_token_stream().to_string().chars().take(80).collect();
                return Err(unsupported("types", &format!("contains an unexpected item: {code}")));
            }
        }
        Ok(())
    }

    fn add_methods(&mut self, block: syn::ItemImpl) -> Result<()> {
        for item in block.items {
            let syn::ImplItem::Fn(method) = item else { continue };
            if method.sig.asyncness.is_none() {
                continue;
            }
            let mut arguments = Vec::new();
            for input in method.sig.inputs {
                let syn::FnArg::Typed(argument) = input else { continue };
                let syn::Pat::Ident(pattern) = *argument.pat else {
                    return Err(unsupported(&method.sig.ident.to_string(), "has an argument without a name"));
                };
                let mut ty = *argument.ty;
                Shorten.visit_type_mut(&mut ty);
                arguments.push((pattern.ident, ty));
            }
            let name = method.sig.ident.to_string();
            let response = response_type(&method.sig.output)
                .ok_or_else(|| unsupported(&name, "does not return Result<ResponseValue<T>, E>"))?;
            self.methods.insert(name, MethodModel { arguments, response });
        }
        Ok(())
    }
}

/// Returns T of `Result<ResponseValue<T>, E>`.
fn response_type(output: &syn::ReturnType) -> Option<syn::Type> {
    let syn::ReturnType::Type(_, result) = output else { return None };
    let mut response = generic(generic(result, "Result")?, "ResponseValue")?.clone();
    Shorten.visit_type_mut(&mut response);
    Some(response)
}

fn unsupported(name: &str, reason: &str) -> Error {
    Error::Generator(format!("unsupported progenitor output: {name} {reason}"))
}

/// Returns the name of the attribute `serde(rename)`.
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

/// Shortens types: `Option` instead of `::std::option::Option`, without lifetimes and `types::`.
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
