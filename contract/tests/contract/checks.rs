//! Contract checks with a small document and with the bundled one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use sentinelone::raw::runtime::{ApiVersion, FilterRequirement, OperationKind, Paging};
use sentinelone_contract::fixture::{self, Exchange, Provenance, ProvenanceKind};
use sentinelone_contract::{Contract, ContractError, ContractRule, Finding, round_trip_losses};
use serde_json::{Value, json};

/// Returns a contract with operations to list and to paint widgets, and some without declared responses.
fn small() -> Contract {
    let document = json!({
        "openapi": "3.0.3",
        "servers": [{ "url": "https://{console}/web/api/v{version}" }],
        "paths": {
            "/widgets": {
                "get": {
                    "operationId": "widgets_list",
                    "parameters": [
                        { "name": "ids", "in": "query",
                          "schema": { "type": "array", "maxItems": 2, "items": { "type": "string" } } },
                        { "name": "sizes", "in": "query",
                          "schema": { "type": "array", "items": { "type": "integer" } } },
                        { "name": "limit", "in": "query",
                          "schema": { "type": "integer", "minimum": 1, "maximum": 1000 } },
                        { "name": "ratio", "in": "query", "schema": { "type": "number" } },
                        { "name": "countOnly", "in": "query", "schema": { "type": "boolean" } },
                        { "name": "after", "in": "query",
                          "schema": { "type": "string", "format": "date-time" } },
                        { "name": "scope", "in": "query", "required": true,
                          "schema": { "$ref": "#/components/schemas/Color" } }
                    ],
                    "responses": {
                        "200": { "description": "", "content": { "application/json": { "schema": {
                            "type": "object",
                            "properties": {
                                "data": { "type": "array", "items": { "$ref": "#/components/schemas/Widget" } }
                            }
                        } } } },
                        "204": { "description": "" },
                        "4XX": { "description": "", "content": { "application/json": { "schema": {
                            "type": "object", "properties": { "errors": { "type": "array", "items": {} } }
                        } } } }
                    },
                    "x-s1": { "versions": ["2.1"], "kind": "read", "paging": "cursor", "filter": "optional" }
                }
            },
            "/widgets/paint/{color}": {
                "post": {
                    "operationId": "widgets_paint",
                    "parameters": [{ "name": "color", "in": "path", "required": true,
                                     "schema": { "$ref": "#/components/schemas/Color" } }],
                    "requestBody": { "required": true, "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Widget" } } } },
                    "responses": { "200": { "description": "", "content": { "application/json": {
                        "schema": { "type": "object" } } } } },
                    "x-s1": { "kind": "action", "filter": "required" }
                }
            },
            "/widgets/{id}": { "get": { "operationId": "widgets_get", "responses": {} } },
            "/widgets/{id}/parts": { "get": { "operationId": "widgets_parts", "responses": {} } },
            "/widgets/all/parts": { "get": { "operationId": "widgets_all_parts", "responses": {} } }
        },
        "components": { "schemas": {
            "Color": { "type": "string", "enum": ["red", "green"] },
            "Inner": { "type": "object", "properties": { "n": { "type": "integer" } } },
            "Widget": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": { "type": "string", "minLength": 2 },
                    "size": { "type": "integer", "minimum": 0, "exclusiveMinimum": true, "nullable": true },
                    "color": { "$ref": "#/components/schemas/Color" },
                    "trim": { "anyOf": [{ "$ref": "#/components/schemas/Color" },
                                        { "type": "string", "nullable": true, "enum": [null] }],
                              "description": "x" },
                    "inner": { "allOf": [{ "$ref": "#/components/schemas/Inner" }], "nullable": true },
                    "at": { "type": "string", "format": "date-time" },
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                    "extra": { "type": "object", "additionalProperties": true },
                    "parent": { "allOf": [{ "$ref": "#/components/schemas/Widget" }], "nullable": true }
                }
            }
        } }
    });
    Contract::from_document(document).unwrap()
}

fn response(contract: &Contract, status: u16, body: &Value) -> Vec<(ContractRule, String)> {
    let operation = contract.operation("widgets_list").unwrap();
    rules_and_locations(contract.check_response(operation, status, body.to_string().as_bytes()))
}

fn widget(contract: &Contract, widget: Value) -> Vec<(ContractRule, String)> {
    response(contract, 200, &json!({ "data": [{ "id": "aa" }, widget] }))
}

fn request(contract: &Contract, query: &[(&str, &str)]) -> Vec<(ContractRule, String)> {
    let operation = contract.operation("widgets_list").unwrap();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    rules_and_locations(contract.check_request(operation, &BTreeMap::new(), &query, None))
}

fn paint(contract: &Contract, color: &str, body: Option<Value>) -> Vec<(ContractRule, String)> {
    let path = format!("/web/api/v2.1/widgets/paint/{color}");
    let found = contract.match_operation("POST", &path).unwrap();
    rules_and_locations(contract.check_request(found.operation, &found.path_values, &[], body.as_ref()))
}

fn rules_and_locations(findings: Vec<Finding>) -> Vec<(ContractRule, String)> {
    findings.into_iter().map(|finding| (finding.rule, finding.location)).collect()
}

fn one(rule: ContractRule, location: &str) -> Vec<(ContractRule, String)> {
    vec![(rule, location.to_owned())]
}

#[test]
fn check_response_valid_body_has_no_findings() {
    let contract = small();
    let full = json!({ "id": "aa", "size": 1, "color": "red", "trim": "green", "inner": { "n": 1 },
        "at": "2026-11-20T10:00:00.123456Z", "labels": { "a": "b" }, "extra": { "x": [1] },
        "parent": { "id": "bb", "parent": null } });
    assert_eq!(widget(&contract, full), []);
    let nulls = json!({ "id": "aa", "size": null, "trim": null, "inner": null, "parent": null });
    assert_eq!(widget(&contract, nulls), []);
    assert_eq!(
        widget(&contract, json!({ "id": "aa", "at": "2026-11-20T10:00:00" })),
        [],
        "without a time zone"
    );
    assert_eq!(response(&contract, 404, &json!({ "errors": [{ "code": 1 }] })), [], "declared by 4XX");
}

#[test]
fn check_response_contradictions_are_not_drift() {
    use ContractRule::*;
    let contract = small();
    let cases = [
        (json!({ "id": 7 }), TypeMismatch, "id"),
        (json!({ "id": "aa", "color": 7 }), TypeMismatch, "color"),
        (json!({ "id": "aa", "inner": { "n": "1" } }), TypeMismatch, "inner.n"),
        (json!({ "id": "aa", "labels": { "a b": 1 } }), TypeMismatch, "labels[\"a b\"]"),
        (json!({ "id": "a" }), OutOfBounds, "id"),
        (json!({ "id": "aa", "size": 0 }), OutOfBounds, "size"),
        (json!({ "id": "aa", "at": "yesterday" }), FormatMismatch, "at"),
        (json!({}), MissingField, "id"),
        (json!({ "id": "aa", "parent": {} }), MissingField, "parent.id"),
    ];
    for (value, rule, path) in cases {
        assert_eq!(widget(&contract, value), one(rule, &format!("response.body.data[1].{path}")));
        assert!(!rule.is_drift(), "{rule}");
    }
}

#[test]
fn check_response_undeclared_values_are_drift() {
    use ContractRule::*;
    let contract = small();
    let cases = [
        (json!({ "id": "aa", "color": "blue" }), UndeclaredEnumValue, "color"),
        (json!({ "id": "aa", "trim": "blue" }), UndeclaredEnumValue, "trim"),
        (json!({ "id": null }), UndeclaredNull, "id"),
        (json!({ "id": "aa", "color": null }), UndeclaredNull, "color"),
        (json!({ "id": "aa", "mood": 1 }), UndeclaredField, "mood"),
        (json!({ "id": "aa", "inner": { "m": null } }), UndeclaredField, "inner.m"),
        (json!({ "id": "aa", "parent": { "id": "bb", "x": {} } }), UndeclaredField, "parent.x"),
    ];
    for (value, rule, path) in cases {
        assert_eq!(widget(&contract, value), one(rule, &format!("response.body.data[1].{path}")));
        assert!(rule.is_drift(), "{rule}");
    }
    assert_eq!(response(&contract, 302, &json!({})), one(UndeclaredStatus, "response.status"));
    assert_eq!(response(&contract, 500, &json!("x")), one(UndeclaredStatus, "response.status"));
    let notice = json!({ "data": [], "deprecation_date": "2027-01-01", "sunset_date": null });
    let found = response(&contract, 200, &notice);
    assert_eq!(
        found,
        [
            (Deprecation, "response.body.deprecation_date".into()),
            (Deprecation, "response.body.sunset_date".into())
        ]
    );
}

#[test]
fn check_response_non_json_body_is_invalid_json() {
    let contract = small();
    let list = contract.operation("widgets_list").unwrap();
    let paint = contract.operation("widgets_paint").unwrap();
    let check = |operation, status, body: &[u8]| {
        rules_and_locations(contract.check_response(operation, status, body))
    };
    assert_eq!(check(list, 200, b"<html>"), one(ContractRule::InvalidJson, "response.body"));
    assert_eq!(check(list, 200, b" \n"), one(ContractRule::InvalidJson, "response.body"));
    assert_eq!(check(list, 204, b""), []);
    assert_eq!(check(list, 204, b"<html>"), [], "no body is declared");
    assert_eq!(check(paint, 200, b""), [], "an action can have an empty body");
    assert_eq!(check(paint, 200, b"ok"), one(ContractRule::InvalidJson, "response.body"));
}

#[test]
fn check_request_validates_query() {
    use ContractRule::*;
    let contract = small();
    let full = [
        ("ids", "a,b"),
        ("sizes", "1,2"),
        ("limit", "10"),
        ("ratio", "0.5"),
        ("countOnly", "true"),
        ("after", "2026-11-20T10:00:00Z"),
        ("scope", "red"),
    ];
    assert_eq!(request(&contract, &full), []);
    let cases = [
        (("ids", "a,b,c"), OutOfBounds, "ids"),
        (("sizes", "1,x"), TypeMismatch, "sizes[1]"),
        (("limit", "0"), OutOfBounds, "limit"),
        (("limit", "1001"), OutOfBounds, "limit"),
        (("limit", " 7"), TypeMismatch, "limit"),
        (("limit", "1.5"), TypeMismatch, "limit"),
        (("ratio", "half"), TypeMismatch, "ratio"),
        (("countOnly", "True"), ToleratedForm, "countOnly"),
        (("countOnly", "yes"), TypeMismatch, "countOnly"),
        (("after", "yesterday"), FormatMismatch, "after"),
        (("after", "2026-11-20T10:00:00"), ToleratedForm, "after"),
        (("after", "2026-11-20 10:00:00.5+00:00"), ToleratedForm, "after"),
        (("after", "1795168800000"), ToleratedForm, "after"),
        (("mood", "1"), UndeclaredParameter, "mood"),
    ];
    for (pair, rule, path) in cases {
        let found = request(&contract, &[pair, ("scope", "red")]);
        assert_eq!(found, one(rule, &format!("request.query.{path}")), "{pair:?}");
    }
    assert_eq!(request(&contract, &[("scope", "blue")]), one(UndeclaredEnumValue, "request.query.scope"));
    assert_eq!(request(&contract, &[]), one(MissingParameter, "request.query.scope"));
    let twice = [("scope", "red"), ("ids", "a"), ("ids", "b")];
    assert_eq!(request(&contract, &twice), one(ToleratedForm, "request.query.ids"));
    let twice = [("scope", "red"), ("limit", "1"), ("limit", "2")];
    assert_eq!(request(&contract, &twice), one(DuplicateParameter, "request.query.limit"));
    let thrice = [("scope", "red"), ("ids", "a"), ("ids", "b"), ("ids", "c")];
    let found =
        [(ToleratedForm, "request.query.ids".to_owned()), (OutOfBounds, "request.query.ids".to_owned())];
    assert_eq!(request(&contract, &thrice), found, "the limit applies to all values");
}

#[test]
fn check_request_tolerates_forms_of_published_clients_in_a_body() {
    use ContractRule::*;
    let contract = Contract::bundled();
    let check = |id: &str, body: &Value| {
        let operation = contract.operation(id).unwrap();
        let path = BTreeMap::from([("group_id".to_owned(), "1".to_owned())]);
        rules_and_locations(contract.check_request(operation, &path, &[], Some(body)))
    };
    let update = |filter: Value| json!({ "filter": filter, "data": { "incidentStatus": "resolved" } });
    let ids = "request.body.filter.ids";
    for (filter, expected) in [
        (json!({ "ids": "440000000000000005,440000000000000006" }), one(ToleratedForm, ids)),
        (json!({ "ids": "440000000000000005" }), one(ToleratedForm, ids)),
        (json!({ "ids": "" }), one(TypeMismatch, ids)),
        (json!({ "ids": ", " }), one(TypeMismatch, ids)),
        (json!({ "ids": [440_000_000_000_000_005_u64] }), one(TypeMismatch, "request.body.filter.ids[0]")),
        (json!({ "ids": ["1"], "tenant": "true" }), one(ToleratedForm, "request.body.filter.tenant")),
        (json!({ "ids": ["1"], "tenant": "maybe" }), one(TypeMismatch, "request.body.filter.tenant")),
        (
            json!({ "createdAt__gt": 1_795_168_800_000_u64 }),
            one(ToleratedForm, "request.body.filter.createdAt__gt"),
        ),
        (
            json!({ "createdAt__gt": "2026-11-20 10:00:00" }),
            one(ToleratedForm, "request.body.filter.createdAt__gt"),
        ),
        (json!({ "createdAt__gt": 7 }), one(TypeMismatch, "request.body.filter.createdAt__gt")),
    ] {
        assert_eq!(check("threats_update_incident", &update(filter.clone())), expected, "{filter}");
    }
    // A text cannot join objects.
    let objects = json!({ "filter": {}, "data": "a,b" });
    assert_eq!(check("iocs_create", &objects), one(TypeMismatch, "request.body.data"));
    for body in [json!({}), Value::Null] {
        assert_eq!(check("groups_delete", &body), one(ToleratedForm, "request.body"));
    }
    assert_eq!(check("agents_connect", &Value::Null), one(UndeclaredNull, "request.body"));
    assert_eq!(check("groups_delete", &json!({ "filter": {} })), one(UndeclaredField, "request.body"));
}

#[test]
fn check_request_validates_body_and_path() {
    use ContractRule::*;
    let contract = small();
    assert_eq!(paint(&contract, "red", Some(json!({ "id": "aa", "labels": { "x": "y" } }))), []);
    let cases = [
        (json!({ "id": "aa", "inner": { "m": 1 } }), UndeclaredField, "inner.m"),
        (json!({ "id": "aa", "color": null }), UndeclaredNull, "color"),
        (json!({ "id": "aa", "color": "blue" }), UndeclaredEnumValue, "color"),
        (json!({ "id": "aa", "at": "20 November" }), FormatMismatch, "at"),
        (json!({ "id": "aa", "at": "2026-11-20T10:00:00" }), ToleratedForm, "at"),
        (json!({ "size": 1 }), MissingField, "id"),
    ];
    for (body, rule, path) in cases {
        assert_eq!(paint(&contract, "red", Some(body)), one(rule, &format!("request.body.{path}")));
    }
    assert_eq!(paint(&contract, "red", None), one(MissingField, "request.body"));
    assert_eq!(paint(&contract, "red", Some(json!([]))), one(TypeMismatch, "request.body"));
    let blue = paint(&contract, "blue", Some(json!({ "id": "aa" })));
    assert_eq!(blue, one(UndeclaredEnumValue, "request.path.color"));

    let paint = contract.operation("widgets_paint").unwrap();
    let body = json!({ "id": "aa" });
    let found = contract.check_request(paint, &BTreeMap::new(), &[], Some(&body));
    assert_eq!(rules_and_locations(found), one(MissingParameter, "request.path.color"));
    let list = contract.match_operation("GET", "/web/api/v2.1/widgets").unwrap().operation;
    let found =
        contract.check_request(list, &BTreeMap::new(), &[("scope".into(), "red".into())], Some(&body));
    assert_eq!(rules_and_locations(found), one(UndeclaredField, "request.body"));
}

/// Each declared type has a name in plain words.
#[test]
fn type_mismatch_message_names_the_declared_types() {
    let contract = Contract::bundled();
    let operation = contract.operation("agents_connect").unwrap();
    for (body, message) in [
        (json!({ "filter": { "ids": "" } }), "\"\" is not an array"),
        (json!({ "filter": { "ids": [7] } }), "7 is not a string"),
        (json!({ "filter": { "infected": 1 } }), "1 is not a boolean"),
        (json!({ "filter": { "coreCount__gt": "many" } }), "\"many\" is not an integer"),
        (json!({ "filter": [] }), "an array of 0 items is not an object"),
        (json!({ "filter": {}, "data": 7 }), "7 is not an object or null"),
    ] {
        let found = contract.check_request(operation, &BTreeMap::new(), &[], Some(&body));
        let messages: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, [message], "{body}");
    }
}

#[test]
fn finding_display_has_rule_location_and_message() {
    let contract = small();
    let list = contract.operation("widgets_list").unwrap();
    let findings =
        contract.check_response(list, 200, br#"{"data": [{"id": "aa", "color": "blue"}, {"id": 3}]}"#);
    let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(
        lines,
        [
            "undeclared enum value at response.body.data[0].color: \"blue\" is not a declared value",
            "type mismatch at response.body.data[1].id: 3 is not a string",
        ]
    );
}

#[test]
fn match_operation_matches_method_and_path() {
    let contract = small();
    let id = |method: &str, path: &str| {
        contract.match_operation(method, path).map(|found| found.operation.id().to_owned())
    };
    assert_eq!(id("GET", "/web/api/v2.1/widgets").as_deref(), Some("widgets_list"));
    assert_eq!(id("get", "/web/api/v2.1/widgets?limit=1").as_deref(), Some("widgets_list"));
    assert_eq!(id("GET", "/web/api/v2.1/widgets/all/parts").as_deref(), Some("widgets_all_parts"));
    assert_eq!(id("GET", "/web/api/v2.1/widgets/a%6Cl/parts").as_deref(), Some("widgets_all_parts"));
    assert_eq!(id("GET", "/web/api/v2.1/widgets/any/parts").as_deref(), Some("widgets_parts"));
    for path in [
        "",
        "/",
        "/widgets",
        "/web/api/v2.1/widgets/",
        "/web/api/v2.1/widgets//parts",
        "web/api/v2.1/widgets",
    ] {
        assert_eq!(id("GET", path), None, "{path:?}");
    }
    assert_eq!(id("GET", "/web/api/v2.1/widgets/%zz"), None);
    assert_eq!(id("GET", "/web/api/v2.1/widgets/%ff"), None, "not UTF-8");
    assert_eq!(id("GET", "/web/api/v2.1/widgets/%4"), None);
    assert_eq!(id("DELETE", "/web/api/v2.1/widgets"), None);
    assert_eq!(contract.allowed_methods("/web/api/v2.1/widgets").into_iter().collect::<Vec<_>>(), ["GET"]);
    assert!(contract.allowed_methods("/web/api/v2.1/unknown").is_empty());

    let found = contract.match_operation("GET", "/web/api/v2.0/widgets/a%2Fb%20%C3%A9+/parts").unwrap();
    assert_eq!(found.path_values, BTreeMap::from([("id".to_owned(), "a/b é+".to_owned())]));
    assert_eq!(found.version, Some(ApiVersion::V2_0));
    assert_eq!(contract.match_operation("GET", "/web/api/v9/widgets/1").unwrap().version, None);
}

#[test]
fn operation_spec_returns_x_s1_facts() {
    let contract = small();
    let list = contract.operation("widgets_list").unwrap();
    assert_eq!((list.method(), list.path()), ("GET", "/web/api/v{version}/widgets"));
    assert_eq!((list.kind(), list.paging()), (OperationKind::Read, Paging::Cursor));
    assert_eq!(
        (list.filter_requirement(), list.versions()),
        (FilterRequirement::Optional, &[ApiVersion::V2_1][..])
    );
    let paint = contract.operation("widgets_paint").unwrap();
    assert_eq!(
        (paint.kind(), paint.filter_requirement()),
        (OperationKind::Action, FilterRequirement::Required)
    );
    assert_eq!(contract.operation("widgets_get").unwrap().kind(), OperationKind::Read);
}

#[test]
fn query_to_json_uses_declared_types() {
    let contract = small();
    let list = contract.operation("widgets_list").unwrap();
    let pairs = [
        ("ids", "1,2"),
        ("sizes", "1,2"),
        ("limit", "10"),
        ("ratio", "1.5"),
        ("countOnly", "false"),
        ("scope", "red"),
        ("other", "1"),
        ("limit", "11"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected = json!({ "ids": ["1", "2"], "sizes": [1, 2], "limit": 10, "ratio": 1.5, "countOnly": false,
        "scope": "red", "other": "1" });
    assert_eq!(Value::Object(contract.query_to_json(list, &pairs)), expected);
    let odd = [("ids".to_owned(), String::new()), ("countOnly".to_owned(), "1".to_owned())];
    assert_eq!(Value::Object(contract.query_to_json(list, &odd)), json!({ "ids": [], "countOnly": "1" }));
    let tolerated = [("ids", "1"), ("ids", "2,3"), ("countOnly", "True"), ("after", "2026-11-20 10:00:00")];
    let tolerated = tolerated.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected = json!({ "ids": ["1", "2", "3"], "countOnly": true, "after": "2026-11-20T10:00:00Z" });
    assert_eq!(Value::Object(contract.query_to_json(list, &tolerated)), expected);
}

#[test]
fn query_to_json_converts_each_value_of_a_repeated_list() {
    let contract = Contract::bundled();
    let mut checked = BTreeSet::new();
    for operation in contract.operations() {
        let is_flags = |schema: &Value| schema.pointer("/items/type") == Some(&json!("boolean"));
        for parameter in operation.parameters().iter().filter(|one| is_flags(&one.schema)) {
            let name = &parameter.name;
            let pairs = ["False", "true", "True"].map(|text| (name.clone(), text.to_owned()));
            let query = contract.query_to_json(operation, &pairs);
            assert_eq!(query[name], json!([false, true, true]), "{} {name}", operation.id());
            checked.insert(name.clone());
        }
    }
    assert!(checked.contains("isDecommissioned"), "{checked:?}");
}

#[test]
fn from_document_keeps_all_of_next_to_any_of_with_null() {
    let color = "#/components/schemas/Color";
    let any_of = json!([{ "$ref": color }, { "type": "string", "nullable": true, "enum": [null] }]);
    let schemas = json!({
        "Color": { "type": "string", "enum": ["red", "green"] },
        "LongColor": { "anyOf": any_of, "allOf": [{ "type": "string", "minLength": 4 }] },
    });
    let document = json!({ "openapi": "3.0.3", "paths": {}, "components": { "schemas": schemas } });
    let contract = Contract::from_document(document).unwrap();
    let schema = json!({ "$ref": "#/components/schemas/LongColor" });
    let check = |value: &str| rules_and_locations(contract.check_value(&schema, &json!(value), "value"));
    assert_eq!(check("green"), []);
    assert_eq!(check("red"), one(ContractRule::OutOfBounds, "value"));
}

#[test]
fn from_document_rejects_invalid_documents() {
    let fails = |document| Contract::from_document(document).unwrap_err();
    assert!(matches!(fails(json!(null)), ContractError::NotOpenApi(_)));
    assert!(matches!(fails(json!({ "openapi": "3.1.0", "paths": {} })), ContractError::NotOpenApi(_)));
    assert!(matches!(fails(json!({ "openapi": "3.0.3" })), ContractError::NotOpenApi(_)));
    let without_id = json!({ "openapi": "3.0.3", "paths": { "/a": { "get": {} } } });
    assert_eq!(fails(without_id), ContractError::Identifier { method: "GET".into(), path: "/a".into() });
    let twice = json!({ "openapi": "3.0.3", "paths": { "/a": {
        "get": { "operationId": "a" }, "put": { "operationId": "a" } } } });
    assert!(matches!(fails(twice), ContractError::Identifier { .. }));
    let dangling = json!({ "openapi": "3.0.3", "paths": {}, "components": { "schemas": {
        "A": { "$ref": "#/components/schemas/B" } } } });
    assert_eq!(fails(dangling), ContractError::Reference("#/components/schemas/B".into()));
}

#[test]
fn check_request_unusable_schema_is_schema_violation() {
    let document = json!({ "openapi": "3.0.3", "paths": { "/a": { "get": { "operationId": "a",
        "parameters": [{ "name": "p", "in": "query", "schema": { "type": "string", "pattern": "(" } }] } } } });
    let contract = Contract::from_document(document).unwrap();
    let operation = contract.operation("a").unwrap();
    let found = contract.check_request(operation, &BTreeMap::new(), &[("p".into(), "x".into())], None);
    assert_eq!(rules_and_locations(found), one(ContractRule::SchemaViolation, "request.query"));
}

#[test]
fn bundled_contract_matches_generated_operations() {
    let contract = Contract::bundled();
    assert_eq!(contract.operations().count(), sentinelone::raw::OPERATIONS.len());
    for operation in sentinelone::raw::OPERATIONS {
        let spec = contract.operation(operation.id).unwrap();
        assert_eq!(spec.path(), operation.path);
        assert_eq!(spec.method(), operation.method.as_str());
        assert_eq!(spec.versions(), operation.versions);
        assert_eq!(
            (spec.kind(), spec.filter_requirement(), spec.paging()),
            (operation.kind, operation.filter, operation.paging)
        );
        // Compile all validators.
        let body = spec.body_schema().map(|_| json!({}));
        let mut findings = contract.check_request(spec, &BTreeMap::new(), &[], body.as_ref());
        for status in [200, 400, 401] {
            findings.extend(contract.check_response(spec, status, b"{}"));
        }
        assert!(findings.iter().all(|finding| finding.rule != ContractRule::SchemaViolation), "{findings:?}");
        let path = spec.path().replace("{version}", spec.versions()[0].as_str());
        assert_eq!(contract.match_operation(spec.method(), &path).unwrap().operation.id(), operation.id);
    }
}

#[test]
fn round_trip_losses_lists_changed_values() {
    let original = json!({
        "same": [1, "a", { "x": null }], "number": 1, "gap": { "deep": 1 }, "null": null, "nulls": [null, "b"],
        "list": [{ "a": 1, "b": 2 }, 3], "big": 9007199254740993_u64, "text": "1"
    });
    let reencoded = json!({
        "same": [1, "a", {}], "number": 1.0, "nulls": ["b"], "more": 1,
        "list": [{ "a": 1 }], "big": 9007199254740992_u64, "text": 1
    });
    let losses: Vec<_> = round_trip_losses(&original, &reencoded).iter().map(ToString::to_string).collect();
    let expected = [
        "big: 9007199254740993 became 9007199254740992",
        "gap: {\"deep\":1} is missing",
        "list[0].b: 2 is missing",
        "list[1]: 3 is missing",
        "text: \"1\" became 1",
    ];
    let mut sorted = losses.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    assert_eq!(round_trip_losses(&original, &original), []);
    assert_eq!(round_trip_losses(&json!(null), &json!(null)), []);
    assert_eq!(round_trip_losses(&json!(null), &json!(1)).len(), 1, "a value instead of null");
    let loss = &round_trip_losses(&json!(1), &json!(null))[0];
    assert_eq!((loss.path.as_str(), &loss.reencoded), (".", &None));
    assert_eq!(round_trip_losses(&json!({ "a.b": 1 }), &json!({}))[0].path, "[\"a.b\"]");
}

#[test]
fn exchange_deserializes_own_and_published_files() {
    let own = json!({
        "operation": "GET /web/api/v2.1/threats",
        "request": { "query": { "limit": 5, "resolved": false, "ids": ["1", "2"], "query": "x", "skip": null } },
        "status": 200,
        "headers": { "content-type": "application/json" },
        "response": { "data": [] },
        "provenance": { "kind": "composed", "source": "the specification", "date": "2026-11", "note": "" }
    });
    let exchange: Exchange = serde_json::from_value(own).unwrap();
    let expected = [("ids", "1,2"), ("limit", "5"), ("query", "x"), ("resolved", "false")];
    assert_eq!(exchange.query(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(exchange.provenance.kind, ProvenanceKind::Composed);
    assert_eq!(exchange.check(Contract::bundled()).unwrap(), []);
    let reread: Exchange = serde_json::from_value(serde_json::to_value(&exchange).unwrap()).unwrap();
    assert_eq!(reread, exchange);

    let published = json!({
        "source": "example/project:tests/a.py", "commit": "abc", "operation": "POST /web/api/v2.1/threats/mitigate/{action}",
        "inferred": true, "status": 200, "request": { "query": {}, "path": "/web/api/v2.1/threats/mitigate/kill",
        "body": { "filter": { "ids": ["1"] } } },
        "placeholder": true, "placeholder_kind": "stub", "wrapped": "data", "note": "n", "response": null
    });
    let exchange: Exchange = serde_json::from_value(published).unwrap();
    assert_eq!(exchange.placeholder_kind.as_deref(), Some("stub"));
    assert_eq!(exchange.provenance.kind, ProvenanceKind::Published);
    assert_eq!(exchange.provenance.source, "example/project:tests/a.py");
    assert_eq!((exchange.inferred, exchange.response.clone()), (true, Some(Value::Null)));
    assert_eq!(exchange.match_operation(Contract::bundled()).unwrap().path_values["action"], "kill");
    let reread: Exchange = serde_json::from_value(serde_json::to_value(&exchange).unwrap()).unwrap();
    assert_eq!(reread, exchange);

    let mut exchange = Exchange::new(
        "POST /web/api/v2.1/threats/mitigate/{action}",
        401,
        Provenance::new(ProvenanceKind::Sandbox, "s"),
    );
    exchange.response_text = Some("no".into());
    exchange.request.body = Some(json!({ "filter": {} }));
    let findings = rules_and_locations(exchange.check(Contract::bundled()).unwrap());
    assert_eq!(findings, one(ContractRule::InvalidJson, "response.body"), "the template is used as the path");
    exchange.operation = "GET /web/api/v2.1/unknown".into();
    assert_eq!(exchange.check(Contract::bundled()), None);
}

#[test]
fn read_dir_returns_exchanges_sorted_by_path() {
    let dir = tempfile::tempdir().unwrap();
    let exchange =
        Exchange::new("GET /web/api/v2.1/threats", 200, Provenance::new(ProvenanceKind::Composed, "x"));
    let json = serde_json::to_string(&exchange).unwrap();
    std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
    for name in ["z.json", "a/b/c.json", "a/note.md"] {
        std::fs::write(dir.path().join(name), &json).unwrap();
    }
    let read = fixture::read_dir(dir.path()).unwrap();
    let names: Vec<_> =
        read.iter().map(|(path, _)| path.strip_prefix(dir.path()).unwrap().display().to_string()).collect();
    assert_eq!(names, ["a/b/c.json", "z.json"]);
    assert_eq!(read[0].1, exchange);

    std::fs::write(dir.path().join("bad.json"), "{}").unwrap();
    let error = fixture::read_dir(dir.path()).unwrap_err().to_string();
    assert!(error.contains("bad.json") && error.contains("operation"), "{error}");
    assert!(fixture::read_dir(dir.path().join("none")).is_err());
}

#[test]
fn example_response_of_each_operation_conforms() {
    let contract = Contract::bundled();
    for operation in contract.operations() {
        let codes = operation.as_json()["responses"].as_object().unwrap().keys();
        for status in codes.filter_map(|code| code.parse::<u16>().ok()) {
            let example = contract.example_response(operation, status);
            let is_json = operation.response_schema(status).is_some();
            assert_eq!(example.is_some(), is_json, "{} {status}", operation.id());
            let body = example.unwrap_or_default().to_string();
            let findings = contract.check_response(operation, status, body.as_bytes());
            assert!(!is_json || findings.is_empty(), "{} {status}: {findings:#?}", operation.id());
        }
    }
}
