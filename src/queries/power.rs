//! PowerQueries.

use sentinelone_raw::long_running_query::{
    LongRunningQueryCreatePq, LongRunningQueryCreatePqResultType, LongRunningQueryCreateQueryType,
    LongRunningQueryCreateRequest,
};
use sentinelone_raw::runtime::Timestamp;

use super::error::QueryError;
use super::progress::QueryState;
use super::results::QueryTable;
use super::settings::{QuerySettings, impl_settings};
use super::{run, text};
use crate::Result;
use crate::client::Client;

/// A PowerQuery, whose result is a table; from [`Queries::power_query`](super::Queries::power_query).
#[derive(Clone, Debug)]
#[must_use = "a query is not sent before it runs"]
pub struct TableQuery {
    client: Client,
    query: RowQuery,
}

/// What a PowerQuery finds.
#[derive(Clone, Debug)]
pub(crate) struct RowQuery {
    text: String,
    pub(crate) settings: QuerySettings,
}

impl RowQuery {
    pub(crate) fn new(text: String) -> Self {
        Self { text, settings: QuerySettings::default() }
    }

    /// Checks the query, and returns its launch.
    pub(crate) fn request(&self, now: &Timestamp) -> Result<LongRunningQueryCreateRequest, QueryError> {
        let range = self.settings.range.resolve(now)?;
        let text = text::power_query(&self.text, self.settings.site_condition()?.as_deref())?;
        let query = LongRunningQueryCreatePq::new(text, LongRunningQueryCreatePqResultType::Table);
        Ok(self.settings.request(LongRunningQueryCreateQueryType::Pq, range)?.pq(query))
    }
}

impl_settings!(TableQuery);

impl TableQuery {
    pub(super) fn new(client: &Client, text: String) -> Self {
        Self { client: client.clone(), query: RowQuery::new(text) }
    }

    /// Creates the query of a command.
    #[cfg(feature = "commands")]
    pub(crate) fn of(client: &Client, query: RowQuery) -> Self {
        Self { client: client.clone(), query }
    }

    /// Runs the query to its end, and deletes it.
    ///
    /// # Errors
    /// Nothing is sent if the query has no scope, a time range that matches nothing, invalid syntax, or parts of S1QL 1.0
    /// ([`QueryError`]). Returns an error of the kind [`NoResult`](crate::ErrorKind::NoResult) if the query fails, and
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout) if it is not finished in time.
    pub async fn run(self) -> Result<QueryTable> {
        let request = self.query.request(&self.client.now())?;
        let response = run::run(&self.client, &request, &self.query.settings.run).await?;
        let body = String::from_utf8_lossy(response.body());
        Ok(QueryTable::of(&QueryState::parse(&body)))
    }
}
