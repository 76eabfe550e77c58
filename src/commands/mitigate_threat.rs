//! `sentinelone-mitigate-threat`: agents kill, quarantine, remediate or roll back.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::{self as raw, MitigationAction, ThreatFilter, ThreatMitigation};
use serde_json::{Value, json};

use super::act::{THREAT_ID, act_on_threats, known, requests, threat_ids};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Has agents mitigate threats. This interrupts people's work.
#[derive(Clone, Debug, PartialEq)]
pub struct MitigateThreat {
    /// What the agents do.
    pub action: MitigationAction,
    /// The threats.
    pub threat_ids: Vec<String>,
}

/// Those that the integration offers.
const ACTIONS: &[&str] = &["kill", "quarantine", "un-quarantine", "remediate", "rollback-remediation"];

impl Command for MitigateThreat {
    const INFO: Info = Info {
        name: "mitigate-threat",
        full_name: "sentinelone-mitigate-threat",
        summary: "Have agents mitigate threats",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: true,
        asks: true,
        operations: &["threats_mitigate"],
    };

    const OUTPUTS: &'static [Output] = &[
        THREAT_ID,
        Output::computed(
            "SentinelOne.Threat.Mitigated",
            "Boolean",
            "Whether the action was started; null when nobody knows",
        ),
        Output::argument("SentinelOne.Threat.Mitigation.Action", "String", "The action", "action"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("action", ArgumentKind::Text, "What the agents do.").required().values(ACTIONS),
            threat_ids(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            action: arguments.required_choice("action", ACTIONS)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            raw::mitigate(&self.action, &ThreatMitigation::new(ThreatFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on_threats(self, client, |one, entry| {
            put(entry, "Mitigated", known(one));
            put(entry, "Mitigation.Action", json!(self.action));
        })
        .await
    }
}
