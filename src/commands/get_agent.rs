//! `sentinelone-get-agent`: agents by their identifiers.

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::Value;

use super::agents::{agent_id, agent_outputs, by_ids};
use super::context::Output;
use super::lists::read_all;
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// What the console knows about agents.
#[derive(Clone, Debug, PartialEq)]
pub struct GetAgent {
    /// The agents.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for GetAgent {
    const INFO: Info = Info {
        name: "get-agent",
        full_name: "sentinelone-get-agent",
        summary: "Show agents by their identifiers",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["agents_list"],
    };

    const OUTPUTS: &'static [Output] = agent_outputs!(
        "SentinelOne.Agent",
        Output::field("SentinelOne.Agent.Tags", "Unknown", "Tags of the agent", "tags")
            .no_column()
            .undocumented()
    );

    fn arguments() -> Vec<Argument> {
        vec![agent_id("Identifiers of the agents.")]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_id: arguments.required_list("agent_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let requests = by_ids(self, ("agent_id", &self.agent_id))?;
        Ok(requests.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let requests = by_ids(self, ("agent_id", &self.agent_id))?;
        read_all(client, requests, None, |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}
