//! `sentinelone-mark-as-threat`: marks suspicious threats as threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum};
use sentinelone_raw::threats::{
    self as raw, LegacyThreatFilter, LegacyThreatMarkingData, ThreatTargetScope, ThreatsMarkAsThreatRequest,
};

use super::support::batch_action::{
    THREAT_ID, batch_requests, run_threat_action, success_or_null, threat_ids,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Marks suspicious threats as threats. API 2.0 only; API 2.1 has the analyst verdict instead.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkAsThreat {
    /// Threat IDs. They are required here; without them, the integration marks all threats in scope.
    pub threat_ids: Vec<String>,
    /// Scope of the exclusions.
    pub target_scope: ThreatTargetScope,
}

impl Command for MarkAsThreat {
    const INFO: CommandInfo = CommandInfo {
        name: "mark-as-threat",
        full_name: "sentinelone-mark-as-threat",
        topic: Topic::Threats,
        summary: "Mark suspicious threats as threats",
        example: "s1 mark-as-threat --threat-ids 460000000000000011 --target-scope site --api-version 2.0",
        versions: &[ApiVersion::V2_0],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_mark_as_threat"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        THREAT_ID,
        ContextPath::computed(
            "SentinelOne.Threat.MarkedAsThreat",
            "Boolean",
            "Whether the threat was marked; null if unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            threat_ids(),
            Argument::new("target_scope", ArgumentKind::String, "Scope of the exclusions.")
                .required()
                .values(ThreatTargetScope::VALUES),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            threat_ids: arguments.required_list("threat_ids")?,
            target_scope: arguments.required_choice("target_scope", ThreatTargetScope::VALUES)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("threat_ids", &self.threat_ids), LegacyThreatFilter::FIELDS, |ids| {
            let data = LegacyThreatMarkingData::new(self.target_scope.clone());
            raw::mark_as_threat(&ThreatsMarkAsThreatRequest::new(
                data,
                LegacyThreatFilter::default().ids(ids),
            ))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_threat_action(client, actions, |result, entry| {
            set_path(entry, "MarkedAsThreat", success_or_null(result));
        })
        .await
    }
}
