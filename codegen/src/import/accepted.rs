//! What the document said where `spec/` knows better, when somebody last looked: `spec/accepted.toml`.
//!
//! A correction hides what it corrects, and evidence hides what it explains. So that neither hides a change of the
//! vendor's, it is noted what was there; an import tells where something else is there now, and `--accept` notes that.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Result};

/// The file's name.
pub const FILE: &str = "accepted.toml";

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Corrections, by file and target, to what they corrected.
    #[serde(default)]
    pub corrections: BTreeMap<String, String>,
    /// Explained differences, by operation, place and keyword, to what the document says.
    #[serde(default)]
    pub explained: BTreeMap<String, String>,
}

/// Something that is not as it was when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// A correction, or an explained place.
    pub name: String,
    /// What the document said; `None` where it was not there.
    pub was: Option<String>,
    /// What it says; `None` where it is not there.
    pub is: Option<String>,
}

impl Accepted {
    /// Reads the file of a specification; one that is not there has accepted nothing.
    ///
    /// # Errors
    /// When it cannot be read or has another form.
    pub fn read(spec: &Path) -> Result<Self> {
        let path = spec.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| Error::Spec { file: FILE.to_owned(), message: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut out = "# What the vendor's document said where spec/ knows better, when somebody last looked. \
                       `cargo xtask import\n# FILE --accept` writes this; a line that changes is a change of the \
                       vendor's behind a correction.\n"
            .to_owned();
        for (title, lines) in [("corrections", &self.corrections), ("explained", &self.explained)] {
            let _ = writeln!(out, "\n[{title}]");
            for (name, value) in lines {
                // The strings of JSON are strings of TOML.
                let _ = writeln!(out, "{} = {}", Value::from(name.as_str()), Value::from(value.as_str()));
            }
        }
        out
    }

    /// What another look finds otherwise. Of a document that is not `whole`, only what it says and was not accepted.
    pub fn moved(&self, now: &Self, whole: bool) -> Vec<Moved> {
        let mut moved = Vec::new();
        let mut compare = |was: &BTreeMap<String, String>, is: &BTreeMap<String, String>| {
            let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
            for name in names {
                let (was, is) = (was.get(name), is.get(name));
                if was != is && (whole || is.is_some()) {
                    moved.push(Moved { name: name.clone(), was: was.cloned(), is: is.cloned() });
                }
            }
        };
        if whole {
            compare(&self.corrections, &now.corrections);
        }
        compare(&self.explained, &now.explained);
        moved
    }
}

/// A value in a few characters: itself, or what it is of and a number that another one does not have.
pub(super) fn brief(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let mut value = value.clone();
    value.sort_all_objects();
    let text = value.to_string();
    if text.len() <= 60 { text } else { format!("{} characters, {:016x}", text.len(), fingerprint(&text)) }
}

/// FNV-1a, 64 bits: the same everywhere and in every version.
pub(super) fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A node without what says nothing: texts, examples and extensions. `names` tells that the members are fields.
pub(super) fn bare(node: &Value, names: bool) -> Value {
    const TEXTS: [&str; 5] = ["description", "title", "example", "examples", "summary"];
    match node {
        Value::Object(map) => {
            let kept = map
                .iter()
                .filter(|(name, _)| names || !(TEXTS.contains(&name.as_str()) || name.starts_with("x-")));
            let all = kept.map(|(name, value)| (name.clone(), bare(value, !names && name == "properties")));
            Value::Object(all.collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(|one| bare(one, false)).collect()),
        other => other.clone(),
    }
}
