//! `sentinelone-get-remote-script-task-results`: downloads the result files of script tasks.

use sentinelone_raw::runtime::ApiVersion;

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::remote_scripts::{ResultSelection, fetch_results, result_requests};
use super::{CommandDeclaration, GetRemoteScriptTaskResults, Outcome};
use crate::Result;

impl Behavior for GetRemoteScriptTaskResults {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        result_requests(Self::INFO.name, &self.task_ids, &self.computer_names)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let selection = ResultSelection { dir: &self.dir, tasks: &self.task_ids, argument: Some("task_ids") };
        fetch_results(client, observer, requests, selection).await
    }
}
