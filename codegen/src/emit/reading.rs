//! How a type of answers reads itself: its members, each in the way that its type is read.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use super::module::generic;
use crate::generator::{FieldModel, Model, TypeModel};

/// The function of the runtime that reads a type, both in `lenient` and in `members`; `None` for what has one form.
pub(super) fn way(model: &Model, inner: &syn::Type) -> Option<&'static str> {
    if generic(inner, "Vec").is_some() {
        return Some("list");
    }
    if generic(inner, "BTreeMap").is_some() {
        return Some("map");
    }
    match inner.to_token_stream().to_string().as_str() {
        "bool" => Some("flag"),
        "i64" => Some("integer"),
        "f64" => Some("number"),
        "String" => Some("text"),
        name if matches!(model.types.get(name), Some(TypeModel::Struct(_))) => Some("object"),
        _ => None,
    }
}

/// The reader of a type all of whose members may be absent.
pub(super) fn reader(model: &Model, name: &syn::Ident, fields: &[FieldModel]) -> TokenStream {
    let arms = fields.iter().filter_map(|FieldModel { ident, wire, ty }| {
        let way = format_ident!("{}", way(model, generic(ty, "Option")?).unwrap_or("value"));
        Some(quote!(#wire => self.#ident = crate::runtime::members::#way(map)?,))
    });
    quote! {
        impl crate::runtime::members::Members for #name {
            fn member<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                match name {
                    #(#arms)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
        crate::runtime::members::read_by_members!(#name);
    }
}
