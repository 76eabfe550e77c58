//! `sentinelone-create-power-query`: a power query starts.

use sentinelone_raw::deep_visibility::{PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};
use serde_json::Value;

use super::context::Output;
use super::telemetry::{
    POWER_QUERY_OUTPUTS, Standing, power_query, query_id, required_time, standing, start,
};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: i64 = 1000;

/// Starts a power query, and gives its rows if it is finished already, else its identifier. It changes
/// nothing that the query looks at. The integration calls it deprecated:
/// [`GetPowerQueryResults`](super::GetPowerQueryResults) waits for the rows too.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePowerQuery {
    /// The query.
    pub query: String,
    /// Start of the period.
    pub from_date: Timestamp,
    /// End of the period.
    pub to_date: Timestamp,
    /// How many rows at the most, 1 to 100000; 1000 without it.
    pub limit: Option<i64>,
}

impl Command for CreatePowerQuery {
    const INFO: Info = Info {
        name: "create-power-query",
        full_name: "sentinelone-create-power-query",
        summary: "Start a power query (get-power-query-results waits for the rows too)",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_create_power_query"],
    };

    const OUTPUTS: &'static [Output] = POWER_QUERY_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, Text, Time};
        vec![
            Argument::new("query", Text, "What to look for, as a power query.").required(),
            Argument::new("from_date", Time, "Start of the period.").required(),
            Argument::new("to_date", Time, "End of the period.").required(),
            Argument::new("limit", Integer, "How many rows at the most, 1 to 100000.").default("1000"),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query: arguments.required("query")?,
            from_date: required_time(arguments, "from_date")?,
            to_date: required_time(arguments, "to_date")?,
            limit: arguments.integer("limit")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let answer = client.send(&self.request()?).await?;
        let outcome = power_query(&answer, None);
        let running = matches!(standing(&outcome.answer), Standing::Running(_));
        if running && query_id(&outcome.answer).is_none() {
            return Err(answer.lacks("data.queryId"));
        }
        Ok(outcome)
    }
}

impl CreatePowerQuery {
    fn request(&self) -> Result<Request<Data<PowerQueryResult>>> {
        let query = PowerQuery::new(self.from_date.clone(), self.query.clone(), self.to_date.clone());
        start(Self::INFO.name, &query.limit(self.limit.unwrap_or(DEFAULT_LIMIT)))
    }
}
