//! Errors that answer questions.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use sentinelone_raw::runtime::{DecodeError, Kind, Operation, RequestError};
use serde_json::Value;

use crate::address::AddressError;
#[cfg(feature = "commands")]
use crate::commands::ArgumentError;
use crate::incidents::MirrorError;
use crate::secrets::Secrets;
use crate::text::{is_unprintable, printable};
use crate::token::TokenError;
use crate::transport::{Held, RetryAfter};

/// What went wrong, and what can be done.
///
/// It tells which [operation](Self::operation) it was, whether the request [was
/// sent](Self::was_sent), the [status](Self::status), what the [vendor says](Self::vendor_errors), and
/// what to [do next](Self::advice). The client's token is taken out of everything that it keeps.
pub struct Error(Box<Inner>);

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client is not set up right. Nothing was sent.
    Configuration,
    /// The request is not one that may be sent. Nothing was sent.
    Request,
    /// The console was not reached. Nothing arrived there, so that the call may be made again, an
    /// action too.
    Connect,
    /// The client's own limits, or a pause that the console asked for, would have held the call up beyond its
    /// timeout. Nothing was sent.
    Held,
    /// No answer came in time. The console may have acted on the request.
    Timeout,
    /// The connection broke before the whole answer was there. The console may have acted.
    Broken,
    /// The console answered with an error.
    Api,
    /// The console answered with something that is no answer to this operation.
    Decode,
    /// The answer is larger than the client was told to take.
    TooLarge,
    /// A list gave the same cursor twice, so that it would never end.
    RepeatedCursor,
    /// What was waited for did not come about in the time given. It may still come.
    Deadline,
    /// What was waited for came to an end without a result: it failed, was cancelled, or waits for someone.
    Ended,
    /// A file on this machine could not be written or read.
    File,
    /// What was downloaded is not what it should be: shorter, no archive, protected by another password, or
    /// an archive that must not be unpacked.
    Archive,
}

/// Whether a request reached the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sent {
    /// It certainly did not.
    No,
    /// It may have, or part of it.
    Maybe,
    /// It did: the console answered.
    Yes,
}

/// One entry of the vendor's error envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VendorError {
    /// The vendor's code, such as `4000040`.
    pub code: Option<String>,
    /// What it is about.
    pub title: Option<String>,
    /// What exactly is wrong. Often absent.
    pub detail: Option<String>,
}

pub(crate) struct Inner {
    operation: Option<&'static Operation>,
    problem: Trouble,
    /// How what was started is taken up again.
    resume: Option<String>,
    /// What all attempts came to; `None` for what is no call.
    history: Option<History>,
    /// The vendor's identifier of the request.
    request_id: Option<String>,
}

/// What the attempts of one call came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    pub(crate) attempts: u32,
    pub(crate) sent: Sent,
    pub(crate) may_have_acted: bool,
}

impl Default for History {
    fn default() -> Self {
        Self { attempts: 0, sent: Sent::No, may_have_acted: false }
    }
}

impl History {
    /// Takes note of an attempt that failed.
    pub(crate) fn add(&mut self, error: &Error) {
        self.sent = self.sent.max(error.was_sent());
        self.may_have_acted |= error.may_have_acted();
    }

    /// The error with which a call ended after its last attempt was well.
    pub(crate) fn ended(mut self, error: Error) -> Error {
        self.add(&error);
        error.after(self)
    }
}

pub(crate) enum Trouble {
    Configuration(String),
    Address(AddressError),
    Token(TokenError),
    Request(RequestError),
    #[cfg(feature = "commands")]
    Argument(ArgumentError),
    Mirror(MirrorError),
    Transport {
        kind: ErrorKind,
        source: reqwest::Error,
    },
    /// A connection that failed in a way that only this side sees.
    Line {
        kind: ErrorKind,
        message: String,
    },
    Api {
        status: StatusCode,
        errors: Vec<VendorError>,
        body: Bytes,
        retry_after: Option<RetryAfter>,
    },
    Held(Held),
    Decode {
        status: StatusCode,
        source: DecodeError,
        body: Bytes,
    },
    TooLarge {
        status: StatusCode,
        limit: usize,
    },
    RepeatedCursor,
    #[cfg_attr(not(feature = "commands"), allow(dead_code, reason = "commands wait, and calls do not"))]
    Deadline(String),
    Ended {
        message: String,
        advice: String,
    },
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[cfg_attr(not(feature = "unzip"), expect(dead_code, reason = "only what unpacks makes it"))]
    Archive(String),
}

/// How much of an error's body is kept.
pub(crate) const BODY_KEPT: usize = 64 * 1024;

impl Error {
    pub(crate) fn of(operation: &'static Operation, problem: Trouble) -> Self {
        Self::new(Some(operation), problem)
    }

    fn new(operation: Option<&'static Operation>, problem: Trouble) -> Self {
        let (resume, history, request_id) = (None, None, None);
        Self(Box::new(Inner { operation, problem, resume, history, request_id }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(None, Trouble::Configuration(message.into()))
    }

    pub(crate) fn transport(operation: &'static Operation, source: reqwest::Error) -> Self {
        let kind = if source.is_connect() {
            ErrorKind::Connect
        } else if source.is_timeout() {
            ErrorKind::Timeout
        } else if source.is_builder() {
            ErrorKind::Configuration
        } else {
            ErrorKind::Broken
        };
        // URLs hold identifiers of customers; the operation says enough.
        Self::of(operation, Trouble::Transport { kind, source: source.without_url() })
    }

    /// What was waited for will not come; `advice` says what to do instead.
    pub(crate) fn ended(
        operation: &'static Operation,
        message: impl AsRef<str>,
        advice: impl Into<String>,
    ) -> Self {
        Self::of(operation, Trouble::Ended { message: message.as_ref().to_owned(), advice: advice.into() })
    }

    /// A file of this machine.
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::new(None, Trouble::File { path: path.to_owned(), source })
    }

    /// A download that is not what it should be.
    #[cfg(feature = "unzip")]
    pub(crate) fn archive(message: impl Into<String>) -> Self {
        Self::new(None, Trouble::Archive(message.into()))
    }

    pub(crate) fn api(
        operation: &'static Operation,
        status: StatusCode,
        body: Bytes,
        retry_after: Option<RetryAfter>,
    ) -> Self {
        let errors = vendor_errors(&body);
        let body = body.slice(..body.len().min(BODY_KEPT));
        Self::of(operation, Trouble::Api { status, errors, body, retry_after })
    }

    /// The same without the token and the passwords of the request, which a server, or what stands before it,
    /// may have sent back.
    pub(crate) fn without(mut self, secrets: &Secrets<'_>) -> Self {
        match &mut self.0.problem {
            Trouble::Api { errors, body, retry_after, .. } => {
                errors.iter_mut().for_each(|error| error.redact(secrets));
                *body = secrets.redact_body(body);
                if let Some(after) = retry_after {
                    after.text = secrets.redact(&after.text);
                }
            }
            Trouble::Decode { source, body, .. } => {
                source.path = secrets.redact(&source.path);
                source.message = secrets.redact(&source.message);
                *body = secrets.redact_body(body);
            }
            _ => {}
        }
        self.0.request_id = self.0.request_id.take().map(|id| secrets.redact(&id));
        self
    }

    /// The same with the vendor's identifier of the request.
    pub(crate) fn identified(mut self, request_id: Option<&str>) -> Self {
        self.0.request_id = request_id.map(str::to_owned);
        self
    }

    /// The same with what the attempts before came to.
    pub(crate) fn after(mut self, history: History) -> Self {
        self.0.history = Some(history);
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match &self.0.problem {
            Trouble::Configuration(_) | Trouble::Address(_) | Trouble::Token(_) => ErrorKind::Configuration,
            Trouble::Mirror(MirrorError::Direction { .. }) => ErrorKind::Configuration,
            Trouble::Request(_) | Trouble::Mirror(_) => ErrorKind::Request,
            #[cfg(feature = "commands")]
            Trouble::Argument(_) => ErrorKind::Request,
            Trouble::Transport { kind, .. } | Trouble::Line { kind, .. } => *kind,
            Trouble::Api { .. } => ErrorKind::Api,
            Trouble::Held(_) => ErrorKind::Held,
            Trouble::Decode { .. } => ErrorKind::Decode,
            Trouble::TooLarge { .. } => ErrorKind::TooLarge,
            Trouble::RepeatedCursor => ErrorKind::RepeatedCursor,
            Trouble::Deadline(_) => ErrorKind::Deadline,
            Trouble::Ended { .. } => ErrorKind::Ended,
            Trouble::File { .. } => ErrorKind::File,
            Trouble::Archive(_) => ErrorKind::Archive,
        }
    }

    /// Identifier of the operation, such as `threats_update_incident`; `None` when it came to no
    /// operation yet.
    pub fn operation(&self) -> Option<&'static str> {
        match &self.0.problem {
            Trouble::Request(error) => Some(error.operation()),
            _ => self.0.operation.map(|operation| operation.id),
        }
    }

    /// Whether the request reached the console, in any of its attempts.
    ///
    /// # Troubleshooting
    /// After [`Sent::No`] the call may be made again. After [`Sent::Maybe`] a read may, while an action
    /// may have happened: look before acting again.
    pub fn was_sent(&self) -> Sent {
        let last = match self.kind() {
            ErrorKind::Configuration | ErrorKind::Request | ErrorKind::Connect | ErrorKind::Held => Sent::No,
            ErrorKind::Timeout | ErrorKind::Broken => Sent::Maybe,
            _ => Sent::Yes,
        };
        self.0.history.map_or(last, |history| history.sent.max(last))
    }

    /// Whether the console may have done what the request asked for, in whole or in part. It certainly
    /// did not when nothing arrived there, or when it refused the request (a status of 300 to 499, or 503 with
    /// `Retry-After`).
    pub fn may_have_acted(&self) -> bool {
        if let Some(history) = self.0.history {
            return history.may_have_acted;
        }
        let refused = self.kind() == ErrorKind::Api
            && match self.status().map(|status| status.as_u16()) {
                Some(503) => self.retry_after_wait().is_some(),
                status => status.is_some_and(|status| (300..500).contains(&status)),
            };
        self.was_sent() != Sent::No && !refused
    }

    /// How many times the request was tried; 0 when nothing was.
    pub fn attempts(&self) -> u32 {
        self.0.history.map_or(0, |history| history.attempts)
    }

    /// The vendor's identifier of the request, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The HTTP status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.problem {
            Trouble::Api { status, .. }
            | Trouble::Decode { status, .. }
            | Trouble::TooLarge { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What the vendor says, entry by entry; empty when the body was none of the vendor's forms.
    pub fn vendor_errors(&self) -> &[VendorError] {
        match &self.0.problem {
            Trouble::Api { errors, .. } => errors,
            _ => &[],
        }
    }

    /// The body of the answer, JSON or not, its first 64 KiB.
    pub fn body(&self) -> Option<&Bytes> {
        match &self.0.problem {
            Trouble::Api { body, .. } | Trouble::Decode { body, .. } => Some(body),
            _ => None,
        }
    }

    /// The header `Retry-After`, as it came.
    pub fn retry_after(&self) -> Option<&str> {
        match &self.0.problem {
            Trouble::Api { retry_after, .. } => retry_after.as_ref().map(|after| after.text.as_str()),
            _ => None,
        }
    }

    /// How long the console asks to wait, counted from its answer; `None` when it does not, or in a form that
    /// means no time.
    pub fn retry_after_wait(&self) -> Option<Duration> {
        match &self.0.problem {
            Trouble::Api { retry_after, .. } => retry_after.as_ref()?.wait,
            _ => None,
        }
    }

    /// What was wrong with the request, if that is what it is.
    pub fn request_error(&self) -> Option<&RequestError> {
        match &self.0.problem {
            Trouble::Request(error) => Some(error),
            _ => None,
        }
    }

    /// Which argument of a command does not fit, if that is what it is.
    #[cfg(feature = "commands")]
    pub fn argument_error(&self) -> Option<&ArgumentError> {
        match &self.0.problem {
            Trouble::Argument(error) => Some(error),
            _ => None,
        }
    }

    /// Why a mirror of threats sent nothing, if that is what it is.
    pub fn mirror_error(&self) -> Option<&MirrorError> {
        match &self.0.problem {
            Trouble::Mirror(error) => Some(error),
            _ => None,
        }
    }

    /// Where in the answer decoding failed, if that is what it is.
    pub fn decode_error(&self) -> Option<&DecodeError> {
        match &self.0.problem {
            Trouble::Decode { source, .. } => Some(source),
            _ => None,
        }
    }

    /// What to do next, in a sentence.
    pub fn advice(&self) -> String {
        match self.kind() {
            ErrorKind::Configuration => "correct the settings".into(),
            ErrorKind::Request => "correct the request; nothing was sent".into(),
            ErrorKind::Connect => {
                "check the console's address, the network and the proxy; nothing was done, so try again"
                    .into()
            }
            ErrorKind::Held => "nothing was sent: try again later, or give the call more time".into(),
            ErrorKind::Timeout | ErrorKind::Broken => {
                if self.is_action() {
                    "the console may have acted: look at the result before sending it again".into()
                } else {
                    "try again; it only reads".into()
                }
            }
            ErrorKind::Api => self.api_advice(),
            ErrorKind::Decode | ErrorKind::TooLarge if self.is_action() => {
                "the console has probably acted: look at the result before sending it again".into()
            }
            ErrorKind::Decode => {
                "the console sent something this client does not know; the body is kept in the error".into()
            }
            ErrorKind::TooLarge => "ask for less at once, or raise the limit of the client".into(),
            ErrorKind::Deadline => match &self.0.problem {
                Trouble::Deadline(resume) => resume.clone(),
                _ => String::new(),
            },
            ErrorKind::Ended => match &self.0.problem {
                Trouble::Ended { advice, .. } => advice.clone(),
                _ => String::new(),
            },
            ErrorKind::File => "check the folder, its permissions and the space on the disk".into(),
            ErrorKind::Archive => "nothing was left behind; check the password, and fetch it again".into(),
            ErrorKind::RepeatedCursor => {
                "the list would never end; what came so far is valid, narrow the filter to get the rest"
                    .into()
            }
        }
    }

    fn is_action(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.kind == Kind::Action)
    }

    fn api_advice(&self) -> String {
        let permission = self.0.operation.and_then(|operation| operation.permission);
        match self.status().map(|status| status.as_u16()) {
            Some(401) => "the token is wrong, expired or revoked: create a new one".into(),
            Some(403) => match permission {
                Some(permission) => format!("the token's user needs {permission}, and the scope"),
                None => "the role or the scope of the token's user does not allow it".into(),
            },
            Some(404) => {
                "check the identifier, and that this console has the operation on this API version".into()
            }
            Some(429) => match self.retry_after() {
                Some(wait) => format!("the console asks to wait (Retry-After: {wait})"),
                None => "too many requests: wait before the next one".into(),
            },
            Some(300..400) => "the console redirects: check its address".into(),
            Some(400..500) => "correct the request by what the console says".into(),
            Some(500..) if self.is_action() => {
                "the console failed and may have acted: look at the result before sending it again".into()
            }
            Some(500..) => "the console failed: try again later".into(),
            _ => "look at what the console says; part of it may have been done".into(),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::new(None, Trouble::Request(error))
    }
}

/// What those need who wait for the console.
#[cfg(feature = "commands")]
impl Error {
    /// What was waited for is not there; `resume` says how to go on.
    pub(crate) fn deadline(operation: &'static Operation, resume: impl Into<String>) -> Self {
        Self::of(operation, Trouble::Deadline(resume.into()))
    }

    /// The same error of something that goes on without this program.
    pub(crate) fn resuming(mut self, resume: &str) -> Self {
        self.0.resume = Some(resume.to_owned());
        self
    }

    /// Whether asking again may help: the console was not reached, is too busy, or failed.
    pub(crate) fn may_pass(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Held | ErrorKind::Timeout | ErrorKind::Broken => true,
            ErrorKind::Api => self.status().is_some_and(|status| status == 429 || status.is_server_error()),
            _ => false,
        }
    }
}

#[cfg(feature = "commands")]
impl From<ArgumentError> for Error {
    fn from(error: ArgumentError) -> Self {
        Self::new(None, Trouble::Argument(error))
    }
}

impl From<MirrorError> for Error {
    fn from(error: MirrorError) -> Self {
        Self::new(None, Trouble::Mirror(error))
    }
}

impl From<AddressError> for Error {
    fn from(error: AddressError) -> Self {
        Self::new(None, Trouble::Address(error))
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::new(None, Trouble::Token(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It quotes the console, whose text must not steer a terminal.
        let mut text = String::new();
        self.describe(&mut text)?;
        f.write_str(&printable(&text))
    }
}

impl Error {
    fn describe(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if let (Some(operation), false) = (self.operation(), matches!(self.0.problem, Trouble::Request(_))) {
            write!(f, "{operation}: ")?;
        }
        match &self.0.problem {
            Trouble::Configuration(message) => return f.write_str(message),
            Trouble::Address(error) => return write!(f, "{error}"),
            Trouble::Token(error) => return write!(f, "{error}"),
            Trouble::Request(error) => return write!(f, "{error}"),
            #[cfg(feature = "commands")]
            Trouble::Argument(error) => return write!(f, "{error}"),
            Trouble::Mirror(error) => return write!(f, "{error}"),
            Trouble::Transport { kind, .. } => f.write_str(match kind {
                ErrorKind::Connect => "the console was not reached",
                ErrorKind::Timeout => "no answer in time",
                ErrorKind::Configuration => "the request could not be built",
                _ => "the connection broke before the whole answer was there",
            })?,
            Trouble::Api { status, errors, body, .. } => {
                write!(f, "the console answered {status}")?;
                for error in errors {
                    write!(f, ": {error}")?;
                }
                if errors.is_empty() {
                    match excerpt(body) {
                        Some(text) => write!(f, ": {text}")?,
                        None => f.write_str(" without a word")?,
                    }
                }
            }
            Trouble::Held(held) => match held {
                Held::Pause(wait) => {
                    let wait = wait.as_secs_f64();
                    write!(
                        f,
                        "the console asked for a pause of {wait:.1} s more, longer than the call may last"
                    )?;
                }
                Held::Rate(wait) => {
                    let wait = wait.as_secs_f64();
                    write!(
                        f,
                        "its turn under the rate limit is {wait:.1} s away or more, later than the call may last"
                    )?;
                }
                Held::Over => f.write_str("the time for the call was over before it was sent")?,
            },
            Trouble::Decode { status, source, .. } => {
                let place = if source.path == "." { "as a whole" } else { &source.path };
                write!(f, "the answer ({status}) does not decode, {place}: {}", source.message)?;
            }
            Trouble::TooLarge { limit, .. } => {
                write!(f, "the answer is larger than {limit} bytes")?;
            }
            Trouble::RepeatedCursor => f.write_str("the list gave the same cursor twice")?,
            Trouble::Deadline(_) => f.write_str("it was not finished in the time given")?,
            Trouble::File { path, source } => write!(f, "{}: {source}", path.display())?,
            Trouble::Line { message, .. } | Trouble::Ended { message, .. } | Trouble::Archive(message) => {
                f.write_str(message)?;
            }
        }
        if let attempts @ 2.. = self.attempts() {
            write!(f, " (attempt {attempts})")?;
        }
        write!(f, "; {}", self.advice())?;
        match &self.0.resume {
            Some(resume) => write!(f, "; {resume}"),
            None => Ok(()),
        }
    }
}

impl VendorError {
    pub(crate) fn redact(&mut self, secrets: &Secrets<'_>) {
        for part in [&mut self.code, &mut self.title, &mut self.detail] {
            *part = part.take().map(|text| secrets.redact(&text));
        }
    }
}

impl fmt::Display for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some entries say the same twice.
        let detail = if self.detail == self.title { &None } else { &self.detail };
        let parts = [&self.code, &self.title, detail];
        let parts: Vec<_> = parts.into_iter().flatten().filter_map(|part| excerpt(part.as_bytes())).collect();
        f.write_str(&parts.join(" "))
    }
}

/// As [`Display`](fmt::Display), with the kind: bodies hold people's data and stay out.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.kind())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.problem {
            Trouble::Transport { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The first line or so of what the console says: HTML without its tags, and nothing that steers a
/// terminal.
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
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = words.chars().take(200).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    (!short.is_empty()).then_some(short)
}

/// Reads every form of error body that has been seen: the envelope, entries with `message` in place of
/// a title, one that is nested as `error.errors`, and single `error` or `message` texts.
pub(crate) fn vendor_errors(body: &[u8]) -> Vec<VendorError> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    match body.get("errors").or_else(|| body.pointer("/error/errors")) {
        None | Some(Value::Null) => vendor_error(&body).into_iter().collect(),
        Some(Value::Array(list)) => list.iter().map(any_error).collect(),
        Some(other) => vec![any_error(other)],
    }
}

/// An entry of whatever form: one that is not known is kept as it came.
fn any_error(entry: &Value) -> VendorError {
    let detail = || VendorError { detail: Some(entry.to_string()), ..VendorError::default() };
    vendor_error(entry).unwrap_or_else(detail)
}

/// Whether an answer says that something went wrong beside the data that it has.
#[inline]
pub(crate) fn errors_beside_data(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Beside {
        #[serde(default)]
        errors: Value,
    }
    // A page of a thousand threats is not read twice for it.
    let mentioned = memchr::memmem::find(body, b"\"errors\"").is_some();
    let beside = if mentioned { serde_json::from_slice::<Beside>(body).ok() } else { None };
    beside.is_some_and(|beside| match beside.errors {
        Value::Null => false,
        Value::Array(errors) => !errors.is_empty(),
        _ => true,
    })
}

fn vendor_error(entry: &Value) -> Option<VendorError> {
    let text = |name: &str| match entry.get(name)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        Value::Object(inner) => inner.get("message")?.as_str().map(str::to_owned),
        other => Some(other.to_string()),
    };
    if let Value::String(text) = entry {
        return Some(VendorError { detail: Some(text.clone()), ..VendorError::default() });
    }
    let error = VendorError {
        code: text("code"),
        title: text("title").or_else(|| text("error")),
        detail: text("detail").or_else(|| text("message")),
    };
    (error != VendorError::default()).then_some(error)
}
