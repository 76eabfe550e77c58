//! Tests of raw items: they have the text of the body, and pages decode like pages of values.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::runtime::{Page, RawItem, ResponseBody};

fn raw_page(body: &str) -> Page<RawItem> {
    Page::decode_shared(&Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

#[test]
fn raw_items_are_slices_of_the_body() {
    let body = Bytes::from_static(
        b"{\"data\": [ {\"id\":\"1\",  \"n\": 1.50e3} , null,\n{\"id\":\"\xc3\xa9\"}], \"pagination\": {\"nextCursor\": \"a\"}}",
    );
    let page = Page::<RawItem>::decode_shared(&body).unwrap();
    let texts: Vec<&str> = page.data.iter().map(RawItem::get).collect();
    assert_eq!(texts, ["{\"id\":\"1\",  \"n\": 1.50e3}", "{\"id\":\"é\"}"]);
    assert_eq!(page.next_cursor(), Some("a"));
    let of_body = body.as_ptr_range();
    assert!(page.data.iter().all(|item| of_body.contains(&item.as_bytes().as_ptr())), "no copy");
    assert_eq!(page.data[1].decode::<Value>(), Ok(json!({ "id": "é" })));
    assert_eq!(page.data[1].decode::<Vec<u8>>().unwrap_err().path, ".");
    assert!(!format!("{:?}", page.data[1]).contains('é'), "items contain personal data");
}

#[test]
fn raw_items_of_a_nested_list_are_found() {
    let page = raw_page(r#"{"data": {"allSites": {"total": 2}, "sites": [{"id": "1"}, {"id": "2"}]}}"#);
    assert_eq!(page.data.iter().map(RawItem::get).collect::<Vec<_>>(), [r#"{"id": "1"}"#, r#"{"id": "2"}"#]);
    let envelope = page.list_envelope.unwrap();
    assert_eq!(
        (envelope.list_key.as_str(), envelope.siblings["allSites"]["total"].as_u64()),
        ("sites", Some(2))
    );
}

#[test]
fn raw_item_with_unpaired_surrogate_is_an_error() {
    for (text, is_valid) in [
        (r#""\ud83d\ude00""#, true),
        (r#""\\ud83d""#, true),
        (r#""\u00e9""#, true),
        (r#""\ud83d""#, false),
        (r#""\uDE00""#, false),
        (r#""\ud83d\n""#, false),
    ] {
        let body = format!(r#"{{"data": [{{"id": "1"}}, {{"name": {text}}}]}}"#);
        let page = Page::<RawItem>::decode(body.as_bytes());
        assert_eq!(page.is_ok(), is_valid, "{text}");
        if let Err(error) = page {
            assert_eq!(error.path, "data[1].name");
        }
    }
}

#[test]
fn raw_item_with_deep_nesting_keeps_its_text() {
    let item = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let page = raw_page(&format!(r#"{{"data": [{item}]}}"#));
    assert_eq!((page.data[0].get(), page.data[0].to_value()), (item.as_str(), Value::Null));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|data|pagination|errors", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn raw_page_decodes_like_a_page_of_values(
        data in any_json(),
        pagination in any_json(),
        errors in any_json(),
        members in 0..8_u8,
        is_pretty in any::<bool>(),
    ) {
        let mut body = serde_json::Map::new();
        for (bit, name, value) in [(1, "data", data), (2, "pagination", pagination), (4, "errors", errors)] {
            if members & bit != 0 {
                body.insert(name.to_owned(), value);
            }
        }
        let body = Value::Object(body);
        let body = if is_pretty { format!("{body:#}") } else { body.to_string() };
        let values = Page::<Value>::decode(body.as_bytes());
        let raw = Page::<RawItem>::decode(body.as_bytes());
        prop_assert_eq!(values.is_ok(), raw.is_ok(), "{}", body);
        if let (Ok(values), Ok(raw)) = (values, raw) {
            prop_assert_eq!(raw.data.iter().map(RawItem::to_value).collect::<Vec<_>>(), values.data);
            prop_assert_eq!(raw.pagination, values.pagination);
            prop_assert_eq!(raw.errors, values.errors);
            prop_assert_eq!(raw.list_envelope, values.list_envelope);
        }
    }

    #[test]
    fn raw_page_of_any_bytes_does_not_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Page::<RawItem>::decode(&body);
    }
}
