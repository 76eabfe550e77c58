//! Exchanges in files: a request, its response and their provenance.
//!
//! A file holds an [`Exchange`] as JSON:
//!
//! ```json
//! {
//!   "operation": "POST /web/api/v2.1/threats/mitigate/{action}",
//!   "request": {
//!     "path": "/web/api/v2.1/threats/mitigate/kill",
//!     "body": { "filter": { "ids": ["460000000000000001"] } }
//!   },
//!   "status": 200,
//!   "response": { "data": { "affected": 1 } },
//!   "provenance": { "kind": "composed", "source": "the specification", "date": "2026-11", "note": "" }
//! }
//! ```
//!
//! Files of published payloads have the members `source`, `commit` and `note` instead of `provenance`. They are read
//! as [`ProvenanceKind::Published`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A request with its response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "ExchangeFile")]
#[non_exhaustive]
pub struct Exchange {
    /// Method and path, with path parameters in braces: `POST /web/api/v2.1/threats/incident`.
    pub operation: String,
    /// The recorded part of the request.
    pub request: ExchangeRequest,
    /// The HTTP status code of the response.
    pub status: u16,
    /// The relevant headers of the response.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The response body if it is JSON. A JSON null is `Some(Value::Null)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
    /// The response body if it is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_text: Option<String>,
    /// The kind of placeholders in a published payload: `stub`, `example-values` or `type-names`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder_kind: Option<String>,
    /// Whether method and path of a published payload are inferred.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// The provenance of the exchange.
    pub provenance: Provenance,
}

/// The recorded part of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExchangeRequest {
    /// The path, if it differs from the path of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The query. Files can hold numbers, booleans and arrays instead of strings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "deserialize_query")]
    pub query: BTreeMap<String, String>,
    /// The headers that are parameters of the operation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The request body. A form is the object of its fields, in which a file is its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// The origin of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provenance {
    /// The kind of origin.
    pub kind: ProvenanceKind,
    /// The source, such as a console or a repository.
    #[serde(default)]
    pub source: String,
    /// The date, which can be empty; the commit for published payloads.
    #[serde(default)]
    pub date: String,
    /// Further information.
    #[serde(default)]
    pub note: String,
}

/// Response header with the request ID of the console.
pub const REQUEST_ID_HEADER: &str = "x-rqid";

/// Prefix of the request IDs of the sandbox, which mark its responses.
pub const SANDBOX_REQUEST_ID_PREFIX: &str = "sandbox-";

/// The kind of origin of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProvenanceKind {
    /// Written manually from the specification.
    Composed,
    /// Generated from the specification by `cargo xtask fixtures`. It was never sent.
    Generated,
    /// Returned by the sandbox.
    Sandbox,
    /// Returned by a real console, with names and identifiers replaced.
    Recorded,
    /// Published by another project with its integration.
    Published,
}

/// The error of reading exchange files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// The file or directory cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        error: std::io::Error,
    },
    /// The file does not hold an exchange.
    #[error("{}: {error}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        error: serde_json::Error,
    },
}

/// The byte order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Exchange {
    /// Creates an exchange with this operation, status code and provenance, and without bodies.
    pub fn new(operation: impl Into<String>, status: u16, provenance: Provenance) -> Self {
        Self {
            operation: operation.into(),
            request: ExchangeRequest::default(),
            status,
            headers: BTreeMap::new(),
            response: None,
            response_text: None,
            placeholder_kind: None,
            inferred: false,
            provenance,
        }
    }

    /// Reads an exchange from a file.
    ///
    /// # Errors
    /// Returns a [`FixtureError`] if the file cannot be read or does not hold an exchange.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FixtureError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| FixtureError::Io { path: path.to_owned(), error })?;
        // Some editors and shells write a byte order mark.
        let json = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        serde_json::from_slice(json).map_err(|error| FixtureError::Format { path: path.to_owned(), error })
    }

    /// Returns the HTTP method.
    pub fn method(&self) -> &str {
        self.operation.split_once(' ').map_or("", |(method, _)| method)
    }

    /// Returns the path of the request, with parameters in braces if their values are not recorded.
    pub fn path(&self) -> &str {
        let template = self.operation.split_once(' ').map_or(self.operation.as_str(), |(_, path)| path);
        self.request.path.as_deref().unwrap_or(template.trim())
    }

    /// Returns the query as pairs of name and value.
    pub fn query(&self) -> Vec<(String, String)> {
        self.request.query.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns the response body as bytes; empty without a body.
    pub fn response_bytes(&self) -> Vec<u8> {
        match (&self.response, &self.response_text) {
            (Some(value), _) => value.to_string().into_bytes(),
            (None, Some(text)) => text.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }

    /// Returns whether the exchange is a recording of a console or the sandbox.
    pub(super) fn is_recording(&self) -> bool {
        matches!(self.provenance.kind, ProvenanceKind::Recorded | ProvenanceKind::Sandbox)
    }
}

impl Provenance {
    /// Creates a provenance without date and note.
    pub fn new(kind: ProvenanceKind, source: impl Into<String>) -> Self {
        Self { kind, source: source.into(), date: String::new(), note: String::new() }
    }
}

/// Reads all exchanges below a directory, from files with the extension `json`, in the order of their paths.
///
/// # Errors
/// Returns a [`FixtureError`] for the first file or directory that cannot be read.
pub fn read_dir(dir: impl AsRef<Path>) -> Result<Vec<(PathBuf, Exchange)>, FixtureError> {
    let files = list_files(dir, &["json"])?.into_iter();
    files.map(|path| Exchange::read(&path).map(|exchange| (path, exchange))).collect()
}

/// Lists the files below a directory with one of these extensions, in the order of their paths.
///
/// # Errors
/// Returns a [`FixtureError`] for the first directory that cannot be read.
pub fn list_files(dir: impl AsRef<Path>, extensions: &[&str]) -> Result<Vec<PathBuf>, FixtureError> {
    let mut files = Vec::new();
    let mut pending = vec![dir.as_ref().to_owned()];
    while let Some(dir) = pending.pop() {
        let io = |error| FixtureError::Io { path: dir.clone(), error };
        for entry in std::fs::read_dir(&dir).map_err(io)? {
            let entry = entry.map_err(io)?;
            let path = entry.path();
            let has_extension = |path: &Path| {
                let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
                extensions.iter().any(|one| extension.eq_ignore_ascii_case(one))
            };
            // Links to directories are not followed: they can form a cycle.
            if entry.file_type().map_err(io)?.is_dir() {
                pending.push(path);
            // Devices and pipes are skipped: they cannot be read, or have no end.
            } else if has_extension(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The file format of an exchange.
#[derive(Deserialize)]
struct ExchangeFile {
    operation: String,
    #[serde(default)]
    request: ExchangeRequest,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "deserialize_present")]
    response: Option<Value>,
    response_text: Option<String>,
    placeholder_kind: Option<String>,
    #[serde(default)]
    inferred: bool,
    provenance: Option<Provenance>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    note: String,
}

impl From<ExchangeFile> for Exchange {
    fn from(file: ExchangeFile) -> Self {
        let ExchangeFile { source, commit, note, .. } = file;
        let published = Provenance { kind: ProvenanceKind::Published, source, date: commit, note };
        Self {
            operation: file.operation,
            request: file.request,
            status: file.status,
            headers: file.headers,
            response: file.response,
            response_text: file.response_text,
            placeholder_kind: file.placeholder_kind,
            inferred: file.inferred,
            provenance: file.provenance.unwrap_or(published),
        }
    }
}

/// Deserializes a member that is present, so that null differs from missing.
fn deserialize_present<'de, D: Deserializer<'de>>(de: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(de).map(Some)
}

fn deserialize_query<'de, D: Deserializer<'de>>(de: D) -> Result<BTreeMap<String, String>, D::Error> {
    fn to_string(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().map(to_string).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }
    }

    let values = BTreeMap::<String, Value>::deserialize(de)?;
    Ok(values.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), to_string(v))).collect())
}
