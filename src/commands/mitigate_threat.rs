//! `sentinelone-mitigate-threat`: mitigates threats.

use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::threats::{self as raw, MitigationAction, ThreatFilter, ThreatsMitigateRequest};
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

/// Mitigates threats. This interrupts users.
#[derive(Clone, Debug, PartialEq)]
pub struct MitigateThreat {
    /// Mitigation action.
    pub action: MitigationAction,
    /// Threat IDs.
    pub threat_ids: Vec<String>,
}

/// Values of the integration.
const ACTIONS: &[&str] = &["kill", "quarantine", "un-quarantine", "remediate", "rollback-remediation"];

impl Command for MitigateThreat {
    const INFO: CommandInfo = CommandInfo {
        name: "mitigate-threat",
        full_name: "sentinelone-mitigate-threat",
        topic: Topic::Threats,
        summary: "Mitigate threats",
        example: "s1 mitigate-threat --threat-ids 460000000000000011 --action kill",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["threats_mitigate"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        THREAT_ID,
        ContextPath::computed(
            "SentinelOne.Threat.Mitigated",
            "Boolean",
            "Whether the action was started; null if unknown",
        ),
        ContextPath::argument("SentinelOne.Threat.Mitigation.Action", "String", "The action", "action"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("action", ArgumentKind::String, "Mitigation action.").required().values(ACTIONS),
            threat_ids(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            action: arguments.required_choice("action", ACTIONS)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            raw::mitigate(&self.action, &ThreatsMitigateRequest::new(ThreatFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_threat_action(client, actions, |result, entry| {
            set_path(entry, "Mitigated", success_or_null(result));
            set_path(entry, "Mitigation.Action", json!(self.action));
        })
        .await
    }
}
