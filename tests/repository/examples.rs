//! Examples: output on the sandbox, and actions on a console only with `--act`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::SystemTime;

use sentinelone::OperationKind;
use sentinelone_contract::Contract;
use sentinelone_sandbox::Sandbox;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file_stems(dir: &str, suffix: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(dir)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(suffix)?.to_owned())).collect()
}

fn source(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("examples/{name}.rs"))).unwrap()
}

/// Returns the examples whose source contains `code`.
fn examples_with(code: &str) -> Vec<String> {
    file_stems("examples", ".rs").into_iter().filter(|name| source(name).contains(code)).collect()
}

/// Directory of the example binaries. `cargo test` builds them, but a run of this file alone does not. Then this builds
/// outdated binaries.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let dir = test.ancestors().nth(2).unwrap().join("examples");
    if file_stems("examples", ".rs").iter().any(|name| is_outdated(&dir, name)) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--package", "sentinelone", "--examples", "--locked", "--offline"]);
        build.arg("--all-features");
        let output = build.current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    dir
});

/// Returns whether a binary is missing or older than a file in its dependency list.
fn is_outdated(dir: &Path, name: &str) -> bool {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = modified(&binary(dir, name)) else { return true };
    let Ok(sources) = std::fs::read_to_string(dir.join(format!("{name}.d"))) else { return true };
    let (_, sources) = sources.split_once(": ").unwrap();
    let newest: Option<SystemTime> = sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .filter_map(|path| modified(Path::new(&path.replace('\0', " "))))
        .max();
    newest.is_none_or(|newest| newest > built)
}

fn binary(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Runs an example on a console, or without one on the sandbox.
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

/// Each example runs without arguments, environment and network.
#[test]
fn example_output_equals_its_snapshot() {
    let names = file_stems("examples", ".rs");
    // Runs the examples in parallel, since some of them wait.
    let outputs: Vec<(&String, Output)> = std::thread::scope(|scope| {
        let runs: Vec<_> = names.iter().map(|name| (name, scope.spawn(|| run(name, None, &[])))).collect();
        runs.into_iter().map(|(name, run)| (name, run.join().unwrap())).collect()
    });
    for (name, output) in outputs {
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{name}: {}", text(&output.stderr));
        insta::assert_snapshot!(name.as_str(), text(&output.stdout));
    }
    let snapshots = file_stems("tests/repository/snapshots", ".snap");
    let snapshots =
        snapshots.iter().filter_map(|name| Some(name.strip_prefix("repository__examples__")?.to_owned()));
    assert_eq!(snapshots.collect::<BTreeSet<_>>(), names, "a snapshot has no example");
}

/// `cargo run --example NAME` needs no feature flags.
#[test]
fn examples_require_no_feature() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("[[example]]"));
    let (_, dev_dependencies) = manifest.split_once("[dev-dependencies]").unwrap();
    let features = "features = [\"commands\", \"unified-alerts\", \"unzip\"]";
    let all = format!("\nsentinelone = {{ path = \".\", default-features = false, {features} }}");
    assert!(dev_dependencies.contains(&all));
}

/// The module documentation has the command for the sandbox and for a console.
#[test]
fn example_documentation_has_its_command() {
    for name in file_stems("examples", ".rs") {
        let source = source(&name);
        assert!(source.contains(&format!("//! $ cargo run --example {name}\n")), "{name}");
        let [reads, acts] = ["for_reads()", "for_actions()"].map(|code| source.contains(code));
        let console_command = format!("cargo run --example {name} -- {}", if acts { "--act " } else { "" });
        let own_sandbox = name == "mirror" && source.contains("Sandbox::start()");
        assert!(own_sandbox || (reads != acts && source.contains(&console_command)), "{name}");
    }
}

#[test]
fn readme_links_to_every_example() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for name in file_stems("examples", ".rs") {
        assert!(readme.contains(&format!("[`{name}`](examples/{name}.rs)")), "{name}");
    }
}

/// On a console, an example with actions fails without `--act` and sends no request.
#[tokio::test]
async fn example_changes_a_console_only_with_act_flag() {
    let console = Sandbox::start().await.unwrap();
    let (url, with_actions) = (console.url(), examples_with("for_actions()"));
    assert!(with_actions.len() > 10, "{with_actions:?}");
    let (without_act, with_act) = tokio::task::spawn_blocking(move || {
        let without_act =
            with_actions.into_iter().map(|name| (run(&name, Some(&url), &["web-01,web-02"]), name));
        (without_act.collect::<Vec<_>>(), run("update_incident", Some(&url), &["--act", "web-01,web-02"]))
    })
    .await
    .unwrap();
    for (output, name) in without_act {
        assert!(!output.status.success() && output.stdout.is_empty(), "{name}");
        assert!(text(&output.stderr).contains("pass --act as the first argument"), "{name}");
    }
    assert!(with_act.status.success(), "{}", text(&with_act.stderr));
    // The console received only the count and the update of the example with `--act`.
    let methods: Vec<String> = console.exchanges().into_iter().map(|exchange| exchange.method).collect();
    assert_eq!(methods, ["GET", "POST"]);
    console.stop().await;
}

/// Such an example states that it only reads. On a console, it requires its arguments.
#[tokio::test]
async fn reading_example_sends_only_reads() {
    const PERIOD: [&str; 3] = ["event.type = *", "2026-11-12T00:00:00Z", "2026-11-20T00:00:00Z"];
    let console = Sandbox::start().await.unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let dir = dir.path().to_str().unwrap().to_owned();
    for name in examples_with("for_reads()") {
        assert!(source(&name).contains("only reads"), "{name}");
        let arguments: Vec<String> = match name.as_str() {
            "activities" => vec!["440000000000000004".into(), "2026-11-01T00:00:00Z".into()],
            "endpoints" => vec!["db-01".into()],
            "fetch_incidents" => vec![dir.clone(), "2020-01-01T00:00:00Z".into()],
            "hunt" | "power_query" => PERIOD.map(str::to_owned).to_vec(),
            "list_threats" => vec!["3".into()],
            other => panic!("no arguments for {other}"),
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
    let exchanges = console.exchanges();
    assert!(exchanges.len() > 10);
    for exchange in exchanges {
        let found = Contract::bundled().match_operation(&exchange.method, &exchange.path).unwrap();
        // The operations that start a query are actions in the specification, but they change no data.
        let query_starts = ["deep_visibility_create_query", "deep_visibility_create_power_query"];
        let reads =
            found.operation.kind() == OperationKind::Read || query_starts.contains(&found.operation.id());
        assert!(reads, "{} {}", exchange.method, exchange.path);
    }
    console.stop().await;
}
