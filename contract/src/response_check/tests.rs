//! Properties of the check of response bodies.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::fixture::read_dir;
use crate::{Contract, OperationSpec};

/// A signed token, and a value that begins like one.
const TOKENS: [&str; 2] = ["eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0", "eyJpZCI6MTkwfQ=="];

/// Checks a body in both forms: without a tree if possible, and with the tree of the document.
fn both(
    contract: &Contract,
    operation: &OperationSpec,
    status: u16,
    body: &str,
) -> [Option<BodyFindings>; 2] {
    let (key, response) = operation.declared_response(status).unwrap();
    let schema = crate::operation::json_schema_of(response);
    let own = ResponseChecks::default();
    let checks = operation.validators().responses.get(key).unwrap_or(&own);
    let wanted = Doubts { schema: schema.is_some(), fields: schema.is_some(), secrets: true };
    let check = BodyCheck { schemas: &contract.schemas, schema, checks, wanted };
    let tree = serde_json::from_str(body).ok().map(|value| check.tree(&value, wanted));
    [check.text(body).ok(), tree]
}

/// Fails if the findings differ. Returns whether the body was checked without its tree.
#[track_caller]
fn compare(contract: &Contract, operation: &OperationSpec, status: u16, body: &str) -> bool {
    let [text, tree] = both(contract, operation, status, body);
    let Some(text) = text else { return false };
    let Some(tree) = tree else { panic!("not JSON, but checked: {body}") };
    assert_eq!(text, tree, "{}: {body}", operation.id());
    true
}

/// A response of the fixtures: operation, status and body.
type Response = (&'static OperationSpec, u16, Value);

static RESPONSES: LazyLock<Vec<Response>> = LazyLock::new(|| {
    let contract = Contract::bundled();
    let all = read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures")).unwrap().into_iter();
    let responses = all.filter_map(|(_, exchange)| {
        let operation = exchange.match_operation(contract)?.operation;
        operation.declared_response(exchange.status)?;
        Some((operation, exchange.status, exchange.response?))
    });
    responses.collect()
});

/// Values that replace others, or are added.
fn value(choice: usize) -> Value {
    let all = [
        json!(null),
        json!(true),
        json!(7),
        json!(-7.5),
        json!(12345678901234567890123_u128.to_string()),
        json!(""),
        json!("x"),
        json!("ä\n\"\u{1}"),
        json!("[secret]"),
        json!("2026-11-20T10:00:00"),
        json!("1750000000000"),
        json!(TOKENS[0]),
        json!(TOKENS[1]),
        json!([]),
        json!(["x", {}, null]),
        json!({}),
        json!({ "mood": "calm", "apiToken": "x" }),
        json!({ TOKENS[0]: [TOKENS[0]] }),
    ];
    all[choice % all.len()].clone()
}

const NAMES: [&str; 8] = ["mood", "password", "a b", "id", "data", "deprecation_date", TOKENS[0], "a/b~"];

/// Changes the value at a position of a document, in the order of its text.
fn change(document: &mut Value, position: usize, kind: usize, choice: usize) {
    let mut count = 0;
    count_values(document, &mut count);
    let mut position = position % count.max(1);
    if let Some(target) = value_at(document, &mut position) {
        match (kind % 4, &mut *target) {
            (0, Value::Object(fields)) => {
                fields.insert(NAMES[choice % NAMES.len()].into(), value(choice / NAMES.len()));
            }
            (1, Value::Object(fields)) => {
                let name = fields.keys().nth(choice % fields.len().max(1)).cloned();
                name.and_then(|name| fields.remove(&name));
            }
            (0 | 1, Value::Array(items)) => {
                let item = items.get(choice % items.len().max(1)).cloned().unwrap_or_default();
                items.extend([item.clone(), item]);
            }
            _ => *target = value(choice),
        }
    }
}

fn count_values(value: &Value, count: &mut usize) {
    *count += 1;
    match value {
        Value::Array(items) => items.iter().for_each(|item| count_values(item, count)),
        Value::Object(fields) => fields.values().for_each(|field| count_values(field, count)),
        _ => {}
    }
}

fn value_at<'a>(value: &'a mut Value, position: &mut usize) -> Option<&'a mut Value> {
    if *position == 0 {
        return Some(value);
    }
    *position -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| value_at(item, position)),
        Value::Object(fields) => fields.values_mut().find_map(|field| value_at(field, position)),
        _ => None,
    }
}

/// A contract with the keywords that the bundled document uses little.
static KEYWORDS: LazyLock<Contract> = LazyLock::new(|| {
    let document = json!({
        "openapi": "3.0.3",
        "components": { "schemas": {
            "Color": { "type": "string", "enum": ["red", "green"] },
            "Base": {
                "type": "object", "required": ["id"],
                "properties": { "id": { "type": "string", "minLength": 1, "maxLength": 2 }, "mood": {} },
            },
            "Item": {
                "type": "object",
                "allOf": [{ "$ref": "#/components/schemas/Base" }],
                "properties": {
                    "color": { "$ref": "#/components/schemas/Color" },
                    "nullColor": { "allOf": [{ "$ref": "#/components/schemas/Color" }], "nullable": true },
                    "size": { "type": "integer", "minimum": 0, "maximum": 10 },
                    "ratio": { "type": "number", "nullable": true },
                    "at": { "type": "string", "format": "date-time", "nullable": true },
                    "map": { "type": "object", "additionalProperties": { "type": "integer" } },
                    "open": { "type": "object", "additionalProperties": true },
                    "list": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "boolean" } },
                    "apiKey": { "type": "string", "maxLength": 12 },
                    "note": { "type": "string", "x-s1": { "secret": true }, "pattern": "^x" },
                    "either": { "anyOf": [{ "type": "string" }, { "$ref": "#/components/schemas/Base" }] },
                    "inner": { "$ref": "#/components/schemas/Item" },
                },
            },
        } },
        "paths": { "/widgets": { "get": { "operationId": "widgets_list", "responses": {
            "200": { "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["data"],
                "properties": {
                    "data": { "type": "array", "items": { "$ref": "#/components/schemas/Item" } },
                    "errors": { "type": "array", "items": { "type": "string" } },
                    "total": { "type": "integer" },
                },
            } } } },
            "206": { "content": { "application/json": { "schema": {
                "type": "object",
                "properties": { "data": { "type": "object", "required": ["total"], "properties": {
                    "items": { "type": "array", "items": { "$ref": "#/components/schemas/Item" } },
                    "total": { "type": "integer" },
                } } },
            } } } },
        } } } },
    });
    Contract::from_document(document).unwrap()
});

/// Items with fields of [`KEYWORDS`], some of them valid.
fn item() -> impl Strategy<Value = Value> {
    let names = [
        "id",
        "mood",
        "color",
        "nullColor",
        "size",
        "ratio",
        "at",
        "map",
        "open",
        "list",
        "apiKey",
        "note",
        "either",
        "inner",
        "other",
    ];
    let leaf = prop_oneof![
        (0..18_usize).prop_map(value),
        prop::sample::select(vec![
            json!("red"),
            json!("xy"),
            json!(10),
            json!(11),
            json!(1.0),
            json!([true]),
            json!([true, 1, true]),
            json!({ "a": 1 }),
            json!({ "a": "1", "secret": 2 }),
            json!("2026-11-20T10:00:00.5Z"),
        ]),
    ];
    leaf.prop_recursive(3, 24, 8, move |inner| {
        let member = (prop::sample::select(names.to_vec()), inner.clone());
        prop_oneof![
            3 => prop::collection::vec(member, 0..8).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                let mut fields = Map::from_iter([("id".to_owned(), json!("a"))]);
                fields.extend(members);
                Value::Object(fields)
            }),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The check of items one by one has the findings of the whole document.
    #[test]
    fn changed_responses_have_findings_of_the_whole_document(
        index in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<usize>(), 0..4_usize, any::<usize>()), 0..5),
    ) {
        let (operation, status, body) = index.get(&RESPONSES);
        let mut body = body.clone();
        changes.iter().for_each(|(position, kind, choice)| change(&mut body, *position, *kind, *choice));
        prop_assert!(compare(Contract::bundled(), operation, *status, &body.to_string()));
    }

    /// A text that is not JSON is not checked, and repeated names do not matter.
    #[test]
    fn changed_text_has_findings_of_the_whole_document(
        index in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        removed in 0..3_usize,
        added in prop::sample::select(vec![
            "", ",", "\"", "\\", "\\u0065", "\\ud800", "{", "}", "[", "]", "null", "0", "1e5", " ", "\u{1}", "ä",
            "{\"data\":[],\"data\":{\"id\":1},", ",\"id\":7", "\"id\":\"x\",",
        ]),
    ) {
        let (operation, status, body) = index.get(&RESPONSES);
        let mut text: Vec<char> = body.to_string().chars().collect();
        let from = at.index(text.len());
        let to = (from + removed).min(text.len());
        text.splice(from..to, added.chars());
        compare(Contract::bundled(), operation, *status, &text.into_iter().collect::<String>());
    }

    #[test]
    fn items_with_each_keyword_have_findings_of_the_whole_document(
        items in prop::collection::vec(item(), 0..4),
        total in (0..18_usize).prop_map(value),
    ) {
        let operation = KEYWORDS.operation("widgets_list").unwrap();
        let page = json!({ "data": items, "total": total, "errors": [1, "x"], "deprecation_date": "soon" });
        prop_assert!(compare(&KEYWORDS, operation, 200, &page.to_string()));
        let nested = json!({ "data": { "items": items, "mood": 1 }, "mood": total });
        prop_assert!(compare(&KEYWORDS, operation, 206, &nested.to_string()));
    }
}

/// The items of a conforming page are not parsed.
#[test]
fn conforming_items_have_no_doubts() {
    let contract = Contract::bundled();
    let operation = contract.operation("threats_list").unwrap();
    let (key, response) = operation.declared_response(200).unwrap();
    let schema = crate::operation::json_schema_of(response).unwrap();
    let list = find_list(&contract.schemas, schema).unwrap();
    assert_eq!(list.path, ["data"]);
    let full = RESPONSES.iter().filter(|(one, status, _)| one.id() == "threats_list" && *status == 200);
    let mut count = 0;
    for item in full.flat_map(|(_, _, body)| body["data"].as_array().unwrap()) {
        let context = ValueContext::root(&contract.schemas, list.items);
        let quick = QuickCheck::new(&contract.schemas, list.items, &context);
        count += usize::from(!quick.doubts(&item.to_string()).unwrap().any());
    }
    assert!(count > 0 && operation.validators().responses.contains_key(key));
}
