//! Answers of the console.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use sentinelone_raw::runtime::{Acted, Data, DecodeError, Operation};
use serde_json::Value;

use crate::error::{Error, Trouble, VendorError};
use crate::outcome::{IdOutcome, outcomes};

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
        Error::of(self.operation, Trouble::Decode { status, source, body })
    }

    /// The vendor's identifier of the request, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-rqid")?.to_str().ok()
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
        outcomes(&ids, &self.json())
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
