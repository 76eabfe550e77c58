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

/// The reader of a type of answers all of whose members may be absent.
pub(super) fn of_answers(model: &Model, name: &syn::Ident, fields: &[FieldModel]) -> TokenStream {
    let arms = fields.iter().filter_map(|FieldModel { ident, wire, ty }| {
        let way = format_ident!("{}", way(model, generic(ty, "Option")?).unwrap_or("value"));
        Some(quote!(#wire => self.#ident = crate::runtime::members::#way(map)?,))
    });
    reader(name, &TokenStream::new(), arms, &quote!(Ok(false)))
}

/// The reader of such a type of requests, which is there with a feature only: each member in the one form that is sent,
/// and those of a filter that the type brings along.
pub(super) fn of_requests(name: &syn::Ident, fields: &[FieldModel], feature: &TokenStream) -> TokenStream {
    let (optional, brought): (Vec<_>, Vec<_>) =
        fields.iter().partition(|field| generic(&field.ty, "Option").is_some());
    let arms = optional.iter().map(
        |FieldModel { ident, wire, .. }| quote!(#wire => self.#ident = crate::runtime::members::value(map)?,),
    );
    let rest = match brought.as_slice() {
        [FieldModel { ident, .. }, ..] => {
            quote!(crate::runtime::members::Members::member(&mut self.#ident, name, map))
        }
        [] => quote!(Ok(false)),
    };
    reader(name, &quote!(#[cfg(#feature)]), arms, &rest)
}

fn reader(
    name: &syn::Ident,
    condition: &TokenStream,
    arms: impl Iterator<Item = TokenStream>,
    rest: &TokenStream,
) -> TokenStream {
    let arms: Vec<_> = arms.collect();
    let body = match arms.as_slice() {
        [] => rest.clone(),
        arms => quote! {
            match name {
                #(#arms)*
                _ => return #rest,
            }
            Ok(true)
        },
    };
    quote! {
        #condition
        impl crate::runtime::members::Members for #name {
            fn member<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                #body
            }
        }
        #condition
        crate::runtime::members::read_by_members!(#name);
    }
}
