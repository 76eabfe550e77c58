//! `sentinelone-remote-script-automate-results`: runs a script and downloads its result files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use sentinelone_raw::remote_scripts::{self as raw, RemoteScriptsListTasksQuery, ScriptOutputDestination};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::run_remote_script::script_requests;
use super::support::error_text::error_about;
use super::support::execution::{ProgressEvent, ProgressObserver, Requests, first_request};
use super::support::polling::{PollPolicy, PollStatus};
use super::support::remote_scripts::{
    ResultSelection, fetch_results, parent_task, result_requests, start_script, string_member,
};
use super::{CommandDeclaration, GetRemoteScriptTaskResults, Outcome, RemoteScriptAutomateResults};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::json_path::{get_path, set_path};
use crate::outcome::{IdOutcome, IdState};
use crate::paging::with_page_size;

impl Behavior for RemoteScriptAutomateResults {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        match &self.parent_task_id {
            Some(parent) => Ok(vec![tasks_request(parent)?.with_response_type()]),
            None => script_requests(&self.script, Self::INFO.name),
        }
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let mut outcome = Outcome::new(json!({ "data": {} }), json!({}));
        let (list, parent) = match &self.parent_task_id {
            Some(parent) => (first_request(requests), parent.clone()),
            None => {
                outcome = start_script(client, requests).await?;
                let execution = outcome.response.get("data").cloned().unwrap_or_default();
                outcome.response = json!({ "data": { "execution": execution } });
                let parent = parent_task(&execution);
                if let Some(value) = parent.clone() {
                    observer.on_event(ProgressEvent::Started { argument: "parent_task_id", value });
                }
                match parent {
                    Some(parent) if outcome.affected != Some(0) => (tasks_request(&parent), parent),
                    // Without a parent task the request would list the tasks of all runs.
                    parent => {
                        outcome.failure = Some(not_started(&execution, parent.as_deref()));
                        return Ok(outcome);
                    }
                }
            }
        };
        let last_tasks = Mutex::new(Vec::new());
        let ended = wait(self, (client, observer), list, outcome.affected.unwrap_or(0), &last_tasks).await;
        let tasks = last_tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failure = match ended {
            Ok(Some(())) => return finish(self, client, observer, outcome, tasks).await,
            Ok(None) => {
                let resume = format!("the script may still run; resume with parent_task_id={parent}");
                Error::wait_timeout(&raw::LIST_TASKS, resume)
            }
            Err(error) => error,
        };
        // The outcome keeps a started run and its finished tasks.
        if tasks.is_empty() && self.parent_task_id.is_some() {
            return Err(failure);
        }
        if tasks.is_empty() {
            for result in outcome.results.iter_mut().filter(|result| result.state == IdState::Done) {
                result.state = IdState::Unknown;
            }
        } else {
            outcome = finish(self, client, observer, outcome, tasks).await?;
        }
        Ok(Outcome { failure: Some(failure), ..outcome })
    }
}

/// Polls until all tasks of the run have ended and there are at least `expected`. Returns `None` on a timeout.
/// `last_tasks` holds the tasks of the last poll.
async fn wait(
    command: &RemoteScriptAutomateResults,
    (client, observer): (&Client, &dyn ProgressObserver),
    list: Result<Request<Page<Value>>>,
    expected: u64,
    last_tasks: &Mutex<Vec<Value>>,
) -> Result<Option<()>> {
    let list = &list?;
    let poll = || async move {
        let tasks = client.items(list.clone()).collect().await?;
        let ended = tasks.iter().filter(|task| has_ended(&status(task))).count();
        let all = tasks.len().max(usize::try_from(expected).unwrap_or(usize::MAX));
        *last_tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(if ended > 0 && ended == all {
            PollStatus::Ready(())
        } else {
            PollStatus::Pending(format!("{ended} of {all} tasks ended"))
        })
    };
    PollPolicy::fixed(command.interval, command.timeout).poll(observer, poll).await
}

/// Adds the tasks to the outcome and downloads their result files.
async fn finish(
    command: &RemoteScriptAutomateResults,
    client: &Client,
    observer: &dyn ProgressObserver,
    mut outcome: Outcome,
    tasks: Vec<Value>,
) -> Result<Outcome> {
    set_results(command, &mut outcome, &tasks);
    let with_results = tasks.iter().filter(|task| has_results(&status(task)));
    let ids: Vec<String> = with_results.filter_map(|task| string_member(task, "id")).collect();
    if ids.is_empty() {
        let mut counts = BTreeMap::new();
        tasks.iter().for_each(|task| *counts.entry(status(task)).or_insert(0_u64) += 1);
        let counts: Vec<_> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let message = format!("no task has results: {}", counts.join(", "));
        // The results are those of agents. A task without an agent has its reason here only.
        let without_agent = tasks.iter().filter(|task| string_member(task, "agentId").is_none());
        outcome.errors.extend(without_agent.map(|task| {
            error_about(&format!("task {}", string_member(task, "id").unwrap_or_default()), describe(task))
        }));
        let help = "run get-remote-script-task-status for the detailed status of each task";
        outcome.failure = Some(Error::no_result(&raw::LIST_TASKS, message, help));
    }
    set_path(&mut outcome.response, "data.tasks", Value::Array(tasks));
    if outcome.failure.is_some() {
        return Ok(outcome);
    }
    // Destinations other than the cloud may have no files to download, so none is required.
    let requires_files = command.script.output_destination == ScriptOutputDestination::SentinelCloud;
    let expected = if requires_files { ids.as_slice() } else { &[] };
    let requests = result_requests(RemoteScriptAutomateResults::INFO.name, &ids, &[])?;
    let selection = ResultSelection { dir: &command.dir, tasks: expected, argument: None };
    match fetch_results(client, observer, requests, selection).await {
        Ok(results) => {
            set_path(
                &mut outcome.response,
                "data.results",
                results.response.get("data").cloned().unwrap_or_default(),
            );
            let path = GetRemoteScriptTaskResults::INFO.context;
            if let Some(found) = get_path(&results.context, path) {
                set_path(&mut outcome.context, path, found.clone());
            }
            outcome.errors.extend(results.errors);
            outcome.files = results.files;
            outcome.failure = results.failure;
        }
        Err(error) => outcome.failure = Some(error),
    }
    Ok(outcome)
}

/// Replaces the results of the start by those of the tasks.
fn set_results(command: &RemoteScriptAutomateResults, outcome: &mut Outcome, tasks: &[Value]) {
    let task_result = |agent: &str, task: &Value| {
        let status = status(task);
        let state = match status.as_str() {
            "completed" => IdState::Done,
            "partially_completed" => IdState::Partial,
            "expired" => IdState::NotAffected,
            // The effect of a script that failed or was canceled is unknown.
            _ => IdState::Unknown,
        };
        IdOutcome { id: agent.to_owned(), state, detail: Some(describe(task)) }
    };
    let missing_result = |agent: &String| {
        let before = outcome.results.iter().find(|result| result.id == *agent);
        let without_agent = tasks.iter().any(|task| string_member(task, "agentId").is_none());
        // Without the count of the start, the task of the agent may still follow.
        let is_unknown = without_agent || outcome.affected.is_none();
        let state = if is_unknown { IdState::Unknown } else { IdState::NotAffected };
        let detail = before.and_then(|result| result.detail.clone()).unwrap_or_else(|| "no task".into());
        IdOutcome { id: agent.clone(), state, detail: Some(detail) }
    };
    let mut by_agent = HashMap::new();
    let mut agents = command.script.agent_ids.clone();
    for task in tasks {
        if let Some(agent) = string_member(task, "agentId") {
            agents.push(agent.clone());
            by_agent.entry(agent).or_insert(task);
        }
    }
    let mut unique = HashSet::new();
    agents.retain(|agent| unique.insert(agent.clone()));
    let result = |agent: &String| {
        by_agent.get(agent).map_or_else(|| missing_result(agent), |task| task_result(agent, task))
    };
    let ids = agents.iter().map(result).collect();
    outcome.results = ids;
}

fn tasks_request(parent: &str) -> Result<Request<Page<Value>>> {
    let query = RemoteScriptsListTasksQuery::default().parent_task_id(parent);
    Ok(with_page_size(raw::list_tasks(&query)?.with_response_type(), None)?)
}

fn status(task: &Value) -> String {
    string_member(task, "status").unwrap_or_else(|| "unknown".into())
}

/// Returns the status of a task with the descriptions of the console.
fn describe(task: &Value) -> String {
    let mut parts = vec![status(task)];
    for name in ["detailedStatus", "statusDescription"] {
        parts.extend(string_member(task, name).filter(|text| !parts.contains(text)));
    }
    parts.join(": ")
}

fn has_results(status: &str) -> bool {
    matches!(status, "completed" | "partially_completed")
}

fn has_ended(status: &str) -> bool {
    has_results(status) || matches!(status, "failed" | "canceled" | "expired")
}

/// Returns the error for a run without tasks to wait for.
fn not_started(execution: &Value, parent: Option<&str>) -> Error {
    let pending = string_member(execution, "pendingExecutionId");
    let (message, help) = match (parent, pending) {
        (Some(parent), _) => (
            format!("the script runs on no agent (parent_task_id={parent})"),
            "check that the agents are in the accounts and can run the script",
        ),
        (None, Some(id)) => (
            format!("the run waits for approval: pendingExecutionId={id}"),
            "approve the run on the console, then resume with its parent_task_id",
        ),
        (None, None) if execution.get("pending") == Some(&Value::Bool(true)) => (
            "the run waits for approval, and the console returned no pendingExecutionId".to_owned(),
            "approve the run on the console, then resume with its parent_task_id",
        ),
        (None, None) => (
            "the console returned no parent task ID".to_owned(),
            "the script may be running; check the console before you run it again",
        ),
    };
    Error::no_result(&raw::EXECUTE, message, help)
}
