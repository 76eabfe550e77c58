//! `sentinelone-threat-summary`: counts threats by state.

use sentinelone_raw::runtime::{ApiVersion, Data};
use sentinelone_raw::threats::{self as raw, ThreatsSummaryQuery};

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::get;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Counts threats by state, like the dashboard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreatSummary {
    /// Group IDs. Default: all threats in scope.
    pub group_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Threat";

impl Command for ThreatSummary {
    const INFO: CommandInfo = CommandInfo {
        name: "threat-summary",
        full_name: "sentinelone-threat-summary",
        topic: Topic::Threats,
        summary: "Count threats by state",
        example: "s1 threat-summary",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_summary"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field(
            "SentinelOne.Threat.NotResolved",
            "Number",
            "Threats that are not resolved",
            "notResolved",
        ),
        ContextPath::field(
            "SentinelOne.Threat.SuspiciousNotMitigatedNotResolved",
            "Number",
            "Suspicious threats that are neither mitigated nor resolved",
            "suspiciousNotMitigatedNotResolved",
        ),
        ContextPath::field(
            "SentinelOne.Threat.SuspiciousNotResolved",
            "Number",
            "Suspicious threats that are not resolved",
            "suspiciousNotResolved",
        ),
        ContextPath::field("SentinelOne.Threat.Resolved", "Number", "Threats that are resolved", "resolved"),
        ContextPath::field(
            "SentinelOne.Threat.InProgress",
            "Number",
            "Threats that are in progress",
            "inProgress",
        ),
        ContextPath::field("SentinelOne.Threat.Total", "Number", "All threats", "total"),
        ContextPath::field(
            "SentinelOne.Threat.NotMitigated",
            "Number",
            "Threats that are not mitigated",
            "notMitigated",
        ),
        ContextPath::field(
            "SentinelOne.Threat.MaliciousNotResolved",
            "Number",
            "Malicious threats that are not resolved",
            "maliciousNotResolved",
        ),
        ContextPath::field(
            "SentinelOne.Threat.NotMitigatedNotResolved",
            "Number",
            "Threats that are neither mitigated nor resolved",
            "notMitigatedNotResolved",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("group_ids", ArgumentKind::List, "Group IDs.")]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { group_ids: arguments.list("group_ids")?.unwrap_or_default() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let group_ids = (!self.group_ids.is_empty()).then(|| self.group_ids.clone());
        let query = ThreatsSummaryQuery { group_ids, ..ThreatsSummaryQuery::default() };
        Ok(vec![raw::summary(&query)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, reads: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        get::<Data<raw::ThreatSummary>>(client, reads, None, (PREFIX, Self::OUTPUTS)).await
    }
}
