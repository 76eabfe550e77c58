//! Property tests and edge cases of the support code of the generated modules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the macro emits enums for public modules")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::runtime::*;

// ---- open enums

crate::runtime::open_enum! {
    /// An enum with special values.
    pub enum Level {
        /// `low` on the wire.
        Low = "low",
        /// `n/a` on the wire.
        NotApplicable = "n/a",
        /// `7` on the wire.
        Seven = "7",
        /// `true` on the wire.
        True = "true",
    }
}

fn level(text: &str) -> Level {
    serde_json::from_str(text).unwrap()
}

#[test]
fn open_enum_listed_values_are_recognized() {
    assert_eq!(Level::VALUES, ["low", "n/a", "7", "true"]);
    for wire in Level::VALUES {
        let value = Level::from(*wire);
        assert!(value.is_known(), "{wire}");
        assert!(!matches!(value, Level::Unrecognized(_)), "{wire}");
        assert_eq!((value.as_str(), value.as_ref(), &*value.to_string()), (*wire, *wire, *wire));
    }
    assert_eq!(level(r#""n/a""#), Level::NotApplicable);
    assert_eq!(format!("[{:>5}]", Level::Low), "[  low]", "padding is applied");
}

#[test]
fn open_enum_unlisted_values_are_preserved() {
    for wire in ["critical", "", " low", "LOW", "Low"] {
        let value = level(&json!(wire).to_string());
        assert_eq!(value, Level::Unrecognized(wire.into()));
        assert!(!value.is_known());
        assert_eq!(serde_json::to_value(&value).unwrap(), json!(wire));
    }
}

#[test]
fn open_enum_accepts_numbers_and_booleans() {
    assert_eq!(level("7"), Level::Seven);
    assert_eq!(level("true"), Level::True);
    for (wire, text) in
        [("-3", "-3"), ("18446744073709551615", "18446744073709551615"), ("0.5", "0.5"), ("false", "false")]
    {
        assert_eq!(level(wire), Level::Unrecognized(text.into()));
    }
    for invalid in ["null", "[]", r#"{"value": "low"}"#] {
        let error = serde_json::from_str::<Level>(invalid).unwrap_err().to_string();
        assert!(error.contains("expected a string"), "{error}");
    }
    assert_eq!(serde_json::from_str::<Option<Level>>("null").unwrap(), None);
}

proptest! {
    #[test]
    fn open_enum_round_trip(text in any::<String>()) {
        let value = Level::from(text.as_str());
        prop_assert_eq!(value.as_str(), &text);
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(&json, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(serde_json::from_str::<Level>(&json).unwrap(), value.clone());
        prop_assert_eq!(Level::from(text.clone()), value.clone());
        prop_assert_eq!(Level::from(&text), value.clone());
        prop_assert_eq!(Level::from(std::borrow::Cow::from(&*text)), value.clone());
        prop_assert_eq!(text.parse::<Level>().unwrap(), value.clone());
        prop_assert_eq!(value.is_known(), Level::VALUES.contains(&text.as_str()));
    }
}

// ---- timestamps

fn millis(text: &str) -> Option<i64> {
    Timestamp::from(text).unix_millis()
}

fn utc(text: &str) -> Option<String> {
    Timestamp::from(text).to_utc().map(|time| time.to_string())
}

#[test]
fn timestamp_accepted_formats_parse() {
    const SECOND: i64 = 1_732_177_800_000; // 2024-11-21T08:30:00Z
    for (text, expected) in [
        ("2024-11-21T08:30:00Z", SECOND),
        ("2024-11-21T08:30:00.123Z", SECOND + 123),
        ("2024-11-21T08:30:00.1234Z", SECOND + 123),
        ("2024-11-21T08:30:00.12345Z", SECOND + 123),
        ("2024-11-21T08:30:00.123999Z", SECOND + 123),
        ("2024-11-21T08:30:00.123", SECOND + 123),
        ("2024-11-21T08:30:00", SECOND),
        ("2024-11-21 08:30:00", SECOND),
        ("2024-11-21T10:30:00+02:00", SECOND),
        ("2024-11-21T03:30:00.5-05:00", SECOND + 500),
        ("1732177800123", SECOND + 123),
        (" 2024-11-21T08:30:00Z ", SECOND),
    ] {
        assert_eq!(millis(text), Some(expected), "{text}");
        let utc = utc(text).unwrap();
        assert!(utc.ends_with('Z'), "{text}: {utc}");
        assert_eq!(millis(&utc), Some(expected), "{text}: {utc}");
    }
    assert_eq!(utc("2024-11-21T10:30:00.123456+02:00").unwrap(), "2024-11-21T08:30:00.123456Z");
    assert_eq!(utc("2024-11-21T08:30:00").unwrap(), "2024-11-21T08:30:00Z");
    assert_eq!(utc("1732177800123").unwrap(), "2024-11-21T08:30:00.123Z");
}

#[test]
fn timestamp_unparseable_string_is_preserved() {
    for text in [
        "",
        "  ",
        "N/A",
        "yesterday",
        "true",
        "0",
        "12345",
        "2024-13-01T00:00:00Z",
        "99999999999999999",
        "20241121083000",
        "2024-11-21[Europe/Berlin]",
    ] {
        let time: Timestamp = serde_json::from_value(json!(text)).unwrap();
        assert_eq!(time.as_str(), text);
        assert_eq!(
            (time.unix_millis(), time.to_utc(), time.to_system_time()),
            (None, None, None),
            "{text:?}"
        );
        assert_eq!(serde_json::to_value(&time).unwrap(), json!(text));
    }
}

#[test]
fn timestamp_reads_any_scalar() {
    let read = |value: Value| serde_json::from_value::<Timestamp>(value);
    assert_eq!(read(json!(1_732_177_800_123_i64)).unwrap().unix_millis(), Some(1_732_177_800_123));
    assert_eq!(read(json!(-62_135_596_800_000_i64)).unwrap().as_str(), "-62135596800000");
    assert_eq!(read(json!(u64::MAX)).unwrap().unix_millis(), None);
    assert_eq!(read(json!(true)).unwrap().as_str(), "true");
    assert!(read(json!([])).is_err());
    assert!(read(json!({})).is_err());
    assert_eq!(serde_json::from_str::<Option<Timestamp>>("null").unwrap(), None);
}

#[test]
fn timestamp_before_1970_rounds_down() {
    assert_eq!(millis("1969-12-31T23:59:59.9999Z"), Some(-1));
    assert_eq!(millis("1969-12-31T23:59:59.999Z"), Some(-1));
    assert_eq!(millis("1969-12-31T23:59:59.9985Z"), Some(-2));
    assert_eq!(millis("1970-01-01T00:00:00.0009Z"), Some(0));
}

#[test]
fn timestamp_converts_to_and_from_system_time() {
    let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_732_177_800_123_456);
    let stamp = Timestamp::from(time);
    assert_eq!(stamp.as_str(), "2024-11-21T08:30:00.123456Z");
    assert_eq!(stamp.to_system_time(), Some(time));
    let now = Timestamp::now();
    let age = SystemTime::now().duration_since(now.to_system_time().unwrap()).unwrap_or_default();
    assert!(age < Duration::from_secs(60), "{now}");
    assert_eq!(now.to_utc().as_ref(), Some(&now));
    if let Some(far) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(400_000_000_000)) {
        assert_eq!(Timestamp::from(far).unix_millis(), None);
    }
    assert_eq!(Timestamp::from_unix_millis(i64::MAX), None);
    assert_eq!(Timestamp::from_unix_millis(i64::MIN), None);
    assert_eq!(format!("{:?}", Timestamp::from("x")), "Timestamp(x)");
    assert_eq!(format!("[{:<4}]", Timestamp::from("x")), "[x   ]");
}

/// Texts of valid timestamps in all accepted formats, with few instants so that some are equal, and other texts.
fn timestamp_text() -> impl Strategy<Value = String> {
    let seconds = || 1_700_000_000_i64..1_700_000_010;
    let at = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap();
    prop_oneof![
        seconds().prop_map(move |seconds| at(seconds).to_string()),
        (seconds(), -12_i8..12).prop_map(move |(seconds, hours)| {
            let offset = jiff::tz::offset(hours);
            let local = offset.to_datetime(at(seconds));
            format!("{local}{offset:#}")
        }),
        seconds().prop_map(move |seconds| at(seconds).to_string().trim_end_matches('Z').to_owned()),
        (seconds(), 0..1_000_i64).prop_map(|(seconds, millis)| (seconds * 1_000 + millis).to_string()),
        "[a-z]{0,2}",
    ]
}

#[test]
fn timestamp_order_is_that_of_instants() {
    let mut times =
        ["soon", "2026-11-20T10:00:00Z", "2026-11-20T10:30:00+01:00", "", "2026-11-20T09:59:59.5"]
            .map(Timestamp::from);
    times.sort();
    let texts = times.each_ref().map(Timestamp::as_str);
    assert_eq!(
        texts,
        ["2026-11-20T10:30:00+01:00", "2026-11-20T09:59:59.5", "2026-11-20T10:00:00Z", "", "soon"]
    );
    let (utc, local) = ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00+01:00");
    let (utc, local) = (Timestamp::from(utc), Timestamp::from(local));
    assert!(utc < local && utc != local, "the string decides between equal instants");
}

#[test]
fn timestamp_invalid_string_does_not_convert() {
    let error = jiff::Timestamp::try_from(Timestamp::from("soon")).unwrap_err();
    assert_eq!(error.text(), "soon");
    let expected = "\"soon\" is not a timestamp; expected RFC 3339, such as 2026-11-20T10:00:00Z";
    assert_eq!(error.to_string(), expected);
}

proptest! {
    #[test]
    fn timestamp_order_is_total_and_agrees_with_equality(
        one in timestamp_text(), other in timestamp_text(), third in timestamp_text()
    ) {
        let [one, other, third] = [one, other, third].map(Timestamp::from);
        prop_assert_eq!(one.cmp(&other), other.cmp(&one).reverse());
        prop_assert_eq!(one.cmp(&other).is_eq(), one == other);
        prop_assert_eq!(one.partial_cmp(&other), Some(one.cmp(&other)));
        if one <= other && other <= third {
            prop_assert!(one <= third);
        }
        match (jiff::Timestamp::try_from(&one), jiff::Timestamp::try_from(&other)) {
            (Ok(first), Ok(second)) if first != second => prop_assert_eq!(one.cmp(&other), first.cmp(&second)),
            (Ok(_), Err(_)) => prop_assert!(one < other),
            _ => {}
        }
    }

    #[test]
    fn timestamp_converts_to_and_from_jiff(nanoseconds in 0..2_000_000_000_000_000_000_i128) {
        let instant = jiff::Timestamp::from_nanosecond(nanoseconds).unwrap();
        let time = Timestamp::from(instant);
        prop_assert!(time.as_str().ends_with('Z'));
        prop_assert_eq!(jiff::Timestamp::try_from(&time), Ok(instant));
    }

    #[test]
    fn timestamp_unix_millis_round_trip(ms in -377_705_000_000_000_i64..253_402_200_000_000) {
        let time = Timestamp::from_unix_millis(ms).unwrap();
        prop_assert_eq!(time.unix_millis(), Some(ms));
        prop_assert!(time.as_str().ends_with('Z'));
        prop_assert_eq!(time.to_utc(), Some(time.clone()));
    }

    #[test]
    fn timestamp_serialization_preserves_string(text in any::<String>()) {
        let time: Timestamp = serde_json::from_value(json!(text)).unwrap();
        prop_assert_eq!(serde_json::to_value(&time).unwrap(), json!(text));
        if let Some(utc) = time.to_utc() {
            prop_assert!(utc.as_str().ends_with('Z'));
            prop_assert_eq!(utc.unix_millis(), time.unix_millis());
        }
    }
}

// ---- responses

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Detail {
    size: i64,
}

fn page(value: &Value) -> Page<Item> {
    Page::decode(value.to_string().as_bytes()).unwrap()
}

#[test]
fn page_valid_items_decode() {
    let page = page(&json!({
        "data": [{ "id": "1" }, { "id": "2", "detail": { "size": 3 } }],
        "pagination": { "totalItems": 12, "nextCursor": "abc" },
    }));
    assert_eq!(page.data.iter().map(|item| &*item.id).collect::<Vec<_>>(), ["1", "2"]);
    assert!(page.undecoded.is_empty());
    assert_eq!((page.total(), page.next_cursor()), (Some(12), Some("abc")));
    assert_eq!(page.errors, None);
}

#[test]
fn page_without_data_is_empty() {
    for value in [
        json!({ "data": null }),
        json!({ "data": [] }),
        json!({ "pagination": { "totalItems": 0 } }),
        json!({ "data": null, "pagination": null, "errors": null }),
        json!({ "errors": [] }),
    ] {
        let page = page(&value);
        assert!(page.data.is_empty() && page.undecoded.is_empty(), "{value}");
    }
}

#[test]
fn page_invalid_body_is_rejected() {
    for body in [
        "",
        " ",
        "{",
        "{}",
        "null",
        "[]",
        "3",
        "\"text\"",
        "<html></html>",
        "{\"data\": []} x",
        r#"{"error": {"code": 1}}"#,
        r#"{"errors": null}"#,
        r#"{"data": {}}"#,
        r#"{"data": "none"}"#,
        r#"{"message": "not found"}"#,
    ] {
        let error = Page::<Item>::decode(body.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("at {}: ", error.path)), "{body}: {error}");
    }
    let error = Page::<Item>::decode(br#"{"error": 1}"#).unwrap_err();
    assert_eq!(error.to_string(), "at .: not a page of a list: data and pagination are missing");
    let error = Page::<Item>::decode(br#"{"data": {}}"#).unwrap_err();
    assert_eq!(error.path, "data");
    assert!(Page::<Item>::decode(b"{\"data\": [{\"id\": \"\xff\"}]}").is_err(), "invalid UTF-8");
}

#[test]
fn page_with_invalid_pagination_decodes() {
    let pagination = |text: &str| {
        let body = format!(r#"{{"data": [{{"id": "1"}}], "pagination": {text}}}"#);
        let page = Page::<Item>::decode(body.as_bytes()).unwrap();
        assert_eq!(page.data.len(), 1);
        (page.next_cursor().map(str::to_owned), page.total())
    };
    assert_eq!(pagination(r#"{"nextCursor": 3, "totalItems": -1}"#), (Some("3".into()), None));
    assert_eq!(pagination(r#"{"nextCursor": {}, "totalItems": "many"}"#), (None, None));
    assert_eq!(
        pagination(r#"{"nextCursor": "a", "totalItems": 7, "more": true}"#),
        (Some("a".into()), Some(7))
    );
    assert_eq!(pagination("null"), (None, None));
}

#[test]
fn page_undecodable_items_are_isolated() {
    let value = json!({
        "data": [{ "id": 1 }, { "id": "a" }, { "id": "b", "detail": { "size": "big" } }, { "id": "c" }, 7],
        "pagination": { "nextCursor": "next" },
        "errors": [{ "code": 5 }],
    });
    let page = page(&value);
    assert_eq!(page.data.iter().map(|item| &*item.id).collect::<Vec<_>>(), ["a", "c"]);
    let undecoded: Vec<_> = page.undecoded.iter().map(|item| (item.index, &*item.error.path)).collect();
    assert_eq!(undecoded, [(0, "id"), (2, "detail.size"), (4, ".")]);
    assert_eq!(page.undecoded[1].error_with_page_path().path, "data[2].detail.size");
    for item in &page.undecoded {
        assert_eq!(item.value, value["data"][item.index]);
    }
    assert!(page.undecoded[1].error.message.contains("big"), "{}", page.undecoded[1].error);
    assert_eq!((page.next_cursor(), page.total()), (Some("next"), None));
    assert_eq!(serde_json::to_value(&page).unwrap(), value);

    let order: Vec<_> =
        page.into_items().map(|item| item.map(|item| item.id).map_err(|item| item.index)).collect();
    assert_eq!(order, [Err(0), Ok("a".into()), Err(2), Ok("c".into()), Err(4)]);
}

#[test]
fn page_null_items_are_dropped() {
    let page = Page::<Item>::decode(br#"{"data": [null, {"id": "a"}, null]}"#).unwrap();
    assert_eq!((page.data.len(), page.undecoded.len()), (1, 0));
    let page = Page::<Item>::decode(br#"{"data": [null, {"id": "a"}, null, {"id": 1}]}"#).unwrap();
    assert_eq!((page.data.len(), page.undecoded[0].index), (1, 1), "nulls are not counted");
}

#[test]
fn next_cursor_null_or_blank_is_none() {
    for cursor in [json!(null), json!(""), json!("  "), json!("null"), json!(" null ")] {
        let page = page(&json!({ "data": [], "pagination": { "nextCursor": cursor } }));
        assert_eq!(page.next_cursor(), None, "{cursor}");
    }
    assert_eq!(page(&json!({ "data": [], "pagination": {} })).next_cursor(), None);
    assert_eq!(page(&json!({ "data": [], "pagination": null })).next_cursor(), None);
    assert_eq!(page(&json!({ "data": [] })).next_cursor(), None);
    assert_eq!(
        page(&json!({ "data": [], "pagination": { "nextCursor": "nullable" } })).next_cursor(),
        Some("nullable")
    );
}

fn any_item() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(|id| json!({ "id": id })),
        (any::<String>(), any::<i64>()).prop_map(|(id, n)| json!({ "id": id, "detail": { "size": n } })),
        any::<i64>().prop_map(|id| json!({ "id": id })),
        any::<String>().prop_map(|text| json!(text)),
        any::<bool>().prop_map(|flag| json!({ "id": "x", "detail": { "size": flag } })),
        Just(json!({})),
    ]
}

proptest! {
    #[test]
    fn page_round_trip(items in prop::collection::vec(any_item(), 0..12), cursor in prop::option::of(".*")) {
        let mut value = json!({ "data": items });
        if let Some(cursor) = cursor {
            value["pagination"] = json!({ "totalItems": items.len(), "nextCursor": cursor });
        }
        let page = page(&value);
        prop_assert_eq!(page.data.len() + page.undecoded.len(), items.len());
        prop_assert_eq!(serde_json::to_value(&page).unwrap(), value);
        for (item, expected) in page.into_items().zip(&items) {
            let reencoded = match item {
                Ok(item) => serde_json::to_value(item).unwrap(),
                Err(undecoded) => undecoded.value,
            };
            prop_assert_eq!(&reencoded, expected);
        }
    }

    #[test]
    fn decode_arbitrary_bytes_does_not_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Page::<Item>::decode(&body);
        let _ = Data::<Item>::decode(&body);
        prop_assert_eq!(Empty::decode(&body), Ok(Empty));
    }
}

#[test]
fn data_single_item_decodes() {
    let data = Data::<Item>::decode(br#"{"data": {"id": "a"}, "more": 1}"#).unwrap();
    assert_eq!(data.data.as_ref().unwrap().id, "a");
    assert_eq!(serde_json::to_value(&data).unwrap(), json!({ "data": { "id": "a" } }));
    for body in ["{}", r#"{"data": null}"#, r#"{"data": null, "errors": null}"#] {
        assert_eq!(Data::<Item>::decode(body.as_bytes()).unwrap(), Data::default(), "{body}");
    }
    let data = Data::<Item>::decode(br#"{"errors": [{"code": 1}]}"#).unwrap();
    assert_eq!(data.errors, Some(vec![json!({ "code": 1 })]));
    let error = Data::<Item>::decode(br#"{"data": {"id": "a", "detail": {"size": "b"}}}"#).unwrap_err();
    assert_eq!(error.path, "data.detail.size");
    for body in ["", "3", "{\"data\": {}}", "{} {}", "nonsense"] {
        assert!(Data::<Item>::decode(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn value_and_empty_bodies_decode() {
    assert_eq!(Value::decode(b"[1, null]").unwrap(), json!([1, null]));
    assert!(Value::decode(b"").is_err());
    assert!(Value::decode(b"1 2").is_err());
    assert_eq!(Empty::decode(b"\xff ignored").unwrap(), Empty);
}

#[cfg(feature = "contract")]
#[test]
fn reencode_drops_unknown_fields() {
    use crate::runtime::{reencode_request_body, reencode_response};

    let body = br#"{"data": [{"id": "a", "color": "red"}, null], "more": 1}"#;
    let reencoded = reencode_response::<Page<Item>>(body).unwrap();
    assert_eq!(reencoded, json!({ "data": [{ "id": "a" }] }));
    let error = reencode_response::<Page<Item>>(br#"{"data": [{"id": "a"}, {"id": 2}]}"#).unwrap_err();
    assert_eq!(error.path, "data[1].id", "an item that does not decode is an error");
    let page = Data::<Item>::decode(br#"{"data": {"id": "a"}, "pagination": {"nextCursor": "c"}}"#).unwrap();
    assert_eq!(page.pagination.unwrap().next_cursor(), Some("c"));
    for other in ["null", "[]", "7"] {
        let body = format!(r#"{{"data": {{"id": "a"}}, "pagination": {other}}}"#);
        assert_eq!(Data::<Item>::decode(body.as_bytes()).unwrap().pagination, None, "{other}");
    }
    let reencoded = reencode_response::<Data<Item>>(br#"{"data": {"id": "a", "detail": null}}"#).unwrap();
    assert_eq!(reencoded, json!({ "data": { "id": "a" } }));
    assert_eq!(reencode_response::<Page<Item>>(b"{}").unwrap_err().path, ".");
    assert_eq!(reencode_request_body::<Item>(br#"{"id": "a", "x": 1}"#).unwrap(), json!({ "id": "a" }));
    assert_eq!(reencode_request_body::<Item>(br#"{"id": 1}"#).unwrap_err().path, "id");
}

#[test]
fn list_null_elements_are_dropped() {
    #[derive(Deserialize)]
    struct Holder {
        #[serde(default, deserialize_with = "crate::runtime::list")]
        names: Option<Vec<String>>,
    }
    let names = |text: &str| serde_json::from_str::<Holder>(text).unwrap().names;
    assert_eq!(names(r#"{"names": ["a", null, "b", null]}"#).unwrap(), ["a", "b"]);
    assert_eq!(names(r#"{"names": [null]}"#), Some(Vec::new()));
    assert_eq!(names(r#"{"names": []}"#), Some(Vec::new()));
    assert_eq!(names(r#"{"names": null}"#), None);
    assert_eq!(names("{}"), None);
    assert!(serde_json::from_str::<Holder>(r#"{"names": 3}"#).is_err());
    assert!(serde_json::from_str::<Holder>(r#"{"names": [1]}"#).is_err());
}

#[test]
fn map_null_entries_are_dropped() {
    #[derive(Deserialize)]
    struct Holder {
        #[serde(default, deserialize_with = "crate::runtime::map")]
        counts: Option<BTreeMap<String, i64>>,
    }
    let counts = |text: &str| serde_json::from_str::<Holder>(text).unwrap().counts;
    let expected = BTreeMap::from([("a".to_owned(), 1), ("c".to_owned(), 3)]);
    assert_eq!(counts(r#"{"counts": {"a": 1, "b": null, "c": 3}}"#), Some(expected));
    assert_eq!(counts(r#"{"counts": {}}"#), Some(BTreeMap::new()));
    assert_eq!(counts(r#"{"counts": null}"#), None);
    assert_eq!(counts("{}"), None);
    assert!(serde_json::from_str::<Holder>(r#"{"counts": {"a": "1"}}"#).is_err());
}

// ---- members

#[derive(Clone, Debug, Default, PartialEq)]
struct Device {
    name: Option<String>,
    on: Option<bool>,
    ports: Option<Vec<i64>>,
    load: Option<f64>,
    tags: Option<BTreeMap<String, String>>,
    parent: Option<Box<Device>>,
    site: Option<Site>,
    level: Option<Level>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Site {
    floor: Option<i64>,
}

impl object_reader::ReadMembers for Device {
    fn member<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "name" => self.name = object_reader::string(map)?,
            "on" => self.on = object_reader::boolean(map)?,
            "ports" => self.ports = object_reader::list(map)?,
            "load" => self.load = object_reader::number(map)?,
            "tags" => self.tags = object_reader::map(map)?,
            "parent" => self.parent = object_reader::value(map)?,
            "site" => self.site = object_reader::object(map)?,
            "level" => self.level = object_reader::value(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl object_reader::ReadMembers for Site {
    fn member<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        if name == "floor" {
            self.floor = object_reader::integer(map)?;
        }
        Ok(name == "floor")
    }
}

object_reader::impl_read_members!(Device);
object_reader::impl_read_members!(Site);

#[test]
fn object_reader_reads_each_member_type() {
    let device = r#"{
        "n\u0061me": 7, "on": "True", "ports": [1, null, 2], "load": "0.5", "tags": { "a": "b", "c": null },
        "parent": { "name": "rack", "parent": null }, "site": { "floor": 3.0, "new": [{}] }, "level": "novel",
        "new": { "deep": [1, { "name": "ignored" }] }
    }"#;
    let parent = Device { name: Some("rack".into()), ..Device::default() };
    let expected = Device {
        name: Some("7".into()),
        on: Some(true),
        ports: Some(vec![1, 2]),
        load: Some(0.5),
        tags: Some(BTreeMap::from([("a".into(), "b".into())])),
        parent: Some(parent.into()),
        site: Some(Site { floor: Some(3) }),
        level: Some(Level::Unrecognized("novel".into())),
    };
    assert_eq!(serde_json::from_str::<Device>(device).unwrap(), expected);
    let value: Value = serde_json::from_str(device).unwrap();
    assert_eq!(Device::deserialize(&value).unwrap(), expected, "from a parsed value");
    let all_null = json!({ "name": null, "on": null, "ports": null, "load": null, "tags": null, "parent": null,
        "site": null, "level": null });
    assert_eq!(serde_json::from_value::<Device>(all_null).unwrap(), Device::default());
}

#[test]
fn object_reader_duplicate_member_keeps_last() {
    let twice = r#"{ "name": "first", "on": true, "name": "last", "on": null }"#;
    let device: Device = serde_json::from_str(twice).unwrap();
    assert_eq!(device, Device { name: Some("last".into()), ..Device::default() });
}

#[test]
fn object_reader_rejects_non_objects() {
    assert_eq!(
        serde_json::from_str::<Device>("[]").unwrap(),
        Device::default(),
        "an empty list is an empty object"
    );
    for invalid in [r#"["name"]"#, "null", "7", r#""name""#] {
        let error = serde_json::from_str::<Device>(invalid).unwrap_err().to_string();
        assert!(error.contains("expected an object"), "{invalid}: {error}");
    }
    let page =
        Page::<Device>::decode(br#"{ "data": [{ "name": "a" }, ["b"], { "ports": {} }, { "load": [] }] }"#)
            .unwrap();
    assert_eq!(page.data.len(), 1);
    let undecoded: Vec<_> =
        page.undecoded.iter().map(|item| (item.index, item.error.path.as_str())).collect();
    assert_eq!(undecoded, [(1, "."), (2, "ports"), (3, "load")]);
}

// ---- requests

const FILTER: &[Field] = &[
    Field {
        item_count: (Some(1), Some(3)),
        length: (Some(2), Some(5)),
        ..Field::new("ids", "ids", FieldKind::List, "")
    },
    Field::new("active", "active", FieldKind::Boolean, ""),
    Field { length: (Some(2), Some(5)), ..Field::new("query", "query", FieldKind::String, "") },
    Field { range: (Some(0), Some(100)), ..Field::new("size", "size", FieldKind::Integer, "") },
    Field { range: (Some(0), Some(100)), ..Field::new("share", "share", FieldKind::Number, "") },
    Field::new("createdAt__gt", "created_at_gt", FieldKind::Timestamp, ""),
    Field {
        narrows_selection: false,
        range: (Some(1), Some(1000)),
        ..Field::new("limit", "limit", FieldKind::Integer, "")
    },
    Field { narrows_selection: false, ..Field::new("tenant", "tenant", FieldKind::Boolean, "") },
];

const DATA: &[Field] = &[
    Field { length: (None, Some(3)), ..Field::new("note", "note", FieldKind::String, "") },
    Field { item_count: (Some(0), Some(2)), ..Field::new("tags", "tags", FieldKind::List, "") },
    Field::new("owners", "owners", FieldKind::List, ""),
    Field::new("until", "until", FieldKind::Timestamp, ""),
    Field { range: (Some(1), None), ..Field::new("count", "count", FieldKind::Integer, "") },
];

/// Parameters of the operation, which precede those of the filter.
const OWN: &[Field] = &[
    Field { narrows_selection: false, ..Field::new("cursor", "cursor", FieldKind::String, "") },
    Field {
        narrows_selection: false,
        range: (Some(1), Some(50)),
        ..Field::new("limit", "limit", FieldKind::Integer, "")
    },
];

const fn operation(id: &'static str, method: Method, path: &'static str) -> Operation {
    Operation {
        id,
        resource: "widgets",
        method,
        path,
        summary: "",
        versions: &[ApiVersion::V2_0, ApiVersion::V2_1],
        security: Security::ApiToken,
        tier: Tier::Curated,
        permissions: Permissions::new(&[], &[]),
        access: None,
        end: None,
        kind: OperationKind::Read,
        idempotent: true,
        destructive: false,
        filter: FilterRequirement::Optional,
        rate_limit: None,
        paging: Paging::None,
        items: "data",
        request_format: RequestFormat::Json,
        response_format: ResponseFormat::Json,
        query_params: &[],
        body_parts: &[],
        secret_fields: &[],
        evidence: &[],
    }
}

static LIST: Operation = Operation {
    query_params: &[OWN, FILTER],
    ..operation("widgets_list", Method::Get, "/web/api/v{version}/widgets")
};

static GET: Operation = Operation {
    filter: FilterRequirement::None,
    versions: &[ApiVersion::V2_1],
    ..operation("widgets_get", Method::Get, "/web/api/v{version}/widgets/{id}/parts/{part}")
};

static ACTION: Operation = Operation {
    kind: OperationKind::Action,
    filter: FilterRequirement::Required,
    body_parts: &[BodyPart::new("data", false, DATA), BodyPart::new("filter", true, FILTER)],
    ..operation("widgets_update", Method::Post, "/web/api/v{version}/widgets/update")
};

type Built = Result<Request<Empty>, RequestError>;

fn list_with_query(query: &Value) -> Built {
    Request::new(&LIST).with_query(query)
}

fn action_with_filter(filter: Value) -> Built {
    Request::new(&ACTION).with_body(&json!({ "filter": filter }))
}

fn action_with_data(data: Value) -> Built {
    Request::new(&ACTION).with_body(&json!({ "data": data }))
}

#[track_caller]
fn error_kind(built: Built) -> RequestErrorKind {
    built.unwrap_err().kind().clone()
}

fn path_param(value: &str) -> Built {
    Request::new(&GET).path_param("id", value)?.path_param("part", "p")
}

#[test]
fn path_param_unsafe_value_is_rejected() {
    for value in ["", " ", "\t", "\u{a0}", ".", "..", "a\nb", "a\0", "\u{7f}", "a\u{85}b"] {
        let expected = RequestErrorKind::InvalidPathParam { name: "id", value: value.into() };
        assert_eq!(error_kind(path_param(value)), expected, "{value:?}");
    }
}

#[test]
fn path_param_is_percent_encoded() {
    for (value, encoded) in [
        ("123", "123"),
        ("a-b_c.d~e", "a-b_c.d~e"),
        ("...", "..."),
        ("a/../b", "a%2F..%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("50%", "50%25"),
        ("%2e%2e", "%252e%252e"),
        ("a b", "a%20b"),
        ("ü", "%C3%BC"),
        ("{part}", "%7Bpart%7D"),
        ("{version}", "%7Bversion%7D"),
    ] {
        let path = path_param(value).unwrap().path(ApiVersion::V2_1).unwrap();
        assert_eq!(path, format!("/web/api/v2.1/widgets/{encoded}/parts/p"), "{value}");
    }
}

proptest! {
    #[test]
    fn path_param_percent_encoding_round_trips(value in any::<String>()) {
        match path_param(&value) {
            Ok(request) => {
                let path = request.path(ApiVersion::V2_1).unwrap();
                let parts: Vec<_> = path.split('/').collect();
                prop_assert_eq!(parts.len(), 8, "{}", path);
                prop_assert!(path.bytes().all(|b| b.is_ascii_graphic() && !b"?#{}\\".contains(&b)), "{}", path);
                let decoded = percent_encoding::percent_decode_str(parts[5]).decode_utf8().unwrap();
                prop_assert_eq!(decoded, value);
            }
            Err(error) => {
                let dots = value == "." || value == "..";
                prop_assert!(value.trim().is_empty() || dots || value.contains(char::is_control), "{}", error);
            }
        }
    }
}

#[test]
fn header_param_of_visible_characters_is_sent() {
    let built = |value: Option<&str>| Request::<Value>::new(&GET).header_param("X-Tag", value);
    assert_eq!(built(None).unwrap().headers(), []);
    assert_eq!(built(Some("a 1~")).unwrap().headers(), [("X-Tag", "a 1~".to_owned())]);
    for value in ["", " ", "a\nb: c", "a\0", "ü", "\u{7f}"] {
        let expected = RequestErrorKind::InvalidHeader { name: "X-Tag", value: value.into() };
        assert_eq!(built(Some(value)).unwrap_err().kind(), &expected, "{value:?}");
    }
}

#[test]
fn file_part_is_its_name_in_the_body() {
    let file = FilePart::new("a.CSV", "x,y");
    assert_eq!((file.media_type(), &file.content()[..]), ("text/csv", &b"x,y"[..]));
    assert_eq!(format!("{file:?}"), r#"FilePart { name: "a.CSV", media_type: "text/csv", bytes: 3 }"#);
    let body = json!({ "file": file });
    assert_eq!(body, json!({ "file": "a.CSV" }));
    let request = Request::<Value>::new(&ACTION).with_body(&body).unwrap();
    let request = request.with_file("file", &file).unwrap().with_file("other", None).unwrap();
    assert_eq!((request.body(), request.files()), (Some(&body), &[("file", file)][..]));
    let read: FilePart = serde_json::from_value(json!("b.bin")).unwrap();
    assert_eq!(read, FilePart::new("b.bin", "").with_media_type("application/octet-stream"));
}

#[test]
fn path_unsupported_api_version_is_rejected() {
    let request = path_param("1").unwrap();
    assert_eq!(request.path(ApiVersion::V2_1).unwrap(), "/web/api/v2.1/widgets/1/parts/p");
    let error = request.path(ApiVersion::V2_0).unwrap_err();
    assert_eq!(
        error.kind(),
        &RequestErrorKind::UnsupportedApiVersion {
            version: ApiVersion::V2_0,
            supported: &[ApiVersion::V2_1]
        }
    );
    assert_eq!(error.operation(), "widgets_get");
    assert_eq!(error.to_string(), "widgets_get: not supported on API 2.0; supported on 2.1");
    let list = list_with_query(&json!({})).unwrap();
    assert_eq!(list.path(ApiVersion::V2_0).unwrap(), "/web/api/v2.0/widgets");
    assert_eq!((list.method().as_str(), list.operation().id), ("GET", "widgets_list"));
}

#[test]
fn query_values_are_formatted_for_the_wire() {
    let request = list_with_query(&json!({
        "ids": ["aa", "bb"], "active": true, "tenant": false, "size": 7, "share": 0.5,
        "query": "a, b", "limit": 5, "cursor": null, "createdAt__gt": "2024-11-21T10:30:00.5+02:00",
    }))
    .unwrap();
    let query = request.query();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut sorted = query.clone();
    sorted.sort_unstable();
    assert_eq!(query, sorted, "sorted by name");
    assert_eq!(
        query.into_iter().collect::<BTreeMap<_, _>>(),
        BTreeMap::from([
            ("active", "true"),
            ("createdAt__gt", "2024-11-21T08:30:00.5Z"),
            ("ids", "aa,bb"),
            ("limit", "5"),
            ("query", "a, b"),
            ("share", "0.5"),
            ("size", "7"),
            ("tenant", "false"),
        ])
    );
    assert_eq!(request.body(), None);
}

#[test]
fn query_fields_duplicate_name_keeps_first() {
    let names: Vec<_> = LIST.query_fields().map(|field| field.name).collect();
    assert_eq!(names.iter().filter(|name| **name == "limit").count(), 1);
    assert_eq!(names.len(), OWN.len() + FILTER.len() - 1);
    assert_eq!(
        LIST.query_field("limit").unwrap().range,
        (Some(1), Some(50)),
        "the parameter of the operation is first"
    );
    assert!(LIST.query_field("undeclared").is_none());
    assert_eq!(
        error_kind(list_with_query(&json!({ "limit": 51 }))),
        RequestErrorKind::ValueOutOfRange { field: "limit".into(), value: 51, bounds: (Some(1), Some(50)) }
    );
}

#[test]
fn list_item_count_out_of_range_is_rejected() {
    let items = |count| RequestErrorKind::ItemCountOutOfRange {
        field: "filter.ids".into(),
        count,
        bounds: (Some(1), Some(3)),
    };
    assert_eq!(
        error_kind(action_with_filter(json!({ "ids": [] }))),
        RequestErrorKind::EmptyList("filter.ids".into())
    );
    assert!(action_with_filter(json!({ "ids": ["aa"] })).is_ok());
    assert!(action_with_filter(json!({ "ids": ["aa", "bb", "cc"] })).is_ok());
    assert_eq!(error_kind(action_with_filter(json!({ "ids": ["aa", "bb", "cc", "dd"] }))), items(4));
    assert_eq!(error_kind(list_with_query(&json!({ "ids": [] }))), RequestErrorKind::EmptyList("ids".into()));

    assert!(action_with_data(json!({ "tags": ["a", "b"] })).is_ok());
    let expected = RequestErrorKind::ItemCountOutOfRange {
        field: "data.tags".into(),
        count: 3,
        bounds: (Some(0), Some(2)),
    };
    assert_eq!(error_kind(action_with_data(json!({ "tags": ["a", "b", "c"] }))), expected);
}

#[test]
fn body_empty_list_is_rejected_unless_documented() {
    assert!(action_with_data(json!({ "tags": [] })).is_ok(), "a minimum of 0 items documents the empty list");
    for (data, location) in [
        (json!({ "owners": [] }), "data.owners"),
        (json!([]), "data"),
        (json!([{ "tags": [] }, { "owners": [] }]), "data.owners"),
        (json!({ "undeclared": [] }), "data.undeclared"),
        (json!({ "rule": { "queries": [] } }), "data.rule.queries"),
        (json!({ "rule": { "queries": [{ "fields": [] }] } }), "data.rule.queries.fields"),
        (json!({ "rule": { "tags": [] } }), "data.rule.tags"),
        (json!({ "owners": [[]] }), "data.owners"),
    ] {
        let kind = error_kind(action_with_data(data.clone()));
        assert_eq!(kind, RequestErrorKind::EmptyList(location.into()), "{data}");
    }
    static REPLACE: Operation = Operation { method: Method::Put, ..ACTION };
    let replace = |body: Value| -> Built { Request::new(&REPLACE).with_body(&body) };
    assert!(replace(json!({ "data": { "undeclared": [], "rule": { "fields": [] } } })).is_ok());
    let kind = error_kind(replace(json!({ "data": { "owners": [] } })));
    assert_eq!(kind, RequestErrorKind::EmptyList("data.owners".into()), "a declared list of a PUT");
    let kind = error_kind(replace(json!({ "data": [] })));
    assert_eq!(kind, RequestErrorKind::EmptyList("data".into()), "a list in place of the object");
    let filter = action_with_filter(json!({ "nested": { "ids": [] } }));
    assert_eq!(error_kind(filter), RequestErrorKind::EmptyList("filter.nested.ids".into()));
    assert!(action_with_data(json!({ "rule": { "queries": ["a"] }, "owners": null })).is_ok());
}

#[test]
fn string_length_out_of_range_is_rejected() {
    let length = |field: &str, count| RequestErrorKind::LengthOutOfRange {
        field: field.into(),
        count,
        bounds: (Some(2), Some(5)),
    };
    for (text, count) in [("a", 1), ("abcdef", 6), ("üüüüüü", 6)] {
        assert_eq!(error_kind(action_with_filter(json!({ "query": text }))), length("filter.query", count));
        assert_eq!(
            error_kind(action_with_filter(json!({ "ids": ["aa", text] }))),
            length("filter.ids", count)
        );
    }
    for text in ["ab", "abcde", "üüüüü", "a b"] {
        assert!(action_with_filter(json!({ "query": text })).is_ok(), "{text}");
        assert!(action_with_filter(json!({ "ids": [text] })).is_ok(), "{text}");
    }
    for text in ["", " ", "\t\n"] {
        assert_eq!(
            error_kind(action_with_filter(json!({ "query": text }))),
            RequestErrorKind::Blank("filter.query".into())
        );
        assert_eq!(
            error_kind(action_with_filter(json!({ "ids": ["aa", text] }))),
            RequestErrorKind::Blank("filter.ids".into())
        );
        assert_eq!(
            error_kind(list_with_query(&json!({ "query": text }))),
            RequestErrorKind::Blank("query".into())
        );
        assert!(action_with_data(json!({ "note": text })).is_ok(), "an empty string in data clears a field");
    }
    let expected =
        RequestErrorKind::LengthOutOfRange { field: "data.note".into(), count: 4, bounds: (None, Some(3)) };
    assert_eq!(error_kind(action_with_data(json!({ "note": "abcd" }))), expected);
}

#[test]
fn integer_out_of_range_is_rejected() {
    for value in [0, 1, 99, 100] {
        assert!(action_with_filter(json!({ "size": value })).is_ok(), "{value}");
    }
    for value in [-1, 101, i64::MIN, i64::MAX] {
        let expected = RequestErrorKind::ValueOutOfRange {
            field: "filter.size".into(),
            value,
            bounds: (Some(0), Some(100)),
        };
        assert_eq!(error_kind(action_with_filter(json!({ "size": value }))), expected);
    }
    assert!(action_with_data(json!({ "count": i64::MAX })).is_ok());
    let expected =
        RequestErrorKind::ValueOutOfRange { field: "data.count".into(), value: 0, bounds: (Some(1), None) };
    assert_eq!(error_kind(action_with_data(json!({ "count": 0 }))), expected);
}

#[test]
fn number_out_of_range_is_rejected() {
    assert!(action_with_filter(json!({ "share": 99.5 })).is_ok());
    assert!(action_with_filter(json!({ "share": 100.0 })).is_ok());
    for value in [json!(100.5), json!(-0.5), json!(1e30), json!(u64::MAX)] {
        let kind = error_kind(action_with_filter(json!({ "share": value })));
        assert!(matches!(kind, RequestErrorKind::ValueOutOfRange { .. }), "{value}: {kind}");
    }
}

#[test]
fn query_list_item_with_comma_is_rejected() {
    let expected = RequestErrorKind::CommaInListItem { field: "ids".into(), item: "a,b".into() };
    assert_eq!(error_kind(list_with_query(&json!({ "ids": ["aa", "a,b"] }))), expected);
    assert!(action_with_filter(json!({ "ids": ["a,b"] })).is_ok(), "an item in a body may contain a comma");
}

#[test]
fn request_timestamps_are_converted_to_utc() {
    for (input, sent) in [
        ("2024-11-21T10:30:00+02:00", "2024-11-21T08:30:00Z"),
        ("2024-11-21T08:30:00.123456", "2024-11-21T08:30:00.123456Z"),
        ("1732177800123", "2024-11-21T08:30:00.123Z"),
        ("2024-11-21", "2024-11-21T00:00:00Z"),
    ] {
        let request = action_with_filter(json!({ "createdAt__gt": input })).unwrap();
        assert_eq!(request.body().unwrap()["filter"]["createdAt__gt"], sent, "{input}");
        let request = action_with_data(json!({ "until": input })).unwrap();
        assert_eq!(request.body().unwrap()["data"]["until"], sent, "{input}");
        let request = list_with_query(&json!({ "createdAt__gt": input })).unwrap();
        assert_eq!(request.query(), [("createdAt__gt".to_owned(), sent.to_owned())]);
    }
    let expected =
        RequestErrorKind::InvalidTimestamp { field: "filter.createdAt__gt".into(), value: "soon".into() };
    assert_eq!(error_kind(action_with_filter(json!({ "createdAt__gt": "soon" }))), expected);
    assert_eq!(
        error_kind(action_with_filter(json!({ "createdAt__gt": "" }))),
        RequestErrorKind::Blank("filter.createdAt__gt".into())
    );
    let expected = RequestErrorKind::InvalidTimestamp { field: "data.until".into(), value: String::new() };
    assert_eq!(error_kind(action_with_data(json!({ "until": "" }))), expected);
}

static FREE_FILTER: Operation = Operation {
    filter: FilterRequirement::Required,
    kind: OperationKind::Action,
    body_parts: &[BodyPart::new("filter", true, &[])],
    ..operation("widgets_free", Method::Post, "/web/api/v{version}/widgets/free")
};

static QUERY_FILTER: Operation = Operation {
    filter: FilterRequirement::Required,
    kind: OperationKind::Action,
    query_params: &[FILTER],
    ..operation("widgets_query", Method::Post, "/web/api/v{version}/widgets/query")
};

#[test]
fn validate_filter_without_declared_fields_needs_a_condition() {
    for (filter, valid) in [
        (json!({}), false),
        (json!({ "limit": 10, "sortBy": "id" }), false),
        (json!({ "a": null, "c": {}, "d": " ", "tenant": false }), false),
        (json!({ "status": "open" }), true),
        (json!({ "tenant": true }), true),
        (json!({ "count": 0 }), true),
    ] {
        let body = json!({ "filter": filter });
        let request = Request::<Empty>::new(&FREE_FILTER).with_body(&body).unwrap();
        assert_eq!(request.validate().is_ok(), valid, "{filter}");
    }
}

#[test]
fn validate_filter_in_the_query_of_an_action_needs_a_condition() {
    for (query, valid) in
        [(json!({}), false), (json!({ "limit": 10 }), false), (json!({ "ids": ["abc"] }), true)]
    {
        let request = Request::<Empty>::new(&QUERY_FILTER).with_query(&query).unwrap();
        assert_eq!(request.validate().is_ok(), valid, "{query}");
        assert!(request.everything_in_scope().validate().is_ok());
    }
}

#[test]
fn decode_body_without_envelope_is_the_value() {
    let list = JsonBody::<Vec<String>>::decode(br#"["a", "b"]"#).unwrap();
    assert_eq!(list.len(), 2);
    let map = JsonBody::<Map<String, Value>>::decode(br#"{"total": 3}"#).unwrap();
    assert_eq!(map["total"], 3);
    assert!(JsonBody::<Vec<String>>::decode(b"{}").is_err());
    let list = JsonBody::<Vec<String>>::decode(br#"[null, "a", null]"#).unwrap();
    assert_eq!(*list, ["a"], "a null item is ignored");
    assert!(JsonBody::<Vec<String>>::decode(br#"[null, {}]"#).is_err());
}

#[test]
fn validate_non_selective_filter_is_rejected() {
    for filter in [
        json!({}),
        json!(null),
        json!({ "limit": 10 }),
        json!({ "tenant": true, "limit": 1 }),
        json!({ "ids": null }),
        json!({ "undeclared": "x" }),
    ] {
        let request = action_with_filter(filter.clone()).unwrap();
        assert!(!request.has_selective_filter(), "{filter}");
        let error = request.validate().unwrap_err();
        assert_eq!(
            (error.operation(), error.kind()),
            ("widgets_update", &RequestErrorKind::EmptyFilter),
            "{filter}"
        );
        assert!(error.to_string().contains("everything in scope"), "{error}");
        assert!(request.everything_in_scope().validate().is_ok());
    }
    let request = Request::<Empty>::new(&ACTION);
    assert!(request.validate().is_err(), "no body");
    assert!(action_with_data(json!({ "note": "a" })).unwrap().validate().is_err(), "data is not selective");
    assert!(action_with_filter(json!({ "ids": ["aa"], "limit": 1 })).unwrap().validate().is_ok());
    assert!(action_with_filter(json!({ "active": false })).unwrap().validate().is_ok());
    assert!(list_with_query(&json!({})).unwrap().validate().is_ok(), "a read may apply to everything");
}

#[test]
fn required_filter_ignores_query_params() {
    static BOTH: Operation = Operation {
        kind: OperationKind::Action,
        filter: FilterRequirement::Required,
        query_params: &[FILTER],
        body_parts: &[BodyPart::new("filter", true, FILTER)],
        ..operation("widgets_update_both", Method::Post, "/web/api/v{version}/widgets/both")
    };
    let request = Request::<Empty>::new(&BOTH).with_query(&json!({ "active": true })).unwrap();
    let request = request.with_body(&json!({ "filter": { "limit": 1 } })).unwrap();
    assert_eq!(request.validate().unwrap_err().kind(), &RequestErrorKind::EmptyFilter);
}

#[test]
fn with_body_non_object_is_rejected() {
    for body in [json!([]), json!("text"), json!(null)] {
        let expected = RequestErrorKind::Unserializable("not an object".into());
        assert_eq!(error_kind(Request::new(&ACTION).with_body(&body)), expected);
        assert_eq!(error_kind(list_with_query(&body)), expected);
    }
    let invalid_keys = BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(
        error_kind(Request::new(&ACTION).with_body(&invalid_keys)),
        RequestErrorKind::Unserializable(_)
    ));
}

#[test]
fn set_query_param_sets_and_removes() {
    let mut request = list_with_query(&json!({ "limit": 5 })).unwrap();
    request.set_query_param("cursor", "abc").unwrap();
    request.set_query_param("limit", 50).unwrap();
    request.set_query_param("ids", json!(["aa", "bb"])).unwrap();
    let pairs = |request: &Request<Empty>| {
        request.query().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    };
    let mut sent: Vec<_> = pairs(&request).split('&').map(str::to_owned).collect();
    sent.sort_unstable();
    assert_eq!(sent, ["cursor=abc", "ids=aa,bb", "limit=50"]);
    assert_eq!(
        request.query().iter().map(|(name, _)| &**name).collect::<Vec<_>>(),
        ["cursor", "ids", "limit"]
    );
    request.set_query_param("ids", Value::Null).unwrap();
    request.set_query_param("cursor", None::<String>).unwrap();
    request.set_query_param("tenant", Value::Null).unwrap();
    assert_eq!(pairs(&request), "limit=50");

    let before = request.clone();
    let error = request.set_query_param("offset", 3).unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::UndeclaredParameter("offset".into()));
    let error = request.set_query_param("limit", 0).unwrap_err();
    assert!(matches!(error.kind(), RequestErrorKind::ValueOutOfRange { .. }));
    let error = request.set_query_param("ids", json!([])).unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::EmptyList("ids".into()));
    let error = request.set_query_param("cursor", " ").unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::Blank("cursor".into()));
    assert_eq!(request, before, "a rejected value does not change the request");
    request.set_query_param("createdAt__gt", "2024-11-21T10:30:00+02:00").unwrap();
    assert_eq!(pairs(&request), "createdAt__gt=2024-11-21T08:30:00Z&limit=50");
}

#[test]
fn set_query_param_updates_selectivity() {
    let mut request = list_with_query(&json!({ "limit": 5 })).unwrap();
    assert!(!request.has_selective_filter());
    request.set_query_param("ids", json!(["aa"])).unwrap();
    assert!(request.has_selective_filter());
    request.set_query_param("cursor", "abc").unwrap();
    assert!(request.has_selective_filter());
    request.set_query_param("ids", Value::Null).unwrap();
    assert!(!request.has_selective_filter());
}

#[test]
fn with_ids_replaces_the_ids_only() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let request = action_with_filter(json!({ "ids": ["aa", "bb"], "query": "web" })).unwrap();
    assert_eq!(request.id_field().map(|(part, field)| (part, field.name)), Some(("filter", "ids")));
    assert_eq!(request.ids(), ["aa", "bb"]);
    let other = request.clone().with_ids(&ids(&["cc"])).unwrap();
    assert_eq!((other.ids(), &other.body().unwrap()["filter"]["query"]), (ids(&["cc"]), &json!("web")));
    assert_eq!(other.body().unwrap()["data"], request.body().unwrap()["data"]);
    assert_eq!(other.with_ids(&ids(&["aa", "bb"])).unwrap(), request);
    let everything = action_with_filter(json!({})).unwrap();
    assert!(everything.ids().is_empty() && everything.validate().is_err());
    assert!(everything.clone().with_ids(&ids(&["aa"])).unwrap().validate().is_ok());
    for rejected in [&[][..], &[""]] {
        assert!(everything.clone().with_ids(&ids(rejected)).is_err(), "{rejected:?}");
    }
    let list = list_with_query(&json!({})).unwrap();
    assert_eq!(list.id_field().map(|(part, _)| part), None);
    assert_eq!(error_kind(list.with_ids(&ids(&["aa"]))), RequestErrorKind::UndeclaredParameter("ids".into()));
}

#[test]
fn request_debug_shows_outline_only() {
    let request = action_with_filter(json!({ "query": "hush" })).unwrap();
    let output = format!("{request:?} {request:#?}");
    assert!(output.contains("widgets_update") && output.contains('…'), "{output}");
    assert!(!output.contains("hush"), "{output}");
    let request = list_with_query(&json!({ "query": "hush" })).unwrap();
    let output = format!("{request:?}");
    assert!(output.contains("query") && !output.contains("hush"), "{output}");
    assert!(output.contains("body: None"), "{output}");
}

#[test]
fn request_clones_are_equal() {
    let request = action_with_filter(json!({ "ids": ["aa"] })).unwrap();
    assert_eq!(request, request.clone());
    assert_ne!(request, request.clone().everything_in_scope());
    assert_ne!(request, action_with_filter(json!({ "ids": ["bb"] })).unwrap());
    let other = request.clone().with_response_type::<Value>();
    assert_eq!(other.body(), request.body());
    assert!(other.has_selective_filter() && other.validate().is_ok());
    assert!(
        action_with_filter(json!({}))
            .unwrap()
            .everything_in_scope()
            .with_response_type::<Value>()
            .validate()
            .is_ok()
    );
}

#[test]
fn request_error_messages() {
    let range =
        |bounds| RequestErrorKind::ValueOutOfRange { field: "size".into(), value: 7, bounds }.to_string();
    assert_eq!(range((Some(1), Some(5))), "size is 7; expected 1 to 5");
    assert_eq!(range((Some(8), None)), "size is 7; expected at least 8");
    assert_eq!(range((None, Some(5))), "size is 7; expected at most 5");
    let bounds = (Some(1), Some(2));
    for (kind, part) in [
        (RequestErrorKind::Missing("data.kind".into()), "data.kind is missing"),
        (RequestErrorKind::EmptyList("ids".into()), "ids is an empty list"),
        (RequestErrorKind::Blank("query".into()), "query has an empty string"),
        (RequestErrorKind::CommaInListItem { field: "ids".into(), item: "a,b".into() }, "ids has \"a,b\""),
        (
            RequestErrorKind::ItemCountOutOfRange { field: "ids".into(), count: 3, bounds },
            "ids has 3 items; expected 1 to 2",
        ),
        (
            RequestErrorKind::LengthOutOfRange { field: "ids".into(), count: 3, bounds },
            "a string of 3 characters; expected 1 to 2",
        ),
        (
            RequestErrorKind::InvalidTimestamp { field: "until".into(), value: "soon".into() },
            "until is \"soon\"",
        ),
        (RequestErrorKind::InvalidPathParam { name: "id", value: "..".into() }, "id is \"..\""),
        (RequestErrorKind::UndeclaredParameter("offset".into()), "offset is not a parameter"),
        (RequestErrorKind::Unserializable("reason".into()), "cannot be serialized as JSON: reason"),
    ] {
        assert!(kind.to_string().contains(part), "{kind}");
    }
}

#[test]
fn request_error_missing_names_field() {
    let error = RequestError::missing(&ACTION, "data.kind");
    assert_eq!(error.kind(), &RequestErrorKind::Missing("data.kind".into()));
    assert_eq!(error.to_string(), "widgets_update: data.kind is missing; the API requires it");
}

#[test]
fn field_value_converts_only_to_matching_type() {
    let list = || FieldValue::List(vec!["low".into(), "new".into()]);
    let (string, boolean, integer) =
        (|| FieldValue::String("n/a".into()), || FieldValue::Boolean(true), || FieldValue::Integer(7));
    assert_eq!(list().list::<Level>(), Ok(Some(vec![Level::Low, Level::Unrecognized("new".into())])));
    assert_eq!(string().string::<Level>(), Ok(Some(Level::NotApplicable)));
    assert_eq!(string().string::<Timestamp>(), Ok(Some(Timestamp::from("n/a"))));
    assert_eq!((boolean().boolean(), integer().integer()), (Ok(Some(true)), Ok(Some(7))));
    for other in [string(), boolean(), integer()] {
        assert_eq!(other.clone().list::<String>(), Err(other), "the value is returned");
    }
    for other in [list(), boolean(), integer()] {
        assert_eq!(other.clone().string::<String>(), Err(other));
    }
    for other in [list(), string(), integer()] {
        assert_eq!(other.clone().boolean(), Err(other));
    }
    for other in [list(), string(), boolean()] {
        assert_eq!(other.clone().integer(), Err(other));
    }
}

/// Generates a valid value of the field, or null.
fn valid_value(field: &'static Field) -> BoxedStrategy<Value> {
    let value = match field.kind {
        FieldKind::Json => "[a-z]{2,5}".prop_map(|item| json!(format!(r#"{{"{item}":["{item}"]}}"#))).boxed(),
        FieldKind::List => prop::collection::vec("[a-z]{2,5}", 1..=3).prop_map(|list| json!(list)).boxed(),
        FieldKind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        FieldKind::Integer => (1_i64..=50).prop_map(Value::from).boxed(),
        FieldKind::Number => (0.0..=100.0).prop_map(Value::from).boxed(),
        FieldKind::Timestamp => {
            (0_i64..4_000_000_000_000).prop_map(|ms| json!(Timestamp::from_unix_millis(ms))).boxed()
        }
        FieldKind::String | FieldKind::Object => "[a-z]{2,5}".prop_map(Value::from).boxed(),
    };
    prop_oneof![value, Just(Value::Null)].boxed()
}

fn any_filter() -> impl Strategy<Value = Map<String, Value>> {
    prop::sample::subsequence(FILTER.iter().collect::<Vec<_>>(), 0..=FILTER.len())
        .prop_flat_map(|fields| {
            let values: Vec<_> = fields.iter().map(|field| valid_value(field)).collect();
            (Just(fields), values)
        })
        .prop_map(|(fields, values)| {
            fields.into_iter().zip(values).map(|(field, value)| (field.name.to_owned(), value)).collect()
        })
}

proptest! {
    #[test]
    fn has_selective_filter_matches_set_fields(filter in any_filter()) {
        let expected = FILTER.iter().any(|field| field.narrows_selection && filter.get(field.name).is_some_and(|v| !v.is_null()));
        let request = action_with_filter(Value::Object(filter.clone())).unwrap();
        prop_assert_eq!(request.has_selective_filter(), expected);
        prop_assert_eq!(request.validate().is_ok(), expected);
        prop_assert!(request.everything_in_scope().validate().is_ok());
        let query = list_with_query(&Value::Object(filter.clone())).unwrap();
        prop_assert_eq!(query.has_selective_filter(), expected);
        prop_assert_eq!(query.query().len(), filter.values().filter(|value| !value.is_null()).count());
    }
}

#[test]
fn json_string_field_requires_non_empty_lists() {
    let check = |text: &str| {
        const FIELDS: &[Field] = &[Field::new("tags", "tags", FieldKind::Json, "Tags.")];
        static OPERATION: Operation = Operation {
            filter: FilterRequirement::Required,
            body_parts: &[BodyPart::new("filter", true, FIELDS)],
            ..operation("widgets_tag", Method::Post, "/web/api/v{version}/widgets/tag")
        };
        Request::<Value>::new(&OPERATION).with_body(&json!({ "filter": { "tags": text } }))
    };
    for valid in [r#"{"site":["a"]}"#, r#"{"a":["b","c"],"d__nin":["e"]}"#] {
        assert!(check(valid).unwrap().has_selective_filter(), "{valid}");
    }
    for invalid in
        ["{}", r#"{"a":[]}"#, r#"{"a":[" "]}"#, "[]", "null", "x", r#"{"a":"b"}"#, r#"{"a":["b"],"c":[]}"#]
    {
        let error = check(invalid).unwrap_err();
        assert!(matches!(error.kind(), RequestErrorKind::InvalidJsonString { .. }), "{invalid}: {error}");
    }
}

#[test]
fn page_nested_list_decodes() {
    let value = json!({
        "data": { "widgets": [{ "id": "1" }, { "id": 2 }, null, { "id": "3" }], "all": { "total": 9 }, "none": null },
        "pagination": { "totalItems": 3, "nextCursor": null },
    });
    let nested = page(&value);
    assert_eq!(nested.data.iter().map(|item| &*item.id).collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(nested.undecoded.len(), 1, "an item that does not decode is separated");
    let envelope = nested.list_envelope.clone().unwrap();
    assert_eq!((envelope.list_key.as_str(), envelope.siblings.len()), ("widgets", 2));
    let mut expected = value;
    expected["data"]["widgets"].as_array_mut().unwrap().remove(2);
    expected["pagination"].as_object_mut().unwrap().remove("nextCursor");
    let mut reencoded = serde_json::to_value(&nested).unwrap();
    reencoded["pagination"].as_object_mut().unwrap().remove("nextCursor");
    assert_eq!(reencoded, expected);
    for invalid in [json!({ "data": { "all": {} } }), json!({ "data": { "a": [], "b": [] } })] {
        assert!(Page::<Item>::decode(invalid.to_string().as_bytes()).is_err(), "{invalid}");
    }
    let null_list = json!({ "data": { "widgets": null, "all": {} }, "pagination": { "totalItems": 0 } });
    assert!(page(&null_list).data.is_empty(), "a null list has no items");
    assert_eq!(serde_json::to_value(page(&null_list)).unwrap()["data"], null_list["data"]);
}

/// An operation with fields at the root of the body, and a list in `data`.
static UNUSUAL: Operation = Operation {
    kind: OperationKind::Action,
    body_parts: &[BodyPart::new("data", false, SECRET), BodyPart::new("", false, DATA)],
    secret_fields: &["data.password", "data.proxy.apiKey", "data.hooks.*.token"],
    ..operation("widgets_unusual", Method::Post, "/web/api/v{version}/widgets/unusual")
};

const SECRET: &[Field] = &[
    Field { length: (None, Some(3)), ..Field::new("name", "name", FieldKind::String, "") },
    Field::new("password", "password", FieldKind::String, ""),
];

#[test]
fn with_body_validates_every_object() {
    let build = |body: Value| -> Built { Request::new(&UNUSUAL).with_body(&body) };
    assert!(build(json!({ "data": [{ "name": "abc" }], "count": 1 })).is_ok());
    let too_long = build(json!({ "data": [{ "name": "abc" }, { "name": "abcd" }] }));
    assert!(
        matches!(error_kind(too_long), RequestErrorKind::LengthOutOfRange { field, .. } if field == "data.name")
    );
    assert!(
        matches!(error_kind(build(json!({ "count": 0 }))), RequestErrorKind::ValueOutOfRange { field, .. } if field == "count")
    );
    let times = build(json!({ "until": "2026-11-21T10:30:00+02:00" })).unwrap();
    assert_eq!(times.body().unwrap()["until"], "2026-11-21T08:30:00Z", "the format of the API");
}

#[test]
fn redacted_body_and_debug_hide_secrets() {
    for data in [
        json!({ "name": "a", "password": "hush" }),
        json!([{ "password": "hush" }, { "name": "b" }]),
        json!({ "password": null, "proxy": [{ "apiKey": "hush" }, null] }),
        json!({ "hooks": { "a": { "token": "hush" }, "b": { "url": "x" } } }),
    ] {
        let request: Request<Empty> = Request::new(&UNUSUAL).with_body(&json!({ "data": data })).unwrap();
        assert!(request.body().unwrap().to_string().contains("hush"));
        let output = request.redacted_body().unwrap().to_string();
        assert!(!output.contains("hush") && output.contains("********"), "{output}");
        assert!(!format!("{request:?}").contains("hush"));
        assert_eq!(request.secrets(), [Secret::from("hush")]);
    }
}

#[test]
fn decode_secret_accepts_any_value() {
    for (json, text) in [("\"a\"", "a"), ("12", "12"), ("{\"a\":1}", "{\"a\":1}")] {
        let secret: Secret = serde_json::from_str(json).unwrap();
        assert_eq!(secret.expose(), text);
    }
}

#[test]
fn secret_names_are_passwords_keys_and_tokens() {
    for name in [
        "password",
        "newPassword",
        "proxy_password",
        "groupPassphrase",
        "secretAccessKey",
        "apiKey",
        "token",
        "iframeToken",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "name",
        "tokenId",
        "apiTokenExpiresAt__lt",
        "passwordLastSetTime",
        "continuationToken",
        "keyword",
        "passwordFromScope",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn count_request_reuses_the_action_filter() {
    static COUNTED: Operation = Operation { query_params: &[COUNT, FILTER], ..LIST };
    const COUNT: &[Field] = &[Field {
        narrows_selection: false,
        ..Field::new("countOnly", "count_only", FieldKind::Boolean, "")
    }];
    let request = action_with_filter(json!({ "ids": ["aa", "bb"], "limit": 3, "active": true })).unwrap();
    let count: Request<Empty> = request.count_request(&COUNTED).unwrap();
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(count.query(), pairs(&[("active", "true"), ("countOnly", "true"), ("ids", "aa,bb")]));
    assert!(request.count_request::<Empty>(&LIST).is_none(), "the list has no countOnly");
    assert!(request.count_request::<Empty>(&ACTION).is_none(), "the operation is not a list");
    assert!(
        action_with_data(json!({})).unwrap().count_request::<Empty>(&COUNTED).is_none(),
        "the request has no filter"
    );
}

#[test]
fn field_value_booleans_parse_strings() {
    let list = |items: &[&str]| FieldValue::List(items.iter().map(|item| (*item).to_owned()).collect());
    assert_eq!(list(&["true", " False"]).booleans(), Ok(Some(vec![true, false])));
    assert_eq!(list(&["true", "maybe"]).booleans(), Err(list(&["true", "maybe"])));
    assert_eq!(FieldValue::Boolean(true).booleans(), Err(FieldValue::Boolean(true)));
    assert_eq!(list(&["1", " -2"]).integers(), Ok(Some(vec![1, -2])));
    assert_eq!(list(&["1", "1.5"]).integers(), Err(list(&["1", "1.5"])));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Scalars {
    #[serde(default, deserialize_with = "boolean")]
    flag: Option<bool>,
    #[serde(default, deserialize_with = "integer")]
    integer: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    number: Option<f64>,
    #[serde(default, deserialize_with = "string")]
    text: Option<String>,
}

#[test]
fn lenient_object_non_object_is_none() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Parent {
        #[serde(default, deserialize_with = "object")]
        detail: Option<Detail>,
    }

    let read = |value: Value| serde_json::from_value::<Parent>(json!({ "detail": value }));
    assert_eq!(read(json!({ "size": 3 })).unwrap().detail, Some(Detail { size: 3 }));
    for other in
        [json!(null), json!([3]), json!(["x", {}]), json!("x"), json!(3), json!(-3), json!(0.5), json!(true)]
    {
        assert_eq!(read(other.clone()).unwrap().detail, None, "{other}");
    }
    assert!(read(json!({ "size": "x" })).is_err(), "an invalid object is an error");
    assert_eq!(serde_json::from_value::<Parent>(json!({})).unwrap().detail, None);
}

#[test]
fn lenient_scalars_accept_strings_and_numbers() {
    let read = |value: Value| serde_json::from_value::<Scalars>(value);
    let some = |flag, integer, number, text: &str| Scalars {
        flag: Some(flag),
        integer: Some(integer),
        number: Some(number),
        text: Some(text.to_owned()),
    };
    let declared_types = json!({ "flag": true, "integer": 7, "number": 0.5, "text": "x" });
    assert_eq!(read(declared_types).unwrap(), some(true, 7, 0.5, "x"));
    let other_types = json!({ "flag": "False", "integer": " 7 ", "number": "0.5", "text": 12 });
    assert_eq!(read(other_types).unwrap(), some(false, 7, 0.5, "12"));
    assert_eq!(read(json!({ "integer": 7.0 })).unwrap().integer, Some(7));
    let none = Scalars { flag: None, integer: None, number: None, text: None };
    let nulls = json!({ "flag": "null", "integer": "None", "number": null, "text": null });
    assert_eq!(read(nulls).unwrap(), none);
    assert_eq!(read(json!({})).unwrap(), none);
    for invalid in [
        json!({ "flag": "maybe" }),
        json!({ "flag": 1 }),
        json!({ "integer": 7.5 }),
        json!({ "integer": "many" }),
        json!({ "number": [] }),
        json!({ "text": {} }),
    ] {
        let error = read(invalid.clone()).unwrap_err().to_string();
        assert!(error.contains("invalid type") && error.contains("expected a"), "{invalid}: {error}");
    }
}

#[test]
fn lenient_list_single_element_becomes_list() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Lists {
        #[serde(default, deserialize_with = "list")]
        ids: Option<Vec<String>>,
        #[serde(default, deserialize_with = "list")]
        details: Option<Vec<Detail>>,
    }

    let read = |value: Value| serde_json::from_value::<Lists>(value);
    let ids = |list: &[&str]| Some(list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    assert_eq!(read(json!({ "ids": ["a", null, "b"] })).unwrap().ids, ids(&["a", "b"]));
    assert_eq!(read(json!({ "ids": "a" })).unwrap().ids, ids(&["a"]));
    assert_eq!(read(json!({ "ids": null, "details": null })).unwrap(), Lists { ids: None, details: None });
    let single = read(json!({ "details": { "size": 3 } })).unwrap().details;
    assert_eq!(single, Some(vec![Detail { size: 3 }]));
    assert!(read(json!({ "ids": 3 })).is_err() && read(json!({ "details": "x" })).is_err());
}

#[test]
fn unknown_enum_values_are_listed() {
    const KINDS: &[Field] = &[
        Field { enum_values: &["a", "b"], ..Field::new("kinds", "kinds", FieldKind::List, "") },
        Field { enum_values: &["x"], ..Field::new("mode", "mode", FieldKind::String, "") },
        Field::new("free", "free", FieldKind::String, ""),
    ];
    static MIXED: Operation = Operation {
        query_params: &[KINDS],
        body_parts: &[BodyPart::new("data", false, KINDS), BodyPart::new("", false, KINDS)],
        ..operation("widgets_mixed", Method::Post, "/web/api/v{version}/widgets/mixed")
    };
    let request: Request<Empty> = Request::new(&MIXED)
        .with_query(&json!({ "kinds": ["a", "c"], "free": "z" }))
        .unwrap()
        .with_body(&json!({ "mode": "y", "data": [{ "kinds": ["b"] }, { "mode": "z", "free": "q" }] }))
        .unwrap();
    let unlisted = request.unknown_enum_values();
    let unlisted: Vec<_> = unlisted.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    assert_eq!(unlisted, [("kinds", "c"), ("data.mode", "z"), ("mode", "y")]);
}

#[test]
fn tenant_false_does_not_count_as_selection() {
    assert!(action_with_filter(json!({ "tenant": false })).unwrap().validate().is_err());
    static SCOPED: Operation = Operation {
        kind: OperationKind::Action,
        filter: FilterRequirement::Required,
        body_parts: &[BodyPart::new("filter", true, SCOPE)],
        ..operation("widgets_create", Method::Post, "/web/api/v{version}/widgets")
    };
    const SCOPE: &[Field] = &[Field::new("tenant", "tenant", FieldKind::Boolean, "")];
    let scoped = |filter: Value| -> Request<Empty> {
        Request::new(&SCOPED).with_body(&json!({ "filter": filter })).unwrap()
    };
    assert!(scoped(json!({ "tenant": true })).validate().is_ok());
    assert!(scoped(json!({ "tenant": false })).validate().is_err());
}

#[test]
fn blank_list_item_is_rejected() {
    assert!(
        matches!(error_kind(action_with_data(json!({ "tags": ["a", " "] }))), RequestErrorKind::Blank(field) if field == "data.tags")
    );
}

#[test]
fn secret_debug_is_redacted_and_serialization_is_clear() {
    let secret = Secret::from("hush");
    assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(…) Some(Secret(…))");
    assert_eq!(serde_json::to_value(&secret).unwrap(), "hush");
    assert_eq!(secret, Secret::from(&secrecy::SecretString::from("hush")));
    assert_ne!(secret, Secret::from("hush ".to_owned()));
    assert_eq!(secret.clone().expose(), "hush");
}

#[test]
fn page_invalid_pagination_is_ignored() {
    let page = |body: Value| Page::<Value>::decode(body.to_string().as_bytes());
    assert!(page(json!({ "data": { "a": 1 }, "pagination": 7 })).is_err());
    assert!(page(json!({ "pagination": [7] })).is_err());
    assert!(page(json!({ "data": [], "pagination": 7 })).is_ok(), "the list is valid without pagination");
    assert!(page(json!({ "data": { "a": 1 }, "pagination": {} })).is_ok());
}
