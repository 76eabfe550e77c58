//! Rules about documents, and about what any text says.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::Report;
use super::tree::Tree;

/// Folders at the root of a machine that are somebody's; `/tmp` is everybody's, and on endpoints too.
const SOMEBODYS: [&str; 3] = ["home", "root", "work"];

/// Whose folder stands for that of whoever reads it.
const READERS: &str = "me/";

/// What is written about the project, where a temporary folder is one of a machine, too.
const ABOUT: [&str; 6] = [".md", ".toml", ".yml", ".lock", ".ci/run", ".gitignore"];

/// A document whose links rustdoc checks: they lead to items.
const OF_RUSTDOC: &str = "docs/crate.md";

const DECISIONS: &str = "docs/decisions.md";

pub(super) fn machine_paths(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.files() {
        let about = ABOUT.iter().any(|ending| path.ends_with(ending));
        let temporary = about.then_some("tmp");
        for folder in SOMEBODYS.into_iter().chain(temporary) {
            let needle = format!("/{folder}/");
            for (place, _) in file.text.match_indices(&needle) {
                // Not the middle of another path, or of an address.
                let (before, after) = file.text.split_at(place);
                let before = before.chars().next_back();
                if after.strip_prefix(&needle).is_some_and(|after| after.starts_with(READERS)) {
                    continue;
                }
                if before.is_some_and(|c| c.is_alphanumeric() || "._-~*/}>".contains(c)) {
                    continue;
                }
                let remedy = "write it relative to the project, or as what it is for";
                report.add(path, file.line(place), format!("a path of one machine, {needle}…"), remedy);
            }
        }
    }
}

/// A document's headings and links.
#[derive(Default)]
struct Document {
    headings: Vec<(HeadingLevel, String, Range<usize>)>,
    links: Vec<(String, Range<usize>)>,
}

impl Document {
    fn read(text: &str) -> Self {
        let mut document = Self::default();
        let mut heading = None;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push((dest_url.to_string(), range));
                }
                Event::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new(), range)),
                Event::End(TagEnd::Heading(_)) => document.headings.extend(heading.take()),
                Event::Text(words) | Event::Code(words) => {
                    heading.iter_mut().for_each(|(_, text, _)| text.push_str(&words));
                }
                _ => {}
            }
        }
        document
    }

    /// The anchors of its headings, in the form that forges make of them.
    fn anchors(&self) -> Vec<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let anchor = |(_, text, _): &(HeadingLevel, String, Range<usize>)| {
            let kept = text.to_lowercase().replace(' ', "-");
            let kept: String = kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            let count = seen.entry(kept.clone()).or_default();
            *count += 1;
            if *count == 1 { kept } else { format!("{kept}-{}", *count - 1) }
        };
        self.headings.iter().map(anchor).collect()
    }
}

pub(super) fn links(tree: &Tree, report: &mut Report) {
    let documents: BTreeMap<&str, Document> =
        tree.ending(".md").map(|(path, file)| (path, Document::read(&file.text))).collect();
    for (path, file) in tree.ending(".md").filter(|(path, _)| *path != OF_RUSTDOC) {
        for (link, place) in documents.get(path).into_iter().flat_map(|document| &document.links) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let line = file.line(place.start);
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() { Some(path.to_owned()) } else { joined(path, target) };
            let Some(target) = target.filter(|target| tree.has(target)) else {
                report.add(
                    path,
                    line,
                    format!("a link to {link}, which is not there"),
                    "name a file that is",
                );
                continue;
            };
            let known = documents.get(target.as_str()).map(Document::anchors);
            if !anchor.is_empty() && known.is_some_and(|known| !known.iter().any(|one| one == anchor)) {
                let what = format!("a link to the heading #{anchor}, which {target} has not");
                report.add(path, line, what, "name a heading that is there");
            }
        }
    }
}

/// A path relative to a file, from the root; nothing when it leads out of the project.
fn joined(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

pub(super) fn decisions(tree: &Tree, report: &mut Report) {
    let Some(file) = tree.file(DECISIONS) else { return };
    let mut expected = 1;
    for (level, text, place) in Document::read(&file.text).headings {
        if level != HeadingLevel::H2 {
            continue;
        }
        let number = text.split_once(". ").and_then(|(number, _)| number.parse::<usize>().ok());
        let Some(number) = number else {
            // Before the records a heading may stand without one.
            if expected == 1 {
                continue;
            }
            let what = format!("{text:?} has no number");
            report.add(DECISIONS, file.line(place.start), what, "write it as `## 7. What was decided`");
            continue;
        };
        if number != expected {
            let what = format!("record {number} stands where {expected} would be");
            report.add(DECISIONS, file.line(place.start), what, "number the records from 1, newest last");
        }
        expected = number + 1;
    }
}
