//! Commands on agents.

use std::collections::HashMap;

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsListQuery};
use sentinelone_raw::runtime::{Fields, Request, RequestError};
use serde_json::{Value, json};

use super::batch_action::{batch_requests, run_action};
use super::batched_lists::{batched_list_requests, non_empty, read_lists};
use super::execution::Requests;
use super::ids::unique;
use super::list_entries::ContextEntries;
use crate::Result;
use crate::client::Client;
use crate::commands::arguments::argument_error;
use crate::commands::{Argument, ArgumentKind, Command, Outcome};
use crate::json_path::set_path;

/// Context paths of agents at a prefix.
macro_rules! agent_outputs {
    ($prefix:literal, $($more:expr),*) => {
        &[
            ContextPath::field(concat!($prefix, ".ID"), "String", "ID of the agent", "id"),
            ContextPath::field(
                concat!($prefix, ".ComputerName"),
                "String",
                "Name of the endpoint",
                "computerName",
            ),
            ContextPath::field(
                concat!($prefix, ".NetworkStatus"),
                "String",
                "Network status, such as connected or disconnected",
                "networkStatus",
            ),
            ContextPath::field(
                concat!($prefix, ".IsActive"),
                "Boolean",
                "Whether the agent was recently in contact with the console",
                "isActive",
            ),
            ContextPath::field(
                concat!($prefix, ".LastActiveDate"),
                "Date",
                "Time of the last contact with the console",
                "lastActiveDate",
            ),
            ContextPath::field(
                concat!($prefix, ".ThreatCount"),
                "Number",
                "Number of active threats on the endpoint",
                "activeThreats",
            ),
            ContextPath::field(
                concat!($prefix, ".OSName"),
                "String",
                "Operating system of the endpoint",
                "osName",
            ),
            ContextPath::field(concat!($prefix, ".SiteName"), "String", "Name of the site", "siteName"),
            ContextPath::field(
                concat!($prefix, ".AgentVersion"),
                "String",
                "Version of the agent",
                "agentVersion",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".IsDecommissioned"),
                "Boolean",
                "Whether the agent is decommissioned",
                "isDecommissioned",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".RegisteredAt"),
                "Date",
                "Time of the first registration with the console",
                "registeredAt",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".ExternalIP"),
                "String",
                "IP address from which the endpoint reaches the console",
                "externalIp",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".EncryptedApplications"),
                "Boolean",
                "Whether the disk of the endpoint is encrypted",
                "encryptedApplications",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".MachineType"),
                "String",
                "Machine type, such as server",
                "machineType",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".Domain"),
                "String",
                "Network domain of the endpoint",
                "domain",
            )
            .no_column(),
            ContextPath::field(
                concat!($prefix, ".CreatedAt"),
                "Date",
                "Time when the console created the agent",
                "createdAt",
            )
            .no_column(),
            $($more),*
        ]
    };
}
pub(crate) use agent_outputs;

/// The argument for the IDs of agents.
pub(crate) fn agent_id(doc: &'static str) -> Argument {
    Argument::new("agent_id", ArgumentKind::List, doc).required()
}

/// Returns the unique IDs. An empty list is an error, because it would select all agents in scope.
pub(crate) fn required_ids<C: Command>(_: &C, (argument, ids): (&str, &[String])) -> Result<Vec<String>> {
    let unique = unique(ids);
    if unique.is_empty() {
        return Err(argument_error(C::INFO.name, argument, "is missing; expected at least one value"));
    }
    Ok(unique)
}

/// Returns the requests that list agents by ID, in batches that fit in a URL.
pub(crate) fn requests_by_ids<C: Command>(command: &C, argument: (&str, &[String])) -> Result<Requests> {
    let ids = required_ids(command, argument)?;
    // Without a limit the console returns ten agents.
    batched_list_requests(&ids, Some(ids.len() as u64), |ids| {
        let filter = AgentFilter { ids, ..AgentFilter::default() };
        Ok(raw::list(&AgentsListQuery::default().filter(filter))?.with_response_type())
    })
}

/// Removes the items of a list from its response and returns them.
fn take_items(response: &mut Value) -> Vec<Value> {
    match response.get_mut("data").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// Returns the requests of an action on filtered agents: IDs in batches, each with the other filter fields.
pub(crate) fn filtered_requests<C: Command, T>(
    command: &C,
    (argument, ids): (&str, &[String]),
    filter: AgentFilter,
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    if ids.is_empty() {
        return Ok(vec![build(filter)?.with_response_type()]);
    }
    batch_requests(command, (argument, ids), AgentFilter::FIELDS, |ids| build(filter.clone().ids(ids)))
}

/// Returns the requests of an action on agents, and those that read their network status after it.
pub(crate) fn requests_with_status<C: Command, T>(
    command: &C,
    argument: (&str, &[String]),
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    let status_requests = requests_by_ids(command, argument)?;
    let action = |ids| build(AgentFilter::default().ids(ids));
    let mut requests = batch_requests(command, argument, AgentFilter::FIELDS, action)?;
    requests.extend(status_requests);
    Ok(requests)
}

/// Sends the requests of an action, then reads the agents once; see [`requests_with_status`]. Returns the outcome and a
/// context entry for each ID, with the network status right after the action.
pub(crate) async fn run_agent_action(client: &Client, requests: Requests) -> Result<(Outcome, Vec<Value>)> {
    let (status_requests, actions): (Vec<_>, Vec<_>) =
        requests.into_iter().partition(|request| request.operation() == &raw::LIST);
    let (mut outcome, _) = run_action(client, actions).await?;
    let mut agents = Vec::new();
    // An interrupted command ends soon.
    let status_requests = if outcome.is_stopped { Vec::new() } else { status_requests };
    match read_lists(client, status_requests, None, None, ContextEntries::NONE).await {
        Ok(mut status) => {
            agents = take_items(&mut status.response);
            outcome.errors.append(&mut status.errors);
            outcome.failure = outcome.failure.or(status.failure);
        }
        // A failed read does not change the result of the action.
        Err(error) => outcome.failure = outcome.failure.or(Some(error)),
    }
    let status =
        |agent: &Value| Some((agent.get("id")?.as_str()?.to_owned(), agent.get("networkStatus")?.clone()));
    let statuses: HashMap<String, Value> = agents.iter().filter_map(status).collect();
    let entries = outcome.results.iter().map(|result| {
        let mut entry = json!({ "ID": result.id });
        if let Some(status) = statuses.get(&result.id).filter(|status| !status.is_null()) {
            set_path(&mut entry, "NetworkStatus", status.clone());
        }
        entry
    });
    let entries = entries.collect();
    Ok((outcome, entries))
}

/// Arguments of actions on agents or groups.
pub(crate) fn agents_or_groups_arguments() -> Vec<Argument> {
    use ArgumentKind::{List, String};
    vec![
        Argument::new(
            "query",
            String,
            "Full-text search; matches a MAC address by prefix only. Requires agent_id or group_id.",
        ),
        Argument::new(
            "agent_id",
            List,
            "Agent IDs. agent_id or group_id is required. If both are set, only agents in the groups match.",
        ),
        Argument::new("group_id", List, "Group IDs: all agents in the groups."),
    ]
}

/// Returns the requests of an action on agents, on groups, or on the agents that are in the groups.
pub(crate) fn agents_or_groups_requests<C: Command, T>(
    command: &C,
    agents: &[String],
    groups: &[String],
    query: Option<&String>,
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Requests> {
    if agents.is_empty() && groups.is_empty() {
        let message = "or group_id is required";
        return Err(argument_error(C::INFO.name, "agent_id", message));
    }
    let filter =
        AgentFilter { group_ids: non_empty(groups), query: query.cloned(), ..AgentFilter::default() };
    filtered_requests(command, ("agent_id", agents), filter, build)
}
