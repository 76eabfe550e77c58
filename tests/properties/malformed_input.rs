//! Parsers of malformed responses, exchange files and strings: each input yields a value or an error, and no panic.
//! `fuzz/` runs the same parsers in a fuzzer.

use std::path::Path;
use std::sync::LazyLock;

use super::parsers::{self, CURATED};
use http::{HeaderMap, StatusCode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sentinelone::raw::runtime::{Paging, ResponseFormat};
use sentinelone::{Page, Response};
use sentinelone_contract::fixture::{Exchange, read_dir};
use sentinelone_contract::{Contract, ContractRule};
use serde_json::{Map, Value, json};

/// The exchanges of `fixtures/` and, if set, of the directory in `S1_EXTRA_FIXTURES`.
static EXCHANGES: LazyLock<Vec<(u8, Exchange)>> = LazyLock::new(|| {
    let mut exchanges = read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    if let Some(dir) = std::env::var_os("S1_EXTRA_FIXTURES") {
        exchanges.extend(read_dir(dir).unwrap());
    }
    let contract = Contract::bundled();
    let numbered = exchanges.into_iter().filter_map(|(_, exchange)| {
        let id = exchange.match_operation(contract)?.operation.id().to_owned();
        let number = CURATED.iter().position(|operation| operation.id == id)?;
        Some((u8::try_from(number).unwrap(), exchange))
    });
    numbered.collect()
});

/// Generates a replacement for a value.
fn replacement() -> impl Strategy<Value = Value> {
    let deep = (1_usize..400).prop_map(|depth| (0..depth).fold(json!("deep"), |inner, _| json!([inner])));
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![
            json!(u64::MAX),
            json!(1e300),
            json!(-0.0),
            json!(""),
            json!("null"),
            json!([]),
            json!({})
        ]),
        ".{0,40}".prop_map(Value::from),
        vec(any::<i8>(), 0..5).prop_map(|items| json!(items)),
        deep,
    ]
}

/// Replaces a value of a document, or renames the fields of an object.
fn change(value: &mut Value, target: Index, with: &Value, rename: bool) {
    fn pointers(value: &Value, path: &str, into: &mut Vec<String>) {
        into.push(path.to_owned());
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    pointers(inner, &format!("{path}/{name}"), into);
                }
            }
            Value::Array(list) => {
                // The first items are representative of an array.
                for (index, inner) in list.iter().enumerate().take(3) {
                    pointers(inner, &format!("{path}/{index}"), into);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    pointers(value, "", &mut all);
    let Some(inner) = value.pointer_mut(&all[target.index(all.len())]) else { return };
    match inner {
        // Renamed fields are undeclared, and the original ones are missing.
        Value::Object(map) if rename => {
            let renamed = map.iter().map(|(name, value)| (format!("{name}x"), value.clone()));
            *map = renamed.collect::<Map<_, _>>();
        }
        _ => *inner = with.clone(),
    }
}

/// A corruption of bytes.
#[derive(Clone, Debug)]
enum Corruption {
    Truncate(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn corruption() -> impl Strategy<Value = Corruption> {
    let piece = prop_oneof![
        vec(any::<u8>(), 1..8),
        select(vec![
            &b"null"[..],
            b"\"",
            b"\\u0000",
            b"{",
            b"[",
            b",",
            b"\xff\xfe",
            b"1e999",
            b"\"errors\":[1]"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        any::<Index>().prop_map(Corruption::Truncate),
        (any::<Index>(), any::<u8>()).prop_map(|(at, with)| Corruption::Flip(at, with)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Corruption::Insert(at, piece)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Corruption::Repeat(from, to)),
    ]
}

impl Corruption {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        match self {
            Self::Truncate(at) => bytes.truncate(at.index(length)),
            Self::Flip(at, with) => {
                if let Some(byte) = bytes.get_mut(at.index(length)) {
                    *byte ^= with;
                }
            }
            Self::Insert(at, piece) => {
                let at = at.index(length).min(bytes.len());
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let piece = bytes.get(from..to).map(<[u8]>::to_vec).unwrap_or_default();
                bytes.extend(piece);
            }
        }
    }
}

fn exchange() -> impl Strategy<Value = (u8, Exchange)> {
    any::<Index>().prop_map(|at| EXCHANGES[at.index(EXCHANGES.len())].clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// JSON of another structure.
    #[test]
    fn response_changed_json_does_not_panic(
        (operation, exchange) in exchange(),
        status in any::<u8>(),
        changes in vec((any::<Index>(), replacement(), any::<bool>()), 1..4),
        after in "[ -~]{0,12}",
    ) {
        let mut body = exchange.response.unwrap_or_default();
        for (target, with, rename) in &changes {
            change(&mut body, *target, with, *rename);
        }
        parsers::response(&[&[operation, status], after.as_bytes(), b"\n", body.to_string().as_bytes()].concat());
    }

    /// Bytes that are not valid JSON in most cases.
    #[test]
    fn response_corrupted_bytes_do_not_panic(
        (operation, exchange) in exchange(),
        status in any::<u8>(),
        corruptions in vec(corruption(), 1..6),
    ) {
        let mut body = exchange.response_bytes();
        corruptions.iter().for_each(|corruption| corruption.apply(&mut body));
        parsers::response(&[&[operation, status, b'\n'][..], &body].concat());
    }

    #[test]
    fn exchange_file_changes_do_not_panic(
        (_, exchange) in exchange(),
        changes in vec((any::<Index>(), replacement(), any::<bool>()), 0..4),
        corruptions in vec(corruption(), 0..2),
    ) {
        let mut file = serde_json::to_value(&exchange).unwrap();
        for (target, with, rename) in &changes {
            change(&mut file, *target, with, *rename);
        }
        let mut bytes = file.to_string().into_bytes();
        corruptions.iter().for_each(|corruption| corruption.apply(&mut bytes));
        parsers::exchange(&bytes);
    }

    #[test]
    fn string_parsers_do_not_panic(text in prop_oneof![
        ".{0,60}",
        "[0-9TZ:+. -]{0,30}",
        "[0-9]{0,25} (second|minute|hour|day|week|month|year)s? ?(ago)?",
        "(https?:/?/?)?[a-z@:\\[\\]0-9./?#%-]{0,40}",
    ]) {
        parsers::text(&text);
    }
}

/// Inserts a member into each object of a document, as text.
fn with_member(body: &str, member: &str) -> String {
    body.replace("{}", &format!("{{{member}}}")).replace("{\"", &format!("{{{member},\""))
}

/// An unpaired surrogate and a bare NaN cost no value of any response, on any operation.
#[test]
fn response_of_each_operation_is_repaired() {
    let mut repaired = std::collections::BTreeSet::new();
    for (number, exchange) in EXCHANGES.iter().filter(|(_, exchange)| (200..300).contains(&exchange.status)) {
        let Some(body @ Value::Object(_)) = &exchange.response else { continue };
        let operation = CURATED[usize::from(*number)];
        // Some consoles send an object in a response that is declared to be empty.
        if operation.response_format != ResponseFormat::Json {
            continue;
        }
        let status = StatusCode::from_u16(exchange.status).unwrap();
        let strict = with_member(&body.to_string(), r#""odd":"a\ufffd","none":null"#);
        let invalid = with_member(&body.to_string(), r#""odd":"a\udfff","none":NaN"#);
        let response = Response::<Value>::from_parts(operation, status, HeaderMap::new(), invalid).unwrap();
        let expected: Value = serde_json::from_str(&strict).unwrap();
        assert_eq!(*response, expected, "{}", operation.id);
        assert_eq!(response.json(), expected, "{}", operation.id);
        assert!(!response.repairs().is_empty() && !response.repairs().has_loss(), "{}", operation.id);
        repaired.insert(operation.id);
    }
    let json = CURATED.iter().filter(|operation| operation.response_format == ResponseFormat::Json);
    assert_eq!(repaired, json.map(|operation| operation.id).collect());
}

/// An invalid item of a list costs that item only, on any list.
#[test]
fn list_of_each_operation_keeps_items_next_to_an_invalid_one() {
    let lists = CURATED.iter().filter(|operation| operation.paging == Paging::Cursor);
    for operation in lists {
        let items = r#"[{"id":"1"},{"id":"2","path":"C:\x"},{"id":"3"}]"#;
        let data = match operation.items.strip_prefix("data.") {
            Some(key) => format!(r#"{{"{key}":{items}}}"#),
            None => items.to_owned(),
        };
        let body = format!(r#"{{"data":{data},"pagination":{{"nextCursor":null,"totalItems":3}}}}"#);
        let status = StatusCode::OK;
        let page = Response::<Page<Value>>::from_parts(operation, status, HeaderMap::new(), body).unwrap();
        let ids: Vec<_> = page.data.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["1", "3"], "{}", operation.id);
        let [item] = page.undecoded.as_slice() else { panic!("{}: {:?}", operation.id, page.undecoded) };
        assert_eq!((item.index, item.value.as_str()), (1, Some(r#"{"id":"2","path":"C:\x"}"#)));
        let repair = page.repairs().iter().next().unwrap();
        assert_eq!(repair.item_id.as_deref(), Some("2"), "{}", operation.id);
    }
}

/// The contract check reports a body that the client would repair.
#[test]
fn contract_check_reports_invalid_json() {
    let contract = Contract::bundled();
    let operation = contract.operation("threats_list").unwrap();
    for value in [&br#""\ud800""#[..], b"NaN", b"\"\xff\"", b"\"a\nb\"", br#""\q""#] {
        let body = [br#"{"data": [{"id": "1", "threatInfo": {"threatName": "#, value, b"}}]}"].concat();
        let rules: Vec<_> =
            contract.check_response(operation, 200, &body).into_iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [ContractRule::InvalidJson], "{}", String::from_utf8_lossy(value));
    }
    for number in ["18446744073709551616123", "-9223372036854775809123", "0.1234567890123456789012"] {
        let body = format!(r#"{{"data": [{{"id": "1", "threatInfo": {{"fileSize": {number}}}}}]}}"#);
        let findings = contract.check_response(operation, 200, body.as_bytes());
        let is_json = findings.iter().all(|finding| finding.rule != ContractRule::InvalidJson);
        assert!(is_json, "a number of any size is JSON: {findings:?}");
    }
}

#[test]
fn exchanges_cover_every_operation() {
    let operations: std::collections::BTreeSet<u8> = EXCHANGES.iter().map(|(number, _)| *number).collect();
    assert_eq!(operations.len(), CURATED.len());
}
