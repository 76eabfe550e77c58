//! Deep Visibility: questions to the telemetry that agents send.

use sentinelone_raw::deep_visibility as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::deep_visibility::{
    DeepVisibilityEvent, DeepVisibilityGetQueryStatusQuery, DeepVisibilityListEventsOfTypeQuery,
    DeepVisibilityListEventsQuery, DeepVisibilityPingPowerQueryQuery, DeepVisibilityQuery,
    DeepVisibilityQueryId, DeepVisibilityQueryStatus, DeepVisibilityQueryType, PowerQuery, PowerQueryColumn,
    PowerQueryResult, QueryCancellation, QueryCancelled, QueryModeInfo, QueryState,
};
pub use sentinelone_raw::shared::SortOrder;

use super::grammar::{Act, List, lists, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about Deep Visibility; from [`Client::deep_visibility`](crate::Client::deep_visibility).
    DeepVisibility
}

lists! {
    DeepVisibilityListEventsQuery: sorts String;
    DeepVisibilityListEventsOfTypeQuery: sorts String;
}

impl<'a> DeepVisibility<'a> {
    /// Starts a query. Its answer has the identifier by which status and events are asked for.
    ///
    /// `POST /web/api/v2.1/dv/init-query`
    ///
    /// ```no_run
    /// # use sentinelone::deep_visibility::{DeepVisibilityQuery, QueryState};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    /// let query = DeepVisibilityQuery::new(from, r#"ProcessName = "curl""#, to);
    /// let started = client.deep_visibility().create_query(query).send().await?;
    /// let id = started.into_value().data.unwrap_or_default().query_id.unwrap_or_default();
    ///
    /// let status = client.deep_visibility().query_status(&id).await?.into_value().data.unwrap_or_default();
    /// if status.response_state == Some(QueryState::Finished) {
    ///     let mut events = client.deep_visibility().events(id).items().limit(100);
    ///     while let Some(event) = events.next().await {
    ///         println!("{}", event?.process_cmd.unwrap_or_default());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_query(
        self,
        query: DeepVisibilityQuery,
    ) -> Act<'a, DeepVisibilityQuery, Data<DeepVisibilityQueryId>> {
        Act::new(self.client, query, |_, query| raw::create_query(query))
    }

    /// How far a query has come.
    ///
    /// `GET /web/api/v2.1/dv/query-status`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn query_status(
        self,
        query_id: impl Into<String>,
    ) -> Result<Response<Data<DeepVisibilityQueryStatus>>> {
        let query = DeepVisibilityGetQueryStatusQuery::new(query_id);
        self.client.send(&raw::get_query_status(&query)?).await
    }

    /// Ends a query or a power query.
    ///
    /// `POST /web/api/v2.1/dv/cancel-query`
    pub fn cancel_query(
        self,
        query_id: impl Into<String>,
    ) -> Act<'a, QueryCancellation, Data<QueryCancelled>> {
        Act::new(self.client, QueryCancellation::new(query_id), |_, body| raw::cancel_query(body))
    }

    /// Lists what a finished query found.
    ///
    /// `GET /web/api/v2.1/dv/events`
    pub fn events(
        self,
        query_id: impl Into<String>,
    ) -> List<'a, DeepVisibilityListEventsQuery, DeepVisibilityEvent> {
        let query = DeepVisibilityListEventsQuery::new(query_id);
        List::new(self.client, query, |_, query| raw::list_events(query))
    }

    /// Lists what a finished query found, of one type, such as `process`.
    ///
    /// `GET /web/api/v2.1/dv/events/{event_type}`
    pub fn events_of_type(
        self,
        event_type: impl Into<String>,
        query_id: impl Into<String>,
    ) -> List<'a, DeepVisibilityListEventsOfTypeQuery, DeepVisibilityEvent> {
        let query = DeepVisibilityListEventsOfTypeQuery::new(query_id);
        List::of(self.client, event_type.into(), query, raw::list_events_of_type)
    }

    /// Starts a power query. The answer has the results if it is finished already; else
    /// [`ping_power_query`](Self::ping_power_query) asks after it.
    ///
    /// `POST /web/api/v2.1/dv/events/pq`
    pub fn create_power_query(self, query: PowerQuery) -> Act<'a, PowerQuery, Data<PowerQueryResult>> {
        Act::new(self.client, query, |_, query| raw::create_power_query(query))
    }

    /// How far a power query has come, with its results when it is finished. A query that nobody asks after
    /// dies.
    ///
    /// `GET /web/api/v2.1/dv/events/pq-ping`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn ping_power_query(
        self,
        query_id: impl Into<String>,
    ) -> Result<Response<Data<PowerQueryResult>>> {
        let query = DeepVisibilityPingPowerQueryQuery::default().query_id(query_id);
        self.client.send(&raw::ping_power_query(&query)?).await
    }
}
