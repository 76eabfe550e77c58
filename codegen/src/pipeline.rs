//! The steps of code generation, from `spec/` to the files of `generated/` and `fixtures/`.

use std::path::Path;

use crate::bundle::Bundle;
use crate::commands::{self, Commands};
use crate::files::Files;
use crate::import::operations;
use crate::{Error, Result, dialect, emit, examples, generator, graphql, lint, published};

/// Directory of the pages of the commands, below `docs/`.
pub const COMMAND_PAGES: &str = "reference/commands";

/// File with the fields of filters, in `src/unified_alerts/`.
pub const ALERT_FIELDS: &str = "fields.rs";

/// The generated files of a checkout.
#[derive(Debug)]
pub struct Project {
    /// Files of `generated/`.
    pub raw: Files,
    /// Methods of the client, in `src/resources/documented/`.
    pub methods: Files,
    /// Calls of the methods, in `tests/properties/`.
    pub calls: Files,
    /// Fields of the filters of unified alerts, in `src/unified_alerts/`.
    pub fields: Files,
    /// Pages of the documentation; paths below `docs/`.
    pub pages: Files,
}

/// Generates all files of a checkout that come from its directory `spec/`, except the fixtures.
///
/// # Errors
/// Returns the errors of [`generate`], and an error if a handwritten resource cannot be read.
pub fn generate_project(root: &Path) -> Result<Project> {
    let spec = root.join("spec");
    let bundle = read_checked(&spec)?;
    let commands = Commands::read(&spec, &bundle)?;
    let pages = commands.reference(&bundle).into_iter();
    let pages = pages.map(|(name, text)| (format!("{COMMAND_PAGES}/{name}"), text)).collect();
    let handwritten = emit::handwritten(&root.join("src/resources"))?;
    let graphql = graphql::read(&spec, &bundle)?;
    let (raw, (methods, calls)) = emit_all(&bundle, &graphql.bundles, &commands, Some(&handwritten))?;
    let header = emit::header("//", "spec/graphql");
    let fields =
        graphql.fields.iter().map(|text| (ALERT_FIELDS.to_owned(), format!("{header}\n{text}"))).collect();
    let calls = Files::from([(emit::METHOD_CALLS.to_owned(), calls)]);
    Ok(Project { raw, methods, calls, fields, pages })
}

/// Generates all files of `generated/` from the directory `spec`.
///
/// # Errors
/// Returns an error if a file cannot be read, violates a rule of `spec/README.md`, or is not supported by the
/// generator.
pub fn generate(spec: &Path) -> Result<Files> {
    let bundle = read_checked(spec)?;
    let graphql = graphql::read(spec, &bundle)?;
    emit_all(&bundle, &graphql.bundles, &Commands::read(spec, &bundle)?, None).map(|(raw, _)| raw)
}

/// Generates all files of `generated/` from a bundled specification of REST operations, which is not checked against the
/// lint rules, and the commands.
///
/// # Errors
/// Returns an error if the generator does not support the specification.
pub fn generate_from(bundle: &Bundle, commands: &Commands) -> Result<Files> {
    emit_all(bundle, &[], commands, None).map(|(raw, _)| raw)
}

/// Returns the types of a bundle and their features.
fn model_of(bundle: &Bundle) -> Result<(generator::Model, emit::Features)> {
    let dialect = dialect::apply(bundle)?;
    let model = generator::run(bundle, &dialect)?;
    let features = emit::Features::read(bundle, &model)?;
    Ok((model, features))
}

/// Returns the files of `generated/`, and those of the client's methods if it is known which ones people wrote.
fn emit_all(
    bundle: &Bundle,
    graphql: &[Bundle],
    commands: &Commands,
    handwritten: Option<&emit::Handwritten>,
) -> Result<(Files, (Files, String))> {
    let client = bundle.sent_by_client();
    let (model, features) = model_of(&client)?;
    let graphql: Vec<_> = graphql
        .iter()
        .map(|bundle| model_of(bundle).map(|(model, features)| (bundle.clone(), model, features)))
        .collect::<Result<_>>()?;
    let mut raw = emit::all(&client, &model, &features, &graphql, !commands.is_empty())?;
    let methods = handwritten.map(|written| emit::methods(&client, &model, &features, written));
    raw.extend(commands::files(commands)?);
    let document = published::document(bundle)?;
    let header = emit::header("//", "spec");
    raw.insert("src/positions.rs".into(), format!("{header}\n{}", published::positions(bundle, &document)?));
    raw.insert("openapi.json".into(), document);
    Ok((raw, methods.transpose()?.unwrap_or_default()))
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
