//! `sentinelone-threat-summary`: how many threats there are in each state.

use sentinelone_raw::runtime::{ApiVersion, Data, Request};
use sentinelone_raw::threats::{self as raw, ThreatsSummaryQuery};
use serde_json::Value;

use super::context::Output;
use super::read::get;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// How many threats there are in each state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreatSummary {
    /// Only those of these groups; all in scope when there are none.
    pub group_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Threat";

impl Command for ThreatSummary {
    const INFO: Info = Info {
        name: "threat-summary",
        full_name: "sentinelone-threat-summary",
        summary: "Count threats by state, as the dashboard does",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["threats_summary"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field(
            "SentinelOne.Threat.NotResolved",
            "Number",
            "Threats that are not resolved",
            "notResolved",
        ),
        Output::field(
            "SentinelOne.Threat.SuspiciousNotMitigatedNotResolved",
            "Number",
            "Suspicious threats that are neither mitigated nor resolved",
            "suspiciousNotMitigatedNotResolved",
        ),
        Output::field(
            "SentinelOne.Threat.SuspiciousNotResolved",
            "Number",
            "Suspicious threats that are not resolved",
            "suspiciousNotResolved",
        ),
        Output::field("SentinelOne.Threat.Resolved", "Number", "Threats that are resolved", "resolved"),
        Output::field("SentinelOne.Threat.InProgress", "Number", "Threats that are worked on", "inProgress"),
        Output::field("SentinelOne.Threat.Total", "Number", "All threats", "total"),
        Output::field(
            "SentinelOne.Threat.NotMitigated",
            "Number",
            "Threats that are not mitigated",
            "notMitigated",
        ),
        Output::field(
            "SentinelOne.Threat.MaliciousNotResolved",
            "Number",
            "Malicious threats that are not resolved",
            "maliciousNotResolved",
        ),
        Output::field(
            "SentinelOne.Threat.NotMitigatedNotResolved",
            "Number",
            "Threats that are neither mitigated nor resolved",
            "notMitigatedNotResolved",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("group_ids", ArgumentKind::List, "Only threats of these groups, by identifier.")]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { group_ids: arguments.list("group_ids")?.unwrap_or_default() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        get(client, &self.request()?, (PREFIX, Self::OUTPUTS)).await
    }
}

impl ThreatSummary {
    fn request(&self) -> Result<Request<Data<raw::ThreatSummary>>> {
        let group_ids = (!self.group_ids.is_empty()).then(|| self.group_ids.clone());
        let query = ThreatsSummaryQuery { group_ids, ..ThreatsSummaryQuery::default() };
        Ok(raw::summary(&query)?)
    }
}
