//! Actions on endpoints: `sentinelone-broadcast-message`, `sentinelone-connect-agent`, `sentinelone-disconnect-agent`,
//! `sentinelone-move-agent`, `sentinelone-shutdown-agent` and `sentinelone-uninstall-agent`.

use std::collections::HashMap;

use sentinelone_raw::agents::{
    self as raw, AgentBroadcastData, AgentFilter, AgentsBroadcastRequest, AgentsConnectRequest,
    AgentsDisconnectRequest, AgentsListQuery, AgentsShutdownRequest, AgentsUninstallRequest,
};
use sentinelone_raw::groups::{self, GroupsMoveAgentsRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request, RequestError};
use serde_json::{Value, json};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batch_action::{batch_requests, run_action};
use super::support::batched_lists::{batched_list_requests, non_empty, read_lists};
use super::support::context_entry::context_under;
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::{
    BroadcastMessage, CommandDeclaration, ConnectAgent, DisconnectAgent, MoveAgent, Outcome, ShutdownAgent,
    UninstallAgent,
};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

impl Behavior for ConnectAgent {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        requests_with_status(Self::INFO.name, &self.agent_id, |filter| {
            raw::connect(&AgentsConnectRequest::new(filter))
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        run_with_status::<Self>(run).await
    }
}

impl Behavior for DisconnectAgent {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        requests_with_status(Self::INFO.name, &self.agent_id, |filter| {
            raw::disconnect(&AgentsDisconnectRequest::new(filter))
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        run_with_status::<Self>(run).await
    }
}

/// Returns the requests of an action on agents, and those that read their network status after it.
fn requests_with_status<T>(
    command: &'static str,
    ids: &[String],
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    let action = |ids: Vec<String>| build(AgentFilter::default().ids(ids));
    let mut requests = batch_requests(command, ("agent_id", ids), AgentFilter::FIELDS, action)?;
    // Without a limit the console returns ten agents.
    requests.extend(batched_list_requests(ids, Some(ids.len() as u64), |ids| {
        let filter = AgentFilter::default().ids(ids);
        Ok(raw::list(&AgentsListQuery::default().filter(filter))?.with_response_type())
    })?);
    Ok(requests)
}

/// Sends the requests of an action, then reads the agents once; see [`requests_with_status`]. The context has an entry
/// for each ID, with the network status right after the action, and one with the number of affected agents if the command
/// has a context path for it.
async fn run_with_status<C: CommandDeclaration>(run: Run<'_>) -> Result<Outcome> {
    let (status_requests, actions): (Vec<_>, Vec<_>) =
        run.requests.into_iter().partition(|request| request.operation() == &raw::LIST);
    let (mut outcome, _) = run_action(run.client, actions).await?;
    // An interrupted command ends soon.
    let status_requests = if outcome.is_stopped { Vec::new() } else { status_requests };
    let statuses = network_statuses(run.client, status_requests, &mut outcome).await;
    let entries = outcome.results.iter().map(|result| {
        let mut entry = json!({ "ID": result.id });
        if let Some(status) = statuses.get(&result.id) {
            set_path(&mut entry, "NetworkStatus", status.clone());
        }
        entry
    });
    let has_count = C::OUTPUTS.iter().any(|output| output.relative_to(C::INFO.context) == "AgentsAffected");
    let affected = outcome.affected.filter(|_| has_count);
    let entries = entries.chain(affected.map(|affected| json!({ "AgentsAffected": affected })));
    outcome.context = context_under(C::INFO.context, entries.collect());
    Ok(outcome)
}

/// Reads the network status of agents. A failed read does not change the result of the action.
async fn network_statuses(
    client: &Client,
    requests: Requests,
    outcome: &mut Outcome,
) -> HashMap<String, Value> {
    let mut status = match read_lists(client, requests, None, None, ContextEntries::NONE).await {
        Ok(status) => status,
        Err(error) => {
            outcome.failure = outcome.failure.take().or(Some(error));
            return HashMap::new();
        }
    };
    outcome.errors.append(&mut status.errors);
    outcome.failure = outcome.failure.take().or(status.failure);
    let agents = status.response.get("data").and_then(Value::as_array);
    let status = |agent: &Value| {
        let status = agent.get("networkStatus").filter(|status| !status.is_null())?;
        Some((agent.get("id")?.as_str()?.to_owned(), status.clone()))
    };
    agents.into_iter().flatten().filter_map(status).collect()
}

impl Behavior for ShutdownAgent {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let Self { agent_id, group_id, query, .. } = self;
        agents_or_groups_requests(Self::INFO.name, (agent_id, group_id, query), |filter| {
            raw::shutdown(&AgentsShutdownRequest::new(filter))
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let (mut outcome, _) = run_action(run.client, run.requests).await?;
        let affected = outcome.results.iter().filter(|result| result.state.is_success());
        let entries = affected.map(|result| json!({ "ID": result.id })).collect();
        outcome.context = context_under(Self::INFO.context, entries);
        Ok(outcome)
    }
}

impl Behavior for UninstallAgent {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let Self { agent_id, group_id, query, .. } = self;
        agents_or_groups_requests(Self::INFO.name, (agent_id, group_id, query), |filter| {
            raw::uninstall(&AgentsUninstallRequest::new(filter))
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let (mut outcome, _) = run_action(run.client, run.requests).await?;
        outcome.context = context_under(Self::INFO.context, json!({ "Affected": outcome.affected }));
        Ok(outcome)
    }
}

/// Returns the requests of an action on agents, on groups, or on the agents that are in the groups.
fn agents_or_groups_requests<T>(
    command: &'static str,
    (agents, groups, query): (&[String], &[String], &Option<String>),
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    if agents.is_empty() && groups.is_empty() {
        return Err(argument_error(command, "agent_id", "or group_id is required"));
    }
    let mut filter = AgentFilter::default();
    (filter.group_ids, filter.query) = (non_empty(groups), query.clone());
    filtered_requests(command, agents, filter, build)
}

/// Returns the requests of an action on filtered agents: IDs in batches, each with the other filter fields.
fn filtered_requests<T>(
    command: &'static str,
    ids: &[String],
    filter: AgentFilter,
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    if ids.is_empty() {
        return Ok(vec![build(filter)?.with_response_type()]);
    }
    batch_requests(command, ("agent_id", ids), AgentFilter::FIELDS, |ids| build(filter.clone().ids(ids)))
}

impl Behavior for BroadcastMessage {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        // active_agent alone could select the whole tenant.
        if self.agent_id.is_empty() && self.group_id.is_empty() && self.domain.is_empty() {
            let message = "or group_id or domain is required; otherwise the message would go to all agents \
                           in scope";
            return Err(argument_error(Self::INFO.name, "agent_id", message));
        }
        let mut filter = AgentFilter::default();
        // The filter value false would select inactive agents only.
        filter.is_active = self.active_agent.then_some(true);
        (filter.group_ids, filter.domains) = (non_empty(&self.group_id), non_empty(&self.domain));
        filtered_requests(Self::INFO.name, &self.agent_id, filter, |filter| {
            let data = AgentBroadcastData::new(self.message.clone());
            raw::broadcast(&AgentsBroadcastRequest::new(data, filter))
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let (mut outcome, _) = run_action(run.client, run.requests).await?;
        outcome.context = context_under(Self::INFO.context, json!({ "Affected": outcome.affected }));
        Ok(outcome)
    }
}

impl Behavior for MoveAgent {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let ids = ("agents_ids", self.agents_ids.as_slice());
        batch_requests(Self::INFO.name, ids, AgentFilter::FIELDS, |ids| {
            let body = GroupsMoveAgentsRequest::new(AgentFilter::default().ids(ids));
            groups::move_agents(&self.group_id, &body)
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let (mut outcome, _) = run_action(run.client, run.requests).await?;
        let moved = outcome.affected;
        let entry = json!({ "AgentsMoved": moved, "AffectedAgents": moved.map(|moved| moved > 0) });
        outcome.context = context_under(Self::INFO.context, entry);
        Ok(outcome)
    }
}
