//! `sentinelone-uninstall-agent`: agents off their endpoints.

use sentinelone_raw::agents::{self as raw, AgentUninstallation};
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::act::act;
use super::agents::{agents_or_groups, agents_or_groups_arguments};
use super::context::{Output, under};
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Removes the agents that meet every condition from their endpoints, which are unprotected from then on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UninstallAgent {
    /// Free text that they match besides.
    pub query: Option<String>,
    /// The agents.
    pub agent_id: Vec<String>,
    /// Agents of these groups; of `agent_id`, if it is given too, only those that are in them.
    pub group_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.uninstall";

impl Command for UninstallAgent {
    const INFO: Info = Info {
        name: "uninstall-agent",
        full_name: "sentinelone-uninstall-agent",
        summary: "Remove agents from their endpoints",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: true,
        asks: true,
        operations: &["agents_uninstall"],
    };

    const OUTPUTS: &'static [Output] = &[Output::computed(
        "SentinelOne.uninstall.Affected",
        "String",
        "How many agents were told; null when nobody knows",
    )];

    fn arguments() -> Vec<Argument> {
        agents_or_groups_arguments()
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query: arguments.text("query")?,
            agent_id: arguments.list("agent_id")?.unwrap_or_default(),
            group_id: arguments.list("group_id")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        agents_or_groups(self, &self.agent_id, &self.group_id, self.query.as_ref(), |filter| {
            raw::uninstall(&AgentUninstallation::new(filter))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, _) = act(client, self.requests(client.api_version())?).await?;
        outcome.context = under(PREFIX, json!({ "Affected": outcome.affected }));
        Ok(outcome)
    }
}
