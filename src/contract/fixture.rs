//! Exchanges in files: a request, the answer to it, and where both come from.
//!
//! A file holds one [`Exchange`] as JSON:
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
//! Files of published payloads have `source`, `commit` and `note` beside the rest in place of
//! `provenance`; they are read as [`ProvenanceKind::Published`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Contract, Finding, FindingKind, Found};

/// A request and the answer to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
#[non_exhaustive]
pub struct Exchange {
    /// Method and path, with path parameters in braces: `POST /web/api/v2.1/threats/incident`.
    pub operation: String,
    /// What was asked, as far as known.
    pub request: ExchangeRequest,
    /// HTTP status of the answer.
    pub status: u16,
    /// Headers of the answer that matter.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body, when it is JSON. A body that is JSON's null is `Some(Value::Null)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
    /// The body, when it is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_text: Option<String>,
    /// In published payloads: what stands in the place of real values. `stub`, `example-values` or
    /// `type-names`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder_kind: Option<String>,
    /// In published payloads: whether method and path were concluded and not shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// Where all this comes from.
    pub provenance: Provenance,
}

/// What was asked, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExchangeRequest {
    /// The path, where it differs from that of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The query. In files numbers, flags and lists may stand in place of texts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "texts")]
    pub query: BTreeMap<String, String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// Where an exchange comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provenance {
    /// How it came about.
    pub kind: ProvenanceKind,
    /// Who or what it was taken from.
    #[serde(default)]
    pub source: String,
    /// When, as far as known; for published payloads the commit that was read.
    #[serde(default)]
    pub date: String,
    /// What else is worth knowing.
    #[serde(default)]
    pub note: String,
}

/// How an exchange came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProvenanceKind {
    /// Written by hand from the specification.
    Composed,
    /// Made from the specification by `cargo xtask fixtures`. Nobody received it.
    Generated,
    /// Answered by the sandbox.
    Sandbox,
    /// Answered by a real console, with names and identifiers replaced.
    Recorded,
    /// Published by others with their own integrations.
    Published,
}

/// Why a file of an exchange was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// The file or folder cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        error: std::io::Error,
    },
    /// The file holds no exchange.
    #[error("{}: {error}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        error: serde_json::Error,
    },
}

/// What some programs write at the beginning of a text in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Exchange {
    /// An exchange of this operation, status and origin without request or body.
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

    /// Reads a file.
    ///
    /// # Errors
    /// [`FixtureError`] when it cannot be read or holds no exchange.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FixtureError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| FixtureError::Io { path: path.to_owned(), error })?;
        // Some editors and shells begin a text with a mark of its encoding.
        let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        serde_json::from_slice(text).map_err(|error| FixtureError::Format { path: path.to_owned(), error })
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        self.operation.split_once(' ').map_or("", |(method, _)| method)
    }

    /// The path that was asked; with names in braces where no more is known.
    pub fn path(&self) -> &str {
        let template = self.operation.split_once(' ').map_or(self.operation.as_str(), |(_, path)| path);
        self.request.path.as_deref().unwrap_or(template.trim())
    }

    /// The operation of a contract that this is about.
    pub fn find<'a>(&self, contract: &'a Contract) -> Option<Found<'a>> {
        contract.find(self.method(), self.path())
    }

    /// The query as pairs of name and text.
    pub fn query(&self) -> Vec<(String, String)> {
        self.request.query.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The body of the answer as bytes; empty when there is none.
    pub fn answer(&self) -> Vec<u8> {
        match (&self.response, &self.response_text) {
            (Some(value), _) => value.to_string().into_bytes(),
            (None, Some(text)) => text.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }

    /// Holds request and answer to a contract; `None` when it does not have the operation. That the operation is
    /// there on other API versions only is a finding. Path values
    /// are left out of account where the file knows only their names, and so is what is missing as a
    /// whole from a published request, which is often not shown. In a recording
    /// [secrets](Contract::check_secrets) are looked for, too.
    pub fn check(&self, contract: &Contract) -> Option<Vec<Finding>> {
        let found = self.find(contract)?;
        let body = self.request.body.as_ref();
        let mut findings = contract.check_request(found.operation, &found.path_values, &self.query(), body);
        if self.path().contains('{') {
            findings.retain(|finding| !finding.place.starts_with("request.path"));
        }
        if self.provenance.kind == ProvenanceKind::Published {
            let unknown = |finding: &Finding| match finding.kind {
                FindingKind::MissingParameter => true,
                FindingKind::MissingField => finding.place == "request.body",
                _ => false,
            };
            findings.retain(|finding| !unknown(finding));
        }
        findings.extend(contract.check_version(&found, self.path()));
        findings.extend(contract.check_answer(found.operation, self.status, &self.answer()));
        findings.extend(contract.check_secrets(self));
        Some(super::settled(findings, found.operation.id()))
    }
}

impl Provenance {
    /// An origin without a date and a note.
    pub fn new(kind: ProvenanceKind, source: impl Into<String>) -> Self {
        Self { kind, source: source.into(), date: String::new(), note: String::new() }
    }
}

/// Reads every file below a folder whose name ends in `.json`, in the order of their paths.
///
/// # Errors
/// [`FixtureError`] for the first file or folder that cannot be read.
pub fn read_all(folder: impl AsRef<Path>) -> Result<Vec<(PathBuf, Exchange)>, FixtureError> {
    let files = files(folder, &["json"])?.into_iter();
    files.map(|path| Exchange::read(&path).map(|exchange| (path, exchange))).collect()
}

/// The files below a folder whose names have one of these endings, in the order of their paths: for those who
/// read them one by one.
///
/// # Errors
/// [`FixtureError`] for the first folder that cannot be read.
pub fn files(folder: impl AsRef<Path>, endings: &[&str]) -> Result<Vec<PathBuf>, FixtureError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.as_ref().to_owned()];
    while let Some(folder) = folders.pop() {
        let io = |error| FixtureError::Io { path: folder.clone(), error };
        for entry in std::fs::read_dir(&folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let path = entry.path();
            let has_ending = |path: &Path| {
                let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
                endings.iter().any(|one| ending.eq_ignore_ascii_case(one))
            };
            // Links are not followed: they could lead around in a circle.
            if entry.file_type().map_err(io)?.is_dir() {
                folders.push(path);
            // What is no file cannot be read, or never ends.
            } else if has_ending(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// An exchange as files may hold it.
#[derive(Deserialize)]
struct Stored {
    operation: String,
    #[serde(default)]
    request: ExchangeRequest,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
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

impl From<Stored> for Exchange {
    fn from(stored: Stored) -> Self {
        let Stored { source, commit, note, .. } = stored;
        let published = Provenance { kind: ProvenanceKind::Published, source, date: commit, note };
        Self {
            operation: stored.operation,
            request: stored.request,
            status: stored.status,
            headers: stored.headers,
            response: stored.response,
            response_text: stored.response_text,
            placeholder_kind: stored.placeholder_kind,
            inferred: stored.inferred,
            provenance: stored.provenance.unwrap_or(published),
        }
    }
}

/// Tells a member that is null from one that is absent.
fn present<'de, D: Deserializer<'de>>(de: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(de).map(Some)
}

fn texts<'de, D: Deserializer<'de>>(de: D) -> Result<BTreeMap<String, String>, D::Error> {
    fn text(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }
    }

    let values = BTreeMap::<String, Value>::deserialize(de)?;
    Ok(values.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), text(v))).collect())
}
