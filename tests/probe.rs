//! `Probe` and `s1 contract probe`: everything that changes nothing is asked, and what is new is found.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use sentinelone::contract::fixture::{ProvenanceKind, read_all};
use sentinelone::contract::{FindingKind, Probe, ProbeResult, Probed};
use sentinelone::raw::runtime::{Method, Parts};
use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, ApiVersion, Client, RateLimits, Retry};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client(url: &str, version: ApiVersion) -> Client {
    let token = ApiToken::new(Sandbox::TOKEN).unwrap();
    let client = Client::builder(url).token(token).api_version(version).retry(Retry::off());
    client.rate_limits(RateLimits::off()).build().unwrap()
}

async fn probed(probe: Probe<'_>) -> BTreeMap<&'static str, Probed> {
    let mut all = BTreeMap::new();
    probe.run(|probed| assert!(all.insert(probed.operation.id, probed).is_none(), "once each")).await;
    all
}

/// With what only an action gives, every `GET` of the specification is asked and answers as it says.
#[tokio::test]
async fn everything_is_asked_of_the_sandbox_and_nothing_else_is_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = sandbox.url();
    let started = started(&url).await;
    let begun = sandbox.exchanges().len();
    let mut asked = BTreeSet::new();
    for version in [ApiVersion::V2_1, ApiVersion::V2_0] {
        let client = client(&url, version);
        let mut probe = Probe::new(&client);
        for (name, value) in &started {
            probe = probe.given(*name, value);
        }
        for (id, one) in probed(probe).await {
            assert!(one.findings.is_empty(), "{id}: {:?}", one.findings);
            match one.result {
                ProbeResult::Answered(status) => {
                    assert_eq!(status.as_u16(), 200, "{id}");
                    asked.insert(id);
                }
                ProbeResult::NotCalled(why) => assert!(why.starts_with("needs API"), "{id}: {why}"),
                other => panic!("{id}: {other:?}"),
            }
        }
    }
    let all = sentinelone::raw::OPERATIONS.iter().filter(|one| one.method == Method::Get);
    let missing: Vec<_> = all.map(|one| one.id).filter(|id| !asked.contains(id)).collect();
    assert_eq!(missing, [""; 0]);
    let exchanges = sandbox.exchanges();
    assert!(exchanges[begun..].iter().all(|one| one.method == "GET"));
    let limits = exchanges[begun..].iter().flat_map(|one| &one.query).filter(|(name, _)| name == "limit");
    assert!(limits.clone().count() > 10 && limits.clone().all(|(_, value)| value == "2"));
    sandbox.stop().await;
}

/// What actions started in the sandbox: the names that the probe takes, with their values.
async fn started(url: &str) -> Vec<(&'static str, String)> {
    let client = client(url, ApiVersion::V2_1);
    let send = |id: &'static str, segments: &[(&str, &str)], body: Value| {
        let segments =
            segments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let parts = Parts { segments, body: Some(body), ..Parts::default() };
        let request = sentinelone::raw::request_of(id, &parts).unwrap();
        let client = client.clone();
        async move { client.send(&request).await.unwrap_or_else(|error| panic!("{id}: {error}")).body().clone() }
    };
    let read = |body: bytes::Bytes, pointer: &str| -> String {
        let value: Value = serde_json::from_slice(&body).unwrap();
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}: {value}"))
            .to_owned()
    };
    let times = json!({ "fromDate": "2026-11-01T00:00:00Z", "toDate": "2026-11-02T00:00:00Z" });
    let mut query = times.clone();
    query["query"] = json!("EventType = \"Process Creation\"");
    let query = read(send("deep_visibility_create_query", &[], query).await, "/data/queryId");
    let mut power = times;
    power["query"] = json!("event.type = \"Process Creation\" | columns endpoint.name");
    let power = read(send("deep_visibility_create_power_query", &[], power).await, "/data/queryId");
    let script = json!({
        "filter": { "ids": ["440000000000000001"] },
        "data": { "scriptId": "520000000000000001", "taskDescription": "a look", "outputDestination": "SentinelCloud" },
    });
    let run = read(send("remote_scripts_execute", &[], script).await, "/data/parentTaskId");
    // It is finished after two looks.
    for _ in 0..3 {
        let parts =
            Parts { query: [("queryId".to_owned(), json!(query))].into_iter().collect(), ..Parts::default() };
        let look = sentinelone::raw::request_of("deep_visibility_get_query_status", &parts).unwrap();
        client.send(&look).await.unwrap();
    }
    let agent = "440000000000000001";
    let files = json!({ "data": { "password": "Ex4mple-Pass", "files": ["/var/log/app.log"] } });
    send("agents_fetch_files", &[("agent_id", agent)], files).await;
    // It appears at the second look at the latest.
    let mut uploads = Vec::new();
    for _ in 0..3 {
        let list = sentinelone::raw::request_of("activities_list", &Parts::default()).unwrap();
        let answer = client.send(&list).await.unwrap();
        let urls = answer["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one.pointer("/data/downloadUrl")?.as_str());
        uploads.extend(urls.map(str::to_owned));
    }
    let upload =
        uploads.iter().find_map(|url| url.split_once(&format!("/agents/{agent}/uploads/"))).unwrap().1;
    vec![
        ("queryId", query),
        ("deep_visibility_ping_power_query.queryId", power),
        ("parentTaskId", run),
        ("agent_id", agent.to_owned()),
        ("activity_id", upload.to_owned()),
    ]
}

/// A console that moved: a field, a value, a status, a body that is a page, and one that forbids.
#[tokio::test]
async fn planted_drift_is_found_and_errors_end_nothing() {
    let server = MockServer::start().await;
    let threats = json!({
        "data": [{ "id": null }, { "id": "460000000000000011", "mood": "calm",
                   "threatInfo": { "sha1": "a", "incidentStatus": "escalated" } }],
        "pagination": { "totalItems": 1 },
    });
    let answer = |status: u16, body: &Value| ResponseTemplate::new(status).set_body_json(body);
    let empty = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let get = |at: &str| Mock::given(method("GET")).and(path(format!("/web/api/v2.1{at}")));
    let refused = json!({ "errors": [{ "code": 4030010, "title": "no", "detail": "role" }] });
    get("/threats").respond_with(answer(200, &threats)).expect(1).mount(&server).await;
    get("/sites").respond_with(answer(403, &refused)).mount(&server).await;
    get("/system/status").respond_with(ResponseTemplate::new(503)).mount(&server).await;
    get("/groups").respond_with(ResponseTemplate::new(200).set_body_string("<html>")).mount(&server).await;
    get("/accounts").respond_with(answer(200, &json!({ "data": [{ "id": 7 }] }))).mount(&server).await;
    let notes = Mock::given(path("/web/api/v2.1/threats/460000000000000011/notes"));
    notes.respond_with(answer(200, &empty)).expect(1).mount(&server).await;
    Mock::given(path_regex("^/web/api/")).respond_with(answer(404, &json!({}))).mount(&server).await;

    let client = client(&server.uri(), ApiVersion::V2_1);
    let all = probed(Probe::new(&client)).await;
    let found = |id: &str| -> Vec<(FindingKind, &str)> {
        all[id].findings.iter().map(|finding| (finding.kind, finding.place.as_str())).collect()
    };
    assert_eq!(
        found("threats_list"),
        [
            (FindingKind::UndeclaredNull, "answer.data[0].id"),
            (FindingKind::UndeclaredEnumValue, "answer.data[1].threatInfo.incidentStatus"),
            (FindingKind::UndeclaredField, "answer.data[1].mood"),
        ]
    );
    assert!(found("groups_list").contains(&(FindingKind::NotJson, "answer")));
    assert_eq!(found("accounts_list"), [(FindingKind::WrongType, "answer.data[0].id")]);
    assert_eq!(found("sites_list"), [], "that a role may not do it is nothing new");
    assert_eq!(found("threats_list_notes"), []);
    assert!(
        matches!(all["threats_list_notes"].result, ProbeResult::Answered(_)),
        "with the first id there is"
    );
    let status = |id: &str| match &all[id].result {
        ProbeResult::Failed(error) => error.status().map(|status| status.as_u16()),
        _ => None,
    };
    assert_eq!(status("sites_list"), Some(403));
    assert_eq!(status("system_get_status"), Some(503));
    assert_eq!(status("agents_count"), Some(404));
    let ProbeResult::NotCalled(why) = &all["sites_get"].result else { panic!("{:?}", all["sites_get"]) };
    assert_eq!(why, "site_id is not known: sites_list has none");
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.method.as_str() == "GET" && request.body.is_empty()));
}

/// A token that is not taken is not tried thirty times.
#[tokio::test]
async fn a_hopeless_probe_ends() {
    let server = MockServer::start().await;
    Mock::given(path_regex("^/")).respond_with(ResponseTemplate::new(401)).expect(1).mount(&server).await;
    let client = client(&server.uri(), ApiVersion::V2_1);
    let all = probed(Probe::new(&client)).await;
    let token = |one: &&Probed| matches!(&one.result, ProbeResult::NotCalled(why) if why.contains("token"));
    assert!(all.values().filter(token).count() > 10);
}

fn s1(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    for name in ["S1_CONSOLE_URL", "S1_API_TOKEN", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_tells_what_came_of_each() {
    let folder = tempfile::TempDir::new().unwrap();
    let recorded = folder.path().join("recorded");
    let record = ["--record", recorded.to_str().unwrap()];
    let (code, out, err) = s1(&[&["--sandbox", "contract", "probe", "--deny", "all"][..], &record].concat());
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.lines().any(|line| line.starts_with("threats_list_notes: 200, ")), "{out}");
    assert!(out.contains("threats_list_v2_0: not called: needs API 2.0\n"), "{out}");
    assert!(out.contains("deep_visibility_list_events: not called: queryId is not known"), "{out}");
    let last = out.lines().last().unwrap();
    assert!(
        last.ends_with("failed: 0, not called: 7, contradictions: 0, new to the specification: 0"),
        "{last}"
    );
    let exchanges = read_all(&recorded).unwrap();
    assert!(last.starts_with(&format!("answered: {}, ", exchanges.len())), "{last}");
    assert!(exchanges.iter().all(|(_, one)| one.provenance.kind == ProvenanceKind::Sandbox));

    let (code, out, _) = s1(&["--sandbox", "contract", "probe", "--format", "json", "--id", "queryId=q1"]);
    assert_eq!(code, 0);
    let all: Vec<Value> = serde_json::from_str(&out).unwrap();
    let one = |id: &str| all.iter().find(|one| one["operation"] == id).unwrap();
    assert_eq!(one("sites_get")["status"], 200);
    assert_eq!(one("sites_get")["findings"], json!([]));
    assert!(one("deep_visibility_get_query_status")["error"].is_string(), "the sandbox has no such query");
    assert!(one("agents_download")["notCalled"].is_string());

    let (code, out, _) = s1(&["--sandbox", "contract", "probe", "--dry-run"]);
    let requests: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert!(requests.iter().all(|request| request["method"] == "GET" && request["body"].is_null()));

    for id in ["queryId", "queryId=", "moods=1"] {
        let (code, out, err) = s1(&["--sandbox", "contract", "probe", "--id", id]);
        assert_eq!((code, out.as_str()), (2, ""), "{id}: {err}");
    }
}
