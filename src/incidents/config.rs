//! Configuration of incident fetching and mirroring. The fields correspond to parameters of the published
//! integration.

use std::str::FromStr;
use std::time::Duration;

use sentinelone_raw::alerts::AlertIncidentStatus;
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Timestamp};
use sentinelone_raw::star_rules::Severity as RuleSeverity;
use sentinelone_raw::threats::IncidentStatus;
use serde::{Deserialize, Serialize};

use sentinelone_raw::runtime::parse_timestamp;

/// A stream of items that become incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stream {
    /// Threats: detections of agents.
    Threats,
    /// Alerts: events that STAR rules matched.
    Alerts,
}

impl Stream {
    /// Returns `threats` or `alerts`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Alerts => "alerts",
        }
    }
}

/// The streams to fetch. The default, as in the integration, is threats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchType {
    /// Threats only.
    #[default]
    Threats,
    /// Alerts only. They require API 2.1.
    Alerts,
    /// Both streams. They are independent: neither waits for the other or changes its position.
    Both,
}

impl FetchType {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Threats, Self::Alerts, Self::Both];

    /// Returns `threats`, `alerts` or `both`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Alerts => "alerts",
            Self::Both => "both",
        }
    }

    /// Returns the streams in the order of their incidents: alerts before threats.
    pub fn streams(self) -> &'static [Stream] {
        match self {
            Self::Threats => &[Stream::Threats],
            Self::Alerts => &[Stream::Alerts],
            Self::Both => &[Stream::Alerts, Stream::Threats],
        }
    }
}

/// The direction of mirroring between an incident and its threat. The default is [`None`](Self::None).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MirrorDirection {
    /// Neither direction.
    #[default]
    None,
    /// Changes on the console update the incident.
    #[serde(rename = "In")]
    Incoming,
    /// Changes of the incident update the console.
    #[serde(rename = "Out")]
    Outgoing,
    /// Both directions.
    Both,
}

impl MirrorDirection {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::None, Self::Incoming, Self::Outgoing, Self::Both];

    /// Returns `None`, `In`, `Out` or `Both`, the values of the field on the platform.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Incoming => "In",
            Self::Outgoing => "Out",
            Self::Both => "Both",
        }
    }

    /// Returns whether changes on the console update the incident.
    pub fn is_incoming(self) -> bool {
        matches!(self, Self::Incoming | Self::Both)
    }

    /// Returns whether changes of the incident update the console.
    pub fn is_outgoing(self) -> bool {
        matches!(self, Self::Outgoing | Self::Both)
    }
}

/// The error of parsing a [`FetchType`] or a [`MirrorDirection`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value:?}; expected one of {}", .allowed.join(", "))]
pub struct ParseEnumError {
    field: &'static str,
    value: String,
    allowed: Vec<&'static str>,
}

/// Returns the variant with this name. Case and surrounding whitespace are ignored.
fn parse_enum<T: Copy>(
    field: &'static str,
    variants: &[T],
    names: impl Fn(T) -> &'static [&'static str],
    value: &str,
) -> Result<T, ParseEnumError> {
    let matches = |variant: &T| names(*variant).iter().any(|name| name.eq_ignore_ascii_case(value.trim()));
    variants.iter().copied().find(matches).ok_or_else(|| ParseEnumError {
        field,
        value: value.to_owned(),
        allowed: variants.iter().filter_map(|variant| names(*variant).first().copied()).collect(),
    })
}

impl FromStr for FetchType {
    type Err = ParseEnumError;

    fn from_str(value: &str) -> Result<Self, ParseEnumError> {
        let names = |variant| -> &'static [&'static str] {
            match variant {
                Self::Threats => &["threats"],
                Self::Alerts => &["alerts"],
                Self::Both => &["both"],
            }
        };
        parse_enum("fetch type", &Self::ALL, names, value)
    }
}

impl FromStr for MirrorDirection {
    type Err = ParseEnumError;

    fn from_str(value: &str) -> Result<Self, ParseEnumError> {
        let names = |variant| -> &'static [&'static str] {
            match variant {
                Self::None => &["None"],
                Self::Incoming => &["In", "Incoming"],
                Self::Outgoing => &["Out", "Outgoing"],
                Self::Both => &["Both", "Incoming And Outgoing"],
            }
        };
        parse_enum("mirror direction", &Self::ALL, names, value)
    }
}

/// An invalid [`IncidentConfig`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IncidentConfigError {
    /// The configuration fetches alerts, but the API version does not have them.
    #[error("alerts require API 2.1, but the client uses API {0}; fetch threats or use API 2.1")]
    AlertsUnsupported(ApiVersion),
    /// The minimum risk score is out of range.
    #[error("the minimum risk score is {0}; expected 0 to 10")]
    MinRiskOutOfRange(u8),
    /// The fetch limit is 0.
    #[error("the fetch limit is 0; the minimum is 1")]
    ZeroLimit,
    /// A site ID is empty.
    #[error("a site ID is empty; remove it, since an empty ID matches all sites")]
    EmptySiteId,
    /// The API does not have this value. It would match no items or be rejected.
    #[error("{field} is {value:?}; expected one of {allowed}")]
    Unknown {
        /// The field.
        field: &'static str,
        /// The value.
        value: String,
        /// The allowed values.
        allowed: String,
    },
    /// The first fetch time is not a time in the past.
    #[error(
        "the first fetch time is {0:?}; expected a past time such as `3 days`, `12 hours` or 2026-11-01T00:00:00Z"
    )]
    FirstFetch(String),
    /// Closing incidents requires an incoming direction.
    #[error("close_resolved requires the mirror direction In or Both")]
    CloseNeedsIncoming,
    /// The overlap is too long.
    #[error("the overlap is longer than 30 days")]
    OverlapTooLong,
}

/// Configuration of a [`Fetcher`](super::Fetcher) and a [`ThreatMirror`](super::ThreatMirror). The defaults are
/// those of the integration, except [`alert_severities`](Self::alert_severities).
///
/// ```
/// use sentinelone::incidents::{FetchType, IncidentConfig};
///
/// let mut config = IncidentConfig::default();
/// config.fetch_type = FetchType::Both;
/// config.first_fetch = "12 hours".to_owned();
/// assert_eq!(config.limit, 10);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IncidentConfig {
    /// The streams to fetch. Default: threats.
    pub fetch_type: FetchType,
    /// Start of the first fetch: a time, or a span before now such as `12 hours` or `3 months`. Default: 3 days.
    /// It is not used once a checkpoint exists.
    pub first_fetch: String,
    /// Lowest risk score (`rank`) of a threat, 0 to 10, on API 2.0 only. Default: 5. A missing score is 0.
    pub min_risk: u8,
    /// Severities of alerts. Default: all. With an empty list, the integration fetches no alerts.
    pub alert_severities: Vec<RuleSeverity>,
    /// Incident statuses of alerts. Default: unresolved.
    pub alert_statuses: Vec<AlertIncidentStatus>,
    /// Incident statuses of threats, on API 2.1. Default: unresolved.
    pub threat_statuses: Vec<IncidentStatus>,
    /// Maximum number of incidents per stream and batch, at least 1. The next batch has the rest. Default: 10.
    pub limit: u32,
    /// Site IDs. Default: all sites in the scope of the token.
    pub site_ids: Vec<String>,
    /// Direction in which threats are mirrored; alerts are not mirrored. Default: none.
    pub mirror_direction: MirrorDirection,
    /// Name of the integration instance that mirrors, as on the platform. Default: empty.
    pub mirror_instance: String,
    /// Whether a resolved threat closes its incident and a reopened threat reopens it. Default: false.
    pub close_resolved: bool,
    /// Maximum delay with which an item may appear in the lists and still be fetched, up to 30 days. Each poll starts
    /// this long before the newest item. Default: 10 minutes. A longer overlap needs more requests and a checkpoint
    /// with more IDs.
    pub overlap: Duration,
}

impl Default for IncidentConfig {
    fn default() -> Self {
        Self {
            fetch_type: FetchType::default(),
            first_fetch: "3 days".to_owned(),
            min_risk: 5,
            alert_severities: Vec::new(),
            alert_statuses: vec![AlertIncidentStatus::Unresolved],
            threat_statuses: vec![IncidentStatus::Unresolved],
            limit: 10,
            site_ids: Vec::new(),
            mirror_direction: MirrorDirection::default(),
            mirror_instance: String::new(),
            close_resolved: false,
            overlap: Duration::from_secs(600),
        }
    }
}

/// Maximum overlap.
const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 3600);

impl IncidentConfig {
    /// Validates the configuration for an API version.
    pub(super) fn validate(&self, version: ApiVersion) -> Result<(), IncidentConfigError> {
        let is_v2_0 = version == ApiVersion::V2_0;
        if is_v2_0 && self.fetch_type.streams().contains(&Stream::Alerts) {
            return Err(IncidentConfigError::AlertsUnsupported(version));
        }
        if self.min_risk > 10 {
            return Err(IncidentConfigError::MinRiskOutOfRange(self.min_risk));
        }
        if self.limit == 0 {
            return Err(IncidentConfigError::ZeroLimit);
        }
        if self.site_ids.iter().any(|id| id.trim().is_empty()) {
            return Err(IncidentConfigError::EmptySiteId);
        }
        check_enum_values("alert severity", &self.alert_severities)?;
        check_enum_values("alert status", &self.alert_statuses)?;
        check_enum_values("threat status", &self.threat_statuses)?;
        self.start(&Timestamp::now())?;
        if self.close_resolved && !self.mirror_direction.is_incoming() {
            return Err(IncidentConfigError::CloseNeedsIncoming);
        }
        if self.overlap > MAX_OVERLAP {
            return Err(IncidentConfigError::OverlapTooLong);
        }
        Ok(())
    }

    /// Returns the start of the first fetch.
    pub(super) fn start(&self, now: &Timestamp) -> Result<Timestamp, IncidentConfigError> {
        let invalid = || IncidentConfigError::FirstFetch(self.first_fetch.clone());
        let start = parse_timestamp(&self.first_fetch, now).map_err(|_| invalid())?;
        let is_past =
            start.to_system_time().zip(now.to_system_time()).is_some_and(|(start, now)| start <= now);
        if is_past { Ok(start) } else { Err(invalid()) }
    }
}

fn check_enum_values<T: OpenEnum>(field: &'static str, values: &[T]) -> Result<(), IncidentConfigError> {
    for value in values {
        if !value.is_known() {
            let (value, allowed) = (value.as_str().to_owned(), T::VALUES.join(", "));
            return Err(IncidentConfigError::Unknown { field, value, allowed });
        }
    }
    Ok(())
}
