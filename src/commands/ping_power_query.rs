//! `sentinelone-ping-power-query`: polls a PowerQuery once.

use sentinelone_raw::deep_visibility::PowerQueryResult;
use sentinelone_raw::runtime::{ApiVersion, Data};

use super::command::{Behavior, Run};
use super::support::deep_visibility::{ping_request, power_query_outcome};
use super::support::execution::{Requests, first_request};
use super::{Outcome, PingPowerQuery};
use crate::Result;

impl Behavior for PingPowerQuery {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![ping_request(&self.query_id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: reads, .. } = run;
        let response = client.send(&first_request::<Data<PowerQueryResult>>(reads)?).await?;
        power_query_outcome(&response, Some(&self.query_id))
    }
}
