//! `sentinelone-get-threats`: threats that match.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request, Timestamp};
use sentinelone_raw::threats::{
    self as raw, IncidentStatus, LegacyMitigationStatus, LegacyThreatFilter, MitigationStatus, ThreatFilter,
    ThreatsListQuery, ThreatsListV20Query,
};
use serde_json::Value;

use super::act::refuse;
use super::context::Output;
use super::lists::{given, in_batches, read_all, wanted};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 20;

/// Threats that match, newest page first as the console has them, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetThreats {
    /// SHA-1 hashes of the content.
    pub content_hash: Vec<String>,
    /// Mitigation statuses; see [`Command::arguments`] for the values on each version.
    pub mitigation_status: Vec<String>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// Created after.
    pub created_after: Option<Timestamp>,
    /// Created then or before.
    pub created_until: Option<Timestamp>,
    /// Created then or after.
    pub created_from: Option<Timestamp>,
    /// Only resolved, or only unresolved ones.
    pub resolved: Option<bool>,
    /// Name: the whole on 2.1, a part on 2.0.
    pub display_name: Option<String>,
    /// How many at the most; without it 20, or as many as there are `threat_ids`.
    pub limit: Option<u64>,
    /// Free text.
    pub query: Option<String>,
    /// Identifiers.
    pub threat_ids: Vec<String>,
    /// Classifications, such as `Malware`.
    pub classifications: Vec<String>,
    /// Lowest risk score, 1 to 10. API 2.0 only.
    pub rank: Option<i64>,
    /// Sites.
    pub site_ids: Vec<String>,
    /// Incident statuses. API 2.1 only.
    pub incident_statuses: Vec<IncidentStatus>,
}

const PREFIX: &str = "SentinelOne.Threat";
const GONE: &str = "threats of API 2.1 have no such field";

impl Command for GetThreats {
    const INFO: Info = Info {
        name: "get-threats",
        full_name: "sentinelone-get-threats",
        summary: "List the threats that match",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["threats_list", "threats_list_v2_0"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Threat.ID", "String", "Identifier of the threat", "id"),
        Output::fields(
            "SentinelOne.Threat.AgentComputerName",
            "String",
            "Name of the endpoint",
            "agentComputerName",
            "agentRealtimeInfo.agentComputerName",
        ),
        Output::fields(
            "SentinelOne.Threat.CreatedDate",
            "Date",
            "When the console recorded the threat",
            "createdAt",
            "threatInfo.createdAt",
        ),
        Output::fields(
            "SentinelOne.Threat.SiteID",
            "String",
            "Site of the endpoint",
            "siteId",
            "agentRealtimeInfo.siteId",
        )
        .no_column(),
        Output::fields(
            "SentinelOne.Threat.Classification",
            "String",
            "What kind of threat it is",
            "classification",
            "threatInfo.classification",
        ),
        Output::fields(
            "SentinelOne.Threat.ClassificationSource",
            "String",
            "What classified it",
            "classificationSource",
            "threatInfo.classificationSource",
        )
        .no_column(),
        Output::fields(
            "SentinelOne.Threat.ConfidenceLevel",
            "String",
            "How sure the vendor is",
            "confidenceLevel",
            "threatInfo.confidenceLevel",
        ),
        Output::fields(
            "SentinelOne.Threat.FileSha256",
            "String",
            "SHA-256 of the file",
            "fileSha256",
            "threatInfo.sha256",
        )
        .no_column(),
        Output::fields(
            "SentinelOne.Threat.MitigationStatus",
            "String",
            "Whether it is mitigated",
            "mitigationStatus",
            "threatInfo.mitigationStatus",
        ),
        Output::fields(
            "SentinelOne.Threat.AgentID",
            "String",
            "Agent on the endpoint",
            "agentId",
            "agentRealtimeInfo.agentId",
        )
        .no_column(),
        Output::only_2_0("SentinelOne.Threat.Rank", "Number", "Risk score, 1 to 10", "rank", GONE)
            .no_column(),
        Output::only_2_0(
            "SentinelOne.Threat.MarkedAsBenign",
            "Boolean",
            "Whether someone marked it as benign",
            "markedAsBenign",
            "threats of API 2.1 say it as the mitigation status marked_as_benign",
        )
        .no_column(),
        Output::fields(
            "SentinelOne.Threat.SiteName",
            "String",
            "Name of the site",
            "siteName",
            "agentRealtimeInfo.siteName",
        )
        .undocumented(),
        Output::fields(
            "SentinelOne.Threat.FileContentHash",
            "String",
            "SHA-1 of the file",
            "fileContentHash",
            "threatInfo.sha1",
        )
        .no_column()
        .undocumented(),
        Output::fields(
            "SentinelOne.Threat.ThreatName",
            "String",
            "Name of the threat, mostly of the file",
            "threatName",
            "threatInfo.threatName",
        )
        .undocumented(),
        Output::fields(
            "SentinelOne.Threat.AgentOsType",
            "String",
            "Operating system of the endpoint",
            "agentOsType",
            "agentRealtimeInfo.agentOsType",
        )
        .no_column()
        .undocumented(),
        Output::fields(
            "SentinelOne.Threat.FilePath",
            "String",
            "Path of the file",
            "filePath",
            "threatInfo.filePath",
        )
        .no_column()
        .undocumented(),
        Output::fields(
            "SentinelOne.Threat.Username",
            "String",
            "User of the process",
            "username",
            "threatInfo.processUser",
        )
        .no_column()
        .undocumented(),
        Output::only_2_0("SentinelOne.Threat.Description", "String", "Description", "description", GONE)
            .no_column()
            .undocumented(),
        Output::only_2_0(
            "SentinelOne.Threat.FileDisplayName",
            "String",
            "Name of the file",
            "fileDisplayName",
            GONE,
        )
        .no_column()
        .undocumented(),
        Output::only_2_0(
            "SentinelOne.Threat.InQuarantine",
            "Boolean",
            "Whether the file is in quarantine",
            "inQuarantine",
            GONE,
        )
        .no_column()
        .undocumented(),
        Output::only_2_0(
            "SentinelOne.Threat.FileMaliciousContent",
            "String",
            "What in the file is malicious",
            "fileMaliciousContent",
            GONE,
        )
        .no_column()
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, Text, Time};
        let mut statuses = MitigationStatus::KNOWN.to_vec();
        statuses.extend(
            LegacyMitigationStatus::KNOWN.iter().filter(|one| !MitigationStatus::KNOWN.contains(one)),
        );
        vec![
            Argument::new("content_hash", List, "SHA-1 hashes of the content."),
            Argument::new(
                "mitigation_status",
                List,
                "Mitigation statuses. API 2.1 takes not_mitigated, mitigated and marked_as_benign, and active, \
                 which it calls not_mitigated; API 2.0 takes mitigated, active, blocked, suspicious, pending and \
                 suspicious_resolved.",
            )
            .values(&statuses),
            Argument::new("created_before", Time, "Created before this time."),
            Argument::new("created_after", Time, "Created after this time."),
            Argument::new("created_until", Time, "Created at this time or before."),
            Argument::new("created_from", Time, "Created at this time or after."),
            Argument::new(
                "resolved",
                Boolean,
                "Only resolved threats, or only unresolved ones. Without it, both; so also with \
                 include_resolved_param=false.",
            ),
            Argument::new("display_name", Text, "Name of the threat: the whole on API 2.1, a part on API 2.0."),
            Argument::new(
                "limit",
                Integer,
                "How many threats at the most; as many as threat_ids where those are more and no limit is given.",
            )
            .default("20").or_all(),
            Argument::new(
                "query",
                Text,
                "Free text, looked for in the content hash, the file's name and path, the computer's name and the \
                 agent's UUID, among others.",
            ),
            Argument::new("threat_ids", List, "Identifiers of threats."),
            Argument::new("classifications", List, "Classifications, such as Malware."),
            Argument::new("rank", Integer, "Lowest risk score, 1 to 10. API 2.0 only."),
            Argument::new("site_ids", List, "Sites, by identifier."),
            Argument::new(
                "incident_statuses",
                List,
                "Incident statuses, in capitals or not. API 2.1 only.",
            )
            .values(IncidentStatus::KNOWN),
            Argument::new(
                "include_resolved_param",
                Boolean,
                "Whether to send `resolved`: true sends it, as false when it is not given; false does not send it, \
                 whatever it is. Without this, `resolved` is sent where it is given.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let resolved = arguments.boolean("resolved")?;
        let include = arguments.boolean("include_resolved_param")?;
        let resolved = match (include, resolved) {
            // A platform passes the documented defaults, both of them false, and means no condition.
            (Some(false), _) => None,
            (Some(true), None) => Some(false),
            (_, resolved) => resolved,
        };
        let mut incident_statuses = Vec::new();
        for status in arguments.list("incident_statuses")?.unwrap_or_default() {
            let status = status.to_ascii_lowercase();
            arguments.one_of("incident_statuses", &status, IncidentStatus::KNOWN)?;
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
            display_name: arguments.text("display_name")?,
            limit: arguments.limit()?,
            query: arguments.text("query")?,
            threat_ids: arguments.list("threat_ids")?.unwrap_or_default(),
            classifications: arguments.list("classifications")?.unwrap_or_default(),
            rank: arguments.integer("rank")?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            incident_statuses,
        })
    }

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists(version)?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let requests = self.lists(client.api_version())?;
        // The console may take the rank for more than the lowest one; what it lets pass is looked at again.
        let keep = |threat: &Value| match (self.rank, threat.get("rank").and_then(Value::as_i64)) {
            (Some(lowest), Some(rank)) => rank >= lowest,
            _ => true,
        };
        read_all((client, watch), requests, Some(self.wanted()), keep, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetThreats {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.threat_ids)
    }

    /// The first page of each list, with items left as they are.
    fn lists(&self, version: ApiVersion) -> Result<Vec<Request<Page<Value>>>> {
        // With a rank, threats may be dropped here: small pages could take a request for each that is kept.
        let wanted = self.rank.is_none().then(|| self.wanted());
        in_batches(&self.threat_ids, wanted, |ids| match version {
            ApiVersion::V2_0 => self.request_2_0(ids),
            _ => self.request_2_1(ids),
        })
    }

    fn request_2_1(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let name = Self::INFO.name;
        if self.rank.is_some() {
            return Err(refuse(name, "rank", format!("cannot reach API 2.1: {GONE}")));
        }
        let filter = ThreatFilter {
            content_hashes: given(&self.content_hash),
            mitigation_statuses: given(&self.mitigation_2_1()?),
            created_at_lt: self.created_before.clone(),
            created_at_gt: self.created_after.clone(),
            created_at_lte: self.created_until.clone(),
            created_at_gte: self.created_from.clone(),
            resolved: self.resolved,
            display_name: self.display_name.clone(),
            query: self.query.clone(),
            ids,
            classifications: given(&self.classifications),
            site_ids: given(&self.site_ids),
            incident_statuses: given(&self.incident_statuses),
            ..ThreatFilter::default()
        };
        Ok(raw::list(&ThreatsListQuery { filter, ..ThreatsListQuery::default() })?.answering())
    }

    fn mitigation_2_1(&self) -> Result<Vec<MitigationStatus>> {
        self.mitigation_status
            .iter()
            .map(|status| match status.as_str() {
                // The old name for the same thing.
                "active" => Ok(MitigationStatus::NotMitigated),
                known if MitigationStatus::KNOWN.contains(&known) => Ok(known.into()),
                other => {
                    let values = MitigationStatus::KNOWN.join(", ");
                    let message = format!("holds {other:?}, which API 2.1 does not have; it has {values}");
                    Err(refuse(Self::INFO.name, "mitigation_status", message))
                }
            })
            .collect()
    }

    fn request_2_0(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let name = Self::INFO.name;
        if !self.incident_statuses.is_empty() {
            let message = "cannot reach API 2.0, whose threats have no incident status; use resolved";
            return Err(refuse(name, "incident_statuses", message));
        }
        let known = LegacyMitigationStatus::KNOWN;
        if let Some(other) = self.mitigation_status.iter().find(|one| !known.contains(&one.as_str())) {
            let values = known.join(", ");
            let message = format!("holds {other:?}, which API 2.0 does not have; it has {values}");
            return Err(refuse(name, "mitigation_status", message));
        }
        let filter = LegacyThreatFilter {
            content_hashes: given(&self.content_hash),
            mitigation_statuses: given(&self.mitigation_status)
                .map(|list: Vec<String>| list.into_iter().map(Into::into).collect()),
            created_at_lt: self.created_before.clone(),
            created_at_gt: self.created_after.clone(),
            created_at_lte: self.created_until.clone(),
            created_at_gte: self.created_from.clone(),
            resolved: self.resolved,
            display_name_like: self.display_name.clone(),
            query: self.query.clone(),
            ids,
            classifications: given(&self.classifications),
            site_ids: given(&self.site_ids),
            rank: self.rank,
            ..LegacyThreatFilter::default()
        };
        Ok(raw::list_v2_0(&ThreatsListV20Query { filter, ..ThreatsListV20Query::default() })?.answering())
    }
}
