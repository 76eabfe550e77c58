//! `sentinelone-get-remote-script-task-status`: lists the tasks of a script run.

use sentinelone_raw::runtime::ApiVersion;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batched_lists::read_lists;
use super::support::execution::Requests;
use super::support::list_command::{effective_limit, list_requests};
use super::support::list_entries::ContextEntries;
use super::support::requested_ids::RequestedIds;
use super::{CommandDeclaration, GetRemoteScriptTaskStatus, Outcome};
use crate::Result;

impl Behavior for GetRemoteScriptTaskStatus {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let scopes = [&self.account_ids, &self.site_ids, &self.group_ids];
        if self.tenant == Some(true) && scopes.iter().any(|ids| !ids.is_empty()) {
            let message = "cannot be used with account_ids, site_ids or group_ids";
            return Err(argument_error(Self::INFO.name, "tenant", message));
        }
        list_requests(self)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let requested = requested_ids(self);
        let (limit, entries) = (effective_limit(self), ContextEntries::of::<Self>());
        read_lists((client, observer, &requested), requests, limit, None, entries).await
    }
}

/// Returns the identifiers to look for in the tasks. A count lists no task.
fn requested_ids(command: &GetRemoteScriptTaskStatus) -> RequestedIds {
    if command.count_only == Some(true) {
        return RequestedIds::default();
    }
    // A run without tasks that match the other filters may exist.
    let mut without_limit = command.clone();
    without_limit.limit = None;
    match without_limit == GetRemoteScriptTaskStatus::new(&command.parent_task_id) {
        true => RequestedIds::of(command),
        false => RequestedIds::of(command).without("parent_task_id"),
    }
}
