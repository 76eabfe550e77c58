//! `sentinelone-run-remote-script`: runs a script of the library on endpoints.

use sentinelone_raw::agents::AgentFilter;
use sentinelone_raw::remote_scripts::{self as raw, RemoteScriptsExecuteData, RemoteScriptsExecuteRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batch_action::batch_requests;
use super::support::execution::Requests;
use super::support::remote_scripts::{elevation_request, start_script};
use super::{CommandDeclaration, Outcome, RunRemoteScript};
use crate::Result;

impl Behavior for RunRemoteScript {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        script_requests(self, Self::INFO.name)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        start_script(run.client, run.requests).await
    }
}

/// Returns the request that starts the script, for `command`, after the one that elevates the session if there is a
/// code.
pub(super) fn script_requests(script: &RunRemoteScript, command: &'static str) -> Result<Requests> {
    let ids = ("agent_ids", script.agent_ids.as_slice());
    let requests = batch_requests(command, ids, AgentFilter::FIELDS, |ids| {
        let mut data = RemoteScriptsExecuteData::new(
            script.output_destination.clone(),
            script.script_id.as_str(),
            script.task_description.as_str(),
        );
        data.output_directory = script.output_directory.clone();
        data.singularityxdr_keyword = script.singularity_xdr_keyword.clone();
        data.singularityxdr_url = script.singularity_xdr_url.clone();
        data.api_key = script.api_key.as_ref().map(Into::into);
        data.input_params = script.input_params.clone();
        data.password = script.password.as_ref().map(Into::into);
        data.script_runtime_timeout_seconds = Some(script.script_runtime_timeout_seconds);
        data.requires_approval = Some(script.requires_approval);
        let filter = AgentFilter::default().account_ids(&script.account_ids).ids(ids);
        raw::execute(&RemoteScriptsExecuteRequest::new(filter).data(data))
    })?;
    if requests.len() > 1 {
        // Each request would be a separate run with its own parent task.
        let message = "exceeds the maximum of one run; run the script several times with fewer agents";
        return Err(argument_error(command, "agent_ids", message));
    }
    let elevation = script.protected_actions_code.as_ref().map(elevation_request).transpose()?;
    Ok(elevation.into_iter().chain(requests).collect())
}
