//! Facts about operations, as static data.

use std::fmt;

use super::Field;

/// What is known about an operation before it is sent. One static value per operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// Identifier, such as `threats_update_incident`. It starts with the resource.
    pub id: &'static str,
    /// Resource, which is also the module's name: `threats`.
    pub resource: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path from the root of the console. `{version}` stands for the API version, other names in
    /// braces for path segments.
    pub path: &'static str,
    /// One line.
    pub summary: &'static str,
    /// API versions that have it.
    pub versions: &'static [ApiVersion],
    /// What the token's role must allow, as far as a source says it.
    pub permission: Option<&'static str>,
    /// Whether it reads or acts.
    pub kind: Kind,
    /// Whether sending it twice leaves the same state as sending it once.
    pub idempotent: bool,
    /// Whether it interrupts, removes or isolates something, or cannot be taken back.
    pub destructive: bool,
    /// Whether it needs a filter that selects something.
    pub filter: FilterRule,
    /// The server's limit, as far as a source says it.
    pub rate: Option<Rate>,
    /// How its lists are paged.
    pub paging: Paging,
    /// Where in the answer the items of a list are, as a path: `data`, but for a few lists.
    pub items: &'static str,
    /// What a successful answer looks like.
    pub answer: AnswerForm,
    /// Query parameters: those of the operation, then those of the filter that it shares with others.
    /// Of two with the same name the first counts.
    pub query: &'static [&'static [Field]],
    /// Parts of the body whose fields are known.
    pub body: &'static [Part],
    /// Where these facts come from.
    pub evidence: &'static [Evidence],
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Operation {}

impl Operation {
    /// All query parameters, each once.
    pub fn query_fields(&self) -> impl Iterator<Item = &'static Field> {
        let own = self.query.first().copied().unwrap_or_default();
        self.query.iter().copied().flatten().filter(move |field| {
            own.iter().find(|other| other.name == field.name).is_none_or(|o| std::ptr::eq(o, *field))
        })
    }

    /// The query parameter of this name.
    pub fn query_field(&self, name: &str) -> Option<&'static Field> {
        self.query.iter().copied().flatten().find(|field| field.name == name)
    }

    /// Whether this API version has the operation.
    pub fn is_in(&self, version: ApiVersion) -> bool {
        self.versions.contains(&version)
    }
}

/// A version of the Management API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// The old API. Consoles still answer it for some resources.
    V2_0,
    /// The present API.
    #[default]
    V2_1,
}

impl ApiVersion {
    /// All versions, oldest first.
    pub const ALL: &'static [Self] = &[Self::V2_0, Self::V2_1];

    /// `2.0` or `2.1`.
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
    /// The method's name in capitals.
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

/// Whether an operation reads or acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It changes nothing.
    Read,
    /// It changes something.
    Action,
}

/// Whether an operation needs a filter that selects something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterRule {
    /// It has no filter.
    None,
    /// Without a filter it is about everything in scope, which is harmless.
    Optional,
    /// Without a filter it would act on everything in scope; the client refuses that unless it was
    /// asked for with [`Request::everything_in_scope`](super::Request::everything_in_scope).
    Mandatory,
}

/// How lists are paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paging {
    /// One answer holds everything.
    None,
    /// `pagination.nextCursor` of one answer is the parameter `cursor` of the next request.
    Cursor,
}

/// What a successful answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerForm {
    /// A JSON document.
    Json,
    /// Any bytes, such as a zip file.
    Binary,
    /// Nothing.
    Empty,
}

/// A limit of the server on a class of operations, per token.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// Operations of the same class share the limit.
    pub class: &'static str,
    /// Requests a second in the long run.
    pub per_second: f64,
    /// Requests at once.
    pub burst: u32,
    /// Who says so.
    pub source: &'static str,
}

impl Rate {
    pub(crate) const fn new(class: &'static str, per_second: f64, burst: u32, source: &'static str) -> Self {
        Self { class, per_second, burst, source }
    }
}

/// A part of a request's body whose fields are known: `data` or `filter`, or the body itself, whose name is
/// empty. Of a list of objects each is such a part.
#[derive(Debug)]
#[non_exhaustive]
pub struct Part {
    /// Name in the body.
    pub name: &'static str,
    /// Whether it selects what the operation acts on.
    pub is_filter: bool,
    /// Its fields.
    pub fields: &'static [Field],
    /// Whether one of them is secret.
    pub has_secrets: bool,
}

impl Part {
    pub(crate) const fn new(name: &'static str, is_filter: bool, fields: &'static [Field]) -> Self {
        let (mut has_secrets, mut number) = (false, 0);
        while number < fields.len() {
            has_secrets |= fields[number].secret;
            number += 1;
        }
        Self { name, is_filter, fields, has_secrets }
    }
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// `vendor-document`, `integration`, `corpus`, `client` or `inference`.
    pub source: &'static str,
    /// When the source was written or read, as far as known: `2024-03`.
    pub date: &'static str,
    /// What in the source it is.
    pub reference: &'static str,
    /// What it says, where that is not plain.
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
