//! Secret strings of requests and responses.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Parts of the names of secrets, in lower case without separators.
pub const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "licensekey",
    "authorization",
    "cookie",
    "credential",
];

/// Returns whether a string with this name is secret, unless the specification says otherwise: a password, a key or a
/// token.
pub fn is_secret_name(name: &str) -> bool {
    const OTHERS: [&str; 8] = ["expir", "time", "date", "createdat", "updatedat", "flow", "id", "scope"];
    const POSITIONS: [&str; 4] = ["continuationtoken", "nexttoken", "pagetoken", "nextpagetoken"];
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if POSITIONS.contains(&name.as_str()) {
        return false;
    }
    match SECRET_NAMES.iter().find_map(|part| Some(name.find(part)? + part.len())) {
        // What follows the word decides: `tokenId` and `passwordExpiresAt` are not secret.
        Some(end) => !OTHERS.iter().any(|other| name[end..].contains(other)),
        None => false,
    }
}

/// A password, a token or another secret string of a request or a response.
///
/// It is never printed, and it is wiped from memory on drop. Serialized values contain it in clear text, including the
/// body of a [`Request`](super::Request).
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Returns the secret in clear text.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.into())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Self {
        Self(secret)
    }
}

impl From<&SecretString> for Secret {
    fn from(secret: &SecretString) -> Self {
        Self(secret.clone())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

/// A number or another value becomes its text, so that a response is not lost because of it.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => text.into(),
            other => other.to_string().into(),
        })
    }
}
