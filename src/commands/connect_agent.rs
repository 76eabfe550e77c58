//! `sentinelone-connect-agent`: reconnects endpoints to the network.

use sentinelone_raw::agents::{self as raw, AgentsConnectRequest};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::support::agents::{agent_id, requests_with_status, run_agent_action};
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Reconnects disconnected endpoints to the network.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectAgent {
    /// Agent IDs.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for ConnectAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "connect-agent",
        full_name: "sentinelone-connect-agent",
        topic: Topic::Agents,
        summary: "Reconnect endpoints to the network",
        example: "s1 connect-agent --agent-id 440000000000000002",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["agents_connect", "agents_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Agent.ID", "String", "ID of the agent", "agent_id"),
        ContextPath::field(
            "SentinelOne.Agent.NetworkStatus",
            "String",
            "Network status right after the action, usually connecting",
            "networkStatus",
        ),
        ContextPath::computed(
            "SentinelOne.Agent.AgentsAffected",
            "Number",
            "Number of agents that received the command, in a separate entry after those of the agents",
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
            raw::connect(&AgentsConnectRequest::new(filter))
        })
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        _: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let (mut outcome, mut entries) = run_agent_action(client, requests).await?;
        if let Some(affected) = outcome.affected {
            entries.push(json!({ "AgentsAffected": affected }));
        }
        outcome.context = context_under(PREFIX, Value::Array(entries));
        Ok(outcome)
    }
}
