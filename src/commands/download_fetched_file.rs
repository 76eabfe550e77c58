//! `sentinelone-download-fetched-file`: a file that an agent uploaded before.

use std::path::PathBuf;

use secrecy::SecretString;
use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::context::Output;
use super::uploads::{self, Place, Upload};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

/// Downloads what an agent uploaded, as an activity tells.
#[derive(Clone, Debug)]
pub struct DownloadFetchedFile {
    /// The agent.
    pub agent_id: String,
    /// The activity that tells of the upload.
    pub activity_id: String,
    /// The password that the file was fetched with.
    pub password: SecretString,
    /// The folder on this machine that the file is written to: below it, in a folder that is named after the
    /// agent and the activity.
    pub folder: PathBuf,
    /// Whether to unpack the zip.
    pub unpack: bool,
}

impl Command for DownloadFetchedFile {
    const INFO: Info = Info {
        name: "download-fetched-file",
        full_name: "sentinelone-download-fetched-file",
        summary: "Download a file that was fetched from an endpoint before",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["agents_download"],
    };

    const OUTPUTS: &'static [Output] = &[uploads::PATH];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("agent_id", ArgumentKind::Text, "Identifier of the agent on the endpoint.")
                .required(),
            Argument::new(
                "activity_id",
                ArgumentKind::Text,
                "Identifier of the activity that tells of the upload, from get-activities.",
            )
            .required(),
            Argument::new("password", ArgumentKind::Text, "The password that the file was fetched with.")
                .required(),
            uploads::folder_argument(),
            uploads::unpack_argument(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            agent_id: uploads::id(arguments, "agent_id")?,
            activity_id: uploads::id(arguments, "activity_id")?,
            password: uploads::password(arguments)?,
            folder: uploads::folder(arguments)?,
            unpack: uploads::unpack(arguments)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        uploads::check_unpack(Self::INFO.name, self.unpack)?;
        Ok(vec![raw::download(&self.agent_id, &self.activity_id)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        self.requests(client.api_version())?;
        let name = format!("{}-{}", self.agent_id, self.activity_id);
        let place = Place { folder: &self.folder, name: &name, unpack: self.unpack };
        place.check()?;
        let upload = Upload { agent: self.agent_id.clone(), activity: self.activity_id.clone() };
        let files = place.take(client, &upload, &self.password, watch).await?;
        // The console sent no JSON: the files are what there is to tell of.
        let told: Value = files
            .iter()
            .map(|file| json!({ "name": file.name, "path": file.path.display().to_string(), "bytes": file.bytes }))
            .collect();
        let context = uploads::context(&files, self.unpack);
        Ok(Outcome { files, ..Outcome::found(json!({ "data": told }), context) })
    }
}
