//! `sentinelone-delete-group`: deletes a group.

use sentinelone_raw::groups as raw;
use sentinelone_raw::runtime::ApiVersion;
use serde_json::json;

use super::command::{Behavior, Run};
use super::support::batch_action::success_outcome;
use super::support::context_entry::context_under;
use super::support::execution::Requests;
use super::support::single::run_single_action;
use super::{CommandDeclaration, DeleteGroup, Outcome};
use crate::Result;
use crate::outcome::IdState;

impl Behavior for DeleteGroup {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![raw::delete(&self.group_id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let mut outcome =
            run_single_action(run, |response| success_outcome(&self.group_id, response)).await?;
        let id = &self.group_id;
        let message = match outcome.results.first().map(|result| result.state) {
            Some(state) if state.is_success() => format!("Group {id} was deleted"),
            Some(IdState::NotAffected) => format!("Group {id} was not deleted"),
            _ => format!("Whether group {id} was deleted is unknown"),
        };
        outcome.context = context_under(Self::INFO.context, json!({ "Success": message }));
        Ok(outcome)
    }
}
