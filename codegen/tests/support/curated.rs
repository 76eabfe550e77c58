//! The curated operations, as a specification that is small enough for tests that change each of its parts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sentinelone_codegen::bundle::{Bundle, each_reference};
use sentinelone_codegen::import::operations;
use sentinelone_codegen::metadata::Tier;
use serde_json::Value;
use tempfile::TempDir;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec"), directory.path());
    directory
});

/// Returns a directory with the curated operations of `spec/`, the schemas that they use, and everything else.
pub(crate) fn spec() -> PathBuf {
    DIRECTORY.path().to_owned()
}

fn write(spec: &Path, into: &Path) {
    for name in ["commands", "overlays"] {
        std::fs::create_dir(into.join(name)).unwrap();
        for entry in std::fs::read_dir(spec.join(name)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, into.join(name).join(path.file_name().unwrap())).unwrap();
        }
    }
    let bundle = Bundle::read(spec).unwrap();
    let curated: BTreeSet<(String, String)> = bundle
        .operations()
        .filter(|one| one.node["x-s1"]["tier"] == "curated")
        .map(|one| (one.path.to_owned(), one.method.to_owned()))
        .collect();
    let mut used = BTreeSet::new();
    for operation in bundle.operations().filter(|one| one.node["x-s1"]["tier"] == "curated") {
        add_used(&bundle, operation.node, &mut used);
    }
    for entry in std::fs::read_dir(spec).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == operations::FILE {
            let text = std::fs::read_to_string(&path).unwrap();
            let all = operations::read(spec).unwrap();
            let is_kept = |line: &&str| {
                let id = line.split(" =").next().unwrap_or_default();
                all.get(id).is_none_or(|one| one.tier == Tier::Curated)
            };
            let text: String = text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
            std::fs::write(into.join(name), text).unwrap();
        } else if name.ends_with(".yaml") {
            let text = filtered(&std::fs::read_to_string(&path).unwrap(), &curated, &used);
            if name == "openapi.yaml" || text.contains("\n  /") || text.contains("\n  schemas:\n    ") {
                std::fs::write(into.join(name), text).unwrap();
            }
        } else if path.is_file() {
            std::fs::copy(&path, into.join(name)).unwrap();
        }
    }
}

/// Returns the text of a file without the entries of other operations and schemas. An entry is found by its indentation.
fn filtered(text: &str, curated: &BTreeSet<(String, String)>, used: &BTreeSet<String>) -> String {
    let mut kept = String::new();
    let (mut section, mut path, mut keep) = (String::new(), String::new(), true);
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let is_entry = !line.trim().is_empty() && !line.trim_start().starts_with(['#', '-']);
        let key =
            line.trim_start().split(": ").next().unwrap_or_default().trim_end_matches(':').trim_matches('"');
        match (is_entry, indent, section.as_str()) {
            (true, 0, _) => (section, keep) = (key.to_owned(), true),
            (true, 2, "components" | "schemas") => {
                section = if key == "schemas" { "schemas" } else { "components" }.to_owned();
                keep = true;
            }
            (true, 4, "schemas") => keep = used.contains(key),
            (true, 2, "paths") => {
                path = key.to_owned();
                keep = curated.iter().any(|(one, _)| *one == path);
            }
            (true, 4, "paths") if curated.iter().any(|(one, _)| *one == path) => {
                keep = !["get", "post", "put", "delete"].contains(&key)
                    || curated.contains(&(path.clone(), key.to_owned()));
            }
            _ => {}
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Adds the schemas that a node names, in references and in its metadata.
fn add_used(bundle: &Bundle, node: &Value, used: &mut BTreeSet<String>) {
    let mut names = Vec::new();
    each_reference(node, &mut |name| names.push(name.to_owned()));
    add_named(node, &mut names);
    for name in names {
        if let Some(schema) = bundle.schema(&name)
            && used.insert(name)
        {
            add_used(bundle, schema, used);
        }
    }
}

/// Adds the schemas that the metadata below a node names.
fn add_named(node: &Value, names: &mut Vec<String>) {
    match node {
        Value::Object(map) => {
            if let Some(facts) = map.get("x-s1") {
                names.extend(
                    ["query", "extends"].iter().filter_map(|key| facts[key].as_str()).map(str::to_owned),
                );
                if let Some(sent) = facts.get("send") {
                    each_reference(sent, &mut |name| names.push(name.to_owned()));
                }
            }
            map.values().for_each(|value| add_named(value, names));
        }
        Value::Array(list) => list.iter().for_each(|value| add_named(value, names)),
        _ => {}
    }
}
