//! Commands on the blocklist.

use sentinelone::IdState;
use serde_json::json;
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::detections::{SHA1, error, error_response, single_request, with, without};
use super::*;

const BLOCKLIST: &str = "/web/api/v2.1/restrictions";

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
    let everywhere = sorted(json!({ "includeChildren": "true", "tenant": "true", "value__contains": SHA1 }));
    assert_eq!(query(&[("hash", SHA1)]), everywhere, "a hash that only a site blocks is found");
    assert_eq!(query(&with(&rest, &[("include_children", "false")]))["includeChildren"], "false");
    let mut found = query(&rest);
    assert_eq!(found.as_object_mut().unwrap().remove("includeChildren"), Some(json!("true")));
    assert_eq!(found, sorted(expected));
    for scope in [("site_ids", "21"), ("global", "false")] {
        assert!(query(&[("hash", SHA1), scope]).get("includeChildren").is_none(), "{scope:?}");
    }
    assert_eq!(query(&[("site_ids", "21"), ("include_children", "true")])["includeChildren"], "true");
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
        assert!(sha1.required && sha1.documented_as_optional, "the integration documents it as optional");
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
fn remove_hash_searches_scope_and_then_scopes_around_it() {
    let query = |more: Value| {
        let mut query = json!({
            "limit": "1000", "sortBy": "updatedAt", "sortOrder": "asc", "value__contains": SHA1,
        });
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!(["GET", BLOCKLIST, query, null])
    };
    let requests = |more: &[(&str, &str)]| {
        sent("remove-hash-from-blocklist", V2_1, &with(&[("sha1", SHA1)], more)).unwrap()
    };
    let expected = [
        query(json!({ "tenant": "true", "osTypes": "macos" })),
        query(json!({ "tenant": "true", "osTypes": "macos", "includeChildren": "true" })),
    ];
    assert_eq!(requests(&[("os_type", "macos")]), expected);
    for (argument, field) in
        [("block_site_ids", "siteIds"), ("block_group_ids", "groupIds"), ("block_account_ids", "accountIds")]
    {
        let wide = json!({ field: "21,22", "includeChildren": "true", "includeParents": "true" });
        assert_eq!(requests(&[(argument, "21,22")]), [query(json!({ field: "21,22" })), query(wide)]);
    }
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
        .expect(2)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(json_response(second)).expect(2).mount(&server).await;
    let matching_ids = ["1", "2", "3", "4", "5", "8"];
    let delete = Mock::given(method("DELETE")).and(path(BLOCKLIST));
    let delete = delete.and(body_json(json!({ "data": { "ids": matching_ids } })));
    delete.respond_with(json_response(json!({ "data": { "affected": 6 } }))).expect(1).mount(&server).await;

    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    let mut expected = matching_ids.map(|id| (id, IdState::Done)).to_vec();
    expected.push(("7", IdState::NotAffected));
    assert_eq!(states(&outcome), expected);
    assert_eq!(outcome.affected, Some(6));
    let expected = json!({ "hash": SHA1, "status": "Removed 6 of 7 entries from blocklist" });
    assert_eq!(outcome.context, json!({ "SentinelOne": { "RemoveHashFromBlocklist": expected } }));
}

#[tokio::test]
async fn remove_missing_hash_is_already_set() {
    let server = MockServer::start().await;
    let get = Mock::given(method("GET")).and(path(BLOCKLIST));
    get.respond_with(json_response(json!({ "data": [], "pagination": {} }))).expect(4).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::AlreadySet)]);
    let expected = "Not on blocklist of the tenant, nor of an account, site or group that the token reaches";
    assert_eq!(outcome.results[0].detail.as_deref(), Some(expected));
    assert_eq!((outcome.affected, outcome.is_complete()), (Some(0), true));
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], "Not on blocklist");
    assert_eq!(outcome.response["data"], json!([]));

    let args = [("sha1", SHA1), ("block_site_ids", "21"), ("os_type", "linux")];
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &args).await;
    let expected =
        "Not on blocklist for linux of site 21, nor of the scopes below and above that the token reaches";
    assert_eq!(outcome.results[0].detail.as_deref(), Some(expected));
}

/// Mounts the list of a scope, and the list of that scope and those around it.
async fn lists(own: Value, all: Value) -> MockServer {
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(BLOCKLIST));
    let body = |data: Value| json_response(json!({ "data": data, "pagination": { "nextCursor": null } }));
    list().and(query_param("includeChildren", "true")).respond_with(body(all)).expect(1).mount(&server).await;
    list()
        .and(query_param_is_missing("includeChildren"))
        .respond_with(body(own))
        .expect(1)
        .mount(&server)
        .await;
    server
}

fn in_scope(id: &str, scope: Value) -> Value {
    json!({ "id": id, "value": SHA1, "osType": "linux", "scope": scope })
}

#[tokio::test]
async fn remove_hash_reports_entries_of_other_scopes_and_keeps_them() {
    let elsewhere = json!([
        in_scope("1", json!({ "siteIds": ["21"] })),
        in_scope("2", json!({ "groupIds": ["31", "32"] })),
        in_scope("3", json!({ "accountIds": ["41"] })),
        { "id": "4", "value": SHA1, "scopePath": "Global / Example / Office" },
        { "id": "5", "value": SHA1 },
        { "id": "6", "value": "0".repeat(40), "scope": { "siteIds": ["22"] } },
    ]);
    let scopes =
        ["site 21", "group 31, group 32", "account 41", "Global / Example / Office", "an unknown scope"];
    // No DELETE is mounted, so one would be an error.
    let server = lists(json!([]), elsewhere.clone()).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), ["1", "2", "3", "4", "5"].map(|id| (id, IdState::NotAffected)));
    for (result, scope) in outcome.results.iter().zip(scopes) {
        assert!(
            result.detail.as_deref().unwrap().ends_with(&format!("on the blocklist of {scope}")),
            "{scope}"
        );
    }
    let status = format!("Not removed: on the blocklist of {}", scopes.join(", "));
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], json!(status));
    assert!(!outcome.is_complete() && !outcome.has_effect() && outcome.affected == Some(0));

    // The entry of the requested scope is removed.
    let tenant = in_scope("9", json!({ "tenant": true }));
    let all = json!([tenant, in_scope("1", json!({ "siteIds": ["21"] }))]);
    let server = lists(json!([tenant]), all).await;
    let delete = Mock::given(method("DELETE")).and(body_json(json!({ "data": { "ids": ["9"] } })));
    delete.respond_with(json_response(json!({ "data": { "affected": 1 } }))).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), [("9", IdState::Done), ("1", IdState::NotAffected)]);
    let status = &outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"];
    assert_eq!((status, outcome.is_complete()), (&json!("Removed 1 of 2 entries from blocklist"), false));
}

#[tokio::test]
async fn remove_hash_of_named_scope_reports_tenant_and_groups() {
    for (argument, field, level) in [
        ("block_site_ids", "siteIds", "site"),
        ("block_group_ids", "groupIds", "group"),
        ("block_account_ids", "accountIds", "account"),
    ] {
        let own = in_scope("1", json!({ field: ["21"] }));
        let others = [in_scope("2", json!({ "tenant": true })), in_scope("3", json!({ field: ["29"] }))];
        let server = lists(json!([own]), json!([own, others[0], others[1]])).await;
        let delete = Mock::given(method("DELETE")).and(body_json(json!({ "data": { "ids": ["1"] } })));
        delete
            .respond_with(json_response(json!({ "data": { "affected": 1 } })))
            .expect(1)
            .mount(&server)
            .await;
        let args = [("sha1", SHA1), (argument, "21")];
        let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &args).await;
        let expected = [("1", IdState::Done), ("2", IdState::NotAffected), ("3", IdState::NotAffected)];
        assert_eq!(states(&outcome), expected, "{argument}");
        let details: Vec<_> = outcome.results.iter().filter_map(|result| result.detail.clone()).collect();
        assert!(details[0].ends_with("of the tenant") && details[1].ends_with(&format!("of {level} 29")));
    }
}

#[tokio::test]
async fn remove_hash_failed_search_of_other_scopes_removes_nothing() {
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(BLOCKLIST));
    list()
        .and(query_param("includeChildren", "true"))
        .respond_with(ResponseTemplate::new(403))
        .mount(&server)
        .await;
    let own = json!({ "data": [in_scope("1", json!({ "tenant": true }))] });
    list().respond_with(json_response(own)).mount(&server).await;
    Mock::given(method("DELETE")).respond_with(json_response(json!({}))).expect(0).mount(&server).await;
    let command = entry("remove-hash-from-blocklist").prepare(arguments(&[("sha1", SHA1)])).unwrap();
    assert_eq!(command.run(&client(&server, V2_1)).await.unwrap_err().status().unwrap(), 403);
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
    get.respond_with(json_response(json!({ "data": data }))).expect(2).mount(&server).await;
    let delete = Mock::given(method("DELETE")).and(body_json(json!({ "data": { "ids": ["1"] } })));
    delete.respond_with(json_response(json!({ "data": { "affected": 1 } }))).expect(1).mount(&server).await;
    let args = [("sha1", SHA1), ("block_site_ids", "21,22"), ("os_type", "linux")];
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &args).await;
    let kept = ["2", "3", "5"].map(|id| (id, IdState::NotAffected));
    assert_eq!(states(&outcome), [&[("1", IdState::Done)][..], &kept].concat());
    let shared = outcome.results[1].detail.as_deref();
    assert_eq!(shared, Some("is also on the list of other scopes: site 22, site 29"));
    let status = &outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"];
    assert_eq!(status, "Removed 1 of 4 entries from blocklist");
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
async fn remove_hash_entry_of_other_scope_without_id_is_unknown() {
    let server = lists(json!([]), json!([{ "value": SHA1, "scope": { "siteIds": ["21"] } }])).await;
    let outcome = run(&server, V2_1, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
    assert_eq!(states(&outcome), [(SHA1, IdState::Unknown)]);
    assert_eq!(outcome.results[0].detail.as_deref(), Some("is in entries without an ID"));
    assert_eq!(outcome.context["SentinelOne"]["RemoveHashFromBlocklist"]["status"], "Unknown");
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
    assert_eq!(states(&outcome), [("1", IdState::Done), ("2", IdState::NotAffected)]);
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
    let outcome = run_in_sequence(&server, "remove-hash-from-blocklist", &[("sha1", SHA1)]).await;
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
