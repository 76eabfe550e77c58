//! Faults of long-running queries, as published clients met them.

use std::fmt;
use std::str::FromStr;

/// A fault of the data lake; see [`SandboxBuilder::query_faults`](super::SandboxBuilder::query_faults).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryFault {
    /// The launch has status 503 and a body that repeats the query. No query runs.
    LaunchUnavailable,
    /// The launch has status 429 and a page as its body. No query runs.
    LaunchThrottled,
    /// The response to the launch has no route. The query is found without one.
    LaunchWithoutRoute,
    /// The launch is finished without rows, which the next read has.
    LaunchWithoutRows,
    /// The launched query fails: its status is 200, with an error.
    QueryFails,
    /// A read of a living query has status 404.
    ReadNotFound,
    /// A read has status 429 and a page as its body.
    ReadThrottled,
    /// The results of the launched query are partial, and have warnings on both levels.
    PartialResults,
    /// The deletion has status 500. The query lives until it was not read for 30 seconds.
    DeletionFails,
    /// The deletion has status 200 and an empty object in place of 204.
    DeletionWithBody,
}

impl QueryFault {
    /// All faults.
    pub const ALL: [Self; 10] = [
        Self::LaunchUnavailable,
        Self::LaunchThrottled,
        Self::LaunchWithoutRoute,
        Self::LaunchWithoutRows,
        Self::QueryFails,
        Self::ReadNotFound,
        Self::ReadThrottled,
        Self::PartialResults,
        Self::DeletionFails,
        Self::DeletionWithBody,
    ];

    /// Returns the name, such as `launch-unavailable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LaunchUnavailable => "launch-unavailable",
            Self::LaunchThrottled => "launch-throttled",
            Self::LaunchWithoutRoute => "launch-without-route",
            Self::LaunchWithoutRows => "launch-without-rows",
            Self::QueryFails => "query-fails",
            Self::ReadNotFound => "read-not-found",
            Self::ReadThrottled => "read-throttled",
            Self::PartialResults => "partial-results",
            Self::DeletionFails => "deletion-fails",
            Self::DeletionWithBody => "deletion-with-body",
        }
    }

    /// Returns the call at which the fault occurs, `launch`, `read` or `delete`.
    pub(super) fn step(self) -> &'static str {
        match self {
            Self::LaunchUnavailable
            | Self::LaunchThrottled
            | Self::LaunchWithoutRoute
            | Self::LaunchWithoutRows
            | Self::PartialResults => "launch",
            Self::QueryFails | Self::ReadNotFound | Self::ReadThrottled => "read",
            Self::DeletionFails | Self::DeletionWithBody => "delete",
        }
    }
}

impl fmt::Display for QueryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is not that of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownQueryFaultError(String);

impl fmt::Display for UnknownQueryFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = QueryFault::ALL.map(QueryFault::as_str).join(", ");
        write!(f, "{:?} is not a fault of queries; expected one of {names}", self.0)
    }
}

impl std::error::Error for UnknownQueryFaultError {}

impl FromStr for QueryFault {
    type Err = UnknownQueryFaultError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|fault| fault.as_str() == name);
        found.ok_or_else(|| UnknownQueryFaultError(name.to_owned()))
    }
}
