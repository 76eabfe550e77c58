//! The rule about long files, whose exceptions are in `xtask/tidy.toml`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::Report;
use super::tree::Tree;

/// The lines that a file of code or prose may have, and one of tests.
pub(super) const MOST: usize = 700;
pub(super) const MOST_OF_TESTS: usize = 1100;

pub(super) const DEMANDS: &str = "a file that is written by hand has at most 700 lines, one of tests at most 1100, \
                                  or else its reason in xtask/tidy.toml, which has no other files";

/// The files with a reason.
const REASONS: &str = "xtask/tidy.toml";

/// What people write line by line. Data, snapshots and recordings grow with what they are about.
const WRITTEN: [&str; 6] = [".rs", ".md", ".js", ".css", ".sh", ".toml"];

pub(super) fn size(tree: &Tree, report: &mut Report) {
    let reasons = tree.file(REASONS);
    let parsed = reasons.map(|file| DeTable::parse(&file.text));
    let long = match &parsed {
        None => None,
        Some(Ok(table)) => table.get_ref().get("long").and_then(|long| long.get_ref().as_table()),
        Some(Err(error)) => return report.add(REASONS, 1, error.message(), "write a table `[long]`"),
    };
    let mut unused: BTreeMap<&str, (usize, &DeValue<'_>)> = BTreeMap::new();
    for (path, reason) in long.into_iter().flatten() {
        let line = reasons.map_or(1, |file| file.line(path.span().start));
        unused.insert(path.get_ref(), (line, reason.get_ref()));
    }
    let by_hand =
        |path: &str| WRITTEN.iter().any(|ending| path.ends_with(ending)) && !path.starts_with("generated/");
    for (path, file) in tree.files().filter(|(path, _)| by_hand(path)) {
        let lines = file.text.lines().count();
        let most = if is_of_tests(path) { MOST_OF_TESTS } else { MOST };
        if lines <= most {
            continue;
        }
        match unused.remove(path).map(|(_, reason)| reason.as_str().unwrap_or_default().trim()) {
            Some(reason) if !reason.is_empty() => {}
            _ => {
                let remedy = "part it by its subjects, or give the reason why not in xtask/tidy.toml";
                report.add(path, most + 1, format!("{lines} lines, of at most {most}"), remedy);
            }
        }
    }
    for (path, (line, _)) in unused {
        let what = if tree.file(path).is_some() { "is no longer too long" } else { "does not exist" };
        report.add(REASONS, line, format!("{path} {what}"), "delete the line");
    }
}

fn is_of_tests(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}
