//! What would be published.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

/// What users read beside the README.
const PAGES: [&str; 7] = [
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/ci.md",
    "docs/differences.md",
    "docs/incidents.md",
    "docs/reliability.md",
    "docs/terminal.md",
];

fn list(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--offline", "--allow-dirty", "--quiet", "-p", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace('\\', "/")).collect()
}

/// What a user needs, and nothing of what the project is made with.
#[test]
fn packages_hold_what_belongs_in_them() {
    let of_cargo = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"];
    for (package, needed, further) in [
        (
            "sentinelone",
            &["src/lib.rs", "src/bin/s1/main.rs", "src/sandbox/tenant.json", "docs/crate.md"][..],
            &["README.md", "LICENSE-APACHE", "LICENSE-MIT"][..],
        ),
        ("sentinelone-raw", &["src/lib.rs", "openapi.json"], &["LICENSE-APACHE", "LICENSE-MIT"]),
    ] {
        let files = list(package);
        for name in needed.iter().chain(further).chain(&of_cargo[..2]) {
            assert!(files.iter().any(|file| file == name), "{package} lacks {name}");
        }
        for file in &files {
            let source = file.starts_with("src/") && (file.ends_with(".rs") || file.ends_with("tenant.json"));
            let pages = if package == "sentinelone" { &PAGES[..] } else { &[] };
            let known = needed.iter().chain(further).chain(pages).chain(&of_cargo).any(|name| file == name);
            assert!(source || known, "{package} holds {file}");
        }
    }
}

/// The pages for users are in the package, and the README leads to each.
#[test]
fn the_pages_for_users_are_in_the_package() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let packed = list("sentinelone");
    for page in PAGES {
        assert!(readme.contains(&format!("]({page})")), "the README does not lead to {page}");
        assert!(!root.join(page).exists() || packed.iter().any(|file| file == page), "{page} is not packed");
    }
}

/// What builds the client stays at home.
#[test]
fn what_is_not_published_says_so() {
    for manifest in
        ["bench/Cargo.toml", "codegen/Cargo.toml", "xtask/Cargo.toml", "examples/downstream/Cargo.toml"]
    {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest);
        assert!(std::fs::read_to_string(path).unwrap().contains("\npublish = false\n"), "{manifest}");
    }
}
