//! `sentinelone-create-power-query`: starts a PowerQuery.

use sentinelone_raw::deep_visibility::{PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data};

use super::command::{Behavior, Run};
use super::support::deep_visibility::{
    PowerQueryState, power_query_outcome, power_query_state, query_id, start_request,
};
use super::support::execution::{Requests, first_request};
use super::{CommandDeclaration, CreatePowerQuery, Outcome};
use crate::Result;

impl Behavior for CreatePowerQuery {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = PowerQuery::new(self.from_date.clone(), self.query.clone(), self.to_date.clone());
        Ok(vec![start_request(Self::INFO.name, &query.limit(self.limit))?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, .. } = run;
        let response = client.send(&first_request::<Data<PowerQueryResult>>(actions)?).await?;
        let body = response.json();
        if matches!(power_query_state(&body), PowerQueryState::Running(_)) && query_id(&body).is_none() {
            return Err(response.missing_value("data.queryId"));
        }
        power_query_outcome(&response, None)
    }
}
