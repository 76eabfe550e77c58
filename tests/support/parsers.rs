//! Parsers of untrusted input. The fuzz targets in `fuzz/` and the mutations in `tests/properties/malformed_input.rs` call
//! the same functions. No function may panic or loop forever.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use sentinelone::raw::runtime::{AffectedCount, Binary, Data, Page, ResponseBody};
use sentinelone::raw::shared::Affected;
use sentinelone::raw::{OPERATIONS, reencode_request_body, reencode_response};
use sentinelone::{Error, Operation, Response, Tier, Timestamp, parse_timestamp, replace_control_chars};
use sentinelone_contract::fixture::Exchange;
use sentinelone_contract::{Contract, Sanitizer};
use serde_json::Value;

/// The curated operations, which the first byte of an input selects.
pub(crate) static CURATED: LazyLock<Vec<&'static Operation>> =
    LazyLock::new(|| OPERATIONS.iter().copied().filter(|one| one.tier == Tier::Curated).collect());

/// Splits input into operation, status and the remaining bytes.
fn split(bytes: &[u8]) -> Option<(&'static Operation, StatusCode, &[u8])> {
    const STATUS: [u16; 12] = [200, 200, 200, 200, 201, 204, 400, 401, 404, 429, 500, 503];
    let (operation, bytes) = bytes.split_first()?;
    let (status, bytes) = bytes.split_first()?;
    let status = StatusCode::from_u16(STATUS[usize::from(*status) % STATUS.len()]).ok()?;
    Some((CURATED[usize::from(*operation) % CURATED.len()], status, bytes))
}

/// Parses a response as every supported type. The first two bytes select the operation and the status, the first
/// line of the rest is the header `Retry-After`, and the body follows.
pub(crate) fn response(bytes: &[u8]) {
    let Some((operation, status, bytes)) = split(bytes) else { return };
    let line = bytes.iter().position(|byte| *byte == b'\n');
    let (first, body) = line.map_or((&[][..], bytes), |at| (&bytes[..at], &bytes[at + 1..]));
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(first) {
        headers.insert(header::RETRY_AFTER, value.clone());
        headers.insert(header::DATE, value);
    }
    if let Some(page) = read::<Page<Value>>(operation, status, &headers, body) {
        assert!(page.value_count() <= body.len(), "more items than bytes");
    }
    read::<Data<Value>>(operation, status, &headers, body);
    read::<Value>(operation, status, &headers, body);
    read::<Binary>(operation, status, &headers, body);
    if let Some(affected) = read::<Data<Affected>>(operation, status, &headers, body) {
        let outcomes = affected.outcomes(["1", "460000000000000011", ""]);
        assert_eq!(outcomes.len(), 3, "one outcome per ID");
        affected.outcomes(Vec::<String>::new());
        let _ = (affected.affected(), affected.data.as_ref().and_then(AffectedCount::affected));
    }
    // Parsed as the response type of the operation.
    if let Some(Ok(first)) = reencode_response(operation.id, body) {
        let json = first.to_string();
        let second = reencode_response(operation.id, json.as_bytes()).expect("the operation has a response");
        assert_eq!(second.expect("an encoded response decodes"), first, "{}: {json}", operation.id);
    }
    let _ = reencode_request_body(operation.id, body);
}

trait ValueCount {
    fn value_count(&self) -> usize;
}

impl ValueCount for Response<Page<Value>> {
    fn value_count(&self) -> usize {
        self.data.len()
    }
}

fn read<T: ResponseBody>(
    operation: &'static Operation,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Response<T>> {
    match Response::<T>::from_parts(operation, status, headers.clone(), body.to_vec()) {
        Ok(response) => {
            let _ = (response.json(), response.api_errors(), format!("{response:?}"));
            Some(response)
        }
        Err(error) => {
            check_error(&error, operation, status);
            None
        }
    }
}

/// Checks all accessors of an error.
fn check_error(error: &Error, operation: &'static Operation, status: StatusCode) {
    assert_eq!(error.operation(), Some(operation.id));
    assert_eq!(error.status(), Some(status));
    let text = format!("{error} {error:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(error.help().is_some());
    let _ = (error.retry_after(), error.api_errors(), error.delivery(), error.may_have_taken_effect());
    let _ = (error.body(), error.decode_error(), error.request_id());
}

/// Parses an exchange file and validates the exchange.
pub(crate) fn exchange(bytes: &[u8]) {
    let Ok(exchange) = serde_json::from_slice::<Exchange>(bytes) else { return };
    let contract = Contract::bundled();
    for finding in exchange.check(contract).unwrap_or_default() {
        let _ = finding.to_string();
    }
    let clean = Sanitizer::with_key(b"of the test").add_secret("unresolved").exchange(&exchange);
    assert_eq!(clean.status, exchange.status);
    let json = serde_json::to_string(&exchange).expect("an exchange serializes");
    let parsed: Exchange = serde_json::from_str(&json).expect("a serialized exchange parses");
    assert_eq!(parsed, exchange);
}

/// Parses strings of users and consoles.
pub(crate) fn text(text: &str) {
    let now = Timestamp::from("2026-11-21T12:00:00Z");
    if let Ok(time) = parse_timestamp(text, &now) {
        assert!(time.unix_millis().is_some(), "{text}: {time}");
    }
    assert!(!replace_control_chars(text).contains(char::is_control));
    if let Ok(console) = text.parse::<sentinelone::ConsoleUrl>() {
        let url = console.to_string();
        assert_eq!(url.parse::<sentinelone::ConsoleUrl>().as_ref(), Ok(&console), "{url}");
        assert!(!url.contains('@'), "{url}");
    }
    let time = Timestamp::from(text);
    let _ = (time.unix_millis(), time.to_utc(), time.to_system_time());
}
