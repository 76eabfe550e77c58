//! Errors of the client.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use sentinelone_raw::runtime::{DecodeError, Operation, OperationKind, RequestError, RequestErrorKind};
use serde_json::Value;

#[cfg(feature = "commands")]
use crate::commands::ArgumentError;
use crate::console_url::ConsoleUrlError;
use crate::incidents::MirrorError;
use crate::redaction::Redactor;
use crate::text::{is_unprintable, replace_control_chars};
use crate::token::TokenError;
use crate::transport::{LimitTimeout, RetryAfter};

/// An error of a call or of the client configuration.
///
/// It has a [kind](Self::kind), the [operation](Self::operation), the [delivery](Self::delivery) of the request, the
/// HTTP [status](Self::status), the [errors of the API](Self::api_errors) and a remedy ([`help`](Self::help)). The
/// token of the client is redacted in all of its text.
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
    /// A job did not finish in time. It may still finish.
    WaitTimeout,
    /// A job ended without a result: it failed, was canceled, or waits for approval.
    NoResult,
    /// A local file could not be read or written.
    Io,
    /// A downloaded archive is invalid: truncated, not an archive, protected by another password, or unsafe to unpack.
    Archive,
}

/// Whether a request reached the console. The variants are in ascending order of likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// The request did not reach the console.
    NotSent,
    /// The request, or a part of it, may have reached the console.
    Unknown,
    /// The request reached the console, which sent a response.
    Delivered,
}

/// An entry of the API's `errors` array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// Error code of the API, such as `4000040`.
    pub code: Option<String>,
    /// Short description.
    pub title: Option<String>,
    /// Details; often missing.
    pub detail: Option<String>,
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
    Configuration(String),
    ConsoleUrl(ConsoleUrlError),
    Token(TokenError),
    InvalidRequest(RequestError),
    #[cfg(feature = "commands")]
    Argument(ArgumentError),
    Mirror(MirrorError),
    Transport {
        kind: ErrorKind,
        source: reqwest::Error,
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
    #[cfg_attr(not(feature = "commands"), allow(dead_code, reason = "only commands poll"))]
    WaitTimeout(String),
    NoResult {
        message: String,
        help: String,
    },
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[cfg_attr(not(feature = "unzip"), expect(dead_code, reason = "only unpacking creates it"))]
    Archive(String),
}

/// Maximum size of the body in an error, in bytes.
pub(crate) const MAX_ERROR_BODY: usize = 64 * 1024;

impl Error {
    pub(crate) fn for_operation(operation: &'static Operation, repr: ErrorRepr) -> Self {
        Self::new(Some(operation), repr)
    }

    fn new(operation: Option<&'static Operation>, repr: ErrorRepr) -> Self {
        let (resume_hint, history, request_id) = (None, None, None);
        Self(Box::new(Inner { operation, repr, resume_hint, history, request_id }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(None, ErrorRepr::Configuration(message.into()))
    }

    pub(crate) fn transport(operation: &'static Operation, source: reqwest::Error) -> Self {
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
        Self::for_operation(operation, ErrorRepr::Transport { kind, source: source.without_url() })
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

    /// Creates an error for a local file.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::new(None, ErrorRepr::Io { path: path.to_owned(), source })
    }

    /// Creates an error for an invalid archive.
    #[cfg(feature = "unzip")]
    pub(crate) fn archive(message: impl Into<String>) -> Self {
        Self::new(None, ErrorRepr::Archive(message.into()))
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
        self.0.request_id = self.0.request_id.take().map(|id| secrets.redact(&id));
        self
    }

    /// Sets the request ID of the console.
    pub(crate) fn with_request_id(mut self, request_id: Option<&str>) -> Self {
        self.0.request_id = request_id.map(str::to_owned);
        self
    }

    /// Sets the summary of the attempts.
    pub(crate) fn with_history(mut self, history: History) -> Self {
        self.0.history = Some(history);
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match &self.0.repr {
            ErrorRepr::Configuration(_) | ErrorRepr::ConsoleUrl(_) | ErrorRepr::Token(_) => {
                ErrorKind::Configuration
            }
            ErrorRepr::Mirror(MirrorError::Direction { .. }) => ErrorKind::Configuration,
            ErrorRepr::InvalidRequest(_) | ErrorRepr::Mirror(_) => ErrorKind::InvalidRequest,
            #[cfg(feature = "commands")]
            ErrorRepr::Argument(_) => ErrorKind::InvalidRequest,
            ErrorRepr::Transport { kind, .. } | ErrorRepr::Connection { kind, .. } => *kind,
            ErrorRepr::Api { .. } => ErrorKind::Api,
            ErrorRepr::RateLimitTimeout(_) => ErrorKind::RateLimitTimeout,
            ErrorRepr::Decode { .. } => ErrorKind::Decode,
            ErrorRepr::ResponseTooLarge { .. } => ErrorKind::ResponseTooLarge,
            ErrorRepr::RepeatedCursor => ErrorKind::RepeatedCursor,
            ErrorRepr::WaitTimeout(_) => ErrorKind::WaitTimeout,
            ErrorRepr::NoResult { .. } => ErrorKind::NoResult,
            ErrorRepr::Io { .. } => ErrorKind::Io,
            ErrorRepr::Archive(_) => ErrorKind::Archive,
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
            | ErrorKind::Connect
            | ErrorKind::RateLimitTimeout => Delivery::NotSent,
            ErrorKind::Timeout | ErrorKind::ConnectionLost => Delivery::Unknown,
            _ => Delivery::Delivered,
        };
        self.0.history.map_or(last, |history| history.delivery.max(last))
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

    /// Returns the argument error, if an argument of a command is invalid.
    #[cfg(feature = "commands")]
    pub fn argument_error(&self) -> Option<&ArgumentError> {
        match &self.0.repr {
            ErrorRepr::Argument(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the mirror error, if a threat mirror rejected the call before sending a request.
    pub fn mirror_error(&self) -> Option<&MirrorError> {
        match &self.0.repr {
            ErrorRepr::Mirror(error) => Some(error),
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

    /// Returns the remedy in one sentence.
    pub fn help(&self) -> String {
        match self.kind() {
            ErrorKind::Configuration => "correct the client configuration".into(),
            ErrorKind::InvalidRequest => {
                self.request_help().unwrap_or("correct the request; nothing was sent").into()
            }
            ErrorKind::Connect => {
                "check the console URL, the network and the proxy, then retry; nothing was sent".into()
            }
            ErrorKind::RateLimitTimeout => {
                "retry later, or increase the call timeout; nothing was sent".into()
            }
            ErrorKind::Timeout | ErrorKind::ConnectionLost => {
                if self.is_action() {
                    "the request may have taken effect; check the result before you retry".into()
                } else {
                    "retry; the operation only reads".into()
                }
            }
            ErrorKind::Api => self.api_help(),
            ErrorKind::Decode | ErrorKind::ResponseTooLarge if self.is_action() => {
                "the request has probably taken effect; check the result before you retry".into()
            }
            ErrorKind::Decode => {
                "the response has an unexpected format; the error contains the body".into()
            }
            ErrorKind::ResponseTooLarge => {
                "request fewer items at once, or increase the maximum response size of the client".into()
            }
            ErrorKind::WaitTimeout => match &self.0.repr {
                ErrorRepr::WaitTimeout(hint) => hint.clone(),
                _ => String::new(),
            },
            ErrorKind::NoResult => match &self.0.repr {
                ErrorRepr::NoResult { help, .. } => help.clone(),
                _ => String::new(),
            },
            ErrorKind::Io => "check the directory, its permissions and the free disk space".into(),
            ErrorKind::Archive => "check the password and download the archive again; no file remains".into(),
            ErrorKind::RepeatedCursor => {
                "narrow the filter to get the remaining items; the items so far are valid, but the list would never end"
                    .into()
            }
        }
    }

    fn is_action(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.kind == OperationKind::Action)
    }

    fn api_help(&self) -> String {
        let permission = self.0.operation.and_then(|operation| operation.permission);
        match self.status().map(|status| status.as_u16()) {
            Some(401) => "create a new token; this one is invalid, expired or revoked".into(),
            Some(403) => match permission {
                Some(permission) => {
                    format!("use the token of a user with {permission}, and with access to the scope")
                }
                None => {
                    "check the role and the scope of the token's user; they do not allow the operation".into()
                }
            },
            Some(404) => {
                "check the ID, and that this console supports the operation on this API version".into()
            }
            Some(429) => match self.retry_after_header() {
                Some(header) => format!("wait before the next request (Retry-After: {header})"),
                None => "wait before the next request; there were too many".into(),
            },
            Some(300..400) => "check the console URL; the console redirects to another URL".into(),
            Some(400..500) => "correct the request as described in the error of the console".into(),
            Some(500..) if self.is_action() => {
                "the console failed, and the request may have taken effect; check the result before you retry"
                    .into()
            }
            Some(500..) => "retry later; the console failed".into(),
            _ => "check the errors of the console; the request may have taken effect in part".into(),
        }
    }

    /// Returns the remedy for an invalid request whose message has none.
    fn request_help(&self) -> Option<&'static str> {
        match self.request_error()?.kind() {
            RequestErrorKind::EmptyFilter => {
                Some("set a filter field, or allow the action on everything in scope")
            }
            RequestErrorKind::EmptyList(_) => Some("omit the field, or add an item"),
            RequestErrorKind::Blank(_) => Some("omit the field, or set a value"),
            _ => None,
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::new(None, ErrorRepr::InvalidRequest(error))
    }
}

/// Errors of commands that poll.
#[cfg(feature = "commands")]
impl Error {
    /// Creates an error for a job that did not finish in time. `hint` describes how to resume it.
    pub(crate) fn wait_timeout(operation: &'static Operation, hint: impl Into<String>) -> Self {
        Self::for_operation(operation, ErrorRepr::WaitTimeout(hint.into()))
    }

    /// Adds how to resume a job that continues on the console.
    pub(crate) fn with_resume_hint(mut self, hint: &str) -> Self {
        self.0.resume_hint = Some(hint.to_owned());
        self
    }

    /// Returns whether another poll may succeed: the console was not reached, is too busy, or failed.
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
}

#[cfg(feature = "commands")]
impl From<ArgumentError> for Error {
    fn from(error: ArgumentError) -> Self {
        Self::new(None, ErrorRepr::Argument(error))
    }
}

impl From<MirrorError> for Error {
    fn from(error: MirrorError) -> Self {
        Self::new(None, ErrorRepr::Mirror(error))
    }
}

impl From<ConsoleUrlError> for Error {
    fn from(error: ConsoleUrlError) -> Self {
        Self::new(None, ErrorRepr::ConsoleUrl(error))
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::new(None, ErrorRepr::Token(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Text of the console must not control a terminal.
        let mut message = String::new();
        self.describe(&mut message)?;
        f.write_str(&replace_control_chars(&message))
    }
}

impl Error {
    fn describe(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if let (Some(operation), false) =
            (self.operation(), matches!(self.0.repr, ErrorRepr::InvalidRequest(_)))
        {
            write!(f, "{operation}: ")?;
        }
        match &self.0.repr {
            ErrorRepr::Configuration(message) => return f.write_str(message),
            ErrorRepr::ConsoleUrl(error) => return write!(f, "{error}"),
            ErrorRepr::Token(error) => return write!(f, "{error}"),
            ErrorRepr::InvalidRequest(error) => {
                write!(f, "{error}")?;
                return match self.request_help() {
                    Some(help) => write!(f, "; {help}"),
                    None => Ok(()),
                };
            }
            #[cfg(feature = "commands")]
            ErrorRepr::Argument(error) => return write!(f, "{error}"),
            ErrorRepr::Mirror(error) => return write!(f, "{error}"),
            ErrorRepr::Transport { kind, .. } => f.write_str(match kind {
                ErrorKind::Connect => "the console was not reached",
                ErrorKind::Timeout => "no response within the timeout",
                ErrorKind::Configuration => "the request cannot be built",
                _ => "connection closed before the response was complete",
            })?,
            ErrorRepr::Api { status, errors, body, .. } => {
                write!(f, "HTTP {status}")?;
                for error in errors {
                    write!(f, ": {error}")?;
                }
                if errors.is_empty() {
                    match excerpt(body) {
                        Some(text) => write!(f, ": {text}")?,
                        None => f.write_str(" with an empty body")?,
                    }
                }
            }
            ErrorRepr::RateLimitTimeout(reason) => match reason {
                LimitTimeout::Pause(delay) => {
                    let delay = delay.as_secs_f64();
                    write!(
                        f,
                        "rate limit: paused by the console for another {delay:.1} s, beyond the call timeout"
                    )?;
                }
                LimitTimeout::Rate(delay) => {
                    let delay = delay.as_secs_f64();
                    write!(
                        f,
                        "rate limit: no permit within the call timeout (next in at least {delay:.1} s)"
                    )?;
                }
                LimitTimeout::CallTimeout => {
                    f.write_str("the call timeout elapsed before the request was sent")?
                }
            },
            ErrorRepr::Decode { status, source, .. } => {
                write!(f, "invalid response (HTTP {status})")?;
                if source.path != "." {
                    write!(f, " at {}", source.path)?;
                }
                write!(f, ": {}", source.message)?;
            }
            ErrorRepr::ResponseTooLarge { limit, .. } => {
                write!(f, "the response is larger than {limit} bytes")?;
            }
            ErrorRepr::RepeatedCursor => f.write_str("the list returned the same cursor twice")?,
            ErrorRepr::WaitTimeout(_) => f.write_str("not finished within the timeout")?,
            ErrorRepr::Io { path, source } => write!(f, "{}: {source}", path.display())?,
            ErrorRepr::Connection { message, .. }
            | ErrorRepr::NoResult { message, .. }
            | ErrorRepr::Archive(message) => {
                f.write_str(message)?;
            }
        }
        if let attempts @ 2.. = self.attempts() {
            write!(f, " (attempt {attempts})")?;
        }
        write!(f, "; {}", self.help())?;
        match &self.0.resume_hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl ApiError {
    pub(crate) fn redact(&mut self, secrets: &Redactor<'_>) {
        for part in [&mut self.code, &mut self.title, &mut self.detail] {
            *part = part.take().map(|text| secrets.redact(&text));
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In some entries the title and the detail are equal.
        let detail = if self.detail == self.title { &None } else { &self.detail };
        let [code, title, detail] =
            [&self.code, &self.title, detail].map(|part| excerpt(part.as_deref()?.as_bytes()));
        let text: Vec<_> = title.into_iter().chain(detail).collect();
        let parts: Vec<_> = code.into_iter().chain((!text.is_empty()).then(|| text.join(": "))).collect();
        f.write_str(&parts.join(" "))
    }
}

/// Prints the kind and the [`Display`](fmt::Display) output, without the body, which may contain personal data.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.kind())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.repr {
            ErrorRepr::Transport { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Returns the beginning of a response body on one line, without HTML tags and control characters.
fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            c if is_unprintable(c) => plain.push(' '),
            c => plain.push(c),
        }
    }
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut excerpt: String = line.chars().take(200).collect();
    if excerpt.len() < line.len() {
        excerpt.push('…');
    }
    (!excerpt.is_empty()).then_some(excerpt)
}

/// Parses the known formats of error bodies: the `errors` array, entries with `message` instead of `title`, a nested
/// `error.errors`, and a single `error` or `message` string.
pub(crate) fn parse_api_errors(body: &[u8]) -> Vec<ApiError> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    match body.get("errors").or_else(|| body.pointer("/error/errors")) {
        None | Some(Value::Null) => parse_api_error(&body).into_iter().collect(),
        Some(Value::Array(list)) => list.iter().map(parse_any_error).collect(),
        Some(other) => vec![parse_any_error(other)],
    }
}

/// Parses an entry of any format. An unknown format becomes the detail, unchanged.
fn parse_any_error(entry: &Value) -> ApiError {
    let detail = || ApiError { detail: Some(entry.to_string()), ..ApiError::default() };
    parse_api_error(entry).unwrap_or_else(detail)
}

/// Returns whether a response has errors, with or without data.
#[inline]
pub(crate) fn has_errors(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Errors {
        #[serde(default)]
        errors: Value,
    }
    // A search avoids a second parse of large pages.
    let mentioned = memchr::memmem::find(body, b"\"errors\"").is_some();
    let parsed = if mentioned { serde_json::from_slice::<Errors>(body).ok() } else { None };
    parsed.is_some_and(|parsed| match parsed.errors {
        Value::Null => false,
        Value::Array(errors) => !errors.is_empty(),
        _ => true,
    })
}

fn parse_api_error(entry: &Value) -> Option<ApiError> {
    let string = |name: &str| match entry.get(name)? {
        Value::String(string) if string.is_empty() => None,
        Value::String(string) => Some(string.clone()),
        Value::Null => None,
        Value::Object(inner) => inner.get("message")?.as_str().map(str::to_owned),
        other => Some(other.to_string()),
    };
    if let Value::String(string) = entry {
        return Some(ApiError { detail: Some(string.clone()), ..ApiError::default() });
    }
    let error = ApiError {
        code: string("code"),
        title: string("title").or_else(|| string("error")),
        detail: string("detail").or_else(|| string("message")),
    };
    (error != ApiError::default()).then_some(error)
}
