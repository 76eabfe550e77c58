//! PowerQueries.

use sentinelone_raw::long_running_query::{
    LongRunningQueryCreatePq, LongRunningQueryCreatePqResultType, LongRunningQueryCreateQueryType,
};

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
    text: String,
    settings: QuerySettings,
}

impl_settings!(TableQuery);

impl TableQuery {
    pub(super) fn new(client: &Client, text: String) -> Self {
        Self { client: client.clone(), text, settings: QuerySettings::default() }
    }

    /// Runs the query to its end, and deletes it.
    ///
    /// # Errors
    /// Nothing is sent if the query has no scope, a time range that matches nothing, invalid syntax, or parts of S1QL 1.0
    /// ([`QueryError`](super::QueryError)). Returns an error of the kind [`NoResult`](crate::ErrorKind::NoResult) if the
    /// query fails, and [`WaitTimeout`](crate::ErrorKind::WaitTimeout) if it is not finished in time.
    pub async fn run(self) -> Result<QueryTable> {
        let settings = &self.settings;
        let range = settings.range.resolve(&self.client.now())?;
        let text = text::power_query(&self.text, settings.site_condition()?.as_deref())?;
        let query = LongRunningQueryCreatePq::new(text, LongRunningQueryCreatePqResultType::Table);
        let request = settings.request(LongRunningQueryCreateQueryType::Pq, range)?.pq(query);
        let response = run::run(&self.client, &request, &settings.run).await?;
        let body = String::from_utf8_lossy(response.body());
        Ok(QueryTable::of(&QueryState::parse(&body)))
    }
}
