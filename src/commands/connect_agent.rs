//! `sentinelone-connect-agent`: reconnects endpoints to the network.

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsConnectRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::{Value, json};

use super::support::agents::{agent_id, requests_by_ids, run_agent_action};
use super::support::batch_action::batch_requests;
use super::support::context_path::{ContextPath, context_under};
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
        let (mut outcome, mut entries) = run_agent_action(client, self.actions()?, status_requests).await?;
        if let Some(affected) = outcome.affected {
            entries.push(json!({ "AgentsAffected": affected }));
        }
        outcome.context = context_under(PREFIX, Value::Array(entries));
        Ok(outcome)
    }
}

impl ConnectAgent {
    fn actions(&self) -> Result<Vec<Request<Value>>> {
        batch_requests(self, ("agent_id", &self.agent_id), AgentFilter::FIELDS, |ids| {
            raw::connect(&AgentsConnectRequest::new(AgentFilter::default().ids(ids)))
        })
    }
}
