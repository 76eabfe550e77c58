//! `sentinelone-update-alerts-verdict`: sets the analyst verdict of alerts.

use sentinelone_raw::alerts::{
    self as raw, AlertFilter, AlertVerdictUpdateData, AlertsUpdateAnalystVerdictRequest,
};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::threats::AnalystVerdict;
use serde_json::json;

use super::support::batch_action::{batch_requests, run_id_action, success_or_null};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Sets the analyst verdict of alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateAlertsVerdict {
    /// Analyst verdict.
    pub verdict: AnalystVerdict,
    /// Alert IDs.
    pub alert_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Alert";
const VERDICTS: &[&str] = &["undefined", "true_positive", "false_positive", "suspicious"];

impl Command for UpdateAlertsVerdict {
    const INFO: CommandInfo = CommandInfo {
        name: "update-alerts-verdict",
        full_name: "sentinelone-update-alerts-verdict",
        topic: Topic::Alerts,
        summary: "Set the analyst verdict of alerts",
        example: "s1 update-alerts-verdict --alert-ids 530000000000000001 --verdict false_positive",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["alerts_update_analyst_verdict"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Alert.ID", "String", "ID of the alert", "alert_ids"),
        ContextPath::computed(
            "SentinelOne.Alert.Updated",
            "Boolean",
            "Whether the alert has the verdict; null if unknown",
        ),
        ContextPath::argument("SentinelOne.Alert.Update.Action", "String", "The verdict", "verdict"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("verdict", ArgumentKind::String, "Analyst verdict, case-insensitive.")
                .required()
                .values(VERDICTS),
            Argument::new("alert_ids", ArgumentKind::List, "Alert IDs.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            verdict: arguments.required_choice_ignore_case("verdict", VERDICTS)?,
            alert_ids: arguments.required_list("alert_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("alert_ids", &self.alert_ids), AlertFilter::FIELDS, |ids| {
            let data = AlertVerdictUpdateData::new(self.verdict.clone());
            raw::update_analyst_verdict(&AlertsUpdateAnalystVerdictRequest::new(
                data,
                AlertFilter::default().ids(ids),
            ))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_id_action(client, actions, (PREFIX, "ID"), |result, entry| {
            set_path(entry, "Updated", success_or_null(result));
            set_path(entry, "Update.Action", json!(self.verdict));
        })
        .await
    }
}
