//! Rules of the house that neither the compiler nor `cargo xtask tidy` checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.to_string_lossy().ends_with(ending) {
            into.push(path);
        }
    }
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap()).collect()
}

/// The stated Rust version is the highest that any locked dependency demands.
#[test]
fn the_stated_rust_version_is_true() {
    // Only what this machine builds is there without the network.
    let host = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    let metadata = cargo(&arguments);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let stated = version(env!("CARGO_PKG_RUST_VERSION"));
    let packages = metadata["packages"].as_array().unwrap();
    let highest = packages
        .iter()
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| {
            let demanded = version(package["rust_version"].as_str()?);
            Some((demanded, package["name"].to_string()))
        })
        .max()
        .unwrap();
    let major_and_minor = |version: &[u32]| version[..2].to_vec();
    assert_eq!(major_and_minor(&highest.0), major_and_minor(&stated), "{highest:?} demands it");
}

/// The default build of the library has rustls and nothing that only the command line, the sandbox or the
/// contract check need.
#[test]
fn the_default_build_is_lean() {
    let tree =
        cargo(&["tree", "-p", "sentinelone", "-e", "normal", "--prefix", "none", "--locked", "--offline"]);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"rustls") && names.contains(&"sentinelone-raw"));
    let heavy = [
        "anstream",
        "chrono",
        "clap",
        "clap_complete",
        "clap_mangen",
        "comfy-table",
        "etcetera",
        "indicatif",
        "jsonschema",
        "keyring",
        "native-tls",
        "openssl",
        "progenitor-client",
        "progenitor-impl",
        "regress",
        "rpassword",
        "schemars",
        "strsim",
        "time",
        "toml_edit",
        "typify-impl",
        "zip",
    ];
    for name in heavy {
        assert!(!names.contains(&name), "{name} is in the default build");
    }
}

/// The README's commands are the ones that CI runs.
#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let command = "cargo test --workspace --all-features";
    assert!(readme.contains(command) && ci.contains(command));
}

/// The tests that a table of `docs/` names in its last column are where they are said to be; gives the other
/// cells of each row, and how many tests there were.
fn rows_with_tests(document: &str) -> (Vec<Vec<String>>, usize) {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let (mut rows, mut named) = (Vec::new(), 0);
    let mut in_tests = false;
    for row in text.lines() {
        if !row.starts_with("| ") {
            in_tests = false;
            continue;
        }
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let last = *cells.last().unwrap();
        if last == "test" || row.starts_with("| ---") {
            in_tests |= last == "test";
            continue;
        }
        if !in_tests {
            continue;
        }
        rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
        if last.starts_with("none: ") {
            continue;
        }
        for test in last.split('`').filter(|part| part.contains(": ")) {
            let (file, name) = test.split_once(": ").unwrap();
            let source =
                std::fs::read_to_string(root().join(file)).unwrap_or_else(|_| panic!("{file}: {row}"));
            assert!(source.contains(&format!("fn {name}(")), "{file} has no {name}: {row}");
            named += 1;
        }
        assert!(last.contains(": "), "no test is named: {row}");
    }
    (rows, named)
}

/// The differences from the published integration: each of its 32 surprises is there, and every test that is named
/// exists where it is said to be.
#[test]
fn every_difference_names_a_test_that_exists() {
    let (rows, named) = rows_with_tests("docs/differences.md");
    let numbers: std::collections::BTreeSet<u32> =
        rows.iter().filter_map(|cells| cells[0].parse().ok()).collect();
    assert_eq!(numbers, (1..=32).collect(), "a surprise is missing");
    assert!(named > 150, "{named}");
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let (rows, named) = rows_with_tests("docs/reliability.md");
    assert!(rows.len() >= 30 && named >= 45, "{} promises, {named} tests", rows.len());
}

/// What is said of fetching and mirroring beside the published integration.
#[test]
fn every_point_of_incidents_names_a_test_that_exists() {
    let (rows, named) = rows_with_tests("docs/incidents.md");
    assert!(rows.len() >= 35 && named >= 45, "{} points, {named} tests", rows.len());
    assert!(rows.iter().all(|cells| cells.len() == 4), "a row has another number of cells");
}

/// What ARCHITECTURE.md says to be always so.
#[test]
fn every_invariant_names_a_test_that_exists() {
    let (rows, named) = rows_with_tests("ARCHITECTURE.md");
    assert!(rows.len() >= 20 && named >= 30, "{} invariants, {named} tests", rows.len());
    assert!(rows.iter().all(|cells| cells.len() == 2 && cells[0].starts_with("**")), "{rows:#?}");
}

/// The sources of a folder or a file below `src/`, with their names from there.
fn sources_below(place: &str) -> Vec<(String, String)> {
    let (base, mut paths) = (root().join("src"), Vec::new());
    match base.join(place) {
        path if path.is_file() => paths.push(path),
        path => files(&path, ".rs", &mut paths),
    }
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&base).unwrap().to_string_lossy().replace('\\', "/");
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

/// What sends, and what has to name its errors and its bodies.
#[test]
fn only_the_bottom_knows_the_network() {
    for (name, text) in sources_below("") {
        let allowed = name.starts_with("transport/") || ["error.rs", "files.rs"].contains(&name.as_str());
        assert!(allowed || !text.contains("reqwest"), "{name} knows reqwest");
    }
}

/// What an operation does to the tenant is in the specification.
#[test]
fn the_sandbox_names_no_operation() {
    let document = std::fs::read_to_string(root().join("generated/openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.values().filter_map(|item| item.as_object()).flat_map(|item| item.values());
    let ids: Vec<&str> = methods.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert!(ids.len() >= 70, "{}", ids.len());
    for (name, text) in sources_below("sandbox") {
        for id in &ids {
            assert!(!text.contains(&format!("\"{id}\"")), "{name} names {id}");
        }
    }
}

/// The newest section of the changelog is about this version, and all of it is in the form of
/// `cargo xtask release-notes`.
#[test]
fn the_changelog_is_about_this_version() {
    let text = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## [")).collect();
    assert!(sections[0].starts_with(concat!(env!("CARGO_PKG_VERSION"), "]")), "{sections:?}");
    let known = ["Removed", "Changed", "Deprecated", "Added", "Fixed", "Security"];
    for heading in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(known.contains(&heading), "{heading}");
    }
}
