//! Errors of the client.

mod api;
mod display;
mod document;
mod limit_timeout;
mod refusal;
mod remedy;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use sentinelone_raw::runtime::{DecodeError, Operation, RequestError, Timestamp};

use crate::console_url::ConsoleUrlError;
use crate::redaction::Redactor;
use crate::retry_after::RetryAfter;
#[cfg(feature = "commands")]
use crate::text::replace_control_chars;
use crate::token::{AcceptedOperations, TokenError};

use document::{NOT_THE_API, StoreError, mentions_expiry, redirect_target};

pub use api::ApiError;
pub(crate) use api::{excerpt, has_errors, parse_api_errors};
pub use display::ErrorReport;
pub(crate) use document::HtmlPage;
pub(crate) use limit_timeout::LimitTimeout;

/// An error of another type, as the cause.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of a call or of the client configuration.
///
/// It has a [kind](Self::kind), the [operation](Self::operation), the [delivery](Self::delivery) of the request, the
/// HTTP [status](Self::status), the [errors of the API](Self::api_errors) and a remedy ([`help`](Self::help)).
/// [`Display`](fmt::Display) prints the message only, and [`report`](Self::report) the message and the remedy. The token
/// of the client is redacted in all of its text.
pub struct Error(Box<Inner>);

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client configuration is invalid. Nothing was sent.
    Configuration,
    /// The request is invalid or its filter is not selective. Nothing was sent.
    InvalidRequest,
    /// The console was not reached. Every call is safe to repeat, including an action.
    Connect,
    /// No rate-limit permit within the call timeout, because of the client's rate limits or a pause that the console
    /// requested. Nothing was sent.
    RateLimitTimeout,
    /// No response within the timeout. The request may have taken effect.
    Timeout,
    /// The connection closed before the response was complete. The request may have taken effect.
    ConnectionLost,
    /// The console returned an error.
    Api,
    /// The response does not match the operation.
    Decode,
    /// The response exceeds the maximum size.
    ResponseTooLarge,
    /// A list returned the same cursor twice, so it would never end.
    RepeatedCursor,
    /// A list returned many pages in a row that are empty or equal an earlier page, each with a new cursor, so it may
    /// never end.
    EmptyPages,
    /// A job did not finish in time. It may still finish.
    WaitTimeout,
    /// A job ended without a result: it failed, was canceled, or waits for approval.
    NoResult,
    /// A local file could not be read or written.
    Io,
    /// A downloaded archive is invalid: truncated, not an archive, protected by another password, or unsafe to unpack.
    Archive,
    /// The journal of an action on many IDs cannot be used: another process uses it, it belongs to another action, or it
    /// is damaged. Nothing was sent.
    Journal,
}

/// Whether a request reached the console. The variants are in ascending order of likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// The request did not reach the console.
    NotSent,
    /// The request, or a part of it, may have reached the console.
    Unknown,
    /// The request reached the console, which sent a response.
    Delivered,
}

pub(crate) struct Inner {
    operation: Option<&'static Operation>,
    repr: ErrorRepr,
    /// How to resume a started job.
    resume_hint: Option<String>,
    /// Summary of all attempts; `None` for an error outside a call.
    history: Option<History>,
    /// Request ID of the console.
    request_id: Option<String>,
    /// HTML page in place of a response of the API.
    page: Option<HtmlPage>,
    /// Target of a redirect.
    redirect: Option<String>,
    /// The server of a link, if the request was sent to it and not to the console.
    link: Option<FailedLink>,
    /// Facts about the client; `None` for an error outside a call.
    client: Option<ClientFacts>,
}

/// Facts about the client of a failed call, on which the remedy depends.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientFacts {
    /// Host name of the console, if it has a single label.
    pub(crate) short_host: Option<String>,
    /// Operations for which the console accepts the token. Read when the error is printed: calls that run at the same
    /// time, or after the failed one, count too.
    pub(crate) accepted: Arc<AcceptedOperations>,
    /// Expiry time of the token by its own claims, if it has passed.
    pub(crate) token_expired: Option<Timestamp>,
}

/// A link of the console to another server that did not return the file.
struct FailedLink {
    host: String,
    /// Error of an object store.
    store: Option<StoreError>,
    has_expired: bool,
}

/// Summary of the attempts of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    pub(crate) attempts: u32,
    pub(crate) delivery: Delivery,
    pub(crate) may_have_taken_effect: bool,
}

impl Default for History {
    fn default() -> Self {
        Self { attempts: 0, delivery: Delivery::NotSent, may_have_taken_effect: false }
    }
}

impl History {
    /// Adds a failed attempt.
    pub(crate) fn add(&mut self, error: &Error) {
        self.delivery = self.delivery.max(error.delivery());
        self.may_have_taken_effect |= error.may_have_taken_effect();
    }

    /// Attaches the history to an error that occurred after the last attempt succeeded.
    pub(crate) fn attach_to(mut self, error: Error) -> Error {
        self.add(&error);
        error.with_history(self)
    }
}

pub(crate) enum ErrorRepr {
    Configuration {
        message: String,
        help: Option<&'static str>,
    },
    /// An error of another type, whose message and cause are those of this error. `downcast_ref` returns it.
    Caused {
        kind: ErrorKind,
        source: Source,
        help: Option<String>,
    },
    InvalidRequest(RequestError),
    /// A list that cannot be read in parallel, with the reason.
    NotParallel(String),
    Transport {
        kind: ErrorKind,
        source: Source,
    },
    /// A failure of the connection that the client detects itself.
    Connection {
        kind: ErrorKind,
        message: String,
    },
    Api {
        status: StatusCode,
        errors: Vec<ApiError>,
        body: Bytes,
        retry_after: Option<RetryAfter>,
    },
    RateLimitTimeout(LimitTimeout),
    Decode {
        status: StatusCode,
        source: DecodeError,
        body: Bytes,
    },
    ResponseTooLarge {
        status: StatusCode,
        limit: usize,
    },
    RepeatedCursor,
    /// Holds the number of pages.
    EmptyPages(u32),
    WaitTimeout(String),
    NoResult {
        message: String,
        help: String,
    },
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    Archive {
        message: String,
        fault: ArchiveFault,
    },
    Journal {
        path: PathBuf,
        message: String,
        help: &'static str,
    },
}

/// The fault of an invalid archive, which determines the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveFault {
    /// The download is truncated or is not an archive.
    Download,
    /// An entry was not decrypted.
    #[cfg_attr(not(feature = "unzip"), expect(dead_code, reason = "only unpacking decrypts"))]
    Password,
    /// The content is damaged, exceeds a limit, or is unsafe to unpack.
    #[cfg_attr(not(feature = "unzip"), expect(dead_code, reason = "only unpacking reads the content"))]
    Content,
}

/// Maximum size of the body in an error, in bytes.
pub(crate) const MAX_ERROR_BODY: usize = 64 * 1024;

impl Error {
    pub(crate) fn for_operation(operation: &'static Operation, repr: ErrorRepr) -> Self {
        Self::new(Some(operation), repr)
    }

    fn new(operation: Option<&'static Operation>, repr: ErrorRepr) -> Self {
        let (resume_hint, history, request_id, page, redirect, link, client) = Default::default();
        Self(Box::new(Inner {
            operation,
            repr,
            resume_hint,
            history,
            request_id,
            page,
            redirect,
            link,
            client,
        }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(None, ErrorRepr::Configuration { message: message.into(), help: None })
    }

    /// Sets the remedy of a configuration error.
    pub(crate) fn with_help(mut self, remedy: &'static str) -> Self {
        if let ErrorRepr::Configuration { help, .. } = &mut self.0.repr {
            *help = Some(remedy);
        }
        self
    }

    /// Creates an error from an error whose message is complete, with its remedy. [`downcast_ref`](Self::downcast_ref)
    /// returns it.
    pub(crate) fn caused(kind: ErrorKind, source: impl Into<Source>, help: Option<String>) -> Self {
        Self::new(None, ErrorRepr::Caused { kind, source: source.into(), help })
    }

    /// Creates an error for a job without a result. `help` is the remedy.
    pub(crate) fn no_result(
        operation: &'static Operation,
        message: impl AsRef<str>,
        help: impl Into<String>,
    ) -> Self {
        Self::for_operation(
            operation,
            ErrorRepr::NoResult { message: message.as_ref().to_owned(), help: help.into() },
        )
    }

    /// Creates an error for an HTML page in place of a file.
    pub(crate) fn page_for_file(operation: &'static Operation, status: StatusCode, page: HtmlPage) -> Self {
        let message = format!("the response (HTTP {status}) is not a file, but an HTML page");
        let mut error = Self::no_result(operation, message, NOT_THE_API);
        error.0.page = Some(page);
        error
    }

    /// Creates an error for a local file.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::new(None, ErrorRepr::Io { path: path.to_owned(), source })
    }

    /// Creates an error for a journal that cannot be used. `help` is the remedy.
    pub(crate) fn journal(path: &Path, message: impl Into<String>, help: &'static str) -> Self {
        Self::new(None, ErrorRepr::Journal { path: path.to_owned(), message: message.into(), help })
    }

    /// Creates an error for an invalid archive.
    #[cfg(feature = "unzip")]
    pub(crate) fn archive(fault: ArchiveFault, message: impl Into<String>) -> Self {
        Self::new(None, ErrorRepr::Archive { message: message.into(), fault })
    }

    /// Returns whether an entry of an archive was not decrypted.
    #[cfg(feature = "commands")]
    pub(crate) fn is_wrong_password(&self) -> bool {
        matches!(self.0.repr, ErrorRepr::Archive { fault: ArchiveFault::Password, .. })
    }

    pub(crate) fn api(
        operation: &'static Operation,
        status: StatusCode,
        body: Bytes,
        retry_after: Option<RetryAfter>,
    ) -> Self {
        let errors = parse_api_errors(&body);
        let body = body.slice(..body.len().min(MAX_ERROR_BODY));
        Self::for_operation(operation, ErrorRepr::Api { status, errors, body, retry_after })
    }

    /// Redacts the token and the passwords of the request, which a server or a proxy may have echoed.
    pub(crate) fn redacted(mut self, secrets: &Redactor<'_>) -> Self {
        match &mut self.0.repr {
            ErrorRepr::Api { errors, body, retry_after, .. } => {
                errors.iter_mut().for_each(|error| error.redact(secrets));
                *body = secrets.redact_body(body);
                if let Some(retry_after) = retry_after {
                    retry_after.header = secrets.redact(&retry_after.header);
                }
            }
            ErrorRepr::Decode { source, body, .. } => {
                source.path = secrets.redact(&source.path);
                source.message = secrets.redact(&source.message);
                *body = secrets.redact_body(body);
            }
            _ => {}
        }
        for text in [&mut self.0.request_id, &mut self.0.redirect] {
            *text = text.take().map(|text| secrets.redact(&text));
        }
        if let Some(page) = &mut self.0.page {
            page.redact(secrets);
        }
        if let Some(store) = self.0.link.as_mut().and_then(|link| link.store.as_mut()) {
            store.redact(secrets);
        }
        self
    }

    /// Sets the request ID of the console.
    pub(crate) fn with_request_id(mut self, request_id: Option<&str>) -> Self {
        self.0.request_id = request_id.map(str::to_owned);
        self
    }

    /// Adds what the headers of the response say about its body, and the target of a redirect.
    pub(crate) fn with_headers(mut self, headers: &HeaderMap) -> Self {
        self.0.page = self.body().and_then(|body| HtmlPage::of(Some(headers), body));
        self.0.redirect =
            self.status().filter(StatusCode::is_redirection).and_then(|_| redirect_target(headers));
        self
    }

    /// Sets the facts about the client.
    pub(crate) fn with_client(mut self, client: ClientFacts) -> Self {
        self.0.client = Some(client);
        self
    }

    /// Marks an error of a request to a link of the console. `has_expired` is whether the URL contains a time of expiry
    /// that has passed.
    pub(crate) fn of_link(mut self, host: &str, has_expired: bool) -> Self {
        let store = self.body().and_then(|body| StoreError::of(body));
        let is_refused = self.status().is_some_and(|status| matches!(status.as_u16(), 400 | 401 | 403 | 410));
        let has_expired = match &store {
            Some(store) => is_refused && has_expired || store.has_expired,
            // The response of another server than an object store, in any format.
            None => {
                let is_about_expiry = |body: &Bytes| mentions_expiry(&String::from_utf8_lossy(body));
                is_refused && (has_expired || self.body().is_some_and(is_about_expiry))
            }
        };
        self.0.link = Some(FailedLink { host: host.to_owned(), store, has_expired });
        self
    }

    /// Marks an error that occurred before any request of its call.
    pub(crate) fn before_request(self) -> Self {
        self.with_history(History::default())
    }

    /// Sets the summary of the attempts.
    pub(crate) fn with_history(mut self, history: History) -> Self {
        self.0.history = Some(history);
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match &self.0.repr {
            ErrorRepr::Configuration { .. } => ErrorKind::Configuration,
            ErrorRepr::InvalidRequest(_) | ErrorRepr::NotParallel(_) => ErrorKind::InvalidRequest,
            ErrorRepr::Caused { kind, .. }
            | ErrorRepr::Transport { kind, .. }
            | ErrorRepr::Connection { kind, .. } => *kind,
            ErrorRepr::Api { .. } => ErrorKind::Api,
            ErrorRepr::RateLimitTimeout(_) => ErrorKind::RateLimitTimeout,
            ErrorRepr::Decode { .. } => ErrorKind::Decode,
            ErrorRepr::ResponseTooLarge { .. } => ErrorKind::ResponseTooLarge,
            ErrorRepr::RepeatedCursor => ErrorKind::RepeatedCursor,
            ErrorRepr::EmptyPages(_) => ErrorKind::EmptyPages,
            ErrorRepr::WaitTimeout(_) => ErrorKind::WaitTimeout,
            ErrorRepr::NoResult { .. } => ErrorKind::NoResult,
            ErrorRepr::Io { .. } => ErrorKind::Io,
            ErrorRepr::Archive { .. } => ErrorKind::Archive,
            ErrorRepr::Journal { .. } => ErrorKind::Journal,
        }
    }

    /// Returns the ID of the operation, such as `threats_update_incident`; `None` if the error occurred before an
    /// operation was called.
    pub fn operation(&self) -> Option<&'static str> {
        match &self.0.repr {
            ErrorRepr::InvalidRequest(error) => Some(error.operation()),
            _ => self.0.operation.map(|operation| operation.id),
        }
    }

    /// Returns whether the request reached the console, in any of its attempts.
    ///
    /// # Troubleshooting
    /// After [`Delivery::NotSent`], every call is safe to repeat. After [`Delivery::Unknown`], a read is safe to
    /// repeat. An action may have taken effect: check the result before you repeat it.
    pub fn delivery(&self) -> Delivery {
        let last = match self.kind() {
            ErrorKind::Configuration
            | ErrorKind::InvalidRequest
            | ErrorKind::Journal
            | ErrorKind::Connect
            | ErrorKind::RateLimitTimeout => Delivery::NotSent,
            ErrorKind::Timeout | ErrorKind::ConnectionLost => Delivery::Unknown,
            _ => Delivery::Delivered,
        };
        // The history includes the last attempt.
        self.0.history.map_or(last, |history| history.delivery)
    }

    /// Returns whether the request may have taken effect, at least in part. It is false if no attempt reached the
    /// console, or the console rejected every attempt that did (HTTP status 300 to 499, or 503 with `Retry-After`).
    pub fn may_have_taken_effect(&self) -> bool {
        if let Some(history) = self.0.history {
            return history.may_have_taken_effect;
        }
        let rejected = self.kind() == ErrorKind::Api
            && match self.status().map(|status| status.as_u16()) {
                Some(503) => self.retry_after().is_some(),
                status => status.is_some_and(|status| (300..500).contains(&status)),
            };
        self.delivery() != Delivery::NotSent && !rejected
    }

    /// Returns the number of attempts; 0 if the error occurred before the first one.
    pub fn attempts(&self) -> u32 {
        self.0.history.map_or(0, |history| history.attempts)
    }

    /// Returns the request ID of the console, which SentinelOne support needs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.repr {
            ErrorRepr::Api { status, .. }
            | ErrorRepr::Decode { status, .. }
            | ErrorRepr::ResponseTooLarge { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns the entries of the API's `errors` array; empty if the body has none of the known error formats.
    pub fn api_errors(&self) -> &[ApiError] {
        match &self.0.repr {
            ErrorRepr::Api { errors, .. } => errors,
            _ => &[],
        }
    }

    /// Returns the response body, if there is one: of an error response the first 64 KiB, of a response that does not
    /// decode the whole body. It may be JSON, HTML or text.
    pub fn body(&self) -> Option<&Bytes> {
        match &self.0.repr {
            ErrorRepr::Api { body, .. } | ErrorRepr::Decode { body, .. } => Some(body),
            _ => None,
        }
    }

    /// Returns whether the response is an HTML page in place of a response of the API: a login page, the page of a
    /// proxy, or the web interface of the console. The message of the error has its title.
    pub fn is_html_page(&self) -> bool {
        self.0.page.is_some()
    }

    /// Returns whether the same request can succeed later, without a change of the request, the configuration or the
    /// console: the console was not reached, is too busy, or failed.
    pub fn is_temporary(&self) -> bool {
        match self.kind() {
            ErrorKind::Configuration | ErrorKind::InvalidRequest | ErrorKind::Journal => false,
            ErrorKind::Api => self.status().is_none_or(|status| {
                matches!(status.as_u16(), 200..300 | 408 | 409 | 423 | 425 | 429)
                    || status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
            }),
            _ => !self.is_html_page(),
        }
    }

    /// Returns whether the same read may succeed soon: the console was not reached, is too busy, or failed.
    pub(crate) fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect
            | ErrorKind::RateLimitTimeout
            | ErrorKind::Timeout
            | ErrorKind::ConnectionLost => true,
            ErrorKind::Api => self.status().is_some_and(|status| status == 429 || status.is_server_error()),
            _ => false,
        }
    }

    /// Returns the unparsed `Retry-After` header of an error response.
    pub fn retry_after_header(&self) -> Option<&str> {
        match &self.0.repr {
            ErrorRepr::Api { retry_after, .. } => retry_after.as_ref().map(|after| after.header.as_str()),
            _ => None,
        }
    }

    /// Returns the delay that the console requests, relative to its response; `None` if the header is missing or
    /// invalid.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.repr {
            ErrorRepr::Api { retry_after, .. } => retry_after.as_ref()?.delay,
            _ => None,
        }
    }

    /// Returns the request error, if the request is invalid.
    pub fn request_error(&self) -> Option<&RequestError> {
        match &self.0.repr {
            ErrorRepr::InvalidRequest(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the error that this one was converted from, if it is a `T`: an `ArgumentError`, a
    /// [`MirrorError`](crate::incidents::MirrorError), a [`ConsoleUrlError`] or a [`TokenError`]. Its message is that of
    /// this error.
    pub fn downcast_ref<T: std::error::Error + 'static>(&self) -> Option<&T> {
        match &self.0.repr {
            ErrorRepr::Caused { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the decode error with the location of the invalid value, if the response does not decode.
    pub fn decode_error(&self) -> Option<&DecodeError> {
        match &self.0.repr {
            ErrorRepr::Decode { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::new(None, ErrorRepr::InvalidRequest(error))
    }
}

/// Errors of jobs that are polled.
impl Error {
    /// Creates an error for a job that did not finish in time. `hint` describes how to resume it.
    pub(crate) fn wait_timeout(operation: &'static Operation, hint: impl Into<String>) -> Self {
        Self::for_operation(operation, ErrorRepr::WaitTimeout(hint.into()))
    }
}

/// Errors of commands that poll.
#[cfg(feature = "commands")]
impl Error {
    /// Adds how to resume a job that continues on the console.
    pub(crate) fn with_resume_hint(mut self, hint: &str) -> Self {
        self.0.resume_hint = Some(replace_control_chars(hint));
        self
    }
}

impl From<ConsoleUrlError> for Error {
    fn from(error: ConsoleUrlError) -> Self {
        let help = error.help();
        Self::caused(ErrorKind::Configuration, error, help)
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        let help = error.help();
        Self::caused(ErrorKind::Configuration, error, help)
    }
}

/// Prints the kind and the [report](Error::report), without the body, which may contain personal data.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {})", self.kind(), self.report())
    }
}

/// [`source`](std::error::Error::source) returns the error of the connection, which callers can downcast. An error that was
/// converted from another one has the source of that one; [`downcast_ref`](Error::downcast_ref) returns the other.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.repr {
            ErrorRepr::Caused { source, .. } => source.source(),
            ErrorRepr::Transport { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
