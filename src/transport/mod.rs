//! The one place through which every request goes: turns under the rate limits, attempts, deadlines, and what is
//! told of it all.

mod call;
mod clock;
mod http;
mod limits;
mod record;
mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use sentinelone_raw::runtime::{AnswerForm, ApiVersion, Method, Operation, Request};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, info_span};

use crate::Result;
use crate::address::Console;
use crate::error::{BODY_KEPT, Error, ErrorKind, History, Trouble};
use crate::files::{Download, LONGEST_DOWNLOAD};
use crate::response::{REQUEST_ID, Whole, says_only_errors};
use crate::secrets::Secrets;
use crate::text::printable;
use crate::token::ApiToken;

use call::{Attempt, Attempts, Call};

pub use clock::{Clock, Sleep};
pub use limits::RateLimits;
pub use record::{Recorder, Seen};
pub use retry::Retry;

pub(crate) use clock::TokioClock;
pub(crate) use http::{HttpSettings, Proxy};
pub(crate) use retry::RetryAfter;

/// Connections, and everything that all calls of a client share.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// For addresses elsewhere: without the token.
    pub(crate) plain: reqwest::Client,
    pub(crate) settings: Settings,
}

/// How calls are made.
pub(crate) struct Settings {
    pub(crate) console: Console,
    pub(crate) version: ApiVersion,
    /// For a call in all.
    pub(crate) timeout: Duration,
    pub(crate) max_answer: usize,
    pub(crate) retry: Retry,
    pub(crate) limits: RateLimits,
    pub(crate) clock: Arc<dyn Clock>,
    /// Numbers from 0 to 1.
    pub(crate) random: Arc<dyn Fn() -> f64 + Send + Sync>,
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
    /// Kept so that it can be taken out of what an error keeps.
    pub(crate) token: ApiToken,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("console", &self.console)
            .field("version", &self.version)
            .field("timeout", &self.timeout)
            .field("max_answer", &self.max_answer)
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .field("clock", &self.clock)
            .field("recorder", &self.recorder)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// A request in the form in which every attempt sends it.
struct Prepared<'a> {
    operation: &'static Operation,
    method: ::http::Method,
    url: url::Url,
    path: String,
    query: Vec<(String, String)>,
    json: Option<&'a serde_json::Value>,
    body: Option<Bytes>,
}

impl Transport {
    /// Sends a request and reads the answer, which is one of success.
    pub(crate) async fn send<T>(&self, request: &Request<T>) -> Result<(Whole, History)> {
        let prepared = self.prepare(request)?;
        let prepared = &prepared;
        let attempt = move |left: Duration| -> Attempt<'_, Whole> {
            Box::pin(async move {
                let builder = self.request(prepared).timeout(left);
                let answer = builder.send().await;
                let answer = answer.map_err(|error| Error::transport(prepared.operation, error))?;
                self.read(prepared.operation, Some(prepared), answer).await
            })
        };
        let whole = self.call(prepared.operation, true, &attempt).await;
        whole.map_err(|error| self.clean(error, request))
    }

    /// Asks for a file; gives it as soon as it begins.
    pub(crate) async fn download<T>(&self, request: &Request<T>) -> Result<Download> {
        let prepared = self.prepare(request)?;
        let prepared = &prepared;
        let attempt = move |left: Duration| -> Attempt<'_, Download> {
            Box::pin(self.start(prepared.operation, Some(prepared), self.request(prepared), left))
        };
        let download = self.call(prepared.operation, true, &attempt).await;
        download.map(|(download, _)| download).map_err(|error| self.clean(error, request))
    }

    /// Asks for a file at an address that the console gave out.
    pub(crate) async fn download_from(
        &self,
        operation: &'static Operation,
        address: url::Url,
    ) -> Result<Download> {
        let attempt = move |left: Duration| -> Attempt<'_, Download> {
            Box::pin(self.start(operation, None, self.plain.get(address.clone()), left))
        };
        // It is another server, whose rates are not known.
        let download = self.call(operation, false, &attempt).await;
        download.map(|(download, _)| download).map_err(|error| error.without(&self.secrets()))
    }

    /// An error without this client's token and the passwords of the request in it.
    pub(crate) fn clean<T>(&self, error: Error, request: &Request<T>) -> Error {
        let passwords = request.secrets();
        let secrets = passwords.iter().map(String::as_str).chain([self.settings.token.exposed()]);
        error.without(&Secrets::of(secrets))
    }

    /// The token alone.
    pub(crate) fn secrets(&self) -> Secrets<'_> {
        Secrets::of([self.settings.token.exposed()])
    }

    /// Makes a call: attempt after attempt, each in its turn, until one is well, another is not safe to make or
    /// hopeless, or the time is over.
    fn call<'a, T: Send + 'a>(
        &'a self,
        operation: &'static Operation,
        limited: bool,
        attempt: Attempts<'a, T>,
    ) -> Attempt<'a, (T, History)> {
        let span = info_span!(
            target: "sentinelone",
            "call",
            operation = operation.id,
            attempts = Empty,
            waited_ms = Empty,
            status = Empty,
            request_id = Empty,
            bytes = Empty,
            error = Empty,
        );
        Box::pin(Call::new(self, operation, limited, attempt).run().instrument(span))
    }

    /// A request for the wire.
    fn prepare<'a, T>(&self, request: &'a Request<T>) -> Result<Prepared<'a>> {
        request.check()?;
        let path = request.path(self.settings.version)?;
        let query = request.query();
        let method = match request.method() {
            Method::Get => ::http::Method::GET,
            Method::Post => ::http::Method::POST,
            Method::Put => ::http::Method::PUT,
            Method::Delete => ::http::Method::DELETE,
        };
        let json = request.body();
        Ok(Prepared {
            operation: request.operation(),
            method,
            url: self.settings.console.url(&path, &query),
            path,
            query,
            json,
            body: json.map(|json| json.to_string().into()),
        })
    }

    fn request(&self, prepared: &Prepared<'_>) -> reqwest::RequestBuilder {
        let accept = if prepared.operation.answer == AnswerForm::Binary { "*/*" } else { "application/json" };
        let builder = self.http.request(prepared.method.clone(), prepared.url.clone());
        let builder = builder.header(header::ACCEPT, accept);
        match &prepared.body {
            Some(body) => builder.header(header::CONTENT_TYPE, "application/json").body(body.clone()),
            None => builder,
        }
    }

    /// Waits for a file to begin. `prepared` is what was asked of the console, and `None` elsewhere.
    async fn start(
        &self,
        operation: &'static Operation,
        prepared: Option<&Prepared<'_>>,
        builder: reqwest::RequestBuilder,
        left: Duration,
    ) -> Result<Download> {
        let begin = async {
            let builder = builder.timeout(LONGEST_DOWNLOAD);
            let answer = builder.send().await.map_err(|error| Error::transport(operation, error))?;
            // Scripts give files of any type.
            if answer.status() == StatusCode::OK && (prepared.is_none() || !is_page(&answer)) {
                self.show(prepared, answer.status(), answer.headers(), None);
                told(answer.status(), answer.headers(), None, &self.secrets());
                return Ok(Download::new(operation, answer));
            }
            let whole = self.read(operation, prepared, answer).await?;
            let status = whole.status;
            if says_only_errors(&whole.body) {
                return Err(Error::api(operation, status, whole.body, None));
            }
            let message = format!("the answer, of status {status}, is no file");
            Err(Error::ended(operation, message, "there may be nothing to download"))
        };
        let slow = |_| {
            let message = "no file came within the time limit".to_owned();
            Error::of(operation, Trouble::Line { kind: ErrorKind::Timeout, message })
        };
        tokio::time::timeout(left, begin).await.map_err(slow)?
    }

    /// Reads an answer to its end, and no further than is allowed.
    async fn read(
        &self,
        operation: &'static Operation,
        prepared: Option<&Prepared<'_>>,
        mut answer: reqwest::Response,
    ) -> Result<Whole> {
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        let fine = status.is_success();
        let limit = if fine { self.settings.max_answer } else { BODY_KEPT };
        let mut body = BytesMut::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // The status is the message; what is missing of the text is not worth losing it.
                Err(_) if !fine => break,
                Err(error) => return Err(Error::transport(operation, error)),
            }
            if body.len() > limit {
                if fine {
                    return Err(Error::of(operation, Trouble::TooLarge { status, limit }));
                }
                break;
            }
        }
        let body = body.freeze();
        self.show(prepared, status, &headers, Some(&body));
        told(status, &headers, Some(body.len()), &self.secrets());
        let whole = Whole { status, headers, body };
        whole.check(operation, self.settings.clock.time_of_day())?;
        Ok(whole)
    }

    /// Shows an exchange with the console to whoever records.
    fn show(
        &self,
        prepared: Option<&Prepared<'_>>,
        status: StatusCode,
        headers: &HeaderMap,
        answer: Option<&[u8]>,
    ) {
        let (Some(recorder), Some(prepared)) = (&self.settings.recorder, prepared) else { return };
        recorder.record(&Seen {
            operation: prepared.operation,
            version: self.settings.version,
            path: &prepared.path,
            query: &prepared.query,
            body: prepared.json,
            status,
            headers,
            answer,
        });
    }
}

/// Tells the span of the call what the answer is, and nothing of what is in it.
fn told(status: StatusCode, headers: &HeaderMap, bytes: Option<usize>, secrets: &Secrets<'_>) {
    let span = Span::current();
    span.record("status", status.as_u16());
    if let Some(bytes) = bytes {
        span.record("bytes", bytes);
    }
    if let Some(id) = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()) {
        span.record("request_id", printable(&secrets.redact(id)));
    }
    debug!(target: "sentinelone", status = status.as_u16(), bytes, "answered");
}

/// Whether an answer says what it is, and that is something to read: what the console says instead of a file, or
/// the page of a proxy.
fn is_page(answer: &reqwest::Response) -> bool {
    let kind =
        answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "application/problem+json" | "text/html")
}
