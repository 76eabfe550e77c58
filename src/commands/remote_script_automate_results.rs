//! `sentinelone-remote-script-automate-results`: a script runs, and the files that it gave are fetched.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sentinelone_raw::remote_scripts::{self as raw, RemoteScriptsListTasksQuery, ScriptOutputDestination};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::{Value, json};

use super::context::Output;
use super::scripts::{
    RESULT_OUTPUTS, STARTED_OUTPUTS, Wanted, fetch_results, folder_argument, parent_task, result_requests,
    start, text,
};
use super::wait::{Look, Patience, seconds};
use super::{
    Argument, ArgumentError, ArgumentKind, Arguments, Command, Event, Info, Outcome, RunRemoteScript, Silent,
    Watch,
};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::error::Error;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::sized;

/// Runs a script, waits until it is over on every endpoint, and fetches the files that it gave. Or waits for
/// one that was started before.
#[derive(Clone, Debug)]
pub struct RemoteScriptAutomateResults {
    /// The script and how to run it.
    pub script: RunRemoteScript,
    /// Between two looks.
    pub interval: Duration,
    /// How long to wait in all.
    pub timeout: Duration,
    /// The parent task of a run that was started before: that is waited for, and nothing is run.
    pub parent_task_id: Option<String>,
    /// Where the files go.
    pub folder: PathBuf,
}

impl RemoteScriptAutomateResults {
    /// Between two looks, where nothing else is said.
    pub const INTERVAL: Duration = Duration::from_secs(60);

    /// How long to wait, where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(600);
}

impl Command for RemoteScriptAutomateResults {
    const INFO: Info = Info {
        name: "remote-script-automate-results",
        full_name: "sentinelone-remote-script-automate-results",
        summary: "Run a script on endpoints, wait for it, and fetch the files that it gave",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["remote_scripts_execute", "remote_scripts_fetch_results", "remote_scripts_list_tasks"],
    };

    const OUTPUTS: &'static [Output] = &{
        let [task, name, url] = RESULT_OUTPUTS;
        let [pending_id, pending, affected, parent] = STARTED_OUTPUTS;
        [
            task,
            name,
            url,
            pending_id.no_column().undocumented(),
            pending.no_column().undocumented(),
            affected.no_column().undocumented(),
            parent.no_column().undocumented(),
        ]
    };

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, Text};
        let mut arguments = RunRemoteScript::arguments();
        arguments.extend([
            Argument::new("interval", Integer, "Seconds between two looks.").default("60"),
            Argument::new("timeout", Integer, "Seconds to wait in all.").default("600"),
            Argument::new(
                "parent_task_id",
                Text,
                "Parent task of a run that was started before. That run is waited for, and nothing is run.",
            ),
            folder_argument(),
        ]);
        arguments
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            script: RunRemoteScript::read(arguments)?,
            interval: seconds(arguments, "interval", Self::INTERVAL)?,
            timeout: seconds(arguments, "timeout", Self::TIMEOUT)?,
            parent_task_id: arguments.text("parent_task_id")?.map(|id| id.trim().to_owned()),
            folder: arguments.text("folder")?.unwrap_or_else(|| ".".into()).into(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        match &self.parent_task_id {
            Some(parent) => Ok(vec![tasks_of(parent)?.answering()]),
            None => self.script.requests_of(self),
        }
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let mut outcome = Outcome::found(json!({ "data": {} }), json!({}));
        let parent = match &self.parent_task_id {
            Some(parent) => parent.clone(),
            None => {
                outcome = start(client, self.requests(client.api_version())?).await?;
                let execution = outcome.answer.get("data").cloned().unwrap_or_default();
                outcome.answer = json!({ "data": { "execution": execution } });
                let parent = parent_task(&execution);
                if let Some(value) = parent.clone() {
                    watch.on(Event::Started { argument: "parent_task_id", value });
                }
                match parent {
                    Some(parent) if outcome.affected != Some(0) => parent,
                    // Without a parent task the tasks of all runs there ever were would be listed.
                    parent => {
                        outcome.failure = Some(not_started(&execution, parent.as_deref()));
                        return Ok(outcome);
                    }
                }
            }
        };
        let seen = Mutex::new(Vec::new());
        let ended = self.wait(client, watch, &parent, outcome.affected.unwrap_or(0), &seen).await;
        let tasks = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failure = match ended {
            Ok(Some(())) => return self.finish(client, watch, outcome, tasks).await,
            Ok(None) => {
                let resume = format!(
                    "the script may still run: go on with parent_task_id={parent}, which runs nothing anew"
                );
                Error::deadline(&raw::LIST_TASKS, resume)
            }
            Err(error) => error,
        };
        // What was started here, and what ended before that, is not lost with what went wrong.
        if tasks.is_empty() && self.parent_task_id.is_some() {
            return Err(failure);
        }
        if tasks.is_empty() {
            for one in outcome.ids.iter_mut().filter(|one| one.state == IdState::Done) {
                one.state = IdState::Unknown;
            }
        } else {
            outcome = self.finish(client, watch, outcome, tasks).await?;
        }
        Ok(Outcome { failure: Some(failure), ..outcome })
    }
}

impl RemoteScriptAutomateResults {
    /// Waits until each task of the run is over, and there are as many as the console said; `None` when the
    /// time is over. The tasks are those of the last look.
    async fn wait(
        &self,
        client: &Client,
        watch: &dyn Watch,
        parent: &str,
        expected: u64,
        seen: &Mutex<Vec<Value>>,
    ) -> Result<Option<()>> {
        let request = &tasks_of(parent)?;
        let look = || async move {
            let tasks = client.items(request.clone()).collect().await?;
            let over = tasks.iter().filter(|task| is_over(&status(task))).count();
            let all = tasks.len().max(usize::try_from(expected).unwrap_or(usize::MAX));
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
            Ok(if over > 0 && over == all {
                Look::Found(())
            } else {
                Look::NotYet(format!("{over} of {all} tasks are over"))
            })
        };
        Patience::steady(self.interval, self.timeout).until(watch, look).await
    }

    /// Fetches the files of the tasks that have any.
    async fn finish(
        &self,
        client: &Client,
        watch: &dyn Watch,
        mut outcome: Outcome,
        tasks: Vec<Value>,
    ) -> Result<Outcome> {
        self.tell(&mut outcome, &tasks);
        let with_results = tasks.iter().filter(|task| has_results(&status(task)));
        let ids: Vec<String> = with_results.filter_map(|task| text(task, "id")).collect();
        if ids.is_empty() {
            let mut counts = BTreeMap::new();
            tasks.iter().for_each(|task| *counts.entry(status(task)).or_insert(0_u64) += 1);
            let counts: Vec<_> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
            let message = format!("no task has results: {}", counts.join(", "));
            let advice = "get-remote-script-task-status has the detailed status of each";
            outcome.failure = Some(Error::ended(&raw::LIST_TASKS, message, advice));
        }
        put(&mut outcome.answer, "data.tasks", Value::Array(tasks));
        if outcome.failure.is_some() {
            return Ok(outcome);
        }
        // Other destinations than the cloud give no files to fetch here; what there is is fetched all the same.
        let certain = self.script.output_destination == ScriptOutputDestination::SentinelCloud;
        let expected = if certain { ids.as_slice() } else { &[] };
        let requests = result_requests(Self::INFO.name, &ids, &[])?;
        let wanted = Wanted { folder: &self.folder, tasks: expected };
        match fetch_results(client, watch, &requests, wanted).await {
            Ok(results) => {
                put(
                    &mut outcome.answer,
                    "data.results",
                    results.answer.get("data").cloned().unwrap_or_default(),
                );
                if let Some(found) = results.context.pointer("/SentinelOne/RemoteScriptResults") {
                    put(&mut outcome.context, "SentinelOne.RemoteScriptResults", found.clone());
                }
                outcome.errors.extend(results.errors);
                outcome.files = results.files;
                outcome.failure = results.failure;
            }
            Err(error) => outcome.failure = Some(error),
        }
        Ok(outcome)
    }

    /// What the tasks say of each agent, in the place of what the count of started ones said.
    fn tell(&self, outcome: &mut Outcome, tasks: &[Value]) {
        let told = |agent: &str, task: &Value| {
            let status = status(task);
            let state = match status.as_str() {
                "completed" => IdState::Done,
                "partially_completed" => IdState::Partly,
                "expired" => IdState::NotAffected,
                // How far the script got before it failed or was ended is not known.
                _ => IdState::Unknown,
            };
            let detail = match text(task, "detailedStatus") {
                Some(detail) => format!("{status}: {detail}"),
                None => status,
            };
            IdOutcome { id: agent.to_owned(), state, detail: Some(detail) }
        };
        let untold = |agent: &String| {
            let before = outcome.ids.iter().find(|one| one.id == *agent);
            let unnamed = tasks.iter().any(|task| text(task, "agentId").is_none());
            // Without a count, which only the start gives, its task may still be to come.
            let unsure = unnamed || outcome.affected.is_none();
            let state = if unsure { IdState::Unknown } else { IdState::NotAffected };
            let detail = before.and_then(|one| one.detail.clone()).unwrap_or_else(|| "no task".into());
            IdOutcome { id: agent.clone(), state, detail: Some(detail) }
        };
        let mut by_agent = HashMap::new();
        let mut agents = self.script.agent_ids.clone();
        for task in tasks {
            if let Some(agent) = text(task, "agentId") {
                agents.push(agent.clone());
                by_agent.entry(agent).or_insert(task);
            }
        }
        let mut seen = HashSet::new();
        agents.retain(|agent| seen.insert(agent.clone()));
        let tell =
            |agent: &String| by_agent.get(agent).map_or_else(|| untold(agent), |task| told(agent, task));
        let ids = agents.iter().map(tell).collect();
        outcome.ids = ids;
    }
}

fn tasks_of(parent: &str) -> Result<Request<Page<Value>>> {
    let query = RemoteScriptsListTasksQuery::default().parent_task_id(parent);
    Ok(sized(raw::list_tasks(&query)?.answering(), None)?)
}

fn status(task: &Value) -> String {
    text(task, "status").unwrap_or_else(|| "unknown".into())
}

fn has_results(status: &str) -> bool {
    matches!(status, "completed" | "partially_completed")
}

fn is_over(status: &str) -> bool {
    has_results(status) || matches!(status, "failed" | "canceled" | "expired")
}

/// Why there is nothing to wait for after a script was to be run.
fn not_started(execution: &Value, parent: Option<&str>) -> Error {
    let pending = text(execution, "pendingExecutionId");
    let (message, advice) = match (parent, pending) {
        (Some(parent), _) => (
            format!("the script runs on no agent (parent_task_id={parent})"),
            "check that the agents are in the accounts, and that they can run the script",
        ),
        (None, Some(id)) => (
            format!("the run waits for approval: pendingExecutionId={id}"),
            "have it approved on the console, and go on with the parent_task_id that it gets then",
        ),
        (None, None) if execution.get("pending") == Some(&Value::Bool(true)) => (
            "the run waits for approval, and the console gave no pendingExecutionId".to_owned(),
            "have it approved on the console, and go on with the parent_task_id that it gets then",
        ),
        (None, None) => (
            "the console gave no parent task, by which the tasks are found".to_owned(),
            "the script may run: look at the console before running it again",
        ),
    };
    Error::ended(&raw::EXECUTE, message, advice)
}
