//! `sentinelone-move-agent`: moves agents to a group.

use sentinelone_raw::agents::AgentFilter;
use sentinelone_raw::groups::{self as raw, GroupsMoveAgentsRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::{Value, json};

use super::support::batch_action::{batch_requests, merge_response, requested_ids, without_detail};
use super::support::context_path::{ContextPath, context_under};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;
use crate::outcome::{IdState, outcomes};

/// Moves agents to a group of their site. The policy of the group then applies to them.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveAgent {
    /// Group ID.
    pub group_id: String,
    /// Agent IDs.
    pub agents_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for MoveAgent {
    const INFO: CommandInfo = CommandInfo {
        name: "move-agent",
        full_name: "sentinelone-move-agent",
        topic: Topic::Agents,
        summary: "Move agents to a group",
        example: "s1 move-agent --agents-ids 440000000000000002 --group-id 430000000000000001",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["groups_move_agents"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::computed(
            "SentinelOne.Agent.AgentsMoved",
            "Number",
            "Number of moved agents; null if unknown",
        ),
        ContextPath::computed(
            "SentinelOne.Agent.AffectedAgents",
            "Boolean",
            "Whether any agent was moved; null if unknown",
        )
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("group_id", ArgumentKind::String, "ID of the group.").required(),
            // Without IDs, the console would move all agents in scope.
            Argument::new("agents_ids", ArgumentKind::List, "Agent IDs.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            group_id: arguments.required("group_id")?.trim().to_owned(),
            agents_ids: arguments.required_list("agents_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        batch_requests(self, ("agents_ids", &self.agents_ids), AgentFilter::FIELDS, |ids| {
            raw::move_agents(&self.group_id, &GroupsMoveAgentsRequest::new(AgentFilter::default().ids(ids)))
        })
    }

    // The response has the count in the member `agentsMoved`.
    async fn run(&self, client: &Client) -> Result<Outcome> {
        let mut outcome = Outcome::new(Value::Null, Value::Null);
        let (mut sent, mut reported) = (0, None);
        for request in self.requests(client.api_version())? {
            let ids = requested_ids(&request);
            if outcome.failure.is_some() {
                outcome.results.extend(ids.into_iter().map(|id| without_detail(id, IdState::NotAffected)));
                continue;
            }
            match client.send(&request).await {
                Ok(response) => {
                    let body = response.json();
                    let moved = body.pointer("/data/agentsMoved").and_then(Value::as_u64);
                    outcome.results.extend(outcomes(&ids, &json!({ "data": { "affected": moved } })));
                    outcome.add_diagnostics(&response);
                    outcome.affected = match (outcome.affected, moved) {
                        (Some(before), Some(now)) => Some(before.saturating_add(now)),
                        (None, now) if sent == 0 => now,
                        _ => None,
                    };
                    reported = moved.map(|moved| moved.saturating_add(reported.unwrap_or(0))).or(reported);
                    // An empty response does not replace the earlier ones.
                    if !body.is_null() {
                        merge_response(&mut outcome.response, body);
                    }
                    sent += 1;
                }
                Err(error) if sent == 0 => return Err(error),
                Err(error) => {
                    let state =
                        if error.may_have_taken_effect() { IdState::Unknown } else { IdState::NotAffected };
                    outcome.results.extend(ids.into_iter().map(|id| without_detail(id, state)));
                    if state == IdState::Unknown {
                        outcome.affected = None;
                    }
                    outcome.failure = Some(error);
                }
            }
        }
        if let Some(reported) = reported.filter(|_| sent > 1) {
            set_path(&mut outcome.response, "data.agentsMoved", json!(reported));
        }
        let moved = outcome.affected;
        let any = moved.map(|moved| moved > 0);
        outcome.context = context_under(PREFIX, json!({ "AgentsMoved": moved, "AffectedAgents": any }));
        Ok(outcome)
    }
}
