//! Mirroring of threats and their incidents.

use std::collections::HashSet;

use sentinelone_raw::runtime::{ApiVersion, Page, Request, RequestError, Timestamp};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, LegacyThreatFilter, ThreatFilter, ThreatsListQuery,
    ThreatsListV20Query,
};
use serde_json::{Value, json};

use super::config::{IncidentConfig, IncidentConfigError, MirrorDirection, Stream};
use super::delta::{self, Delta, UpdateReport};
use super::incident::{self, string};
use super::mirror_error::MirrorError;
use crate::Result;
use crate::client::Client;
use crate::error::ApiError;
use crate::json_path::get_path;
use crate::json_repair::{Repairs, SetApartItem};
use crate::paging::Pages;

/// Mirrors threats and their incidents with the four mirroring calls of the published integration. A mirror holds no
/// state between calls; the caller decides which threats have an incident.
///
/// ```no_run
/// # async fn example(client: sentinelone::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use sentinelone::Timestamp;
/// use sentinelone::incidents::{Delta, IncidentAction, IncidentConfig, MirrorDirection, ThreatMirror};
/// use sentinelone::threats::AnalystVerdict;
///
/// let mut config = IncidentConfig::default();
/// config.mirror_direction = MirrorDirection::Both;
/// config.close_resolved = true;
/// let mirror = ThreatMirror::new(client, &config)?;
///
/// // In: changes on the console.
/// let last_update = Timestamp::from("2026-11-21T08:00:00Z");
/// for id in mirror.modified_ids(&last_update).await? {
///     let Some(remote) = mirror.fetch_threat(&id, &last_update).await? else { continue };
///     if remote.actions.contains(&IncidentAction::Close) {
///         println!("{id} was resolved");
///     }
/// }
///
/// // Out: changes of the incident.
/// let delta = Delta::default().verdict(AnalystVerdict::TruePositive);
/// let report = mirror.push_changes("460000000000000011", &delta).await?;
/// for step in &report.steps {
///     println!("{}: {}", step.step.as_str(), step.state);
/// }
/// if let Some(failure) = report.failure {
///     return Err(failure.into());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ThreatMirror {
    client: Client,
    direction: MirrorDirection,
    close_resolved: bool,
}

/// A field of a threat that changes of an incident can update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MappingField {
    /// Name, such as `analystVerdict`.
    pub name: &'static str,
    /// Description.
    pub description: &'static str,
}

const MAPPING_FIELDS: &[MappingField] = &[
    MappingField { name: "analystVerdict", description: "The analyst verdict of the threat" },
    MappingField { name: "incidentStatus", description: "The incident status of the threat" },
];

/// The action for an incident that follows from its threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncidentAction {
    /// Close the incident: the threat is resolved.
    Close,
    /// Reopen the incident: the threat is open. The incident may be open already.
    Reopen,
}

impl IncidentAction {
    /// Close reason of the incident.
    pub const CLOSE_REASON: &str = "The threat is resolved in SentinelOne";

    /// Returns the action as an XSOAR note: a JSON entry that closes or reopens the incident.
    pub fn to_json(self) -> Value {
        let contents = match self {
            Self::Close => json!({ "dbotIncidentClose": true, "closeReason": Self::CLOSE_REASON }),
            Self::Reopen => json!({ "dbotIncidentReopen": true }),
        };
        json!({ "Type": 1, "Contents": contents, "ContentsFormat": "json" })
    }
}

/// A threat with the action for its incident.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteThreat {
    /// The threat as returned by the console.
    pub threat: Value,
    /// Time of the last change on the console, if present.
    pub updated_at: Option<Timestamp>,
    /// Whether it changed at or after the last update. `None` if one of the times is not valid.
    pub has_changed: Option<bool>,
    /// Actions for the incident; empty unless [`IncidentConfig::close_resolved`] is set.
    pub actions: Vec<IncidentAction>,
    /// Errors that the response had in addition to data.
    pub errors: Vec<ApiError>,
    /// Repairs of the response, if it was not valid JSON.
    pub repairs: Repairs,
}

impl RemoteThreat {
    /// Returns the analyst verdict of the threat; `None` if it is missing, as on API 2.0.
    pub fn verdict(&self) -> Option<AnalystVerdict> {
        string(&self.threat, &["threatInfo.analystVerdict"]).map(AnalystVerdict::from)
    }

    /// Returns the incident status of the threat; on API 2.0 it follows from `resolved`.
    pub fn status(&self) -> Option<IncidentStatus> {
        let status = string(&self.threat, &["threatInfo.incidentStatus"]).map(IncidentStatus::from);
        status.or_else(|| match self.threat.get("resolved")?.as_bool()? {
            true => Some(IncidentStatus::Resolved),
            false => Some(IncidentStatus::Unresolved),
        })
    }
}

impl ThreatMirror {
    /// Creates a mirror for the console of this client. It uses the fields [`IncidentConfig::mirror_direction`]
    /// and [`IncidentConfig::close_resolved`] of the configuration.
    ///
    /// # Errors
    /// Returns an error if the configuration is invalid, as [`Fetcher::new`](super::Fetcher::new) does.
    pub fn new(client: Client, config: &IncidentConfig) -> Result<Self, IncidentConfigError> {
        config.validate(client.api_version())?;
        Ok(Self { client, direction: config.mirror_direction, close_resolved: config.close_resolved })
    }

    /// Returns the direction.
    pub fn direction(&self) -> MirrorDirection {
        self.direction
    }

    /// Returns the fields of a threat that changes of an incident can update. Sends no request.
    ///
    /// The incidents have the type [`INCIDENT_TYPE`](super::INCIDENT_TYPE).
    pub fn mapping_fields() -> &'static [MappingField] {
        MAPPING_FIELDS
    }

    /// Returns the IDs of all threats that changed at or after `since`, from all pages and without duplicates.
    /// All threats in the scope of the token are included; the fetch configuration is ignored.
    ///
    /// `GET /web/api/v2.1/threats`
    ///
    /// For the next call, pass the newest [`RemoteThreat::updated_at`], which is a time of the console. Or pass the
    /// local time of this call minus a few minutes for clock differences. Reading a change twice is harmless.
    ///
    /// # Errors
    /// Returns an error if the direction is not incoming, or if [`Client::send`] fails for any page. An
    /// incomplete list is always an error.
    pub async fn modified_ids(&self, since: &Timestamp) -> Result<Vec<String>> {
        self.require_incoming("modified_ids")?;
        let mut pages = Pages::new(self.client.clone(), modified_request(self.client.api_version(), since));
        let (mut ids, mut unique) = (Vec::new(), HashSet::new());
        while let Some(page) = pages.next().await {
            let page = page?;
            if let Some(error) = page.partial_error() {
                return Err(error);
            }
            // A threat that is not valid JSON is listed if its ID is readable.
            for item in page.set_apart() {
                let id = incident::id(Stream::Threats, &item.salvaged);
                let id = id.ok_or_else(|| page.invalid_item(item))?;
                ids.extend(Some(id).filter(|id| unique.insert(id.clone())));
            }
            let threats = page.into_value().data;
            // A threat that changes in the meantime may be on two pages.
            let page_ids = threats.iter().filter_map(|threat| incident::id(Stream::Threats, threat));
            ids.extend(page_ids.filter(|id| unique.insert(id.clone())));
        }
        Ok(ids)
    }

    /// Returns a threat and the action for its incident; `None` if the threat does not exist or is outside the scope of
    /// the token. `last_update` is the time of the last update of the incident.
    ///
    /// `GET /web/api/v2.1/threats`
    ///
    /// # Errors
    /// Returns an error if the direction is not incoming, or if [`Client::send`] fails.
    pub async fn fetch_threat(&self, id: &str, last_update: &Timestamp) -> Result<Option<RemoteThreat>> {
        self.require_incoming("fetch_threat")?;
        let request = threat_request(self.client.api_version(), id)?;
        fetch_threat(&self.client, (id, &request), last_update, self.close_resolved).await
    }

    /// Sends the changes of an incident to its threat: the analyst verdict, a note about it, the incident status,
    /// a note about it. A note is added only if the console applied the change.
    ///
    /// `POST /web/api/v2.1/threats/analyst-verdict`, `POST /web/api/v2.1/threats/incident`,
    /// `POST /web/api/v2.1/threats/notes`
    ///
    /// Closing an incident changes the threat only if the delta has the status
    /// [`Resolved`](IncidentStatus::Resolved).
    ///
    /// # Errors
    /// Returns an error, without sending a request, if the direction is not outgoing, a value is unknown, or any
    /// of the requests is invalid. On API 2.0 any change is an error.
    ///
    /// Returns an error if [`Client::send`] fails for the first step. The failure of a later step is in
    /// [`UpdateReport::failure`], and earlier outcomes are in [`UpdateReport::steps`].
    pub async fn push_changes(&self, id: &str, delta: &Delta) -> Result<UpdateReport> {
        if !self.direction.is_outgoing() {
            return Err(self.wrong_direction("push_changes", "Out or Both").into());
        }
        // All requests are built before the first one is sent.
        let requests = delta.requests(self.client.api_version(), id)?;
        delta::push_changes(&self.client, id, delta, requests).await
    }

    fn require_incoming(&self, call: &'static str) -> Result<(), MirrorError> {
        if self.direction.is_incoming() { Ok(()) } else { Err(self.wrong_direction(call, "In or Both")) }
    }

    fn wrong_direction(&self, call: &'static str, expected: &'static str) -> MirrorError {
        MirrorError::Direction { call, expected, actual: self.direction.as_str() }
    }
}

/// Returns the request that lists the threats that changed at or after `since`.
pub(crate) fn modified_request(
    version: ApiVersion,
    since: &Timestamp,
) -> Result<Request<Page<Value>>, RequestError> {
    Ok(match version {
        ApiVersion::V2_0 => {
            let filter = LegacyThreatFilter::default().updated_at_gte(since.clone());
            raw::list_v2_0(&ThreatsListV20Query::default().filter(filter))?.with_response_type()
        }
        _ => {
            let filter = ThreatFilter::default().updated_at_gte(since.clone());
            raw::list(&ThreatsListQuery::default().filter(filter))?.with_response_type()
        }
    })
}

/// Returns the request that lists a single threat.
pub(crate) fn threat_request(version: ApiVersion, id: &str) -> Result<Request<Page<Value>>, RequestError> {
    Ok(match version {
        ApiVersion::V2_0 => {
            let filter = LegacyThreatFilter::default().ids([id]);
            raw::list_v2_0(&ThreatsListV20Query::default().filter(filter))?.with_response_type()
        }
        _ => {
            let filter = ThreatFilter::default().ids([id]);
            raw::list(&ThreatsListQuery::default().filter(filter))?.with_response_type()
        }
    })
}

/// Sends the [request](threat_request) for a threat and returns the threat; `None` if it does not exist.
pub(crate) async fn fetch_threat(
    client: &Client,
    (id, request): (&str, &Request<Page<Value>>),
    last_update: &Timestamp,
    close_resolved: bool,
) -> Result<Option<RemoteThreat>> {
    let version = client.api_version();
    let response = client.send(request).await?;
    // The console may ignore the filter.
    let has_id = |threat: &&Value| incident::id(Stream::Threats, threat).as_deref() == Some(id);
    let Some(threat) = response.data.iter().find(has_id).cloned() else {
        // If the response is incomplete, the threat may still exist.
        let may_be_threat =
            |item: &&SetApartItem| incident::id(Stream::Threats, &item.salvaged).is_none_or(|one| one == id);
        let invalid = response.set_apart().iter().find(may_be_threat).map(|item| response.invalid_item(item));
        return response.partial_error().or(invalid).map_or(Ok(None), Err);
    };
    let is_v2_0 = version == ApiVersion::V2_0;
    let resolved = if is_v2_0 {
        threat.get("resolved").and_then(Value::as_bool)
    } else {
        match get_path(&threat, "threatInfo.incidentStatus").and_then(Value::as_str) {
            Some("resolved") => Some(true),
            Some("unresolved" | "in_progress") => Some(false),
            _ => None,
        }
    };
    let action = resolved
        .filter(|_| close_resolved)
        .map(|resolved| if resolved { IncidentAction::Close } else { IncidentAction::Reopen });
    let updated_at = string(&threat, &[if is_v2_0 { "updatedAt" } else { "threatInfo.updatedAt" }]);
    let updated_at = updated_at.map(Timestamp::from);
    let time = updated_at.as_ref().and_then(Timestamp::to_system_time);
    let has_changed = time.zip(last_update.to_system_time()).map(|(now, before)| now >= before);
    let (errors, repairs) = (response.api_errors().to_vec(), response.repairs().clone());
    let actions = action.into_iter().collect();
    Ok(Some(RemoteThreat { threat, updated_at, has_changed, actions, errors, repairs }))
}
