//! `sentinelone-initiate-endpoint-scan`: starts full disk scans.

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsInitiateScanRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use serde_json::Map;

use super::support::batch_action::{batch_requests, run_id_action, success_or_null};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Starts full disk scans on endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct InitiateEndpointScan {
    /// Agent IDs.
    pub agent_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for InitiateEndpointScan {
    const INFO: CommandInfo = CommandInfo {
        name: "initiate-endpoint-scan",
        full_name: "sentinelone-initiate-endpoint-scan",
        topic: Topic::Agents,
        summary: "Start full disk scans on endpoints",
        example: "s1 initiate-endpoint-scan --agent-ids 440000000000000002",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["agents_initiate_scan"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Agent.AgentID", "String", "ID of the agent", "agent_ids"),
        ContextPath::computed(
            "SentinelOne.Agent.Initiated",
            "Boolean",
            "Whether the scan was started; null if unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("agent_ids", ArgumentKind::List, "Agent IDs.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_ids: arguments.required_list("agent_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("agent_ids", &self.agent_ids), AgentFilter::FIELDS, |ids| {
            raw::initiate_scan(
                &AgentsInitiateScanRequest::new(AgentFilter::default().ids(ids)).data(Map::new()),
            )
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_id_action(client, actions, (PREFIX, "AgentID"), |result, entry| {
            set_path(entry, "Initiated", success_or_null(result))
        })
        .await
    }
}
