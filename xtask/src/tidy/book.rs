//! Rules for the documentation: its table of contents, and the commands that it shows.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use super::report::Report;
use super::tree::Tree;

/// The table of contents of the book.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Pages that are not chapters: the front page of rustdoc, and the table of contents itself.
const NO_CHAPTERS: [&str; 2] = ["docs/rustdoc.md", SUMMARY];

/// Languages of scripts, which no test runs.
const SHELLS: [&str; 6] = ["sh", "bash", "shell", "zsh", "shell-session", "powershell"];

/// Start of the comment before a block that no test runs.
const NOT_RUN: &str = "<!-- not run: ";

pub(super) fn summary(tree: &Tree, report: &mut Report) {
    let Some(summary) = tree.file(SUMMARY) else {
        report.add(SUMMARY, 1, "the table of contents is missing", "list all pages below docs/");
        return;
    };
    for (path, _) in tree.below("docs").filter(|(path, _)| path.ends_with(".md")) {
        let chapter = path.strip_prefix("docs/").unwrap_or(path);
        if !NO_CHAPTERS.contains(&path) && !summary.text.contains(&format!("]({chapter})")) {
            report.add(
                path,
                1,
                format!("the page is missing in {SUMMARY}"),
                format!("add a link to {chapter}"),
            );
        }
    }
}

pub(super) fn console_blocks(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending(".md") {
        for (event, range) in Parser::new(&file.text).into_offset_iter() {
            let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) = event else { continue };
            let line = file.line(range.start);
            let language = info.split(',').next().unwrap_or_default();
            let (before, block) = file.text.split_at_checked(range.start).unwrap_or_default();
            let is_tested = path == "README.md" || path.starts_with("docs/");
            // `cli/tests/docs.rs` ignores indented blocks.
            let at_line_start = before.is_empty() || before.ends_with('\n');
            let runs = is_tested && at_line_start && block.starts_with("```") && !info.contains("ignore");
            if language == "console" && runs || language != "console" && !SHELLS.contains(&language) {
                continue;
            }
            let reason = before.lines().next_back().and_then(|line| line.trim().strip_prefix(NOT_RUN));
            let has_reason = reason
                .and_then(|reason| reason.strip_suffix("-->"))
                .is_some_and(|reason| !reason.trim().is_empty());
            if !has_reason {
                let remedy = format!("write `{NOT_RUN}REASON -->` on the line before it");
                report.add(path, line, "a block with commands that no test runs has no reason", remedy);
            }
        }
    }
}
