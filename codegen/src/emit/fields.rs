//! Field tables of request types.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use crate::bundle::{Bundle, reference};
use crate::metadata::{self, PropertyFacts};
use crate::{Error, Result};

/// Returns the table entry of a schema property or a query parameter.
///
/// `facts` is the node with `x-s1` and the description, `schema` the node with the type.
pub(super) fn entry(
    bundle: &Bundle,
    name: &str,
    rust_name: &str,
    facts: &Value,
    schema: &Value,
    required: bool,
) -> Result<TokenStream> {
    let PropertyFacts { selective, json, .. } =
        metadata::read(facts).map_err(|message| Error::Generator(format!("{name}: {message}")))?;
    let doc = single_line(facts["description"].as_str().unwrap_or_default());

    let list = schema["type"] == "array";
    let item = if list { &schema["items"] } else { schema };
    let named = reference(item).and_then(|name| Some((name, bundle.schema(name)?)));
    let enum_name = named.filter(|(_, schema)| schema.get("enum").is_some()).map(|(name, _)| name);
    let kind = match (list, item["type"].as_str(), item["format"].as_str()) {
        (true, _, _) => "List",
        (_, Some("string"), _) if json => "Json",
        (_, Some("string"), Some("date-time")) => "Timestamp",
        (_, Some("string"), _) => "String",
        (_, Some("boolean"), _) => "Boolean",
        (_, Some("integer"), _) => "Integer",
        (_, Some("number"), _) => "Number",
        _ if enum_name.is_some() => "String",
        _ => "Object",
    };
    let kind = format_ident!("{kind}");

    let mut extras = Vec::new();
    if required {
        extras.push(quote!(required: true));
    }
    if !selective {
        extras.push(quote!(narrows_selection: false));
    }
    if let Some(name) = enum_name {
        let name = format_ident!("{name}");
        extras.push(quote!(enum_values: <#name as OpenEnum>::VALUES));
    }
    let mut bounds = |field: &str, node: &Value, least: &str, most: &str| {
        let (least, most) = (number(&node[least]), number(&node[most]));
        if least.is_some() || most.is_some() {
            let (field, least, most) = (format_ident!("{field}"), option(least), option(most));
            extras.push(quote!(#field: (#least, #most)));
        }
    };
    bounds("item_count", schema, "minItems", "maxItems");
    bounds("length", item, "minLength", "maxLength");
    bounds("range", item, "minimum", "maximum");
    let new = quote!(Field::new(#name, #rust_name, FieldKind::#kind, #doc));
    Ok(if extras.is_empty() { new } else { quote!(Field { #(#extras,)* ..#new }) })
}

/// Returns the limits and the default of a value as a sentence with a leading space, or an empty string.
pub(super) fn limits(schema: &Value) -> String {
    let item = if schema["type"] == "array" { &schema["items"] } else { schema };
    let between = |node: &Value, least: &str, most: &str| match (number(&node[least]), number(&node[most])) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    };
    let of = |range: String, one: &str| {
        let plural = if range.ends_with(" 1") { "" } else { "s" };
        format!("{range} {one}{plural}")
    };
    let items = between(schema, "minItems", "maxItems").map(|range| of(range, "item"));
    let length = between(item, "minLength", "maxLength").map(|range| of(range, "character"));
    let length = length.map(|range| if item == schema { range } else { format!("each {range}") });
    let range = between(schema, "minimum", "maximum");
    let default = schema.get("default").filter(|value| !value.is_null());
    // Without a code span, rustdoc takes a list for a link.
    let default = default.map(|value| match value {
        Value::String(text) if !text.is_empty() => format!("default `{text}`"),
        Value::String(_) | Value::Array(_) | Value::Object(_) => format!("default `{value}`"),
        scalar => format!("default {scalar}"),
    });
    let parts: Vec<String> = [items, length, range, default].into_iter().flatten().collect();
    if parts.is_empty() {
        return String::new();
    }
    let text = parts.join(", ");
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    format!(" {}.", first.into_iter().chain(chars).collect::<String>())
}

/// Returns the Rust name of a field, as progenitor derives it.
pub(crate) fn rust_name(wire: &str) -> String {
    let name = wire.to_snake_case();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("x{name}");
    }
    // `gen` is reserved since edition 2024; the parser accepts it.
    let reserved = name == "gen" || syn::parse_str::<syn::Ident>(&name).is_err();
    if reserved { format!("{name}_") } else { name }
}

/// Returns `text` on one line, with single spaces.
pub(super) fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64()
}

fn option(value: Option<i64>) -> TokenStream {
    match value.map(proc_macro2::Literal::i64_unsuffixed) {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}
