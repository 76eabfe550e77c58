//! Rules about documents and local paths.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::report::Report;
use super::tree::Tree;

/// Root directories of a developer machine. `/tmp` is not listed, since it also exists on endpoints.
const LOCAL_DIRS: [&str; 3] = ["home", "root", "work"];

/// Placeholder for the home directory of the reader, which is allowed.
const PLACEHOLDER: &str = "me/";

/// Path endings of documents and configuration, which must not name a temporary directory either.
const PROJECT_FILES: [&str; 6] = [".md", ".toml", ".yml", ".lock", ".ci/run", ".gitignore"];

/// A document with links to items, which rustdoc checks.
const RUSTDOC_PAGE: &str = "docs/rustdoc.md";

/// The directory of the decision records.
const DECISIONS: &str = "docs/adr";

/// Sections of a decision record.
const SECTIONS: [&str; 4] = ["Status", "Context", "Decision", "Consequences"];

pub(super) fn no_local_paths(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.files() {
        let is_project_file = PROJECT_FILES.iter().any(|suffix| path.ends_with(suffix));
        let temporary = is_project_file.then_some("tmp");
        for dir in LOCAL_DIRS.into_iter().chain(temporary) {
            let needle = format!("/{dir}/");
            for (offset, _) in file.text.match_indices(&needle) {
                // Ignores a match in the middle of another path or of a URL.
                let (before, after) = file.text.split_at(offset);
                let before = before.chars().next_back();
                if after.strip_prefix(&needle).is_some_and(|after| after.starts_with(PLACEHOLDER)) {
                    continue;
                }
                if before.is_some_and(|c| c.is_alphanumeric() || "._-~*/}>".contains(c)) {
                    continue;
                }
                let remedy = "use a path relative to the project, or a placeholder";
                report.add(path, file.line(offset), format!("local path {needle}…"), remedy);
            }
        }
    }
}

/// Headings and links of a document.
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
                Event::Text(content) | Event::Code(content) => {
                    heading.iter_mut().for_each(|(_, text, _)| text.push_str(&content));
                }
                _ => {}
            }
        }
        document
    }

    /// Returns the anchors of the headings, in the format of GitHub.
    fn anchors(&self) -> Vec<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let anchor = |(_, text, _): &(HeadingLevel, String, Range<usize>)| {
            let slug = text.to_lowercase().replace(' ', "-");
            let slug: String = slug.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            let count = counts.entry(slug.clone()).or_default();
            *count += 1;
            if *count == 1 { slug } else { format!("{slug}-{}", *count - 1) }
        };
        self.headings.iter().map(anchor).collect()
    }
}

pub(super) fn links(tree: &Tree, report: &mut Report) {
    let documents: BTreeMap<&str, Document> =
        tree.ending(".md").map(|(path, file)| (path, Document::read(&file.text))).collect();
    for (path, file) in tree.ending(".md").filter(|(path, _)| *path != RUSTDOC_PAGE) {
        for (link, range) in documents.get(path).into_iter().flat_map(|document| &document.links) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let line = file.line(range.start);
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() { Some(path.to_owned()) } else { joined(path, target) };
            let Some(target) = target.filter(|target| tree.has(target)) else {
                report.add(
                    path,
                    line,
                    format!("link target {link} does not exist"),
                    "link to an existing file",
                );
                continue;
            };
            let anchors = documents.get(target.as_str()).map(Document::anchors);
            if !anchor.is_empty()
                && anchors.is_some_and(|anchors| !anchors.iter().any(|other| other == anchor))
            {
                let finding = format!("{target} has no heading #{anchor}");
                report.add(path, line, finding, "link to an existing heading");
            }
        }
    }
}

/// Resolves a path relative to a file. Returns `None` if it leads out of the project.
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
    let mut expected = 1;
    for (path, file) in tree.below(DECISIONS).filter(|(path, _)| path.ends_with(".md")) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if name == "README.md" {
            continue;
        }
        let prefix = name.split_once('-').map(|(prefix, _)| prefix).filter(|prefix| prefix.len() == 4);
        let Some(number) = prefix.and_then(|prefix| prefix.parse::<usize>().ok()) else {
            report.add(path, 1, "the file name has no record number", "rename the file to NNNN-title.md");
            continue;
        };
        let headings = Document::read(&file.text).headings;
        let title = headings.first().filter(|(level, ..)| *level == HeadingLevel::H1);
        if !title.is_some_and(|(_, text, _)| text.starts_with(&format!("{number}. "))) {
            report.add(
                path,
                1,
                "the title does not have the number of the file",
                format!("write `# {number}. Title`"),
            );
        }
        for section in SECTIONS {
            if !headings.iter().any(|(level, text, _)| *level == HeadingLevel::H2 && text == section) {
                report.add(
                    path,
                    1,
                    format!("the section {section:?} is missing"),
                    format!("write `## {section}`"),
                );
            }
        }
        if number != expected {
            report.add(
                path,
                1,
                format!("the number is {number}, not {expected}"),
                "number the records without a gap",
            );
        }
        expected = number + 1;
    }
}
