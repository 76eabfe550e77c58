//! The extension `x-s1` as types; `spec/README.md` says what the keys mean.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The name of the extension.
pub const KEY: &str = "x-s1";

/// Facts about an operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OperationFacts {
    /// API versions that have the operation.
    pub versions: Vec<String>,
    /// What the token's role must allow.
    pub permission: Option<String>,
    /// Reads or acts.
    pub kind: Kind,
    /// Twice is the same as once.
    pub idempotent: bool,
    /// Interrupts, removes, isolates, or cannot be taken back.
    pub destructive: bool,
    /// Whether a filter is needed.
    pub filter: FilterRule,
    /// The server's limit.
    pub rate: Option<Rate>,
    /// How lists are paged.
    pub paging: Paging,
    /// The member of the answer's `data` that holds the list, where `data` itself is none.
    pub items: Option<String>,
    /// The schema whose properties are query parameters too.
    pub query: Option<String>,
    /// Where the facts come from.
    pub evidence: Vec<Evidence>,
    /// How the sandbox plays the operation; the sandbox reads it.
    pub sandbox: Option<Value>,
}

/// Whether an operation reads or acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Changes nothing.
    Read,
    /// Changes something.
    Action,
}

/// Whether an operation needs a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterRule {
    /// It has none.
    None,
    /// It may have one.
    Optional,
    /// It is refused without one.
    Mandatory,
}

/// How lists are paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paging {
    /// One answer holds everything.
    None,
    /// By cursor.
    Cursor,
}

/// A limit of the server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rate {
    /// Operations of the same class share it.
    pub class: String,
    /// Requests a second in the long run.
    pub per_second: f64,
    /// Requests at once.
    pub burst: u32,
    /// Who says so.
    pub source: String,
}

/// Where a fact comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Evidence {
    /// The kind of source.
    pub source: Source,
    /// When it was written or read.
    #[serde(default)]
    pub date: String,
    /// What in it.
    #[serde(default, rename = "ref")]
    pub reference: String,
    /// What it says, where that is not plain.
    #[serde(default)]
    pub note: String,
}

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The vendor's own document.
    VendorDocument,
    /// A published integration.
    Integration,
    /// A payload that others published.
    Corpus,
    /// Another public client.
    Client,
    /// Concluded, not read.
    Inference,
}

impl Source {
    /// The word in the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VendorDocument => "vendor-document",
            Self::Integration => "integration",
            Self::Corpus => "corpus",
            Self::Client => "client",
            Self::Inference => "inference",
        }
    }
}

/// Facts about a schema.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SchemaFacts {
    /// It selects things.
    pub filter: bool,
    /// Where it comes from.
    pub evidence: Vec<Evidence>,
}

/// Facts about a property.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PropertyFacts {
    /// A value narrows what the filter selects.
    pub selects: bool,
    /// The text holds a JSON object of lists.
    pub json: bool,
    /// The value is a secret, which is never shown.
    pub secret: bool,
    /// The field of the answer that a filter looks at: a path or several.
    pub field: Option<Value>,
    /// The comparison, where the name does not tell.
    pub op: Option<Op>,
    /// Where it comes from.
    pub evidence: Vec<Evidence>,
}

impl Default for PropertyFacts {
    fn default() -> Self {
        Self { selects: true, json: false, secret: false, field: None, op: None, evidence: Vec::new() }
    }
}

/// A comparison that a field's name does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Op {
    /// Substring in any of the fields.
    Text,
    /// Presence.
    Exists,
    /// Not below.
    AtLeast,
}

/// Reads the facts of a node; a node without any has the default ones.
///
/// # Errors
/// When a key is unknown, missing or of the wrong type.
pub fn of<T: for<'de> Deserialize<'de> + Default>(node: &Value) -> Result<T, String> {
    match node.get(KEY) {
        Some(facts) => T::deserialize(facts).map_err(|error| error.to_string()),
        None => Ok(T::default()),
    }
}

/// Reads the facts of an operation, which has to have them.
///
/// # Errors
/// When they are missing, or a key is unknown, missing or of the wrong type.
pub fn of_operation(node: &Value) -> Result<OperationFacts, String> {
    let facts = node.get(KEY).ok_or_else(|| format!("has no {KEY}"))?;
    OperationFacts::deserialize(facts).map_err(|error| error.to_string())
}

/// The facts of all operations of a document, by `operationId`.
pub type ByOperation = BTreeMap<String, OperationFacts>;
