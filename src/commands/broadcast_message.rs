//! `sentinelone-broadcast-message`: a message to people at endpoints.

use sentinelone_raw::agents::{self as raw, AgentBroadcast, AgentBroadcastData, AgentFilter};
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::act::{act, refuse};
use super::agents::selected;
use super::context::{Output, under};
use super::lists::given;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Shows a message at the endpoints that meet every condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BroadcastMessage {
    /// The message.
    pub message: String,
    /// Leave out agents that are not active.
    pub active_agent: bool,
    /// Only agents of these groups.
    pub group_id: Vec<String>,
    /// Only these agents.
    pub agent_id: Vec<String>,
    /// Only endpoints of these network domains.
    pub domain: Vec<String>,
}

const PREFIX: &str = "SentinelOne.BroadcastMessage";

impl Command for BroadcastMessage {
    const INFO: Info = Info {
        name: "broadcast-message",
        full_name: "sentinelone-broadcast-message",
        summary: "Show a message to the people at endpoints",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: true,
        operations: &["agents_broadcast"],
    };

    const OUTPUTS: &'static [Output] = &[Output::computed(
        "SentinelOne.BroadcastMessage.Affected",
        "String",
        "How many agents were told; null when nobody knows",
    )];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, List, Text};
        vec![
            Argument::new("message", Text, "The message.").required(),
            Argument::new("active_agent", Boolean, "Whether to leave out agents that are not active.")
                .default("false")
                .values(&["true", "false"]),
            Argument::new(
                "group_id",
                List,
                "Only agents of these groups, by identifier. At least one of group_id, agent_id and domain is \
                 needed; with several, agents must meet all of them.",
            ),
            Argument::new("agent_id", List, "Only these agents, by identifier."),
            Argument::new("domain", List, "Only endpoints of these network domains."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            message: arguments.required("message")?,
            active_agent: arguments.boolean("active_agent")?.unwrap_or(false),
            group_id: arguments.list("group_id")?.unwrap_or_default(),
            agent_id: arguments.list("agent_id")?.unwrap_or_default(),
            domain: arguments.list("domain")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        // Being active is a condition too, but one that a whole tenant meets.
        if self.agent_id.is_empty() && self.group_id.is_empty() && self.domain.is_empty() {
            let message = "is missing, and so are group_id and domain, so that the message would go to every agent \
                           in scope; give at least one of them";
            return Err(refuse(Self::INFO.name, "agent_id", message));
        }
        let filter = AgentFilter {
            // As a condition, false would mean the agents that nobody sits at.
            is_active: self.active_agent.then_some(true),
            group_ids: given(&self.group_id),
            domains: given(&self.domain),
            ..AgentFilter::default()
        };
        selected(self, ("agent_id", &self.agent_id), filter, |filter| {
            raw::broadcast(&AgentBroadcast::new(AgentBroadcastData::new(self.message.clone()), filter))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, _) = act(client, self.requests(client.api_version())?).await?;
        outcome.context = under(PREFIX, json!({ "Affected": outcome.affected }));
        Ok(outcome)
    }
}
