//! `sentinelone-get-agent-mac`: lists the network interfaces of endpoints.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::support::agents::{agent_id, requests_by_ids};
use super::support::batched_lists::read_lists;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::entries;
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Lists the network interfaces of endpoints with their addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct GetAgentMac {
    /// Agent IDs.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.MAC";

impl Command for GetAgentMac {
    const INFO: CommandInfo = CommandInfo {
        name: "get-agent-mac",
        full_name: "sentinelone-get-agent-mac",
        topic: Topic::Agents,
        summary: "List the network interfaces of endpoints",
        example: "s1 get-agent-mac --agent-id 440000000000000001",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["agents_list"],
    };

    // `interfaces` maps each network interface to one item with these fields.
    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.MAC.agent_id", "String", "ID of the agent", "id"),
        ContextPath::field("SentinelOne.MAC.hostname", "String", "Name of the endpoint", "computerName"),
        ContextPath::field(
            "SentinelOne.MAC.int_name",
            "String",
            "Name of the interface",
            "networkInterfaces.name",
        ),
        ContextPath::field(
            "SentinelOne.MAC.ip",
            "String",
            "List of the IPv4 addresses of the interface",
            "networkInterfaces.inet",
        ),
        ContextPath::field(
            "SentinelOne.MAC.mac",
            "String",
            "MAC address of the interface",
            "networkInterfaces.physical",
        ),
        ContextPath::computed("SentinelOne.MAC", "String", "One entry per network interface").no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![agent_id("Agent IDs.")]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_id: arguments.required_list("agent_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        requests_by_ids(self, ("agent_id", &self.agent_id))
    }

    async fn execute(&self, client: &Client, lists: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let requested = RequestedIds::default().with("agent_id", &self.agent_id, &["id"]);
        let mut outcome = read_lists((client, &requested), lists, None, None, ContextEntries::NONE).await?;
        let agents = outcome.response.get("data").and_then(Value::as_array);
        let interfaces: Vec<Value> = agents.into_iter().flatten().flat_map(interfaces).collect();
        outcome.context =
            context_under(PREFIX, entries(Self::OUTPUTS, PREFIX, client.api_version(), &interfaces));
        Ok(outcome)
    }
}

/// Returns one item per network interface of an agent.
fn interfaces(agent: &Value) -> Vec<Value> {
    let interfaces = agent.get("networkInterfaces").and_then(Value::as_array);
    let one = |interface: &Value| {
        json!({
            "id": agent.get("id"),
            "computerName": agent.get("computerName"),
            "networkInterfaces": interface,
        })
    };
    interfaces.into_iter().flatten().map(one).collect()
}
