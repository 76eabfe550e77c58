//! `generated/` is what `spec/` gives, and the comparison notices when it is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says where"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sentinelone_codegen::files::{self, Changes, Files};
use sentinelone_codegen::{Error, generate};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn repository_has_no_drift() {
    let files = generate(&root().join("spec")).unwrap_or_else(|error| panic!("{error}"));
    assert!(files.contains_key("openapi.json") && files.contains_key("src/lib.rs"));
    if let Err(error) = files::check(&root().join("generated"), &files) {
        panic!("{error}");
    }
}

#[test]
fn twice_gives_the_same_bytes() {
    let once = generate(&root().join("spec")).unwrap();
    assert!(once == generate(&root().join("spec")).unwrap());
}

fn some_files() -> Files {
    let lines: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    Files::from([
        ("Cargo.toml".into(), "[package]\nname = \"x\"\n".into()),
        ("src/lib.rs".into(), lines),
        ("src/runtime/mod.rs".into(), "mod a;\n".into()),
    ])
}

/// A folder that holds the files.
fn written() -> (tempfile::TempDir, PathBuf, Files) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("generated");
    let files = some_files();
    let changes = files::write(&folder, &files).unwrap();
    assert_eq!(changes.written, files.keys().cloned().collect::<Vec<_>>());
    assert!(changes.removed.is_empty());
    (home, folder, files)
}

#[track_caller]
fn drift(folder: &Path, files: &Files) -> String {
    match files::check(folder, files) {
        Err(Error::Drift(diff)) => diff,
        other => panic!("no drift: {other:?}"),
    }
}

#[test]
fn what_was_written_is_no_drift() {
    let (_home, folder, files) = written();
    files::check(&folder, &files).unwrap();
}

#[test]
fn folder_that_is_not_there_is_drift() {
    let home = tempfile::tempdir().unwrap();
    let diff = drift(&home.path().join("generated"), &some_files());
    for name in some_files().keys() {
        assert!(diff.contains(&format!("+++ b/generated/{name}\n")), "{diff}");
    }
    files::check(&home.path().join("generated"), &Files::new()).unwrap();
}

#[test]
fn one_byte_is_drift() {
    let (_home, folder, files) = written();
    let path = folder.join("src/lib.rs");
    let spoilt = files["src/lib.rs"].replace("line 20\n", "line 2O\n");
    fs::write(&path, spoilt).unwrap();
    let diff = drift(&folder, &files);
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
    assert_eq!(diff, expected, "from what is there to what it should be");
    let text = files::check(&folder, &files).unwrap_err().to_string();
    assert!(text.contains("run `cargo xtask generate` and commit the result"), "{text}");
}

#[test]
fn end_of_the_file_is_drift() {
    for spoil in ["", "\n", "\r\n"] {
        let (_home, folder, files) = written();
        let text = files["Cargo.toml"].trim_end().to_owned();
        let spoilt = if spoil == "\n" { format!("{text}\n\n") } else { format!("{text}{spoil}") };
        fs::write(folder.join("Cargo.toml"), spoilt).unwrap();
        assert!(drift(&folder, &files).contains("--- a/generated/Cargo.toml\n"), "{spoil:?}");
    }
}

#[test]
fn extra_file_is_drift() {
    let (_home, folder, files) = written();
    fs::create_dir(folder.join("src/old")).unwrap();
    fs::write(folder.join("src/old/gone.rs"), "struct Gone;\n").unwrap();
    let diff = drift(&folder, &files);
    assert!(diff.contains("--- a/generated/src/old/gone.rs\n") && diff.contains("-struct Gone;\n"), "{diff}");
}

#[test]
fn extra_file_without_content_is_drift() {
    let (_home, folder, files) = written();
    fs::write(folder.join("src/gone.rs"), "").unwrap();
    assert!(drift(&folder, &files).contains("generated/src/gone.rs"));
}

#[test]
fn missing_file_is_drift() {
    let (_home, folder, files) = written();
    fs::remove_file(folder.join("src/runtime/mod.rs")).unwrap();
    let diff = drift(&folder, &files);
    assert!(diff.contains("+++ b/generated/src/runtime/mod.rs\n") && diff.contains("+mod a;\n"), "{diff}");
    assert!(!diff.contains("lib.rs"), "{diff}");
}

#[test]
fn what_cargo_leaves_is_no_drift() {
    let (_home, folder, files) = written();
    fs::create_dir_all(folder.join("target/debug")).unwrap();
    fs::write(folder.join("target/debug/x"), [0xff, 0xfe]).unwrap();
    files::check(&folder, &files).unwrap();
    assert_eq!(files::write(&folder, &files).unwrap(), Changes::default());
    assert!(folder.join("target/debug/x").exists());
    fs::create_dir_all(folder.join("src/target")).unwrap();
    fs::write(folder.join("src/target/x.rs"), "x\n").unwrap();
    assert!(drift(&folder, &files).contains("src/target/x.rs"), "only the one at the top is cargo's");
}

#[test]
fn bytes_that_are_no_text_are_drift() {
    let (_home, folder, files) = written();
    fs::write(folder.join("src/lib.rs"), [0xff, 0x00, 0xfe]).unwrap();
    assert!(drift(&folder, &files).contains("--- a/generated/src/lib.rs\n"));
    assert_eq!(files::write(&folder, &files).unwrap().written, ["src/lib.rs"]);
}

#[test]
fn writing_repairs_everything() {
    let (_home, folder, files) = written();
    fs::write(folder.join("Cargo.toml"), "spoilt").unwrap();
    fs::remove_file(folder.join("src/runtime/mod.rs")).unwrap();
    fs::write(folder.join("src/gone.rs"), "").unwrap();
    let changes = files::write(&folder, &files).unwrap();
    assert_eq!(changes.written, ["Cargo.toml", "src/runtime/mod.rs"]);
    assert_eq!(changes.removed, ["src/gone.rs"]);
    files::check(&folder, &files).unwrap();
    for (name, text) in &files {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), *text);
    }
    assert!(!folder.join("src/gone.rs").exists());
}

#[test]
fn writing_touches_nothing_that_is_the_same() {
    let (_home, folder, files) = written();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for name in files.keys() {
        let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    fs::write(folder.join("src/runtime/mod.rs"), "spoilt").unwrap();
    assert_eq!(files::write(&folder, &files).unwrap().written, ["src/runtime/mod.rs"]);
    assert_eq!(files::write(&folder, &files).unwrap(), Changes::default());
    for name in ["Cargo.toml", "src/lib.rs"] {
        let age = fs::metadata(folder.join(name)).unwrap().modified().unwrap().elapsed().unwrap();
        assert!(age > Duration::from_secs(3000), "{name} was written again");
    }
}
