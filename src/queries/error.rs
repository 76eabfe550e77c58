//! Errors of queries that are found before anything is sent.

use crate::error::{Error, ErrorKind};

/// Largest page of events.
pub(super) const MAX_PAGE_SIZE: u32 = 5_000;

/// Largest number of slices of a time range.
pub(super) const MAX_SLICES: u32 = 1_000;

/// A query that the client does not send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query has no scope, so it would find nothing.
    #[error("the query has no scope; expected the tenant or at least one account")]
    NoScope,
    /// The scope has `tenant` and accounts, which the console rejects.
    #[error("the query has `tenant` and accounts; expected one of them")]
    TenantAndAccounts,
    /// The list of accounts is empty, or has an empty ID.
    #[error("the list of accounts is empty or has an empty ID; expected at least 1 ID")]
    EmptyAccounts,
    /// The list of sites is empty, or has an ID that no condition can have.
    #[error(
        "the list of sites is empty, or has an ID that is empty or has both kinds of quotes; expected at least 1 ID"
    )]
    Sites,
    /// A command of a PowerQuery reads rows that the condition of the sites does not restrict.
    #[error("the query is restricted to sites, but {0:?} reads other rows")]
    UnrestrictedCommand(String),
    /// The text of the query is empty.
    #[error("the text of the query is empty")]
    Empty,
    /// The text is not valid S1QL.
    #[error("{message}")]
    Syntax {
        /// What was found, and what is expected.
        message: String,
        /// The line with a mark below the place.
        text: String,
    },
    /// A query of S1QL 1.0 has a part that S1QL 2.0 cannot express.
    #[error("the query has no translation to S1QL 2.0: {message}")]
    Untranslated {
        /// What was found, and why it has no translation.
        message: String,
        /// The line with a mark below the place.
        text: String,
        /// The remedy.
        help: String,
    },
    /// The query has names or operators of S1QL 1.0, with which it finds nothing.
    #[error("the query has {}, which S1QL 2.0 does not have", quoted(parts))]
    Version1 {
        /// The names and operators, in the order of the query.
        parts: Vec<String>,
        /// The query in S1QL 2.0; `None` if it has a part that cannot be translated.
        translation: Option<String>,
    },
    /// The end of the time range is not after its start.
    #[error("the time range ends at {end}, which is not after its start at {start}")]
    EndBeforeStart {
        /// The start.
        start: String,
        /// The end.
        end: String,
    },
    /// The time range starts in the future.
    #[error("the time range starts at {0}, which is in the future")]
    StartInFuture(String),
    /// A time is not valid.
    #[error("{0:?} is not a time; expected RFC 3339, such as 2026-11-20T10:00:00Z")]
    InvalidTime(String),
    /// The number of events of a page is out of range.
    #[error("the page size is {0}; expected 1 to {max}", max = MAX_PAGE_SIZE)]
    PageSize(u32),
    /// A query in slices has a cursor, which belongs to one query.
    #[error("the query has a cursor and {0} slices; expected 1 slice with a cursor")]
    CursorOfSlices(u32),
    /// The number of slices is out of range.
    #[error("the number of slices is {0}; expected 1 to {max}", max = MAX_SLICES)]
    Slices(u32),
}

impl QueryError {
    /// Returns the remedy.
    pub fn help(&self) -> String {
        let help = match self {
            Self::NoScope => {
                "set a scope: the tenant, or the accounts; without one, the console finds nothing and reports no error"
            }
            Self::Syntax { text, .. } => return format!("correct the query:\n{text}"),
            Self::Untranslated { help, text, .. } => return format!("{help}:\n{text}"),
            Self::Version1 { translation: Some(text), .. } => return format!("write: {text}"),
            Self::Version1 { translation: None, .. } => {
                "write the query in S1QL 2.0; `s1ql::translate` names the part that has no translation"
            }
            Self::TenantAndAccounts => "remove `tenant`, or the accounts",
            Self::EmptyAccounts => "name the accounts, or search the tenant",
            Self::Sites => "name the sites, or omit them to search all",
            Self::UnrestrictedCommand(_) => {
                "omit the sites, and write `site.id` into each filter of the query"
            }
            Self::Empty => "write a query; `*` matches all events",
            Self::EndBeforeStart { .. } | Self::StartInFuture(_) | Self::InvalidTime(_) => {
                "correct the time range"
            }
            Self::CursorOfSlices(_) => "omit the cursor, or the slices",
            Self::PageSize(_) | Self::Slices(_) => "use a number in the range",
        };
        help.to_owned()
    }
}

/// Returns the parts for a message.
fn quoted(parts: &[String]) -> String {
    parts.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>().join(", ")
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        let help = error.help();
        Self::caused(ErrorKind::InvalidRequest, error, Some(help))
    }
}
