//! `sentinelone-initiate-endpoint-scan`: full disk scans.

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentScan};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::{Map, Value};

use super::act::{act_on, known, requests};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Has agents scan all disks of their endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct InitiateEndpointScan {
    /// The agents.
    pub agent_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for InitiateEndpointScan {
    const INFO: Info = Info {
        name: "initiate-endpoint-scan",
        full_name: "sentinelone-initiate-endpoint-scan",
        summary: "Have agents scan all disks of their endpoints",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: true,
        operations: &["agents_initiate_scan"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Agent.AgentID", "String", "Identifier of the agent", "agent_ids"),
        Output::computed(
            "SentinelOne.Agent.Initiated",
            "Boolean",
            "Whether the agent was told to scan; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("agent_ids", ArgumentKind::List, "Identifiers of the agents.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_ids: arguments.required_list("agent_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("agent_ids", &self.agent_ids), AgentFilter::FIELDS, |ids| {
            raw::initiate_scan(&AgentScan::new(AgentFilter::default().ids(ids)).data(Map::new()))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on(self, client, (PREFIX, "AgentID"), |one, entry| put(entry, "Initiated", known(one))).await
    }
}
