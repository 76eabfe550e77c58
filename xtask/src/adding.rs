//! Adds an operation to a copy of the project, as CONTRIBUTING.md says, and runs the tests there.
//!
//! By default those that are about every operation: the copy builds its dependencies anew, and what does not look at
//! operations proves nothing more. With `S1_ADDING=all` all of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{check, check_fixtures, import, root, tidy, write, write_fixtures};

/// The tests of the client that are about every operation.
const TESTS: [&str; 9] =
    ["contract", "damage", "laws", "laws_of_all", "resources", "sandbox", "probe", "house", "mutations"];

/// What is no part of the project's sources.
const APART: [&str; 3] = ["target", ".git", "Cargo.lock.orig"];

/// All files below a folder, as paths from there.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(below) = todo.pop() {
        for entry in std::fs::read_dir(folder.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if APART.iter().any(|name| *name == entry.file_name()) {
                continue;
            }
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => todo.push(path),
                kind if kind.is_file() => drop(found.insert(path)),
                _ => {}
            }
        }
    }
    found
}

/// Makes the copy hold the files of the project and no others. What is the same stays untouched, so that cargo does
/// not build it again.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let wanted = files(from);
    for path in files(to).difference(&wanted) {
        std::fs::remove_file(to.join(path)).unwrap();
    }
    for path in &wanted {
        put(&to.join(path), &std::fs::read(from.join(path)).unwrap());
    }
}

fn put(path: &Path, content: &[u8]) {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// The content of all files below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let content = std::fs::read(folder.join(&path)).unwrap();
        (path, content)
    };
    files(folder).into_iter().map(read).collect()
}

/// Files that differ, or are there only before or after.
fn changed(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) -> BTreeSet<String> {
    let all = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    all.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

#[test]
fn an_operation_is_added_in_three_files() {
    // target/debug/deps/xtask-0123456789abcdef
    let program = std::env::current_exe().unwrap();
    let place = program.ancestors().nth(3).unwrap().join("adding");
    let there = place.join("project");
    copy(root(), &there);
    let before = contents(&there);

    // 1. A line, and the vendor's document.
    let list = there.join("spec/operations.toml");
    let text = std::fs::read_to_string(&list).unwrap();
    let line = "\ntags_list = { method = \"GET\", path = \"/tags\", file = \"tags.yaml\" }\n";
    put(&list, format!("{text}{line}").as_bytes());
    let own = root().join("xtask/src/adding/tags.yaml");
    let document = std::env::var_os("S1_VENDOR_DOCUMENT").map_or(own, PathBuf::from);
    let report = place.join("report.txt");
    let arguments =
        [document.to_str().unwrap(), "--write", "--date", "2024-03", "--out", report.to_str().unwrap()];
    let done = import::run(&there, &arguments);
    let report = std::fs::read_to_string(report).unwrap_or_default();
    assert_eq!(format!("{done:?}"), format!("{:?}", ExitCode::SUCCESS), "{report}");
    assert!(report.contains("spec/tags.yaml"), "{report}");
    // 2. A method. 3. Its module, and how one comes to it.
    put(&there.join("src/resources/tags.rs"), include_bytes!("adding/tags.rs.txt"));
    let resources = there.join("src/resources/mod.rs");
    let text = std::fs::read_to_string(&resources).unwrap();
    let text = replaced(&text, "pub mod system;\n", "pub mod system;\npub mod tags;\n");
    let text = replaced(&text, "star_rules, system, threats", "star_rules, system, tags, threats");
    let method =
        "    /// Tags.\n    pub fn tags(&self) -> tags::Tags<'_> {\n        tags::Tags::new(self)\n    }\n\n";
    let text = replaced(&text, "    /// Threats:", &format!("{method}    /// Threats:"));
    put(&resources, text.as_bytes());
    let by_hand = ["spec/operations.toml", "src/resources/tags.rs", "src/resources/mod.rs"];

    write(&there).unwrap();
    write_fixtures(&there).unwrap();
    check(&there).unwrap();
    check_fixtures(&there).unwrap();
    for path in changed(&before, &contents(&there)) {
        let written =
            ["spec/", "generated/", "fixtures/tags_list/"].iter().any(|folder| path.starts_with(folder));
        assert!(by_hand.contains(&path.as_str()) || written, "{path} was changed too");
    }

    assert_eq!(tidy::violations(&there).unwrap(), [], "what is added keeps the rules of the house");

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = Command::new(cargo);
    tests.current_dir(&there).env("CARGO_TARGET_DIR", place.join("target")).env("INSTA_UPDATE", "no");
    tests.args(["test", "--offline", "--all-features", "--no-fail-fast"]);
    if std::env::var_os("S1_ADDING").is_some_and(|which| which == "all") {
        // This one is not to add again.
        tests.args(["--workspace", "--", "--skip", "an_operation_is_added_in_three_files"]);
    } else {
        tests.args(["--package", "sentinelone", "--lib"]);
        tests.args(TESTS.iter().flat_map(|name| ["--test", name]));
    }
    for name in ["S1_API_TOKEN", "S1_CONSOLE_URL", "RUSTFLAGS"] {
        tests.env_remove(name);
    }
    let output = tests.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let results: Vec<&str> = out.lines().filter(|line| line.starts_with("test result:")).collect();
    assert!(output.status.success(), "{out}\n{err}");
    assert!(results.len() > TESTS.len(), "{results:#?}");
}
