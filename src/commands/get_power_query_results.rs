//! `sentinelone-get-power-query-results`: runs a PowerQuery and returns its rows.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sentinelone_raw::deep_visibility::{self as raw, PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};

use super::arguments::argument_error;
use super::support::context_path::ContextPath;
use super::support::deep_visibility::{
    POWER_QUERY_OUTPUTS, PowerQueryState, no_query_state, ping_request, power_query_outcome,
    power_query_state, query_id, start_request,
};
use super::support::execution::{ProgressEvent, ProgressObserver, Requests, first_request};
use super::support::polling::{PollPolicy, PollStatus, seconds};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::error::Error;

/// Starts a PowerQuery and waits for its rows, or resumes an earlier query.
///
/// The outcome has rows only. A query that fails, that does not finish within the timeout, or of which the console
/// returns no state, is an error that contains the query ID.
#[derive(Clone, Debug, PartialEq)]
pub struct GetPowerQueryResults {
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Query. Required without `query_id`.
    pub query: Option<String>,
    /// Start of the period. Required without `query_id`.
    pub from_date: Option<Timestamp>,
    /// End of the period. Required without `query_id`.
    pub to_date: Option<Timestamp>,
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

    /// Number of polls in sequence without a state of the query after which the wait ends with an error.
    pub const MAX_POLLS_WITHOUT_STATE: u32 = 3;
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
            Argument::new("query", String, "PowerQuery text. Required without query_id."),
            Argument::new("from_date", Time, "Start of the period. Required without query_id."),
            Argument::new("to_date", Time, "End of the period. Required without query_id."),
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
        let query_id = arguments.string("query_id")?.map(|id| id.trim().to_owned());
        let query = arguments.string("query")?;
        let (from_date, to_date) = (arguments.time("from_date")?, arguments.time("to_date")?);
        let is_set =
            [("query", query.is_some()), ("from_date", from_date.is_some()), ("to_date", to_date.is_some())];
        if let (None, Some((missing, _))) = (&query_id, is_set.into_iter().find(|(_, is_set)| !is_set)) {
            return Err(arguments.error(missing, "is missing; only query_id replaces it"));
        }
        Ok(Self {
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            query,
            from_date,
            to_date,
            limit: arguments.integer("limit")?,
            interval: seconds(arguments, "interval", Self::INTERVAL)?,
            timeout: seconds(arguments, "timeout", Self::TIMEOUT)?,
            query_id,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let first = match &self.query_id {
            Some(id) => ping_request(id)?,
            None => self.start()?,
        };
        Ok(vec![first.with_response_type()])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let request: Request<Data<PowerQueryResult>> = first_request(requests)?;
        let (ping, id) = match &self.query_id {
            Some(id) => (request, id.clone()),
            None => {
                let response = client.send(&request).await?;
                let body = response.json();
                let id = query_id(&body).map(str::to_owned);
                if let Some(value) = id.clone() {
                    observer.on_event(ProgressEvent::Started { argument: "query_id", value });
                }
                match (power_query_state(&body), id) {
                    // A query without a state has an ID by which it is polled.
                    (PowerQueryState::Running(_) | PowerQueryState::Missing, Some(id)) => {
                        (ping_request(&id)?, id)
                    }
                    (PowerQueryState::Running(_) | PowerQueryState::Missing, None) => {
                        return Err(response.missing_value("data.queryId"));
                    }
                    _ => return power_query_outcome(&response, None),
                }
            }
        };
        let resume = format!("resume with query_id={id}");
        match self.wait((client, observer), &ping, &id).await {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => {
                let hint = format!("the query runs while it is polled; {resume}");
                Err(Error::wait_timeout(&raw::PING_POWER_QUERY, hint))
            }
            // The query may still run.
            Err(error) if error.is_transient() => Err(error.with_resume_hint(&resume)),
            Err(error) => Err(error),
        }
    }
}

impl GetPowerQueryResults {
    fn start(&self) -> Result<Request<Data<PowerQueryResult>>> {
        let non_empty = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        let missing = |name| argument_error(Self::INFO.name, name, "is missing; only query_id replaces it");
        let query = self.query.clone().ok_or_else(|| missing("query"))?;
        let from_date = self.from_date.clone().ok_or_else(|| missing("from_date"))?;
        let to_date = self.to_date.clone().ok_or_else(|| missing("to_date"))?;
        let query = PowerQuery {
            account_ids: non_empty(&self.account_ids),
            site_ids: non_empty(&self.site_ids),
            limit: self.limit,
            ..PowerQuery::new(from_date, query, to_date)
        };
        start_request(Self::INFO.name, &query)
    }

    /// Polls the query until it ends. Returns `None` on a timeout.
    async fn wait(
        &self,
        (client, observer): (&Client, &dyn ProgressObserver),
        ping: &Request<Data<PowerQueryResult>>,
        id: &str,
    ) -> Result<Option<Outcome>> {
        let without_state = &AtomicU32::new(0);
        let poll = || async move {
            let response = client.send(ping).await?;
            match power_query_state(&response.json()) {
                PowerQueryState::Running(state) => {
                    without_state.store(0, Ordering::Relaxed);
                    Ok(PollStatus::Pending(state))
                }
                PowerQueryState::Missing => {
                    let count = without_state.fetch_add(1, Ordering::Relaxed) + 1;
                    if count < Self::MAX_POLLS_WITHOUT_STATE {
                        Ok(PollStatus::Pending("no state".to_owned()))
                    } else {
                        Err(no_query_state(&response, Some(id)))
                    }
                }
                _ => power_query_outcome(&response, Some(id)).map(PollStatus::Ready),
            }
        };
        PollPolicy::fixed(self.interval, self.timeout).poll(observer, poll).await
    }
}
