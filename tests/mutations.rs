//! Bodies that were real once and were spoilt on the way: whatever comes, it is a value or an error.
//! `fuzz/` has the same for a fuzzer.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/shapes.rs"]
mod shapes;

use std::path::Path;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sentinelone::contract::Contract;
use sentinelone::contract::fixture::{Exchange, read_all};
use sentinelone::raw::OPERATIONS;
use serde_json::{Map, Value, json};

/// The exchanges of `fixtures/`, and those that others published where they are at hand.
static EXCHANGES: LazyLock<Vec<(u8, Exchange)>> = LazyLock::new(|| {
    let mut exchanges = read_all(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    if let Some(folder) = std::env::var_os("S1_EXTRA_FIXTURES") {
        exchanges.extend(read_all(folder).unwrap());
    }
    let contract = Contract::bundled();
    let numbered = exchanges.into_iter().filter_map(|(_, exchange)| {
        let id = exchange.find(contract)?.operation.id().to_owned();
        let number = OPERATIONS.iter().position(|operation| operation.id == id)?;
        Some((u8::try_from(number).unwrap(), exchange))
    });
    numbered.collect()
});

/// Something else in the place of a value.
fn other() -> impl Strategy<Value = Value> {
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

/// Changes one place of a document.
fn change(value: &mut Value, place: Index, with: &Value, rename: bool) {
    fn places(value: &Value, path: &str, into: &mut Vec<String>) {
        into.push(path.to_owned());
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    places(inner, &format!("{path}/{name}"), into);
                }
            }
            Value::Array(list) => {
                // What is done to the first ones is done to all.
                for (index, inner) in list.iter().enumerate().take(3) {
                    places(inner, &format!("{path}/{index}"), into);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    places(value, "", &mut all);
    let Some(inner) = value.pointer_mut(&all[place.index(all.len())]) else { return };
    match inner {
        // A name that nobody knows, and one that is gone.
        Value::Object(map) if rename => {
            let renamed = map.iter().map(|(name, value)| (format!("{name}x"), value.clone()));
            *map = renamed.collect::<Map<_, _>>();
        }
        _ => *inner = with.clone(),
    }
}

/// What may happen to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Twice(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
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
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Twice(from, to)),
    ]
}

impl Damage {
    fn to(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        match self {
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Flip(at, with) => {
                if let Some(byte) = bytes.get_mut(at.index(length)) {
                    *byte ^= with;
                }
            }
            Self::Insert(at, piece) => {
                let at = at.index(length).min(bytes.len());
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Twice(from, to) => {
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

    /// A document of another shape.
    #[test]
    fn answers_of_another_shape(
        (operation, exchange) in exchange(),
        status in any::<u8>(),
        changes in vec((any::<Index>(), other(), any::<bool>()), 1..4),
        after in "[ -~]{0,12}",
    ) {
        let mut body = exchange.response.unwrap_or_default();
        for (place, with, rename) in &changes {
            change(&mut body, *place, with, *rename);
        }
        shapes::answer(&[&[operation, status], after.as_bytes(), b"\n", body.to_string().as_bytes()].concat());
    }

    /// Bytes that are no document any more.
    #[test]
    fn answers_of_spoilt_bytes(
        (operation, exchange) in exchange(),
        status in any::<u8>(),
        damages in vec(damage(), 1..6),
    ) {
        let mut body = exchange.answer();
        damages.iter().for_each(|damage| damage.to(&mut body));
        shapes::answer(&[&[operation, status, b'\n'][..], &body].concat());
    }

    #[test]
    fn exchange_files_of_another_shape(
        (_, exchange) in exchange(),
        changes in vec((any::<Index>(), other(), any::<bool>()), 0..4),
        damages in vec(damage(), 0..2),
    ) {
        let mut file = serde_json::to_value(&exchange).unwrap();
        for (place, with, rename) in &changes {
            change(&mut file, *place, with, *rename);
        }
        let mut bytes = file.to_string().into_bytes();
        damages.iter().for_each(|damage| damage.to(&mut bytes));
        shapes::exchange(&bytes);
    }

    #[test]
    fn texts_of_any_kind(text in prop_oneof![
        ".{0,60}",
        "[0-9TZ:+. -]{0,30}",
        "[0-9]{0,25} (second|minute|hour|day|week|month|year)s? ?(ago)?",
        "(https?:/?/?)?[a-z@:\\[\\]0-9./?#%-]{0,40}",
    ]) {
        shapes::text(&text);
    }
}

#[test]
fn there_is_enough_to_spoil() {
    let operations: std::collections::BTreeSet<u8> = EXCHANGES.iter().map(|(number, _)| *number).collect();
    assert_eq!(operations.len(), OPERATIONS.len());
}
