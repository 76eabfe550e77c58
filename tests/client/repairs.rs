//! Response bodies that are not valid JSON in single values, and lists that do not end.

use std::sync::atomic::{AtomicU64, Ordering};

use sentinelone::raw::runtime::Data;
use sentinelone::raw::threats::Threat;
use sentinelone::raw::{self, star_rules, threats};
use sentinelone::threats::IncidentStatus;
use sentinelone::{
    Error, ErrorKind, IdState, Operation, Page, RepairKind, Repairs, Response as ConsoleResponse,
    ResponseBody, Timestamp,
};
use serde_json::{Value, json};
use wiremock::Request as Received;
use wiremock::matchers::{any, method, query_param};
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use super::calls::{TOKEN, client, page, requests};

fn decoded<T: ResponseBody>(
    operation: &'static Operation,
    status: u16,
    body: &[u8],
) -> Result<ConsoleResponse<T>, Error> {
    let status = http::StatusCode::from_u16(status).unwrap();
    ConsoleResponse::from_parts(operation, status, http::HeaderMap::new(), body.to_vec())
}

fn descriptions(repairs: &Repairs) -> Vec<String> {
    repairs.iter().map(ToString::to_string).collect()
}

/// Two items do not decode as the type, two are not valid JSON, and one is repaired.
const MIXED: &[u8] = br#"{"data": [
    {"id": "1", "threatInfo": {"threatName": "a\ud83d.exe"}},
    {"id": "2", "threatInfo": {"threatName": "C:\q"}},
    null,
    {"id": "3", "threatInfo": {"fileSize": {"bytes": 3}}},
    {"id": "4", "threatInfo": {"threatName": "C:\y"}},
    {"id": "5", "threatInfo": {"fileSize": []}},
    {"id": "6", "threatInfo": {"score": NaN}}
], "pagination": {"totalItems": 7}}"#;

#[test]
fn page_keeps_order_of_repaired_undecoded_and_invalid_items() {
    let page = decoded::<Page<Threat>>(&threats::LIST, 200, MIXED).unwrap();
    let name = page.data[0].threat_info.as_ref().unwrap().threat_name.as_deref();
    assert_eq!(name, Some("a\u{fffd}.exe"));
    assert_eq!(
        descriptions(page.repairs()),
        [
            "data[0].threatInfo.threatName (ID 1): unpaired surrogate \\ud83d replaced by U+FFFD",
            "data[1] (ID 2): item set apart: invalid escape \\q at threatInfo.threatName",
            "data[4] (ID 4): item set apart: invalid escape \\y at threatInfo.threatName",
            "data[6].threatInfo.score (ID 6): NaN replaced by null",
        ]
    );
    assert!(page.repairs().has_loss());
    assert_eq!(page.body().as_ref(), MIXED, "the body is the one of the console");
    assert!(page.json()["data"][1].is_null());
    let texts: Vec<_> = page.undecoded.iter().map(|item| item.value.as_str().is_some()).collect();
    assert_eq!(texts, [true, false, true, false], "an invalid item is a text");
    let order = page.into_value().into_items().map(|item| match item {
        Ok(threat) => threat.id.unwrap(),
        Err(item) => item.error_with_page_path().path,
    });
    let expected = [
        "1",
        "data[1].threatInfo.threatName",
        "data[2].threatInfo.fileSize",
        "data[3].threatInfo.threatName",
        "data[4].threatInfo.fileSize",
        "6",
    ];
    assert_eq!(order.collect::<Vec<_>>(), expected);
}

#[test]
fn valid_body_has_no_repairs() {
    let body = br#"{"data": [{"id": "1", "threatInfo": {"threatName": "\ud83d\ude00", "x": -1.5e3}}]}"#;
    let page = decoded::<Page<Threat>>(&threats::LIST, 200, body).unwrap();
    assert!(!page.json().is_null() && page.repairs().is_empty());
}

#[test]
fn json_repairs_field_that_the_type_does_not_declare() {
    let body = br#"{"data": {"affected": 1}, "note": "\ud800"}"#;
    let response = decoded::<Data<Value>>(&threats::UPDATE_INCIDENT, 200, body).unwrap();
    assert!(response.repairs().is_empty(), "decoding skips the field");
    assert_eq!(response.json()["note"], "\u{fffd}");
    let expected = ["note: unpaired surrogate \\ud800 replaced by U+FFFD"];
    assert_eq!(descriptions(response.repairs()), expected);
}

#[test]
fn action_response_is_repaired() {
    let body = b"{\"data\": {\"affected\": 2, \"note\": \"\xff\", \"score\": -Infinity}}";
    let response = decoded::<Data<raw::shared::Affected>>(&threats::UPDATE_INCIDENT, 200, body).unwrap();
    assert_eq!(response.affected(), Some(2));
    assert_eq!(response.outcomes(["1", "2"])[0].state, IdState::Done);
    assert_eq!(response.json()["data"]["score"], Value::Null);
}

#[test]
fn error_body_is_repaired() {
    let body = br#"{"errors": [{"code": 4000040, "title": "Bad \udc01 value", "retry": NaN}]}"#;
    for status in [400, 200] {
        let error = decoded::<Page<Value>>(&threats::LIST, status, body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api, "{status}");
        assert_eq!(error.api_errors()[0].title.as_deref(), Some("Bad \u{fffd} value"), "{status}");
    }
    let both = br#"{"data": [{"id": "1", "x": NaN}], "errors": [{"title": "part \ud800"}]}"#;
    let page = decoded::<Page<Value>>(&threats::LIST, 200, both).unwrap();
    assert_eq!((page.data.len(), page.api_errors().len()), (1, 1));
}

#[test]
fn cut_body_stays_an_error() {
    for length in 1..MIXED.len() {
        let error = decoded::<Page<Value>>(&threats::LIST, 200, &MIXED[..length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{length}");
    }
}

#[tokio::test]
async fn repairs_token_of_the_client_is_redacted() {
    let server = MockServer::start().await;
    let body = format!(r#"{{"data": [{{"id": "{TOKEN}", "{TOKEN}": "\q"}}, {{"{TOKEN}": NaN}}]}}"#);
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    let page = client(&server).threats().list().page().await.unwrap();
    let text = format!("{:?} {:?}", page.repairs(), descriptions(page.repairs()));
    assert_eq!(page.repairs().iter().count(), 2);
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn items_repaired_list_continues_after_invalid_item() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_bytes(MIXED)).mount(&server).await;
    let mut items = client(&server).threats().list().items();
    assert!(items.repairs().is_empty());
    let mut results = Vec::new();
    while let Some(item) = items.next().await {
        results.push(item.map(|threat| threat.id.unwrap()).map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::Decode);
            String::from_utf8(error.body().unwrap().to_vec()).unwrap()
        }));
    }
    assert_eq!(results.len(), 6);
    assert_eq!((&results[0], &results[5]), (&Ok("1".to_owned()), &Ok("6".to_owned())));
    assert_eq!(results[1], Err(r#"{"id": "2", "threatInfo": {"threatName": "C:\q"}}"#.to_owned()));
    let kinds = items.repairs().iter().filter(|repair| matches!(repair.kind, RepairKind::SetApart(_)));
    assert_eq!(kinds.count(), 2);
}

/// Responds with an empty page and a new cursor, except for the page with this number.
struct EmptyPages(AtomicU64, u64);

impl Respond for EmptyPages {
    fn respond(&self, _: &Received) -> ResponseTemplate {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let data = if number == self.1 { json!([null, { "id": "1" }]) } else { json!([null]) };
        let pagination = json!({ "nextCursor": number.to_string(), "totalItems": 0 });
        ResponseTemplate::new(200).set_body_json(json!({ "data": data, "pagination": pagination }))
    }
}

#[tokio::test]
async fn empty_pages_with_new_cursors_end_with_error() {
    for (item_on_page, expected) in [(0, 15), (15, 30)] {
        for prefetch in [false, true] {
            let server = MockServer::start().await;
            let responses = EmptyPages(AtomicU64::new(0), item_on_page);
            Mock::given(any()).respond_with(responses).mount(&server).await;
            let items = client(&server).threats().list().items();
            let mut items = if prefetch { items.prefetch() } else { items };
            let mut count = 0;
            let error = loop {
                match items.next().await.unwrap() {
                    Ok(_) => count += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!((count, error.kind()), (usize::from(item_on_page > 0), ErrorKind::EmptyPages));
            assert!(error.to_string().contains("15 pages in a row that are empty"), "{error}");
            assert!(error.help().is_some() && error.operation() == Some("threats_list"));
            assert_eq!(requests(&server).await, expected);
            assert!(items.next().await.is_none(), "an error ends the list");
        }
    }
}

/// Responds with two alternating pages and a new cursor, which is in front of the items or after them.
struct AlternatingPages(AtomicU64, bool);

impl Respond for AlternatingPages {
    fn respond(&self, _: &Received) -> ResponseTemplate {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        // The cursors differ in length, and have the characters that end other values.
        let pagination = format!(r#""pagination": {{"nextCursor": "{}\"}},", "totalItems": 2}}"#, 8 + number);
        let data = format!(r#""data": [{{"id": "{}"}}]"#, number % 2);
        let members = if self.1 { [pagination, data] } else { [data, pagination] };
        ResponseTemplate::new(200).set_body_string(format!("{{{}}}", members.join(", ")))
    }
}

#[tokio::test]
async fn known_pages_with_new_cursors_end_with_error() {
    for cursor_first in [false, true] {
        let server = MockServer::start().await;
        let responses = AlternatingPages(AtomicU64::new(0), cursor_first);
        Mock::given(any()).respond_with(responses).mount(&server).await;
        let mut items = client(&server).threats().list().items();
        let mut ids = Vec::new();
        let error = loop {
            match items.next().await.unwrap() {
                Ok(threat) => ids.push(threat.id.unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(ids[..2], ["0", "1"]);
        assert_eq!(error.kind(), ErrorKind::EmptyPages, "{error}");
        assert_eq!(requests(&server).await, 17, "two new pages and 15 known ones");
    }
}

#[tokio::test]
async fn byte_order_mark_is_not_part_of_a_body() {
    const PAGE: &[u8] = br#"{"data": [{"id": "1", "threatInfo": {"threatName": "a"}}]}"#;
    const FAILED: &[u8] = br#"{"errors": [{"code": 4000040, "detail": "too many"}]}"#;
    let repaired = br#"{"data": [{"id": "1", "threatInfo": {"threatName": "\ud800"}}]}"#;
    let marked = |body: &[u8]| [b"\xef\xbb\xbf", body].concat();
    for body in [PAGE, repaired] {
        let page = decoded::<Page<Threat>>(&threats::LIST, 200, &marked(body)).unwrap();
        assert_eq!((page.data[0].id.as_deref(), page.body().as_ref()), (Some("1"), body));
        assert_eq!(page.json()["data"][0]["id"], "1");
    }
    for status in [200, 400] {
        let error = decoded::<Page<Threat>>(&threats::LIST, status, &marked(FAILED)).unwrap_err();
        assert_eq!(error.api_errors()[0].detail.as_deref(), Some("too many"), "{status}");
    }
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_bytes(marked(PAGE));
    Mock::given(any()).respond_with(response).mount(&server).await;
    assert_eq!(client(&server).threats().list().page().await.unwrap().data.len(), 1);
}

#[test]
fn text_in_place_of_json_is_shown() {
    for (body, is_shown) in [
        (&b" Access denied by gateway 7"[..], true),
        (b"{\"data\": Access denied by gateway 7", false),
        (b"\"Access denied by gateway 7\"", false),
        (b"\x1f\x8b\x08 Access denied by gateway 7", false),
    ] {
        for operation in [&threats::LIST, &threats::UPDATE_INCIDENT] {
            let error = decoded::<Data<Value>>(operation, 200, body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert_eq!(error.to_string().contains("gateway 7"), is_shown, "{error}");
            assert_eq!(error.help().unwrap_or_default().contains("the proxy"), is_shown, "{error}");
            let is_action = operation.id == threats::UPDATE_INCIDENT.id;
            assert_eq!(error.help().unwrap_or_default().contains("check the result"), is_action, "{error}");
        }
    }
}

#[tokio::test]
async fn repeated_page_is_not_returned_again() {
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET"));
    list().and(query_param("cursor", "a")).respond_with(page(2..4, "b".into())).mount(&server).await;
    list().respond_with(page(0..2, "a".into())).with_priority(9).mount(&server).await;
    let mut items =
        client(&server).items::<Value>(star_rules::list(&Default::default()).unwrap().with_response_type());
    let mut ids = Vec::new();
    let error = loop {
        match items.next().await.unwrap() {
            Ok(item) => ids.push(item["id"].as_str().unwrap().to_owned()),
            Err(error) => break error,
        }
    };
    assert_eq!(ids, ["0", "1", "2", "3"]);
    assert_eq!(error.kind(), ErrorKind::RepeatedCursor);
    assert_eq!(requests(&server).await, 3);
}

/// The command line builds serde_json with numbers of any size, which are maps for a deserializer.
#[test]
fn numbers_in_place_of_other_types_decode() {
    let body = br#"{"data": [{"id": 12, "indicators": [{"ids": 7}],
        "threatInfo": {"createdAt": 1700000000, "incidentStatus": 5, "fileSize": 3.0}}]}"#;
    let page = decoded::<Page<Threat>>(&threats::LIST, 200, body).unwrap();
    assert_eq!(page.undecoded, []);
    let threat = &page.data[0];
    let info = threat.threat_info.as_ref().unwrap();
    assert_eq!(threat.id.as_deref(), Some("12"));
    assert_eq!(threat.indicators.as_ref().unwrap()[0].ids, Some(vec![7]));
    assert_eq!(info.created_at.as_ref().unwrap().as_str(), "1700000000");
    assert_eq!(info.incident_status, Some(IncidentStatus::from("5")));
    assert_eq!(info.file_size, Some(3));
    assert_eq!(serde_json::from_str::<IncidentStatus>("5").unwrap(), IncidentStatus::from("5"));
    assert_eq!(serde_json::from_str::<Timestamp>("1700000000").unwrap(), Timestamp::from("1700000000"));
}

/// A build of the command line keeps the digits; other builds round to a float.
#[test]
fn id_beyond_64_bits_decodes() {
    let is_exact = serde_json::from_str::<Value>("1e999").is_ok();
    let digits = "12345678901234567890123";
    // The second item has a field that does not decode, so the items are decoded one by one.
    for rest in ["", r#", {"id": "2", "threatInfo": {"fileSize": {}}}"#] {
        let body = format!(r#"{{"data": [{{"id": {digits}}}{rest}]}}"#);
        let page = decoded::<Page<Threat>>(&threats::LIST, 200, body.as_bytes()).unwrap();
        assert_eq!(page.data[0].id.as_deref() == Some(digits), is_exact, "{:?}", page.data[0].id);
    }
}
