//! Rules about `spec/` and `fixtures/`.

use std::collections::{BTreeMap, BTreeSet};

use sentinelone_codegen::bundle::{Bundle, ROOT, each_reference};
use sentinelone_codegen::commands;
use sentinelone_codegen::import::{operations, overlays};
use serde_json::Value;

use super::report::Report;
use super::tree::Tree;

/// Files of `spec/` that are not YAML.
const OTHER_FILES: [&str; 4] = ["README.md", "baseline.toml", "query-fields.tsv", operations::FILE];

/// Provenance kinds, as in `sentinelone_contract::fixture::ProvenanceKind`. A test compares both.
pub(super) const KINDS: [&str; 5] = ["composed", "generated", "sandbox", "recorded", "published"];

pub(super) fn no_unused_spec(tree: &Tree, report: &mut Report) {
    let bundle = match tree.bundle() {
        Ok(bundle) => bundle,
        Err(message) => {
            return report.add("spec", 1, message, "correct the file");
        }
    };
    let used = used_files(bundle);
    let mut listed = BTreeSet::new();
    if let Some(file) = tree.file("spec/operations.toml")
        && let Ok(operations) = operations::parse(&file.text)
    {
        for (id, operation) in operations {
            if tree.file(&format!("spec/{}", operation.file)).is_none() {
                let line = 1 + file.text.lines().take_while(|line| !line.starts_with(&id)).count();
                let finding = format!("file {} of {id} does not exist", operation.file);
                report.add("spec/operations.toml", line, finding, "set the file of the resource");
            }
            listed.insert(operation.file);
        }
    }
    for (path, file) in tree.below("spec") {
        let name = path.trim_start_matches("spec/");
        match name.split_once('/') {
            None if OTHER_FILES.contains(&name) || name == ROOT => {}
            // The generator rejects a document without facts.
            Some(("graphql", file))
                if [".graphql", ".yaml"].iter().any(|ending| file.ends_with(ending))
                    || file == "alert-fields.tsv" => {}
            None if used.contains(name) && listed.contains(name) => {}
            None if used.contains(name) => {
                let remedy = "add an operation to operations.toml, or delete the file";
                report.add(path, 1, "no operation of operations.toml uses the file", remedy);
            }
            None => {
                let remedy = "list its paths in openapi.yaml, reference its schemas, or delete the file";
                report.add(path, 1, "no operation needs the file", remedy);
            }
            Some((overlays::DIR, overlay)) if overlay.ends_with(".yaml") && !overlay.contains('/') => {
                match overlays::parse(name, &file.text) {
                    Ok(overlay) if overlay.actions.is_empty() => {
                        report.add(path, 1, "the overlay has no action", "add an action, or delete the file");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        report.add(path, 1, error.to_string(), "correct the overlay");
                    }
                }
            }
            // The code generator reads each of them, and checks it against the operations.
            Some((commands::DIR, name)) if name.ends_with(".yaml") && !name.contains('/') => {}
            Some(_) => report.add(path, 1, "the file is not used", "move or delete the file"),
        }
    }
}

/// Returns the files with a listed path or with a schema that an operation needs.
fn used_files(bundle: &Bundle) -> BTreeSet<String> {
    let mut schemas = BTreeSet::new();
    let mut todo: Vec<String> = Vec::new();
    for operation in bundle.operations() {
        each_reference(operation.node, &mut |name| todo.push(name.to_owned()));
        todo.extend(operation.node.pointer("/x-s1/query").and_then(Value::as_str).map(str::to_owned));
    }
    while let Some(name) = todo.pop() {
        if let Some(schema) = bundle.schema(&name)
            && schemas.insert(name)
        {
            each_reference(schema, &mut |name| todo.push(name.to_owned()));
        }
    }
    let schema_modules = schemas.iter().filter_map(|name| bundle.modules.get(name));
    schema_modules.chain(bundle.path_modules.values()).map(|module| file_of(module)).collect()
}

/// Returns the file of a module of the specification.
fn file_of(module: &str) -> String {
    format!("{}.yaml", module.replace('_', "-"))
}

pub(super) fn fixtures(tree: &Tree, report: &mut Report) {
    // `no-unused-spec` reports an invalid specification.
    let Ok(bundle) = tree.bundle() else { return };
    let mut exchanges: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, file) in tree.below("fixtures") {
        let Some((dir, _)) = path.trim_start_matches("fixtures/").split_once('/') else { continue };
        let count = exchanges.entry(dir).or_default();
        if !path.ends_with(".json") {
            continue;
        }
        *count += 1;
        let exchange: Value = match serde_json::from_str(&file.text) {
            Ok(exchange) => exchange,
            Err(error) => {
                report.add(path, error.line(), error.to_string(), "write an exchange as JSON");
                continue;
            }
        };
        let remedy = || format!("set `provenance` with a source and a kind: {}", KINDS.join(", "));
        let line = |key: &str| {
            let offset = file.text.find(&format!("\"{key}\""));
            offset.map_or(1, |offset| file.line(offset))
        };
        let provenance = &exchange["provenance"];
        match provenance["kind"].as_str() {
            None => report.add(path, 1, "provenance kind is missing", remedy()),
            Some(kind) if !KINDS.contains(&kind) => {
                report.add(path, line("kind"), format!("invalid provenance kind {kind:?}"), remedy());
            }
            Some(_) if provenance["source"].as_str().is_none_or(|source| source.trim().is_empty()) => {
                report.add(path, line("provenance"), "provenance source is missing", remedy());
            }
            Some(_) => {}
        }
    }
    let operations: BTreeSet<&str> = bundle.operations().map(|operation| operation.id()).collect();
    for id in &operations {
        if exchanges.get(id).is_none_or(|count| *count == 0) {
            let dir = format!("fixtures/{id}");
            let remedy = "run `cargo xtask fixtures`, or add a fixture";
            report.add(&dir, 1, format!("operation {id} has no fixture"), remedy);
        }
    }
    for dir in exchanges.keys().filter(|dir| !operations.contains(*dir)) {
        let finding = format!("operation {dir} does not exist");
        let remedy = "rename the directory to an operation, or delete it";
        report.add(&format!("fixtures/{dir}"), 1, finding, remedy);
    }
}
