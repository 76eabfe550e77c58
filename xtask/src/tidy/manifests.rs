//! Rules about manifests, lock files and cargo's settings.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Report;
use super::tree::{File, Tree};

/// Where the packages of a lock file come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A dependency as a manifest has it.
pub(super) struct Dependency {
    /// Its name there.
    pub(super) name: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// Whether a feature brings it.
    pub(super) optional: bool,
    /// Whether it stands in the table of the workspace, for the members to take.
    pub(super) offered: bool,
    /// Whether the workspace gives its version, or a path.
    located: bool,
    /// What a comment says after it.
    reason: String,
}

/// The dependencies of a manifest, of every kind; none of what is no TOML, which cargo tells.
pub(super) fn dependencies(manifest: &File) -> Vec<Dependency> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(&manifest.text) {
        let root = table.get_ref();
        let workspace = part(root, "workspace");
        collect(manifest, root, false, &mut found);
        workspace.into_iter().for_each(|table| collect(manifest, table, true, &mut found));
        for (_, target) in part(root, "target").into_iter().flatten() {
            target
                .get_ref()
                .as_table()
                .into_iter()
                .for_each(|table| collect(manifest, table, false, &mut found));
        }
    }
    found
}

fn part<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
    table.get(name)?.get_ref().as_table()
}

fn collect(manifest: &File, table: &DeTable<'_>, offered: bool, into: &mut Vec<Dependency>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in part(table, kind).into_iter().flatten() {
            let settings = value.get_ref().as_table();
            let is = |key: &str| settings.and_then(|settings| settings.get(key)).map(Spanned::get_ref);
            let rest = manifest.text.get(end(value)..).unwrap_or_default().lines().next().unwrap_or_default();
            into.push(Dependency {
                name: name.get_ref().to_string(),
                line: manifest.line(name.span().start),
                optional: is("optional").and_then(DeValue::as_bool) == Some(true),
                offered,
                located: is("workspace").is_some() || is("path").is_some(),
                reason: rest.split_once('#').map(|(_, reason)| reason.trim().to_owned()).unwrap_or_default(),
            });
        }
    }
}

/// Where a value ends: a table without braces has its end in what it holds.
fn end(value: &Spanned<DeValue<'_>>) -> usize {
    let Range { end: own, .. } = value.span();
    let inner = value.get_ref().as_table().into_iter().flatten().map(|(_, value)| end(value));
    inner.max().map_or(own, |inner| inner.max(own))
}

pub(super) fn reasons(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending("Cargo.toml") {
        for one in dependencies(file) {
            if !one.located && one.reason.is_empty() {
                let remedy = "say in a comment at the end of its line what it is for";
                report.add(path, one.line, format!("{} has no reason", one.name), remedy);
            }
        }
    }
}

pub(super) fn registries(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending("Cargo.lock") {
        for (number, line) in file.text.lines().enumerate() {
            let source = line.strip_prefix("source = ").map(|source| source.trim_matches('"'));
            if source.is_some_and(|source| source != CRATES_IO) {
                let remedy = "take it from crates.io, and run cargo without settings of your own";
                report.add(path, number + 1, "a package that is not from crates.io", remedy);
            }
        }
    }
    for (path, file) in tree.below(".cargo") {
        let Ok(settings) = DeTable::parse(&file.text) else { continue };
        for (name, _) in settings.get_ref() {
            if ["source", "registry", "registries"].contains(&name.get_ref().as_ref()) {
                let remedy = "keep it in the settings of your own machine";
                let line = file.line(name.span().start);
                report.add(path, line, format!("settings of the project name a {}", name.get_ref()), remedy);
            }
        }
    }
}
