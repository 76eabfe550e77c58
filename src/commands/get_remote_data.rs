//! `get-remote-data`: a threat as its mirror sees it.

use sentinelone_raw::runtime::{ApiVersion, Page, Request, Timestamp};
use sentinelone_raw::threats::{
    self as raw, LegacyThreatFilter, ThreatFilter, ThreatsListQuery, ThreatsListV20Query,
};
use serde_json::{Value, json};

use super::context::Output;
use super::mirroring::INCIDENT_TYPE;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::{at, put};

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
        Ok(vec![self.request(version)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let answer = client.send(&self.request(client.api_version())?).await?;
        let errors = answer.vendor_errors().to_vec();
        // The console is not trusted to have looked at the filter.
        let is_wanted = |threat: &Value| threat.get("id").and_then(Value::as_str) == Some(self.id.as_str());
        let threat = answer.into_value().data.into_iter().find(is_wanted);
        let answer = match threat {
            Some(threat) => self.mirrored(client.api_version(), threat),
            None => {
                let error = format!("threat {} is not there, or out of the token's scope", self.id);
                json!({ "mirrored_object": { "id": self.id, "in_mirror_error": error }, "entries": [] })
            }
        };
        Ok(Outcome { errors, ..Outcome::found(answer.clone(), answer) })
    }
}

impl GetRemoteData {
    fn request(&self, version: ApiVersion) -> Result<Request<Page<Value>>> {
        Ok(match version {
            ApiVersion::V2_0 => {
                let filter = LegacyThreatFilter::default().ids([&self.id]);
                raw::list_v2_0(&ThreatsListV20Query { filter, ..ThreatsListV20Query::default() })?.answering()
            }
            _ => {
                let filter = ThreatFilter::default().ids([&self.id]);
                raw::list(&ThreatsListQuery { filter, ..ThreatsListQuery::default() })?.answering()
            }
        })
    }

    fn mirrored(&self, version: ApiVersion, mut threat: Value) -> Value {
        let is_old = version == ApiVersion::V2_0;
        let resolved = if is_old {
            threat.get("resolved").and_then(Value::as_bool)
        } else {
            match at(&threat, "threatInfo.incidentStatus").and_then(Value::as_str) {
                Some("resolved") => Some(true),
                Some("unresolved" | "in_progress") => Some(false),
                _ => None,
            }
        };
        let contents = match resolved.filter(|_| self.close_xsoar_incident) {
            Some(true) => Some(
                json!({ "dbotIncidentClose": true, "closeReason": "The threat is resolved in SentinelOne" }),
            ),
            Some(false) => Some(json!({ "dbotIncidentReopen": true })),
            None => None,
        };
        // A note, in the words of the platform.
        let entry = |contents| json!({ "Type": 1, "Contents": contents, "ContentsFormat": "json" });
        let entries: Vec<_> = contents.into_iter().map(entry).collect();
        let updated = at(&threat, if is_old { "updatedAt" } else { "threatInfo.updatedAt" });
        let updated = updated.and_then(Value::as_str).map(Timestamp::from);
        let updated = updated.and_then(|time| time.to_system_time());
        let changed = updated.zip(self.last_update.to_system_time()).map(|(now, before)| now >= before);
        put(&mut threat, "incident_type", json!(INCIDENT_TYPE));
        json!({ "mirrored_object": threat, "changed": changed, "entries": entries })
    }
}
