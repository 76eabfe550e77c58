//! Adds an operation to a copy of the project, with the steps of CONTRIBUTING.md, and checks the copy.
//!
//! Compiling the copy takes minutes. It is done if `S1_TEST_ADD_OPERATION` is set: `some` runs the tests that an added
//! operation can fail, `all` runs all tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::{check, check_fixtures, import, root, tidy, write, write_fixtures};

/// Tests that an added operation can fail.
const TESTS: [&str; 4] = ["client", "properties", "repository", "sandbox"];

/// Files and directories that are not copied.
const EXCLUDED: [&str; 3] = ["target", ".git", "Cargo.lock.orig"];

/// Returns all files below a directory, as relative paths.
fn files(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(below) = todo.pop() {
        for entry in std::fs::read_dir(dir.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if EXCLUDED.iter().any(|name| *name == entry.file_name()) {
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

/// Copies all files and removes others from the copy. Equal files are not written, so that cargo does not rebuild them.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let sources = files(from);
    for path in files(to).difference(&sources) {
        std::fs::remove_file(to.join(path)).unwrap();
    }
    for path in &sources {
        write_if_changed(&to.join(path), &std::fs::read(from.join(path)).unwrap());
    }
}

fn write_if_changed(path: &Path, content: &[u8]) {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Returns the content of all files below a directory.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let content = std::fs::read(dir.join(&path)).unwrap();
        (path, content)
    };
    files(dir).into_iter().map(read).collect()
}

/// Returns the files that were changed, added or removed.
fn changed(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) -> BTreeSet<String> {
    let paths = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    paths.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

#[test]
fn added_operation_needs_three_edited_files() {
    // target/debug/deps/xtask-0123456789abcdef
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let work = target.join("add_operation");
    let project = work.join("project");
    copy(root(), &project);
    let before = contents(&project);

    // 1. Add a line and import the vendor document.
    let list = project.join("spec/operations.toml");
    let text = std::fs::read_to_string(&list).unwrap();
    let line = "\ntags_list = { method = \"GET\", path = \"/tags\", file = \"tags.yaml\" }\n";
    write_if_changed(&list, format!("{text}{line}").as_bytes());
    let default = root().join("xtask/src/add_operation/tags.yaml");
    let document = std::env::var_os("S1_VENDOR_DOCUMENT").map_or(default, PathBuf::from);
    let report = work.join("report.txt");
    let exit_code = import::run(&project, &import::Args::for_writing(document, "2024-03", report.clone()));
    let report = std::fs::read_to_string(report).unwrap_or_default();
    assert_eq!(format!("{exit_code:?}"), format!("{:?}", ExitCode::SUCCESS), "{report}");
    assert!(report.contains("spec/tags.yaml"), "{report}");
    // 2. Add the resource module with the method.
    write_if_changed(&project.join("src/resources/tags.rs"), include_bytes!("add_operation/tags.rs.txt"));
    // 3. Declare the module and add the method of the client.
    let resources = project.join("src/resources/mod.rs");
    let text = std::fs::read_to_string(&resources).unwrap();
    let text = replaced(&text, "pub mod system;\n", "pub mod system;\npub mod tags;\n");
    let text = replaced(&text, "star_rules, system, threats", "star_rules, system, tags, threats");
    const THREATS: &str = "    /// Returns the operations on threats,";
    let method = "    /// Returns the operations on tags.\n    pub fn tags(&self) -> tags::Tags {\n        tags::Tags::new(self)\n    }\n\n";
    let text = replaced(&text, THREATS, &format!("{method}{THREATS}"));
    write_if_changed(&resources, text.as_bytes());
    let edited = ["spec/operations.toml", "src/resources/tags.rs", "src/resources/mod.rs"];

    write(&project).unwrap();
    write_fixtures(&project).unwrap();
    check(&project).unwrap();
    check_fixtures(&project).unwrap();
    for path in changed(&before, &contents(&project)) {
        let generated =
            ["spec/", "generated/", "fixtures/tags_list/"].iter().any(|dir| path.starts_with(dir));
        assert!(edited.contains(&path.as_str()) || generated, "unexpected change of {path}");
    }

    assert_eq!(tidy::violations(&project).unwrap(), [], "violations in the copy");

    let Ok(tests) = std::env::var("S1_TEST_ADD_OPERATION") else { return };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(&project).env("CARGO_TARGET_DIR", work.join("target")).env("INSTA_UPDATE", "no");
    // The dependencies are those of this build; cargo before 1.91 builds them again.
    command.env("CARGO_BUILD_BUILD_DIR", target);
    command.args(["test", "--workspace", "--offline", "--all-features", "--no-fail-fast"]);
    if tests != "all" {
        command.args(TESTS.iter().flat_map(|name| ["--test", name]));
    }
    for name in ["S1_API_TOKEN", "S1_CONSOLE_URL", "S1_TEST_ADD_OPERATION", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let results: Vec<&str> = out.lines().filter(|line| line.starts_with("test result:")).collect();
    assert!(output.status.success(), "{out}\n{err}");
    assert!(results.len() >= TESTS.len(), "{results:#?}");
}
