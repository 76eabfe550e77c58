//! Emits the deserializers of types that are read member by member.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use crate::generator::{FieldModel, Model, TypeModel};
use crate::generic::generic;

/// Returns the name of the function in `lenient` and `object_reader` that reads a type leniently; `None` if the type
/// is read strictly.
pub(super) fn reader_function(model: &Model, inner: &syn::Type) -> Option<&'static str> {
    if generic(inner, "Vec").is_some() {
        return Some("list");
    }
    if generic(inner, "BTreeMap").is_some() {
        return Some("map");
    }
    match inner.to_token_stream().to_string().as_str() {
        "bool" => Some("boolean"),
        "i64" => Some("integer"),
        "f64" => Some("number"),
        "String" => Some("string"),
        name if matches!(model.types.get(name), Some(TypeModel::Struct(_))) => Some("object"),
        _ => None,
    }
}

/// Emits the deserializer of a response type whose members are all optional.
pub(super) fn response_reader(model: &Model, name: &syn::Ident, fields: &[FieldModel]) -> TokenStream {
    let arms = fields.iter().filter_map(|FieldModel { ident, wire, ty }| {
        let reader_function =
            format_ident!("{}", reader_function(model, generic(ty, "Option")?).unwrap_or("value"));
        Some(quote!(#wire => self.#ident = crate::runtime::object_reader::#reader_function(map)?,))
    });
    reader(name, &TokenStream::new(), arms, &quote!(Ok(false)))
}

/// Emits the deserializer of a request type whose members are all optional, behind `feature`. Members are read
/// strictly; members of a flattened filter are read too.
pub(super) fn request_reader(name: &syn::Ident, fields: &[FieldModel], feature: &TokenStream) -> TokenStream {
    let (optional, flattened): (Vec<_>, Vec<_>) =
        fields.iter().partition(|field| generic(&field.ty, "Option").is_some());
    let arms = optional.iter().map(
        |FieldModel { ident, wire, .. }| quote!(#wire => self.#ident = crate::runtime::object_reader::value(map)?,),
    );
    let rest = match flattened.as_slice() {
        [FieldModel { ident, .. }, ..] => {
            quote!(crate::runtime::object_reader::ReadMembers::member(&mut self.#ident, name, map))
        }
        [] => quote!(Ok(false)),
    };
    reader(name, &quote!(#[cfg(#feature)]), arms, &rest)
}

fn reader(
    name: &syn::Ident,
    cfg: &TokenStream,
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
        #cfg
        impl crate::runtime::object_reader::ReadMembers for #name {
            fn member<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                #body
            }
        }
        #cfg
        crate::runtime::object_reader::impl_read_members!(#name);
    }
}
