//! An import for people and for machines.
//!
//! The JSON is one object, in this form for good:
//!
//! | member | |
//! | --- | --- |
//! | `document`, `format`, `operations` | the file, what it is, and how many operations it has |
//! | `quirks` | what was odd in it, to how often |
//! | `lossy` | `{profile, restored, untold}`: the kinds of loss to how often something was taken from `spec/`, and the corrections that found nothing, for that or because the operation is missing |
//! | `corrections` | `{actions, places}`: how many there are and how many places they changed |
//! | `caughtUp` | corrections that the document makes needless: file, target, description |
//! | `explained` | `{operation, place}` of what evidence in `spec/` explains |
//! | `unmatched` | corrections that match nothing in a document that should have what they correct, as a text; null for none |
//! | `moved` | `{name, was, is}` of what is behind a correction or evidence and was not there when somebody last looked |
//! | `new` | listed operations that `spec/` does not have yet |
//! | `diff` | what differs and has no explanation, in the form of `cargo xtask diff --format json` |
//! | `written` | `{files, done, left, undescribed}`, where it was written |

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{Correction, Difference, Import, What, Written};
use crate::diff::render::{self, Comparison};
use crate::diff::{Atlas, Finding, compare};

/// An import, to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What the document is called.
    pub name: &'a str,
    /// What was found.
    pub import: &'a Import,
    /// What of it has no explanation, as a client's user sees it; from [`Import::findings`].
    pub findings: &'a [Finding],
    /// What was written, if anything was to be.
    pub written: Option<&'a Written>,
}

impl Import {
    /// What differs and has no explanation, as a client's user sees it.
    pub fn findings(&self, atlas: &Atlas) -> Vec<Finding> {
        let mut theirs = self.theirs.clone();
        for one in &self.explained {
            settle(&mut theirs, &self.ours, one);
        }
        compare(&self.ours, &theirs, atlas)
    }

    /// Corrections that changed nothing, because the document says so itself by now.
    pub fn caught_up(&self) -> impl Iterator<Item = &Correction> {
        self.corrections.iter().filter(|one| one.matched > 0 && one.changed == 0)
    }

    /// Corrections that found nothing, in a document that has lost things or lacks operations.
    pub fn untold(&self) -> impl Iterator<Item = &Correction> {
        self.corrections.iter().filter(|one| one.matched == 0)
    }
}

/// Makes a document say what evidence says.
fn settle(theirs: &mut crate::surface::Surface, ours: &crate::surface::Surface, one: &Difference) {
    let Some(known) = ours.operations.get(&one.key) else { return };
    if one.place.is_empty() {
        theirs.operations.insert(one.key.clone(), known.clone());
        return;
    }
    let Some(operation) = theirs.operations.get_mut(&one.key) else { return };
    match &one.what {
        What::Ours => {
            let inside = known
                .places
                .iter()
                .filter(|(place, _)| **place == one.place || super::lossy::below(place, &one.place));
            operation.places.extend(inside.map(|(place, node)| (place.clone(), node.clone())));
        }
        What::Fact { name, ours, .. } => {
            if let Some(node) = operation.places.get_mut(&one.place) {
                match ours {
                    Some(value) => drop(node.facts.insert(name, value.clone())),
                    None => drop(node.facts.remove(name)),
                }
            }
        }
        What::Theirs => {}
    }
}

impl<'a> Report<'a> {
    fn comparison(&self) -> Comparison<'a> {
        Comparison { old: "spec/", new: self.name, findings: self.findings }
    }

    /// What evidence explains: places by operation, and operations that the document does not have.
    fn explained(&self) -> (BTreeMap<&'a str, usize>, Vec<&'a str>) {
        let (mut places, mut absent) = (BTreeMap::new(), Vec::new());
        for one in &self.import.explained {
            if one.place.is_empty() {
                absent.push(one.id.as_str());
            } else {
                *places.entry(one.id.as_str()).or_default() += 1;
            }
        }
        (places, absent)
    }

    fn changed(&self) -> usize {
        self.import.corrections.iter().map(|one| one.changed).sum()
    }

    /// For people at a terminal.
    pub fn text(&self) -> String {
        let import = self.import;
        let mut out = format!("{}: {} with {} operations\n", self.name, import.format, import.operations);
        if !import.quirks.is_empty() {
            out += "\nodd in it, and settled on reading\n";
            for (quirk, count) in &import.quirks {
                let _ = writeln!(out, "{count:>8}  {quirk}");
            }
        }
        if !import.profile.losses.is_empty() {
            let name = import.profile.name.unwrap_or("of your own");
            let _ = writeln!(out, "\nlost in it, and taken from spec/ (profile {name})");
            for (loss, count) in &import.restored {
                let _ = writeln!(out, "{count:>8}  {}", loss.as_str());
            }
        }
        let _ = writeln!(
            out,
            "\ncorrected by spec/overlays\n{:>8}  actions, which changed {} places",
            import.corrections.len(),
            self.changed()
        );
        for one in import.untold() {
            let _ = writeln!(out, "          found nothing to correct: {}: {}", one.file, one.description);
        }
        let caught_up: Vec<_> = import.caught_up().collect();
        if !caught_up.is_empty() {
            out += "\nthe document says so by now; remove the correction\n";
            for one in caught_up {
                let _ =
                    writeln!(out, "          {}: {}\n            {}", one.file, one.description, one.target);
            }
        }
        let (places, absent) = self.explained();
        if !import.explained.is_empty() {
            out += "\nexplained by evidence in spec/\n";
            let total: usize = places.values().sum();
            let _ = writeln!(out, "{total:>8}  places of {} operations", places.len());
            if !absent.is_empty() {
                let _ = writeln!(
                    out,
                    "{:>8}  operations that the document does not have: {}",
                    absent.len(),
                    absent.join(", ")
                );
            }
        }
        if let Some(error) = &import.unmatched {
            let _ = writeln!(out, "\nTO BE MENDED: {error}");
        }
        if !import.moved.is_empty() {
            out += "\nCHANGED where spec/ knows better; look whether it still does, then --accept\n";
            for one in &import.moved {
                let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing known".to_owned());
                let (was, is) = (word(&one.was), word(&one.is));
                let _ = writeln!(out, "          {}\n            {was} -> {is}", one.name);
            }
        }
        if !import.new.is_empty() {
            let _ = writeln!(
                out,
                "\nlisted in spec/operations.toml and new\n          {}",
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
                out += "          nothing\n";
            }
            for file in &written.files {
                let _ = writeln!(out, "          spec/{file}");
            }
            section(&mut out, "\nleft to people\n", &written.left);
            section(
                &mut out,
                "\nnew, and described by its name alone: write what it means\n",
                &written.undescribed,
            );
        }
        out
    }

    /// For the body of a pull request.
    pub fn markdown(&self) -> String {
        let import = self.import;
        let mut out = format!(
            "# `{}`\n\n{} with {} operations, beside `spec/`. {} corrections of `spec/overlays/` changed {} places.\n",
            self.name,
            import.format,
            import.operations,
            import.corrections.len(),
            self.changed()
        );
        if !import.profile.losses.is_empty() {
            let names: Vec<_> = import.profile.losses.iter().map(|loss| loss.as_str()).collect();
            let _ =
                writeln!(out, "\nThe document has lost {}; that was taken from `spec/`.", names.join(", "));
        }
        let caught_up: Vec<_> = import.caught_up().collect();
        if !caught_up.is_empty() {
            out += "\n## Corrections to remove\n\nThe document says by now what they say.\n\n";
            for one in caught_up {
                let _ = writeln!(out, "- `{}`: {} `{}`", one.file, one.description, one.target);
            }
        }
        if let Some(error) = &import.unmatched {
            let _ = writeln!(
                out,
                "\n## Corrections to mend\n\n```text\n{}\n```",
                error.to_string().replace("```", "'''")
            );
        }
        if !import.moved.is_empty() {
            out += "\n## Changed where `spec/` knows better\n\nLook whether it still does; `cargo xtask import … \
                    --accept` notes that somebody has.\n\n";
            for one in &import.moved {
                let word = |text: &Option<String>| code(text.as_deref().unwrap_or("nothing known"));
                let _ = writeln!(out, "- {}: {} → {}", code(&one.name), word(&one.was), word(&one.is));
            }
        }
        if !import.new.is_empty() {
            let _ = writeln!(out, "\n## New operations\n");
            import.new.iter().for_each(|id| {
                let _ = writeln!(out, "- `{id}`");
            });
        }
        let _ = writeln!(out, "\n## What differs\n");
        if import.differences.is_empty() {
            out += "Nothing without an explanation.\n";
        } else {
            let _ = writeln!(out, "{}", render::markdown(&self.comparison()).trim_end());
        }
        if let Some(written) = self.written {
            let files: Vec<_> = written.files.iter().map(|file| format!("`spec/{file}`")).collect();
            let files = if files.is_empty() { "nothing".to_owned() } else { files.join(", ") };
            let _ = writeln!(out, "\n## What was written\n\n{files}");
            list(&mut out, "\n## Left to people\n", &written.left);
            list(&mut out, "\n## New, and described by its name alone\n", &written.undescribed);
        }
        out
    }

    /// For machines.
    pub fn json(&self) -> String {
        let import = self.import;
        let correction = |one: &Correction| json!({ "file": one.file, "target": one.target, "description": one.description });
        let quirks: BTreeMap<&str, usize> =
            import.quirks.iter().map(|(quirk, count)| (quirk.as_str(), *count)).collect();
        let restored: BTreeMap<&str, usize> =
            import.restored.iter().map(|(loss, count)| (loss.as_str(), *count)).collect();
        let explained: Vec<Value> =
            import.explained.iter().map(|one| json!({ "operation": one.id, "place": one.place })).collect();
        let diff: Value = serde_json::from_str(&render::json(&self.comparison())).unwrap_or_default();
        let moved = import.moved.iter().map(|one| json!({ "name": one.name, "was": one.was, "is": one.is }));
        let moved: Vec<Value> = moved.collect();
        let written = self.written.map(|one| {
            json!({ "files": one.files, "done": one.done, "left": one.left, "undescribed": one.undescribed })
        });
        let all = json!({
            "document": self.name,
            "format": import.format,
            "operations": import.operations,
            "quirks": quirks,
            "lossy": {
                "profile": import.profile.name,
                "restored": restored,
                "untold": import.untold().map(correction).collect::<Vec<_>>(),
            },
            "corrections": { "actions": import.corrections.len(), "places": self.changed() },
            "caughtUp": import.caught_up().map(correction).collect::<Vec<_>>(),
            "explained": explained,
            "unmatched": import.unmatched.as_ref().map(ToString::to_string),
            "moved": moved,
            "new": import.new,
            "diff": diff,
            "written": written,
        });
        format!("{all:#}\n")
    }
}

/// Text of a document as code, so that nothing in it is markup, a mention or an image.
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
