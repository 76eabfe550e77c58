//! The same operations as progenitor's own output, for comparison: builder interface, one positional
//! parameter a query parameter, closed enums, its own client. Nothing of this is shipped.

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use serde_json::{Value, json};

use crate::bundle::{Bundle, reference};
use crate::files::Files;
use crate::{Error, Result, facts};

/// A crate of the generator's own output: `Cargo.toml` and `src/lib.rs`.
///
/// With `inline` every action has its filter in its own body, as the vendor's document writes it; without,
/// they share the named schema. What the generator panics on is taken out of the document first: error answers, of which it takes one type only,
/// and the extension.
///
/// # Errors
/// When the generator refuses the document.
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
            if let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                answers.retain(|status, _| status.starts_with('2'));
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
            map.remove(facts::KEY);
            // Defaults would need functions of their own; bounds of texts a newtype each.
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
