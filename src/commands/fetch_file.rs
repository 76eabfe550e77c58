//! `sentinelone-fetch-file`: fetches a file from an endpoint.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use sentinelone_raw::activities::{self, ActivitiesListQuery, ActivitySortField};
use sentinelone_raw::agents::{self as raw, AgentFileRequestData, AgentsFetchFilesRequest};
use sentinelone_raw::runtime::{ApiVersion, Data, Page, Request, Timestamp};
use sentinelone_raw::shared::{SortOrder, SuccessFlag};
use serde_json::Value;

use super::support::agent_uploads::{self, ActivityLog, DownloadTarget, ReportedFailures, Upload};
use super::support::batch_action::success_outcome;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests, next_request};
use super::support::polling::PollStatus;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::IdState;

/// Requests a file from an agent, waits for the upload and downloads it.
///
/// The upload is the first activity of the agent that follows the request and does not belong to a threat. Only the
/// password distinguishes it from another upload of the same agent at the same time.
#[derive(Clone, Debug)]
pub struct FetchFile {
    /// Agent ID.
    pub agent_id: String,
    /// Path of the file on the endpoint.
    pub file_path: String,
    /// Password of the zip.
    pub password: SecretString,
    /// Output directory. The files are in a subdirectory named after the agent and the activity.
    pub dir: PathBuf,
    /// Longest time to wait for the upload.
    pub timeout: Duration,
    /// Whether to unpack the zip.
    pub unpack: bool,
}

/// Number of activities that a poll reads, newest first.
const LOG_LIMIT: i64 = 100;

/// Time by which entries of the log may be out of order.
const MAX_DISORDER_MILLIS: i64 = 5 * 60 * 1000;

impl Command for FetchFile {
    const INFO: CommandInfo = CommandInfo {
        name: "fetch-file",
        full_name: "sentinelone-fetch-file",
        topic: Topic::Files,
        summary: "Fetch a file from an endpoint",
        example: "s1 fetch-file --agent-id 440000000000000001 --file-path /var/log/auth.log \
            --password Correct-Horse-1 --dir evidence",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["activities_list", "agents_download", "agents_fetch_files"],
    };

    const OUTPUTS: &'static [ContextPath] = &[agent_uploads::PATH];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("agent_id", ArgumentKind::String, "ID of the agent on the endpoint.").required(),
            Argument::new("file_path", ArgumentKind::String, "Absolute path of the file on the endpoint.")
                .required(),
            agent_uploads::new_password(),
            agent_uploads::dir_argument(),
            agent_uploads::timeout_argument(),
            agent_uploads::unpack_argument(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            agent_id: agent_uploads::id(arguments, "agent_id")?,
            file_path: arguments.required("file_path")?,
            password: agent_uploads::password(arguments)?,
            dir: agent_uploads::dir(arguments)?,
            timeout: agent_uploads::timeout(arguments)?,
            unpack: agent_uploads::unpack(arguments)?,
        })
    }

    /// Returns the fetch request and the request of the activity log, which is also sent before the fetch request.
    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        agent_uploads::check_password(Self::INFO.name, &self.password)?;
        agent_uploads::check_unpack(Self::INFO.name, self.unpack)?;
        let data = AgentFileRequestData::new([&self.file_path], &self.password);
        let fetch = raw::fetch_files(&self.agent_id, &AgentsFetchFilesRequest::new(data))?;
        Ok(vec![fetch.with_response_type(), self.log_request(None)?.with_response_type()])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let mut requests = requests.into_iter();
        let request: Request<Data<SuccessFlag>> = next_request(&mut requests)?;
        let mut before = self.read_log(client, &next_request(&mut requests)?).await?;
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
        match self.wait((client, observer), before, &failures).await {
            Ok(upload) => self.download((client, observer), &upload, &mut outcome).await,
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

impl FetchFile {
    fn log_request(&self, since: Option<Timestamp>) -> Result<Request<Page<Value>>> {
        let query = ActivitiesListQuery {
            created_at_gte: since,
            ..ActivitiesListQuery::default()
                .agent_ids([&self.agent_id])
                .limit(LOG_LIMIT)
                .sort_by(ActivitySortField::CreatedAt)
                .sort_order(SortOrder::Desc)
        };
        Ok(activities::list(&query)?.with_response_type())
    }

    async fn read_log(&self, client: &Client, request: &Request<Page<Value>>) -> Result<ActivityLog> {
        let has_no_threat = |entry: &Value| entry.get("threatId").is_none_or(Value::is_null);
        let mut log = ActivityLog::read(client, request, has_no_threat).await?;
        log.uploads.retain(|upload| upload.agent == self.agent_id);
        Ok(log)
    }

    /// Downloads an upload and adds the result to the outcome. An upload that was not downloaded is a partial success;
    /// an upload without a file is not.
    async fn download(
        &self,
        observed: (&Client, &dyn ProgressObserver),
        upload: &Upload,
        outcome: &mut Outcome,
    ) {
        let name = format!("{}-{}", upload.agent, upload.activity);
        let target = DownloadTarget { dir: &self.dir, name: &name, unpack: self.unpack };
        let (mut state, mut detail) = (IdState::Partial, upload.path());
        match target.download(observed, upload, &self.password, &[&self.file_path]).await {
            Ok(received) => {
                state = received.state();
                if let Some(reasons) = received.reasons() {
                    detail = format!("{detail}: {reasons}");
                }
                outcome.errors.extend(received.errors(""));
                outcome.failure = received.failure();
                outcome.context = received.context(self.unpack);
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
        &self,
        (client, observer): (&Client, &dyn ProgressObserver),
        before: ActivityLog,
        failures: &ReportedFailures,
    ) -> Result<Upload> {
        // By the clock of the console, which may differ from the local clock.
        let newest = before.newest.as_ref().and_then(Timestamp::unix_millis);
        let since = newest.and_then(|newest| Timestamp::from_unix_millis(newest - MAX_DISORDER_MILLIS));
        let before: HashSet<Upload> = before.uploads.into_iter().collect();
        let poll = || async {
            let log = self.read_log(client, &self.log_request(since.clone())?).await?;
            failures.record(&log.failures);
            Ok(match log.new_since(&before) {
                Some(upload) => PollStatus::Ready(upload),
                None => PollStatus::Pending("not uploaded yet".to_owned()),
            })
        };
        let resume = "the agent may still upload the file; find the activity of the upload with \
                      get-activities, then run download-fetched-file with its ID";
        let found = agent_uploads::poll_policy(self.timeout).poll(observer, poll).await;
        found
            .map_err(|error| error.with_resume_hint(resume))?
            .ok_or_else(|| Error::wait_timeout(&raw::FETCH_FILES, resume))
    }
}
