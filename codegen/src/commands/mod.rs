//! The commands of `spec/commands/`: reads their declarations, checks them against the operations, and emits their
//! Rust code.

mod emit;
mod locations;
mod manifest;
mod model;
mod reference;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bundle::{self, Bundle};
use crate::lint::Finding;
use crate::{Error, Result, yaml};

use manifest::TopicFile;
use resolve::Resolver;

pub(crate) use emit::files;
pub use model::Commands;

/// Directory of the declarations, below `spec/`.
pub const DIR: &str = "commands";

impl Commands {
    /// Reads the declarations of the directory `spec`, and checks them against the operations. A specification without
    /// the directory `commands` has no commands.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or is not valid YAML, and all declarations that do not match an
    /// operation.
    pub fn read(spec: &Path, bundle: &Bundle) -> Result<Self> {
        let dir = spec.join(DIR);
        if !dir.is_dir() {
            return Ok(Self::default());
        }
        Self::parse(&bundle::yaml_files(&dir)?, bundle)
    }

    /// Parses the texts of the files, by name.
    ///
    /// # Errors
    /// Returns the errors of [`read`](Self::read), except for I/O errors.
    pub fn parse(texts: &BTreeMap<String, String>, bundle: &Bundle) -> Result<Self> {
        let files = read_files(texts)?;
        let mut findings: Vec<Finding> = Vec::new();
        let client = bundle.sent_by_client();
        let commands = Resolver::new(&client, &files, &mut findings).resolve();
        // A field is checked on each API version.
        findings.dedup();
        if findings.is_empty() { Ok(commands) } else { Err(Error::Lint(findings)) }
    }

    /// Returns whether the specification has no commands.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

/// Returns the names of the commands that send each operation, from declarations that need not match the operations.
///
/// # Errors
/// Returns an error if a file cannot be read or is not valid YAML.
pub fn by_operation(spec: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut by_operation: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, file) in read_files(&bundle::yaml_files(&spec.join(DIR))?)? {
        for (name, command) in file.commands.iter() {
            for operation in &command.operations {
                by_operation.entry(operation.value.clone()).or_default().insert(name.value.clone());
            }
        }
    }
    Ok(by_operation)
}

/// Parses the texts of the files, and returns them with their paths.
fn read_files(texts: &BTreeMap<String, String>) -> Result<Vec<(String, TopicFile)>> {
    let mut files = Vec::new();
    for (name, text) in texts {
        let file: TopicFile =
            yaml::read(text).map_err(|message| Error::Spec { file: format!("{DIR}/{name}"), message })?;
        files.push((format!("spec/{DIR}/{name}"), file));
    }
    Ok(files)
}
