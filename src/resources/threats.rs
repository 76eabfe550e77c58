//! Threats: detections of agents, with analyst verdict and incident status.

use sentinelone_raw::runtime::{Data, RequestError, Secret};
use sentinelone_raw::shared::Affected;
use sentinelone_raw::threats::{
    self as raw, ThreatFileRequestData, ThreatsFetchFileRequest, ThreatsUpdateAnalystVerdictRequest,
    ThreatsUpdateIncidentRequest,
};

pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::{
    AnalystVerdict, ConfidenceLevel, IncidentChange, IncidentStatus, LegacyMitigationStatus, LegacyThreat,
    LegacyThreatFilter, MitigationAction, MitigationStatus, OsType, Threat, ThreatActionFilter,
    ThreatCloudFile, ThreatFilter, ThreatIncidentData, ThreatIncidentResult, ThreatInfo,
    ThreatMitigationResult, ThreatNote, ThreatNoteData, ThreatNoteSortField, ThreatSortField, ThreatSummary,
    ThreatTimelineEvent, ThreatTimelineSortField, ThreatVerdictData, ThreatVerdictResult,
    ThreatsAddNoteRequest, ThreatsListNotesQuery, ThreatsListQuery, ThreatsListTimelineQuery,
    ThreatsMitigateRequest, ThreatsSummaryQuery,
};

#[cfg(feature = "threats")]
pub use super::documented::types::threats::*;

use super::builders::{
    ActionBuilder, ListBuilder, impl_action_body, impl_countable_filter, impl_limited_action_body,
    impl_list_query, incident_update, resource,
};
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on threats; see [`Client::threats`](crate::Client::threats).
    Threats
}

impl_list_query! {
    ThreatsListQuery: sorts ThreatSortField, filters ThreatFilter, counts;
    ThreatsListNotesQuery: sorts ThreatNoteSortField, counts;
    ThreatsListTimelineQuery: sorts ThreatTimelineSortField, counts;
}

impl_action_body! {
    ThreatFilter: ThreatsFetchFileRequest;
}

impl_limited_action_body! {
    ThreatFilter: ThreatsMitigateRequest, ThreatsAddNoteRequest, ThreatsUpdateAnalystVerdictRequest,
        ThreatsUpdateIncidentRequest
}

impl_countable_filter!(ThreatFilter: threats, ThreatsListQuery, Threat);

impl Threats {
    /// Lists the threats that match a filter, in the order of the console unless sorted.
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
    pub fn list(&self) -> ListBuilder<ThreatsListQuery, Threat> {
        ListBuilder::new(&self.client, ThreatsListQuery::default(), |_, query| raw::list(query))
    }

    /// Returns the number of threats that match a filter. An empty filter matches all
    /// threats in scope.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails or the response has no total.
    pub async fn count(&self, filter: &ThreatFilter) -> Result<u64> {
        self.list().filter(filter.clone()).count().await
    }

    /// Sets the incident status of the threats that match the filter, and optionally the analyst verdict.
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
    ///     let response = update.send().await?;
    ///     println!("{} affected", response.affected().unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn update_incident(&self) -> ActionBuilder<IncidentUpdate, Data<ThreatIncidentResult>> {
        ActionBuilder::new(&self.client, IncidentUpdate::default(), |_, update| {
            raw::update_incident(update.body()?)
        })
    }

    /// Sets the analyst verdict of the threats that match the filter.
    ///
    /// `POST /web/api/v2.1/threats/analyst-verdict`
    pub fn update_analyst_verdict(
        &self,
        verdict: impl Into<AnalystVerdict>,
    ) -> ActionBuilder<ThreatsUpdateAnalystVerdictRequest, Data<ThreatVerdictResult>> {
        let body =
            ThreatsUpdateAnalystVerdictRequest::new(ThreatVerdictData::new(verdict), ThreatFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::update_analyst_verdict(body))
    }

    /// Mitigates the threats that match the filter: agents kill, quarantine, remediate or roll back. This can
    /// interrupt the users of the endpoints.
    ///
    /// `POST /web/api/v2.1/threats/mitigate/{action}`
    pub fn mitigate(
        &self,
        action: impl Into<MitigationAction>,
    ) -> ActionBuilder<ThreatsMitigateRequest, Data<ThreatMitigationResult>> {
        let body = ThreatsMitigateRequest::new(ThreatFilter::default());
        let action = action.into().as_str().to_owned();
        ActionBuilder::with_path_param(&self.client, action, body, |action, body| {
            raw::mitigate(&action.into(), body)
        })
    }

    /// Adds a note of 2 to 10,000 characters to each threat that matches the filter.
    ///
    /// `POST /web/api/v2.1/threats/notes`
    pub fn add_note(&self, note: impl Into<String>) -> ActionBuilder<ThreatsAddNoteRequest, Data<Affected>> {
        let body = ThreatsAddNoteRequest::new(ThreatNoteData::new(note), ThreatFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::add_note(body))
    }

    /// Instructs the agents to upload the files of the threats that match the filter, each in an archive
    /// protected by the password. Each upload appears in the [timeline](Self::timeline) of its threat.
    ///
    /// `POST /web/api/v2.1/threats/fetch-file`
    pub fn fetch_files(
        &self,
        password: impl Into<Secret>,
    ) -> ActionBuilder<ThreatsFetchFileRequest, Data<Affected>> {
        let body =
            ThreatsFetchFileRequest::new(ThreatFileRequestData::new(password), ThreatFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::fetch_file(body))
    }

    /// Lists the notes of a threat.
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/notes`
    pub fn notes(&self, threat_id: impl Into<String>) -> ListBuilder<ThreatsListNotesQuery, ThreatNote> {
        ListBuilder::with_path_param(
            &self.client,
            threat_id.into(),
            ThreatsListNotesQuery::default(),
            raw::list_notes,
        )
    }

    /// Lists the events of a threat, in the console and on the endpoint.
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/timeline`
    pub fn timeline(
        &self,
        threat_id: impl Into<String>,
    ) -> ListBuilder<ThreatsListTimelineQuery, ThreatTimelineEvent> {
        ListBuilder::with_path_param(
            &self.client,
            threat_id.into(),
            ThreatsListTimelineQuery::default(),
            raw::list_timeline,
        )
    }

    /// Returns the link to the file of a threat, if the cloud stores it; see
    /// [`Client::download_link`](crate::Client::download_link).
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/download-from-cloud`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let response = client.threats().cloud_download_link("1234567890123456789").await?;
    /// if let Some(link) = response.into_value().data {
    ///     let file = client.download_link(&link).await?;
    ///     println!("{:?} bytes", file.length());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn cloud_download_link(
        &self,
        threat_id: impl AsRef<str>,
    ) -> Result<Response<Data<ThreatCloudFile>>> {
        self.client.send(&raw::get_cloud_download(threat_id.as_ref())?).await
    }

    /// Returns the number of threats per state, as on the dashboard.
    ///
    /// `GET /web/api/v2.1/private/threats/summary`, which SentinelOne does not document.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn summary(&self, query: &ThreatsSummaryQuery) -> Result<Response<Data<ThreatSummary>>> {
        self.client.send(&raw::summary(query)?).await
    }
}

incident_update! {
    /// The fields of an incident update; from [`Threats::update_incident`].
    ThreatFilter: ThreatsUpdateIncidentRequest(ThreatIncidentData), Data<ThreatIncidentResult>, raw::UPDATE_INCIDENT
}

impl ActionBuilder<IncidentUpdate, Data<ThreatIncidentResult>> {
    /// Sets the analyst verdict too.
    pub fn verdict(mut self, verdict: impl Into<AnalystVerdict>) -> Self {
        self.body.body.data.analyst_verdict = Some(verdict.into());
        self
    }
}
