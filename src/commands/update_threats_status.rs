//! `sentinelone-update-threats-status`: sets the incident status of threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum};
use sentinelone_raw::threats::{
    self as raw, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatsUpdateIncidentRequest,
};
use serde_json::json;

use super::support::batch_action::{
    THREAT_ID, batch_requests, run_threat_action, success_or_null, threat_ids,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Sets the incident status of threats in one request.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatsStatus {
    /// Incident status.
    pub status: IncidentStatus,
    /// Threat IDs.
    pub threat_ids: Vec<String>,
}

impl Command for UpdateThreatsStatus {
    const INFO: CommandInfo = CommandInfo {
        name: "update-threats-status",
        full_name: "sentinelone-update-threats-status",
        topic: Topic::Threats,
        summary: "Set the incident status of threats",
        example: "s1 update-threats-status --threat-ids 460000000000000011 --status resolved",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_update_incident"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        THREAT_ID,
        ContextPath::computed(
            "SentinelOne.Threat.Updated",
            "Boolean",
            "Whether the threat has the status; null if unknown",
        ),
        ContextPath::argument("SentinelOne.Threat.Status", "String", "The status", "status"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("status", ArgumentKind::String, "Incident status.")
                .required()
                .values(IncidentStatus::VALUES),
            threat_ids(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.required_choice("status", IncidentStatus::VALUES)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            let data = ThreatIncidentData::new(self.status.clone());
            raw::update_incident(&ThreatsUpdateIncidentRequest::new(data, ThreatFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_threat_action(client, actions, |result, entry| {
            set_path(entry, "Updated", success_or_null(result));
            set_path(entry, "Status", json!(self.status));
        })
        .await
    }
}
