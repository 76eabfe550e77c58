//! Responses of the console.

use std::fmt;
use std::ops::Deref;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use sentinelone_raw::runtime::{
    AffectedCount, Data, DecodeError, Operation, OperationKind, ResponseBody, ResponseFormat,
};
use serde_json::Value;

use crate::Result;
use crate::error::{ApiError, Error, ErrorRepr, has_errors, parse_api_errors};
use crate::outcome::{IdOutcome, outcomes};
use crate::redaction::RequestSecrets;
use crate::transport::RetryAfter;

/// A response: the decoded value with the HTTP status, the headers and the raw body.
///
/// It dereferences to the value. The raw [`body`](Self::body) also has the content that the type does not declare: new
/// fields, nulls and numbers of any size.
#[derive(Clone)]
pub struct Response<T> {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) errors: Vec<ApiError>,
    pub(crate) value: T,
    /// Secrets to redact in text of the console.
    pub(crate) secrets: RequestSecrets,
}

/// Response header with the request ID of the console.
pub(crate) const REQUEST_ID: &str = "x-rqid";

/// Prefix of the request IDs of the sandbox.
#[cfg(feature = "contract")]
pub(crate) const SANDBOX_REQUEST: &str = "sandbox-";

/// Returns whether the response is from the sandbox.
#[cfg(feature = "contract")]
pub(crate) fn is_from_sandbox(headers: &HeaderMap) -> bool {
    headers.get(REQUEST_ID).is_some_and(|id| id.as_bytes().starts_with(SANDBOX_REQUEST.as_bytes()))
}

/// A complete response that is not decoded.
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawResponse {
    /// Returns an error unless the response is successful.
    #[inline]
    pub(crate) fn check(&self, operation: &'static Operation, now: SystemTime) -> Result<()> {
        let only_errors = || operation.response_format == ResponseFormat::Json && has_only_errors(&self.body);
        if self.status.is_success() && !only_errors() {
            return Ok(());
        }
        let retry_after = RetryAfter::parse(&self.headers, now);
        let request_id = self.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        Err(Error::api(operation, self.status, self.body.clone(), retry_after).with_request_id(request_id))
    }

    pub(crate) fn decode<T: ResponseBody>(self, operation: &'static Operation) -> Result<Response<T>> {
        let Self { status, headers, body } = self;
        let coding = headers.get(header::CONTENT_ENCODING).filter(|coding| *coding != "identity");
        let value = match coding {
            None => decode(operation, &body),
            Some(coding) => Err(DecodeError {
                path: ".".to_owned(),
                message: format!("the body has the content encoding {coding:?}, which was not requested"),
            }),
        };
        let value = value.map_err(|source| {
            Error::for_operation(operation, ErrorRepr::Decode { status, source, body: body.clone() })
        })?;
        let errors = if has_errors(&body) { parse_api_errors(&body) } else { Vec::new() };
        Ok(Response { operation, status, headers, body, errors, value, secrets: RequestSecrets::default() })
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
        let raw = RawResponse { status, headers, body: body.into() };
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
    has_errors(body) && serde_json::from_slice::<Data>(body).is_ok_and(|envelope| envelope.data.is_none())
}

fn decode<T: ResponseBody>(operation: &'static Operation, body: &[u8]) -> Result<T, DecodeError> {
    if operation.response_format != ResponseFormat::Json || !body.iter().all(u8::is_ascii_whitespace) {
        return T::decode(body);
    }
    match operation.kind {
        // An action with an empty response succeeded; a read with an empty response failed. The `data` member is
        // present because the response of some actions is a list of created items, whose type requires it.
        OperationKind::Action => T::decode(br#"{"data":null}"#),
        OperationKind::Read => Err(DecodeError { path: ".".into(), message: "the body is empty".into() }),
    }
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
        if !self.errors.is_empty() {
            let redactor = secrets.redactor();
            self.errors.iter_mut().for_each(|error| error.redact(&redactor));
        }
        self.secrets = secrets;
        self
    }

    /// Returns the outcome of each of these IDs.
    pub(crate) fn outcomes_of(&self, ids: &[String]) -> Vec<IdOutcome> {
        let mut outcomes = outcomes(ids, &self.json());
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

    /// Returns the raw body. Cloning it does not copy the bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as JSON; null if it is empty or not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
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
        self.outcomes_of(&ids)
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
