//! The error type of this crate.

use std::path::PathBuf;

use crate::lint::Finding;

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
    Lint(Vec<Finding>),
    /// The generator rejects the document, or its output has an unsupported form.
    #[error("generator: {0}")]
    Generator(String),
    /// Overlay actions whose target does not exist: the document has changed, or the action is wrong.
    #[error("overlay actions without a matching target:\n{0}")]
    Unmatched(String),
    /// A command cannot run.
    #[error("{0}")]
    Command(String),
    /// `generated/` or a generated page of `docs/` is out of date.
    #[error("{0}\nthe generated files are out of date; run `cargo xtask generate` and commit the result")]
    Drift(String),
    /// The generated part of `fixtures/` is out of date.
    #[error("{0}\nfixtures/ is out of date; run `cargo xtask fixtures` and commit the result")]
    Fixtures(String),
}

impl Error {
    pub(crate) fn spec(file: &str, message: String) -> Self {
        Self::Spec { file: file.to_owned(), message }
    }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}")).collect::<Vec<_>>().join("\n")
}

/// Result with the [`Error`] of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
