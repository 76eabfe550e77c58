//! `sentinelone-ping-power-query`: the rows of a power query, if it is finished.

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::Value;

use super::context::Output;
use super::telemetry::{POWER_QUERY_OUTPUTS, ping, power_query};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Asks after a power query once: its rows, or its identifier when it is not finished. The integration calls
/// it deprecated: [`GetPowerQueryResults`](super::GetPowerQueryResults) waits for the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct PingPowerQuery {
    /// The query.
    pub query_id: String,
}

impl Command for PingPowerQuery {
    const INFO: Info = Info {
        name: "ping-power-query",
        full_name: "sentinelone-ping-power-query",
        summary: "Ask after a power query once (get-power-query-results waits for the rows)",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_ping_power_query"],
    };

    const OUTPUTS: &'static [Output] = POWER_QUERY_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        let doc =
            "Identifier of the query, from create-power-query. One that nobody asks after for long is gone.";
        vec![Argument::new("queryId", ArgumentKind::Text, doc).required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { query_id: arguments.required("queryId")?.trim().to_owned() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![ping(&self.query_id)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let answer = client.send(&ping(&self.query_id)?).await?;
        Ok(power_query(&answer, Some(&self.query_id)))
    }
}
