//! `sentinelone-mark-as-threat`: suspicious threats become threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum, Request};
use sentinelone_raw::threats::{
    self as raw, LegacyThreatFilter, LegacyThreatMarking, LegacyThreatMarkingData, ThreatTargetScope,
};
use serde_json::Value;

use super::act::{THREAT_ID, act_on_threats, known, requests, threat_ids};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Marks suspicious threats as threats. API 2.0 only; on 2.1 a verdict says it.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkAsThreat {
    /// The threats. The integration lets them be left out, and then means every threat in scope; here
    /// they are needed.
    pub threat_ids: Vec<String>,
    /// Where exclusions are made.
    pub target_scope: ThreatTargetScope,
}

impl Command for MarkAsThreat {
    const INFO: Info = Info {
        name: "mark-as-threat",
        full_name: "sentinelone-mark-as-threat",
        summary: "Mark suspicious threats as threats",
        versions: &[ApiVersion::V2_0],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_mark_as_threat"],
    };

    const OUTPUTS: &'static [Output] = &[
        THREAT_ID,
        Output::computed(
            "SentinelOne.Threat.MarkedAsThreat",
            "Boolean",
            "Whether it was marked; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            threat_ids(),
            Argument::new("target_scope", ArgumentKind::Text, "Where exclusions are made.")
                .required()
                .values(ThreatTargetScope::KNOWN),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            threat_ids: arguments.required_list("threat_ids")?,
            target_scope: arguments.required_choice("target_scope", ThreatTargetScope::KNOWN)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("threat_ids", &self.threat_ids), LegacyThreatFilter::FIELDS, |ids| {
            let data = LegacyThreatMarkingData::new(self.target_scope.clone());
            raw::mark_as_threat(&LegacyThreatMarking::new(data, LegacyThreatFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on_threats(self, client, |one, entry| {
            put(entry, "MarkedAsThreat", known(one));
        })
        .await
    }
}
