//! The one place through which every request goes: turns under the rate limits, attempts, deadlines, and what is
//! told of it all.

mod call;
mod clock;
mod http;
mod limits;
mod patience;
mod record;
mod retry;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use sentinelone_raw::runtime::{AnswerForm, ApiVersion, Method, Operation, Request};
use tracing::field::Empty;
use tracing::{Instrument, debug, info_span};

use crate::Result;
use crate::address::Console;
use crate::error::{BODY_KEPT, Error, History, Trouble};
use crate::files::Download;
use crate::response::{REQUEST_ID, Whole, says_only_errors};
use crate::secrets::Kept;
use crate::text::printable;
use crate::token::ApiToken;

use call::{Attempt, Attempts, Call};

pub use clock::{Clock, Sleep};
pub use limits::RateLimits;
pub use record::{Recorder, Seen};
pub use retry::Retry;

pub(crate) use clock::TokioClock;
pub(crate) use http::{HttpSettings, Proxy};
pub(crate) use limits::Held;
pub(crate) use patience::Patience;
pub(crate) use retry::RetryAfter;

/// The most that an answer is given room for before it comes.
const AT_ONCE: usize = 64 << 20;

/// Connections, and everything that all calls of a client share.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// The token, as the console wants it. Addresses elsewhere are asked without it.
    pub(crate) authorization: HeaderValue,
    pub(crate) settings: Settings,
}

/// How calls are made.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) console: Console,
    pub(crate) version: ApiVersion,
    /// For a call in all.
    pub(crate) timeout: Duration,
    /// For how long the console may send nothing.
    pub(crate) read_timeout: Duration,
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

/// Without the connections, which may be those of a proxy that is named with its password.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("settings", &self.settings).finish_non_exhaustive()
    }
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

/// Whom a call asks, and what was answered so far.
struct Asked<'a> {
    operation: &'static Operation,
    secrets: Kept,
    /// What is asked of the console; `None` for another server, which has neither the token nor known rates.
    prepared: Option<&'a Prepared<'a>>,
    answered: Mutex<Answered>,
}

/// The numbers of an answer, to be told.
#[derive(Default)]
struct Answered {
    status: Option<u16>,
    bytes: Option<usize>,
    request_id: Option<String>,
}

impl<'a> Asked<'a> {
    #[inline]
    fn console(prepared: &'a Prepared<'a>, secrets: Kept) -> Self {
        let operation = prepared.operation;
        Self { operation, secrets, prepared: Some(prepared), answered: Mutex::default() }
    }

    fn elsewhere(operation: &'static Operation, token: &ApiToken) -> Self {
        let secrets = Kept::new(Vec::new(), token);
        Self { operation, secrets, prepared: None, answered: Mutex::default() }
    }

    fn answered(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clean(&self, error: Error) -> Error {
        error.without(&self.secrets.spelt())
    }

    /// Takes note of an answer: its numbers, and nothing of what is in it.
    #[inline]
    fn note(&self, status: StatusCode, headers: &HeaderMap, bytes: Option<usize>) {
        let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let request_id = id.map(|id| printable(&self.secrets.spelt().redact(id)));
        debug!(target: "sentinelone", status = status.as_u16(), bytes, request_id, "answered");
        *self.answered() = Answered { status: Some(status.as_u16()), bytes, request_id };
    }
}

impl Transport {
    /// Sends a request and reads the answer, which is one of success; gives what it took, and what must not be shown of
    /// the answer, too.
    pub(crate) async fn send<T>(&self, request: &Request<T>) -> Result<(Whole, History, Kept)> {
        let prepared = &self.prepare(request)?;
        let of_call = Asked::console(prepared, self.secrets_of(request));
        let asked = &of_call;
        let attempt = move |left: Duration| -> Attempt<'_, Whole> {
            Box::pin(async move {
                let patience = self.patience(asked.operation, left);
                let answer = patience.with(self.request(prepared).send()).await?;
                self.read(asked, answer, &patience).await
            })
        };
        let (whole, history) = self.call(asked, &attempt).await.map_err(|error| asked.clean(error))?;
        Ok((whole, history, of_call.secrets))
    }

    /// Asks for a file; gives it as soon as it begins.
    pub(crate) async fn download<T>(&self, request: &Request<T>) -> Result<Download> {
        let prepared = &self.prepare(request)?;
        let asked = &Asked::console(prepared, self.secrets_of(request));
        let attempt = move |left: Duration| -> Attempt<'_, Download> {
            Box::pin(self.start(asked, self.request(prepared), left))
        };
        self.begin(asked, &attempt).await
    }

    /// Asks for a file at an address that the console gave out.
    pub(crate) async fn download_from(
        &self,
        operation: &'static Operation,
        address: url::Url,
    ) -> Result<Download> {
        let asked = &Asked::elsewhere(operation, &self.settings.token);
        let attempt = move |left: Duration| -> Attempt<'_, Download> {
            Box::pin(self.start(asked, self.http.get(address.clone()), left))
        };
        self.begin(asked, &attempt).await
    }

    async fn begin<'a>(&'a self, asked: &'a Asked<'a>, attempt: Attempts<'a, Download>) -> Result<Download> {
        match self.call(asked, attempt).await {
            Ok((download, history)) => Ok(download.after(history)),
            Err(error) => Err(asked.clean(error)),
        }
    }

    /// The token, and the passwords of a request.
    pub(crate) fn secrets_of<T>(&self, request: &Request<T>) -> Kept {
        Kept::new(request.secrets(), &self.settings.token)
    }

    /// Makes a call: attempt after attempt, each in its turn, until one is well, another is not safe to make or
    /// hopeless, or the time is over.
    fn call<'a, T: Send + 'a>(
        &'a self,
        asked: &'a Asked<'a>,
        attempt: Attempts<'a, T>,
    ) -> Attempt<'a, (T, History)> {
        let span = info_span!(
            target: "sentinelone",
            "call",
            operation = asked.operation.id,
            attempts = Empty,
            waited_ms = Empty,
            status = Empty,
            request_id = Empty,
            bytes = Empty,
            error = Empty,
        );
        Box::pin(Call::new(&self.settings, asked, attempt).run().instrument(span))
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
            // A value of JSON can always be written.
            body: json.map(|json| serde_json::to_vec(json).unwrap_or_default().into()),
        })
    }

    #[inline]
    fn request(&self, prepared: &Prepared<'_>) -> reqwest::RequestBuilder {
        let accept = if prepared.operation.answer == AnswerForm::Binary { "*/*" } else { "application/json" };
        let builder = self.http.request(prepared.method.clone(), prepared.url.clone());
        let builder = builder.header(header::AUTHORIZATION, self.authorization.clone());
        let builder = builder.header(header::ACCEPT, accept);
        match &prepared.body {
            Some(body) => builder.header(header::CONTENT_TYPE, "application/json").body(body.clone()),
            None => builder,
        }
    }

    #[inline]
    fn patience(&self, operation: &'static Operation, left: Duration) -> Patience {
        Patience::new(operation, self.settings.read_timeout, left, "no answer in time")
    }

    /// Waits for a file to begin.
    async fn start(
        &self,
        asked: &Asked<'_>,
        builder: reqwest::RequestBuilder,
        left: Duration,
    ) -> Result<Download> {
        let operation = asked.operation;
        let patience = self.patience(operation, left);
        let answer = patience.with(builder.send()).await?;
        // Scripts give files of any type.
        if answer.status() == StatusCode::OK && (asked.prepared.is_none() || !is_page(&answer)) {
            self.show(asked, answer.status(), answer.headers(), None);
            asked.note(answer.status(), answer.headers(), None);
            return Ok(Download::new(operation, answer, self.settings.read_timeout));
        }
        let whole = self.read(asked, answer, &patience).await?;
        let status = whole.status;
        if says_only_errors(&whole.body) {
            return Err(Error::api(operation, status, whole.body, None));
        }
        let message = format!("the answer, of status {status}, is no file");
        Err(Error::ended(operation, message, "there may be nothing to download"))
    }

    /// Reads an answer to its end, and no further than is allowed.
    #[inline]
    async fn read(
        &self,
        asked: &Asked<'_>,
        mut answer: reqwest::Response,
        patience: &Patience,
    ) -> Result<Whole> {
        let operation = asked.operation;
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        let fine = status.is_success();
        let limit = if fine { self.settings.max_answer } else { BODY_KEPT };
        // As long as it says that it is, so that it is not copied while it grows.
        let length =
            answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        let mut body = BytesMut::with_capacity(length.min(limit).min(AT_ONCE));
        loop {
            match patience.with(answer.chunk()).await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // The status is the message; what is missing of the text is not worth losing it.
                Err(_) if !fine => break,
                Err(error) => return Err(error),
            }
            if body.len() > limit {
                if fine {
                    return Err(Error::of(operation, Trouble::TooLarge { status, limit }));
                }
                break;
            }
        }
        let body = body.freeze();
        self.show(asked, status, &headers, Some(&body));
        asked.note(status, &headers, Some(body.len()));
        let whole = Whole { status, headers, body };
        whole.check(operation, self.settings.clock.time_of_day())?;
        Ok(whole)
    }

    /// Shows an exchange with the console to whoever records.
    #[inline]
    fn show(&self, asked: &Asked<'_>, status: StatusCode, headers: &HeaderMap, answer: Option<&[u8]>) {
        let (Some(recorder), Some(prepared)) = (&self.settings.recorder, asked.prepared) else { return };
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

/// Whether an answer says what it is, and that is something to read: what the console says instead of a file, or
/// the page of a proxy.
fn is_page(answer: &reqwest::Response) -> bool {
    let kind =
        answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "application/problem+json" | "text/html")
}
