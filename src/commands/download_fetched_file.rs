//! `sentinelone-download-fetched-file`: downloads a file that an agent uploaded.

use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::agent_uploads::{self, DownloadTarget};
use super::support::execution::{Requests, first_request};
use super::{CommandDeclaration, DownloadFetchedFile, Outcome};
use crate::Result;

impl Behavior for DownloadFetchedFile {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        agent_uploads::check_unpack(Self::INFO.name, self.unpack)?;
        Ok(vec![raw::download(&self.agent_id, &self.activity_id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
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
