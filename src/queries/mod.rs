//! Long-running queries over the events of the data lake.
//!
//! A [`LogQuery`] finds events, and a [`TableQuery`] runs a PowerQuery. Each is launched, polled every second, and
//! deleted: after success, failure and a timeout, and when the future is dropped. They take the place of
//! [Deep Visibility](crate::deep_visibility), which ends on 2027-02-15.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use sentinelone::queries::{QueryRange, QueryScope};
//!
//! # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
//! let mut events = client
//!     .queries()
//!     .log(r#"event.type = "Process Creation" and tgt.process.name contains "powershell""#)
//!     .scope(QueryScope::account("225494730938493804"))
//!     .range(QueryRange::last(Duration::from_secs(7 * 24 * 60 * 60)))
//!     .events();
//! while let Some(event) = events.next().await {
//!     println!("{:?}", event?.values.get("tgt.process.cmdline"));
//! }
//!
//! let table = client
//!     .queries()
//!     .power_query("event.type = * | group count = count() by event.type | sort -count | limit 10")
//!     .scope(QueryScope::tenant())
//!     .run()
//!     .await?;
//! for row in table.objects() {
//!     println!("{row:?}");
//! }
//! # Ok(())
//! # }
//! ```

mod error;
mod exact;
mod log;
mod power;
mod progress;
mod range;
mod results;
mod run;
mod scope;
mod settings;
mod text;

use sentinelone_raw::runtime::JsonBody;
use serde_json::Value;

use crate::Result;
use crate::client::Client;
use crate::response::Response;

pub use crate::resources::long_running_query::*;

pub use error::QueryError;
pub use log::{LogQuery, QueryEvents};
pub use power::TableQuery;
pub use progress::{QueryProgress, QuerySummary};
pub use range::QueryRange;
pub use results::{QueryColumn, QueryEvent, QueryTable};
pub use scope::QueryScope;

#[cfg(feature = "commands")]
pub(crate) use log::EventQuery;
#[cfg(feature = "commands")]
pub(crate) use power::RowQuery;
use run::RunSettings;
use settings::DEFAULT_TIMEOUT;
#[cfg(feature = "commands")]
pub(crate) use settings::QuerySettings;

/// Operations on long-running queries; see [`Client::queries`].
#[derive(Clone, Debug)]
pub struct Queries {
    client: Client,
}

impl Client {
    /// Returns the long-running queries over the events of the data lake.
    pub fn queries(&self) -> Queries {
        Queries { client: self.clone() }
    }

    /// Waits for the deletion of queries whose future was dropped. A program calls it before it ends; otherwise the data
    /// lake ends the queries after 30 seconds.
    pub async fn finish_queries(&self) {
        self.background().finish().await;
    }
}

impl Queries {
    /// Creates a query for events, with a filter in S1QL 2.0. A filter of 1.0 is rejected;
    /// [`s1ql::translate`](crate::s1ql::translate) translates it.
    ///
    /// `POST /sdl/v2/api/queries` with the type `LOG`
    pub fn log(&self, filter: impl Into<String>) -> LogQuery {
        LogQuery::new(&self.client, filter.into())
    }

    /// Creates a PowerQuery, whose result is a table.
    ///
    /// `POST /sdl/v2/api/queries` with the type `PQ`
    pub fn power_query(&self, text: impl Into<String>) -> TableQuery {
        TableQuery::new(&self.client, text.into())
    }

    /// Returns the scope of the accounts that the token reaches.
    ///
    /// `GET /accounts`
    ///
    /// # Errors
    /// Returns an error if the accounts cannot be read, such as with a token of a site, or if the console returns no account.
    pub async fn accounts_of_token(&self) -> Result<QueryScope> {
        let accounts = self.client.accounts().list().items().collect().await?;
        let ids = accounts.iter().filter_map(|account| account.id.as_ref().map(ToString::to_string));
        Ok(QueryScope::accounts(ids)?)
    }

    /// Runs a query of any type to its end, and returns the last response. The results of facets, plots and distributions
    /// are not typed, because no source states their form.
    ///
    /// `POST /sdl/v2/api/queries`
    ///
    /// # Errors
    /// Returns an error if the request has no scope, or `tenant` and accounts, if a call fails, if the query fails, or if
    /// it is not finished in 10 minutes.
    pub async fn run(&self, request: &LongRunningQueryCreateRequest) -> Result<Response<JsonBody<Value>>> {
        let has_accounts = request.account_ids.as_ref().is_some_and(|ids| !ids.is_empty());
        match (request.tenant, has_accounts) {
            (Some(true), true) => return Err(QueryError::TenantAndAccounts.into()),
            (Some(true), false) | (_, true) => {}
            _ => return Err(QueryError::NoScope.into()),
        }
        run::run(&self.client, request, &RunSettings { timeout: DEFAULT_TIMEOUT, observer: None }).await
    }
}
