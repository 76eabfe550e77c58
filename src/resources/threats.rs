//! Threats: what agents detected, and what was decided about it.

use sentinelone_raw::runtime::{Data, Page, Request, RequestError};
use sentinelone_raw::shared::Affected;
use sentinelone_raw::threats::{self as raw, ThreatIncidentUpdate, ThreatVerdictUpdate};

pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::{
    AnalystVerdict, ConfidenceLevel, IncidentChange, IncidentStatus, LegacyMitigationStatus, LegacyThreat,
    LegacyThreatFilter, MitigationAction, MitigationStatus, Threat, ThreatFilter, ThreatIncidentData,
    ThreatIncidentResult, ThreatInfo, ThreatMitigation, ThreatMitigationResult, ThreatNote,
    ThreatNoteAddition, ThreatNoteData, ThreatSortField, ThreatSummary, ThreatVerdictData,
    ThreatVerdictResult, ThreatsListNotesQuery, ThreatsListQuery, ThreatsSummaryQuery,
};

use crate::Result;
use crate::client::Client;
use crate::paging::{Items, Pages};
use crate::response::Response;

/// Everything about threats; from [`Client::threats`].
#[derive(Clone, Copy, Debug)]
pub struct Threats<'a> {
    client: &'a Client,
}

impl<'a> Threats<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

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
    pub fn list(self) -> ListThreats<'a> {
        ListThreats { client: self.client, query: ThreatsListQuery::default() }
    }

    /// How many threats a filter selects; its `limit` is left out of account. An empty filter counts
    /// everything in scope.
    ///
    /// # Errors
    /// As [`Client::send`]; also when the console answers without a total.
    pub async fn count(self, filter: &ThreatFilter) -> Result<u64> {
        let request = count_request(filter)?;
        let page = self.client.send(&request).await?;
        page.total().ok_or_else(|| self.client.clean(page.lacks("pagination.totalItems")))
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
    pub fn update_incident(self) -> UpdateIncident<'a> {
        UpdateIncident { acting: Acting::new(self.client), status: None, verdict: None }
    }

    /// Sets the analyst verdict of the threats that a filter selects.
    ///
    /// `POST /web/api/v2.1/threats/analyst-verdict`
    pub fn update_analyst_verdict(self, verdict: impl Into<AnalystVerdict>) -> UpdateVerdict<'a> {
        UpdateVerdict { acting: Acting::new(self.client), verdict: verdict.into() }
    }

    /// Mitigates the threats that a filter selects: agents kill, quarantine, remediate or roll back.
    /// This interrupts people's work.
    ///
    /// `POST /web/api/v2.1/threats/mitigate/{action}`
    pub fn mitigate(self, action: impl Into<MitigationAction>) -> Mitigate<'a> {
        Mitigate { acting: Acting::new(self.client), action: action.into() }
    }

    /// Adds a note of 2 to 10,000 characters to each of the threats that a filter selects.
    ///
    /// `POST /web/api/v2.1/threats/notes`
    pub fn add_note(self, text: impl Into<String>) -> AddNote<'a> {
        AddNote { acting: Acting::new(self.client), text: text.into() }
    }

    /// Lists the notes of a threat.
    ///
    /// `GET /web/api/v2.1/threats/{threat_id}/notes`
    pub fn notes(self, threat_id: impl Into<String>) -> ListNotes<'a> {
        let query = ThreatsListNotesQuery::default();
        ListNotes { client: self.client, threat_id: threat_id.into(), query }
    }

    /// Counts threats by state, as the dashboard does.
    ///
    /// `GET /web/api/v2.1/private/threats/summary`, which the vendor does not document.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn summary(self, query: &ThreatsSummaryQuery) -> Result<Response<Data<ThreatSummary>>> {
        self.client.send(&raw::summary(query)?).await
    }
}

fn count_request(filter: &ThreatFilter) -> Result<Request<Page<Threat>>, RequestError> {
    let filter = ThreatFilter { limit: None, ..filter.clone() };
    raw::list(&ThreatsListQuery { filter, count_only: Some(true), ..Default::default() })
}

/// A list of threats in the making; from [`Threats::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct ListThreats<'a> {
    client: &'a Client,
    query: ThreatsListQuery,
}

impl ListThreats<'_> {
    /// What to list. Without a filter, everything in scope.
    pub fn filter(mut self, filter: ThreatFilter) -> Self {
        self.query.filter = filter;
        self
    }

    /// The field to sort by.
    pub fn sort_by(mut self, field: impl Into<ThreatSortField>, order: SortOrder) -> Self {
        self.query = self.query.sort_by(field).sort_order(order);
        self
    }

    /// The request as a value.
    ///
    /// # Errors
    /// When a value of the filter is outside what the API takes.
    pub fn request(&self) -> Result<Request<Page<Threat>>, RequestError> {
        raw::list(&self.query)
    }

    /// One page: the first, with as many threats as the filter's `limit` says, else 10.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn page(&self) -> Result<Response<Page<Threat>>> {
        self.client.send(&self.request()?).await
    }

    /// All pages, lazily. A filter that cannot be sent is the first error.
    pub fn pages(&self) -> Pages<Threat> {
        Pages::of(self.client.clone(), self.request())
    }

    /// All threats, lazily, page by page.
    pub fn items(&self) -> Items<Threat> {
        self.pages().items()
    }

    /// How many threats there are.
    ///
    /// # Errors
    /// As [`Threats::count`].
    pub async fn count(&self) -> Result<u64> {
        self.client.threats().count(&self.query.filter).await
    }
}

/// What all actions on threats have in common.
#[derive(Clone, Debug)]
struct Acting<'a> {
    client: &'a Client,
    filter: ThreatFilter,
    everything: bool,
}

impl<'a> Acting<'a> {
    fn new(client: &'a Client) -> Self {
        Self { client, filter: ThreatFilter::default(), everything: false }
    }

    fn finish<T>(&self, request: Request<T>) -> Request<T> {
        if self.everything { request.everything_in_scope() } else { request }
    }
}

macro_rules! acting {
    ($name:ident -> $answer:ty) => {
        impl $name<'_> {
            /// What to act on. A filter that selects nothing in particular is refused.
            pub fn filter(mut self, filter: ThreatFilter) -> Self {
                self.acting.filter = filter;
                self
            }

            /// Says in so many words that every threat in the scope of the token is meant; only then an
            /// empty filter is sent.
            pub fn everything_in_scope(mut self) -> Self {
                self.acting.everything = true;
                self
            }

            /// How many threats the filter selects, to be asked before acting.
            ///
            /// # Errors
            /// As [`Threats::count`].
            pub async fn count(&self) -> Result<u64> {
                self.acting.client.threats().count(&self.acting.filter).await
            }

            /// Acts.
            ///
            /// # Errors
            /// As [`Client::send`]. Nothing is sent when the filter selects nothing in particular.
            pub async fn send(&self) -> Result<Response<Data<$answer>>> {
                self.acting.client.send(&self.request()?).await
            }
        }
    };
}

/// An update of incidents in the making; from [`Threats::update_incident`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct UpdateIncident<'a> {
    acting: Acting<'a>,
    status: Option<IncidentStatus>,
    verdict: Option<AnalystVerdict>,
}

acting!(UpdateIncident -> ThreatIncidentResult);

impl UpdateIncident<'_> {
    /// The incident status to set. The API demands one.
    pub fn status(mut self, status: impl Into<IncidentStatus>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// The analyst verdict to set too.
    pub fn verdict(mut self, verdict: impl Into<AnalystVerdict>) -> Self {
        self.verdict = Some(verdict.into());
        self
    }

    /// The request as a value.
    ///
    /// # Errors
    /// When the status is missing, or a value of the filter is outside what the API takes.
    pub fn request(&self) -> Result<Request<Data<ThreatIncidentResult>>, RequestError> {
        let status = self.status.clone();
        let status =
            status.ok_or_else(|| RequestError::missing(&raw::UPDATE_INCIDENT, "data.incidentStatus"))?;
        let data =
            ThreatIncidentData { analyst_verdict: self.verdict.clone(), ..ThreatIncidentData::new(status) };
        let body = ThreatIncidentUpdate::new(data, self.acting.filter.clone());
        Ok(self.acting.finish(raw::update_incident(&body)?))
    }
}

/// An update of verdicts in the making; from [`Threats::update_analyst_verdict`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct UpdateVerdict<'a> {
    acting: Acting<'a>,
    verdict: AnalystVerdict,
}

acting!(UpdateVerdict -> ThreatVerdictResult);

impl UpdateVerdict<'_> {
    /// The request as a value.
    ///
    /// # Errors
    /// When a value of the filter is outside what the API takes.
    pub fn request(&self) -> Result<Request<Data<ThreatVerdictResult>>, RequestError> {
        let data = ThreatVerdictData::new(self.verdict.clone());
        let body = ThreatVerdictUpdate::new(data, self.acting.filter.clone());
        Ok(self.acting.finish(raw::update_analyst_verdict(&body)?))
    }
}

/// A mitigation in the making; from [`Threats::mitigate`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct Mitigate<'a> {
    acting: Acting<'a>,
    action: MitigationAction,
}

acting!(Mitigate -> ThreatMitigationResult);

impl Mitigate<'_> {
    /// The request as a value.
    ///
    /// # Errors
    /// When a value of the filter is outside what the API takes.
    pub fn request(&self) -> Result<Request<Data<ThreatMitigationResult>>, RequestError> {
        let body = ThreatMitigation::new(self.acting.filter.clone());
        Ok(self.acting.finish(raw::mitigate(&self.action, &body)?))
    }
}

/// A note in the making; from [`Threats::add_note`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct AddNote<'a> {
    acting: Acting<'a>,
    text: String,
}

acting!(AddNote -> Affected);

impl AddNote<'_> {
    /// The request as a value.
    ///
    /// # Errors
    /// When the text is shorter or longer than the API takes, or a value of the filter is.
    pub fn request(&self) -> Result<Request<Data<Affected>>, RequestError> {
        let data = ThreatNoteData::new(self.text.clone());
        let body = ThreatNoteAddition::new(data, self.acting.filter.clone());
        Ok(self.acting.finish(raw::add_note(&body)?))
    }
}

/// The notes of a threat in the making; from [`Threats::notes`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct ListNotes<'a> {
    client: &'a Client,
    threat_id: String,
    query: ThreatsListNotesQuery,
}

impl ListNotes<'_> {
    /// Further parameters: page size, order, only the notes of one user.
    pub fn query(mut self, query: ThreatsListNotesQuery) -> Self {
        self.query = query;
        self
    }

    /// The request as a value.
    ///
    /// # Errors
    /// When the identifier or a parameter cannot be sent.
    pub fn request(&self) -> Result<Request<Page<ThreatNote>>, RequestError> {
        raw::list_notes(&self.threat_id, &self.query)
    }

    /// One page.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn page(&self) -> Result<Response<Page<ThreatNote>>> {
        self.client.send(&self.request()?).await
    }

    /// All pages, lazily.
    pub fn pages(&self) -> Pages<ThreatNote> {
        Pages::of(self.client.clone(), self.request())
    }

    /// All notes, lazily, page by page.
    pub fn items(&self) -> Items<ThreatNote> {
        self.pages().items()
    }
}
