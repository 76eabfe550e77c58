//! `sentinelone-ping-power-query`: polls a PowerQuery once.

use sentinelone_raw::deep_visibility::PowerQueryResult;
use sentinelone_raw::runtime::{ApiVersion, Data};

use super::command::{Behavior, Run};
use super::support::deep_visibility::{ping_request, power_query_outcome};
use super::support::execution::{Requests, first_request};
use super::support::query_engine::handle;
use super::support::query_handle::QueryKind;
use super::support::query_run::{launch_rows, read_rows};
use super::{CommandDeclaration, Outcome, PingPowerQuery};
use crate::Result;

impl Behavior for PingPowerQuery {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        if let Some(handle) =
            handle(Self::INFO.name, &self.engine, ("queryId", &self.query_id), QueryKind::Power)?
        {
            return Ok(vec![launch_rows(&handle)?]);
        }
        Ok(vec![ping_request(&self.query_id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: reads, observer } = run;
        if let Some(handle) =
            handle(Self::INFO.name, &self.engine, ("queryId", &self.query_id), QueryKind::Power)?
        {
            return read_rows(&handle, (client, observer), None).await;
        }
        let response = client.send(&first_request::<Data<PowerQueryResult>>(reads)?).await?;
        power_query_outcome(&response, Some(&self.query_id))
    }
}
