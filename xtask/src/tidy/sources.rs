//! Rules about Rust files.

use super::report::Report;
use super::tree::{GENERATED, Tree};

/// Directories of the libraries.
const LIBRARIES: [&str; 3] = ["src", "contract/src", "sandbox/src"];

/// Macros that print.
const PRINT_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// Functions of `std::process` that end the process.
const EXIT_FUNCTIONS: [&str; 2] = ["exit", "abort"];

/// Macros for missing code. String literals are not checked, so these lists do not match.
const TODO_MACROS: [&str; 2] = ["todo", "unimplemented"];

/// Markers of remaining work in comments.
const TODO_NOTES: [&str; 3] = ["TODO", "FIXME", "XXX"];

pub(super) fn module_docs(tree: &Tree, report: &mut Report) {
    for (path, file) in tree.ending(".rs") {
        let generated = path.starts_with("generated/") || file.is_generated();
        let mut lines = file.text.lines().enumerate().peekable();
        if generated {
            let marked = lines.next().is_some_and(|(_, line)| line.starts_with(GENERATED));
            if !marked {
                let remedy = "run `cargo xtask generate`; do not add files by hand";
                report.add(path, 1, format!("does not start with `{}`", GENERATED.trim_end()), remedy);
                continue;
            }
            while lines.next_if(|(_, line)| line.is_empty() || line.starts_with(GENERATED)).is_some() {}
        }
        let (number, first) = lines.next().unwrap_or_default();
        let documented = first.strip_prefix("//!").is_some_and(|comment| !comment.trim().is_empty());
        if !documented && !first.starts_with("#![doc") {
            let remedy = "add a line `//! …` that describes the module";
            report.add(path, number + 1, "does not start with module documentation", remedy);
        }
    }
}

pub(super) fn no_printing(tree: &Tree, report: &mut Report) {
    let sources = LIBRARIES.iter().flat_map(|dir| tree.below(dir)).filter(|(path, _)| path.ends_with(".rs"));
    for (path, file) in sources {
        let Some(rust) = file.rust([&PRINT_MACROS[..], &["process"]].concat()) else { continue };
        for (name, line) in &rust.macros {
            if PRINT_MACROS.contains(&name.as_str()) {
                let remedy = "return the text, or emit a `tracing` event";
                report.add(path, *line, format!("{name}! in the library"), remedy);
            }
        }
        for named in &rust.paths {
            if let [.., process, end] = named.segments.as_slice()
                && process == "process"
                && EXIT_FUNCTIONS.contains(&end.as_str())
            {
                let remedy = "return an error";
                report.add(path, named.line, format!("process::{end} in the library"), remedy);
            }
        }
    }
}

/// Returns whether a line of documentation starts an ignored example.
fn starts_ignored_example(line: &str) -> bool {
    let line = line.trim_start();
    let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
    let attributes = comment.and_then(|comment| comment.trim_start().strip_prefix("```"));
    attributes.is_some_and(|list| list.split(',').any(|attribute| attribute.starts_with("ignore")))
}

pub(super) fn no_todo(tree: &Tree, report: &mut Report) {
    let names = [&TODO_MACROS[..], &["ignore"]].concat();
    for (path, file) in tree.ending(".rs") {
        let in_comment = TODO_NOTES.iter().any(|note| file.text.contains(note))
            || file.text.lines().any(starts_ignored_example);
        let rust = if in_comment { file.tokens() } else { file.rust(names.iter().copied()) };
        let Some(rust) = rust else { continue };
        for (number, line) in rust.without_strings(&file.text).lines().enumerate() {
            for token in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
                if TODO_NOTES.contains(&token) {
                    let remedy = "complete the work, or open an issue";
                    report.add(path, number + 1, format!("{token} in a Rust file"), remedy);
                }
            }
            if starts_ignored_example(line) {
                let remedy = "compile the example with `no_run`, or mark the block as `text`";
                report.add(path, number + 1, "ignored documentation example", remedy);
            }
        }
        for (name, line) in &rust.macros {
            if TODO_MACROS.contains(&name.as_str()) {
                report.add(
                    path,
                    *line,
                    format!("{name}! in a Rust file"),
                    "write the code, or remove its use",
                );
            }
        }
        for (idents, line) in &rust.attributes {
            let conditional = idents.first().is_some_and(|first| first == "cfg_attr");
            if idents.iter().take(if conditional { usize::MAX } else { 1 }).any(|ident| ident == "ignore") {
                report.add(path, *line, "ignored test", "enable the test, or delete it");
            }
        }
    }
}
