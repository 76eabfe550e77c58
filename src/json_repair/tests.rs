//! Repairs of single values, of items and of hostile bodies, and properties of the scanner.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;

use super::report::MAX_DESCRIBED;
use super::*;

/// Invalid texts of a value, with the repaired value and the description. Each is placed in an item.
const REPAIRED: [(&[u8], &str, &str); 12] = [
    (br#""a\ud83d.txt""#, r#""a\ufffd.txt""#, "unpaired surrogate \\ud83d replaced by U+FFFD"),
    (br#""a\uDC01""#, r#""a\ufffd""#, "unpaired surrogate \\udc01 replaced by U+FFFD"),
    (br#""\uD83D\u0041""#, r#""\ufffdA""#, "unpaired surrogate \\ud83d replaced by U+FFFD"),
    (br#""\ud83d\ud83d\uDE00""#, r#""\ufffd\ud83d\ude00""#, "unpaired surrogate \\ud83d replaced by U+FFFD"),
    (br#""\udc00\ud800""#, r#""\ufffd\ufffd""#, "unpaired surrogate \\udc00 replaced by U+FFFD"),
    (b"NaN", "null", "NaN replaced by null"),
    (b"-Infinity", "null", "-Infinity replaced by null"),
    (b"Infinity", "null", "Infinity replaced by null"),
    (b"[1, nan]", "[1, null]", "nan replaced by null"),
    (b"\"a\xff\xfeb\"", r#""a\ufffd\ufffdb""#, "invalid UTF-8 replaced by U+FFFD"),
    (b"\"\xed\xa0\x80\"", r#""\ufffd\ufffd\ufffd""#, "invalid UTF-8 replaced by U+FFFD"),
    (b"\"a\nb\"", r#""a\nb""#, "control character U+000A escaped"),
];

/// Invalid texts of a value that cost their item, with the reason. The location of the value is `note`.
const SET_APART: [(&[u8], &str); 15] = [
    (br#""C:\qa""#, "invalid escape \\q"),
    (br#""\u12G4""#, "invalid escape \\u"),
    (br#""\u""#, "invalid escape \\u"),
    (b"nul", "invalid value nul"),
    (b"01", "invalid value 01"),
    (b"-1.#IND", "invalid value -1.#IND"),
    (b"None", "invalid value None"),
    (b"nan(0x8)", "invalid value nan(0x8)"),
    (b"{\"a\" 1}", "invalid JSON"),
    (b"[1 2]", "invalid JSON"),
    (b"'quoted'", "invalid value 'quoted'"),
    (b"'a, b'", "invalid value 'a"),
    (b"{\"a\": 1,}", "invalid JSON"),
    (b"{a: 1}", "invalid JSON"),
    (b"[[1], }", "invalid JSON"),
];

/// Returns a page of three items; the second has an invalid value in `note`.
fn page_with(value: &[u8]) -> Vec<u8> {
    let before = br#"{"data": [{"id": "31", "note": "ok"}, {"id": "32", "note": "#;
    let after = br#", "deep": {"list": [1, {}]}}, {"id": "33"}], "pagination": {"totalItems": 3}}"#;
    [&before[..], value, after].concat()
}

fn text_of(value: &str) -> Value {
    serde_json::from_str(value).unwrap()
}

#[test]
fn repair_invalid_scalars_are_replaced_and_located() {
    for (text, repaired, description) in REPAIRED {
        let body = page_with(text);
        assert!(serde_json::from_slice::<Value>(&body).is_err(), "{description}");
        let result = repair(&body).expect(description);
        let json: Value = serde_json::from_slice(&result.json).unwrap();
        let deep = json!({ "list": [1, {}] });
        let expected = json!([
            { "id": "31", "note": "ok" },
            { "id": "32", "note": text_of(repaired), "deep": deep },
            { "id": "33" },
        ]);
        assert_eq!(json["data"], expected, "{description}");
        let descriptions: Vec<String> = result.repairs.iter().map(ToString::to_string).collect();
        let place = if text.starts_with(b"[") { "data[1].note[1]" } else { "data[1].note" };
        assert_eq!(descriptions, [format!("{place} (ID 32): {description}")]);
        assert!(!result.repairs.has_loss() && result.set_apart.is_empty(), "{description}");
    }
}

#[test]
fn repair_invalid_item_is_set_apart_and_others_are_kept() {
    for (text, reason) in SET_APART {
        let body = page_with(text);
        let result = repair(&body).expect(reason);
        let json: Value = serde_json::from_slice(&result.json).unwrap();
        assert_eq!(json["data"], json!([{ "id": "31", "note": "ok" }, null, { "id": "33" }]), "{reason}");
        assert_eq!(json["pagination"]["totalItems"], 3);
        let [item] = result.set_apart.as_slice() else { panic!("{reason}: {:?}", result.set_apart) };
        assert_eq!((item.list_key.as_str(), item.index, item.reason.as_str()), ("", 1, reason));
        assert!(item.path == "note" || item.path.starts_with("note"), "{reason}: {}", item.path);
        let start = item.text.find("\"note\": ").unwrap() + "\"note\": ".len();
        assert!(item.text.as_bytes()[start..].starts_with(text), "the text is kept: {}", item.text);
        assert!(result.repairs.has_loss(), "{reason}");
        let id = result.repairs.iter().next().unwrap().item_id.as_deref();
        assert_eq!(id, Some("32"), "the ID is in front of the invalid value: {reason}");
    }
}

#[test]
fn repair_nested_list_names_its_key() {
    let body = br#"{"data": {"total": 2, "sites": [null, {"id": 7, "name": "\q"}, {"id": 8}]}}"#;
    let result = repair(body).unwrap();
    assert_eq!((result.set_apart[0].list_key.as_str(), result.set_apart[0].index), ("sites", 0));
    let repair = result.repairs.iter().next().unwrap();
    assert_eq!((repair.location.as_str(), repair.item_id.as_deref()), ("data.sites[1]", Some("7")));
    assert_eq!(repair.item, Some(0), "null items are not counted");
}

#[test]
fn repair_member_name_is_replaced() {
    let result = repair(br#"{"data": [{"a\ud800": 1, "b": NaN}]}"#).unwrap();
    let json: Value = serde_json::from_slice(&result.json).unwrap();
    assert_eq!(json["data"][0]["a\u{fffd}"], 1);
    assert_eq!(result.repairs.iter().count(), 2);
}

#[test]
fn repair_value_outside_of_items_is_replaced_with_loss() {
    let result = repair(br#"{"data": {"affected": 1, "note": "\q", "id": "\ud800"}}"#).unwrap();
    let json: Value = serde_json::from_slice(&result.json).unwrap();
    assert_eq!(json, json!({ "data": { "affected": 1, "note": "\u{fffd}q", "id": "\u{fffd}" } }));
    let kinds: Vec<_> = result.repairs.iter().map(|repair| repair.kind.clone()).collect();
    let escape = RepairKind::Replaced("invalid escape \\q".into());
    assert_eq!(kinds, [escape, RepairKind::UnpairedSurrogate(0xd800)]);
    assert!(result.repairs.has_loss());
}

#[test]
fn repair_number_out_of_range_costs_its_item_unless_numbers_are_exact() {
    let body = page_with(b"1e999");
    let is_exact = serde_json::from_str::<Value>("1e999").is_ok();
    let set_apart = repair(&body).map(|result| result.set_apart);
    match set_apart.as_deref() {
        None => assert!(is_exact),
        Some([item]) => {
            assert_eq!((item.path.as_str(), item.reason.as_str()), ("note", "number out of range: 1e999"));
            assert_eq!(item.salvaged["id"], "32");
        }
        Some(items) => panic!("{items:?}"),
    }
}

#[test]
fn repair_nesting_limit_equals_that_of_the_parser() {
    // Four levels are those of the page, the item, and its member.
    let nested = |depth: usize| page_with(&[vec![b'['; depth], vec![b']'; depth]].concat());
    let accepted =
        (1..MAX_DEPTH).rev().find(|depth| serde_json::from_slice::<Value>(&nested(*depth)).is_ok());
    let accepted = accepted.unwrap();
    assert_eq!(repair(&nested(accepted)), None);
    let result = repair(&nested(accepted + 1)).unwrap();
    assert!(serde_json::from_slice::<Value>(&result.json).is_ok());
    assert_eq!(result.set_apart[0].reason, "more than 127 nested objects and lists");
    assert_eq!(result.set_apart[0].salvaged["id"], "32");
}

#[test]
fn repair_cut_body_is_rejected() {
    for text in REPAIRED.iter().map(|(text, ..)| *text).chain(SET_APART.map(|(text, _)| text)) {
        let body = page_with(text);
        for length in 0..body.len() {
            assert_eq!(repair(&body[..length]), None, "{}", String::from_utf8_lossy(&body[..length]));
        }
    }
    // The last string has the text of a complete page.
    assert_eq!(repair(br#"{"data": [{"id": "31", "note": "\ud800}]}"#), None);
}

#[test]
fn repair_ambiguous_structure_is_rejected() {
    for body in [
        &br#"{"data": [{"id": "31", "note": NaN}}, {"id": "32"}]}"#[..],
        br#"{"data": [{"note": NaN},]}"#,
        br#"{"data": [{"note": [1,}]}]}"#,
        br#"{"data": [{"note": NaN}]} {}"#,
        br#"{"data": [{"note": NaN}] "errors": []}"#,
        br#"{"data": nul, "note": NaN}"#,
        b"<html>NaN</html>",
        b"",
    ] {
        assert_eq!(repair(body), None, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn repair_hostile_body_is_bounded() {
    let items = |item: &str, count: usize| format!("{{\"data\": [{}]}}", vec![item; count].join(","));
    let many = repair(items(r#"{"id": "1", "a": NaN, "b": NaN}"#, 500).as_bytes()).unwrap();
    assert_eq!((many.repairs.iter().count(), many.repairs.omitted()), (MAX_DESCRIBED, 900));
    assert_eq!(repair(items(r#""\q""#, MAX_SET_APART).as_bytes()).unwrap().set_apart.len(), MAX_SET_APART);
    assert_eq!(repair(items(r#""\q""#, MAX_SET_APART + 1).as_bytes()), None);
    let deep = format!("{{\"data\": [{}{}]}}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(repair(deep.as_bytes()).unwrap().set_apart[0].index, 0);
    assert_eq!(repair("[".repeat(200_000).as_bytes()), None);
    let name = "n".repeat(100_000);
    let long = repair(format!("{{\"data\": [{{\"{name}\": NaN}}]}}").as_bytes()).unwrap();
    assert!(long.repairs.iter().next().unwrap().location.len() < 100);
}

/// The body has one name of a megabyte in front of each location.
#[test]
fn repair_long_name_before_many_invalid_values_sets_items_apart() {
    let name = "n".repeat(1 << 20);
    let invalid = vec!["\"\\q\""; 20_000].join(",");
    let item = format!("[{}, \"\\q\"]", vec!["NaN"; 30].join(","));
    for (body, items) in [
        (format!("{{\"data\": [{{\"{name}\": [{invalid}]}}]}}"), 1),
        (format!("{{\"data\": {{\"{name}\": [{}]}}}}", vec![item; 900].join(",")), 900),
    ] {
        assert_eq!(repair(body.as_bytes()).unwrap().set_apart.len(), items);
    }
}

/// A loss behind many values that were only replaced is described.
#[test]
fn repair_item_set_apart_behind_many_repairs_is_named() {
    let many = vec!["{\"id\": \"1\", \"a\": NaN}"; MAX_DESCRIBED + 5].join(",");
    let result =
        repair(format!("{{\"data\": [{many}, {{\"id\": \"8\", \"b\": \"\\q\"}}]}}").as_bytes()).unwrap();
    assert_eq!((result.repairs.iter().count(), result.repairs.omitted()), (MAX_DESCRIBED + 1, 5));
    let last = result.repairs.iter().last().unwrap();
    assert_eq!(last.item_id.as_deref(), Some("8"));
    assert!(last.kind.is_loss());
}

fn json_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(".{0,6}", inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn repair_valid_body_is_unchanged(items in vec(json_value(), 0..5), other in json_value()) {
        prop_assert_eq!(repair(json!({ "data": items, "other": other }).to_string().as_bytes()), None);
        prop_assert_eq!(repair(other.to_string().as_bytes()), None);
    }

    /// Whatever replaces one item, the others are kept, or the body is an error.
    #[test]
    fn repair_keeps_items_next_to_an_invalid_one(
        items in vec(json_value(), 1..5),
        at in any::<prop::sample::Index>(),
        invalid in prop_oneof![
            prop::sample::select(REPAIRED.iter().map(|(text, ..)| text.to_vec()).collect::<Vec<_>>()),
            prop::sample::select(SET_APART.iter().map(|(text, _)| text.to_vec()).collect::<Vec<_>>()),
        ],
    ) {
        let at = at.index(items.len());
        let texts = items.iter().enumerate().map(|(index, item)| match index == at {
            true => [b"{\"id\": \"5\", \"x\": ", &invalid[..], b"}"].concat(),
            false => item.to_string().into_bytes(),
        });
        let body = [b"{\"data\": [", &texts.collect::<Vec<_>>().join(&b", "[..])[..], b"]}"].concat();
        let result = repair(&body).unwrap();
        let json: Value = serde_json::from_slice(&result.json).unwrap();
        let mut others = json["data"].as_array().unwrap().clone();
        others.remove(at);
        let mut expected = items;
        expected.remove(at);
        prop_assert_eq!(others, expected);
    }

    #[test]
    fn repair_arbitrary_bytes_yield_valid_json_or_nothing(
        body in vec(prop::sample::select(b"{}[],:\"\\u0d8NaI1e+ \xff\n".to_vec()), 0..60),
        in_list in any::<bool>(),
    ) {
        let body = if in_list { [b"{\"data\": [", &body[..], b"]}"].concat() } else { body };
        if let Some(result) = repair(&body) {
            prop_assert!(serde_json::from_slice::<Value>(&result.json).is_ok());
        }
    }
}
