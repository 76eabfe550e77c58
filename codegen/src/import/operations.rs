//! List of the operations in `spec/`: `spec/operations.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::bundle::Bundle;
use crate::lint::Finding;
use crate::metadata::Tier;
use crate::surface::Key;
use crate::{Error, Result, metadata};

/// Name of the file.
pub const FILE: &str = "operations.toml";

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedOperation {
    /// HTTP method, upper case.
    pub method: String,
    /// Path, relative to `/web/api/v2.1`.
    pub path: String,
    /// File of the resource.
    pub file: String,
    /// Tier; by default, the operation is written by a program.
    #[serde(default = "documented")]
    pub tier: Tier,
}

fn documented() -> Tier {
    Tier::Documented
}

impl ListedOperation {
    /// Returns the key of the operation.
    pub fn key(&self) -> Key {
        Key::new(&self.method, &self.path)
    }
}

/// Returns the text of the list with more entries: after the last one of the same file, otherwise at the end.
pub fn with_entries(text: &str, entries: &Operations) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (id, one) in entries {
        let line =
            format!("{id} = {{ method = {:?}, path = {:?}, file = {:?} }}", one.method, one.path, one.file);
        let of_file = format!("file = {:?}", one.file);
        match lines.iter().rposition(|line| line.contains(&of_file)) {
            Some(last) => lines.insert(last + 1, line),
            None => lines.extend([String::new(), line]),
        }
    }
    lines.join("\n") + "\n"
}

/// Returns where the tier of an operation differs from the list, so that no operation loses its tier unnoticed.
pub fn tier_findings(bundle: &Bundle, listed: &Operations) -> Vec<Finding> {
    let mut findings = Vec::new();
    for operation in bundle.operations() {
        let (Ok(facts), Some(listed)) =
            (metadata::read_operation(operation.node), listed.get(operation.id()))
        else {
            continue;
        };
        if facts.tier != listed.tier {
            let (is, expected) = (facts.tier.as_str(), listed.tier.as_str());
            findings.push(Finding {
                location: format!("{} {}", operation.method.to_uppercase(), operation.path),
                message: format!("x-s1.tier is {is}, but operations.toml has {expected}"),
            });
        }
    }
    findings
}

/// Entries by `operationId`.
pub type Operations = BTreeMap<String, ListedOperation>;

/// Reads the list from the directory of the specification.
///
/// # Errors
/// Returns an error if the file cannot be read, or in the cases of [`parse`].
pub fn read(spec: &Path) -> Result<Operations> {
    let path = spec.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path, source })?;
    parse(&text)
}

/// Parses the list.
///
/// # Errors
/// Returns an error if an entry is not an operation, has an invalid method, path, file or ID, or is a duplicate.
pub fn parse(text: &str) -> Result<Operations> {
    let invalid = |message: String| Error::Spec { file: FILE.to_owned(), message };
    let operations: Operations = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let mut ids: BTreeMap<Key, &str> = BTreeMap::new();
    for (id, one) in &operations {
        if !["GET", "POST", "PUT", "DELETE"].contains(&one.method.as_str()) {
            let methods = "GET, POST, PUT or DELETE";
            return Err(invalid(format!("{id}: invalid method {:?}: expected {methods}", one.method)));
        }
        if !one.path.starts_with('/') || one.path.starts_with("/web/") {
            let expected = "relative to /web/api/v2.1, as in /threats";
            return Err(invalid(format!("{id}: invalid path {:?}: expected a path {expected}", one.path)));
        }
        let stem = one.file.strip_suffix(".yaml").unwrap_or_default();
        if stem.is_empty() || !stem.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            return Err(invalid(format!(
                "{id}: invalid resource file {:?}: expected a name as in threats.yaml",
                one.file
            )));
        }
        let prefix = format!("{}_", stem.replace('-', "_"));
        if !id.starts_with(&prefix) {
            return Err(invalid(format!(
                "{id}: operation ID does not start with {prefix}, as required for {}",
                one.file
            )));
        }
        if let Some(other) = ids.insert(one.key(), id) {
            return Err(invalid(format!("{id}: duplicate operation {}, also listed as {other}", one.key())));
        }
    }
    Ok(operations)
}
