//! The API token.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// An API token of a console or service user.
///
/// It is a secret from the first read: it never prints, and is wiped from memory when dropped. A
/// leading `ApiToken ` and surrounding white space are dropped. Clones share the one text.
#[derive(Clone)]
pub struct ApiToken(Arc<SecretString>);

/// Why a text is no API token. The text itself is never part of the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nothing was given.
    #[error("the API token is empty; create one in the console under the user's or service user's settings")]
    Empty,
    /// It holds characters that no token has, and that no header may have.
    #[error("the API token holds characters that cannot be sent in a header; copy it again")]
    Characters,
    /// The environment variable is not set or is not Unicode.
    #[error("the environment variable {0} holds no API token; set it, or name a file")]
    Environment(String),
    /// The file cannot be read.
    #[error("the API token cannot be read from {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl ApiToken {
    /// Takes a token.
    ///
    /// # Errors
    /// When it is empty, or holds characters other than visible ASCII.
    pub fn new(token: impl Into<String>) -> Result<Self, TokenError> {
        // Wiped on drop, like every copy that is made here.
        let given = SecretString::from(token.into());
        let text = given.expose_secret().trim();
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
    /// When the variable is not set, or holds no token.
    pub fn from_env(name: &str) -> Result<Self, TokenError> {
        let token = std::env::var(name).map_err(|_| TokenError::Environment(name.to_owned()))?;
        Self::new(token)
    }

    /// Reads a token from a file that holds nothing else.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenError> {
        let path = path.as_ref();
        let token = std::fs::read_to_string(path)
            .map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        Self::new(token)
    }

    /// The token itself, for a body that has to hold it.
    pub(crate) fn exposed(&self) -> &str {
        self.0.expose_secret()
    }

    /// The header that carries it, marked so that it is not printed either.
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
