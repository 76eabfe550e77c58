//! Commands on alerts, STAR rules, the blocklist and indicators.

use sentinelone::IdState;
use sentinelone::commands::{Command, DeleteIoc, DisableStarRules};
use serde_json::json;
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::*;

const ALERTS: &str = "/web/api/v2.1/cloud-detection/alerts";
const RULES: &str = "/web/api/v2.1/cloud-detection/rules";
const BLOCKLIST: &str = "/web/api/v2.1/restrictions";
const IOCS: &str = "/web/api/v2.1/threat-intelligence/iocs";
const SHA1: &str = "0123456789abcdef0123456789ABCDEF01234567";

fn single_request(name: &str, args: &[(&str, &str)]) -> Value {
    let mut requests = sent(name, V2_1, args).unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
    assert_eq!(requests.len(), 1, "{name} {args:?}");
    requests.remove(0)
}

fn error(name: &str, args: &[(&str, &str)]) -> String {
    sent(name, V2_1, args).expect_err(&format!("{name} {args:?}"))
}

/// Replaces or adds arguments.
fn with<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = base.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    base.chain(more).copied().collect()
}

fn without<'a>(base: &[(&'a str, &'a str)], name: &str) -> Vec<(&'a str, &'a str)> {
    base.iter().filter(|(other, _)| *other != name).copied().collect()
}

fn error_response(code: u32, title: &str) -> ResponseTemplate {
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

// STAR rules.

const RULE: &[(&str, &str)] = &[
    ("name", "Odd logins"),
    ("rule_severity", "High"),
    ("expiration_mode", "Permanent"),
    ("query_type", "events"),
    ("query", r#"EventType = "Login", SrcProcUser Exists"#),
    ("network_quarantine", "false"),
    ("treatAsThreat", "Suspicious"),
    ("site_ids", "21"),
];

#[test]
fn create_star_rule_sends_draft() {
    let more = [
        ("expiration_mode", "Temporary"),
        ("expiration_date", "2027-02-03T04:05:06.789+01:00"),
        ("description", "Logins at night"),
        ("network_quarantine", "True"),
        ("site_ids", "21,22"),
        ("group_ids", "31"),
        ("account_ids", "41"),
    ];
    let data = json!({
        "name": "Odd logins",
        "severity": "High",
        "status": "Draft",
        "expirationMode": "Temporary",
        "expiration": "2027-02-03T03:05:06.789Z",
        "queryType": "events",
        "s1ql": r#"EventType = "Login", SrcProcUser Exists"#,
        "description": "Logins at night",
        "networkQuarantine": true,
        "treatAsThreat": "Suspicious",
    });
    let filter = json!({ "siteIds": ["21", "22"], "groupIds": ["31"], "accountIds": ["41"] });
    let body = json!({ "data": data, "filter": filter });
    assert_eq!(single_request("create-star-rule", &with(RULE, &more)), json!(["POST", RULES, {}, body]));
    let update = with(&with(RULE, &more), &[("rule_id", "51")]);
    assert_eq!(single_request("update-star-rule", &update), json!(["PUT", format!("{RULES}/51"), {}, body]));
}

#[test]
fn star_rule_tenant_scope_must_be_explicit() {
    let scopeless = without(RULE, "site_ids");
    for name in ["create-star-rule", "update-star-rule"] {
        let base = match name {
            "create-star-rule" => scopeless.clone(),
            _ => with(&scopeless, &[("rule_id", "51")]),
        };
        let filter = |more: &[(&str, &str)]| single_request(name, &with(&base, more))[3]["filter"].clone();
        assert_eq!(filter(&[("tenant", "true")]), json!({ "tenant": true }), "a boolean");
        for (argument, field) in
            [("site_ids", "siteIds"), ("group_ids", "groupIds"), ("account_ids", "accountIds")]
        {
            assert_eq!(filter(&[(argument, "7")]), json!({ field: ["7"] }));
            assert_eq!(filter(&[(argument, "7"), ("tenant", "false")]), json!({ field: ["7"] }));
            let both = error(name, &with(&base, &[(argument, "7"), ("tenant", "true")]));
            assert!(both.contains("tenant cannot be true"), "{both}");
        }
        for more in [&[][..], &[("tenant", "false")]] {
            let missing = error(name, &with(&base, more));
            assert!(
                missing.starts_with(&format!("{name}: site_ids or group_ids or account_ids is required")),
                "{missing}"
            );
        }
    }
}

#[test]
fn update_star_rule_status_defaults_to_draft() {
    let status = |more: &[(&str, &str)]| {
        let base = with(RULE, &[("rule_id", "51")]);
        single_request("update-star-rule", &with(&base, more))[3]["data"]["status"].clone()
    };
    assert_eq!(status(&[]), "Draft");
    assert_eq!(status(&[("status", "Active")]), "Active");
    assert_eq!(status(&[("status", "active")]), "Active");
}

#[test]
fn star_rule_expiration_is_validated() {
    let refusals: &[&[(&str, &str)]] = &[
        &[("expiration_mode", "Temporary")],
        &[("expiration_mode", "Temporary"), ("expiration_date", "2026-11-21T08:30:00Z")],
        &[("expiration_mode", "Temporary"), ("expiration_date", "3 days")],
        &[("expiration_mode", "Temporary"), ("expiration_date", "soon")],
        &[("expiration_date", "2027-01-01")],
    ];
    for more in refusals {
        for name in ["create-star-rule", "update-star-rule"] {
            let mut args = with(RULE, more);
            if name == "update-star-rule" {
                args.push(("rule_id", "51"));
            }
            assert!(error(name, &args).contains("expiration_date"), "{name} {more:?}");
        }
    }
}

#[test]
fn get_star_rules_sends_lists_and_default_limit() {
    let args = [
        ("status", "draft,Active"),
        ("creator_contains", "ann, bob"),
        ("queryType", "events"),
        ("query", "Login,Dns"),
        ("description_contains", "night"),
        ("ruleIds", "51,52"),
        ("name_contains", "odd"),
        ("accountIds", "41"),
        ("expirationMode", "Permanent"),
        ("limit", "10"),
        ("siteIds", "21,22"),
    ];
    let query = json!({
        "status": "Draft,Active",
        "creator__contains": "ann,bob",
        "queryType": "events",
        "query": "Login,Dns",
        "description__contains": "night",
        "ids": "51,52",
        "name__contains": "odd",
        "accountIds": "41",
        "expirationMode": "Permanent",
        "limit": "10",
        "siteIds": "21,22",
    });
    assert_eq!(single_request("get-star-rules", &args), json!(["GET", RULES, query, null]));
    assert_eq!(single_request("get-star-rules", &[])[2], json!({ "limit": "1000" }));
}

#[tokio::test]
async fn list_by_ids_default_limit_covers_all_ids() {
    let server = MockServer::start().await;
    let ids: Vec<_> = (0..1100).map(|id| id.to_string()).collect();
    for batch in ids.chunks(100) {
        let data: Vec<_> = batch.iter().map(|id| json!({ "id": id })).collect();
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
        let args = with(&args, &[("limit", "30")]);
        let limits: Vec<_> =
            sent(name, V2_1, &args).unwrap().iter().map(|one| one[2]["limit"].clone()).collect();
        assert_eq!(limits, ["30"; 11], "{name}");
    }
}

#[tokio::test]
async fn get_star_rules_follows_cursor_and_context_has_no_spaces() {
    let server = MockServer::start().await;
    let rule = |id: &str| {
        json!({ "id": id, "name": "Odd logins", "generatedAlerts": 3, "statusReason": "r",
                "expirationMode": "Temporary",
                "expiration": NOW, "expired": true, "status": "Disabled", "severity": "Low", "creator": "Ann",
                "description": null })
    };
    let list = || Mock::given(method("GET")).and(path(RULES));
    let first = json!({ "data": [rule("51")], "pagination": { "nextCursor": "n" } });
    let second = json!({ "data": [rule("52")], "pagination": { "nextCursor": null } });
    list()
        .and(query_param_is_missing("cursor"))
        .respond_with(json_response(first))
        .expect(1)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(json_response(second)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-star-rules", &[]).await;
    let expected = json!({
        "ID": "52", "Name": "Odd logins", "GeneratedAlerts": 3, "StatusReason": "r",
        "ExpirationMode": "Temporary", "ExpirationDate": NOW, "Expired": true,
        "Status": "Disabled", "Severity": "Low", "Creator": "Ann",
    });
    assert_eq!(outcome.context["SentinelOne"]["StarRule"][1], expected);
}

#[tokio::test]
async fn saved_star_rule_context_has_documented_paths() {
    let server = MockServer::start().await;
    let rule = json!({
        "id": "51", "name": "Odd logins", "status": "Draft", "severity": "High", "description": "d",
        "networkQuarantine": false, "treatAsThreat": "Suspicious", "expirationMode": "Permanent",
        "expiration": null, "scope": "site", "createdAt": NOW, "updatedAt": NOW,
    });
    Mock::given(path(RULES)).respond_with(json_response(json!({ "data": rule }))).mount(&server).await;
    Mock::given(path(format!("{RULES}/51")))
        .respond_with(json_response(json!({ "data": rule })))
        .mount(&server)
        .await;
    Mock::given(path(format!("{RULES}/52")))
        .respond_with(json_response(json!({ "data": rule })))
        .mount(&server)
        .await;
    let expected = json!({
        "ID": "51", "Name": "Odd logins", "Status": "Draft", "Severity": "High", "Description": "d",
        "NetworkQuarantine": false, "TreatAsThreat": "Suspicious", "ExpirationMode": "Permanent",
        "ScopeHierarchy": "site", "CreatedAt": NOW, "UpdatedAt": NOW,
    });
    let outcome = run(&server, V2_1, "create-star-rule", RULE).await;
    assert_eq!(outcome.context["SentinelOne"]["StarRule"], expected);
    assert_eq!((states(&outcome), outcome.affected), (vec![("51", IdState::Done)], Some(1)), "the new ID");

    let outcome = run(&server, V2_1, "update-star-rule", &with(RULE, &[("rule_id", "51")])).await;
    assert_eq!(outcome.context["SentinelOne"]["StarRule"], expected);
    assert_eq!(states(&outcome), [("51", IdState::Done)]);

    let outcome = run(&server, V2_1, "update-star-rule", &with(RULE, &[("rule_id", "52")])).await;
    assert_eq!(states(&outcome), [("52", IdState::Unknown)], "the response has another rule");
}

#[tokio::test]
async fn create_star_rule_empty_response_is_unknown() {
    let server = MockServer::start().await;
    Mock::given(path(RULES)).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let outcome = run(&server, V2_1, "create-star-rule", RULE).await;
    assert_eq!(states(&outcome), [("Odd logins", IdState::Unknown)]);
    assert!(!outcome.is_complete() && !outcome.has_effect() && outcome.affected.is_none());
}

#[test]
fn star_rule_actions_send_ids() {
    let args = [("rule_ids", "51,52,51")];
    let body = json!({ "filter": { "ids": ["51", "52"] } });
    for (name, method, path) in [
        ("enable-star-rules", "PUT", format!("{RULES}/enable")),
        ("disable-star-rules", "PUT", format!("{RULES}/disable")),
        ("delete-star-rule", "DELETE", RULES.to_owned()),
    ] {
        assert_eq!(single_request(name, &args), json!([method, path, {}, body]));
        assert!(entry(name).info.requires_confirmation, "{name}");
        assert!(error(name, &[]).contains("rule_ids"));
    }
    let none = DisableStarRules { rule_ids: Vec::new() };
    assert_eq!(none.requests(V2_1).unwrap_err().argument_error().unwrap().argument(), Some("rule_ids"));
}

#[tokio::test]
async fn star_rule_actions_results_follow_count() {
    let server = MockServer::start().await;
    let affected = |count: u64| json_response(json!({ "data": { "affected": count } }));
    Mock::given(path(format!("{RULES}/enable"))).respond_with(affected(2)).mount(&server).await;
    Mock::given(path(format!("{RULES}/disable"))).respond_with(affected(1)).mount(&server).await;
    Mock::given(path(RULES)).respond_with(affected(0)).mount(&server).await;
    for (name, field, state, value) in [
        ("enable-star-rules", "Enabled", IdState::Done, json!(true)),
        ("disable-star-rules", "Disabled", IdState::Unknown, json!(null)),
        ("delete-star-rule", "Deleted", IdState::NotAffected, json!(false)),
    ] {
        let outcome = run(&server, V2_1, name, &[("rule_ids", "51,52")]).await;
        assert_eq!(states(&outcome), [("51", state), ("52", state)], "{name}");
        assert_eq!(outcome.context["SentinelOne"]["StarRule"][1], json!({ "ID": "52", field: value }));
    }
}

// The blocklist.

#[test]
fn get_blocklist_sends_tenant_or_ids() {
    let query = |more: &[(&str, &str)]| single_request("get-blocklist", more)[2].clone();
    let sorted = |more: Value| {
        let mut query = json!({ "limit": "1000", "sortBy": "updatedAt", "sortOrder": "desc" });
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        query
    };
    assert_eq!(query(&[]), sorted(json!({ "tenant": "true" })), "the documented defaults");
    assert_eq!(query(&[("global", "false")]), sorted(json!({ "tenant": "false" })));
    let named = [("group_ids", "31"), ("site_ids", "21,22"), ("account_ids", "41")];
    let ids = json!({ "groupIds": "31", "siteIds": "21,22", "accountIds": "41" });
    assert_eq!(query(&named), sorted(ids.clone()), "no tenant together with IDs");
    assert_eq!(query(&with(&named, &[("global", "false")])), sorted(ids));
    assert_eq!(query(&with(&named, &[("global", "true")])), query(&with(&named, &[("global", "false")])));
    let rest = [("offset", "40"), ("limit", "5"), ("hash", SHA1)];
    let expected = json!({ "tenant": "true", "skip": "40", "limit": "5", "value__contains": SHA1 });
    assert_eq!(query(&rest), sorted(expected));
    for offset in ["-1", "1001"] {
        assert!(error("get-blocklist", &[("offset", offset)]).contains("offset"));
    }
}

#[tokio::test]
async fn get_blocklist_with_offset_follows_cursor() {
    let server = MockServer::start().await;
    let item = |id: &str| {
        json!({ "id": id, "value": SHA1, "userId": "91", "updatedAt": NOW, "scopePath": "Global",
                "type": "black_hash", "source": "user", "createdAt": NOW, "description": "d",
                "osType": "linux", "scopeName": "Global" })
    };
    let list = || Mock::given(method("GET")).and(path(BLOCKLIST));
    let first = json!({ "data": [item("61")], "pagination": { "nextCursor": "n" } });
    let second = json!({ "data": [item("62")], "pagination": {} });
    list().and(query_param("skip", "40")).respond_with(json_response(first)).expect(1).mount(&server).await;
    let next = list().and(query_param("cursor", "n")).and(query_param_is_missing("skip"));
    next.respond_with(json_response(second)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-blocklist", &[("offset", "40")]).await;
    let expected = json!({
        "ID": "62", "Value": SHA1, "UserId": "91", "UpdatedAt": NOW, "ScopePath": "Global",
        "Type": "black_hash", "Source": "user", "CreatedAt": NOW, "Description": "d",
        "OSType": "linux", "ScopeName": "Global",
    });
    assert_eq!(outcome.context["SentinelOne"]["Blocklist"][1], expected);
}

#[test]
fn add_hash_sends_tenant_or_sites() {
    let args = [("sha1", SHA1), ("os_type", "Windows")];
    let data = |source: &str, description: &str| {
        json!({ "value": SHA1, "source": source, "osType": "windows", "type": "black_hash",
                "description": description })
    };
    let body = json!({ "data": data("XSOAR", "Blocked from XSOAR"), "filter": { "tenant": true } });
    assert_eq!(single_request("add-hash-to-blocklist", &args), json!(["POST", BLOCKLIST, {}, body]));

    let more = [("source", "feed"), ("description", "seen"), ("block_site_ids", "21,22,21")];
    let body = json!({ "data": data("feed", "seen"), "filter": { "siteIds": ["21", "22"] } });
    assert_eq!(
        single_request("add-hash-to-blocklist", &with(&args, &more)),
        json!(["POST", BLOCKLIST, {}, body])
    );

    let many = (0..501).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let requests = sent("add-hash-to-blocklist", V2_1, &with(&args, &[("block_site_ids", &many)])).unwrap();
    let sites = |request: &Value| request[3]["filter"]["siteIds"].as_array().unwrap().len();
    assert_eq!(requests.iter().map(sites).collect::<Vec<_>>(), [500, 1], "the maximum batch size of the API");
}

#[test]
fn blocklist_commands_require_full_sha1() {
    for name in ["add-hash-to-blocklist", "remove-hash-from-blocklist"] {
        let sha1 = (entry(name).arguments)().into_iter().find(|argument| argument.name == "sha1").unwrap();
        assert!(!sha1.required, "optional, as in the integration");
        for odd in [&SHA1[1..], "0123456789abcdef0123456789abcdef0123456g", "012", &format!("{SHA1}{SHA1}")] {
            assert!(error(name, &[("sha1", odd), ("os_type", "linux")]).contains("sha1"), "{name} {odd}");
        }
        assert!(error(name, &[("os_type", "linux")]).contains("sha1"), "{name}");
        assert!(error(name, &[("sha1", SHA1), ("os_type", "beos")]).contains("os_type"), "{name}");
        assert!(entry(name).info.requires_confirmation, "{name}");
    }
    assert!(error("add-hash-to-blocklist", &[("sha1", SHA1)]).contains("os_type"));
}

#[tokio::test]
async fn add_existing_hash_is_already_set() {
    let server = MockServer::start().await;
    let already_exists = error_response(4_000_030, "Already Exists Error");
    Mock::given(method("POST"))
        .and(path(BLOCKLIST))
        .respond_with(already_exists)
        .expect(1)
        .mount(&server)
        .await;
    let outcome = run(&server, V2_1, "add-hash-to-blocklist", &[("sha1", SHA1), ("os_type", "linux")]).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::AlreadySet)]);
    assert_eq!(outcome.affected, Some(0));
    assert!(outcome.is_complete());
    let expected = json!({ "hash": SHA1, "status": "Already on blocklist" });
    assert_eq!(outcome.context, json!({ "SentinelOne": { "AddHashToBlocklist": expected } }));
    assert_eq!(outcome.response["errors"][0]["code"], 4_000_030, "the response of the console");
}

#[tokio::test]
async fn add_hash_status_names_scope() {
    let server = MockServer::start().await;
    let post = || Mock::given(method("POST")).and(path(BLOCKLIST));
    let created = json!({ "data": [{ "id": "61" }, { "id": "62" }] });
    post().respond_with(json_response(created)).mount(&server).await;
    let args = [("sha1", SHA1), ("os_type", "linux")];
    let outcome = run(&server, V2_1, "add-hash-to-blocklist", &args).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::Done)]);
    let status = |outcome: &Outcome| outcome.context["SentinelOne"]["AddHashToBlocklist"]["status"].clone();
    assert_eq!(status(&outcome), "Added to global blocklist");
    let outcome =
        run(&server, V2_1, "add-hash-to-blocklist", &with(&args, &[("block_site_ids", "21,22")])).await;
    assert_eq!(states(&outcome), [("21", IdState::Done), ("22", IdState::Done)]);
    assert_eq!((status(&outcome), outcome.affected), (json!("Added to scoped blocklist"), Some(2)));
}

#[tokio::test]
async fn add_hash_response_without_entries_is_unknown() {
    let server = MockServer::start().await;
    let named = json!({ "data": [{ "id": "61", "scope": { "siteIds": ["22"] } }] });
    Mock::given(path(BLOCKLIST)).respond_with(json_response(named)).up_to_n_times(1).mount(&server).await;
    Mock::given(path(BLOCKLIST)).respond_with(json_response(json!({ "data": [] }))).mount(&server).await;
    let args = [("sha1", SHA1), ("os_type", "linux"), ("block_site_ids", "21,22")];
    let outcome = run(&server, V2_1, "add-hash-to-blocklist", &args).await;
    assert_eq!(states(&outcome), [("21", IdState::Unknown), ("22", IdState::Done)]);
    let status = |outcome: &Outcome| outcome.context["SentinelOne"]["AddHashToBlocklist"]["status"].clone();
    assert_eq!(status(&outcome), "Partially added to scoped blocklist");
    let outcome = run(&server, V2_1, "add-hash-to-blocklist", &without(&args, "block_site_ids")).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::Unknown)]);
    assert_eq!(status(&outcome), "Unknown");
}

/// Mounts responses to add requests, by sites.
async fn additions(server: &MockServer, responses: Vec<(&[&str], ResponseTemplate)>) {
    let data = json!({
        "value": SHA1, "source": "XSOAR", "osType": "linux", "type": "black_hash",
        "description": "Blocked from XSOAR",
    });
    for (sites, response) in responses {
        let body = json!({ "data": data, "filter": { "siteIds": sites } });
        let post = Mock::given(method("POST")).and(path(BLOCKLIST)).and(body_json(body));
        post.respond_with(response).expect(1).mount(server).await;
    }
}

#[tokio::test]
async fn add_hash_existing_site_does_not_block_others() {
    let server = MockServer::start().await;
    let already_exists = || error_response(4_000_030, "Already Exists Error");
    let created = |id: &str| json_response(json!({ "data": [{ "id": id }] }));
    let responses = vec![
        (&["21", "22", "23"][..], already_exists()),
        (&["21"][..], created("61")),
        (&["22"][..], already_exists()),
        (&["23"][..], created("63")),
    ];
    additions(&server, responses).await;
    let args = [("sha1", SHA1), ("os_type", "linux"), ("block_site_ids", "21,22,23")];
    let outcome = run(&server, V2_1, "add-hash-to-blocklist", &args).await;
    let expected = [("21", IdState::Done), ("22", IdState::AlreadySet), ("23", IdState::Done)];
    assert_eq!(states(&outcome), expected);
    assert_eq!((outcome.affected, outcome.is_complete()), (Some(2), true));
    assert_eq!(outcome.response, json!({ "data": [{ "id": "61" }, { "id": "63" }] }));
    let status = &outcome.context["SentinelOne"]["AddHashToBlocklist"]["status"];
    assert_eq!(status, "Added to scoped blocklist");
}

#[tokio::test]
async fn add_hash_failure_keeps_earlier_sites() {
    let server = MockServer::start().await;
    let responses = vec![
        (&["21", "22", "23"][..], error_response(4_000_030, "Already Exists Error")),
        (&["21"][..], json_response(json!({ "data": [{ "id": "61" }] }))),
        (&["22"][..], error_response(4_000_010, "Validation Error")),
    ];
    additions(&server, responses).await;
    let args = [("sha1", SHA1), ("os_type", "linux"), ("block_site_ids", "21,22,23")];
    let outcome = run(&server, V2_1, "add-hash-to-blocklist", &args).await;
    let expected = [("21", IdState::Done), ("22", IdState::NotAffected), ("23", IdState::NotAffected)];
    assert_eq!(states(&outcome), expected);
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 400);
}

#[tokio::test]
async fn add_hash_other_api_error_is_returned() {
    let server = MockServer::start().await;
    let body =
        json!({ "errors": [{ "code": 4_000_030 }, { "code": 4_000_010, "title": "Validation Error" }] });
    let mixed = ResponseTemplate::new(400).set_body_json(body);
    Mock::given(path(BLOCKLIST)).respond_with(mixed).expect(1).mount(&server).await;
    let client = client(&server, V2_1);
    let args = arguments(&[("sha1", SHA1), ("os_type", "linux"), ("block_site_ids", "21,22")]);
    let error = entry("add-hash-to-blocklist").prepare(args).unwrap().run(&client).await.unwrap_err();
    assert_eq!(error.api_errors().len(), 2);
}

#[test]
fn remove_hash_searches_first() {
    let query = json!({
        "tenant": "true", "limit": "1000", "osTypes": "macos", "sortBy": "updatedAt", "sortOrder": "asc",
        "value__contains": SHA1,
    });
    let args = [("sha1", SHA1), ("os_type", "macos")];
    assert_eq!(single_request("remove-hash-from-blocklist", &args), json!(["GET", BLOCKLIST, query, null]));
    let args = [("sha1", SHA1), ("block_site_ids", "21,22")];
    let query = json!({
        "siteIds": "21,22", "limit": "1000", "sortBy": "updatedAt", "sortOrder": "asc",
        "value__contains": SHA1,
    });
    assert_eq!(single_request("remove-hash-from-blocklist", &args), json!(["GET", BLOCKLIST, query, null]));
}

#[tokio::test]
async fn remove_hash_deletes_only_exact_global_matches() {
    let server = MockServer::start().await;
    let item = |id: u32, value: &str, scope: Value| {
        let id = id.to_string();
        json!({ "id": id, "value": value, "osType": "linux", "scope": scope })
    };
    let lower = SHA1.to_lowercase();
    let longer = format!("{SHA1}0123456789abcdef01234567");
    let first: Vec<_> = (1..=5).map(|id| item(id, &lower, json!({ "tenant": true }))).collect();
    let second = [
        item(6, &longer, json!({ "tenant": true })),
        item(7, SHA1, json!({ "siteIds": ["21"] })),
        item(8, SHA1, json!(null)),
    ];
    let list = || Mock::given(method("GET")).and(path(BLOCKLIST));
    let first = json!({ "data": first, "pagination": { "nextCursor": "n" } });
    let second = json!({ "data": second, "pagination": { "nextCursor": null } });
    list()
        .and(query_param_is_missing("cursor"))
        .respond_with(json_response(first))
        .expect(1)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(json_response(second)).expect(1).mount(&server).await;
    let matching_ids = ["1", "2", "3", "4", "5", "8"];
    let delete = Mock::given(method("DELETE")).and(path(BLOCKLIST));
    let delete = delete.and(body_json(json!({ "data": { "ids": matching_ids } })));
    delete.respond_with(json_response(json!({ "data": { "affected": 6 } }))).expect(1).mount(&server).await;

    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), matching_ids.map(|id| (id, IdState::Done)));
    assert_eq!(outcome.affected, Some(6));
    let expected = json!({ "hash": SHA1, "status": "Removed 6 entries from blocklist" });
    assert_eq!(outcome.context, json!({ "SentinelOne": { "RemoveHashFromBlocklist": expected } }));
}

#[tokio::test]
async fn remove_missing_hash_is_already_set() {
    let server = MockServer::start().await;
    let get = Mock::given(method("GET")).and(path(BLOCKLIST)).and(query_param("tenant", "true"));
    get.respond_with(json_response(json!({ "data": [], "pagination": {} }))).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::AlreadySet)]);
    assert_eq!(outcome.results[0].detail.as_deref(), Some("Not on blocklist"));
    assert_eq!((outcome.affected, outcome.is_complete()), (Some(0), true));
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], "Not on blocklist");
    assert_eq!(outcome.response["data"], json!([]));
}

#[tokio::test]
async fn remove_hash_incomplete_list_is_unknown() {
    let server = MockServer::start().await;
    let body = json!({ "data": [], "errors": [{ "code": 4_030_010, "title": "Insufficient permissions" }] });
    Mock::given(path(BLOCKLIST)).respond_with(json_response(body)).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::Unknown)]);
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], "Unknown");
    assert!(!outcome.is_complete());
}

#[tokio::test]
async fn remove_hash_keeps_entries_of_other_sites() {
    let server = MockServer::start().await;
    let item = |id: &str, sites: &[&str]| {
        let scope = json!({ "siteIds": sites });
        json!({ "id": id, "value": SHA1, "osType": "linux", "scope": scope })
    };
    let data = json!([
        item("1", &["21"]),
        item("2", &["22", "29"]),
        item("3", &["29"]),
        { "id": "4", "value": SHA1, "osType": "windows", "scope": { "siteIds": ["21"] } },
        { "id": "5", "value": SHA1, "osType": "linux", "scope": { "tenant": true } },
    ]);
    let get =
        Mock::given(method("GET")).and(query_param("siteIds", "21,22")).and(query_param("osTypes", "linux"));
    let get = get.and(query_param_is_missing("tenant"));
    get.respond_with(json_response(json!({ "data": data }))).expect(1).mount(&server).await;
    let delete = Mock::given(method("DELETE")).and(body_json(json!({ "data": { "ids": ["1"] } })));
    delete.respond_with(json_response(json!({ "data": { "affected": 1 } }))).expect(1).mount(&server).await;
    let args = [("sha1", SHA1), ("block_site_ids", "21,22"), ("os_type", "linux")];
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::NotAffected)]);
    let status = &outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"];
    assert_eq!(status, "Removed 1 of 2 entries from blocklist");
}

#[tokio::test]
async fn remove_hash_entry_without_id_is_unknown() {
    for (data, removed, expected, status) in [
        (json!([{ "value": SHA1 }]), 0, vec![(SHA1, IdState::Unknown)], "Unknown"),
        (
            json!([{ "id": 7, "value": SHA1 }]),
            1,
            vec![("7", IdState::Done)],
            "Removed 1 entries from blocklist",
        ),
        (
            json!([{ "id": 7, "value": SHA1 }, { "id": "", "value": SHA1 }]),
            1,
            vec![("7", IdState::Done), (SHA1, IdState::Unknown)],
            "Removed 1 of 2 entries from blocklist",
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
        Mock::given(method("DELETE"))
            .and(body_json(json!({ "data": { "ids": ["7"] } })))
            .respond_with(json_response(json!({ "data": { "affected": 1 } })))
            .expect(removed)
            .mount(&server)
            .await;
        let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
        assert_eq!(states(&outcome), expected);
        assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], status);
        assert_eq!(outcome.affected, Some(removed));
    }
}

#[tokio::test]
async fn remove_hash_accepts_single_site_scope() {
    let server = MockServer::start().await;
    let data = json!([
        { "id": "1", "value": SHA1, "scope": { "siteIds": 21 } },
        { "id": "2", "value": SHA1, "scope": { "siteIds": "29" } },
    ]);
    Mock::given(method("GET")).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
    let delete = Mock::given(method("DELETE")).and(body_json(json!({ "data": { "ids": ["1"] } })));
    delete.respond_with(json_response(json!({ "data": { "affected": 1 } }))).expect(1).mount(&server).await;
    let args = [("sha1", SHA1), ("block_site_ids", "21")];
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Done)]);
}

#[tokio::test]
async fn remove_hash_uncertain_failure_is_unknown() {
    let server = MockServer::start().await;
    let data = json!({ "data": [{ "id": "1", "value": SHA1 }, { "id": "2", "value": SHA1 }] });
    Mock::given(method("GET")).respond_with(json_response(data)).mount(&server).await;
    let delete = || Mock::given(method("DELETE"));
    delete().respond_with(ResponseTemplate::new(500)).up_to_n_times(1).mount(&server).await;
    delete().respond_with(ResponseTemplate::new(403)).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 500);
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
    assert_eq!(outcome.affected, None);
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], "Unknown");

    // A rejected request is returned as an error.
    let client = client(&server, V2_1);
    let command = entry("remove-hash-from-blocklist").prepare(arguments(&[("sha1", SHA1)])).unwrap();
    assert_eq!(command.run(&client).await.unwrap_err().status().unwrap(), 403);
}

#[tokio::test]
async fn remove_hash_failure_stops_further_batches() {
    let server = MockServer::start().await;
    let entry = |id: u32| json!({ "id": id.to_string(), "value": SHA1 });
    let data: Vec<_> = (0..5001).map(entry).collect();
    Mock::given(method("GET")).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(500)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    let count = |state| outcome.results.iter().filter(|one| one.state == state).count();
    assert_eq!((count(IdState::Unknown), count(IdState::NotAffected)), (5000, 1));
}

#[tokio::test]
async fn remove_hash_response_without_count_is_unknown() {
    let server = MockServer::start().await;
    let data = json!({ "data": [{ "id": "1", "value": SHA1 }] });
    Mock::given(method("GET")).respond_with(json_response(data)).mount(&server).await;
    Mock::given(method("DELETE")).respond_with(json_response(json!({ "data": [] }))).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown)]);
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], "Unknown");
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

    let uuids = (0..5001).map(|id| id.to_string()).collect();
    let many = DeleteIoc { account_ids: vec!["41".into()], uuids };
    let requests = many.requests(V2_1).unwrap();
    let sizes = requests.iter().map(|request| &request.body().unwrap()["filter"]);
    let sizes: Vec<_> = sizes
        .map(|filter| (filter["uuids"].as_array().unwrap().len(), filter["accountIds"].clone()))
        .collect();
    assert_eq!(sizes, [(5000, json!(["41"])), (1, json!(["41"]))]);
    let nowhere = DeleteIoc { account_ids: Vec::new(), uuids: vec!["71aa".into()] };
    assert_eq!(nowhere.requests(V2_1).unwrap_err().argument_error().unwrap().argument(), Some("account_ids"));
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
