//! Hashes and scopes of the commands that change the blocklist.

use serde_json::Value;

use super::batched_lists::scope_ids;
use super::ids::{is_hexadecimal, unique};
use crate::Result;
use crate::commands::argument_error::argument_error;

/// Maximum number of sites in one request.
const MAX_SITES: usize = 500;

/// Rejects a value that is not a complete SHA-1. A part of a hash would match other hashes.
pub(crate) fn check_sha1(command: &'static str, text: &str) -> Result<()> {
    if text.len() == 40 && is_hexadecimal(text) {
        return Ok(());
    }
    Err(argument_error(
        command,
        "sha1",
        format!("is {text:?}; expected the 40 hexadecimal digits of a SHA-1"),
    ))
}

/// Splits sites into one batch per request. Without sites there is one empty batch for the tenant.
pub(crate) fn site_batches(site_ids: &[String]) -> Vec<Vec<String>> {
    let sites = unique(site_ids);
    if sites.is_empty() {
        return vec![Vec::new()];
    }
    sites.chunks(MAX_SITES).map(<[String]>::to_vec).collect()
}

/// Names of the scope levels below the tenant, and the members of an entry that have their IDs.
pub(crate) const LEVELS: [(&str, &str); 3] =
    [("account", "accountIds"), ("site", "siteIds"), ("group", "groupIds")];

/// Returns the scope of an entry with its level and IDs, such as `site 420000000000000001`, or its path or name if it
/// has no ID.
pub(crate) fn scope_text(entry: &Value) -> String {
    let ids = LEVELS
        .iter()
        .flat_map(|(level, name)| scope_ids(entry, name).into_iter().map(move |id| format!("{level} {id}")));
    let ids: Vec<String> = ids.collect();
    let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    if !ids.is_empty() {
        ids.join(", ")
    } else if entry.pointer("/scope/tenant") == Some(&Value::Bool(true)) {
        "the tenant".to_owned()
    } else {
        text("scopePath").or_else(|| text("scopeName")).unwrap_or("an unknown scope").to_owned()
    }
}
