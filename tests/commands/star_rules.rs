//! Commands on STAR rules.

use sentinelone::commands::{Command, DisableStarRules};
use sentinelone::{ErrorKind, IdState, raw};
use serde_json::json;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer};

use super::detections::{error, single_request, with, without};
use super::*;

const RULES: &str = "/web/api/v2.1/cloud-detection/rules";

pub(super) const RULE: &[(&str, &str)] = &[
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
}

#[test]
fn star_rule_tenant_scope_must_be_explicit() {
    let base = without(RULE, "site_ids");
    let filter =
        |more: &[(&str, &str)]| single_request("create-star-rule", &with(&base, more))[3]["filter"].clone();
    assert_eq!(filter(&[("tenant", "true")]), json!({ "tenant": true }), "a boolean");
    for (argument, field) in
        [("site_ids", "siteIds"), ("group_ids", "groupIds"), ("account_ids", "accountIds")]
    {
        assert_eq!(filter(&[(argument, "7")]), json!({ field: ["7"] }));
        assert_eq!(filter(&[(argument, "7"), ("tenant", "false")]), json!({ field: ["7"] }));
        for (name, base) in
            [("create-star-rule", base.clone()), ("update-star-rule", vec![("rule_id", "51")])]
        {
            let both = error(name, &with(&base, &[(argument, "7"), ("tenant", "true")]));
            assert!(both.contains("tenant cannot be true"), "{both}");
        }
    }
    for more in [&[][..], &[("tenant", "false")]] {
        let missing = error("create-star-rule", &with(&base, more));
        let expected = "create-star-rule: site_ids or group_ids or account_ids is required";
        assert!(missing.starts_with(expected), "{missing}");
    }
}

#[test]
fn star_rule_expiration_is_validated() {
    let refusals: &[&[(&str, &str)]] = &[
        &[("expiration_mode", "Temporary"), ("expiration_date", "2026-11-21T08:30:00Z")],
        &[("expiration_mode", "Temporary"), ("expiration_date", "3 days")],
        &[("expiration_mode", "Temporary"), ("expiration_date", "soon")],
        &[("expiration_mode", "Permanent"), ("expiration_date", "2027-01-01")],
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
    let without_date = with(RULE, &[("expiration_mode", "Temporary")]);
    assert!(error("create-star-rule", &without_date).contains("expiration_date is missing"));
}

#[test]
fn create_star_rule_language_is_sent() {
    let data =
        |more: &[(&str, &str)]| single_request("create-star-rule", &with(RULE, more))[3]["data"].clone();
    assert_eq!(data(&[("query_lang", "2.0")])["queryLang"], "2.0");
    assert!(data(&[]).get("queryLang").is_none(), "the default of the console applies");
    assert!(error("create-star-rule", &with(RULE, &[("query_lang", "3")])).contains("query_lang"));
}

const SCHEDULE: &[(&str, &str)] = &[
    ("query_type", "scheduled"),
    ("query", "event.type = 'Login' | group n = count()"),
    ("run_interval_minutes", "60"),
    ("lookback_window_minutes", "90"),
];

#[test]
fn create_scheduled_star_rule_sends_schedule_and_language() {
    let scheduled = with(RULE, SCHEDULE);
    let more = [("threshold_value", "5"), ("threshold_operator", "less"), ("cool_off_minutes", "30")];
    let data = single_request("create-star-rule", &with(&scheduled, &more))[3]["data"].clone();
    let expected = json!({
        "query": "event.type = 'Login' | group n = count()",
        "runIntervalMinutes": 60, "lookbackWindowMinutes": 90,
        "threshold": { "value": 5, "operator": "Less" },
    });
    assert_eq!((&data["scheduledParams"], &data["queryLang"]), (&expected, &json!("2.0")));
    assert_eq!((&data["coolOffSettings"], data.get("s1ql")), (&json!({ "renotifyMinutes": 30 }), None));
    for name in ["run_interval_minutes", "lookback_window_minutes"] {
        assert!(error("create-star-rule", &without(&scheduled, name)).contains(name));
        assert!(error("create-star-rule", &with(&scheduled, &[(name, "0")])).contains(name));
        assert!(
            error("create-star-rule", &with(RULE, &[(name, "60")])).contains("requires query_type scheduled")
        );
    }
    assert!(error("create-star-rule", &with(&scheduled, &[("query_lang", "1.0")])).contains("query_lang"));
}

/// A rule as the console lists it, with members that an update does not declare.
fn stored() -> Value {
    json!({
        "id": "51", "name": "Odd logins", "queryType": "events", "queryLang": "2.0", "s1ql": "event.type = 'Login'",
        "severity": "High", "status": "Active", "expirationMode": "Temporary",
        "expiration": "2027-02-03T03:05:06.789Z", "networkQuarantine": true, "treatAsThreat": "Malicious",
        "description": "Logins at night", "coolOffSettings": { "renotifyMinutes": 30, "addedLater": 1 },
        "templateRuleId": "81", "scope": "site", "scopeId": "21", "creator": "Ann", "activeResponse": true,
        "generatedAlerts": 3, "addedLater": { "a": 1 },
    })
}

fn page(rules: &[Value]) -> ResponseTemplate {
    json_response(json!({ "data": rules, "pagination": { "nextCursor": null, "totalItems": rules.len() } }))
}

/// Mounts the lists of a console whose rule is in one of them, and an update that returns `saved`.
async fn rule_console(rule: &Value, is_legacy: Option<&str>, saved: Value) -> MockServer {
    let server = MockServer::start().await;
    let list = Mock::given(method("GET")).and(path(RULES)).and(query_param("ids", "51"));
    let list = match is_legacy {
        Some(value) => list.and(query_param("isLegacy", value)),
        None => list.and(query_param_is_missing("isLegacy")),
    };
    list.respond_with(page(std::slice::from_ref(rule))).mount(&server).await;
    Mock::given(method("GET")).respond_with(page(&[])).mount(&server).await;
    let put = Mock::given(method("PUT")).and(path(format!("{RULES}/51")));
    put.respond_with(json_response(json!({ "data": saved }))).mount(&server).await;
    server
}

/// Returns the body of the only update, if one was sent.
async fn put_body(server: &MockServer) -> Option<Value> {
    let requests = server.received_requests().await.unwrap();
    let mut puts = requests.iter().filter(|request| request.method.as_str() == "PUT");
    let body = puts.next().map(|request| serde_json::from_slice(&request.body).unwrap());
    assert!(puts.next().is_none(), "one update");
    body
}

fn changed(mut rule: Value, changes: Value) -> Value {
    rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    rule
}

#[tokio::test]
async fn update_star_rule_sends_present_value_of_unnamed_settings() {
    let more = json!({
        "advancedDetectionParams": {
            "entity": "user", "minQueriesMatch": 2, "timeWindow": { "windowMinutes": 60 },
            "queries": [{ "s1ql": "a" }, { "s1ql": "b" }],
        },
        "correlationParams": {
            "entity": "endpoint", "matchInOrder": true, "timeWindow": { "windowMinutes": 1 },
            "subQueries": [{ "subQuery": "a", "matchesRequired": 3 }],
        },
        "scheduledParams": {
            "query": "a | group n = count()", "runIntervalMinutes": 60, "lookbackWindowMinutes": 90,
            "threshold": { "value": 5, "operator": "Equal" },
        },
    });
    let rule = changed(stored(), more.clone());
    let mut expected = rule.clone();
    let fields = raw::star_rules::UPDATE.body_parts.iter().find(|part| part.name == "data").unwrap().fields;
    let is_declared = |name: &String| fields.iter().any(|field| field.name == name);
    expected.as_object_mut().unwrap().retain(|name, _| is_declared(name));
    assert_eq!(expected.as_object().unwrap().len(), fields.len(), "the rule has each declared setting");
    expected["severity"] = json!("Low");
    // Each list of the console can have the rule.
    for is_legacy in [None, Some("false")] {
        let server =
            rule_console(&rule, is_legacy, changed(rule.clone(), json!({ "severity": "Low" }))).await;
        let args = [("rule_id", "51"), ("rule_severity", "low")];
        let outcome = run(&server, V2_1, "update-star-rule", &args).await;
        assert_eq!(states(&outcome), [("51", IdState::Done)], "{:?}", outcome.results);
        let body = put_body(&server).await.unwrap();
        assert_eq!(body, json!({ "data": expected, "filter": { "siteIds": ["21"] } }));
    }
}

#[tokio::test]
async fn update_star_rule_each_argument_changes_its_setting_only() {
    let cases = [
        ("name", "Odd", json!({ "name": "Odd" })),
        ("expiration_mode", "Permanent", json!({ "expirationMode": "Permanent", "expiration": null })),
        ("expiration_date", "2028-01-01T00:00:00Z", json!({ "expiration": "2028-01-01T00:00:00Z" })),
        ("query_type", "processes", json!({ "queryType": "processes" })),
        ("query", "q", json!({ "s1ql": "q" })),
        ("query_lang", "1.0", json!({ "queryLang": "1.0" })),
        ("description", "d", json!({ "description": "d" })),
        ("network_quarantine", "false", json!({ "networkQuarantine": false })),
        ("treatAsThreat", "undefined", json!({ "treatAsThreat": "UNDEFINED" })),
        ("status", "Draft", json!({ "status": "Draft" })),
        ("cool_off_minutes", "60", json!({ "coolOffSettings": { "renotifyMinutes": 60, "addedLater": 1 } })),
    ];
    let unchanged = {
        let server = rule_console(&stored(), None, stored()).await;
        let _ = run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), ("rule_severity", "High")]).await;
        put_body(&server).await.unwrap()
    };
    for (argument, value, changes) in cases {
        let server = rule_console(&stored(), None, changed(stored(), changes.clone())).await;
        let outcome = run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), (argument, value)]).await;
        assert_eq!(states(&outcome), [("51", IdState::Done)], "{argument}: {:?}", outcome.results);
        let mut expected = changed(unchanged["data"].clone(), changes);
        expected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(put_body(&server).await.unwrap()["data"], expected, "{argument}");
    }
}

#[tokio::test]
async fn update_star_rule_named_scope_replaces_that_of_rule() {
    let scopes = [
        (json!({ "scope": "global", "scopeId": null }), json!({ "tenant": true })),
        (json!({ "scope": "account", "scopeId": ["41"] }), json!({ "accountIds": ["41"] })),
        (json!({ "scope": "group", "scopeId": ["31", "32"] }), json!({ "groupIds": ["31", "32"] })),
    ];
    for (scope, filter) in scopes {
        let rule = changed(stored(), scope);
        let server = rule_console(&rule, None, rule.clone()).await;
        let _ = run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), ("name", "Odd logins")]).await;
        assert_eq!(put_body(&server).await.unwrap()["filter"], filter);
    }
    let server = rule_console(&stored(), None, stored()).await;
    let _ = run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), ("group_ids", "33")]).await;
    assert_eq!(put_body(&server).await.unwrap()["filter"], json!({ "groupIds": ["33"] }));

    let server = rule_console(&changed(stored(), json!({ "scope": null })), None, stored()).await;
    let args = arguments(&[("rule_id", "51"), ("name", "Odd logins")]);
    let error =
        entry("update-star-rule").prepare(args).unwrap().run(&client(&server, V2_1)).await.unwrap_err();
    assert_eq!(crate::argument_error(&error).argument(), Some("site_ids"));
    assert_eq!(put_body(&server).await, None);
}

/// The update of a rule without a change would overwrite what others changed in the meantime.
#[test]
fn update_star_rule_without_setting_is_an_error() {
    for args in [vec![("rule_id", "51")], vec![("rule_id", "51"), ("tenant", "false")]] {
        assert!(error("update-star-rule", &args).contains("rule_id is the only argument"), "{args:?}");
    }
}

#[tokio::test]
async fn update_star_rule_searches_named_scope_first() {
    let requests = sent("update-star-rule", V2_1, &[("rule_id", "51"), ("site_ids", "21")]).unwrap();
    let queries: Vec<_> = requests.iter().map(|request| request[2].clone()).collect();
    let expected = [
        json!({ "ids": "51", "siteIds": "21", "isLegacy": "false" }),
        json!({ "ids": "51", "siteIds": "21" }),
        json!({ "ids": "51", "isLegacy": "false" }),
        json!({ "ids": "51" }),
    ];
    assert_eq!(queries, expected);
}

#[tokio::test]
async fn update_star_rule_null_settings_are_not_sent() {
    let nulls = json!({ "treatAsThreat": null, "description": null, "expiration": null, "coolOffSettings": null,
                        "expirationMode": "Permanent", "queryLang": null });
    let rule = changed(stored(), nulls);
    let server = rule_console(&rule, None, changed(rule.clone(), json!({ "queryLang": "1.0" }))).await;
    let args = [("rule_id", "51"), ("treatAsThreat", "UNDEFINED"), ("network_quarantine", "true")];
    let outcome = run(&server, V2_1, "update-star-rule", &args).await;
    assert_eq!(states(&outcome), [("51", IdState::Done)], "null is UNDEFINED");
    let data = put_body(&server).await.unwrap()["data"].clone();
    assert!(data.as_object().unwrap().values().all(|value| !value.is_null()), "{data}");
    let names = ["description", "expiration", "coolOffSettings", "queryLang"];
    assert!(names.iter().all(|name| data.get(name).is_none()), "{data}");
    assert_eq!(data["treatAsThreat"], "UNDEFINED");
}

#[tokio::test]
async fn update_star_rule_stored_differently_is_partial() {
    let saved =
        changed(stored(), json!({ "queryLang": "1.0", "coolOffSettings": { "renotifyMinutes": 15 } }));
    let server = rule_console(&stored(), None, saved).await;
    let outcome =
        run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), ("rule_severity", "High")]).await;
    assert_eq!(states(&outcome), [("51", IdState::Partial)]);
    let expected = "coolOffSettings.renotifyMinutes is 15, not 30; queryLang is 1.0, not 2.0";
    assert_eq!(outcome.results[0].detail.as_deref(), Some(expected));
    assert!(!outcome.is_complete() && outcome.has_effect());
}

#[tokio::test]
async fn update_star_rule_equivalent_stored_values_are_done() {
    let saved = json!({
        "treatAsThreat": "malicious", "status": "Activating", "expiration": "2027-02-03T03:05:06.789000Z",
        "id": 51, "coolOffSettings": { "renotifyMinutes": "30" }, "queryLang": { "query_syntax": "2.0" },
    });
    let saved = changed(stored(), changed(saved, json!({ "id": "51" })));
    let server = rule_console(&stored(), None, saved).await;
    let outcome =
        run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), ("rule_severity", "High")]).await;
    assert_eq!(states(&outcome), [("51", IdState::Done)], "{:?}", outcome.results);
}

#[tokio::test]
async fn update_star_rule_setting_missing_from_response_is_read_again() {
    let mut saved = stored();
    saved.as_object_mut().unwrap().remove("queryLang");
    for (language, state, detail) in [
        (json!("2.0"), IdState::Done, None),
        (json!("1.0"), IdState::Partial, Some("queryLang is 1.0, not 2.0")),
        (json!(null), IdState::Partial, Some("queryLang is null, not 2.0")),
    ] {
        let server = MockServer::start().await;
        let list = || Mock::given(method("GET")).and(path(RULES));
        list().respond_with(page(&[stored()])).up_to_n_times(1).mount(&server).await;
        let stored = changed(stored(), json!({ "queryLang": language }));
        list().respond_with(page(&[stored])).expect(1).mount(&server).await;
        let put = Mock::given(method("PUT"));
        put.respond_with(json_response(json!({ "data": saved }))).expect(1).mount(&server).await;
        let args = [("rule_id", "51"), ("rule_severity", "High")];
        let outcome = run(&server, V2_1, "update-star-rule", &args).await;
        assert_eq!((states(&outcome), outcome.results[0].detail.as_deref()), (vec![("51", state)], detail));
    }

    // The update took effect, so its outcome is kept when the rule cannot be read again.
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(RULES));
    list().respond_with(page(&[stored()])).up_to_n_times(1).mount(&server).await;
    list().respond_with(ResponseTemplate::new(403)).mount(&server).await;
    Mock::given(method("PUT")).respond_with(json_response(json!({ "data": saved }))).mount(&server).await;
    let outcome =
        run(&server, V2_1, "update-star-rule", &[("rule_id", "51"), ("rule_severity", "High")]).await;
    assert_eq!(states(&outcome), [("51", IdState::Unknown)]);
    assert_eq!(outcome.failure.unwrap().status().unwrap(), 403);
}

/// Mounts a console that lists `before`, and `after` once the response of the update is sent.
async fn changing_console(before: &Value, put: ResponseTemplate, after: &[Value]) -> MockServer {
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(RULES));
    list().respond_with(page(std::slice::from_ref(before))).up_to_n_times(1).mount(&server).await;
    list().respond_with(page(after)).mount(&server).await;
    Mock::given(method("PUT")).respond_with(put).expect(1).mount(&server).await;
    server
}

#[tokio::test]
async fn update_star_rule_response_that_repeats_the_request_is_checked_against_the_list() {
    let args = [("rule_id", "51"), ("rule_severity", "Low")];
    let requested = changed(stored(), json!({ "severity": "Low" }));
    let reset = changed(requested.clone(), json!({ "queryLang": "1.0" }));
    // A list with the previous settings may be out of date.
    let later = changed(stored(), json!({ "updatedAt": NOW }));
    for (listed, state, detail) in [
        (reset, IdState::Partial, Some("queryLang is 1.0, not 2.0")),
        (requested.clone(), IdState::Done, None),
        (stored(), IdState::Done, None),
        (later, IdState::Partial, Some("severity is High, not Low")),
    ] {
        let put = json_response(json!({ "data": requested }));
        let server = changing_console(&stored(), put, &[listed]).await;
        let outcome = run(&server, V2_1, "update-star-rule", &args).await;
        assert_eq!((states(&outcome), outcome.results[0].detail.as_deref()), (vec![("51", state)], detail));
    }

    // The response does not report the end of the rule. The list does not contradict the other settings.
    let mode = |mode: &str| changed(stored(), json!({ "expirationMode": mode, "severity": "Low" }));
    let mut reported = mode("Temporary");
    reported.as_object_mut().unwrap().remove("expiration");
    let before = changed(stored(), json!({ "expirationMode": "Permanent" }));
    let put = json_response(json!({ "data": reported }));
    let server = changing_console(&before, put, std::slice::from_ref(&before)).await;
    let args_with_mode = [("rule_id", "51"), ("rule_severity", "Low"), ("expiration_mode", "Temporary")];
    let outcome = run(&server, V2_1, "update-star-rule", &args_with_mode).await;
    assert_eq!((states(&outcome), outcome.results[0].detail.as_deref()), (vec![("51", IdState::Done)], None));

    // The response has confirmed each setting.
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(RULES));
    list().respond_with(page(&[stored()])).up_to_n_times(1).mount(&server).await;
    list().respond_with(ResponseTemplate::new(403)).expect(1).mount(&server).await;
    let put = json_response(json!({ "data": requested }));
    Mock::given(method("PUT")).respond_with(put).mount(&server).await;
    let outcome = run(&server, V2_1, "update-star-rule", &args).await;
    assert!(outcome.is_complete(), "{outcome:?}");
}

#[tokio::test]
async fn update_star_rule_response_without_the_rule_is_replaced_by_the_list() {
    let requested = changed(stored(), json!({ "severity": "Low" }));
    let reset = changed(requested.clone(), json!({ "queryLang": "1.0" }));
    let bodies = [
        ResponseTemplate::new(200),
        json_response(json!({})),
        json_response(json!({ "data": {} })),
        json_response(json!({ "data": { "success": true } })),
        json_response(json!({ "data": [] })),
        json_response(json!({ "data": changed(requested.clone(), json!({ "id": "52" })) })),
    ];
    for body in bodies {
        for (listed, state, detail) in [
            (vec![requested.clone()], IdState::Done, None),
            (vec![reset.clone()], IdState::Partial, Some("queryLang is 1.0, not 2.0")),
            (vec![stored()], IdState::Partial, Some("severity is High, not Low")),
            (vec![], IdState::Unknown, None),
        ] {
            let server = changing_console(&stored(), body.clone(), &listed).await;
            let args = [("rule_id", "51"), ("rule_severity", "Low")];
            let outcome = run(&server, V2_1, "update-star-rule", &args).await;
            let seen = (states(&outcome), outcome.results[0].detail.as_deref());
            assert_eq!(seen, (vec![("51", state)], detail), "{body:?}");
            let severity = outcome.context.pointer("/SentinelOne/StarRule/Severity");
            assert_eq!(severity, listed.first().map(|rule| &rule["severity"]), "{body:?}");
        }
    }
}

#[tokio::test]
async fn update_star_rule_console_that_rejects_is_legacy_is_searched_without_it() {
    let args = [("rule_id", "51"), ("rule_severity", "High")];
    let rejection = |detail: &str| {
        let error = json!({ "code": 4000010, "title": "Validation Error", "detail": detail });
        ResponseTemplate::new(400).set_body_json(json!({ "errors": [error] }))
    };
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path(RULES));
    let with_parameter = list().and(query_param("isLegacy", "false"));
    with_parameter.respond_with(rejection("isLegacy: Unknown field")).mount(&server).await;
    let without_parameter = list().and(query_param_is_missing("isLegacy"));
    without_parameter.respond_with(page(&[stored()])).expect(2).mount(&server).await;
    let put = json_response(json!({ "data": stored() }));
    Mock::given(method("PUT")).respond_with(put).mount(&server).await;
    let outcome = run(&server, V2_1, "update-star-rule", &args).await;
    assert_eq!(states(&outcome), [("51", IdState::Done)]);

    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(rejection("ids: Not a valid ID")).mount(&server).await;
    let prepared = entry("update-star-rule").prepare(arguments(&args)).unwrap();
    let error = prepared.run(&client(&server, V2_1)).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400, "another rejection");
}

#[tokio::test]
async fn update_star_rule_language_in_any_form_is_sent_as_string() {
    for (language, expected) in [
        (json!("2.0"), Some("2.0")),
        (json!(" 2.0 "), Some("2.0")),
        (json!({ "query_syntax": "2.0" }), Some("2.0")),
        (json!({ "query_syntax": 2 }), Some("2.0")),
        (json!(1.5), Some("1.5")),
        (json!(2), Some("2.0")),
        (json!(""), None),
        (json!({}), None),
    ] {
        let rule = changed(stored(), json!({ "queryLang": language }));
        let saved = changed(stored(), json!({ "queryLang": expected.unwrap_or("1.0") }));
        let server = rule_console(&rule, None, saved).await;
        let args = [("rule_id", "51"), ("rule_severity", "High")];
        let outcome = run(&server, V2_1, "update-star-rule", &args).await;
        assert_eq!(states(&outcome), [("51", IdState::Done)], "{language}: {:?}", outcome.results);
        let data = put_body(&server).await.unwrap()["data"].clone();
        assert_eq!(data.get("queryLang"), expected.map(Value::from).as_ref(), "{language}");
    }
}

#[tokio::test]
async fn update_star_rule_unreadable_or_missing_rule_sends_no_update() {
    let server = rule_console(&changed(stored(), json!({ "id": "52" })), None, stored()).await;
    let run = async |server: &MockServer| {
        let args = arguments(&[("rule_id", "51"), ("rule_severity", "High")]);
        entry("update-star-rule").prepare(args).unwrap().run(&client(server, V2_1)).await.unwrap_err()
    };
    let error = run(&server).await;
    assert!(
        error.kind() == ErrorKind::NoResult && error.to_string().contains("rule 51 was not found"),
        "{error}"
    );
    assert_eq!(put_body(&server).await, None);

    let odd = changed(stored(), json!({ "coolOffSettings": "daily" }));
    let server = rule_console(&odd, None, stored()).await;
    assert_eq!(run(&server).await.kind(), ErrorKind::Decode, "the setting would be lost");
    assert_eq!(put_body(&server).await, None);

    let server = rule_console(&changed(stored(), json!({ "expirationMode": null })), None, stored()).await;
    let error = run(&server).await;
    assert!(error.to_string().contains("data.expirationMode"), "{error}");
    assert_eq!(put_body(&server).await, None);
    assert!(error_of_update(&[("rule_id", "51")]).contains("expected a setting to change"));
}

fn error_of_update(args: &[(&str, &str)]) -> String {
    error("update-star-rule", args)
}

#[tokio::test]
async fn update_scheduled_star_rule_keeps_schedule() {
    let schedule = json!({
        "query": "q | group n = count()", "runIntervalMinutes": 60, "lookbackWindowMinutes": 90,
        "threshold": { "value": 5, "operator": "Less" }, "alertPerRow": false,
    });
    let rule = json!({ "queryType": "scheduled", "s1ql": null, "scheduledParams": schedule });
    let rule = changed(stored(), rule);
    for (args, changes) in [
        (vec![("name", "Odd logins")], json!({})),
        (vec![("query", "other")], json!({ "query": "other" })),
        (vec![("threshold_value", "9")], json!({ "threshold": { "value": 9, "operator": "Less" } })),
        (vec![("run_interval_minutes", "5")], json!({ "runIntervalMinutes": 5 })),
    ] {
        let expected = changed(schedule.clone(), changes);
        let saved = changed(rule.clone(), json!({ "scheduledParams": expected }));
        let server = rule_console(&rule, Some("false"), saved).await;
        let outcome = run(&server, V2_1, "update-star-rule", &with(&[("rule_id", "51")], &args)).await;
        assert_eq!(states(&outcome), [("51", IdState::Done)], "{:?}", outcome.results);
        let data = put_body(&server).await.unwrap()["data"].clone();
        assert_eq!(
            (&data["scheduledParams"], data.get("s1ql")),
            (&expected, None),
            "alertPerRow is kept, although it is not declared"
        );
        assert_eq!(data["queryLang"], "2.0");
    }

    // The query of another type has another place.
    for args in
        [vec![("query_type", "events")], vec![("query_type", "events"), ("run_interval_minutes", "5")]]
    {
        let server = rule_console(&rule, Some("false"), stored()).await;
        let prepared =
            entry("update-star-rule").prepare(arguments(&with(&[("rule_id", "51")], &args))).unwrap();
        let error = prepared.run(&client(&server, V2_1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{args:?}");
        assert_eq!(put_body(&server).await, None);
    }
    let server = rule_console(&rule, Some("false"), changed(stored(), json!({ "s1ql": "q" }))).await;
    let args = [("rule_id", "51"), ("query_type", "events"), ("query", "q")];
    let _ = run(&server, V2_1, "update-star-rule", &args).await;
    let data = put_body(&server).await.unwrap()["data"].clone();
    assert_eq!((&data["s1ql"], data.get("scheduledParams")), (&json!("q"), None));
}

#[tokio::test]
async fn create_star_rule_stored_with_other_language_is_partial() {
    let args = with(RULE, &[("query_lang", "2.0")]);
    let created = |language: Value| json!({ "data": { "id": "51", "queryLang": language } });
    for (response, listed, state) in [
        (created(json!("2.0")), None, IdState::Done),
        (created(json!("1.0")), None, IdState::Partial),
        (json!({ "data": { "id": "51" } }), Some(json!({ "id": "51", "queryLang": "2.0" })), IdState::Done),
        (
            json!({ "data": { "id": "51" } }),
            Some(json!({ "id": "51", "queryLang": "1.0" })),
            IdState::Partial,
        ),
        (json!({ "data": { "id": "51" } }), Some(json!({ "id": "51" })), IdState::Unknown),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(json_response(response)).expect(1).mount(&server).await;
        let times = u64::from(listed.is_some());
        let list = Mock::given(method("GET")).respond_with(page(&Vec::from_iter(listed)));
        list.expect(times).mount(&server).await;
        let outcome = run(&server, V2_1, "create-star-rule", &args).await;
        assert_eq!(states(&outcome), [("51", state)], "{:?}", outcome.results);
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
    let with_scheduled = changed(query.clone(), json!({ "isLegacy": "false" }));
    let expected = [json!(["GET", RULES, query, null]), json!(["GET", RULES, with_scheduled, null])];
    assert_eq!(sent("get-star-rules", V2_1, &args).unwrap(), expected);
    let lists = [json!({ "limit": "1000" }), json!({ "limit": "1000", "isLegacy": "false" })];
    let requests = sent("get-star-rules", V2_1, &[]).unwrap();
    assert_eq!(requests.iter().map(|request| request[2].clone()).collect::<Vec<_>>(), lists);
    for value in ["true", "false"] {
        let request = single_request("get-star-rules", &[("is_legacy", value)]);
        assert_eq!(request[2], json!({ "limit": "1000", "isLegacy": value }));
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
        .and(query_param_is_missing("isLegacy"))
        .respond_with(json_response(first))
        .expect(1)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "n")).respond_with(json_response(second)).expect(1).mount(&server).await;
    list().and(query_param("isLegacy", "false")).respond_with(page(&[])).expect(1).mount(&server).await;
    let outcome = run(&server, V2_1, "get-star-rules", &[]).await;
    let expected = json!({
        "ID": "52", "Name": "Odd logins", "GeneratedAlerts": 3, "StatusReason": "r",
        "ExpirationMode": "Temporary", "ExpirationDate": NOW, "Expired": true,
        "Status": "Disabled", "Severity": "Low", "Creator": "Ann",
    });
    assert_eq!(outcome.context["SentinelOne"]["StarRule"][1], expected);
}

#[tokio::test]
async fn get_star_rules_reads_both_lists_and_returns_each_rule_once() {
    let rule = |id: &str| json!({ "id": id, "name": format!("rule {id}") });
    for (default, other, expected) in [
        (vec!["51"], vec!["51", "61"], vec!["51", "61"]),
        (vec!["51"], vec!["61"], vec!["51", "61"]),
        (vec![], vec!["61"], vec!["61"]),
        (vec!["51", "52"], vec!["51", "52"], vec!["51", "52"]),
    ] {
        let server = MockServer::start().await;
        let rules = |ids: &[&str]| page(&ids.iter().map(|id| rule(id)).collect::<Vec<_>>());
        let list = || Mock::given(method("GET")).and(path(RULES));
        list()
            .and(query_param("isLegacy", "false"))
            .respond_with(rules(&other))
            .expect(2..)
            .mount(&server)
            .await;
        let list = list().and(query_param_is_missing("isLegacy"));
        list.respond_with(rules(&default)).expect(2..).mount(&server).await;
        let ids = |outcome: &Outcome| -> Vec<String> {
            let rules = outcome.response["data"].as_array().unwrap();
            rules.iter().map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
        };
        let outcome = run(&server, V2_1, "get-star-rules", &[]).await;
        assert_eq!(ids(&outcome), expected);
        let entries = outcome.context["SentinelOne"]["StarRule"].as_array().unwrap().len();
        let pagination = json!({ "totalItems": expected.len(), "nextCursor": null });
        assert_eq!((entries, &outcome.response["pagination"]), (expected.len(), &pagination));

        // The limit applies to the rules of both lists, and the total is then unknown.
        let limit = expected.len().to_string();
        let outcome = run(&server, V2_1, "get-star-rules", &[("limit", &limit)]).await;
        assert_eq!(
            (ids(&outcome), &outcome.response["pagination"]["totalItems"]),
            (vec_of(&expected), &json!(null))
        );
        let outcome = run(&server, V2_1, "get-star-rules", &[("is_legacy", "false")]).await;
        assert_eq!(ids(&outcome), other);
    }
}

#[tokio::test]
async fn get_star_rules_console_that_rejects_is_legacy_has_one_list() {
    let args = [("ruleIds", "51,52")];
    for (detail, is_complete_list) in [("isLegacy: Unknown field.", true), ("ids: Unknown field.", false)] {
        let server = MockServer::start().await;
        let list = || Mock::given(method("GET")).and(path(RULES));
        let rejection = json!({ "errors": [{ "code": 4000010, "detail": detail }] });
        let rejection = ResponseTemplate::new(400).set_body_json(rejection);
        list().and(query_param("isLegacy", "false")).respond_with(rejection).expect(2).mount(&server).await;
        let list = list().and(query_param_is_missing("isLegacy"));
        list.respond_with(page(&[json!({ "id": "51" })])).mount(&server).await;

        let outcome = run(&server, V2_1, "get-star-rules", &args).await;
        assert_eq!(outcome.response["data"], json!([{ "id": "51" }]));
        let not_found: Vec<_> = outcome.not_found.iter().map(|one| one.id.as_str()).collect();
        let expected: &[&str] = if is_complete_list { &["52"] } else { &[] };
        assert_eq!((outcome.failure.is_none(), not_found.as_slice()), (is_complete_list, expected));

        // The list that is named explicitly does not exist.
        let named = entry("get-star-rules").prepare(arguments(&[("is_legacy", "false")])).unwrap();
        assert_eq!(named.run(&client(&server, V2_1)).await.unwrap_err().status().unwrap(), 400);
    }
}

fn vec_of(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
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
    let expected = json!({
        "ID": "51", "Name": "Odd logins", "Status": "Draft", "Severity": "High", "Description": "d",
        "NetworkQuarantine": false, "TreatAsThreat": "Suspicious", "ExpirationMode": "Permanent",
        "ScopeHierarchy": "site", "CreatedAt": NOW, "UpdatedAt": NOW,
    });
    let outcome = run(&server, V2_1, "create-star-rule", RULE).await;
    assert_eq!(outcome.context["SentinelOne"]["StarRule"], expected);
    assert_eq!((states(&outcome), outcome.affected), (vec![("51", IdState::Done)], Some(1)), "the new ID");

    for (id, state) in [("51", IdState::Done), ("52", IdState::Partial)] {
        let args = with(RULE, &[("rule_id", id)]);
        let listed = changed(rule.clone(), json!({ "id": id, "queryType": "events", "s1ql": "q" }));
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(page(&[listed])).mount(&server).await;
        let more = json!({ "queryType": "events", "s1ql": RULE[4].1 });
        let saved = json!({ "data": changed(rule.clone(), more) });
        Mock::given(method("PUT")).respond_with(json_response(saved)).expect(1).mount(&server).await;
        let outcome = run(&server, V2_1, "update-star-rule", &args).await;
        assert_eq!(
            outcome.context["SentinelOne"]["StarRule"],
            changed(expected.clone(), json!({ "ID": id }))
        );
        assert_eq!(
            states(&outcome),
            [(id, state)],
            "52: the response has another rule, the list the old query"
        );
    }
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
    let none = DisableStarRules::new([""; 0]);
    assert_eq!(crate::argument_error(&none.requests(V2_1).unwrap_err()).argument(), Some("rule_ids"));
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
