//! `sentinelone-get-power-query-results`: the rows of a power query, once it is finished.

use std::time::Duration;

use sentinelone_raw::deep_visibility::{self as raw, PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};
use serde_json::Value;

use super::context::Output;
use super::telemetry::{
    POWER_QUERY_OUTPUTS, Standing, ping, power_query, query_id, required_time, standing, start,
};
use super::wait::{Look, Patience, seconds};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Event, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::error::Error;

/// Starts a power query and waits for its rows, or waits for those of one that was started before.
#[derive(Clone, Debug, PartialEq)]
pub struct GetPowerQueryResults {
    /// Only data of these accounts.
    pub account_ids: Vec<String>,
    /// Only data of these sites.
    pub site_ids: Vec<String>,
    /// The query.
    pub query: String,
    /// Start of the period.
    pub from_date: Timestamp,
    /// End of the period.
    pub to_date: Timestamp,
    /// How many rows at the most, 1 to 100000; without it the console decides.
    pub limit: Option<i64>,
    /// Between two looks.
    pub interval: Duration,
    /// How long to wait in all.
    pub timeout: Duration,
    /// A query that was started before: this one is waited for, and nothing else is sent.
    pub query_id: Option<String>,
}

impl GetPowerQueryResults {
    /// Between two looks, where nothing else is said.
    pub const INTERVAL: Duration = Duration::from_secs(10);

    /// How long to wait, where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(300);
}

impl Command for GetPowerQueryResults {
    const INFO: Info = Info {
        name: "get-power-query-results",
        full_name: "sentinelone-get-power-query-results",
        summary: "Run a power query and wait for its rows",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_create_power_query", "deep_visibility_ping_power_query"],
    };

    const OUTPUTS: &'static [Output] = POWER_QUERY_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, Text, Time};
        vec![
            Argument::new("account_ids", List, "Only data of these accounts, by identifier."),
            Argument::new("site_ids", List, "Only data of these sites, by identifier."),
            Argument::new("query", Text, "What to look for, as a power query.").required(),
            Argument::new("from_date", Time, "Start of the period.").required(),
            Argument::new("to_date", Time, "End of the period.").required(),
            Argument::new(
                "limit",
                Integer,
                "How many rows at the most, 1 to 100000. Without it the console decides.",
            ),
            Argument::new("interval", Integer, "Seconds between two looks.").default("10"),
            Argument::new("timeout", Integer, "Seconds to wait in all.").default("300"),
            Argument::new(
                "query_id",
                Text,
                "A query that was started before. It is waited for as it was started: what else is given is not \
                 sent.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            query: arguments.required("query")?,
            from_date: required_time(arguments, "from_date")?,
            to_date: required_time(arguments, "to_date")?,
            limit: arguments.integer("limit")?,
            interval: seconds(arguments, "interval", Self::INTERVAL)?,
            timeout: seconds(arguments, "timeout", Self::TIMEOUT)?,
            query_id: arguments.text("query_id")?.map(|id| id.trim().to_owned()),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let first = match &self.query_id {
            Some(id) => ping(id)?,
            None => self.start()?,
        };
        Ok(vec![first.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let mut started = None;
        let id = match &self.query_id {
            Some(id) => id.clone(),
            None => {
                let answer = client.send(&self.start()?).await?;
                let outcome = power_query(&answer, None);
                let running = matches!(standing(&outcome.answer), Standing::Running(_));
                let id = query_id(&outcome.answer).map(str::to_owned);
                if let Some(value) = id.clone() {
                    watch.on(Event::Started { argument: "query_id", value });
                }
                match id {
                    _ if !running => return Ok(outcome),
                    None => return Err(answer.lacks("data.queryId")),
                    Some(id) => {
                        started = Some(outcome);
                        id
                    }
                }
            }
        };
        let failure = match self.wait(client, watch, &id).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {
                let resume =
                    format!("the query goes on as long as it is asked after: go on with query_id={id}");
                Error::deadline(&raw::PING_POWER_QUERY, resume)
            }
            Err(error) => error,
        };
        // A query that was started here is not lost with what went wrong after that.
        match started {
            Some(outcome) => Ok(Outcome { failure: Some(failure), ..outcome }),
            None => Err(failure),
        }
    }
}

impl GetPowerQueryResults {
    fn start(&self) -> Result<Request<Data<PowerQueryResult>>> {
        let given = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        let query = PowerQuery {
            account_ids: given(&self.account_ids),
            site_ids: given(&self.site_ids),
            limit: self.limit,
            ..PowerQuery::new(self.from_date.clone(), self.query.clone(), self.to_date.clone())
        };
        start(Self::INFO.name, &query)
    }

    /// What the query came to; `None` when the time is over.
    async fn wait(&self, client: &Client, watch: &dyn Watch, id: &str) -> Result<Option<Outcome>> {
        let request = &ping(id)?;
        let look = || async move {
            let outcome = power_query(&client.send(request).await?, Some(id));
            Ok(match standing(&outcome.answer) {
                Standing::Running(state) => Look::NotYet(state),
                _ => Look::Found(outcome),
            })
        };
        Patience::steady(self.interval, self.timeout).until(watch, look).await
    }
}
