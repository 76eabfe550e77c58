//! Reports of an import as text, Markdown and JSON.
//!
//! The JSON report is one object. Its format is stable:
//!
//! | member | |
//! | --- | --- |
//! | `document`, `format`, `operations` | file, format and number of operations |
//! | `quirks` | number of occurrences by quirk |
//! | `withoutTarget` | corrections whose target is missing, with its operation or without |
//! | `corrections` | `{actions, locations}`: number of corrections and of changed locations |
//! | `withoutEffect` | corrections that the document already contains: file, target, description |
//! | `explained` | `{operation, location}` of differences with evidence in `spec/` |
//! | `unmatched` | error message for corrections whose target should exist; null without such corrections |
//! | `changed` | `{name, was, is}` of content behind a correction or evidence that differs from `spec/baseline.toml` |
//! | `new` | listed operations that `spec/` does not have yet |
//! | `diff` | differences without an explanation, in the format of `cargo xtask diff --format json` |
//! | `written` | `{files, done, manual, undescribed}` if `spec/` was updated, else null |

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{Correction, Difference, DifferenceKind, Import, WriteReport};
use crate::diff::render::{self, Comparison};
use crate::diff::{Finding, SpecIndex, compare};

/// An import, for a report.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Name of the document.
    pub name: &'a str,
    /// The import.
    pub import: &'a Import,
    /// Differences without an explanation, as diff findings; see [`Import::findings`].
    pub findings: &'a [Finding],
    /// Result of the update, if `spec/` was updated.
    pub written: Option<&'a WriteReport>,
}

impl Import {
    /// Returns the differences without an explanation as diff findings.
    pub fn findings(&self, index: &SpecIndex) -> Vec<Finding> {
        let mut theirs = self.theirs.clone();
        for one in &self.explained {
            apply_explained(&mut theirs, &self.ours, one);
        }
        let mut findings = compare(&self.ours, &theirs, index);
        // The operations of the import have the IDs of `spec/`, so a comparison takes a move for certain.
        for finding in findings.iter_mut().filter(|finding| finding.owner == finding.old) {
            let moved = self.moves.iter().find(|one| one.from.to_string() == finding.owner);
            if let Some(one) = moved {
                finding.confidence = Some(one.confidence);
                finding.message.push_str(&format!(" ({} % sure)", one.confidence));
            }
        }
        findings
    }

    /// Returns the corrections without effect, because the document is already correct.
    pub fn without_effect(&self) -> impl Iterator<Item = &Correction> {
        self.corrections.iter().filter(|one| one.matched > 0 && one.changed == 0)
    }

    /// Returns the corrections without a target.
    pub fn without_target(&self) -> impl Iterator<Item = &Correction> {
        self.corrections.iter().filter(|one| one.matched == 0)
    }
}

/// Replaces the content of an explained difference by that of `ours`.
fn apply_explained(theirs: &mut crate::surface::Surface, ours: &crate::surface::Surface, one: &Difference) {
    let Some(known) = ours.operations.get(&one.key) else { return };
    if one.location.is_empty() {
        theirs.operations.insert(one.key.clone(), known.clone());
        return;
    }
    let Some(operation) = theirs.operations.get_mut(&one.key) else { return };
    match &one.kind {
        DifferenceKind::Ours => {
            let subtree = known.locations.iter().filter(|(location, _)| {
                **location == one.location || crate::surface::is_below(location, &one.location)
            });
            operation.locations.extend(subtree.map(|(location, node)| (location.clone(), node.clone())));
        }
        DifferenceKind::Fact { name, ours, .. } => {
            if let Some(node) = operation.locations.get_mut(&one.location) {
                match ours {
                    Some(value) => drop(node.facts.insert(name, value.clone())),
                    None => drop(node.facts.remove(name)),
                }
            }
        }
        DifferenceKind::Theirs | DifferenceKind::Renamed { .. } | DifferenceKind::Moved { .. } => {}
    }
}

impl<'a> Report<'a> {
    fn comparison(&self) -> Comparison<'a> {
        Comparison { old: "spec/", new: self.name, findings: self.findings }
    }

    /// Returns the explained differences: number of locations by operation, and operations that the document lacks.
    fn explained(&self) -> (BTreeMap<&'a str, usize>, Vec<&'a str>) {
        let (mut locations, mut missing) = (BTreeMap::new(), Vec::new());
        for one in &self.import.explained {
            if one.location.is_empty() && one.kind == DifferenceKind::Ours {
                missing.push(one.id.as_str());
            } else {
                *locations.entry(one.id.as_str()).or_default() += 1;
            }
        }
        (locations, missing)
    }

    /// Returns the number of locations that corrections changed.
    fn corrected_locations(&self) -> usize {
        self.import.corrections.iter().map(|one| one.changed).sum()
    }

    /// Formats a report for a terminal.
    pub fn text(&self) -> String {
        let import = self.import;
        let mut out = format!("{}: {} with {} operations\n", self.name, import.format, import.operations);
        if !import.quirks.is_empty() {
            out += "\nquirks, normalized while reading\n";
            for (quirk, count) in &import.quirks {
                let _ = writeln!(out, "{count:>8}  {quirk}");
            }
        }
        let _ = writeln!(
            out,
            "\ncorrections from spec/overlays\n{:>8}  actions, {} changed locations",
            import.corrections.len(),
            self.corrected_locations()
        );
        for one in import.without_target() {
            let _ = writeln!(out, "          without target: {}: {}", one.file, one.description);
        }
        let without_effect: Vec<_> = import.without_effect().collect();
        if !without_effect.is_empty() {
            out += "\ncorrections without effect, remove them\n";
            for one in without_effect {
                let _ =
                    writeln!(out, "          {}: {}\n            {}", one.file, one.description, one.target);
            }
        }
        let (locations, missing) = self.explained();
        if !import.explained.is_empty() {
            out += "\nexplained by evidence in spec/\n";
            let total: usize = locations.values().sum();
            let _ = writeln!(out, "{total:>8}  locations of {} operations", locations.len());
            if !missing.is_empty() {
                let _ = writeln!(
                    out,
                    "{:>8}  operations that the document does not have: {}",
                    missing.len(),
                    missing.join(", ")
                );
            }
        }
        if let Some(error) = &import.unmatched {
            let _ = writeln!(out, "\nERROR: {error}");
        }
        if !import.baseline_changes.is_empty() {
            out += "\nCHANGED behind a correction or evidence: review, then use --update-baseline\n";
            for one in &import.baseline_changes {
                let content = |text: &Option<String>| text.clone().unwrap_or_else(|| "no entry".to_owned());
                let (was, is) = (content(&one.was), content(&one.is));
                let _ = writeln!(out, "          {}\n            {was} -> {is}", one.name);
            }
        }
        if !import.new.is_empty() {
            let _ = writeln!(
                out,
                "\nnew operations, listed in spec/operations.toml\n          {}",
                import.new.join(", ")
            );
        }
        if import.is_settled() {
            out += "\nno difference is left without an explanation\n";
        } else if !import.differences.is_empty() {
            let _ = writeln!(out, "\n{}", render::text(&self.comparison()).trim_end());
        }
        if let Some(written) = self.written {
            out += "\nwritten\n";
            if written.files.is_empty() {
                out += "          no files\n";
            }
            for file in &written.files {
                let _ = writeln!(out, "          spec/{file}");
            }
            section(&mut out, "\nmanual changes\n", &written.manual);
            section(&mut out, "\nplaceholder descriptions, replace them\n", &written.undescribed);
        }
        out
    }

    /// Formats a report for the description of a pull request.
    pub fn markdown(&self) -> String {
        let import = self.import;
        let mut out = format!(
            "# `{}`\n\n{} with {} operations. {} corrections from `spec/overlays/` changed {} locations.\n",
            self.name,
            import.format,
            import.operations,
            import.corrections.len(),
            self.corrected_locations()
        );
        let without_effect: Vec<_> = import.without_effect().collect();
        if !without_effect.is_empty() {
            out += "\n## Corrections without effect\n\nThe document is already correct. Remove these corrections.\n\n";
            for one in without_effect {
                let _ = writeln!(out, "- `{}`: {} `{}`", one.file, one.description, one.target);
            }
        }
        if let Some(error) = &import.unmatched {
            let _ = writeln!(
                out,
                "\n## Corrections without a target\n\n```text\n{}\n```",
                error.to_string().replace("```", "'''")
            );
        }
        if !import.baseline_changes.is_empty() {
            out += "\n## Changed behind a correction or evidence\n\nReview each change, then run `cargo xtask import … \
                    --update-baseline`.\n\n";
            for one in &import.baseline_changes {
                let content = |text: &Option<String>| code(text.as_deref().unwrap_or("no entry"));
                let _ = writeln!(out, "- {}: {} → {}", code(&one.name), content(&one.was), content(&one.is));
            }
        }
        if !import.new.is_empty() {
            let _ = writeln!(out, "\n## New operations\n");
            import.new.iter().for_each(|id| {
                let _ = writeln!(out, "- `{id}`");
            });
        }
        let _ = writeln!(out, "\n## Differences\n");
        if import.differences.is_empty() {
            out += "No difference is left without an explanation.\n";
        } else {
            let _ = writeln!(out, "{}", render::markdown(&self.comparison()).trim_end());
        }
        if let Some(written) = self.written {
            let files: Vec<_> = written.files.iter().map(|file| format!("`spec/{file}`")).collect();
            let files = if files.is_empty() { "No files".to_owned() } else { files.join(", ") };
            let _ = writeln!(out, "\n## Updated files\n\n{files}");
            list(&mut out, "\n## Manual changes\n", &written.manual);
            list(&mut out, "\n## Placeholder descriptions\n", &written.undescribed);
        }
        out
    }

    /// Formats the JSON report. The module documentation describes the format.
    pub fn json(&self) -> String {
        let import = self.import;
        let correction = |one: &Correction| json!({ "file": one.file, "target": one.target, "description": one.description });
        let quirks: BTreeMap<&str, usize> =
            import.quirks.iter().map(|(quirk, count)| (quirk.as_str(), *count)).collect();
        let explained: Vec<Value> = import
            .explained
            .iter()
            .map(|one| json!({ "operation": one.id, "location": one.location }))
            .collect();
        let diff: Value = serde_json::from_str(&render::json(&self.comparison())).unwrap_or_default();
        let changed = import
            .baseline_changes
            .iter()
            .map(|one| json!({ "name": one.name, "was": one.was, "is": one.is }));
        let changed: Vec<Value> = changed.collect();
        let written = self.written.map(|one| {
            json!({ "files": one.files, "done": one.done, "manual": one.manual, "undescribed": one.undescribed })
        });
        let all = json!({
            "document": self.name,
            "format": import.format,
            "operations": import.operations,
            "quirks": quirks,
            "withoutTarget": import.without_target().map(correction).collect::<Vec<_>>(),
            "corrections": { "actions": import.corrections.len(), "locations": self.corrected_locations() },
            "withoutEffect": import.without_effect().map(correction).collect::<Vec<_>>(),
            "explained": explained,
            "unmatched": import.unmatched.as_ref().map(ToString::to_string),
            "changed": changed,
            "new": import.new,
            "diff": diff,
            "written": written,
        });
        format!("{all:#}\n")
    }
}

/// Formats a text of a document as Markdown code, so that it cannot contain markup, mentions or images.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c == '`' || c.is_control() { '\'' } else { c }).collect();
    format!("`{text}`")
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        out.push_str(title);
        for line in lines {
            let _ = writeln!(out, "          {line}");
        }
    }
}

fn list(out: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = writeln!(out, "{title}");
        for line in lines {
            let _ = writeln!(out, "- {}", code(line));
        }
    }
}
