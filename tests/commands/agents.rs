//! Commands on agents.

use sentinelone::IdState;
use sentinelone::commands::{Command, ConnectAgent, GetAgent, ListAgents, MoveAgent};
use sentinelone::raw::agents::AgentFilter;
use serde_json::json;
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::*;

const AGENTS: &str = "/web/api/v2.1/agents";

fn query_of(args: &[(&str, &str)]) -> Value {
    sent("list-agents", V2_1, args).unwrap()[0][2].clone()
}

#[test]
fn list_agents_sends_declared_names() {
    let args = [
        ("computer_name", "web-0"),
        ("scan_status", "started, aborted"),
        ("os_type", "linux,windows_legacy"),
        ("created_at", "3 days"),
        ("min_active_threats", "2"),
        ("limit", "25"),
        ("params", "infected=true"),
    ];
    let query = json!({
        "computerName__like": "web-0",
        "scanStatuses": "started,aborted",
        "osTypes": "linux,windows_legacy",
        "createdAt__gte": "2026-11-18T08:30:00Z",
        "activeThreats__gt": "1",
        "limit": "1000",
        "infected": "true",
    });
    for version in [V2_0, V2_1] {
        let expected = json!(["GET", format!("/web/api/v{version}/agents"), query, null]);
        assert_eq!(sent("list-agents", version, &args).unwrap(), [expected]);
    }
}

#[test]
fn list_agents_default_limit_matches_integration() {
    assert_eq!(query_of(&[]), json!({ "limit": "10" }));
    assert_eq!(query_of(&[("limit", "25")])["limit"], "25");
    assert_eq!(query_of(&[("limit", "5000")])["limit"], "1000", "further pages return the rest");
}

#[test]
fn list_agents_min_active_threats_is_inclusive() {
    let above = |least: &str| query_of(&[("min_active_threats", least)])["activeThreats__gt"].clone();
    assert_eq!(above("1"), "0");
    assert_eq!(above("7"), "6");
    assert_eq!(above("0"), json!(null), "0 does not filter");
    let size = |least: &str| query_of(&[("min_active_threats", least), ("limit", "5")])["limit"].clone();
    assert_eq!((size("0"), size("1")), (json!("5"), json!("1000")), "items of a page may be dropped");
    assert!(sent("list-agents", V2_1, &[("min_active_threats", "-1")]).is_err());
}

/// It is unclear whether the console filters by "more than" or "at least".
#[tokio::test]
async fn list_agents_min_active_threats_is_also_filtered_locally() {
    let server = MockServer::start().await;
    let page = |counts: [Value; 2], next: Value| {
        let data = counts.map(|count| json!({ "id": count.to_string(), "activeThreats": count }));
        json_response(json!({ "data": data, "pagination": { "nextCursor": next } }))
    };
    let list = || Mock::given(path(AGENTS)).and(query_param("activeThreats__gt", "2"));
    let first = page([json!(2), json!(3)], "n".into());
    list().and(query_param_is_missing("cursor")).respond_with(first).expect(1).mount(&server).await;
    let second = page([json!(2), Value::Null], "m".into());
    list().and(query_param("cursor", "n")).respond_with(second).expect(1).mount(&server).await;
    let args = [("min_active_threats", "3"), ("limit", "2"), ("columns", "activeThreats")];
    let outcome = run(&server, V2_1, "list-agents", &args).await;
    let expected = json!([{ "ID": "3", "ThreatCount": 3, "activeThreats": 3 }, { "ID": "null" }]);
    assert_eq!(outcome.context["SentinelOne"]["Agents"], expected, "an item with an unknown count is kept");
}

#[test]
fn list_agents_params_are_sent_as_filters() {
    let params = "activeThreats=3, gatewayIp=192.0.2.1 ,osTypes=linux,osTypes=macos,isDecommissioned=false,\
                  createdAt__lt=2 hours";
    let query = json!({
        "activeThreats": "3",
        "gatewayIp": "192.0.2.1",
        "osTypes": "linux,macos",
        "isDecommissioned": "false",
        "createdAt__lt": "2026-11-21T06:30:00Z",
        "limit": "10",
    });
    assert_eq!(query_of(&[("params", params)]), query);
}

#[test]
fn list_agents_params_value_may_contain_equals_sign() {
    assert_eq!(
        query_of(&[("params", "k8sNodeLabels__contains=role=db")])["k8sNodeLabels__contains"],
        "role=db"
    );
    let pairs = r#"["query=a, b", "domains=ONE"]"#;
    assert_eq!(query_of(&[("params", pairs)])["query"], "a, b");
}

#[test]
fn list_agents_invalid_params_are_rejected() {
    let wrong = [
        ("infected", "not a field=value pair"),
        ("infected=true,3", "not a field=value pair"),
        ("active_threats=3", "active_threats"),
        ("sortBy=id", "sortBy"),
        ("limit=5", "limit"),
        ("infected=", "infected"),
        ("infected=perhaps", "infected"),
        ("coreCount__gt=many", "coreCount__gt"),
        ("isDecommissioned=perhaps", "isDecommissioned"),
        ("osTypes=beos", "osTypes"),
        ("osArch=7 bit", "osArch"),
        ("createdAt__gt=soon", "createdAt__gt"),
        ("gatewayIp=192.0.2.1,gatewayIp=192.0.2.2", "gatewayIp"),
    ];
    for (params, about) in wrong {
        let error = sent("list-agents", V2_1, &[("params", params)]).expect_err(params);
        assert!(error.contains("params") && error.contains(about), "{params}: {error}");
    }
}

#[test]
fn list_agents_params_conflicting_with_argument_are_rejected() {
    let both = [
        ("computer_name", "web", "computerName__like=db"),
        ("scan_status", "none", "scanStatuses=started"),
        ("os_type", "linux", "osTypes=macos"),
        ("created_at", "1 day", "createdAt__gte=2 days"),
        ("min_active_threats", "2", "activeThreats__gt=5"),
    ];
    for (name, value, params) in both {
        let error = sent("list-agents", V2_1, &[(name, value), ("params", params)]).expect_err(name);
        assert!(error.contains("params") && error.contains(name), "{error}");
    }
    let command =
        ListAgents::default().computer_name("web").params(AgentFilter::default().computer_name_like("db"));
    let error = command.requests(V2_1).unwrap_err();
    assert_eq!(crate::argument_error(&error).argument(), Some("params"));
}

#[test]
fn agent_commands_invalid_arguments_are_rejected() {
    let refusals = [
        ("list-agents", vec![("scan_status", "stopped")], "scan_status"),
        ("list-agents", vec![("os_type", "beos")], "os_type"),
        ("list-agents", vec![("created_at", "soon")], "created_at"),
        ("list-agents", vec![("limit", "0")], "limit"),
        ("list-agents", vec![("min_active_threats", "some")], "min_active_threats"),
        ("get-agent", vec![], "agent_id"),
        ("get-agent", vec![("agent_id", "1,,2")], "agent_id"),
        ("get-agent-mac", vec![], "agent_id"),
        ("connect-agent", vec![], "agent_id"),
        ("disconnect-agent", vec![("agent_id", " ")], "agent_id"),
        ("broadcast-message", vec![("agent_id", "1")], "message"),
        (
            "broadcast-message",
            vec![("message", "x"), ("agent_id", "1"), ("active_agent", "maybe")],
            "active_agent",
        ),
        ("initiate-endpoint-scan", vec![], "agent_ids"),
        ("get-installed-applications", vec![], "agent_ids"),
        ("move-agent", vec![("agents_ids", "1")], "group_id"),
        ("move-agent", vec![("agents_ids", "1"), ("group_id", "..")], "group_id"),
    ];
    for (name, args, about) in refusals {
        let error = sent(name, V2_1, &args).expect_err(&format!("{name} {args:?}"));
        assert!(error.contains(about), "{name} {args:?}: {error}");
    }
    let without_ids: [sentinelone::Result<_>; 3] = [
        GetAgent::new([""; 0]).requests(V2_1),
        ConnectAgent::new([""; 0]).requests(V2_1),
        MoveAgent::new("7", [""; 0]).requests(V2_1),
    ];
    assert!(
        without_ids.iter().all(Result::is_err),
        "an empty list of IDs does not select all agents in scope"
    );
}

#[test]
fn get_agent_joins_ids_and_sets_limit() {
    for name in ["get-agent", "get-agent-mac"] {
        let args = [("agent_id", r#"["1", " 2", "1"]"#)];
        let expected = json!(["GET", AGENTS, { "ids": "1,2", "limit": "2" }, null]);
        assert_eq!(sent(name, V2_1, &args).unwrap(), [expected], "{name}");
    }
}

#[test]
fn connect_agent_reads_ids_in_url_sized_batches() {
    let ids: Vec<String> = (0..250).map(|id| id.to_string()).collect();
    let requests = sent("connect-agent", V2_1, &[("agent_id", &ids.join(","))]).unwrap();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[0][3], json!({ "filter": { "ids": ids } }), "one action request for all IDs");
    let read: Vec<String> =
        requests[1..].iter().map(|one| one[2]["ids"].as_str().unwrap().to_owned()).collect();
    assert_eq!(read.iter().map(|ids| ids.split(',').count()).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(read.join(","), ids.join(","));
}

#[test]
fn connect_and_disconnect_read_agents_after_action() {
    for name in ["connect", "disconnect"] {
        let requests = sent(&format!("{name}-agent"), V2_0, &[("agent_id", "1,2")]).unwrap();
        let action = json!([
            "POST", format!("/web/api/v2.0/agents/actions/{name}"), {}, { "filter": { "ids": ["1", "2"] } },
        ]);
        let read = json!(["GET", "/web/api/v2.0/agents", { "ids": "1,2", "limit": "2" }, null]);
        assert_eq!(requests, [action, read]);
    }
}

#[test]
fn broadcast_active_agent_false_sends_no_filter() {
    let filter = |active: &[(&str, &str)]| {
        let args = [&[("message", "Save your work"), ("group_id", "7, 8")][..], active].concat();
        let requests = sent("broadcast-message", V2_1, &args).unwrap();
        assert_eq!(requests[0][1], "/web/api/v2.1/agents/actions/broadcast");
        assert_eq!(requests[0][3]["data"], json!({ "message": "Save your work" }));
        requests[0][3]["filter"].clone()
    };
    assert_eq!(filter(&[]), json!({ "groupIds": ["7", "8"] }));
    assert_eq!(filter(&[("active_agent", "false")]), json!({ "groupIds": ["7", "8"] }));
    assert_eq!(filter(&[("active_agent", "true")]), json!({ "groupIds": ["7", "8"], "isActive": true }));
    let all = [("agent_id", "1"), ("domain", "ONE,TWO")];
    let expected = json!({ "groupIds": ["7", "8"], "ids": ["1"], "domains": ["ONE", "TWO"] });
    assert_eq!(filter(&all), expected);
}

#[test]
fn broadcast_without_scope_is_rejected() {
    for active in [&[][..], &[("active_agent", "true")], &[("active_agent", "false")]] {
        let args = [&[("message", "Save your work")][..], active].concat();
        let error = sent("broadcast-message", V2_1, &args).unwrap_err();
        assert!(
            error.contains("agent_id") && error.contains("group_id") && error.contains("domain"),
            "{error}"
        );
    }
}

#[test]
fn shutdown_and_uninstall_require_agents_or_groups() {
    for name in ["shutdown", "uninstall"] {
        let command = format!("{name}-agent");
        for args in [&[][..], &[("query", "web")]] {
            let error = sent(&command, V2_1, args).unwrap_err();
            assert!(error.contains("agent_id") && error.contains("group_id"), "{error}");
        }
        let path = format!("/web/api/v2.1/agents/actions/{name}");
        let args = [("query", "web"), ("agent_id", "1,2"), ("group_id", "7")];
        let filter = json!({ "ids": ["1", "2"], "groupIds": ["7"], "query": "web" });
        let expected = json!(["POST", path, {}, { "filter": filter }]);
        assert_eq!(sent(&command, V2_1, &args).unwrap(), [expected]);
        let expected = json!(["POST", path, {}, { "filter": { "groupIds": ["7", "8"] } }]);
        assert_eq!(sent(&command, V2_1, &[("group_id", "7,8")]).unwrap(), [expected]);
    }
}

#[test]
fn batched_action_repeats_other_filters() {
    let ids = (0..5_001).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let requests = sent("shutdown-agent", V2_1, &[("agent_id", &ids), ("group_id", "7")]).unwrap();
    let groups: Vec<_> = requests.iter().map(|one| one[3]["filter"]["groupIds"].clone()).collect();
    assert_eq!(groups, ["7"; 6].map(|group| json!([group])));
}

#[test]
fn initiate_scan_sends_one_request() {
    let requests = sent("initiate-endpoint-scan", V2_0, &[("agent_ids", "1,2")]).unwrap();
    let body = json!({ "filter": { "ids": ["1", "2"] }, "data": {} });
    assert_eq!(requests, [json!(["POST", "/web/api/v2.0/agents/actions/initiate-scan", {}, body])]);
}

#[test]
fn get_applications_sends_one_request_per_agent() {
    let requests = sent("get-installed-applications", V2_1, &[("agent_ids", "1,2,1")]).unwrap();
    let of = |id: &str| json!(["GET", "/web/api/v2.1/agents/applications", { "ids": id }, null]);
    assert_eq!(requests, [of("1"), of("2")]);
}

#[test]
fn move_agent_without_ids_is_rejected() {
    let requests = sent("move-agent", V2_1, &[("group_id", "7"), ("agents_ids", "1,2")]).unwrap();
    let body = json!({ "filter": { "ids": ["1", "2"] } });
    assert_eq!(requests, [json!(["PUT", "/web/api/v2.1/groups/7/move-agents", {}, body])]);
    assert!(sent("move-agent", V2_1, &[("group_id", "7")]).unwrap_err().contains("agents_ids"));
}

#[test]
fn disruptive_agent_commands_require_confirmation() {
    let requires_confirmation = |name: &str| entry(name).info.requires_confirmation;
    let disruptive = [
        "disconnect-agent",
        "broadcast-message",
        "shutdown-agent",
        "uninstall-agent",
        "initiate-endpoint-scan",
        "move-agent",
    ];
    assert!(disruptive.into_iter().all(requires_confirmation));
    assert!(!["connect-agent", "list-agents", "get-agent"].into_iter().any(requires_confirmation));
}

fn agent(id: &str) -> Value {
    json!({
        "id": id,
        "computerName": format!("web-{id}"),
        "networkStatus": "connecting",
        "activeThreats": 2,
        "isActive": true,
        "tags": { "sentinelone": [] },
        "uuid": format!("uuid-{id}"),
        "licenseKey": null,
    })
}

#[tokio::test]
async fn list_agents_follows_the_cursor_and_copies_columns() {
    let server = MockServer::start().await;
    let page = |ids: [&str; 2], next: &str| {
        json_response(
            json!({ "data": ids.map(agent), "pagination": { "nextCursor": next, "totalItems": 9 } }),
        )
    };
    let list = || Mock::given(path(AGENTS)).and(query_param("limit", "3"));
    list()
        .and(query_param_is_missing("cursor"))
        .respond_with(page(["1", "2"], "n"))
        .expect(1)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(page(["3", "4"], "m")).expect(1).mount(&server).await;
    let args = [("limit", "3"), ("columns", "uuid,licenseKey,unheardOf")];
    let outcome = run(&server, V2_1, "list-agents", &args).await;
    let entries = outcome.context["SentinelOne"]["Agents"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    let expected = json!({
        "ID": "3", "ComputerName": "web-3", "NetworkStatus": "connecting", "ThreatCount": 2, "IsActive": true,
        "Tags": { "sentinelone": [] }, "uuid": "uuid-3",
    });
    assert_eq!(entries[2], expected, "missing and null columns are left out");
}

#[tokio::test]
async fn get_agent_reads_all_batches() {
    let server = MockServer::start().await;
    let ids: Vec<String> = (0..120).map(|id| id.to_string()).collect();
    for batch in ids.chunks(100) {
        let data: Vec<Value> = batch.iter().map(|id| agent(id)).collect();
        Mock::given(path(AGENTS))
            .and(query_param("ids", batch.join(",")))
            .respond_with(json_response(json!({ "data": data, "pagination": { "nextCursor": null } })))
            .expect(1)
            .mount(&server)
            .await;
    }
    let outcome = run(&server, V2_1, "get-agent", &[("agent_id", &ids.join(","))]).await;
    let entries = outcome.context["SentinelOne"]["Agent"].as_array().unwrap();
    let read: Vec<&str> = entries.iter().map(|entry| entry["ID"].as_str().unwrap()).collect();
    assert_eq!(read, ids);
    assert_eq!(entries[7]["Tags"], json!({ "sentinelone": [] }));
    assert_eq!(outcome.response["data"].as_array().unwrap().len(), 120);
}

#[tokio::test]
async fn get_agent_failure_keeps_earlier_batches() {
    let server = MockServer::start().await;
    let ids: Vec<String> = (0..120).map(|id| id.to_string()).collect();
    Mock::given(path(AGENTS))
        .and(query_param("ids", ids[..100].join(",")))
        .respond_with(json_response(json!({ "data": [agent("0")] })))
        .mount(&server)
        .await;
    Mock::given(path(AGENTS))
        .and(query_param("ids", ids[100..].join(",")))
        .respond_with(ResponseTemplate::new(403))
        .mount(&server)
        .await;
    let outcome = run(&server, V2_1, "get-agent", &[("agent_id", &ids.join(","))]).await;
    assert_eq!(outcome.context["SentinelOne"]["Agent"][0]["ID"], "0");
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 403);
}

#[tokio::test]
async fn get_agent_mac_has_one_entry_per_interface() {
    let server = MockServer::start().await;
    let interfaces = json!([
        { "name": "eth0", "inet": ["192.0.2.7", "192.0.2.8"], "physical": "02:00:00:00:00:07", "inet6": [] },
        { "name": "wlan0", "inet": null, "physical": "02:00:00:00:00:08" },
    ]);
    let data = json!([
        { "id": "1", "computerName": "web-1", "networkInterfaces": interfaces },
        { "id": "2", "computerName": "web-2", "networkInterfaces": null },
    ]);
    Mock::given(path(AGENTS)).respond_with(json_response(json!({ "data": data }))).mount(&server).await;
    let outcome = run(&server, V2_1, "get-agent-mac", &[("agent_id", "1,2")]).await;
    let expected = json!([
        {
            "agent_id": "1", "hostname": "web-1", "int_name": "eth0", "ip": ["192.0.2.7", "192.0.2.8"],
            "mac": "02:00:00:00:00:07",
        },
        { "agent_id": "1", "hostname": "web-1", "int_name": "wlan0", "mac": "02:00:00:00:00:08" },
    ]);
    assert_eq!(outcome.context["SentinelOne"]["MAC"], expected);
    assert_eq!(outcome.response["data"], data);
}

async fn action(server: &MockServer, name: &str, data: Value) {
    Mock::given(method("POST"))
        .and(path(format!("{AGENTS}/actions/{name}")))
        .respond_with(json_response(json!({ "data": data })))
        .expect(1)
        .mount(server)
        .await;
}

#[tokio::test]
async fn connect_agent_context_has_status_after_action() {
    let server = MockServer::start().await;
    action(&server, "connect", json!({ "affected": 2 })).await;
    let read = Mock::given(method("GET")).and(path(AGENTS));
    read.respond_with(json_response(json!({ "data": [agent("2")] }))).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "connect-agent", &[("agent_id", "1,2")]).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
    let expected =
        json!([{ "ID": "1" }, { "ID": "2", "NetworkStatus": "connecting" }, { "AgentsAffected": 2 }]);
    assert_eq!(outcome.context["SentinelOne"]["Agent"], expected);
    assert_eq!(outcome.affected, Some(2));
}

#[tokio::test]
async fn disconnect_partial_count_is_unknown_per_agent() {
    let server = MockServer::start().await;
    action(&server, "disconnect", json!({ "affected": 1 })).await;
    let read = Mock::given(method("GET")).and(path(AGENTS));
    read.respond_with(json_response(json!({ "data": [agent("1"), agent("2")] }))).mount(&server).await;
    let outcome = run(&server, V2_1, "disconnect-agent", &[("agent_id", "1,2")]).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
    let expected = json!({ "ID": "1", "NetworkStatus": "connecting" });
    assert_eq!(outcome.context["SentinelOne"]["Agent"][0], expected);

    action(&server, "initiate-scan", json!({ "affected": 1 })).await;
    let outcome = run(&server, V2_1, "initiate-endpoint-scan", &[("agent_ids", "1,2")]).await;
    let expected = json!([{ "AgentID": "1", "Initiated": null }, { "AgentID": "2", "Initiated": null }]);
    assert_eq!(outcome.context["SentinelOne"]["Agent"], expected);
}

#[tokio::test]
async fn disconnect_failed_status_read_keeps_result() {
    let server = MockServer::start().await;
    action(&server, "disconnect", json!({ "affected": 1 })).await;
    let read = Mock::given(method("GET")).and(path(AGENTS));
    read.respond_with(ResponseTemplate::new(403)).mount(&server).await;
    let outcome = run(&server, V2_1, "disconnect-agent", &[("agent_id", "1")]).await;
    assert_eq!(states(&outcome), [("1", IdState::Done)]);
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 403);
    assert_eq!(outcome.context["SentinelOne"]["Agent"], json!([{ "ID": "1" }]));
}

#[tokio::test]
async fn broadcast_and_uninstall_context_has_affected_count() {
    let server = MockServer::start().await;
    action(&server, "broadcast", json!({ "affected": 4 })).await;
    let args = [("message", "Save your work"), ("domain", "ONE")];
    let outcome = run(&server, V2_1, "broadcast-message", &args).await;
    let expected = json!({ "SentinelOne": { "BroadcastMessage": { "Affected": 4 } } });
    assert_eq!(outcome.context, expected);
    assert!(outcome.results.is_empty() && outcome.has_effect());

    action(&server, "uninstall", json!({})).await;
    let outcome = run(&server, V2_1, "uninstall-agent", &[("agent_id", "1")]).await;
    assert_eq!(outcome.context, json!({ "SentinelOne": { "uninstall": { "Affected": null } } }));
    assert_eq!(states(&outcome), [("1", IdState::Unknown)], "a missing count is not zero");
}

#[tokio::test]
async fn shutdown_context_has_only_confirmed_agents() {
    let server = MockServer::start().await;
    action(&server, "shutdown", json!({ "affected": 2 })).await;
    let outcome = run(&server, V2_1, "shutdown-agent", &[("agent_id", "1,2")]).await;
    assert_eq!(outcome.context["SentinelOne"]["Agent"], json!([{ "ID": "1" }, { "ID": "2" }]));
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);

    let server = MockServer::start().await;
    action(&server, "shutdown", json!({ "affected": 1 })).await;
    let outcome = run(&server, V2_1, "shutdown-agent", &[("agent_id", "1,2"), ("query", "web")]).await;
    assert_eq!(outcome.context["SentinelOne"]["Agent"], json!([]), "the affected agent is unknown");
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);

    let server = MockServer::start().await;
    action(&server, "shutdown", json!({ "affected": 9 })).await;
    let outcome = run(&server, V2_1, "shutdown-agent", &[("group_id", "7")]).await;
    assert!(outcome.results.is_empty());
    assert_eq!(outcome.affected, Some(9), "for groups the console returns only a count");
}

#[tokio::test]
async fn get_applications_context_has_agent_id() {
    let server = MockServer::start().await;
    let applications =
        |id: &str| Mock::given(path(format!("{AGENTS}/applications"))).and(query_param("ids", id));
    let editor = json!({
        "name": "Editor", "publisher": "Example", "size": 12, "version": "1.0", "installedDate": "2026-01-02",
    });
    let one = json_response(json!({ "data": [editor] }));
    applications("1").respond_with(one.clone()).expect(1).mount(&server).await;
    applications("2").respond_with(one).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-installed-applications", &[("agent_ids", "1,2")]).await;
    let of = |id: &str| {
        json!({
            "Name": "Editor", "Publisher": "Example", "Size": 12, "Version": "1.0", "InstalledOn": "2026-01-02",
            "AgentID": id,
        })
    };
    assert_eq!(outcome.context["SentinelOne"]["Application"], json!([of("1"), of("2")]));
    assert_eq!(outcome.response["data"], json!([editor, editor]));
}

async fn moved(response: ResponseTemplate) -> Outcome {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .and(path("/web/api/v2.1/groups/7/move-agents"))
        .and(body_json(json!({ "filter": { "ids": ["1", "2"] } })))
        .respond_with(response)
        .expect(1)
        .mount(&server)
        .await;
    run(&server, V2_1, "move-agent", &[("group_id", "7"), ("agents_ids", "1,2")]).await
}

#[tokio::test]
async fn move_agent_results_follow_agents_moved_count() {
    let count = |moved: u64| json_response(json!({ "data": { "agentsMoved": moved } }));
    let context = |outcome: &Outcome| outcome.context["SentinelOne"]["Agent"].clone();

    let outcome = moved(count(2)).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::Done)]);
    assert_eq!(context(&outcome), json!({ "AgentsMoved": 2, "AffectedAgents": true }));
    assert_eq!(outcome.affected, Some(2));

    let outcome = moved(count(1)).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);

    let outcome = moved(count(0)).await;
    assert_eq!(states(&outcome), [("1", IdState::NotAffected), ("2", IdState::NotAffected)]);
    assert_eq!(context(&outcome), json!({ "AgentsMoved": 0, "AffectedAgents": false }));
}

#[tokio::test]
async fn move_agent_empty_response_is_unknown() {
    let outcome = moved(ResponseTemplate::new(204)).await;
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
    assert_eq!(
        outcome.context["SentinelOne"]["Agent"],
        json!({ "AgentsMoved": null, "AffectedAgents": null })
    );
    assert!(outcome.failure.is_none());
}

#[tokio::test]
async fn move_agent_failure_keeps_earlier_batches() {
    let server = MockServer::start().await;
    let ids: Vec<String> = (0..10_001).map(|id| id.to_string()).collect();
    let put = |ids: &[String]| Mock::given(method("PUT")).and(body_json(json!({ "filter": { "ids": ids } })));
    let done = json_response(json!({ "data": { "agentsMoved": 5000 } }));
    put(&ids[..5000]).respond_with(done).expect(1).mount(&server).await;
    put(&ids[5000..10_000]).respond_with(ResponseTemplate::new(403)).expect(1).mount(&server).await;
    let args = [("group_id", "7"), ("agents_ids", &ids.join(","))];
    let outcome = run_in_sequence(&server, "move-agent", &args).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 403);
    let count = |state| outcome.results.iter().filter(|one| one.state == state).count();
    assert_eq!((count(IdState::Done), count(IdState::NotAffected)), (5000, 5001));
    assert_eq!(outcome.affected, Some(5000));
}

#[tokio::test]
async fn move_agent_batches_merge_into_one_response() {
    let ids: Vec<String> = (0..10_001).map(|id| id.to_string()).collect();
    let args = [("group_id", "7"), ("agents_ids", &*ids.join(","))];
    let count =
        |moved: u64, note: u64| json_response(json!({ "data": { "agentsMoved": moved }, "notes": [note] }));
    let parts = [&ids[..5000], &ids[5000..10_000], &ids[10_000..]];
    let moved_in_parts = async |responses: [ResponseTemplate; 3]| {
        let server = MockServer::start().await;
        for (part, response) in parts.iter().zip(responses) {
            let put = Mock::given(method("PUT")).and(body_json(json!({ "filter": { "ids": part } })));
            put.respond_with(response).mount(&server).await;
        }
        run_in_sequence(&server, "move-agent", &args).await
    };

    let outcome = moved_in_parts([count(5000, 1), count(4000, 2), count(1, 3)]).await;
    assert_eq!(outcome.affected, Some(9001));
    assert_eq!(outcome.response, json!({ "data": { "agentsMoved": 9001 }, "notes": [1, 2, 3] }));

    let outcome = moved_in_parts([count(u64::MAX, 1), count(2, 2), count(1, 3)]).await;
    assert_eq!(outcome.affected, Some(u64::MAX));

    let outcome = moved_in_parts([count(5000, 1), ResponseTemplate::new(204), count(1, 3)]).await;
    assert_eq!(outcome.affected, None);
    assert_eq!(outcome.response, json!({ "data": { "agentsMoved": 5001 }, "notes": [1, 3] }));

    let outcome = moved_in_parts([count(5000, 1), ResponseTemplate::new(502), count(1, 3)]).await;
    assert_eq!(outcome.affected, None, "the second batch may have taken effect");
    assert_eq!(outcome.context["SentinelOne"]["Agent"]["AgentsMoved"], Value::Null);
    assert_eq!(outcome.response["notes"], json!([1]));
    let states = |state| outcome.results.iter().filter(|one| one.state == state).count();
    assert_eq!(
        (states(IdState::Done), states(IdState::Unknown), states(IdState::NotAffected)),
        (5000, 5000, 1)
    );
}
