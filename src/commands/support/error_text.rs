//! Errors of one part of a command, for its outcome.

use crate::error::ApiError;

/// Returns an error with its subject as the title.
pub(crate) fn error_about(title: &str, detail: String) -> ApiError {
    ApiError { code: None, title: Some(title.trim().to_owned()), detail: Some(detail) }
}
