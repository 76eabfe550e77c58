//! Conversion of threats and alerts to incidents.

use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::{IncidentConfig, MirrorDirection, Stream};
use crate::json_path::get_path;

/// Incident type on the platform of an incident that mirrors a threat.
pub const INCIDENT_TYPE: &str = "SentinelOne Incident";

/// The severity of an incident, derived from the item of the console. The integration does not set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum IncidentSeverity {
    /// An alert of a rule of low severity; a threat with a risk score up to 3.
    Low,
    /// A suspicious threat; an alert of a rule of medium severity; a risk score from 4 to 6.
    Medium,
    /// A malicious threat; an alert of a rule of high severity; a risk score from 7 on.
    High,
    /// An alert of a rule of critical severity.
    Critical,
}

/// A fetched threat or alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Incident {
    /// Name, with the classification of a threat or the STAR rule of an alert.
    pub name: String,
    /// Creation time on the console, if present.
    pub occurred: Option<Timestamp>,
    /// Severity, or `None` if the item does not determine it.
    pub severity: Option<IncidentSeverity>,
    /// The stream of the item.
    pub stream: Stream,
    /// ID on the console.
    pub id: String,
    /// Deduplication key: the stream, a colon and the ID. It is the same in every batch and after every restart.
    pub dedupe_key: String,
    /// Mirroring metadata; `None` for alerts, which are not mirrored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<MirrorInfo>,
    /// The item as returned by the console.
    pub raw: Value,
}

/// Mirroring metadata of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MirrorInfo {
    /// The direction.
    pub direction: MirrorDirection,
    /// Name of the integration instance.
    pub instance: String,
    /// The incident type, "SentinelOne Incident".
    pub incident_type: String,
    /// ID of the mirrored threat.
    pub id: String,
}

impl Incident {
    /// Converts an item with an ID to an incident.
    pub(super) fn from_item(
        stream: Stream,
        version: ApiVersion,
        id: String,
        raw: Value,
        config: &IncidentConfig,
    ) -> Self {
        let name = match stream {
            Stream::Threats => {
                let classification = string(&raw, &["threatInfo.classification", "classification"]);
                format!("Sentinel One Threat: {}", classification.unwrap_or("Not classified"))
            }
            Stream::Alerts => {
                let rule = string(&raw, &["ruleInfo.name"]);
                format!("Sentinel One Alert: {}", rule.unwrap_or("rule without a name"))
            }
        };
        let mirror = (stream == Stream::Threats).then(|| MirrorInfo {
            direction: config.mirror_direction,
            instance: config.mirror_instance.clone(),
            incident_type: INCIDENT_TYPE.to_owned(),
            id: id.clone(),
        });
        Self {
            name,
            occurred: creation_time(stream, version, &raw),
            severity: severity(stream, &raw),
            stream,
            dedupe_key: format!("{}:{id}", stream.as_str()),
            id,
            mirror,
            raw,
        }
    }
}

/// Returns the first of these fields that is a non-blank string.
pub(super) fn string<'a>(raw: &'a Value, paths: &[&str]) -> Option<&'a str> {
    let strings = paths.iter().filter_map(|path| get_path(raw, path)?.as_str());
    strings.map(str::trim).find(|string| !string.is_empty())
}

/// Returns the ID of an item.
pub(super) fn id(stream: Stream, raw: &Value) -> Option<String> {
    let path = match stream {
        Stream::Threats => "id",
        Stream::Alerts => "alertInfo.alertId",
    };
    match get_path(raw, path)? {
        Value::String(id) if !id.trim().is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Returns the creation time of an item.
pub(super) fn creation_time(stream: Stream, version: ApiVersion, raw: &Value) -> Option<Timestamp> {
    let paths: &[&str] = match (stream, version) {
        (Stream::Threats, ApiVersion::V2_0) => &["createdAt"],
        (Stream::Threats, _) => &["threatInfo.createdAt"],
        (Stream::Alerts, _) => &["alertInfo.createdAt"],
    };
    string(raw, paths).map(Timestamp::from)
}

/// Returns the risk score of a threat of API 2.0, or 0 if it is missing.
pub(super) fn risk_score(raw: &Value) -> f64 {
    get_path(raw, "rank").and_then(Value::as_f64).unwrap_or(0.0)
}

fn severity(stream: Stream, raw: &Value) -> Option<IncidentSeverity> {
    match stream {
        Stream::Alerts => match string(raw, &["ruleInfo.severity"])?.to_ascii_lowercase().as_str() {
            "low" => Some(IncidentSeverity::Low),
            "medium" => Some(IncidentSeverity::Medium),
            "high" => Some(IncidentSeverity::High),
            "critical" => Some(IncidentSeverity::Critical),
            _ => None,
        },
        Stream::Threats => match string(raw, &["threatInfo.confidenceLevel"]) {
            Some("malicious") => Some(IncidentSeverity::High),
            Some("suspicious") => Some(IncidentSeverity::Medium),
            Some(_) => None,
            None => match get_path(raw, "rank").and_then(Value::as_f64)? {
                rank if rank < 4.0 => Some(IncidentSeverity::Low),
                rank if rank < 7.0 => Some(IncidentSeverity::Medium),
                _ => Some(IncidentSeverity::High),
            },
        },
    }
}
