//! The three calls of a long-running query. [`queries`](crate::queries) launches, polls and deletes with them.

use sentinelone_raw::long_running_query as raw;
use sentinelone_raw::runtime::{Empty, JsonBody};

pub use sentinelone_raw::long_running_query::{
    LongRunningQueryCreateDistribution, LongRunningQueryCreateFacetValues, LongRunningQueryCreateLog,
    LongRunningQueryCreatePlot, LongRunningQueryCreatePlotFrequency, LongRunningQueryCreatePq,
    LongRunningQueryCreatePqResultType, LongRunningQueryCreateQueryType, LongRunningQueryCreateRequest,
    LongRunningQueryCreateResult, LongRunningQueryCreateResultResolvedTimeRange,
    LongRunningQueryCreateTopFacets, LongRunningQueryGetQuery,
};

use super::builders::{ActionBuilder, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// The calls of a long-running query; see [`Client::long_running_query`](crate::Client::long_running_query).
    LongRunningQuery
}

impl LongRunningQuery {
    /// Launches a query. The response has its ID, and in the header `X-Dataset-Query-Forward-Tag` the route of the next
    /// call. A query without `tenant` or accounts finds nothing.
    ///
    /// `POST /sdl/v2/api/queries`
    pub fn create(
        &self,
        request: LongRunningQueryCreateRequest,
    ) -> ActionBuilder<LongRunningQueryCreateRequest, JsonBody<LongRunningQueryCreateResult>> {
        ActionBuilder::new(&self.client, request, |_, request| raw::create(request))
    }

    /// Returns the progress of a query, and its results once all steps are completed. The query ends 30 seconds after the
    /// last call.
    ///
    /// `GET /sdl/v2/api/queries/{id}`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn get(
        &self,
        id: &str,
        last_step_seen: i64,
        forward_tag: Option<&str>,
    ) -> Result<Response<JsonBody<LongRunningQueryCreateResult>>> {
        self.client.send(&raw::get(id, &LongRunningQueryGetQuery::new(last_step_seen), forward_tag)?).await
    }

    /// Deletes a query.
    ///
    /// `DELETE /sdl/v2/api/queries/{id}`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn delete(&self, id: &str, forward_tag: Option<&str>) -> Result<Response<Empty>> {
        self.client.send(&raw::delete(id, forward_tag)?).await
    }
}
