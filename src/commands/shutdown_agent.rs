//! `sentinelone-shutdown-agent`: shuts down endpoints.

use sentinelone_raw::agents::{self as raw, AgentsShutdownRequest};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::json;

use super::support::agents::{agents_or_groups_arguments, agents_or_groups_requests};
use super::support::batch_action::run_action;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Shuts down the endpoints that match all filters. The console cannot start them again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShutdownAgent {
    /// Full-text filter.
    pub query: Option<String>,
    /// Agent IDs.
    pub agent_id: Vec<String>,
    /// Group IDs. With `agent_id`, only agents in these groups are selected.
    pub group_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for ShutdownAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "shutdown-agent",
        full_name: "sentinelone-shutdown-agent",
        topic: Topic::Agents,
        summary: "Shut down endpoints",
        example: "s1 shutdown-agent --group-id 430000000000000002",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["agents_shutdown"],
    };

    const OUTPUTS: &'static [ContextPath] = &[ContextPath::computed(
        "SentinelOne.Agent.ID",
        "String",
        "ID of an agent that received the command; for groups the console returns only a count",
    )];

    fn arguments() -> Vec<Argument> {
        agents_or_groups_arguments()
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query: arguments.string("query")?,
            agent_id: arguments.list("agent_id")?.unwrap_or_default(),
            group_id: arguments.list("group_id")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        agents_or_groups_requests(self, &self.agent_id, &self.group_id, self.query.as_ref(), |filter| {
            raw::shutdown(&AgentsShutdownRequest::new(filter))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (mut outcome, _) = run_action(client, actions).await?;
        let affected = outcome.results.iter().filter(|result| result.state.is_success());
        outcome.context = context_under(PREFIX, affected.map(|result| json!({ "ID": result.id })).collect());
        Ok(outcome)
    }
}
