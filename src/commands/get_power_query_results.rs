//! `sentinelone-get-power-query-results`: runs a PowerQuery and returns its rows.

use std::sync::atomic::{AtomicU32, Ordering};

use sentinelone_raw::deep_visibility::{self as raw, PowerQuery, PowerQueryResult};
use sentinelone_raw::runtime::{ApiVersion, Data, Request};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batched_lists::non_empty;
use super::support::deep_visibility::{
    PowerQueryState, check_query, no_query_state, ping_request, power_query_outcome, power_query_state,
    query_id, start_request,
};
use super::support::execution::{ProgressEvent, ProgressObserver, Requests, first_request};
use super::support::polling::{PollPolicy, PollStatus};
use super::support::query_engine::{Engine, new_handle, scope_requests};
use super::support::query_handle::{NewQuery, QueryKind};
use super::support::query_run::{launch_rows, read_rows};
use super::{CommandDeclaration, GetPowerQueryResults, Outcome};
use crate::Result;
use crate::client::Client;
use crate::error::Error;

/// Number of polls in sequence without a state of the query after which the wait ends with an error.
const MAX_POLLS_WITHOUT_STATE: u32 = 3;

impl Behavior for GetPowerQueryResults {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let engine = Engine::parse(Self::INFO.name, &self.engine)?;
        if let Some(id) = &self.query_id {
            return Ok(vec![match engine.handle(Self::INFO.name, ("query_id", id), QueryKind::Power)? {
                Some(handle) => launch_rows(&handle)?,
                None => ping_request(id)?.with_response_type(),
            }]);
        }
        let query = query(self)?;
        if engine != Engine::LongRunning {
            return Ok(vec![start(self, &query)?.with_response_type()]);
        }
        query.check()?;
        match self.account_ids.as_slice() {
            [] => scope_requests(&self.account_ids),
            ids => Ok(vec![launch_rows(&query.handle(ids.to_vec(), query.to)?)?]),
        }
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let engine = Engine::parse(Self::INFO.name, &self.engine)?;
        match &self.query_id {
            Some(id) => {
                if let Some(handle) = engine.handle(Self::INFO.name, ("query_id", id), QueryKind::Power)? {
                    return read_rows(&handle, (client, observer), Some(self.timeout)).await;
                }
            }
            None if engine == Engine::LongRunning => return run_query(self, (client, observer)).await,
            None => {}
        }
        let request: Request<Data<PowerQueryResult>> = first_request(requests)?;
        let (ping, id) = match &self.query_id {
            Some(id) => (request, id.clone()),
            None => {
                let response = match client.send(&request).await {
                    Err(error) if engine.continues_after(&error) => {
                        return run_query(self, (client, observer)).await;
                    }
                    response => response?,
                };
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
        match wait(self, (client, observer), &ping, &id).await {
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

/// Returns the query of the arguments.
fn query(command: &GetPowerQueryResults) -> Result<NewQuery<'_>> {
    let name = GetPowerQueryResults::INFO.name;
    let missing = |argument| argument_error(name, argument, "is missing; only query_id replaces it");
    let query = command.query.as_deref().ok_or_else(|| missing("query"))?;
    let from = command.from_date.as_ref().ok_or_else(|| missing("from_date"))?;
    let to = command.to_date.as_ref().ok_or_else(|| missing("to_date"))?;
    check_query(name, query, from, to)?;
    let (kind, limit, site_ids) = (QueryKind::Power, command.limit, command.site_ids.as_slice());
    Ok(NewQuery { command: name, kind, query, site_ids, from, to, limit })
}

/// Returns the request that starts the query in Deep Visibility.
fn start(command: &GetPowerQueryResults, query: &NewQuery<'_>) -> Result<Request<Data<PowerQueryResult>>> {
    let mut query = PowerQuery::new(query.from.clone(), query.query, query.to.clone());
    query.account_ids = non_empty(&command.account_ids);
    query.site_ids = non_empty(&command.site_ids);
    query.limit = command.limit;
    start_request(&query)
}

/// Runs the query of the arguments as a long-running query.
async fn run_query(
    command: &GetPowerQueryResults,
    (client, observer): (&Client, &dyn ProgressObserver),
) -> Result<Outcome> {
    let handle = new_handle(client, observer, &query(command)?, &command.account_ids).await?;
    read_rows(&handle, (client, observer), Some(command.timeout)).await
}

/// Polls the query until it ends. Returns `None` on a timeout.
async fn wait(
    command: &GetPowerQueryResults,
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
                if count < MAX_POLLS_WITHOUT_STATE {
                    Ok(PollStatus::Pending("no state".to_owned()))
                } else {
                    Err(no_query_state(&response, Some(id)))
                }
            }
            _ => power_query_outcome(&response, Some(id)).map(PollStatus::Ready),
        }
    };
    PollPolicy::fixed(command.interval, command.timeout).poll(observer, poll).await
}
