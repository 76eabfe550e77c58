//! Incident fetching over HTTP and on the command line: requests, state files and recovery after a kill.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sentinelone::incidents::{
    Batch, Checkpoint, ConnectionError, FetchType, Fetcher, IncidentConfig, IncidentSeverity,
    MirrorDirection, Stream,
};
use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, ApiVersion, Client, ErrorKind, RateLimits, RetryPolicy, Timestamp};
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

/// Returns a console that lists these threats on each request, and a fetcher for it.
async fn console_with(threats: &[&str]) -> (MockServer, Fetcher) {
    let server = MockServer::start().await;
    let body = format!(r#"{{"data": [{}], "pagination": {{"totalItems": 3}}}}"#, threats.join(","));
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    let config = config_with(|one| one.first_fetch = "2026-11-01T00:00:00Z".into());
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), config).unwrap();
    (server, fetcher)
}

fn threat(id: u32, name: &str) -> String {
    let created = format!("2026-11-10T10:00:{id:02}Z");
    format!(r#"{{"id": "{id}", "threatInfo": {{"createdAt": "{created}", "threatName": {name}}}}}"#)
}

fn ids(batch: &Batch) -> Vec<&str> {
    batch.incidents.iter().map(|incident| incident.id.as_str()).collect()
}

#[tokio::test]
async fn poll_repaired_item_is_delivered_once_with_its_repairs() {
    let threats = [threat(31, r#""ok""#), threat(32, r#""a\udabc""#), threat(33, "NaN")];
    let (server, fetcher) = console_with(&threats.each_ref().map(String::as_str)).await;
    let mut limited = fetcher.config().clone();
    limited.limit = 2;
    let limited = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), limited).unwrap();
    let first = limited.poll(&Checkpoint::default()).await.unwrap();
    assert_eq!(ids(&first), ["31", "32"]);
    assert_eq!(first.incidents[1].raw["threatInfo"]["threatName"], "a\u{fffd}");
    let repairs: Vec<_> = first.repairs.iter().map(ToString::to_string).collect();
    let expected = "data[1].threatInfo.threatName (ID 32): unpaired surrogate \\udabc replaced by U+FFFD";
    assert_eq!(repairs, [expected], "the third item is not delivered yet");
    let second = fetcher.poll(&first.checkpoint).await.unwrap();
    assert_eq!(ids(&second), ["33"]);
    assert_eq!(
        second.repairs.iter().map(|repair| repair.item_id.as_deref()).collect::<Vec<_>>(),
        [Some("33")]
    );
    let third = fetcher.poll(&second.checkpoint).await.unwrap();
    assert!(third.incidents.is_empty() && third.repairs.is_empty());
}

#[tokio::test]
async fn poll_more_repairs_than_described_are_counted_once() {
    let simultaneous = |id: u32| threat(id, "NaN").replace(&format!(":{id:02}Z"), ":31Z");
    let mut threats: Vec<_> = (200..305).map(simultaneous).collect();
    threats.push(threat(32, r#""C:\q""#));
    let (server, fetcher) = console_with(&threats.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut config = fetcher.config().clone();
    config.limit = 200;
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), config).unwrap();
    let first = fetcher.poll(&Checkpoint::default()).await.unwrap();
    assert_eq!((first.incidents.len(), first.set_apart.len()), (105, 1));
    assert_eq!((first.repairs.iter().count(), first.repairs.omitted()), (100, 5));
    let second = fetcher.poll(&first.checkpoint).await.unwrap();
    assert!(second.incidents.is_empty() && second.set_apart.is_empty());
    assert_eq!(second.repairs.omitted(), 0);
}

#[tokio::test]
async fn poll_item_set_apart_is_reported_once_and_does_not_block() {
    let without_time = r#"{"id": "32", "threatInfo": {"createdAt": "\q"}}"#;
    let with_word = r#"{"threatInfo": {"createdAt": tomorrow}, "id": "32"}"#;
    let with_comma = r#"{"id": "32", "threatInfo": {"createdAt": "2026-11-10T10:00:32Z",}}"#;
    let unreadable = r#"{"id" "32", "threatInfo": {"createdAt": "2026-11-10T10:00:32Z"}}"#;
    let with_time = threat(32, r#""C:\q""#);
    let readable = [with_time.as_str(), without_time, with_word, with_comma].map(|item| (item, Some("32")));
    let cases = readable.into_iter().chain([(unreadable, None)]);
    for (invalid, id) in cases {
        let (before, after) = (threat(31, "null"), threat(33, "null"));
        let (_server, fetcher) = console_with(&[&before, invalid, &after]).await;
        let first = fetcher.poll(&Checkpoint::default()).await.unwrap();
        assert_eq!(ids(&first), ["31", "33"], "{invalid}");
        let [item] = first.set_apart.as_slice() else { panic!("{invalid}: {:?}", first.set_apart) };
        assert_eq!((item.id.as_deref(), item.index, item.text.as_str()), (id, 1, invalid));
        assert_eq!(first.checkpoint.newest(Stream::Threats).unwrap().as_str(), "2026-11-10T10:00:33Z");
        // Through JSON, as after a restart.
        let stored = serde_json::from_str(&serde_json::to_string(&first.checkpoint).unwrap()).unwrap();
        let second = fetcher.poll(&stored).await.unwrap();
        assert!(second.incidents.is_empty() && second.set_apart.is_empty(), "{invalid}: {second:?}");
        assert_eq!(second.checkpoint, stored, "{invalid}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_list_without_end_delivers_its_items_and_fails() {
    // The second page repeats the cursor, with other items.
    let server = MockServer::start().await;
    let (fresh, known) = (["31", "33"].map(String::from), ["32", "34"].map(String::from));
    let respond = move |request: &wiremock::Request| {
        let has_cursor = request.url.query_pairs().any(|(name, _)| name == "cursor");
        let ids = if has_cursor { &known } else { &fresh };
        let data = ids.each_ref().map(|id| threat(id.parse().unwrap(), "null")).join(",");
        let body = format!(r#"{{"data": [{data}], "pagination": {{"nextCursor": "again"}}}}"#);
        ResponseTemplate::new(200).set_body_string(body)
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    let config = config_with(|one| one.first_fetch = "2026-11-01T00:00:00Z".into());
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), config).unwrap();
    let batch = fetcher.poll(&Checkpoint::default()).await.unwrap();
    assert_eq!(ids(&batch), ["31", "32", "33", "34"]);
    let kinds: Vec<_> = batch.failures.iter().map(|failure| failure.error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::RepeatedCursor]);
    // The list does not ascend, so an older item may not have been read.
    assert_eq!(batch.checkpoint.newest(Stream::Threats).unwrap().as_str(), "2026-11-01T00:00:00Z");
    let again = fetcher.poll(&batch.checkpoint).await.unwrap();
    assert!(again.incidents.is_empty() && again.failures.len() == 1);
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
    let (blocked, _server) = response_error(403, "<html><title>Blocked by the proxy</title></html>").await;
    assert!(matches!(blocked, ConnectionError::NotAConsole { .. }), "{blocked:?}");
    assert!(blocked.error().to_string().contains("Blocked by the proxy"), "{blocked:?}");
    let (missing, _server) = response_error(404, "no").await;
    assert!(matches!(missing, ConnectionError::NotAConsole { .. }), "{missing:?}");
    let (forbidden, _server) = response_error(403, "{}").await;
    assert!(matches!(forbidden, ConnectionError::Forbidden { stream: "threats", .. }), "{forbidden:?}");
    let (broken, _server) = response_error(500, "{}").await;
    assert!(matches!(broken, ConnectionError::Other { .. }), "{broken:?}");
    // The console accepts the token for threats, so a rejection of alerts is not a matter of the token.
    let server = MockServer::start().await;
    let empty = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let threats = Mock::given(path("/web/api/v2.1/threats"));
    threats.respond_with(ResponseTemplate::new(200).set_body_json(empty)).mount(&server).await;
    let alerts = Mock::given(path("/web/api/v2.1/cloud-detection/alerts"));
    alerts.respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let both = config_with(|one| one.fetch_type = FetchType::Both);
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), both).unwrap();
    let unavailable = fetcher.test_connection().await.unwrap_err();
    assert!(matches!(unavailable, ConnectionError::Forbidden { stream: "alerts", .. }), "{unavailable:?}");
    assert!(!unavailable.to_string().contains("new token"), "{unavailable}");
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
