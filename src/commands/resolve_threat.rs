//! `sentinelone-resolve-threat`: threats are resolved, on API 2.0.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::{self as raw, LegacyThreatFilter, LegacyThreatResolution};
use serde_json::Value;

use super::act::{THREAT_ID, act_on_threats, known, requests, threat_ids};
use super::context::Output;
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Resolves threats. API 2.0 only; on 2.1 it is
/// [`UpdateThreatsStatus`](super::UpdateThreatsStatus) with the status `resolved`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolveThreat {
    /// The threats.
    pub threat_ids: Vec<String>,
}

impl Command for ResolveThreat {
    const INFO: Info = Info {
        name: "resolve-threat",
        full_name: "sentinelone-resolve-threat",
        summary: "Resolve threats",
        versions: &[ApiVersion::V2_0],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_mark_as_resolved"],
    };

    const OUTPUTS: &'static [Output] = &[
        THREAT_ID,
        Output::computed(
            "SentinelOne.Threat.Resolved",
            "Boolean",
            "Whether it was resolved; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![threat_ids()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_ids: arguments.required_list("threat_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("threat_ids", &self.threat_ids), LegacyThreatFilter::FIELDS, |ids| {
            raw::mark_as_resolved(&LegacyThreatResolution::new(LegacyThreatFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on_threats(self, client, |one, entry| {
            put(entry, "Resolved", known(one));
        })
        .await
    }
}
