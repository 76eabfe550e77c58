//! The API token.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// An API token of a console user or service user.
///
/// It is never printed, and it is wiped from memory on drop. A leading `ApiToken ` and surrounding whitespace are
/// removed. Clones share one string.
#[derive(Clone)]
pub struct ApiToken(Arc<SecretString>);

/// The error of creating or reading an [`ApiToken`]. The message never contains the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is empty.
    #[error("the API token is empty; create one in the console, in the settings of the user or service user")]
    Empty,
    /// The token contains characters that are not valid in a token or an HTTP header.
    #[error(
        "the API token contains characters that are not valid in an HTTP header; copy it from the console"
    )]
    Characters,
    /// The environment variable is not set, or its value is not Unicode.
    #[error("the environment variable {0} contains no API token; set it, or use a token file")]
    Environment(String),
    /// The file cannot be read.
    #[error("cannot read the API token from {path}: {source}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
}

impl ApiToken {
    /// Creates a token from a string.
    ///
    /// # Errors
    /// Returns an error if the token is empty, or contains characters other than visible ASCII.
    pub fn new(token: impl Into<String>) -> Result<Self, TokenError> {
        // Wiped on drop, like every copy in this function.
        let input = SecretString::from(token.into());
        let text = input.expose_secret().trim();
        let text = match text.strip_prefix("ApiToken") {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => rest.trim(),
            _ => text,
        };
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self(Arc::new(SecretString::from(text))))
    }

    /// Reads a token from an environment variable.
    ///
    /// # Errors
    /// Returns an error if the variable is not set, or contains no valid token.
    pub fn from_env(name: &str) -> Result<Self, TokenError> {
        let token = std::env::var(name).map_err(|_| TokenError::Environment(name.to_owned()))?;
        Self::new(token)
    }

    /// Reads a token from a file that contains only the token.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or contains no valid token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenError> {
        let path = path.as_ref();
        let token = std::fs::read_to_string(path)
            .map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        Self::new(token)
    }

    /// Returns the token in clear text, for a request body that requires it.
    pub(crate) fn exposed(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the value of the authorization header, marked as sensitive so that it is not printed.
    pub(crate) fn header(&self) -> Result<HeaderValue, TokenError> {
        let text = SecretString::from(format!("ApiToken {}", self.0.expose_secret()));
        let mut value = HeaderValue::from_str(text.expose_secret()).map_err(|_| TokenError::Characters)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(…)")
    }
}
