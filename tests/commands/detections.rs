//! Commands on alerts and indicators.

use sentinelone::IdState;
use sentinelone::commands::{Command, DeleteIoc};
use serde_json::json;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::star_rules::RULE;
use super::*;

const ALERTS: &str = "/web/api/v2.1/cloud-detection/alerts";
const IOCS: &str = "/web/api/v2.1/threat-intelligence/iocs";
pub(super) const SHA1: &str = "0123456789abcdef0123456789ABCDEF01234567";

pub(super) fn single_request(name: &str, args: &[(&str, &str)]) -> Value {
    let mut requests = sent(name, V2_1, args).unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
    assert_eq!(requests.len(), 1, "{name} {args:?}");
    requests.remove(0)
}

pub(super) fn error(name: &str, args: &[(&str, &str)]) -> String {
    sent(name, V2_1, args).expect_err(&format!("{name} {args:?}"))
}

/// Replaces or adds arguments.
pub(super) fn with<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = base.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    base.chain(more).copied().collect()
}

pub(super) fn without<'a>(base: &[(&'a str, &'a str)], name: &str) -> Vec<(&'a str, &'a str)> {
    base.iter().filter(|(other, _)| *other != name).copied().collect()
}

pub(super) fn error_response(code: u32, title: &str) -> ResponseTemplate {
    ResponseTemplate::new(400).set_body_json(json!({ "errors": [{ "code": code, "title": title }] }))
}

// Alerts.

#[test]
fn update_alerts_sends_one_request_without_tenant() {
    let args = [("status", "in_progress"), ("alert_ids", "11,12,11")];
    let body = json!({ "data": { "incidentStatus": "in_progress" }, "filter": { "ids": ["11", "12"] } });
    assert_eq!(
        single_request("update-alerts-status", &args),
        json!(["POST", format!("{ALERTS}/incident"), {}, body])
    );

    let args = [("verdict", "true_positive"), ("alert_ids", "11,12")];
    let body = json!({ "data": { "analystVerdict": "true_positive" }, "filter": { "ids": ["11", "12"] } });
    let expected = json!(["POST", format!("{ALERTS}/analyst-verdict"), {}, body]);
    assert_eq!(single_request("update-alerts-verdict", &args), expected);
}

#[test]
fn alert_arguments_are_case_insensitive() {
    let args = [("status", "RESOLVED"), ("alert_ids", "1")];
    assert_eq!(single_request("update-alerts-status", &args)[3]["data"]["incidentStatus"], "resolved");
    let args = [("verdict", "Suspicious"), ("alert_ids", "1")];
    assert_eq!(single_request("update-alerts-verdict", &args)[3]["data"]["analystVerdict"], "suspicious");
    let args = [
        ("created_from", "2026-11-01"),
        ("incidentStatus", "resolved,In_Progress"),
        ("analystVerdict", "suspicious"),
    ];
    let query = &single_request("get-alerts", &args)[2];
    assert_eq!(query["incidentStatus"], "RESOLVED,IN_PROGRESS");
    assert_eq!(query["analystVerdict"], "SUSPICIOUS");
}

#[test]
fn get_alerts_sends_documented_query() {
    let args = [
        ("created_from", "10 days"),
        ("created_until", "2026-11-20T01:02:03.456789+02:00"),
        ("ruleName", "login, lateral"),
        ("incidentStatus", "UNRESOLVED"),
        ("analystVerdict", "UNDEFINED"),
        ("alert_ids", " 11, 12"),
        ("limit", "70"),
        ("site_ids", "21,22"),
        ("cursor", "next=="),
    ];
    let query = json!({
        "createdAt__gte": "2026-11-11T08:30:00Z",
        "createdAt__lte": "2026-11-19T23:02:03.456789Z",
        "ruleName__contains": "login,lateral",
        "incidentStatus": "UNRESOLVED",
        "analystVerdict": "UNDEFINED",
        "ids": "11,12",
        "limit": "70",
        "siteIds": "21,22",
        "cursor": "next==",
    });
    assert_eq!(single_request("get-alerts", &args), json!(["GET", ALERTS, query, null]));
}

#[tokio::test]
async fn get_alerts_resumes_from_cursor() {
    let server = MockServer::start().await;
    let alert = |id: &str| json!({ "alertInfo": { "alertId": id }, "ruleInfo": { "name": "Odd logins" } });
    let page = |ids: [&str; 2], next: Value| {
        json_response(
            json!({ "data": ids.map(alert), "pagination": { "nextCursor": next, "totalItems": 8 } }),
        )
    };
    let list = || Mock::given(method("GET")).and(path(ALERTS));
    list()
        .and(query_param("cursor", "b"))
        .respond_with(page(["3", "4"], "c".into()))
        .expect(1)
        .mount(&server)
        .await;
    list()
        .and(query_param("cursor", "c"))
        .respond_with(page(["5", "6"], "d".into()))
        .expect(1)
        .mount(&server)
        .await;
    let args = [("created_from", "3 days"), ("cursor", "b"), ("limit", "4")];
    let outcome = run(&server, V2_1, "get-alerts", &args).await;
    let expected = ["3", "4", "5", "6"].map(|id| json!({ "AlertId": id, "RuleName": "Odd logins" }));
    assert_eq!(outcome.context["SentinelOne"]["Alert"], json!(expected));
    assert_eq!(outcome.response["pagination"]["nextCursor"], "d", "the cursor of the next page");
}

/// SentinelOne's API document has no `agentRealtimeInfo`, but consoles send it.
#[tokio::test]
async fn get_alerts_missing_sections_use_fallback_fields() {
    let server = MockServer::start().await;
    let now = json!({ "name": "web-01-new", "id": "31", "os": "linux" });
    let detection_info =
        json!({ "name": "web-01", "osFamily": "linux", "uuid": "u-1", "version": "24.1", "siteId": "21" });
    let data = json!([
        { "alertInfo": { "alertId": "1", "dvEventId": "e", "eventType": "DNS" }, "agentRealtimeInfo": now,
          "agentDetectionInfo": detection_info },
        { "alertInfo": { "alertId": "2" }, "agentDetectionInfo": detection_info, "sourceProcessInfo": { "user": "root",
          "commandline": "sh", "storyline": "s", "pidStarttime": NOW, "fileSignerIdentity": null } },
        { "alertInfo": { "alertId": "3" }, "agentDetectionInfo": null },
    ]);
    let body = json!({ "data": data, "pagination": { "totalItems": 3 } });
    Mock::given(path(ALERTS)).respond_with(json_response(body)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-alerts", &[("created_from", "3 days")]).await;
    let expected = json!([
        { "AlertId": "1", "dvEventId": "e", "EventType": "DNS", "EndpointName": "web-01-new", "AgentId": "31",
          "AgentOS": "linux", "AgentUUID": "u-1", "AgentVersion": "24.1", "SiteId": "21" },
        { "AlertId": "2", "EndpointName": "web-01", "AgentOS": "linux", "AgentUUID": "u-1",
          "AgentVersion": "24.1", "SiteId": "21", "SrcProcUser": "root", "SrcProcCommandline": "sh",
          "SrcProcStorylineId": "s", "SrcProcStartTime": NOW },
        { "AlertId": "3" },
    ]);
    assert_eq!(outcome.context["SentinelOne"]["Alert"], expected);
}

#[tokio::test]
async fn update_alerts_partial_count_is_unknown_per_alert() {
    let server = MockServer::start().await;
    let post = |of: &str| Mock::given(path(format!("{ALERTS}/{of}")));
    post("incident").respond_with(json_response(json!({ "data": { "affected": 1 } }))).mount(&server).await;
    post("analyst-verdict")
        .respond_with(json_response(json!({ "data": { "affected": 2 } })))
        .mount(&server)
        .await;
    let args = [("status", "resolved"), ("alert_ids", "1,2")];
    let outcome = run(&server, V2_1, "update-alerts-status", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
    let expected = json!({ "ID": "1", "Updated": null, "Status": "resolved" });
    assert_eq!(outcome.context["SentinelOne"]["Alert"][0], expected);

    let args = [("verdict", "suspicious"), ("alert_ids", "1,2")];
    let outcome = run(&server, V2_1, "update-alerts-verdict", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
    assert_eq!(outcome.affected, Some(2));
    let expected = json!({ "ID": "2", "Updated": true, "Update": { "Action": "suspicious" } });
    assert_eq!(outcome.context["SentinelOne"]["Alert"][1], expected);
}

#[tokio::test]
async fn list_by_ids_default_limit_covers_all_ids() {
    let server = MockServer::start().await;
    let ids: Vec<_> = (0..1100).map(|id| id.to_string()).collect();
    for batch in ids.chunks(100) {
        let data: Vec<_> = batch.iter().map(|id| json!({ "id": id, "uuid": id })).collect();
        let body = json_response(json!({ "data": data, "pagination": { "nextCursor": null } }));
        for (name, times) in [("ids", 2), ("uuids", 1)] {
            let list = Mock::given(method("GET")).and(query_param(name, batch.join(",")));
            list.respond_with(body.clone()).expect(times).mount(&server).await;
        }
    }
    let many = ids.join(",");
    for (name, args) in [
        ("get-star-rules", vec![("ruleIds", many.as_str())]),
        ("get-alerts", vec![("alert_ids", many.as_str()), ("created_from", "3 days")]),
        ("get-iocs", vec![("uuids", many.as_str()), ("account_ids", "41")]),
    ] {
        let outcome = run(&server, V2_1, name, &args).await;
        assert_eq!(outcome.response["data"].as_array().unwrap().len(), 1100, "{name}");
        assert!(outcome.not_found.is_empty(), "{name}: {:?}", outcome.not_found);
        let args = with(&args, &[("limit", "30")]);
        let limits: Vec<_> =
            sent(name, V2_1, &args).unwrap().iter().map(|one| one[2]["limit"].clone()).collect();
        let lists = if name == "get-star-rules" { 2 } else { 1 };
        assert_eq!(limits, vec!["30"; 11 * lists], "{name}");
    }
}

// Indicators.

const IOC: &[(&str, &str)] = &[
    ("name", "Bad host"),
    ("source", "feed"),
    ("type", "dns"),
    ("method", "equals"),
    ("validUntil", "2027-01-02"),
    ("value", "bad.example"),
    ("account_ids", "41,42"),
];

#[test]
fn create_ioc_sends_upper_case_without_nulls() {
    let data = json!({
        "name": "Bad host", "source": "feed", "type": "DNS", "method": "EQUALS", "value": "bad.example",
        "validUntil": "2027-01-02T00:00:00Z",
    });
    let body = json!({ "data": [data], "filter": { "accountIds": ["41", "42"] } });
    assert_eq!(single_request("create-ioc", IOC), json!(["POST", IOCS, {}, body]));
    let more = [("externalId", "x-1"), ("description", "seen")];
    let data = &single_request("create-ioc", &with(IOC, &more))[3]["data"][0];
    assert_eq!((&data["externalId"], &data["description"]), (&json!("x-1"), &json!("seen")));
}

#[test]
fn create_ioc_valid_until_must_be_in_future() {
    for over in ["3 days", "now", "2026-11-21T08:30:00Z", "2020-01-01", "soon"] {
        assert!(error("create-ioc", &with(IOC, &[("validUntil", over)])).contains("validUntil"), "{over}");
    }
    let one_ms_later = with(IOC, &[("validUntil", "2026-11-21T08:30:00.001Z")]);
    assert_eq!(
        single_request("create-ioc", &one_ms_later)[3]["data"][0]["validUntil"],
        "2026-11-21T08:30:00.001Z"
    );
    for (name, _) in IOC {
        assert!(error("create-ioc", &without(IOC, name)).contains(name), "{name}");
    }
    for (name, value) in [("type", "IPV5"), ("method", "CONTAINS")] {
        assert!(error("create-ioc", &with(IOC, &[(name, value)])).contains(name));
    }
}

#[tokio::test]
async fn create_ioc_context_has_scope() {
    let server = MockServer::start().await;
    let ioc = json!({
        "uuid": "71aa", "name": "Bad host", "source": "feed", "type": "DNS", "batchId": "b1",
        "creator": "Ann", "scope": "account", "scopeId": "4100000000000001", "validUntil": NOW,
        "description": "d", "externalId": "x-1", "value": "bad.example",
    });
    Mock::given(path(IOCS)).respond_with(json_response(json!({ "data": [ioc] }))).mount(&server).await;
    let outcome = run(&server, V2_1, "create-ioc", IOC).await;
    let expected = json!({
        "UUID": "71aa", "Name": "Bad host", "Source": "feed", "Type": "DNS", "BatchId": "b1",
        "Creator": "Ann", "Scope": "account", "ScopeId": "4100000000000001", "ValidUntil": NOW,
        "Description": "d", "ExternalId": "x-1",
    });
    assert_eq!(outcome.context["SentinelOne"]["IOC"], expected);
    assert_eq!((states(&outcome), outcome.affected), (vec![("71aa", IdState::Done)], Some(1)));
}

#[test]
fn delete_ioc_sends_accounts_and_batches() {
    let args = [("account_ids", "41"), ("uuids", "71aa,72bb,71aa")];
    let body = json!({ "filter": { "accountIds": ["41"], "uuids": ["71aa", "72bb"] } });
    assert_eq!(single_request("delete-ioc", &args), json!(["DELETE", IOCS, {}, body]));
    assert!(error("delete-ioc", &[("account_ids", "41")]).contains("uuids"));
    assert!(error("delete-ioc", &[("uuids", "71aa")]).contains("account_ids"));

    let uuids = (0..5001).map(|id| id.to_string());
    let many = DeleteIoc::new(["41"], uuids);
    let requests = many.requests(V2_1).unwrap();
    let sizes = requests.iter().map(|request| &request.body().unwrap()["filter"]);
    let sizes: Vec<_> = sizes
        .map(|filter| (filter["uuids"].as_array().unwrap().len(), filter["accountIds"].clone()))
        .collect();
    let expected = [vec![(1000, json!(["41"])); 5], vec![(1, json!(["41"]))]].concat();
    assert_eq!(sizes, expected);
    let nowhere = DeleteIoc::new([""; 0], ["71aa"]);
    assert_eq!(crate::argument_error(&nowhere.requests(V2_1).unwrap_err()).argument(), Some("account_ids"));
    assert!(entry("delete-ioc").info.requires_confirmation);
}

#[tokio::test]
async fn delete_ioc_results_follow_count() {
    let server = MockServer::start().await;
    let affected = |count: u64| json_response(json!({ "data": { "affected": count } }));
    Mock::given(path(IOCS)).respond_with(affected(1)).up_to_n_times(1).mount(&server).await;
    Mock::given(path(IOCS)).respond_with(affected(2)).mount(&server).await;
    let args = [("account_ids", "41"), ("uuids", "71aa,72bb")];
    let outcome = run(&server, V2_1, "delete-ioc", &args).await;
    assert_eq!(states(&outcome), [("71aa", IdState::Unknown), ("72bb", IdState::Unknown)]);
    assert_eq!(outcome.context["SentinelOne"]["IOC"][0], json!({ "UUID": "71aa", "Deleted": null }));
    let outcome = run(&server, V2_1, "delete-ioc", &args).await;
    assert_eq!(states(&outcome), [("71aa", IdState::Done), ("72bb", IdState::Done)]);
    assert_eq!(outcome.context["SentinelOne"]["IOC"][1], json!({ "UUID": "72bb", "Deleted": true }));
}

#[test]
fn get_iocs_sends_documented_query() {
    let args = [
        ("account_ids", "41,42"),
        ("limit", "30"),
        ("upload_time_gte", "3 days"),
        ("upload_time_lte", "2026-11-20"),
        ("cursor", "c"),
        ("uuids", "71aa,72bb"),
        ("type", "sha1"),
        ("batch_id", "b1"),
        ("source", "feed,list"),
        ("value", "bad.example"),
        ("external_id", "x-1"),
        ("name_contains", "bad, worse"),
        ("creator_contains", "ann"),
        ("description_contains", "seen"),
        ("category_in", "Malware, Phishing"),
        ("updated_at_gte", "2 hours"),
        ("updated_at_lte", "1 hour"),
        ("creation_time_gte", "2026-01-01"),
        ("creation_time_lte", "2026-02-01T00:00:00+01:00"),
    ];
    let query = json!({
        "accountIds": "41,42",
        "limit": "30",
        "uploadTime__gte": "2026-11-18T08:30:00Z",
        "uploadTime__lte": "2026-11-20T00:00:00Z",
        "cursor": "c",
        "uuids": "71aa,72bb",
        "type": "SHA1",
        "batchId": "b1",
        "source": "feed,list",
        "value": "bad.example",
        "externalId": "x-1",
        "name__contains": "bad,worse",
        "creator__contains": "ann",
        "description__contains": "seen",
        "category__in": "Malware,Phishing",
        "updatedAt__gte": "2026-11-21T06:30:00Z",
        "updatedAt__lte": "2026-11-21T07:30:00Z",
        "creationTime__gte": "2026-01-01T00:00:00Z",
        "creationTime__lte": "2026-01-31T23:00:00Z",
    });
    assert_eq!(single_request("get-iocs", &args), json!(["GET", IOCS, query, null]));
    assert_eq!(
        single_request("get-iocs", &[("account_ids", "41")])[2],
        json!({ "accountIds": "41", "limit": "1000" })
    );
    assert!(error("get-iocs", &[]).contains("account_ids"));
}

#[tokio::test]
async fn get_iocs_follows_cursor_and_accepts_missing_pagination() {
    let server = MockServer::start().await;
    let ioc = |uuid: &str| {
        json!({ "uuid": uuid, "creator": "Ann", "name": "Bad host", "value": "bad.example",
                "description": "d", "type": "DNS", "externalId": "x-1", "source": "feed", "uploadTime": NOW,
                "validUntil": NOW })
    };
    let list = || Mock::given(method("GET")).and(path(IOCS));
    let first = json!({ "data": [ioc("71aa")], "pagination": { "nextCursor": "n" } });
    list()
        .and(query_param_is_missing("cursor"))
        .respond_with(json_response(first))
        .expect(1)
        .mount(&server)
        .await;
    let second = json_response(json!({ "data": [ioc("72bb")] }));
    list().and(query_param("cursor", "n")).respond_with(second).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-iocs", &[("account_ids", "41")]).await;
    let expected = json!({
        "UUID": "72bb", "Creator": "Ann", "Name": "Bad host", "Value": "bad.example", "Description": "d",
        "Type": "DNS", "ExternalId": "x-1", "Source": "feed", "UploadTime": NOW, "ValidUntil": NOW,
    });
    assert_eq!(outcome.context["SentinelOne"]["IOC"][1], expected);
}

#[test]
fn detection_commands_invalid_arguments_are_rejected() {
    let refusals = [
        ("get-alerts", vec![], "created_from"),
        ("get-alerts", vec![("created_from", "3 days"), ("incidentStatus", "closed")], "incidentStatus"),
        ("get-alerts", vec![("created_from", "3 days"), ("analystVerdict", "bad")], "analystVerdict"),
        ("get-alerts", vec![("created_from", "3 days"), ("ruleName", "x")], "ruleName"),
        ("get-alerts", vec![("created_from", "3 days"), ("limit", "0")], "limit"),
        ("update-alerts-status", vec![("status", "closed"), ("alert_ids", "1")], "status"),
        ("update-alerts-verdict", vec![("verdict", "suspicious")], "alert_ids"),
        ("update-alerts-verdict", vec![("alert_ids", "1")], "verdict"),
        ("get-star-rules", vec![("status", "Sleeping")], "status"),
        ("get-star-rules", vec![("queryType", "sideways")], "queryType"),
        ("get-star-rules", vec![("expirationMode", "Never")], "expirationMode"),
        ("create-star-rule", with(RULE, &[("rule_severity", "Odd")]), "rule_severity"),
        ("create-star-rule", with(RULE, &[("network_quarantine", "maybe")]), "network_quarantine"),
        ("create-star-rule", without(RULE, "network_quarantine"), "network_quarantine"),
        ("create-star-rule", without(RULE, "treatAsThreat"), "treatAsThreat"),
        ("update-star-rule", RULE.to_vec(), "rule_id"),
        ("update-star-rule", with(RULE, &[("rule_id", "51"), ("status", "Deleted")]), "status"),
        ("update-star-rule", with(RULE, &[("rule_id", "..")]), "rule_id"),
        ("get-iocs", vec![("account_ids", "41"), ("type", "IPV5")], "type"),
    ];
    for (name, args, about) in refusals {
        let error = error(name, &args);
        assert!(error.contains(about), "{name} {args:?}: {error}");
        let on_2_0 = sent(name, V2_0, &args).unwrap_err();
        assert!(on_2_0.contains(about) || on_2_0.contains("2.0"), "{name}: {on_2_0}");
    }
    assert!(sent("get-blocklist", V2_0, &[]).unwrap_err().contains("2.0"));
}

#[tokio::test]
async fn next_cursor_does_not_skip_truncated_items() {
    let server = MockServer::start().await;
    let page = |from: u64, next: &str| {
        let data: Vec<_> = (from..from + 1000).map(|id| json!({ "uuid": id.to_string() })).collect();
        json_response(json!({ "data": data, "pagination": { "totalItems": 3000, "nextCursor": next } }))
    };
    Mock::given(query_param_is_missing("cursor")).respond_with(page(0, "second")).mount(&server).await;
    Mock::given(query_param("cursor", "second")).respond_with(page(1000, "third")).mount(&server).await;
    let next = async |limit: &str| {
        let outcome = run(&server, V2_1, "get-iocs", &[("account_ids", "41"), ("limit", limit)]).await;
        outcome.response["pagination"]["nextCursor"].clone()
    };
    assert_eq!(next("2000").await, "third");
    assert_eq!(next("1500").await, "second", "the second half of the page was not returned");
}
