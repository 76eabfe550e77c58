//! Content of the published packages.

use std::process::Command;

/// Files for users next to the sources, and directories whose pages are all packed.
const PAGES: [&str; 5] = ["CHANGELOG.md", "README.md", "SECURITY.md", "docs/guide/", "docs/reference/"];

fn list(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--offline", "--allow-dirty", "--quiet", "-p", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace('\\', "/")).collect()
}

/// A package contains sources, pages for users and licenses, without development files.
#[test]
fn packages_contain_only_expected_files() {
    let cargo_files = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"];
    let licenses = ["LICENSE-APACHE", "LICENSE-MIT"];
    for (package, sources) in [
        ("sentinelone", &["src/lib.rs", "docs/rustdoc.md"][..]),
        ("sentinelone-raw", &["src/lib.rs", "openapi.json"]),
        ("sentinelone-contract", &["src/lib.rs", "README.md"]),
        ("sentinelone-sandbox", &["src/lib.rs", "src/tenant.json", "README.md"]),
        ("sentinelone-cli", &["src/main.rs", "README.md"]),
    ] {
        let files = list(package);
        for name in sources.iter().chain(&licenses).chain(&cargo_files[..2]) {
            assert!(files.iter().any(|file| file == name), "{package} lacks {name}");
        }
        for file in &files {
            let source = file.starts_with("src/") && file.ends_with(".rs");
            let is_page = |page: &&str| file == page || page.ends_with('/') && file.starts_with(*page);
            let page = package == "sentinelone" && PAGES.iter().any(is_page);
            let listed = sources.iter().chain(&licenses).chain(&cargo_files).any(|name| file == name);
            assert!(source || page || listed, "{package} contains {file}");
        }
    }
}

/// The package contains each page for users. The README links to the pages, or to the directory of the pages.
#[test]
fn package_contains_the_pages_for_users() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let packed = list("sentinelone");
    for page in PAGES {
        assert!(
            page == "README.md" || readme.contains(&format!("]({page}")),
            "no link to {page} in the README"
        );
        let pages: Vec<String> = match root.join(page) {
            // A packed crate has no pages outside its package.
            path if !path.exists() => continue,
            path if path.is_dir() => files_below(&path, page),
            _ => vec![page.to_owned()],
        };
        for page in pages {
            assert!(packed.contains(&page), "{page} is not packed");
        }
    }
}

/// Development crates are not published.
#[test]
fn development_crates_set_publish_false() {
    for manifest in
        ["bench/Cargo.toml", "codegen/Cargo.toml", "xtask/Cargo.toml", "examples/downstream/Cargo.toml"]
    {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest);
        assert!(std::fs::read_to_string(path).unwrap().contains("\npublish = false\n"), "{manifest}");
    }
}

/// Returns the files below a directory, each with its path, which begins with `prefix`.
fn files_below(dir: &std::path::Path, prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    let paths = entries.flat_map(|entry| {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() { files_below(&entry.path(), &format!("{path}/")) } else { vec![path] }
    });
    paths.collect()
}

/// The client has each feature of the generated crate for the operations of a subject, in `all-operations` and in the
/// documentation.
#[test]
fn features_of_operations_are_features_of_client() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (raw, client, page) = (read("generated/Cargo.toml"), read("Cargo.toml"), read("docs/rustdoc.md"));
    let names: Vec<&str> = raw.lines().filter_map(|line| line.strip_suffix(" = [\"documented\"]")).collect();
    assert!(!names.is_empty());
    for name in &names {
        let line = format!("\n{name} = [\"documented\", \"sentinelone-raw/{name}\"]\n");
        assert!(client.contains(&line), "Cargo.toml has no line {line}");
        assert!(page.contains(&format!("\n| `{name}` |")), "{name}");
    }
    let (_, all) = client.split_once("all-operations = [\n").unwrap();
    let all = all.split_once(']').unwrap().0.lines();
    let all: Vec<&str> = all.map(|line| line.trim().trim_matches(',').trim_matches('"')).collect();
    assert_eq!(all, names);
}
