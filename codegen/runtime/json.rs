//! Decoding of JSON. An error has the path of the invalid value.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The error of decoding a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Location in the document, such as `data[1].threatInfo.fileSize`; `.` for the document itself.
    pub path: String,
    /// Description of the error.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.path, self.message)
    }
}

impl std::error::Error for DecodeError {}

impl From<serde_path_to_error::Error<serde_json::Error>> for DecodeError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self { path: error.path().to_string(), message: error.into_inner().to_string() }
    }
}

/// Decodes JSON; an error has the path of the invalid value. Tracking the path takes a third of the decoding time, so
/// it is done in a second pass, after an error only.
pub(crate) fn json<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, DecodeError> {
    if let Ok(value) = from_slice(body) {
        return Ok(value);
    }
    let mut de = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut de)?;
    de.end().map_err(|error| DecodeError { path: ".".into(), message: error.to_string() })?;
    Ok(value)
}

/// Decodes JSON like [`serde_json::from_slice`]. UTF-8 is checked once for the body instead of once for each string,
/// which takes a third less time.
pub(super) fn from_slice<'de, T: Deserialize<'de>>(body: &'de [u8]) -> serde_json::Result<T> {
    match simdutf8::basic::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        // A string that is ignored can be invalid.
        Err(_) => serde_json::from_slice(body),
    }
}

/// Decodes a parsed JSON value.
pub(super) fn item<T: DeserializeOwned>(value: &Value) -> Result<T, DecodeError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error: serde_path_to_error::Error<serde_json::Error>| error.into())
}
