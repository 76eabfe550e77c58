//! `generated/` matches `spec/`, and `files::check` detects differences.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/curated.rs"]
mod curated;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sentinelone_codegen::files::{self, Changes, Files};
use sentinelone_codegen::{Error, generate};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn generated_matches_spec() {
    let files = generate(&root().join("spec")).unwrap_or_else(|error| panic!("{error}"));
    assert!(files.contains_key("openapi.json") && files.contains_key("src/lib.rs"));
    if let Err(error) = files::check(&root().join("generated"), &files) {
        panic!("{error}");
    }
}

#[test]
fn generate_is_deterministic() {
    let first = generate(&curated::spec()).unwrap();
    assert!(first == generate(&curated::spec()).unwrap());
}

fn some_files() -> Files {
    let lines: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    Files::from([
        ("Cargo.toml".into(), "[package]\nname = \"x\"\n".into()),
        ("src/lib.rs".into(), lines),
        ("src/runtime/mod.rs".into(), "mod a;\n".into()),
    ])
}

/// Writes the files to a temporary directory.
fn written_files() -> (tempfile::TempDir, PathBuf, Files) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("generated");
    let files = some_files();
    let changes = files::write(&dir, &files).unwrap();
    assert_eq!(changes.written, files.keys().cloned().collect::<Vec<_>>());
    assert!(changes.removed.is_empty());
    (home, dir, files)
}

#[track_caller]
fn drift(dir: &Path, files: &Files) -> String {
    match files::check(dir, files) {
        Err(Error::Drift(diff)) => diff,
        other => panic!("no drift: {other:?}"),
    }
}

#[test]
fn check_after_write_passes() {
    let (_home, dir, files) = written_files();
    files::check(&dir, &files).unwrap();
}

#[test]
fn check_missing_directory_is_drift() {
    let home = tempfile::tempdir().unwrap();
    let diff = drift(&home.path().join("generated"), &some_files());
    for name in some_files().keys() {
        assert!(diff.contains(&format!("+++ b/generated/{name}\n")), "{diff}");
    }
    files::check(&home.path().join("generated"), &Files::new()).unwrap();
}

#[test]
fn check_one_changed_byte_is_drift() {
    let (_home, dir, files) = written_files();
    let path = dir.join("src/lib.rs");
    let modified = files["src/lib.rs"].replace("line 20\n", "line 2O\n");
    fs::write(&path, modified).unwrap();
    let diff = drift(&dir, &files);
    let expected = "\
--- a/generated/src/lib.rs
+++ b/generated/src/lib.rs
@@ -17,7 +17,7 @@
 line 17
 line 18
 line 19
-line 2O
+line 20
 line 21
 line 22
 line 23
";
    assert_eq!(diff, expected, "diff from the existing to the expected file");
    let text = files::check(&dir, &files).unwrap_err().to_string();
    assert!(text.contains("run `cargo xtask generate` and commit the result"), "{text}");
}

#[test]
fn check_changed_file_ending_is_drift() {
    for ending in ["", "\n", "\r\n"] {
        let (_home, dir, files) = written_files();
        let text = files["Cargo.toml"].trim_end().to_owned();
        let modified = if ending == "\n" { format!("{text}\n\n") } else { format!("{text}{ending}") };
        fs::write(dir.join("Cargo.toml"), modified).unwrap();
        assert!(drift(&dir, &files).contains("--- a/generated/Cargo.toml\n"), "{ending:?}");
    }
}

#[test]
fn check_extra_file_is_drift() {
    let (_home, dir, files) = written_files();
    fs::create_dir(dir.join("src/old")).unwrap();
    fs::write(dir.join("src/old/gone.rs"), "struct Gone;\n").unwrap();
    let diff = drift(&dir, &files);
    assert!(diff.contains("--- a/generated/src/old/gone.rs\n") && diff.contains("-struct Gone;\n"), "{diff}");
}

#[test]
fn check_extra_empty_file_is_drift() {
    let (_home, dir, files) = written_files();
    fs::write(dir.join("src/gone.rs"), "").unwrap();
    assert!(drift(&dir, &files).contains("generated/src/gone.rs"));
}

#[test]
fn check_missing_file_is_drift() {
    let (_home, dir, files) = written_files();
    fs::remove_file(dir.join("src/runtime/mod.rs")).unwrap();
    let diff = drift(&dir, &files);
    assert!(diff.contains("+++ b/generated/src/runtime/mod.rs\n") && diff.contains("+mod a;\n"), "{diff}");
    assert!(!diff.contains("lib.rs"), "{diff}");
}

#[test]
fn check_ignores_target_directory() {
    let (_home, dir, files) = written_files();
    fs::create_dir_all(dir.join("target/debug")).unwrap();
    fs::write(dir.join("target/debug/x"), [0xff, 0xfe]).unwrap();
    files::check(&dir, &files).unwrap();
    assert_eq!(files::write(&dir, &files).unwrap(), Changes::default());
    assert!(dir.join("target/debug/x").exists());
    fs::create_dir_all(dir.join("src/target")).unwrap();
    fs::write(dir.join("src/target/x.rs"), "x\n").unwrap();
    assert!(
        drift(&dir, &files).contains("src/target/x.rs"),
        "only the top-level target directory is ignored"
    );
}

#[test]
fn check_invalid_utf8_is_drift() {
    let (_home, dir, files) = written_files();
    fs::write(dir.join("src/lib.rs"), [0xff, 0x00, 0xfe]).unwrap();
    assert!(drift(&dir, &files).contains("--- a/generated/src/lib.rs\n"));
    assert_eq!(files::write(&dir, &files).unwrap().written, ["src/lib.rs"]);
}

#[test]
fn write_restores_changed_missing_and_extra_files() {
    let (_home, dir, files) = written_files();
    fs::write(dir.join("Cargo.toml"), "modified").unwrap();
    fs::remove_file(dir.join("src/runtime/mod.rs")).unwrap();
    fs::write(dir.join("src/gone.rs"), "").unwrap();
    let changes = files::write(&dir, &files).unwrap();
    assert_eq!(changes.written, ["Cargo.toml", "src/runtime/mod.rs"]);
    assert_eq!(changes.removed, ["src/gone.rs"]);
    files::check(&dir, &files).unwrap();
    for (name, text) in &files {
        assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), *text);
    }
    assert!(!dir.join("src/gone.rs").exists());
}

#[test]
fn write_keeps_unchanged_files() {
    let (_home, dir, files) = written_files();
    let old_time = SystemTime::now() - Duration::from_secs(3600);
    for name in files.keys() {
        let file = fs::File::options().write(true).open(dir.join(name)).unwrap();
        file.set_modified(old_time).unwrap();
    }
    fs::write(dir.join("src/runtime/mod.rs"), "modified").unwrap();
    assert_eq!(files::write(&dir, &files).unwrap().written, ["src/runtime/mod.rs"]);
    assert_eq!(files::write(&dir, &files).unwrap(), Changes::default());
    for name in ["Cargo.toml", "src/lib.rs"] {
        let age = fs::metadata(dir.join(name)).unwrap().modified().unwrap().elapsed().unwrap();
        assert!(age > Duration::from_secs(3000), "{name} was rewritten");
    }
}
