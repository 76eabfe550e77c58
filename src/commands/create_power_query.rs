//! `sentinelone-create-power-query`: starts a PowerQuery.

use sentinelone_raw::deep_visibility::{PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data};
use serde_json::json;

use super::command::{Behavior, Run};
use super::support::batched_lists::non_empty;
use super::support::context_entry::context_under;
use super::support::deep_visibility::{
    PowerQueryState, check_query, power_query_outcome, power_query_state, query_id, start_request,
};
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::support::query_engine::{Engine, new_handle, scope_requests};
use super::support::query_handle::{NewQuery, QueryKind};
use super::{CommandDeclaration, CreatePowerQuery, Outcome};
use crate::Result;
use crate::client::Client;

impl Behavior for CreatePowerQuery {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        check_query(name, &self.query, &self.from_date, &self.to_date)?;
        if Engine::parse(name, &self.engine)? == Engine::LongRunning {
            long_running(self).check()?;
            return scope_requests(&self.account_ids);
        }
        let mut query = PowerQuery::new(self.from_date.clone(), self.query.clone(), self.to_date.clone());
        query.account_ids = non_empty(&self.account_ids);
        query.site_ids = non_empty(&self.site_ids);
        Ok(vec![start_request(&query.limit(self.limit))?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, observer } = run;
        let engine = Engine::parse(Self::INFO.name, &self.engine)?;
        if engine == Engine::LongRunning {
            return create(self, client, observer).await;
        }
        let response = match client.send(&first_request::<Data<PowerQueryResult>>(actions)?).await {
            Err(error) if engine.continues_after(&error) => return create(self, client, observer).await,
            response => response?,
        };
        let body = response.json();
        if matches!(power_query_state(&body), PowerQueryState::Running(_)) && query_id(&body).is_none() {
            return Err(response.missing_value("data.queryId"));
        }
        power_query_outcome(&response, None)
    }
}

fn long_running(command: &CreatePowerQuery) -> NewQuery<'_> {
    NewQuery {
        command: CreatePowerQuery::INFO.name,
        kind: QueryKind::Power,
        query: &command.query,
        site_ids: &command.site_ids,
        from: &command.from_date,
        to: &command.to_date,
        limit: Some(command.limit),
    }
}

/// Creates the ID of a long-running query.
async fn create(
    command: &CreatePowerQuery,
    client: &Client,
    observer: &dyn ProgressObserver,
) -> Result<Outcome> {
    let handle = new_handle(client, observer, &long_running(command), &command.account_ids).await?;
    let data = json!({ "queryId": handle.id() });
    let context = context_under(CreatePowerQuery::INFO.context, data.clone());
    Ok(Outcome::new(json!({ "data": data }), context))
}
