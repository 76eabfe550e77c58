//! The interface that replaces the connections of a client.

use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use http::{Request, Response};

/// The future of [`HttpTransport::send`].
pub type TransportFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<TransportBody>, TransportError>> + Send + 'a>>;

/// Sends the requests of a client in place of its connections; for
/// [`ClientBuilder::transport`](crate::ClientBuilder::transport).
///
/// Each attempt of a call is one request. Rate limits, retries, timeouts, redaction, recording and decoding are those of
/// the client. A closure from `http::Request<Bytes>` to `http::Response<Bytes>` is a transport, so a test of code that
/// uses a client needs no server:
///
/// ```
/// use sentinelone::bytes::Bytes;
/// use sentinelone::http::{Request, Response};
/// use sentinelone::{ApiToken, Client};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let console = |request: Request<Bytes>| {
///     assert_eq!(request.uri().path(), "/web/api/v2.1/sites/7");
///     Response::new(Bytes::from(r#"{ "data": { "id": "7", "name": "Berlin" } }"#))
/// };
/// let token = ApiToken::new("an-example")?;
/// let client = Client::builder("https://console.example").token(token).transport(console).build()?;
/// let site = client.sites().get("7").await?.into_value().data.unwrap_or_default();
/// assert_eq!(site.name.as_deref(), Some("Berlin"));
/// # Ok(())
/// # }
/// ```
pub trait HttpTransport: Send + Sync {
    /// Sends a request and returns the response, with a body that may still be arriving.
    ///
    /// The request has the full URL, all headers and the whole body. A request to the console has the header
    /// `Authorization` with the token, marked as sensitive. A request for a link of the console has no token; if the link
    /// has a user and a password, they are in the header `Authorization`, and not in the URL.
    /// Implementations must not follow redirects, because that could send the token to another server.
    ///
    /// The client drops the future at the timeout.
    ///
    /// # Errors
    /// A [`TransportError`] says whether the request was sent, which decides whether the client repeats an action.
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_>;
}

impl<F: Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync> HttpTransport for F {
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(ready(Ok(self(request).map(TransportBody::from))))
    }
}

/// The body of a response from an [`HttpTransport`]: bytes, or a stream of chunks.
#[derive(Default)]
pub struct TransportBody(Content);

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>;

enum Content {
    Bytes(Bytes),
    /// The lock makes the body `Sync`. It is never contended.
    Stream(Mutex<Chunks>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl TransportBody {
    /// Creates a body that arrives in chunks. An error of the stream ends the response: use
    /// [`TransportError::connection_lost`]. If the response has the header `Content-Length`, a download checks it. The
    /// stream is not polled after its end.
    pub fn from_stream(chunks: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        // The end is read twice if an empty response is not a file.
        Self(Content::Stream(Mutex::new(Box::pin(chunks.fuse()))))
    }

    /// Returns the length in bytes, if it is known.
    pub(super) fn len(&self) -> Option<u64> {
        match &self.0 {
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Stream(_) => None,
        }
    }

    /// Returns the next chunk, which is not empty; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        match &mut self.0 {
            Content::Bytes(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
            Content::Stream(chunks) => {
                let chunks = chunks.get_mut().unwrap_or_else(PoisonError::into_inner);
                loop {
                    match poll_fn(|context| chunks.as_mut().poll_next(context)).await.transpose()? {
                        Some(chunk) if chunk.is_empty() => {}
                        chunk => return Ok(chunk),
                    }
                }
            }
        }
    }
}

impl From<Bytes> for TransportBody {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Bytes(bytes))
    }
}

impl From<Vec<u8>> for TransportBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for TransportBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for TransportBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

/// Prints the length only, because a body contains personal data.
impl fmt::Debug for TransportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBody").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The failure of an [`HttpTransport`].
///
/// The error of the call has the [kind](crate::ErrorKind) `Connect` or `ConnectionLost`, and the cause as its
/// [`source`](std::error::Error::source), which callers can downcast. The cause is not redacted, so it must not contain
/// the token.
#[derive(Debug)]
pub struct TransportError {
    is_sent: bool,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl TransportError {
    /// Creates an error of a request that certainly did not reach the server. The client may repeat every call,
    /// including an action.
    pub fn not_sent(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { is_sent: false, cause: cause.into() }
    }

    /// Creates an error of a request that may have reached the server, without a complete response. An action may have
    /// taken effect, so the client does not repeat it.
    pub fn connection_lost(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { is_sent: true, cause: cause.into() }
    }

    /// Returns whether the request may have reached the server.
    pub fn may_be_sent(&self) -> bool {
        self.is_sent
    }

    pub(super) fn into_cause(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.cause
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_sent {
            true => "the connection was lost before the response was complete",
            false => "the request was not sent",
        })
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}
