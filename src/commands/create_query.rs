//! `sentinelone-create-query`: starts a Deep Visibility query.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityQuery, DeepVisibilityQueryId};
use sentinelone_raw::runtime::{ApiVersion, Data, Request};
use serde_json::json;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::context_entry::context_under;
use super::support::deep_visibility::{check_period, query_id};
use super::support::execution::{Requests, first_request};
use super::{CommandDeclaration, CreateQuery, Outcome};
use crate::Result;

impl Behavior for CreateQuery {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        check_period(name, &self.from_date, &self.to_date)?;
        if self.query.trim().is_empty() {
            return Err(argument_error(name, "query", "is missing"));
        }
        let (from, to) = (self.from_date.clone(), self.to_date.clone());
        let query = DeepVisibilityQuery::new(from, self.query.clone(), to);
        Ok(vec![raw::create_query(&query)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, .. } = run;
        let request: Request<Data<DeepVisibilityQueryId>> = first_request(actions)?;
        let sent = |name: &str| request.body().and_then(|body| body.get(name)).cloned().unwrap_or_default();
        let response = client.send(&request).await?;
        let body = response.json();
        let id = query_id(&body).ok_or_else(|| response.missing_value("data.queryId"))?;
        let entry = json!({
            "FromDate": sent("fromDate"),
            "Query": sent("query"),
            "QueryID": id,
            "ToDate": sent("toDate"),
        });
        let mut outcome = Outcome::new(body, context_under(Self::INFO.context, entry));
        outcome.add_diagnostics(&response);
        Ok(outcome)
    }
}
