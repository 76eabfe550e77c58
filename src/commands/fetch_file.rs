//! `sentinelone-fetch-file`: fetches a file from an endpoint.

use std::collections::HashSet;

use sentinelone_raw::activities::{self, ActivitiesListQuery, ActivitySortField};
use sentinelone_raw::agents::{self as raw, AgentFileRequestData, AgentsFetchFilesRequest};
use sentinelone_raw::runtime::{ApiVersion, Data, Page, Request, Timestamp};
use sentinelone_raw::shared::{SortOrder, SuccessFlag};
use serde_json::Value;

use super::command::{Behavior, Run};
use super::support::agent_uploads::{self, ActivityLog, DownloadTarget, ReportedFailures, Upload};
use super::support::batch_action::success_outcome;
use super::support::execution::{ProgressObserver, Requests, next_request};
use super::support::polling::PollStatus;
use super::{CommandDeclaration, FetchFile, Outcome};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::IdState;

/// Number of activities that a poll reads, newest first.
const LOG_LIMIT: i64 = 100;

/// Time by which entries of the log may be out of order.
const MAX_DISORDER_MILLIS: i64 = 5 * 60 * 1000;

impl Behavior for FetchFile {
    /// Returns the fetch request and the request of the activity log, which is also sent before the fetch request.
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        agent_uploads::check_password(Self::INFO.name, &self.password)?;
        agent_uploads::check_unpack(Self::INFO.name, self.unpack)?;
        let data = AgentFileRequestData::new([&self.file_path], &self.password);
        let fetch = raw::fetch_files(&self.agent_id, &AgentsFetchFilesRequest::new(data))?;
        Ok(vec![fetch.with_response_type(), log_request(self, None)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let mut requests = requests.into_iter();
        let request: Request<Data<SuccessFlag>> = next_request(&mut requests)?;
        let mut before = read_log(self, client, &next_request(&mut requests)?).await?;
        let response = client.send(&request).await?;
        let body = response.json();
        let mut outcome = Outcome::new(body, agent_uploads::empty_context());
        outcome.add_diagnostics(&response);
        outcome.results = success_outcome(&self.agent_id, &outcome.response);
        if outcome.results.iter().any(|result| result.state == IdState::NotAffected) {
            outcome.affected = Some(0);
            return Ok(outcome);
        }
        let accepted = outcome.results.iter().any(|result| result.state == IdState::Done);
        outcome.affected = accepted.then_some(1);
        let failures = ReportedFailures::new(std::mem::take(&mut before.failures));
        match wait(self, (client, observer), before, &failures).await {
            Ok(upload) => download(self, (client, observer), &upload, &mut outcome).await,
            Err(error) => {
                // The console accepted the request; whether the agent uploads the file is unknown.
                outcome.results.iter_mut().for_each(|result| result.state = IdState::Unknown);
                outcome.errors.extend(failures.into_inner());
                outcome.failure = Some(error);
            }
        }
        Ok(outcome)
    }
}

fn log_request(command: &FetchFile, since: Option<Timestamp>) -> Result<Request<Page<Value>>> {
    let mut query = ActivitiesListQuery::default()
        .agent_ids([&command.agent_id])
        .limit(LOG_LIMIT)
        .sort_by(ActivitySortField::CreatedAt)
        .sort_order(SortOrder::Desc);
    query.created_at_gte = since;
    Ok(activities::list(&query)?.with_response_type())
}

async fn read_log(
    command: &FetchFile,
    client: &Client,
    request: &Request<Page<Value>>,
) -> Result<ActivityLog> {
    let has_no_threat = |entry: &Value| entry.get("threatId").is_none_or(Value::is_null);
    let mut log = ActivityLog::read(client, request, has_no_threat).await?;
    log.uploads.retain(|upload| upload.agent == command.agent_id);
    Ok(log)
}

/// Downloads an upload and adds the result to the outcome. An upload that was not downloaded is a partial success;
/// an upload without a file is not.
async fn download(
    command: &FetchFile,
    observed: (&Client, &dyn ProgressObserver),
    upload: &Upload,
    outcome: &mut Outcome,
) {
    let name = format!("{}-{}", upload.agent, upload.activity);
    let target = DownloadTarget { dir: &command.dir, name: &name, unpack: command.unpack };
    let (mut state, mut detail) = (IdState::Partial, upload.path());
    match target.download(observed, upload, &command.password, &[&command.file_path]).await {
        Ok(received) => {
            state = received.state();
            if let Some(reasons) = received.reasons() {
                detail = format!("{detail}: {reasons}");
            }
            outcome.errors.extend(received.errors(""));
            outcome.failure = received.failure();
            outcome.context = received.context(command.unpack);
            outcome.files = received.files;
        }
        Err(error) => outcome.failure = Some(error),
    }
    if state == IdState::NotAffected {
        outcome.affected = Some(0);
    }
    for result in &mut outcome.results {
        (result.state, result.detail) = (state, Some(detail.clone()));
    }
}

/// Waits for a new upload. The activities that report a failure in the meantime are added to `failures`.
async fn wait(
    command: &FetchFile,
    (client, observer): (&Client, &dyn ProgressObserver),
    before: ActivityLog,
    failures: &ReportedFailures,
) -> Result<Upload> {
    // By the clock of the console, which may differ from the local clock.
    let newest = before.newest.as_ref().and_then(Timestamp::unix_millis);
    let since = newest.and_then(|newest| Timestamp::from_unix_millis(newest - MAX_DISORDER_MILLIS));
    let before: HashSet<Upload> = before.uploads.into_iter().collect();
    let poll = || async {
        let log = read_log(command, client, &log_request(command, since.clone())?).await?;
        failures.record(&log.failures);
        Ok(match log.new_since(&before) {
            Some(upload) => PollStatus::Ready(upload),
            None => PollStatus::Pending("not uploaded yet".to_owned()),
        })
    };
    let resume = "the agent may still upload the file; find the activity of the upload with \
                  get-activities, then run download-fetched-file with its ID";
    let found = agent_uploads::poll_policy(command.timeout).poll(observer, poll).await;
    found
        .map_err(|error| error.with_resume_hint(resume))?
        .ok_or_else(|| Error::wait_timeout(&raw::FETCH_FILES, resume))
}
