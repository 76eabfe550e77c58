//! `sentinelone-update-alerts-status`: sets the incident status of alerts.

use sentinelone_raw::alerts::{
    self as raw, AlertFilter, AlertIncidentUpdateData, AlertsUpdateIncidentRequest,
};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::threats::IncidentStatus;
use serde_json::json;

use super::support::batch_action::{batch_requests, run_id_action, success_or_null};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Sets the incident status of alerts in one request.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateAlertsStatus {
    /// Incident status.
    pub status: IncidentStatus,
    /// Alert IDs.
    pub alert_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Alert";
const STATUSES: &[&str] = &["in_progress", "resolved", "unresolved"];

impl Command for UpdateAlertsStatus {
    const INFO: CommandInfo = CommandInfo {
        name: "update-alerts-status",
        full_name: "sentinelone-update-alerts-status",
        topic: Topic::Alerts,
        summary: "Set the incident status of alerts",
        example: "s1 update-alerts-status --alert-ids 530000000000000001 --status resolved",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["alerts_update_incident"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Alert.ID", "String", "ID of the alert", "alert_ids"),
        ContextPath::computed(
            "SentinelOne.Alert.Updated",
            "Boolean",
            "Whether the alert has the status; null if unknown",
        ),
        ContextPath::argument("SentinelOne.Alert.Status", "String", "The status", "status"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("status", ArgumentKind::String, "Incident status, case-insensitive.")
                .required()
                .values(STATUSES),
            Argument::new("alert_ids", ArgumentKind::List, "Alert IDs.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.required_choice_ignore_case("status", STATUSES)?,
            alert_ids: arguments.required_list("alert_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("alert_ids", &self.alert_ids), AlertFilter::FIELDS, |ids| {
            let data = AlertIncidentUpdateData::new(self.status.clone());
            raw::update_incident(&AlertsUpdateIncidentRequest::new(data, AlertFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_id_action(client, actions, (PREFIX, "ID"), |result, entry| {
            set_path(entry, "Updated", success_or_null(result));
            set_path(entry, "Status", json!(self.status));
        })
        .await
    }
}
