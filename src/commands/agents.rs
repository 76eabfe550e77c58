//! What commands on agents have in common.

use std::collections::HashMap;

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsListQuery};
use sentinelone_raw::runtime::{Fields, Page, Request, RequestError};
use serde_json::{Value, json};

use super::act::{act, refuse, requests};
use super::lists::{given, in_batches, read_all, unique};
use super::{Argument, ArgumentKind, Command, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// The context paths of agents below a prefix.
macro_rules! agent_outputs {
    ($prefix:literal, $($more:expr),*) => {
        &[
            Output::field(concat!($prefix, ".ID"), "String", "Identifier of the agent", "id"),
            Output::field(
                concat!($prefix, ".ComputerName"),
                "String",
                "Name of the endpoint",
                "computerName",
            ),
            Output::field(
                concat!($prefix, ".NetworkStatus"),
                "String",
                "Whether the endpoint is on the network or isolated",
                "networkStatus",
            ),
            Output::field(
                concat!($prefix, ".IsActive"),
                "Boolean",
                "Whether the agent was in contact with the console lately",
                "isActive",
            ),
            Output::field(
                concat!($prefix, ".LastActiveDate"),
                "Date",
                "When the agent was last in contact with the console",
                "lastActiveDate",
            ),
            Output::field(
                concat!($prefix, ".ThreatCount"),
                "Number",
                "How many threats are active on the endpoint",
                "activeThreats",
            ),
            Output::field(
                concat!($prefix, ".OSName"),
                "String",
                "Operating system of the endpoint",
                "osName",
            ),
            Output::field(concat!($prefix, ".SiteName"), "String", "Name of the site", "siteName"),
            Output::field(
                concat!($prefix, ".AgentVersion"),
                "String",
                "Version of the agent",
                "agentVersion",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".IsDecommissioned"),
                "Boolean",
                "Whether the agent is decommissioned",
                "isDecommissioned",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".RegisteredAt"),
                "Date",
                "When the agent first registered with the console",
                "registeredAt",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".ExternalIP"),
                "String",
                "Address from which the endpoint reaches the console",
                "externalIp",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".EncryptedApplications"),
                "Boolean",
                "Whether the disk of the endpoint is encrypted",
                "encryptedApplications",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".MachineType"),
                "String",
                "Kind of machine, such as server",
                "machineType",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".Domain"),
                "String",
                "Network domain of the endpoint",
                "domain",
            )
            .no_column(),
            Output::field(
                concat!($prefix, ".CreatedAt"),
                "Date",
                "When the console recorded the agent",
                "createdAt",
            )
            .no_column(),
            $($more),*
        ]
    };
}
pub(super) use agent_outputs;

/// The argument that names the agents.
pub(super) fn agent_id(doc: &'static str) -> Argument {
    Argument::new("agent_id", ArgumentKind::List, doc).required()
}

/// Identifiers to read, each once; none at all would read everything in scope.
pub(super) fn named<C: Command>(_: &C, (argument, ids): (&str, &[String])) -> Result<Vec<String>> {
    let unique = unique(ids);
    if unique.is_empty() {
        return Err(refuse(C::INFO.name, argument, "is missing; give at least one"));
    }
    Ok(unique)
}

/// The requests that read agents by their identifiers, as many in each as a URL should hold.
pub(super) fn by_ids<C: Command>(
    command: &C,
    argument: (&str, &[String]),
) -> Result<Vec<Request<Page<Value>>>> {
    let ids = named(command, argument)?;
    // Without a limit the console sends ten, however many are named.
    in_batches(&ids, Some(ids.len() as u64), |ids| {
        let filter = AgentFilter { ids, ..AgentFilter::default() };
        Ok(raw::list(&AgentsListQuery::default().filter(filter))?.answering())
    })
}

/// The items of a list, taken out of its answer.
fn data(answer: &mut Value) -> Vec<Value> {
    match answer.get_mut("data").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// The requests of an action on agents that a filter selects: identifiers in batches, each with the other
/// conditions.
pub(super) fn selected<C: Command, T>(
    command: &C,
    (argument, ids): (&str, &[String]),
    filter: AgentFilter,
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Vec<Request<Value>>> {
    if ids.is_empty() {
        return Ok(vec![build(filter)?.answering()]);
    }
    requests(command, (argument, ids), AgentFilter::FIELDS, |ids| build(filter.clone().ids(ids)))
}

/// Sends the requests of an action, then reads the agents once. The context has one entry for each that was
/// asked for, with the network status as it is right after the action.
pub(super) async fn act_and_look(
    client: &Client,
    actions: Vec<Request<Value>>,
    looks: Vec<Request<Page<Value>>>,
    prefix: &str,
) -> Result<(Outcome, Vec<Value>)> {
    let (mut outcome, _) = act(client, actions).await?;
    let mut agents = Vec::new();
    match read_all(client, looks, None, |_| true, (prefix, &[])).await {
        Ok(mut seen) => {
            agents = data(&mut seen.answer);
            outcome.errors.append(&mut seen.errors);
            outcome.failure = outcome.failure.or(seen.failure);
        }
        // What was done stands, whether it can be looked at or not.
        Err(error) => outcome.failure = outcome.failure.or(Some(error)),
    }
    let status =
        |agent: &Value| Some((agent.get("id")?.as_str()?.to_owned(), agent.get("networkStatus")?.clone()));
    let statuses: HashMap<String, Value> = agents.iter().filter_map(status).collect();
    let entries = outcome.ids.iter().map(|one| {
        let mut entry = json!({ "ID": one.id });
        if let Some(status) = statuses.get(&one.id).filter(|status| !status.is_null()) {
            put(&mut entry, "NetworkStatus", status.clone());
        }
        entry
    });
    let entries = entries.collect();
    Ok((outcome, entries))
}

/// The arguments of actions on agents or whole groups.
pub(super) fn agents_or_groups_arguments() -> Vec<Argument> {
    use ArgumentKind::{List, Text};
    vec![
        Argument::new(
            "query",
            Text,
            "Free text that the agents match besides; MAC addresses must begin with it. It is not enough by \
             itself.",
        ),
        Argument::new(
            "agent_id",
            List,
            "Identifiers of the agents. At least one of agent_id and group_id is needed; with both, only agents \
             that are in the groups.",
        ),
        Argument::new("group_id", List, "Identifiers of groups: all agents in them."),
    ]
}

/// The requests of an action on agents, on whole groups, or on those of the agents that are in the groups.
pub(super) fn agents_or_groups<C: Command, T>(
    command: &C,
    agents: &[String],
    groups: &[String],
    query: Option<&String>,
    build: impl Fn(AgentFilter) -> Result<Request<T>, RequestError>,
) -> Result<Vec<Request<Value>>> {
    if agents.is_empty() && groups.is_empty() {
        let message = "is missing, and so is group_id; give at least one of them";
        return Err(refuse(C::INFO.name, "agent_id", message));
    }
    let filter = AgentFilter { group_ids: given(groups), query: query.cloned(), ..AgentFilter::default() };
    selected(command, ("agent_id", agents), filter, build)
}
