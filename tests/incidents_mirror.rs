//! Mirroring: what goes to the console, what comes from it, and what is told when something fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use sentinelone::incidents::{
    Delta, Entry, INCIDENT_TYPE, MirrorError, Mirroring, RemoteThreat, Settings, SettingsError, Step,
    ThreatMirror, Updated, labels,
};
use sentinelone::threats::{AnalystVerdict, IncidentStatus};
use sentinelone::{
    ApiToken, ApiVersion, Client, Error, ErrorKind, IdState, OpenEnum, RateLimits, Retry, Sent, Timestamp,
};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[cfg(feature = "sandbox")]
#[allow(dead_code, reason = "its main function is for those who run it")]
#[path = "../examples/mirror.rs"]
mod example;

const V2_0: ApiVersion = ApiVersion::V2_0;
const V2_1: ApiVersion = ApiVersion::V2_1;
const THREATS: &str = "/web/api/v2.1/threats";

fn client(url: &str, token: &str, version: ApiVersion) -> Client {
    let client = Client::builder(url).token(ApiToken::new(token).unwrap()).api_version(version);
    client.retry(Retry::off()).rate_limits(RateLimits::off()).build().unwrap()
}

fn mirror_on(client: Client, direction: Mirroring, close: bool) -> ThreatMirror {
    let mut settings = Settings::default();
    (settings.mirroring, settings.close_mirrored) = (direction, close);
    ThreatMirror::new(client, &settings).unwrap()
}

fn mirror(server: &MockServer, version: ApiVersion, direction: Mirroring) -> ThreatMirror {
    mirror_on(client(&server.uri(), "token-of-the-test", version), direction, direction.comes_in())
}

fn answer(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn affected(count: u64) -> ResponseTemplate {
    answer(json!({ "data": { "affected": count } }))
}

async fn post(server: &MockServer, rest: &str, response: ResponseTemplate) {
    let mock = Mock::given(method("POST")).and(path(format!("{THREATS}/{rest}")));
    mock.respond_with(response).mount(server).await;
}

/// The last parts of the paths that were asked, in order, and the bodies.
async fn asked(server: &MockServer) -> (Vec<String>, Vec<Value>) {
    let requests = server.received_requests().await.unwrap();
    let last = |url: &url::Url| url.path().rsplit('/').next().unwrap().to_owned();
    let body = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_default();
    requests.iter().map(|one| (last(&one.url), body(&one.body))).unzip()
}

fn states(updated: &Updated) -> Vec<(Step, IdState)> {
    updated.steps.iter().map(|one| (one.step, one.state)).collect()
}

fn time(text: &str) -> Timestamp {
    Timestamp::from(text)
}

fn both() -> Delta {
    let delta = Delta::default().verdict(AnalystVerdict::Suspicious).status(IncidentStatus::Resolved);
    delta.close_notes("all clean")
}

#[test]
fn every_value_has_a_label_and_comes_back() {
    assert_eq!(labels::verdicts().count(), AnalystVerdict::KNOWN.len());
    for known in AnalystVerdict::KNOWN {
        let value = AnalystVerdict::from(*known);
        let label = labels::label_of_verdict(&value).unwrap();
        for label in [label.to_owned(), label.to_uppercase(), format!(" {} ", label.to_lowercase())] {
            assert_eq!(labels::verdict(&label), Some(value.clone()), "{label}");
        }
    }
    assert_eq!(labels::statuses().count(), IncidentStatus::KNOWN.len());
    for known in IncidentStatus::KNOWN {
        let value = IncidentStatus::from(*known);
        let label = labels::label_of_status(&value).unwrap();
        for label in [label.to_owned(), label.to_uppercase(), format!(" {} ", label.to_lowercase())] {
            assert_eq!(labels::status(&label), Some(value.clone()), "{label}");
        }
    }
    for label in labels::verdicts() {
        assert_eq!(labels::label_of_verdict(&labels::verdict(label).unwrap()), Some(label));
    }
    for label in labels::statuses() {
        assert_eq!(labels::label_of_status(&labels::status(label).unwrap()), Some(label));
    }
    for wrong in ["", "true_positive", "in_progress", "Closed", "True  positive"] {
        assert_eq!((labels::verdict(wrong), labels::status(wrong)), (None, None), "{wrong}");
    }
    assert_eq!(labels::label_of_verdict(&"benign".into()), None);
    assert_eq!(labels::label_of_status(&"benign".into()), None);
}

#[test]
fn what_changed_is_read_from_the_fields_of_the_platform() {
    let read = |fields: Value| Delta::from_fields(&fields);
    let fields = json!({
        "sentinelonethreatanalystverdict": "suspicious",
        "sentinelonethreatstatus": "RESOLVED",
        "closeNotes": "all clean",
        "severity": 3,
    });
    assert_eq!(read(fields), Ok(both()));
    for nothing in [json!({}), json!({ "sentinelonethreatstatus": null }), json!({ "closeNotes": "x" })] {
        assert!(read(nothing.clone()).unwrap().is_empty(), "{nothing}");
    }
    assert!(read(json!({ "sentinelonethreatanalystverdict": " " })).unwrap().is_empty());
    assert!(!read(json!({ "sentinelonethreatstatus": "In progress" })).unwrap().is_empty());
    assert_eq!(read(json!([])), Err(MirrorError::NoObject));
    assert_eq!(
        read(json!({ "sentinelonethreatstatus": 2 })),
        Err(MirrorError::NoText("sentinelonethreatstatus"))
    );
    let wrong = read(json!({ "sentinelonethreatstatus": "Closed" })).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "sentinelonethreatstatus cannot be \"Closed\"; it is one of Unresolved, In progress, Resolved"
    );
    let wrong = read(json!({ "sentinelonethreatanalystverdict": "Benign" })).unwrap_err();
    assert!(matches!(wrong, MirrorError::Unknown { .. }) && wrong.to_string().contains("False positive"));
}

#[test]
fn the_fields_that_changes_go_to_are_known_without_a_console() {
    let names: Vec<_> = ThreatMirror::mapping_fields().iter().map(|field| field.name).collect();
    assert_eq!(names, ["analystVerdict", "incidentStatus"]);
    assert_eq!(INCIDENT_TYPE, "SentinelOne Incident");
}

/// Nothing goes the other way, and nothing is sent to find out.
#[tokio::test]
async fn each_call_keeps_to_the_direction() {
    let server = MockServer::start().await;
    let refused = |error: Error, wanted: &str, given: &str| {
        assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Configuration, Sent::No));
        let Some(MirrorError::Direction { wanted: said, given: is, .. }) = error.mirror_error() else {
            panic!("{error}")
        };
        assert_eq!((*said, *is), (wanted, given));
        assert!(error.to_string().ends_with("change the setting"), "{error}");
    };
    let now = time("2026-11-21T08:00:00Z");
    for (direction, given) in [(Mirroring::None, "None"), (Mirroring::Outgoing, "Out")] {
        let mirror = mirror(&server, V2_1, direction);
        assert_eq!(mirror.direction(), direction);
        refused(mirror.modified(&now).await.unwrap_err(), "In or Both", given);
        refused(mirror.remote("9", &now).await.unwrap_err(), "In or Both", given);
    }
    for (direction, given) in [(Mirroring::None, "None"), (Mirroring::Incoming, "In")] {
        let mirror = mirror(&server, V2_1, direction);
        refused(mirror.update("9", &both()).await.unwrap_err(), "Out or Both", given);
    }
    assert_eq!(asked(&server).await.0, [""; 0]);

    for direction in [Mirroring::None, Mirroring::Outgoing] {
        let mut settings = Settings::default();
        (settings.mirroring, settings.close_mirrored) = (direction, true);
        let wrong = ThreatMirror::new(client(&server.uri(), "t", V2_1), &settings).unwrap_err();
        assert_eq!(wrong, SettingsError::Close);
    }
}

/// API 2.0 has neither a verdict nor a status to set.
#[tokio::test]
async fn nothing_goes_out_to_the_old_api() {
    let server = MockServer::start().await;
    let mirror = mirror(&server, V2_0, Mirroring::Both);
    let verdict = Delta::default().verdict(AnalystVerdict::Undefined);
    let status = Delta::default().status(IncidentStatus::InProgress);
    for delta in [verdict, status, both()] {
        let error = mirror.update("9", &delta).await.unwrap_err();
        assert_eq!(error.mirror_error(), Some(&MirrorError::Version(V2_0)));
        assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Request, Sent::No));
        assert!(error.to_string().contains("use API 2.1"), "{error}");
    }
    let updated = mirror.update("9", &Delta::default()).await.unwrap();
    assert!(updated.is_complete() && updated.steps.is_empty());
    assert_eq!(asked(&server).await.0, [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_as_a_whole() {
    let server = MockServer::start().await;
    let mirror = mirror(&server, V2_1, Mirroring::Outgoing);
    let unknown = Delta::default().verdict("benign").status(IncidentStatus::Resolved);
    let error = mirror.update("9", &unknown).await.unwrap_err();
    assert!(matches!(error.mirror_error(), Some(MirrorError::Unknown { .. })), "{error}");
    assert!(error.to_string().contains("it is one of undefined, true_positive"), "{error}");
    let unknown = both().status("closed");
    let error = mirror.update("9", &unknown).await.unwrap_err();
    assert!(error.to_string().starts_with("the status cannot be \"closed\""), "{error}");
    // Without an identifier it would be everybody's threat.
    for id in ["", " "] {
        let error = mirror.update(id, &both()).await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Request, Sent::No));
    }
    // The note at the end is too long: not even the verdict is sent.
    let error = mirror.update("9", &both().close_notes("x".repeat(10_001))).await.unwrap_err();
    assert_eq!(error.operation(), Some("threats_add_note"));
    assert_eq!(asked(&server).await.0, [""; 0]);
}

#[tokio::test]
async fn each_change_is_followed_by_its_note() {
    let server = MockServer::start().await;
    for rest in ["analyst-verdict", "incident", "notes"] {
        post(&server, rest, affected(1)).await;
    }
    let mirror = mirror(&server, V2_1, Mirroring::Outgoing);
    let updated = mirror.update("9", &both()).await.unwrap();
    assert!(updated.is_complete());
    let all = [Step::Verdict, Step::VerdictNote, Step::Status, Step::StatusNote];
    assert_eq!(states(&updated), all.map(|step| (step, IdState::Done)));
    let answered = updated.step(Step::StatusNote).unwrap().answer.as_ref().unwrap();
    assert_eq!(answered["data"]["affected"], 1);
    let (paths, bodies) = asked(&server).await;
    assert_eq!(paths, ["analyst-verdict", "notes", "incident", "notes"]);
    let filter = json!({ "ids": ["9"] });
    let note = |text: &str| json!({ "data": { "text": text }, "filter": filter });
    let expected = [
        json!({ "data": { "analystVerdict": "suspicious" }, "filter": { "ids": ["9"], "tenant": true } }),
        note("XSOAR - Updated the threat analyst verdict to Suspicious"),
        json!({ "data": { "incidentStatus": "resolved" }, "filter": filter }),
        note("XSOAR - Marked as resolved \nall clean"),
    ];
    assert_eq!(bodies, expected);
}

/// What the console did not take has no note, and is no success.
#[tokio::test]
async fn a_change_that_was_not_taken_has_no_note() {
    let said =
        |word: &str| json!({ "data": { "affected": 1, "details": [{ "threatId": "9", "result": word }] } });
    for (response, state, complete) in [
        (affected(0), IdState::NotAffected, false),
        (answer(said("missing_permissions")), IdState::NotAffected, false),
        (answer(said("already_set")), IdState::AlreadySet, true),
        (answer(json!({ "data": {} })), IdState::Unknown, false),
    ] {
        let server = MockServer::start().await;
        post(&server, "analyst-verdict", response.clone()).await;
        post(&server, "incident", response).await;
        let updated = mirror(&server, V2_1, Mirroring::Both).update("9", &both()).await.unwrap();
        assert_eq!(states(&updated), [(Step::Verdict, state), (Step::Status, state)]);
        assert_eq!(updated.is_complete(), complete, "{state}");
        assert!(updated.step(Step::VerdictNote).is_none());
        assert_eq!(asked(&server).await.0, ["analyst-verdict", "incident"]);
    }
}

#[tokio::test]
async fn a_note_that_fails_leaves_the_change_in_the_outcome() {
    for (status, state) in [(403, IdState::NotAffected), (500, IdState::Unknown)] {
        let server = MockServer::start().await;
        post(&server, "analyst-verdict", affected(1)).await;
        post(&server, "incident", affected(1)).await;
        post(&server, "notes", ResponseTemplate::new(status)).await;
        let updated = mirror(&server, V2_1, Mirroring::Both).update("9", &both()).await.unwrap();
        let expected = [
            (Step::Verdict, IdState::Done),
            (Step::VerdictNote, state),
            (Step::Status, IdState::NotAffected),
        ];
        assert_eq!(states(&updated), expected);
        assert!(!updated.is_complete());
        assert_eq!(updated.step(Step::Status).unwrap().answer, None, "it was not sent");
        let failure = updated.failure.unwrap();
        assert_eq!(failure.operation(), Some("threats_add_note"));
        assert_eq!(failure.status().unwrap(), status);
        assert_eq!(asked(&server).await.0, ["analyst-verdict", "notes"]);
    }
}

#[tokio::test]
async fn a_failure_is_the_error_before_anything_and_beside_what_was_done_after() {
    let server = MockServer::start().await;
    post(&server, "analyst-verdict", ResponseTemplate::new(403)).await;
    let error = mirror(&server, V2_1, Mirroring::Both).update("9", &both()).await.unwrap_err();
    assert_eq!((error.operation(), error.attempts()), (Some("threats_update_analyst_verdict"), 1));
    assert_eq!(error.status().unwrap(), 403);
    assert_eq!(asked(&server).await.0, ["analyst-verdict"]);

    let server = MockServer::start().await;
    post(&server, "analyst-verdict", affected(1)).await;
    post(&server, "notes", affected(1)).await;
    post(&server, "incident", ResponseTemplate::new(500)).await;
    let updated = mirror(&server, V2_1, Mirroring::Both).update("9", &both()).await.unwrap();
    let expected = [
        (Step::Verdict, IdState::Done),
        (Step::VerdictNote, IdState::Done),
        (Step::Status, IdState::Unknown),
    ];
    assert_eq!(states(&updated), expected);
    assert_eq!(updated.failure.unwrap().operation(), Some("threats_update_incident"));
    assert_eq!(asked(&server).await.0, ["analyst-verdict", "notes", "incident"]);
}

#[tokio::test]
async fn what_the_console_adds_to_an_answer_is_told() {
    let server = MockServer::start().await;
    let beside = json!({ "data": { "affected": 1 }, "errors": [{ "code": 7, "title": "odd" }] });
    post(&server, "analyst-verdict", answer(beside)).await;
    post(&server, "notes", affected(5)).await;
    let delta = Delta::default().verdict(AnalystVerdict::TruePositive);
    let updated = mirror(&server, V2_1, Mirroring::Both).update("9", &delta).await.unwrap();
    assert!(!updated.is_complete());
    assert_eq!(updated.step(Step::Verdict).unwrap().errors[0].title.as_deref(), Some("odd"));
    let note = &updated.step(Step::VerdictNote).unwrap().errors[0];
    assert!(note.detail.as_deref().unwrap().contains("acted on 5 things where 1 were named"), "{note}");
}

/// A list of threats of two pages.
async fn pages(server: &MockServer, last: ResponseTemplate) {
    let list = || Mock::given(method("GET")).and(path(THREATS)).and(query_param("limit", "1000"));
    let data = json!([{ "id": "1" }, { "id": "2" }, { "threatInfo": {} }]);
    let first = answer(json!({ "data": data, "pagination": { "nextCursor": "n" } }));
    let first_page = list().and(query_param_is_missing("cursor"));
    first_page
        .and(query_param("updatedAt__gte", "2026-11-21T06:00:00Z"))
        .respond_with(first)
        .mount(server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(last).mount(server).await;
}

#[tokio::test]
async fn modified_is_every_page_or_an_error() {
    let since = time("2026-11-21T08:00:00+02:00");
    let server = MockServer::start().await;
    // The second threat changed once more while the list was read.
    pages(&server, answer(json!({ "data": [{ "id": "2" }, { "id": 3 }], "pagination": {} }))).await;
    let mirror_of = |server: &MockServer| mirror(server, V2_1, Mirroring::Incoming);
    assert_eq!(mirror_of(&server).modified(&since).await.unwrap(), ["1", "2", "3"]);
    assert_eq!(asked(&server).await.0, ["threats", "threats"]);

    let server = MockServer::start().await;
    pages(&server, ResponseTemplate::new(502)).await;
    let error = mirror_of(&server).modified(&since).await.unwrap_err();
    assert_eq!(error.operation(), Some("threats_list"));
    assert_eq!(error.status().unwrap(), 502);

    let server = MockServer::start().await;
    let part = json!({ "data": [{ "id": "3" }], "errors": [{ "title": "one site did not answer" }] });
    pages(&server, answer(part)).await;
    let error = mirror_of(&server).modified(&since).await.unwrap_err();
    assert!(error.to_string().contains("one site did not answer"), "{error}");

    let error = mirror_of(&server).modified(&time("yesterday")).await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Request, Sent::No));
}

async fn remote(version: ApiVersion, threat: &Value, close: bool) -> RemoteThreat {
    let server = MockServer::start().await;
    let list = Mock::given(path(format!("/web/api/v{version}/threats"))).and(query_param("ids", "9"));
    list.respond_with(answer(json!({ "data": [threat] }))).mount(&server).await;
    let client = client(&server.uri(), "token-of-the-test", version);
    let mirror = mirror_on(client, Mirroring::Incoming, close);
    mirror.remote("9", &time("2026-11-21T10:00:00+02:00")).await.unwrap().unwrap()
}

#[tokio::test]
async fn incidents_close_and_open_with_their_threats() {
    let threat = |status: &str, updated: &str| {
        let info = json!({ "incidentStatus": status, "analystVerdict": "suspicious", "updatedAt": updated });
        json!({ "id": "9", "threatInfo": info, "brandNew": 1 })
    };
    let at = "2026-11-21T08:00:00.000000Z";
    for (status, wanted) in [
        ("resolved", vec![Entry::Close]),
        ("in_progress", vec![Entry::Reopen]),
        ("unresolved", vec![Entry::Reopen]),
        ("brand_new", vec![]),
    ] {
        let threat = threat(status, at);
        let found = remote(V2_1, &threat, true).await;
        assert_eq!(found.entries, wanted, "{status}");
        assert_eq!(found.threat, threat, "as the console sent it");
        assert_eq!((found.changed, found.updated.as_ref()), (Some(true), Some(&time(at))));
        assert_eq!(found.status(), Some(IncidentStatus::from(status)));
        assert_eq!(found.verdict(), Some(AnalystVerdict::Suspicious));
        assert_eq!(remote(V2_1, &threat, false).await.entries, [], "{status}");
    }
    let before = remote(V2_1, &threat("resolved", "2026-11-21T07:59:59Z"), true).await;
    assert_eq!((before.changed, before.entries), (Some(false), vec![Entry::Close]));
    assert_eq!(remote(V2_1, &threat("resolved", "soon"), true).await.changed, None);

    // As a note of the platform.
    let close = Entry::Close.to_json();
    assert_eq!(close["Contents"]["dbotIncidentClose"], true);
    assert_eq!(close["Contents"]["closeReason"], Entry::CLOSE_REASON);
    let contents = json!({ "dbotIncidentReopen": true });
    let reopen = json!({ "Type": 1, "Contents": contents, "ContentsFormat": "json" });
    assert_eq!(Entry::Reopen.to_json(), reopen);
}

#[tokio::test]
async fn threats_of_the_old_api_come_in_too() {
    let threat =
        |resolved: bool| json!({ "id": "9", "resolved": resolved, "updatedAt": "2026-11-21T09:00:00Z" });
    let found = remote(V2_0, &threat(true), true).await;
    assert_eq!((found.entries.as_slice(), found.changed), (&[Entry::Close][..], Some(true)));
    assert_eq!((found.status(), found.verdict()), (Some(IncidentStatus::Resolved), None));
    let found = remote(V2_0, &threat(false), true).await;
    assert_eq!(
        (found.entries.as_slice(), found.status()),
        (&[Entry::Reopen][..], Some(IncidentStatus::Unresolved))
    );

    let server = MockServer::start().await;
    let list =
        Mock::given(path("/web/api/v2.0/threats")).and(query_param("updatedAt__gte", "2026-11-21T08:00:00Z"));
    list.respond_with(answer(json!({ "data": [{ "id": "7" }] }))).mount(&server).await;
    let mirror = mirror(&server, V2_0, Mirroring::Incoming);
    assert_eq!(mirror.modified(&time("2026-11-21T08:00:00Z")).await.unwrap(), ["7"]);
}

/// Another threat is not the one that was asked for, and one that could not be read is not gone.
#[tokio::test]
async fn a_threat_is_gone_only_when_the_console_says_so() {
    let now = time("2026-11-21T08:00:00Z");
    let of = |response: ResponseTemplate| async move {
        let server = MockServer::start().await;
        Mock::given(path(THREATS)).respond_with(response).mount(&server).await;
        mirror(&server, V2_1, Mirroring::Both).remote("9", &now).await
    };
    assert!(of.clone()(answer(json!({ "data": [] }))).await.unwrap().is_none());
    assert!(of.clone()(answer(json!({ "data": [{ "id": "8" }] }))).await.unwrap().is_none());
    let part = json!({ "data": [], "errors": [{ "title": "one site did not answer" }] });
    let error = of.clone()(answer(part)).await.unwrap_err();
    assert!(error.to_string().contains("one site did not answer"), "{error}");
    assert_eq!(of(ResponseTemplate::new(401)).await.unwrap_err().status().unwrap(), 401);
}

/// What is sent is there, and comes back.
#[cfg(feature = "sandbox")]
#[tokio::test]
async fn both_ways_meet_on_the_sandbox() {
    use sentinelone::sandbox::Sandbox;

    let sandbox = Sandbox::start().await.unwrap();
    let mirror = mirror_on(client(&sandbox.url(), Sandbox::TOKEN, V2_1), Mirroring::Both, true);
    let (id, since) = ("460000000000000011", Timestamp::now());
    assert_eq!(mirror.modified(&time("2999-01-01T00:00:00Z")).await.unwrap(), [""; 0]);
    assert!(mirror.update(id, &both()).await.unwrap().is_complete());
    assert!(mirror.modified(&since).await.unwrap().iter().any(|one| one == id));
    let remote = mirror.remote(id, &since).await.unwrap().unwrap();
    assert_eq!((remote.changed, remote.entries.as_slice()), (Some(true), &[Entry::Close][..]));
    assert_eq!(remote.verdict(), Some(AnalystVerdict::Suspicious));
    assert_eq!(remote.status(), Some(IncidentStatus::Resolved));
    // The same again is so already, and nobody writes about it.
    let again = mirror.update(id, &both()).await.unwrap();
    let already = [Step::Verdict, Step::Status].map(|step| (step, IdState::AlreadySet));
    assert_eq!(states(&again), already);
    assert!(mirror.remote("1", &since).await.unwrap().is_none());
    let lost = mirror.update("1", &both()).await.unwrap();
    assert!(!lost.is_complete() && lost.step(Step::VerdictNote).is_none());
    sandbox.stop().await;
}

/// `examples/mirror.rs` does what it says.
#[cfg(feature = "sandbox")]
#[tokio::test]
async fn the_example_keeps_tickets_and_threats_in_step() {
    let (store, notes) = example::run().await.unwrap();
    let keys: Vec<_> = store.tickets.keys().map(String::as_str).collect();
    let ids = ["04", "07", "08", "11", "12"].map(|id| format!("threats:4600000000000000{id}"));
    assert_eq!(keys, ids);
    let happened = |id: usize| store.tickets[&ids[id]].log.iter().map(String::as_str).collect::<Vec<_>>();
    let worked = [
        "closed here: True positive",
        "verdict on the console: done",
        "verdictNote on the console: done",
        "status on the console: done",
        "statusNote on the console: done",
    ];
    assert_eq!(happened(3), worked);
    assert!(!store.tickets[&ids[3]].open);
    assert_eq!(happened(4), ["closed by the console: Suspicious", "reopened by the console"]);
    assert!((0..3).all(|id| happened(id).is_empty()));
    assert_eq!(store.tickets.values().filter(|ticket| ticket.open).count(), 4);
    let written = [
        "XSOAR - Updated the threat analyst verdict to True positive",
        "XSOAR - Marked as resolved \nthe host was built anew",
    ];
    for text in written {
        assert!(notes.iter().any(|note| note == text), "{notes:?}");
    }
}
