//! `sentinelone-move-agent`: moves agents to a group.

use sentinelone_raw::agents::AgentFilter;
use sentinelone_raw::groups::{self as raw, GroupsMoveAgentsRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use serde_json::json;

use super::support::batch_action::{batch_requests, run_action};
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Moves agents to a group of their site. The policy of the group then applies to them.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveAgent {
    /// Group ID.
    pub group_id: String,
    /// Agent IDs.
    pub agents_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for MoveAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "move-agent",
        full_name: "sentinelone-move-agent",
        topic: Topic::Agents,
        summary: "Move agents to a group",
        example: "s1 move-agent --agents-ids 440000000000000002 --group-id 430000000000000001",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["groups_move_agents"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::computed(
            "SentinelOne.Agent.AgentsMoved",
            "Number",
            "Number of moved agents; null if unknown",
        ),
        ContextPath::computed(
            "SentinelOne.Agent.AffectedAgents",
            "Boolean",
            "Whether any agent was moved; null if unknown",
        )
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("group_id", ArgumentKind::String, "ID of the group.").required(),
            // Without IDs, the console would move all agents in scope.
            Argument::new("agents_ids", ArgumentKind::List, "Agent IDs.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            group_id: arguments.required("group_id")?.trim().to_owned(),
            agents_ids: arguments.required_list("agents_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("agents_ids", &self.agents_ids), AgentFilter::FIELDS, |ids| {
            raw::move_agents(&self.group_id, &GroupsMoveAgentsRequest::new(AgentFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (mut outcome, _) = run_action(client, actions).await?;
        let moved = outcome.affected;
        let any = moved.map(|moved| moved > 0);
        outcome.context = context_under(PREFIX, json!({ "AgentsMoved": moved, "AffectedAgents": any }));
        Ok(outcome)
    }
}
