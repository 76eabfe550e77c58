//! Emits the struct of a command, and the reading of its arguments.

use heck::ToUpperCamelCase;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::super::manifest::{Form, Kind};
use super::super::model::{Argument, Command, Group, Single, TypeName, Values};

/// How a field holds its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
    Defaulted,
    /// A list, which is empty if the argument is missing.
    List,
    RequiredList,
}

/// A field of the struct.
struct Field {
    rust: syn::Ident,
    /// Type of the value, without `Option` and `Vec`.
    inner: TokenStream,
    presence: Presence,
    default: Option<TokenStream>,
    /// Whether the value has a conversion from other types.
    into: bool,
    doc: String,
}

impl Field {
    fn ty(&self) -> TokenStream {
        let inner = &self.inner;
        match self.presence {
            Presence::Optional => quote!(Option<#inner>),
            Presence::List | Presence::RequiredList => quote!(Vec<#inner>),
            Presence::Required | Presence::Defaulted => quote!(#inner),
        }
    }

    /// Returns the type of the parameter that sets the field, and the value for the field.
    fn parameter(&self) -> (TokenStream, TokenStream) {
        let (inner, rust) = (&self.inner, &self.rust);
        match self.presence {
            Presence::List | Presence::RequiredList => (
                quote!(impl IntoIterator<Item = impl Into<#inner>>),
                quote!(#rust.into_iter().map(Into::into).collect()),
            ),
            _ if self.into => (quote!(impl Into<#inner>), quote!(#rust.into())),
            _ => (quote!(#inner), quote!(#rust)),
        }
    }

    fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required | Presence::RequiredList)
    }
}

pub(super) fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

pub(super) fn type_tokens(ty: &TypeName) -> TokenStream {
    let (module, name) = (format_ident!("{}", ty.module), format_ident!("{}", ty.name));
    quote!(crate::#module::#name)
}

pub(super) fn presence(one: &Single) -> Presence {
    match one.kind {
        Kind::List if one.filter.is_some() => Presence::Defaulted,
        Kind::List if one.required => Presence::RequiredList,
        Kind::List => Presence::List,
        _ if one.required => Presence::Required,
        _ if one.form == Some(Form::Limit) || one.default_of_console => Presence::Optional,
        _ if one.default.is_some() => Presence::Defaulted,
        _ => Presence::Optional,
    }
}

/// Returns the field of an argument; `None` if the argument is ignored.
fn single_field(one: &Single) -> Option<Field> {
    let enum_type = one.enum_type.as_ref().map(type_tokens);
    let text = || enum_type.clone().unwrap_or_else(|| quote!(String));
    let (inner, into) = match (one.form, one.kind) {
        (Some(Form::Ignored), _) => return None,
        (Some(Form::Limit), _) => (quote!(u64), false),
        (Some(Form::Seconds), _) => (quote!(std::time::Duration), false),
        (Some(Form::Path), _) => (quote!(std::path::PathBuf), true),
        (Some(Form::Secret), _) => (quote!(secrecy::SecretString), true),
        (Some(Form::TimeRange), _) => (quote!((crate::runtime::Timestamp, crate::runtime::Timestamp)), false),
        (Some(Form::Object), _) => (quote!(serde_json::Map<String, serde_json::Value>), false),
        (_, Kind::List) => match &one.filter {
            Some(filter) => (type_tokens(filter), false),
            None => (text(), true),
        },
        (_, Kind::String) => (text(), true),
        (_, Kind::Boolean) => (quote!(bool), false),
        (_, Kind::Integer) => (quote!(i64), false),
        (_, Kind::Time) => (quote!(crate::runtime::Timestamp), true),
    };
    let default = one.default.as_deref().map(|default| match (one.form, one.kind) {
        (Some(Form::Seconds), _) => {
            let seconds = Literal::u64_unsuffixed(default.parse().unwrap_or_default());
            quote!(std::time::Duration::from_secs(#seconds))
        }
        (Some(Form::Path), _) => quote!(std::path::PathBuf::from(#default)),
        (_, Kind::Boolean) => {
            let value = default == "true";
            quote!(#value)
        }
        (_, Kind::Integer) => {
            let value = Literal::i64_unsuffixed(default.parse().unwrap_or_default());
            quote!(#value)
        }
        _ => quote!(#inner::from(#default)),
    });
    let mut doc = one.description.clone();
    if let Some(default) = one.default.as_ref().filter(|_| !doc.contains("Default:")) {
        doc.push_str(&format!(" Default: `{default}`."));
    }
    Some(Field { rust: format_ident!("{}", one.rust), inner, presence: presence(one), default, into, doc })
}

fn field(argument: &Argument) -> Option<Field> {
    let (rust, inner, doc) = match argument {
        Argument::Single(one) => return single_field(one),
        Argument::Group { rust, name, .. } => {
            let ty = format_ident!("{}", name.to_upper_camel_case());
            let requires = argument.singles().iter().any(|one| one.required);
            let doc = format!("The arguments of [`{ty}`].");
            let inner = quote!(super::#ty);
            let presence = if requires { Presence::Required } else { Presence::Defaulted };
            return Some(Field {
                rust: format_ident!("{rust}"),
                inner,
                presence,
                default: None,
                into: false,
                doc,
            });
        }
        Argument::Filter { rust, filter } => (rust, type_tokens(filter), "Filter.".to_owned()),
    };
    let rust = format_ident!("{rust}");
    Some(Field { rust, inner, presence: Presence::Defaulted, default: None, into: false, doc })
}

/// Returns the struct of a command, its constructor and its setters.
pub(super) fn structure(name: &syn::Ident, command: &Command) -> TokenStream {
    let fields: Vec<Field> = command.arguments.iter().filter_map(field).collect();
    let has_secrets = command.arguments.iter().any(|argument| match argument {
        Argument::Single(one) => one.is_secret(),
        Argument::Group { has_secrets, .. } => *has_secrets,
        Argument::Filter { .. } => false,
    });
    let doc = format!("{} The command `{}`.", command.description, command.name);
    struct_items(name, &doc, default_limit(command), &fields, has_secrets)
}

/// Returns the struct of a group of arguments.
pub(super) fn group(group: &Group) -> TokenStream {
    let name = format_ident!("{}", group.name.to_upper_camel_case());
    let fields: Vec<Field> = group.arguments.iter().filter_map(single_field).collect();
    let has_secrets = group.arguments.iter().any(Single::is_secret);
    let structure = struct_items(&name, &group.description, None, &fields, has_secrets);
    let reads = reads(&group.arguments);
    let names = fields.iter().map(|field| &field.rust);
    quote! {
        #structure

        impl #name {
            /// Reads the arguments.
            pub(crate) fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
                #reads
                Ok(Self { #(#names),* })
            }
        }
    }
}

/// Returns the constant with the default limit of a command.
fn default_limit(command: &Command) -> Option<TokenStream> {
    let limit = command.limit()?.default.as_ref()?.parse().ok()?;
    let limit = Literal::u64_unsuffixed(limit);
    Some(quote! {
        /// Maximum number of items if no limit is set.
        pub const DEFAULT_LIMIT: u64 = #limit;
    })
}

fn struct_items(
    name: &syn::Ident,
    doc: &str,
    constant: Option<TokenStream>,
    fields: &[Field],
    has_secrets: bool,
) -> TokenStream {
    let declarations = fields.iter().map(|field| {
        let (rust, ty, doc) = (&field.rust, field.ty(), format!(" {}", field.doc));
        quote!(#[doc = #doc] pub #rust: #ty)
    });
    let required: Vec<&Field> = fields.iter().filter(|field| field.is_required()).collect();
    let initial: Vec<TokenStream> = fields
        .iter()
        .map(|field| {
            let rust = &field.rust;
            let value = match &field.default {
                _ if field.is_required() => field.parameter().1,
                Some(default) if field.presence == Presence::Defaulted => default.clone(),
                _ => quote!(Default::default()),
            };
            match *rust == value.to_string() {
                true => quote!(#rust),
                false => quote!(#rust: #value),
            }
        })
        .collect();
    let mut derives = vec![quote!(Clone), quote!(Debug)];
    if !has_secrets {
        derives.push(quote!(PartialEq));
    }
    let is_plain = |field: &Field| {
        let default = field.default.as_ref().filter(|_| field.presence == Presence::Defaulted);
        default.is_none_or(|default| matches!(default.to_string().as_str(), "false" | "0"))
    };
    let plain = fields.iter().all(is_plain);
    let mut constructors = constant.unwrap_or_default();
    if !required.is_empty() {
        let parameters = required.iter().map(|field| {
            let (rust, ty) = (&field.rust, field.parameter().0);
            quote!(#rust: #ty)
        });
        let doc = " Creates the command with its required arguments.";
        constructors.extend(quote! {
            #[doc = #doc]
            pub fn new(#(#parameters),*) -> Self {
                Self { #(#initial),* }
            }
        });
    }
    let default = match required.is_empty() {
        true if plain => {
            derives.push(quote!(Default));
            None
        }
        true => Some(quote! {
            impl Default for #name {
                fn default() -> Self {
                    Self { #(#initial),* }
                }
            }
        }),
        false => None,
    };
    let setters = fields.iter().filter(|field| !field.is_required()).map(|field| {
        let (rust, (ty, value), doc) = (&field.rust, field.parameter(), format!(" {}", field.doc));
        let value = if field.presence == Presence::Optional { quote!(Some(#value)) } else { value };
        quote! {
            #[doc = #doc]
            #[must_use]
            pub fn #rust(mut self, #rust: #ty) -> Self {
                self.#rust = #value;
                self
            }
        }
    });
    let setters: TokenStream = setters.collect();
    let methods = (!constructors.is_empty() || !setters.is_empty()).then(|| {
        quote! {
            impl #name {
                #constructors
                #setters
            }
        }
    });
    let doc = format!(" {doc}");
    let body = if fields.is_empty() { quote!(;) } else { quote!({ #(#declarations),* }) };
    quote! {
        #[doc = #doc]
        #[derive(#(#derives),*)]
        #[non_exhaustive]
        pub struct #name #body

        #default

        #methods
    }
}

/// Returns the expression of the list of arguments.
pub(super) fn list(command: &Command) -> TokenStream {
    let mut parts: Vec<TokenStream> = Vec::new();
    let mut pending: Vec<TokenStream> = Vec::new();
    let mut has_filter = false;
    for argument in &command.arguments {
        if let Argument::Filter { filter, .. } = argument {
            let filter = type_tokens(filter);
            let before = std::mem::take(&mut pending);
            parts.push(quote!(arguments.extend([#(#before),*]);));
            parts.push(quote! {
                arguments.extend(
                    <#filter as crate::runtime::Fields>::FIELDS.iter().map(Argument::from_field)
                );
            });
            has_filter = true;
        }
        pending.extend(argument.singles().iter().map(declaration));
    }
    if !has_filter {
        return if pending.is_empty() { quote!(Vec::new()) } else { quote!(Vec::from([#(#pending),*])) };
    }
    if !pending.is_empty() {
        parts.push(quote!(arguments.extend([#(#pending),*]);));
    }
    quote! {
        let mut arguments = Vec::new();
        #(#parts)*
        arguments
    }
}

fn declaration(one: &Single) -> TokenStream {
    let Single { name, description, .. } = one;
    let kind = match one.kind {
        Kind::String => quote!(String),
        Kind::List => quote!(List),
        Kind::Boolean => quote!(Boolean),
        Kind::Integer => quote!(Integer),
        Kind::Time => quote!(Time),
    };
    let mut changes = Vec::new();
    if one.required {
        changes.push(quote!(required: true));
    }
    if one.documented_as_optional {
        changes.push(quote!(documented_as_optional: true));
    }
    if let Some(default) = &one.default {
        changes.push(quote!(default: Some(#default)));
    }
    if one.values != Values::Any {
        let values = values(one);
        changes.push(quote!(values: #values));
    }
    if let (None, None) = one.range {
    } else {
        let (min, max) = (number(one.range.0), number(one.range.1));
        changes.push(quote!(range: (#min, #max)));
    }
    if one.form == Some(Form::Limit) {
        changes.push(quote!(accepts_all: true));
    }
    if one.is_secret() {
        changes.push(quote!(secret: true));
    }
    let new = quote!(Argument::new(#name, ArgumentKind::#kind, #description));
    if changes.is_empty() { new } else { quote!(Argument { #(#changes,)* ..#new }) }
}

fn number(value: Option<i64>) -> TokenStream {
    option(value.map(|value| {
        let value = Literal::i64_unsuffixed(value);
        quote!(#value)
    }))
}

fn values(one: &Single) -> TokenStream {
    match (&one.values, &one.enum_type) {
        (Values::OfEnum, Some(ty)) => {
            let ty = type_tokens(ty);
            quote!(<#ty as crate::runtime::OpenEnum>::VALUES)
        }
        (Values::These(values), _) => quote!(&[#(#values),*]),
        _ => quote!(&[]),
    }
}

/// Returns the statements that read the arguments.
pub(super) fn reading(command: &Command) -> TokenStream {
    let mut statements = TokenStream::new();
    let mut names = Vec::new();
    for argument in &command.arguments {
        match argument {
            Argument::Single(one) => statements.extend(read(one)),
            Argument::Group { rust, name, .. } => {
                let (rust, ty) = (format_ident!("{rust}"), format_ident!("{}", name.to_upper_camel_case()));
                statements.extend(quote!(let #rust = super::#ty::from_arguments(arguments)?;));
            }
            Argument::Filter { rust, .. } => {
                let rust = format_ident!("{rust}");
                statements.extend(quote!(let #rust = arguments.filter()?;));
            }
        }
        names.extend(field(argument).map(|field| field.rust));
    }
    if names.is_empty() {
        return quote!(#statements Ok(Self));
    }
    quote! {
        #statements
        Ok(Self { #(#names),* })
    }
}

fn reads(arguments: &[Single]) -> TokenStream {
    arguments.iter().map(read).collect()
}

fn read(one: &Single) -> TokenStream {
    let (name, rust) = (&one.name, format_ident!("{}", one.rust));
    let choices = || {
        let (values, ignore_case) = (values(one), one.ignore_case);
        quote!(Choices { values: #values, ignore_case: #ignore_case })
    };
    let has_choices = one.enum_type.is_some() || one.values != Values::Any;
    let value = match (one.form, one.kind) {
        (Some(Form::Ignored), _) => return quote!(arguments.string(#name)?;),
        (Some(Form::Limit), _) => quote!(arguments.limit()?),
        (Some(Form::Seconds), _) => quote!(arguments.seconds(#name)?),
        (Some(Form::Path), _) => quote!(arguments.path(#name)?),
        (Some(Form::Secret), _) => quote!(arguments.secret(#name)?),
        (Some(Form::TimeRange), _) => quote!(arguments.time_range(#name)?),
        (Some(Form::Object), _) => quote!(arguments.object(#name)?),
        (_, Kind::List) if one.filter.is_some() => {
            return quote!(let #rust = arguments.filter_pairs(#name)?;);
        }
        (_, Kind::List) if has_choices => {
            let choices = choices();
            quote!(arguments.choices(#name, #choices)?)
        }
        (_, Kind::List) => quote!(arguments.list(#name)?),
        (_, Kind::String) if has_choices => {
            let choices = choices();
            quote!(arguments.choice(#name, #choices)?)
        }
        (Some(Form::Trimmed), _) => quote!(arguments.trimmed(#name)?),
        (_, Kind::String) => quote!(arguments.string(#name)?),
        (_, Kind::Boolean) => quote!(arguments.boolean(#name)?),
        (_, Kind::Integer) => quote!(arguments.integer(#name)?),
        (_, Kind::Time) if one.future => quote!(arguments.future_time(#name)?),
        (_, Kind::Time) => quote!(arguments.time(#name)?),
    };
    let field = single_field(one);
    let default = field.as_ref().and_then(|field| field.default.clone());
    match (presence(one), default) {
        (Presence::Required, _) if has_choices => {
            let values = values(one);
            quote! {
                let #rust = #value;
                let #rust = arguments.require_choice(#name, #rust, #values)?;
            }
        }
        (Presence::Required, _) => quote! {
            let #rust = #value;
            let #rust = arguments.require(#name, #rust)?;
        },
        (Presence::RequiredList, _) => quote! {
            let #rust = #value;
            let #rust = arguments.require_items(#name, #rust)?;
        },
        (Presence::List, _) => quote!(let #rust = #value.unwrap_or_default();),
        (Presence::Defaulted, Some(default))
            if matches!(one.kind, Kind::Boolean | Kind::Integer) && one.form.is_none() =>
        {
            quote!(let #rust = #value.unwrap_or(#default);)
        }
        (Presence::Defaulted, Some(default)) => quote!(let #rust = #value.unwrap_or_else(|| #default);),
        _ => quote!(let #rust = #value;),
    }
}

/// Returns the statements that check required values and ranges.
pub(super) fn checks(command: &Command) -> TokenStream {
    let mut checks = TokenStream::new();
    for argument in &command.arguments {
        match argument {
            Argument::Single(one) => checks.extend(check(one, &quote!(self))),
            Argument::Group { rust, arguments, .. } => {
                let rust = format_ident!("{rust}");
                let path = quote!(self.#rust);
                arguments.iter().for_each(|one| checks.extend(check(one, &path)));
            }
            Argument::Filter { .. } => {}
        }
    }
    checks
}

/// Returns the checks of an argument, which is a field of `owner`.
fn check(one: &Single, owner: &TokenStream) -> TokenStream {
    let (name, rust) = (&one.name, format_ident!("{}", one.rust));
    let mut checks = TokenStream::new();
    let error =
        |message: TokenStream| quote!(return Err(ArgumentError::new(Self::INFO.name, #name, #message)););
    let is_text =
        one.kind == Kind::String && one.enum_type.is_none() && matches!(one.form, None | Some(Form::Trimmed));
    if one.required {
        let missing = match &one.values {
            Values::Any if one.kind == Kind::List => "is missing; expected at least one value".to_owned(),
            Values::These(values) => format!("is missing; expected one of {}", values.join(", ")),
            _ => "is missing".to_owned(),
        };
        let error = error(quote!(#missing));
        let is_missing = match one.kind {
            Kind::List => Some(quote!(#owner.#rust.is_empty())),
            _ if one.is_optional_in_group && is_text => {
                Some(quote!(#owner.#rust.as_ref().is_none_or(|text| text.trim().is_empty())))
            }
            _ if one.is_optional_in_group => Some(quote!(#owner.#rust.is_none())),
            _ if is_text => Some(quote!(#owner.#rust.trim().is_empty())),
            _ => None,
        };
        if let Some(is_missing) = is_missing {
            checks.extend(quote!(if #is_missing { #error }));
        }
    }
    let expected = match one.range {
        (None, None) => return checks,
        (Some(min), Some(max)) => format!("expected {min} to {max}"),
        (Some(min), None) => format!("expected at least {min}"),
        (None, Some(max)) => format!("expected at most {max}"),
    };
    let (min, max) = (one.range.0.unwrap_or(i64::MIN), one.range.1.unwrap_or(i64::MAX));
    let range = match one.range {
        (Some(min), None) => {
            let min = Literal::i64_unsuffixed(min);
            quote!((#min..))
        }
        _ => {
            let (min, max) = (Literal::i64_unsuffixed(min), Literal::i64_unsuffixed(max));
            quote!((#min..=#max))
        }
    };
    let message = format!("is {{value}}; {expected}");
    let error = error(quote!(format!(#message)));
    checks.extend(match presence(one) {
        _ if one.form == Some(Form::Seconds) => quote! {
            let value = i64::try_from(#owner.#rust.as_secs()).unwrap_or(i64::MAX);
            if !#range.contains(&value) { #error }
        },
        Presence::Optional => quote! {
            if let Some(value) = #owner.#rust.filter(|value| !#range.contains(value)) { #error }
        },
        _ => quote! {
            let value = #owner.#rust;
            if !#range.contains(&value) { #error }
        },
    });
    checks
}
