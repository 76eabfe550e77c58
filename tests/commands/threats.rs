//! Commands on threats.

use sentinelone::IdState;
use sentinelone::commands::{Command, CommandDeclaration, UpdateThreatIncident, UpdateThreatsStatus};
use sentinelone::raw::runtime::Fields;
use sentinelone::threats::{IncidentStatus, ThreatActionFilter};
use serde_json::json;
use wiremock::matchers::{body_json, body_partial_json, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::*;

#[test]
fn get_threats_sends_documented_query() {
    let args = [
        ("content_hash", "aa,bb"),
        ("mitigation_status", "active,mitigated"),
        ("created_before", "2 hours"),
        ("created_after", "10 days"),
        ("created_until", "2026-11-20"),
        ("created_from", "2025-05-06T07:08:09.101112Z"),
        ("resolved", "True"),
        ("display_name", "evil.exe"),
        ("limit", "50"),
        ("query", "free, text"),
        ("threat_ids", " 1, 2 "),
        ("classifications", "Malware,Ransomware"),
        ("site_ids", "7"),
        ("incident_statuses", "IN_PROGRESS, UNRESOLVED"),
    ];
    let query = json!({
        "contentHashes": "aa,bb",
        "mitigationStatuses": "not_mitigated,mitigated",
        "createdAt__lt": "2026-11-21T06:30:00Z",
        "createdAt__gt": "2026-11-11T08:30:00Z",
        "createdAt__lte": "2026-11-20T00:00:00Z",
        "createdAt__gte": "2025-05-06T07:08:09.101112Z",
        "resolved": "true",
        "displayName": "evil.exe",
        "limit": "50",
        "query": "free, text",
        "ids": "1,2",
        "classifications": "Malware,Ransomware",
        "siteIds": "7",
        "incidentStatuses": "in_progress,unresolved",
    });
    let expected = json!(["GET", "/web/api/v2.1/threats", query, null]);
    assert_eq!(sent("get-threats", V2_1, &args).unwrap(), [expected]);
}

#[test]
fn get_threats_on_api_2_0_sends_rank() {
    let args = [("display_name", "evil"), ("rank", "7"), ("mitigation_status", "blocked"), ("limit", "5")];
    // Threats below the rank are dropped here, so the page size exceeds the limit.
    let query =
        json!({ "displayName__like": "evil", "rank": "7", "mitigationStatuses": "blocked", "limit": "1000" });
    let expected = json!(["GET", "/web/api/v2.0/threats", query, null]);
    assert_eq!(sent("get-threats", V2_0, &args).unwrap(), [expected]);
}

#[test]
fn get_threats_defaults_match_integration() {
    let limit = |args: &[(&str, &str)]| sent("get-threats", V2_1, args).unwrap()[0][2].clone();
    assert_eq!(limit(&[]), json!({ "limit": "20" }), "resolved and unresolved threats");
    assert_eq!(limit(&[("include_resolved_param", "true")])["resolved"], "false");
    assert_eq!(limit(&[("resolved", "false")])["resolved"], "false");
    assert_eq!(limit(&[("resolved", "true")])["resolved"], "true", "resolved alone is sufficient");
    // The documented defaults, which a platform passes, do not filter.
    let both = |resolved, include| limit(&[("resolved", resolved), ("include_resolved_param", include)]);
    assert_eq!(both("false", "false"), json!({ "limit": "20" }));
    assert_eq!(both("true", "false"), json!({ "limit": "20" }));
    assert_eq!(limit(&[("include_resolved_param", "false")]), json!({ "limit": "20" }));
    assert_eq!(both("false", "true")["resolved"], "false");
    assert_eq!(both("true", "true")["resolved"], "true");
    let arguments = (entry("get-threats").arguments)();
    let include = arguments.iter().find(|argument| argument.name == "include_resolved_param").unwrap();
    assert_eq!(include.default, None, "a missing value differs from false");
    assert_eq!(limit(&[("limit", "5000")])["limit"], "1000", "further pages return the rest");
    let many = (0..30).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(limit(&[("threat_ids", &many)])["limit"], "30", "the default limit covers all IDs");
    assert_eq!(limit(&[("threat_ids", &many), ("limit", "3")])["limit"], "3");
}

#[test]
fn threat_commands_invalid_arguments_are_rejected() {
    let refusals = [
        ("get-threats", V2_1, vec![("rank", "7")], "rank"),
        ("get-threats", V2_1, vec![("mitigation_status", "blocked")], "mitigation_status"),
        ("get-threats", V2_0, vec![("mitigation_status", "marked_as_benign")], "mitigation_status"),
        ("get-threats", V2_0, vec![("incident_statuses", "resolved")], "incident_statuses"),
        ("get-threats", V2_1, vec![("include_resolved_param", "maybe")], "include_resolved_param"),
        ("get-threats", V2_1, vec![("limit", "0")], "limit"),
        ("get-threats", V2_1, vec![("limit", "-1")], "limit"),
        ("get-threats", V2_1, vec![("limit", "many")], "limit"),
        ("get-threats", V2_1, vec![("created_after", "soon")], "created_after"),
        ("get-threats", V2_1, vec![("incident_statuses", "closed")], "incident_statuses"),
        ("get-threats", V2_1, vec![("threat_ids", "1,,2")], "threat_ids"),
        ("get-threats", V2_1, vec![("threat_ids", "1,")], "threat_ids"),
        ("get-threats", V2_1, vec![("unheard_of", "1")], "unheard_of"),
        ("threat-summary", V2_0, vec![], "2.0"),
        ("mark-as-threat", V2_1, vec![("threat_ids", "1"), ("target_scope", "site")], "2.1"),
        ("mark-as-threat", V2_0, vec![("target_scope", "site")], "threat_ids"),
        ("mark-as-threat", V2_0, vec![("threat_ids", "1"), ("target_scope", "group")], "target_scope"),
        ("mark-as-threat", V2_0, vec![("threat_ids", " "), ("target_scope", "site")], "threat_ids"),
        ("resolve-threat", V2_1, vec![("threat_ids", "1")], "2.1"),
        ("mitigate-threat", V2_1, vec![("threat_ids", "1"), ("action", "explode")], "action"),
        ("mitigate-threat", V2_1, vec![("threat_ids", ""), ("action", "kill")], "threat_ids"),
        ("update-threats-status", V2_1, vec![("threat_ids", "1"), ("status", "closed")], "status"),
        ("update-threats-verdict", V2_1, vec![("threat_ids", "1")], "verdict"),
        ("write-threat-note", V2_1, vec![("threat_ids", "1"), ("note", "x")], "data.text"),
        ("get-threat-notes", V2_1, vec![("threat_id", "..")], "threat_id"),
        ("get-threats", V2_1, vec![("threat_ids", "[null]")], "threat_ids"),
        ("get-threats", V2_1, vec![("threat_ids", "[1.5]")], "threat_ids"),
        ("get-threats", V2_1, vec![("query", " ")], "query"),
        ("get-threats", V2_0, vec![("rank", "11")], "rank"),
        (
            "update-threat-incident",
            V2_1,
            vec![("incident_status", "resolved"), ("ids", "1"), ("limit", "-5")],
            "limit",
        ),
        ("update-threat-incident", V2_1, vec![("incident_status", "resolved")], "filter"),
        ("update-threat-incident", V2_1, vec![("incident_status", "resolved"), ("limit", "3")], "filter"),
        ("update-threat-incident", V2_1, vec![("incident_status", "resolved"), ("tenant", "true")], "filter"),
        ("update-threat-incident", V2_1, vec![("ids", "1")], "incident_status"),
        (
            "update-threat-incident",
            V2_1,
            vec![("incident_status", "resolved"), ("agent_tags_data", "{}")],
            "agentTagsData",
        ),
        (
            "update-threat-incident",
            V2_1,
            vec![("incident_status", "resolved"), ("agent_tags_data", r#"{"site":[]}"#)],
            "agentTagsData",
        ),
        (
            "update-threat-incident",
            V2_1,
            vec![("incident_status", "resolved"), ("os_types", "beos")],
            "os_types",
        ),
        (
            "update-threat-incident",
            V2_1,
            vec![("incident_status", "resolved"), ("computer_name_contains", "x")],
            "computerName__contains",
        ),
        (
            "update-threat-incident",
            V2_1,
            vec![("incident_status", "resolved"), ("created_at_gt", "soon")],
            "created_at_gt",
        ),
    ];
    for (name, version, args, about) in refusals {
        let error = sent(name, version, &args).expect_err(&format!("{name} {args:?}"));
        assert!(error.contains(about), "{name} {args:?}: {error}");
    }
}

#[test]
fn threat_actions_send_ids_in_one_request() {
    let args = [("threat_ids", "1,2"), ("verdict", "true_positive")];
    let filter = json!({ "ids": ["1", "2"], "tenant": true });
    let body = json!({ "data": { "analystVerdict": "true_positive" }, "filter": filter });
    let expected = json!(["POST", "/web/api/v2.1/threats/analyst-verdict", {}, body]);
    assert_eq!(sent("update-threats-verdict", V2_1, &args).unwrap(), [expected], "tenant is a boolean");

    let both = [("threat_ids", r#"["1", "2"]"#), ("status", "resolved")];
    let body = json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": ["1", "2"] } });
    let expected = json!(["POST", "/web/api/v2.1/threats/incident", {}, body]);
    assert_eq!(sent("update-threats-status", V2_1, &both).unwrap(), [expected]);

    let args = [("threat_ids", "1,2,1"), ("action", "rollback-remediation")];
    let expected = json!(["POST", "/web/api/v2.0/threats/mitigate/rollback-remediation", {}, { "filter": { "ids": ["1", "2"] } }]);
    assert_eq!(sent("mitigate-threat", V2_0, &args).unwrap(), [expected]);
}

#[test]
fn threat_actions_split_ids_into_batches() {
    let ids = (0..12_001).map(|id| id.to_string()).collect::<Vec<_>>();
    let command = UpdateThreatsStatus::new(IncidentStatus::Resolved, &ids);
    let requests = command.requests(V2_1).unwrap();
    let batches: Vec<Vec<String>> = requests
        .iter()
        .map(|request| serde_json::from_value(request.body().unwrap()["filter"]["ids"].clone()).unwrap())
        .collect();
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [vec![1000; 12], vec![1]].concat());
    assert_eq!(batches.concat(), ids);
}

#[test]
fn update_incident_limit_with_batches_is_rejected() {
    let ids = (0..5_001).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let args = [("incident_status", "resolved"), ("ids", ids.as_str())];
    assert_eq!(sent("update-threat-incident", V2_1, &args).unwrap().len(), 6);
    let args = [args[0], args[1], ("limit", "10")];
    assert!(sent("update-threat-incident", V2_1, &args).unwrap_err().contains("limit"));
}

#[test]
fn update_status_without_ids_is_rejected() {
    let command = UpdateThreatsStatus::new(IncidentStatus::Resolved, [""; 0]);
    let error = command.requests(V2_1).unwrap_err();
    assert_eq!(crate::argument_error(&error).argument(), Some("threat_ids"));
}

#[test]
fn update_incident_arguments_cover_filter_fields() {
    let names: Vec<_> = UpdateThreatIncident::arguments().iter().map(|argument| argument.name).collect();
    let mut expected = vec!["incident_status", "analyst_verdict"];
    expected.extend(ThreatActionFilter::FIELDS.iter().map(|field| field.rust_name));
    expected.push("everything_in_scope");
    assert_eq!(names, expected);
}

#[test]
fn update_incident_sends_documented_body() {
    let args = [
        ("incident_status", "in_progress"),
        ("analyst_verdict", "suspicious"),
        ("computer_name_contains", "web-01,web-02"),
        ("agent_is_active", "false"),
        ("updated_at_gte", "1 day"),
        ("limit", "9"),
        ("query", "a, b"),
        ("k8s_node_labels_contains", "role=db"),
    ];
    let body = json!({
        "data": { "incidentStatus": "in_progress", "analystVerdict": "suspicious" },
        "filter": {
            "computerName__contains": ["web-01", "web-02"],
            "agentIsActive": false,
            "updatedAt__gte": "2026-11-20T08:30:00Z",
            "limit": 9,
            "query": "a, b",
            "k8sNodeLabels__contains": ["role=db"],
        },
    });
    let expected = json!(["POST", "/web/api/v2.1/threats/incident", {}, body]);
    assert_eq!(sent("update-threat-incident", V2_1, &args).unwrap(), [expected]);

    let args = [("incident_status", "resolved"), ("everything_in_scope", "true")];
    let body = json!({ "data": { "incidentStatus": "resolved" }, "filter": {} });
    let sent = sent("update-threat-incident", V2_1, &args).unwrap();
    assert_eq!(sent, [json!(["POST", "/web/api/v2.1/threats/incident", {}, body])]);
}

#[tokio::test]
async fn get_threats_follows_the_cursor_and_keeps_unknown_fields() {
    let server = MockServer::start().await;
    let threat = |id: u32| {
        json!({
            "id": id.to_string(),
            "brandNew": { "field": id },
            "threatInfo": { "sha256": "ff", "createdAt": NOW, "classification": null },
            "agentRealtimeInfo": { "agentComputerName": "web-01" },
        })
    };
    let first =
        json!({ "data": [threat(1), threat(2)], "pagination": { "nextCursor": "n", "totalItems": 9 } });
    let second =
        json!({ "data": [threat(3), threat(4)], "pagination": { "nextCursor": "m", "totalItems": 9 } });
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    list()
        .and(query_param_is_missing("cursor"))
        .respond_with(json_response(first))
        .expect(1)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(json_response(second)).expect(1).mount(&server).await;

    let outcome = run(&server, V2_1, "get-threats", &[("limit", "3")]).await;
    assert_eq!(outcome.response["data"].as_array().unwrap().len(), 3);
    assert_eq!(outcome.response["data"][2]["brandNew"]["field"], 3, "the response is unchanged");
    let threats = &outcome.context["SentinelOne"]["Threat"];
    let expected = json!({
        "ID": "3", "AgentComputerName": "web-01", "FileSha256": "ff", "CreatedDate": NOW,
    });
    assert_eq!(threats[2], expected, "null fields are left out");
}

#[tokio::test]
async fn get_threats_on_api_2_0_filters_by_rank() {
    let server = MockServer::start().await;
    let data = json!([{ "id": "1", "rank": 7, "fileSha256": "aa" }, { "id": "2", "rank": 3 }, { "id": "3" }]);
    let body = json!({ "data": data, "pagination": { "nextCursor": null, "totalItems": 3 } });
    Mock::given(path("/web/api/v2.0/threats")).respond_with(json_response(body)).mount(&server).await;
    let outcome = run(&server, V2_0, "get-threats", &[("rank", "5")]).await;
    let threats = outcome.context["SentinelOne"]["Threat"].as_array().unwrap();
    assert_eq!(threats.len(), 2, "threats without a rank are kept");
    assert_eq!(threats[0], json!({ "ID": "1", "Rank": 7, "FileSha256": "aa" }));
}

/// Threats below the rank are dropped here and do not count toward the limit.
#[tokio::test]
async fn get_threats_limit_counts_only_matching_threats() {
    let server = MockServer::start().await;
    let page = |ranks: [i64; 2], next: Value| {
        let data: Vec<_> = ranks.iter().map(|rank| json!({ "id": rank.to_string(), "rank": rank })).collect();
        json_response(json!({ "data": data, "pagination": { "nextCursor": next } }))
    };
    let list = || Mock::given(path("/web/api/v2.0/threats")).and(query_param("limit", "1000"));
    list().and(query_param_is_missing("cursor")).respond_with(page([3, 9], "n".into())).mount(&server).await;
    list().and(query_param("cursor", "n")).respond_with(page([8, 10], "m".into())).mount(&server).await;
    let outcome = run(&server, V2_0, "get-threats", &[("rank", "5"), ("limit", "2")]).await;
    let expected = json!([{ "ID": "9", "Rank": 9 }, { "ID": "8", "Rank": 8 }]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected);
    assert!(outcome.is_complete(), "no third page is requested");
}

#[test]
fn lists_split_ids_into_url_sized_batches() {
    let ids: Vec<String> = (0..250).map(|id| id.to_string()).collect();
    // The first ID is repeated.
    let list = format!("{},0", ids.join(","));
    for (name, argument, field, more, also) in [
        ("get-threats", "threat_ids", "ids", ("site_ids", "7"), "siteIds"),
        ("get-alerts", "alert_ids", "ids", ("created_from", "2026-11-01"), "createdAt__gte"),
        ("get-iocs", "uuids", "uuids", ("account_ids", "7"), "accountIds"),
        ("get-star-rules", "ruleIds", "ids", ("siteIds", "7"), "siteIds"),
        ("get-activities", "activities_ids", "ids", ("agent_ids", "7"), "agentIds"),
        ("get-white-list", "item_ids", "ids", ("exclusion_type", "path"), "type"),
        ("get-remote-script-task-status", "ids", "ids", ("parent_task_id", "7"), "parentTaskId"),
    ] {
        // STAR rules are in two lists.
        let lists = if name == "get-star-rules" { 2 } else { 1 };
        let mut requests = sent(name, V2_1, &[(argument, &list), more]).unwrap();
        assert_eq!(requests.len(), 3 * lists, "{name}");
        requests.truncate(3);
        let named: Vec<&str> = requests.iter().map(|one| one[2][field].as_str().unwrap()).collect();
        let counts: Vec<usize> = named.iter().map(|ids| ids.split(',').count()).collect();
        assert_eq!(counts, [100, 100, 50], "{name}");
        assert_eq!(named.join(","), ids.join(","), "{name}: unique IDs");
        assert!(requests.iter().all(|one| one[2][also].is_string()), "{name}: other filters are repeated");
        assert_eq!(sent(name, V2_1, &[(argument, "1,2"), more]).unwrap().len(), lists, "{name}");
    }
}

#[test]
fn list_cursor_or_sort_with_batches_is_rejected() {
    let many = (0..101).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    for (name, argument, more, about) in [
        ("get-alerts", "alert_ids", vec![("created_from", "1 day"), ("cursor", "c")], "cursor"),
        ("get-iocs", "uuids", vec![("account_ids", "7"), ("cursor", "c")], "cursor"),
        ("get-remote-script-task-status", "ids", vec![("parent_task_id", "7"), ("cursor", "c")], "cursor"),
        ("get-activities", "activities_ids", vec![("sort_by", "id")], "sort_by"),
        ("get-activities", "activities_ids", vec![("sort_order", "asc")], "sort_order"),
    ] {
        let with = |ids: &str| sent(name, V2_1, &[&more[..], &[(argument, ids)]].concat());
        let error = with(&many).unwrap_err();
        assert!(error.contains(&format!(": {about} ")) && error.contains(argument), "{error}");
        assert_eq!(with("1,2").unwrap().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn get_threats_limit_and_total_span_batches() {
    let server = MockServer::start().await;
    let ids: Vec<String> = (0..250).map(|id| id.to_string()).collect();
    for batch in ids.chunks(100) {
        let data: Vec<Value> = batch.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({ "data": data, "pagination": { "totalItems": batch.len(), "nextCursor": null } });
        let list = Mock::given(path("/web/api/v2.1/threats")).and(query_param("ids", batch.join(",")));
        list.respond_with(json_response(body)).mount(&server).await;
    }
    let list = ids.join(",");
    let outcome = run(&server, V2_1, "get-threats", &[("threat_ids", &list)]).await;
    assert_eq!(outcome.context["SentinelOne"]["Threat"].as_array().unwrap().len(), 250);
    assert_eq!(outcome.response["data"][249]["id"], "249");
    assert_eq!(outcome.response["pagination"]["totalItems"], 250);

    server.reset().await;
    let first = json!({ "data": [{ "id": "0" }, { "id": "1" }], "pagination": { "nextCursor": null } });
    let second = json!({
        "data": [{ "id": "100" }, { "id": "101" }],
        "pagination": { "nextCursor": "n", "totalItems": 9 },
    });
    let batch = |ids: &[String]| Mock::given(query_param("ids", ids.join(",")));
    batch(&ids[..100]).respond_with(json_response(first)).expect(1).mount(&server).await;
    batch(&ids[100..200]).respond_with(json_response(second)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-threats", &[("threat_ids", &list), ("limit", "3")]).await;
    let expected = json!([{ "ID": "0" }, { "ID": "1" }, { "ID": "100" }]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected);
    assert!(outcome.is_complete(), "the third batch is not requested");
    let pagination = json!({ "nextCursor": null, "totalItems": null });
    assert_eq!(
        outcome.response["pagination"], pagination,
        "the cursor and total of one list do not apply to all"
    );
}

#[tokio::test]
async fn get_threats_failure_keeps_earlier_batches() {
    let server = MockServer::start().await;
    let ids: Vec<String> = (0..250).map(|id| id.to_string()).collect();
    let batch = |ids: &[String]| Mock::given(query_param("ids", ids.join(",")));
    let first = json_response(json!({ "data": [{ "id": "0" }] }));
    batch(&ids[..100]).respond_with(first).mount(&server).await;
    batch(&ids[100..200]).respond_with(ResponseTemplate::new(503)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-threats", &[("threat_ids", &ids.join(","))]).await;
    assert_eq!(outcome.context["SentinelOne"]["Threat"], json!([{ "ID": "0" }]));
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 503);
}

#[tokio::test]
async fn update_status_reports_state_per_threat() {
    let server = MockServer::start().await;
    let details = json!([
        { "threatId": "1", "result": "updated", "analystVerdict": "not_changed" },
        { "threatId": "2", "result": "already_set" },
        { "threatId": "3", "result": "conditions_not_met" },
    ]);
    let body = json!({ "data": { "affected": 1, "details": details } });
    Mock::given(path("/web/api/v2.1/threats/incident"))
        .respond_with(json_response(body))
        .mount(&server)
        .await;
    let args = [("threat_ids", "1,2,3,4"), ("status", "resolved")];
    let outcome = run(&server, V2_1, "update-threats-status", &args).await;
    let expected = [
        ("1", IdState::Done),
        ("2", IdState::AlreadySet),
        ("3", IdState::NotAffected),
        ("4", IdState::NotAffected),
    ];
    assert_eq!(states(&outcome), expected);
    assert!(!outcome.is_complete() && outcome.has_effect());
    let entries = json!([
        { "ID": "1", "Updated": true, "Status": "resolved" },
        { "ID": "2", "Updated": true, "Status": "resolved" },
        { "ID": "3", "Updated": false, "Status": "resolved" },
        { "ID": "4", "Updated": false, "Status": "resolved" },
    ]);
    assert_eq!(outcome.context, json!({ "SentinelOne": { "Threat": entries } }));
}

#[tokio::test]
async fn write_note_partial_count_is_unknown_per_id() {
    let server = MockServer::start().await;
    let body = json!({ "data": { "affected": 1 } });
    Mock::given(path("/web/api/v2.1/threats/notes")).respond_with(json_response(body)).mount(&server).await;
    let outcome = run(&server, V2_1, "write-threat-note", &[("threat_ids", "1,2"), ("note", "seen")]).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"][0]["Status"], "Unknown");
}

#[tokio::test]
async fn update_status_failure_keeps_earlier_batches() {
    let server = MockServer::start().await;
    let post = || Mock::given(path("/web/api/v2.1/threats/incident"));
    let ids: Vec<String> = (0..10_001).map(|id| id.to_string()).collect();
    let batch =
        |ids: &[String]| json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": ids } });
    let done = json_response(json!({ "data": { "affected": 5000 } }));
    post().and(body_json(batch(&ids[..5000]))).respond_with(done).expect(1).mount(&server).await;
    let broken = ResponseTemplate::new(500);
    post().and(body_json(batch(&ids[5000..10_000]))).respond_with(broken).expect(1).mount(&server).await;

    let list = ids.join(",");
    let args = [("threat_ids", list.as_str()), ("status", "resolved")];
    let outcome = run_in_sequence(&server, "update-threats-status", &args).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 500);
    let count = |state| outcome.results.iter().filter(|one| one.state == state).count();
    assert_eq!(count(IdState::Done), 5000);
    // The second batch may have taken effect; the third was not sent.
    assert_eq!(count(IdState::Unknown), 5000);
    assert_eq!(count(IdState::NotAffected), 1);
}

#[tokio::test]
async fn get_threats_failure_keeps_earlier_pages() {
    let server = MockServer::start().await;
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    let first = json!({ "data": [{ "id": "1" }], "pagination": { "nextCursor": "n" } });
    list().and(query_param_is_missing("cursor")).respond_with(json_response(first)).mount(&server).await;
    list().and(query_param("cursor", "n")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-threats", &[]).await;
    assert_eq!(outcome.context["SentinelOne"]["Threat"], json!([{ "ID": "1" }]));
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 503);
    assert!(!outcome.is_complete());
}

#[tokio::test]
async fn outcome_keeps_errors_returned_with_data() {
    let server = MockServer::start().await;
    let details = json!([{ "threatId": "1", "result": "updated" }]);
    let errors = json!([{ "code": 4030010, "title": "Insufficient permissions" }]);
    let body = json!({ "data": { "affected": 1, "details": details }, "errors": errors });
    Mock::given(path("/web/api/v2.1/threats/incident"))
        .respond_with(json_response(body))
        .mount(&server)
        .await;
    let args = [("threat_ids", "1,2"), ("status", "resolved")];
    let outcome = run(&server, V2_1, "update-threats-status", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::NotAffected)]);
    assert_eq!(outcome.errors[0].code.as_deref(), Some("4030010"));
}

#[tokio::test]
async fn update_status_empty_response_is_unknown() {
    let server = MockServer::start().await;
    Mock::given(path("/web/api/v2.1/threats/incident"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let args = [("threat_ids", "1"), ("status", "resolved")];
    let outcome = run(&server, V2_1, "update-threats-status", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown)]);
    assert!(!outcome.has_effect());
    let expected = json!([{ "id": "1", "state": "unknown", "detail": null }]);
    assert_eq!(outcome.to_json(), json!({ "results": expected }));
    assert_eq!(json!(outcome.items()), expected);
}

#[tokio::test]
async fn update_incident_context_has_swimlane_format() {
    let server = MockServer::start().await;
    let details = json!([{ "threatId": "7", "result": "updated", "analystVerdict": "updated" }]);
    let body = json!({ "data": { "affected": 1, "details": details }, "errors": null });
    Mock::given(path("/web/api/v2.1/threats/incident"))
        .and(body_partial_json(json!({ "filter": { "osTypes": ["linux"] } })))
        .respond_with(json_response(body.clone()))
        .mount(&server)
        .await;
    let args = [("incident_status", "resolved"), ("os_types", "linux")];
    let outcome = run(&server, V2_1, "update-threat-incident", &args).await;
    assert_eq!(outcome.context, json!({ "status_code": 200, "reason": "OK", "json_body": body }));
    assert_eq!(states(&outcome), [("7", IdState::Done)], "the results are those of the console");
}

#[tokio::test]
async fn threat_summary_and_notes_context_has_documented_paths() {
    let server = MockServer::start().await;
    let counts = json!({ "data": { "total": 9, "resolved": 4, "notResolved": 5 } });
    Mock::given(path("/web/api/v2.1/private/threats/summary"))
        .and(query_param("groupIds", "1,2"))
        .respond_with(json_response(counts))
        .mount(&server)
        .await;
    let outcome = run(&server, V2_1, "threat-summary", &[("group_ids", "1,2")]).await;
    let expected = json!({ "Total": 9, "Resolved": 4, "NotResolved": 5 });
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected);

    let note = |id: &str| json!({ "id": id, "text": "seen", "creatorId": "6", "edited": false });
    let notes = || Mock::given(path("/web/api/v2.1/threats/9/notes")).and(query_param("limit", "1000"));
    let first = json!({ "data": [note("5")], "pagination": { "nextCursor": "n", "totalItems": 2 } });
    notes()
        .and(query_param_is_missing("cursor"))
        .respond_with(json_response(first))
        .expect(1)
        .mount(&server)
        .await;
    let last = json!({ "data": [note("7")], "pagination": { "nextCursor": null, "totalItems": 2 } });
    notes().and(query_param("cursor", "n")).respond_with(json_response(last)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-threat-notes", &[("threat_id", "9")]).await;
    let note = |id: &str| json!({ "ID": id, "Text": "seen", "CreatorID": "6", "Edited": false });
    assert_eq!(outcome.context["SentinelOne"]["Notes"], json!([note("5"), note("7")]));
}
