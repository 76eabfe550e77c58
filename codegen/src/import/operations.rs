//! The operations that the project has: `spec/operations.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::surface::Key;
use crate::{Error, Result};

/// The file's name.
pub const FILE: &str = "operations.toml";

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Method in capitals.
    pub method: String,
    /// Path, relative to `/web/api/v2.1`.
    pub path: String,
    /// The file of its resource.
    pub file: String,
}

impl Listed {
    /// Its key.
    pub fn key(&self) -> Key {
        Key::new(&self.method, &self.path)
    }
}

/// All lines, by `operationId`.
pub type Operations = BTreeMap<String, Listed>;

/// Reads the list of a specification.
///
/// # Errors
/// When it cannot be read or has another form.
pub fn read(spec: &Path) -> Result<Operations> {
    let path = spec.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path, source })?;
    parse(&text)
}

/// Reads the text of a list.
///
/// # Errors
/// When it has another form: a line that is no operation, a method or a file that cannot be, or one operation twice.
pub fn parse(text: &str) -> Result<Operations> {
    let wrong = |message: String| Error::Spec { file: FILE.to_owned(), message };
    let operations: Operations = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let mut seen: BTreeMap<Key, &str> = BTreeMap::new();
    for (id, one) in &operations {
        if !["GET", "POST", "PUT", "DELETE"].contains(&one.method.as_str()) {
            let methods = "GET, POST, PUT or DELETE";
            return Err(wrong(format!("{id}: the method is {methods}, and not {:?}", one.method)));
        }
        if !one.path.starts_with('/') || one.path.starts_with("/web/") {
            let message = "a path is relative to /web/api/v2.1, as in /threats";
            return Err(wrong(format!("{id}: {message}, and not {:?}", one.path)));
        }
        let stem = one.file.strip_suffix(".yaml").unwrap_or_default();
        if stem.is_empty() || !stem.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            return Err(wrong(format!("{id}: {:?} is no file of a resource, as in threats.yaml", one.file)));
        }
        let prefix = format!("{}_", stem.replace('-', "_"));
        if !id.starts_with(&prefix) {
            return Err(wrong(format!("{id}: an operation of {} starts with {prefix}", one.file)));
        }
        if let Some(other) = seen.insert(one.key(), id) {
            return Err(wrong(format!("{id} is {} as {other} is", one.key())));
        }
    }
    Ok(operations)
}
