//! `sentinelone-fetch-threat-file`: fetches the files of threats.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::{
    self as raw, ThreatFileRequestData, ThreatFilter, ThreatTimelineSortField, ThreatsFetchFileRequest,
    ThreatsListTimelineQuery,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::agent_uploads::{self, ActivityLog, DownloadTarget, ReportedFailures, Upload};
use super::support::batch_action::{merge_response, run_action, success_or_null, without_detail};
use super::support::context_entry::context_under;
use super::support::error_text::error_about;
use super::support::execution::{ProgressObserver, Requests, next_request};
use super::support::ids::unique;
use super::support::polling::PollStatus;
use super::{CommandDeclaration, FetchThreatFile, Outcome};
use crate::Result;
use crate::client::Client;
use crate::error::{ApiError, Error};
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};

/// Uploads by threat ID.
type FoundUploads = Vec<(String, Result<Upload>)>;

/// Number of timeline entries that a poll reads, newest first.
const TIMELINE_LIMIT: i64 = 30;

/// A failed fetch request.
struct FailedRequest {
    error: Error,
    /// Whether the request may have taken effect.
    may_have_taken_effect: bool,
}

/// A threat whose upload is pending, its earlier uploads, and the failures that its timeline reports.
struct PendingThreat {
    id: String,
    before: HashSet<Upload>,
    failures: ReportedFailures,
}

impl Behavior for FetchThreatFile {
    /// Returns the fetch request and the timeline request of each threat. The timeline is also read before the fetch.
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        agent_uploads::check_password(Self::INFO.name, &self.password)?;
        agent_uploads::check_unpack(Self::INFO.name, self.unpack)?;
        if self.threat_ids.is_empty() {
            let message = "is missing; expected at least one value";
            return Err(argument_error(Self::INFO.name, "threat_id", message));
        }
        let mut requests = Vec::new();
        // The API accepts a filter for one threat only.
        for id in unique(&self.threat_ids) {
            let data = ThreatFileRequestData::new(&self.password);
            let filter = ThreatFilter::default().ids([&id]);
            let fetch = raw::fetch_file(&ThreatsFetchFileRequest::new(data, filter))?.with_response_type();
            fetch.validate()?;
            requests.extend([fetch, timeline_request(&id)?.with_response_type()]);
        }
        Ok(requests)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let (ids, mut requests) = (unique(&self.threat_ids), requests.into_iter());
        ids.iter().try_for_each(|id| target(self, id).check())?;
        let mut outcome = Outcome::new(Value::Null, Value::Null);
        let mut pending = Vec::new();
        for id in &ids {
            let (fetch, timeline) = (next_request(&mut requests)?, next_request(&mut requests)?);
            match request_file(client, id, (fetch, &timeline), &mut outcome).await {
                Ok(Some(threat)) => pending.push(threat),
                Ok(None) => {}
                Err(error) => {
                    let state =
                        if error.may_have_taken_effect { IdState::Unknown } else { IdState::NotAffected };
                    outcome.results.push(without_detail(id.clone(), state));
                    record_failure(&mut outcome, std::slice::from_ref(id), error.error);
                }
            }
        }
        let paths = collect(self, client, observer, pending, &mut outcome).await;
        let entries = outcome.results.iter().map(|result| {
            // A partial result means that the file was uploaded but not downloaded.
            let uploaded =
                if result.state == IdState::Partial { Value::Bool(true) } else { success_or_null(result) };
            let mut entry = json!({ "ID": result.id, "Downloadable": uploaded });
            if let Some(path) = paths.get(&result.id) {
                set_path(&mut entry, "ZippedFile", json!(path));
            }
            entry
        });
        outcome.context = context_under(Self::INFO.context, entries.collect());
        Ok(outcome)
    }
}

/// Requests the file of a threat. Returns `None` if the console skipped the threat.
async fn request_file(
    client: &Client,
    id: &str,
    (fetch, timeline): (Request<Value>, &Request<Page<Value>>),
    outcome: &mut Outcome,
) -> Result<Option<PendingThreat>, FailedRequest> {
    let before = ActivityLog::read(client, timeline, |_| true).await;
    let before = before.map_err(|error| FailedRequest { error, may_have_taken_effect: false })?;
    let action = run_action(client, vec![fetch]).await;
    let (action, _) = action
        .map_err(|error| FailedRequest { may_have_taken_effect: error.may_have_taken_effect(), error })?;
    // A response without a count makes the sum unknown.
    let is_first = outcome.response.is_null();
    outcome.affected = match (outcome.affected, action.affected) {
        (Some(before), Some(now)) => Some(before.saturating_add(now)),
        (None, now) if is_first => now,
        _ => None,
    };
    merge_response(&mut outcome.response, action.response);
    outcome.errors.extend(action.errors);
    let skipped = action.results.iter().all(|result| result.state == IdState::NotAffected);
    // The console accepted the request; whether the agent uploads a file is unknown until the upload appears.
    outcome.results.extend(action.results.into_iter().map(|result| match result.state {
        IdState::NotAffected => result,
        _ => IdOutcome { state: IdState::Unknown, ..result },
    }));
    let failures = ReportedFailures::new(before.failures);
    let before = before.uploads.into_iter().collect();
    Ok((!skipped).then(|| PendingThreat { id: id.to_owned(), before, failures }))
}

fn target<'a>(command: &'a FetchThreatFile, id: &'a str) -> DownloadTarget<'a> {
    DownloadTarget { dir: &command.dir, name: id, unpack: command.unpack }
}

/// Waits for the uploads, downloads each one and adds the results to `outcome`. Returns the local path of the files
/// of each threat.
async fn collect(
    command: &FetchThreatFile,
    client: &Client,
    observer: &dyn ProgressObserver,
    mut pending: Vec<PendingThreat>,
    outcome: &mut Outcome,
) -> HashMap<String, String> {
    let mut paths = HashMap::new();
    // The time of downloads does not count against the timeout.
    let mut left = command.timeout;
    while !pending.is_empty() {
        let start = Instant::now();
        // Uploads found by a poll are kept if the timeout interrupts the poll.
        let found = Mutex::new(Vec::new());
        let ended = agent_uploads::poll_policy(left)
            .poll(observer, || poll_timelines(client, &pending, &found))
            .await;
        left = left.saturating_sub(start.elapsed());
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if found.is_empty() {
            let mut ids = Vec::new();
            for threat in pending {
                let failures = threat.failures.into_inner().into_iter();
                outcome.errors.extend(failures.map(|failure| ApiError {
                    title: failure.title.map(|title| format!("threat {}: {title}", threat.id)),
                    ..failure
                }));
                ids.push(threat.id);
            }
            let resume = format!(
                "the agents may still upload the files of {}; find the paths in the timelines of the \
                 threats, then run download-fetched-file with the agent and activity of a path",
                ids.join(", ")
            );
            let error = match ended {
                Err(error) => error.with_resume_hint(&resume),
                Ok(_) => Error::wait_timeout(&raw::FETCH_FILE, resume),
            };
            record_failure(outcome, &ids, error);
            break;
        }
        pending.retain(|threat| !found.iter().any(|(id, _)| *id == threat.id));
        for (id, upload) in found {
            match download(command, client, observer, &id, upload, outcome).await {
                Ok(path) => paths.extend(path.map(|path| (id, path))),
                Err(error) => record_failure(outcome, &[id], error),
            }
        }
    }
    paths
}

async fn download(
    command: &FetchThreatFile,
    client: &Client,
    observer: &dyn ProgressObserver,
    id: &str,
    upload: Result<Upload>,
    outcome: &mut Outcome,
) -> Result<Option<String>> {
    let upload = upload?;
    for result in outcome.results.iter_mut().filter(|result| result.id == id) {
        (result.state, result.detail) = (IdState::Partial, Some(upload.path()));
    }
    let target = target(command, id);
    // The path of the file on the endpoint is not a part of the request.
    let received = target.download((client, observer), &upload, &command.password, &[]).await?;
    let path = received.files.first().map(|_| target.path().display().to_string());
    let state = received.state();
    if state == IdState::NotAffected {
        // The console counted the request, but the agent uploaded no file.
        outcome.affected = outcome.affected.map(|affected| affected.saturating_sub(1));
    }
    let reasons = received.reasons().filter(|_| state == IdState::Partial);
    for result in outcome.results.iter_mut().filter(|result| result.id == id) {
        result.state = state;
        if let Some(reasons) = &reasons {
            result.detail = Some(format!("{}: {reasons}", upload.path()));
        }
    }
    outcome.errors.extend(received.errors(&format!("threat {id}:")));
    if let Some(failure) = received.failure() {
        record_failure(outcome, &[id.to_owned()], failure);
    }
    outcome.files.extend(received.files);
    Ok(path)
}

fn timeline_request(id: &str) -> Result<Request<Page<Value>>> {
    let query = ThreatsListTimelineQuery::default()
        .limit(TIMELINE_LIMIT)
        .sort_by(ThreatTimelineSortField::CreatedAt)
        .sort_order(SortOrder::Desc);
    Ok(raw::list_timeline(id, &query)?.with_response_type())
}

/// Reads the timelines and adds new uploads and permanent errors to `found`. A transient error is returned unless the
/// poll found an upload.
async fn poll_timelines(
    client: &Client,
    pending: &[PendingThreat],
    found: &Mutex<FoundUploads>,
) -> Result<PollStatus<()>> {
    let mut transient = None;
    let mut any = false;
    for threat in pending {
        let log = async { ActivityLog::read(client, &timeline_request(&threat.id)?, |_| true).await };
        let upload = match log.await {
            Ok(log) => {
                threat.failures.record(&log.failures);
                log.new_since(&threat.before).map(Ok)
            }
            Err(error) if error.is_transient() => {
                transient = Some(error);
                None
            }
            Err(error) => Some(Err(error)),
        };
        if let Some(upload) = upload {
            found.lock().unwrap_or_else(PoisonError::into_inner).push((threat.id.clone(), upload));
            any = true;
        }
    }
    match transient {
        _ if any => Ok(PollStatus::Ready(())),
        Some(error) => Err(error),
        None => {
            let files = if pending.len() == 1 { "file is" } else { "files are" };
            Ok(PollStatus::Pending(format!("{} {files} not uploaded yet", pending.len())))
        }
    }
}

/// Records a failure for each of these threats.
fn record_failure(outcome: &mut Outcome, threats: &[String], error: Error) {
    for id in threats {
        outcome.errors.push(error_about(&format!("threat {id}"), error.report().to_string()));
        for result in outcome.results.iter_mut().filter(|result| result.id == *id) {
            result.detail = Some(match result.detail.take() {
                Some(detail) => format!("{detail}: {}", error.report()),
                None => error.report().to_string(),
            });
        }
    }
    outcome.failure.get_or_insert(error);
}
