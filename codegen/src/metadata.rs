//! Types of the extension `x-s1`. `spec/README.md` describes the keys.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Name of the extension.
pub const KEY: &str = "x-s1";

/// Start of the remark in a description that a program has derived from a name.
pub const PLACEHOLDER: &str = "Undocumented; description derived from the name";

/// Metadata of an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OperationFacts {
    /// Whether people have checked the operation.
    pub tier: Tier,
    /// API versions that have the operation.
    pub versions: Vec<String>,
    /// Permissions that the vendor documents.
    #[serde(default)]
    pub permissions: Permissions,
    /// Other requirement of the operation, such as a license.
    pub access: Option<String>,
    /// When the operation ends, and what takes its place.
    pub end: Option<End>,
    /// Read or action.
    pub kind: Kind,
    /// A repeated call has the same effect as one call.
    pub idempotent: bool,
    /// The operation interrupts, removes or isolates, or is irreversible.
    pub destructive: bool,
    /// Whether a filter is required.
    pub filter: FilterRequirement,
    /// Rate limit of the server.
    pub rate_limit: Option<RateLimit>,
    /// Pagination of the list.
    pub paging: Paging,
    /// Member of `data` that has the list, if `data` itself is not a list.
    pub items: Option<String>,
    /// Filter schema whose properties are also query parameters.
    pub query: Option<String>,
    /// Provenance of the metadata.
    pub evidence: Vec<Evidence>,
    /// Behavior of the operation in the sandbox; parsed by the sandbox.
    pub sandbox: Option<Value>,
    /// The GraphQL document that the operation sends.
    pub graphql: Option<GraphQl>,
}

/// A GraphQL document and its endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphQl {
    /// Path of the endpoint, below `/web/api/v2.1`.
    pub path: String,
    /// Text of the document.
    pub document: String,
}

/// Whether people have checked an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Facts, evidence and descriptions are by people.
    Curated,
    /// Written by a program from the vendor document; facts are inferred.
    Documented,
}

impl Tier {
    /// All tiers.
    pub const ALL: [Self; 2] = [Self::Curated, Self::Documented];

    /// Returns the value in the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Curated => "curated",
            Self::Documented => "documented",
        }
    }
}

/// Authentication of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// The console's token, with the scheme `ApiToken`.
    ApiToken,
    /// The console's token, with the scheme `Bearer`.
    Bearer,
    /// None.
    None,
}

/// Returns the authentication of an operation: its own `security`, or that of the document.
///
/// # Errors
/// Returns an error for alternatives, and for a scheme that the client does not have.
pub fn security(document: &Value, operation: &Value) -> Result<Security, String> {
    let declared = operation.get("security").unwrap_or(&document["security"]);
    let names =
        |one: &Value| one.as_object().map(|one| one.keys().cloned().collect::<Vec<_>>().join(" and "));
    let all: Vec<String> = declared.as_array().into_iter().flatten().filter_map(names).collect();
    match all.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | [""] => Ok(Security::None),
        ["ApiToken"] => Ok(Security::ApiToken),
        ["Bearer"] => Ok(Security::Bearer),
        other => Err(format!("security is {}: expected ApiToken, Bearer or none", other.join(" or "))),
    }
}

/// Permissions that the vendor documents for an operation, as `Category.permission`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Permissions {
    /// The role of the token needs all of them.
    pub required: Vec<String>,
    /// The role needs them for some values only.
    pub optional: Vec<String>,
}

/// End of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Day after which it is not available, if a source states one.
    pub date: Option<String>,
    /// What takes its place.
    pub replacement: Option<String>,
    /// Whether the newest vendor document does not have the operation any more.
    #[serde(default)]
    pub removed: bool,
    /// Source of these.
    pub source: String,
}

/// Kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// No side effects.
    Read,
    /// Changes data or state.
    Action,
}

/// Whether an operation requires a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterRequirement {
    /// The operation has no filter.
    None,
    /// The filter is optional.
    Optional,
    /// The client rejects a request without a selective filter.
    Required,
}

/// Pagination of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paging {
    /// One response has all items.
    None,
    /// Pages with a cursor.
    Cursor,
}

/// Rate limit of the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RateLimit {
    /// Operations of the same class share the limit.
    pub class: String,
    /// Sustained requests per second.
    pub per_second: f64,
    /// Maximum number of requests in a burst.
    pub burst: u32,
    /// Provenance of the limit.
    pub source: String,
}

/// Provenance of metadata.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Evidence {
    /// Kind of source.
    pub source: EvidenceSource,
    /// Date of the source.
    #[serde(default)]
    pub date: String,
    /// Location in the source.
    #[serde(default, rename = "ref")]
    pub reference: String,
    /// Note on the content.
    #[serde(default)]
    pub note: String,
}

/// Kind of source of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceSource {
    /// API document of the vendor.
    VendorDocument,
    /// A published integration.
    Integration,
    /// A published payload.
    Corpus,
    /// Another public client.
    Client,
    /// Inferred from other information.
    Inference,
}

impl EvidenceSource {
    /// Returns the value in the specification.
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

/// Metadata of a schema.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SchemaFacts {
    /// The schema is a filter.
    pub filter: bool,
    /// Schema whose properties the bundle copies, except those that this schema declares itself.
    pub extends: Option<String>,
    /// Provenance of the metadata.
    pub evidence: Vec<Evidence>,
}

/// Metadata of a property.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PropertyFacts {
    /// A value narrows the selection of the filter.
    pub selective: bool,
    /// The string is a JSON object of lists.
    pub json: bool,
    /// Whether the value is a secret and always redacted; `None` if it is undecided.
    pub secret: Option<bool>,
    /// Response properties that the filter compares: one path or a list of paths.
    pub field: Option<Value>,
    /// Comparison, if the name does not imply it.
    pub op: Option<Op>,
    /// What the client sends, if the API accepts more.
    pub send: Option<Send>,
    /// Provenance of the metadata.
    pub evidence: Vec<Evidence>,
}

impl Default for PropertyFacts {
    fn default() -> Self {
        Self {
            selective: true,
            json: false,
            secret: None,
            field: None,
            op: None,
            send: None,
            evidence: Vec::new(),
        }
    }
}

/// What the client sends of a property, if the API accepts more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Send {
    /// `false`: the client has no field for it.
    Field(bool),
    /// The client sends values of another schema.
    Schema(SchemaReference),
    /// The client sends integers within bounds.
    Integer(BoundedInteger),
}

/// Schema of the integers that the client sends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundedInteger {
    /// `integer`.
    #[serde(rename = "type")]
    pub kind: IntegerType,
    /// Smallest number.
    pub minimum: i64,
    /// Largest number, if there is one.
    #[serde(default)]
    pub maximum: Option<i64>,
}

/// The type of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntegerType {
    /// `integer`.
    Integer,
}

/// Reference to a named schema.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaReference {
    /// `#/components/schemas/NAME`.
    #[serde(rename = "$ref")]
    pub target: String,
}

/// A comparison that the name of a filter property does not imply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Op {
    /// Substring of any of the properties.
    Contains,
    /// The property is present.
    Exists,
    /// Greater than or equal.
    AtLeast,
}

/// Reads the metadata of a node; the default if the node has no `x-s1`.
///
/// # Errors
/// Returns an error if a key is unknown, missing or of the wrong type.
pub fn read<T: for<'de> Deserialize<'de> + Default>(node: &Value) -> Result<T, String> {
    match node.get(KEY) {
        Some(facts) => T::deserialize(facts).map_err(|error| error.to_string()),
        None => Ok(T::default()),
    }
}

/// Reads the required metadata of an operation.
///
/// # Errors
/// Returns an error if `x-s1` is missing, or if a key is unknown, missing or of the wrong type.
pub fn read_operation(node: &Value) -> Result<OperationFacts, String> {
    let facts = node.get(KEY).ok_or_else(|| format!("has no {KEY}"))?;
    OperationFacts::deserialize(facts).map_err(|error| error.to_string())
}

/// Metadata of all operations of a document, by `operationId`.
pub type ByOperation = BTreeMap<String, OperationFacts>;
