//! `sentinelone-update-threats-status`: the incident status of threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum, Request};
use sentinelone_raw::threats::{
    self as raw, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatIncidentUpdate,
};
use serde_json::{Value, json};

use super::act::{THREAT_ID, act_on_threats, known, requests, threat_ids};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Sets the incident status of threats, all in one request.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatsStatus {
    /// The status.
    pub status: IncidentStatus,
    /// The threats.
    pub threat_ids: Vec<String>,
}

impl Command for UpdateThreatsStatus {
    const INFO: Info = Info {
        name: "update-threats-status",
        full_name: "sentinelone-update-threats-status",
        summary: "Set the incident status of threats",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_update_incident"],
    };

    const OUTPUTS: &'static [Output] = &[
        THREAT_ID,
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
            threat_ids(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.required_choice("status", IncidentStatus::KNOWN)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            let data = ThreatIncidentData::new(self.status.clone());
            raw::update_incident(&ThreatIncidentUpdate::new(data, ThreatFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on_threats(self, client, |one, entry| {
            put(entry, "Updated", known(one));
            put(entry, "Status", json!(self.status));
        })
        .await
    }
}
