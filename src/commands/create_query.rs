//! `sentinelone-create-query`: starts a Deep Visibility query.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityQuery, DeepVisibilityQueryId};
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};
use serde_json::json;

use super::arguments::argument_error;
use super::support::context_path::{ContextPath, context_under};
use super::support::deep_visibility::{check_period, query_id, required_time};
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Starts a Deep Visibility query and returns its ID, with which other commands read the status and the events. It does
/// not change data.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateQuery {
    /// Query.
    pub query: String,
    /// Start of the period.
    pub from_date: Timestamp,
    /// End of the period.
    pub to_date: Timestamp,
}

const PREFIX: &str = "SentinelOne.Query";

impl Command for CreateQuery {
    const INFO: CommandInfo = CommandInfo {
        name: "create-query",
        full_name: "sentinelone-create-query",
        topic: Topic::Hunting,
        summary: "Start a Deep Visibility query",
        example: "s1 create-query --query 'ProcessName = \"sh\"' --from-date '3 days' --to-date now",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_create_query"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument(
            "SentinelOne.Query.FromDate",
            "Date",
            "Start of the period, in UTC",
            "from_date",
        ),
        ContextPath::argument("SentinelOne.Query.Query", "String", "The query", "query"),
        ContextPath::field("SentinelOne.Query.QueryID", "String", "ID of the query", "queryId"),
        ContextPath::argument("SentinelOne.Query.ToDate", "Date", "End of the period, in UTC", "to_date"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{String, Time};
        vec![
            Argument::new("query", String, "Deep Visibility query text.").required(),
            Argument::new("from_date", Time, "Start of the period, at most 93 days ago.").required(),
            Argument::new("to_date", Time, "End of the period.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query: arguments.required("query")?,
            from_date: required_time(arguments, "from_date")?,
            to_date: required_time(arguments, "to_date")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        check_period(name, &self.from_date, &self.to_date)?;
        if self.query.trim().is_empty() {
            return Err(argument_error(name, "query", "is missing"));
        }
        let (from, to) = (self.from_date.clone(), self.to_date.clone());
        let query = DeepVisibilityQuery::new(from, self.query.clone(), to);
        Ok(vec![raw::create_query(&query)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
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
        let mut outcome = Outcome::new(body, context_under(PREFIX, entry));
        outcome.add_diagnostics(&response);
        Ok(outcome)
    }
}
