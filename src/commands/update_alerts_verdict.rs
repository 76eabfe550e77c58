//! `sentinelone-update-alerts-verdict`: the analyst verdict of alerts.

use sentinelone_raw::alerts::{self as raw, AlertFilter, AlertVerdictUpdate, AlertVerdictUpdateData};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::AnalystVerdict;
use serde_json::{Value, json};

use super::act::{act_on, known, requests};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Sets the analyst verdict of alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateAlertsVerdict {
    /// The verdict.
    pub verdict: AnalystVerdict,
    /// The alerts.
    pub alert_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Alert";
const VERDICTS: &[&str] = &["undefined", "true_positive", "false_positive", "suspicious"];

impl Command for UpdateAlertsVerdict {
    const INFO: Info = Info {
        name: "update-alerts-verdict",
        full_name: "sentinelone-update-alerts-verdict",
        summary: "Set the analyst verdict of alerts",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["alerts_update_analyst_verdict"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Alert.ID", "String", "Identifier of the alert", "alert_ids"),
        Output::computed(
            "SentinelOne.Alert.Updated",
            "Boolean",
            "Whether it has the verdict now; null when nobody knows",
        ),
        Output::argument("SentinelOne.Alert.Update.Action", "String", "The verdict", "verdict"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("verdict", ArgumentKind::Text, "The verdict to set, in capitals or not.")
                .required()
                .values(VERDICTS),
            Argument::new("alert_ids", ArgumentKind::List, "Identifiers of the alerts.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            verdict: arguments.required_choice_of_any_case("verdict", VERDICTS)?,
            alert_ids: arguments.required_list("alert_ids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("alert_ids", &self.alert_ids), AlertFilter::FIELDS, |ids| {
            let data = AlertVerdictUpdateData::new(self.verdict.clone());
            raw::update_analyst_verdict(&AlertVerdictUpdate::new(data, AlertFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on(self, client, (PREFIX, "ID"), |one, entry| {
            put(entry, "Updated", known(one));
            put(entry, "Update.Action", json!(self.verdict));
        })
        .await
    }
}
