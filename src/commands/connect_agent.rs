//! `sentinelone-connect-agent`: endpoints back to the network.

use sentinelone_raw::agents::{self as raw, AgentConnection, AgentFilter};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::{Value, json};

use super::act::requests;
use super::agents::{act_and_look, agent_id, by_ids};
use super::context::{Output, under};
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Lifts the network isolation of endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectAgent {
    /// The agents.
    pub agent_id: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for ConnectAgent {
    const INFO: Info = Info {
        name: "connect-agent",
        full_name: "sentinelone-connect-agent",
        summary: "Connect isolated endpoints to the network again",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: false,
        operations: &["agents_connect", "agents_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Agent.ID", "String", "Identifier of the agent", "agent_id"),
        Output::field(
            "SentinelOne.Agent.NetworkStatus",
            "String",
            "Network status right after the action: mostly connecting, until the endpoint has followed",
            "networkStatus",
        ),
        Output::computed(
            "SentinelOne.Agent.AgentsAffected",
            "Number",
            "How many agents were told, in an entry of its own after those of the agents",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![agent_id("Identifiers of the agents to connect.")]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_id: arguments.required_list("agent_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let looks = by_ids(self, ("agent_id", &self.agent_id))?;
        Ok(self.actions()?.into_iter().chain(looks.into_iter().map(Request::answering)).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let looks = by_ids(self, ("agent_id", &self.agent_id))?;
        let (mut outcome, mut entries) = act_and_look(client, self.actions()?, looks, PREFIX).await?;
        if let Some(affected) = outcome.affected {
            entries.push(json!({ "AgentsAffected": affected }));
        }
        outcome.context = under(PREFIX, Value::Array(entries));
        Ok(outcome)
    }
}

impl ConnectAgent {
    fn actions(&self) -> Result<Vec<Request<Value>>> {
        requests(self, ("agent_id", &self.agent_id), AgentFilter::FIELDS, |ids| {
            raw::connect(&AgentConnection::new(AgentFilter::default().ids(ids)))
        })
    }
}
