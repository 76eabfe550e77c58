//! Conversion of argument errors.

use sentinelone_raw::runtime::commands::ArgumentError;

use crate::error::{Error, ErrorKind};

/// The kind is [`InvalidRequest`](ErrorKind::InvalidRequest), and [`downcast_ref`](Error::downcast_ref) returns the argument
/// error.
impl From<ArgumentError> for Error {
    fn from(error: ArgumentError) -> Self {
        Self::caused(ErrorKind::InvalidRequest, error, None)
    }
}

/// Returns an argument error, for commands that validate while they build their requests.
pub(super) fn argument_error(command: &'static str, argument: &str, message: impl Into<String>) -> Error {
    ArgumentError::new(command, argument, message).into()
}
