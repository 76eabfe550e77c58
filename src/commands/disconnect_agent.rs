//! `sentinelone-disconnect-agent`: endpoints off the network.

use sentinelone_raw::agents::{self as raw, AgentDisconnection, AgentFilter};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::Value;

use super::act::requests;
use super::agents::{act_and_look, agent_id, by_ids};
use super::context::{Output, under};
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Isolates endpoints: only the console can be reached from them. This interrupts people's work.
#[derive(Clone, Debug, PartialEq)]
pub struct DisconnectAgent {
    /// The agents.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for DisconnectAgent {
    const INFO: Info = Info {
        name: "disconnect-agent",
        full_name: "sentinelone-disconnect-agent",
        summary: "Isolate endpoints from the network",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: true,
        asks: true,
        operations: &["agents_disconnect", "agents_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Agent.ID", "String", "Identifier of the agent", "agent_id"),
        Output::field(
            "SentinelOne.Agent.NetworkStatus",
            "String",
            "Network status right after the action: mostly disconnecting, until the endpoint has followed",
            "networkStatus",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![agent_id("Identifiers of the agents to disconnect.")]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_id: arguments.required_list("agent_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let looks = by_ids(self, ("agent_id", &self.agent_id))?;
        Ok(self.actions()?.into_iter().chain(looks.into_iter().map(Request::answering)).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let looks = by_ids(self, ("agent_id", &self.agent_id))?;
        let (mut outcome, entries) = act_and_look(client, self.actions()?, looks, PREFIX).await?;
        outcome.context = under(PREFIX, Value::Array(entries));
        Ok(outcome)
    }
}

impl DisconnectAgent {
    fn actions(&self) -> Result<Vec<Request<Value>>> {
        requests(self, ("agent_id", &self.agent_id), AgentFilter::FIELDS, |ids| {
            raw::disconnect(&AgentDisconnection::new(AgentFilter::default().ids(ids)))
        })
    }
}
