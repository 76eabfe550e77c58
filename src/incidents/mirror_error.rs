//! Errors of mirroring calls.

use sentinelone_raw::runtime::ApiVersion;

use crate::error::{Error, ErrorKind};

/// The error of a mirroring call that was rejected before a request was sent. The message is the fact, and
/// [`help`](Self::help) is the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The call does not match the configured direction.
    #[error("{call} requires the mirror direction {expected}, but it is {actual}")]
    Direction {
        /// The method.
        call: &'static str,
        /// The directions that the method requires.
        expected: &'static str,
        /// The configured direction.
        actual: &'static str,
    },
    /// The API version does not have analyst verdicts and incident statuses.
    #[error("analyst verdict and incident status cannot be set on API {0}")]
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

impl MirrorError {
    /// Returns the remedy; `None` if the message says what is allowed.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Direction { .. } => Some("change the mirror direction of the configuration"),
            Self::UnsupportedApiVersion(_) => Some("use API 2.1, or mirror incoming changes only"),
            Self::Unknown { .. } | Self::NotAnObject | Self::NotAString(_) => None,
        }
    }
}

/// The kind is [`Configuration`](ErrorKind::Configuration) for the wrong direction, and
/// [`InvalidRequest`](ErrorKind::InvalidRequest) otherwise. [`downcast_ref`](Error::downcast_ref) returns the mirror error.
impl From<MirrorError> for Error {
    fn from(error: MirrorError) -> Self {
        let kind = match error {
            MirrorError::Direction { .. } => ErrorKind::Configuration,
            _ => ErrorKind::InvalidRequest,
        };
        let help = error.help().map(str::to_owned);
        Self::caused(kind, error, help)
    }
}
