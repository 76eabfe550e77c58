//! Responses that are not valid JSON in single values.

use sentinelone::commands::{Command, GetThreats, NoProgress, RemoveItemFromWhitelist};
use wiremock::Mock;
use wiremock::matchers::{method, path};

use super::*;

const THREATS: &str = "/web/api/v2.1/threats";

fn text(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string(body)
}

async fn mount(server: &MockServer, verb: &str, at: &str, body: &str) {
    Mock::given(method(verb)).and(path(at)).respond_with(text(body)).mount(server).await;
}

fn item_ids(outcome: &Outcome) -> Vec<Value> {
    outcome.items().into_iter().map(|item| item["id"].clone()).collect()
}

fn repairs(outcome: &Outcome) -> Vec<String> {
    outcome.repairs.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn list_repaired_item_is_complete_and_invalid_item_is_not() {
    let server = MockServer::start().await;
    let repaired = r#"{"data": [{"id": "1", "threatInfo": {"threatName": "a\ud800"}}, {"id": "2"}]}"#;
    mount(&server, "GET", THREATS, repaired).await;
    let outcome = run(&server, V2_1, "get-threats", &[]).await;
    assert_eq!(item_ids(&outcome), ["1", "2"]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"][0]["ThreatName"], "a\u{fffd}");
    let expected = ["data[0].threatInfo.threatName (ID 1): unpaired surrogate \\ud800 replaced by U+FFFD"];
    assert_eq!(repairs(&outcome), expected);
    assert!(outcome.is_complete());
    let typed = GetThreats::default().run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(repairs(&typed), expected);

    let server = MockServer::start().await;
    mount(&server, "GET", THREATS, r#"{"data": [{"id": "1"}, {"id": "2", "path": "C:\q"}, {"id": "3"}]}"#)
        .await;
    let outcome = run(&server, V2_1, "get-threats", &[("threat_ids", "1,2,3")]).await;
    assert_eq!(item_ids(&outcome), ["1", "3"]);
    assert_eq!(repairs(&outcome), ["data[1] (ID 2): item set apart: invalid escape \\q at path"]);
    assert!(!outcome.is_complete() && outcome.failure.is_none());
    assert!(outcome.not_found.is_empty(), "the item exists");
    let changed = run(&server, V2_1, "get-modified-remote-data", &[("last_update", NOW)]).await;
    assert_eq!(
        changed.response,
        json!({ "ids": ["1", "3", "2"] }),
        "the threat that is not readable changed"
    );
}

#[tokio::test]
async fn action_repaired_response_keeps_its_results() {
    let server = MockServer::start().await;
    let at = "/web/api/v2.1/threats/incident";
    mount(&server, "POST", at, r#"{"data": {"affected": 2, "x": Infinity, "y": "\udfff"}}"#).await;
    let args = [("threat_ids", "1,2"), ("status", "resolved")];
    let outcome = run(&server, V2_1, "update-threats-status", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
    let expected =
        ["data.x: Infinity replaced by null", "data.y: unpaired surrogate \\udfff replaced by U+FFFD"];
    assert_eq!(repairs(&outcome), expected);
    assert!(outcome.is_complete());
}

/// The read before an action is not part of its outcome.
#[tokio::test]
async fn action_that_reads_first_reports_repairs_of_the_read() {
    let server = MockServer::start().await;
    let list = r#"{"data": [{"id": "5", "value": "0a", "scope": {"tenant": true}, "description": "\ud800"}],
        "pagination": {"nextCursor": null, "totalItems": 1}}"#;
    mount(&server, "GET", "/web/api/v2.1/exclusions", list).await;
    mount(&server, "DELETE", "/web/api/v2.1/exclusions", r#"{"data": {"affected": 1, "x": NaN}}"#).await;
    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &[("item", "0a")]).await;
    let expected = [
        "data[0].description (ID 5): unpaired surrogate \\ud800 replaced by U+FFFD",
        "data.x: NaN replaced by null",
    ];
    assert_eq!(repairs(&outcome), expected);
}

/// The item that is set apart could be the one to remove.
#[tokio::test]
async fn removal_after_a_list_with_a_lost_item_is_unknown() {
    let hash = "c".repeat(40);
    for (name, argument, at) in [
        ("remove-item-from-whitelist", "item", "/web/api/v2.1/exclusions"),
        ("remove-hash-from-blocklist", "sha1", "/web/api/v2.1/restrictions"),
    ] {
        let server = MockServer::start().await;
        mount(&server, "GET", at, r#"{"data": [{"id": "5", "description": "C:\q"}]}"#).await;
        let outcome = run(&server, V2_1, name, &[(argument, &hash)]).await;
        assert_eq!(states(&outcome), [(hash.as_str(), IdState::Unknown)], "{name}");
        let context = outcome.context["SentinelOne"].as_object().unwrap().values().next().unwrap();
        assert_eq!(context["status"], "Unknown", "{name}");
        assert!(outcome.repairs.has_loss() && !outcome.is_complete(), "{name}");
    }
    let server = MockServer::start().await;
    let list = r#"{"data": [{"id": "5", "value": "0a", "description": "\ud800"}]}"#;
    mount(&server, "GET", "/web/api/v2.1/exclusions", list).await;
    mount(&server, "DELETE", "/web/api/v2.1/exclusions", r#"{"data": {"affected": 1}}"#).await;
    let command = RemoveItemFromWhitelist::new("0a");
    let typed = command.run(&client(&server, V2_1), &NoProgress).await.unwrap();
    assert_eq!(repairs(&typed).len(), 1, "{:?}", typed.repairs);
}

#[tokio::test]
async fn list_without_end_keeps_items_and_fails() {
    let server = MockServer::start().await;
    let counter = std::sync::atomic::AtomicU64::new(0);
    let respond = move |_: &wiremock::Request| {
        let number = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let data = if number == 0 { json!([{ "id": "1" }]) } else { json!([]) };
        let pagination = json!({ "nextCursor": number.to_string(), "totalItems": 0 });
        json_response(json!({ "data": data, "pagination": pagination }))
    };
    Mock::given(path(THREATS)).respond_with(respond).mount(&server).await;
    let outcome = run(&server, V2_1, "get-threats", &[("limit", "all")]).await;
    assert_eq!(item_ids(&outcome), ["1"]);
    assert_eq!(outcome.failure.unwrap().kind(), sentinelone::ErrorKind::EmptyPages);
    assert_eq!(server.received_requests().await.unwrap().len(), 16);
}
