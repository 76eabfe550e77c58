//! `sentinelone-get-agent`: returns agents by ID.

use sentinelone_raw::runtime::ApiVersion;

use super::support::agents::{agent_id, agent_outputs, requests_by_ids};
use super::support::batched_lists::read_lists;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Returns agents by ID.
#[derive(Clone, Debug, PartialEq)]
pub struct GetAgent {
    /// Agent IDs.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for GetAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "get-agent",
        full_name: "sentinelone-get-agent",
        topic: Topic::Agents,
        summary: "Get agents by ID",
        example: "s1 get-agent --agent-id 440000000000000001",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["agents_list"],
    };

    const OUTPUTS: &'static [ContextPath] = agent_outputs!(
        "SentinelOne.Agent",
        ContextPath::field("SentinelOne.Agent.Tags", "Unknown", "Tags of the agent", "tags")
            .no_column()
            .undocumented()
    );

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
        read_lists((client, &requested), lists, None, None, (PREFIX, Self::OUTPUTS)).await
    }
}
