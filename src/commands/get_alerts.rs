//! `sentinelone-get-alerts`: lists alerts.

use sentinelone_raw::alerts::{
    self as raw, AlertAnalystVerdict, AlertFilter, AlertIncidentStatus, AlertsListQuery,
};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request, Timestamp};
use serde_json::Value;

use super::support::batched_lists::{
    batched_list_requests, effective_limit, non_empty, read_lists, require_single_list,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_entries::ContextEntries;
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::{get_path, set_path};

const DEFAULT_LIMIT: u64 = 1000;

/// Lists alerts of STAR rules that match all filters, up to a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct GetAlerts {
    /// Created at or after this time.
    pub created_from: Timestamp,
    /// Created at or before this time.
    pub created_until: Option<Timestamp>,
    /// Substrings of the rule name.
    pub rule_name: Vec<String>,
    /// Incident statuses.
    pub incident_status: Vec<AlertIncidentStatus>,
    /// Analyst verdicts.
    pub analyst_verdict: Vec<AlertAnalystVerdict>,
    /// Alert IDs.
    pub alert_ids: Vec<String>,
    /// Maximum number of items. Default: 1000, or the number of `alert_ids` if larger.
    pub limit: Option<u64>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Cursor of an earlier response.
    pub cursor: Option<String>,
}

const PREFIX: &str = "SentinelOne.Alert";

/// Context paths whose field is not documented, with the documented field of the state at the detection.
const FALLBACK_FIELDS: &[(&str, &str)] =
    &[("EndpointName", "agentDetectionInfo.name"), ("AgentOS", "agentDetectionInfo.osFamily")];

impl Command for GetAlerts {
    const INFO: CommandInfo = CommandInfo {
        name: "get-alerts",
        full_name: "sentinelone-get-alerts",
        topic: Topic::Alerts,
        summary: "List alerts of STAR rules",
        example: "s1 get-alerts --created-from '7 days' --incident-status UNRESOLVED",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["alerts_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field(
            "SentinelOne.Alert.EventType",
            "String",
            "Type of the event",
            "alertInfo.eventType",
        ),
        ContextPath::field("SentinelOne.Alert.RuleName", "String", "Name of the rule", "ruleInfo.name"),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcUser",
            "String",
            "User of the process",
            "sourceProcessInfo.user",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcName",
            "String",
            "Name of the process",
            "sourceProcessInfo.name",
        ),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcPath",
            "String",
            "File path of the process",
            "sourceProcessInfo.filePath",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcCommandline",
            "String",
            "Command line of the process",
            "sourceProcessInfo.commandline",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcSHA1",
            "String",
            "SHA-1 of the process file",
            "sourceProcessInfo.fileHashSha1",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcStartTime",
            "String",
            "Start time of the process",
            "sourceProcessInfo.pidStarttime",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcStorylineId",
            "String",
            "Storyline ID of the process",
            "sourceProcessInfo.storyline",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcName",
            "String",
            "Name of the parent process",
            "sourceParentProcessInfo.name",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcPath",
            "String",
            "File path of the parent process",
            "sourceParentProcessInfo.filePath",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcCommandline",
            "String",
            "Command line of the parent process",
            "sourceParentProcessInfo.commandline",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcStartTime",
            "String",
            "Start time of the parent process",
            "sourceParentProcessInfo.pidStarttime",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcUser",
            "String",
            "User of the parent process",
            "sourceParentProcessInfo.user",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcSHA1",
            "String",
            "SHA-1 of the parent process file",
            "sourceParentProcessInfo.fileHashSha1",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcProcSignerIdentity",
            "String",
            "Signer of the process file",
            "sourceProcessInfo.fileSignerIdentity",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SrcParentProcSignerIdentity",
            "String",
            "Signer of the parent process file",
            "sourceParentProcessInfo.fileSignerIdentity",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.AlertCreatedAt",
            "String",
            "Creation time of the alert",
            "alertInfo.createdAt",
        ),
        ContextPath::field("SentinelOne.Alert.AlertId", "String", "ID of the alert", "alertInfo.alertId"),
        ContextPath::field(
            "SentinelOne.Alert.AnalystVerdict",
            "String",
            "Analyst verdict",
            "alertInfo.analystVerdict",
        ),
        ContextPath::field(
            "SentinelOne.Alert.IncidentStatus",
            "String",
            "Incident status",
            "alertInfo.incidentStatus",
        ),
        ContextPath::field(
            "SentinelOne.Alert.EndpointName",
            "String",
            "Current name of the endpoint, or the name at the detection",
            "agentRealtimeInfo.name",
        ),
        ContextPath::field("SentinelOne.Alert.AgentId", "String", "ID of the agent", "agentRealtimeInfo.id")
            .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.AgentUUID",
            "String",
            "UUID of the agent",
            "agentDetectionInfo.uuid",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Alert.dvEventId", "String", "ID of the event", "alertInfo.dvEventId")
            .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.AgentOS",
            "String",
            "Current operating system of the endpoint, or the one at the detection",
            "agentRealtimeInfo.os",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.AgentVersion",
            "String",
            "Version of the agent",
            "agentDetectionInfo.version",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Alert.SiteId",
            "String",
            "ID of the site",
            "agentDetectionInfo.siteId",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Alert.RuleId", "String", "ID of the rule", "ruleInfo.id").no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, String, Time};
        vec![
            Argument::new("created_from", Time, "Created at or after this time.").required(),
            Argument::new("created_until", Time, "Created at or before this time."),
            Argument::new("ruleName", List, "Substrings of the rule name; any of them matches."),
            Argument::new("incidentStatus", List, "Incident statuses, case-insensitive.")
                .values(AlertIncidentStatus::VALUES),
            Argument::new("analystVerdict", List, "Analyst verdicts, case-insensitive.")
                .values(AlertAnalystVerdict::VALUES),
            Argument::new("alert_ids", List, "Alert IDs."),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of alerts; if not set, at least the number of alert_ids.",
            )
            .default("1000")
            .accepts_all(),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new(
                "cursor",
                String,
                "Cursor of the next page: pagination.nextCursor of an earlier response.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let created_from = arguments.time("created_from")?;
        Ok(Self {
            created_from: created_from.ok_or_else(|| arguments.error("created_from", "is missing"))?,
            created_until: arguments.time("created_until")?,
            rule_name: arguments.list("ruleName")?.unwrap_or_default(),
            incident_status: arguments.choices_ignore_case("incidentStatus", AlertIncidentStatus::VALUES)?,
            analyst_verdict: arguments.choices_ignore_case("analystVerdict", AlertAnalystVerdict::VALUES)?,
            alert_ids: arguments.list("alert_ids")?.unwrap_or_default(),
            limit: arguments.limit()?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            cursor: arguments.string("cursor")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        require_single_list(self, ("cursor", self.cursor.is_some()), ("alert_ids", &self.alert_ids))?;
        batched_list_requests(&self.alert_ids, Some(self.effective_limit()), |ids| self.request(ids))
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let limit = Some(self.effective_limit());
        let fields = &["alertInfo.alertId", "id"];
        let requested = RequestedIds::default().with("alert_ids", &self.alert_ids, fields);
        let add_fallbacks = |_: usize, alert: &Value, entry: &mut Value| {
            for (path, field) in FALLBACK_FIELDS {
                let value = get_path(alert, field).filter(|value| !value.is_null());
                if let (None, Some(value)) = (entry.get(path), value) {
                    set_path(entry, path, value.clone());
                }
            }
        };
        let entries = ContextEntries::from((PREFIX, Self::OUTPUTS)).filled(&add_fallbacks);
        read_lists((client, observer, &requested), requests, limit, None, entries).await
    }
}

impl GetAlerts {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.alert_ids)
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Value>> {
        let filter = AlertFilter {
            created_at_gte: Some(self.created_from.clone()),
            created_at_lte: self.created_until.clone(),
            rule_name_contains: non_empty(&self.rule_name),
            incident_status: non_empty(&self.incident_status),
            analyst_verdict: non_empty(&self.analyst_verdict),
            ids,
            site_ids: non_empty(&self.site_ids),
            ..AlertFilter::default()
        };
        let query = AlertsListQuery { filter, cursor: self.cursor.clone(), ..AlertsListQuery::default() };
        Ok(raw::list(&query)?.with_response_type())
    }
}
