//! `sentinelone-update-threats-verdict`: sets the analyst verdict of threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, ThreatFilter, ThreatVerdictData, ThreatsUpdateAnalystVerdictRequest,
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

/// Sets the analyst verdict of threats.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatsVerdict {
    /// Analyst verdict.
    pub verdict: AnalystVerdict,
    /// Threat IDs.
    pub threat_ids: Vec<String>,
}

impl Command for UpdateThreatsVerdict {
    const INFO: CommandInfo = CommandInfo {
        name: "update-threats-verdict",
        full_name: "sentinelone-update-threats-verdict",
        topic: Topic::Threats,
        summary: "Set the analyst verdict of threats",
        example: "s1 update-threats-verdict --threat-ids 460000000000000011 --verdict false_positive",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_update_analyst_verdict"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        THREAT_ID,
        ContextPath::computed(
            "SentinelOne.Threat.Updated",
            "Boolean",
            "Whether the threat has the verdict; null if unknown",
        ),
        ContextPath::argument("SentinelOne.Threat.Update.Action", "String", "The verdict", "verdict"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("verdict", ArgumentKind::String, "Analyst verdict.")
                .required()
                .values(AnalystVerdict::VALUES),
            threat_ids(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            verdict: arguments.required_choice("verdict", AnalystVerdict::VALUES)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            // The integration sends the tenant scope. With IDs it does not select more threats.
            let filter = ThreatFilter::default().ids(ids).tenant(true);
            let data = ThreatVerdictData::new(self.verdict.clone());
            raw::update_analyst_verdict(&ThreatsUpdateAnalystVerdictRequest::new(data, filter))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_threat_action(client, actions, |result, entry| {
            set_path(entry, "Updated", success_or_null(result));
            set_path(entry, "Update.Action", json!(self.verdict));
        })
        .await
    }
}
