//! `sentinelone-update-threats-status`: the incident status of threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum, Request};
use sentinelone_raw::threats::{
    self as raw, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatIncidentUpdate,
};
use serde_json::{Value, json};

use super::act::{act, batches, contexts, known};
use super::context::{Output, put};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Sets the incident status of threats, all in one request.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatsStatus {
    /// The status.
    pub status: IncidentStatus,
    /// The threats.
    pub threat_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Threat";

impl Command for UpdateThreatsStatus {
    const INFO: Info = Info {
        name: "update-threats-status",
        full_name: "sentinelone-update-threats-status",
        summary: "Set the incident status of threats",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Threat.ID", "String", "Identifier of the threat", "threat_ids"),
        Output::computed(
            "SentinelOne.Threat.Updated",
            "Boolean",
            "Whether it has the status now; null when nobody knows",
        ),
        Output::argument("SentinelOne.Threat.Status", "String", "The status", "status"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("status", ArgumentKind::Text, "The status to set.")
                .required()
                .values(IncidentStatus::KNOWN),
            Argument::new("threat_ids", ArgumentKind::List, "Identifiers of the threats.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.required_choice("status", IncidentStatus::KNOWN)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        batches(&self.threat_ids, ThreatFilter::FIELDS)
            .into_iter()
            .map(|ids| {
                let data = ThreatIncidentData::new(self.status.clone());
                let filter = ThreatFilter::default().ids(ids);
                Ok(raw::update_incident(&ThreatIncidentUpdate::new(data, filter))?.answering())
            })
            .collect()
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, _) = act(client, self.requests(client.api_version())?).await?;
        outcome.context = contexts(PREFIX, &outcome.ids, |one, entry| {
            put(entry, "Updated", known(one));
            put(entry, "Status", json!(self.status));
        });
        Ok(outcome)
    }
}
