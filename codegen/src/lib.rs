//! From the curated specification to the raw client.
//!
//! The steps, each a module, each a function of what the one before it gave:
//!
//! 1. [`bundle`] joins the files of `spec/` into one plain OpenAPI document;
//! 2. [`lint`] holds that document to the rules of `spec/README.md`;
//! 3. [`dialect`] turns it into the dialect that the generator reads well;
//! 4. [`generator`] runs progenitor and takes names and types from its output;
//! 5. [`emit`] writes the modules of `generated/`, with the support code of `codegen/runtime/`;
//! 6. [`files`] writes them to disk, or compares.
//!
//! [`examples`] writes exchanges for `fixtures/`, from the document of the first step. [`stock`] is what the generator
//! gives without all that, to compare with.
//!
//! The other way, from a document of the vendor to the specification: [`document`] reads it, [`import`] corrects it
//! and compares it with `spec/` by their [`surface`]s, [`rewrite`] changes `spec/` in place by way of [`sources`].
//! [`diff`] says what changed between any two documents, and whom it concerns.
//!
//! [`facts`] is the one extension of the specification, `x-s1`, as types. Same input, same bytes:
//! nothing here reads a clock, the network or the order of a hash map.

pub mod bundle;
pub mod dialect;
pub mod diff;
pub mod document;
pub mod emit;
pub mod examples;
pub mod facts;
pub mod files;
pub mod generator;
pub mod import;
pub mod lint;
pub mod page;
pub mod rewrite;
pub mod sources;
pub mod stock;
pub mod surface;
mod yaml;

/// The support code that is emitted with the generated modules, compiled here to be tested.
#[allow(unused, reason = "what only generated modules call has no caller here")]
#[path = "../runtime/mod.rs"]
pub mod runtime;

#[cfg(test)]
#[path = "../runtime/tests.rs"]
mod runtime_tests;

use std::path::{Path, PathBuf};

use bundle::Bundle;
use files::Files;

/// What went wrong on the way from `spec/` to `generated/`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the specification is no YAML, or has no form that bundling understands.
    #[error("spec/{file}: {message}")]
    Spec {
        /// The file's name.
        file: String,
        /// What is wrong and where.
        message: String,
    },
    /// A document of others cannot be read.
    #[error("{name} {message}")]
    Document {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// The specification breaks its own rules.
    #[error("the specification breaks {} of its rules:\n{}", .0.len(), lines(.0))]
    Lint(Vec<lint::Finding>),
    /// The generator refused the document, or its output has a shape that the passes do not know.
    #[error("generator: {0}")]
    Generator(String),
    /// Corrections that correct nothing: the document has changed, or they were wrong.
    #[error("these actions of spec/overlays match nothing in the document:\n{0}")]
    Unmatched(String),
    /// A command was asked for something that cannot be done.
    #[error("{0}")]
    Command(String),
    /// `generated/` is not what the specification gives.
    #[error("{0}\ngenerated/ is not what spec/ gives; run `cargo xtask generate` and commit the result")]
    Drift(String),
    /// The generated part of `fixtures/` is not what the specification gives.
    #[error("{0}\nfixtures/ is not what spec/ gives; run `cargo xtask fixtures` and commit the result")]
    Fixtures(String),
}

fn lines(findings: &[lint::Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}")).collect::<Vec<_>>().join("\n")
}

/// The result of every step here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that `generated/` consists of, from everything that `spec/` holds.
///
/// # Errors
/// When a file cannot be read, breaks the rules of `spec/README.md`, or is beyond the generator.
pub fn generate(spec: &Path) -> Result<Files> {
    let bundle = sound(spec)?;
    let dialect = dialect::apply(&bundle)?;
    let model = generator::run(&bundle, &dialect)?;
    emit::all(&bundle, &model)
}

/// The generated part of `fixtures/`, from everything that `spec/` holds: path below `fixtures/` to content.
///
/// # Errors
/// When a file cannot be read, or breaks the rules of `spec/README.md`.
pub fn fixtures(spec: &Path) -> Result<Files> {
    examples::all(&sound(spec)?)
}

/// The specification, if it keeps its rules.
fn sound(spec: &Path) -> Result<Bundle> {
    let bundle = Bundle::read(spec)?;
    let findings = lint::check(&bundle);
    if findings.is_empty() { Ok(bundle) } else { Err(Error::Lint(findings)) }
}
