//! What the commands on remote scripts have in common: starting them, and fetching what they gave.

use std::collections::HashSet;
use std::path::Path;

use sentinelone_raw::remote_scripts::{
    self as raw, ScriptResultRequest, ScriptResultRequestData, ScriptResults,
};
use sentinelone_raw::runtime::{Data, Fields, Request};
use serde_json::Value;

use super::act::{act, join, refuse};
use super::context::{Output, entry, under};
use super::lists::unique;
use super::read::entries;
use super::{Argument, ArgumentKind, Event, Outcome, Watch};
use crate::Result;
use crate::client::Client;
use crate::error::VendorError;
use crate::files::{Saved, safe_name};
use crate::outcome::IdState;

/// Where a started script stands in the context.
pub(super) const STARTED: &str = "SentinelOne.RunRemoteScript";

/// Where results stand in the context.
const RESULTS: &str = "SentinelOne.RemoteScriptResults";

/// The context paths of results.
pub(super) const RESULT_OUTPUTS: [Output; 3] = [
    Output::field("SentinelOne.RemoteScriptResults.taskId", "String", "Task that gave the file", "taskId"),
    Output::field("SentinelOne.RemoteScriptResults.fileName", "String", "Name of the file", "fileName"),
    Output::field(
        "SentinelOne.RemoteScriptResults.downloadUrl",
        "String",
        "Address of the file, which is valid for a while and needs no token",
        "downloadUrl",
    )
    .no_column(),
];

/// The context paths of a started script.
pub(super) const STARTED_OUTPUTS: [Output; 4] = [
    Output::field(
        "SentinelOne.RunRemoteScript.pendingExecutionId",
        "String",
        "Identifier of a run that waits for approval",
        "pendingExecutionId",
    ),
    Output::field(
        "SentinelOne.RunRemoteScript.pending",
        "Boolean",
        "Whether the run waits for approval",
        "pending",
    ),
    Output::field("SentinelOne.RunRemoteScript.affected", "Number", "On how many agents it runs", "affected"),
    Output::field(
        "SentinelOne.RunRemoteScript.parentTaskId",
        "String",
        "Identifier that its tasks are found with; absent while it waits for approval",
        "parentTaskId",
    ),
];

/// The argument that says where files go.
pub(super) fn folder_argument() -> Argument {
    let doc = "Folder for the files. None that is there already is overwritten.";
    Argument::new("folder", ArgumentKind::Text, doc).default(".")
}

/// Starts a script. Where the run waits for approval, the agents have only part of what was asked for.
pub(super) async fn start(client: &Client, requests: Vec<Request<Value>>) -> Result<Outcome> {
    let (mut outcome, _) = act(client, requests).await?;
    let data = outcome.answer.get("data").cloned().unwrap_or_default();
    if parent_task(&data).is_none() && waits_for_approval(&data) {
        for one in &mut outcome.ids {
            one.state = IdState::Partly;
            one.detail = Some("the run waits for approval".into());
        }
    }
    outcome.context = under(STARTED, entry(&STARTED_OUTPUTS, STARTED, client.api_version(), &data));
    Ok(outcome)
}

/// Whether a run without a parent task waits for approval: the console says so, or names the run that waits.
pub(super) fn waits_for_approval(data: &Value) -> bool {
    data.get("pending") == Some(&Value::Bool(true)) || text(data, "pendingExecutionId").is_some()
}

/// The parent task of a started script.
pub(super) fn parent_task(data: &Value) -> Option<String> {
    text(data, "parentTaskId")
}

/// A text or a number of an object, as text.
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The requests for the links to results: one for as many tasks as the API takes at once.
pub(super) fn result_requests(
    command: &'static str,
    task_ids: &[String],
    computer_names: &[String],
) -> Result<Vec<Request<Data<ScriptResults>>>> {
    let unique = unique(task_ids);
    if unique.is_empty() {
        return Err(refuse(command, "task_ids", "is missing; give at least one"));
    }
    let most = ScriptResultRequestData::FIELDS.iter().find(|field| field.name == "taskIds");
    let most = most.and_then(|field| usize::try_from(field.items.1?).ok()).unwrap_or(unique.len());
    let request = |ids: &[String]| {
        let computer_names = (!computer_names.is_empty()).then(|| computer_names.to_vec());
        let data = ScriptResultRequestData { computer_names, task_ids: Some(ids.to_vec()) };
        Ok(raw::fetch_results(&ScriptResultRequest::new(data))?)
    };
    unique.chunks(most.max(1)).map(request).collect()
}

/// Where the files of results go, and which of them are expected.
pub(super) struct Wanted<'a> {
    /// The folder.
    pub(super) folder: &'a Path,
    /// Tasks that must give a file, or say why not.
    pub(super) tasks: &'a [String],
}

/// Asks for the links to results and saves what they lead to. A link that fails does not keep the others from
/// being followed; the first failure is that of the outcome, and each is among its errors.
pub(super) async fn fetch_results(
    client: &Client,
    watch: &dyn Watch,
    requests: &[Request<Data<ScriptResults>>],
    wanted: Wanted<'_>,
) -> Result<Outcome> {
    let mut outcome = Outcome::found(Value::Null, Value::Null);
    let mut links: Vec<Value> = Vec::new();
    let mut told: Vec<Value> = Vec::new();
    for request in requests {
        match client.send(request).await {
            Ok(answer) => {
                let body = answer.json();
                outcome.errors.extend_from_slice(answer.vendor_errors());
                // The documented place first, then that of published answers; one may repeat the other.
                collect(&mut links, &body, ["/data/data/downloadLinks", "/data/download_links"]);
                collect(&mut told, &body, ["/data/data/errors", "/data/errors"]);
                join(&mut outcome.answer, body);
            }
            Err(error) if outcome.answer.is_null() => return Err(error),
            Err(error) => {
                outcome.failure = Some(error);
                break;
            }
        }
    }
    outcome.errors.extend(told.iter().map(|error| {
        let detail = text(error, "errorString").unwrap_or_else(|| error.to_string());
        about(&format!("task {}", text(error, "taskId").unwrap_or_default()), detail)
    }));
    let silent = |task: &&String| {
        let names = |entry: &Value| text(entry, "taskId").is_none_or(|id| id == **task);
        let linked = links.iter().any(|link| names(link) && text(link, "downloadUrl").is_some());
        !linked && !told.iter().any(names)
    };
    if outcome.failure.is_none() {
        let silent = wanted.tasks.iter().filter(silent);
        outcome.errors.extend(silent.map(|task| {
            about(&format!("task {task}"), "the console gave neither a file nor a reason".into())
        }));
    }
    links.retain(|link| text(link, "downloadUrl").is_some());
    outcome.context = under(RESULTS, entries(&RESULT_OUTPUTS, RESULTS, client.api_version(), &links));
    let mut names = HashSet::new();
    for link in &links {
        let task = text(link, "taskId").unwrap_or_else(|| "unknown".into());
        let name = text(link, "fileName").unwrap_or_else(|| format!("{task}.zip"));
        // Scripts name their files alike on every endpoint, and some file systems know no capitals.
        let candidates = (0..=links.len()).map(|count| match count {
            0 => name.clone(),
            1 => format!("{task}_{name}"),
            _ => format!("{count}_{task}_{name}"),
        });
        let free = candidates.into_iter().find(|one| names.insert(safe_name(one).to_lowercase()));
        let name = free.unwrap_or(name);
        match save(client, watch, (link, &name), wanted.folder).await {
            Ok(saved) => outcome.files.push(saved),
            Err(error) => {
                outcome.errors.push(about(&format!("{name} of task {task}:"), error.to_string()));
                outcome.failure.get_or_insert(error);
            }
        }
    }
    Ok(outcome)
}

/// An error beside what was done, with what it is about.
pub(super) fn about(title: &str, detail: String) -> VendorError {
    VendorError { code: None, title: Some(title.trim().to_owned()), detail: Some(detail) }
}

fn collect(into: &mut Vec<Value>, body: &Value, places: [&str; 2]) {
    for list in places.iter().filter_map(|place| body.pointer(place)?.as_array()) {
        for one in list {
            if !one.is_null() && !into.contains(one) {
                into.push(one.clone());
            }
        }
    }
}

async fn save(
    client: &Client,
    watch: &dyn Watch,
    (link, name): (&Value, &str),
    folder: &Path,
) -> Result<Saved> {
    let url = text(link, "downloadUrl").unwrap_or_default();
    let download = client.download_from(&raw::FETCH_RESULTS, &url).await?;
    let total = download.length();
    let progress = |bytes| watch.on(Event::Received { name: name.to_owned(), bytes, total });
    download.save(folder, name, progress).await
}
