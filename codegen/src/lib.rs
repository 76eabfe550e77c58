//! Code generator for the raw client, and tools that maintain the curated specification in `spec/`.
//!
//! [`generate`] runs these steps. Each step is a module and depends only on the output of the previous step:
//!
//! 1. [`bundle`] joins the files of `spec/` into one plain OpenAPI document.
//! 2. [`lint`] checks the document against the rules of `spec/README.md`.
//! 3. [`dialect`] converts it to the OpenAPI dialect that progenitor supports.
//! 4. [`generator`] runs progenitor and extracts names and types from its output.
//! 5. [`emit`] writes the modules of `generated/`, with the support code of `codegen/runtime/`.
//! 6. [`files`] writes the files to disk, or compares them with the existing ones.
//!
//! [`examples`] generates fixtures from the document of step 1. [`stock`] is progenitor's own output, for comparison.
//!
//! Imports of a vendor document run in the opposite direction: [`document`] reads the document, [`import`] corrects it
//! and compares its [`surface`] with that of `spec/`, and [`spec_update`] edits `spec/` in place through
//! [`yaml_editor`]. [`diff`] compares any two documents.
//!
//! [`metadata`] has the types of `x-s1`, the only extension of the specification. All output is deterministic: the
//! code does not depend on the clock, the network or the order of a hash map.

pub mod bundle;
pub mod dialect;
pub mod diff;
pub mod document;
pub mod emit;
pub mod examples;
pub mod files;
pub mod generator;
pub mod html_report;
pub mod import;
pub mod lint;
pub mod metadata;
mod published;
pub mod spec_update;
pub mod surface;
mod yaml;
pub mod yaml_editor;

/// Support code that is emitted with the generated modules, compiled here for its tests.
#[allow(unused, reason = "some items are only used by generated modules")]
#[path = "../runtime/mod.rs"]
pub mod runtime;

#[cfg(test)]
#[path = "../runtime/tests.rs"]
mod runtime_tests;

#[cfg(test)]
#[path = "../runtime/raw_item_tests.rs"]
mod raw_item_tests;

use std::path::{Path, PathBuf};

use bundle::Bundle;
use files::Files;

/// An error of code generation, or of a command on `spec/`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// A file of `spec/` is not valid YAML, or has an unsupported structure.
    #[error("spec/{file}: {message}")]
    Spec {
        /// Name of the file.
        file: String,
        /// The problem and its location.
        message: String,
    },
    /// A vendor document cannot be read.
    #[error("{name} {message}")]
    Document {
        /// Name of the file.
        name: String,
        /// The problem.
        message: String,
    },
    /// The specification violates lint rules.
    #[error("{} lint findings:\n{}", .0.len(), lines(.0))]
    Lint(Vec<lint::Finding>),
    /// The generator rejects the document, or its output has an unsupported form.
    #[error("generator: {0}")]
    Generator(String),
    /// Overlay actions whose target does not exist: the document has changed, or the action is wrong.
    #[error("overlay actions without a matching target:\n{0}")]
    Unmatched(String),
    /// A command cannot run.
    #[error("{0}")]
    Command(String),
    /// `generated/` is out of date.
    #[error("{0}\ngenerated/ is out of date; run `cargo xtask generate` and commit the result")]
    Drift(String),
    /// The generated part of `fixtures/` is out of date.
    #[error("{0}\nfixtures/ is out of date; run `cargo xtask fixtures` and commit the result")]
    Fixtures(String),
}

fn lines(findings: &[lint::Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}")).collect::<Vec<_>>().join("\n")
}

/// Result with the [`Error`] of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Generates all files of `generated/` from the directory `spec`.
///
/// # Errors
/// Returns an error if a file cannot be read, violates a rule of `spec/README.md`, or is not supported by the
/// generator.
pub fn generate(spec: &Path) -> Result<Files> {
    generate_from(&read_checked(spec)?)
}

/// Generates all files of `generated/` from a bundled specification, which is not checked against the lint rules.
///
/// # Errors
/// Returns an error if the generator does not support the specification.
pub fn generate_from(bundle: &Bundle) -> Result<Files> {
    let client = bundle.sent_by_client();
    let dialect = dialect::apply(&client)?;
    let model = generator::run(&client, &dialect)?;
    let mut files = emit::all(&client, &model)?;
    let document = published::document(bundle)?;
    let header = emit::header("//", "spec");
    files
        .insert("src/positions.rs".into(), format!("{header}\n{}", published::positions(bundle, &document)?));
    files.insert("openapi.json".into(), document);
    Ok(files)
}

/// Generates the fixtures from the directory `spec`. Keys are paths below `fixtures/`.
///
/// # Errors
/// Returns an error if a file cannot be read, or violates a rule of `spec/README.md`.
pub fn fixtures(spec: &Path) -> Result<Files> {
    examples::all(&read_checked(spec)?.sent_by_client())
}

/// Reads the specification and checks it against the lint rules.
fn read_checked(spec: &Path) -> Result<Bundle> {
    let bundle = Bundle::read(spec)?;
    let findings = lint::check(&bundle);
    if findings.is_empty() { Ok(bundle) } else { Err(Error::Lint(findings)) }
}
