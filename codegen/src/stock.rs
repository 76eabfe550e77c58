//! Unmodified progenitor output for the same operations, for comparison: builder interface, one setter per query
//! parameter, closed enums and progenitor's own client. It is not published.

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use serde_json::{Value, json};

use crate::bundle::{Bundle, reference};
use crate::files::Files;
use crate::{Error, Result, metadata};

/// Generates a crate of progenitor output: `Cargo.toml` and `src/lib.rs`.
///
/// With `inline`, each action has its own copy of the filter schema, as in the vendor document; otherwise actions share
/// the named schema. The function first removes content on which progenitor panics: `x-s1`, and the error responses,
/// because progenitor supports only one error type.
///
/// # Errors
/// Returns an error if progenitor rejects the document.
pub fn files(bundle: &Bundle, inline: bool) -> Result<Files> {
    let failed = |error: String| Error::Generator(error);
    let mut document = bundle.document.clone();
    for (name, schema) in bundle.schemas().filter(|_| inline) {
        let filter = schema["properties"].get("filter").and_then(reference);
        if let Some(filter) = filter.and_then(|name| bundle.schema(name)) {
            document["components"]["schemas"][name]["properties"]["filter"] = filter.clone();
        }
    }
    let paths = document["paths"].as_object_mut();
    for item in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                responses.retain(|status, _| status.starts_with('2'));
            }
        }
    }
    strip(&mut document);
    let document: openapiv3::OpenAPI =
        serde_json::from_value(document).map_err(|error| failed(error.to_string()))?;
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder).with_tag(TagStyle::Separate);
    let tokens =
        Generator::new(&settings).generate_tokens(&document).map_err(|error| failed(error.to_string()))?;
    let file = syn::parse2(tokens).map_err(|error| failed(error.to_string()))?;
    Ok(Files::from([
        ("Cargo.toml".to_owned(), MANIFEST.to_owned()),
        ("src/lib.rs".to_owned(), prettyplease::unparse(&file)),
    ]))
}

const MANIFEST: &str = r#"[package]
name = "stock"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
bytes = "1"
chrono = { version = "0.4", features = ["serde"] }
futures-core = "0.3"
progenitor-client = "=0.15.1"
regress = "0.11"
reqwest = { version = "0.13", default-features = false, features = ["json", "query", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
"#;

fn strip(node: &mut Value) {
    match node {
        Value::Object(map) => {
            map.remove(metadata::KEY);
            // Each bound of a string would generate a newtype.
            for name in ["minLength", "maxLength", "minItems", "maxItems"] {
                if map.get(name).is_some_and(Value::is_number) {
                    map.remove(name);
                }
            }
            if map.contains_key("enum") && map.get("nullable") == Some(&json!(true)) {
                map.remove("nullable");
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}
