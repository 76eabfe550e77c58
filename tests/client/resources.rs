//! Requests of all resource methods, against a mock console, and rejected requests.

use std::collections::BTreeSet;
use std::path::Path;

use sentinelone::agents::{AgentFilter, AgentLogRequestData, AgentSortField};
use sentinelone::alerts::AlertFilter;
use sentinelone::blocklist::BlocklistCreateData;
use sentinelone::deep_visibility::{DeepVisibilityListEventsQuery, DeepVisibilityQuery, PowerQuery};
use sentinelone::exclusions::ExclusionsCreateData;
use sentinelone::groups::GroupsListQuery;
use sentinelone::iocs::{IocData, IocFilter, ScopeFilter};
use sentinelone::long_running_query::LongRunningQueryCreateRequest;
use sentinelone::remote_scripts::{RemoteScriptsExecuteData, RemoteScriptsFetchResultsData};
use sentinelone::sites::SitesListQuery;
use sentinelone::star_rules::{StarRuleData, StarRuleFilter};
use sentinelone::threats::{ThreatFilter, ThreatsListTimelineQuery, ThreatsSummaryQuery};
use sentinelone::{
    ApiToken, Client, Delivery, ErrorKind, FilterRequirement, Operation, RateLimits, RequestErrorKind,
    RetryPolicy, Tier, raw,
};
use serde_json::{Value, json};
use wiremock::matchers::{any, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "eyJ-not-a-real-token";

fn client(server: &MockServer) -> Client {
    let client = Client::builder(server.uri()).token(ApiToken::new(TOKEN).unwrap());
    client.retry_policy(RetryPolicy::disabled()).rate_limits(RateLimits::disabled()).build().unwrap()
}

async fn mock_server(body: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    server
}

/// Method, path without its prefix, sorted query and body of a request.
#[derive(Debug, PartialEq)]
struct SentRequest(String, String, String, Value);

/// Returns the only request since the last call.
async fn sent_request(server: &MockServer) -> SentRequest {
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "one request per call");
    server.reset().await;
    let request = &requests[0];
    let mut query: Vec<_> =
        request.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    query.sort();
    let path = request.url.path();
    let path = path.strip_prefix("/web/api/v2.1").unwrap_or(path).to_owned();
    let body = serde_json::from_slice(&request.body).unwrap_or_default();
    SentRequest(request.method.to_string(), path, query.join("&"), body)
}

/// Returns the operation of a method and a path: the one with the fewest path parameters.
fn operation(method: &str, path: &str) -> &'static Operation {
    let path: Vec<&str> = path.split('/').collect();
    let matches = |operation: &&&Operation| {
        let template = operation.path.strip_prefix("/web/api/v{version}").unwrap_or(operation.path);
        let template: Vec<&str> = template.split('/').collect();
        let same = |(one, other): (&&str, &&str)| one.starts_with('{') || one == other;
        operation.method.to_string() == method
            && template.len() == path.len()
            && template.iter().zip(&path).all(same)
    };
    let names = |operation: &&&Operation| operation.path.matches('{').count();
    raw::OPERATIONS.iter().filter(matches).min_by_key(names).expect("an operation has this path")
}

/// Returns the curated operations of API 2.1 for which a predicate is true.
fn operations(matches: impl Fn(&Operation) -> bool) -> BTreeSet<&'static str> {
    let is_v2_1 = |operation: &&&Operation| {
        operation.tier == Tier::Curated && operation.versions.contains(&sentinelone::ApiVersion::V2_1)
    };
    raw::OPERATIONS.iter().filter(is_v2_1).filter(|operation| matches(operation)).map(|one| one.id).collect()
}

fn one_agent() -> AgentFilter {
    AgentFilter::default().ids(["7"])
}

fn one_rule() -> StarRuleFilter {
    StarRuleFilter::default().ids(["7"])
}

fn one_threat() -> ThreatFilter {
    ThreatFilter::default().ids(["7"])
}

fn one_site() -> ScopeFilter {
    ScopeFilter::default().site_ids(["8"])
}

fn rule() -> StarRuleData {
    StarRuleData::new("Permanent", "a rule", "events", "Low", "Draft")
}

fn script() -> RemoteScriptsExecuteData {
    RemoteScriptsExecuteData::new("SentinelCloud", "5", "collect")
}

/// Calls each method and compares its request. Returns the called operations.
macro_rules! sends {
    ($server:ident: $($call:expr => $method:literal $path:literal $query:literal, $body:expr;)+) => {{
        let mut called = BTreeSet::new();
        $(
            // The response is irrelevant here and does not match most operations.
            drop($call.await);
            let expected = SentRequest($method.into(), $path.into(), $query.into(), $body);
            assert_eq!(sent_request(&$server).await, expected, "{}", stringify!($call));
            called.insert(operation($method, $path).id);
        )+
        called
    }};
}

#[tokio::test]
async fn resource_methods_send_expected_requests() {
    const NONE: Value = Value::Null;
    let server = MockServer::start().await;
    let c = &client(&server);
    let filter = || json!({ "filter": { "ids": ["7"] } });
    let token = ApiToken::new("another-token").unwrap();
    let rule_body = || {
        json!({
            "data": { "expirationMode": "Permanent", "name": "a rule", "queryType": "events",
                "severity": "Low", "status": "Draft" },
            "filter": { "siteIds": ["8"] },
        })
    };
    let sites = SitesListQuery::default().name("x").limit(3);
    let groups = GroupsListQuery::default().site_ids(["1", "2"]);
    let logs = AgentLogRequestData::default().agent_logs(true);
    let events = DeepVisibilityListEventsQuery::new("q2").sub_query("a = 1");
    let timeline = ThreatsListTimelineQuery::default().activity_types(["19"]);
    let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let called = sends! { server:
        c.accounts().list().page() => "GET" "/accounts" "", NONE;
        c.accounts().list().sort_by("name", "asc".into()).page() =>
            "GET" "/accounts" "sortBy=name&sortOrder=asc", NONE;
        c.accounts().get("1/2") => "GET" "/accounts/1%2F2" "", NONE;

        c.activities().list().sort_by("createdAt", "desc".into()).page() =>
            "GET" "/activities" "sortBy=createdAt&sortOrder=desc", NONE;
        c.activities().types() => "GET" "/activities/types" "", NONE;

        c.agents().list().filter(one_agent()).sort_by(AgentSortField::Id, "asc".into()).page() =>
            "GET" "/agents" "ids=7&sortBy=id&sortOrder=asc", NONE;
        c.agents().count(&one_agent()) => "GET" "/agents/count" "ids=7", NONE;
        c.agents().applications(["7", "8"]) => "GET" "/agents/applications" "ids=7,8", NONE;
        c.agents().connect().filter(one_agent()).send() =>
            "POST" "/agents/actions/connect" "", filter();
        c.agents().disconnect().filter(one_agent()).send() =>
            "POST" "/agents/actions/disconnect" "", filter();
        c.agents().broadcast("hello").filter(one_agent()).send() =>
            "POST" "/agents/actions/broadcast" "",
            json!({ "data": { "message": "hello" }, "filter": { "ids": ["7"] } });
        c.agents().shutdown().filter(one_agent()).send() =>
            "POST" "/agents/actions/shutdown" "", filter();
        c.agents().uninstall().filter(one_agent()).send() =>
            "POST" "/agents/actions/uninstall" "", filter();
        c.agents().initiate_scan().filter(one_agent()).send() =>
            "POST" "/agents/actions/initiate-scan" "", filter();
        c.agents().abort_scan().filter(one_agent()).send() =>
            "POST" "/agents/actions/abort-scan" "", filter();
        c.agents().fetch_logs().filter(one_agent()).send() =>
            "POST" "/agents/actions/fetch-logs" "", filter();
        c.agents().fetch_logs().filter(one_agent()).logs(logs).send() =>
            "POST" "/agents/actions/fetch-logs" "",
            json!({ "data": { "agentLogs": true }, "filter": { "ids": ["7"] } });
        c.agents().fetch_files("7", ["/etc/passwd"], "Secret-1234").send() =>
            "POST" "/agents/7/actions/fetch-files" "",
            json!({ "data": { "files": ["/etc/passwd"], "password": "Secret-1234" } });
        c.agents().download("7", "9") => "GET" "/agents/7/uploads/9" "", NONE;

        c.alerts().list().filter(AlertFilter::default().ids(["7"])).page() =>
            "GET" "/cloud-detection/alerts" "ids=7", NONE;
        c.alerts().update_incident().status("resolved").filter(AlertFilter::default().ids(["7"])).send() =>
            "POST" "/cloud-detection/alerts/incident" "",
            json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": ["7"] } });
        c.alerts().update_analyst_verdict("suspicious").filter(AlertFilter::default().ids(["7"])).send() =>
            "POST" "/cloud-detection/alerts/analyst-verdict" "",
            json!({ "data": { "analystVerdict": "suspicious" }, "filter": { "ids": ["7"] } });

        c.blocklist().list().page() => "GET" "/restrictions" "", NONE;
        c.blocklist().create(BlocklistCreateData::new("windows", "black_hash").value("ab")).filter(one_site())
            .send() =>
            "POST" "/restrictions" "",
            json!({ "data": { "osType": "windows", "type": "black_hash", "value": "ab" },
                "filter": { "siteIds": ["8"] } });
        c.blocklist().delete(["7"]).entry_type("black_hash").send() =>
            "DELETE" "/restrictions" "", json!({ "data": { "ids": ["7"], "type": "black_hash" } });

        c.deep_visibility().create_query(DeepVisibilityQuery::new(from, "a = 1", to)).send() =>
            "POST" "/dv/init-query" "", json!({ "fromDate": from, "query": "a = 1", "toDate": to });
        c.deep_visibility().query_status("q1") => "GET" "/dv/query-status" "queryId=q1", NONE;
        c.deep_visibility().cancel_query("q1").send() =>
            "POST" "/dv/cancel-query" "", json!({ "queryId": "q1" });
        c.deep_visibility().events("q1").sort_by("createdAt", "asc".into()).page() =>
            "GET" "/dv/events" "queryId=q1&sortBy=createdAt&sortOrder=asc", NONE;
        c.deep_visibility().events("q1").query(events).page() =>
            "GET" "/dv/events" "queryId=q2&subQuery=a = 1", NONE;
        c.deep_visibility().events_of_type("process", "q1").page() =>
            "GET" "/dv/events/process" "queryId=q1", NONE;
        c.deep_visibility().create_power_query(PowerQuery::new(from, "a = 1", to)).send() =>
            "POST" "/dv/events/pq" "", json!({ "fromDate": from, "query": "a = 1", "toDate": to });
        c.deep_visibility().ping_power_query("q1") => "GET" "/dv/events/pq-ping" "queryId=q1", NONE;

        c.exclusions().list().page() => "GET" "/exclusions" "", NONE;
        c.exclusions().create(ExclusionsCreateData::new("linux", "path", "/opt")).filter(one_site())
            .send() =>
            "POST" "/exclusions" "",
            json!({ "data": { "osType": "linux", "type": "path", "value": "/opt" },
                "filter": { "siteIds": ["8"] } });
        c.exclusions().delete(["7"]).send() =>
            "DELETE" "/exclusions" "", json!({ "data": { "ids": ["7"] } });
        c.exclusions().delete(["7"]).exclusion_type("path").send() =>
            "DELETE" "/exclusions" "", json!({ "data": { "ids": ["7"], "type": "path" } });

        c.groups().list().query(groups).page() => "GET" "/groups" "siteIds=1,2", NONE;
        c.groups().delete("4").send() => "DELETE" "/groups/4" "", NONE;
        c.groups().move_agents("4").filter(one_agent()).send() =>
            "PUT" "/groups/4/move-agents" "", filter();

        c.hashes().verdict("ab") => "GET" "/hashes/ab/verdict" "", NONE;

        c.iocs().list().filter(IocFilter::default().external_id("e")).page() =>
            "GET" "/threat-intelligence/iocs" "externalId=e", NONE;
        c.iocs().create([IocData::new("me", "203.0.113.7").type_("IPV4")]).filter(one_site()).send() =>
            "POST" "/threat-intelligence/iocs" "",
            json!({ "data": [{ "source": "me", "value": "203.0.113.7", "type": "IPV4" }],
                "filter": { "siteIds": ["8"] } });
        c.iocs().delete().filter(IocFilter::default().account_ids(["1"]).external_id("e")).send() =>
            "DELETE" "/threat-intelligence/iocs" "",
            json!({ "filter": { "accountIds": ["1"], "externalId": "e" } });

        c.long_running_query().create(LongRunningQueryCreateRequest::new("PQ").tenant(true)).send() =>
            "POST" "/sdl/v2/api/queries" "", json!({ "queryType": "PQ", "tenant": true });
        c.long_running_query().get("a=", 3, Some("node-3")) =>
            "GET" "/sdl/v2/api/queries/a%3D" "lastStepSeen=3", NONE;
        c.long_running_query().delete("a=", None) => "DELETE" "/sdl/v2/api/queries/a%3D" "", NONE;

        c.remote_scripts().list().page() => "GET" "/remote-scripts" "", NONE;
        c.remote_scripts().execute(script()).filter(one_agent()).send() =>
            "POST" "/remote-scripts/execute" "",
            json!({ "data": { "outputDestination": "SentinelCloud", "scriptId": "5",
                "taskDescription": "collect" }, "filter": { "ids": ["7"] } });
        c.remote_scripts().tasks("3").page() => "GET" "/remote-scripts/status" "parentTaskId=3", NONE;
        c.remote_scripts().result_links(RemoteScriptsFetchResultsData::default().task_ids(["3"])) =>
            "POST" "/remote-scripts/fetch-files" "", json!({ "data": { "taskIds": ["3"] } });

        c.service_users().list().page() => "GET" "/service-users" "", NONE;

        c.sites().list().query(sites).sort_by("name", "asc".into()).page() =>
            "GET" "/sites" "limit=3&name=x&sortBy=name&sortOrder=asc", NONE;
        c.sites().get("8") => "GET" "/sites/8" "", NONE;
        c.sites().expire("8").send() => "POST" "/sites/8/expire-now" "", NONE;
        c.sites().reactivate("8").expiration(to).send() =>
            "PUT" "/sites/8/reactivate" "", json!({ "data": { "expiration": to } });
        c.sites().reactivate("8").expiration(to).unlimited().send() =>
            "PUT" "/sites/8/reactivate" "", json!({ "data": { "unlimited": true } });

        c.star_rules().list().filter(one_rule()).page() => "GET" "/cloud-detection/rules" "ids=7", NONE;
        c.star_rules().create(rule()).filter(one_site()).send() =>
            "POST" "/cloud-detection/rules" "", rule_body();
        c.star_rules().update("7", rule()).filter(one_site()).send() =>
            "PUT" "/cloud-detection/rules/7" "", rule_body();
        c.star_rules().enable().filter(one_rule()).send() =>
            "PUT" "/cloud-detection/rules/enable" "", filter();
        c.star_rules().disable().filter(one_rule()).send() =>
            "PUT" "/cloud-detection/rules/disable" "", filter();
        c.star_rules().delete().filter(one_rule()).send() =>
            "DELETE" "/cloud-detection/rules" "", filter();

        c.system().status() => "GET" "/system/status" "", NONE;

        c.threats().list().filter(one_threat()).sort_by("createdAt", "desc".into()).page() =>
            "GET" "/threats" "ids=7&sortBy=createdAt&sortOrder=desc", NONE;
        c.threats().update_incident().filter(one_threat()).status("resolved").verdict("suspicious").send() =>
            "POST" "/threats/incident" "",
            json!({ "data": { "incidentStatus": "resolved", "analystVerdict": "suspicious" },
                "filter": { "ids": ["7"] } });
        c.threats().update_analyst_verdict("suspicious").filter(one_threat()).send() =>
            "POST" "/threats/analyst-verdict" "",
            json!({ "data": { "analystVerdict": "suspicious" }, "filter": { "ids": ["7"] } });
        c.threats().mitigate("rollback-remediation").filter(one_threat()).send() =>
            "POST" "/threats/mitigate/rollback-remediation" "", filter();
        c.threats().add_note("a note").filter(one_threat()).send() =>
            "POST" "/threats/notes" "",
            json!({ "data": { "text": "a note" }, "filter": { "ids": ["7"] } });
        c.threats().fetch_files("Secret-1234").filter(one_threat()).send() =>
            "POST" "/threats/fetch-file" "",
            json!({ "data": { "password": "Secret-1234" }, "filter": { "ids": ["7"] } });
        c.threats().notes("7").sort_by("createdAt", "asc".into()).page() =>
            "GET" "/threats/7/notes" "sortBy=createdAt&sortOrder=asc", NONE;
        c.threats().timeline("7").query(timeline).page() =>
            "GET" "/threats/7/timeline" "activityTypes=19", NONE;
        c.threats().cloud_download_link("7") => "GET" "/threats/7/download-from-cloud" "", NONE;
        c.threats().summary(&ThreatsSummaryQuery::default().site_ids(["8"])) =>
            "GET" "/private/threats/summary" "siteIds=8", NONE;

        c.users().api_token_details(&token) =>
            "POST" "/users/api-token-details" "", json!({ "data": { "apiToken": "another-token" } });
        c.users().elevate_session("471147").send() =>
            "POST" "/users/auth/elevate" "", json!({ "data": { "code": "471147" } });
    };
    let actions = operations(|operation| operation.kind == sentinelone::OperationKind::Action);
    assert!(called.is_superset(&actions), "all actions are called");
}

/// Each curated operation has a method that has its request in its documentation and builds it with the function of the operation.
#[test]
fn operation_has_method_with_documented_request() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources");
    let mut missing = Vec::new();
    let is_v2_1 = |operation: &&Operation| {
        operation.tier == Tier::Curated && operation.versions.contains(&sentinelone::ApiVersion::V2_1)
    };
    for operation in raw::OPERATIONS.iter().copied().filter(is_v2_1) {
        let source =
            std::fs::read_to_string(dir.join(format!("{}.rs", operation.resource))).unwrap_or_default();
        let request = format!("`{} {}`", operation.method, operation.path.replace("{version}", "2.1"));
        let function =
            operation.id.strip_prefix(operation.resource).unwrap_or_default().trim_start_matches('_');
        let is_built = source.match_indices(&format!("raw::{function}")).any(|(at, name)| {
            let next = source[at + name.len()..].chars().next();
            next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
        });
        if !source.contains(&request) || !is_built {
            missing.push(format!("{}: {request} by raw::{function}", operation.id));
        }
    }
    assert!(missing.is_empty(), "no method in src/resources/: {missing:#?}");
}

#[tokio::test]
async fn action_without_filter_is_rejected_before_sending() {
    let server = MockServer::start().await;
    let c = &client(&server);
    let mut rejected = BTreeSet::new();
    macro_rules! assert_rejected {
        ($($action:expr;)+) => {$(
            let error = $action.send().await.map(drop).unwrap_err();
            let kind = error.request_error().unwrap().kind();
            assert_eq!(kind, &RequestErrorKind::EmptyFilter, "{}", stringify!($action));
            assert_eq!(error.delivery(), Delivery::NotSent);
            rejected.insert($action.request().unwrap().operation().id);
        )+};
    }
    assert_rejected! {
        c.agents().connect();
        c.agents().disconnect();
        c.agents().broadcast("hello");
        c.agents().shutdown();
        c.agents().uninstall().filter(AgentFilter::default());
        c.agents().initiate_scan();
        c.agents().abort_scan();
        c.agents().fetch_logs();
        c.alerts().update_incident().status("resolved");
        c.alerts().update_analyst_verdict("suspicious").limit(3);
        c.blocklist().create(BlocklistCreateData::new("windows", "black_hash").value("ab"));
        c.exclusions().create(ExclusionsCreateData::new("linux", "path", "/opt"));
        c.groups().move_agents("4");
        c.iocs().create([IocData::new("me", "203.0.113.7")]);
        c.iocs().delete();
        c.remote_scripts().execute(script());
        c.star_rules().create(rule());
        c.star_rules().update("7", rule()).filter(ScopeFilter::default());
        c.star_rules().enable();
        c.star_rules().disable();
        c.star_rules().delete();
        c.threats().update_incident().status("resolved");
        c.threats().update_analyst_verdict("suspicious");
        c.threats().mitigate("kill");
        c.threats().add_note("a note");
        c.threats().fetch_files("Secret-1234");
    }
    let none: [&str; 0] = [];
    let empty = c.agents().shutdown().filter(AgentFilter::default().ids(none)).everything_in_scope();
    let error = empty.send().await.unwrap_err();
    assert_eq!(error.request_error().unwrap().kind(), &RequestErrorKind::EmptyList("filter.ids".into()));
    let error = c.exclusions().delete(none).send().await.unwrap_err();
    assert_eq!(error.request_error().unwrap().kind(), &RequestErrorKind::EmptyList("data.ids".into()));
    let error = c.sites().reactivate("8").send().await.unwrap_err();
    assert_eq!(error.request_error().unwrap().kind(), &RequestErrorKind::Missing("data.expiration".into()));

    let required = operations(|operation| operation.filter == FilterRequirement::Required);
    assert_eq!(rejected, required, "all actions with a required filter reject empty filters");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn everything_in_scope_sends_empty_filter() {
    let server = MockServer::start().await;
    let c = &client(&server);
    drop(c.agents().shutdown().everything_in_scope().send().await);
    let expected =
        SentRequest("POST".into(), "/agents/actions/shutdown".into(), "".into(), json!({ "filter": {} }));
    assert_eq!(sent_request(&server).await, expected);
}

#[tokio::test]
async fn count_requests_list_with_same_filter() {
    let counted = || {
        let page = json!({ "data": [], "pagination": { "totalItems": 12 } });
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page))
    };
    let server = MockServer::start().await;
    let c = &client(&server);
    macro_rules! counts {
        ($($counted:expr => $path:literal $query:literal;)+) => {$(
            counted().mount(&server).await;
            assert_eq!($counted.count().await.unwrap(), 12, "{}", stringify!($counted));
            let expected = SentRequest("GET".into(), $path.into(), $query.into(), Value::Null);
            assert_eq!(sent_request(&server).await, expected, "{}", stringify!($counted));
        )+};
    }
    let sites_query = SitesListQuery::default().name("x").limit(3).skip(4).skip_count(true).cursor("c");
    counts! {
        c.agents().shutdown().filter(one_agent()) => "/agents" "countOnly=true&ids=7";
        c.agents().connect() => "/agents" "countOnly=true";
        c.groups().move_agents("4").filter(one_agent()) => "/agents" "countOnly=true&ids=7";
        c.remote_scripts().execute(script()).filter(one_agent()) => "/agents" "countOnly=true&ids=7";
        c.alerts().update_incident().status("resolved").filter(AlertFilter::default().ids(["7"])).limit(2) =>
            "/cloud-detection/alerts" "countOnly=true&ids=7";
        c.iocs().delete().filter(IocFilter::default().external_id("e")) =>
            "/threat-intelligence/iocs" "countOnly=true&externalId=e";
        c.star_rules().enable().filter(one_rule()) => "/cloud-detection/rules" "countOnly=true&ids=7&isLegacy=false";
        c.threats().mitigate("kill").filter(one_threat()).limit(2) => "/threats" "countOnly=true&ids=7";
        c.threats().update_incident().filter(one_threat()) => "/threats" "countOnly=true&ids=7";

        c.accounts().list() => "/accounts" "countOnly=true";
        c.activities().list() => "/activities" "countOnly=true";
        c.agents().list().filter(one_agent()) => "/agents" "countOnly=true&ids=7";
        c.blocklist().list() => "/restrictions" "countOnly=true";
        c.exclusions().list() => "/exclusions" "countOnly=true";
        c.groups().list() => "/groups" "countOnly=true";
        c.remote_scripts().list() => "/remote-scripts" "countOnly=true";
        c.remote_scripts().tasks("3") => "/remote-scripts/status" "countOnly=true&parentTaskId=3";
        c.service_users().list() => "/service-users" "countOnly=true";
        c.sites().list().query(sites_query).sort_by("name", "asc".into()) => "/sites" "countOnly=true&name=x";
        c.threats().notes("7") => "/threats/7/notes" "countOnly=true";
        c.threats().timeline("7") => "/threats/7/timeline" "countOnly=true";
    }
    counted().mount(&server).await;
    let request = c.star_rules().disable().filter(one_rule()).request().unwrap();
    assert_eq!(c.count_matching(&request).await.unwrap(), Some(12));
    let query = "countOnly=true&ids=7&isLegacy=false";
    let expected = SentRequest("GET".into(), "/cloud-detection/rules".into(), query.into(), Value::Null);
    assert_eq!(sent_request(&server).await, expected);
    counted().mount(&server).await;
    assert_eq!(c.threats().count(&one_threat()).await.unwrap(), 12);

    let server = mock_server(json!({ "data": { "total": 5 } })).await;
    assert_eq!(client(&server).agents().count(&one_agent()).await.unwrap(), 5);
    let server = mock_server(json!({ "data": {} })).await;
    let error = client(&server).agents().count(&one_agent()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.decode_error().unwrap().path.as_str()),
        (ErrorKind::Decode, "data.total")
    );
}

#[tokio::test]
async fn items_nested_list_follows_cursor() {
    let server = MockServer::start().await;
    let page = |ids: &[&str], next: Value| {
        let sites: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        ResponseTemplate::new(200).set_body_json(json!({
            "data": { "sites": sites, "allSites": { "totalLicenses": 40 } },
            "pagination": { "nextCursor": next, "totalItems": 3 },
        }))
    };
    let list = || Mock::given(method("GET")).and(path("/web/api/v2.1/sites")).and(query_param("name", "x"));
    list()
        .and(query_param_is_missing("cursor"))
        .respond_with(page(&["1", "2"], "a".into()))
        .mount(&server)
        .await;
    list().and(query_param("cursor", "a")).respond_with(page(&["3"], Value::Null)).mount(&server).await;
    let client = client(&server);
    let list = client.sites().list().query(SitesListQuery::default().name("x"));
    let ids: Vec<_> =
        list.items().collect().await.unwrap().into_iter().map(|site| site.id.unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    let page = list.page().await.unwrap();
    assert_eq!(page.list_envelope.as_ref().unwrap().siblings["allSites"]["totalLicenses"], 40);
}

#[tokio::test]
async fn download_returns_upload() {
    let server = MockServer::start().await;
    Mock::given(path("/web/api/v2.1/agents/7/uploads/9"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(*b"PK bytes"))
        .mount(&server)
        .await;
    let download = client(&server).agents().download("7", "9").await.unwrap();
    assert_eq!(download.length(), Some(8));
}

#[tokio::test]
async fn api_token_details_error_omits_token() {
    let server = MockServer::start().await;
    let echo = json!({ "errors": [{ "title": "unknown token another-token" }] });
    let response = ResponseTemplate::new(400).set_body_json(echo);
    Mock::given(any()).respond_with(response).mount(&server).await;
    let token = ApiToken::new("another-token").unwrap();
    let error = client(&server).users().api_token_details(&token).await.unwrap_err();
    let body = String::from_utf8_lossy(error.body().unwrap()).into_owned();
    assert!(!format!("{error} {error:?} {body}").contains("another-token"));
}

#[test]
fn builder_debug_output_omits_password() {
    let client = Client::builder("http://127.0.0.1:9").token(ApiToken::new(TOKEN).unwrap()).build().unwrap();
    let files = client.agents().fetch_files("7", ["/etc/passwd"], "Secret-1234");
    assert!(!format!("{files:?} {:?}", files.request()).contains("Secret-1234"));
    let body = files.clone().request().unwrap().redacted_body().unwrap();
    assert_eq!(body["data"]["password"], "********");
}

/// Builders and their futures are `Send`.
#[test]
fn builder_futures_are_send() {
    fn spawnable<T: Send>(_: T) {}
    let client = Client::builder("http://127.0.0.1:9").token(ApiToken::new(TOKEN).unwrap()).build().unwrap();
    let (list, action) = (client.sites().list(), client.agents().shutdown().filter(one_agent()));
    spawnable((list.page(), list.count(), list.items(), list.pages()));
    spawnable((action.send(), action.count(), client.agents().download("7", "9")));
    spawnable((list.clone(), action.clone()));
    let rules = client.star_rules();
    spawnable((rules.all(one_rule()), rules.find("7"), rules.change("7", |_| ())));
}

#[tokio::test]
async fn star_rules_all_reads_both_lists_and_returns_each_rule_once() {
    let server = MockServer::start().await;
    let page = |ids: &[&str]| {
        let rules: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({ "data": rules, "pagination": { "nextCursor": null } }))
    };
    let list = || Mock::given(method("GET")).and(query_param("ids", "7"));
    list()
        .and(query_param("isLegacy", "false"))
        .respond_with(page(&["7", "8"]))
        .expect(1)
        .mount(&server)
        .await;
    let list = list().and(query_param_is_missing("isLegacy"));
    list.respond_with(page(&["6", "7"])).expect(1).mount(&server).await;
    let rules = client(&server).star_rules().all(one_rule()).await.unwrap();
    let ids: Vec<_> = rules.into_iter().map(|rule| rule.id.unwrap()).collect();
    assert_eq!(ids, ["6", "7", "8"]);
}

#[tokio::test]
async fn star_rules_all_console_that_rejects_is_legacy_has_one_list() {
    for (detail, expected) in [("isLegacy: Unknown field.", Some(vec!["7"])), ("ids: Unknown field.", None)] {
        let server = MockServer::start().await;
        let rejection = json!({ "errors": [{ "code": 4000010, "detail": detail }] });
        let rejection = ResponseTemplate::new(400).set_body_json(rejection);
        Mock::given(query_param("isLegacy", "false")).respond_with(rejection).expect(1).mount(&server).await;
        let page = json!({ "data": [{ "id": "7" }], "pagination": { "nextCursor": null } });
        let list = Mock::given(query_param_is_missing("isLegacy"));
        list.respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
        let rules = client(&server).star_rules().all(one_rule()).await.ok();
        let ids = rules.map(|rules| rules.into_iter().map(|rule| rule.id.unwrap()).collect::<Vec<_>>());
        assert_eq!(ids, expected.map(|ids| ids.into_iter().map(str::to_owned).collect()), "{detail}");
    }
}

#[tokio::test]
async fn star_rules_change_missing_rule_sends_no_update() {
    let server = mock_server(json!({ "data": [{ "id": "8" }] })).await;
    let client = client(&server);
    assert!(client.star_rules().find("7").await.unwrap().is_none());
    let error = client.star_rules().change("7", |_| ()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::NoResult, Some("star_rules_list")));
    let error = client.star_rules().change("8", |_| ()).await.unwrap_err();
    assert_eq!(error.request_error().unwrap().kind(), &RequestErrorKind::Missing("filter".into()));
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.method.as_str() == "GET"));
}
