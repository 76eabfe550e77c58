//! `sentinelone-get-agent-mac` and `sentinelone-get-installed-applications`: parts of an endpoint.

use std::collections::HashSet;

use sentinelone_raw::agents::{self as raw, AgentsListApplicationsQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::batched_lists::read_lists;
use super::support::context_entry::context_under;
use super::support::execution::Requests;
use super::support::ids::unique;
use super::support::list_command::{list_requests, read_list};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::entries;
use super::{CommandDeclaration, GetAgentMac, GetInstalledApplications, NotFound, Outcome};
use crate::Result;
use crate::json_path::{get_path, set_path};

impl Behavior for GetAgentMac {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        list_requests(self)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let version = run.client.api_version();
        let mut outcome = read_list(self, run.without_observer(), ContextEntries::NONE).await?;
        let agents = outcome.response.get("data").and_then(Value::as_array);
        let interfaces: Vec<Value> = agents.into_iter().flatten().flat_map(interfaces).collect();
        let prefix = Self::INFO.context;
        outcome.context = context_under(prefix, entries(Self::OUTPUTS, prefix, version, &interfaces));
        Ok(outcome)
    }
}

/// Returns one item per network interface of an agent.
fn interfaces(agent: &Value) -> Vec<Value> {
    let interfaces = agent.get("networkInterfaces").and_then(Value::as_array);
    let one = |interface: &Value| {
        json!({
            "id": agent.get("id"),
            "computerName": agent.get("computerName"),
            "networkInterfaces": interface,
        })
    };
    interfaces.into_iter().flatten().map(one).collect()
}

impl Behavior for GetInstalledApplications {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let request = |id: &String| {
            Ok(raw::list_applications(&AgentsListApplicationsQuery::new([id]))?.with_response_type())
        };
        unique(&self.agent_ids).iter().map(request).collect()
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let ids = unique(&self.agent_ids);
        let add_agent = |list: usize, _: &Value, entry: &mut Value| {
            set_path(entry, "AgentID", json!(ids.get(list)));
        };
        let entries = ContextEntries::of::<Self>().filled(&add_agent);
        let mut outcome = read_lists(run.client, run.requests, None, None, entries).await?;
        if outcome.is_complete() {
            let entries = get_path(&outcome.context, Self::INFO.context).and_then(Value::as_array);
            let agents = entries.into_iter().flatten().filter_map(|entry| entry.get("AgentID")?.as_str());
            let agents: HashSet<String> = agents.map(str::to_owned).collect();
            // The response does not distinguish an unknown agent from one without applications.
            let missing = ids.iter().filter(|id| !agents.contains(*id));
            outcome.not_found = missing.map(|id| NotFound::new("agent_ids", id)).collect();
        }
        Ok(outcome)
    }
}
