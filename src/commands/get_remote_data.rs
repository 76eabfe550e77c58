//! `get-remote-data`: returns a threat for its mirrored incident.

use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde_json::json;

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests, first_request};
use super::{
    Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, NotFound, Outcome, Topic,
};
use crate::Result;
use crate::client::Client;
use crate::incidents::mirror::{fetch_threat, threat_request};
use crate::incidents::{INCIDENT_TYPE, IncidentAction};
use crate::json_path::set_path;

/// Returns a threat for the incident that mirrors it.
///
/// The response has the members `mirrored_object` (the threat, also if it did not change), `changed` (whether it
/// changed since the last update) and `entries` (the actions of the platform on the incident).
#[derive(Clone, Debug, PartialEq)]
pub struct GetRemoteData {
    /// Threat ID.
    pub id: String,
    /// Time of the last update of the incident.
    pub last_update: Timestamp,
    /// Whether to close the incident if the threat is resolved, and to reopen it otherwise.
    pub close_xsoar_incident: bool,
}

impl Command for GetRemoteData {
    const INFO: CommandInfo = CommandInfo {
        name: "get-remote-data",
        full_name: "get-remote-data",
        topic: Topic::Incidents,
        summary: "Get a threat for the incident that mirrors it",
        example: "s1 get-remote-data --id 460000000000000011 --last-update '1 day'",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_list", "threats_list_v2_0"],
    };

    const OUTPUTS: &'static [ContextPath] = &[];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("id", ArgumentKind::String, "ID of the threat.").required(),
            Argument::new(
                "lastUpdate",
                ArgumentKind::Time,
                "Time of the last update of the incident. The threat is always read; `changed` is \
                 true if the threat changed since then.",
            )
            .required(),
            Argument::new(
                "close_xsoar_incident",
                ArgumentKind::Boolean,
                "Whether to close the incident if the threat is resolved, and to reopen it otherwise.",
            )
            .default("false"),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let missing = arguments.error("lastUpdate", "is missing");
        Ok(Self {
            id: arguments.required("id")?.trim().to_owned(),
            last_update: arguments.time("lastUpdate")?.ok_or(missing)?,
            close_xsoar_incident: arguments.boolean("close_xsoar_incident")?.unwrap_or(false),
        })
    }

    fn requests(&self, version: ApiVersion) -> Result<Requests> {
        Ok(vec![threat_request(version, &self.id)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, reads: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
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
