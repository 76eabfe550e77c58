//! The engine of a query: Deep Visibility, or a long-running query.

use http::StatusCode;
use sentinelone_raw::accounts::{self, AccountsListQuery};

use super::execution::{ProgressEvent, ProgressObserver, Requests};
use super::query_handle::{NewQuery, QueryHandle, QueryKind};
use crate::Result;
use crate::client::Client;
use crate::commands::argument_error::argument_error;
use crate::error::Error;
use crate::paging::with_page_size;

/// The engine that an argument selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Deep Visibility as long as the console has it; for an ID, the engine that it belongs to.
    Auto,
    DeepVisibility,
    LongRunning,
}

impl Engine {
    /// Reads the argument.
    pub(crate) fn parse(command: &'static str, text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "dv" => Ok(Self::DeepVisibility),
            "lrq" => Ok(Self::LongRunning),
            other => {
                let message = format!("is {other:?}; expected auto, lrq or dv");
                Err(argument_error(command, "engine", message))
            }
        }
    }

    /// Returns the long-running query that an ID contains; `None` for an ID of Deep Visibility.
    pub(crate) fn handle(
        self,
        command: &'static str,
        (argument, id): (&str, &str),
        kind: QueryKind,
    ) -> Result<Option<QueryHandle>> {
        let is_handle = QueryHandle::is_id(id);
        match (self, is_handle) {
            (Self::DeepVisibility, true) => {
                let message = "is dv, but the ID is that of a long-running query";
                Err(argument_error(command, "engine", message))
            }
            (Self::LongRunning, false) => {
                let message = "is lrq, but the ID is that of a Deep Visibility query";
                Err(argument_error(command, "engine", message))
            }
            (_, true) => QueryHandle::parse(command, argument, id, kind).map(Some),
            (_, false) => Ok(None),
        }
    }

    /// Returns whether the engine starts long-running queries after this error of Deep Visibility: the console does not
    /// have it.
    pub(crate) fn continues_after(self, error: &Error) -> bool {
        const GONE: [StatusCode; 4] = [
            StatusCode::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::GONE,
            StatusCode::NOT_IMPLEMENTED,
        ];
        let is_gone = self == Self::Auto && error.status().is_some_and(|status| GONE.contains(&status));
        if is_gone {
            let status = error.status().map(|status| status.as_u16());
            tracing::info!(
                status,
                "the console does not have Deep Visibility; the query is a long-running one"
            );
        }
        is_gone
    }
}

/// Returns the long-running query that an ID contains; `None` for an ID of Deep Visibility.
pub(crate) fn handle(
    command: &'static str,
    engine: &str,
    id: (&str, &str),
    kind: QueryKind,
) -> Result<Option<QueryHandle>> {
    Engine::parse(command, engine)?.handle(command, id, kind)
}

/// Returns the first request of a new long-running query whose ID is not used yet: the read of the accounts, unless they
/// are given.
pub(crate) fn scope_requests(account_ids: &[String]) -> Result<Requests> {
    Ok(match account_ids {
        [] => {
            let request = accounts::list(&AccountsListQuery::default())?;
            vec![with_page_size(request, None)?.with_response_type()]
        }
        _ => Vec::new(),
    })
}

/// Returns a new query with its accounts: the given ones, or those of the token, which are reported.
pub(crate) async fn new_handle(
    client: &Client,
    observer: &dyn ProgressObserver,
    query: &NewQuery<'_>,
    account_ids: &[String],
) -> Result<QueryHandle> {
    let now = client.now();
    if !account_ids.is_empty() {
        return query.handle(account_ids.to_vec(), &now);
    }
    // An invalid query is rejected before the accounts are read.
    query.handle(vec!["0".to_owned()], &now)?;
    let scope = client.queries().accounts_of_token().await.map_err(|error| {
        let message = format!("is missing, and the accounts of the token cannot be read: {error}");
        argument_error(query.command, "account_ids", message)
    })?;
    let account_ids = scope.account_ids().unwrap_or_default().to_vec();
    observer.on_event(ProgressEvent::Accounts { ids: account_ids.clone() });
    query.handle(account_ids, &now)
}
