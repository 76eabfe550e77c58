//! `sentinelone-delete-group`: deletes a group.

use sentinelone_raw::groups as raw;
use sentinelone_raw::runtime::ApiVersion;
use serde_json::json;

use super::support::batch_action::success_outcome;
use super::support::batched_lists::required_id;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::support::single::run_single_action;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::outcome::IdState;

/// Deletes a group. Its agents move to another group of the site.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteGroup {
    /// Group ID.
    pub group_id: String,
}

const PREFIX: &str = "SentinelOne.DeleteGroup";

impl Command for DeleteGroup {
    const INFO: CommandInfo = CommandInfo {
        name: "delete-group",
        full_name: "sentinelone-delete-group",
        topic: Topic::Console,
        summary: "Delete a group",
        example: "s1 delete-group --group-id 430000000000000004",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["groups_delete"],
    };

    const OUTPUTS: &'static [ContextPath] =
        &[ContextPath::computed("SentinelOne.DeleteGroup.Success", "String", "Message about the result")];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("group_id", ArgumentKind::String, "ID of the group.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { group_id: required_id(arguments, "group_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![raw::delete(&self.group_id)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let mut outcome =
            run_single_action(client, actions, |response| success_outcome(&self.group_id, response)).await?;
        let id = &self.group_id;
        let message = match outcome.results.first().map(|result| result.state) {
            Some(state) if state.is_success() => format!("Group {id} was deleted"),
            Some(IdState::NotAffected) => format!("Group {id} was not deleted"),
            _ => format!("Whether group {id} was deleted is unknown"),
        };
        outcome.context = context_under(PREFIX, json!({ "Success": message }));
        Ok(outcome)
    }
}
