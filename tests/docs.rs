//! Runs the console blocks of the README and of `docs/`, and compares their output with the text.
#![cfg(feature = "cli")]

/// A block runs unless its info string contains `ignore`; `cargo xtask tidy` requires a reason for that.
#[test]
fn console_blocks_print_the_shown_output() {
    trycmd::TestCases::new()
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        // No profile of the user, and no console from the environment.
        .env("S1_CONFIG", "no-such-file.toml")
        .env("S1_CONSOLE_URL", "")
        .env("S1_API_TOKEN", "")
        .env("S1_PROFILE", "")
        .register_bin("s1", std::path::Path::new(env!("CARGO_BIN_EXE_s1")))
        .case("README.md")
        .case("docs/**/*.md");
}
