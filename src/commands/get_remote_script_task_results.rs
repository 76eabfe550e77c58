//! `sentinelone-get-remote-script-task-results`: the files that the tasks of a script gave.

use std::path::PathBuf;

use sentinelone_raw::remote_scripts::ScriptResults;
use sentinelone_raw::runtime::{ApiVersion, Data, Request};
use serde_json::Value;

use super::context::Output;
use super::scripts::{RESULT_OUTPUTS, Wanted, fetch_results, folder_argument, result_requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

/// Fetches the files that tasks of scripts gave.
#[derive(Clone, Debug, PartialEq)]
pub struct GetRemoteScriptTaskResults {
    /// Names of computers, whole or in part.
    pub computer_names: Vec<String>,
    /// The tasks.
    pub task_ids: Vec<String>,
    /// Where the files go.
    pub folder: PathBuf,
}

impl Command for GetRemoteScriptTaskResults {
    const INFO: Info = Info {
        name: "get-remote-script-task-results",
        full_name: "sentinelone-get-remote-script-task-results",
        summary: "Fetch the files that the tasks of a script gave",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["remote_scripts_fetch_results"],
    };

    const OUTPUTS: &'static [Output] = &RESULT_OUTPUTS;

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::List;
        vec![
            Argument::new("computer_names", List, "Names of computers that ran scripts, whole or in part."),
            Argument::new("task_ids", List, "Tasks whose files are wanted, by identifier.").required(),
            folder_argument(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            computer_names: arguments.list("computer_names")?.unwrap_or_default(),
            task_ids: arguments.required_list("task_ids")?,
            folder: arguments.text("folder")?.unwrap_or_else(|| ".".into()).into(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.links()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        // With names beside them, tasks of other computers may be meant to give nothing.
        let tasks = if self.computer_names.is_empty() { self.task_ids.as_slice() } else { &[] };
        let wanted = Wanted { folder: &self.folder, tasks };
        fetch_results(client, watch, &self.links()?, wanted).await
    }
}

impl GetRemoteScriptTaskResults {
    fn links(&self) -> Result<Vec<Request<Data<ScriptResults>>>> {
        result_requests(Self::INFO.name, &self.task_ids, &self.computer_names)
    }
}
