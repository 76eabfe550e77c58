//! Answers of the console.

use std::fmt;
use std::ops::Deref;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use sentinelone_raw::runtime::{Acted, Answer, AnswerForm, Data, DecodeError, Kind, Operation};
use serde_json::Value;

use crate::Result;
use crate::error::{Error, Trouble, VendorError, errors_beside_data, vendor_errors};
use crate::outcome::{IdOutcome, outcomes};
use crate::secrets::Kept;
use crate::transport::RetryAfter;

/// An answer: the decoded value, and beside it the status, the headers and the body as it came.
///
/// It dereferences to the value. What the value's type does not know is still in
/// [`body`](Self::body): fields that are new, nulls, numbers of any size.
#[derive(Clone)]
pub struct Response<T> {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) errors: Vec<VendorError>,
    pub(crate) value: T,
    /// Taken out of what the console says.
    pub(crate) secrets: Kept,
}

/// Where the vendor says which request this was.
pub(crate) const REQUEST_ID: &str = "x-rqid";

/// How such an identifier begins when the sandbox gives it.
#[cfg(feature = "contract")]
pub(crate) const SANDBOX_REQUEST: &str = "sandbox-";

/// Whether it was the sandbox that answered.
#[cfg(feature = "contract")]
pub(crate) fn is_from_sandbox(headers: &HeaderMap) -> bool {
    headers.get(REQUEST_ID).is_some_and(|id| id.as_bytes().starts_with(SANDBOX_REQUEST.as_bytes()))
}

/// An answer that was read to its end.
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Whole {
    /// Whether it is one of success.
    #[inline]
    pub(crate) fn check(&self, operation: &'static Operation, now: SystemTime) -> Result<()> {
        let only_errors = || operation.answer == AnswerForm::Json && says_only_errors(&self.body);
        if self.status.is_success() && !only_errors() {
            return Ok(());
        }
        let after = RetryAfter::of(&self.headers, now);
        let request_id = self.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        Err(Error::api(operation, self.status, self.body.clone(), after).identified(request_id))
    }

    pub(crate) fn decode<T: Answer>(self, operation: &'static Operation) -> Result<Response<T>> {
        let Self { status, headers, body } = self;
        let coding = headers.get(header::CONTENT_ENCODING).filter(|coding| *coding != "identity");
        let value = match coding {
            None => decode(operation, &body),
            Some(coding) => Err(DecodeError {
                path: ".".to_owned(),
                message: format!("the body is encoded ({coding:?}), which was not asked for"),
            }),
        };
        let value = value
            .map_err(|source| Error::of(operation, Trouble::Decode { status, source, body: body.clone() }))?;
        let errors = if errors_beside_data(&body) { vendor_errors(&body) } else { Vec::new() };
        Ok(Response { operation, status, headers, body, errors, value, secrets: Kept::default() })
    }
}

impl<T: Answer> Response<T> {
    /// Reads an answer that came another way than over a [`Client`](crate::Client): from a file, a queue, a proxy.
    /// It is judged as the client does.
    ///
    /// ```
    /// use http::{HeaderMap, StatusCode};
    /// use sentinelone::raw::threats;
    /// use sentinelone::{Page, Response};
    ///
    /// let body = r#"{ "data": [{ "id": "460000000000000011" }], "pagination": { "totalItems": 1 } }"#;
    /// let page = Response::<Page<threats::Threat>>::read(&threats::LIST, StatusCode::OK, HeaderMap::new(), body)?;
    /// assert_eq!(page.total(), Some(1));
    /// # Ok::<(), sentinelone::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the answer is none of success, or is none to this operation.
    pub fn read(
        operation: &'static Operation,
        status: StatusCode,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Self> {
        let whole = Whole { status, headers, body: body.into() };
        whole.check(operation, SystemTime::now())?;
        whole.decode(operation)
    }
}

/// Whether an answer of status 200 has errors and no data. With data it is an answer: what was done and
/// what was found must not be lost for what was not.
#[inline]
pub(crate) fn says_only_errors(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Data {
        #[serde(default)]
        data: Option<serde::de::IgnoredAny>,
    }
    errors_beside_data(body) && serde_json::from_slice::<Data>(body).is_ok_and(|answer| answer.data.is_none())
}

fn decode<T: Answer>(operation: &'static Operation, body: &[u8]) -> Result<T, DecodeError> {
    if operation.answer != AnswerForm::Json || !body.iter().all(u8::is_ascii_whitespace) {
        return T::decode(body);
    }
    match operation.kind {
        // An action that is done without a word is done; a list without a word is not an empty list. Some actions
        // answer with a list of what they made, to whose type data is what cannot be left out.
        Kind::Action => T::decode(br#"{"data":null}"#),
        Kind::Read => Err(DecodeError { path: ".".into(), message: "the body is empty".into() }),
    }
}

impl<T> Response<T> {
    /// The operation that was asked for.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The error of an answer without what makes it one.
    pub(crate) fn lacks(&self, path: &str) -> Error {
        let source = DecodeError { path: path.to_owned(), message: "is missing".to_owned() };
        let (status, body) = (self.status, self.body.clone());
        Error::of(self.operation, Trouble::Decode { status, source, body }).without(&self.secrets.spelt())
    }

    /// The errors beside the data as that of the whole, for whom a part of it is none; `None` where there are none.
    pub(crate) fn incomplete(&self) -> Option<Error> {
        if self.errors.is_empty() {
            return None;
        }
        let error = Error::api(self.operation, self.status, self.body.clone(), None);
        Some(error.identified(self.request_id()).without(&self.secrets.spelt()))
    }

    /// The same for a request with these secrets: none of them is in what the console says went wrong.
    pub(crate) fn keeping(mut self, secrets: Kept) -> Self {
        // To find a secret in each of its spellings costs more than the rest of a small answer.
        if !self.errors.is_empty() {
            let hidden = secrets.spelt();
            self.errors.iter_mut().for_each(|error| error.redact(&hidden));
        }
        self.secrets = secrets;
        self
    }

    /// What is known of each of these identifiers.
    pub(crate) fn outcomes_of(&self, ids: &[String]) -> Vec<IdOutcome> {
        let mut outcomes = outcomes(ids, &self.json());
        if outcomes.iter().all(|outcome| outcome.detail.is_none()) {
            return outcomes;
        }
        let hidden = self.secrets.spelt();
        for outcome in &mut outcomes {
            outcome.detail = outcome.detail.take().map(|detail| hidden.redact(&detail));
        }
        outcomes
    }

    /// The vendor's identifier of the request, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get(REQUEST_ID)?.to_str().ok()
    }

    /// The body as it came. Cloning it copies nothing.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON; null when it is empty.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Errors that came with the data: part of what was asked for was not done, or is not in the list.
    pub fn vendor_errors(&self) -> &[VendorError] {
        &self.errors
    }

    /// The decoded value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: Acted> Response<Data<T>> {
    /// How many things the action was applied to; `None` when the console did not say.
    pub fn affected(&self) -> Option<u64> {
        self.value.data.as_ref()?.affected()
    }

    /// What is known of each identifier that the action was asked for; without any, of each that the
    /// console mentions. The count alone is no truth about one of them.
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

/// Headers may hold cookies and bodies hold people's data, so only the outline is shown.
impl<T> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.operation.id)
            .field("status", &self.status.as_u16())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
