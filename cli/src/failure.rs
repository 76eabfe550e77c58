//! Error of a command, its text, and the exit codes.

use std::{fmt, io};

use sentinelone::commands::ArgumentError;
use sentinelone::{Error, ErrorKind, RequestError, TokenError};

use crate::suggest::did_you_mean;

/// Exit code of a complete result.
pub(crate) const DONE: u8 = 0;

/// Exit code of a failure.
pub(crate) const FAILED: u8 = 1;

/// Exit code of invalid arguments or configuration. Nothing was sent.
pub(crate) const USAGE: u8 = 2;

/// Exit code of a result that is incomplete.
pub(crate) const PARTIAL: u8 = 3;

/// Error of a command.
#[derive(Debug)]
pub(crate) enum CliError {
    Usage(String),
    Interrupted(String),
    /// Interrupted after a part of the result was written.
    Partial(String),
    Client(Error),
    Io(io::Error),
}

impl CliError {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Client(error) => match error.kind() {
                ErrorKind::Configuration | ErrorKind::InvalidRequest | ErrorKind::Journal => USAGE,
                _ => FAILED,
            },
            Self::Partial(_) => PARTIAL,
            Self::Io(_) | Self::Interrupted(_) => FAILED,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Interrupted(message) | Self::Partial(message) => write!(f, "interrupted; {message}"),
            Self::Client(error) => f.write_str(&format_error(error)),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// Returns the remedy of an error, and how to resume its job.
pub(crate) fn remedy(error: &Error) -> Option<String> {
    match (error.help(), error.resume_hint()) {
        (Some(help), Some(hint)) => Some(format!("{help}; {hint}")),
        (help, hint) => help.or(hint.map(str::to_owned)),
    }
}

/// Formats an error in lines: the fact, the sources, the remedy, and the nearest expected value.
pub(crate) fn format_error(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let fact = cause.to_string();
        // The message of a token error has that of the file system.
        if !text.contains(&fact) {
            text.push_str(&format!("\n  caused by: {fact}"));
        }
        source = cause.source();
    }
    if let Some(help) = remedy(error) {
        text.push_str(&format!("\n  help: {help}"));
    }
    let argument = error.downcast_ref::<ArgumentError>();
    if let Some((value, expected)) = argument.and_then(ArgumentError::expected_values) {
        text.push_str(&did_you_mean(value, expected.iter().map(String::as_str)));
    }
    text
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<ArgumentError> for CliError {
    fn from(error: ArgumentError) -> Self {
        Self::Client(error.into())
    }
}

impl From<RequestError> for CliError {
    fn from(error: RequestError) -> Self {
        Self::Client(error.into())
    }
}

impl From<TokenError> for CliError {
    fn from(error: TokenError) -> Self {
        Self::Client(error.into())
    }
}
