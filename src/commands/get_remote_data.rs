//! `get-remote-data`: a threat as its mirror sees it.

use sentinelone_raw::runtime::{ApiVersion, Request, Timestamp};
use serde_json::{Value, json};

use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::incidents::mirror::{remote, remote_request};
use crate::incidents::{Entry, INCIDENT_TYPE};

/// A threat for the incident that mirrors it.
///
/// The answer has the threat as `mirrored_object`, whether it changed since the last update as `changed`, and
/// as `entries` what the platform is to do with the incident. A threat that did not change is in it too.
#[derive(Clone, Debug, PartialEq)]
pub struct GetRemoteData {
    /// The threat.
    pub id: String,
    /// When the incident was last brought up to date.
    pub last_update: Timestamp,
    /// Whether the incident is to be closed when the threat is resolved, and opened when it is not.
    pub close_xsoar_incident: bool,
}

impl Command for GetRemoteData {
    const INFO: Info = Info {
        name: "get-remote-data",
        full_name: "get-remote-data",
        summary: "Read a threat for the incident that mirrors it",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["threats_list", "threats_list_v2_0"],
    };

    const OUTPUTS: &'static [Output] = &[];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("id", ArgumentKind::Text, "Identifier of the threat.").required(),
            Argument::new(
                "lastUpdate",
                ArgumentKind::Time,
                "When the incident was last brought up to date. The threat is read in any case; `changed` in the \
                 answer tells whether it changed since.",
            )
            .required(),
            Argument::new(
                "close_xsoar_incident",
                ArgumentKind::Boolean,
                "Whether to close the incident when the threat is resolved, and to open it when it is not.",
            )
            .default("false"),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let missing = arguments.wrong("lastUpdate", "is missing");
        Ok(Self {
            id: arguments.required("id")?.trim().to_owned(),
            last_update: arguments.time("lastUpdate")?.ok_or(missing)?,
            close_xsoar_incident: arguments.boolean("close_xsoar_incident")?.unwrap_or(false),
        })
    }

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![remote_request(version, &self.id)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let remote = remote(client, &self.id, &self.last_update, self.close_xsoar_incident).await?;
        let Some(mut remote) = remote else {
            let error = format!("threat {} is not there, or out of the token's scope", self.id);
            let threat = json!({ "id": self.id, "in_mirror_error": error });
            let answer = json!({ "mirrored_object": threat, "entries": [] });
            return Ok(Outcome::found(answer.clone(), answer));
        };
        put(&mut remote.threat, "incident_type", json!(INCIDENT_TYPE));
        let entries: Vec<_> = remote.entries.into_iter().map(Entry::to_json).collect();
        let answer =
            json!({ "mirrored_object": remote.threat, "changed": remote.changed, "entries": entries });
        Ok(Outcome { errors: remote.errors, ..Outcome::found(answer.clone(), answer) })
    }
}
