//! Rules about every Rust source.

use super::Report;
use super::tree::Tree;

/// The first words of what is written by program.
const GENERATED: &str = "// @generated ";

/// Where the library's own sources are, and those of its binaries, which may print.
const LIBRARY: &str = "src";
const BINARIES: &str = "src/bin/";

/// Macros that print, and what ends the process.
const PRINTS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
const ENDS: [&str; 2] = ["exit", "abort"];

/// Macros that stand for what is missing. No texts are looked at, so that these lists do not find themselves.
const MISSING: [&str; 2] = ["todo", "unimplemented"];
const NOTES: [&str; 3] = ["TODO", "FIXME", "XXX"];

pub(super) fn module_docs(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending(".rs") {
        let generated = path.starts_with("generated/");
        let mut lines = file.text.lines().enumerate().peekable();
        if generated {
            let marked = lines.next().is_some_and(|(_, line)| line.starts_with(GENERATED));
            if !marked {
                let remedy =
                    "run `cargo xtask generate`, which writes that line; nothing here is written by hand";
                report.add(path, 1, format!("does not begin with `{}`", GENERATED.trim_end()), remedy);
                continue;
            }
            while lines.next_if(|(_, line)| line.is_empty() || line.starts_with(GENERATED)).is_some() {}
        }
        let (number, first) = lines.next().unwrap_or_default();
        let says = first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty());
        if !says && !first.starts_with("#![doc") {
            let remedy = "say in a line `//! …` at its top what it is for";
            report.add(path, number + 1, "does not begin with the module's documentation", remedy);
        }
    }
}

pub(super) fn quiet(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.below(LIBRARY).filter(|(path, _)| path.ends_with(".rs")) {
        if path.starts_with(BINARIES) {
            continue;
        }
        let Some(rust) = file.rust([&PRINTS[..], &["process"]].concat()) else { continue };
        for (name, line) in &rust.macros {
            if PRINTS.contains(&name.as_str()) {
                let remedy = "return it, or make it an event of `tracing`";
                report.add(path, *line, format!("{name}! in the library"), remedy);
            }
        }
        for named in &rust.paths {
            if let [.., process, end] = named.segments.as_slice()
                && process == "process"
                && ENDS.contains(&end.as_str())
            {
                let remedy = "return an error, and let the caller end what is theirs";
                report.add(path, named.line, format!("process::{end} in the library"), remedy);
            }
        }
    }
}

/// Whether a line of documentation begins an example that nobody compiles.
fn opens_ignored(line: &str) -> bool {
    let line = line.trim_start();
    let words = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
    let fence = words.and_then(|words| words.trim_start().strip_prefix("```"));
    fence.is_some_and(|about| about.split(',').any(|word| word.starts_with("ignore")))
}

pub(super) fn unfinished(tree: &Tree, report: &mut Report) {
    let words = [&MISSING[..], &["ignore"]].concat();
    for (path, file) in tree.ending(".rs") {
        let noted = NOTES.iter().any(|note| file.text.contains(note)) || file.text.lines().any(opens_ignored);
        let rust = if noted { file.tokens() } else { file.rust(words.iter().copied()) };
        let Some(rust) = rust else { continue };
        for (number, line) in rust.without_texts(&file.text).lines().enumerate() {
            for word in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
                if NOTES.contains(&word) {
                    let remedy = "do it, or make an issue of it";
                    report.add(path, number + 1, format!("{word} in a source"), remedy);
                }
            }
            if opens_ignored(line) {
                let remedy = "make it one that compiles; `no_run` does not run it, `text` is no example";
                report.add(path, number + 1, "an example that is ignored", remedy);
            }
        }
        for (name, line) in &rust.macros {
            if MISSING.contains(&name.as_str()) {
                report.add(
                    path,
                    *line,
                    format!("{name}! in a source"),
                    "write it, or leave out what needs it",
                );
            }
        }
        for (idents, line) in &rust.attributes {
            let conditional = idents.first().is_some_and(|first| first == "cfg_attr");
            if idents.iter().take(if conditional { usize::MAX } else { 1 }).any(|ident| ident == "ignore") {
                let remedy = "make it one that runs, or delete it";
                report.add(path, *line, "a test that is ignored", remedy);
            }
        }
    }
}
