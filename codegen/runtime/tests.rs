//! The laws and edges of the support code that is emitted with the generated modules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says where"
)]
#![allow(unreachable_pub, reason = "the macro writes enums for public modules")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::runtime::*;

// ---- open enums

crate::runtime::open_enum! {
    /// An enum with values that need care.
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
fn open_enum_knows_its_values() {
    assert_eq!(Level::KNOWN, ["low", "n/a", "7", "true"]);
    for wire in Level::KNOWN {
        let value = Level::from(*wire);
        assert!(value.is_known(), "{wire}");
        assert!(!matches!(value, Level::Unrecognized(_)), "{wire}");
        assert_eq!((value.as_str(), value.as_ref(), &*value.to_string()), (*wire, *wire, *wire));
    }
    assert_eq!(level(r#""n/a""#), Level::NotApplicable);
    assert_eq!(format!("[{:>5}]", Level::Low), "[  low]", "padding is honoured");
}

#[test]
fn open_enum_keeps_what_it_does_not_know() {
    for wire in ["critical", "", " low", "LOW", "Low"] {
        let value = level(&json!(wire).to_string());
        assert_eq!(value, Level::Unrecognized(wire.into()));
        assert!(!value.is_known());
        assert_eq!(serde_json::to_value(&value).unwrap(), json!(wire));
    }
}

#[test]
fn open_enum_reads_numbers_and_flags() {
    assert_eq!(level("7"), Level::Seven);
    assert_eq!(level("true"), Level::True);
    for (wire, text) in
        [("-3", "-3"), ("18446744073709551615", "18446744073709551615"), ("0.5", "0.5"), ("false", "false")]
    {
        assert_eq!(level(wire), Level::Unrecognized(text.into()));
    }
    for wrong in ["null", "[]", r#"{"value": "low"}"#] {
        let error = serde_json::from_str::<Level>(wrong).unwrap_err().to_string();
        assert!(error.contains("expected a text value"), "{error}");
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
        prop_assert_eq!(value.is_known(), Level::KNOWN.contains(&text.as_str()));
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
fn timestamp_forms() {
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
        assert!(utc.ends_with('Z'), "{text} gave {utc}");
        assert_eq!(millis(&utc), Some(expected), "{text} gave {utc}");
    }
    assert_eq!(utc("2024-11-21T10:30:00.123456+02:00").unwrap(), "2024-11-21T08:30:00.123456Z");
    assert_eq!(utc("2024-11-21T08:30:00").unwrap(), "2024-11-21T08:30:00Z");
    assert_eq!(utc("1732177800123").unwrap(), "2024-11-21T08:30:00.123Z");
}

#[test]
fn timestamp_without_a_time_is_kept() {
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
fn timestamp_and_the_standard_library() {
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

proptest! {
    #[test]
    fn timestamp_millis_law(ms in -377_705_000_000_000_i64..253_402_200_000_000) {
        let time = Timestamp::from_unix_millis(ms).unwrap();
        prop_assert_eq!(time.unix_millis(), Some(ms));
        prop_assert!(time.as_str().ends_with('Z'));
        prop_assert_eq!(time.to_utc(), Some(time.clone()));
    }

    #[test]
    fn timestamp_serialization_keeps_the_text(text in any::<String>()) {
        let time: Timestamp = serde_json::from_value(json!(text)).unwrap();
        prop_assert_eq!(serde_json::to_value(&time).unwrap(), json!(text));
        if let Some(utc) = time.to_utc() {
            prop_assert!(utc.as_str().ends_with('Z'));
            prop_assert_eq!(utc.unix_millis(), time.unix_millis());
        }
    }
}

// ---- answers

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Detail {
    size: i64,
}

fn page(value: &Value) -> Page<Thing> {
    Page::decode(value.to_string().as_bytes()).unwrap()
}

#[test]
fn page_of_good_items() {
    let page = page(&json!({
        "data": [{ "id": "1" }, { "id": "2", "detail": { "size": 3 } }],
        "pagination": { "totalItems": 12, "nextCursor": "abc" },
    }));
    assert_eq!(page.data.iter().map(|thing| &*thing.id).collect::<Vec<_>>(), ["1", "2"]);
    assert!(page.undecoded.is_empty());
    assert_eq!((page.total(), page.next_cursor()), (Some(12), Some("abc")));
    assert_eq!(page.errors, None);
}

#[test]
fn page_without_data() {
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
fn page_that_is_none() {
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
        let error = Page::<Thing>::decode(body.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("at {}: ", error.path)), "{body}: {error}");
    }
    let error = Page::<Thing>::decode(br#"{"error": 1}"#).unwrap_err();
    assert_eq!(error.to_string(), "at .: neither data nor pagination: this is no page of a list");
    let error = Page::<Thing>::decode(br#"{"data": {}}"#).unwrap_err();
    assert_eq!(error.path, "data");
    assert!(Page::<Thing>::decode(b"{\"data\": [{\"id\": \"\xff\"}]}").is_err(), "no UTF-8");
}

#[test]
fn odd_pagination_is_not_worth_a_page() {
    let pagination = |text: &str| {
        let body = format!(r#"{{"data": [{{"id": "1"}}], "pagination": {text}}}"#);
        let page = Page::<Thing>::decode(body.as_bytes()).unwrap();
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
fn page_sets_bad_items_apart() {
    let value = json!({
        "data": [{ "id": 1 }, { "id": "a" }, { "id": "b", "detail": { "size": "big" } }, { "id": "c" }, 7],
        "pagination": { "nextCursor": "next" },
        "errors": [{ "code": 5 }],
    });
    let page = page(&value);
    assert_eq!(page.data.iter().map(|thing| &*thing.id).collect::<Vec<_>>(), ["a", "c"]);
    let bad: Vec<_> = page.undecoded.iter().map(|bad| (bad.index, &*bad.error.path)).collect();
    assert_eq!(bad, [(0, "id"), (2, "detail.size"), (4, ".")]);
    assert_eq!(page.undecoded[1].located().path, "data[2].detail.size");
    for bad in &page.undecoded {
        assert_eq!(bad.value, value["data"][bad.index]);
    }
    assert!(page.undecoded[1].error.message.contains("big"), "{}", page.undecoded[1].error);
    assert_eq!((page.next_cursor(), page.total()), (Some("next"), None));
    assert_eq!(serde_json::to_value(&page).unwrap(), value);

    let order: Vec<_> = page.into_items().map(|one| one.map(|t| t.id).map_err(|bad| bad.index)).collect();
    assert_eq!(order, [Err(0), Ok("a".into()), Err(2), Ok("c".into()), Err(4)]);
}

#[test]
fn page_leaves_null_items_out() {
    let page = Page::<Thing>::decode(br#"{"data": [null, {"id": "a"}, null]}"#).unwrap();
    assert_eq!((page.data.len(), page.undecoded.len()), (1, 0));
    let page = Page::<Thing>::decode(br#"{"data": [null, {"id": "a"}, null, {"id": 1}]}"#).unwrap();
    assert_eq!((page.data.len(), page.undecoded[0].index), (1, 1), "nulls are not counted");
}

#[test]
fn next_cursor_has_many_ways_to_say_none() {
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
        for (item, sent) in page.into_items().zip(&items) {
            let back = match item {
                Ok(thing) => serde_json::to_value(thing).unwrap(),
                Err(bad) => bad.value,
            };
            prop_assert_eq!(&back, sent);
        }
    }

    #[test]
    fn decoding_never_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Page::<Thing>::decode(&body);
        let _ = Data::<Thing>::decode(&body);
        prop_assert_eq!(Empty::decode(&body), Ok(Empty));
    }
}

#[test]
fn data_of_one_thing() {
    let data = Data::<Thing>::decode(br#"{"data": {"id": "a"}, "more": 1}"#).unwrap();
    assert_eq!(data.data.as_ref().unwrap().id, "a");
    assert_eq!(serde_json::to_value(&data).unwrap(), json!({ "data": { "id": "a" } }));
    for body in ["{}", r#"{"data": null}"#, r#"{"data": null, "errors": null}"#] {
        assert_eq!(Data::<Thing>::decode(body.as_bytes()).unwrap(), Data::default(), "{body}");
    }
    let data = Data::<Thing>::decode(br#"{"errors": [{"code": 1}]}"#).unwrap();
    assert_eq!(data.errors, Some(vec![json!({ "code": 1 })]));
    let error = Data::<Thing>::decode(br#"{"data": {"id": "a", "detail": {"size": "b"}}}"#).unwrap_err();
    assert_eq!(error.path, "data.detail.size");
    for body in ["", "3", "{\"data\": {}}", "{} {}", "nonsense"] {
        assert!(Data::<Thing>::decode(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn json_answers_and_empty_ones() {
    assert_eq!(Value::decode(b"[1, null]").unwrap(), json!([1, null]));
    assert!(Value::decode(b"").is_err());
    assert!(Value::decode(b"1 2").is_err());
    assert_eq!(Empty::decode(b"\xff whatever").unwrap(), Empty);
}

#[cfg(feature = "both-ways")]
#[test]
fn again_shows_what_the_types_do_not_know() {
    use crate::runtime::{answer_again, body_again};

    let body = br#"{"data": [{"id": "a", "colour": "red"}, null], "more": 1}"#;
    let again = answer_again::<Page<Thing>>(body).unwrap();
    assert_eq!(again, json!({ "data": [{ "id": "a" }] }));
    let error = answer_again::<Page<Thing>>(br#"{"data": [{"id": "a"}, {"id": 2}]}"#).unwrap_err();
    assert_eq!(error.path, "data[1].id", "an item that was set apart is a loss");
    let again = answer_again::<Data<Thing>>(br#"{"data": {"id": "a", "detail": null}}"#).unwrap();
    assert_eq!(again, json!({ "data": { "id": "a" } }));
    assert_eq!(answer_again::<Page<Thing>>(b"{}").unwrap_err().path, ".");
    assert_eq!(body_again::<Thing>(br#"{"id": "a", "x": 1}"#).unwrap(), json!({ "id": "a" }));
    assert_eq!(body_again::<Thing>(br#"{"id": 1}"#).unwrap_err().path, "id");
}

#[test]
fn list_leaves_nulls_out() {
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
fn map_leaves_nulls_out() {
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
    site: Option<Place>,
    level: Option<Level>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    floor: Option<i64>,
}

impl members::Members for Device {
    fn member<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "name" => self.name = members::text(map)?,
            "on" => self.on = members::flag(map)?,
            "ports" => self.ports = members::list(map)?,
            "load" => self.load = members::number(map)?,
            "tags" => self.tags = members::map(map)?,
            "parent" => self.parent = members::value(map)?,
            "site" => self.site = members::object(map)?,
            "level" => self.level = members::value(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl members::Members for Place {
    fn member<'de, A: serde::de::MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        if name == "floor" {
            self.floor = members::integer(map)?;
        }
        Ok(name == "floor")
    }
}

members::read_by_members!(Device);
members::read_by_members!(Place);

#[test]
fn members_are_read_each_in_its_way() {
    let device = r#"{
        "n\u0061me": 7, "on": "True", "ports": [1, null, 2], "load": "0.5", "tags": { "a": "b", "c": null },
        "parent": { "name": "rack", "parent": null }, "site": { "floor": 3.0, "new": [{}] }, "level": "novel",
        "new": { "deep": [1, { "name": "not this one" }] }
    }"#;
    let parent = Device { name: Some("rack".into()), ..Device::default() };
    let expected = Device {
        name: Some("7".into()),
        on: Some(true),
        ports: Some(vec![1, 2]),
        load: Some(0.5),
        tags: Some(BTreeMap::from([("a".into(), "b".into())])),
        parent: Some(parent.into()),
        site: Some(Place { floor: Some(3) }),
        level: Some(Level::Unrecognized("novel".into())),
    };
    assert_eq!(serde_json::from_str::<Device>(device).unwrap(), expected);
    let value: Value = serde_json::from_str(device).unwrap();
    assert_eq!(Device::deserialize(&value).unwrap(), expected, "from a document in memory");
    let all_null = json!({ "name": null, "on": null, "ports": null, "load": null, "tags": null, "parent": null,
        "site": null, "level": null });
    assert_eq!(serde_json::from_value::<Device>(all_null).unwrap(), Device::default());
}

#[test]
fn of_a_member_that_comes_twice_the_last_counts() {
    let twice = r#"{ "name": "first", "on": true, "name": "last", "on": null }"#;
    let device: Device = serde_json::from_str(twice).unwrap();
    assert_eq!(device, Device { name: Some("last".into()), ..Device::default() });
}

#[test]
fn what_is_no_object_is_none() {
    assert_eq!(serde_json::from_str::<Device>("[]").unwrap(), Device::default(), "an object without members");
    for wrong in [r#"["name"]"#, "null", "7", r#""name""#] {
        let error = serde_json::from_str::<Device>(wrong).unwrap_err().to_string();
        assert!(error.contains("expected an object"), "{wrong}: {error}");
    }
    let page =
        Page::<Device>::decode(br#"{ "data": [{ "name": "a" }, ["b"], { "ports": {} }, { "load": [] }] }"#)
            .unwrap();
    assert_eq!(page.data.len(), 1);
    let apart: Vec<_> = page.undecoded.iter().map(|item| (item.index, item.error.path.as_str())).collect();
    assert_eq!(apart, [(1, "."), (2, "ports"), (3, "load")]);
}

// ---- requests

const FILTER: &[Field] = &[
    Field {
        items: (Some(1), Some(3)),
        length: (Some(2), Some(5)),
        ..Field::new("ids", "ids", FieldKind::List, "")
    },
    Field::new("active", "active", FieldKind::Boolean, ""),
    Field { length: (Some(2), Some(5)), ..Field::new("query", "query", FieldKind::Text, "") },
    Field { range: (Some(0), Some(100)), ..Field::new("size", "size", FieldKind::Integer, "") },
    Field { range: (Some(0), Some(100)), ..Field::new("share", "share", FieldKind::Number, "") },
    Field::new("createdAt__gt", "created_at_gt", FieldKind::Timestamp, ""),
    Field {
        selects: false,
        range: (Some(1), Some(1000)),
        ..Field::new("limit", "limit", FieldKind::Integer, "")
    },
    Field { selects: false, ..Field::new("tenant", "tenant", FieldKind::Boolean, "") },
];

const DATA: &[Field] = &[
    Field { length: (None, Some(3)), ..Field::new("note", "note", FieldKind::Text, "") },
    Field { items: (None, Some(2)), ..Field::new("tags", "tags", FieldKind::List, "") },
    Field::new("until", "until", FieldKind::Timestamp, ""),
    Field { range: (Some(1), None), ..Field::new("count", "count", FieldKind::Integer, "") },
];

/// What goes before the fields of the filter.
const OWN: &[Field] = &[
    Field { selects: false, ..Field::new("cursor", "cursor", FieldKind::Text, "") },
    Field {
        selects: false,
        range: (Some(1), Some(50)),
        ..Field::new("limit", "limit", FieldKind::Integer, "")
    },
];

const fn operation(id: &'static str, method: Method, path: &'static str) -> Operation {
    Operation {
        id,
        resource: "things",
        method,
        path,
        summary: "",
        versions: &[ApiVersion::V2_0, ApiVersion::V2_1],
        permission: None,
        kind: Kind::Read,
        idempotent: true,
        destructive: false,
        filter: FilterRule::Optional,
        rate: None,
        paging: Paging::None,
        items: "data",
        answer: AnswerForm::Json,
        query: &[],
        body: &[],
        evidence: &[],
    }
}

static LIST: Operation = Operation {
    query: &[OWN, FILTER],
    ..operation("things_list", Method::Get, "/web/api/v{version}/things")
};

static GET: Operation = Operation {
    filter: FilterRule::None,
    versions: &[ApiVersion::V2_1],
    ..operation("things_get", Method::Get, "/web/api/v{version}/things/{id}/parts/{part}")
};

static ACT: Operation = Operation {
    kind: Kind::Action,
    filter: FilterRule::Mandatory,
    body: &[Part::new("data", false, DATA), Part::new("filter", true, FILTER)],
    ..operation("things_act", Method::Post, "/web/api/v{version}/things/act")
};

type Built = Result<Request<Empty>, RequestError>;

fn list_of(query: &Value) -> Built {
    Request::new(&LIST).query_of(query)
}

fn act_on(filter: Value) -> Built {
    Request::new(&ACT).body_of(&json!({ "filter": filter }))
}

fn act_with(data: Value) -> Built {
    Request::new(&ACT).body_of(&json!({ "data": data }))
}

#[track_caller]
fn problem(built: Built) -> Problem {
    built.unwrap_err().problem().clone()
}

fn segment(value: &str) -> Built {
    Request::new(&GET).segment("id", value)?.segment("part", "p")
}

#[test]
fn segment_that_would_make_another_path() {
    for value in ["", " ", "\t", "\u{a0}", ".", "..", "a\nb", "a\0", "\u{7f}", "a\u{85}b"] {
        let expected = Problem::PathSegment { name: "id", value: value.into() };
        assert_eq!(problem(segment(value)), expected, "{value:?}");
    }
}

#[test]
fn segment_is_encoded() {
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
        let path = segment(value).unwrap().path(ApiVersion::V2_1).unwrap();
        assert_eq!(path, format!("/web/api/v2.1/things/{encoded}/parts/p"), "{value}");
    }
}

proptest! {
    #[test]
    fn segment_decodes_back(value in any::<String>()) {
        match segment(&value) {
            Ok(request) => {
                let path = request.path(ApiVersion::V2_1).unwrap();
                let parts: Vec<_> = path.split('/').collect();
                prop_assert_eq!(parts.len(), 8, "{}", path);
                prop_assert!(path.bytes().all(|b| b.is_ascii_graphic() && !b"?#{}\\".contains(&b)), "{}", path);
                let back = percent_encoding::percent_decode_str(parts[5]).decode_utf8().unwrap();
                prop_assert_eq!(back, value);
            }
            Err(error) => {
                let dots = value == "." || value == "..";
                prop_assert!(value.trim().is_empty() || dots || value.contains(char::is_control), "{}", error);
            }
        }
    }
}

#[test]
fn version_that_does_not_have_it() {
    let request = segment("1").unwrap();
    assert_eq!(request.path(ApiVersion::V2_1).unwrap(), "/web/api/v2.1/things/1/parts/p");
    let error = request.path(ApiVersion::V2_0).unwrap_err();
    assert_eq!(error.problem(), &Problem::Version { version: ApiVersion::V2_0, exists: &[ApiVersion::V2_1] });
    assert_eq!(error.operation(), "things_get");
    assert_eq!(error.to_string(), "things_get: not on API 2.0, only on 2.1");
    let list = list_of(&json!({})).unwrap();
    assert_eq!(list.path(ApiVersion::V2_0).unwrap(), "/web/api/v2.0/things");
    assert_eq!((list.method().as_str(), list.operation().id), ("GET", "things_list"));
}

#[test]
fn query_as_it_goes_over_the_wire() {
    let request = list_of(&json!({
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
fn each_query_field_counts_once() {
    let names: Vec<_> = LIST.query_fields().map(|field| field.name).collect();
    assert_eq!(names.iter().filter(|name| **name == "limit").count(), 1);
    assert_eq!(names.len(), OWN.len() + FILTER.len() - 1);
    assert_eq!(LIST.query_field("limit").unwrap().range, (Some(1), Some(50)), "the operation's own wins");
    assert!(LIST.query_field("nothing").is_none());
    assert_eq!(
        problem(list_of(&json!({ "limit": 51 }))),
        Problem::Range { field: "limit".into(), value: 51, bounds: (Some(1), Some(50)) }
    );
}

#[test]
fn bounds_of_lists() {
    let items = |count| Problem::Items { field: "filter.ids".into(), count, bounds: (Some(1), Some(3)) };
    assert_eq!(problem(act_on(json!({ "ids": [] }))), Problem::EmptyList("filter.ids".into()));
    assert!(act_on(json!({ "ids": ["aa"] })).is_ok());
    assert!(act_on(json!({ "ids": ["aa", "bb", "cc"] })).is_ok());
    assert_eq!(problem(act_on(json!({ "ids": ["aa", "bb", "cc", "dd"] }))), items(4));
    assert_eq!(problem(list_of(&json!({ "ids": [] }))), Problem::EmptyList("ids".into()));

    assert!(act_with(json!({ "tags": [] })).is_ok(), "in data an empty list takes everything away");
    assert!(act_with(json!({ "tags": ["a", "b"] })).is_ok());
    let expected = Problem::Items { field: "data.tags".into(), count: 3, bounds: (None, Some(2)) };
    assert_eq!(problem(act_with(json!({ "tags": ["a", "b", "c"] }))), expected);
}

#[test]
fn bounds_of_texts() {
    let length =
        |field: &str, count| Problem::Length { field: field.into(), count, bounds: (Some(2), Some(5)) };
    for (text, count) in [("a", 1), ("abcdef", 6), ("üüüüüü", 6)] {
        assert_eq!(problem(act_on(json!({ "query": text }))), length("filter.query", count));
        assert_eq!(problem(act_on(json!({ "ids": ["aa", text] }))), length("filter.ids", count));
    }
    for text in ["ab", "abcde", "üüüüü", "a b"] {
        assert!(act_on(json!({ "query": text })).is_ok(), "{text}");
        assert!(act_on(json!({ "ids": [text] })).is_ok(), "{text}");
    }
    for text in ["", " ", "\t\n"] {
        assert_eq!(problem(act_on(json!({ "query": text }))), Problem::Blank("filter.query".into()));
        assert_eq!(problem(act_on(json!({ "ids": ["aa", text] }))), Problem::Blank("filter.ids".into()));
        assert_eq!(problem(list_of(&json!({ "query": text }))), Problem::Blank("query".into()));
        assert!(act_with(json!({ "note": text })).is_ok(), "in data an empty text clears a field");
    }
    let expected = Problem::Length { field: "data.note".into(), count: 4, bounds: (None, Some(3)) };
    assert_eq!(problem(act_with(json!({ "note": "abcd" }))), expected);
}

#[test]
fn bounds_of_numbers() {
    for value in [0, 1, 99, 100] {
        assert!(act_on(json!({ "size": value })).is_ok(), "{value}");
    }
    for value in [-1, 101, i64::MIN, i64::MAX] {
        let expected = Problem::Range { field: "filter.size".into(), value, bounds: (Some(0), Some(100)) };
        assert_eq!(problem(act_on(json!({ "size": value }))), expected);
    }
    assert!(act_with(json!({ "count": i64::MAX })).is_ok());
    let expected = Problem::Range { field: "data.count".into(), value: 0, bounds: (Some(1), None) };
    assert_eq!(problem(act_with(json!({ "count": 0 }))), expected);
}

#[test]
fn bounds_of_numbers_that_are_no_i64() {
    assert!(act_on(json!({ "share": 99.5 })).is_ok());
    assert!(act_on(json!({ "share": 100.0 })).is_ok());
    for value in [json!(100.5), json!(-0.5), json!(1e30), json!(u64::MAX)] {
        let problem = problem(act_on(json!({ "share": value })));
        assert!(matches!(problem, Problem::Range { .. }), "{value}: {problem}");
    }
}

#[test]
fn items_of_a_query_hold_no_comma() {
    let expected = Problem::Comma { field: "ids".into(), item: "a,b".into() };
    assert_eq!(problem(list_of(&json!({ "ids": ["aa", "a,b"] }))), expected);
    assert!(act_on(json!({ "ids": ["a,b"] })).is_ok(), "a body has no such limit");
}

#[test]
fn times_become_utc() {
    for (given, sent) in [
        ("2024-11-21T10:30:00+02:00", "2024-11-21T08:30:00Z"),
        ("2024-11-21T08:30:00.123456", "2024-11-21T08:30:00.123456Z"),
        ("1732177800123", "2024-11-21T08:30:00.123Z"),
        ("2024-11-21", "2024-11-21T00:00:00Z"),
    ] {
        let request = act_on(json!({ "createdAt__gt": given })).unwrap();
        assert_eq!(request.body().unwrap()["filter"]["createdAt__gt"], sent, "{given}");
        let request = act_with(json!({ "until": given })).unwrap();
        assert_eq!(request.body().unwrap()["data"]["until"], sent, "{given}");
        let request = list_of(&json!({ "createdAt__gt": given })).unwrap();
        assert_eq!(request.query(), [("createdAt__gt".to_owned(), sent.to_owned())]);
    }
    let expected = Problem::NotATime { field: "filter.createdAt__gt".into(), value: "soon".into() };
    assert_eq!(problem(act_on(json!({ "createdAt__gt": "soon" }))), expected);
    assert_eq!(
        problem(act_on(json!({ "createdAt__gt": "" }))),
        Problem::Blank("filter.createdAt__gt".into())
    );
    let expected = Problem::NotATime { field: "data.until".into(), value: String::new() };
    assert_eq!(problem(act_with(json!({ "until": "" }))), expected);
}

#[test]
fn filter_that_selects_nothing() {
    for filter in [
        json!({}),
        json!(null),
        json!({ "limit": 10 }),
        json!({ "tenant": true, "limit": 1 }),
        json!({ "ids": null }),
        json!({ "somethingElse": "x" }),
    ] {
        let request = act_on(filter.clone()).unwrap();
        assert!(!request.selects(), "{filter}");
        let error = request.check().unwrap_err();
        assert_eq!((error.operation(), error.problem()), ("things_act", &Problem::EmptyFilter), "{filter}");
        assert!(error.to_string().contains("everything in scope"), "{error}");
        assert!(request.everything_in_scope().check().is_ok());
    }
    let request = Request::<Empty>::new(&ACT);
    assert!(request.check().is_err(), "no body at all");
    assert!(act_with(json!({ "note": "a" })).unwrap().check().is_err(), "data does not select");
    assert!(act_on(json!({ "ids": ["aa"], "limit": 1 })).unwrap().check().is_ok());
    assert!(act_on(json!({ "active": false })).unwrap().check().is_ok());
    assert!(list_of(&json!({})).unwrap().check().is_ok(), "a read may be about everything");
}

#[test]
fn query_does_not_stand_in_for_a_filter() {
    static BOTH: Operation = Operation {
        kind: Kind::Action,
        filter: FilterRule::Mandatory,
        query: &[FILTER],
        body: &[Part::new("filter", true, FILTER)],
        ..operation("things_act_both", Method::Post, "/web/api/v{version}/things/both")
    };
    let request = Request::<Empty>::new(&BOTH).query_of(&json!({ "active": true })).unwrap();
    let request = request.body_of(&json!({ "filter": { "limit": 1 } })).unwrap();
    assert_eq!(request.check().unwrap_err().problem(), &Problem::EmptyFilter);
}

#[test]
fn body_that_is_no_object() {
    for body in [json!([]), json!("text"), json!(null)] {
        let expected = Problem::Unserializable("not an object".into());
        assert_eq!(problem(Request::new(&ACT).body_of(&body)), expected);
        assert_eq!(problem(list_of(&body)), expected);
    }
    let odd = BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(problem(Request::new(&ACT).body_of(&odd)), Problem::Unserializable(_)));
}

#[test]
fn set_query_sets_and_removes() {
    let mut request = list_of(&json!({ "limit": 5 })).unwrap();
    request.set_query("cursor", "abc").unwrap();
    request.set_query("limit", 50).unwrap();
    request.set_query("ids", json!(["aa", "bb"])).unwrap();
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
    request.set_query("ids", Value::Null).unwrap();
    request.set_query("cursor", None::<String>).unwrap();
    request.set_query("tenant", Value::Null).unwrap();
    assert_eq!(pairs(&request), "limit=50");

    let before = request.clone();
    let wrong = request.set_query("offset", 3).unwrap_err();
    assert_eq!(wrong.problem(), &Problem::UndeclaredParameter("offset".into()));
    let wrong = request.set_query("limit", 0).unwrap_err();
    assert!(matches!(wrong.problem(), Problem::Range { .. }));
    let wrong = request.set_query("ids", json!([])).unwrap_err();
    assert_eq!(wrong.problem(), &Problem::EmptyList("ids".into()));
    let wrong = request.set_query("cursor", " ").unwrap_err();
    assert_eq!(wrong.problem(), &Problem::Blank("cursor".into()));
    assert_eq!(request, before, "what is refused changes nothing");
    request.set_query("createdAt__gt", "2024-11-21T10:30:00+02:00").unwrap();
    assert_eq!(pairs(&request), "createdAt__gt=2024-11-21T08:30:00Z&limit=50");
}

#[test]
fn set_query_keeps_track_of_what_is_selected() {
    let mut request = list_of(&json!({ "limit": 5 })).unwrap();
    assert!(!request.selects());
    request.set_query("ids", json!(["aa"])).unwrap();
    assert!(request.selects());
    request.set_query("cursor", "abc").unwrap();
    assert!(request.selects());
    request.set_query("ids", Value::Null).unwrap();
    assert!(!request.selects());
}

#[test]
fn debug_shows_the_outline_only() {
    let request = act_on(json!({ "query": "hush" })).unwrap();
    let shown = format!("{request:?} {request:#?}");
    assert!(shown.contains("things_act") && shown.contains('…'), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
    let request = list_of(&json!({ "query": "hush" })).unwrap();
    let shown = format!("{request:?}");
    assert!(shown.contains("query") && !shown.contains("hush"), "{shown}");
    assert!(shown.contains("body: None"), "{shown}");
}

#[test]
fn requests_are_values() {
    let request = act_on(json!({ "ids": ["aa"] })).unwrap();
    assert_eq!(request, request.clone());
    assert_ne!(request, request.clone().everything_in_scope());
    assert_ne!(request, act_on(json!({ "ids": ["bb"] })).unwrap());
    let other = request.clone().answering::<Value>();
    assert_eq!(other.body(), request.body());
    assert!(other.selects() && other.check().is_ok());
    assert!(act_on(json!({})).unwrap().everything_in_scope().answering::<Value>().check().is_ok());
}

#[test]
fn problems_in_words() {
    let range = |bounds| Problem::Range { field: "size".into(), value: 7, bounds }.to_string();
    assert_eq!(range((Some(1), Some(5))), "size is 7; the API takes 1 to 5");
    assert_eq!(range((Some(8), None)), "size is 7; the API takes at least 8");
    assert_eq!(range((None, Some(5))), "size is 7; the API takes at most 5");
    let bounds = (Some(1), Some(2));
    for (problem, part) in [
        (Problem::Missing("data.kind".into()), "data.kind is missing"),
        (Problem::EmptyList("ids".into()), "ids is a list without items"),
        (Problem::Blank("query".into()), "query holds an empty text"),
        (Problem::Comma { field: "ids".into(), item: "a,b".into() }, "ids holds \"a,b\""),
        (Problem::Items { field: "ids".into(), count: 3, bounds }, "ids has 3 items; the API takes 1 to 2"),
        (
            Problem::Length { field: "ids".into(), count: 3, bounds },
            "a text of 3 characters; the API takes 1 to 2",
        ),
        (Problem::NotATime { field: "until".into(), value: "soon".into() }, "until is \"soon\""),
        (Problem::PathSegment { name: "id", value: "..".into() }, "id is \"..\""),
        (Problem::UndeclaredParameter("offset".into()), "offset is no parameter"),
        (Problem::Unserializable("why".into()), "cannot be written as JSON: why"),
    ] {
        assert!(problem.to_string().contains(part), "{problem}");
    }
}

#[test]
fn value_that_is_missing() {
    let error = RequestError::missing(&ACT, "data.kind");
    assert_eq!(error.problem(), &Problem::Missing("data.kind".into()));
    assert_eq!(error.to_string(), "things_act: data.kind is missing; the API demands it");
}

#[test]
fn settings_go_into_fields_of_their_kind() {
    let list = || Setting::List(vec!["low".into(), "new".into()]);
    let (text, flag, number) =
        (|| Setting::Text("n/a".into()), || Setting::Boolean(true), || Setting::Integer(7));
    assert_eq!(list().list::<Level>(), Ok(Some(vec![Level::Low, Level::Unrecognized("new".into())])));
    assert_eq!(text().text::<Level>(), Ok(Some(Level::NotApplicable)));
    assert_eq!(text().text::<Timestamp>(), Ok(Some(Timestamp::from("n/a"))));
    assert_eq!((flag().boolean(), number().integer()), (Ok(Some(true)), Ok(Some(7))));
    for other in [text(), flag(), number()] {
        assert_eq!(other.clone().list::<String>(), Err(other), "the value comes back");
    }
    for other in [list(), flag(), number()] {
        assert_eq!(other.clone().text::<String>(), Err(other));
    }
    for other in [list(), text(), number()] {
        assert_eq!(other.clone().boolean(), Err(other));
    }
    for other in [list(), text(), flag()] {
        assert_eq!(other.clone().integer(), Err(other));
    }
}

/// A value that fits the field, or null.
fn fitting(field: &'static Field) -> BoxedStrategy<Value> {
    let value = match field.kind {
        FieldKind::Json => "[a-z]{2,5}".prop_map(|item| json!(format!(r#"{{"{item}":["{item}"]}}"#))).boxed(),
        FieldKind::List => prop::collection::vec("[a-z]{2,5}", 1..=3).prop_map(|list| json!(list)).boxed(),
        FieldKind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        FieldKind::Integer => (1_i64..=50).prop_map(Value::from).boxed(),
        FieldKind::Number => (0.0..=100.0).prop_map(Value::from).boxed(),
        FieldKind::Timestamp => {
            (0_i64..4_000_000_000_000).prop_map(|ms| json!(Timestamp::from_unix_millis(ms))).boxed()
        }
        FieldKind::Text | FieldKind::Object => "[a-z]{2,5}".prop_map(Value::from).boxed(),
    };
    prop_oneof![value, Just(Value::Null)].boxed()
}

fn any_filter() -> impl Strategy<Value = Map<String, Value>> {
    prop::sample::subsequence(FILTER.iter().collect::<Vec<_>>(), 0..=FILTER.len())
        .prop_flat_map(|fields| {
            let values: Vec<_> = fields.iter().map(|field| fitting(field)).collect();
            (Just(fields), values)
        })
        .prop_map(|(fields, values)| {
            fields.into_iter().zip(values).map(|(field, value)| (field.name.to_owned(), value)).collect()
        })
}

proptest! {
    #[test]
    fn selects_means_that_a_selecting_field_is_there(filter in any_filter()) {
        let expected = FILTER.iter().any(|field| field.selects && filter.get(field.name).is_some_and(|v| !v.is_null()));
        let request = act_on(Value::Object(filter.clone())).unwrap();
        prop_assert_eq!(request.selects(), expected);
        prop_assert_eq!(request.check().is_ok(), expected);
        prop_assert!(request.everything_in_scope().check().is_ok());
        let query = list_of(&Value::Object(filter.clone())).unwrap();
        prop_assert_eq!(query.selects(), expected);
        prop_assert_eq!(query.query().len(), filter.values().filter(|value| !value.is_null()).count());
    }
}

#[test]
fn json_texts_hold_lists_with_something_in_them() {
    let check = |text: &str| {
        const FIELDS: &[Field] = &[Field::new("tags", "tags", FieldKind::Json, "Tags.")];
        static OPERATION: Operation = Operation {
            filter: FilterRule::Mandatory,
            body: &[Part::new("filter", true, FIELDS)],
            ..operation("things_tag", Method::Post, "/web/api/v{version}/things/tag")
        };
        Request::<Value>::new(&OPERATION).body_of(&json!({ "filter": { "tags": text } }))
    };
    for full in [r#"{"site":["a"]}"#, r#"{"a":["b","c"],"d__nin":["e"]}"#] {
        assert!(check(full).unwrap().selects(), "{full}");
    }
    for empty in
        ["{}", r#"{"a":[]}"#, r#"{"a":[" "]}"#, "[]", "null", "x", r#"{"a":"b"}"#, r#"{"a":["b"],"c":[]}"#]
    {
        let error = check(empty).unwrap_err();
        assert!(matches!(error.problem(), Problem::NotLists { .. }), "{empty}: {error}");
    }
}

#[test]
fn page_one_level_deeper() {
    let value = json!({
        "data": { "things": [{ "id": "1" }, { "id": 2 }, null, { "id": "3" }], "all": { "total": 9 }, "none": null },
        "pagination": { "totalItems": 3, "nextCursor": null },
    });
    let deep = page(&value);
    assert_eq!(deep.data.iter().map(|thing| &*thing.id).collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(deep.undecoded.len(), 1, "an item that does not decode is set apart here too");
    let around = deep.around.clone().unwrap();
    assert_eq!((around.name.as_str(), around.beside.len()), ("things", 2));
    let mut again = value;
    again["data"]["things"].as_array_mut().unwrap().remove(2);
    again["pagination"].as_object_mut().unwrap().remove("nextCursor");
    let mut written = serde_json::to_value(&deep).unwrap();
    written["pagination"].as_object_mut().unwrap().remove("nextCursor");
    assert_eq!(written, again);
    for none in [json!({ "data": { "all": {} } }), json!({ "data": { "a": [], "b": [] } })] {
        assert!(Page::<Thing>::decode(none.to_string().as_bytes()).is_err(), "{none}");
    }
    let without = json!({ "data": { "things": null, "all": {} }, "pagination": { "totalItems": 0 } });
    assert!(page(&without).data.is_empty(), "a list that is null has no items");
    assert_eq!(serde_json::to_value(page(&without)).unwrap()["data"], without["data"]);
}

/// Bodies that have their fields beside `data`, and `data` that is a list.
static ODD: Operation = Operation {
    kind: Kind::Action,
    body: &[Part::new("data", false, SECRET), Part::new("", false, DATA)],
    ..operation("things_odd", Method::Post, "/web/api/v{version}/things/odd")
};

const SECRET: &[Field] = &[
    Field { length: (None, Some(3)), ..Field::new("name", "name", FieldKind::Text, "") },
    Field { secret: true, ..Field::new("password", "password", FieldKind::Text, "") },
];

#[test]
fn every_object_of_a_body_is_checked() {
    let odd = |body: Value| -> Built { Request::new(&ODD).body_of(&body) };
    assert!(odd(json!({ "data": [{ "name": "abc" }], "count": 1 })).is_ok());
    let long = odd(json!({ "data": [{ "name": "abc" }, { "name": "abcd" }] }));
    assert!(matches!(problem(long), Problem::Length { field, .. } if field == "data.name"));
    assert!(matches!(problem(odd(json!({ "count": 0 }))), Problem::Range { field, .. } if field == "count"));
    let times = odd(json!({ "until": "2026-11-21T10:30:00+02:00" })).unwrap();
    assert_eq!(times.body().unwrap()["until"], "2026-11-21T08:30:00Z", "the form of the API");
}

#[test]
fn secrets_are_covered_in_what_is_shown() {
    for data in [json!({ "name": "a", "password": "hush" }), json!([{ "password": "hush" }, { "name": "b" }])]
    {
        let request: Request<Empty> = Request::new(&ODD).body_of(&json!({ "data": data })).unwrap();
        assert!(request.body().unwrap().to_string().contains("hush"));
        let shown = request.shown_body().unwrap().to_string();
        assert!(!shown.contains("hush") && shown.contains("********"), "{shown}");
        assert!(!format!("{request:?}").contains("hush"));
        assert_eq!(request.secrets(), [Secret::from("hush")]);
    }
}

#[test]
fn what_an_action_selects_is_counted_by_the_list_with_the_same_filter() {
    static COUNTED: Operation = Operation { query: &[COUNT, FILTER], ..LIST };
    const COUNT: &[Field] =
        &[Field { selects: false, ..Field::new("countOnly", "count_only", FieldKind::Boolean, "") }];
    let request = act_on(json!({ "ids": ["aa", "bb"], "limit": 3, "active": true })).unwrap();
    let count: Request<Empty> = request.counting(&COUNTED).unwrap();
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(count.query(), pairs(&[("active", "true"), ("countOnly", "true"), ("ids", "aa,bb")]));
    assert!(request.counting::<Empty>(&LIST).is_none(), "it cannot count");
    assert!(request.counting::<Empty>(&ACT).is_none(), "it is no list");
    assert!(act_with(json!({})).unwrap().counting::<Empty>(&COUNTED).is_none(), "there is no filter");
}

#[test]
fn flags_of_a_list_are_read_from_texts() {
    let list = |items: &[&str]| Setting::List(items.iter().map(|item| (*item).to_owned()).collect());
    assert_eq!(list(&["true", " False"]).flags(), Ok(Some(vec![true, false])));
    assert_eq!(list(&["true", "maybe"]).flags(), Err(list(&["true", "maybe"])));
    assert_eq!(Setting::Boolean(true).flags(), Err(Setting::Boolean(true)));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Scalars {
    #[serde(default, deserialize_with = "flag")]
    flag: Option<bool>,
    #[serde(default, deserialize_with = "integer")]
    integer: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    number: Option<f64>,
    #[serde(default, deserialize_with = "text")]
    text: Option<String>,
}

#[test]
fn something_else_than_an_object_is_not_worth_the_item() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole {
        #[serde(default, deserialize_with = "object")]
        detail: Option<Detail>,
    }

    let read = |value: Value| serde_json::from_value::<Whole>(json!({ "detail": value }));
    assert_eq!(read(json!({ "size": 3 })).unwrap().detail, Some(Detail { size: 3 }));
    for odd in
        [json!(null), json!([3]), json!(["x", {}]), json!("x"), json!(3), json!(-3), json!(0.5), json!(true)]
    {
        assert_eq!(read(odd.clone()).unwrap().detail, None, "{odd}");
    }
    assert!(read(json!({ "size": "x" })).is_err(), "an object that does not fit is one");
    assert_eq!(serde_json::from_value::<Whole>(json!({})).unwrap().detail, None);
}

#[test]
fn scalars_of_answers_are_read_in_whatever_form() {
    let read = |value: Value| serde_json::from_value::<Scalars>(value);
    let some = |flag, integer, number, text: &str| Scalars {
        flag: Some(flag),
        integer: Some(integer),
        number: Some(number),
        text: Some(text.to_owned()),
    };
    let as_they_are = json!({ "flag": true, "integer": 7, "number": 0.5, "text": "x" });
    assert_eq!(read(as_they_are).unwrap(), some(true, 7, 0.5, "x"));
    let in_texts = json!({ "flag": "False", "integer": " 7 ", "number": "0.5", "text": 12 });
    assert_eq!(read(in_texts).unwrap(), some(false, 7, 0.5, "12"));
    assert_eq!(read(json!({ "integer": 7.0 })).unwrap().integer, Some(7));
    let none = Scalars { flag: None, integer: None, number: None, text: None };
    let nulls = json!({ "flag": "null", "integer": "None", "number": null, "text": null });
    assert_eq!(read(nulls).unwrap(), none);
    assert_eq!(read(json!({})).unwrap(), none);
    for odd in [
        json!({ "flag": "maybe" }),
        json!({ "flag": 1 }),
        json!({ "integer": 7.5 }),
        json!({ "integer": "many" }),
        json!({ "number": [] }),
        json!({ "text": {} }),
    ] {
        let error = read(odd.clone()).unwrap_err().to_string();
        assert!(error.contains("invalid type") && error.contains("expected a"), "{odd}: {error}");
    }
}

#[test]
fn a_lone_element_is_a_list_of_one() {
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
    let lone = read(json!({ "details": { "size": 3 } })).unwrap().details;
    assert_eq!(lone, Some(vec![Detail { size: 3 }]));
    assert!(read(json!({ "ids": 3 })).is_err() && read(json!({ "details": "x" })).is_err());
}

#[test]
fn values_that_are_not_known_are_told() {
    const KINDS: &[Field] = &[
        Field { known: &["a", "b"], ..Field::new("kinds", "kinds", FieldKind::List, "") },
        Field { known: &["x"], ..Field::new("mode", "mode", FieldKind::Text, "") },
        Field::new("free", "free", FieldKind::Text, ""),
    ];
    static MIXED: Operation = Operation {
        query: &[KINDS],
        body: &[Part::new("data", false, KINDS), Part::new("", false, KINDS)],
        ..operation("things_mixed", Method::Post, "/web/api/v{version}/things/mixed")
    };
    let request: Request<Empty> = Request::new(&MIXED)
        .query_of(&json!({ "kinds": ["a", "c"], "free": "z" }))
        .unwrap()
        .body_of(&json!({ "mode": "y", "data": [{ "kinds": ["b"] }, { "mode": "z", "free": "q" }] }))
        .unwrap();
    let told = request.unknown_values();
    let told: Vec<_> = told.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    assert_eq!(told, [("kinds", "c"), ("data.mode", "z"), ("mode", "y")]);
}

#[test]
fn no_tenant_is_no_scope() {
    assert!(act_on(json!({ "tenant": false })).unwrap().check().is_err());
    static SCOPED: Operation = Operation {
        kind: Kind::Action,
        filter: FilterRule::Mandatory,
        body: &[Part::new("filter", true, SCOPE)],
        ..operation("things_create", Method::Post, "/web/api/v{version}/things")
    };
    const SCOPE: &[Field] = &[Field::new("tenant", "tenant", FieldKind::Boolean, "")];
    let scoped = |filter: Value| -> Request<Empty> {
        Request::new(&SCOPED).body_of(&json!({ "filter": filter })).unwrap()
    };
    assert!(scoped(json!({ "tenant": true })).check().is_ok());
    assert!(scoped(json!({ "tenant": false })).check().is_err());
}

#[test]
fn an_item_without_anything_in_it_is_refused_everywhere() {
    assert!(
        matches!(problem(act_with(json!({ "tags": ["a", " "] }))), Problem::Blank(field) if field == "data.tags")
    );
    assert!(act_with(json!({ "tags": [] })).is_ok(), "data may say that there are none");
}

#[test]
fn a_secret_shows_nothing_and_sends_all() {
    let secret = Secret::from("hush");
    assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(…) Some(Secret(…))");
    assert_eq!(serde_json::to_value(&secret).unwrap(), "hush");
    assert_eq!(secret, Secret::from(&secrecy::SecretString::from("hush")));
    assert_ne!(secret, Secret::from("hush ".to_owned()));
    assert_eq!(secret.clone().expose(), "hush");
}

#[test]
fn pagination_of_another_form_makes_no_page() {
    let page = |body: Value| Page::<Value>::decode(body.to_string().as_bytes());
    assert!(page(json!({ "data": { "a": 1 }, "pagination": 7 })).is_err());
    assert!(page(json!({ "pagination": [7] })).is_err());
    assert!(page(json!({ "data": [], "pagination": 7 })).is_ok(), "a list is one without it");
    assert!(page(json!({ "data": { "a": 1 }, "pagination": {} })).is_ok());
}
