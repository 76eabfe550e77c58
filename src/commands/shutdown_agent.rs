//! `sentinelone-shutdown-agent`: endpoints off.

use sentinelone_raw::agents::{self as raw, AgentShutdown};
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::act::act;
use super::agents::{agents_or_groups, agents_or_groups_arguments};
use super::context::{Output, under};
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Turns the endpoints off that meet every condition. The console cannot turn them on again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShutdownAgent {
    /// Free text that they match besides.
    pub query: Option<String>,
    /// The agents.
    pub agent_id: Vec<String>,
    /// Agents of these groups; of `agent_id`, if it is given too, only those that are in them.
    pub group_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for ShutdownAgent {
    const INFO: Info = Info {
        name: "shutdown-agent",
        full_name: "sentinelone-shutdown-agent",
        summary: "Turn endpoints off",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: true,
        asks: true,
        operations: &["agents_shutdown"],
    };

    const OUTPUTS: &'static [Output] = &[Output::computed(
        "SentinelOne.Agent.ID",
        "String",
        "Agent of which it is known that it was told to shut its endpoint down; of groups the console tells only \
         a count",
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
            raw::shutdown(&AgentShutdown::new(filter))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, _) = act(client, self.requests(client.api_version())?).await?;
        let told = outcome.ids.iter().filter(|one| one.state.is_fulfilled());
        outcome.context = under(PREFIX, told.map(|one| json!({ "ID": one.id })).collect());
        Ok(outcome)
    }
}
