//! What is done with bytes that anyone may have written. The fuzz targets of `fuzz/` and the mutations of
//! `tests/mutations.rs` call the same functions: none of them may panic, or take for ever.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use sentinelone::contract::fixture::Exchange;
use sentinelone::contract::{Contract, Sanitizer};
use sentinelone::raw::runtime::{Acted, Answer, Binary, Data, Page};
use sentinelone::raw::shared::Affected;
use sentinelone::raw::{OPERATIONS, answer_again, body_again};
use sentinelone::{Error, Operation, Response, Timestamp, point_in_time, printable};
use serde_json::Value;

/// The operation, the status and the rest that are in some bytes.
fn split(bytes: &[u8]) -> Option<(&'static Operation, StatusCode, &[u8])> {
    const STATUS: [u16; 12] = [200, 200, 200, 200, 201, 204, 400, 401, 404, 429, 500, 503];
    let (operation, bytes) = bytes.split_first()?;
    let (status, bytes) = bytes.split_first()?;
    let status = StatusCode::from_u16(STATUS[usize::from(*status) % STATUS.len()]).ok()?;
    Some((OPERATIONS[usize::from(*operation) % OPERATIONS.len()], status, bytes))
}

/// An answer, read as everything that answers are read as: operation and status from the first two bytes, the
/// header `Retry-After` from the first line of the rest, the body after that.
pub(crate) fn answer(bytes: &[u8]) {
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
    if let Some(acted) = read::<Data<Affected>>(operation, status, &headers, body) {
        let outcomes = acted.outcomes(["1", "460000000000000011", ""]);
        assert_eq!(outcomes.len(), 3, "an outcome for each");
        acted.outcomes(Vec::<String>::new());
        let _ = (acted.affected(), acted.data.as_ref().and_then(Acted::affected));
    }
    // As the types of the operation.
    if let Some(Ok(again)) = answer_again(operation.id, body) {
        let text = again.to_string();
        let twice = answer_again(operation.id, text.as_bytes()).expect("it has an answer");
        assert_eq!(twice.expect("what was encoded decodes"), again, "{}: {text}", operation.id);
    }
    let _ = body_again(operation.id, body);
}

trait Counted {
    fn value_count(&self) -> usize;
}

impl Counted for Response<Page<Value>> {
    fn value_count(&self) -> usize {
        self.data.len()
    }
}

fn read<T: Answer>(
    operation: &'static Operation,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Response<T>> {
    match Response::<T>::read(operation, status, headers.clone(), body.to_vec()) {
        Ok(response) => {
            let _ = (response.json(), response.vendor_errors(), format!("{response:?}"));
            Some(response)
        }
        Err(error) => {
            told(&error, operation, status);
            None
        }
    }
}

/// Everything that an error tells.
fn told(error: &Error, operation: &'static Operation, status: StatusCode) {
    assert_eq!(error.operation(), Some(operation.id));
    assert_eq!(error.status(), Some(status));
    let text = format!("{error} {error:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(!error.advice().is_empty());
    let _ = (error.retry_after_wait(), error.vendor_errors(), error.was_sent(), error.may_have_acted());
    let _ = (error.body(), error.decode_error(), error.request_id());
}

/// A file that is to be an exchange, and the contract's word on it.
pub(crate) fn exchange(bytes: &[u8]) {
    let Ok(exchange) = serde_json::from_slice::<Exchange>(bytes) else { return };
    let contract = Contract::bundled();
    for finding in exchange.check(contract).unwrap_or_default() {
        let _ = finding.to_string();
    }
    let clean = Sanitizer::with_key(b"of the test").secret("unresolved").exchange(&exchange);
    assert_eq!(clean.status, exchange.status);
    let text = serde_json::to_string(&exchange).expect("an exchange is written");
    let again: Exchange = serde_json::from_str(&text).expect("and read again");
    assert_eq!(again, exchange);
}

/// Texts from people and consoles.
pub(crate) fn text(text: &str) {
    let now = Timestamp::from("2026-11-21T12:00:00Z");
    if let Ok(time) = point_in_time(text, &now) {
        assert!(time.unix_millis().is_some(), "{text}: {time}");
    }
    assert!(!printable(text).contains(char::is_control));
    if let Ok(console) = text.parse::<sentinelone::Console>() {
        let shown = console.to_string();
        assert_eq!(shown.parse::<sentinelone::Console>().as_ref(), Ok(&console), "{shown}");
        assert!(!shown.contains('@'), "{shown}");
    }
    let time = Timestamp::from(text);
    let _ = (time.unix_millis(), time.to_utc(), time.to_system_time());
}
