//! `sentinelone-get-power-query-results`: runs a PowerQuery and returns its rows.

use std::time::Duration;

use sentinelone_raw::deep_visibility::{self as raw, PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};
use serde_json::Value;

use super::support::context_path::ContextPath;
use super::support::deep_visibility::{
    POWER_QUERY_OUTPUTS, PowerQueryState, ping_request, power_query_outcome, power_query_state, query_id,
    required_time, start_request,
};
use super::support::polling::{PollPolicy, PollStatus, seconds};
use super::{
    Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, NoProgress, Outcome,
    ProgressEvent, ProgressObserver, Topic,
};
use crate::Result;
use crate::client::Client;
use crate::error::Error;

/// Starts a PowerQuery and waits for its rows, or resumes an earlier query.
#[derive(Clone, Debug, PartialEq)]
pub struct GetPowerQueryResults {
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Query.
    pub query: String,
    /// Start of the period.
    pub from_date: Timestamp,
    /// End of the period.
    pub to_date: Timestamp,
    /// Maximum number of rows, 1 to 100000. Default: the limit of the console.
    pub limit: Option<i64>,
    /// Time between two polls.
    pub interval: Duration,
    /// Longest total time to wait.
    pub timeout: Duration,
    /// ID of an earlier query to resume. The other arguments are not sent.
    pub query_id: Option<String>,
}

impl GetPowerQueryResults {
    /// Default time between two polls.
    pub const INTERVAL: Duration = Duration::from_secs(10);

    /// Default timeout.
    pub const TIMEOUT: Duration = Duration::from_secs(300);
}

impl Command for GetPowerQueryResults {
    const INFO: CommandInfo = CommandInfo {
        name: "get-power-query-results",
        full_name: "sentinelone-get-power-query-results",
        topic: Topic::Hunting,
        summary: "Run a PowerQuery and wait for its rows",
        example: "s1 get-power-query-results --query 'event.type = *' --from-date '3 days' --to-date now",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_create_power_query", "deep_visibility_ping_power_query"],
    };

    const OUTPUTS: &'static [ContextPath] = POWER_QUERY_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, String, Time};
        vec![
            Argument::new("account_ids", List, "Account IDs."),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new("query", String, "PowerQuery text.").required(),
            Argument::new("from_date", Time, "Start of the period.").required(),
            Argument::new("to_date", Time, "End of the period.").required(),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of rows, 1 to 100000. Default: the limit of the console.",
            ),
            Argument::new("interval", Integer, "Time between two polls, in seconds.").default("10"),
            Argument::new("timeout", Integer, "Maximum time to wait, in seconds.").default("300"),
            Argument::new(
                "query_id",
                String,
                "ID of an earlier query to resume. The other arguments are not sent.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            query: arguments.required("query")?,
            from_date: required_time(arguments, "from_date")?,
            to_date: required_time(arguments, "to_date")?,
            limit: arguments.integer("limit")?,
            interval: seconds(arguments, "interval", Self::INTERVAL)?,
            timeout: seconds(arguments, "timeout", Self::TIMEOUT)?,
            query_id: arguments.string("query_id")?.map(|id| id.trim().to_owned()),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let first = match &self.query_id {
            Some(id) => ping_request(id)?,
            None => self.start()?,
        };
        Ok(vec![first.with_response_type()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_with_progress(client, &NoProgress).await
    }

    async fn run_with_progress(&self, client: &Client, observer: &dyn ProgressObserver) -> Result<Outcome> {
        let mut started = None;
        let id = match &self.query_id {
            Some(id) => id.clone(),
            None => {
                let response = client.send(&self.start()?).await?;
                let outcome = power_query_outcome(&response, None);
                let running = matches!(power_query_state(&outcome.response), PowerQueryState::Running(_));
                let id = query_id(&outcome.response).map(str::to_owned);
                if let Some(value) = id.clone() {
                    observer.on_event(ProgressEvent::Started { argument: "query_id", value });
                }
                match id {
                    _ if !running => return Ok(outcome),
                    None => return Err(response.missing_value("data.queryId")),
                    Some(id) => {
                        started = Some(outcome);
                        id
                    }
                }
            }
        };
        let failure = match self.wait(client, observer, &id).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {
                let resume = format!("the query runs while it is polled; resume with query_id={id}");
                Error::wait_timeout(&raw::PING_POWER_QUERY, resume)
            }
            Err(error) => error,
        };
        // The outcome keeps the ID of a started query.
        match started {
            Some(outcome) => Ok(Outcome { failure: Some(failure), ..outcome }),
            None => Err(failure),
        }
    }
}

impl GetPowerQueryResults {
    fn start(&self) -> Result<Request<Data<PowerQueryResult>>> {
        let non_empty = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        let query = PowerQuery {
            account_ids: non_empty(&self.account_ids),
            site_ids: non_empty(&self.site_ids),
            limit: self.limit,
            ..PowerQuery::new(self.from_date.clone(), self.query.clone(), self.to_date.clone())
        };
        start_request(Self::INFO.name, &query)
    }

    /// Polls the query until it ends. Returns `None` on a timeout.
    async fn wait(
        &self,
        client: &Client,
        observer: &dyn ProgressObserver,
        id: &str,
    ) -> Result<Option<Outcome>> {
        let request = &ping_request(id)?;
        let poll = || async move {
            let outcome = power_query_outcome(&client.send(request).await?, Some(id));
            Ok(match power_query_state(&outcome.response) {
                PowerQueryState::Running(state) => PollStatus::Pending(state),
                _ => PollStatus::Ready(outcome),
            })
        };
        PollPolicy::fixed(self.interval, self.timeout).poll(observer, poll).await
    }
}
