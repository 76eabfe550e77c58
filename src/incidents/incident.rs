//! A threat or an alert as an incident.

use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::{Mirroring, Settings, Stream};
use crate::dotted::at;

/// What an incident of the platform is that mirrors a threat.
pub const INCIDENT_TYPE: &str = "SentinelOne Incident";

/// How bad an incident is. The integration sets none; here it follows from what the console says, and from nothing
/// where that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An alert of a rule of low severity; a threat with a risk score up to 3.
    Low,
    /// A suspicious threat; an alert of a rule of medium severity; a risk score from 4 to 6.
    Medium,
    /// A malicious threat; an alert of a rule of high severity; a risk score from 7 on.
    High,
    /// An alert of a rule of critical severity.
    Critical,
}

/// A threat or an alert that was fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Incident {
    /// What it is: the classification of a threat, the rule of an alert.
    pub name: String,
    /// When the console recorded it, as it says so; `None` where it does not.
    pub occurred: Option<Timestamp>,
    /// How bad it is; `None` where nothing tells.
    pub severity: Option<Severity>,
    /// The stream that it came from.
    pub stream: Stream,
    /// Its identifier on the console.
    pub id: String,
    /// The same for the same thing, in every batch and after every restart: the stream, a colon and the identifier.
    pub dedupe_key: String,
    /// How it is mirrored; `None` for alerts, which are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// The whole thing, as the console sent it.
    pub raw: Value,
}

/// How an incident is mirrored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Mirror {
    /// Which way.
    pub direction: Mirroring,
    /// The instance of the integration.
    pub instance: String,
    /// The type of the incident: "SentinelOne Incident".
    pub incident_type: String,
    /// What the incident is the mirror of: the identifier of the threat.
    pub id: String,
}

impl Incident {
    /// A thing that has an identifier as an incident.
    pub(super) fn of(
        stream: Stream,
        version: ApiVersion,
        id: String,
        raw: Value,
        settings: &Settings,
    ) -> Self {
        let name = match stream {
            Stream::Threats => {
                let classification = text(&raw, &["threatInfo.classification", "classification"]);
                format!("Sentinel One Threat: {}", classification.unwrap_or("Not classified"))
            }
            Stream::Alerts => {
                let rule = text(&raw, &["ruleInfo.name"]);
                format!("Sentinel One Alert: {}", rule.unwrap_or("rule without a name"))
            }
        };
        let mirror = (stream == Stream::Threats).then(|| Mirror {
            direction: settings.mirroring,
            instance: settings.instance.clone(),
            incident_type: INCIDENT_TYPE.to_owned(),
            id: id.clone(),
        });
        Self {
            name,
            occurred: created(stream, version, &raw),
            severity: severity(stream, &raw),
            stream,
            dedupe_key: format!("{}:{id}", stream.as_str()),
            id,
            mirror,
            raw,
        }
    }
}

/// The first of these fields that holds a text with something in it.
pub(super) fn text<'a>(raw: &'a Value, paths: &[&str]) -> Option<&'a str> {
    let texts = paths.iter().filter_map(|path| at(raw, path)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty())
}

/// The identifier of a thing.
pub(super) fn id(stream: Stream, raw: &Value) -> Option<String> {
    let path = match stream {
        Stream::Threats => "id",
        Stream::Alerts => "alertInfo.alertId",
    };
    match at(raw, path)? {
        Value::String(id) if !id.trim().is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// When the console recorded a thing.
pub(super) fn created(stream: Stream, version: ApiVersion, raw: &Value) -> Option<Timestamp> {
    let paths: &[&str] = match (stream, version) {
        (Stream::Threats, ApiVersion::V2_0) => &["createdAt"],
        (Stream::Threats, _) => &["threatInfo.createdAt"],
        (Stream::Alerts, _) => &["alertInfo.createdAt"],
    };
    text(raw, paths).map(Timestamp::from)
}

/// The risk score of a threat of API 2.0.
pub(super) fn risk(raw: &Value) -> f64 {
    at(raw, "rank").and_then(Value::as_f64).unwrap_or(0.0)
}

fn severity(stream: Stream, raw: &Value) -> Option<Severity> {
    match stream {
        Stream::Alerts => match text(raw, &["ruleInfo.severity"])?.to_ascii_lowercase().as_str() {
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            "critical" => Some(Severity::Critical),
            _ => None,
        },
        Stream::Threats => match text(raw, &["threatInfo.confidenceLevel"]) {
            Some("malicious") => Some(Severity::High),
            Some("suspicious") => Some(Severity::Medium),
            Some(_) => None,
            None => match at(raw, "rank").and_then(Value::as_f64)? {
                rank if rank < 4.0 => Some(Severity::Low),
                rank if rank < 7.0 => Some(Severity::Medium),
                _ => Some(Severity::High),
            },
        },
    }
}
