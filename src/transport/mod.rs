//! HTTP transport for all requests: rate limits, retries, timeouts and tracing.

mod announced_end;
mod call;
mod clock;
mod completeness;
mod config;
mod connection;
mod download;
mod form;
mod http;
mod http_transport;
mod in_flight;
mod link;
mod lock;
mod rate_limits;
mod record;
mod response_timeouts;
mod retry;
mod target;

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use sentinelone_raw::runtime::{Method, Operation, Request, RequestFormat, ResponseFormat, Security};
use tracing::field::Empty;
use tracing::{Instrument, info_span};

use crate::Result;
use crate::error::{ClientFacts, Error, ErrorRepr, History, HtmlPage, MAX_ERROR_BODY, excerpt};
use crate::redaction::RequestSecrets;
use crate::response::{RawResponse, has_only_errors, without_byte_order_mark};
use crate::token::AcceptedOperations;

use call::{Attempt, Call, StartAttempt};
use completeness::starts_like_zip;
use connection::{Connection, HttpResponse};
use response_timeouts::ResponseTimeouts;
use target::{CallTarget, PreparedRequest};

pub use clock::{Clock, SleepFuture};
pub use download::Download;
pub use http_transport::{HttpTransport, TransportBody, TransportError, TransportFuture};
pub use rate_limits::RateLimits;
pub use record::{RawExchange, Recorder};
pub use retry::RetryPolicy;

pub(crate) use clock::TokioClock;
pub(crate) use config::CallConfig;
pub(crate) use download::is_zip_name;
pub(crate) use http::{Connections, HttpSettings, Proxy};
pub(crate) use retry::require_time;

/// Type of the bodies of the API.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Maximum buffer size that is allocated before the body arrives.
const MAX_PREALLOCATION: usize = 64 << 20;

/// The connections and the configuration that all calls of a client share.
pub(crate) struct Transport {
    pub(crate) http: Arc<Connections>,
    /// Authorization header with the token. Requests to other servers do not have it.
    pub(crate) authorization: HeaderValue,
    /// The same header with the scheme of OAuth 2.0, which some operations require.
    pub(crate) bearer: HeaderValue,
    pub(crate) accepted: Arc<AcceptedOperations>,
    pub(crate) settings: CallConfig,
}

/// Omits the connections, which may contain the password of a proxy.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Transport {
    /// Sends a request and reads the response, which is successful. Also returns the history of the call and the
    /// secrets to redact.
    pub(crate) async fn send<T>(
        &self,
        request: &Request<T>,
    ) -> Result<(RawResponse, History, RequestSecrets)> {
        let prepared = &self.prepare(request)?;
        let target = CallTarget::console(prepared, self.secrets_of(request));
        let target_ref = &target;
        let attempt = move |left: Duration| -> Attempt<'_, RawResponse> {
            Box::pin(async move {
                let timeouts = self.timeouts(target_ref.operation, left);
                let response = timeouts.apply(self.http.console().send(self.request(prepared))).await?;
                self.read(target_ref, (response, None), &timeouts).await
            })
        };
        let (raw, history) =
            self.call(target_ref, &attempt).await.map_err(|error| self.explained(target_ref, error))?;
        Ok((raw, history, target.secrets))
    }

    /// Requests a file from the console. Returns when the file begins.
    pub(crate) async fn download<T>(&self, request: &Request<T>) -> Result<Download> {
        let prepared = &self.prepare(request)?;
        let target = &CallTarget::console(prepared, self.secrets_of(request));
        let attempt = move |left: Duration| -> Attempt<'_, Download> {
            Box::pin(self.start_download(target, (self.http.console(), self.request(prepared)), left))
        };
        let download = self.call_download(target, &attempt).await;
        let download = download.map_err(|error| self.explained(target, error))?;
        self.accepted.accept(target.operation);
        Ok(download)
    }

    /// Requests a file from a URL that the console returned.
    pub(crate) async fn download_url(
        &self,
        operation: &'static Operation,
        url: url::Url,
    ) -> Result<Download> {
        let url = &url;
        let target = &CallTarget::external(operation, url, &self.settings.token);
        let http = self.http.of_url(url)?;
        let attempt = move |left: Duration| -> Attempt<'_, Download> {
            Box::pin(self.start_download(target, (http, link::request(url.clone())), left))
        };
        self.call_download(target, &attempt).await.map_err(|error| {
            let has_expired = link::has_expired(url, self.settings.clock.system_time());
            target.redact(error.of_link(url.host_str().unwrap_or_default(), has_expired))
        })
    }

    async fn call_download<'a>(
        &'a self,
        target: &'a CallTarget<'a>,
        attempt: StartAttempt<'a, Download>,
    ) -> Result<Download> {
        let (download, history) = self.call(target, attempt).await?;
        Ok(download.with_history(history, target.secrets.clone()))
    }

    /// Adds the facts about the client to the error of a call to the console, and redacts its secrets.
    fn explained(&self, target: &CallTarget<'_>, error: Error) -> Error {
        let CallConfig { console, token, clock, .. } = &self.settings;
        let is_rejected = error.status() == Some(StatusCode::UNAUTHORIZED);
        if is_rejected {
            self.accepted.reject(target.operation);
        }
        target.redact(error.with_client(ClientFacts {
            short_host: console.short_host().map(str::to_owned),
            accepted: Arc::clone(&self.accepted),
            token_expired: if is_rejected { token.expired_at(&clock.system_time().into()) } else { None },
        }))
    }

    /// Returns the secrets of a request: the token and the passwords.
    pub(crate) fn secrets_of<T>(&self, request: &Request<T>) -> RequestSecrets {
        RequestSecrets::new(request.secrets(), &self.settings.token)
    }

    /// Runs a call until an attempt succeeds, the error is not retryable, or the call timeout elapses. Nothing is sent
    /// if a setting of the call is invalid.
    fn call<'a, T: Send + 'a>(
        &'a self,
        target: &'a CallTarget<'a>,
        attempt: StartAttempt<'a, T>,
    ) -> Attempt<'a, (T, History)> {
        if let Err(error) = self.settings.validate() {
            return Box::pin(ready(Err(error.before_request())));
        }
        let span = info_span!(
            target: "sentinelone",
            "call",
            operation = target.operation.id,
            attempts = Empty,
            waited_ms = Empty,
            status = Empty,
            request_id = Empty,
            bytes = Empty,
            error = Empty,
        );
        Box::pin(Call::new(&self.settings, target, attempt).run().instrument(span))
    }

    /// Validates and serializes a request.
    fn prepare<'a, T>(&self, request: &'a Request<T>) -> Result<PreparedRequest<'a>> {
        request.validate()?;
        announced_end::warn_of_end(request.operation());
        let path = request.path(self.settings.version)?;
        let query = request.query();
        let method = match request.method() {
            Method::Get => ::http::Method::GET,
            Method::Post => ::http::Method::POST,
            Method::Put => ::http::Method::PUT,
            Method::Delete => ::http::Method::DELETE,
        };
        let json = request.document();
        Ok(PreparedRequest {
            operation: request.operation(),
            method,
            url: self.settings.console.url(&path, &query),
            path,
            query,
            headers: request.headers(),
            body: json.as_deref().map(|json| match request.operation().request_format {
                RequestFormat::Form => form::encode(json, request.files()),
                // Serializing a JSON value does not fail.
                _ => (JSON, serde_json::to_vec(json).unwrap_or_default().into()),
            }),
            json,
        })
    }

    #[inline]
    fn request(&self, prepared: &PreparedRequest<'_>) -> reqwest::Request {
        let accept = match prepared.operation.response_format {
            ResponseFormat::Binary | ResponseFormat::Undocumented => HeaderValue::from_static("*/*"),
            ResponseFormat::Json | ResponseFormat::Empty => JSON,
        };
        let mut request = reqwest::Request::new(prepared.method.clone(), prepared.url.clone());
        let headers = request.headers_mut();
        let authorization = match prepared.operation.security {
            Security::Bearer => &self.bearer,
            _ => &self.authorization,
        };
        headers.insert(header::AUTHORIZATION, authorization.clone());
        for (name, value) in prepared.headers {
            // The specification has valid names, and `Request` accepts valid values only.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        headers.insert(header::ACCEPT, accept);
        if let Some((kind, body)) = &prepared.body {
            headers.insert(header::CONTENT_TYPE, kind.clone());
            *request.body_mut() = Some(body.clone().into());
        }
        request
    }

    #[inline]
    fn timeouts(&self, operation: &'static Operation, left: Duration) -> ResponseTimeouts {
        ResponseTimeouts::new(operation, self.settings.read_timeout, left, "no response within the timeout")
    }

    /// Waits until a file begins.
    async fn start_download(
        &self,
        target: &CallTarget<'_>,
        (connection, request): (&Connection, reqwest::Request),
        left: Duration,
    ) -> Result<Download> {
        let operation = target.operation;
        let timeouts = self.timeouts(operation, left);
        let mut response = timeouts.apply(connection.send(request)).await?;
        let is_ok = response.status() == StatusCode::OK;
        let length = response.content_length();
        // Some servers send archives with the type of a document. The result of a script may be a file of any type.
        let needs_content = is_ok && target.prepared.is_some() && is_document(&response);
        let first = if needs_content { timeouts.apply(response.chunk()).await? } else { None };
        if is_ok && (!needs_content || first.as_deref().is_some_and(starts_like_zip)) {
            self.record_exchange(target, response.status(), response.headers(), None);
            target.record_metrics(response.status(), response.headers(), None);
            return Ok(Download::new(operation, response, (length, first), self.settings.read_timeout));
        }
        let raw = self.read(target, (response, first), &timeouts).await?;
        let status = raw.status;
        if has_only_errors(&raw.body) {
            return Err(Error::api(operation, status, raw.body, None));
        }
        if let Some(page) = HtmlPage::of(Some(&raw.headers), &raw.body) {
            return Err(Error::page_for_file(operation, status, page));
        }
        let text = excerpt(&raw.body).map(|text| format!(": {}", target.secrets.redactor().redact(&text)));
        let message = format!("the response (HTTP {status}) is not a file{}", text.unwrap_or_default());
        Err(Error::no_result(operation, message, "check that there is a file to download"))
    }

    /// Reads a response to its end, up to the maximum size. `first` is the chunk that was read before, if any.
    #[inline]
    async fn read(
        &self,
        target: &CallTarget<'_>,
        (mut response, first): (HttpResponse, Option<Bytes>),
        timeouts: &ResponseTimeouts,
    ) -> Result<RawResponse> {
        let operation = target.operation;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let success = status.is_success();
        let limit = if success { self.settings.max_response_size } else { MAX_ERROR_BODY };
        // The announced length avoids reallocations.
        let length =
            response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        let mut body = BytesMut::with_capacity(length.min(limit).min(MAX_PREALLOCATION));
        body.extend_from_slice(first.as_deref().unwrap_or_default());
        loop {
            match timeouts.apply(response.chunk()).await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // The error status is more important than a complete body.
                Err(_) if !success => break,
                Err(error) => return Err(error),
            }
            if body.len() > limit {
                if success {
                    return Err(Error::for_operation(
                        operation,
                        ErrorRepr::ResponseTooLarge { status, limit },
                    ));
                }
                break;
            }
        }
        let body = without_byte_order_mark(body.freeze());
        self.record_exchange(target, status, &headers, Some(&body));
        target.record_metrics(status, &headers, Some(body.len()));
        let raw = RawResponse { status, headers, body };
        raw.check(operation, self.settings.clock.system_time())?;
        Ok(raw)
    }

    /// Passes an exchange with the console to the recorder.
    #[inline]
    fn record_exchange(
        &self,
        target: &CallTarget<'_>,
        status: StatusCode,
        headers: &HeaderMap,
        response_body: Option<&[u8]>,
    ) {
        let (Some(recorder), Some(prepared)) = (&self.settings.recorder, target.prepared) else { return };
        recorder.record(&RawExchange {
            operation: prepared.operation,
            api_version: self.settings.version,
            path: &prepared.path,
            query: &prepared.query,
            request_headers: prepared.headers,
            request_body: prepared.json.as_deref(),
            status,
            headers,
            response_body,
        });
    }
}

/// Returns whether the content type is JSON or HTML: an error of the console instead of a file, or the page of a proxy.
fn is_document(response: &HttpResponse) -> bool {
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "application/problem+json" | "text/html")
}
