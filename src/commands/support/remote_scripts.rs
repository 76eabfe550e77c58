//! Remote scripts: start a run and fetch the result files.

use std::collections::HashSet;
use std::path::Path;

use secrecy::SecretString;
use sentinelone_raw::remote_scripts::{
    self as raw, RemoteScriptsFetchResultsData, RemoteScriptsFetchResultsRequest, ScriptResults,
};
use sentinelone_raw::runtime::{Data, Fields, Request};
use sentinelone_raw::users::{self, ELEVATE_SESSION, ElevateSessionData, UsersElevateSessionRequest};
use serde_json::Value;

use super::batch_action::{merge_response, run_action};
use super::batched_lists::non_empty;
use super::context_entry::{context_under, entry};
use super::error_text::error_about;
use super::execution::Requests;
use super::ids::unique;
use super::list_pages::entries;
use crate::Result;
use crate::client::Client;
use crate::commands::argument_error::argument_error;
use crate::commands::{
    CommandDeclaration, GetRemoteScriptTaskResults, NotFound, Outcome, ProgressEvent, ProgressObserver,
    RunRemoteScript,
};
use crate::files::{SavedFile, safe_name};
use crate::outcome::IdState;

/// Returns the request that elevates the session of the token's user with a verification code.
pub(crate) fn elevation_request(code: &SecretString) -> Result<Request<Value>> {
    let body = UsersElevateSessionRequest::new(ElevateSessionData::new(code));
    Ok(users::elevate_session(&body)?.with_response_type())
}

/// Starts a script, after elevating the session if the requests begin with that. If the run waits for approval, the
/// result of each agent is partial.
pub(crate) async fn start_script(client: &Client, requests: Requests) -> Result<Outcome> {
    let (elevation, requests): (Vec<_>, Vec<_>) =
        requests.into_iter().partition(|request| request.operation() == &ELEVATE_SESSION);
    for request in &elevation {
        // The response only has the duration of the elevation.
        let _ = client.send(request).await?;
    }
    let (mut outcome, _) = run_action(client, requests).await?;
    let data = outcome.response.get("data").cloned().unwrap_or_default();
    if parent_task(&data).is_none() && waits_for_approval(&data) {
        for one in &mut outcome.results {
            one.state = IdState::Partial;
            let reported = one.detail.take().map(|detail| format!("{detail}; ")).unwrap_or_default();
            one.detail = Some(format!("{reported}the run waits for approval"));
        }
    }
    let prefix = RunRemoteScript::INFO.context;
    let started = entry(RunRemoteScript::OUTPUTS, prefix, client.api_version(), &data);
    outcome.context = context_under(prefix, started);
    Ok(outcome)
}

/// Returns whether a run waits for approval: it is marked as pending or has a pending execution ID.
pub(crate) fn waits_for_approval(data: &Value) -> bool {
    data.get("pending") == Some(&Value::Bool(true)) || string_member(data, "pendingExecutionId").is_some()
}

/// Returns the ID of the parent task of a started script.
pub(crate) fn parent_task(data: &Value) -> Option<String> {
    string_member(data, "parentTaskId")
}

/// Returns a string or number member of an object as a string.
pub(crate) fn string_member(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the requests for the result links, in batches of the maximum number of tasks of the API.
pub(crate) fn result_requests(
    command: &'static str,
    task_ids: &[String],
    computer_names: &[String],
) -> Result<Requests> {
    let unique = unique(task_ids);
    if unique.is_empty() {
        return Err(argument_error(command, "task_ids", "is missing; expected at least one value"));
    }
    let max = RemoteScriptsFetchResultsData::FIELDS.iter().find(|field| field.name == "taskIds");
    let max = max.and_then(|field| usize::try_from(field.item_count.1?).ok()).unwrap_or(unique.len());
    let request = |ids: &[String]| {
        let mut data = RemoteScriptsFetchResultsData::default().task_ids(ids);
        data.computer_names = non_empty(computer_names);
        Ok(raw::fetch_results(&RemoteScriptsFetchResultsRequest::new(data))?.with_response_type())
    };
    unique.chunks(max.max(1)).map(request).collect()
}

/// The directory of result files, and the tasks that are expected to have one.
pub(crate) struct ResultSelection<'a> {
    /// Output directory.
    pub(crate) dir: &'a Path,
    /// Tasks for which the console must return a link or an error.
    pub(crate) tasks: &'a [String],
    /// The argument that names the tasks; `None` if they are the tasks of a run.
    pub(crate) argument: Option<&'static str>,
}

/// Fetches the result links and downloads the files. A failed download does not stop the others: the first failure
/// is [`Outcome::failure`], and each one is in [`Outcome::errors`].
pub(crate) async fn fetch_results(
    client: &Client,
    observer: &dyn ProgressObserver,
    requests: Requests,
    selection: ResultSelection<'_>,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(Value::Null, Value::Null);
    let mut links: Vec<Value> = Vec::new();
    let mut task_errors: Vec<Value> = Vec::new();
    for request in requests {
        let request: Request<Data<ScriptResults>> = request.with_response_type();
        match client.send(&request).await {
            Ok(response) => {
                let body = response.json();
                outcome.add_diagnostics(&response);
                // The documented location first, then the one of published responses. Both may hold the same links.
                collect(&mut links, &body, ["/data/data/downloadLinks", "/data/download_links"]);
                collect(&mut task_errors, &body, ["/data/data/errors", "/data/errors"]);
                merge_response(&mut outcome.response, body);
            }
            Err(error) if outcome.response.is_null() => return Err(error),
            Err(error) => {
                outcome.failure = Some(error);
                break;
            }
        }
    }
    outcome.errors.extend(task_errors.iter().map(|error| {
        let detail = string_member(error, "errorString").unwrap_or_else(|| error.to_string());
        error_about(&format!("task {}", string_member(error, "taskId").unwrap_or_default()), detail)
    }));
    // An entry without a URL has the reason at times.
    let (linked, unlinked): (Vec<_>, Vec<_>) =
        links.into_iter().partition(|link| string_member(link, "downloadUrl").is_some());
    let links = linked;
    for link in unlinked {
        let mut members = link.as_object().into_iter().flatten();
        let is_reason = |(name, value): &(&String, &Value)| {
            !matches!(name.as_str(), "taskId" | "fileName" | "downloadUrl") && !value.is_null()
        };
        if members.any(|member| is_reason(&member)) {
            let task = string_member(&link, "taskId").unwrap_or_default();
            outcome.errors.push(error_about(&format!("task {task}"), link.to_string()));
            task_errors.push(link);
        }
    }
    let is_missing = |task: &&String| {
        let names = |entry: &Value| string_member(entry, "taskId").is_none_or(|id| id == **task);
        !links.iter().any(names) && !task_errors.iter().any(names)
    };
    if outcome.failure.is_none() {
        for task in unique(selection.tasks).iter().filter(is_missing) {
            match selection.argument {
                Some(argument) => outcome.not_found.push(NotFound::new(argument, task)),
                None => outcome.errors.push(error_about(
                    &format!("task {task}"),
                    "the console returned neither a file nor an error".into(),
                )),
            }
        }
    }
    let prefix = GetRemoteScriptTaskResults::INFO.context;
    let entries = entries(GetRemoteScriptTaskResults::OUTPUTS, prefix, client.api_version(), &links);
    outcome.context = context_under(prefix, entries);
    let mut names = HashSet::new();
    for link in &links {
        let task = string_member(link, "taskId").unwrap_or_else(|| "unknown".into());
        let name = string_member(link, "fileName").unwrap_or_else(|| format!("{task}.zip"));
        // Scripts use the same file names on each endpoint, and some file systems ignore case.
        let candidates = (0..=links.len()).map(|count| match count {
            0 => name.clone(),
            1 => format!("{task}_{name}"),
            _ => format!("{count}_{task}_{name}"),
        });
        let free = candidates.into_iter().find(|one| names.insert(safe_name(one).to_lowercase()));
        let name = free.unwrap_or(name);
        match save(client, observer, (link, &name), selection.dir).await {
            Ok(saved) => outcome.files.push(saved),
            Err(error) => {
                outcome.errors.push(error_about(&format!("{name} of task {task}"), error.to_string()));
                outcome.failure.get_or_insert(error);
            }
        }
    }
    // Links without a file are not results.
    outcome.is_placeholder = outcome.failure.is_some() && outcome.files.is_empty();
    Ok(outcome)
}

fn collect(into: &mut Vec<Value>, body: &Value, pointers: [&str; 2]) {
    for list in pointers.iter().filter_map(|pointer| body.pointer(pointer)?.as_array()) {
        for one in list {
            if !one.is_null() && !into.contains(one) {
                into.push(one.clone());
            }
        }
    }
}

async fn save(
    client: &Client,
    observer: &dyn ProgressObserver,
    (link, name): (&Value, &str),
    dir: &Path,
) -> Result<SavedFile> {
    let url = string_member(link, "downloadUrl").unwrap_or_default();
    let download = client.download_url(&raw::FETCH_RESULTS, &url).await?;
    let total = download.length();
    let progress = |bytes| observer.on_event(ProgressEvent::Received { name: name.to_owned(), bytes, total });
    download.save(dir, name, progress).await
}
