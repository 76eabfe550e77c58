//! `sentinelone-broadcast-message`: shows a message on endpoints.

use sentinelone_raw::agents::{self as raw, AgentBroadcastData, AgentFilter, AgentsBroadcastRequest};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::json;

use super::arguments::argument_error;
use super::support::agents::filtered_requests;
use super::support::batch_action::run_action;
use super::support::batched_lists::non_empty;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Shows a message on the endpoints that match all conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BroadcastMessage {
    /// Message.
    pub message: String,
    /// Whether to skip inactive agents.
    pub active_agent: bool,
    /// Group IDs.
    pub group_id: Vec<String>,
    /// Agent IDs.
    pub agent_id: Vec<String>,
    /// Network domains.
    pub domain: Vec<String>,
}

const PREFIX: &str = "SentinelOne.BroadcastMessage";

impl Command for BroadcastMessage {
    const INFO: CommandInfo = CommandInfo {
        name: "broadcast-message",
        full_name: "sentinelone-broadcast-message",
        topic: Topic::Agents,
        summary: "Show a message on endpoints",
        example: "s1 broadcast-message --agent-id 440000000000000002 --message 'Please save your work'",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["agents_broadcast"],
    };

    const OUTPUTS: &'static [ContextPath] = &[ContextPath::computed(
        "SentinelOne.BroadcastMessage.Affected",
        "String",
        "Number of agents that received the message; null if unknown",
    )];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, List, String};
        vec![
            Argument::new("message", String, "Text of the message.").required(),
            Argument::new("active_agent", Boolean, "Whether to skip inactive agents.")
                .default("false")
                .values(&["true", "false"]),
            Argument::new(
                "group_id",
                List,
                "Group IDs. At least one of group_id, agent_id and domain is required; agents must match \
                 all that are set.",
            ),
            Argument::new("agent_id", List, "Agent IDs."),
            Argument::new("domain", List, "Network domains."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            message: arguments.required("message")?,
            active_agent: arguments.boolean("active_agent")?.unwrap_or(false),
            group_id: arguments.list("group_id")?.unwrap_or_default(),
            agent_id: arguments.list("agent_id")?.unwrap_or_default(),
            domain: arguments.list("domain")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        // active_agent alone could select the whole tenant.
        if self.agent_id.is_empty() && self.group_id.is_empty() && self.domain.is_empty() {
            let message = "or group_id or domain is required; otherwise the message would go to all agents \
                           in scope";
            return Err(argument_error(Self::INFO.name, "agent_id", message));
        }
        let filter = AgentFilter {
            // The filter value false would select inactive agents only.
            is_active: self.active_agent.then_some(true),
            group_ids: non_empty(&self.group_id),
            domains: non_empty(&self.domain),
            ..AgentFilter::default()
        };
        filtered_requests(self, ("agent_id", &self.agent_id), filter, |filter| {
            raw::broadcast(&AgentsBroadcastRequest::new(
                AgentBroadcastData::new(self.message.clone()),
                filter,
            ))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (mut outcome, _) = run_action(client, actions).await?;
        outcome.context = context_under(PREFIX, json!({ "Affected": outcome.affected }));
        Ok(outcome)
    }
}
