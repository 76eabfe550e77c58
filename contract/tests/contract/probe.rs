//! `Probe`: calls to all `GET` operations, and findings of the responses.

use std::collections::{BTreeMap, BTreeSet};

use sentinelone::raw::runtime::{Method, RequestParts};
use sentinelone::{ApiToken, ApiVersion, Client, RateLimits, RetryPolicy, Tier};
use sentinelone_contract::{ContractRule, Probe, ProbeOutcome, ProbeReport};
use sentinelone_sandbox::Sandbox;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client(url: &str, version: ApiVersion) -> Client {
    let token = ApiToken::new(Sandbox::TOKEN).unwrap();
    let client = Client::builder(url).token(token).api_version(version).retry_policy(RetryPolicy::disabled());
    client.rate_limits(RateLimits::disabled()).build().unwrap()
}

async fn reports(probe: Probe<'_>) -> BTreeMap<&'static str, ProbeReport> {
    let mut all = BTreeMap::new();
    probe
        .run(|report| assert!(all.insert(report.operation.id, report).is_none(), "one report per operation"))
        .await;
    all
}

/// With the IDs that only actions return, the probe calls each `GET` operation of the specification. All responses of
/// the sandbox conform.
#[tokio::test]
async fn probe_calls_every_get_operation_of_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = sandbox.url();
    let params = params_of_started_jobs(&url).await;
    let start = sandbox.exchanges().len();
    let mut called = BTreeSet::new();
    for version in [ApiVersion::V2_1, ApiVersion::V2_0] {
        let client = client(&url, version);
        let mut probe = Probe::new(&client);
        for (name, value) in &params {
            probe = probe.param(*name, value);
        }
        for (id, one) in reports(probe).await {
            assert!(one.findings.is_empty(), "{id}: {:?}", one.findings);
            match one.outcome {
                ProbeOutcome::Responded(status) => {
                    assert_eq!(status.as_u16(), 200, "{id}");
                    called.insert(id);
                }
                ProbeOutcome::Skipped(reason) => {
                    // The probe sends reads only, so it does not launch a query.
                    let is_query =
                        id == "long_running_query_get" && reason.contains("requires a launched query");
                    assert!(reason.starts_with("requires API") || is_query, "{id}: {reason}");
                }
                other => panic!("{id}: {other:?}"),
            }
        }
    }
    let all = sentinelone::raw::OPERATIONS
        .iter()
        .filter(|one| one.tier == Tier::Curated && one.method == Method::Get);
    let missing: Vec<_> = all.map(|one| one.id).filter(|id| !called.contains(id)).collect();
    assert_eq!(missing, ["long_running_query_get"]);
    let exchanges = sandbox.exchanges();
    assert!(exchanges[start..].iter().all(|one| one.method == "GET"));
    let limits = exchanges[start..].iter().flat_map(|one| &one.query).filter(|(name, _)| name == "limit");
    assert!(limits.clone().count() > 10 && limits.clone().all(|(_, value)| value == "2"));
    sandbox.stop().await;
}

/// Starts jobs in the sandbox. Returns their IDs as parameters of the probe.
async fn params_of_started_jobs(url: &str) -> Vec<(&'static str, String)> {
    let client = client(url, ApiVersion::V2_1);
    let send = |id: &'static str, path_params: &[(&str, &str)], body: Value| {
        let path_params =
            path_params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let parts = RequestParts { path_params, body: Some(body), ..RequestParts::default() };
        let request = sentinelone::raw::request_from_parts(id, &parts).unwrap();
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
        "data": { "scriptId": "520000000000000001", "taskDescription": "a test", "outputDestination": "SentinelCloud" },
    });
    let run = read(send("remote_scripts_execute", &[], script).await, "/data/parentTaskId");
    // The query is finished after two polls.
    for _ in 0..3 {
        let parts = RequestParts {
            query: [("queryId".to_owned(), json!(query))].into_iter().collect(),
            ..RequestParts::default()
        };
        let poll = sentinelone::raw::request_from_parts("deep_visibility_get_query_status", &parts).unwrap();
        let _ = client.send(&poll).await.unwrap();
    }
    let agent = "440000000000000001";
    let files = json!({ "data": { "password": "Ex4mple-Pass", "files": ["/var/log/app.log"] } });
    send("agents_fetch_files", &[("agent_id", agent)], files).await;
    // The upload appears in the second poll at the latest.
    let mut uploads = Vec::new();
    for _ in 0..3 {
        let list = sentinelone::raw::request_from_parts("activities_list", &RequestParts::default()).unwrap();
        let response = client.send(&list).await.unwrap();
        let urls = response["data"]
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

/// Responses with drift, an HTML page, a type mismatch and errors, one of them because of a missing permission.
#[tokio::test]
async fn probe_reports_drift_and_continues_after_errors() {
    let server = MockServer::start().await;
    let threats = json!({
        "data": [{ "id": null }, { "id": "460000000000000011", "mood": "calm",
                   "threatInfo": { "sha1": "a", "incidentStatus": "escalated" } }],
        "pagination": { "totalItems": 1 },
    });
    let json_response = |status: u16, body: &Value| ResponseTemplate::new(status).set_body_json(body);
    let empty = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let get = |endpoint: &str| Mock::given(method("GET")).and(path(format!("/web/api/v2.1{endpoint}")));
    let forbidden = json!({ "errors": [{ "code": 4030010, "title": "no", "detail": "role" }] });
    get("/threats").respond_with(json_response(200, &threats)).expect(1).mount(&server).await;
    get("/sites").respond_with(json_response(403, &forbidden)).mount(&server).await;
    get("/system/status").respond_with(ResponseTemplate::new(503)).mount(&server).await;
    get("/groups").respond_with(ResponseTemplate::new(200).set_body_string("<html>")).mount(&server).await;
    get("/accounts").respond_with(json_response(200, &json!({ "data": [{ "id": 7 }] }))).mount(&server).await;
    let notes = Mock::given(path("/web/api/v2.1/threats/460000000000000011/notes"));
    notes.respond_with(json_response(200, &empty)).expect(1).mount(&server).await;
    Mock::given(path_regex("^/web/api/")).respond_with(json_response(404, &json!({}))).mount(&server).await;

    let client = client(&server.uri(), ApiVersion::V2_1);
    let all = reports(Probe::new(&client)).await;
    let found = |id: &str| -> Vec<(ContractRule, &str)> {
        all[id].findings.iter().map(|finding| (finding.rule, finding.location.as_str())).collect()
    };
    assert_eq!(
        found("threats_list"),
        [
            (ContractRule::UndeclaredNull, "response.body.data[0].id"),
            (ContractRule::UndeclaredEnumValue, "response.body.data[1].threatInfo.incidentStatus"),
            (ContractRule::UndeclaredField, "response.body.data[1].mood"),
        ]
    );
    assert!(found("groups_list").contains(&(ContractRule::InvalidJson, "response.body")));
    assert_eq!(found("accounts_list"), [(ContractRule::TypeMismatch, "response.body.data[0].id")]);
    assert_eq!(found("sites_list"), [], "a missing permission is not a finding");
    assert_eq!(found("threats_list_notes"), []);
    assert!(
        matches!(all["threats_list_notes"].outcome, ProbeOutcome::Responded(_)),
        "called with the first ID of the list"
    );
    let status = |id: &str| match &all[id].outcome {
        ProbeOutcome::Failed(error) => error.status().map(|status| status.as_u16()),
        _ => None,
    };
    assert_eq!(status("sites_list"), Some(403));
    assert_eq!(status("system_get_status"), Some(503));
    assert_eq!(status("agents_count"), Some(404));
    let ProbeOutcome::Skipped(reason) = &all["sites_get"].outcome else { panic!("{:?}", all["sites_get"]) };
    assert_eq!(reason, "no value for site_id: sites_list returned no value");
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.method.as_str() == "GET" && request.body.is_empty()));
}

/// After a 401, the remaining operations are skipped.
#[tokio::test]
async fn probe_stops_after_unauthorized() {
    let server = MockServer::start().await;
    Mock::given(path_regex("^/")).respond_with(ResponseTemplate::new(401)).expect(1).mount(&server).await;
    let client = client(&server.uri(), ApiVersion::V2_1);
    let all = reports(Probe::new(&client)).await;
    let by_token = |one: &&ProbeReport| matches!(&one.outcome, ProbeOutcome::Skipped(reason) if reason.contains("token"));
    assert!(all.values().filter(by_token).count() > 10);
}
