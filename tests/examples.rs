//! The examples do what their output shows, each on the sandbox, and nothing on a console that they were not
//! told.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::SystemTime;

use sentinelone::Kind;
use sentinelone::contract::Contract;
use sentinelone::sandbox::Sandbox;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &str, ending: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(ending)?.to_owned())).collect()
}

fn source(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("examples/{name}.rs"))).unwrap()
}

/// Those whose source says so.
fn those_that(how: &str) -> Vec<String> {
    names_in("examples", ".rs").into_iter().filter(|name| source(name).contains(how)).collect()
}

/// Where the binaries of the examples are. `cargo test` builds them; a run of this file alone does not, so what
/// is older than its sources is built here.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    if names_in("examples", ".rs").iter().any(|name| is_stale(&folder, name)) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--package", "sentinelone", "--examples", "--locked", "--offline"]);
        if cfg!(feature = "cli") {
            build.arg("--all-features");
        }
        let output = build.current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    folder
});

/// Whether a binary is missing, or one of the files that cargo notes as its sources is newer.
fn is_stale(folder: &Path, name: &str) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    let Some(built) = changed(&binary(folder, name)) else { return true };
    let Ok(sources) = std::fs::read_to_string(folder.join(format!("{name}.d"))) else { return true };
    let (_, sources) = sources.split_once(": ").unwrap();
    let newest: Option<SystemTime> = sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .filter_map(|path| changed(Path::new(&path.replace('\0', " "))))
        .max();
    newest.is_none_or(|newest| newest > built)
}

fn binary(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Runs an example: on the sandbox, or on the console that is given.
fn run(name: &str, console: Option<&str>, arguments: &[&str]) -> Output {
    let mut example = Command::new(binary(&BINARIES, name));
    example.args(arguments).env_remove("S1_CONSOLE_URL").env_remove("S1_API_TOKEN");
    if let Some(url) = console {
        example.env("S1_CONSOLE_URL", url).env("S1_API_TOKEN", Sandbox::TOKEN);
    }
    example.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Every example runs without an argument, an environment or a network, and prints what its snapshot shows.
#[test]
fn every_example_prints_what_its_snapshot_shows() {
    let names = names_in("examples", ".rs");
    // Some of them wait, so they do it together.
    let outputs: Vec<(&String, Output)> = std::thread::scope(|scope| {
        let runs: Vec<_> = names.iter().map(|name| (name, scope.spawn(|| run(name, None, &[])))).collect();
        runs.into_iter().map(|(name, run)| (name, run.join().unwrap())).collect()
    });
    for (name, output) in outputs {
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{name}: {}", text(&output.stderr));
        insta::assert_snapshot!(name.as_str(), text(&output.stdout));
    }
    let shown = names_in("tests/snapshots", ".snap");
    let shown = shown.iter().filter_map(|name| Some(name.strip_prefix("examples__")?.to_owned()));
    assert_eq!(shown.collect::<BTreeSet<_>>(), names, "a snapshot is of no example");
}

/// `cargo run --example NAME` is all that has to be typed: no feature has to be named.
#[test]
fn no_example_wants_a_feature() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("[[example]]"));
    let (_, for_tests) = manifest.split_once("[dev-dependencies]").unwrap();
    assert!(for_tests.contains("\nsentinelone = { path = \".\", features = [\"commands\", \"sandbox\"] }"));
}

/// The head of each says what is typed, and how it is pointed at a console.
#[test]
fn the_head_of_every_example_says_how_it_is_run() {
    for name in names_in("examples", ".rs") {
        let source = source(&name);
        assert!(source.contains(&format!("//! $ cargo run --example {name}\n")), "{name}");
        let [reads, acts] = ["to_read()", "to_act()"].map(|how| source.contains(how));
        let on_console = format!("cargo run --example {name} -- {}", if acts { "--act " } else { "" });
        let own_sandbox = name == "mirror" && source.contains("Sandbox::start()");
        assert!(own_sandbox || (reads != acts && source.contains(&on_console)), "{name}");
    }
}

/// The table of the README leads to each of them.
#[test]
fn the_readme_names_every_example() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for name in names_in("examples", ".rs") {
        assert!(readme.contains(&format!("[`{name}`](examples/{name}.rs)")), "{name}");
    }
}

/// With a console in the environment, an example that acts does nothing unless it is told to; and with that
/// word it works there.
#[tokio::test]
async fn on_a_console_an_example_acts_only_when_told_to() {
    let console = Sandbox::start().await.unwrap();
    let (url, acting) = (console.url(), those_that("to_act()"));
    assert!(acting.len() > 10, "{acting:?}");
    let (said, done) = tokio::task::spawn_blocking(move || {
        let said = acting.into_iter().map(|name| (run(&name, Some(&url), &["web-01,web-02"]), name));
        (said.collect::<Vec<_>>(), run("update_incident", Some(&url), &["--act", "web-01,web-02"]))
    })
    .await
    .unwrap();
    for (output, name) in said {
        assert!(!output.status.success() && output.stdout.is_empty(), "{name}");
        assert!(text(&output.stderr).contains("give --act as its first argument"), "{name}");
    }
    assert!(done.status.success(), "{}", text(&done.stderr));
    // All that ever came is of the one that was told to: the count and the update.
    let methods: Vec<String> = console.exchanges().into_iter().map(|one| one.method).collect();
    assert_eq!(methods, ["GET", "POST"]);
    console.stop().await;
}

/// What changes nothing says so to its readers, and sends nothing but reads; on a console it guesses no
/// argument.
#[tokio::test]
async fn an_example_that_reads_changes_nothing() {
    const PERIOD: [&str; 3] = ["event.type = *", "2026-11-12T00:00:00Z", "2026-11-20T00:00:00Z"];
    let console = Sandbox::start().await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let folder = folder.path().to_str().unwrap().to_owned();
    for name in those_that("to_read()") {
        assert!(source(&name).contains("hanges nothing"), "{name}");
        let arguments: Vec<String> = match name.as_str() {
            "activities" => vec!["440000000000000004".into(), "2026-11-01T00:00:00Z".into()],
            "endpoints" => vec!["db-01".into()],
            "fetch_incidents" => vec![folder.clone(), "2020-01-01T00:00:00Z".into()],
            "hunt" | "power_query" => PERIOD.map(str::to_owned).to_vec(),
            "list_threats" => vec!["3".into()],
            other => panic!("which arguments does {other} take?"),
        };
        let url = console.url();
        let (without, with) = tokio::task::spawn_blocking({
            let name = name.clone();
            move || {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                (run(&name, Some(&url), &[]), run(&name, Some(&url), &arguments))
            }
        })
        .await
        .unwrap();
        assert!(text(&without.stderr).contains("is missing: on a console"), "{name}");
        assert!(with.status.success(), "{name}: {}", text(&with.stderr));
    }
    let asked = console.exchanges();
    assert!(asked.len() > 10);
    for one in asked {
        let found = Contract::bundled().find(&one.method, &one.path).unwrap();
        // To start a query is an action to the specification, and changes nothing that it looks at.
        let starts = ["deep_visibility_create_query", "deep_visibility_create_power_query"];
        let reads = found.operation.kind() == Kind::Read || starts.contains(&found.operation.id());
        assert!(reads, "{} {}", one.method, one.path);
    }
    console.stop().await;
}
