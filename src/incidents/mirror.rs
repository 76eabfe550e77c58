//! Threats and the incidents that mirror them, kept in step.

use std::collections::HashSet;

use sentinelone_raw::runtime::{ApiVersion, Page, Request, RequestError, Timestamp};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, LegacyThreatFilter, ThreatFilter, ThreatsListQuery,
    ThreatsListV20Query,
};
use serde_json::{Value, json};

use super::delta::{self, Delta, Updated};
use super::incident::{self, text};
use super::settings::{Mirroring, Settings, SettingsError, Stream};
use crate::Result;
use crate::client::Client;
use crate::dotted::at;
use crate::error::VendorError;
use crate::paging::Pages;

/// Keeps threats and the incidents that mirror them in step: the four calls of the published integration, typed. It
/// keeps nothing between calls; which incidents there are is the business of whoever calls.
///
/// ```no_run
/// # async fn example(client: sentinelone::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use sentinelone::Timestamp;
/// use sentinelone::incidents::{Delta, Entry, Mirroring, Settings, ThreatMirror};
/// use sentinelone::threats::AnalystVerdict;
///
/// let mut settings = Settings::default();
/// settings.mirroring = Mirroring::Both;
/// settings.close_mirrored = true;
/// let mirror = ThreatMirror::new(client, &settings)?;
///
/// // In: what changed on the console.
/// let last_update = Timestamp::from("2026-11-21T08:00:00Z");
/// for id in mirror.modified(&last_update).await? {
///     let Some(remote) = mirror.remote(&id, &last_update).await? else { continue };
///     if remote.entries.contains(&Entry::Close) {
///         println!("{id} was resolved");
///     }
/// }
///
/// // Out: what changed in the incident.
/// let delta = Delta::default().verdict(AnalystVerdict::TruePositive);
/// let updated = mirror.update("460000000000000011", &delta).await?;
/// for step in &updated.steps {
///     println!("{}: {}", step.step.as_str(), step.state);
/// }
/// if let Some(failure) = updated.failure {
///     return Err(failure.into());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ThreatMirror {
    client: Client,
    direction: Mirroring,
    close: bool,
}

/// A field of a threat that changes of an incident go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MappingField {
    /// Its name, such as `analystVerdict`.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
}

const MAPPING_FIELDS: &[MappingField] = &[
    MappingField { name: "analystVerdict", description: "The analyst verdict of the threat" },
    MappingField { name: "incidentStatus", description: "The incident status of the threat" },
];

/// What is to become of an incident, going by its threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Entry {
    /// It is to be closed: the threat is resolved.
    Close,
    /// It is to be open: the threat is. It may be open already.
    Reopen,
}

impl Entry {
    /// What a closed incident is told to have been closed for.
    pub const CLOSE_REASON: &str = "The threat is resolved in SentinelOne";

    /// The same as the platform's war room takes it: a note in JSON that closes or opens the incident.
    pub fn to_json(self) -> Value {
        let contents = match self {
            Self::Close => json!({ "dbotIncidentClose": true, "closeReason": Self::CLOSE_REASON }),
            Self::Reopen => json!({ "dbotIncidentReopen": true }),
        };
        json!({ "Type": 1, "Contents": contents, "ContentsFormat": "json" })
    }
}

/// A threat for the incident that mirrors it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteThreat {
    /// The threat, as the console sent it.
    pub threat: Value,
    /// When it was last changed, as the console says; `None` where it does not.
    pub updated: Option<Timestamp>,
    /// Whether it changed since the last update, or at that very time. `None` when one of the times cannot be read.
    pub changed: Option<bool>,
    /// What is to become of the incident: nothing, unless [`Settings::close_mirrored`] says so.
    pub entries: Vec<Entry>,
    /// Errors that came beside it.
    pub errors: Vec<VendorError>,
}

impl RemoteThreat {
    /// The verdict of the threat; `None` where it has none, as on API 2.0.
    pub fn verdict(&self) -> Option<AnalystVerdict> {
        text(&self.threat, &["threatInfo.analystVerdict"]).map(AnalystVerdict::from)
    }

    /// The incident status of the threat; on API 2.0 what `resolved` means.
    pub fn status(&self) -> Option<IncidentStatus> {
        let status = text(&self.threat, &["threatInfo.incidentStatus"]).map(IncidentStatus::from);
        status.or_else(|| match self.threat.get("resolved")?.as_bool()? {
            true => Some(IncidentStatus::Resolved),
            false => Some(IncidentStatus::Unresolved),
        })
    }
}

/// Why nothing was sent by a mirror.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The direction of the mirroring is another.
    #[error("{call} wants {wanted} as the mirroring direction, which is {given}; change the setting")]
    Direction {
        /// What was called.
        call: &'static str,
        /// The directions that it goes with.
        wanted: &'static str,
        /// The direction that is set.
        given: &'static str,
    },
    /// A verdict or a status goes to a version that has none.
    #[error(
        "verdict and status cannot reach API {0}, whose threats have neither; use API 2.1, or mirror incoming changes alone"
    )]
    Version(ApiVersion),
    /// A label, or a value, that is none.
    #[error("{what} cannot be {given:?}; it is one of {known}")]
    Unknown {
        /// The field, or what the value is.
        what: &'static str,
        /// What it holds.
        given: String,
        /// What there is.
        known: String,
    },
    /// What changed is no JSON object.
    #[error("what changed is no JSON object; give one with the fields that changed")]
    NoObject,
    /// A field of what changed is no text.
    #[error("{0} is no text; give its label")]
    NoText(&'static str),
}

impl ThreatMirror {
    /// One for the console of this client: [`Settings::mirroring`] says which way, and
    /// [`Settings::close_mirrored`] whether incidents close and open with their threats.
    ///
    /// # Errors
    /// When the settings ask for what there is not, as of [`Fetcher::new`](super::Fetcher::new).
    pub fn new(client: Client, settings: &Settings) -> Result<Self, SettingsError> {
        settings.check(client.api_version())?;
        Ok(Self { client, direction: settings.mirroring, close: settings.close_mirrored })
    }

    /// Which way it mirrors.
    pub fn direction(&self) -> Mirroring {
        self.direction
    }

    /// The fields of a threat that changes of an incident go to. Nothing is sent.
    ///
    /// The incidents are of the type [`INCIDENT_TYPE`](super::INCIDENT_TYPE).
    pub fn mapping_fields() -> &'static [MappingField] {
        MAPPING_FIELDS
    }

    /// The identifiers of all threats that changed at this time or after: of all pages, each once. The token's scope
    /// decides which threats there are, and not the settings of the fetching.
    ///
    /// `GET /web/api/v2.1/threats`
    ///
    /// The next call asks from where this one began. By the console's clock that is the newest
    /// [`RemoteThreat::updated`]; by the clock of this machine leave some minutes for the difference. What is asked
    /// for twice does no harm.
    ///
    /// # Errors
    /// When the direction does not come in. As [`Client::send`], of any page: there is no part of a list of which
    /// nobody would know that it is one.
    pub async fn modified(&self, since: &Timestamp) -> Result<Vec<String>> {
        self.comes_in("modified")?;
        let mut pages = Pages::of(self.client.clone(), modified_request(self.client.api_version(), since));
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        while let Some(page) = pages.next().await {
            let page = page?;
            if let Some(error) = page.incomplete() {
                return Err(error);
            }
            let found = page.into_value().data;
            // A threat that changes meanwhile may be on two pages.
            let found = found.iter().filter_map(|threat| incident::id(Stream::Threats, threat));
            ids.extend(found.filter(|id| seen.insert(id.clone())));
        }
        Ok(ids)
    }

    /// A threat, and what is to become of the incident that mirrors it, whose last update was at this time. `None`
    /// when it is not there, or out of the token's scope.
    ///
    /// `GET /web/api/v2.1/threats`
    ///
    /// # Errors
    /// When the direction does not come in. As [`Client::send`].
    pub async fn remote(&self, id: &str, last_update: &Timestamp) -> Result<Option<RemoteThreat>> {
        self.comes_in("remote")?;
        remote(&self.client, id, last_update, self.close).await
    }

    /// Sends what changed in an incident to the threat that it mirrors: the verdict, a note about it, the status, a
    /// note about it. A note is written only about a change that the console took.
    ///
    /// `POST /web/api/v2.1/threats/analyst-verdict`, `POST /web/api/v2.1/threats/incident`,
    /// `POST /web/api/v2.1/threats/notes`
    ///
    /// Closing an incident changes nothing on the console, unless its status is in the delta as
    /// [`Resolved`](IncidentStatus::Resolved).
    ///
    /// # Errors
    /// When the direction does not go out, the API is 2.0 and there is something to send, a value is one that the API
    /// does not have, or any of the requests is not one that may be sent: nothing was sent then. As [`Client::send`],
    /// when the first step failed. What ends a later one is in [`Updated::failure`], beside what was done.
    pub async fn update(&self, id: &str, delta: &Delta) -> Result<Updated> {
        if !self.direction.goes_out() {
            return Err(self.other_way("update", "Out or Both").into());
        }
        delta::update(&self.client, id, delta).await
    }

    fn comes_in(&self, call: &'static str) -> Result<(), MirrorError> {
        if self.direction.comes_in() { Ok(()) } else { Err(self.other_way(call, "In or Both")) }
    }

    fn other_way(&self, call: &'static str, wanted: &'static str) -> MirrorError {
        MirrorError::Direction { call, wanted, given: self.direction.as_str() }
    }
}

/// The list of the threats that changed then or after.
pub(crate) fn modified_request(
    version: ApiVersion,
    since: &Timestamp,
) -> Result<Request<Page<Value>>, RequestError> {
    Ok(match version {
        ApiVersion::V2_0 => {
            let filter = LegacyThreatFilter::default().updated_at_gte(since.clone());
            raw::list_v2_0(&ThreatsListV20Query { filter, ..ThreatsListV20Query::default() })?.answering()
        }
        _ => {
            let filter = ThreatFilter::default().updated_at_gte(since.clone());
            raw::list(&ThreatsListQuery { filter, ..ThreatsListQuery::default() })?.answering()
        }
    })
}

/// The list that one threat is in.
pub(crate) fn remote_request(version: ApiVersion, id: &str) -> Result<Request<Page<Value>>, RequestError> {
    Ok(match version {
        ApiVersion::V2_0 => {
            let filter = LegacyThreatFilter::default().ids([id]);
            raw::list_v2_0(&ThreatsListV20Query { filter, ..ThreatsListV20Query::default() })?.answering()
        }
        _ => {
            let filter = ThreatFilter::default().ids([id]);
            raw::list(&ThreatsListQuery { filter, ..ThreatsListQuery::default() })?.answering()
        }
    })
}

/// A threat as its mirror sees it; `None` when it is not there.
pub(crate) async fn remote(
    client: &Client,
    id: &str,
    last_update: &Timestamp,
    close: bool,
) -> Result<Option<RemoteThreat>> {
    let version = client.api_version();
    let answer = client.send(&remote_request(version, id)?).await?;
    // The console is not trusted to have looked at the filter.
    let is_wanted = |threat: &&Value| incident::id(Stream::Threats, threat).as_deref() == Some(id);
    let Some(threat) = answer.data.iter().find(is_wanted).cloned() else {
        // What was left out for an error is not known to be gone.
        return answer.incomplete().map_or(Ok(None), Err);
    };
    let is_old = version == ApiVersion::V2_0;
    let resolved = if is_old {
        threat.get("resolved").and_then(Value::as_bool)
    } else {
        match at(&threat, "threatInfo.incidentStatus").and_then(Value::as_str) {
            Some("resolved") => Some(true),
            Some("unresolved" | "in_progress") => Some(false),
            _ => None,
        }
    };
    let entry =
        resolved.filter(|_| close).map(|resolved| if resolved { Entry::Close } else { Entry::Reopen });
    let updated = text(&threat, &[if is_old { "updatedAt" } else { "threatInfo.updatedAt" }]);
    let updated = updated.map(Timestamp::from);
    let time = updated.as_ref().and_then(Timestamp::to_system_time);
    let changed = time.zip(last_update.to_system_time()).map(|(now, before)| now >= before);
    let errors = answer.vendor_errors().to_vec();
    Ok(Some(RemoteThreat { threat, updated, changed, entries: entry.into_iter().collect(), errors }))
}
