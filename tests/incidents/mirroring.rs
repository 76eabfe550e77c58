//! Mirroring: requests to the console, changes from the console, and failures.

use sentinelone::incidents::{
    Delta, INCIDENT_TYPE, IncidentAction, IncidentConfig, IncidentConfigError, MirrorDirection, MirrorError,
    RemoteThreat, ThreatMirror, UpdateReport, UpdateStep, labels,
};
use sentinelone::threats::{AnalystVerdict, IncidentStatus};
use sentinelone::{
    ApiToken, ApiVersion, Client, Delivery, Error, ErrorKind, IdState, OpenEnum, RateLimits, RetryPolicy,
    Timestamp,
};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[allow(dead_code, reason = "the main function is unused here")]
#[path = "../../examples/mirror.rs"]
mod example;

const V2_0: ApiVersion = ApiVersion::V2_0;
const V2_1: ApiVersion = ApiVersion::V2_1;
const THREATS: &str = "/web/api/v2.1/threats";

fn client(url: &str, token: &str, version: ApiVersion) -> Client {
    let client = Client::builder(url).token(ApiToken::new(token).unwrap()).api_version(version);
    client.retry_policy(RetryPolicy::disabled()).rate_limits(RateLimits::disabled()).build().unwrap()
}

/// Returns the mirror error that an error was converted from.
fn mirror_error(error: &Error) -> Option<&MirrorError> {
    error.downcast_ref()
}

fn mirror_on(client: Client, direction: MirrorDirection, close: bool) -> ThreatMirror {
    let mut config = IncidentConfig::default();
    (config.mirror_direction, config.close_resolved) = (direction, close);
    ThreatMirror::new(client, &config).unwrap()
}

fn mirror(server: &MockServer, version: ApiVersion, direction: MirrorDirection) -> ThreatMirror {
    mirror_on(client(&server.uri(), "token-of-the-test", version), direction, direction.is_incoming())
}

/// Returns a mirror of incoming changes.
fn mirror_of(server: &MockServer) -> ThreatMirror {
    mirror(server, V2_1, MirrorDirection::Incoming)
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn affected(count: u64) -> ResponseTemplate {
    ok(json!({ "data": { "affected": count } }))
}

async fn post(server: &MockServer, rest: &str, response: ResponseTemplate) {
    let mock = Mock::given(method("POST")).and(path(format!("{THREATS}/{rest}")));
    mock.respond_with(response).mount(server).await;
}

/// Returns the last path segment and the body of each request, in order.
async fn requests_of(server: &MockServer) -> (Vec<String>, Vec<Value>) {
    let requests = server.received_requests().await.unwrap();
    let last = |url: &url::Url| url.path().rsplit('/').next().unwrap().to_owned();
    let body = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_default();
    requests.iter().map(|one| (last(&one.url), body(&one.body))).unzip()
}

fn states(report: &UpdateReport) -> Vec<(UpdateStep, IdState)> {
    report.steps.iter().map(|one| (one.step, one.state)).collect()
}

fn time(value: &str) -> Timestamp {
    Timestamp::from(value)
}

fn verdict_and_status() -> Delta {
    let delta = Delta::default().verdict(AnalystVerdict::Suspicious).status(IncidentStatus::Resolved);
    delta.close_notes("all clean")
}

#[test]
fn labels_round_trip_every_value() {
    assert_eq!(labels::verdict_labels().count(), AnalystVerdict::VALUES.len());
    for name in AnalystVerdict::VALUES {
        let value = AnalystVerdict::from(*name);
        let label = labels::label_of_verdict(&value).unwrap();
        for label in [label.to_owned(), label.to_uppercase(), format!(" {} ", label.to_lowercase())] {
            assert_eq!(labels::parse_verdict(&label), Some(value.clone()), "{label}");
        }
    }
    assert_eq!(labels::status_labels().count(), IncidentStatus::VALUES.len());
    for name in IncidentStatus::VALUES {
        let value = IncidentStatus::from(*name);
        let label = labels::label_of_status(&value).unwrap();
        for label in [label.to_owned(), label.to_uppercase(), format!(" {} ", label.to_lowercase())] {
            assert_eq!(labels::parse_status(&label), Some(value.clone()), "{label}");
        }
    }
    for label in labels::verdict_labels() {
        assert_eq!(labels::label_of_verdict(&labels::parse_verdict(label).unwrap()), Some(label));
    }
    for label in labels::status_labels() {
        assert_eq!(labels::label_of_status(&labels::parse_status(label).unwrap()), Some(label));
    }
    for unknown in ["", "true_positive", "in_progress", "Closed", "True  positive"] {
        assert_eq!(
            (labels::parse_verdict(unknown), labels::parse_status(unknown)),
            (None, None),
            "{unknown}"
        );
    }
    assert_eq!(labels::label_of_verdict(&"benign".into()), None);
    assert_eq!(labels::label_of_status(&"benign".into()), None);
}

#[test]
fn delta_from_fields_reads_changed_fields() {
    let read = |fields: Value| Delta::from_fields(&fields);
    let fields = json!({
        "sentinelonethreatanalystverdict": "suspicious",
        "sentinelonethreatstatus": "RESOLVED",
        "closeNotes": "all clean",
        "severity": 3,
    });
    assert_eq!(read(fields), Ok(verdict_and_status()));
    for unchanged in [json!({}), json!({ "sentinelonethreatstatus": null }), json!({ "closeNotes": "x" })] {
        assert!(read(unchanged.clone()).unwrap().is_empty(), "{unchanged}");
    }
    assert!(read(json!({ "sentinelonethreatanalystverdict": " " })).unwrap().is_empty());
    assert!(!read(json!({ "sentinelonethreatstatus": "In progress" })).unwrap().is_empty());
    assert_eq!(read(json!([])), Err(MirrorError::NotAnObject));
    assert_eq!(
        read(json!({ "sentinelonethreatstatus": 2 })),
        Err(MirrorError::NotAString("sentinelonethreatstatus"))
    );
    let error = read(json!({ "sentinelonethreatstatus": "Closed" })).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sentinelonethreatstatus is \"Closed\"; expected one of Unresolved, In progress, Resolved"
    );
    let error = read(json!({ "sentinelonethreatanalystverdict": "Benign" })).unwrap_err();
    assert!(matches!(error, MirrorError::Unknown { .. }) && error.to_string().contains("False positive"));
}

#[test]
fn mapping_fields_need_no_console() {
    let names: Vec<_> = ThreatMirror::mapping_fields().iter().map(|field| field.name).collect();
    assert_eq!(names, ["analystVerdict", "incidentStatus"]);
    assert_eq!(INCIDENT_TYPE, "SentinelOne Incident");
}

/// A call against the direction is rejected before a request is sent.
#[tokio::test]
async fn mirror_wrong_direction_is_rejected() {
    let server = MockServer::start().await;
    let assert_rejected = |error: Error, expected: &str, actual: &str| {
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Configuration, Delivery::NotSent));
        let Some(MirrorError::Direction { expected: required, actual: configured, .. }) =
            mirror_error(&error)
        else {
            panic!("{error}")
        };
        assert_eq!((*required, *configured), (expected, actual));
        assert_eq!(error.help().as_deref(), Some("change the mirror direction of the configuration"));
    };
    let last_update = time("2026-11-21T08:00:00Z");
    for (direction, direction_name) in [(MirrorDirection::None, "None"), (MirrorDirection::Outgoing, "Out")] {
        let mirror = mirror(&server, V2_1, direction);
        assert_eq!(mirror.direction(), direction);
        assert_rejected(mirror.modified_ids(&last_update).await.unwrap_err(), "In or Both", direction_name);
        assert_rejected(
            mirror.fetch_threat("9", &last_update).await.unwrap_err(),
            "In or Both",
            direction_name,
        );
    }
    for (direction, direction_name) in [(MirrorDirection::None, "None"), (MirrorDirection::Incoming, "In")] {
        let mirror = mirror(&server, V2_1, direction);
        assert_rejected(
            mirror.push_changes("9", &verdict_and_status()).await.unwrap_err(),
            "Out or Both",
            direction_name,
        );
    }
    assert_eq!(requests_of(&server).await.0, [""; 0]);

    for direction in [MirrorDirection::None, MirrorDirection::Outgoing] {
        let mut config = IncidentConfig::default();
        (config.mirror_direction, config.close_resolved) = (direction, true);
        let error = ThreatMirror::new(client(&server.uri(), "t", V2_1), &config).unwrap_err();
        assert_eq!(error, IncidentConfigError::CloseNeedsIncoming);
    }
}

/// API 2.0 has neither analyst verdicts nor incident statuses.
#[tokio::test]
async fn push_changes_api_2_0_is_rejected() {
    let server = MockServer::start().await;
    let mirror = mirror(&server, V2_0, MirrorDirection::Both);
    let verdict = Delta::default().verdict(AnalystVerdict::Undefined);
    let status = Delta::default().status(IncidentStatus::InProgress);
    for delta in [verdict, status, verdict_and_status()] {
        let error = mirror.push_changes("9", &delta).await.unwrap_err();
        assert_eq!(mirror_error(&error), Some(&MirrorError::UnsupportedApiVersion(V2_0)));
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
        assert_eq!(error.help().as_deref(), Some("use API 2.1, or mirror incoming changes only"));
    }
    let report = mirror.push_changes("9", &Delta::default()).await.unwrap();
    assert!(report.is_complete() && report.steps.is_empty());
    assert_eq!(requests_of(&server).await.0, [""; 0]);
}

#[tokio::test]
async fn push_changes_invalid_request_sends_no_request() {
    let server = MockServer::start().await;
    let mirror = mirror(&server, V2_1, MirrorDirection::Outgoing);
    let unknown = Delta::default().verdict("benign").status(IncidentStatus::Resolved);
    let error = mirror.push_changes("9", &unknown).await.unwrap_err();
    assert!(matches!(mirror_error(&error), Some(MirrorError::Unknown { .. })), "{error}");
    assert!(error.to_string().contains("expected one of undefined, true_positive"), "{error}");
    let unknown = verdict_and_status().status("closed");
    let error = mirror.push_changes("9", &unknown).await.unwrap_err();
    assert!(error.to_string().starts_with("incident status is \"closed\""), "{error}");
    // Without an ID the filter would match all threats.
    for id in ["", " "] {
        let error = mirror.push_changes(id, &verdict_and_status()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
    }
    // The last note is too long, so no request is sent.
    let error =
        mirror.push_changes("9", &verdict_and_status().close_notes("x".repeat(10_001))).await.unwrap_err();
    assert_eq!(error.operation(), Some("threats_add_note"));
    assert_eq!(requests_of(&server).await.0, [""; 0]);
}

#[tokio::test]
async fn push_changes_adds_a_note_per_change() {
    let server = MockServer::start().await;
    for rest in ["analyst-verdict", "incident", "notes"] {
        post(&server, rest, affected(1)).await;
    }
    let mirror = mirror(&server, V2_1, MirrorDirection::Outgoing);
    let report = mirror.push_changes("9", &verdict_and_status()).await.unwrap();
    assert!(report.is_complete());
    let all = [UpdateStep::Verdict, UpdateStep::VerdictNote, UpdateStep::Status, UpdateStep::StatusNote];
    assert_eq!(states(&report), all.map(|step| (step, IdState::Done)));
    let response = report.step(UpdateStep::StatusNote).unwrap().response.as_ref().unwrap();
    assert_eq!(response["data"]["affected"], 1);
    let (paths, bodies) = requests_of(&server).await;
    assert_eq!(paths, ["analyst-verdict", "notes", "incident", "notes"]);
    let filter = json!({ "ids": ["9"] });
    let note = |value: &str| json!({ "data": { "text": value }, "filter": filter });
    let expected = [
        json!({ "data": { "analystVerdict": "suspicious" }, "filter": { "ids": ["9"], "tenant": true } }),
        note("XSOAR - Updated the threat analyst verdict to Suspicious"),
        json!({ "data": { "incidentStatus": "resolved" }, "filter": filter }),
        note("XSOAR - Marked as resolved \nall clean"),
    ];
    assert_eq!(bodies, expected);
}

/// A change that was not applied has no note and is not a success.
#[tokio::test]
async fn unapplied_change_adds_no_note() {
    let result =
        |value: &str| json!({ "data": { "affected": 1, "details": [{ "threatId": "9", "result": value }] } });
    for (response, state, complete) in [
        (affected(0), IdState::NotAffected, false),
        (ok(result("missing_permissions")), IdState::NotAffected, false),
        (ok(result("already_set")), IdState::AlreadySet, true),
        (ok(json!({ "data": {} })), IdState::Unknown, false),
    ] {
        let server = MockServer::start().await;
        post(&server, "analyst-verdict", response.clone()).await;
        post(&server, "incident", response).await;
        let report = mirror(&server, V2_1, MirrorDirection::Both)
            .push_changes("9", &verdict_and_status())
            .await
            .unwrap();
        assert_eq!(states(&report), [(UpdateStep::Verdict, state), (UpdateStep::Status, state)]);
        assert_eq!(report.is_complete(), complete, "{state}");
        assert!(report.step(UpdateStep::VerdictNote).is_none());
        assert_eq!(requests_of(&server).await.0, ["analyst-verdict", "incident"]);
    }
}

#[tokio::test]
async fn push_changes_failed_note_keeps_change_outcome() {
    for (status, state) in [(403, IdState::NotAffected), (500, IdState::Unknown)] {
        let server = MockServer::start().await;
        post(&server, "analyst-verdict", affected(1)).await;
        post(&server, "incident", affected(1)).await;
        post(&server, "notes", ResponseTemplate::new(status)).await;
        let report = mirror(&server, V2_1, MirrorDirection::Both)
            .push_changes("9", &verdict_and_status())
            .await
            .unwrap();
        let expected = [
            (UpdateStep::Verdict, IdState::Done),
            (UpdateStep::VerdictNote, state),
            (UpdateStep::Status, IdState::NotAffected),
        ];
        assert_eq!(states(&report), expected);
        assert!(!report.is_complete());
        assert_eq!(report.step(UpdateStep::Status).unwrap().response, None, "no request was sent");
        let failure = report.failure.unwrap();
        assert_eq!(failure.operation(), Some("threats_add_note"));
        assert_eq!(failure.status().unwrap(), status);
        assert_eq!(requests_of(&server).await.0, ["analyst-verdict", "notes"]);
    }
}

#[tokio::test]
async fn push_changes_first_failure_is_error_later_failure_is_reported() {
    let server = MockServer::start().await;
    post(&server, "analyst-verdict", ResponseTemplate::new(403)).await;
    let error = mirror(&server, V2_1, MirrorDirection::Both)
        .push_changes("9", &verdict_and_status())
        .await
        .unwrap_err();
    assert_eq!((error.operation(), error.attempts()), (Some("threats_update_analyst_verdict"), 1));
    assert_eq!(error.status().unwrap(), 403);
    assert_eq!(requests_of(&server).await.0, ["analyst-verdict"]);

    let server = MockServer::start().await;
    post(&server, "analyst-verdict", affected(1)).await;
    post(&server, "notes", affected(1)).await;
    post(&server, "incident", ResponseTemplate::new(500)).await;
    let report =
        mirror(&server, V2_1, MirrorDirection::Both).push_changes("9", &verdict_and_status()).await.unwrap();
    let expected = [
        (UpdateStep::Verdict, IdState::Done),
        (UpdateStep::VerdictNote, IdState::Done),
        (UpdateStep::Status, IdState::Unknown),
    ];
    assert_eq!(states(&report), expected);
    assert_eq!(report.failure.unwrap().operation(), Some("threats_update_incident"));
    assert_eq!(requests_of(&server).await.0, ["analyst-verdict", "notes", "incident"]);
}

#[tokio::test]
async fn push_changes_response_errors_are_reported() {
    let server = MockServer::start().await;
    let with_errors = json!({ "data": { "affected": 1 }, "errors": [{ "code": 7, "title": "odd" }] });
    post(&server, "analyst-verdict", ok(with_errors)).await;
    post(&server, "notes", affected(5)).await;
    let delta = Delta::default().verdict(AnalystVerdict::TruePositive);
    let report = mirror(&server, V2_1, MirrorDirection::Both).push_changes("9", &delta).await.unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.step(UpdateStep::Verdict).unwrap().errors[0].title.as_deref(), Some("odd"));
    let note = &report.step(UpdateStep::VerdictNote).unwrap().errors[0];
    assert!(
        note.detail.as_deref().unwrap().contains("affected 5 items, but the request had 1 IDs"),
        "{note}"
    );
}

/// Serves a list of threats with two pages.
async fn pages(server: &MockServer, last: ResponseTemplate) {
    let list = || Mock::given(method("GET")).and(path(THREATS)).and(query_param("limit", "1000"));
    let data = json!([{ "id": "1" }, { "id": "2" }, { "threatInfo": {} }]);
    let first = ok(json!({ "data": data, "pagination": { "nextCursor": "n" } }));
    let first_page = list().and(query_param_is_missing("cursor"));
    first_page
        .and(query_param("updatedAt__gte", "2026-11-21T06:00:00Z"))
        .respond_with(first)
        .mount(server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(last).mount(server).await;
}

#[tokio::test]
async fn modified_ids_failed_page_is_an_error() {
    let since = time("2026-11-21T08:00:00+02:00");
    let server = MockServer::start().await;
    // The second threat changed again while the list was read.
    pages(&server, ok(json!({ "data": [{ "id": "2" }, { "id": 3 }], "pagination": {} }))).await;
    assert_eq!(mirror_of(&server).modified_ids(&since).await.unwrap(), ["1", "2", "3"]);
    assert_eq!(requests_of(&server).await.0, ["threats", "threats"]);

    let server = MockServer::start().await;
    pages(&server, ResponseTemplate::new(502)).await;
    let error = mirror_of(&server).modified_ids(&since).await.unwrap_err();
    assert_eq!(error.operation(), Some("threats_list"));
    assert_eq!(error.status().unwrap(), 502);

    let server = MockServer::start().await;
    let incomplete = json!({ "data": [{ "id": "3" }], "errors": [{ "title": "one site did not respond" }] });
    pages(&server, ok(incomplete)).await;
    let error = mirror_of(&server).modified_ids(&since).await.unwrap_err();
    assert!(error.to_string().contains("one site did not respond"), "{error}");

    let error = mirror_of(&server).modified_ids(&time("yesterday")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
}

fn text(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string(body)
}

async fn console_with(body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(THREATS)).respond_with(text(body)).mount(&server).await;
    server
}

#[tokio::test]
async fn modified_ids_invalid_item_is_listed_if_its_id_is_readable() {
    let since = time("2026-11-20T00:00:00Z");
    let server =
        console_with(r#"{"data": [{"id": "1", "x": NaN}, {"id": "2", "x": "\q"}, {"id": "3"}]}"#).await;
    let mut ids = mirror_of(&server).modified_ids(&since).await.unwrap();
    ids.sort_unstable();
    assert_eq!(ids, ["1", "2", "3"]);
    let server = console_with(r#"{"data": [{"id": "1"}, {"id": two}]}"#).await;
    let error = mirror_of(&server).modified_ids(&since).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.decode_error().unwrap().path.as_str()),
        (ErrorKind::Decode, "data[1].id")
    );
}

#[tokio::test]
async fn fetch_threat_invalid_json_is_repaired_or_an_error() {
    let at = time("2026-11-20T00:00:00Z");
    let repaired = console_with(r#"{"data": [{"id": "9", "threatInfo": {"threatName": "\udc00"}}]}"#).await;
    let found = mirror_of(&repaired).fetch_threat("9", &at).await.unwrap().unwrap();
    assert_eq!(found.threat["threatInfo"]["threatName"], "\u{fffd}");
    assert_eq!(found.repairs.iter().next().unwrap().item_id.as_deref(), Some("9"));
    let invalid = console_with(r#"{"data": [{"id": "9", "threatInfo": {"threatName": "\q"}}]}"#).await;
    let other = mirror_of(&invalid).fetch_threat("8", &at).await.unwrap();
    assert!(other.is_none(), "the invalid item is another threat");
    let error = mirror_of(&invalid).fetch_threat("9", &at).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "the threat exists");
    assert_eq!(error.decode_error().unwrap().path, "data[0].threatInfo.threatName");
}

#[tokio::test]
async fn push_changes_repaired_response_keeps_outcome_and_repairs() {
    let server = MockServer::start().await;
    post(&server, "analyst-verdict", text(r#"{"data": {"affected": 1, "x": NaN}}"#)).await;
    post(&server, "notes", affected(1)).await;
    let mirror = mirror(&server, V2_1, MirrorDirection::Outgoing);
    let delta = Delta::default().verdict(AnalystVerdict::TruePositive);
    let report = mirror.push_changes("9", &delta).await.unwrap();
    assert!(report.is_complete());
    let repairs: Vec<_> = report.steps.iter().map(|step| step.repairs.iter().count()).collect();
    assert_eq!(repairs, [1, 0]);
}

async fn fetch_threat(version: ApiVersion, threat: &Value, close: bool) -> RemoteThreat {
    let server = MockServer::start().await;
    let list = Mock::given(path(format!("/web/api/v{version}/threats"))).and(query_param("ids", "9"));
    list.respond_with(ok(json!({ "data": [threat] }))).mount(&server).await;
    let client = client(&server.uri(), "token-of-the-test", version);
    let mirror = mirror_on(client, MirrorDirection::Incoming, close);
    mirror.fetch_threat("9", &time("2026-11-21T10:00:00+02:00")).await.unwrap().unwrap()
}

#[tokio::test]
async fn fetch_threat_status_determines_action() {
    let threat = |status: &str, updated: &str| {
        let info = json!({ "incidentStatus": status, "analystVerdict": "suspicious", "updatedAt": updated });
        json!({ "id": "9", "threatInfo": info, "brandNew": 1 })
    };
    let at = "2026-11-21T08:00:00.000000Z";
    for (status, expected) in [
        ("resolved", vec![IncidentAction::Close]),
        ("in_progress", vec![IncidentAction::Reopen]),
        ("unresolved", vec![IncidentAction::Reopen]),
        ("brand_new", vec![]),
    ] {
        let threat = threat(status, at);
        let found = fetch_threat(V2_1, &threat, true).await;
        assert_eq!(found.actions, expected, "{status}");
        assert_eq!(found.threat, threat, "the threat is unchanged");
        assert_eq!((found.has_changed, found.updated_at.as_ref()), (Some(true), Some(&time(at))));
        assert_eq!(found.status(), Some(IncidentStatus::from(status)));
        assert_eq!(found.verdict(), Some(AnalystVerdict::Suspicious));
        assert_eq!(fetch_threat(V2_1, &threat, false).await.actions, [], "{status}");
    }
    let before = fetch_threat(V2_1, &threat("resolved", "2026-11-21T07:59:59Z"), true).await;
    assert_eq!((before.has_changed, before.actions), (Some(false), vec![IncidentAction::Close]));
    assert_eq!(fetch_threat(V2_1, &threat("resolved", "soon"), true).await.has_changed, None);

    // As an XSOAR note.
    let close = IncidentAction::Close.to_json();
    assert_eq!(close["Contents"]["dbotIncidentClose"], true);
    assert_eq!(close["Contents"]["closeReason"], IncidentAction::CLOSE_REASON);
    let contents = json!({ "dbotIncidentReopen": true });
    let reopen = json!({ "Type": 1, "Contents": contents, "ContentsFormat": "json" });
    assert_eq!(IncidentAction::Reopen.to_json(), reopen);
}

#[tokio::test]
async fn fetch_threat_api_2_0_uses_resolved_flag() {
    let threat =
        |resolved: bool| json!({ "id": "9", "resolved": resolved, "updatedAt": "2026-11-21T09:00:00Z" });
    let found = fetch_threat(V2_0, &threat(true), true).await;
    assert_eq!((found.actions.as_slice(), found.has_changed), (&[IncidentAction::Close][..], Some(true)));
    assert_eq!((found.status(), found.verdict()), (Some(IncidentStatus::Resolved), None));
    let found = fetch_threat(V2_0, &threat(false), true).await;
    assert_eq!(
        (found.actions.as_slice(), found.status()),
        (&[IncidentAction::Reopen][..], Some(IncidentStatus::Unresolved))
    );

    let server = MockServer::start().await;
    let list =
        Mock::given(path("/web/api/v2.0/threats")).and(query_param("updatedAt__gte", "2026-11-21T08:00:00Z"));
    list.respond_with(ok(json!({ "data": [{ "id": "7" }] }))).mount(&server).await;
    let mirror = mirror(&server, V2_0, MirrorDirection::Incoming);
    assert_eq!(mirror.modified_ids(&time("2026-11-21T08:00:00Z")).await.unwrap(), ["7"]);
}

/// A response with another threat means that the threat does not exist. An incomplete or failed response does
/// not.
#[tokio::test]
async fn fetch_threat_missing_only_on_empty_success() {
    let last_update = time("2026-11-21T08:00:00Z");
    let fetch = |response: ResponseTemplate| async move {
        let server = MockServer::start().await;
        Mock::given(path(THREATS)).respond_with(response).mount(&server).await;
        mirror(&server, V2_1, MirrorDirection::Both).fetch_threat("9", &last_update).await
    };
    assert!(fetch.clone()(ok(json!({ "data": [] }))).await.unwrap().is_none());
    assert!(fetch.clone()(ok(json!({ "data": [{ "id": "8" }] }))).await.unwrap().is_none());
    let incomplete = json!({ "data": [], "errors": [{ "title": "one site did not respond" }] });
    let error = fetch.clone()(ok(incomplete)).await.unwrap_err();
    assert!(error.to_string().contains("one site did not respond"), "{error}");
    assert_eq!(fetch(ResponseTemplate::new(401)).await.unwrap_err().status().unwrap(), 401);
}

/// Changes that are sent are also read back.
#[tokio::test]
async fn mirror_sandbox_round_trip() {
    use sentinelone_sandbox::Sandbox;

    let sandbox = Sandbox::start().await.unwrap();
    let mirror = mirror_on(client(&sandbox.url(), Sandbox::TOKEN, V2_1), MirrorDirection::Both, true);
    let (id, since) = ("460000000000000011", Timestamp::now());
    assert_eq!(mirror.modified_ids(&time("2999-01-01T00:00:00Z")).await.unwrap(), [""; 0]);
    assert!(mirror.push_changes(id, &verdict_and_status()).await.unwrap().is_complete());
    assert!(mirror.modified_ids(&since).await.unwrap().iter().any(|one| one == id));
    let remote = mirror.fetch_threat(id, &since).await.unwrap().unwrap();
    assert_eq!((remote.has_changed, remote.actions.as_slice()), (Some(true), &[IncidentAction::Close][..]));
    assert_eq!(remote.verdict(), Some(AnalystVerdict::Suspicious));
    assert_eq!(remote.status(), Some(IncidentStatus::Resolved));
    // The same changes again are already set and add no notes.
    let repeated = mirror.push_changes(id, &verdict_and_status()).await.unwrap();
    let expected = [UpdateStep::Verdict, UpdateStep::Status].map(|step| (step, IdState::AlreadySet));
    assert_eq!(states(&repeated), expected);
    assert!(mirror.fetch_threat("1", &since).await.unwrap().is_none());
    let missing = mirror.push_changes("1", &verdict_and_status()).await.unwrap();
    assert!(!missing.is_complete() && missing.step(UpdateStep::VerdictNote).is_none());
    sandbox.stop().await;
}

/// Runs `examples/mirror.rs`.
#[tokio::test]
async fn mirror_example_synchronizes_tickets() {
    let (store, notes) = example::run().await.unwrap();
    let keys: Vec<_> = store.tickets.keys().map(String::as_str).collect();
    let ids = ["04", "07", "08", "11", "12"].map(|id| format!("threats:4600000000000000{id}"));
    assert_eq!(keys, ids);
    let log = |id: usize| store.tickets[&ids[id]].log.iter().map(String::as_str).collect::<Vec<_>>();
    let expected = [
        "closed locally: True positive",
        "verdict on the console: done",
        "verdictNote on the console: done",
        "status on the console: done",
        "statusNote on the console: done",
    ];
    assert_eq!(log(3), expected);
    assert!(!store.tickets[&ids[3]].open);
    assert_eq!(log(4), ["closed by the console: Suspicious", "reopened by the console"]);
    assert!((0..3).all(|id| log(id).is_empty()));
    assert_eq!(store.tickets.values().filter(|ticket| ticket.open).count(), 4);
    let expected_notes = [
        "XSOAR - Updated the threat analyst verdict to True positive",
        "XSOAR - Marked as resolved \nthe host was reinstalled",
    ];
    for value in expected_notes {
        assert!(notes.iter().any(|note| note == value), "{notes:?}");
    }
}
