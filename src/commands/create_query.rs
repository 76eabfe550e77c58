//! `sentinelone-create-query`: starts a Deep Visibility query.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityQuery, DeepVisibilityQueryId};
use sentinelone_raw::runtime::{ApiVersion, Data, Timestamp};
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::batched_lists::non_empty;
use super::support::context_entry::context_under;
use super::support::deep_visibility::{check_query, query_id};
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::support::query_engine::{Engine, new_handle, scope_requests};
use super::support::query_handle::{NewQuery, QueryKind};
use super::{CommandDeclaration, CreateQuery, Outcome};
use crate::Result;
use crate::client::Client;

impl Behavior for CreateQuery {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        check_query(name, &self.query, &self.from_date, &self.to_date)?;
        if Engine::parse(name, &self.engine)? == Engine::LongRunning {
            long_running(self).check()?;
            return scope_requests(&self.account_ids);
        }
        let (from, to) = (self.from_date.clone(), self.to_date.clone());
        let mut query = DeepVisibilityQuery::new(from, self.query.clone(), to);
        query.account_ids = non_empty(&self.account_ids);
        query.site_ids = non_empty(&self.site_ids);
        Ok(vec![raw::create_query(&query)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, observer } = run;
        let engine = Engine::parse(Self::INFO.name, &self.engine)?;
        if engine == Engine::LongRunning {
            return create(self, client, observer).await;
        }
        let response = match client.send(&first_request::<Data<DeepVisibilityQueryId>>(actions)?).await {
            Err(error) if engine.continues_after(&error) => return create(self, client, observer).await,
            response => response?,
        };
        let body = response.json();
        let id = query_id(&body).ok_or_else(|| response.missing_value("data.queryId"))?;
        let context = context(self, id);
        let mut outcome = Outcome::new(body, context);
        outcome.add_diagnostics(&response);
        Ok(outcome)
    }
}

fn long_running(command: &CreateQuery) -> NewQuery<'_> {
    NewQuery {
        command: CreateQuery::INFO.name,
        kind: QueryKind::Log,
        query: &command.query,
        site_ids: &command.site_ids,
        from: &command.from_date,
        to: &command.to_date,
        limit: None,
    }
}

/// Creates the ID of a long-running query.
async fn create(command: &CreateQuery, client: &Client, observer: &dyn ProgressObserver) -> Result<Outcome> {
    let handle = new_handle(client, observer, &long_running(command), &command.account_ids).await?;
    let id = handle.id();
    let context = context(command, &id);
    Ok(Outcome::new(json!({ "data": { "queryId": id } }), context))
}

fn context(command: &CreateQuery, id: &str) -> Value {
    let utc = |time: &Timestamp| time.to_utc().unwrap_or_else(|| time.clone());
    let entry = json!({
        "FromDate": utc(&command.from_date),
        "Query": command.query,
        "QueryID": id,
        "ToDate": utc(&command.to_date),
    });
    context_under(CreateQuery::INFO.context, entry)
}
