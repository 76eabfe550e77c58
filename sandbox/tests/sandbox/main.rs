//! The sandbox over HTTP, its bundled tenant, and the plans of the specification.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use reqwest::{Client, Method};
use sentinelone::Timestamp;
use sentinelone::raw::runtime::OperationKind;
use sentinelone_contract::{Contract, ContractRule, OperationSpec, round_trip_losses};
use sentinelone_sandbox::Sandbox;
use serde_json::{Map, Value, json};

mod conformance;
mod queries;
mod star_rules;
mod time;
mod vendor_sdk;

const THREATS: &str = "/web/api/v2.1/threats";
const LEGACY: &str = "/web/api/v2.0/threats";
const TENANT: &str = include_str!("../../src/tenant.json");

/// Time of the sandbox in most tests: the reference time of the bundled tenant.
const NOW: &str = "2026-11-20T10:00:00Z";

/// Names and values of query parameters.
type Query<'a> = &'a [(&'a str, &'a str)];

struct Console {
    sandbox: Sandbox,
    http: Client,
}

impl Console {
    async fn start() -> Self {
        Self::start_at(NOW).await
    }

    /// Starts a sandbox whose clock stands still.
    async fn start_at(time: &'static str) -> Self {
        let sandbox = Sandbox::builder().clock(move || Timestamp::from(time)).start().await.unwrap();
        Self { sandbox, http: Client::new() }
    }

    /// Sends a request. Validates the response against the specification, unless the operation does not exist or only
    /// the sandbox has the status.
    async fn send(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut url = url::Url::parse(&self.sandbox.url()).unwrap().join(path).unwrap();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        let found = Contract::bundled().match_operation(method, path);
        let request = request.header("authorization", authorization(found.map(|found| found.operation)));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let http_response = request.send().await.unwrap();
        assert_eq!(http_response.headers()["content-type"], "application/json");
        assert!(http_response.headers()["x-rqid"].to_str().unwrap().starts_with("sandbox-"));
        let status = http_response.status().as_u16();
        let bytes = http_response.bytes().await.unwrap();
        let found = Contract::bundled().match_operation(method, path);
        let found =
            found.filter(|found| found.version.is_some_and(|v| found.operation.versions().contains(&v)));
        if let Some(found) = found.filter(|_| ![413, 501].contains(&status)) {
            let findings = Contract::bundled().check_response(found.operation, status, &bytes);
            assert_eq!(findings, [], "{method} {path} {query:?}");
        }
        let response: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(!response.to_string().contains("\"_"), "internal fields in {response}");
        (status, response)
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let (status, response) = self.send("GET", path, query, None).await;
        assert_eq!(status, 200, "{path} {query:?}: {response}");
        response
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, response) = self.send("POST", path, &[], Some(&body)).await;
        assert_eq!(status, 200, "{path}: {response}");
        response
    }

    /// Returns the numbers of the selected threats: the last two digits of their IDs.
    async fn select(&self, query: &[(&str, &str)]) -> Vec<u8> {
        let mut query = query.to_vec();
        query.push(("limit", "1000"));
        numbers(&self.get(THREATS, &query).await)
    }

    async fn threat(&self, number: u8) -> Value {
        let response = self.get(THREATS, &[("ids", &id(number))]).await;
        response["data"][0].clone()
    }
}

/// Returns the header `Authorization` of an operation.
fn authorization(operation: Option<&OperationSpec>) -> String {
    let security = operation.map(|operation| &operation.as_json()["security"]);
    let is_bearer = security == Some(&json!([{ "Bearer": [] }]));
    format!("{} {}", if is_bearer { "Bearer" } else { "ApiToken" }, Sandbox::TOKEN)
}

fn id(number: u8) -> String {
    format!("4600000000000000{number:02}")
}

fn numbers(list: &Value) -> Vec<u8> {
    let items = list["data"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap()[16..].parse().unwrap()).collect()
}

fn errors(response: &Value) -> Vec<(i64, String, String)> {
    let entries = response["errors"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries.map(|e| (e["code"].as_i64().unwrap(), text(&e["title"]), text(&e["detail"]))).collect()
}

#[tokio::test]
async fn wrong_token_returns_401() {
    let console = Console::start().await;
    let url = format!("{}{THREATS}", console.sandbox.url());
    let headers = [None, Some("ApiToken wrong"), Some("Bearer sandbox-token"), Some("sandbox-token")];
    for header in headers {
        let mut request = console.http.get(&url);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401, "{header:?}");
        let response: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        let (code, title, _) = errors(&response).remove(0);
        assert_eq!((code, title.as_str()), (4_010_010, "Authentication Failed"));
    }
    // A client without a valid token gets no information about paths.
    let response = console.http.get(format!("{}/unknown", console.sandbox.url())).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn unknown_path_or_method_returns_404_or_405() {
    let console = Console::start().await;
    let cases = [
        ("GET", "/", 404),
        ("GET", "/web/api/v2.1/unknown", 404),
        ("GET", "/web/api/v9.9/threats", 404),
        ("POST", "/web/api/v2.0/threats/incident", 404),
        ("POST", "/web/api/v2.1/threats/mark-as-threat", 404),
        ("DELETE", THREATS, 405),
        ("GET", "/web/api/v2.1/threats/incident", 405),
    ];
    for (method, path, status) in cases {
        let (found, response) = console.send(method, path, &[], None).await;
        assert_eq!(found, status, "{method} {path}");
        assert_eq!(errors(&response)[0].0, i64::from(status) * 10_000 + 10);
    }
}

#[tokio::test]
async fn invalid_request_returns_400_with_locations() {
    let console = Console::start().await;
    let cases: [(Query<'_>, &[&str]); 5] = [
        (&[("unknown", "1")], &["request.query.unknown"]),
        (&[("limit", "0"), ("skip", "x")], &["request.query.limit", "request.query.skip"]),
        (&[("incidentStatuses", "done")], &["request.query.incidentStatuses[0]"]),
        (&[("limit", "1"), ("limit", "2")], &["request.query.limit"]),
        (&[("createdAt__gt", "yesterday")], &["request.query.createdAt__gt"]),
    ];
    for (query, locations) in cases {
        let (status, response) = console.send("GET", THREATS, query, None).await;
        assert_eq!(status, 400, "{query:?}");
        let errors = errors(&response);
        assert_eq!(errors.len(), locations.len(), "{errors:?}");
        for ((code, title, detail), location) in errors.iter().zip(locations) {
            assert_eq!((*code, title.as_str()), (4_000_040, "Validation Error"));
            assert!(detail.starts_with(&format!("{location}: ")), "{detail}");
        }
    }
    let path = "/web/api/v2.1/threats/incident";
    let ids = json!({ "ids": [id(1)] });
    let bodies = [
        json!({ "filter": ids }),
        json!({ "filter": ids, "data": { "incidentStatus": "done" } }),
        json!({ "filter": ids, "data": { "incidentStatus": "resolved" }, "more": 1 }),
        json!({ "filter": { "idz": ["1"] }, "data": { "incidentStatus": "resolved" } }),
        json!([]),
    ];
    for body in bodies {
        assert_eq!(console.send("POST", path, &[], Some(&body)).await.0, 400, "{body}");
    }
    assert_eq!(console.send("POST", path, &[], None).await.0, 400);
    assert_eq!(console.send("GET", THREATS, &[], Some(&json!({ "limit": 1 }))).await.0, 400);
    let mitigate = "/web/api/v2.1/threats/mitigate/explode";
    assert_eq!(console.send("POST", mitigate, &[], Some(&json!({ "filter": ids }))).await.0, 400);

    let url = format!("{}{path}", console.sandbox.url());
    let request = console.http.post(url).header("authorization", "ApiToken sandbox-token").body("{");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(console.sandbox.exchanges().last().unwrap().body, Some(json!("{")));
}

#[tokio::test]
async fn long_body_returns_413() {
    let console = Console::start().await;
    let body = json!({ "data": { "text": "x".repeat(11 * 1024 * 1024) }, "filter": {} });
    let (status, response) = console.send("POST", "/web/api/v2.1/threats/notes", &[], Some(&body)).await;
    assert_eq!((status, errors(&response)[0].1.as_str()), (413, "Payload Too Large"));
    assert_eq!(console.sandbox.exchanges()[0].body, None);
}

#[tokio::test]
async fn list_filters_select_items() {
    let console = Console::start().await;
    let all: Vec<u8> = (1..=12).collect();
    let cases: &[(Query<'_>, &[u8])] = &[
        (&[], &all),
        // one of, not one of
        (&[("ids", "460000000000000003,460000000000000001,460000000000000099")], &[1, 3]),
        (&[("ids", "")], &all),
        (&[("incidentStatuses", "in_progress")], &[5, 6, 10]),
        (&[("incidentStatusesNin", "in_progress,resolved")], &[4, 7, 8, 11, 12]),
        (&[("incidentStatuses", "unresolved"), ("mitigationStatuses", "mitigated")], &[8]),
        (&[("classifications", "malware")], &[]),
        (&[("externalTicketIds", "EX-1041")], &[2]),
        // equal
        (&[("displayName", "xmr-worker")], &[2]),
        (&[("displayName", "xmr")], &[]),
        (&[("resolved", "true")], &[1, 2, 3, 9]),
        (&[("resolved", "false"), ("osTypes", "macos")], &[4, 10]),
        // substrings, ignoring case
        (&[("threatDetails__contains", "SHELL")], &[6, 7, 9]),
        (&[("computerName__contains", "web-,db")], &[2, 3, 6, 7, 9, 11]),
        // list elements and object keys
        (&[("engines", "executables")], &[8, 10]),
        (&[("detectionEnginesNin", "executables,reputation,manual,pup")], &[3, 5, 6, 9, 11, 12]),
        (&[("k8sPodLabels__contains", "TIER=")], &[6]),
        // existence
        (&[("noteExists", "true")], &[1, 6]),
        (&[("externalTicketExists", "true")], &[2, 6]),
        (&[("externalTicketExists", "false"), ("osTypes", "linux")], &[9, 11]),
        // times
        (&[("createdAt__gt", "2026-11-18T04:09:36.111143Z")], &[12]),
        (&[("createdAt__gte", "2026-11-18T04:09:36.111143Z")], &[11, 12]),
        (&[("createdAt__gte", "2026-11-18T06:09:36.111143+02:00")], &[11, 12]),
        (&[("createdAt__lt", "2026-11-10T02:31:47.202026Z")], &[1]),
        (&[("createdAt__lte", "2026-11-10T02:31:47.202026Z")], &[1, 2]),
        // string in any of several fields
        (&[("query", "MAC-DESIGN")], &[4, 10]),
        (&[("query", "ex-10")], &[2, 6]),
        // not selective
        (&[("tenant", "true"), ("countsFor", "osTypes")], &all),
    ];
    for (query, expected) in cases {
        assert_eq!(oldest_first(console.select(query).await), *expected, "{query:?}");
    }
    let cloud = console.select(&[("cloudInstanceId__contains", "i-")]).await;
    assert_eq!(oldest_first(cloud), [2, 6, 9, 11], "by the keys of a map");

    let (status, response) = console.send("GET", THREATS, &[("cloudProvider", "AWS")], None).await;
    assert_eq!(status, 501);
    assert!(errors(&response)[0].2.contains("cloudProvider"), "{response}");
    let body = json!({ "data": { "text": "hello" }, "filter": { "agentTagsData": "{}" } });
    let (status, response) = console.send("POST", "/web/api/v2.1/threats/notes", &[], Some(&body)).await;
    assert_eq!(status, 501);
    assert!(errors(&response)[0].2.contains("filter.agentTagsData"), "{response}");
}

fn oldest_first(mut list: Vec<u8>) -> Vec<u8> {
    list.reverse();
    list
}

#[tokio::test]
async fn list_sorts_by_field() {
    let console = Console::start().await;
    let by = |field| [("sortBy", field), ("sortOrder", "desc")];
    let descending: Vec<u8> = (1..=12).rev().collect();
    assert_eq!(console.select(&by("createdAt")).await, descending);
    assert_eq!(console.select(&by("id")).await, descending);
    let macs = [("osTypes", "macos"), ("sortBy", "classification")];
    assert_eq!(console.select(&macs).await, [10, 4], "Adware before PUA");
    // Equal items keep the order of the list, which is newest first.
    let sites = console.select(&by("siteName")).await;
    assert_eq!(sites, [12, 10, 8, 5, 4, 1, 11, 9, 7, 6, 3, 2]);
    assert_eq!(console.select(&[("sortOrder", "desc")]).await[0], 12);
    assert_eq!(console.select(&[("sortBy", "contentHash")]).await, descending);
}

#[tokio::test]
async fn list_pages_follow_cursor() {
    let console = Console::start().await;
    for limit in ["1", "5", "6", "12", "1000"] {
        let mut all_numbers = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit", limit)];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = console.get(THREATS, &query).await;
            assert_eq!(page["pagination"]["totalItems"], 12);
            all_numbers.extend(numbers(&page));
            match page["pagination"]["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(all_numbers, (1..=12).rev().collect::<Vec<_>>(), "limit {limit}");
    }
    let first = console.get(THREATS, &[]).await;
    assert_eq!(numbers(&first).len(), 10, "default limit");
    let cursor = first["pagination"]["nextCursor"].as_str().unwrap();

    assert_eq!(numbers(&console.get(THREATS, &[("skip", "11")]).await), [1]);
    assert_eq!(numbers(&console.get(THREATS, &[("skip", "999")]).await), [] as [u8; 0]);
    let count = console.get(THREATS, &[("countOnly", "true"), ("osTypes", "macos")]).await;
    assert_eq!(count, json!({ "data": [], "pagination": { "totalItems": 2, "nextCursor": null } }));
    let without_count = console.get(THREATS, &[("skipCount", "true")]).await;
    assert_eq!(without_count["pagination"].get("totalItems"), None);

    let longer = format!("0{cursor}");
    let upper = cursor.to_uppercase();
    for wrong in ["x", "", "0000000a00000000", "ééééé", "+000000a00000000", &longer, &upper] {
        if wrong == cursor {
            continue;
        }
        assert_eq!(console.send("GET", THREATS, &[("cursor", wrong)], None).await.0, 400, "{wrong:?}");
    }
    // A cursor is valid for its list only.
    assert_eq!(console.send("GET", LEGACY, &[("cursor", cursor)], None).await.0, 400);
}

#[tokio::test]
async fn update_incident_repeated_is_already_set() {
    let console = Console::start().await;
    let path = "/web/api/v2.1/threats/incident";
    let body = json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": [id(4), id(1)] } });
    let before = [console.threat(1).await, console.threat(4).await];
    let response = console.post(path, body.clone()).await;
    let expected = json!({ "data": { "affected": 1, "details": [
        { "threatId": id(4), "result": "updated" },
        { "threatId": id(1), "result": "already_set" },
    ] } });
    assert_eq!(response, expected);
    assert_eq!(console.threat(1).await, before[0], "unchanged, including the modification time");
    let after = console.threat(4).await;
    let changed: BTreeSet<_> =
        round_trip_losses(&before[1], &after).into_iter().map(|loss| loss.path).collect();
    let expected = ["incidentStatus", "incidentStatusDescription", "updatedAt"];
    assert_eq!(changed, expected.map(|name| format!("threatInfo.{name}")).into());
    assert_eq!(after["threatInfo"]["incidentStatusDescription"], "Resolved");
    assert_eq!(console.select(&[("resolved", "true")]).await, [9, 4, 3, 2, 1]);

    let response = console.post(path, body).await;
    assert_eq!(response["data"]["affected"], 0);
    assert_eq!(response["data"]["details"][0]["result"], "already_set");
    assert_eq!(console.threat(4).await, after);

    let both = json!({ "data": { "incidentStatus": "resolved", "analystVerdict": "suspicious" },
        "filter": { "ids": [id(4)] } });
    let response = console.post(path, both).await;
    let entry = json!({ "threatId": id(4), "result": "already_set", "analystVerdict": "updated" });
    assert_eq!(response, json!({ "data": { "affected": 1, "details": [entry] } }));
    let none = json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": ["1"] } });
    assert_eq!(console.post(path, none).await, json!({ "data": { "affected": 0, "details": [] } }));
}

#[tokio::test]
async fn action_empty_filter_affects_all_items() {
    let console = Console::start().await;
    let path = "/web/api/v2.1/threats/analyst-verdict";
    let verdict = |filter| json!({ "data": { "analystVerdict": "suspicious" }, "filter": filter });
    let response = console.post(path, verdict(json!({ "limit": 2, "tenant": true }))).await;
    assert_eq!(response["data"]["details"].as_array().unwrap().len(), 2, "the limit applies");
    assert_eq!(response["data"]["affected"], 1, "one of the two newest was already suspicious");
    assert_eq!(console.select(&[("analystVerdicts", "suspicious")]).await, [12, 11, 10]);
    let response = console.post(path, verdict(json!({ "ids": [] }))).await;
    assert_eq!(response["data"]["details"].as_array().unwrap().len(), 12);
    assert_eq!(response["data"]["affected"], 9);
}

#[tokio::test]
async fn add_note_appears_in_list() {
    let console = Console::start().await;
    let notes = format!("{THREATS}/{}/notes", id(4));
    let count = json!({ "data": [], "pagination": { "totalItems": 0, "nextCursor": null } });
    assert_eq!(console.get(&notes, &[]).await, count);
    let body = json!({ "data": { "text": "Reviewed" }, "filter": { "ids": [id(4), id(5)] } });
    for _ in 0..2 {
        assert_eq!(
            console.post(&format!("{THREATS}/notes"), body.clone()).await,
            json!({ "data": { "affected": 2 } })
        );
    }
    let list = console.get(&notes, &[]).await;
    let list = list["data"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_ne!(list[0]["id"], list[1]["id"]);
    assert_eq!(list[0]["text"], "Reviewed");
    assert_eq!(console.select(&[("noteExists", "true")]).await, [6, 5, 4, 1]);

    let first = format!("{THREATS}/{}/notes", id(1));
    let by = console.get(&first, &[("creator__like", "AMIRA")]).await;
    assert_eq!(by["data"].as_array().unwrap().len(), 1);
    let newest = console.get(&first, &[("sortBy", "createdAt"), ("sortOrder", "desc")]).await;
    assert_eq!(newest["data"][0]["id"], "500000000000000002");
}

#[tokio::test]
async fn mitigate_supports_both_api_versions() {
    let console = Console::start().await;
    let body = json!({ "filter": { "ids": [id(4)] } });
    let response = console.post("/web/api/v2.1/threats/mitigate/kill", body.clone()).await;
    assert_eq!(response, json!({ "data": { "affected": 1, "details": [{ "threatId": id(4) }] } }));
    assert_eq!(console.threat(4).await["threatInfo"]["mitigationStatus"], "mitigated");
    let response = console.post("/web/api/v2.0/threats/mitigate/un-quarantine", body).await;
    assert_eq!(response["data"]["affected"], 1);
    let threat = console.threat(4).await;
    assert_eq!(threat["threatInfo"]["mitigationStatusDescription"], "Not mitigated");
    let legacy = console.get(LEGACY, &[("mitigationStatuses", "active")]).await;
    assert!(numbers(&legacy).contains(&4));
}

#[tokio::test]
async fn list_api_2_0_uses_legacy_schema() {
    let console = Console::start().await;
    let list = console.get(LEGACY, &[("limit", "1000")]).await;
    assert_eq!(numbers(&list), (1..=12).rev().collect::<Vec<_>>());
    let first = &list["data"][11];
    assert_eq!(first["mitigationStatus"], "blocked");
    assert_eq!(first["engines"], json!(["reputation"]));
    assert_eq!((&first["rank"], &first["initiatedBy"]), (&json!(9), &json!("agentPolicy")));
    assert_eq!(first["agentComputerName"], "lap-finance-07");
    assert_eq!(first.get("threatInfo"), None);
    assert_eq!(numbers(&console.get(LEGACY, &[("rank", "9")]).await), [8, 6, 1]);
    assert_eq!(numbers(&console.get(LEGACY, &[("displayName__like", "XMR")]).await), [2]);

    let body = json!({ "data": { "targetScope": "site" }, "filter": { "ids": [id(4)] } });
    let response = console.post("/web/api/v2.0/threats/mark-as-threat", body).await;
    assert_eq!(response, json!({ "data": { "affected": 1 } }));
    assert_eq!(console.threat(4).await["threatInfo"]["confidenceLevel"], "malicious");
    let body = json!({ "filter": { "resolved": false } });
    let response = console.post("/web/api/v2.0/threats/mark-as-resolved", body).await;
    assert_eq!(response["data"]["affected"], 8);
    assert_eq!(console.select(&[("resolved", "false")]).await, [] as [u8; 0]);
}

#[tokio::test]
async fn action_steps_advance_in_order_and_only_by_valid_reads() {
    let console = Console::start().await;
    let agents = "/web/api/v2.1/agents";
    let list = console.get(agents, &[("networkStatuses", "connected"), ("isActive", "true")]).await;
    let agent = list["data"][0]["id"].as_str().unwrap().to_owned();
    let filter = json!({ "filter": { "ids": [agent] } });
    let ids = [("ids", agent.as_str())];
    let agent_state = async || {
        let list = console.get(agents, &ids).await;
        (list["data"][0]["networkStatus"].clone(), list["data"][0]["isActive"].clone())
    };
    console.post(&format!("{agents}/actions/disconnect"), filter.clone()).await;
    for _ in 0..2 {
        let (status, _) = console.send("GET", agents, &[ids[0], ("cursor", "no cursor")], None).await;
        assert_eq!(status, 400);
    }
    assert_eq!(agent_state().await, (json!("disconnecting"), json!(true)), "no read before this one");
    assert_eq!(agent_state().await, (json!("disconnected"), json!(true)));
    // The pending steps of one action do not undo the next action.
    console.post(&format!("{agents}/actions/connect"), filter.clone()).await;
    console.post(&format!("{agents}/actions/shutdown"), filter.clone()).await;
    for _ in 0..3 {
        assert_eq!(agent_state().await, (json!("disconnected"), json!(false)));
    }
    let path = "/web/api/v2.1/groups/430000000000000099/move-agents";
    let (status, response) = console.send("PUT", path, &[], Some(&filter)).await;
    assert_eq!(status, 400, "{response}");
    let group = |list: Value| list["data"][0]["groupId"].clone();
    assert_ne!(group(console.get(agents, &ids).await), "430000000000000099");
}

#[tokio::test]
async fn summary_counts_are_consistent() {
    let console = Console::start().await;
    let path = "/web/api/v2.1/private/threats/summary";
    let summary = console.get(path, &[]).await;
    let count = |name: &str| summary["data"][name].as_u64().unwrap();
    assert_eq!(count("total"), 12);
    assert_eq!(count("total"), count("resolved") + count("notResolved"));
    assert_eq!(count("notResolved"), count("maliciousNotResolved") + count("suspiciousNotResolved"));
    assert_eq!((count("resolved"), count("inProgress"), count("notMitigated")), (4, 3, 6));
    let of = |site: &'static str| [("siteIds", site)];
    let one = console.get(path, &of("420000000000000001")).await;
    let two = console.get(path, &of("420000000000000002")).await;
    assert_eq!(one["data"]["total"], 6);
    assert_eq!(two["data"]["total"], 6);
}

#[tokio::test]
async fn exchanges_omit_token() {
    let console = Console::start().await;
    console.get(THREATS, &[("query", "a b&c"), ("limit", "1")]).await;
    let body = json!({ "data": { "text": "hello" }, "filter": { "ids": [id(1)] } });
    console.post(&format!("{THREATS}/notes"), body.clone()).await;
    let exchanges = console.sandbox.exchanges();
    assert_eq!(exchanges.len(), 2);
    let first = &exchanges[0];
    assert_eq!((first.method.as_str(), first.path.as_str(), first.status), ("GET", THREATS, 200));
    let query = [("query", "a b&c"), ("limit", "1")];
    assert_eq!(first.query, query.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((&first.body, &exchanges[1].body), (&None, &Some(body)));
    assert_eq!(exchanges[1].response, json!({ "data": { "affected": 1 } }));
    assert!(!serde_json::to_string(&exchanges).unwrap().contains(Sandbox::TOKEN));
    for _ in 0..Sandbox::MAX_EXCHANGES {
        console.get(THREATS, &[("countOnly", "true")]).await;
    }
    let exchanges = console.sandbox.exchanges();
    assert_eq!((exchanges.len(), exchanges[0].method.as_str()), (Sandbox::MAX_EXCHANGES, "GET"));
}

#[tokio::test]
async fn stop_closes_idle_connections() {
    // An idle connection and an incomplete request do not delay the shutdown.
    let console = Console::start().await;
    console.get(THREATS, &[]).await;
    let address = console.sandbox.url().replace("http://", "");
    let mut partial = std::net::TcpStream::connect(&address).unwrap();
    let head = "POST /web/api/v2.1/threats/notes HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    std::io::Write::write_all(&mut partial, head.as_bytes()).unwrap();
    console.get(THREATS, &[]).await;
    let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(Sandbox::builder().port(port).start().await.is_err(), "the port is taken");
    console.sandbox.stop().await;
    let error = console.http.get(format!("http://{address}/")).send().await.unwrap_err();
    assert!(error.is_connect(), "{error}");

    let dropped = Sandbox::start().await.unwrap();
    let url = dropped.url();
    drop(dropped);
    tokio::task::yield_now().await;
    assert!(Client::new().get(url).send().await.is_err());
}

#[tokio::test]
async fn sandboxes_are_isolated() {
    let (one, other) = (Console::start().await, Console::start().await);
    let body = json!({ "filter": { "ids": [id(1)] } });
    one.post("/web/api/v2.1/threats/mitigate/un-quarantine", body).await;
    assert_eq!(one.threat(1).await["threatInfo"]["mitigationStatus"], "not_mitigated");
    assert_eq!(other.threat(1).await["threatInfo"]["mitigationStatus"], "mitigated");
    // Changes of one connection are visible to all others.
    let second = Client::new().get(format!("{}{THREATS}?ids={}", one.sandbox.url(), id(1)));
    let response = second.header("authorization", "ApiToken sandbox-token").send().await.unwrap();
    let response: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(response["data"][0]["threatInfo"]["mitigationStatus"], "not_mitigated");
}

/// Returns a value that is valid for a schema.
fn plausible(schema: &Value) -> Value {
    let contract = Contract::bundled();
    if let Some(first) = first_of_enum(schema) {
        return first;
    }
    match contract.type_of(schema) {
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or(1).max(1);
            (0..least).map(|_| plausible(contract.items(schema).unwrap())).collect()
        }
        Some("boolean") => json!(true),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("object") => {
            let properties = contract.properties(schema).into_iter();
            let filter = |name: &str| name == "filter";
            let all: Map<_, _> = properties
                .map(|(name, schema)| {
                    (name.to_owned(), if filter(name) { json!({}) } else { plausible(schema) })
                })
                .collect();
            Value::Object(all)
        }
        _ if schema.to_string().contains("date-time") => json!("2026-11-15T00:00:00Z"),
        _ => json!("example"),
    }
}

fn first_of_enum(schema: &Value) -> Option<Value> {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(sentinelone::raw::OPENAPI).unwrap());
    let mut schema = schema;
    while let Some(reference) = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")) {
        schema = DOCUMENT.pointer(reference.as_str().unwrap().strip_prefix('#').unwrap())?;
    }
    schema["enum"].get(0).cloned()
}

/// Returns the paths of an operation for all its versions, with existing values.
fn paths(operation: &OperationSpec) -> Vec<String> {
    let versions = operation.versions().iter();
    let mut paths: Vec<_> = versions.map(|v| operation.path().replace("{version}", v.as_str())).collect();
    for parameter in operation.parameters().iter().filter(|parameter| parameter.is_in_path()) {
        let of = |collection: &str| {
            let items = tenant()[collection].clone();
            let upload = |item: &&Value| collection != "activities" || item.get("_entries").is_some();
            let item = items.as_array().unwrap().iter().find(upload).cloned().unwrap_or_default();
            item["id"].as_str().map(str::to_owned)
        };
        let value = match parameter.name.as_str() {
            "threat_id" => Some(id(1)),
            "agent_id" => of("agents"),
            "site_id" => of("sites"),
            "group_id" => of("groups"),
            "account_id" => of("accounts"),
            "rule_id" => of("star_rules"),
            "activity_id" => of("activities"),
            "event_type" => Some("process".to_owned()),
            _ => first_of_enum(&parameter.schema).and_then(|value| Some(value.as_str()?.to_owned())),
        };
        let value = value.unwrap_or_else(|| "example".to_owned());
        for path in &mut paths {
            *path = path.replace(&format!("{{{}}}", parameter.name), &value);
        }
    }
    paths
}

fn query_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(query_string).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Returns a sandbox with a finished query, and the ID of the query.
async fn console_with_results() -> (Console, String) {
    let console = Console::start().await;
    let query = json!({ "query": "x", "fromDate": "2026-01-01T00:00:00Z", "toDate": "2026-01-02T00:00:00Z" });
    let response = console.post("/web/api/v2.1/dv/init-query", query).await;
    let id = response["data"]["queryId"].as_str().unwrap().to_owned();
    for expected in [0, 50, 100] {
        let status = console.get("/web/api/v2.1/dv/query-status", &[("queryId", &id)]).await;
        assert_eq!(status["data"]["progressStatus"], expected);
    }
    (console, id)
}

#[tokio::test]
async fn filter_fields_are_implemented() {
    let contract = Contract::bundled();
    let mut checked = 0;
    for operation in contract.operations() {
        let plan = &operation.x_s1()["sandbox"];
        // The response of such an operation is an example, or it has tests of its own.
        if plan.is_null() || plan["longRunningQuery"].is_string() {
            continue;
        }
        let creates = plan.get("create").is_some();
        for path in paths(operation) {
            let (console, query_id) = console_with_results().await;
            let parameters: Vec<_> = operation.parameters().iter().filter(|one| one.is_in_query()).collect();
            let text = |name: &str, schema: &Value| match name {
                "queryId" => query_id.clone(),
                _ => query_string(&plausible(schema)),
            };
            let required = |skip: &str| -> Vec<(String, String)> {
                let required = parameters.iter().filter(|one| one.required && one.name != skip);
                required.map(|one| (one.name.clone(), text(&one.name, &one.schema))).collect()
            };
            for parameter in &parameters {
                let value = match parameter.name.as_str() {
                    name if name.ends_with("__between") => "1-2".to_owned(),
                    name => text(name, &parameter.schema),
                };
                let mut query = required(&parameter.name);
                query.push((parameter.name.clone(), value));
                let query: Vec<_> =
                    query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let (status, response) = console.send("GET", &path, &query, None).await;
                let expected = match parameter.name.as_str() {
                    // An invalid cursor.
                    "cursor" => vec![400],
                    "limit" | "skip" | "countOnly" | "skipCount" | "sortBy" | "sortOrder" => vec![200],
                    // A single item may not exist.
                    _ if parameter.x_s1.get("field").is_some() => vec![200, 404],
                    _ if parameter.x_s1["selective"] == false => vec![200, 404],
                    _ => vec![501],
                };
                assert!(expected.contains(&status), "{path} {query:?}: {status} {response}");
                checked += 1;
            }
            let Some(schema) = operation.body_schema() else {
                let query = required("");
                let query: Vec<_> =
                    query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let (status, response) = console.send(operation.method(), &path, &query, None).await;
                assert!([200, 404].contains(&status), "{path}: {status} {response}");
                continue;
            };
            let body = plausible(schema);
            let Some(filter) = contract.properties(schema).remove("filter") else {
                let (status, response) = console.send(operation.method(), &path, &[], Some(&body)).await;
                assert!([200, 404].contains(&status), "{path} {body}: {status} {response}");
                continue;
            };
            // An item of the path and a new item are not selected by a filter.
            let selects = !creates && !plan["where"].to_string().contains("$path.");
            for (name, schema) in contract.properties(filter) {
                let mut body = body.clone();
                let value = if name.ends_with("__between") { json!("1-2") } else { plausible(schema) };
                body["filter"] = json!({ name: value });
                let (status, response) = console.send(operation.method(), &path, &[], Some(&body)).await;
                let is_implemented =
                    schema.pointer("/x-s1/field").is_some() || schema["x-s1"]["selective"] == false;
                let expected = if is_implemented || !selects { 200 } else { 501 };
                assert_eq!(status, expected, "{path} {body}: {response}");
                checked += 1;
            }
        }
    }
    assert!(checked > 4000, "{checked}");
}

/// Returns the schemas of the collections that a list returns unchanged.
fn list_schemas() -> BTreeMap<String, &'static Value> {
    let contract = Contract::bundled();
    let plain = contract.operations().filter_map(|operation| {
        let plan = operation.x_s1().get("sandbox")?;
        let changed = ["fields", "count", "collect", "zip"].iter().any(|key| plan.get(key).is_some());
        if operation.kind() != OperationKind::Read || changed {
            return None;
        }
        let data = contract.properties(operation.success_schema()?.1).remove("data")?;
        let data = match plan.get("list").and_then(Value::as_str) {
            Some(list) => contract.properties(data).remove(list)?,
            None => data,
        };
        let collection = plan["collection"].as_str()?.to_owned();
        Some((collection, contract.items(data).unwrap_or(data)))
    });
    plain.collect()
}

fn tenant() -> Value {
    serde_json::from_str(TENANT).unwrap()
}

#[test]
fn tenant_items_match_schemas() {
    let mut checked = 0;
    for (collection, schema) in list_schemas() {
        let Some(items) = tenant()[&collection].as_array().cloned() else {
            // The collection has no bundled items. Its name is the name of a resource.
            let mut resources = Contract::bundled().operations().map(|one| one.id());
            assert!(resources.any(|id| id.starts_with(&format!("{collection}_"))), "{collection}");
            continue;
        };
        for (index, item) in items.iter().enumerate() {
            let mut item = item.clone();
            item.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
            let location = format!("{collection}[{index}]");
            assert_eq!(Contract::bundled().check_value(schema, &item, &location), []);
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}

/// Returns whether a path is a declared field or starts at an internal field of an item.
fn field_exists(collection: &str, path: &str) -> bool {
    // A collection without a list has the fields of its items.
    if path.starts_with('_') || !list_schemas().contains_key(collection) {
        let tenant = tenant();
        let mut items = tenant[collection].as_array().unwrap().iter();
        return items.any(|item| item.get(path).is_some());
    }
    let contract = Contract::bundled();
    let schemas = list_schemas();
    let Some(root) = schemas.get(collection) else { return false };
    let found = path.split('.').try_fold(*root, |schema, name| match name {
        "*" => contract.items(schema),
        name => contract.properties(schema).remove(name),
    });
    found.is_some()
}

/// Returns the fields that plans set, per collection. Created items have them too.
fn planned_fields() -> BTreeMap<String, BTreeSet<String>> {
    let mut planned: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in Contract::bundled().operations() {
        let plan = &operation.x_s1()["sandbox"];
        for key in ["create", "insert"] {
            let Some(collection) = plan[key]["collection"].as_str() else { continue };
            let fields = plan[key]["item"].as_object().unwrap().keys().cloned();
            planned.entry(collection.to_owned()).or_default().extend(fields);
        }
        if let Some(collection) = plan["collection"].as_str() {
            let fields = plan["set"].as_object().into_iter().flatten().map(|(field, _)| field.clone());
            planned.entry(collection.to_owned()).or_default().extend(fields);
        }
    }
    planned
}

#[test]
fn plans_use_existing_fields() {
    /// Collects the fields of the selected item that an expression uses, at any depth.
    fn items(expression: &Value, found: &mut Vec<String>) {
        match expression {
            Value::String(text) => found.extend(text.strip_prefix("$item.").map(str::to_owned)),
            Value::Array(parts) => parts.iter().for_each(|part| items(part, found)),
            Value::Object(fields) => fields.values().for_each(|part| items(part, found)),
            _ => {}
        }
    }

    fn strings(value: &Value) -> Vec<&str> {
        match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        }
    }

    let contract = Contract::bundled();
    let planned = planned_fields();
    let exists = |collection: &str, field: &str| {
        let root = field.split('.').next().unwrap();
        let is_planned =
            planned.get(collection).is_some_and(|fields| fields.contains(field) || fields.contains(root));
        is_planned || field_exists(collection, field)
    };
    for operation in contract.operations() {
        let plan = &operation.x_s1()["sandbox"];
        let is_curated = operation.x_s1()["tier"] == "curated";
        assert!(plan.is_object() || !is_curated, "{} has no plan", operation.id());
        let Some(collection) = plan["collection"].as_str() else { continue };
        assert!(tenant()[collection].is_array() || planned.contains_key(collection), "{collection}");
        let mut fields: Vec<String> = Vec::new();
        let filter = operation.body_schema().and_then(|schema| contract.properties(schema).remove("filter"));
        let filter = filter.map(|filter| contract.properties(filter)).unwrap_or_default();
        let body_fields = filter.values().map(|property| &property["x-s1"]["field"]);
        let query_fields = operation.parameters().iter().filter_map(|parameter| parameter.x_s1.get("field"));
        fields.extend(body_fields.chain(query_fields).flat_map(strings).map(str::to_owned));
        let names = |key: &str| plan[key].as_object().into_iter().flatten();
        fields.extend(names("where").chain(names("set")).map(|(field, _)| field.clone()));
        for (_, conditions) in names("count") {
            fields.extend(conditions.as_object().unwrap().keys().cloned());
        }
        for (_, expression) in names("fields") {
            match expression {
                Value::String(path) if !path.starts_with('$') => fields.push(path.clone()),
                other => items(other, &mut fields),
            }
        }
        for key in ["set", "details", "zip", "collect", "insert"] {
            items(&plan[key], &mut fields);
        }
        for field in fields {
            assert!(exists(collection, &field), "{}: {field} of {collection}", operation.id());
        }
    }
    // Created items match the schema of their list.
    let schemas = list_schemas();
    for (collection, fields) in &planned {
        let Some(schema) = schemas.get(collection) else { continue };
        let declared = contract.properties(schema);
        for field in fields.iter().filter(|field| !field.starts_with('_')) {
            let root = field.split('.').next().unwrap();
            assert!(declared.contains_key(root), "{collection}: {field}");
        }
    }
}
