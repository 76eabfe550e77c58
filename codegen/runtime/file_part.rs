//! Files in the form of a request.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A file in a request with a form (`multipart/form-data`).
///
/// In JSON, such as a dry run or a recorded exchange, it is its name. The content is kept in memory until the request is
/// sent; clones share it.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    name: String,
    media_type: &'static str,
    content: Bytes,
}

impl FilePart {
    /// Creates a file with the media type that its name suggests: `text/csv`, `application/json` or `text/plain` for
    /// `.csv`, `.json` and `.txt`, and otherwise `application/octet-stream`.
    pub fn new(name: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let name = name.into();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let media_type = match extension.as_deref() {
            Some("csv") => "text/csv",
            Some("json") => "application/json",
            Some("txt") => "text/plain",
            _ => "application/octet-stream",
        };
        Self { name, media_type, content: content.into() }
    }

    /// Replaces the media type.
    #[must_use]
    pub fn with_media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// Returns the file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the media type.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// Returns the content.
    pub fn content(&self) -> &Bytes {
        &self.content
    }
}

/// Prints the length of the content, and not the content.
impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .field("bytes", &self.content.len())
            .finish()
    }
}

/// Serializes the name.
impl Serialize for FilePart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

/// Deserializes a name. The content is empty.
impl<'de> Deserialize<'de> for FilePart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(deserializer)?, Bytes::new()))
    }
}
