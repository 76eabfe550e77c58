//! Static metadata of operations.

use std::fmt;

use super::Field;

/// The metadata of an API operation. Each operation has one static value.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// Operation ID, such as `threats_update_incident`. It starts with the resource.
    pub id: &'static str,
    /// Resource and module name, such as `threats`.
    pub resource: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template from the root of the console. `{version}` is the API version; other names in braces are path
    /// parameters.
    pub path: &'static str,
    /// One-line summary.
    pub summary: &'static str,
    /// API versions that support the operation.
    pub versions: &'static [ApiVersion],
    /// Whether people have checked the metadata.
    pub tier: Tier,
    /// Authentication of the request.
    pub security: Security,
    /// Permissions that SentinelOne documents.
    pub permissions: Permissions,
    /// Other requirement, such as a license or a role; `None` if no source documents one.
    pub access: Option<&'static str>,
    /// End of the operation; `None` if no source announces one.
    pub end: Option<End>,
    /// Whether the operation is a read or an action.
    pub kind: OperationKind,
    /// Whether repeating the request has no further effect.
    pub idempotent: bool,
    /// Whether the operation interrupts, removes or isolates a resource, or cannot be undone.
    pub destructive: bool,
    /// Whether the operation requires a selective filter.
    pub filter: FilterRequirement,
    /// Rate limit of the console; `None` if no source documents it.
    pub rate_limit: Option<RateLimit>,
    /// Pagination of its lists.
    pub paging: Paging,
    /// Location of the list items in the response: `data`, except for a few lists.
    pub items: &'static str,
    /// Format of the request body.
    pub request_format: RequestFormat,
    /// Format of a successful response.
    pub response_format: ResponseFormat,
    /// Query parameters: those of the operation, then those of a shared filter. If two have the same name, the first
    /// applies.
    pub query_params: &'static [&'static [Field]],
    /// Parts of the request body with declared fields.
    pub body_parts: &'static [BodyPart],
    /// Secret fields of the request body, as paths such as `data.password`. A path continues in each item of a list; `*`
    /// stands for each member of a map.
    pub secret_fields: &'static [&'static str],
    /// Sources of this metadata.
    pub evidence: &'static [Evidence],
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Operation {}

impl Operation {
    /// Returns all query parameters, each once.
    pub fn query_fields(&self) -> impl Iterator<Item = &'static Field> {
        let own = self.query_params.first().copied().unwrap_or_default();
        self.query_params.iter().copied().flatten().filter(move |field| {
            own.iter().find(|other| other.name == field.name).is_none_or(|o| std::ptr::eq(o, *field))
        })
    }

    /// Returns the query parameter with this name.
    pub fn query_field(&self, name: &str) -> Option<&'static Field> {
        self.query_params.iter().copied().flatten().find(|field| field.name == name)
    }

    /// Returns whether this API version supports the operation.
    pub fn supports(&self, version: ApiVersion) -> bool {
        self.versions.contains(&version)
    }
}

/// A version of the Management API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// The previous API, which consoles still support for some resources.
    V2_0,
    /// The current API.
    #[default]
    V2_1,
}

impl ApiVersion {
    /// All versions, oldest first.
    pub const ALL: &'static [Self] = &[Self::V2_0, Self::V2_1];

    /// Returns `2.0` or `2.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether people have checked the metadata of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// People have checked and described it.
    Curated,
    /// It is written by a program from the document of SentinelOne. Its facts are inferred, and every action counts as
    /// destructive.
    Documented,
}

impl Tier {
    /// Returns `curated` or `documented`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Curated => "curated",
            Self::Documented => "documented",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The authentication of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Security {
    /// The header `Authorization` with the scheme `ApiToken` and the token.
    ApiToken,
    /// The header `Authorization` with the scheme `Bearer` and the same token.
    Bearer,
    /// The operation needs no token.
    None,
}

/// The permissions that SentinelOne documents for an operation, as `Category.permission`, such as `Endpoints.view`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permissions {
    /// The role of the token needs all of them. Empty if none is documented.
    pub required: &'static [&'static str],
    /// The role needs one of them for some values or actions only.
    pub optional: &'static [&'static str],
}

impl Permissions {
    pub(crate) const fn new(required: &'static [&'static str], optional: &'static [&'static str]) -> Self {
        Self { required, optional }
    }
}

/// The announced end of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// Day of the end, such as `2027-02-15`; empty if no source states one.
    pub date: &'static str,
    /// What takes its place; empty if no source names it.
    pub replacement: &'static str,
    /// Whether the newest vendor document does not have the operation any more. Older consoles may have it.
    pub removed: bool,
    /// Source of the announcement.
    pub source: &'static str,
}

impl End {
    pub(crate) const fn new(date: &'static str, replacement: &'static str, source: &'static str) -> Self {
        Self { date, replacement, removed: false, source }
    }

    #[allow(dead_code, reason = "only operations of some features are removed")]
    pub(crate) const fn removed(self) -> Self {
        Self { removed: true, ..self }
    }
}

/// Prints the end with the replacement, such as `ends on 2027-02-15; replaced by …`.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date {
            _ if self.removed => f.write_str("is not in the newest vendor document")?,
            "" => f.write_str("is deprecated, without a date")?,
            date => write!(f, "ends on {date}")?,
        }
        match self.replacement {
            "" => Ok(()),
            replacement => write!(f, "; replaced by {replacement}"),
        }
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Returns the uppercase name of the method.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether an operation is a read or an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// An operation without side effects.
    Read,
    /// A write operation.
    Action,
}

/// Whether an operation requires a selective filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterRequirement {
    /// The operation has no filter.
    None,
    /// Without a filter the operation applies to everything in scope, which is harmless.
    Optional,
    /// Without a filter the operation would affect everything in scope. The client rejects such a request unless
    /// [`Request::everything_in_scope`](super::Request::everything_in_scope) is set.
    Required,
}

/// The pagination of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paging {
    /// One response contains all items.
    None,
    /// `pagination.nextCursor` of a response is the parameter `cursor` of the next request.
    Cursor,
}

/// The format of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestFormat {
    /// A JSON document, or no body.
    Json,
    /// A form with files (`multipart/form-data`). [`Request::body`](super::Request::body) has its fields, and
    /// [`Request::files`](super::Request::files) the files.
    Form,
    /// A GraphQL document, with [`Request::body`](super::Request::body) as its variables.
    GraphQl(&'static str),
}

/// The format of a successful response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseFormat {
    /// A JSON document.
    Json,
    /// Arbitrary bytes, such as a zip file.
    Binary,
    /// An empty body.
    Empty,
    /// No source states it: JSON, a file, or nothing.
    Undocumented,
}

/// A rate limit of the console for a class of operations, per token.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Class whose operations share the limit.
    pub class: &'static str,
    /// Sustained requests per second.
    pub per_second: f64,
    /// Requests allowed in a burst.
    pub burst: u32,
    /// Source of the limit.
    pub source: &'static str,
}

impl RateLimit {
    pub(crate) const fn new(class: &'static str, per_second: f64, burst: u32, source: &'static str) -> Self {
        Self { class, per_second, burst, source }
    }
}

/// A part of a request body with declared fields: `data`, `filter`, or the body itself, which has an empty name. If
/// the part is a list of objects, the fields are those of each object.
#[derive(Debug)]
#[non_exhaustive]
pub struct BodyPart {
    /// Member name in the body.
    pub name: &'static str,
    /// Whether the part selects the items that the operation affects.
    pub is_filter: bool,
    /// Declared fields.
    pub fields: &'static [Field],
}

impl BodyPart {
    pub(crate) const fn new(name: &'static str, is_filter: bool, fields: &'static [Field]) -> Self {
        Self { name, is_filter, fields }
    }
}

/// A source of operation metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// `vendor-document`, `integration`, `corpus`, `client` or `inference`.
    pub source: &'static str,
    /// Date on which the source was written or read, such as `2024-03`; empty if unknown.
    pub date: &'static str,
    /// Location in the source.
    pub reference: &'static str,
    /// Explanation, if the source is not self-explanatory.
    pub note: &'static str,
}

impl Evidence {
    pub(crate) const fn new(
        source: &'static str,
        date: &'static str,
        reference: &'static str,
        note: &'static str,
    ) -> Self {
        Self { source, date, reference, note }
    }
}
