//! `sentinelone-move-agent`: agents into another group.

use sentinelone_raw::agents::AgentFilter;
use sentinelone_raw::groups::{self as raw, AgentMove};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::{Value, json};

use super::act::{asked_ids, join, requests, without_answer};
use super::context::{Output, under};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::outcome::{IdState, outcomes};

/// Moves agents into a group of their site, whose policy then applies to them.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveAgent {
    /// The group.
    pub group_id: String,
    /// The agents.
    pub agents_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agent";

impl Command for MoveAgent {
    const INFO: Info = Info {
        name: "move-agent",
        full_name: "sentinelone-move-agent",
        summary: "Move agents into a group",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: true,
        operations: &["groups_move_agents"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::computed(
            "SentinelOne.Agent.AgentsMoved",
            "Number",
            "How many agents were moved; null when nobody knows",
        ),
        Output::computed(
            "SentinelOne.Agent.AffectedAgents",
            "Boolean",
            "Whether any agent was moved; null when nobody knows",
        )
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("group_id", ArgumentKind::Text, "Identifier of the group.").required(),
            // Without any, the console would move every agent in scope.
            Argument::new("agents_ids", ArgumentKind::List, "Identifiers of the agents to move.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            group_id: arguments.required("group_id")?.trim().to_owned(),
            agents_ids: arguments.required_list("agents_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("agents_ids", &self.agents_ids), AgentFilter::FIELDS, |ids| {
            raw::move_agents(&self.group_id, &AgentMove::new(AgentFilter::default().ids(ids)))
        })
    }

    /// Its answer counts under a name of its own.
    async fn run(&self, client: &Client) -> Result<Outcome> {
        let mut outcome = Outcome::found(Value::Null, Value::Null);
        let (mut sent, mut told) = (0, None);
        for request in self.requests(client.api_version())? {
            let asked = asked_ids(&request);
            if outcome.failure.is_some() {
                outcome.ids.extend(asked.into_iter().map(|id| without_answer(id, IdState::NotAffected)));
                continue;
            }
            match client.send(&request).await {
                Ok(answer) => {
                    let body = answer.json();
                    let moved = body.pointer("/data/agentsMoved").and_then(Value::as_u64);
                    outcome.ids.extend(outcomes(&asked, &json!({ "data": { "affected": moved } })));
                    outcome.errors.extend_from_slice(answer.vendor_errors());
                    outcome.affected = match (outcome.affected, moved) {
                        (Some(before), Some(now)) => Some(before.saturating_add(now)),
                        (None, now) if sent == 0 => now,
                        _ => None,
                    };
                    told = moved.map(|moved| moved.saturating_add(told.unwrap_or(0))).or(told);
                    // An answer without a body takes nothing from those before it.
                    if !body.is_null() {
                        join(&mut outcome.answer, body);
                    }
                    sent += 1;
                }
                Err(error) if sent == 0 => return Err(error),
                Err(error) => {
                    let state = if error.may_have_acted() { IdState::Unknown } else { IdState::NotAffected };
                    outcome.ids.extend(asked.into_iter().map(|id| without_answer(id, state)));
                    if state == IdState::Unknown {
                        outcome.affected = None;
                    }
                    outcome.failure = Some(error);
                }
            }
        }
        if let Some(told) = told.filter(|_| sent > 1) {
            put(&mut outcome.answer, "data.agentsMoved", json!(told));
        }
        let moved = outcome.affected;
        let any = moved.map(|moved| moved > 0);
        outcome.context = under(PREFIX, json!({ "AgentsMoved": moved, "AffectedAgents": any }));
        Ok(outcome)
    }
}
