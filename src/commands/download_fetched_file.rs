//! `sentinelone-download-fetched-file`: downloads a file that an agent uploaded.

use std::path::PathBuf;

use secrecy::SecretString;
use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::support::agent_uploads::{self, DownloadTarget};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Downloads the files that an agent has uploaded, identified by the activity of the upload.
///
/// The outcome has one result for each file of the archive and of its manifest. A file that the agent did not collect is
/// not affected, with the reason of the manifest.
#[derive(Clone, Debug)]
pub struct DownloadFetchedFile {
    /// Agent ID.
    pub agent_id: String,
    /// ID of the activity of the upload.
    pub activity_id: String,
    /// Password of the zip.
    pub password: SecretString,
    /// Output directory. The files are in a subdirectory named after the agent and the activity.
    pub dir: PathBuf,
    /// Whether to unpack the zip.
    pub unpack: bool,
}

impl Command for DownloadFetchedFile {
    const INFO: CommandInfo = CommandInfo {
        name: "download-fetched-file",
        full_name: "sentinelone-download-fetched-file",
        topic: Topic::Files,
        summary: "Download a file that an agent has uploaded",
        example: "s1 download-fetched-file --agent-id 440000000000000002 --activity-id 510000000000000006 \
            --password Example-Pass-1 --dir evidence",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["agents_download"],
    };

    const OUTPUTS: &'static [ContextPath] = &[agent_uploads::PATH];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("agent_id", ArgumentKind::String, "ID of the agent on the endpoint.").required(),
            Argument::new(
                "activity_id",
                ArgumentKind::String,
                "ID of the activity of the upload, from get-activities.",
            )
            .required(),
            Argument::new("password", ArgumentKind::String, "Password of the zip.").required(),
            agent_uploads::dir_argument(),
            agent_uploads::unpack_argument(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            agent_id: agent_uploads::id(arguments, "agent_id")?,
            activity_id: agent_uploads::id(arguments, "activity_id")?,
            password: agent_uploads::password(arguments)?,
            dir: agent_uploads::dir(arguments)?,
            unpack: agent_uploads::unpack(arguments)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        agent_uploads::check_unpack(Self::INFO.name, self.unpack)?;
        Ok(vec![raw::download(&self.agent_id, &self.activity_id)?.with_response_type()])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let request = first_request(requests)?;
        let name = format!("{}-{}", self.agent_id, self.activity_id);
        let target = DownloadTarget { dir: &self.dir, name: &name, unpack: self.unpack };
        target.check()?;
        let received = target.receive((client, observer), &request, &self.password, &[]).await?;
        // The response is not JSON, so the outcome describes the files instead.
        let written: Value = received
            .files
            .iter()
            .map(|file| json!({ "name": file.name, "path": file.path.display().to_string(), "bytes": file.bytes }))
            .collect();
        let mut outcome = Outcome::new(json!({ "data": written }), received.context(self.unpack));
        outcome.results = received.results();
        outcome.errors = received.errors("");
        outcome.failure = received.failure();
        outcome.files = received.files;
        Ok(outcome)
    }
}
