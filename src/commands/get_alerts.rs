//! `sentinelone-get-alerts`: alerts that match.

use sentinelone_raw::alerts::{
    self as raw, AlertAnalystVerdict, AlertFilter, AlertIncidentStatus, AlertsListQuery,
};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request, Timestamp};
use serde_json::Value;

use super::context::Output;
use super::lists::{given, in_batches, of_one_list, read_all, wanted};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::{at, put};

const DEFAULT_LIMIT: u64 = 1000;

/// Alerts of STAR rules that match, up to a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct GetAlerts {
    /// Created then or after.
    pub created_from: Timestamp,
    /// Created then or before.
    pub created_until: Option<Timestamp>,
    /// Parts of the name of the rule.
    pub rule_name: Vec<String>,
    /// Incident statuses.
    pub incident_status: Vec<AlertIncidentStatus>,
    /// Analyst verdicts.
    pub analyst_verdict: Vec<AlertAnalystVerdict>,
    /// Identifiers.
    pub alert_ids: Vec<String>,
    /// How many at the most; without it 1000, or as many as there are `alert_ids`.
    pub limit: Option<u64>,
    /// Sites.
    pub site_ids: Vec<String>,
    /// Where to go on, from an earlier answer.
    pub cursor: Option<String>,
}

const PREFIX: &str = "SentinelOne.Alert";

/// What the vendor's document does not have in answers, and where it stands as it was at the detection.
const STAND_INS: &[(&str, &str)] =
    &[("EndpointName", "agentDetectionInfo.name"), ("AgentOS", "agentDetectionInfo.osFamily")];

impl Command for GetAlerts {
    const INFO: Info = Info {
        name: "get-alerts",
        full_name: "sentinelone-get-alerts",
        summary: "List the alerts of STAR rules that match",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["alerts_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Alert.EventType", "String", "Kind of the event", "alertInfo.eventType"),
        Output::field("SentinelOne.Alert.RuleName", "String", "Name of the rule", "ruleInfo.name"),
        Output::field(
            "SentinelOne.Alert.SrcProcUser",
            "String",
            "User of the process",
            "sourceProcessInfo.user",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcProcName",
            "String",
            "Name of the process",
            "sourceProcessInfo.name",
        ),
        Output::field(
            "SentinelOne.Alert.SrcProcPath",
            "String",
            "File of the process",
            "sourceProcessInfo.filePath",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcProcCommandline",
            "String",
            "Command line of the process",
            "sourceProcessInfo.commandline",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcProcSHA1",
            "String",
            "SHA-1 of the process's file",
            "sourceProcessInfo.fileHashSha1",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcProcStartTime",
            "String",
            "When the process started",
            "sourceProcessInfo.pidStarttime",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcProcStorylineId",
            "String",
            "Storyline of the process",
            "sourceProcessInfo.storyline",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcName",
            "String",
            "Name of the parent process",
            "sourceParentProcessInfo.name",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcPath",
            "String",
            "File of the parent process",
            "sourceParentProcessInfo.filePath",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcCommandline",
            "String",
            "Command line of the parent process",
            "sourceParentProcessInfo.commandline",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcStartTime",
            "String",
            "When the parent process started",
            "sourceParentProcessInfo.pidStarttime",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcUser",
            "String",
            "User of the parent process",
            "sourceParentProcessInfo.user",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcSHA1",
            "String",
            "SHA-1 of the parent process's file",
            "sourceParentProcessInfo.fileHashSha1",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcProcSignerIdentity",
            "String",
            "Who signed the process's file",
            "sourceProcessInfo.fileSignerIdentity",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SrcParentProcSignerIdentity",
            "String",
            "Who signed the parent process's file",
            "sourceParentProcessInfo.fileSignerIdentity",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.AlertCreatedAt",
            "String",
            "When the alert was raised",
            "alertInfo.createdAt",
        ),
        Output::field("SentinelOne.Alert.AlertId", "String", "Identifier of the alert", "alertInfo.alertId"),
        Output::field(
            "SentinelOne.Alert.AnalystVerdict",
            "String",
            "What an analyst concluded",
            "alertInfo.analystVerdict",
        ),
        Output::field(
            "SentinelOne.Alert.IncidentStatus",
            "String",
            "How far the investigation has come",
            "alertInfo.incidentStatus",
        ),
        Output::field(
            "SentinelOne.Alert.EndpointName",
            "String",
            "Name of the endpoint: the present one, else the one at the detection",
            "agentRealtimeInfo.name",
        ),
        Output::field("SentinelOne.Alert.AgentId", "String", "Agent on the endpoint", "agentRealtimeInfo.id")
            .no_column(),
        Output::field(
            "SentinelOne.Alert.AgentUUID",
            "String",
            "UUID of the agent",
            "agentDetectionInfo.uuid",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.dvEventId",
            "String",
            "Event behind the alert",
            "alertInfo.dvEventId",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.AgentOS",
            "String",
            "Operating system of the endpoint: as it is, else as it was at the detection",
            "agentRealtimeInfo.os",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.AgentVersion",
            "String",
            "Version of the agent",
            "agentDetectionInfo.version",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Alert.SiteId",
            "String",
            "Site of the endpoint",
            "agentDetectionInfo.siteId",
        )
        .no_column(),
        Output::field("SentinelOne.Alert.RuleId", "String", "Identifier of the rule", "ruleInfo.id")
            .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, Text, Time};
        vec![
            Argument::new("created_from", Time, "Created at this time or after.").required(),
            Argument::new("created_until", Time, "Created at this time or before."),
            Argument::new("ruleName", List, "Parts of the name of the rule; any of them will do."),
            Argument::new("incidentStatus", List, "Incident statuses, in capitals or not.")
                .values(AlertIncidentStatus::KNOWN),
            Argument::new("analystVerdict", List, "Analyst verdicts, in capitals or not.")
                .values(AlertAnalystVerdict::KNOWN),
            Argument::new("alert_ids", List, "Identifiers of alerts."),
            Argument::new(
                "limit",
                Integer,
                "How many alerts at the most; without it as many as alert_ids where those are more.",
            )
            .default("1000")
            .or_all(),
            Argument::new("site_ids", List, "Sites, by identifier."),
            Argument::new("cursor", Text, "Where to go on: nextCursor of an earlier answer."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let created_from = arguments.time("created_from")?;
        Ok(Self {
            created_from: created_from.ok_or_else(|| arguments.wrong("created_from", "is missing"))?,
            created_until: arguments.time("created_until")?,
            rule_name: arguments.list("ruleName")?.unwrap_or_default(),
            incident_status: arguments.choices_of_any_case("incidentStatus", AlertIncidentStatus::KNOWN)?,
            analyst_verdict: arguments.choices_of_any_case("analystVerdict", AlertAnalystVerdict::KNOWN)?,
            alert_ids: arguments.list("alert_ids")?.unwrap_or_default(),
            limit: arguments.limit()?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            cursor: arguments.text("cursor")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let outputs = (PREFIX, Self::OUTPUTS);
        let mut outcome =
            read_all((client, watch), self.lists()?, Some(self.wanted()), |_| true, outputs).await?;
        let entries = outcome.context.pointer_mut("/SentinelOne/Alert").and_then(Value::as_array_mut);
        let alerts = outcome.answer.get("data").and_then(Value::as_array);
        for (entry, alert) in entries.into_iter().flatten().zip(alerts.into_iter().flatten()) {
            for (path, field) in STAND_INS {
                let then = at(alert, field).filter(|then| !then.is_null());
                if let (None, Some(then)) = (entry.get(path), then) {
                    put(entry, path, then.clone());
                }
            }
        }
        Ok(outcome)
    }
}

impl GetAlerts {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.alert_ids)
    }

    fn lists(&self) -> Result<Vec<Request<Page<Value>>>> {
        of_one_list(self, ("cursor", self.cursor.is_some()), ("alert_ids", &self.alert_ids))?;
        in_batches(&self.alert_ids, Some(self.wanted()), |ids| self.request(ids))
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let filter = AlertFilter {
            created_at_gte: Some(self.created_from.clone()),
            created_at_lte: self.created_until.clone(),
            rule_name_contains: given(&self.rule_name),
            incident_status: given(&self.incident_status),
            analyst_verdict: given(&self.analyst_verdict),
            ids,
            site_ids: given(&self.site_ids),
            ..AlertFilter::default()
        };
        let query = AlertsListQuery { filter, cursor: self.cursor.clone(), ..AlertsListQuery::default() };
        Ok(raw::list(&query)?.answering())
    }
}
