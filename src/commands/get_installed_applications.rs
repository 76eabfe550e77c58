//! `sentinelone-get-installed-applications`: lists the applications on endpoints.

use std::collections::HashSet;

use sentinelone_raw::agents::{self as raw, AgentsListApplicationsQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::support::agents::required_ids;
use super::support::batched_lists::read_lists;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::ids::unique;
use super::support::list_entries::ContextEntries;
use super::{
    Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, NotFound, Outcome, Topic,
};
use crate::Result;
use crate::client::Client;
use crate::json_path::{get_path, set_path};

/// Lists the applications on endpoints, with one request per endpoint, because the response does not identify the
/// endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct GetInstalledApplications {
    /// Agent IDs.
    pub agent_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Application";

impl Command for GetInstalledApplications {
    const INFO: CommandInfo = CommandInfo {
        name: "get-installed-applications",
        full_name: "sentinelone-get-installed-applications",
        topic: Topic::Agents,
        summary: "List the applications installed on endpoints",
        example: "s1 get-installed-applications --agent-ids 440000000000000001",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["agents_list_applications"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Application.Name", "String", "Name of the application", "name"),
        ContextPath::field("SentinelOne.Application.Publisher", "String", "Publisher", "publisher"),
        ContextPath::field("SentinelOne.Application.Size", "String", "Size as reported by the agent", "size"),
        ContextPath::field(
            "SentinelOne.Application.Version",
            "String",
            "Version of the application",
            "version",
        ),
        ContextPath::field(
            "SentinelOne.Application.InstalledOn",
            "String",
            "Installation time",
            "installedDate",
        ),
        ContextPath::computed("SentinelOne.Application.AgentID", "String", "ID of the agent").undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("agent_ids", ArgumentKind::List, "Agent IDs.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { agent_ids: arguments.required_list("agent_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let ids = required_ids(self, ("agent_ids", &self.agent_ids))?;
        let request = |id: &String| {
            Ok(raw::list_applications(&AgentsListApplicationsQuery::new([id]))?.with_response_type())
        };
        ids.iter().map(request).collect()
    }

    async fn execute(&self, client: &Client, lists: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let ids = unique(&self.agent_ids);
        let add_agent = |list: usize, _: &Value, entry: &mut Value| {
            set_path(entry, "AgentID", json!(ids.get(list)));
        };
        let entries = ContextEntries::from((PREFIX, Self::OUTPUTS)).filled(&add_agent);
        let mut outcome = read_lists(client, lists, None, None, entries).await?;
        if outcome.is_complete() {
            let entries = get_path(&outcome.context, PREFIX).and_then(Value::as_array);
            let agents = entries.into_iter().flatten().filter_map(|entry| entry.get("AgentID")?.as_str());
            let agents: HashSet<String> = agents.map(str::to_owned).collect();
            // The response does not distinguish an unknown agent from one without applications.
            let missing = ids.iter().filter(|id| !agents.contains(*id));
            outcome.not_found = missing.map(|id| NotFound::new("agent_ids", id)).collect();
        }
        Ok(outcome)
    }
}
