//! `sentinelone-uninstall-agent`: uninstalls agents.

use sentinelone_raw::agents::{self as raw, AgentsUninstallRequest};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::json;

use super::support::agents::{agents_or_groups_arguments, agents_or_groups_requests};
use super::support::batch_action::run_action;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Uninstalls the agents that match all filters. Their endpoints are then unprotected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UninstallAgent {
    /// Full-text filter.
    pub query: Option<String>,
    /// Agent IDs.
    pub agent_id: Vec<String>,
    /// Group IDs. With `agent_id`, only agents in these groups are selected.
    pub group_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.uninstall";

impl Command for UninstallAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "uninstall-agent",
        full_name: "sentinelone-uninstall-agent",
        topic: Topic::Agents,
        summary: "Uninstall agents",
        example: "s1 uninstall-agent --agent-id 440000000000000005",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["agents_uninstall"],
    };

    const OUTPUTS: &'static [ContextPath] = &[ContextPath::computed(
        "SentinelOne.uninstall.Affected",
        "String",
        "Number of agents that received the command; null if unknown",
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
            raw::uninstall(&AgentsUninstallRequest::new(filter))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (mut outcome, _) = run_action(client, actions).await?;
        outcome.context = context_under(PREFIX, json!({ "Affected": outcome.affected }));
        Ok(outcome)
    }
}
