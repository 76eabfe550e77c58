//! Recording of exchanges.

use std::fmt;

use http::{HeaderMap, StatusCode};
use sentinelone_raw::runtime::{ApiVersion, Operation};
use serde_json::Value;

/// A request and its response, unredacted.
///
/// It contains all data except the token, including passwords, names and addresses. Sanitize an exchange before you
/// store it, as `sentinelone_contract::FixtureRecorder` does.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RawExchange<'a> {
    /// Operation of the request.
    pub operation: &'static Operation,
    /// API version of the request.
    pub api_version: ApiVersion,
    /// Percent-encoded path.
    pub path: &'a str,
    /// Query parameters, not percent-encoded.
    pub query: &'a [(String, String)],
    /// Headers that are parameters of the operation.
    pub request_headers: &'a [(&'static str, String)],
    /// Request body; of a form, its fields, in which a file is its name.
    pub request_body: Option<&'a Value>,
    /// HTTP status of the response.
    pub status: StatusCode,
    /// Headers of the response.
    pub headers: &'a HeaderMap,
    /// Response body; `None` for a file, which is streamed.
    pub response_body: Option<&'a [u8]>,
}

impl<'a> RawExchange<'a> {
    /// Creates an exchange without query parameters and bodies, for example to test a [`Recorder`]. Set the other
    /// fields as needed.
    pub fn new(
        operation: &'static Operation,
        api_version: ApiVersion,
        path: &'a str,
        status: StatusCode,
        headers: &'a HeaderMap,
    ) -> Self {
        Self {
            operation,
            api_version,
            path,
            query: &[],
            request_headers: &[],
            request_body: None,
            status,
            headers,
            response_body: None,
        }
    }
}

/// Prints only the operation, the status and the size, because bodies contain personal data.
impl fmt::Debug for RawExchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawExchange")
            .field("operation", &self.operation.id)
            .field("status", &self.status.as_u16())
            .field("bytes", &self.response_body.map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}

/// Receives each exchange of a client, for example to record or count it.
///
/// Each attempt with a response is one exchange, including attempts that are retried.
pub trait Recorder: fmt::Debug + Send + Sync {
    /// Records an exchange. The client calls it synchronously after the response is read and before it is decoded. Of
    /// an error response, the exchange has the first 64 KiB.
    fn record(&self, exchange: &RawExchange<'_>);
}
