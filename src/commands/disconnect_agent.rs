//! `sentinelone-disconnect-agent`: disconnects endpoints from the network.

use sentinelone_raw::agents::{self as raw, AgentsDisconnectRequest};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::support::agents::{agent_id, requests_with_status, run_agent_action};
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Disconnects endpoints from the network, except from the console. This interrupts users.
#[derive(Clone, Debug, PartialEq)]
pub struct DisconnectAgent {
    /// Agent IDs.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for DisconnectAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "disconnect-agent",
        full_name: "sentinelone-disconnect-agent",
        topic: Topic::Agents,
        summary: "Disconnect endpoints from the network",
        example: "s1 disconnect-agent --agent-id 440000000000000002",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["agents_disconnect", "agents_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Agent.ID", "String", "ID of the agent", "agent_id"),
        ContextPath::field(
            "SentinelOne.Agent.NetworkStatus",
            "String",
            "Network status right after the action, usually disconnecting",
            "networkStatus",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![agent_id("Agent IDs.")]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_id: arguments.required_list("agent_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        requests_with_status(self, ("agent_id", &self.agent_id), |filter| {
            raw::disconnect(&AgentsDisconnectRequest::new(filter))
        })
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        _: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let (mut outcome, entries) = run_agent_action(client, requests).await?;
        outcome.context = context_under(PREFIX, Value::Array(entries));
        Ok(outcome)
    }
}
