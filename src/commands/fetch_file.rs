//! `sentinelone-fetch-file`: a file from an endpoint.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use sentinelone_raw::activities::{self, ActivitiesListQuery, ActivitySortField};
use sentinelone_raw::agents::{self as raw, AgentFileRequest, AgentFileRequestData};
use sentinelone_raw::runtime::{ApiVersion, Data, Page, Request, Timestamp};
use sentinelone_raw::shared::{SortOrder, SuccessFlag};
use serde_json::Value;

use super::act::succeeded;
use super::context::Output;
use super::uploads::{self, Log, Place, Upload};
use super::wait::Look;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::IdState;

/// Has an agent upload a file, waits for it and downloads it, all in one.
///
/// The upload is the first one of the agent that appears in the log of activities after the order and
/// concerns no threat. Another upload of the same agent at the same time, ordered by someone else, cannot be
/// told from it but by the password.
#[derive(Clone, Debug)]
pub struct FetchFile {
    /// The agent.
    pub agent_id: String,
    /// The file on the endpoint.
    pub file_path: String,
    /// The password of the zip that it comes in.
    pub password: SecretString,
    /// The folder on this machine that the file is written to: below it, in a folder that is named after the
    /// agent and the activity.
    pub folder: PathBuf,
    /// How long to wait for the upload.
    pub timeout: Duration,
    /// Whether to unpack the zip.
    pub unpack: bool,
}

/// How many activities a look asks for, newest first.
const LOOK: i64 = 100;

/// How far entries of the log may be out of order.
const DISORDER_MILLIS: i64 = 5 * 60 * 1000;

impl Command for FetchFile {
    const INFO: Info = Info {
        name: "fetch-file",
        full_name: "sentinelone-fetch-file",
        summary: "Fetch a file from an endpoint: order it, wait for it and download it",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["activities_list", "agents_download", "agents_fetch_files"],
    };

    const OUTPUTS: &'static [Output] = &[uploads::PATH];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("agent_id", ArgumentKind::Text, "Identifier of the agent on the endpoint.")
                .required(),
            Argument::new("file_path", ArgumentKind::Text, "Absolute path of the file on the endpoint.")
                .required(),
            uploads::new_password(),
            uploads::folder_argument(),
            uploads::timeout_argument(),
            uploads::unpack_argument(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            agent_id: uploads::id(arguments, "agent_id")?,
            file_path: arguments.required("file_path")?,
            password: uploads::password(arguments)?,
            folder: uploads::folder(arguments)?,
            timeout: uploads::timeout(arguments)?,
            unpack: uploads::unpack(arguments)?,
        })
    }

    /// The order, and the look at the log, which comes before it too.
    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.order()?.answering(), self.look(None)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let order = self.order()?;
        let before = self.read_log(client, None).await?;
        let answer = client.send(&order).await?;
        let body = answer.json();
        let mut outcome = Outcome::found(body, uploads::context(&[], false));
        outcome.errors = answer.vendor_errors().to_vec();
        outcome.ids = succeeded(&self.agent_id, &outcome.answer);
        if outcome.ids.iter().any(|one| one.state == IdState::NotAffected) {
            outcome.affected = Some(0);
            return Ok(outcome);
        }
        let taken = outcome.ids.iter().any(|one| one.state == IdState::Done);
        outcome.affected = taken.then_some(1);
        match self.wait(client, before, watch).await {
            Ok(upload) => {
                for one in &mut outcome.ids {
                    (one.state, one.detail) = (IdState::Done, Some(upload.path()));
                }
                let name = format!("{}-{}", upload.agent, upload.activity);
                let place = Place { folder: &self.folder, name: &name, unpack: self.unpack };
                match place.take(client, &upload, &self.password, watch).await {
                    Ok(files) => outcome.files = files,
                    Err(error) => outcome.failure = Some(error),
                }
            }
            Err(error) => {
                // The order was taken; whether the file comes, nobody knows.
                outcome.ids.iter_mut().for_each(|one| one.state = IdState::Unknown);
                outcome.failure = Some(error);
            }
        }
        outcome.context = uploads::context(&outcome.files, self.unpack);
        Ok(outcome)
    }
}

impl FetchFile {
    fn order(&self) -> Result<Request<Data<SuccessFlag>>> {
        uploads::check_password(Self::INFO.name, &self.password)?;
        uploads::check_unpack(Self::INFO.name, self.unpack)?;
        let data = AgentFileRequestData::new([&self.file_path], &self.password);
        Ok(raw::fetch_files(&self.agent_id, &AgentFileRequest::new(data))?)
    }

    fn look(&self, since: Option<Timestamp>) -> Result<Request<Page<Value>>> {
        let query = ActivitiesListQuery {
            created_at_gte: since,
            ..ActivitiesListQuery::default()
                .agent_ids([&self.agent_id])
                .limit(LOOK)
                .sort_by(ActivitySortField::CreatedAt)
                .sort_order(SortOrder::Desc)
        };
        Ok(activities::list(&query)?.answering())
    }

    async fn read_log(&self, client: &Client, since: Option<Timestamp>) -> Result<Log> {
        let of_no_threat = |entry: &Value| entry.get("threatId").is_none_or(Value::is_null);
        let mut log = Log::read(client, &self.look(since)?, of_no_threat).await?;
        log.uploads.retain(|upload| upload.agent == self.agent_id);
        Ok(log)
    }

    /// Waits for an upload that was not there before.
    async fn wait(&self, client: &Client, before: Log, watch: &dyn Watch) -> Result<Upload> {
        // By the clock of the console, which this machine's need not agree with.
        let newest = before.newest.as_ref().and_then(Timestamp::unix_millis);
        let since = newest.and_then(|newest| Timestamp::from_unix_millis(newest - DISORDER_MILLIS));
        let before: HashSet<Upload> = before.uploads.into_iter().collect();
        let look = || async {
            let log = self.read_log(client, since.clone()).await?;
            Ok(match log.new_since(&before) {
                Some(upload) => Look::Found(upload),
                None => Look::NotYet("not uploaded yet".to_owned()),
            })
        };
        let resume = "the agent may still upload the file: the activity that get-activities then lists has its \
             path, and download-fetched-file takes the identifier of that activity";
        let found = uploads::patience(self.timeout).until(watch, look).await;
        found
            .map_err(|error| error.resuming(resume))?
            .ok_or_else(|| Error::deadline(&raw::FETCH_FILES, resume))
    }
}
