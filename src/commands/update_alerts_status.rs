//! `sentinelone-update-alerts-status`: the incident status of alerts.

use sentinelone_raw::alerts::{self as raw, AlertFilter, AlertIncidentUpdate, AlertIncidentUpdateData};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::IncidentStatus;
use serde_json::{Value, json};

use super::act::{act_on, known, requests};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Sets the incident status of alerts, all in one request.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateAlertsStatus {
    /// The status.
    pub status: IncidentStatus,
    /// The alerts.
    pub alert_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Alert";
const STATUSES: &[&str] = &["in_progress", "resolved", "unresolved"];

impl Command for UpdateAlertsStatus {
    const INFO: Info = Info {
        name: "update-alerts-status",
        full_name: "sentinelone-update-alerts-status",
        summary: "Set the incident status of alerts",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["alerts_update_incident"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Alert.ID", "String", "Identifier of the alert", "alert_ids"),
        Output::computed(
            "SentinelOne.Alert.Updated",
            "Boolean",
            "Whether it has the status now; null when nobody knows",
        ),
        Output::argument("SentinelOne.Alert.Status", "String", "The status", "status"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("status", ArgumentKind::Text, "The status to set, in capitals or not.")
                .required()
                .values(STATUSES),
            Argument::new("alert_ids", ArgumentKind::List, "Identifiers of the alerts.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.required_choice_of_any_case("status", STATUSES)?,
            alert_ids: arguments.required_list("alert_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("alert_ids", &self.alert_ids), AlertFilter::FIELDS, |ids| {
            let data = AlertIncidentUpdateData::new(self.status.clone());
            raw::update_incident(&AlertIncidentUpdate::new(data, AlertFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on(self, client, (PREFIX, "ID"), |one, entry| {
            put(entry, "Updated", known(one));
            put(entry, "Status", json!(self.status));
        })
        .await
    }
}
