//! YAML as OpenAPI means it: `on`, `no` and `y` are texts, and a document may be as large as the vendor's.

use serde::de::DeserializeOwned;

/// Reads a text.
///
/// # Errors
/// What the parser says, with line and column.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 20_000_000,
            max_depth: 256,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}
