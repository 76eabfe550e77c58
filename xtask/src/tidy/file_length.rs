//! Rule about long files, with exceptions in `xtask/tidy.toml`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::report::Report;
use super::tree::{File, Tree};

/// Maximum number of lines of a file.
pub(super) const MAX_LINES: usize = 700;

/// Maximum number of lines of a test file.
pub(super) const MAX_TEST_LINES: usize = 1100;

pub(super) const REQUIREMENT: &str = "a handwritten file has at most 700 lines, a test file at most 1100, \
                                      unless xtask/tidy.toml has a reason; that file has no unused entry";

/// File with the exceptions.
const EXCEPTIONS: &str = "xtask/tidy.toml";

/// Extensions of handwritten files. Data, snapshots and recordings have no limit.
const HANDWRITTEN: [&str; 6] = [".rs", ".md", ".js", ".css", ".sh", ".toml"];

pub(super) fn file_length(tree: &Tree, report: &mut Report) {
    let exceptions = tree.file(EXCEPTIONS);
    let parsed = exceptions.map(|file| DeTable::parse(&file.text));
    let long = match &parsed {
        None => None,
        Some(Ok(table)) => table.get_ref().get("long").and_then(|long| long.get_ref().as_table()),
        Some(Err(error)) => return report.add(EXCEPTIONS, 1, error.message(), "write a table `[long]`"),
    };
    let mut unused: BTreeMap<&str, (usize, &DeValue<'_>)> = BTreeMap::new();
    for (path, reason) in long.into_iter().flatten() {
        let line = exceptions.map_or(1, |file| file.line(path.span().start));
        unused.insert(path.get_ref(), (line, reason.get_ref()));
    }
    let is_handwritten = |(path, file): &(&str, &File)| {
        let is_generated = path.starts_with("generated/") || file.is_generated();
        // The list of operations has a line for each one.
        let is_list = *path == "spec/operations.toml";
        HANDWRITTEN.iter().any(|extension| path.ends_with(extension)) && !is_generated && !is_list
    };
    for (path, file) in tree.files().filter(is_handwritten) {
        let lines = file.text.lines().count();
        let max = if is_test(path) { MAX_TEST_LINES } else { MAX_LINES };
        if lines <= max {
            continue;
        }
        match unused.remove(path).map(|(_, reason)| reason.as_str().unwrap_or_default().trim()) {
            Some(reason) if !reason.is_empty() => {}
            _ => {
                let remedy = "split the file, or add a reason to xtask/tidy.toml";
                report.add(path, max + 1, format!("{lines} lines, the maximum is {max}"), remedy);
            }
        }
    }
    for (path, (line, _)) in unused {
        let state = if tree.file(path).is_some() { "is within the limit" } else { "does not exist" };
        report.add(EXCEPTIONS, line, format!("{path} {state}"), "delete the line");
    }
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}
