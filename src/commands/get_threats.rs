//! `sentinelone-get-threats`: lists threats.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request, Timestamp};
use sentinelone_raw::threats::{
    self as raw, IncidentStatus, LegacyMitigationStatus, LegacyThreatFilter, MitigationStatus, ThreatFilter,
    ThreatsListQuery, ThreatsListV20Query,
};
use serde_json::Value;

use super::arguments::argument_error;
use super::support::batched_lists::{batched_list_requests, effective_limit, non_empty, read_lists};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::Keep;
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 20;

/// Lists threats that match all filters, in the order of the console, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetThreats {
    /// SHA-1 hashes of the file content.
    pub content_hash: Vec<String>,
    /// Mitigation statuses; see [`Command::arguments`] for the values on each version.
    pub mitigation_status: Vec<String>,
    /// Created before this time.
    pub created_before: Option<Timestamp>,
    /// Created after this time.
    pub created_after: Option<Timestamp>,
    /// Created at or before this time.
    pub created_until: Option<Timestamp>,
    /// Created at or after this time.
    pub created_from: Option<Timestamp>,
    /// Whether to list resolved threats only (true) or unresolved threats only (false).
    pub resolved: Option<bool>,
    /// Name of the threat: exact on API 2.1, a substring on API 2.0.
    pub display_name: Option<String>,
    /// Maximum number of items. Default: 20, or the number of `threat_ids` if larger.
    pub limit: Option<u64>,
    /// Full-text search.
    pub query: Option<String>,
    /// Threat IDs.
    pub threat_ids: Vec<String>,
    /// Classifications, such as `Malware`.
    pub classifications: Vec<String>,
    /// Lowest risk score, 1 to 10. API 2.0 only.
    pub rank: Option<i64>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Incident statuses. API 2.1 only.
    pub incident_statuses: Vec<IncidentStatus>,
}

const PREFIX: &str = "SentinelOne.Threat";
const ONLY_2_0: &str = "threats of API 2.1 have no such field";

impl Command for GetThreats {
    const INFO: CommandInfo = CommandInfo {
        name: "get-threats",
        full_name: "sentinelone-get-threats",
        topic: Topic::Threats,
        summary: "List threats",
        example: "s1 get-threats --incident-statuses unresolved --limit 50",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_list", "threats_list_v2_0"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Threat.ID", "String", "ID of the threat", "id"),
        ContextPath::fields(
            "SentinelOne.Threat.AgentComputerName",
            "String",
            "Name of the endpoint",
            "agentComputerName",
            "agentRealtimeInfo.agentComputerName",
        ),
        ContextPath::fields(
            "SentinelOne.Threat.CreatedDate",
            "Date",
            "Creation time of the threat",
            "createdAt",
            "threatInfo.createdAt",
        ),
        ContextPath::fields(
            "SentinelOne.Threat.SiteID",
            "String",
            "ID of the site",
            "siteId",
            "agentRealtimeInfo.siteId",
        )
        .no_column(),
        ContextPath::fields(
            "SentinelOne.Threat.Classification",
            "String",
            "Classification",
            "classification",
            "threatInfo.classification",
        ),
        ContextPath::fields(
            "SentinelOne.Threat.ClassificationSource",
            "String",
            "Source of the classification",
            "classificationSource",
            "threatInfo.classificationSource",
        )
        .no_column(),
        ContextPath::fields(
            "SentinelOne.Threat.ConfidenceLevel",
            "String",
            "Confidence level",
            "confidenceLevel",
            "threatInfo.confidenceLevel",
        ),
        ContextPath::fields(
            "SentinelOne.Threat.FileSha256",
            "String",
            "SHA-256 of the file",
            "fileSha256",
            "threatInfo.sha256",
        )
        .no_column(),
        ContextPath::fields(
            "SentinelOne.Threat.MitigationStatus",
            "String",
            "Mitigation status",
            "mitigationStatus",
            "threatInfo.mitigationStatus",
        ),
        ContextPath::fields(
            "SentinelOne.Threat.AgentID",
            "String",
            "ID of the agent",
            "agentId",
            "agentRealtimeInfo.agentId",
        )
        .no_column(),
        ContextPath::only_2_0("SentinelOne.Threat.Rank", "Number", "Risk score, 1 to 10", "rank", ONLY_2_0)
            .no_column(),
        ContextPath::only_2_0(
            "SentinelOne.Threat.MarkedAsBenign",
            "Boolean",
            "Whether a user marked the threat as benign",
            "markedAsBenign",
            "threats of API 2.1 have the mitigation status marked_as_benign instead",
        )
        .no_column(),
        ContextPath::fields(
            "SentinelOne.Threat.SiteName",
            "String",
            "Name of the site",
            "siteName",
            "agentRealtimeInfo.siteName",
        )
        .undocumented(),
        ContextPath::fields(
            "SentinelOne.Threat.FileContentHash",
            "String",
            "SHA-1 of the file",
            "fileContentHash",
            "threatInfo.sha1",
        )
        .no_column()
        .undocumented(),
        ContextPath::fields(
            "SentinelOne.Threat.ThreatName",
            "String",
            "Name of the threat, usually the file name",
            "threatName",
            "threatInfo.threatName",
        )
        .undocumented(),
        ContextPath::fields(
            "SentinelOne.Threat.AgentOsType",
            "String",
            "Operating system of the endpoint",
            "agentOsType",
            "agentRealtimeInfo.agentOsType",
        )
        .no_column()
        .undocumented(),
        ContextPath::fields(
            "SentinelOne.Threat.FilePath",
            "String",
            "Path of the file",
            "filePath",
            "threatInfo.filePath",
        )
        .no_column()
        .undocumented(),
        ContextPath::fields(
            "SentinelOne.Threat.Username",
            "String",
            "User of the process",
            "username",
            "threatInfo.processUser",
        )
        .no_column()
        .undocumented(),
        ContextPath::only_2_0(
            "SentinelOne.Threat.Description",
            "String",
            "Description",
            "description",
            ONLY_2_0,
        )
        .no_column()
        .undocumented(),
        ContextPath::only_2_0(
            "SentinelOne.Threat.FileDisplayName",
            "String",
            "Name of the file",
            "fileDisplayName",
            ONLY_2_0,
        )
        .no_column()
        .undocumented(),
        ContextPath::only_2_0(
            "SentinelOne.Threat.InQuarantine",
            "Boolean",
            "Whether the file is in quarantine",
            "inQuarantine",
            ONLY_2_0,
        )
        .no_column()
        .undocumented(),
        ContextPath::only_2_0(
            "SentinelOne.Threat.FileMaliciousContent",
            "String",
            "Malicious content of the file",
            "fileMaliciousContent",
            ONLY_2_0,
        )
        .no_column()
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String, Time};
        let mut statuses = MitigationStatus::VALUES.to_vec();
        statuses.extend(
            LegacyMitigationStatus::VALUES.iter().filter(|status| !MitigationStatus::VALUES.contains(status)),
        );
        vec![
            Argument::new("content_hash", List, "SHA-1 hashes of the file content."),
            Argument::new(
                "mitigation_status",
                List,
                "Mitigation statuses. API 2.1 accepts not_mitigated, mitigated, marked_as_benign, and \
                 active as an alias of not_mitigated. API 2.0 accepts mitigated, active, blocked, \
                 suspicious, pending and suspicious_resolved.",
            )
            .values(&statuses),
            Argument::new("created_before", Time, "Created before this time."),
            Argument::new("created_after", Time, "Created after this time."),
            Argument::new("created_until", Time, "Created at or before this time."),
            Argument::new("created_from", Time, "Created at or after this time."),
            Argument::new(
                "resolved",
                Boolean,
                "Whether to list resolved threats only (true) or unresolved threats only (false). Default: \
                 both. Ignored with include_resolved_param=false.",
            ),
            Argument::new(
                "display_name",
                String,
                "Name of the threat: exact on API 2.1, a substring on API 2.0.",
            ),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of threats; if not set, at least the number of threat_ids.",
            )
            .default("20")
            .accepts_all(),
            Argument::new(
                "query",
                String,
                "Full-text search in the content hash, file name and path, computer name, agent UUID and \
                 other fields.",
            ),
            Argument::new("threat_ids", List, "Threat IDs."),
            Argument::new("classifications", List, "Classifications, such as Malware."),
            Argument::new("rank", Integer, "Lowest risk score, 1 to 10. API 2.0 only."),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new("incident_statuses", List, "Incident statuses, case-insensitive. API 2.1 only.")
                .values(IncidentStatus::VALUES),
            Argument::new(
                "include_resolved_param",
                Boolean,
                "Whether to send `resolved`. True sends it, with the default false. False never sends it. \
                 Without this argument, `resolved` is sent if it is set.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let resolved = arguments.boolean("resolved")?;
        let include = arguments.boolean("include_resolved_param")?;
        let resolved = match (include, resolved) {
            // A platform passes both documented defaults (false), which mean no filter.
            (Some(false), _) => None,
            (Some(true), None) => Some(false),
            (_, resolved) => resolved,
        };
        let mut incident_statuses = Vec::new();
        for status in arguments.list("incident_statuses")?.unwrap_or_default() {
            let status = status.to_ascii_lowercase();
            arguments.check_value("incident_statuses", &status, IncidentStatus::VALUES)?;
            incident_statuses.push(IncidentStatus::from(status));
        }
        Ok(Self {
            content_hash: arguments.list("content_hash")?.unwrap_or_default(),
            mitigation_status: arguments.list("mitigation_status")?.unwrap_or_default(),
            created_before: arguments.time("created_before")?,
            created_after: arguments.time("created_after")?,
            created_until: arguments.time("created_until")?,
            created_from: arguments.time("created_from")?,
            resolved,
            display_name: arguments.string("display_name")?,
            limit: arguments.limit()?,
            query: arguments.string("query")?,
            threat_ids: arguments.list("threat_ids")?.unwrap_or_default(),
            classifications: arguments.list("classifications")?.unwrap_or_default(),
            rank: arguments.integer("rank")?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            incident_statuses,
        })
    }

    fn requests(&self, version: ApiVersion) -> Result<Requests> {
        // With a rank, threats may be dropped here. Small pages would then need a request per kept threat.
        let page_limit = self.rank.is_none().then(|| self.effective_limit());
        batched_list_requests(&self.threat_ids, page_limit, |ids| match version {
            ApiVersion::V2_0 => self.request_2_0(ids),
            _ => self.request_2_1(ids),
        })
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        // The console may not filter by the minimum rank, so the items are filtered here too.
        let keep = |threat: &Value| match (self.rank, threat.get("rank").and_then(Value::as_i64)) {
            (Some(lowest), Some(rank)) => rank >= lowest,
            _ => true,
        };
        let requested = RequestedIds::default().with("threat_ids", &self.threat_ids, &["id"]).with(
            "content_hash",
            &self.content_hash,
            &["threatInfo.sha1", "fileContentHash"],
        );
        let (limit, outputs) = (Some(self.effective_limit()), (PREFIX, Self::OUTPUTS));
        let keep: Keep<'_> = if self.rank.is_some() { Some(&keep) } else { None };
        read_lists((client, observer, &requested), requests, limit, keep, outputs).await
    }
}

impl GetThreats {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.threat_ids)
    }

    fn request_2_1(&self, ids: Option<Vec<String>>) -> Result<Request<Value>> {
        let name = Self::INFO.name;
        if self.rank.is_some() {
            return Err(argument_error(name, "rank", format!("is not available on API 2.1: {ONLY_2_0}")));
        }
        let filter = ThreatFilter {
            content_hashes: non_empty(&self.content_hash),
            mitigation_statuses: non_empty(&self.mitigation_2_1()?),
            created_at_lt: self.created_before.clone(),
            created_at_gt: self.created_after.clone(),
            created_at_lte: self.created_until.clone(),
            created_at_gte: self.created_from.clone(),
            resolved: self.resolved,
            display_name: self.display_name.clone(),
            query: self.query.clone(),
            ids,
            classifications: non_empty(&self.classifications),
            site_ids: non_empty(&self.site_ids),
            incident_statuses: non_empty(&self.incident_statuses),
            ..ThreatFilter::default()
        };
        Ok(raw::list(&ThreatsListQuery { filter, ..ThreatsListQuery::default() })?.with_response_type())
    }

    fn mitigation_2_1(&self) -> Result<Vec<MitigationStatus>> {
        self.mitigation_status
            .iter()
            .map(|status| match status.as_str() {
                // The former name of this status.
                "active" => Ok(MitigationStatus::NotMitigated),
                known if MitigationStatus::VALUES.contains(&known) => Ok(known.into()),
                other => {
                    let values = MitigationStatus::VALUES.join(", ");
                    let message = format!("is {other:?}; API 2.1 accepts {values}");
                    Err(argument_error(Self::INFO.name, "mitigation_status", message))
                }
            })
            .collect()
    }

    fn request_2_0(&self, ids: Option<Vec<String>>) -> Result<Request<Value>> {
        let name = Self::INFO.name;
        if !self.incident_statuses.is_empty() {
            let message = "is not available on API 2.0: its threats have no incident status; use resolved";
            return Err(argument_error(name, "incident_statuses", message));
        }
        let known = LegacyMitigationStatus::VALUES;
        if let Some(other) = self.mitigation_status.iter().find(|status| !known.contains(&status.as_str())) {
            let values = known.join(", ");
            let message = format!("is {other:?}; API 2.0 accepts {values}");
            return Err(argument_error(name, "mitigation_status", message));
        }
        let filter = LegacyThreatFilter {
            content_hashes: non_empty(&self.content_hash),
            mitigation_statuses: non_empty(&self.mitigation_status)
                .map(|list: Vec<String>| list.into_iter().map(Into::into).collect()),
            created_at_lt: self.created_before.clone(),
            created_at_gt: self.created_after.clone(),
            created_at_lte: self.created_until.clone(),
            created_at_gte: self.created_from.clone(),
            resolved: self.resolved,
            display_name_like: self.display_name.clone(),
            query: self.query.clone(),
            ids,
            classifications: non_empty(&self.classifications),
            site_ids: non_empty(&self.site_ids),
            rank: self.rank,
            ..LegacyThreatFilter::default()
        };
        Ok(raw::list_v2_0(&ThreatsListV20Query { filter, ..ThreatsListV20Query::default() })?
            .with_response_type())
    }
}
