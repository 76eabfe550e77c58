//! Fetching of incidents over HTTP and at the terminal: what is sent, what is kept, and what a kill leaves behind.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sentinelone::incidents::{
    Checkpoint, ConnectionError, FetchType, Fetcher, Mirroring, Settings, Severity, Stream,
};
use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, ApiVersion, Client, RateLimits, Retry, Timestamp};
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client_of(url: &str, token: &str, version: ApiVersion) -> Client {
    let builder = Client::builder(url).token(ApiToken::new(token).unwrap()).api_version(version);
    builder.retry(Retry::default().attempts(1)).rate_limits(RateLimits::off()).build().unwrap()
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from(std::time::SystemTime::now() - Duration::from_secs(seconds))
}

#[tokio::test]
async fn a_poll_asks_for_what_the_settings_say() {
    let server = MockServer::start().await;
    let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
    let wanted = settings(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "2026-11-01T00:00:00Z".into();
        one.site_ids = vec!["1".into(), "2".into()];
        one.alert_severities = vec!["High".into(), "Critical".into()];
        one.threat_statuses = vec!["unresolved".into(), "in_progress".into()];
        one.limit = 25;
    });
    let seen = async |version, wanted: Settings| -> Vec<(String, BTreeMap<String, String>)> {
        server.reset().await;
        let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
        let fetcher = Fetcher::new(client_of(&server.uri(), "t", version), wanted).unwrap();
        let batch = fetcher.poll(&Checkpoint::default()).await.unwrap();
        assert!(batch.incidents.is_empty() && !batch.more);
        let requests = server.received_requests().await.unwrap();
        let query = |url: &url::Url| url.query_pairs().into_owned().collect();
        requests.iter().map(|one| (one.url.path().to_owned(), query(&one.url))).collect()
    };
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let both = seen(ApiVersion::V2_1, wanted.clone()).await;
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
    let mut of_old = wanted;
    of_old.fetch_type = FetchType::Threats;
    let old = seen(ApiVersion::V2_0, of_old).await;
    let expected = [("createdAt__gte", "2026-11-01T00:00:00Z"), ("limit", "25"), ("siteIds", "1,2")];
    assert_eq!(old, [("/web/api/v2.0/threats".to_owned(), map(&expected))]);
}

#[tokio::test]
async fn incidents_carry_what_a_platform_needs() {
    let sandbox = Sandbox::start().await.unwrap();
    let fetcher =
        |version, wanted| Fetcher::new(client_of(&sandbox.url(), Sandbox::TOKEN, version), wanted).unwrap();
    let created = ago(60);
    let threat = sandbox.arrive(Stream::Threats, 1, &created).remove(0);
    let alert = sandbox.arrive(Stream::Alerts, 1, &created).remove(0);
    let wanted = settings(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "1 hour".into();
        one.mirroring = Mirroring::Both;
        one.instance = "instance_1".into();
    });
    let batch = fetcher(ApiVersion::V2_1, wanted).poll(&Checkpoint::default()).await.unwrap();
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
    assert!(matches!(second.severity, Some(Severity::Medium | Severity::High)));
    let written = serde_json::to_value(second).unwrap();
    assert_eq!(
        written["mirror"],
        json!({ "direction": "Both", "instance": "instance_1", "incidentType": "SentinelOne Incident", "id": threat })
    );
    assert_eq!(serde_json::from_value::<sentinelone::incidents::Incident>(written).unwrap(), *second);

    // The old API has the same threats in another form, and a score to choose by.
    let of_old = |risk| {
        let wanted = settings(|one| {
            one.first_fetch = "2020-01-01T00:00:00Z".into();
            one.limit = 100;
            one.min_risk = risk;
        });
        fetcher(ApiVersion::V2_0, wanted)
    };
    let all = of_old(0).poll(&Checkpoint::default()).await.unwrap();
    let some = of_old(7).poll(&Checkpoint::default()).await.unwrap();
    assert!(all.incidents.len() > some.incidents.len());
    assert_eq!(all.incidents.len(), some.incidents.len() + usize::try_from(some.passed_over).unwrap());
    assert!(all.incidents.iter().all(|one| one.occurred.is_some()));
    sandbox.stop().await;
}

#[tokio::test]
async fn what_comes_over_time_comes_once_in_parts() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client_of(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_1);
    let wanted = settings(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "1 hour".into();
        one.limit = 4;
    });
    let fetcher = Fetcher::new(client, wanted).unwrap();
    let (mut made, mut got, mut checkpoint) = (BTreeSet::new(), Vec::new(), Checkpoint::default());
    for round in 0..6_u64 {
        for stream in [Stream::Threats, Stream::Alerts] {
            // Every other round a few that show late, and many of one moment.
            let created = ago(if round % 2 == 0 { 0 } else { 300 });
            let ids = sandbox.arrive(stream, 7, &created);
            made.extend(ids.into_iter().map(|id| format!("{}:{id}", stream.as_str())));
        }
        let batch = fetcher.poll(&checkpoint).await.unwrap();
        assert!(batch.more);
        got.extend(batch.incidents.into_iter().map(|one| one.dedupe_key));
        // Through a text, as after a restart.
        checkpoint = serde_json::from_str(&serde_json::to_string(&batch.checkpoint).unwrap()).unwrap();
    }
    loop {
        let batch = fetcher.poll(&checkpoint).await.unwrap();
        got.extend(batch.incidents.into_iter().map(|one| one.dedupe_key));
        checkpoint = batch.checkpoint;
        if !batch.more {
            break;
        }
    }
    assert_eq!(got.len(), made.len());
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), made);
    sandbox.stop().await;
}

async fn tested(url: &str, token: &str, version: ApiVersion) -> Result<(), ConnectionError> {
    let wanted = settings(|one| one.first_fetch = "1 hour".into());
    Fetcher::new(client_of(url, token, version), wanted).unwrap().test_connection().await
}

/// A console that answers on this version alone.
async fn old_console() -> MockServer {
    let server = MockServer::start().await;
    let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let threats = Mock::given(path("/web/api/v2.0/threats"));
    threats.respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
    server
}

fn closed() -> String {
    // Bound and given back: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_connection_that_does_not_work_is_explained() {
    let sandbox = Sandbox::start().await.unwrap();
    tested(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_1).await.unwrap();
    tested(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_0).await.unwrap();
    let wrong = tested(&sandbox.url(), "another-token", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(wrong, ConnectionError::Token { .. }), "{wrong:?}");
    let nobody = tested(&closed(), "t", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(nobody, ConnectionError::Address { .. }), "{nobody:?}");
    let old = old_console().await;
    let other = tested(&old.uri(), "t", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(other, ConnectionError::Version { other: ApiVersion::V2_0, .. }), "{other:?}");
    tested(&old.uri(), "t", ApiVersion::V2_0).await.unwrap();

    let answering = async |status: u16, body: &str| {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_raw(body, "text/html");
        Mock::given(any()).respond_with(answer).mount(&server).await;
        (tested(&server.uri(), "t", ApiVersion::V2_1).await.unwrap_err(), server)
    };
    let (page, _server) = answering(200, "<html>Welcome</html>").await;
    assert!(matches!(page, ConnectionError::NoConsole { .. }), "{page:?}");
    let (missing, _server) = answering(404, "no").await;
    assert!(matches!(missing, ConnectionError::NoConsole { .. }), "{missing:?}");
    let (forbidden, _server) = answering(403, "{}").await;
    assert!(matches!(forbidden, ConnectionError::Permission { stream: "threats", .. }), "{forbidden:?}");
    let (broken, _server) = answering(500, "{}").await;
    assert!(matches!(broken, ConnectionError::Other { .. }), "{broken:?}");
    let messages = [wrong, nobody, other, page, forbidden, broken].map(|error| error.to_string());
    assert_eq!(messages.iter().collect::<BTreeSet<_>>().len(), messages.len(), "{messages:#?}");
    assert!(messages.iter().all(|message| !message.contains("another-token")));
    sandbox.stop().await;
}

fn s1(url: &str, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    command.args(arguments).args(["--rate-limits", "off", "--attempts", "1", "--log", "off"]);
    command.env("S1_CONSOLE_URL", url).env("S1_API_TOKEN", token);
    command
}

/// Exit code, stdout and stderr.
fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_explains_a_connection_that_does_not_work() {
    let sandbox = Sandbox::start().await.unwrap();
    let old = old_console().await;
    let asked = |url: String, token: &'static str, code: i32, words: &'static str| {
        let (is, out, err) = run(s1(&url, token, &["test-connection"]));
        assert_eq!(is, code, "{out}{err}");
        assert!(format!("{out}{err}").contains(words), "{out}{err}");
        assert!(!err.contains("wrong-token"), "{err}");
        format!("{out}{err}")
    };
    tokio::task::block_in_place(|| {
        let fine = asked(sandbox.url(), Sandbox::TOKEN, 0, "answers on API 2.1; threats can be read");
        let nobody = asked(closed(), Sandbox::TOKEN, 1, "check the address, the network and the proxy");
        let token = asked(sandbox.url(), "wrong-token", 1, "does not take the API token");
        let version = asked(old.uri(), "t", 1, "speaks API 2.0 and not API 2.1\n");
        assert!(version.ends_with("  what to do: use version 2.0\n"), "the remedy comes last: {version}");
        assert_eq!(BTreeSet::from([fine, nobody, token, version]).len(), 4);
    });
    sandbox.stop().await;
}

fn keys(out: &str) -> Vec<String> {
    // A process that was killed may have ended within a line.
    let whole = out.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let read = |line: &str| {
        let incident: Value = serde_json::from_str(line).unwrap();
        incident["dedupeKey"].as_str().unwrap().to_owned()
    };
    whole.map(read).collect()
}

fn fetch<'a>(state: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let fixed =
        ["fetch-incidents", "--fetch-type", "both", "--fetch-time", "1 hour", "--to", "ndjson", "--state"];
    [&fixed[..], &[state.to_str().unwrap()], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_goes_on_when_everything_is_out_and_not_before() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let ask = |more: &[&str]| run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, more)));
    tokio::task::block_in_place(|| {
        sandbox.arrive(Stream::Threats, 5, &ago(10));
        let (code, out, err) = ask(&["--limit", "3"]);
        assert_eq!((code, keys(&out).len()), (0, 3), "{err}");
        assert!(err.contains("more are waiting"), "{err}");
        let (code, rest, _) = ask(&["--limit", "3"]);
        assert_eq!((code, keys(&rest).len()), (0, 2));
        assert!(keys(&out).iter().all(|key| !keys(&rest).contains(key)));
        let before = std::fs::read(&state).unwrap();
        assert_eq!(ask(&[]).1, "", "nothing is new");
        assert_eq!(std::fs::read(&state).unwrap(), before);

        // A reader that went away has not got the batch.
        sandbox.arrive(Stream::Alerts, 2, &ago(5));
        let mut broken = s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &[]));
        let mut child = broken.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(!child.wait().unwrap().success());
        assert_eq!(std::fs::read(&state).unwrap(), before, "the state is what it was");
        assert_eq!(keys(&ask(&[]).1).len(), 2, "it comes again");

        // A state that cannot be read is not written over.
        for text in ["", "{}", r#"{ "form": 2, "checkpoint": {} }"#] {
            std::fs::write(&state, text).unwrap();
            let (code, out, err) = ask(&[]);
            assert_eq!((code, out.as_str()), (2, ""), "{err}");
            assert_eq!(std::fs::read_to_string(&state).unwrap(), text);
        }
        // Neither is one that cannot be written anything that was out.
        let nowhere = folder.path().join("no/such/folder/state.json");
        let (code, _, err) = run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&nowhere, &[])));
        assert_eq!(code, 2, "{err}");
    });
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_state_exclude_each_other() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    tokio::task::block_in_place(|| {
        let follow = fetch(&state, &["--follow", "--interval", "1h"]);
        let mut first = s1(&sandbox.url(), Sandbox::TOKEN, &follow);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while !state.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the first never wrote its state");
            std::thread::sleep(Duration::from_millis(20));
        }
        let (code, out, err) = run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &[])));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("another process is fetching with this state"), "{err}");
        first.kill().unwrap();
        first.wait().unwrap();
        // A killed one holds nothing.
        assert_eq!(run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &[]))).0, 0);
    });
    sandbox.stop().await;
}

/// Kills the process at random moments; `S1_KILLS` says how often, 50 times where it does not.
#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_nothing_is_lost() {
    let kills: usize = std::env::var("S1_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(50);
    let sandbox = Sandbox::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let arguments = fetch(&state, &["--follow", "--interval", "2ms", "--limit", "2"]);
    let (mut made, mut got) = (BTreeSet::new(), BTreeSet::new());
    let (mut repeated, mut interrupted, mut working) = (0, 0, 0);
    tokio::task::block_in_place(|| {
        let mut take = |out: &str| {
            for key in keys(out) {
                repeated += usize::from(!got.insert(key));
            }
        };
        for kill in 0..kills {
            // As different as hashes are, and the same in every run.
            let random = (kill as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            for stream in [Stream::Threats, Stream::Alerts] {
                let count = usize::try_from(random % 5).unwrap() + 1;
                let ids = sandbox.arrive(stream, count, &ago(random % 400));
                made.extend(ids.into_iter().map(|id| format!("{}:{id}", stream.as_str())));
            }
            let mut command = s1(&sandbox.url(), Sandbox::TOKEN, &arguments);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap());
            let mut out = String::new();
            if kill % 2 == 0 {
                // Anywhere, also before it has begun.
                std::thread::sleep(Duration::from_millis(random % 300));
            } else {
                // When a batch is on its way out, and the state not written: there is more than this to print.
                for _ in 0..=random % 2 {
                    assert_ne!(lines.read_line(&mut out).unwrap(), 0, "it ended by itself");
                }
            }
            interrupted += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            lines.read_to_string(&mut out).unwrap();
            child.wait().unwrap();
            working += usize::from(!out.is_empty());
            take(&out);
        }
        // Once without being killed, until nothing is left.
        loop {
            let (code, out, err) =
                run(s1(&sandbox.url(), Sandbox::TOKEN, &fetch(&state, &["--limit", "100"])));
            assert_eq!(code, 0, "{err}");
            take(&out);
            if !err.contains("more are waiting") {
                break;
            }
        }
    });
    println!(
        "{kills} kills, {working} of a process that had printed; {} incidents, {repeated} of them again",
        made.len()
    );
    assert_eq!(interrupted, kills);
    assert!(working >= kills / 2, "a kill before anything is done proves nothing: {working} of {kills}");
    assert_eq!(got, made);
    assert!(repeated < made.len(), "most come once: {repeated} of {}", made.len());
    sandbox.stop().await;
}
