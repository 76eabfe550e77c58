//! Settings that all queries have.

use std::time::Duration;

use sentinelone_raw::long_running_query::{
    LongRunningQueryCreatePlotFrequency, LongRunningQueryCreateQueryType, LongRunningQueryCreateRequest,
};

use super::error::QueryError;
use super::range::{MillisRange, QueryRange};
use super::run::RunSettings;
use super::scope::QueryScope;
use crate::s1ql;

/// Longest time of a query, unless it is set.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Settings of a query.
#[derive(Clone, Debug)]
pub(crate) struct QuerySettings {
    pub(crate) scope: Option<QueryScope>,
    /// `None` for all sites.
    pub(crate) site_ids: Option<Vec<String>>,
    pub(crate) range: QueryRange,
    pub(super) is_urgent: bool,
    pub(crate) run: RunSettings,
}

impl Default for QuerySettings {
    fn default() -> Self {
        Self {
            scope: None,
            site_ids: None,
            range: QueryRange::default(),
            is_urgent: false,
            run: RunSettings { timeout: DEFAULT_TIMEOUT, observer: None },
        }
    }
}

impl QuerySettings {
    /// Returns a request with the scope, the range and the priority.
    pub(super) fn request(
        &self,
        kind: LongRunningQueryCreateQueryType,
        range: MillisRange,
    ) -> Result<LongRunningQueryCreateRequest, QueryError> {
        let scope = self.scope.as_ref().ok_or(QueryError::NoScope)?;
        let mut request = LongRunningQueryCreateRequest::new(kind)
            .start_time(range.start.to_string())
            .end_time(range.end.to_string())
            .tenant(scope.account_ids().is_none())
            .query_priority(match self.is_urgent {
                true => LongRunningQueryCreatePlotFrequency::High,
                false => LongRunningQueryCreatePlotFrequency::Low,
            });
        request.account_ids = scope.account_ids().map(<[String]>::to_vec);
        Ok(request)
    }

    /// Returns the condition that selects the sites; `None` for all sites. An empty list would select all sites, too, so
    /// it is an error.
    pub(super) fn site_condition(&self) -> Result<Option<String>, QueryError> {
        let Some(ids) = &self.site_ids else { return Ok(None) };
        let literal = |id: &String| s1ql::string_literal(id).filter(|_| !id.trim().is_empty());
        let literals: Option<Vec<String>> = ids.iter().map(literal).collect();
        match literals.as_deref() {
            None | Some([]) => Err(QueryError::Sites),
            Some([one]) => Ok(Some(format!("site.id = {one}"))),
            Some(several) => Ok(Some(format!("site.id in ({})", several.join(", ")))),
        }
    }
}

/// Implements the settings that all queries have.
macro_rules! impl_settings {
    ($name:ident) => {
        impl $name {
            /// Sets the accounts that the query searches. Without a scope, the query is rejected.
            pub fn scope(mut self, scope: $crate::queries::QueryScope) -> Self {
                self.query.settings.scope = Some(scope);
                self
            }

            /// Restricts the query to sites, as a condition of its filter. An empty list is rejected, and so is a
            /// PowerQuery with a command that reads other rows, such as `join`.
            pub fn sites<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
                self.query.settings.site_ids = Some(ids.into_iter().map(Into::into).collect());
                self
            }

            /// Sets the time range. The default is the last 24 hours.
            pub fn range(mut self, range: $crate::queries::QueryRange) -> Self {
                self.query.settings.range = range;
                self
            }

            /// Sends the query with the priority of a person who waits for it, which has lower limits. The default is the
            /// priority of a script.
            pub fn urgent(mut self) -> Self {
                self.query.settings.is_urgent = true;
                self
            }

            /// Sets the longest time of each query in the data lake. The default is 10 minutes.
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.query.settings.run.timeout = timeout;
                self
            }

            /// Sets a function that receives the progress after the launch and each poll.
            pub fn on_progress(
                mut self,
                observer: impl Fn($crate::queries::QueryProgress) + Send + Sync + 'static,
            ) -> Self {
                self.query.settings.run.observer = Some(std::sync::Arc::new(observer));
                self
            }
        }
    };
}

pub(super) use impl_settings;
