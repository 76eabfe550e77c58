//! `cargo xtask add`: adds operations of the vendor document to the project.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sentinelone_codegen::import::{self, AddReport, naming, operations};
use sentinelone_codegen::surface::Key;
use sentinelone_codegen::{Error, Result, document};

use crate::{generation, vendor_document};

/// The arguments of the command.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Method and path, such as "GET /tags"
    #[arg(required_unless_present = "all", value_name = "OPERATION")]
    operations: Vec<String>,
    /// Add all operations of the document that spec/ does not have
    #[arg(long, conflicts_with_all = ["operations", "id"])]
    all: bool,
    /// Operation ID, for one operation [default: derived from the path]
    #[arg(long = "as", value_name = "ID")]
    id: Option<String>,
    /// Vendor document [default: S1_VENDOR_DOCUMENT, or that of the last import]
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Month of the document [default: that of the last import, or the current month]
    #[arg(long, value_name = "YYYY-MM", value_parser = crate::import::parse_month)]
    date: Option<String>,
}

#[cfg(test)]
impl Args {
    /// Returns the arguments `OPERATION --document DOCUMENT --date DATE`.
    pub(crate) fn of(operation: &str, document: &Path, date: &str) -> Self {
        let (document, date) = (Some(document.to_owned()), Some(date.to_owned()));
        Self { operations: vec![operation.to_owned()], all: false, id: None, document, date }
    }
}

/// Adds the operations to `spec/`, and writes what is generated from it. Returns what a person has to decide.
///
/// # Errors
/// Returns an error if the document does not have an operation, `spec/` has it already, or it is not supported.
pub(crate) fn run(root: &Path, args: &Args) -> Result<String> {
    let spec = root.join("spec");
    let (file, known_date) = vendor_document::find(root, args.document.as_deref())?;
    let date = crate::import::month(args.date.as_deref().or(known_date.as_deref()), &file);
    let document = document::open(&file)?;
    let listed = operations::read(&spec)?;
    let proposed = naming::propose(&document.value, &listed);
    let mut entries = operations::Operations::new();
    if args.all {
        entries.extend(proposed.iter().map(|(id, entry)| (id.clone(), entry.clone())));
        if entries.is_empty() {
            return Err(Error::Command("spec/ has all operations of the document".to_owned()));
        }
    }
    for text in &args.operations {
        let (key, name) = parse(text)?;
        if let Some((id, _)) = listed.iter().find(|(_, one)| one.key() == key) {
            return Err(Error::Command(format!("{name} is already in spec/, as {id}")));
        }
        let Some((id, entry)) = proposed.iter().find(|(_, one)| one.key() == key) else {
            return Err(Error::Command(format!(
                "the document has no operation {name}{}",
                nearest(&name, &proposed)
            )));
        };
        entries.insert(args.id.clone().unwrap_or_else(|| id.clone()), entry.clone());
    }
    if args.id.is_some() && args.operations.len() > 1 {
        return Err(Error::Command("--as names one operation, but there are several".to_owned()));
    }
    for (id, entry) in &entries {
        let prefix = format!("{}_", entry.file.trim_end_matches(".yaml").replace('-', "_"));
        if !id.starts_with(&prefix) {
            return Err(Error::Command(format!(
                "{id} is not an operation ID of {}; it has to start with {prefix}",
                entry.file
            )));
        }
    }
    let report = import::add(&spec, &document, &entries, &date)?;
    let mut out = String::new();
    for file in &report.files {
        let _ = writeln!(out, "wrote spec/{file}");
    }
    out += &generation::write(root)?;
    out.push('\n');
    out += &generation::write_fixtures(root)?;
    out += &table(&report);
    if !report.refused.is_empty() {
        out.push_str("\nnot supported:\n");
        for (id, reason) in &report.refused {
            let _ = writeln!(out, "  {id}: {reason}");
        }
    }
    Ok(out)
}

/// Reads a method and a path.
fn parse(text: &str) -> Result<(Key, String)> {
    let (method, path) = text.trim().split_once(char::is_whitespace).unwrap_or(("", text));
    let (method, path) = (method.to_uppercase(), path.trim());
    if !["GET", "POST", "PUT", "DELETE"].contains(&method.as_str()) || !path.starts_with('/') {
        return Err(Error::Command(format!(
            "{text:?} is not an operation: expected a method and a path, such as \"GET /tags\""
        )));
    }
    let key = Key::new(&method, path);
    let name = key.to_string();
    Ok((key, name))
}

/// Returns the operations of the document whose method and path are nearest.
fn nearest(name: &str, proposed: &operations::Operations) -> String {
    let mut all: Vec<(f64, String)> = proposed
        .values()
        .map(|one| {
            let distance = strsim::normalized_damerau_levenshtein(name, &one.key().to_string());
            (distance, format!("{} {}", one.method, one.path))
        })
        .collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0));
    let names: Vec<String> = all.into_iter().take(3).map(|(_, name)| name).collect();
    if names.is_empty() { String::new() } else { format!("; the nearest are {}", names.join(", ")) }
}

/// Returns what a person has to decide, per operation.
fn table(report: &AddReport) -> String {
    let mut out = String::from("\nreview what is inferred:\n");
    for operation in &report.operations {
        let _ = writeln!(out, "\n{} ({})", operation.id, operation.request);
        for (title, value) in &operation.decisions {
            let _ = writeln!(out, "  {title:<12}  {value}");
        }
    }
    out
}
