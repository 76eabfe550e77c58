//! Emits the request of a command.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::manifest::Kind;
use super::super::model::{Argument, Command, Location, Request, RequestForm, Single};
use super::arguments::{Presence, presence, type_tokens};

/// Query parameters that apply to one request, and not to several requests of one list.
const SINGLE_REQUEST: [&str; 4] = ["cursor", "skip", "sortBy", "sortOrder"];

/// Returns the implementations of the request traits.
pub(super) fn implementations(name: &syn::Ident, command: &Command, request: &Request) -> TokenStream {
    let operation = type_tokens(&request.metadata);
    let singles = || command.arguments.iter().flat_map(Argument::singles);
    let values = singles().filter_map(|one| value(one, request));
    let constants = request.constants.iter().map(|(location, value)| {
        let value: TokenStream = value.to_string().parse().unwrap_or_default();
        set(location, &quote!(serde_json::json!(#value)))
    });
    let ids_parameter = if request.ids.is_some() { quote!(ids) } else { quote!(_) };
    let ids = ids(request, singles());
    let form = match request.form {
        RequestForm::List => list(name, &ids, command, singles()),
        RequestForm::Action => action(name, &ids, singles()),
    };
    let required_ids = request.ids.as_ref().filter(|_| request.form == RequestForm::Action);
    let required_ids = required_ids.map(|name| quote!(.require_ids(#name, ids)));
    quote! {
        impl CommandRequest for #name {
            fn operation() -> &'static crate::runtime::Operation {
                &#operation
            }

            fn request(
                &self,
                #ids_parameter: &[String],
            ) -> Result<crate::runtime::Request<serde_json::Value>, crate::runtime::RequestError> {
                RequestValues::new(Self::operation())#required_ids #(#values)*#(#constants)*.build()
            }
        }

        #form
    }
}

/// Returns the call that sets the value of an argument.
fn value(one: &Single, request: &Request) -> Option<TokenStream> {
    let location = one.sends.as_ref()?;
    let rust = format_ident!("{}", one.rust);
    let is_ids = request.ids.as_ref() == Some(&one.name);
    let value = match (is_ids, location) {
        (true, _) => quote!(ids),
        (false, Location::Query { is_string: true, .. }) if one.kind == Kind::List => {
            quote!(joined(&self.#rust))
        }
        (false, Location::Path(_)) if one.enum_type.is_some() => {
            quote!(crate::runtime::OpenEnum::as_str(&self.#rust))
        }
        (false, _) if is_copy(one) => quote!(self.#rust),
        (false, _) => quote!(&self.#rust),
    };
    Some(set(location, &value))
}

/// Returns whether the field of an argument is copied.
fn is_copy(one: &Single) -> bool {
    matches!(one.kind, Kind::Boolean | Kind::Integer)
}

fn set(location: &Location, value: &TokenStream) -> TokenStream {
    match location {
        Location::Path(name) => quote!(.path(#name, #value)),
        Location::Query { name, .. } => quote!(.query(#name, #value)),
        Location::Body(part, name) => quote!(.body(#part, #name, #value)),
    }
}

/// Returns the expression of the argument with the IDs and its values.
fn ids<'a>(request: &Request, mut singles: impl Iterator<Item = &'a Single>) -> TokenStream {
    let one = request.ids.as_ref().and_then(|name| singles.find(|one| one.name == *name));
    match one {
        Some(one) => {
            let (name, rust) = (&one.name, format_ident!("{}", one.rust));
            quote!((#name, &self.#rust))
        }
        None => quote!(("", &[])),
    }
}

fn list<'a>(
    name: &syn::Ident,
    ids: &TokenStream,
    command: &Command,
    singles: impl Iterator<Item = &'a Single> + Clone,
) -> TokenStream {
    let (limit, default) = match command.limit() {
        Some(_) => (quote!(self.limit), quote!(Some(Self::DEFAULT_LIMIT))),
        None => (quote!(None), quote!(None)),
    };
    let is_single = |one: &&Single| {
        let location = one.sends.as_ref();
        location.is_some_and(|location| {
            matches!(location, Location::Query { name, .. } if SINGLE_REQUEST.contains(&name.as_str()))
        })
    };
    let set = singles.clone().filter(is_single).map(|one| {
        let (name, rust) = (&one.name, format_ident!("{}", one.rust));
        match presence(one) {
            Presence::Optional => quote!((#name, self.#rust.is_some())),
            _ => quote!((#name, true)),
        }
    });
    let set: Vec<_> = set.collect();
    let set = match set.as_slice() {
        [] => quote!(Vec::new()),
        set => quote! {
            let arguments = [#(#set),*];
            arguments.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
        },
    };
    let identifiers: Vec<_> = singles
        .filter_map(|one| {
            let (fields, name, rust) = (one.identifies.as_ref()?, &one.name, format_ident!("{}", one.rust));
            let values = match presence(one) {
                Presence::List | Presence::RequiredList => quote!(&self.#rust),
                Presence::Optional => quote!(self.#rust.as_slice()),
                _ => quote!(std::slice::from_ref(&self.#rust)),
            };
            Some(quote!(Identifier::new(#name, #values, &[#(#fields),*])))
        })
        .collect();
    let identifiers =
        if identifiers.is_empty() { quote!(Vec::new()) } else { quote!(Vec::from([#(#identifiers),*])) };
    quote! {
        impl ListCommand for #name {
            fn limit(&self) -> Option<u64> {
                #limit
            }

            fn default_limit(&self) -> Option<u64> {
                #default
            }

            fn ids(&self) -> (&'static str, &[String]) {
                #ids
            }

            fn single_request_arguments(&self) -> Vec<&'static str> {
                #set
            }

            fn identifiers(&self) -> Vec<Identifier<'_>> {
                #identifiers
            }
        }
    }
}

fn action<'a>(
    name: &syn::Ident,
    ids: &TokenStream,
    singles: impl Iterator<Item = &'a Single>,
) -> TokenStream {
    let values = singles.map(|one| {
        let (name, rust) = (&one.name, format_ident!("{}", one.rust));
        quote!(#name => serde_json::json!(self.#rust))
    });
    quote! {
        impl ActionCommand for #name {
            fn ids(&self) -> (&'static str, &[String]) {
                #ids
            }

            fn value(&self, argument: &str) -> serde_json::Value {
                match argument {
                    #(#values,)*
                    _ => serde_json::Value::Null,
                }
            }
        }
    }
}
