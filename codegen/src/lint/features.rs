//! Features that compile the operations of the documented tier.

use std::collections::BTreeMap;

use heck::ToKebabCase;
use serde_json::Value;

use crate::bundle::{Bundle, members};
use crate::emit::{FEATURES, SHARED_FEATURE};

/// Largest number of features, so that each can be compiled alone in the tests.
const MAX: usize = 15;

/// Features that the client has for other purposes.
const RESERVED: [&str; 8] =
    [SHARED_FEATURE, "all-operations", "commands", "contract", "default", "full-serde", "rustls", "unzip"];

/// Returns the location and the message of each violation.
pub(super) fn findings(bundle: &Bundle) -> Vec<(String, String)> {
    let mut findings = Vec::new();
    let mut add = |feature: &str, message: String| findings.push((format!("feature {feature}"), message));
    let tags = bundle.document["tags"].as_array().into_iter().flatten();
    let resources: Vec<&str> = tags.filter_map(|tag| tag["name"].as_str()).collect();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, feature) in members(&bundle.document, FEATURES) {
        if *name != name.to_kebab_case() {
            add(name, "the name is not kebab case".to_owned());
        }
        if RESERVED.contains(&name.as_str()) {
            add(name, format!("the name is reserved, as are {}", RESERVED.join(", ")));
        }
        if feature["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            add(name, "the description is missing".to_owned());
        }
        for (key, _) in members(feature, "") {
            if !["description", "resources"].contains(&key.as_str()) {
                add(name, format!("{key} is not a key of a feature: expected description, resources"));
            }
        }
        for resource in feature["resources"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !resources.contains(&resource) {
                add(name, format!("{resource} is not a tag"));
            }
            if let Some(other) = owners.insert(resource, name) {
                add(name, format!("{resource} is a resource of feature {other} too"));
            }
        }
    }
    let count = members(&bundle.document, FEATURES).count();
    if count > MAX {
        findings.push(("openapi.yaml".to_owned(), format!("{count} features: at most {MAX} are allowed")));
    }
    findings
}
