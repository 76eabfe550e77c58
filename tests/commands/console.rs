//! Commands on sites, accounts, groups, activities, hashes and exclusions.

use sentinelone::IdState;
use sentinelone::commands::{
    Command, CreateWhiteListItem, GetActivities, NoProgress, RemoveItemFromWhitelist,
};
use serde_json::json;
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::*;

const SHA1: &str = "0123456789abcdef0123456789ABCDEF01234567";

/// Returns the query of the single request of a command.
fn query(name: &str, args: &[(&str, &str)]) -> Value {
    let requests = sent(name, V2_1, args).unwrap();
    assert_eq!(requests.len(), 1);
    requests[0][2].clone()
}

/// Returns the body of the single request of a command.
fn body(name: &str, args: &[(&str, &str)]) -> Value {
    let requests = sent(name, V2_1, args).unwrap();
    assert_eq!(requests.len(), 1);
    requests[0][3].clone()
}

/// Starts a server that returns the same response to each request.
async fn server_with_response(body: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(json_response(body)).mount(&server).await;
    server
}

#[test]
fn get_sites_sends_documented_query() {
    let args = [
        ("updated_at", "2026-11-20T10:00:00+02:00"),
        ("query", "north, south"),
        ("site_type", "POC"),
        ("features", "firewall-control,ioc"),
        ("state", "active"),
        ("suite", "Control"),
        ("admin_only", "True"),
        ("account_id", "11"),
        ("site_name", "North"),
        ("created_at", "2026-10-01"),
        ("limit", "7"),
    ];
    let query = json!({
        "updatedAt": "2026-11-20T08:00:00Z",
        "query": "north, south",
        "siteType": "POC",
        "features": "firewall-control,ioc",
        "state": "active",
        "suite": "Control",
        "adminOnly": "true",
        "accountId": "11",
        "name": "North",
        "createdAt": "2026-10-01T00:00:00Z",
        "limit": "7",
    });
    for version in [V2_0, V2_1] {
        let expected = json!(["GET", format!("/web/api/v{version}/sites"), query, null]);
        assert_eq!(sent("get-sites", version, &args).unwrap(), [expected]);
    }
}

#[test]
fn console_lists_default_limits_match_integration() {
    assert_eq!(query("get-sites", &[]), json!({ "limit": "50" }));
    assert_eq!(query("get-groups", &[]), json!({ "limit": "50" }));
    assert_eq!(query("get-activities", &[]), json!({ "limit": "50" }));
    let exclusions = json!({ "limit": "10", "includeParents": "false", "includeChildren": "false" });
    assert_eq!(query("get-white-list", &[]), exclusions);
    assert_eq!(query("get-accounts", &[]), json!({ "limit": "1000" }), "all accounts");
    // Further pages return the rest.
    assert_eq!(query("get-groups", &[("limit", "5000")])["limit"], "1000");
    assert_eq!(query("get-activities", &[("limit", "5000")])["limit"], "1000");
    // The default limit covers all IDs.
    let many = (0..60).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(query("get-groups", &[("group_ids", &many)])["limit"], "60");
    assert_eq!(query("get-activities", &[("activities_ids", &many)])["limit"], "60");
    assert_eq!(query("get-white-list", &[("item_ids", &many)])["limit"], "60");
    assert_eq!(query("get-white-list", &[("item_ids", &many), ("limit", "3")])["limit"], "3");
}

/// Defect 11: the published command returns the totals of all sites for each site.
#[tokio::test]
async fn get_sites_licenses_are_per_site() {
    let server = MockServer::start().await;
    let page = |id: &str, active: u32, next: Value| {
        let site = json!({
            "id": id, "name": format!("Site {id}"), "siteType": "Paid", "activeLicenses": active,
            "totalLicenses": 100, "creator": null, "healthStatus": true, "brandNew": 1,
        });
        let totals = json!({ "activeLicenses": 907, "totalLicenses": 2000 });
        json_response(json!({
            "data": { "allSites": totals, "sites": [site] },
            "pagination": { "nextCursor": next, "totalItems": 3 },
        }))
    };
    let list = || Mock::given(method("GET")).and(path("/web/api/v2.1/sites"));
    let first = page("1", 3, "n".into());
    list().and(query_param_is_missing("cursor")).respond_with(first).expect(1).mount(&server).await;
    let second = page("2", 4, Value::Null);
    list().and(query_param("cursor", "n")).respond_with(second).expect(1).mount(&server).await;

    let outcome = run(&server, V2_1, "get-sites", &[]).await;
    let site = |id: &str, active: u32| {
        json!({
            "ID": id, "Name": format!("Site {id}"), "Type": "Paid", "ActiveLicenses": active,
            "TotalLicenses": 100, "HealthStatus": true,
        })
    };
    assert_eq!(outcome.context["SentinelOne"]["Site"], json!([site("1", 3), site("2", 4)]));
    assert_eq!(
        outcome.response["data"]["allSites"]["activeLicenses"], 907,
        "the totals of all sites are kept"
    );
    assert_eq!(outcome.items().len(), 2);
    assert_eq!(outcome.items()[1]["brandNew"], 1);
}

#[tokio::test]
async fn get_site_context_has_all_paths() {
    let site = json!({
        "creator": "Ann", "name": "North", "siteType": "Trial", "accountName": "Acme", "state": "active",
        "healthStatus": true, "suite": "Core", "activeLicenses": 2, "id": "9", "totalLicenses": 5,
        "createdAt": NOW, "expiration": NOW, "unlimitedLicenses": false, "accountId": "8", "isDefault": true,
    });
    let expected = json!(["GET", "/web/api/v2.0/sites/9", {}, null]);
    assert_eq!(sent("get-site", V2_0, &[("site_id", " 9 ")]).unwrap(), [expected]);
    let server = server_with_response(json!({ "data": site })).await;
    let outcome = run(&server, V2_1, "get-site", &[("site_id", "9")]).await;
    let entry = outcome.context["SentinelOne"]["Site"].as_object().unwrap();
    assert_eq!(entry.len(), super::entry("get-site").outputs.len());
    assert_eq!((&entry["Type"], &entry["AccountID"]), (&json!("Trial"), &json!("8")));
}

#[test]
fn reactivate_site_requires_expiration_or_unlimited() {
    let body = |args: &[(&str, &str)]| {
        let requests = sent("reactivate-site", V2_1, args).unwrap();
        assert_eq!(requests[0][0], "PUT");
        assert_eq!(requests[0][1], "/web/api/v2.1/sites/9/reactivate");
        requests[0][3]["data"].clone()
    };
    let site = ("site_id", "9");
    let until = ("expiration", "2030-08-03T06:49:26.257525+02:00");
    let expected = json!({ "expiration": "2030-08-03T04:49:26.257525Z", "unlimited": false });
    assert_eq!(body(&[site, until]), expected);
    assert_eq!(body(&[site, until, ("unlimited", "false")]), expected);
    assert_eq!(
        body(&[site, ("unlimited", "true")]),
        json!({ "unlimited": true }),
        "null members are not sent"
    );
}

#[tokio::test]
async fn reactivate_site_reports_known_state() {
    let args = [("site_id", "9"), ("unlimited", "true")];
    let cases = [
        (json!({ "success": true }), IdState::Done, json!(true), Some(1)),
        (json!({ "success": "True" }), IdState::Done, json!(true), Some(1)),
        (json!({ "success": false }), IdState::NotAffected, json!(false), Some(0)),
        (json!({ "id": "9", "state": "active" }), IdState::Done, json!(true), Some(1)),
        (json!({ "id": "9", "state": "expired" }), IdState::Unknown, json!(null), None),
        (json!({}), IdState::Unknown, json!(null), None),
    ];
    for (data, state, reactivated, affected) in cases {
        let server = server_with_response(json!({ "data": data })).await;
        let outcome = run(&server, V2_1, "reactivate-site", &args).await;
        assert_eq!(states(&outcome), [("9", state)], "{data}");
        let expected = json!({ "ID": "9", "Reactivated": reactivated });
        assert_eq!(outcome.context["SentinelOne"]["Site"], expected, "{data}");
        assert_eq!(outcome.affected, affected, "{data}");
    }
}

/// Defect 20: the published keys contain spaces.
#[tokio::test]
async fn expire_site_context_has_documented_paths() {
    let expected = json!(["POST", "/web/api/v2.0/sites/9/expire-now", {}, null]);
    assert_eq!(sent("expire-site", V2_0, &[("site_id", "9")]).unwrap(), [expected]);
    let site = json!({
        "id": "9", "name": "North", "state": "expired", "sku": "Core", "siteType": "Paid", "suite": "Core",
        "totalLicenses": 5, "accountId": "8", "creator": "Ann", "creatorId": "7", "description": "old",
        "expiration": NOW,
    });
    let server = server_with_response(json!({ "data": site })).await;
    let outcome = run(&server, V2_1, "expire-site", &[("site_id", "9")]).await;
    let expected = json!({
        "ID": "9", "Name": "North", "State": "expired", "SKU": "Core", "SiteType": "Paid", "Suite": "Core",
        "TotalLicenses": 5, "AccountID": "8", "Creator": "Ann", "CreatorID": "7", "Description": "old",
        "Expiration": NOW,
    });
    assert_eq!(outcome.context, json!({ "SentinelOne": { "Site": expected } }));
    assert_eq!(states(&outcome), [("9", IdState::Done)]);
    assert_eq!(outcome.affected, Some(1));
}

#[tokio::test]
async fn expire_site_unconfirmed_state_is_unknown() {
    let server = server_with_response(json!({ "data": { "id": "9", "state": "active" } })).await;
    let outcome = run(&server, V2_1, "expire-site", &[("site_id", "9")]).await;
    assert_eq!(states(&outcome), [("9", IdState::Unknown)]);
    assert_eq!(outcome.results[0].detail.as_deref(), Some("active"));
    assert!(!outcome.has_effect() && outcome.affected.is_none());

    let server = server_with_response(json!({})).await;
    let outcome = run(&server, V2_1, "expire-site", &[("site_id", "9")]).await;
    assert_eq!(states(&outcome), [("9", IdState::Unknown)]);
    assert_eq!(outcome.context["SentinelOne"]["Site"], json!({ "ID": "9" }));
}

/// Defect 13: the published command treats the object of one account as a list.
#[tokio::test]
async fn get_accounts_by_id_returns_list_of_one() {
    let account = json!({
        "id": "5", "name": "Acme", "accountType": "Paid", "activeAgents": 12, "numberOfSites": 3,
        "state": "active", "createdAt": NOW, "expiration": null,
    });
    let server = MockServer::start().await;
    Mock::given(path("/web/api/v2.1/accounts/5"))
        .respond_with(json_response(json!({ "data": account })))
        .mount(&server)
        .await;
    let outcome = run(&server, V2_1, "get-accounts", &[("account_id", "5")]).await;
    let expected = json!([{
        "ID": "5", "Name": "Acme", "AccountType": "Paid", "ActiveAgents": 12, "NumberOfSites": 3,
        "State": "active", "CreatedAt": NOW,
    }]);
    assert_eq!(outcome.context["SentinelOne"]["Accounts"], expected);
    assert_eq!(outcome.items(), [account]);
}

/// Defect 26: the published lists do not follow the cursor.
#[tokio::test]
async fn get_accounts_lists_all_pages() {
    let server = MockServer::start().await;
    let page = |id: &str, next: Value| {
        json_response(json!({ "data": [{ "id": id }], "pagination": { "nextCursor": next } }))
    };
    let list = || Mock::given(path("/web/api/v2.1/accounts"));
    list().and(query_param_is_missing("cursor")).respond_with(page("1", "n".into())).mount(&server).await;
    list().and(query_param("cursor", "n")).respond_with(page("2", Value::Null)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-accounts", &[]).await;
    assert_eq!(outcome.context["SentinelOne"]["Accounts"], json!([{ "ID": "1" }, { "ID": "2" }]));
}

/// Defect 15: the published command ignores the ID of a group.
#[test]
fn get_groups_sends_group_id() {
    let args = [
        ("group_type", "pinned"),
        ("group_ids", "1,2"),
        ("group_id", "1"),
        ("is_default", "False"),
        ("name", "Servers"),
        ("query", "web"),
        ("rank", "3"),
        ("limit", "20"),
    ];
    let query = json!({
        "type": "pinned", "groupIds": "1,2", "id": "1", "isDefault": "false", "name": "Servers",
        "query": "web", "rank": "3", "limit": "20",
    });
    let expected = json!(["GET", "/web/api/v2.1/groups", query, null]);
    assert_eq!(sent("get-groups", V2_1, &args).unwrap(), [expected]);
}

#[tokio::test]
async fn get_groups_context_has_api_names() {
    let group = json!({
        "id": "1", "name": "Servers", "type": "dynamic", "siteId": "9", "totalAgents": 4, "rank": 2,
        "isDefault": false, "inherits": true, "filterId": "6", "filterName": "web", "creator": "Ann",
        "creatorId": "7", "createdAt": NOW, "updatedAt": NOW, "description": "all of them",
    });
    let mut full = group.clone();
    full["registrationToken"] = "eyJ0b2tlbiI6MX0=".into();
    let server = server_with_response(json!({ "data": [full], "pagination": { "nextCursor": null } })).await;
    let outcome = run(&server, V2_0, "get-groups", &[("group_id", "1")]).await;
    assert_eq!(outcome.context["SentinelOne"]["Group"], json!([group]), "the registration token is left out");
}

/// Defect 8: the published command always reports a failure.
#[tokio::test]
async fn delete_group_reports_success_flag() {
    let expected = json!(["DELETE", "/web/api/v2.1/groups/4", {}, null]);
    assert_eq!(sent("delete-group", V2_1, &[("group_id", "4")]).unwrap(), [expected]);
    let cases = [
        (json!({ "data": { "success": true } }), IdState::Done, "Group 4 was deleted", Some(1)),
        (json!({ "data": { "success": false } }), IdState::NotAffected, "Group 4 was not deleted", Some(0)),
        (json!({}), IdState::Unknown, "Whether group 4 was deleted is unknown", None),
    ];
    for (body, state, message, affected) in cases {
        let server = server_with_response(body).await;
        let outcome = run(&server, V2_1, "delete-group", &[("group_id", "4")]).await;
        assert_eq!(states(&outcome), [("4", state)]);
        assert_eq!(outcome.context["SentinelOne"]["DeleteGroup"], json!({ "Success": message }));
        assert_eq!(outcome.affected, affected);
        assert_eq!(outcome.is_complete(), state == IdState::Done);
    }
}

#[tokio::test]
async fn action_empty_response_is_unknown() {
    let server = MockServer::start().await;
    let nothing = ResponseTemplate::new(200);
    Mock::given(wiremock::matchers::any()).respond_with(nothing).mount(&server).await;
    let site = ("site_id", "9");
    let exclusion =
        [("exclusion_type", "browser"), ("exclusion_value", "9"), ("os_type", "macos"), ("site_ids", "3")];
    for (name, args) in [
        ("delete-group", &[("group_id", "9")][..]),
        ("expire-site", &[site]),
        ("reactivate-site", &[site, ("unlimited", "true")]),
        ("create-white-list-item", &exclusion),
    ] {
        let outcome = run(&server, V2_1, name, args).await;
        assert_eq!(states(&outcome), [("9", IdState::Unknown)], "{name}");
        assert_eq!(outcome.affected, None, "{name}");
    }
}

#[tokio::test]
async fn delete_missing_group_returns_error() {
    let server = MockServer::start().await;
    let missing = json!({ "errors": [{ "code": 4040010, "title": "Resource not found" }] });
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(404).set_body_json(missing))
        .mount(&server)
        .await;
    let client = client(&server, V2_1);
    let command = entry("delete-group").prepare(arguments(&[("group_id", "4")])).unwrap();
    assert_eq!(command.run(&client).await.unwrap_err().status().unwrap(), 404);
}

/// Defect 4: the published command sends wrong names of the time filters.
#[test]
fn get_activities_sends_documented_query() {
    let args = [
        ("created_after", "3 days"),
        ("user_emails", "ann@example.com, bob@example.com"),
        ("group_ids", "1,2"),
        ("created_until", "2026-11-20"),
        ("include_hidden", "True"),
        ("activities_ids", "3,4"),
        ("created_before", "2026-11-21T09:30:00+01:00"),
        ("threats_ids", "5"),
        ("activity_types", "[52, 53]"),
        ("user_ids", "6"),
        ("created_from", "12 hours"),
        ("created_between", "1514978764288-1514978999999"),
        ("agent_ids", "7,8"),
        ("limit", "20"),
        ("sort_by", "createdAt"),
        ("sort_order", "desc"),
    ];
    let query = json!({
        "createdAt__gt": "2026-11-18T08:30:00Z",
        "userEmails": "ann@example.com,bob@example.com",
        "groupIds": "1,2",
        "createdAt__lte": "2026-11-20T00:00:00Z",
        "includeHidden": "true",
        "ids": "3,4",
        "createdAt__lt": "2026-11-21T08:30:00Z",
        "threatIds": "5",
        "activityTypes": "52,53",
        "userIds": "6",
        "createdAt__gte": "2026-11-20T20:30:00Z",
        "createdAt__between": "1514978764288-1514978999999",
        "agentIds": "7,8",
        "limit": "20",
        "sortBy": "createdAt",
        "sortOrder": "desc",
    });
    for version in [V2_0, V2_1] {
        let expected = json!(["GET", format!("/web/api/v{version}/activities"), query, null]);
        assert_eq!(sent("get-activities", version, &args).unwrap(), [expected]);
    }
}

#[test]
fn get_activities_created_between_accepts_all_time_formats() {
    let range =
        |text: &str| query("get-activities", &[("created_between", text)])["createdAt__between"].clone();
    let expected = "1795046400000-1795250400500";
    for text in [
        "1795046400000-1795250400500",
        " 1795046400000 - 1795250400500 ",
        "1795046400000,1795250400500",
        "2026-11-19T00:00:00Z,2026-11-21T08:40:00.5Z",
        "2026-11-19 - 2026-11-21T08:40:00.5Z",
    ] {
        assert_eq!(range(text), expected, "{text}");
    }
    assert_eq!(range("2 hours,now"), "1795242600000-1795249800000");
    for (text, about) in [
        ("2026-11-19", "separated by a comma"),
        ("3 days", "separated by a comma"),
        ("soon,now", "soon"),
        ("12-13", "not a time"),
        ("now,", "is empty"),
        ("1795250400500-1795046400000", "ends before it starts"),
    ] {
        let error = sent("get-activities", V2_1, &[("created_between", text)]).unwrap_err();
        assert!(error.contains("created_between") && error.contains(about), "{text}: {error}");
    }
    let command = GetActivities::default().created_between(("soon".into(), NOW.into()));
    assert!(command.requests(V2_1).unwrap_err().to_string().contains("not a time"));
}

/// Defect 21: the published command writes the details to an undocumented path. Both paths are filled here.
#[tokio::test]
async fn get_activities_context_has_documented_paths() {
    let details = json!({ "siteId": 9, "siteName": "North", "username": "Ann", "filePath": "/a.zip" });
    let activity = json!({
        "id": "1", "createdAt": NOW, "updatedAt": NOW, "activityType": 80, "primaryDescription": "Something",
        "secondaryDescription": "more", "agentId": "2", "threatId": "3", "userId": "4", "siteId": "9",
        "groupId": "6", "osFamily": "linux", "hash": "ff", "comments": "why", "description": "text",
        "agentUpdatedVersion": "1.2", "data": details,
    });
    let server =
        server_with_response(json!({ "data": [activity], "pagination": { "nextCursor": null } })).await;
    let outcome = run(&server, V2_1, "get-activities", &[]).await;
    let entry = &outcome.context["SentinelOne"]["Activity"][0];
    assert_eq!(entry["data"], json!({ "SiteID": 9, "SiteName": "North", "username": "Ann" }));
    assert_eq!(entry["Data"], details);
    let outputs = super::entry("get-activities").outputs;
    assert_eq!(entry.as_object().unwrap().len(), outputs.len() - 2, "three paths are members of data");
    assert_eq!(entry["OsFamily"], "linux");
}

#[tokio::test]
async fn get_activities_limit_spans_pages() {
    let server = MockServer::start().await;
    let page = |ids: [&str; 2], next: &str| {
        let data: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        json_response(json!({ "data": data, "pagination": { "nextCursor": next } }))
    };
    let list = || Mock::given(path("/web/api/v2.1/activities")).and(query_param("limit", "3"));
    list().and(query_param_is_missing("cursor")).respond_with(page(["1", "2"], "n")).mount(&server).await;
    list().and(query_param("cursor", "n")).respond_with(page(["3", "4"], "m")).mount(&server).await;
    let outcome = run(&server, V2_1, "get-activities", &[("limit", "3")]).await;
    let expected = json!([{ "ID": "1" }, { "ID": "2" }, { "ID": "3" }]);
    assert_eq!(outcome.context["SentinelOne"]["Activity"], expected);
}

/// Defect 31: the published command sends other hash types, but the API accepts only SHA-1.
#[test]
fn get_hash_rejects_other_hash_types() {
    let expected = json!(["GET", format!("/web/api/v2.1/hashes/{SHA1}/verdict"), {}, null]);
    assert_eq!(sent("get-hash", V2_1, &[("hash", SHA1)]).unwrap(), [expected]);
    for (hash, about) in [
        ("0".repeat(32), "has 32 characters, as an MD5"),
        ("0".repeat(64), "has 64 characters, as a SHA-256"),
        ("0".repeat(128), "has 128 characters, as a SHA-512"),
        ("0".repeat(39), "has 39 characters;"),
        ("g".repeat(40), "not hexadecimal"),
        ("ä".repeat(20), "not hexadecimal"),
    ] {
        let error = sent("get-hash", V2_1, &[("hash", &hash)]).unwrap_err();
        assert!(error.starts_with("get-hash: hash ") && error.contains(about), "{error}");
        assert!(error.ends_with("expected a SHA-1 of 40 hexadecimal characters"), "{error}");
    }
}

/// Defect 8: the rank is documented but not available.
#[tokio::test]
async fn get_hash_context_has_verdict_without_rank() {
    let server = server_with_response(json!({ "data": { "verdict": "malicious" } })).await;
    let outcome = run(&server, V2_1, "get-hash", &[("hash", SHA1)]).await;
    let expected = json!({ "Hash": SHA1, "Verdict": "malicious" });
    assert_eq!(outcome.context, json!({ "SentinelOne": { "Hash": expected } }));
    let rank = entry("get-hash").outputs.iter().find(|output| output.path == "SentinelOne.Hash.Rank");
    assert!(rank.unwrap().source == ContextSource::Unavailable && rank.unwrap().unavailable.is_some());
}

#[test]
fn create_exclusion_sends_scope_and_data() {
    let args = [
        ("exclusion_type", "path"),
        ("exclusion_value", r"C:\Tools, all\"),
        ("os_type", "windows"),
        ("description", "build tools"),
        ("exclusion_mode", "suppress"),
        ("path_exclusion_type", "subfolders"),
        ("group_ids", "1,2"),
        ("site_ids", "3"),
    ];
    let data = json!({
        "type": "path", "value": r"C:\Tools, all\", "osType": "windows", "description": "build tools",
        "mode": "suppress", "pathExclusionType": "subfolders",
    });
    let expected = json!({ "data": data, "filter": { "groupIds": ["1", "2"], "siteIds": ["3"] } });
    assert_eq!(body("create-white-list-item", &args), expected);
    let requests = sent("create-white-list-item", V2_0, &args).unwrap();
    assert_eq!(requests[0][0], "POST");
    assert_eq!(requests[0][1], "/web/api/v2.0/exclusions");

    // Groups alone are a valid scope.
    let args = [args[6], ("exclusion_type", "white_hash"), ("exclusion_value", SHA1), ("os_type", "linux")];
    let expected = json!({
        "data": { "type": "white_hash", "value": SHA1, "osType": "linux" },
        "filter": { "groupIds": ["1", "2"] },
    });
    assert_eq!(body("create-white-list-item", &args), expected);
}

/// Defect 23: the scope is documented as optional.
#[test]
fn create_exclusion_without_scope_is_rejected() {
    let hash = [("exclusion_type", "white_hash"), ("exclusion_value", SHA1), ("os_type", "linux")];
    let error = sent("create-white-list-item", V2_1, &hash).unwrap_err();
    assert!(error.starts_with("create-white-list-item: site_ids or group_ids is required"), "{error}");
    let command = CreateWhiteListItem::new("white_hash", SHA1, "linux");
    assert!(command.requests(V2_1).is_err());
}

/// Defect 19: the published prefix differs from the documented one.
#[tokio::test]
async fn create_exclusion_context_has_documented_prefix() {
    let args =
        [("exclusion_type", "browser"), ("exclusion_value", "X"), ("os_type", "macos"), ("site_ids", "3,4")];
    let created = |id: &str| json!({ "id": id, "type": "browser", "createdAt": NOW, "value": "X" });
    let server = server_with_response(json!({ "data": [created("7"), created("8")] })).await;
    let outcome = run(&server, V2_1, "create-white-list-item", &args).await;
    let expected = json!([
        { "ID": "7", "Type": "browser", "CreatedAt": NOW },
        { "ID": "8", "Type": "browser", "CreatedAt": NOW },
    ]);
    assert_eq!(outcome.context, json!({ "SentinelOne": { "Exclusions": expected } }));
    assert_eq!(states(&outcome), [("7", IdState::Done), ("8", IdState::Done)]);
    assert_eq!(outcome.affected, Some(2));

    for (body, state, affected) in
        [(json!({ "data": [] }), IdState::NotAffected, Some(0)), (json!({}), IdState::Unknown, None)]
    {
        let server = server_with_response(body).await;
        let outcome = run(&server, V2_1, "create-white-list-item", &args).await;
        assert_eq!(states(&outcome), [("X", state)], "an empty result is not a success");
        assert_eq!(outcome.affected, affected);
        assert!(!outcome.is_complete());
    }
}

/// The exclusion of one site does not imply that of the others.
#[tokio::test]
async fn create_exclusion_results_follow_entry_scopes() {
    use IdState::{Done, Unknown};
    let at = |id: Value, scope: Value| json!({ "id": id, "type": "browser", "scope": scope });
    let site = |id: &str| at("7".into(), json!({ "siteIds": [id] }));
    let cases = [
        (json!([site("3")]), vec![("7", Done), ("4", Unknown), ("5", Unknown)]),
        (json!([at("7".into(), json!({ "siteIds": ["3", 4], "groupIds": "5" }))]), vec![("7", Done)]),
        (
            json!([site("3"), site("9"), site("9")]),
            vec![("7", Done); 3].into_iter().chain([("4", Unknown), ("5", Unknown)]).collect(),
        ),
        (json!([{ "id": "7" }]), vec![("7", Done), ("3", Unknown), ("4", Unknown), ("5", Unknown)]),
        (json!([{ "id": "7" }, { "id": 8 }, { "id": "9" }]), vec![("7", Done), ("8", Done), ("9", Done)]),
        // Entries without a scope count for the missing sites and groups.
        (json!([site("3"), { "id": "8" }, { "id": "9" }]), vec![("7", Done), ("8", Done), ("9", Done)]),
        (json!([site("3"), { "id": "8" }]), vec![("7", Done), ("8", Done), ("4", Unknown), ("5", Unknown)]),
        (json!([at(Value::Null, json!({ "siteIds": ["3", "4"], "groupIds": ["5"] }))]), vec![("X", Unknown)]),
    ];
    for (entries, expected) in cases {
        let server = server_with_response(json!({ "data": entries })).await;
        let args = [
            ("exclusion_type", "browser"),
            ("exclusion_value", "X"),
            ("os_type", "macos"),
            ("site_ids", "3,4,3"),
            ("group_ids", "5"),
        ];
        let outcome = run(&server, V2_1, "create-white-list-item", &args).await;
        assert_eq!(states(&outcome), expected, "{entries}");
        assert_eq!(outcome.affected, Some(entries.as_array().unwrap().len() as u64));
        assert_eq!(outcome.is_complete(), expected.iter().all(|(_, state)| *state == Done));
    }
}

#[test]
fn get_white_list_sends_documented_query() {
    let args = [
        ("item_ids", "1,2"),
        ("os_types", "windows, linux"),
        ("exclusion_type", "certificate"),
        ("limit", "5"),
        ("include_parent", "True"),
        ("include_children", "true"),
    ];
    let query = json!({
        "ids": "1,2", "osTypes": "windows,linux", "type": "certificate", "limit": "5",
        "includeParents": "true", "includeChildren": "true",
    });
    let expected = json!(["GET", "/web/api/v2.0/exclusions", query, null]);
    assert_eq!(sent("get-white-list", V2_0, &args).unwrap(), [expected]);
}

/// Lists accept more values than the integration, and than the commands that create.
#[test]
fn console_lists_accept_all_api_values() {
    for (name, argument, field, values) in [
        ("get-sites", "suite", "suite", &["Core", "Control", "Complete"][..]),
        ("get-groups", "group_type", "type", &["static", "dynamic", "pinned"]),
        (
            "get-white-list",
            "exclusion_type",
            "type",
            &["path", "certificate", "browser", "file_type", "white_hash", "dv_exclusions"],
        ),
    ] {
        let arguments = (entry(name).arguments)();
        let known = arguments.iter().find(|one| one.name == argument).unwrap();
        assert_eq!(known.values, values, "{name}");
        for value in values {
            assert_eq!(query(name, &[(argument, value)])[field], *value, "{name}");
        }
    }
}

#[tokio::test]
async fn get_white_list_context_has_all_paths() {
    let exclusion = json!({
        "id": "1", "type": "path", "value": "/opt", "osType": "linux", "mode": "suppress", "source": "user",
        "userName": "Ann", "userId": "7", "createdAt": NOW, "updatedAt": NOW,
    });
    let server =
        server_with_response(json!({ "data": [exclusion], "pagination": { "nextCursor": null } })).await;
    let outcome = run(&server, V2_1, "get-white-list", &[]).await;
    let entry = outcome.context["SentinelOne"]["Exclusions"][0].as_object().unwrap();
    assert_eq!(entry.len(), super::entry("get-white-list").outputs.len());
    assert_eq!((&entry["OsType"], &entry["Mode"]), (&json!("linux"), &json!("suppress")));
}

#[test]
fn remove_whitelist_item_searches_all_scopes() {
    let args = [("item", SHA1), ("os_type", "windows"), ("exclusion_type", "white_hash")];
    let query = json!({
        "value__contains": SHA1, "osTypes": "windows", "type": "white_hash", "includeChildren": "true",
        "includeParents": "true", "limit": "1000",
    });
    let expected = json!(["GET", "/web/api/v2.1/exclusions", query, null]);
    assert_eq!(sent("remove-item-from-whitelist", V2_1, &args).unwrap(), [expected]);
}

#[test]
fn remove_whitelist_item_uses_exact_search_for_commas_and_short_values() {
    for item in [r"C:\a, b\", "x"] {
        let query = query("remove-item-from-whitelist", &[("item", item)]);
        assert_eq!((&query["value"], &query["value__contains"]), (&json!(item), &Value::Null));
    }
}

/// The published command reads at most five entries and ignores the case of paths.
#[tokio::test]
async fn remove_whitelist_item_removes_exact_matches_of_all_pages() {
    let server = MockServer::start().await;
    let page = |values: &[(&str, &str)], next: Value| {
        let data: Vec<_> = values
            .iter()
            .map(|(id, value)| json!({ "id": id, "value": value, "type": "white_hash" }))
            .collect();
        json_response(json!({ "data": data, "pagination": { "nextCursor": next } }))
    };
    let upper = SHA1.to_ascii_uppercase();
    let longer = format!("{SHA1}0");
    let first = page(&[("1", &upper), ("2", &longer), ("3", SHA1)], "n".into());
    let second = page(&[("4", SHA1)], Value::Null);
    let search = || Mock::given(method("GET")).and(path("/web/api/v2.1/exclusions"));
    search().and(query_param_is_missing("cursor")).respond_with(first).mount(&server).await;
    search().and(query_param("cursor", "n")).respond_with(second).mount(&server).await;
    Mock::given(method("DELETE"))
        .and(path("/web/api/v2.1/exclusions"))
        .and(body_json(json!({ "data": { "ids": ["1", "3", "4"] } })))
        .respond_with(json_response(json!({ "data": { "affected": 3 } })))
        .expect(1)
        .mount(&server)
        .await;

    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &[("item", SHA1)]).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("3", IdState::Done), ("4", IdState::Done)]);
    assert_eq!(outcome.affected, Some(3));
    assert!(outcome.is_complete());
    let expected = json!({ "item": SHA1, "status": "Removed 3 entries from whitelist" });
    assert_eq!(outcome.context, json!({ "SentinelOne": { "RemoveItemFromWhitelist": expected } }));
}

#[tokio::test]
async fn remove_missing_whitelist_item_is_not_affected() {
    let others = json!([{ "id": "1", "value": "/OPT" }, { "id": "2", "value": "/opt/x" }]);
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(json_response(json!({ "data": others, "pagination": { "nextCursor": null } })))
        .mount(&server)
        .await;
    Mock::given(method("DELETE")).respond_with(json_response(json!({}))).expect(0).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &[("item", "/opt")]).await;
    assert_eq!(states(&outcome), [("/opt", IdState::NotAffected)]);
    assert_eq!(outcome.affected, Some(0));
    assert!(!outcome.is_complete() && !outcome.has_effect());
    let expected = json!({ "item": "/opt", "status": "Not on whitelist" });
    assert_eq!(outcome.context["SentinelOne"]["RemoveItemFromWhitelist"], expected);
}

#[tokio::test]
async fn remove_whitelist_item_partial_count_is_reported() {
    let server = MockServer::start().await;
    let found = json!([{ "id": "1", "value": "/opt" }, { "id": "2", "value": "/opt" }, { "value": "/opt" }]);
    Mock::given(method("GET")).respond_with(json_response(json!({ "data": found }))).mount(&server).await;
    let removed = json_response(json!({ "data": { "affected": 1 } }));
    Mock::given(method("DELETE")).respond_with(removed).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &[("item", "/opt")]).await;
    let expected = [("1", IdState::Unknown), ("2", IdState::Unknown), ("/opt", IdState::NotAffected)];
    assert_eq!(states(&outcome), expected);
    let status = &outcome.context["SentinelOne"]["RemoveItemFromWhitelist"]["status"];
    assert_eq!(status, "Removed at least 0 of 3 entries from whitelist");
}

#[tokio::test]
async fn remove_whitelist_item_keeps_other_os_and_type() {
    let entry =
        |id: Value, os: &str, kind: &str| json!({ "id": id, "value": "/opt", "osType": os, "type": kind });
    let found = json!([
        entry("1".into(), "linux", "path"),
        entry("2".into(), "macos", "path"),
        entry("3".into(), "linux", "browser"),
        entry(4.into(), "Linux", "path"),
        { "id": "5", "value": "/opt" },
    ]);
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(json_response(json!({ "data": found }))).mount(&server).await;
    Mock::given(method("DELETE"))
        .and(body_json(json!({ "data": { "ids": ["1", "4", "5"] } })))
        .respond_with(json_response(json!({ "data": { "affected": 3 } })))
        .expect(1)
        .mount(&server)
        .await;
    let args = [("item", "/opt"), ("os_type", "linux"), ("exclusion_type", "path")];
    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Done), ("4", IdState::Done), ("5", IdState::Done)]);
}

#[tokio::test]
async fn remove_whitelist_item_incomplete_list_is_unknown() {
    let body = json!({ "data": [], "errors": [{ "code": 4_030_010, "title": "Insufficient permissions" }] });
    let server = server_with_response(body).await;
    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &[("item", "/opt")]).await;
    assert_eq!(states(&outcome), [("/opt", IdState::Unknown)]);
    assert_eq!(outcome.context["SentinelOne"]["RemoveItemFromWhitelist"]["status"], "Unknown");
    assert_eq!(outcome.affected, Some(0), "no delete request was sent");
    assert!(!outcome.is_complete());
}

#[tokio::test]
async fn remove_whitelist_item_uncertain_failure_is_unknown() {
    let server = MockServer::start().await;
    let found = json!([{ "id": "1", "value": "/opt" }, { "id": "2", "value": "/opt" }]);
    Mock::given(method("GET")).respond_with(json_response(json!({ "data": found }))).mount(&server).await;
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(502)).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "remove-item-from-whitelist", &[("item", "/opt")]).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 502);
    assert_eq!(states(&outcome), [("1", IdState::Unknown), ("2", IdState::Unknown)]);
    assert_eq!(outcome.affected, None);
    let status = &outcome.context["SentinelOne"]["RemoveItemFromWhitelist"]["status"];
    assert_eq!(status, "Removed at least 0 of 2 entries from whitelist");
}

#[tokio::test]
async fn remove_whitelist_item_search_failure_deletes_nothing() {
    let server = MockServer::start().await;
    let first = json!({ "data": [{ "id": "1", "value": "/opt" }], "pagination": { "nextCursor": "n" } });
    let search = || Mock::given(method("GET"));
    search().and(query_param_is_missing("cursor")).respond_with(json_response(first)).mount(&server).await;
    let broken = ResponseTemplate::new(503);
    search().and(query_param("cursor", "n")).respond_with(broken).mount(&server).await;
    Mock::given(method("DELETE")).respond_with(json_response(json!({}))).expect(0).mount(&server).await;
    let client = client(&server, V2_1);
    let command = RemoveItemFromWhitelist::new("/opt");
    assert_eq!(command.run(&client, &NoProgress).await.unwrap_err().status().unwrap(), 503);
}

#[test]
fn console_commands_invalid_arguments_are_rejected() {
    let path = [("exclusion_value", "/opt"), ("os_type", "linux"), ("site_ids", "1")];
    let with = |more: &[(&'static str, &'static str)]| [&path[..], more].concat();
    let refusals = [
        ("get-sites", V2_1, vec![("site_type", "paid")], "site_type"),
        ("get-sites", V2_1, vec![("features", "ioc,magic")], "features"),
        ("get-sites", V2_1, vec![("state", "gone")], "state"),
        ("get-sites", V2_1, vec![("suite", "control")], "suite"),
        ("get-sites", V2_1, vec![("admin_only", "maybe")], "admin_only"),
        ("get-sites", V2_1, vec![("created_at", "soon")], "created_at"),
        ("get-sites", V2_1, vec![("limit", "0")], "limit"),
        ("get-sites", V2_1, vec![("site_ids", "1")], "is not an argument"),
        ("get-site", V2_1, vec![], "site_id"),
        ("get-site", V2_1, vec![("site_id", "..")], "site_id"),
        ("reactivate-site", V2_1, vec![("site_id", "9")], "expiration is missing"),
        ("reactivate-site", V2_1, vec![("site_id", "9"), ("unlimited", "false")], "expiration is missing"),
        (
            "reactivate-site",
            V2_1,
            vec![("site_id", "9"), ("unlimited", "true"), ("expiration", "2030-01-01")],
            "unlimited=true",
        ),
        ("reactivate-site", V2_1, vec![("site_id", "9"), ("expiration", "30 days")], "is in the past"),
        ("reactivate-site", V2_1, vec![("site_id", "9"), ("expiration", "now")], "is in the past"),
        ("reactivate-site", V2_1, vec![("site_id", "9"), ("expiration", "2026-11-20")], "is in the past"),
        ("reactivate-site", V2_1, vec![("site_id", "9"), ("expiration", NOW)], "is in the past"),
        ("reactivate-site", V2_1, vec![("site_id", "9"), ("expiration", "soon")], "expiration"),
        ("expire-site", V2_1, vec![], "site_id"),
        ("get-accounts", V2_0, vec![], "2.0"),
        ("get-groups", V2_1, vec![("rank", "first")], "rank"),
        ("get-groups", V2_1, vec![("group_type", "frozen")], "group_type"),
        ("delete-group", V2_1, vec![], "group_id"),
        ("get-activities", V2_1, vec![("sort_by", "name")], "sort_by"),
        ("get-activities", V2_1, vec![("sort_order", "up")], "sort_order"),
        ("get-activities", V2_1, vec![("created_after", "soon")], "created_after"),
        ("get-hash", V2_1, vec![], "hash"),
        ("create-white-list-item", V2_1, with(&[]), "exclusion_type"),
        ("create-white-list-item", V2_1, with(&[("exclusion_type", "dv_exclusions")]), "exclusion_type"),
        (
            "create-white-list-item",
            V2_1,
            with(&[("exclusion_type", "browser"), ("exclusion_mode", "suppress")]),
            "exclusion_mode requires exclusion_type path",
        ),
        (
            "create-white-list-item",
            V2_1,
            with(&[("exclusion_type", "file_type"), ("path_exclusion_type", "file")]),
            "path_exclusion_type requires exclusion_type path",
        ),
        ("get-white-list", V2_1, vec![("os_types", "beos")], "os_types"),
        ("get-white-list", V2_1, vec![("exclusion_type", "paths")], "exclusion_type"),
        ("remove-item-from-whitelist", V2_1, vec![], "item"),
        (
            "remove-item-from-whitelist",
            V2_1,
            vec![("item", "/opt"), ("exclusion_type", "paths")],
            "exclusion_type",
        ),
        ("remove-item-from-whitelist", V2_0, vec![("item", "/opt")], "2.0"),
    ];
    for (name, version, args, about) in refusals {
        let error = sent(name, version, &args).expect_err(&format!("{name} {args:?}"));
        assert!(error.contains(about), "{name} {args:?}: {error}");
    }
}

#[test]
fn destructive_console_commands_require_confirmation() {
    for (name, is_action, destructive, requires_confirmation) in [
        ("create-white-list-item", true, false, true),
        ("delete-group", true, true, true),
        ("expire-site", true, true, true),
        ("reactivate-site", true, false, false),
        ("remove-item-from-whitelist", true, true, true),
        ("get-white-list", false, false, false),
    ] {
        let info = entry(name).info;
        assert_eq!(
            (info.is_action, info.destructive, info.requires_confirmation),
            (is_action, destructive, requires_confirmation),
            "{name}"
        );
    }
}
