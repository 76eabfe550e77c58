//! `s1 fetch-incidents` and `s1 test-connection`: output, exit codes, the state file and kills.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sentinelone::incidents::Stream;
use sentinelone_sandbox::Sandbox;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::consoles::{
    ago, console_v2_0, console_with, console_with_list_without_end, threat, unreachable_url,
};

#[tokio::test(flavor = "multi_thread")]
async fn fetch_command_reports_a_list_without_end() {
    let server = console_with_list_without_end().await;
    let arguments = ["fetch-incidents", "--first-fetch", "2026-11-01T00:00:00Z", "--output", "ndjson"];
    let (code, out, err) = tokio::task::block_in_place(|| run(s1(&server.uri(), "t", &arguments)));
    assert_eq!((code, keys(&out).len()), (3, 4), "{err}");
    assert!(
        err.contains("error: threats could not be read to the end: threats_list: the list returned"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fetch_command_reports_repaired_and_skipped_items_once() {
    let threats = [threat(31, r#""a\udabc""#), threat(32, r#""\q""#), threat(33, "null")];
    let (server, _) = console_with(&threats.each_ref().map(String::as_str)).await;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state.json");
    let arguments =
        ["fetch-incidents", "--first-fetch", "2026-11-01T00:00:00Z", "--output", "ndjson", "--state"];
    let poll = || run(s1(&server.uri(), "t", &[&arguments[..], &[state.to_str().unwrap()]].concat()));
    tokio::task::block_in_place(|| {
        let (code, out, err) = poll();
        assert_eq!((code, keys(&out)), (3, vec!["threats:31".to_owned(), "threats:33".to_owned()]), "{err}");
        assert!(err.contains("data[0].threatInfo.threatName (ID 31): unpaired surrogate"), "{err}");
        assert!(err.contains("data[1] (ID 32) is not valid JSON and is skipped: invalid escape"), "{err}");
        assert_eq!(poll(), (0, String::new(), String::new()));
    });
}

fn s1(url: &str, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    command.args(arguments).args(["--rate-limits", "off", "--max-attempts", "1", "--log-level", "off"]);
    command.env("S1_CONSOLE_URL", url).env("S1_API_TOKEN", token);
    command
}

/// Returns exit code, stdout and stderr.
fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let content = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), content(output.stdout), content(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn test_connection_command_prints_cause_and_remedy() {
    let sandbox = Sandbox::start().await.unwrap();
    let old = console_v2_0().await;
    let run_test = |url: String, token: &'static str, code: i32, expected: &'static str| {
        let (actual, out, err) = run(s1(&url, token, &["test-connection"]));
        assert_eq!(actual, code, "{out}{err}");
        assert!(format!("{out}{err}").contains(expected), "{out}{err}");
        assert!(!err.contains("wrong-token"), "{err}");
        format!("{out}{err}")
    };
    tokio::task::block_in_place(|| {
        let success = run_test(sandbox.url(), Sandbox::TOKEN, 0, ": API 2.1, threats can be read");
        let unreachable = run_test(
            unreachable_url(),
            Sandbox::TOKEN,
            1,
            "check the console URL, the network and the proxy",
        );
        let token = run_test(sandbox.url(), "wrong-token", 1, "rejected the API token");
        let version = run_test(old.uri(), "t", 1, "supports API 2.0, not API 2.1\n");
        assert!(version.ends_with("  help: use version 2.0\n"), "the remedy is the last line: {version}");
        assert_eq!(BTreeSet::from([success, unreachable, token, version]).len(), 4);
    });
    sandbox.stop().await;
}

/// A console whose threats can be read, and whose alerts have this response.
async fn console_with_alerts(alerts: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let threats = json!({ "data": [{ "id": "4711", "threatInfo": { "createdAt": "2026-11-20T10:00:00Z" } }],
        "pagination": { "nextCursor": null } });
    let threats = ResponseTemplate::new(200).set_body_json(threats);
    Mock::given(path("/web/api/v2.1/threats")).respond_with(threats).mount(&server).await;
    Mock::given(path("/web/api/v2.1/cloud-detection/alerts")).respond_with(alerts).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn next_poll_is_promised_for_temporary_failure_only() {
    let error = |status: u16, detail: &str| {
        ResponseTemplate::new(status)
            .set_body_json(json!({ "errors": [{ "title": "No", "detail": detail }] }))
    };
    for (alerts, is_temporary) in [
        (error(403, "This scope has no STAR feature"), false),
        (error(401, "Not for this user"), false),
        (error(404, "No such path"), false),
        (error(501, "Not available"), false),
        (ResponseTemplate::new(302).insert_header("location", "/login"), false),
        (ResponseTemplate::new(200).set_body_raw("<html><title>Sign in</title></html>", "text/html"), false),
        (error(503, "Maintenance"), true),
        (error(429, "Slow down"), true),
    ] {
        let console = console_with_alerts(alerts).await;
        let arguments =
            ["fetch-incidents", "--fetch-type", "both", "--first-fetch", "2026-11-01", "--output", "ndjson"];
        let (code, out, err) =
            tokio::task::block_in_place(|| run(s1(&console.uri(), "token-of-the-test", &arguments)));
        assert_eq!(code, 3, "{err}");
        assert_eq!(keys(&out), ["threats:4711"]);
        assert_eq!(err.contains("the next poll reads them"), is_temporary, "{err}");
        assert_eq!(err.contains("--fetch-type threats leaves alerts out"), !is_temporary, "{err}");
        // The console accepts the token for the threats.
        assert!(!err.contains("create a new token"), "{err}");
    }
}

fn keys(out: &str) -> Vec<String> {
    // A killed process may have ended within a line.
    let lines = out.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let read = |line: &str| {
        let incident: Value = serde_json::from_str(line).unwrap();
        incident["dedupeKey"].as_str().unwrap().to_owned()
    };
    lines.map(read).collect()
}

fn fetch<'a>(state: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "fetch-incidents",
        "--fetch-type",
        "both",
        "--first-fetch",
        "1 hour",
        "--output",
        "ndjson",
        "--state",
    ];
    [&fixed[..], &[state.to_str().unwrap()], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn state_file_advances_only_after_output_is_written() {
    let sandbox = Sandbox::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state.json");
    let run_fetch = |more: &[&str]| run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, more)));
    tokio::task::block_in_place(|| {
        sandbox.inject(Stream::Threats, 5, &ago(10));
        let (code, out, err) = run_fetch(&["--limit", "3"]);
        assert_eq!((code, keys(&out).len()), (0, 3), "{err}");
        assert!(err.contains("more items are available"), "{err}");
        let (code, rest, _) = run_fetch(&["--limit", "3"]);
        assert_eq!((code, keys(&rest).len()), (0, 2));
        assert!(keys(&out).iter().all(|key| !keys(&rest).contains(key)));
        let before = std::fs::read(&state).unwrap();
        assert_eq!(run_fetch(&[]).1, "", "no new items");
        assert_eq!(std::fs::read(&state).unwrap(), before);

        // A closed pipe means that the batch was not delivered.
        sandbox.inject(Stream::Alerts, 2, &ago(5));
        let mut broken = s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &[]));
        let mut child = broken.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(!child.wait().unwrap().success());
        assert_eq!(std::fs::read(&state).unwrap(), before, "the state is unchanged");
        assert_eq!(keys(&run_fetch(&[]).1).len(), 2, "the batch is repeated");

        // An invalid state file is not overwritten.
        for content in
            ["", "{}", r#"{ "form": 1, "checkpoint": {} }"#, r#"{ "version": 2, "checkpoint": 7 }"#]
        {
            std::fs::write(&state, content).unwrap();
            let (code, out, err) = run_fetch(&[]);
            assert_eq!((code, out.as_str()), (2, ""), "{err}");
            assert_eq!(std::fs::read_to_string(&state).unwrap(), content);
            assert_eq!(err.contains("has version 1"), content.contains("form"), "{err}");
        }
        // A state file that cannot be created is a usage error.
        let unwritable = dir.path().join("no/such/dir/state.json");
        let (code, _, err) = run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&unwritable, &[])));
        assert_eq!(code, 2, "{err}");
    });
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn state_file_second_process_exits_2() {
    let sandbox = Sandbox::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state.json");
    tokio::task::block_in_place(|| {
        let follow = fetch(&state, &["--follow", "--interval", "1h"]);
        let mut first = s1(&sandbox.url(), Sandbox::TOKEN, &follow);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while !state.exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "the first process did not write its state");
            std::thread::sleep(Duration::from_millis(20));
        }
        let (code, out, err) = run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &[])));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("another process uses this state file"), "{err}");
        first.kill().unwrap();
        first.wait().unwrap();
        // A killed process releases the lock.
        assert_eq!(run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &[]))).0, 0);
    });
    sandbox.stop().await;
}

/// The default start is three days before now, and the age of the example data does not depend on the day.
#[tokio::test(flavor = "multi_thread")]
async fn fetch_incidents_command_with_defaults_finds_incidents_of_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    tokio::task::block_in_place(|| {
        let threats = ["threats:460000000000000011", "threats:460000000000000012"];
        let both = [&["alerts:530000000000000004"], &threats[..]].concat();
        for (options, expected) in [(&[][..], &threats[..]), (&["--fetch-type", "both"][..], &both[..])] {
            let arguments = [&["fetch-incidents", "--output", "ndjson"], options].concat();
            let (code, out, err) = run(s1(&sandbox.url(), Sandbox::TOKEN, &arguments));
            assert_eq!(code, 0, "{err}");
            assert_eq!(keys(&out), expected, "{err}");
            let mut embedded = Command::new(env!("CARGO_BIN_EXE_s1"));
            embedded.arg("--sandbox").args(&arguments).env_remove("S1_SANDBOX_NOW");
            assert_eq!(keys(&run(embedded).1), expected, "{options:?}");
        }
    });
    sandbox.stop().await;
}

/// Kills the process at random moments. `S1_KILLS` is the number of kills, 50 by default.
#[tokio::test(flavor = "multi_thread")]
async fn fetch_survives_kill_without_loss() {
    let kills: usize = std::env::var("S1_KILLS").ok().and_then(|content| content.parse().ok()).unwrap_or(50);
    let sandbox = Sandbox::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state.json");
    let arguments = fetch(&state, &["--follow", "--interval", "2ms", "--limit", "2"]);
    let (mut injected, mut received) = (BTreeSet::new(), BTreeSet::new());
    let (mut repeated, mut interrupted, mut working) = (0, 0, 0);
    tokio::task::block_in_place(|| {
        let mut record = |out: &str| {
            for key in keys(out) {
                repeated += usize::from(!received.insert(key));
            }
        };
        for kill in 0..kills {
            // Pseudorandom and the same in every run.
            let random = (kill as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            for stream in [Stream::Threats, Stream::Alerts] {
                let count = usize::try_from(random % 5).unwrap() + 1;
                let ids = sandbox.inject(stream, count, &ago(random % 400));
                injected.extend(ids.into_iter().map(|id| format!("{}:{id}", stream.as_str())));
            }
            let mut command = s1(&sandbox.url(), Sandbox::TOKEN, &arguments);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap());
            let mut out = String::new();
            if kill % 2 == 0 {
                // At any moment, also before the first request.
                std::thread::sleep(Duration::from_millis(random % 300));
            } else {
                // While a batch is written and before the state is stored: more lines than these remain to be
                // printed.
                for _ in 0..=random % 2 {
                    assert_ne!(lines.read_line(&mut out).unwrap(), 0, "the process ended early");
                }
            }
            interrupted += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            lines.read_to_string(&mut out).unwrap();
            child.wait().unwrap();
            working += usize::from(!out.is_empty());
            record(&out);
        }
        // A final run without a kill, until no items remain.
        loop {
            let (code, out, err) =
                run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &["--limit", "100"])));
            assert_eq!(code, 0, "{err}");
            record(&out);
            if !err.contains("more items are available") {
                break;
            }
        }
    });
    println!("{kills} kills, {working} after output; {} incidents, {repeated} repeated", injected.len());
    assert_eq!(interrupted, kills);
    assert!(working >= kills / 2, "too few kills after output: {working} of {kills}");
    assert_eq!(received, injected);
    assert!(repeated < injected.len(), "too many repeated incidents: {repeated} of {}", injected.len());
    sandbox.stop().await;
}
