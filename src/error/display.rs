//! Messages of errors.

use std::fmt;

use http::StatusCode;

use super::document::{HtmlPage, StoreError};
use super::{ApiError, Error, ErrorKind, ErrorRepr, FailedLink, LimitTimeout, excerpt};
use crate::text::replace_control_chars;

/// Prints the message: the operation, the status, the code and the detail of the console, and the number of the last
/// attempt. It has neither the remedy nor the sources; [`Error::report`] adds the remedy.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Text of the console must not control a terminal.
        let mut message = String::new();
        self.describe(&mut message)?;
        f.write_str(&replace_control_chars(&message))
    }
}

/// Displays an error with its remedy in one line; from [`Error::report`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ErrorReport<'a>(&'a Error);

impl fmt::Display for ErrorReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        if let Some(help) = self.0.help() {
            write!(f, "; {help}")?;
        }
        match self.0.resume_hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// Returns a value that displays the message, the remedy and the resume hint in one line, separated by semicolons,
    /// for logs and for text without lines of its own.
    pub fn report(&self) -> ErrorReport<'_> {
        ErrorReport(self)
    }

    fn describe(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if let (Some(operation), false) =
            (self.operation(), matches!(self.0.repr, ErrorRepr::InvalidRequest(_)))
        {
            write!(f, "{operation}: ")?;
        }
        match &self.0.repr {
            ErrorRepr::Configuration { message, .. } => f.write_str(message)?,
            ErrorRepr::Caused { source, .. } => write!(f, "{source}")?,
            ErrorRepr::InvalidRequest(error) => write!(f, "{error}")?,
            ErrorRepr::NotParallel(reason) => {
                write!(f, "the list cannot be read in parallel: {reason}")?;
            }
            ErrorRepr::Transport { kind, .. } => f.write_str(match kind {
                ErrorKind::Connect => "the console was not reached",
                ErrorKind::Timeout => "no response within the timeout",
                ErrorKind::Configuration => "the request cannot be built",
                _ => "connection closed before the response was complete",
            })?,
            ErrorRepr::Api { status, errors, body, .. } => self.describe_api(f, *status, errors, body)?,
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
                LimitTimeout::InFlight(bound) => {
                    write!(
                        f,
                        "rate limit: no permit within the call timeout (at most {bound} at the same time after HTTP 429)"
                    )?;
                }
                LimitTimeout::CallTimeout => {
                    f.write_str("the call timeout elapsed before the request was sent")?
                }
            },
            ErrorRepr::Decode { status, .. } if self.0.page.is_some() => {
                write!(f, "the response (HTTP {status}) is an HTML page")?;
                self.describe_page(f)?;
            }
            ErrorRepr::Decode { status, source, .. } => {
                write!(f, "invalid response (HTTP {status})")?;
                if source.path != "." {
                    write!(f, " at {}", source.path)?;
                }
                write!(f, ": {}", source.message)?;
                if let Some(text) = self.foreign_text() {
                    write!(f, ": {text}")?;
                }
            }
            ErrorRepr::ResponseTooLarge { limit, .. } => {
                write!(f, "the response is larger than {limit} bytes")?;
            }
            ErrorRepr::RepeatedCursor => f.write_str("the list returned the same cursor twice")?,
            ErrorRepr::EmptyPages(pages) => {
                write!(
                    f,
                    "the list returned {pages} pages in a row that are empty or equal an earlier page, each with a new \
                     cursor"
                )?;
            }
            ErrorRepr::WaitTimeout(_) => f.write_str("not finished within the timeout")?,
            ErrorRepr::Io { path, source } => write!(f, "{}: {source}", path.display())?,
            ErrorRepr::Journal { path, message, .. } => write!(f, "{}: {message}", path.display())?,
            ErrorRepr::Connection { message, .. }
            | ErrorRepr::NoResult { message, .. }
            | ErrorRepr::Archive { message, .. } => {
                f.write_str(message)?;
                self.describe_page(f)?;
            }
        }
        match self.attempts() {
            attempts @ 2.. => write!(f, " (attempt {attempts})"),
            _ => Ok(()),
        }
    }

    fn describe_api(
        &self,
        f: &mut dyn fmt::Write,
        status: StatusCode,
        errors: &[ApiError],
        body: &[u8],
    ) -> fmt::Result {
        if let Some(FailedLink { host, store, has_expired }) = &self.0.link {
            let fact =
                if *has_expired { "the link to the file has expired" } else { "the link to the file failed" };
            write!(f, "{fact}: HTTP {status} from {host}")?;
            if let Some(StoreError { code, message, .. }) = store {
                for part in code.iter().chain(message) {
                    write!(f, ": {part}")?;
                }
                return Ok(());
            }
        } else {
            write!(f, "HTTP {status}")?;
        }
        if let Some(target) = &self.0.redirect {
            write!(f, ": redirect to {target}")?;
        }
        for error in errors {
            write!(f, ": {error}")?;
        }
        if !errors.is_empty() || self.0.redirect.is_some() {
            return Ok(());
        }
        match (&self.0.page, excerpt(body)) {
            (Some(page), _) if page.title().is_some() => {
                f.write_str(": HTML page")?;
                self.describe_page(f)
            }
            (_, Some(text)) => write!(f, ": {text}"),
            (_, None) => f.write_str(" with an empty body"),
        }
    }

    /// Returns the beginning of a response that is neither a JSON document nor a part of one, such as the text of a
    /// proxy.
    pub(super) fn foreign_text(&self) -> Option<String> {
        let ErrorRepr::Decode { source, body, .. } = &self.0.repr else { return None };
        let is_json = || {
            body.trim_ascii_start().starts_with(b"{")
                || body.trim_ascii_start().starts_with(b"[")
                || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
        };
        // Binary data, such as a compressed body, is not shown.
        let is_text = || {
            let is_binary = |c: char| c.is_control() && !c.is_whitespace();
            !String::from_utf8_lossy(body).contains(is_binary)
        };
        if source.path != "." || is_json() || !is_text() { None } else { excerpt(body) }
    }

    /// Writes the title of an HTML page.
    fn describe_page(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        match self.0.page.as_ref().and_then(HtmlPage::title) {
            Some(title) => write!(f, " with the title \"{title}\""),
            None => Ok(()),
        }
    }

    /// Returns whether a host name could not be resolved.
    pub(crate) fn is_dns_failure(&self) -> bool {
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            // The connector has no public type for this failure.
            if error.to_string() == "dns error" {
                return true;
            }
            source = error.source();
        }
        false
    }
}
