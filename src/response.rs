//! Responses of the console.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use sentinelone_raw::runtime::{
    AffectedCount, Data, DecodeError, Operation, OperationKind, ResponseBody, ResponseFormat, UndecodedItem,
};
use serde_json::Value;

use crate::Result;
use crate::error::{ApiError, Error, ErrorRepr, has_errors, parse_api_errors};
use crate::json_repair::{self, RepairLog, RepairedBody, Repairs, SetApartItem};
#[cfg(feature = "commands")]
use crate::json_text;
use crate::outcome::{IdOutcome, outcomes};
use crate::redaction::RequestSecrets;
use crate::retry_after::RetryAfter;

/// A response: the decoded value with the HTTP status, the headers and the raw body.
///
/// It dereferences to the value. The raw [`body`](Self::body) also has the content that the type does not declare: new
/// fields, nulls and numbers of any size.
///
/// A body that is not valid JSON in single values is repaired: an unpaired surrogate becomes U+FFFD, `NaN` becomes null,
/// and an item of a list that cannot be repaired is set apart. [`repairs`](Self::repairs) describes each change.
#[derive(Clone)]
#[must_use = "the response says what the console applied"]
pub struct Response<T> {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) errors: Vec<ApiError>,
    pub(crate) value: T,
    /// Secrets to redact in text of the console.
    pub(crate) secrets: RequestSecrets,
    /// The repaired body, once decoding or [`json`](Self::json) needed it; `None` if it cannot be repaired.
    pub(crate) repaired: OnceLock<Option<Box<RepairedBody>>>,
    /// Receives the repairs, also those that [`json`](Self::json) requires.
    pub(crate) repair_log: Option<RepairLog>,
}

/// Response header with the request ID of the console.
pub(crate) const REQUEST_ID: &str = "x-rqid";

/// A complete response that is not decoded.
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Returns a body without its UTF-8 byte order mark, which is not part of its JSON.
#[inline]
pub(crate) fn without_byte_order_mark(body: Bytes) -> Bytes {
    match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => body.slice_ref(rest),
        None => body,
    }
}

impl RawResponse {
    /// Returns an error unless the response is successful.
    #[inline]
    pub(crate) fn check(&self, operation: &'static Operation, now: SystemTime) -> Result<()> {
        let may_be_json =
            matches!(operation.response_format, ResponseFormat::Json | ResponseFormat::Undocumented);
        let only_errors = || may_be_json && has_only_errors(&self.body);
        if self.status.is_success() && !only_errors() {
            return Ok(());
        }
        let retry_after = RetryAfter::parse(&self.headers, now);
        let request_id = self.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let error = Error::api(operation, self.status, self.body.clone(), retry_after);
        Err(error.with_request_id(request_id).with_headers(&self.headers))
    }

    pub(crate) fn decode<T: ResponseBody>(self, operation: &'static Operation) -> Result<Response<T>> {
        let Self { status, headers, body } = self;
        let coding = headers.get(header::CONTENT_ENCODING).filter(|coding| *coding != "identity");
        let repaired = OnceLock::new();
        let value = match coding {
            None => {
                decode(operation, &body).or_else(|error| decode_repaired(operation, &body, error, &repaired))
            }
            Some(coding) => Err(DecodeError {
                path: ".".to_owned(),
                message: format!("the body has the content encoding {coding:?}, which was not requested"),
            }),
        };
        let value = value.map_err(|source| {
            Error::for_operation(operation, ErrorRepr::Decode { status, source, body: body.clone() })
                .with_headers(&headers)
        })?;
        let errors = if has_errors(&body) { parse_api_errors(&body) } else { Vec::new() };
        let secrets = RequestSecrets::default();
        let repair_log = None;
        Ok(Response { operation, status, headers, body, errors, value, secrets, repaired, repair_log })
    }
}

impl<T: ResponseBody> Response<T> {
    /// Decodes a response that was not received by a [`Client`](crate::Client), for example from a file, a queue or a
    /// proxy. The checks are the same as those of the client.
    ///
    /// ```
    /// use http::{HeaderMap, StatusCode};
    /// use sentinelone::raw::threats;
    /// use sentinelone::{Page, Response};
    ///
    /// let body = r#"{ "data": [{ "id": "460000000000000011" }], "pagination": { "totalItems": 1 } }"#;
    /// let page = Response::<Page<threats::Threat>>::from_parts(&threats::LIST, StatusCode::OK, HeaderMap::new(), body)?;
    /// assert_eq!(page.total(), Some(1));
    /// # Ok::<(), sentinelone::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the response is not successful, or does not match the operation.
    pub fn from_parts(
        operation: &'static Operation,
        status: StatusCode,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Self> {
        let raw = RawResponse { status, headers, body: without_byte_order_mark(body.into()) };
        raw.check(operation, SystemTime::now())?;
        raw.decode(operation)
    }
}

/// Returns whether a response with status 200 has errors and no data. With data it is a success, so that the results
/// are not lost.
#[inline]
pub(crate) fn has_only_errors(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Data {
        #[serde(default)]
        data: Option<serde::de::IgnoredAny>,
    }
    has_errors(body) && json_repair::parse::<Data>(body).is_some_and(|envelope| envelope.data.is_none())
}

fn decode<T: ResponseBody>(operation: &'static Operation, body: &Bytes) -> Result<T, DecodeError> {
    if operation.response_format != ResponseFormat::Json || !body.iter().all(u8::is_ascii_whitespace) {
        return T::decode_shared(body);
    }
    match operation.kind {
        // An action with an empty response succeeded; a read with an empty response failed. The `data` member is
        // present because the response of some actions is a list of created items, whose type requires it.
        OperationKind::Action => T::decode(br#"{"data":null}"#),
        OperationKind::Read => Err(DecodeError { path: ".".into(), message: "the body is empty".into() }),
    }
}

/// Decodes a body that did not decode because it is not valid JSON in single values, and stores the repaired body.
/// Returns `error` if the body has no such value.
#[cold]
fn decode_repaired<T: ResponseBody>(
    operation: &'static Operation,
    body: &Bytes,
    error: DecodeError,
    repaired: &OnceLock<Option<Box<RepairedBody>>>,
) -> Result<T, DecodeError> {
    if operation.response_format != ResponseFormat::Json {
        return Err(error);
    }
    let Some(repaired) = repaired.get_or_init(|| json_repair::repair(body).map(Box::new)) else {
        return Err(error);
    };
    let mut value: T = decode(operation, &repaired.json)?;
    let mut rest = repaired.set_apart.as_slice();
    // The items of a list are adjacent.
    while let Some(first) = rest.first() {
        let length = rest.iter().position(|item| item.list_key != first.list_key).unwrap_or(rest.len());
        let (items, others) = rest.split_at(length);
        value.add_undecoded(&first.list_key, items.iter().map(undecoded).collect());
        rest = others;
    }
    Ok(value)
}

fn undecoded(item: &SetApartItem) -> UndecodedItem {
    let error = DecodeError { path: item.path.clone(), message: item.reason.clone() };
    UndecodedItem::invalid_json(item.index, error, item.text.clone())
}

impl<T> Response<T> {
    /// Returns the operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Creates an error for a response without a required value.
    pub(crate) fn missing_value(&self, path: &str) -> Error {
        let source = DecodeError { path: path.to_owned(), message: "is missing".to_owned() };
        let (status, body) = (self.status, self.body.clone());
        Error::for_operation(self.operation, ErrorRepr::Decode { status, source, body })
            .redacted(&self.secrets.redactor())
    }

    /// Creates an error for an item that is not valid JSON.
    pub(crate) fn invalid_item(&self, item: &SetApartItem) -> Error {
        let source = undecoded(item).error_with_page_path();
        let (status, body) = (self.status, item.text.clone().into());
        Error::for_operation(self.operation, ErrorRepr::Decode { status, source, body })
            .redacted(&self.secrets.redactor())
    }

    /// Returns the errors next to the data as one error, for callers that need all of the data; `None` without errors.
    pub(crate) fn partial_error(&self) -> Option<Error> {
        if self.errors.is_empty() {
            return None;
        }
        let error = Error::api(self.operation, self.status, self.body.clone(), None);
        Some(error.with_request_id(self.request_id()).redacted(&self.secrets.redactor()))
    }

    /// Sets the secrets of the request, and redacts them in the errors of the console.
    pub(crate) fn with_secrets(mut self, secrets: RequestSecrets) -> Self {
        // Building a redactor takes longer than processing a small response.
        let repaired = self.repaired.get_mut().and_then(Option::as_mut);
        if !self.errors.is_empty() || repaired.is_some() {
            let redactor = secrets.redactor();
            self.errors.iter_mut().for_each(|error| error.redact(&redactor));
            if let Some(repaired) = repaired {
                repaired.repairs.redact(&redactor);
            }
        }
        self.secrets = secrets;
        self
    }

    /// Sets the log of the client, and adds the repairs so far to it.
    pub(crate) fn with_repair_log(mut self, log: Option<RepairLog>) -> Self {
        if let Some(log) = log.as_ref().filter(|_| !self.repairs().is_empty()) {
            log.add(self.repairs());
        }
        self.repair_log = log;
        self
    }

    /// Returns the outcome of each of these IDs, from the body as [`json`](Self::json).
    pub(crate) fn outcomes_in(&self, body: &Value, ids: &[String]) -> Vec<IdOutcome> {
        let mut outcomes = outcomes(ids, body);
        if outcomes.iter().all(|outcome| outcome.detail.is_none()) {
            return outcomes;
        }
        let redactor = self.secrets.redactor();
        for outcome in &mut outcomes {
            outcome.detail = outcome.detail.take().map(|detail| redactor.redact(&detail));
        }
        outcomes
    }

    /// Returns the request ID of the console, which SentinelOne support needs.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get(REQUEST_ID)?.to_str().ok()
    }

    /// Returns the raw body, without a byte order mark. Cloning it does not copy the bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as JSON, [repaired](Self::repairs) if necessary; null if it is empty or not JSON.
    pub fn json(&self) -> Value {
        let strict = match self.repaired.get() {
            Some(Some(_)) => None,
            _ => serde_json::from_slice(&self.body).ok(),
        };
        let repaired = || serde_json::from_slice(&self.repaired()?.json).ok();
        strict.or_else(repaired).unwrap_or_default()
    }

    /// Returns the body as JSON like [`json`](Self::json), with an empty list at the dotted path `list`.
    #[cfg(feature = "commands")]
    pub(crate) fn envelope(&self, list: &str) -> Value {
        let body = match self.repaired.get() {
            Some(Some(repaired)) => &repaired.json,
            _ => &self.body,
        };
        json_text::envelope(body, list).unwrap_or_else(|| self.json())
    }

    /// Returns the repaired body; `None` if the body is valid, or cannot be repaired.
    #[cold]
    fn repaired(&self) -> Option<&RepairedBody> {
        let repair = || {
            let mut repaired = Box::new(json_repair::repair(&self.body)?);
            repaired.repairs.redact(&self.secrets.redactor());
            if let Some(log) = &self.repair_log {
                log.add(&repaired.repairs);
            }
            Some(repaired)
        };
        self.repaired.get_or_init(repair).as_deref()
    }

    /// Returns the repairs of the body that decoding it, or a call of [`json`](Self::json), required. An invalid value in
    /// a field that the type does not declare requires no repair.
    pub fn repairs(&self) -> &Repairs {
        self.repaired.get().and_then(Option::as_deref).map_or(Repairs::NONE, |repaired| &repaired.repairs)
    }

    /// Returns the items that are set apart, in the order of the body.
    pub(crate) fn set_apart(&self) -> &[SetApartItem] {
        let repaired = self.repaired.get().and_then(Option::as_deref);
        repaired.map(|repaired| repaired.set_apart.as_slice()).unwrap_or_default()
    }

    /// Returns the errors that the console returned with the data: the action was not applied completely, or the list
    /// is incomplete.
    pub fn api_errors(&self) -> &[ApiError] {
        &self.errors
    }

    /// Returns the decoded value.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: AffectedCount> Response<Data<T>> {
    /// Returns the number of items that the action affected; `None` if the response has no count.
    pub fn affected(&self) -> Option<u64> {
        self.value.data.as_ref()?.affected()
    }

    /// Returns the outcome of each ID of the action. If `ids` is empty, the result has the IDs in the response.
    ///
    /// If the response has a count of affected items but no details, the state of an ID is known only if the count is
    /// zero or covers all IDs; otherwise it is [`Unknown`](crate::IdState::Unknown).
    pub fn outcomes<I: Into<String>>(&self, ids: impl IntoIterator<Item = I>) -> Vec<IdOutcome> {
        let ids: Vec<String> = ids.into_iter().map(Into::into).collect();
        self.outcomes_in(&self.json(), &ids)
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Prints only the operation, the status and the size, because headers may contain cookies and bodies contain personal
/// data.
impl<T> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.operation.id)
            .field("status", &self.status.as_u16())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
