//! Rules about `spec/` and `fixtures/`.

use std::collections::{BTreeMap, BTreeSet};

use sentinelone_codegen::bundle::{Bundle, ROOT, each_reference};
use sentinelone_codegen::import::{corrections, operations};
use serde_json::Value;

use super::Report;
use super::tree::Tree;

/// What `spec/` holds beside its YAML files.
const BESIDE: [&str; 3] = ["README.md", "accepted.toml", operations::FILE];

/// How an exchange can have come about, as in `sentinelone::contract::ProvenanceKind`; a test compares the two.
pub(super) const KINDS: [&str; 5] = ["composed", "generated", "sandbox", "recorded", "published"];

pub(super) fn used(tree: &Tree, report: &mut Report) {
    let bundle = match tree.bundle() {
        Ok(bundle) => bundle,
        Err(message) => {
            return report.add("spec", 1, message, "write what the joining of the files can read");
        }
    };
    let used = used_files(bundle);
    let mut listed = BTreeSet::new();
    if let Some(file) = tree.file("spec/operations.toml")
        && let Ok(operations) = operations::parse(&file.text)
    {
        for (id, one) in operations {
            if tree.file(&format!("spec/{}", one.file)).is_none() {
                let line = 1 + file.text.lines().take_while(|line| !line.starts_with(&id)).count();
                let what = format!("{id} is in {}, which does not exist", one.file);
                report.add("spec/operations.toml", line, what, "name the file of its resource");
            }
            listed.insert(one.file);
        }
    }
    for (path, file) in tree.below("spec") {
        let name = path.trim_start_matches("spec/");
        match name.split_once('/') {
            None if BESIDE.contains(&name) || name == ROOT => {}
            None if used.contains(name) && listed.contains(name) => {}
            None if used.contains(name) => {
                let remedy = "add a line to operations.toml, or delete the file";
                report.add(path, 1, "no operation of operations.toml is in the file", remedy);
            }
            None => {
                let remedy = "list its paths in openapi.yaml, refer to its schemas, or delete it";
                report.add(path, 1, "no operation needs the file", remedy);
            }
            Some((corrections::FOLDER, overlay)) if overlay.ends_with(".yaml") && !overlay.contains('/') => {
                match corrections::parse(name, &file.text) {
                    Ok(overlay) if overlay.actions.is_empty() => {
                        report.add(
                            path,
                            1,
                            "the overlay corrects nothing",
                            "give it an action, or delete it",
                        );
                    }
                    Ok(_) => {}
                    Err(error) => {
                        report.add(path, 1, error.to_string(), "write what `cargo xtask import` can read");
                    }
                }
            }
            Some(_) => {
                report.add(path, 1, "nothing reads the file", "move it to where it is read, or delete it")
            }
        }
    }
}

/// The files with a path that is listed, or a schema that an operation needs.
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
    let of_schemas = schemas.iter().filter_map(|name| bundle.modules.get(name));
    of_schemas.chain(bundle.path_modules.values()).map(|module| file_of(module)).collect()
}

/// The file of a module of the specification.
fn file_of(module: &str) -> String {
    format!("{}.yaml", module.replace('_', "-"))
}

pub(super) fn fixtures(tree: &Tree, report: &mut Report) {
    // Without a specification that can be read there is nothing to compare with, and `spec-used` says so.
    let Ok(bundle) = tree.bundle() else { return };
    let mut exchanges: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, file) in tree.below("fixtures") {
        let Some((folder, _)) = path.trim_start_matches("fixtures/").split_once('/') else { continue };
        let count = exchanges.entry(folder).or_default();
        if !path.ends_with(".json") {
            continue;
        }
        *count += 1;
        let exchange: Value = match serde_json::from_str(&file.text) {
            Ok(exchange) => exchange,
            Err(error) => {
                report.add(path, error.line(), error.to_string(), "write an exchange, as JSON");
                continue;
            }
        };
        let remedy = || format!("say in `provenance` its source and its kind: {}", KINDS.join(", "));
        let line = |key: &str| {
            let place = file.text.find(&format!("\"{key}\""));
            place.map_or(1, |place| file.line(place))
        };
        let provenance = &exchange["provenance"];
        match provenance["kind"].as_str() {
            None => report.add(path, 1, "an exchange does not say where it comes from", remedy()),
            Some(kind) if !KINDS.contains(&kind) => {
                let what = format!("an exchange of a kind that there is not, {kind:?}");
                report.add(path, line("kind"), what, remedy());
            }
            Some(_) if provenance["source"].as_str().is_none_or(|source| source.trim().is_empty()) => {
                report.add(path, line("provenance"), "an exchange names no source", remedy());
            }
            Some(_) => {}
        }
    }
    let operations: BTreeSet<&str> = bundle.operations().map(|operation| operation.id()).collect();
    for id in &operations {
        if exchanges.get(id).is_none_or(|count| *count == 0) {
            let folder = format!("fixtures/{id}");
            report.add(
                &folder,
                1,
                format!("no exchange of {id}"),
                "run `cargo xtask fixtures`, or write one",
            );
        }
    }
    for folder in exchanges.keys().filter(|folder| !operations.contains(*folder)) {
        let what = format!("no operation is called {folder}");
        report.add(&format!("fixtures/{folder}"), 1, what, "name the folder as an operation, or delete it");
    }
}
