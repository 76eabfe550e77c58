//! Who looks on while exchanges go over the wire.

use std::fmt;

use http::{HeaderMap, StatusCode};
use sentinelone_raw::runtime::{ApiVersion, Operation};
use serde_json::Value;

/// A request and the answer to it, as they went over the wire.
///
/// Everything in it but the token is as it was sent and received: passwords, names and addresses included. Who
/// writes it down replaces them first; `sentinelone::contract::Recording` does.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Seen<'a> {
    /// The operation.
    pub operation: &'static Operation,
    /// The version of the API that it was asked of.
    pub version: ApiVersion,
    /// The path that was asked, percent-encoded.
    pub path: &'a str,
    /// The query, not percent-encoded.
    pub query: &'a [(String, String)],
    /// The body of the request.
    pub body: Option<&'a Value>,
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// Headers of the answer.
    pub headers: &'a HeaderMap,
    /// The body of the answer; `None` for a file that is handed on part by part.
    pub answer: Option<&'a [u8]>,
}

/// Bodies hold people's data, so only the outline is shown.
impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("operation", &self.operation.id)
            .field("status", &self.status.as_u16())
            .field("bytes", &self.answer.map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}

/// Looks on at every exchange of a client: a recording, a count.
///
/// Attempts that got an answer are shown one by one, those that are made again included.
pub trait Recorder: fmt::Debug + Send + Sync {
    /// Called when an answer was read, before it is decoded, and waited for. Of an answer with a status of failure
    /// it is shown the first 64 KiB.
    fn record(&self, seen: &Seen<'_>);
}
