//! Errors of one part of a command, for its outcome.

use crate::error::{ApiError, Error};
use crate::text::replace_control_chars;

/// Returns an error with its subject as the title.
pub(crate) fn error_about(title: &str, detail: String) -> ApiError {
    ApiError { code: None, title: Some(title.trim().to_owned()), detail: Some(detail) }
}

/// Returns the message of an error without its remedy.
pub(crate) fn fact(error: &Error) -> String {
    let text = error.to_string();
    let help = replace_control_chars(&error.help());
    text.strip_suffix(&format!("; {help}")).unwrap_or(&text).to_owned()
}
