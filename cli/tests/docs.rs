//! Runs the console blocks of the README and of `docs/`, and compares their output with the text.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

/// Counts the blocks that run in the Markdown files at a path.
fn count_console_blocks(path: &Path) -> usize {
    if path.is_dir() {
        return std::fs::read_dir(path)
            .unwrap()
            .map(|entry| count_console_blocks(&entry.unwrap().path()))
            .sum();
    }
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| *line == "```console").count()
}

/// A block runs unless its info string contains `ignore`; `cargo xtask tidy` requires a reason for that.
#[test]
fn console_blocks_print_documented_output() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // Without a block, `trycmd` succeeds.
    for path in ["README.md", "docs/guide", "docs/reference"] {
        assert!(count_console_blocks(&root.join(path)) > 0, "{path} has no block");
    }
    trycmd::TestCases::new()
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        // No profile of the user, and no console from the environment.
        .env("S1_CONFIG", "no-such-file.toml")
        .env("S1_CONSOLE_URL", "")
        .env("S1_API_TOKEN", "")
        .env("S1_PROFILE", "")
        // The example data has the same times on every day.
        .env("S1_SANDBOX_NOW", "2026-11-20T10:00:00Z")
        .register_bin("s1", Path::new(env!("CARGO_BIN_EXE_s1")))
        .case(root.join("README.md"))
        .case(root.join("docs/**/*.md"));
}
