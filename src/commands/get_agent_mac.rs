//! `sentinelone-get-agent-mac`: the network interfaces of endpoints.

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::agents::{agent_id, by_ids};
use super::context::{Output, under};
use super::lists::read_all;
use super::read::entries;
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// The network interfaces of endpoints, with their addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct GetAgentMac {
    /// The agents.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.MAC";

impl Command for GetAgentMac {
    const INFO: Info = Info {
        name: "get-agent-mac",
        full_name: "sentinelone-get-agent-mac",
        summary: "List the network interfaces of endpoints",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["agents_list"],
    };

    // The fields of an interface are read one interface at a time.
    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.MAC.agent_id", "String", "Agent on the endpoint", "id"),
        Output::field("SentinelOne.MAC.hostname", "String", "Name of the endpoint", "computerName"),
        Output::field(
            "SentinelOne.MAC.int_name",
            "String",
            "Name of the interface",
            "networkInterfaces.name",
        ),
        Output::field(
            "SentinelOne.MAC.ip",
            "String",
            "IPv4 addresses of the interface, as a list like the console's",
            "networkInterfaces.inet",
        ),
        Output::field(
            "SentinelOne.MAC.mac",
            "String",
            "MAC address of the interface",
            "networkInterfaces.physical",
        ),
        Output::computed("SentinelOne.MAC", "String", "One entry for each network interface").no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![agent_id("Identifiers of the agents.")]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_id: arguments.required_list("agent_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let requests = by_ids(self, ("agent_id", &self.agent_id))?;
        Ok(requests.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let requests = by_ids(self, ("agent_id", &self.agent_id))?;
        let mut outcome = read_all(client, requests, None, |_| true, (PREFIX, &[])).await?;
        let agents = outcome.answer.get("data").and_then(Value::as_array);
        let interfaces: Vec<Value> = agents.into_iter().flatten().flat_map(interfaces).collect();
        outcome.context = under(PREFIX, entries(Self::OUTPUTS, PREFIX, client.api_version(), &interfaces));
        Ok(outcome)
    }
}

/// The agent once for each of its interfaces, of which some have none.
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
