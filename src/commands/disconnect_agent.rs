//! `sentinelone-disconnect-agent`: disconnects endpoints from the network.

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsDisconnectRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::Value;

use super::support::agents::{agent_id, requests_by_ids, run_agent_action};
use super::support::batch_action::batch_requests;
use super::support::context_path::{ContextPath, context_under};
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

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let status_requests = requests_by_ids(self, ("agent_id", &self.agent_id))?;
        Ok(self
            .actions()?
            .into_iter()
            .chain(status_requests.into_iter().map(Request::with_response_type))
            .collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let status_requests = requests_by_ids(self, ("agent_id", &self.agent_id))?;
        let (mut outcome, entries) = run_agent_action(client, self.actions()?, status_requests).await?;
        outcome.context = context_under(PREFIX, Value::Array(entries));
        Ok(outcome)
    }
}

impl DisconnectAgent {
    fn actions(&self) -> Result<Vec<Request<Value>>> {
        batch_requests(self, ("agent_id", &self.agent_id), AgentFilter::FIELDS, |ids| {
            raw::disconnect(&AgentsDisconnectRequest::new(AgentFilter::default().ids(ids)))
        })
    }
}
