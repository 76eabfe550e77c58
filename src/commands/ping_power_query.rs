//! `sentinelone-ping-power-query`: polls a PowerQuery once.

use sentinelone_raw::deep_visibility::PowerQueryResult;
use sentinelone_raw::runtime::{ApiVersion, Data};

use super::support::context_path::ContextPath;
use super::support::deep_visibility::{POWER_QUERY_OUTPUTS, ping_request, power_query_outcome};
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Polls a PowerQuery once and returns its rows, or its ID if it is not finished. The integration marks it as
/// deprecated: [`GetPowerQueryResults`](super::GetPowerQueryResults) waits for the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct PingPowerQuery {
    /// Query ID.
    pub query_id: String,
}

impl Command for PingPowerQuery {
    const INFO: CommandInfo = CommandInfo {
        name: "ping-power-query",
        full_name: "sentinelone-ping-power-query",
        topic: Topic::Hunting,
        summary: "Poll a PowerQuery",
        example: "s1 ping-power-query --query-id pq900000000000000002",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_ping_power_query"],
    };

    const OUTPUTS: &'static [ContextPath] = POWER_QUERY_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        let doc = "ID of the query, from create-power-query. A query that is not polled expires.";
        vec![Argument::new("queryId", ArgumentKind::String, doc).required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { query_id: arguments.required("queryId")?.trim().to_owned() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![ping_request(&self.query_id)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, reads: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let response = client.send(&first_request::<Data<PowerQueryResult>>(reads)?).await?;
        power_query_outcome(&response, Some(&self.query_id))
    }
}
