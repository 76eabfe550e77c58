//! What is fetched: the parameters of the published integration, under its names where a text names them.

use std::str::FromStr;
use std::time::Duration;

use sentinelone_raw::alerts::AlertIncidentStatus;
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Timestamp};
use sentinelone_raw::star_rules::Severity as RuleSeverity;
use sentinelone_raw::threats::IncidentStatus;
use serde::{Deserialize, Serialize};

use crate::time::point_in_time;

/// A stream of things that become incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Threats: what agents detected.
    Threats,
    /// Alerts: what STAR rules found.
    Alerts,
}

impl Stream {
    /// `threats` or `alerts`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Alerts => "alerts",
        }
    }
}

/// What to fetch. The default is that of the integration: threats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FetchType {
    /// Threats alone.
    #[default]
    Threats,
    /// Alerts alone. They exist on API 2.1.
    Alerts,
    /// Both, each on its own: neither waits for the other, and neither moves the other's time.
    Both,
}

impl FetchType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Threats, Self::Alerts, Self::Both];

    /// `threats`, `alerts` or `both`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Alerts => "alerts",
            Self::Both => "both",
        }
    }

    /// The streams, in the order in which their incidents come: alerts before threats.
    pub fn streams(self) -> &'static [Stream] {
        match self {
            Self::Threats => &[Stream::Threats],
            Self::Alerts => &[Stream::Alerts],
            Self::Both => &[Stream::Alerts, Stream::Threats],
        }
    }
}

/// Which way an incident and its threat are kept in step. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mirroring {
    /// Neither way.
    #[default]
    None,
    /// Changes on the console come to the incident.
    #[serde(rename = "In")]
    Incoming,
    /// Changes of the incident go to the console.
    #[serde(rename = "Out")]
    Outgoing,
    /// Both ways.
    Both,
}

impl Mirroring {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Incoming, Self::Outgoing, Self::Both];

    /// `None`, `In`, `Out` or `Both`, as the platform's field has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Incoming => "In",
            Self::Outgoing => "Out",
            Self::Both => "Both",
        }
    }

    /// Whether changes on the console come to the incident.
    pub fn comes_in(self) -> bool {
        matches!(self, Self::Incoming | Self::Both)
    }

    /// Whether changes of the incident go to the console.
    pub fn goes_out(self) -> bool {
        matches!(self, Self::Outgoing | Self::Both)
    }
}

/// A word of a setting that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} cannot be {given:?}; it is one of {}", .known.join(", "))]
pub struct WordError {
    setting: &'static str,
    given: String,
    known: Vec<&'static str>,
}

fn word<T: Copy>(
    setting: &'static str,
    all: &[T],
    texts: impl Fn(T) -> &'static [&'static str],
    given: &str,
) -> Result<T, WordError> {
    let known =
        all.iter().find(|one| texts(**one).iter().any(|text| text.eq_ignore_ascii_case(given.trim())));
    known.copied().ok_or_else(|| WordError {
        setting,
        given: given.to_owned(),
        known: all.iter().filter_map(|one| texts(*one).first().copied()).collect(),
    })
}

impl FromStr for FetchType {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let texts = |one| -> &'static [&'static str] {
            match one {
                Self::Threats => &["threats"],
                Self::Alerts => &["alerts"],
                Self::Both => &["both"],
            }
        };
        word("the fetch type", &Self::ALL, texts, text)
    }
}

impl FromStr for Mirroring {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let texts = |one| -> &'static [&'static str] {
            match one {
                Self::None => &["None"],
                Self::Incoming => &["In", "Incoming"],
                Self::Outgoing => &["Out", "Outgoing"],
                Self::Both => &["Both", "Incoming And Outgoing"],
            }
        };
        word("the mirroring direction", &Self::ALL, texts, text)
    }
}

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Alerts are asked for on a version that has none.
    #[error("alerts exist on API 2.1 only, and this client speaks {0}; fetch threats, or use API 2.1")]
    NoAlerts(ApiVersion),
    /// A risk score that is none.
    #[error("the minimum risk score is from 0 to 10, and not {0}")]
    Risk(u8),
    /// A limit that lets nothing through.
    #[error("the fetch limit is at least 1: nothing would ever be fetched")]
    Limit,
    /// A site without an identifier.
    #[error("a site id is empty; leave it out: an empty one would mean every site")]
    EmptySite,
    /// A value that the API does not know, which would select nothing or be refused.
    #[error("{setting} cannot be {value:?}; it is one of {known}")]
    Unknown {
        /// The setting.
        setting: &'static str,
        /// The value.
        value: String,
        /// What there is.
        known: String,
    },
    /// A time that is none.
    #[error(
        "the first fetch time {0:?} is no time in the past, as `3 days`, `12 hours` or 2026-11-01T00:00:00Z"
    )]
    FirstFetch(String),
    /// Incidents cannot be closed by a mirror that nothing comes in by.
    #[error("close_mirrored wants a mirroring direction that comes in: In or Both")]
    Close,
    /// An overlap that would read everything again.
    #[error("the overlap is at most 30 days")]
    Overlap,
}

/// What is fetched, and how incidents are mirrored. The defaults are those of the integration, with one exception:
/// [`alert_severities`](Self::alert_severities).
///
/// ```
/// use sentinelone::incidents::{FetchType, Settings};
///
/// let mut settings = Settings::default();
/// settings.fetch_type = FetchType::Both;
/// settings.first_fetch = "12 hours".to_owned();
/// assert_eq!(settings.limit, 10);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// What to fetch. Threats.
    pub fetch_type: FetchType,
    /// How far the first fetch goes back: a time, or a span before now such as `12 hours` or `3 months`. 3 days.
    /// Once there is a checkpoint, it says where to go on, and this is not looked at.
    pub first_fetch: String,
    /// The least risk score of a threat, 0 to 10. 5. On API 2.0 alone, whose threats have one (`rank`); one without a
    /// score counts as 0.
    pub min_risk: u8,
    /// The severities of alerts; all where there are none. The integration fetches no alert then, which is no choice
    /// that somebody would make.
    pub alert_severities: Vec<RuleSeverity>,
    /// The incident statuses of alerts. Unresolved.
    pub alert_statuses: Vec<AlertIncidentStatus>,
    /// The incident statuses of threats, on API 2.1. Unresolved.
    pub threat_statuses: Vec<IncidentStatus>,
    /// How many incidents of each stream come at once; what is left comes next time. 10.
    pub limit: u32,
    /// The sites; all in the token's scope where there are none.
    pub site_ids: Vec<String>,
    /// Which way threats are mirrored; alerts are not. None.
    pub mirroring: Mirroring,
    /// The name of the instance of the integration that mirrors, as the platform knows it. Empty.
    pub instance: String,
    /// Whether a resolved threat closes its incident, and one that is open again opens it. Not.
    pub close_mirrored: bool,
    /// How late a thing may show in the lists and still be fetched: what was created up to so long before the newest
    /// one is looked at again. 10 minutes. A longer one costs requests, and a checkpoint that remembers more
    /// identifiers.
    pub overlap: Duration,
}

impl Default for Settings {
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
            mirroring: Mirroring::default(),
            instance: String::new(),
            close_mirrored: false,
            overlap: Duration::from_secs(600),
        }
    }
}

/// The longest overlap.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

impl Settings {
    /// Holds the settings to what there is.
    pub(super) fn check(&self, version: ApiVersion) -> Result<(), SettingsError> {
        let old = version == ApiVersion::V2_0;
        if old && self.fetch_type.streams().contains(&Stream::Alerts) {
            return Err(SettingsError::NoAlerts(version));
        }
        if self.min_risk > 10 {
            return Err(SettingsError::Risk(self.min_risk));
        }
        if self.limit == 0 {
            return Err(SettingsError::Limit);
        }
        if self.site_ids.iter().any(|id| id.trim().is_empty()) {
            return Err(SettingsError::EmptySite);
        }
        known("an alert severity", &self.alert_severities)?;
        known("an incident status of alerts", &self.alert_statuses)?;
        known("an incident status of threats", &self.threat_statuses)?;
        self.start(&Timestamp::now())?;
        if self.close_mirrored && !self.mirroring.comes_in() {
            return Err(SettingsError::Close);
        }
        if self.overlap > LONGEST {
            return Err(SettingsError::Overlap);
        }
        Ok(())
    }

    /// When the first fetch begins.
    pub(super) fn start(&self, now: &Timestamp) -> Result<Timestamp, SettingsError> {
        let wrong = || SettingsError::FirstFetch(self.first_fetch.clone());
        let start = point_in_time(&self.first_fetch, now).map_err(|_| wrong())?;
        let is_past =
            start.to_system_time().zip(now.to_system_time()).is_some_and(|(start, now)| start <= now);
        if is_past { Ok(start) } else { Err(wrong()) }
    }
}

fn known<T: OpenEnum>(setting: &'static str, values: &[T]) -> Result<(), SettingsError> {
    for value in values {
        if !value.is_known() {
            let (value, known) = (value.as_str().to_owned(), T::KNOWN.join(", "));
            return Err(SettingsError::Unknown { setting, value, known });
        }
    }
    Ok(())
}
