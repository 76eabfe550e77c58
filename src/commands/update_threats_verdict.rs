//! `sentinelone-update-threats-verdict`: the analyst verdict of threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum, Request};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, ThreatFilter, ThreatVerdictData, ThreatVerdictUpdate,
};
use serde_json::{Value, json};

use super::act::{THREAT_ID, act_on_threats, known, requests, threat_ids};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Sets the analyst verdict of threats.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatsVerdict {
    /// The verdict.
    pub verdict: AnalystVerdict,
    /// The threats.
    pub threat_ids: Vec<String>,
}

impl Command for UpdateThreatsVerdict {
    const INFO: Info = Info {
        name: "update-threats-verdict",
        full_name: "sentinelone-update-threats-verdict",
        summary: "Set the analyst verdict of threats",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_update_analyst_verdict"],
    };

    const OUTPUTS: &'static [Output] = &[
        THREAT_ID,
        Output::computed(
            "SentinelOne.Threat.Updated",
            "Boolean",
            "Whether it has the verdict now; null when nobody knows",
        ),
        Output::argument("SentinelOne.Threat.Update.Action", "String", "The verdict", "verdict"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("verdict", ArgumentKind::Text, "The verdict to set.")
                .required()
                .values(AnalystVerdict::KNOWN),
            threat_ids(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            verdict: arguments.required_choice("verdict", AnalystVerdict::KNOWN)?,
            threat_ids: arguments.required_list("threat_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            // The integration asks in tenant scope; with identifiers that selects no more threats.
            let filter = ThreatFilter::default().ids(ids).tenant(true);
            let data = ThreatVerdictData::new(self.verdict.clone());
            raw::update_analyst_verdict(&ThreatVerdictUpdate::new(data, filter))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on_threats(self, client, |one, entry| {
            put(entry, "Updated", known(one));
            put(entry, "Update.Action", json!(self.verdict));
        })
        .await
    }
}
