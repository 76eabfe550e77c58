//! The contract check on small documents and on the bundled one.

#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use sentinelone::contract::fixture::{self, Exchange, Provenance, ProvenanceKind};
use sentinelone::contract::{Contract, ContractError, Finding, FindingKind, compare};
use sentinelone_raw::runtime::{ApiVersion, FilterRule, Kind, Paging};
use serde_json::{Value, json};

/// Two operations: one that lists things, one that changes them.
fn small() -> Contract {
    let document = json!({
        "openapi": "3.0.3",
        "servers": [{ "url": "https://{console}/web/api/v{version}" }],
        "paths": {
            "/things": {
                "get": {
                    "operationId": "things_list",
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
                          "schema": { "$ref": "#/components/schemas/Colour" } }
                    ],
                    "responses": {
                        "200": { "description": "", "content": { "application/json": { "schema": {
                            "type": "object",
                            "properties": {
                                "data": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } }
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
            "/things/paint/{colour}": {
                "post": {
                    "operationId": "things_paint",
                    "parameters": [{ "name": "colour", "in": "path", "required": true,
                                     "schema": { "$ref": "#/components/schemas/Colour" } }],
                    "requestBody": { "required": true, "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Thing" } } } },
                    "responses": { "200": { "description": "", "content": { "application/json": {
                        "schema": { "type": "object" } } } } },
                    "x-s1": { "kind": "action", "filter": "mandatory" }
                }
            },
            "/things/{id}": { "get": { "operationId": "things_get", "responses": {} } },
            "/things/{id}/parts": { "get": { "operationId": "things_parts", "responses": {} } },
            "/things/all/parts": { "get": { "operationId": "things_all_parts", "responses": {} } }
        },
        "components": { "schemas": {
            "Colour": { "type": "string", "enum": ["red", "green"] },
            "Inner": { "type": "object", "properties": { "n": { "type": "integer" } } },
            "Thing": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": { "type": "string", "minLength": 2 },
                    "size": { "type": "integer", "minimum": 0, "exclusiveMinimum": true, "nullable": true },
                    "colour": { "$ref": "#/components/schemas/Colour" },
                    "trim": { "allOf": [{ "$ref": "#/components/schemas/Colour" }], "nullable": true,
                              "description": "x" },
                    "inner": { "allOf": [{ "$ref": "#/components/schemas/Inner" }], "nullable": true },
                    "at": { "type": "string", "format": "date-time" },
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                    "anything": { "type": "object", "additionalProperties": true },
                    "parent": { "allOf": [{ "$ref": "#/components/schemas/Thing" }], "nullable": true }
                }
            }
        } }
    });
    Contract::from_document(document).unwrap()
}

fn answer(contract: &Contract, status: u16, body: &Value) -> Vec<(FindingKind, String)> {
    let operation = contract.operation("things_list").unwrap();
    outline(contract.check_answer(operation, status, body.to_string().as_bytes()))
}

fn thing(contract: &Contract, thing: Value) -> Vec<(FindingKind, String)> {
    answer(contract, 200, &json!({ "data": [{ "id": "aa" }, thing] }))
}

fn request(contract: &Contract, query: &[(&str, &str)]) -> Vec<(FindingKind, String)> {
    let operation = contract.operation("things_list").unwrap();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    outline(contract.check_request(operation, &BTreeMap::new(), &query, None))
}

fn paint(contract: &Contract, colour: &str, body: Option<Value>) -> Vec<(FindingKind, String)> {
    let path = format!("/web/api/v2.1/things/paint/{colour}");
    let found = contract.find("POST", &path).unwrap();
    outline(contract.check_request(found.operation, &found.path_values, &[], body.as_ref()))
}

fn outline(findings: Vec<Finding>) -> Vec<(FindingKind, String)> {
    findings.into_iter().map(|finding| (finding.kind, finding.place)).collect()
}

fn one(kind: FindingKind, place: &str) -> Vec<(FindingKind, String)> {
    vec![(kind, place.to_owned())]
}

#[test]
fn answers_that_fit_have_no_findings() {
    let contract = small();
    let full = json!({ "id": "aa", "size": 1, "colour": "red", "trim": "green", "inner": { "n": 1 },
        "at": "2026-11-20T10:00:00.123456Z", "labels": { "a": "b" }, "anything": { "x": [1] },
        "parent": { "id": "bb", "parent": null } });
    assert_eq!(thing(&contract, full), []);
    let nulls = json!({ "id": "aa", "size": null, "trim": null, "inner": null, "parent": null });
    assert_eq!(thing(&contract, nulls), []);
    assert_eq!(thing(&contract, json!({ "id": "aa", "at": "2026-11-20T10:00:00" })), [], "without a zone");
    assert_eq!(answer(&contract, 404, &json!({ "errors": [{ "code": 1 }] })), [], "by 4XX");
}

#[test]
fn schema_violations_in_answers() {
    use FindingKind::*;
    let contract = small();
    let cases = [
        (json!({ "id": 7 }), WrongType, "id"),
        (json!({ "id": "aa", "colour": 7 }), WrongType, "colour"),
        (json!({ "id": "aa", "inner": { "n": "1" } }), WrongType, "inner.n"),
        (json!({ "id": "aa", "labels": { "a b": 1 } }), WrongType, "labels[\"a b\"]"),
        (json!({ "id": "a" }), OutOfBounds, "id"),
        (json!({ "id": "aa", "size": 0 }), OutOfBounds, "size"),
        (json!({ "id": "aa", "at": "yesterday" }), WrongFormat, "at"),
        (json!({}), MissingField, "id"),
        (json!({ "id": "aa", "parent": {} }), MissingField, "parent.id"),
    ];
    for (value, kind, place) in cases {
        assert_eq!(thing(&contract, value), one(kind, &format!("answer.data[1].{place}")));
        assert!(!kind.is_drift(), "{kind}");
    }
}

#[test]
fn drift_in_answers() {
    use FindingKind::*;
    let contract = small();
    let cases = [
        (json!({ "id": "aa", "colour": "blue" }), UndeclaredEnumValue, "colour"),
        (json!({ "id": "aa", "trim": "blue" }), UndeclaredEnumValue, "trim"),
        (json!({ "id": null }), UndeclaredNull, "id"),
        (json!({ "id": "aa", "colour": null }), UndeclaredNull, "colour"),
        (json!({ "id": "aa", "mood": 1 }), UndeclaredField, "mood"),
        (json!({ "id": "aa", "inner": { "m": null } }), UndeclaredField, "inner.m"),
        (json!({ "id": "aa", "parent": { "id": "bb", "x": {} } }), UndeclaredField, "parent.x"),
    ];
    for (value, kind, place) in cases {
        assert_eq!(thing(&contract, value), one(kind, &format!("answer.data[1].{place}")));
        assert!(kind.is_drift(), "{kind}");
    }
    assert_eq!(answer(&contract, 302, &json!({})), one(UndeclaredStatus, "answer.status"));
    assert_eq!(answer(&contract, 500, &json!("x")), one(UndeclaredStatus, "answer.status"));
    let notice = json!({ "data": [], "deprecation_date": "2027-01-01", "sunset_date": null });
    let found = answer(&contract, 200, &notice);
    assert_eq!(
        found,
        [(Deprecation, "answer.deprecation_date".into()), (Deprecation, "answer.sunset_date".into())]
    );
}

#[test]
fn bodies_that_are_no_json() {
    let contract = small();
    let list = contract.operation("things_list").unwrap();
    let paint = contract.operation("things_paint").unwrap();
    let check = |operation, status, body: &[u8]| outline(contract.check_answer(operation, status, body));
    assert_eq!(check(list, 200, b"<html>"), one(FindingKind::NotJson, "answer"));
    assert_eq!(check(list, 200, b" \n"), one(FindingKind::NotJson, "answer"));
    assert_eq!(check(list, 204, b""), []);
    assert_eq!(check(list, 204, b"<html>"), [], "nothing is declared");
    assert_eq!(check(paint, 200, b""), [], "actions may say nothing");
    assert_eq!(check(paint, 200, b"ok"), one(FindingKind::NotJson, "answer"));
}

#[test]
fn queries() {
    use FindingKind::*;
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
        (("sizes", "1,x"), WrongType, "sizes[1]"),
        (("limit", "0"), OutOfBounds, "limit"),
        (("limit", "1001"), OutOfBounds, "limit"),
        (("limit", " 7"), WrongType, "limit"),
        (("limit", "1.5"), WrongType, "limit"),
        (("ratio", "half"), WrongType, "ratio"),
        (("countOnly", "True"), WrongType, "countOnly"),
        (("after", "yesterday"), WrongFormat, "after"),
        (("after", "2026-11-20T10:00:00"), WrongFormat, "after"),
        (("nobody", "1"), UndeclaredParameter, "nobody"),
    ];
    for (pair, kind, place) in cases {
        let found = request(&contract, &[pair, ("scope", "red")]);
        assert_eq!(found, one(kind, &format!("request.query.{place}")), "{pair:?}");
    }
    assert_eq!(request(&contract, &[("scope", "blue")]), one(UndeclaredEnumValue, "request.query.scope"));
    assert_eq!(request(&contract, &[]), one(MissingParameter, "request.query.scope"));
    let twice = [("scope", "red"), ("ids", "a"), ("ids", "b")];
    assert_eq!(request(&contract, &twice), one(RepeatedParameter, "request.query.ids"));
}

#[test]
fn bodies_of_requests() {
    use FindingKind::*;
    let contract = small();
    assert_eq!(paint(&contract, "red", Some(json!({ "id": "aa", "labels": { "x": "y" } }))), []);
    let cases = [
        (json!({ "id": "aa", "inner": { "m": 1 } }), UndeclaredField, "inner.m"),
        (json!({ "id": "aa", "colour": null }), UndeclaredNull, "colour"),
        (json!({ "id": "aa", "colour": "blue" }), UndeclaredEnumValue, "colour"),
        (json!({ "id": "aa", "at": "2026-11-20T10:00:00" }), WrongFormat, "at"),
        (json!({ "size": 1 }), MissingField, "id"),
    ];
    for (body, kind, place) in cases {
        assert_eq!(paint(&contract, "red", Some(body)), one(kind, &format!("request.body.{place}")));
    }
    assert_eq!(paint(&contract, "red", None), one(MissingField, "request.body"));
    assert_eq!(paint(&contract, "red", Some(json!([]))), one(WrongType, "request.body"));
    let blue = paint(&contract, "blue", Some(json!({ "id": "aa" })));
    assert_eq!(blue, one(UndeclaredEnumValue, "request.path.colour"));

    let paint = contract.operation("things_paint").unwrap();
    let body = json!({ "id": "aa" });
    let found = contract.check_request(paint, &BTreeMap::new(), &[], Some(&body));
    assert_eq!(outline(found), one(MissingParameter, "request.path.colour"));
    let list = contract.find("GET", "/web/api/v2.1/things").unwrap().operation;
    let found =
        contract.check_request(list, &BTreeMap::new(), &[("scope".into(), "red".into())], Some(&body));
    assert_eq!(outline(found), one(UndeclaredField, "request.body"));
}

#[test]
fn findings_read_well() {
    let contract = small();
    let list = contract.operation("things_list").unwrap();
    let findings =
        contract.check_answer(list, 200, br#"{"data": [{"id": "aa", "colour": "blue"}, {"id": 3}]}"#);
    let texts: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(
        texts,
        [
            "undeclared enum value at answer.data[0].colour: \"blue\" is not among the declared values",
            "wrong type at answer.data[1].id: 3 is not of type \"string\"",
        ]
    );
}

#[test]
fn paths_lead_to_operations() {
    let contract = small();
    let id =
        |method: &str, path: &str| contract.find(method, path).map(|found| found.operation.id().to_owned());
    assert_eq!(id("GET", "/web/api/v2.1/things").as_deref(), Some("things_list"));
    assert_eq!(id("get", "/web/api/v2.1/things?limit=1").as_deref(), Some("things_list"));
    assert_eq!(id("GET", "/web/api/v2.1/things/all/parts").as_deref(), Some("things_all_parts"));
    assert_eq!(id("GET", "/web/api/v2.1/things/a%6Cl/parts").as_deref(), Some("things_all_parts"));
    assert_eq!(id("GET", "/web/api/v2.1/things/any/parts").as_deref(), Some("things_parts"));
    for path in
        ["", "/", "/things", "/web/api/v2.1/things/", "/web/api/v2.1/things//parts", "web/api/v2.1/things"]
    {
        assert_eq!(id("GET", path), None, "{path:?}");
    }
    assert_eq!(id("GET", "/web/api/v2.1/things/%zz"), None);
    assert_eq!(id("GET", "/web/api/v2.1/things/%ff"), None, "no text");
    assert_eq!(id("GET", "/web/api/v2.1/things/%4"), None);
    assert_eq!(id("DELETE", "/web/api/v2.1/things"), None);
    assert_eq!(contract.methods("/web/api/v2.1/things").into_iter().collect::<Vec<_>>(), ["GET"]);
    assert!(contract.methods("/web/api/v2.1/nothing").is_empty());

    let found = contract.find("GET", "/web/api/v2.0/things/a%2Fb%20%C3%A9+/parts").unwrap();
    assert_eq!(found.path_values, BTreeMap::from([("id".to_owned(), "a/b é+".to_owned())]));
    assert_eq!(found.version, Some(ApiVersion::V2_0));
    assert_eq!(contract.find("GET", "/web/api/v9/things/1").unwrap().version, None);
}

#[test]
fn operations_know_their_facts() {
    let contract = small();
    let list = contract.operation("things_list").unwrap();
    assert_eq!((list.method(), list.path()), ("GET", "/web/api/v{version}/things"));
    assert_eq!((list.kind(), list.paging()), (Kind::Read, Paging::Cursor));
    assert_eq!((list.filter_rule(), list.versions()), (FilterRule::Optional, &[ApiVersion::V2_1][..]));
    let paint = contract.operation("things_paint").unwrap();
    assert_eq!((paint.kind(), paint.filter_rule()), (Kind::Action, FilterRule::Mandatory));
    assert_eq!(contract.operation("things_get").unwrap().kind(), Kind::Read);
}

#[test]
fn queries_become_json() {
    let contract = small();
    let list = contract.operation("things_list").unwrap();
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
}

#[test]
fn documents_that_cannot_serve() {
    let fails = |document| Contract::from_document(document).unwrap_err();
    assert!(matches!(fails(json!(null)), ContractError::NotOpenApi(_)));
    assert!(matches!(fails(json!({ "openapi": "3.1.0", "paths": {} })), ContractError::NotOpenApi(_)));
    assert!(matches!(fails(json!({ "openapi": "3.0.3" })), ContractError::NotOpenApi(_)));
    let nameless = json!({ "openapi": "3.0.3", "paths": { "/a": { "get": {} } } });
    assert_eq!(fails(nameless), ContractError::Identifier { method: "GET".into(), path: "/a".into() });
    let twice = json!({ "openapi": "3.0.3", "paths": { "/a": {
        "get": { "operationId": "a" }, "put": { "operationId": "a" } } } });
    assert!(matches!(fails(twice), ContractError::Identifier { .. }));
    let astray = json!({ "openapi": "3.0.3", "paths": {}, "components": { "schemas": {
        "A": { "$ref": "#/components/schemas/B" } } } });
    assert_eq!(fails(astray), ContractError::Reference("#/components/schemas/B".into()));
}

#[test]
fn a_schema_that_cannot_be_compiled_is_a_finding() {
    let document = json!({ "openapi": "3.0.3", "paths": { "/a": { "get": { "operationId": "a",
        "parameters": [{ "name": "p", "in": "query", "schema": { "type": "string", "pattern": "(" } }] } } } });
    let contract = Contract::from_document(document).unwrap();
    let operation = contract.operation("a").unwrap();
    let found = contract.check_request(operation, &BTreeMap::new(), &[("p".into(), "x".into())], None);
    assert_eq!(outline(found), one(FindingKind::Violation, "request.query"));
}

#[test]
fn the_bundled_document_serves() {
    let contract = Contract::bundled();
    assert_eq!(contract.operations().count(), sentinelone_raw::OPERATIONS.len());
    for operation in sentinelone_raw::OPERATIONS {
        let spec = contract.operation(operation.id).unwrap();
        assert_eq!(spec.path(), operation.path);
        assert_eq!(spec.method(), operation.method.as_str());
        assert_eq!(spec.versions(), operation.versions);
        assert_eq!(
            (spec.kind(), spec.filter_rule(), spec.paging()),
            (operation.kind, operation.filter, operation.paging)
        );
        // Compiles every validator.
        let body = spec.body_schema().map(|_| json!({}));
        let mut findings = contract.check_request(spec, &BTreeMap::new(), &[], body.as_ref());
        for status in [200, 400, 401] {
            findings.extend(contract.check_answer(spec, status, b"{}"));
        }
        assert!(findings.iter().all(|finding| finding.kind != FindingKind::Violation), "{findings:?}");
        let path = spec.path().replace("{version}", spec.versions()[0].as_str());
        assert_eq!(contract.find(spec.method(), &path).unwrap().operation.id(), operation.id);
    }
}

#[test]
fn what_gets_lost() {
    let original = json!({
        "same": [1, "a", { "x": null }], "number": 1, "gone": { "deep": 1 }, "null": null, "nulls": [null, "b"],
        "list": [{ "a": 1, "b": 2 }, 3], "big": 9007199254740993_u64, "text": "1"
    });
    let again = json!({
        "same": [1, "a", {}], "number": 1.0, "nulls": ["b"], "more": 1,
        "list": [{ "a": 1 }], "big": 9007199254740992_u64, "text": 1
    });
    let losses: Vec<_> = compare(&original, &again).iter().map(ToString::to_string).collect();
    let expected = [
        "big: 9007199254740993 became 9007199254740992",
        "gone: {\"deep\":1} is gone",
        "list[0].b: 2 is gone",
        "list[1]: 3 is gone",
        "text: \"1\" became 1",
    ];
    let mut sorted = losses.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    assert_eq!(compare(&original, &original), []);
    assert_eq!(compare(&json!(null), &json!(null)), []);
    assert_eq!(compare(&json!(null), &json!(1)).len(), 1, "a value out of nothing");
    let loss = &compare(&json!(1), &json!(null))[0];
    assert_eq!((loss.path.as_str(), &loss.again), (".", &None));
    assert_eq!(compare(&json!({ "a.b": 1 }), &json!({}))[0].path, "[\"a.b\"]");
}

#[test]
fn exchanges_are_read_and_written() {
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
    let again: Exchange = serde_json::from_value(serde_json::to_value(&exchange).unwrap()).unwrap();
    assert_eq!(again, exchange);

    let foreign = json!({
        "source": "someone/something:tests/a.py", "commit": "abc", "operation": "POST /web/api/v2.1/threats/mitigate/{action}",
        "inferred": true, "status": 200, "request": { "query": {}, "path": "/web/api/v2.1/threats/mitigate/kill",
        "body": { "filter": { "ids": ["1"] } } },
        "placeholder": true, "placeholder_kind": "stub", "wrapped": "data", "note": "n", "response": null
    });
    let exchange: Exchange = serde_json::from_value(foreign).unwrap();
    assert_eq!(exchange.placeholder_kind.as_deref(), Some("stub"));
    assert_eq!(exchange.provenance.kind, ProvenanceKind::Published);
    assert_eq!(exchange.provenance.source, "someone/something:tests/a.py");
    assert_eq!((exchange.inferred, exchange.response.clone()), (true, Some(Value::Null)));
    assert_eq!(exchange.find(Contract::bundled()).unwrap().path_values["action"], "kill");
    let again: Exchange = serde_json::from_value(serde_json::to_value(&exchange).unwrap()).unwrap();
    assert_eq!(again, exchange);

    let mut text = Exchange::new(
        "POST /web/api/v2.1/threats/mitigate/{action}",
        401,
        Provenance::new(ProvenanceKind::Sandbox, "s"),
    );
    text.response_text = Some("no".into());
    text.request.body = Some(json!({ "filter": {} }));
    let findings = outline(text.check(Contract::bundled()).unwrap());
    assert_eq!(findings, one(FindingKind::NotJson, "answer"), "the template stands for any path");
    text.operation = "GET /web/api/v2.1/nothing".into();
    assert_eq!(text.check(Contract::bundled()), None);
}

#[test]
fn folders_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let exchange =
        Exchange::new("GET /web/api/v2.1/threats", 200, Provenance::new(ProvenanceKind::Composed, "x"));
    let text = serde_json::to_string(&exchange).unwrap();
    std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
    for name in ["z.json", "a/b/c.json", "a/note.md"] {
        std::fs::write(folder.path().join(name), &text).unwrap();
    }
    let read = fixture::read_all(folder.path()).unwrap();
    let names: Vec<_> = read
        .iter()
        .map(|(path, _)| path.strip_prefix(folder.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(names, ["a/b/c.json", "z.json"]);
    assert_eq!(read[0].1, exchange);

    std::fs::write(folder.path().join("bad.json"), "{}").unwrap();
    let error = fixture::read_all(folder.path()).unwrap_err().to_string();
    assert!(error.contains("bad.json") && error.contains("operation"), "{error}");
    assert!(fixture::read_all(folder.path().join("none")).is_err());
}
