//! Errors of mirroring calls.

use sentinelone_raw::runtime::ApiVersion;

use crate::error::{Error, ErrorKind};

/// The error of a mirroring call that was rejected before a request was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The call does not match the configured direction.
    #[error("{call} requires the mirror direction {expected}, but it is {actual}; change the configuration")]
    Direction {
        /// The method.
        call: &'static str,
        /// The directions that the method requires.
        expected: &'static str,
        /// The configured direction.
        actual: &'static str,
    },
    /// The API version does not have analyst verdicts and incident statuses.
    #[error(
        "analyst verdict and incident status cannot be set on API {0}; use API 2.1 or mirror incoming changes only"
    )]
    UnsupportedApiVersion(ApiVersion),
    /// An unknown label or value.
    #[error("{field} is {value:?}; expected one of {allowed}")]
    Unknown {
        /// The field or the name of the value.
        field: &'static str,
        /// The label or value.
        value: String,
        /// The allowed labels or values.
        allowed: String,
    },
    /// The changed fields are not a JSON object.
    #[error("the changed fields are not a JSON object")]
    NotAnObject,
    /// A changed field is not a string.
    #[error("{0} is not a string; expected a label")]
    NotAString(&'static str),
}

/// The kind is [`Configuration`](ErrorKind::Configuration) for the wrong direction, and
/// [`InvalidRequest`](ErrorKind::InvalidRequest) otherwise. [`downcast_ref`](Error::downcast_ref) returns the mirror error.
impl From<MirrorError> for Error {
    fn from(error: MirrorError) -> Self {
        let kind = match error {
            MirrorError::Direction { .. } => ErrorKind::Configuration,
            _ => ErrorKind::InvalidRequest,
        };
        Self::caused(kind, error)
    }
}
