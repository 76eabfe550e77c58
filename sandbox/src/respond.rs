//! The response to one HTTP request.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, DATE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use sentinelone::raw::runtime::Timestamp;
use serde_json::Value;

use sentinelone_contract::Contract;
use sentinelone_contract::fixture::{REQUEST_ID_HEADER, SANDBOX_REQUEST_ID_PREFIX};

use super::handler::handle;
use super::message::{Body, ResponseContent, SandboxRequest};
use super::routing::{allowed_methods, scheme};
use super::state::{RecordedExchange, State};

/// Maximum size of a request body.
pub(super) const MAX_BODY_SIZE: usize = 10 * 1024 * 1024;

/// End of the year 9999, in seconds since 1970.
const END_OF_YEAR_9999: u64 = 253_402_300_800;

/// Maximum size of a request body in the recorded exchanges, which limits the memory use.
const MAX_RECORDED_SIZE: usize = 1024 * 1024;

/// Responds to a request, and records the exchange. Links in the response start with `origin`.
pub(super) fn respond(head: &Parts, origin: String, body: Body, state: &State) -> Response<Bytes> {
    let now = state.clock.now();
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let text = |name: &HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let request = SandboxRequest {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: query.into_owned().collect(),
        origin,
        authorization: text(&AUTHORIZATION),
        content_type: text(&CONTENT_TYPE),
        headers: head
            .headers
            .keys()
            .filter(|name| *name != AUTHORIZATION)
            .filter_map(|name| Some((name.as_str().to_owned(), text(name)?.to_owned())))
            .collect(),
        now: now.clone(),
        body,
    };
    let (response, number) = {
        let mut inner = state.lock();
        let response = handle(Contract::bundled(), &mut inner.tenant, &request);
        let number = inner.record(RecordedExchange {
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            body: match &request.body {
                Body::Complete(bytes) if !bytes.is_empty() && bytes.len() <= MAX_RECORDED_SIZE => Some(
                    serde_json::from_slice(bytes)
                        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())),
                ),
                _ => None,
            },
            query: request.query,
            status: response.status.as_u16(),
            response: match &response.body {
                ResponseContent::Json(body) => body.clone(),
                ResponseContent::Zip(_) | ResponseContent::Text(_) => Value::Null,
            },
        });
        (response, number)
    };
    let (bytes, content_type) = match response.body {
        ResponseContent::Json(body) => (Bytes::from(body.to_string()), "application/json"),
        ResponseContent::Zip(bytes) => (Bytes::from(bytes), "application/zip"),
        ResponseContent::Text(text) => (Bytes::from(text), "text/plain"),
    };
    let mut http_response = Response::new(bytes);
    *http_response.status_mut() = response.status;
    let headers = http_response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in response.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    if let Ok(id) = HeaderValue::try_from(format!("{SANDBOX_REQUEST_ID_PREFIX}{number}")) {
        headers.insert(REQUEST_ID_HEADER, id);
    }
    if let Some(date) = http_date(&now) {
        headers.insert(DATE, date);
    }
    if response.status == StatusCode::METHOD_NOT_ALLOWED
        && let Ok(methods) =
            HeaderValue::try_from(allowed_methods(Contract::bundled(), head.uri.path()).join(", "))
    {
        headers.insert(ALLOW, methods);
    }
    if response.status == StatusCode::UNAUTHORIZED {
        let found = Contract::bundled().match_operation(head.method.as_str(), head.uri.path());
        let scheme = scheme(found.as_ref()).unwrap_or("ApiToken");
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    http_response
}

/// Returns a time as the header `Date`; `None` outside the years 1970 to 9999, which the header cannot have.
fn http_date(time: &Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(time.unix_millis()?).ok()? / 1000;
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    (seconds < END_OF_YEAR_9999).then(|| HeaderValue::try_from(httpdate::fmt_http_date(time)).ok())?
}
