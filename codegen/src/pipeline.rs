//! The steps of code generation, from `spec/` to the files of `generated/` and `fixtures/`.

use std::path::Path;

use crate::bundle::Bundle;
use crate::commands::{self, Commands};
use crate::files::Files;
use crate::import::operations;
use crate::{Error, Result, dialect, emit, examples, generator, lint, published};

/// Directory of the pages of the commands, below `docs/`.
pub const COMMAND_PAGES: &str = "reference/commands";

/// Generates all files of `generated/` from the directory `spec`.
///
/// # Errors
/// Returns an error if a file cannot be read, violates a rule of `spec/README.md`, or is not supported by the
/// generator.
pub fn generate(spec: &Path) -> Result<Files> {
    generate_with_documents(spec).map(|(generated, _)| generated)
}

/// Generates all files of `generated/`, and the pages of the documentation that come from the directory `spec`. The keys
/// of the latter are paths below `docs/`.
///
/// # Errors
/// Returns the errors of [`generate`].
pub fn generate_with_documents(spec: &Path) -> Result<(Files, Files)> {
    let bundle = read_checked(spec)?;
    let commands = Commands::read(spec, &bundle)?;
    let pages = commands.reference(&bundle).into_iter();
    let pages = pages.map(|(name, text)| (format!("{COMMAND_PAGES}/{name}"), text)).collect();
    Ok((generate_from(&bundle, &commands)?, pages))
}

/// Generates all files of `generated/` from a bundled specification, which is not checked against the lint rules, and the
/// commands.
///
/// # Errors
/// Returns an error if the generator does not support the specification.
pub fn generate_from(bundle: &Bundle, commands: &Commands) -> Result<Files> {
    let client = bundle.sent_by_client();
    let dialect = dialect::apply(&client)?;
    let model = generator::run(&client, &dialect)?;
    let mut files = emit::all(&client, &model, !commands.is_empty())?;
    files.extend(commands::files(commands)?);
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
    let mut findings = lint::check(&bundle);
    if spec.join(operations::FILE).exists() {
        findings.extend(operations::tier_findings(&bundle, &operations::read(spec)?));
    }
    if findings.is_empty() { Ok(bundle) } else { Err(Error::Lint(findings)) }
}
