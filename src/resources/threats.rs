//! Threats: what agents detected, and what was decided about it.

use sentinelone_raw::runtime::{Data, RequestError, Secret};
use sentinelone_raw::shared::Affected;
use sentinelone_raw::threats::{
    self as raw, ThreatFileRequest, ThreatFileRequestData, ThreatIncidentUpdate, ThreatVerdictUpdate,
};

pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::{
    AnalystVerdict, ConfidenceLevel, IncidentChange, IncidentStatus, LegacyMitigationStatus, LegacyThreat,
    LegacyThreatFilter, MitigationAction, MitigationStatus, OsType, Threat, ThreatCloudFile, ThreatFilter,
    ThreatIncidentData, ThreatIncidentResult, ThreatInfo, ThreatMitigation, ThreatMitigationResult,
    ThreatNote, ThreatNoteAddition, ThreatNoteData, ThreatNoteSortField, ThreatSortField, ThreatSummary,
    ThreatTimelineEvent, ThreatTimelineSortField, ThreatVerdictData, ThreatVerdictResult,
    ThreatsListNotesQuery, ThreatsListQuery, ThreatsListTimelineQuery, ThreatsSummaryQuery,
};

use super::grammar::{Act, Acts, List, acts, lists, resource, selects};
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about threats; from [`Client::threats`](crate::Client::threats).
    Threats
}

lists! {
    ThreatsListQuery: sorts ThreatSortField, filters ThreatFilter, counts;
    ThreatsListNotesQuery: sorts ThreatNoteSortField, counts;
    ThreatsListTimelineQuery: sorts ThreatTimelineSortField, counts;
}

acts! {
    ThreatFilter: ThreatFileRequest, ThreatMitigation, ThreatNoteAddition, ThreatVerdictUpdate;
}

selects!(ThreatFilter: threats, ThreatsListQuery, Threat);

impl<'a> Threats<'a> {
    /// Lists threats, in the order of the console unless sorted.
    ///
    /// `GET /web/api/v2.1/threats`
    ///
    /// ```no_run
    /// # use sentinelone::threats::{IncidentStatus, ThreatFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let unresolved = ThreatFilter::default().incident_statuses([IncidentStatus::Unresolved]);
    /// let mut threats = client.threats().list().filter(unresolved).items().limit(50);
    /// while let Some(threat) = threats.next().await {
    ///     println!("{}", threat?.id.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> List<'a, ThreatsListQuery, Threat> {
        List::new(self.client, ThreatsListQuery::default(), |_, query| raw::list(query))
    }

    /// How many threats a filter selects; its `limit` is left out of account. An empty filter counts
    /// everything in scope.
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send); also when the console answers without a total.
    pub async fn count(self, filter: &ThreatFilter) -> Result<u64> {
        self.list().filter(filter.clone()).count().await
    }

    /// Sets the incident status, and the analyst verdict too if one is given, of the threats that a
    /// filter selects.
    ///
    /// `POST /web/api/v2.1/threats/incident`
    ///
    /// ```no_run
    /// # use sentinelone::threats::{AnalystVerdict, IncidentStatus, ThreatFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let update = client
    ///     .threats()
    ///     .update_incident()
    ///     .filter(ThreatFilter::default().ids(["1234567890123456789"]))
    ///     .status(IncidentStatus::Resolved)
    ///     .verdict(AnalystVerdict::FalsePositive);
    /// if update.count().await? == 1 {
    ///     update.send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn update_incident(self) -> Act<'a, IncidentUpdate, Data<ThreatIncidentResult>> {
        Act::new(self.client, IncidentUpdate::default(), |_, update| raw::update_incident(update.body()?))
    }

    /// Sets the analyst verdict of the threats that a filter selects.
    ///
    /// `POST /web/api/v2.1/threats/analyst-verdict`
    pub fn update_analyst_verdict(
        self,
        verdict: impl Into<AnalystVerdict>,
    ) -> Act<'a, ThreatVerdictUpdate, Data<ThreatVerdictResult>> {
        let body = ThreatVerdictUpdate::new(ThreatVerdictData::new(verdict), ThreatFilter::default());
        Act::new(self.client, body, |_, body| raw::update_analyst_verdict(body))
    }

    /// Mitigates the threats that a filter selects: agents kill, quarantine, remediate or roll back.
    /// This interrupts people's work.
    ///
    /// `POST /web/api/v2.1/threats/mitigate/{action}`
    pub fn mitigate(
        self,
        action: impl Into<MitigationAction>,
    ) -> Act<'a, ThreatMitigation, Data<ThreatMitigationResult>> {
        let body = ThreatMitigation::new(ThreatFilter::default());
        let action = action.into().as_str().to_owned();
        Act::of(self.client, action, body, |action, body| raw::mitigate(&action.into(), body))
    }

    /// Adds a note of 2 to 10,000 characters to each of the threats that a filter selects.
    ///
    /// `POST /web/api/v2.1/threats/notes`
    pub fn add_note(self, text: impl Into<String>) -> Act<'a, ThreatNoteAddition, Data<Affected>> {
        let body = ThreatNoteAddition::new(ThreatNoteData::new(text), ThreatFilter::default());
        Act::new(self.client, body, |_, body| raw::add_note(body))
    }

    /// Has the agents upload the files of the threats that a filter selects, each in an archive that the
    /// password protects. Each upload shows up in the [timeline](Self::timeline) of its threat.
    ///
    /// `POST /web/api/v2.1/threats/fetch-file`
    pub fn fetch_files(self, password: impl Into<Secret>) -> Act<'a, ThreatFileRequest, Data<Affected>> {
        let body = ThreatFileRequest::new(ThreatFileRequestData::new(password), ThreatFilter::default());
        Act::new(self.client, body, |_, body| raw::fetch_file(body))
    }

    /// Lists the notes of a threat.
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/notes`
    pub fn notes(self, threat_id: impl Into<String>) -> List<'a, ThreatsListNotesQuery, ThreatNote> {
        List::of(self.client, threat_id.into(), ThreatsListNotesQuery::default(), raw::list_notes)
    }

    /// Lists what happened around a threat, in the console and on the endpoint.
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/timeline`
    pub fn timeline(
        self,
        threat_id: impl Into<String>,
    ) -> List<'a, ThreatsListTimelineQuery, ThreatTimelineEvent> {
        List::of(self.client, threat_id.into(), ThreatsListTimelineQuery::default(), raw::list_timeline)
    }

    /// The address of a threat's file, where the cloud has kept it. It is downloaded without a token.
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/download-from-cloud`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let answer = client.threats().cloud_download("1234567890123456789").await?;
    /// let operation = answer.operation();
    /// if let Some(url) = answer.into_value().data.and_then(|file| file.download_url) {
    ///     let file = client.download_from(operation, &url).await?;
    ///     println!("{:?} bytes", file.length());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn cloud_download(self, threat_id: impl AsRef<str>) -> Result<Response<Data<ThreatCloudFile>>> {
        self.client.send(&raw::get_cloud_download(threat_id.as_ref())?).await
    }

    /// Counts threats by state, as the dashboard does.
    ///
    /// `GET /web/api/v2.1/private/threats/summary`, which the vendor does not document.
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn summary(self, query: &ThreatsSummaryQuery) -> Result<Response<Data<ThreatSummary>>> {
        self.client.send(&raw::summary(query)?).await
    }
}

/// What an update of incidents sets; from [`Threats::update_incident`].
#[derive(Clone, Debug)]
pub struct IncidentUpdate {
    // In the form that is sent: to copy a filter of a hundred fields would cost as much as to send it.
    body: ThreatIncidentUpdate,
    has_status: bool,
}

impl Default for IncidentUpdate {
    #[inline]
    fn default() -> Self {
        let data = ThreatIncidentData::new(IncidentStatus::from(""));
        Self { body: ThreatIncidentUpdate::new(data, ThreatFilter::default()), has_status: false }
    }
}

impl IncidentUpdate {
    fn body(&self) -> Result<&ThreatIncidentUpdate, RequestError> {
        let missing = || RequestError::missing(&raw::UPDATE_INCIDENT, "data.incidentStatus");
        self.has_status.then_some(&self.body).ok_or_else(missing)
    }
}

impl Acts for IncidentUpdate {
    type Filter = ThreatFilter;

    fn filter(&self) -> Option<&ThreatFilter> {
        Some(&self.body.filter)
    }

    #[inline]
    fn set_filter(&mut self, filter: ThreatFilter) {
        self.body.filter = filter;
    }
}

impl Act<'_, IncidentUpdate, Data<ThreatIncidentResult>> {
    /// The incident status to set. The API demands one.
    #[inline]
    pub fn status(mut self, status: impl Into<IncidentStatus>) -> Self {
        self.body.body.data.incident_status = status.into();
        self.body.has_status = true;
        self
    }

    /// The analyst verdict to set too.
    pub fn verdict(mut self, verdict: impl Into<AnalystVerdict>) -> Self {
        self.body.body.data.analyst_verdict = Some(verdict.into());
        self
    }
}
