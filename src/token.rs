//! The API token.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sentinelone_raw::runtime::{Operation, Security, Timestamp};
use serde_json::Value;

mod error;
mod input;

use input::{RemovedPart, strip};

pub use error::TokenError;

/// An API token of a console user or service user.
///
/// It is never printed, and it is wiped from memory on drop. Clones share one string.
///
/// What surrounds a copied token is removed: whitespace, quotes, `<` and `>`, commas, semicolons, a period, a byte order
/// mark, the header name `Authorization:`, and the schemes `ApiToken`, `Bearer` and `Token`.
/// [`warnings`](Self::warnings) returns what was removed.
#[derive(Clone)]
pub struct ApiToken(Arc<Inner>);

struct Inner {
    secret: SecretString,
    removed: Vec<RemovedPart>,
}

/// A problem of an [`ApiToken`] that does not prevent its use; from [`ApiToken::warnings`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenWarning {
    /// The input contained more than the token. The value names what was removed.
    Removed(String),
    /// The token has expired by its own claims, at this time.
    Expired(Timestamp),
}

impl fmt::Display for TokenWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed(parts) => {
                write!(f, "the API token was surrounded by other text, which was removed: {parts}")
            }
            Self::Expired(time) => {
                write!(
                    f,
                    "the API token expired at {}, as its own claims state; it is sent nevertheless",
                    time.as_str()
                )
            }
        }
    }
}

impl ApiToken {
    /// Time after its expiry for which a token counts as valid: five minutes, because local clocks differ.
    pub const EXPIRY_TOLERANCE: Duration = Duration::from_secs(5 * 60);

    /// Creates a token from a string. Text around the token is removed.
    ///
    /// # Errors
    /// Returns an error if the token is empty, is a placeholder, or contains characters that no token contains: tokens
    /// consist of letters, digits and `-._~+/=`.
    pub fn new(token: impl Into<String>) -> Result<Self, TokenError> {
        // Wiped on drop, like every copy in this function.
        let input = SecretString::from(token.into());
        let (text, removed) = strip(input.expose_secret());
        input::check(text, &removed)?;
        Ok(Self(Arc::new(Inner { secret: SecretString::from(text), removed })))
    }

    /// Creates a token from the bytes of a file or stream: UTF-8, or UTF-16 as Windows PowerShell writes it.
    ///
    /// # Errors
    /// Returns the errors of [`new`](Self::new), and an error if the bytes are not text.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, TokenError> {
        let bytes = SecretSlice::from(bytes.into());
        match input::decode_utf16(bytes.expose_secret())? {
            Some(text) => {
                let (token, mut removed) = strip(text.expose_secret());
                input::check(token, &removed)?;
                removed.push(RemovedPart::Utf16);
                Ok(Self(Arc::new(Inner { secret: SecretString::from(token), removed })))
            }
            None => match std::str::from_utf8(bytes.expose_secret()) {
                Ok(text) => Self::new(text),
                Err(_) => Err(TokenError::Invalid("bytes that are neither UTF-8 nor UTF-16".into())),
            },
        }
    }

    /// Reads a token from an environment variable.
    ///
    /// # Errors
    /// Returns an error if the variable is not set, or contains no valid token.
    pub fn from_env(name: &str) -> Result<Self, TokenError> {
        let token = std::env::var(name).map_err(|_| TokenError::Environment(name.to_owned()))?;
        Self::new(token)
    }

    /// Reads a token from a file that contains only the token, in UTF-8 or UTF-16.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or contains no valid token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| match path.to_str() {
            Some(text) if input::is_token_like(text) => TokenError::PathIsToken,
            _ => TokenError::File { path: path.to_owned(), source },
        })?;
        Self::from_bytes(bytes)
    }

    /// Returns the problems of the token at `time`: text that was removed around it, and its expiry by its own claims.
    /// [`ClientBuilder::build`](crate::ClientBuilder::build) logs them.
    pub fn warnings(&self, time: &Timestamp) -> Vec<TokenWarning> {
        let mut parts: Vec<&str> = Vec::new();
        for part in &self.0.removed {
            if !parts.contains(&part.name()) {
                parts.push(part.name());
            }
        }
        let removed = (!parts.is_empty()).then(|| TokenWarning::Removed(parts.join(", ")));
        removed.into_iter().chain(self.expired_at(time).map(TokenWarning::Expired)).collect()
    }

    /// Returns the token in clear text, for a token store. Never print or log it.
    pub fn expose_secret(&self) -> &str {
        self.0.secret.expose_secret()
    }

    /// Returns the expiry time in the claims of a JWT; `None` for another token. The signature is not verified.
    fn expiry(&self) -> Option<Timestamp> {
        let mut parts = self.expose_secret().split('.');
        let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok().map(SecretSlice::from)?;
        let claims: Value = serde_json::from_slice(claims.expose_secret()).ok()?;
        let expiry = claims.get("exp")?;
        let seconds = expiry.as_i64().or_else(|| expiry.as_f64().map(|seconds| seconds as i64))?;
        Timestamp::from_unix_millis(seconds.checked_mul(1000)?)
    }

    /// Returns the expiry time, if it passed more than [`EXPIRY_TOLERANCE`](Self::EXPIRY_TOLERANCE) before `time`.
    pub(crate) fn expired_at(&self, time: &Timestamp) -> Option<Timestamp> {
        let expiry = self.expiry()?;
        let passed: SystemTime = expiry.to_system_time()?.checked_add(Self::EXPIRY_TOLERANCE)?;
        (passed < time.to_system_time()?).then_some(expiry)
    }

    /// Returns the value of the authorization header with this scheme, marked as sensitive so that it is not printed.
    pub(crate) fn header(&self, scheme: &str) -> Result<HeaderValue, TokenError> {
        let text = SecretString::from(format!("{scheme} {}", self.expose_secret()));
        let value = HeaderValue::from_str(text.expose_secret());
        let mut value =
            value.map_err(|_| TokenError::Invalid("characters that are invalid in a header".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The operations for which the console accepts the token, as far as the client knows.
#[derive(Debug, Default)]
pub(crate) struct AcceptedOperations(Mutex<BTreeSet<&'static str>>);

impl AcceptedOperations {
    fn ids(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the console accepted the token for an operation.
    pub(crate) fn accept(&self, operation: &Operation) {
        if operation.security != Security::None {
            self.ids().insert(operation.id);
        }
    }

    /// Records that the console rejected the token for an operation. If it accepted the token for the same operation
    /// before, the token is no longer valid, for no operation.
    pub(crate) fn reject(&self, operation: &Operation) {
        let mut ids = self.ids();
        if ids.contains(operation.id) {
            ids.clear();
        }
    }

    /// Returns whether the console accepts the token for any operation.
    pub(crate) fn any(&self) -> bool {
        !self.ids().is_empty()
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(…)")
    }
}
