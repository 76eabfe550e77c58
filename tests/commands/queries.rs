//! Commands on Deep Visibility, PowerQuery and remote scripts.

use std::path::Path;
use std::time::Duration;

use sentinelone::commands::{
    Command, GetPowerQueryResults, NoProgress, RemoteScriptAutomateResults, RunRemoteScript,
};
use sentinelone::{Error, ErrorKind, IdState};
use serde_json::json;
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::*;

pub(super) const DV: &str = "/web/api/v2.1/dv";
pub(super) const SCRIPTS: &str = "/web/api/v2.1/remote-scripts";
const ELEVATE: &str = "/web/api/v2.1/users/auth/elevate";
const PERIOD: [(&str, &str); 2] = [("from_date", "3 days"), ("to_date", "2026-11-20T12:00:00+02:00")];

/// Returns the number of requests to a path.
pub(super) async fn request_count(server: &MockServer, path: &str) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == path).count()
}

pub(super) fn power_query() -> GetPowerQueryResults {
    let mut query = GetPowerQueryResults::default()
        .query("event.type = * | columns event.type")
        .from_date("2026-11-18T00:00:00Z")
        .to_date("2026-11-19T00:00:00Z");
    (query.interval, query.timeout) = (Duration::from_millis(20), Duration::from_secs(20));
    query
}

fn script() -> RunRemoteScript {
    RunRemoteScript::new(["10"], "SentinelCloud", "collect logs", "77", ["1", "2"])
}

pub(super) fn automation(dir: &Path) -> RemoteScriptAutomateResults {
    RemoteScriptAutomateResults::new(script())
        .interval(Duration::from_millis(20))
        .timeout(Duration::from_secs(20))
        .dir(dir)
}

pub(super) fn with_period<'a>(own: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    own.iter().copied().chain(PERIOD).collect()
}

const RUN: [(&str, &str); 5] = [
    ("account_ids", "10"),
    ("output_destination", "SentinelCloud"),
    ("task_description", "collect logs"),
    ("script_id", "77"),
    ("agent_ids", "1,2"),
];

#[test]
fn create_query_sends_period_in_utc() {
    let body = json!({
        "query": "EndpointName exists",
        "fromDate": "2026-11-18T08:30:00Z",
        "toDate": "2026-11-20T10:00:00Z",
    });
    for (version, path) in [(V2_0, "/web/api/v2.0/dv/init-query"), (V2_1, "/web/api/v2.1/dv/init-query")] {
        let sent = sent("create-query", version, &with_period(&[("query", "EndpointName exists")])).unwrap();
        assert_eq!(sent, [json!(["POST", path, {}, body])]);
    }
}

#[test]
fn query_commands_send_documented_query() {
    for (name, path, query) in [
        ("get-events", "events", json!({ "queryId": "q1", "limit": "50" })),
        ("get-processes", "events/process", json!({ "queryId": "q1", "limit": "50" })),
        ("get-dv-query-status", "query-status", json!({ "queryId": "q1" })),
    ] {
        for (version, number) in [(V2_0, "2.0"), (V2_1, "2.1")] {
            let expected = json!(["GET", format!("/web/api/v{number}/dv/{path}"), query, null]);
            assert_eq!(sent(name, version, &[("query_id", "q1")]).unwrap(), [expected]);
        }
    }
    let expected = json!(["GET", "/web/api/v2.1/dv/events/pq-ping", { "queryId": "pq1" }, null]);
    assert_eq!(sent("ping-power-query", V2_1, &[("queryId", "pq1")]).unwrap(), [expected]);
    let args = [("query_id", "q1"), ("cursor", "abc="), ("limit", "3000"), ("columns", "rpid")];
    let query = json!({ "queryId": "q1", "cursor": "abc=", "limit": "1000" });
    assert_eq!(sent("get-events", V2_1, &args).unwrap()[0][2], query, "further pages return the rest");
}

#[test]
fn power_query_sends_accounts_and_sites() {
    let own = [("query", "x = *"), ("account_ids", "1,2"), ("site_ids", "3"), ("limit", "100000")];
    let body = json!({
        "accountIds": ["1", "2"],
        "siteIds": ["3"],
        "query": "x = *",
        "limit": 100000,
        "fromDate": "2026-11-18T08:30:00Z",
        "toDate": "2026-11-20T10:00:00Z",
    });
    let sent_body = |own: &[(&str, &str)]| {
        let all = sent("get-power-query-results", V2_1, &with_period(own)).unwrap();
        assert_eq!(
            (all.len(), &all[0][0], &all[0][1]),
            (1, &json!("POST"), &json!(format!("{DV}/events/pq")))
        );
        all[0][3].clone()
    };
    assert_eq!(sent_body(&own), body);
    let bare = sent_body(&[("query", "x = *"), ("account_ids", "1")]);
    assert_eq!(bare["accountIds"], json!(["1"]));
    assert!(bare.get("siteIds").is_none() && bare.get("limit").is_none());
}

#[test]
fn create_power_query_default_limit_matches_integration() {
    let limit = |own: &[(&str, &str)]| {
        sent("create-power-query", V2_1, &with_period(own)).unwrap()[0][3]["limit"].clone()
    };
    assert_eq!(limit(&[("query", "x = *")]), 1000);
    assert_eq!(limit(&[("query", "x = *"), ("limit", "1")]), 1);
}

#[test]
fn polling_defaults_match_integration() {
    let seconds = |name: &str, argument: &str| {
        let arguments = (entry(name).arguments)();
        arguments.iter().find(|one| one.name == argument).unwrap().default.unwrap().parse().unwrap()
    };
    let query: [u64; 2] = ["interval", "timeout"].map(|one| seconds("get-power-query-results", one));
    let script: [u64; 2] = ["interval", "timeout"].map(|one| seconds("remote-script-automate-results", one));
    assert_eq!((query, script), ([10, 300], [60, 600]));
    // The documented defaults equal the constants.
    let durations =
        |[interval, timeout]: [u64; 2]| (Duration::from_secs(interval), Duration::from_secs(timeout));
    let default = GetPowerQueryResults::default();
    assert_eq!((default.interval, default.timeout), durations(query));
    let default = automation(Path::new("."));
    let default = RemoteScriptAutomateResults::new(default.script);
    let known = (default.interval, default.timeout);
    assert_eq!(known, durations(script));
}

#[test]
fn power_query_resume_only_polls() {
    let args = with_period(&[("query", "x = *"), ("query_id", "pq1")]);
    let expected = json!(["GET", format!("{DV}/events/pq-ping"), { "queryId": "pq1" }, null]);
    assert_eq!(sent("get-power-query-results", V2_1, &args).unwrap(), [expected]);
}

#[test]
fn query_and_script_commands_invalid_arguments_are_rejected() {
    let late = [("query", "x"), ("from_date", "2026-11-20"), ("to_date", "2026-11-19")];
    let with = |own: &[(&'static str, &'static str)], more: (&'static str, &'static str)| {
        let mut all: Vec<_> = own.iter().copied().filter(|(name, _)| *name != more.0).collect();
        all.push(more);
        all
    };
    let refusals = [
        ("create-query", V2_1, late.to_vec(), "from_date"),
        ("create-power-query", V2_1, late.to_vec(), "from_date"),
        ("get-power-query-results", V2_1, late.to_vec(), "from_date"),
        ("create-query", V2_1, vec![("query", "x"), ("from_date", "soon"), ("to_date", "now")], "from_date"),
        ("create-query", V2_1, vec![("query", "x"), ("from_date", "1 day")], "to_date"),
        ("create-query", V2_1, with_period(&[]), "query"),
        ("create-power-query", V2_0, with_period(&[("query", "x")]), "2.0"),
        ("create-power-query", V2_1, with_period(&[("query", "x"), ("limit", "0")]), "limit"),
        ("create-power-query", V2_1, with_period(&[("query", "x"), ("limit", "100001")]), "limit"),
        ("get-power-query-results", V2_1, with_period(&[("query", "x"), ("limit", "100001")]), "limit"),
        ("get-power-query-results", V2_1, with_period(&[("query", "x"), ("interval", "0")]), "interval"),
        ("get-power-query-results", V2_1, with_period(&[("query", "x"), ("timeout", "long")]), "timeout"),
        ("ping-power-query", V2_1, vec![], "queryId"),
        ("get-events", V2_1, vec![("limit", "5")], "query_id"),
        ("get-events", V2_1, vec![("query_id", "q"), ("limit", "0")], "limit"),
        ("get-dv-query-status", V2_1, vec![], "query_id"),
        ("run-remote-script", V2_0, RUN.to_vec(), "2.0"),
        ("run-remote-script", V2_1, with(&RUN, ("output_destination", "Mars")), "output_destination"),
        ("run-remote-script", V2_1, with(&RUN, ("agent_ids", "1,,2")), "agent_ids"),
        ("run-remote-script", V2_1, with(&RUN, ("agent_ids", " ")), "agent_ids"),
        ("run-remote-script", V2_1, RUN[..4].to_vec(), "agent_ids"),
        ("run-remote-script", V2_1, RUN[1..].to_vec(), "account_ids"),
        ("run-remote-script", V2_1, with(&RUN, ("task_description", "x")), "taskDescription"),
        (
            "run-remote-script",
            V2_1,
            with(&RUN, ("script_runtime_timeout_seconds", "59")),
            "scriptRuntimeTimeoutSeconds",
        ),
        (
            "remote-script-automate-results",
            V2_1,
            with(&RUN, ("script_runtime_timeout_seconds", "172801")),
            "scriptRuntimeTimeoutSeconds",
        ),
        ("remote-script-automate-results", V2_1, RUN[..4].to_vec(), "agent_ids"),
        ("get-remote-script-task-status", V2_1, vec![("ids", "1")], "parent_task_id"),
        (
            "get-remote-script-task-status",
            V2_1,
            vec![("parent_task_id", "5"), ("tenant", "true"), ("site_ids", "1")],
            "tenant",
        ),
        (
            "get-remote-script-task-status",
            V2_1,
            vec![("parent_task_id", "5"), ("uuid_contains", "x")],
            "uuid__contains",
        ),
        ("get-remote-script-task-status", V2_1, vec![("parent_task_id", "5"), ("status", "done")], "status"),
        ("get-remote-script-task-results", V2_1, vec![("computer_names", "web-01")], "task_ids"),
    ];
    for (name, version, args, about) in refusals {
        let error = sent(name, version, &args).expect_err(&format!("{name} {args:?}"));
        assert!(error.contains(about), "{name} {args:?}: {error}");
    }
}

#[tokio::test]
async fn create_query_context_has_id_and_query() {
    let server = MockServer::start().await;
    let body = json!({ "data": { "queryId": "q9" } });
    Mock::given(path(format!("{DV}/init-query"))).respond_with(json_response(body)).mount(&server).await;
    let outcome = run(&server, V2_1, "create-query", &with_period(&[("query", "EndpointName exists")])).await;
    let expected = json!({
        "QueryID": "q9",
        "Query": "EndpointName exists",
        "FromDate": "2026-11-18T08:30:00Z",
        "ToDate": "2026-11-20T10:00:00Z",
    });
    assert_eq!(outcome.context["SentinelOne"]["Query"], expected);
}

#[tokio::test]
async fn get_dv_query_status_context_has_query_id() {
    let server = MockServer::start().await;
    let mode = json!({ "mode": "scalyr", "lastActivatedAt": "2026-01-02T03:04:05+00:00" });
    let data =
        json!({ "responseState": "RUNNING", "progressStatus": 40, "queryModeInfo": mode, "warnings": null });
    Mock::given(path(format!("{DV}/query-status")))
        .respond_with(json_response(json!({ "data": data })))
        .mount(&server)
        .await;
    let outcome = run(&server, V2_1, "get-dv-query-status", &[("query_id", "q9")]).await;
    let expected = json!({
        "responseState": "RUNNING",
        "progressStatus": 40,
        "queryModeInfo": mode,
        "QueryId": "q9",
        "QueryID": "q9",
    });
    assert_eq!(outcome.context["SentinelOne"]["Query"]["Status"], expected);

    let data = json!({ "responseState": "FAILED", "progressStatus": 40, "responseError": "too many fields" });
    let body = json_response(json!({ "data": data }));
    Mock::given(path("/web/api/v2.0/dv/query-status")).respond_with(body).mount(&server).await;
    let outcome = run(&server, V2_0, "get-dv-query-status", &[("query_id", "q9")]).await;
    let status = &outcome.context["SentinelOne"]["Query"]["Status"];
    assert_eq!((&status["responseState"], &status["QueryId"]), (&json!("FAILED"), &json!("q9")));
    assert_eq!(status["responseError"], "too many fields");
}

#[tokio::test]
async fn get_events_resumes_from_cursor_and_returns_next() {
    let server = MockServer::start().await;
    let event =
        |id: &str| json!({ "id": id, "pid": "4", "processName": "a.exe", "eventType": "file", "rpid": "9" });
    let page = |ids: [&str; 2], next: &str| {
        json_response(json!({ "data": ids.map(event), "pagination": { "nextCursor": next } }))
    };
    let list = |cursor: &str| Mock::given(path(format!("{DV}/events"))).and(query_param("cursor", cursor));
    list("here").and(query_param("limit", "4")).respond_with(page(["1", "2"], "n")).mount(&server).await;
    list("n").and(query_param("limit", "4")).respond_with(page(["3", "4"], "m")).mount(&server).await;
    let args = [("query_id", "q"), ("limit", "4"), ("cursor", "here"), ("columns", "rpid,unheardOf")];
    let outcome = run(&server, V2_1, "get-events", &args).await;
    let events = outcome.context["SentinelOne"]["Event"].as_array().unwrap();
    let expected =
        json!({ "EventID": "4", "ProcessID": "4", "ProcessName": "a.exe", "EventType": "file", "rpid": "9" });
    assert_eq!((events.len(), &events[3]), (4, &expected));
    assert_eq!(outcome.context["Event"][0], json!({ "ID": "4", "Name": "a.exe", "Type": "file" }));
    assert_eq!(outcome.context["SentinelOne"]["Cursor"]["Event"], "m");
    assert!(outcome.is_complete());
}

#[tokio::test]
async fn get_events_last_page_has_no_cursor() {
    let server = MockServer::start().await;
    let body = json!({ "data": [{ "id": "1" }], "pagination": { "nextCursor": null } });
    Mock::given(path(format!("{DV}/events"))).respond_with(json_response(body)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-events", &[("query_id", "q")]).await;
    assert!(outcome.context["SentinelOne"].get("Cursor").is_none());
}

/// If the limit truncates a page, the cursor is that of the page, so the rest is not lost.
#[tokio::test]
async fn get_events_truncated_page_keeps_its_cursor() {
    let server = MockServer::start().await;
    let list = || Mock::given(path(format!("{DV}/events")));
    let page = |next: &str| {
        let data: Vec<_> = (0..1000).map(|id| json!({ "id": id.to_string() })).collect();
        json_response(json!({ "data": data, "pagination": { "nextCursor": next } }))
    };
    list().and(query_param_is_missing("cursor")).respond_with(page("second")).mount(&server).await;
    list().and(query_param("cursor", "second")).respond_with(page("third")).mount(&server).await;
    let outcome = run(&server, V2_1, "get-events", &[("query_id", "q"), ("limit", "1500")]).await;
    assert_eq!(outcome.response["data"].as_array().unwrap().len(), 1500);
    assert_eq!(outcome.context["SentinelOne"]["Cursor"]["Event"], "second");
}

#[tokio::test]
async fn get_events_failure_keeps_events_and_cursor() {
    let server = MockServer::start().await;
    let list = || Mock::given(path(format!("{DV}/events")));
    let first = json!({ "data": [{ "id": "1" }], "pagination": { "nextCursor": "n" } });
    list().and(query_param_is_missing("cursor")).respond_with(json_response(first)).mount(&server).await;
    list().and(query_param("cursor", "n")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-events", &[("query_id", "q")]).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 503);
    assert_eq!(outcome.context["SentinelOne"]["Event"], json!([{ "EventID": "1" }]));
    assert_eq!(outcome.context["SentinelOne"]["Cursor"]["Event"], "n");
}

#[tokio::test]
async fn get_events_reads_documented_fields() {
    let server = MockServer::start().await;
    let documented = json!({
        "processUniqueKey": "k", "processUserName": "eve", "processCmd": "a -b", "createdAt": NOW,
    });
    let other = json!({
        "srcProcUid": "u", "srcProcUser": "bob", "srcProcCmdLine": "c", "eventTime": "1",
        "processUniqueKey": "k", "createdAt": NOW,
    });
    let body = json!({ "data": [documented, other] });
    for version in ["2.0", "2.1"] {
        Mock::given(path(format!("/web/api/v{version}/dv/events")))
            .respond_with(json_response(body.clone()))
            .mount(&server)
            .await;
    }
    let outcome = run(&server, V2_1, "get-events", &[("query_id", "q")]).await;
    let expected = json!([
        {
            "ProcessUID": "k", "User": "eve", "SourceProcessUser": "eve", "SourceProcessCommandLine": "a -b",
            "EventTime": NOW,
        },
        {
            "ProcessUID": "u", "User": "bob", "SourceProcessUser": "bob", "SourceProcessCommandLine": "c",
            "EventTime": "1",
        },
    ]);
    assert_eq!(outcome.context["SentinelOne"]["Event"], expected);
    let outcome = run(&server, V2_0, "get-events", &[("query_id", "q")]).await;
    assert_eq!(outcome.context["SentinelOne"]["Event"][1]["ProcessUID"], "k");
}

#[test]
fn context_path_doc_names_fallback_field() {
    let doc = |name: &str, path: &str| {
        let outputs = entry(name).outputs.iter();
        let path = format!("SentinelOne.Event.{path}");
        outputs.filter(|output| output.path == path).map(|output| output.doc).collect::<String>()
    };
    for (name, path, field) in [
        ("get-events", "ProcessUID", "processUniqueKey"),
        ("get-events", "SourceProcessUser", "processUserName"),
        ("get-events", "SourceProcessCommandLine", "processCmd"),
        ("get-events", "EventTime", "createdAt"),
        ("get-processes", "ProcessUID", "processUniqueKey"),
    ] {
        assert!(doc(name, path).contains(&format!("from {field} if")), "{name} {path}");
    }
}

#[tokio::test]
async fn get_processes_reads_all_pages() {
    let server = MockServer::start().await;
    let list = || Mock::given(path(format!("{DV}/events/process")));
    let process = |cmd: &str| json!({ "processCmd": cmd, "processUniqueKey": "k", "parentPid": "7" });
    let first = json!({ "data": [process("one")], "pagination": { "nextCursor": "n" } });
    list().and(query_param_is_missing("cursor")).respond_with(json_response(first)).mount(&server).await;
    let last = json!({ "data": [process("two")], "pagination": { "nextCursor": null } });
    list().and(query_param("cursor", "n")).respond_with(json_response(last)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-processes", &[("query_id", "q")]).await;
    let process = |cmd: &str| json!({ "CMD": cmd, "ProcessUID": "k", "ParentProcessID": "7" });
    assert_eq!(outcome.context["SentinelOne"]["Event"], json!([process("one"), process("two")]));
}

pub(super) fn in_state(state: &str) -> Value {
    json!({ "data": { "queryId": "pq1", "status": state, "progress": 30 } })
}

#[test]
fn run_script_sends_one_request() {
    let expected = |data: Value| {
        let filter = json!({ "accountIds": ["10"], "ids": ["1", "2"] });
        [json!(["POST", format!("{SCRIPTS}/execute"), {}, { "filter": filter, "data": data }])]
    };
    let bare = json!({
        "outputDestination": "SentinelCloud",
        "taskDescription": "collect logs",
        "scriptId": "77",
        "scriptRuntimeTimeoutSeconds": 3600,
        "requiresApproval": false,
    });
    let all = [
        ("output_directory", "/tmp/out"),
        ("singularity_xdr_Keyword", "word"),
        ("singularity_xdr_Url", "https://xdr.example.com"),
        ("api_key", "sesame"),
        ("input_params", "--all, really"),
        ("password", "open it"),
        ("script_runtime_timeout_seconds", "60"),
        ("requires_approval", "true"),
    ];
    let full = json!({
        "outputDestination": "SentinelCloud",
        "taskDescription": "collect logs",
        "scriptId": "77",
        "outputDirectory": "/tmp/out",
        "singularityxdrKeyword": "word",
        "singularityxdrUrl": "https://xdr.example.com",
        "apiKey": "sesame",
        "inputParams": "--all, really",
        "password": "open it",
        "scriptRuntimeTimeoutSeconds": 60,
        "requiresApproval": true,
    });
    for name in ["run-remote-script", "remote-script-automate-results"] {
        assert_eq!(sent(name, V2_1, &RUN).unwrap(), expected(bare.clone()));
        let args: Vec<_> = RUN.into_iter().chain(all).collect();
        assert_eq!(sent(name, V2_1, &args).unwrap(), expected(full.clone()));
    }
}

/// The code is sent before the script is started, and a rejected code starts no script.
#[tokio::test]
async fn run_script_with_code_elevates_session_first() {
    let args: Vec<_> = RUN.into_iter().chain([("protected_actions_code", "471147")]).collect();
    for name in ["run-remote-script", "remote-script-automate-results"] {
        let sent = sent(name, V2_1, &args).unwrap();
        assert_eq!(sent[0][1], ELEVATE);
        assert_eq!(sent[0][3], json!({ "data": { "code": "471147" } }));
        assert_eq!((sent.len(), &sent[1][1]), (2, &json!(format!("{SCRIPTS}/execute"))));

        let server = MockServer::start().await;
        let rejected =
            ResponseTemplate::new(400).set_body_json(json!({ "errors": [{ "title": "471147?" }] }));
        Mock::given(path(ELEVATE)).respond_with(rejected).up_to_n_times(1).mount(&server).await;
        let accepted = json_response(json!({ "data": { "duration": 30 } }));
        Mock::given(path(ELEVATE)).respond_with(accepted).mount(&server).await;
        let started = json_response(json!({ "data": { "affected": 2, "parentTaskId": "900" } }));
        Mock::given(path(format!("{SCRIPTS}/execute"))).respond_with(started).mount(&server).await;
        let client = client(&server, V2_1);
        let command = || entry("run-remote-script").prepare(arguments(&args)).unwrap();
        let error = command().run(&client).await.unwrap_err();
        assert_eq!(error.operation(), Some("users_elevate_session"));
        assert!(!error.to_string().contains("471147"), "{error}");
        assert_eq!(request_count(&server, &format!("{SCRIPTS}/execute")).await, 0, "no script is started");
        let outcome = command().run(&client).await.unwrap();
        assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
        assert_eq!(request_count(&server, &format!("{SCRIPTS}/execute")).await, 1);
    }
}

#[test]
fn run_script_accepts_all_output_destinations() {
    for destination in ["DataSetCloud", "Local", "None", "SentinelCloud", "SingularityXDR"] {
        let mut args = RUN.to_vec();
        args[1].1 = destination;
        let sent = sent("run-remote-script", V2_1, &args).unwrap();
        assert_eq!(sent[0][3]["data"]["outputDestination"], destination);
    }
}

#[test]
fn run_script_debug_hides_secrets() {
    let secret = script().password("open it").api_key("sesame");
    let text = format!("{secret:?}");
    assert!(!text.contains("open it") && !text.contains("sesame"), "{text}");
    let request = &secret.requests(V2_1).unwrap()[0];
    assert_eq!(request.body().unwrap()["data"]["password"], "open it");
    let text = request.redacted_body().unwrap().to_string();
    assert!(!text.contains("open it") && !text.contains("sesame"), "{text}");
}

#[test]
fn run_script_too_many_agents_is_rejected() {
    let with_agents = |agent_ids: Vec<String>| {
        let mut script = script();
        script.agent_ids = agent_ids;
        script.requests(V2_1).unwrap_err()
    };
    let error = with_agents((0..5001).map(|id| id.to_string()).collect());
    assert_eq!(crate::argument_error(&error).argument(), Some("agent_ids"));
    let error = with_agents(Vec::new());
    assert_eq!(crate::argument_error(&error).argument(), Some("agent_ids"));
}

pub(super) fn started(data: Value) -> Mock {
    Mock::given(method("POST"))
        .and(path(format!("{SCRIPTS}/execute")))
        .respond_with(json_response(json!({ "data": data })))
}

#[tokio::test]
async fn run_script_context_has_parent_task() {
    let server = MockServer::start().await;
    let data = json!({ "affected": 2, "pending": false, "parentTaskId": "55", "pendingExecutionId": null });
    started(data).mount(&server).await;
    let outcome = run(&server, V2_1, "run-remote-script", &RUN).await;
    let expected = json!({ "affected": 2, "pending": false, "parentTaskId": "55" });
    assert_eq!(outcome.context["SentinelOne"]["RunRemoteScript"], expected);
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
    assert_eq!(outcome.affected, Some(2));
}

#[tokio::test]
async fn run_script_partial_count_is_unknown_per_agent() {
    let server = MockServer::start().await;
    started(json!({ "affected": 1, "pending": false, "parentTaskId": "55" })).mount(&server).await;
    let outcome = run(&server, V2_1, "run-remote-script", &RUN).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
}

#[tokio::test]
async fn run_script_pending_approval_is_partial() {
    let server = MockServer::start().await;
    let data = json!({ "affected": 2, "pending": true, "parentTaskId": null, "pendingExecutionId": "66" });
    started(data).mount(&server).await;
    let outcome = run(&server, V2_1, "run-remote-script", &RUN).await;
    let expected = json!({ "affected": 2, "pending": true, "pendingExecutionId": "66" });
    assert_eq!(outcome.context["SentinelOne"]["RunRemoteScript"], expected);
    assert_eq!(states(&outcome), [("1", IdState::Partial), ("2", IdState::Partial)]);
    assert!(!outcome.is_complete());

    // An execution ID also means pending; an empty one does not.
    for (data, state) in [
        (json!({ "affected": 2, "pendingExecutionId": "66" }), IdState::Partial),
        (json!({ "affected": 2, "pendingExecutionId": 66, "pending": false }), IdState::Partial),
        (json!({ "affected": 2, "pendingExecutionId": " " }), IdState::Done),
        (json!({ "affected": 2, "pendingExecutionId": "66", "parentTaskId": "55" }), IdState::Done),
    ] {
        let server = MockServer::start().await;
        started(data.clone()).mount(&server).await;
        let outcome = run(&server, V2_1, "run-remote-script", &RUN).await;
        assert_eq!(states(&outcome), [("1", state), ("2", state)], "{data}");
    }
}

#[test]
fn get_task_status_sends_documented_query() {
    let args = [
        ("account_ids", "1,2"),
        ("computer_name_contains", "web,db"),
        ("count_only", "false"),
        ("created_at_gt", "3 days"),
        ("created_at_gte", "2026-11-01"),
        ("created_at_lt", "1 hour"),
        ("created_at_lte", "2026-11-20T12:00:00+02:00"),
        ("cursor", "abc="),
        ("description_contains", "logs"),
        ("detailed_status_contains", "failure,success"),
        ("group_ids", "3"),
        ("ids", "4,5"),
        ("initiated_by_contains", "eve"),
        ("limit", "10"),
        ("parent_task_id", "6"),
        ("parent_task_id_in", "6,7"),
        ("query", "free, text"),
        ("site_ids", "8"),
        ("status", "completed,failed"),
        ("tenant", "false"),
        ("updated_at_gt", "2026-11-02"),
        ("updated_at_gte", "2026-11-03"),
        ("updated_at_lt", "2026-11-04"),
        ("updated_at_lte", "now"),
        ("uuid_contains", "ab,cd"),
    ];
    let query = json!({
        "accountIds": "1,2",
        "computerName__contains": "web,db",
        "countOnly": "false",
        "createdAt__gt": "2026-11-18T08:30:00Z",
        "createdAt__gte": "2026-11-01T00:00:00Z",
        "createdAt__lt": "2026-11-21T07:30:00Z",
        "createdAt__lte": "2026-11-20T10:00:00Z",
        "cursor": "abc=",
        "description__contains": "logs",
        "detailedStatus__contains": "failure,success",
        "groupIds": "3",
        "ids": "4,5",
        "initiatedBy__contains": "eve",
        "limit": "10",
        "parentTaskId": "6",
        "parentTaskId__in": "6,7",
        "query": "free, text",
        "siteIds": "8",
        "status": "completed,failed",
        "tenant": "false",
        "updatedAt__gt": "2026-11-02T00:00:00Z",
        "updatedAt__gte": "2026-11-03T00:00:00Z",
        "updatedAt__lt": "2026-11-04T00:00:00Z",
        "updatedAt__lte": NOW,
        "uuid__contains": "ab,cd",
    });
    let arguments = (entry("get-remote-script-task-status").arguments)();
    let status = arguments.iter().find(|argument| argument.name == "status").unwrap();
    assert!(status.values.contains(&"partially_completed") && status.values.len() == 10);
    let sent_query = |args: &[(&str, &str)]| sent("get-remote-script-task-status", V2_1, args).unwrap();
    assert_eq!(sent_query(&args), [json!(["GET", format!("{SCRIPTS}/status"), query, null])]);
    let bare = json!({ "parentTaskId": "6", "limit": "50" });
    assert_eq!(sent_query(&[("parent_task_id", "6")])[0][2], bare);
    let ids = (0..60).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let many = sent_query(&[("parent_task_id", "6"), ("ids", &ids)]);
    assert_eq!(many[0][2]["limit"], "60", "the default limit covers all IDs");
}

pub(super) fn task(id: &str, agent: &str, status: &str) -> Value {
    json!({ "id": id, "agentId": agent, "status": status, "detailedStatus": "some details", "updatedAt": NOW })
}

#[tokio::test]
async fn get_task_status_context_has_both_update_paths() {
    let server = MockServer::start().await;
    let list = || Mock::given(path(format!("{SCRIPTS}/status")));
    let first = json!({ "data": [task("1", "10", "failed")], "pagination": { "nextCursor": "n" } });
    list().and(query_param_is_missing("cursor")).respond_with(json_response(first)).mount(&server).await;
    let last = json!({ "data": [task("2", "20", "completed")] });
    list().and(query_param("cursor", "n")).respond_with(json_response(last)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-remote-script-task-status", &[("parent_task_id", "6")]).await;
    let task = |id: &str, agent: &str, status: &str| {
        json!({
            "id": id, "agentId": agent, "status": status, "detailedStatus": "some details",
            "updateAt": NOW, "updatedAt": NOW,
        })
    };
    let expected = json!([task("1", "10", "failed"), task("2", "20", "completed")]);
    assert_eq!(outcome.context["SentinelOne"]["GetRemoteScript"], expected);
}

#[tokio::test]
async fn get_task_status_count_only_returns_count() {
    let server = MockServer::start().await;
    Mock::given(path(format!("{SCRIPTS}/status")))
        .and(query_param("countOnly", "true"))
        .respond_with(json_response(
            json!({ "data": [], "pagination": { "totalItems": 7, "nextCursor": null } }),
        ))
        .mount(&server)
        .await;
    let args = [("parent_task_id", "6"), ("count_only", "true")];
    let outcome = run(&server, V2_1, "get-remote-script-task-status", &args).await;
    assert_eq!(outcome.response["pagination"]["totalItems"], 7);
    let ids = (0..101).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let args = [args[0], args[1], ("ids", &ids)];
    let outcome = run(&server, V2_1, "get-remote-script-task-status", &args).await;
    assert_eq!(outcome.response["pagination"]["totalItems"], 14, "the sum of two lists");
}

#[test]
fn get_task_results_omits_empty_list_and_batches_ids() {
    let body = |args: &[(&str, &str)]| sent("get-remote-script-task-results", V2_1, args).unwrap();
    let expected =
        json!(["POST", format!("{SCRIPTS}/fetch-files"), {}, { "data": { "taskIds": ["1", "2"] } }]);
    assert_eq!(body(&[("task_ids", "1,2,1")]), [expected]);
    let both = body(&[("task_ids", "1"), ("computer_names", "web,db")]);
    assert_eq!(both[0][3], json!({ "data": { "taskIds": ["1"], "computerNames": ["web", "db"] } }));
    let many = (0..5001).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let parts = body(&[("task_ids", &many)]);
    let counts = parts.iter().map(|part| part[3]["data"]["taskIds"].as_array().unwrap().len());
    assert_eq!(counts.collect::<Vec<_>>(), [5000, 1]);
}

pub(super) fn link(server: &MockServer, task: &str, name: &str) -> Value {
    json!({ "taskId": task, "fileName": name, "downloadUrl": format!("{}/files/{task}", server.uri()) })
}

pub(super) async fn serve(server: &MockServer, task: &str, bytes: &str) {
    let file = ResponseTemplate::new(200).set_body_string(bytes);
    Mock::given(path(format!("/files/{task}"))).respond_with(file).mount(server).await;
}

pub(super) fn links(data: Value) -> Mock {
    Mock::given(path(format!("{SCRIPTS}/fetch-files"))).respond_with(json_response(json!({ "data": data })))
}

#[tokio::test]
async fn get_task_results_reads_both_response_formats() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let documented = json!({
        "downloadLinks": [link(&server, "1", "out.txt")],
        "errors": [{ "taskId": "3", "errorString": "no file" }],
    });
    // Both lists contain the first link.
    let published = [link(&server, "1", "out.txt"), link(&server, "2", "out.txt")];
    let data = json!({
        "data": documented,
        "download_links": published,
        "errors": [{ "taskId": "4", "errorString": "still running" }],
    });
    links(data).mount(&server).await;
    serve(&server, "1", "first").await;
    serve(&server, "2", "second").await;
    let target = dir.path().join("new");
    let args = [("task_ids", "1,2,3,4,5"), ("dir", target.to_str().unwrap())];
    let outcome = run(&server, V2_1, "get-remote-script-task-results", &args).await;
    let expected = json!([link(&server, "1", "out.txt"), link(&server, "2", "out.txt")]);
    assert_eq!(outcome.context["SentinelOne"]["RemoteScriptResults"], expected);
    let read = |name: &str| std::fs::read_to_string(target.join(name)).unwrap();
    // Scripts use the same file names on each endpoint.
    assert_eq!((read("out.txt").as_str(), read("2_out.txt").as_str()), ("first", "second"));
    assert_eq!(outcome.files.iter().map(|file| file.bytes).collect::<Vec<_>>(), [5, 6]);
    let errors: Vec<_> = outcome.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["task 3: no file", "task 4: still running"]);
    let not_found: Vec<_> = outcome.not_found.iter().map(|one| (one.argument, one.id.as_str())).collect();
    assert_eq!(not_found, [("task_ids", "5")], "neither a file nor an error");
    let requests = server.received_requests().await.unwrap();
    let mut files = requests.iter().filter(|request| request.url.path().starts_with("/files/"));
    assert!(
        files.all(|request| !request.headers.contains_key("authorization")),
        "download URLs get no token"
    );
}

#[tokio::test]
async fn get_task_results_equal_file_names_are_unique() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let parts = ["a", "b", "c", "d"];
    let of = |part: &&str| {
        let name = if *part == "b" { "OUT.txt" } else { "out.txt" };
        json!({ "taskId": "1", "fileName": name, "downloadUrl": format!("{}/files/{part}", server.uri()) })
    };
    let published: Vec<_> = parts.iter().map(of).collect();
    links(json!({ "download_links": published })).mount(&server).await;
    for part in parts {
        serve(&server, part, part).await;
    }
    let args = [("task_ids", "1"), ("dir", dir.path().to_str().unwrap())];
    let outcome = run(&server, V2_1, "get-remote-script-task-results", &args).await;
    assert!(outcome.is_complete(), "{outcome:?}");
    let names: Vec<_> = outcome.files.iter().map(|file| file.path.file_name().unwrap()).collect();
    assert_eq!(names, ["out.txt", "1_OUT.txt", "2_1_out.txt", "3_1_out.txt"]);
}

#[tokio::test]
async fn get_task_results_failed_download_keeps_others() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = json!({ "taskId": "0", "fileName": "x.txt", "downloadUrl": "http://files.example.com/x" });
    let published =
        [plain, link(&server, "1", "gone.txt"), link(&server, "2", "here.txt"), json!({ "taskId": "3" })];
    links(json!({ "download_links": published })).mount(&server).await;
    serve(&server, "2", "second").await;
    let log = Log::default();
    let command =
        sentinelone::commands::GetRemoteScriptTaskResults::new(["0", "1", "2", "3"]).dir(dir.path());
    let outcome = command.run(&client(&server, V2_1), &log).await.unwrap();
    assert_eq!(outcome.files.len(), 1);
    assert_eq!(std::fs::read_to_string(dir.path().join("here.txt")).unwrap(), "second");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no partial file is left");
    assert!(outcome.failure.as_ref().unwrap().to_string().contains("https"));
    let errors: Vec<_> = outcome.errors.iter().map(ToString::to_string).collect();
    assert!(errors[0].starts_with("x.txt of task 0: "), "{errors:?}");
    assert!(errors[1].starts_with("gone.txt of task 1: ") && errors[1].contains("404"), "{errors:?}");
    assert_eq!(outcome.not_found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["3"]);
    let received = ProgressEvent::Received { name: "here.txt".into(), bytes: 6, total: Some(6) };
    assert_eq!(log.events(), [received]);
}

#[tokio::test]
async fn get_task_results_existing_file_is_not_overwritten() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("out.txt"), "mine").unwrap();
    links(json!({ "download_links": [link(&server, "1", "out.txt")] })).mount(&server).await;
    serve(&server, "1", "theirs").await;
    let args = [("task_ids", "1"), ("dir", dir.path().to_str().unwrap())];
    let outcome = run(&server, V2_1, "get-remote-script-task-results", &args).await;
    assert_eq!(outcome.failure.as_ref().unwrap().kind(), ErrorKind::Io);
    assert_eq!(std::fs::read_to_string(dir.path().join("out.txt")).unwrap(), "mine");
}

#[test]
fn automate_results_resume_starts_no_script() {
    let args: Vec<_> = RUN.into_iter().chain([("parent_task_id", "55")]).collect();
    let query = json!({ "parentTaskId": "55", "limit": "1000" });
    let expected = json!(["GET", format!("{SCRIPTS}/status"), query, null]);
    assert_eq!(sent("remote-script-automate-results", V2_1, &args).unwrap(), [expected]);
}

pub(super) fn tasks(tasks: &[Value], next: Value) -> ResponseTemplate {
    json_response(json!({ "data": tasks, "pagination": { "nextCursor": next } }))
}

/// Starts the script, polls all pages until all tasks have ended, and downloads the files.
#[tokio::test]
async fn automate_results_runs_polls_and_downloads() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    started(json!({ "affected": 2, "pending": false, "parentTaskId": "55" })).expect(1).mount(&server).await;
    let list = || {
        Mock::given(path(format!("{SCRIPTS}/status")))
            .and(query_param("parentTaskId", "55"))
            .and(query_param("limit", "1000"))
    };
    let first = || list().and(query_param_is_missing("cursor"));
    let second = || list().and(query_param("cursor", "n"));
    // The first poll returns only one of two tasks, which has ended. The polling continues.
    let early = tasks(&[task("101", "1", "completed")], Value::Null);
    first().respond_with(early).up_to_n_times(1).mount(&server).await;
    first().respond_with(tasks(&[task("101", "1", "completed")], "n".into())).mount(&server).await;
    let running = tasks(&[task("102", "2", "in_progress")], Value::Null);
    second().respond_with(running).up_to_n_times(1).mount(&server).await;
    second().respond_with(tasks(&[task("102", "2", "failed")], Value::Null)).mount(&server).await;
    Mock::given(path(format!("{SCRIPTS}/fetch-files")))
        .and(body_json(json!({ "data": { "taskIds": ["101"] } })))
        .respond_with(json_response(
            json!({ "data": { "data": { "downloadLinks": [link(&server, "101", "o.txt")] } } }),
        ))
        .expect(1)
        .mount(&server)
        .await;
    serve(&server, "101", "output").await;

    let log = Log::default();
    let outcome = automation(dir.path()).run(&client(&server, V2_1), &log).await.unwrap();
    assert_eq!(std::fs::read_to_string(dir.path().join("o.txt")).unwrap(), "output");
    assert_eq!(outcome.files.len(), 1);
    let context = &outcome.context["SentinelOne"];
    assert_eq!(context["RemoteScriptResults"], json!([link(&server, "101", "o.txt")]));
    assert_eq!(context["RunRemoteScript"], json!({ "affected": 2, "pending": false, "parentTaskId": "55" }));
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Unknown)]);
    assert_eq!(outcome.results[1].detail.as_deref(), Some("failed: some details"));
    assert!(outcome.failure.is_none() && !outcome.is_complete());
    assert_eq!(outcome.response["data"]["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(log.started(), [("parent_task_id", "55".to_owned())]);
    let waits = log.events().into_iter().filter_map(|event| match event {
        ProgressEvent::Waiting { state, .. } => Some(state),
        _ => None,
    });
    assert_eq!(waits.collect::<Vec<_>>(), ["1 of 2 tasks ended", "1 of 2 tasks ended"]);
    assert!(matches!(log.events().last(), Some(ProgressEvent::Received { bytes: 6, .. })));
}

#[tokio::test]
async fn automate_results_pending_approval_ends_without_polling() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let data = json!({ "affected": 2, "pending": true, "parentTaskId": null, "pendingExecutionId": "66" });
    started(data).mount(&server).await;
    Mock::given(path(format!("{SCRIPTS}/status")))
        .respond_with(tasks(&[task("900", "1", "completed")], Value::Null))
        .expect(0)
        .mount(&server)
        .await;
    let outcome = automation(dir.path()).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.kind(), ErrorKind::NoResult);
    assert!(failure.to_string().contains("pendingExecutionId=66"), "{failure}");
    assert_eq!(outcome.context["SentinelOne"]["RunRemoteScript"]["pendingExecutionId"], "66");
    assert_eq!(states(&outcome), [("1", IdState::Partial), ("2", IdState::Partial)]);
}

#[tokio::test]
async fn automate_results_without_tasks_ends_immediately() {
    for (data, expected) in [
        (json!({ "affected": 2 }), "no parent task"),
        (json!({ "affected": 2, "parentTaskId": "" }), "no parent task"),
        (json!({ "pending": true }), "waits for approval"),
        (json!({ "affected": 0, "parentTaskId": "55" }), "parent_task_id=55"),
    ] {
        let server = MockServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        started(data).mount(&server).await;
        let outcome = automation(dir.path()).run(&client(&server, V2_1), &NoProgress).await.unwrap();
        let failure = outcome.failure.as_ref().unwrap().to_string();
        assert!(failure.contains(expected), "{failure}");
        assert_eq!(request_count(&server, &format!("{SCRIPTS}/status")).await, 0);
    }
}

#[tokio::test]
async fn automate_results_failed_tasks_end_before_timeout() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    started(json!({ "affected": 3, "parentTaskId": "55" })).mount(&server).await;
    let ended = [task("1", "1", "failed"), task("2", "2", "expired"), task("3", "3", "canceled")];
    Mock::given(path(format!("{SCRIPTS}/status")))
        .respond_with(tasks(&ended, Value::Null))
        .mount(&server)
        .await;
    let outcome = automation(dir.path()).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.kind(), ErrorKind::NoResult);
    assert!(failure.to_string().contains("1 canceled, 1 expired, 1 failed"), "{failure}");
    let expected = [("1", IdState::Unknown), ("2", IdState::NotAffected), ("3", IdState::Unknown)];
    assert_eq!(states(&outcome), expected, "the agent that only the console reports is included");
    assert_eq!(request_count(&server, &format!("{SCRIPTS}/fetch-files")).await, 0);
    assert_eq!(outcome.context["SentinelOne"]["RunRemoteScript"]["parentTaskId"], "55");
}

#[tokio::test]
async fn automate_results_partially_completed_task_has_results() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let ended = [task("101", "1", "partially_completed")];
    Mock::given(path(format!("{SCRIPTS}/status")))
        .respond_with(tasks(&ended, Value::Null))
        .mount(&server)
        .await;
    links(json!({ "download_links": [link(&server, "101", "o.txt")] })).mount(&server).await;
    serve(&server, "101", "output").await;
    let command = automation(dir.path()).parent_task_id("55");
    let outcome = command.run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(outcome.files.len(), 1);
    assert_eq!(states(&outcome), [("1", IdState::Partial), ("2", IdState::Unknown)]);
    assert_eq!(request_count(&server, &format!("{SCRIPTS}/execute")).await, 0);
}

/// The expected number of tasks is known only from the count of the start.
#[tokio::test]
async fn automate_results_agent_without_task_uses_affected_count() {
    for (start, parent, state) in [
        (json!({ "affected": 1, "parentTaskId": "55" }), None, IdState::NotAffected),
        (json!({ "parentTaskId": "55" }), None, IdState::Unknown),
        (json!({}), Some("55"), IdState::Unknown),
    ] {
        let server = MockServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        started(start.clone()).mount(&server).await;
        let ended = tasks(&[task("101", "1", "failed")], Value::Null);
        Mock::given(path(format!("{SCRIPTS}/status"))).respond_with(ended).mount(&server).await;
        let mut command = automation(dir.path());
        command.parent_task_id = parent.map(str::to_owned);
        let outcome = command.run(&client(&server, V2_1), &NoProgress).await.unwrap();
        assert_eq!(states(&outcome)[1], ("2", state), "{start}");
    }
}

#[tokio::test]
async fn automate_results_timeout_returns_parent_task_id() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    started(json!({ "affected": 1, "parentTaskId": "55" })).mount(&server).await;
    let open = tasks(&[task("101", "1", "pending_user_action")], Value::Null);
    Mock::given(path(format!("{SCRIPTS}/status"))).respond_with(open).mount(&server).await;
    let command = |parent: Option<&str>| {
        let mut command =
            automation(dir.path()).interval(Duration::from_secs(60)).timeout(Duration::from_secs(1));
        command.parent_task_id = parent.map(str::to_owned);
        command
    };
    let assert_resume_hint = |error: &Error| {
        assert_eq!(error.kind(), ErrorKind::WaitTimeout);
        assert!(error.help().unwrap_or_default().contains("parent_task_id=55"), "{}", error.report());
    };
    let outcome = command(None).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_resume_hint(outcome.failure.as_ref().unwrap());
    assert_eq!(outcome.context["SentinelOne"]["RunRemoteScript"]["parentTaskId"], "55");
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::NotAffected)]);
    let outcome = command(Some("55")).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_resume_hint(outcome.failure.as_ref().unwrap());
    assert_eq!(outcome.response["data"]["tasks"][0]["id"], "101", "the tasks of the last poll");
    assert_eq!(request_count(&server, &format!("{SCRIPTS}/status")).await, 4);
    assert_eq!(request_count(&server, &format!("{SCRIPTS}/execute")).await, 1, "the script is started once");
}

#[tokio::test]
async fn automate_results_error_keeps_started_run() {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    started(json!({ "affected": 2, "parentTaskId": "55" })).mount(&server).await;
    let list = || Mock::given(path(format!("{SCRIPTS}/status")));
    list().respond_with(ResponseTemplate::new(403)).up_to_n_times(1).mount(&server).await;
    let outcome = automation(dir.path()).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 403);
    assert_eq!(outcome.context["SentinelOne"]["RunRemoteScript"]["parentTaskId"], "55");
    // The same applies to an error after the tasks have ended.
    let ended = [task("101", "1", "completed"), task("102", "2", "completed")];
    list().respond_with(tasks(&ended, Value::Null)).mount(&server).await;
    let outcome = automation(dir.path()).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 404);
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
}
