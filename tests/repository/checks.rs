//! Repository checks that need a build or run cargo.

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

fn files(dir: &Path, suffix: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, suffix, found);
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap()).collect()
}

/// `rust-version` is the highest version that a locked dependency requires.
#[test]
fn rust_version_equals_highest_requirement_of_dependencies() {
    // Without the network, only the dependencies of the host platform are available.
    let host = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    let metadata = cargo(&arguments);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let declared = version(env!("CARGO_PKG_RUST_VERSION"));
    let packages = metadata["packages"].as_array().unwrap();
    let highest = packages
        .iter()
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| {
            let required = version(package["rust_version"].as_str()?);
            Some((required, package["name"].to_string()))
        })
        .max()
        .unwrap();
    let major_and_minor = |version: &[u32]| version[..2].to_vec();
    assert_eq!(major_and_minor(&highest.0), major_and_minor(&declared), "required by {highest:?}");
}

/// The default build has rustls, but no dependency that only the command line, the sandbox or the contract needs.
#[test]
fn default_build_has_no_optional_dependencies() {
    let tree =
        cargo(&["tree", "-p", "sentinelone", "-e", "normal", "--prefix", "none", "--locked", "--offline"]);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"rustls") && names.contains(&"sentinelone-raw"));
    let optional = [
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
    for name in optional {
        assert!(!names.contains(&name), "{name} is in the default build");
    }
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let command = "cargo test --workspace --all-features";
    assert!(readme.contains(command) && ci.contains(command));
}

/// Checks that the tests in the last column of the tables of a document exist. Returns the cells of each row and the
/// number of tests.
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
            assert!(source.contains(&format!("fn {name}(")), "{file} has no test {name}: {row}");
            named += 1;
        }
        assert!(last.contains(": "), "no test: {row}");
    }
    (rows, named)
}

/// Each command of the integration has its section. Each row has a reason and existing tests, and the 32 known defects
/// of the integration are among the reasons.
#[test]
fn xsoar_differences_cover_commands_and_name_existing_tests() {
    const PAGE: &str = "docs/reference/xsoar-differences.md";
    let text = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let sections: std::collections::BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    for entry in sentinelone::commands::registry() {
        // The command of the other integration.
        let is_xsoar = entry.info.name != "update-threat-incident";
        assert_eq!(sections.contains(entry.info.name), is_xsoar, "{}", entry.info.name);
    }
    let (rows, _) = rows_with_tests(PAGE);
    assert!(rows.iter().all(|cells| cells.len() == 5 && !cells[3].is_empty()), "a row lacks a cell");
    let numbers: std::collections::BTreeSet<u32> = rows
        .iter()
        .flat_map(|cells| cells[3].split("defect ").skip(1))
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .collect();
    assert_eq!(numbers, (1..=32).collect(), "a defect is missing");
}

#[test]
fn reliability_guarantees_name_existing_tests() {
    let (rows, named) = rows_with_tests("docs/reference/reliability.md");
    assert!(rows.len() >= 30 && named >= 45, "{} guarantees, {named} tests", rows.len());
}

#[test]
fn architecture_invariants_name_existing_tests() {
    let (rows, named) = rows_with_tests("ARCHITECTURE.md");
    assert!(rows.len() >= 20 && named >= 30, "{} invariants, {named} tests", rows.len());
    assert!(rows.iter().all(|cells| cells.len() == 2 && cells[0].starts_with("**")), "{rows:#?}");
}

/// Returns the sources of a directory, with their relative paths.
fn sources_of(directory: &str) -> Vec<(String, String)> {
    let (base, mut paths) = (root().join(directory), Vec::new());
    files(&base, ".rs", &mut paths);
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&base).unwrap().to_string_lossy().replace('\\', "/");
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

/// `error.rs` and `files.rs` use the error and body types of reqwest.
#[test]
fn reqwest_is_used_only_by_transport() {
    for (name, text) in sources_of("src") {
        let allowed = name.starts_with("transport/") || ["error.rs", "files.rs"].contains(&name.as_str());
        assert!(allowed || !text.contains("reqwest"), "{name} uses reqwest");
    }
}

/// The specification defines the effects of an operation on the sandbox.
#[test]
fn sandbox_names_no_operation() {
    let document = std::fs::read_to_string(root().join("generated/openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.values().filter_map(|item| item.as_object()).flat_map(|item| item.values());
    let ids: Vec<&str> = methods.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert!(ids.len() >= 70, "{}", ids.len());
    for (name, text) in sources_of("sandbox/src") {
        for id in &ids {
            assert!(!text.contains(&format!("\"{id}\"")), "{name} names {id}");
        }
    }
}

/// The headings are those of `cargo xtask release-notes`.
#[test]
fn changelog_newest_section_is_the_current_version() {
    let text = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## [")).collect();
    // A copy of the project for a test has build metadata in its version.
    let version = env!("CARGO_PKG_VERSION").split('+').next().unwrap();
    assert!(sections[0].starts_with(&format!("{version}]")), "{sections:?}");
    let allowed = ["Removed", "Changed", "Deprecated", "Added", "Fixed", "Security"];
    for heading in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(allowed.contains(&heading), "{heading}");
    }
}

/// Cargo compiles only the files that a test program declares as modules.
#[test]
fn test_programs_declare_all_of_their_files() {
    let mut programs = Vec::new();
    for dir in ["tests", "cli/tests", "contract/tests", "sandbox/tests"] {
        let before = programs.len();
        files(&root().join(dir), "main.rs", &mut programs);
        assert!(programs.len() > before, "{dir} has no test program");
    }
    for program in programs {
        let text = std::fs::read_to_string(&program).unwrap();
        let mut modules = Vec::new();
        files(program.parent().unwrap(), ".rs", &mut modules);
        for module in modules.iter().filter(|path| **path != program) {
            let name = module.file_stem().unwrap().to_string_lossy();
            assert!(text.contains(&format!("mod {name};")), "{} is not compiled", module.display());
        }
    }
}
