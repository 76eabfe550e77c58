//! Deep Visibility: queries on the telemetry of agents.

use sentinelone_raw::deep_visibility as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::deep_visibility::{
    DeepVisibilityCancelQueryRequest, DeepVisibilityCancelQueryResult, DeepVisibilityEvent,
    DeepVisibilityGetQueryStatusQuery, DeepVisibilityListEventsOfTypeQuery, DeepVisibilityListEventsQuery,
    DeepVisibilityPingPowerQueryQuery, DeepVisibilityQuery, DeepVisibilityQueryId, DeepVisibilityQueryStatus,
    DeepVisibilityQueryType, PowerQuery, PowerQueryColumn, PowerQueryResult, QueryModeInfo, QueryState,
};
pub use sentinelone_raw::shared::SortOrder;

pub use crate::event_fields::{EventFields, EventProcess};

#[cfg(feature = "hunting")]
pub use super::documented::types::deep_visibility::*;

use super::builders::{ActionBuilder, ListBuilder, impl_list_query, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on Deep Visibility; see [`Client::deep_visibility`](crate::Client::deep_visibility).
    DeepVisibility
}

impl_list_query! {
    DeepVisibilityListEventsQuery: sorts String;
    DeepVisibilityListEventsOfTypeQuery: sorts String;
}

impl DeepVisibility {
    /// Starts a query. The response has the query ID for status and events.
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
        &self,
        query: DeepVisibilityQuery,
    ) -> ActionBuilder<DeepVisibilityQuery, Data<DeepVisibilityQueryId>> {
        ActionBuilder::new(&self.client, query, |_, query| raw::create_query(query))
    }

    /// Returns the status and the progress of a query.
    ///
    /// `GET /web/api/v2.1/dv/query-status`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn query_status(
        &self,
        query_id: impl Into<String>,
    ) -> Result<Response<Data<DeepVisibilityQueryStatus>>> {
        let query = DeepVisibilityGetQueryStatusQuery::new(query_id);
        self.client.send(&raw::get_query_status(&query)?).await
    }

    /// Cancels a query or a PowerQuery.
    ///
    /// `POST /web/api/v2.1/dv/cancel-query`
    pub fn cancel_query(
        &self,
        query_id: impl Into<String>,
    ) -> ActionBuilder<DeepVisibilityCancelQueryRequest, Data<DeepVisibilityCancelQueryResult>> {
        ActionBuilder::new(&self.client, DeepVisibilityCancelQueryRequest::new(query_id), |_, body| {
            raw::cancel_query(body)
        })
    }

    /// Lists the events that a finished query found.
    ///
    /// [`DeepVisibilityEvent`] has the fields that the API document declares. Newer agents leave many of them null, and
    /// report a source and a target process under other names; [`EventFields`] reads both from the JSON of an event.
    ///
    /// `GET /web/api/v2.1/dv/events`
    pub fn events(
        &self,
        query_id: impl Into<String>,
    ) -> ListBuilder<DeepVisibilityListEventsQuery, DeepVisibilityEvent> {
        let query = DeepVisibilityListEventsQuery::new(query_id);
        ListBuilder::new(&self.client, query, |_, query| raw::list_events(query))
    }

    /// Lists the events of one type, such as `process`, that a finished query found.
    ///
    /// `GET /web/api/v2.1/dv/events/{event_type}`
    pub fn events_of_type(
        &self,
        event_type: impl Into<String>,
        query_id: impl Into<String>,
    ) -> ListBuilder<DeepVisibilityListEventsOfTypeQuery, DeepVisibilityEvent> {
        let query = DeepVisibilityListEventsOfTypeQuery::new(query_id);
        ListBuilder::with_path_param(&self.client, event_type.into(), query, raw::list_events_of_type)
    }

    /// Starts a PowerQuery. If it is already finished, the response has the results. Otherwise poll with
    /// [`ping_power_query`](Self::ping_power_query).
    ///
    /// `POST /web/api/v2.1/dv/events/pq`
    pub fn create_power_query(&self, query: PowerQuery) -> ActionBuilder<PowerQuery, Data<PowerQueryResult>> {
        ActionBuilder::new(&self.client, query, |_, query| raw::create_power_query(query))
    }

    /// Returns the status of a PowerQuery, and its results once it is finished. A query that is not polled
    /// expires.
    ///
    /// `GET /web/api/v2.1/dv/events/pq-ping`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn ping_power_query(
        &self,
        query_id: impl Into<String>,
    ) -> Result<Response<Data<PowerQueryResult>>> {
        let query = DeepVisibilityPingPowerQueryQuery::default().query_id(query_id);
        self.client.send(&raw::ping_power_query(&query)?).await
    }
}
