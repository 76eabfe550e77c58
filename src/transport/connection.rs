//! Connections to a server: those of the HTTP library, or a transport of the caller.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use bytes::Bytes;

use super::http_transport::{HttpTransport, TransportBody, TransportError};
use crate::error::{ErrorKind, ErrorRepr};

/// Connections to a server. They do not contain the token, which is added to each request to the console.
pub(crate) enum Connection {
    Pool(reqwest::Client),
    Custom { transport: Arc<dyn HttpTransport>, user_agent: HeaderValue },
}

impl Connection {
    /// Sends a request once, and waits for the response to begin.
    pub(super) async fn send(&self, request: reqwest::Request) -> Result<HttpResponse, HttpError> {
        match self {
            Self::Pool(client) => Ok(HttpResponse::Pool(client.execute(request).await?)),
            Self::Custom { transport, user_agent } => {
                let path = request.url().path().to_owned();
                let request = custom_request(request, user_agent).map_err(HttpError::InvalidUri)?;
                let (parts, body) = transport.send(request).await?.into_parts();
                let announced = parts.headers.get(header::CONTENT_LENGTH);
                let announced = announced.and_then(|length| length.to_str().ok()?.trim().parse().ok());
                let length = announced.or(body.len());
                let (status, headers) = (parts.status, parts.headers);
                Ok(HttpResponse::Custom(Box::new(CustomResponse { status, headers, path, length, body })))
            }
        }
    }
}

/// Converts a request for a transport of the caller.
fn custom_request(
    mut request: reqwest::Request,
    user_agent: &HeaderValue,
) -> Result<::http::Request<Bytes>, ::http::uri::InvalidUri> {
    let uri: Uri = request.url().as_str().parse()?;
    let body = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice);
    let mut converted = ::http::Request::new(body.unwrap_or_default());
    *converted.method_mut() = request.method().clone();
    *converted.uri_mut() = uri;
    *converted.headers_mut() = std::mem::take(request.headers_mut());
    converted.headers_mut().insert(header::USER_AGENT, user_agent.clone());
    Ok(converted)
}

/// A response whose body may still be arriving.
pub(super) enum HttpResponse {
    Pool(reqwest::Response),
    Custom(Box<CustomResponse>),
}

/// A response from a transport of the caller.
pub(super) struct CustomResponse {
    status: StatusCode,
    headers: HeaderMap,
    /// Path of the URL of the request.
    path: String,
    length: Option<u64>,
    body: TransportBody,
}

impl HttpResponse {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Pool(response) => response.status(),
            Self::Custom(response) => response.status,
        }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Pool(response) => response.headers(),
            Self::Custom(response) => &response.headers,
        }
    }

    pub(super) fn headers_mut(&mut self) -> &mut HeaderMap {
        match self {
            Self::Pool(response) => response.headers_mut(),
            Self::Custom(response) => &mut response.headers,
        }
    }

    /// Returns the path of the URL.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Pool(response) => response.url().path(),
            Self::Custom(response) => &response.path,
        }
    }

    /// Returns the length of the body, if it is known. After the first chunk, it may be the remaining length.
    pub(super) fn content_length(&self) -> Option<u64> {
        match self {
            Self::Pool(response) => response.content_length(),
            Self::Custom(response) => response.length,
        }
    }

    /// Returns the next chunk of the body; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        match self {
            Self::Pool(response) => Ok(response.chunk().await?),
            // A response has begun, so the request was sent, whatever the error says.
            Self::Custom(response) => response
                .body
                .chunk()
                .await
                .map_err(|error| HttpError::Custom(TransportError::connection_lost(error.into_cause()))),
        }
    }
}

/// A failure of a connection.
#[derive(Debug)]
pub(super) enum HttpError {
    Pool(reqwest::Error),
    Custom(TransportError),
    /// A URL that the types of `http` do not accept.
    InvalidUri(::http::uri::InvalidUri),
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self::Pool(error)
    }
}

impl From<TransportError> for HttpError {
    fn from(error: TransportError) -> Self {
        Self::Custom(error)
    }
}

impl From<HttpError> for ErrorRepr {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Pool(source) => {
                let kind = if source.is_connect() {
                    ErrorKind::Connect
                } else if source.is_timeout() {
                    ErrorKind::Timeout
                } else if source.is_builder() {
                    ErrorKind::Configuration
                } else {
                    ErrorKind::ConnectionLost
                };
                // The URL contains IDs of the customer, and the operation identifies the call.
                Self::Transport { kind, source: source.without_url().into() }
            }
            HttpError::Custom(error) => {
                let kind = if error.may_be_sent() { ErrorKind::ConnectionLost } else { ErrorKind::Connect };
                Self::Transport { kind, source: error.into_cause() }
            }
            HttpError::InvalidUri(error) => {
                Self::Transport { kind: ErrorKind::Configuration, source: error.into() }
            }
        }
    }
}
