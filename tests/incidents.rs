//! Incident fetching over HTTP and on the command line: requests, state files and recovery after a kill.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sentinelone::incidents::{
    Checkpoint, ConnectionError, FetchType, Fetcher, IncidentConfig, IncidentSeverity, MirrorDirection,
    Stream,
};
use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, ApiVersion, Client, RateLimits, RetryPolicy, Timestamp};
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client_of(url: &str, token: &str, version: ApiVersion) -> Client {
    let builder = Client::builder(url).token(ApiToken::new(token).unwrap()).api_version(version);
    builder
        .retry_policy(RetryPolicy::default().max_attempts(1))
        .rate_limits(RateLimits::disabled())
        .build()
        .unwrap()
}

fn config_with(change: impl FnOnce(&mut IncidentConfig)) -> IncidentConfig {
    let mut settings = IncidentConfig::default();
    change(&mut settings);
    settings
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from(std::time::SystemTime::now() - Duration::from_secs(seconds))
}

#[tokio::test]
async fn poll_request_matches_config() {
    let server = MockServer::start().await;
    let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
    let config = config_with(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "2026-11-01T00:00:00Z".into();
        one.site_ids = vec!["1".into(), "2".into()];
        one.alert_severities = vec!["High".into(), "Critical".into()];
        one.threat_statuses = vec!["unresolved".into(), "in_progress".into()];
        one.limit = 25;
    });
    let requests = async |version, config: IncidentConfig| -> Vec<(String, BTreeMap<String, String>)> {
        server.reset().await;
        let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
        let fetcher = Fetcher::new(client_of(&server.uri(), "t", version), config).unwrap();
        let batch = fetcher.poll(&Checkpoint::default()).await.unwrap();
        assert!(batch.incidents.is_empty() && !batch.has_more);
        let requests = server.received_requests().await.unwrap();
        let query = |url: &url::Url| url.query_pairs().into_owned().collect();
        requests.iter().map(|one| (one.url.path().to_owned(), query(&one.url))).collect()
    };
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let both = requests(ApiVersion::V2_1, config.clone()).await;
    assert_eq!(
        both,
        [
            (
                "/web/api/v2.1/cloud-detection/alerts".to_owned(),
                map(&[
                    ("createdAt__gte", "2026-11-01T00:00:00Z"),
                    ("incidentStatus", "UNRESOLVED"),
                    ("limit", "25"),
                    ("severity", "High,Critical"),
                    ("siteIds", "1,2"),
                    ("sortBy", "alertInfoCreatedAt"),
                    ("sortOrder", "asc"),
                ])
            ),
            (
                "/web/api/v2.1/threats".to_owned(),
                map(&[
                    ("createdAt__gte", "2026-11-01T00:00:00Z"),
                    ("incidentStatuses", "unresolved,in_progress"),
                    ("limit", "25"),
                    ("siteIds", "1,2"),
                    ("sortBy", "createdAt"),
                    ("sortOrder", "asc"),
                ])
            ),
        ]
    );
    let mut config_v2_0 = config;
    config_v2_0.fetch_type = FetchType::Threats;
    let old = requests(ApiVersion::V2_0, config_v2_0).await;
    let expected = [("createdAt__gte", "2026-11-01T00:00:00Z"), ("limit", "25"), ("siteIds", "1,2")];
    assert_eq!(old, [("/web/api/v2.0/threats".to_owned(), map(&expected))]);
}

#[tokio::test]
async fn poll_incident_fields_are_complete() {
    let sandbox = Sandbox::start().await.unwrap();
    let fetcher =
        |version, config| Fetcher::new(client_of(&sandbox.url(), Sandbox::TOKEN, version), config).unwrap();
    let created = ago(60);
    let threat = sandbox.inject(Stream::Threats, 1, &created).remove(0);
    let alert = sandbox.inject(Stream::Alerts, 1, &created).remove(0);
    let config = config_with(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "1 hour".into();
        one.mirror_direction = MirrorDirection::Both;
        one.mirror_instance = "instance_1".into();
    });
    let batch = fetcher(ApiVersion::V2_1, config).poll(&Checkpoint::default()).await.unwrap();
    let [first, second] = batch.incidents.as_slice() else { panic!("{:?}", batch.incidents) };
    assert_eq!(first.dedupe_key, format!("alerts:{alert}"));
    assert!(first.name.starts_with("Sentinel One Alert: "), "{}", first.name);
    assert_eq!(
        (first.mirror.as_ref(), first.raw["alertInfo"]["alertId"].as_str()),
        (None, Some(alert.as_str()))
    );
    assert_eq!(second.dedupe_key, format!("threats:{threat}"));
    assert!(second.name.starts_with("Sentinel One Threat: "), "{}", second.name);
    assert_eq!(second.occurred.as_ref(), Some(&created));
    assert!(matches!(second.severity, Some(IncidentSeverity::Medium | IncidentSeverity::High)));
    let written = serde_json::to_value(second).unwrap();
    assert_eq!(
        written["mirror"],
        json!({ "direction": "Both", "instance": "instance_1", "incidentType": "SentinelOne Incident", "id": threat })
    );
    assert_eq!(serde_json::from_value::<sentinelone::incidents::Incident>(written).unwrap(), *second);

    // API 2.0 has the same threats in another format, with a risk score.
    let fetcher_v2_0 = |min_risk| {
        let config = config_with(|one| {
            one.first_fetch = "2020-01-01T00:00:00Z".into();
            one.limit = 100;
            one.min_risk = min_risk;
        });
        fetcher(ApiVersion::V2_0, config)
    };
    let all = fetcher_v2_0(0).poll(&Checkpoint::default()).await.unwrap();
    let some = fetcher_v2_0(7).poll(&Checkpoint::default()).await.unwrap();
    assert!(all.incidents.len() > some.incidents.len());
    assert_eq!(
        all.incidents.len(),
        some.incidents.len() + usize::try_from(some.skipped_below_min_risk).unwrap()
    );
    assert!(all.incidents.iter().all(|one| one.occurred.is_some()));
    sandbox.stop().await;
}

#[tokio::test]
async fn poll_repeated_batches_return_each_incident_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client_of(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_1);
    let config = config_with(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "1 hour".into();
        one.limit = 4;
    });
    let fetcher = Fetcher::new(client, config).unwrap();
    let (mut injected, mut received, mut checkpoint) = (BTreeSet::new(), Vec::new(), Checkpoint::default());
    for round in 0..6_u64 {
        for stream in [Stream::Threats, Stream::Alerts] {
            // In every other round, items that appear late; all items of a round have the same time.
            let created = ago(if round % 2 == 0 { 0 } else { 300 });
            let ids = sandbox.inject(stream, 7, &created);
            injected.extend(ids.into_iter().map(|id| format!("{}:{id}", stream.as_str())));
        }
        let batch = fetcher.poll(&checkpoint).await.unwrap();
        assert!(batch.has_more);
        received.extend(batch.incidents.into_iter().map(|one| one.dedupe_key));
        // Through JSON, as after a restart.
        checkpoint = serde_json::from_str(&serde_json::to_string(&batch.checkpoint).unwrap()).unwrap();
    }
    loop {
        let batch = fetcher.poll(&checkpoint).await.unwrap();
        received.extend(batch.incidents.into_iter().map(|one| one.dedupe_key));
        checkpoint = batch.checkpoint;
        if !batch.has_more {
            break;
        }
    }
    assert_eq!(received.len(), injected.len());
    assert_eq!(received.into_iter().collect::<BTreeSet<_>>(), injected);
    sandbox.stop().await;
}

async fn test_connection(url: &str, token: &str, version: ApiVersion) -> Result<(), ConnectionError> {
    let config = config_with(|one| one.first_fetch = "1 hour".into());
    Fetcher::new(client_of(url, token, version), config).unwrap().test_connection().await
}

/// A console that supports API 2.0 only.
async fn console_v2_0() -> MockServer {
    let server = MockServer::start().await;
    let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let threats = Mock::given(path("/web/api/v2.0/threats"));
    threats.respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
    server
}

fn unreachable_url() -> String {
    // The port was bound and released, so connections to it are refused.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn test_connection_reports_the_cause() {
    let sandbox = Sandbox::start().await.unwrap();
    test_connection(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_1).await.unwrap();
    test_connection(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_0).await.unwrap();
    let wrong = test_connection(&sandbox.url(), "another-token", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(wrong, ConnectionError::Unauthorized { .. }), "{wrong:?}");
    let unreachable = test_connection(&unreachable_url(), "t", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(unreachable, ConnectionError::Unreachable { .. }), "{unreachable:?}");
    let old = console_v2_0().await;
    let other = test_connection(&old.uri(), "t", ApiVersion::V2_1).await.unwrap_err();
    assert!(
        matches!(other, ConnectionError::UnsupportedApiVersion { supported: ApiVersion::V2_0, .. }),
        "{other:?}"
    );
    test_connection(&old.uri(), "t", ApiVersion::V2_0).await.unwrap();

    let response_error = async |status: u16, body: &str| {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(status).set_body_raw(body, "text/html");
        Mock::given(any()).respond_with(response).mount(&server).await;
        (test_connection(&server.uri(), "t", ApiVersion::V2_1).await.unwrap_err(), server)
    };
    let (page, _server) = response_error(200, "<html>Welcome</html>").await;
    assert!(matches!(page, ConnectionError::NotAConsole { .. }), "{page:?}");
    let (missing, _server) = response_error(404, "no").await;
    assert!(matches!(missing, ConnectionError::NotAConsole { .. }), "{missing:?}");
    let (forbidden, _server) = response_error(403, "{}").await;
    assert!(matches!(forbidden, ConnectionError::Forbidden { stream: "threats", .. }), "{forbidden:?}");
    let (broken, _server) = response_error(500, "{}").await;
    assert!(matches!(broken, ConnectionError::Other { .. }), "{broken:?}");
    let messages = [wrong, unreachable, other, page, forbidden, broken].map(|error| error.to_string());
    assert_eq!(messages.iter().collect::<BTreeSet<_>>().len(), messages.len(), "{messages:#?}");
    assert!(messages.iter().all(|message| !message.contains("another-token")));
    sandbox.stop().await;
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
