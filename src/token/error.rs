//! Errors of API tokens.

use std::path::PathBuf;

/// The error of creating or reading an [`ApiToken`](crate::ApiToken). The message is the fact, and [`help`](Self::help) is
/// the remedy. Neither contains the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is empty.
    #[error("the API token is empty")]
    Empty,
    /// The token contains a part that no token contains.
    #[error("the API token contains {0}")]
    Invalid(String),
    /// The environment variable is not set, or its value is not Unicode.
    #[error("the environment variable {0} contains no API token")]
    Environment(String),
    /// The path of the file is a token, which the message does not contain.
    #[error(
        "the path of the API token file is an API token; expected the path of a file that contains the token"
    )]
    PathIsToken,
    /// The file cannot be read.
    #[error("cannot read the API token from {path}: {source}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
}

impl TokenError {
    /// Returns the remedy in one sentence; `None` if the message says what is allowed.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Empty => {
                "create one in the console, in the settings of the user or service user".to_owned()
            }
            Self::Invalid(_) => "copy only the token from the console".to_owned(),
            Self::Environment(_) => "set it, or use a token file".to_owned(),
            Self::PathIsToken | Self::File { .. } => return None,
        })
    }
}
