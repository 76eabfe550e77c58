//! Addition of operations of a document to `spec/`.

use std::collections::BTreeSet;
use std::path::Path;

use super::changes::new_operations;
use super::operations::{self, Operations};
use serde_json::Value;

use crate::bundle::{Bundle, Operation, add_used, members, reference};
use crate::dialect::{Envelope, envelope};
use crate::document::{Document, extract};
use crate::emit::{FEATURES, SHARED_FEATURE};
use crate::metadata::{self, FilterRequirement, Kind, OperationFacts};
use crate::spec_update::{self, Change};
use crate::yaml_editor::Sources;
use crate::{Error, Result};

/// An operation that was added, with what a person has to decide.
#[derive(Debug)]
pub struct AddedOperation {
    /// Operation ID.
    pub id: String,
    /// Method and path.
    pub request: String,
    /// Facts that the program inferred, and names that it chose: title and value.
    pub decisions: Vec<(&'static str, String)>,
}

/// Result of [`add`].
#[derive(Debug)]
pub struct AddReport {
    /// Added operations, sorted by ID.
    pub operations: Vec<AddedOperation>,
    /// Operations that are not supported: operation ID and reason.
    pub refused: Vec<(String, String)>,
    /// Changed files of `spec/`.
    pub files: Vec<String>,
}

/// Adds operations of a document to `spec/` and to its list of operations. `date` is the month of the document.
///
/// # Errors
/// Returns an error if no operation is supported, or `spec/` cannot be read or written.
pub fn add(spec: &Path, document: &Document, entries: &Operations, date: &str) -> Result<AddReport> {
    let names = entries.iter().map(|(id, one)| (one.key(), (one.path.clone(), id.clone()))).collect();
    let extracted = extract(&document.value, &names)?;
    let mut sources = Sources::read(spec)?;
    let before = schema_names(&sources.bundle()?);
    let changes = new_operations(&extracted, entries, date);
    let report = spec_update::apply(&mut sources, changes, date)?;
    let refused = report.rejected.iter().filter_map(|(change, reason)| match change {
        Change::AddOperation { operation } => Some((operation.id.clone(), reason.clone())),
        _ => None,
    });
    let refused: Vec<(String, String)> = refused.collect();
    let mut entries = entries.clone();
    entries.retain(|id, _| !refused.iter().any(|(other, _)| other == id));
    let entries = &entries;
    if let (true, Some((id, reason))) = (entries.is_empty(), refused.first()) {
        return Err(Error::Command(format!("{id} cannot be added: {reason}")));
    }
    let bundle = sources.bundle()?;
    let mut added = Vec::new();
    for (id, one) in entries {
        let Some(operation) = bundle.operations().find(|operation| operation.id() == id) else {
            return Err(Error::Command(format!("the document has no operation {} {}", one.method, one.path)));
        };
        let notes = report.applied.iter().find_map(|applied| match &applied.change {
            Change::AddOperation { operation } if operation.id == *id => Some(applied.notes.clone()),
            _ => None,
        });
        added.push(AddedOperation {
            id: id.clone(),
            request: format!("{} {}", one.method, one.path),
            decisions: decisions(&bundle, operation, &before, notes.unwrap_or_default())?,
        });
    }
    let list = spec.join(operations::FILE);
    let io = |source| Error::Io { path: list.clone(), source };
    let text = std::fs::read_to_string(&list).map_err(io)?;
    let mut files = sources.write(spec)?;
    std::fs::write(&list, operations::with_entries(&text, entries)).map_err(io)?;
    files.push(operations::FILE.to_owned());
    Ok(AddReport { operations: added, refused, files })
}

/// Returns the Cargo feature that compiles an operation.
fn feature(document: &Value, operation: Operation<'_>) -> String {
    let resource = &operation.node["tags"][0];
    let lists = |node: &Value| node["resources"].as_array().is_some_and(|all| all.contains(resource));
    let feature = members(document, FEATURES).find(|(_, node)| lists(node)).map(|(name, _)| name.clone());
    feature.unwrap_or_else(|| format!("{SHARED_FEATURE}: no feature of openapi.yaml lists the resource"))
}

fn schema_names(bundle: &Bundle) -> BTreeSet<String> {
    bundle.schemas().map(|(name, _)| name.clone()).collect()
}

/// Returns what the program inferred about an operation.
fn decisions(
    bundle: &Bundle,
    operation: Operation<'_>,
    before: &BTreeSet<String>,
    notes: Vec<String>,
) -> Result<Vec<(&'static str, String)>> {
    let wrong = |message: String| Error::Generator(format!("{}: {message}", operation.id()));
    let facts: OperationFacts = metadata::read_operation(operation.node).map_err(wrong)?;
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    let filter = match facts.filter {
        FilterRequirement::None => "none",
        FilterRequirement::Optional => "optional",
        FilterRequirement::Required => "required",
    };
    let response = match envelope(bundle, operation).map_err(wrong)? {
        Envelope::Page(item) => format!("JSON, a list of {}", reference(item).unwrap_or("values")),
        Envelope::Data(data) | Envelope::Json(data) => {
            format!("JSON, {}", reference(data).unwrap_or("a value"))
        }
        Envelope::Empty => "empty".to_owned(),
        Envelope::Binary => "a file".to_owned(),
        Envelope::Undocumented => "not documented: JSON, a file, or nothing".to_owned(),
    };
    let mut names = BTreeSet::new();
    add_used(bundle, operation.node, &mut names);
    names.retain(|name| !before.contains(name));
    let mut secrets = Vec::new();
    for name in &names {
        let properties = bundle.schema(name).into_iter().flat_map(|schema| members(schema, "/properties"));
        for (property, node) in properties {
            if node[metadata::KEY]["secret"] == true {
                secrets.push(format!("{name}.{property}"));
            }
        }
    }
    let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let names: Vec<String> = names.into_iter().collect();
    let mut decisions = vec![
        ("kind", if facts.kind == Kind::Read { "read" } else { "action" }.to_owned()),
        ("destructive", yes(facts.destructive)),
        ("idempotent", yes(facts.idempotent)),
        ("filter", filter.to_owned()),
        ("permissions", list(&facts.permissions.required)),
        ("secrets", list(&secrets)),
        ("response", response),
        ("collection", "none: the sandbox returns an invented response".to_owned()),
        ("feature", feature(&bundle.document, operation)),
        ("new types", list(&names)),
    ];
    decisions.extend(notes.into_iter().map(|note| ("note", note)));
    Ok(decisions)
}
