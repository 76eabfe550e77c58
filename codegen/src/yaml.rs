//! YAML parser for OpenAPI documents: `on`, `no` and `y` are strings, and the limits admit the SentinelOne document.

use serde::de::DeserializeOwned;

/// Parses YAML.
///
/// # Errors
/// Returns the message of the parser, with line and column.
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
