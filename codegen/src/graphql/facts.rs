//! Facts of GraphQL documents.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A file with the facts of the documents of one schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SchemaFile {
    /// Tag and start of the operation IDs.
    pub(super) tag: String,
    /// Path of the endpoint, below `/web/api/v2.1`.
    pub(super) path: String,
    /// File of the schema.
    pub(super) schema: String,
    pub(super) description: String,
    /// Input types that select the items of an action.
    pub(super) filters: Vec<String>,
    /// Fields of input types, such as `AssignUserInput.value`, that are always sent, also if they are null.
    #[serde(default)]
    pub(super) nulls: Vec<String>,
    /// Evidence of all documents.
    pub(super) evidence: Value,
    /// Facts by the name of the document.
    pub(super) operations: BTreeMap<String, DocumentFacts>,
}

/// The facts of a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentFacts {
    pub(super) summary: String,
    /// `read` or `action`.
    pub(super) kind: String,
    pub(super) destructive: bool,
    /// `none` or `required`.
    pub(super) filter: String,
    #[serde(default)]
    pub(super) permissions: Vec<String>,
}
