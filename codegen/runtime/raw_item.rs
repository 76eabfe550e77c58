//! Items of a page as JSON text.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{DecodeError, json};

/// An item of a page as JSON text: a slice of the response body, without a copy.
///
/// A list of raw items takes a tenth of the time of a list of [`Value`]s, and keeps numbers, the order of the members and
/// undeclared fields as the console sent them. The text is valid JSON, with the white space of the console. An item holds
/// the memory of its page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawItem(Bytes);

impl RawItem {
    /// Creates an item from a part of a body.
    pub(super) fn new(body: &Bytes, text: &RawValue) -> Self {
        Self(body.slice_ref(text.get().as_bytes()))
    }

    /// Returns the text.
    pub fn get(&self) -> &str {
        // Items are created from text, so the default is never used.
        simdutf8::basic::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the bytes of the text, which are UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Decodes the item.
    ///
    /// # Errors
    /// Returns an error if the item does not match the type, or is nested too deeply.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        json(&self.0)
    }

    /// Returns the item as a value; null if it is nested too deeply.
    pub fn to_value(&self) -> Value {
        self.decode().unwrap_or_default()
    }
}

/// An item that no console sent, such as one that is composed of others.
impl From<&Value> for RawItem {
    fn from(value: &Value) -> Self {
        Self(Bytes::from(value.to_string()))
    }
}

/// Prints only the size, because items contain personal data.
impl fmt::Debug for RawItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawItem").field("bytes", &self.0.len()).finish_non_exhaustive()
    }
}
