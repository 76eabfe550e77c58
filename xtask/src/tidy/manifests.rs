//! Rules about manifests, lock files and the cargo configuration.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::Report;
use super::tree::{File, Tree};

/// The allowed source of packages in a lock file.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A dependency in a manifest.
pub(super) struct Dependency {
    /// Name in the manifest.
    pub(super) name: String,
    /// Line number, from 1.
    pub(super) line: usize,
    /// Whether the dependency is optional.
    pub(super) optional: bool,
    /// Whether the dependency is a dev-dependency.
    pub(super) is_dev: bool,
    /// Whether the dependency is in the table of the workspace.
    pub(super) is_workspace_table: bool,
    /// Whether the version comes from the workspace or from a path.
    is_inherited: bool,
    /// Comment at the end of the line.
    reason: String,
}

/// Returns the dependencies of a manifest, of all kinds. Invalid TOML yields none, since cargo reports it.
pub(super) fn dependencies(manifest: &File) -> Vec<Dependency> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(&manifest.text) {
        let root = table.get_ref();
        let workspace = subtable(root, "workspace");
        collect(manifest, root, false, &mut found);
        workspace.into_iter().for_each(|table| collect(manifest, table, true, &mut found));
        for (_, target) in subtable(root, "target").into_iter().flatten() {
            target
                .get_ref()
                .as_table()
                .into_iter()
                .for_each(|table| collect(manifest, table, false, &mut found));
        }
    }
    found
}

fn subtable<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
    table.get(name)?.get_ref().as_table()
}

fn collect(manifest: &File, table: &DeTable<'_>, is_workspace_table: bool, found: &mut Vec<Dependency>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in subtable(table, kind).into_iter().flatten() {
            let spec = value.get_ref().as_table();
            let key = |key: &str| spec.and_then(|spec| spec.get(key)).map(Spanned::get_ref);
            let rest = manifest.text.get(end(value)..).unwrap_or_default().lines().next().unwrap_or_default();
            found.push(Dependency {
                name: name.get_ref().to_string(),
                line: manifest.line(name.span().start),
                optional: key("optional").and_then(DeValue::as_bool) == Some(true),
                is_dev: kind == "dev-dependencies",
                is_workspace_table,
                is_inherited: key("workspace").is_some() || key("path").is_some(),
                reason: rest.split_once('#').map(|(_, reason)| reason.trim().to_owned()).unwrap_or_default(),
            });
        }
    }
}

/// Returns the end of a value in bytes. A table without braces ends with its last value.
fn end(value: &Spanned<DeValue<'_>>) -> usize {
    let Range { end: own, .. } = value.span();
    let inner = value.get_ref().as_table().into_iter().flatten().map(|(_, value)| end(value));
    inner.max().map_or(own, |inner| inner.max(own))
}

pub(super) fn dependency_reasons(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending("Cargo.toml") {
        for dependency in dependencies(file) {
            if !dependency.is_inherited && dependency.reason.is_empty() {
                let finding = format!("dependency {} has no purpose comment", dependency.name);
                report.add(path, dependency.line, finding, "add a comment at the end of the line");
            }
        }
    }
}

pub(super) fn registries(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending("Cargo.lock") {
        for (number, line) in file.text.lines().enumerate() {
            let source = line.strip_prefix("source = ").map(|source| source.trim_matches('"'));
            if source.is_some_and(|source| source != CRATES_IO) {
                let remedy = "use the package from crates.io, without local cargo configuration";
                report.add(path, number + 1, "package source is not crates.io", remedy);
            }
        }
    }
    for (path, file) in tree.below(".cargo") {
        let Ok(config) = DeTable::parse(&file.text) else { continue };
        for (name, _) in config.get_ref() {
            if ["source", "registry", "registries"].contains(&name.get_ref().as_ref()) {
                let remedy = "move the entry to the cargo configuration of your home directory";
                let line = file.line(name.span().start);
                report.add(path, line, format!("project configuration sets `{}`", name.get_ref()), remedy);
            }
        }
    }
}
