//! `get-remote-data`: returns a threat for its mirrored incident.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::json;

use super::command::{Behavior, Run};
use super::support::execution::{Requests, first_request};
use super::{GetRemoteData, NotFound, Outcome};
use crate::Result;
use crate::incidents::mirror::{fetch_threat, threat_request};
use crate::incidents::{INCIDENT_TYPE, IncidentAction};
use crate::json_path::set_path;

impl Behavior for GetRemoteData {
    fn build_requests(&self, version: ApiVersion) -> Result<Requests> {
        Ok(vec![threat_request(version, &self.id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: reads, .. } = run;
        let request = first_request(reads)?;
        let remote =
            fetch_threat(client, (&self.id, &request), &self.last_update, self.close_xsoar_incident).await?;
        let Some(mut remote) = remote else {
            let error = format!("threat {} does not exist or is not in the scope of the token", self.id);
            let threat = json!({ "id": self.id, "in_mirror_error": error });
            let response = json!({ "mirrored_object": threat, "entries": [] });
            return Ok(Outcome {
                not_found: vec![NotFound::new("id", &self.id)],
                is_placeholder: true,
                ..Outcome::new(response.clone(), response)
            });
        };
        set_path(&mut remote.threat, "incident_type", json!(INCIDENT_TYPE));
        let entries: Vec<_> = remote.actions.into_iter().map(IncidentAction::to_json).collect();
        let response =
            json!({ "mirrored_object": remote.threat, "changed": remote.has_changed, "entries": entries });
        let (errors, repairs) = (remote.errors, remote.repairs);
        Ok(Outcome { errors, repairs, ..Outcome::new(response.clone(), response) })
    }
}
