//! `sentinelone-resolve-threat`: resolves threats on API 2.0.

use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::threats::{self as raw, LegacyThreatFilter, ThreatsMarkAsResolvedRequest};

use super::support::batch_action::{
    THREAT_ID, batch_requests, run_threat_action, success_or_null, threat_ids,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Resolves threats. API 2.0 only; on API 2.1 use
/// [`UpdateThreatsStatus`](super::UpdateThreatsStatus) with the status `resolved`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolveThreat {
    /// Threat IDs.
    pub threat_ids: Vec<String>,
}

impl Command for ResolveThreat {
    const INFO: CommandInfo = CommandInfo {
        name: "resolve-threat",
        full_name: "sentinelone-resolve-threat",
        topic: Topic::Threats,
        summary: "Resolve threats",
        example: "s1 resolve-threat --threat-ids 460000000000000011 --api-version 2.0",
        versions: &[ApiVersion::V2_0],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_mark_as_resolved"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        THREAT_ID,
        ContextPath::computed(
            "SentinelOne.Threat.Resolved",
            "Boolean",
            "Whether the threat was resolved; null if unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![threat_ids()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_ids: arguments.required_list("threat_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("threat_ids", &self.threat_ids), LegacyThreatFilter::FIELDS, |ids| {
            raw::mark_as_resolved(&ThreatsMarkAsResolvedRequest::new(LegacyThreatFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_threat_action(client, actions, |result, entry| {
            set_path(entry, "Resolved", success_or_null(result));
        })
        .await
    }
}
