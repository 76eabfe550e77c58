//! Deep Visibility events, PowerQueries that fail, and identifiers that are not found or cannot be IDs.

use std::time::Duration;

use sentinelone::commands::{Argument, ArgumentKind, Command, NoProgress};
use sentinelone::{Error, ErrorKind};
use serde_json::json;
use wiremock::matchers::{any, method, path, query_param};
use wiremock::{Mock, MockServer, Request, Respond};

use super::queries::{DV, in_state, power_query, request_count, with_period};
use super::*;

/// Number of polls without a state of the query after which the wait ends with an error.
const MAX_POLLS_WITHOUT_STATE: usize = 3;

/// Mounts responses to the start of a PowerQuery and to its polls.
async fn power_query_server(started: Value, polled: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let start = Mock::given(path(format!("{DV}/events/pq"))).respond_with(json_response(started));
    start.mount(&server).await;
    Mock::given(path(format!("{DV}/events/pq-ping"))).respond_with(polled).mount(&server).await;
    server
}

async fn polls(server: &MockServer) -> usize {
    request_count(server, &format!("{DV}/events/pq-ping")).await
}

fn finished() -> Value {
    json!({ "data": {
        "queryId": "pq1",
        "status": "FINISHED",
        "progress": 100,
        "columns": [{ "name": "kind", "type": "STRING" }, { "name": "count" }, { "name": "kind" }, {}],
        "data": [["file", 3, "x", true], ["dns", 4, "y"]],
        "recommendations": ["ask for less", "sort later"],
    } })
}

/// Runs a command that must return an error instead of an outcome.
async fn error_of(server: &MockServer, name: &str, args: &[(&str, &str)]) -> Error {
    entry(name).prepare(arguments(args)).unwrap().run(&client(server, V2_1)).await.unwrap_err()
}

#[tokio::test]
async fn power_query_rows_use_column_names() {
    let server = MockServer::start().await;
    Mock::given(path(format!("{DV}/events/pq"))).respond_with(json_response(finished())).mount(&server).await;
    Mock::given(path(format!("{DV}/events/pq-ping")))
        .respond_with(json_response(finished()))
        .mount(&server)
        .await;
    let rows = json!([
        { "kind": "file", "count": 3, "kind_3": "x", "column_4": true },
        { "kind": "dns", "count": 4, "kind_3": "y" },
    ]);
    let query = with_period(&[("query", "x = *")]);
    for (name, args) in [
        ("create-power-query", query.clone()),
        ("ping-power-query", vec![("queryId", "pq1")]),
        ("get-power-query-results", query),
    ] {
        let outcome = run(&server, V2_1, name, &args).await;
        assert_eq!(outcome.context["SentinelOne"]["PowerQuery"], rows, "{name}");
        assert_eq!(
            outcome.response["data"]["recommendations"][1], "sort later",
            "all recommendations are kept"
        );
        assert!(outcome.is_complete());
    }
    assert_eq!(
        request_count(&server, &format!("{DV}/events/pq-ping")).await,
        1,
        "a finished query is not polled"
    );
}

#[tokio::test]
async fn power_query_duplicate_column_names_are_unique() {
    let server = MockServer::start().await;
    let rows = async |columns: Value| {
        server.reset().await;
        let cells: Vec<usize> = (1..=columns.as_array().unwrap().len()).collect();
        let data = json!({ "queryId": "pq1", "status": "FINISHED", "columns": columns, "data": [cells] });
        let ping = Mock::given(path(format!("{DV}/events/pq-ping")));
        ping.respond_with(json_response(json!({ "data": data }))).mount(&server).await;
        let outcome = run(&server, V2_1, "ping-power-query", &[("queryId", "pq1")]).await;
        outcome.context["SentinelOne"]["PowerQuery"][0].clone()
    };
    let named = |names: &[&str]| names.iter().map(|name| json!({ "name": name })).collect::<Value>();
    assert_eq!(rows(named(&["a_3", "b", "a", "a"])).await, json!({ "a_3": 1, "b": 2, "a": 3, "a_4": 4 }));
    assert_eq!(rows(named(&["a_3", "a", "a"])).await, json!({ "a_3": 1, "a": 2, "a_3_3": 3 }));
    assert_eq!(rows(named(&["a", "a", "a_2"])).await, json!({ "a": 1, "a_2": 2, "a_2_3": 3 }));
    let expected = json!({ "column_2": 1, "column_2_2": 2, "column_3": 3, "column_4": 4 });
    assert_eq!(rows(json!([{ "name": "column_2" }, {}, { "name": "" }, { "name": null }])).await, expected);
}

#[tokio::test]
async fn power_query_cells_without_a_column_are_kept() {
    let server = MockServer::start().await;
    for (columns, rows) in [
        (json!(null), json!([{ "column_1": 1, "column_2": 2 }, { "column_1": 3 }])),
        (json!([{ "name": "n" }]), json!([{ "n": 1, "column_2": 2 }, { "n": 3 }])),
        (json!([{ "name": "column_2" }]), json!([{ "column_2": 1, "column_2_2": 2 }, { "column_2": 3 }])),
    ] {
        server.reset().await;
        let data =
            json!({ "queryId": "pq1", "status": "FINISHED", "columns": columns, "data": [[1, 2], [3]] });
        let ping = Mock::given(path(format!("{DV}/events/pq-ping")));
        ping.respond_with(json_response(json!({ "data": data }))).mount(&server).await;
        let outcome = run(&server, V2_1, "ping-power-query", &[("queryId", "pq1")]).await;
        assert_eq!(outcome.context["SentinelOne"]["PowerQuery"], rows);
    }
}

#[tokio::test]
async fn running_power_query_context_has_only_query_id() {
    let server = MockServer::start().await;
    let running = || json_response(in_state("RUNNING"));
    Mock::given(path(format!("{DV}/events/pq"))).respond_with(running()).mount(&server).await;
    Mock::given(path(format!("{DV}/events/pq-ping"))).respond_with(running()).mount(&server).await;
    for (name, args) in [
        ("create-power-query", with_period(&[("query", "x = *")])),
        ("ping-power-query", vec![("queryId", "pq1")]),
    ] {
        let outcome = run(&server, V2_1, name, &args).await;
        assert_eq!(outcome.context["SentinelOne"]["PowerQuery"], json!({ "queryId": "pq1" }));
        assert!(outcome.is_complete());
        assert_eq!(request_count(&server, &format!("{DV}/events/pq")).await, 1, "one request per command");
    }
}

#[tokio::test]
async fn power_query_is_polled_until_finished() {
    let server = MockServer::start().await;
    let ping = || {
        Mock::given(method("GET"))
            .and(path(format!("{DV}/events/pq-ping")))
            .and(query_param("queryId", "pq1"))
    };
    let create = Mock::given(method("POST")).and(path(format!("{DV}/events/pq")));
    create.respond_with(json_response(in_state("RUNNING"))).expect(1).mount(&server).await;
    ping().respond_with(json_response(in_state("PROCESS_RUNNING"))).up_to_n_times(2).mount(&server).await;
    ping().respond_with(json_response(finished())).expect(1).mount(&server).await;
    let log = Log::default();
    let outcome = power_query().run(&client(&server, V2_1), &log).await.unwrap();
    assert_eq!(outcome.context["SentinelOne"]["PowerQuery"][1]["kind"], "dns");
    assert!(outcome.is_complete());
    let waiting =
        ProgressEvent::Waiting { state: "PROCESS_RUNNING, 30 %".into(), next: Duration::from_millis(20) };
    let started = ProgressEvent::Started { argument: "query_id", value: "pq1".into() };
    assert_eq!(log.events(), [started, waiting.clone(), waiting]);
}

#[tokio::test]
async fn failed_power_query_reports_state() {
    for state in [
        "FAILED",
        "FAILED_CLIENT",
        "ERROR",
        "QUERY_CANCELLED",
        "QUERY_CANCEL",
        "CANCELED",
        "ABORTED",
        "TIMED_OUT",
        "QUERY_TIMEOUT",
        "QUERY_EXPIRED",
        "QUERY_NOT_FOUND",
        "KILLED",
        "STOPPED",
        "TERMINATED_BY_USER",
        "failed",
    ] {
        let server = power_query_server(in_state("EVENTS_RUNNING"), json_response(in_state(state))).await;
        let assert_failure = |error: &Error| {
            assert_eq!(error.kind(), ErrorKind::NoResult);
            assert!(error.to_string().contains(&format!("{state} (query_id=pq1)")), "{error}");
        };
        let log = Log::default();
        let client = client(&server, V2_1);
        assert_failure(&power_query().run(&client, &log).await.unwrap_err());
        assert_eq!(log.started(), [("query_id", "pq1".to_owned())]);
        assert_eq!(polls(&server).await, 1, "the failed query is polled once");
        assert_failure(&error_of(&server, "ping-power-query", &[("queryId", "pq1")]).await);

        let server = power_query_server(in_state(state), json_response(in_state(state))).await;
        for name in ["create-power-query", "get-power-query-results"] {
            assert_failure(&error_of(&server, name, &with_period(&[("query", "x = *")])).await);
        }
        assert_eq!(polls(&server).await, 0, "a query that failed at the start is not polled");
    }
}

#[tokio::test]
async fn failed_power_query_keeps_reasons_of_the_console() {
    let mut failed = in_state("FAILED");
    failed["data"]["responseError"] = "too many columns".into();
    failed["errors"] = json!([{ "code": 5000010, "title": "Query failed", "detail": "unknown field a.b" }]);
    let server = power_query_server(in_state("RUNNING"), json_response(failed)).await;
    let error = error_of(&server, "get-power-query-results", &with_period(&[("query", "x = *")])).await;
    let text = error.to_string();
    assert!(text.contains("FAILED") && text.contains("too many columns"), "{text}");
    assert!(text.contains("unknown field a.b"), "{text}");
}

#[tokio::test]
async fn power_query_without_state_ends_after_limited_polls() {
    let limit = MAX_POLLS_WITHOUT_STATE;
    assert!(limit <= 5, "with the default interval the error comes in less than a minute");
    for polled in
        [json!({ "data": null }), json!({ "data": {} }), json!({}), json!({ "data": { "status": null } })]
    {
        let server = power_query_server(in_state("RUNNING"), json_response(polled.clone())).await;
        let error = power_query().run(&client(&server, V2_1), &NoProgress).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoResult, "{polled}: {error}");
        assert!(error.to_string().contains("no state of the PowerQuery (query_id=pq1)"), "{error}");
        assert_eq!(polls(&server).await, limit, "{polled}");
        let error = error_of(&server, "ping-power-query", &[("queryId", "pq1")]).await;
        assert!(error.to_string().contains("query_id=pq1"), "{error}");
    }
}

#[tokio::test]
async fn power_query_state_after_polls_without_state_continues() {
    let server = MockServer::start().await;
    let ping = || Mock::given(path(format!("{DV}/events/pq-ping")));
    let start = Mock::given(path(format!("{DV}/events/pq")));
    start.respond_with(json_response(in_state("RUNNING"))).mount(&server).await;
    let missing = || json_response(json!({ "data": null }));
    let limit = MAX_POLLS_WITHOUT_STATE as u64;
    ping().respond_with(missing()).up_to_n_times(limit - 1).mount(&server).await;
    ping().respond_with(json_response(in_state("RUNNING"))).up_to_n_times(1).mount(&server).await;
    ping().respond_with(missing()).up_to_n_times(limit - 1).mount(&server).await;
    let rows = json!({ "queryId": "pq1", "status": "FINISHED", "columns": [{ "name": "n" }], "data": [[3]] });
    ping().respond_with(json_response(json!({ "data": rows }))).mount(&server).await;
    let outcome = power_query().run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(outcome.context["SentinelOne"]["PowerQuery"], json!([{ "n": 3 }]));
}

#[tokio::test]
async fn finished_power_query_with_errors_needs_rows() {
    let finished = |rows: Value| {
        json!({
            "data": { "queryId": "pq1", "status": "FINISHED", "columns": [{ "name": "n" }], "data": rows },
            "errors": [{ "code": 5000010, "title": "Partial", "detail": "one shard was skipped" }],
        })
    };
    let server = power_query_server(in_state("RUNNING"), json_response(finished(json!([[3]])))).await;
    let outcome = power_query().run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(outcome.context["SentinelOne"]["PowerQuery"], json!([{ "n": 3 }]));
    assert!(!outcome.is_complete() && outcome.has_results(), "rows and an error");
    for none in [json!([]), Value::Null] {
        let server = power_query_server(in_state("RUNNING"), json_response(finished(none))).await;
        let error = power_query().run(&client(&server, V2_1), &NoProgress).await.unwrap_err();
        assert!(error.to_string().contains("one shard was skipped"), "{error}");
    }
}

#[tokio::test]
async fn power_query_timeout_returns_query_id() {
    let server = power_query_server(in_state("RUNNING"), json_response(in_state("RUNNING"))).await;
    // The interval exceeds the timeout, but the query is polled immediately.
    let short_poll = |query_id: Option<&str>| {
        let mut query = power_query().interval(Duration::from_secs(60)).timeout(Duration::from_secs(1));
        query.query_id = query_id.map(str::to_owned);
        query
    };
    for (query_id, polls_so_far) in [(None, 2), (Some("pq1"), 4)] {
        let error = short_poll(query_id).run(&client(&server, V2_1), &NoProgress).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WaitTimeout);
        assert!(error.help().unwrap_or_default().contains("resume with query_id=pq1"), "{}", error.report());
        assert_eq!(polls(&server).await, polls_so_far, "one immediate poll, one before the timeout");
    }
    assert_eq!(request_count(&server, &format!("{DV}/events/pq")).await, 1, "the query is started once");
}

#[tokio::test]
async fn power_query_poll_error_keeps_query_id() {
    for (status, resumes) in [(503, true), (404, false)] {
        // The console allows the next poll only after the timeout.
        let polled = ResponseTemplate::new(status).insert_header("retry-after", "600");
        let server = power_query_server(in_state("RUNNING"), polled).await;
        let error = power_query().run(&client(&server, V2_1), &NoProgress).await.unwrap_err();
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(
            error.resume_hint().is_some_and(|hint| hint.contains("resume with query_id=pq1")),
            resumes
        );
        assert!(error.report().to_string().ends_with(error.resume_hint().unwrap_or_default()));
        assert!(!error.to_string().contains("query_id"), "{error}");
    }
}

/// The advice to resume names only the query ID.
#[test]
fn power_query_resume_requires_only_the_query_id() {
    let expected = json!(["GET", format!("{DV}/events/pq-ping"), { "queryId": "pq1" }, null]);
    assert_eq!(sent("get-power-query-results", V2_1, &[("query_id", "pq1")]).unwrap(), [expected]);
    let complete = with_period(&[("query", "x = *")]);
    for (missing, _) in &complete {
        let args: Vec<_> = complete.iter().copied().filter(|(name, _)| name != missing).collect();
        let error = sent("get-power-query-results", V2_1, &args).unwrap_err();
        assert!(error.starts_with(&format!("get-power-query-results: {missing} is missing")), "{error}");
    }
    let mut typed = power_query();
    typed.from_date = None;
    assert!(typed.requests(V2_1).unwrap_err().to_string().contains("from_date is missing"));
}

#[tokio::test]
async fn get_dv_query_status_without_query_is_an_error() {
    for data in [Value::Null, json!([]), json!({}), json!({ "progressStatus": null })] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
        let error = error_of(&server, "get-dv-query-status", &[("query_id", "q77")]).await;
        assert!(error.to_string().contains("query_id q77 was not found"), "{data}: {error}");
    }
}

#[tokio::test]
async fn get_dv_query_status_of_failed_query_has_status_and_failure() {
    for (state, fails) in
        [("FAILED", true), ("QUERY_CANCELLED", true), ("TIMED_OUT", true), ("RUNNING", false)]
    {
        let data =
            json!({ "responseState": state, "progressStatus": 20, "responseError": "too many fields" });
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
        let outcome = run(&server, V2_1, "get-dv-query-status", &[("query_id", "q77")]).await;
        assert_eq!(outcome.context["SentinelOne"]["Query"]["Status"]["responseState"], state);
        let failure = outcome.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(failure.contains(&format!("{state} (query_id=q77): too many fields")), fails, "{failure}");
        assert_eq!((outcome.is_complete(), outcome.has_results()), (!fails, !fails), "{state}");
    }
}

#[tokio::test]
async fn threat_summary_without_documented_fields_is_an_error() {
    for data in [json!({}), Value::Null, json!({ "renamedTotal": 4 }), json!({ "total": null })] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
        let error = error_of(&server, "threat-summary", &[]).await;
        assert_eq!(error.kind(), ErrorKind::NoResult, "{data}: {error}");
    }
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(json_response(json!({ "data": { "total": 0 } }))).mount(&server).await;
    let outcome = run(&server, V2_1, "threat-summary", &[]).await;
    assert_eq!(outcome.context["SentinelOne"]["Threat"], json!({ "Total": 0 }));
}

/// Returns the context of one event under `SentinelOne.Event`.
async fn event_context(name: &str, event: Value) -> Value {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(json_response(json!({ "data": [event] }))).mount(&server).await;
    let outcome = run(&server, V2_1, name, &[("query_id", "q5"), ("limit", "1")]).await;
    assert_eq!(outcome.response["data"], json!([event]), "the response keeps every field");
    outcome.context["SentinelOne"]["Event"][0].clone()
}

/// Returns a process creation as newer agents report it.
fn creation() -> Value {
    json!({
        "eventType": "Process Creation", "objectType": "process", "agentName": null, "endpointName": "lab-3",
        "processName": null, "processCmd": "", "pid": null, "user": null, "sha256": null,
        "srcProcName": "sshd", "srcProcCmdLine": "/usr/sbin/sshd -D", "srcProcPid": 620, "srcProcUser": "root",
        "srcProcUid": "S1", "srcProcStartTime": "2026-11-20T09:00:00Z", "osSrcProcName": "systemd",
        "tgtProcName": "bash", "tgtProcCmdLine": "bash -i", "tgtProcPid": "9021", "tgtProcUser": "ann",
        "tgtProcUid": "T1", "tgtProcStartTime": "2026-11-20T10:00:00Z", "tgtProcImagePath": "/bin/bash",
        "tgtProcImageSha1": "5a", "tgtProcImageSha256": "5b", "tgtProcStorylineId": "ST",
        "tgtProcIntegrityLevel": "HIGH", "tgtProcSubsystem": "SYS", "tgtProcDisplayName": "Shell",
        "tgtFileIsSigned": "True", "childProcCount": "0",
    })
}

#[tokio::test]
async fn get_events_process_creation_shows_source_and_target() {
    let expected = json!({
        "EventType": "Process Creation", "Endpoint": "lab-3", "ProcessName": "bash", "ProcessID": "9021",
        "User": "ann", "Time": "2026-11-20T10:00:00Z", "ProcessUID": "T1", "SHA256": "5b",
        "SourceProcessName": "sshd", "SourceProcessCommandLine": "/usr/sbin/sshd -D", "SourceProcessID": 620,
        "SourceProcessUser": "root", "TargetProcessName": "bash", "TargetProcessCommandLine": "bash -i",
        "TargetProcessID": "9021", "TargetProcessUser": "ann", "ImagePath": "/bin/bash", "StorylineID": "ST",
    });
    assert_eq!(event_context("get-events", creation()).await, expected);
}

#[tokio::test]
async fn get_processes_creation_has_source_as_parent() {
    let expected = json!({
        "EventType": "Process Creation", "Endpoint": "lab-3", "ProcessName": "bash", "ProcessID": "9021",
        "CMD": "bash -i", "User": "ann", "Time": "2026-11-20T10:00:00Z", "ProcessUID": "T1", "SHA1": "5a",
        "ParentProcessName": "sshd", "ParentProcessID": 620, "ParentProcessUID": "S1",
        "ParentProcessStartTime": "2026-11-20T09:00:00Z", "IntegrityLevel": "HIGH", "SubsystemType": "SYS",
        "ProcessDisplayName": "Shell", "ImagePath": "/bin/bash", "StorylineID": "ST",
    });
    assert_eq!(event_context("get-processes", creation()).await, expected);
}

#[tokio::test]
async fn get_events_other_types_show_the_acting_process() {
    for (object_type, field, path) in [
        ("file", "tgtFilePath", "FileFullName"),
        ("file", "tgtFileSha256", "SHA256"),
        ("file", "tgtFileMd5", "MD5"),
        ("ip", "dstIp", "DestinationIP"),
        ("dns", "dnsRequest", "DNSRequest"),
        ("registry", "registryKeyPath", "RegistryPath"),
        ("logins", "srcIp", "SourceIP"),
        ("cross_process", "tgtProcName", "TargetProcessName"),
    ] {
        let event = json!({
            "objectType": object_type, "srcProcName": "sshd", "srcProcPid": "620", "srcProcUser": "root",
            "srcProcUid": "S1", field: "value",
        });
        let context = event_context("get-events", event).await;
        assert_eq!(context[path], "value", "{object_type} {field}");
        let process =
            [&context["ProcessName"], &context["ProcessID"], &context["User"], &context["ProcessUID"]];
        assert_eq!(process, [&json!("sshd"), &json!("620"), &json!("root"), &json!("S1")], "{object_type}");
    }
}

#[tokio::test]
async fn event_fields_without_prefix_take_precedence() {
    let mut event = creation();
    event["processName"] = "old.exe".into();
    event["pid"] = 1.into();
    for name in ["get-events", "get-processes"] {
        let context = event_context(name, event.clone()).await;
        assert_eq!(
            (&context["ProcessName"], &context["ProcessID"]),
            (&json!("old.exe"), &json!(1)),
            "{name}"
        );
        assert_eq!(context["User"], "ann", "each field has its own fallback");
    }
}

#[tokio::test]
async fn get_events_columns_use_fallback_names() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(json_response(json!({ "data": [creation()] }))).mount(&server).await;
    let args = [("query_id", "q5"), ("columns", "processCmd,childProcCount")];
    let outcome = run(&server, V2_1, "get-events", &args).await;
    let event = &outcome.context["SentinelOne"]["Event"][0];
    assert_eq!((&event["processCmd"], &event["childProcCount"]), (&json!("bash -i"), &json!("0")));
    assert_eq!(
        outcome.context["Event"],
        json!([{ "ID": "9021", "Name": "bash", "Type": "Process Creation" }])
    );
}

/// Arguments that name a scope or a related object and not the listed objects. A scope without an object is an empty
/// list. The commands of Deep Visibility read the events of a query, which can be none.
const SCOPES: [(&str, &[&str]); 8] = [
    ("", &["site_ids", "siteIds", "account_ids", "accountIds"]),
    ("get-sites", &["account_id"]),
    ("get-activities", &["group_ids", "agent_ids", "threats_ids", "user_ids"]),
    ("get-blocklist", &["group_ids"]),
    ("threat-summary", &["group_ids"]),
    ("get-remote-script-task-status", &["group_ids"]),
    ("get-events", &["query_id"]),
    ("get-processes", &["query_id"]),
];

/// Exact names, values and hashes, which identify an object like an ID.
const EXACT: [&str; 6] = ["hash", "content_hash", "name", "site_name", "value", "external_id"];

/// Returns the arguments of a command that identify the objects that it reads.
fn identifiers(entry: &RegisteredCommand) -> Vec<Argument> {
    let is_scope = |argument: &Argument| {
        let applies = |command: &str| command.is_empty() || command == entry.info.name;
        SCOPES.iter().any(|(command, names)| applies(command) && names.contains(&argument.name))
    };
    let is_identifier = |argument: &Argument| argument.is_id() || EXACT.contains(&argument.name);
    let arguments = (entry.arguments)().into_iter();
    arguments.filter(|argument| is_identifier(argument) && !is_scope(argument)).collect()
}

/// Returns the commands that read without changing the console, writing files or polling, with the arguments that
/// identify objects. The others have their own tests.
fn reads() -> impl Iterator<Item = (&'static RegisteredCommand, Vec<Argument>)> {
    let is_read = |entry: &&RegisteredCommand| {
        let has = |name| (entry.arguments)().iter().any(|argument| argument.name == name);
        !entry.info.is_action && !has("dir") && !has("interval")
    };
    registry().iter().filter(is_read).map(|entry| (entry, identifiers(entry)))
}

const FOUND: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const MISSING: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A console that has at most one object, with the identifier [`FOUND`].
struct OneObject {
    /// Whether the console has the object.
    exists: bool,
}

impl Respond for OneObject {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked = request.url.query_pairs().any(|(_, value)| value.contains(FOUND));
        let object = json!({
            "id": FOUND, "uuid": FOUND, "value": FOUND, "alertInfo": { "alertId": FOUND }, "name": FOUND,
            "threatInfo": { "sha1": FOUND }, "parentTaskId": FOUND,
        });
        let items = if self.exists && asked { vec![object] } else { Vec::new() };
        let data =
            if request.url.path().ends_with("/sites") { json!({ "sites": items }) } else { json!(items) };
        json_response(
            json!({ "data": data, "pagination": { "nextCursor": null, "totalItems": items.len() } }),
        )
    }
}

/// Returns values for the required arguments of a command, except one.
fn required_by(entry: &RegisteredCommand, except: &str) -> Vec<(&'static str, &'static str)> {
    let others = (entry.arguments)().into_iter().filter(|other| other.required && other.name != except);
    others.map(|other| (other.name, if other.kind == ArgumentKind::Time { NOW } else { "1" })).collect()
}

/// Runs a command with values for `argument` and for its required arguments.
async fn run_with(
    entry: &RegisteredCommand,
    argument: &Argument,
    value: &str,
    exists: bool,
) -> Result<Outcome, Error> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(OneObject { exists }).mount(&server).await;
    let args = [vec![(argument.name, value)], required_by(entry, argument.name)].concat();
    entry.prepare(arguments(&args)).unwrap().run(&client(&server, V2_1)).await
}

#[tokio::test]
async fn read_commands_name_identifiers_that_are_not_found() {
    let mut checked = Vec::new();
    for (entry, identifiers) in reads() {
        for argument in identifiers {
            let label = format!("{} {}", entry.info.name, argument.name);
            match run_with(entry, &argument, MISSING, false).await {
                Ok(outcome) => {
                    let not_found: Vec<_> =
                        outcome.not_found.iter().map(|one| (one.argument, one.id.as_str())).collect();
                    assert_eq!(not_found, [(argument.name, MISSING)], "{label}");
                    assert!(!outcome.is_complete() && !outcome.has_results(), "{label}");
                    assert_eq!(outcome.to_json()["notFound"][0]["id"], MISSING, "{label}");
                }
                Err(error) => assert!(error.to_string().contains(MISSING), "{label}: {error}"),
            }
            if argument.kind == ArgumentKind::List {
                let both = format!("{MISSING},{FOUND}");
                let outcome = run_with(entry, &argument, &both, true).await.unwrap();
                let ids: Vec<_> = outcome.not_found.iter().map(|one| one.id.as_str()).collect();
                assert_eq!(ids, [MISSING], "{label}");
                let outcome = run_with(entry, &argument, FOUND, true).await.unwrap();
                assert!(outcome.is_complete() && outcome.not_found.is_empty(), "{label}");
            }
            checked.push(label);
        }
    }
    for expected in ["get-threats threat_ids", "get-agent agent_id", "get-site site_id", "get-hash hash"] {
        assert!(checked.iter().any(|label| label == expected), "{expected}: {checked:?}");
    }
}

#[tokio::test]
async fn list_agents_params_name_missing_ids() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(OneObject { exists: true }).mount(&server).await;
    for field in ["ids", "uuids"] {
        let params = format!("{field}={FOUND},{field}={MISSING}");
        let outcome = run(&server, V2_1, "list-agents", &[("params", &params)]).await;
        let ids: Vec<_> = outcome.not_found.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, [MISSING], "{field}");
    }
}

/// If the list is not read to its end, a further item could have the identifier.
#[tokio::test]
async fn incomplete_list_names_no_missing_identifiers() {
    let server = MockServer::start().await;
    let first = json!({ "data": [{ "id": "1" }], "pagination": { "nextCursor": "n", "totalItems": 2 } });
    Mock::given(any()).respond_with(json_response(first)).up_to_n_times(1).mount(&server).await;
    let ids = [("threat_ids", "1,2"), ("limit", "1")];
    assert!(run(&server, V2_1, "get-threats", &ids).await.not_found.is_empty(), "stopped by the limit");

    let last = json!({ "data": [], "pagination": { "nextCursor": null, "totalItems": 1 } });
    let later = MockServer::start().await;
    Mock::given(any()).respond_with(json_response(last)).mount(&later).await;
    for (name, identifier, start) in [
        ("get-alerts", ("alert_ids", "1"), ("cursor", "c")),
        ("get-iocs", ("uuids", "1"), ("cursor", "c")),
        ("get-iocs", ("value", "1"), ("cursor", "c")),
        ("get-remote-script-task-status", ("parent_task_id", "1"), ("cursor", "c")),
        ("get-remote-script-task-status", ("ids", "1"), ("cursor", "c")),
        ("get-blocklist", ("hash", MISSING), ("offset", "1")),
    ] {
        let args = [required_by(entry(name), identifier.0), vec![identifier, start]].concat();
        let not_found = run(&later, V2_1, name, &args).await.not_found;
        assert_eq!(not_found, [], "{name} starts after the first item");
    }
    let from_start = [("hash", MISSING), ("offset", "0")];
    assert_eq!(run(&later, V2_1, "get-blocklist", &from_start).await.not_found[0].id, MISSING);

    let errors =
        json!({ "data": [{ "id": "1" }], "errors": [{ "code": 5000010, "title": "One shard failed" }] });
    Mock::given(any()).respond_with(json_response(errors)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-threats", &ids[..1]).await;
    assert!(outcome.not_found.is_empty() && !outcome.is_complete(), "errors next to the data");
}

#[test]
fn values_that_cannot_be_ids_are_rejected_by_all_commands() {
    for entry in registry() {
        for argument in (entry.arguments)().into_iter().filter(Argument::is_id) {
            let is_query = argument.name.starts_with("query");
            for value in [
                "a b",
                "a\tb",
                "1\n2",
                "@ids.txt",
                "a@b",
                "-",
                "\"1\"",
                "'1'",
                "${ids}",
                "*",
                "a/b",
                "[\"a b\"]",
            ] {
                let error = entry.prepare(arguments(&[(argument.name, value)])).map(drop);
                let is_rejected = matches!(&error, Err(error) if error.to_string().contains("is not an ID"));
                let is_allowed = is_query && value == "a/b"
                    || value.starts_with('[') && argument.kind == ArgumentKind::String;
                assert!(
                    is_rejected || is_allowed,
                    "{} {} {value:?}: {error:?}",
                    entry.info.name,
                    argument.name
                );
            }
            for value in ["460000000000000011", "6f1b2c3d-0000-4abc-8def-000000000001", "q_1.2~x:y+z="] {
                let result = entry.prepare(arguments(&[(argument.name, value)]));
                let text = result.map(drop).map_err(|error| error.to_string());
                assert!(!matches!(&text, Err(text) if text.contains("is not an ID")), "{text:?}");
            }
        }
    }
}

#[test]
fn names_and_substrings_are_not_checked_as_ids() {
    let is_id = |name: &str| {
        let mut all = registry().iter().flat_map(|entry| (entry.arguments)());
        all.find(|argument| argument.name == name).unwrap_or_else(|| panic!("{name}")).is_id()
    };
    for name in [
        "threat_ids",
        "agent_id",
        "queryId",
        "ruleIds",
        "remoteId",
        "uuids",
        "ids",
        "parent_task_id",
        "parent_task_id_in",
    ] {
        assert!(is_id(name), "{name}");
    }
    for name in
        ["external_id", "externalId", "uuid_contains", "site_name", "hash", "query", "params", "value"]
    {
        assert!(!is_id(name), "{name}");
    }
}
