//! Vendor content behind corrections and evidence: `spec/baseline.toml`.
//!
//! A correction hides the content that it corrects, and evidence hides the content that it explains. The baseline
//! records that content. An import reports where the vendor has changed it, and `--update-baseline` records the new
//! content.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Result};

/// Name of the file.
pub const FILE: &str = "baseline.toml";

/// Reviewed content of the vendor document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Content that each correction replaces, by file and target.
    #[serde(default)]
    pub corrections: BTreeMap<String, String>,
    /// Content of the document at each explained difference, by operation, location and keyword.
    #[serde(default)]
    pub explained: BTreeMap<String, String>,
}

/// Content that differs from the baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineChange {
    /// Correction or explained location.
    pub name: String,
    /// Content in the baseline, or `None` if it has no entry.
    pub was: Option<String>,
    /// Content in the document, or `None` if the correction or difference does not exist any more.
    pub is: Option<String>,
}

impl Baseline {
    /// Reads the baseline from the directory of the specification. A missing file is an empty baseline.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or has another format.
    pub fn read(spec: &Path) -> Result<Self> {
        let path = spec.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| Error::Spec { file: FILE.to_owned(), message: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// Formats the file.
    pub fn to_text(&self) -> String {
        let mut out = "# Content of the vendor document that spec/ corrects or contradicts with evidence. `cargo xtask import\n\
                       # FILE --update-baseline` writes this file. A changed line means that the vendor document has changed.\n"
            .to_owned();
        for (title, lines) in [("corrections", &self.corrections), ("explained", &self.explained)] {
            let _ = writeln!(out, "\n[{title}]");
            for (name, value) in lines {
                // JSON strings are valid TOML strings.
                let _ = writeln!(out, "{} = {}", Value::from(name.as_str()), Value::from(value.as_str()));
            }
        }
        out
    }

    /// Returns the differences between the baseline and the content of a document.
    pub fn changes(&self, current: &Self) -> Vec<BaselineChange> {
        let mut changes = Vec::new();
        let mut compare = |was: &BTreeMap<String, String>, is: &BTreeMap<String, String>| {
            let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
            for name in names {
                let (was, is) = (was.get(name), is.get(name));
                if was != is {
                    changes.push(BaselineChange { name: name.clone(), was: was.cloned(), is: is.cloned() });
                }
            }
        };
        compare(&self.corrections, &current.corrections);
        compare(&self.explained, &current.explained);
        changes
    }
}

/// Formats a value: as JSON if it is short, else its length and a hash.
pub(super) fn summary(value: Option<&Value>) -> String {
    let Some(value) = value else { return "missing".to_owned() };
    let mut value = value.clone();
    value.sort_all_objects();
    let text = value.to_string();
    if text.len() <= 60 { text } else { format!("{} characters, {:016x}", text.len(), hash(&text)) }
}

/// Returns the 64-bit FNV-1a hash, which is stable across platforms and versions.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Returns a node without texts, examples and extensions. `names` means that the keys of the node are property names.
pub(super) fn without_texts(node: &Value, names: bool) -> Value {
    const TEXTS: [&str; 5] = ["description", "title", "example", "examples", "summary"];
    match node {
        Value::Object(map) => {
            let members = map
                .iter()
                .filter(|(name, _)| names || !(TEXTS.contains(&name.as_str()) || name.starts_with("x-")));
            let all = members
                .map(|(name, value)| (name.clone(), without_texts(value, !names && name == "properties")));
            Value::Object(all.collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(|one| without_texts(one, false)).collect()),
        other => other.clone(),
    }
}
