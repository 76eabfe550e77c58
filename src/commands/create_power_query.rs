//! `sentinelone-create-power-query`: starts a PowerQuery.

use sentinelone_raw::deep_visibility::{PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data, Timestamp};

use super::support::context_path::ContextPath;
use super::support::deep_visibility::{
    POWER_QUERY_OUTPUTS, PowerQueryState, power_query_outcome, power_query_state, query_id, required_time,
    start_request,
};
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: i64 = 1000;

/// Starts a PowerQuery and returns its rows, or its ID if it is still running. It does not change data. The
/// integration marks it as deprecated: [`GetPowerQueryResults`](super::GetPowerQueryResults) also waits for the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePowerQuery {
    /// Query.
    pub query: String,
    /// Start of the period.
    pub from_date: Timestamp,
    /// End of the period.
    pub to_date: Timestamp,
    /// Maximum number of rows, 1 to 100000. Default: 1000.
    pub limit: Option<i64>,
}

impl Command for CreatePowerQuery {
    const INFO: CommandInfo = CommandInfo {
        name: "create-power-query",
        full_name: "sentinelone-create-power-query",
        topic: Topic::Hunting,
        summary: "Start a PowerQuery",
        example: "s1 create-power-query --query 'event.type = *' --from-date '3 days' --to-date now",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_create_power_query"],
    };

    const OUTPUTS: &'static [ContextPath] = POWER_QUERY_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, String, Time};
        vec![
            Argument::new("query", String, "PowerQuery text.").required(),
            Argument::new("from_date", Time, "Start of the period.").required(),
            Argument::new("to_date", Time, "End of the period.").required(),
            Argument::new("limit", Integer, "Maximum number of rows, 1 to 100000.").default("1000"),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query: arguments.required("query")?,
            from_date: required_time(arguments, "from_date")?,
            to_date: required_time(arguments, "to_date")?,
            limit: arguments.integer("limit")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = PowerQuery::new(self.from_date.clone(), self.query.clone(), self.to_date.clone());
        let query = query.limit(self.limit.unwrap_or(DEFAULT_LIMIT));
        Ok(vec![start_request(Self::INFO.name, &query)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let response = client.send(&first_request::<Data<PowerQueryResult>>(actions)?).await?;
        let body = response.json();
        if matches!(power_query_state(&body), PowerQueryState::Running(_)) && query_id(&body).is_none() {
            return Err(response.missing_value("data.queryId"));
        }
        power_query_outcome(&response, None)
    }
}
