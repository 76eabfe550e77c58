//! `sentinelone-get-remote-script-task-results`: downloads the result files of script tasks.

use std::path::PathBuf;

use sentinelone_raw::runtime::ApiVersion;

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::remote_scripts::{
    RESULT_OUTPUTS, ResultSelection, dir_argument, fetch_results, result_requests,
};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Downloads the result files of script tasks.
///
/// A task without a file and without an error is not found: it does not exist, has no result, or is excluded by the
/// computer names.
#[derive(Clone, Debug, PartialEq)]
pub struct GetRemoteScriptTaskResults {
    /// Computer names or substrings of them.
    pub computer_names: Vec<String>,
    /// Task IDs.
    pub task_ids: Vec<String>,
    /// Output directory.
    pub dir: PathBuf,
}

impl Command for GetRemoteScriptTaskResults {
    const INFO: CommandInfo = CommandInfo {
        name: "get-remote-script-task-results",
        full_name: "sentinelone-get-remote-script-task-results",
        topic: Topic::RemoteScripts,
        summary: "Download the result files of script tasks",
        example: "s1 get-remote-script-task-results --task-ids 580000000000000001 --dir results",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["remote_scripts_fetch_results"],
    };

    const OUTPUTS: &'static [ContextPath] = &RESULT_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::List;
        vec![
            Argument::new("computer_names", List, "Computer names or substrings of them."),
            Argument::new("task_ids", List, "Task IDs.").required(),
            dir_argument(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            computer_names: arguments.list("computer_names")?.unwrap_or_default(),
            task_ids: arguments.required_list("task_ids")?,
            dir: arguments.string("dir")?.unwrap_or_else(|| ".".into()).into(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        result_requests(Self::INFO.name, &self.task_ids, &self.computer_names)
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let selection = ResultSelection { dir: &self.dir, tasks: &self.task_ids, argument: Some("task_ids") };
        fetch_results(client, observer, requests, selection).await
    }
}
