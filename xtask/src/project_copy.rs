//! A copy of the project, which a test changes and compiles.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{curated, generation};

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
///
/// The packages of the copy have a version of their own. Both projects have one build directory, in which cargo would
/// otherwise take the artifacts of the copy for those of the project.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let sources = files(from);
    for path in files(to).difference(&sources) {
        std::fs::remove_file(to.join(path)).unwrap();
    }
    for path in &sources {
        let content = std::fs::read(from.join(path)).unwrap();
        let content = match path.to_str() {
            Some("Cargo.toml") => with_own_version(&String::from_utf8(content).unwrap()).into_bytes(),
            _ => content,
        };
        write_if_changed(&to.join(path), &content);
    }
}

/// Copies the project with the curated operations only, and generates what follows from them. All operations would take
/// minutes to generate and to compile.
pub(crate) fn copy_curated(from: &Path, to: &Path) {
    copy(from, to);
    std::fs::remove_dir_all(to.join("spec")).unwrap();
    copy(&curated::spec(), &to.join("spec"));
    copy(&from.join("spec/graphql"), &to.join("spec/graphql"));
    write_if_changed(&to.join("tests/client/documented.rs"), b"//! The copy has no documented operations.\n");
    generation::write(to).unwrap();
    generation::write_fixtures(to).unwrap();
}

/// Returns the manifest of the workspace with another version of its packages.
fn with_own_version(manifest: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    replaced(manifest, &format!("\nversion = \"{version}\"\n"), &format!("\nversion = \"{version}+copy\"\n"))
}

pub(crate) fn write_if_changed(path: &Path, content: &[u8]) {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Returns the content of all files below a directory.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let content = std::fs::read(dir.join(&path)).unwrap();
        (path, content)
    };
    files(dir).into_iter().map(read).collect()
}

/// Returns the files that were changed, added or removed.
pub(crate) fn changed(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) -> BTreeSet<String> {
    let paths = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    paths.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
}

/// Replaces a text that occurs once.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// Returns the target directory of this build.
pub(crate) fn target() -> PathBuf {
    // target/debug/deps/xtask-0123456789abcdef
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().to_owned()
}

/// Returns a call of cargo in the copy, whose own artifacts are in `own_target`.
pub(crate) fn cargo(project: &Path, own_target: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(project).env("CARGO_TARGET_DIR", own_target).env("INSTA_UPDATE", "no");
    // The dependencies are those of this build; cargo before 1.91 builds them again.
    command.env("CARGO_BUILD_BUILD_DIR", target());
    for name in ["S1_API_TOKEN", "S1_CONSOLE_URL", "S1_TEST_ADD_OPERATION", "S1_TEST_IMPORT", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}
