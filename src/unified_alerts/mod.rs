//! Unified alerts: the inbox of all detections of the console.
//!
//! The alerts of scheduled rules, identity, cloud, data loss prevention, third parties and AI exist only here. The endpoint is
//! GraphQL: a response with status 200 can be an error ([`GraphQlError`]), and an action can be scheduled, which is not done.
//!
//! ```no_run
//! use sentinelone::unified_alerts::{AlertFilter, Severity, SortOrderType, Status, fields};
//!
//! # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
//! let new = AlertFilter::all([
//!     fields::STATUS.is(Status::New),
//!     fields::SEVERITY.is_in([Severity::Critical, Severity::High]),
//! ]);
//! let alerts = client.unified_alerts();
//! let list = alerts.list().filter(new).sort_by("createdAt", SortOrderType::Asc).collect().await?;
//! let ids = list.iter().filter_map(|alert| alert.id.clone());
//!
//! let outcome = alerts.act(ids).status(Status::InProgress).note("in triage").send().await?;
//! for id in outcome.done() {
//!     println!("{id}");
//! }
//! # Ok(())
//! # }
//! ```

mod actions;
mod error;
#[rustfmt::skip]
pub mod fields;
mod filter;
mod list;

use sentinelone_raw::runtime::Data;
use sentinelone_raw::unified_alerts as raw;

use crate::Result;
use crate::client::Client;
use crate::response::Response;

pub use actions::{AlertActionError, AlertActionState, AlertActions, AlertActionsOutcome};
pub use error::GraphQlError;
pub use filter::{
    AlertCondition, AlertFilter, AlertFilterError, BooleanField, EnumField, ListedField, NumberField,
    TextField, TimeField,
};
pub use list::AlertList;
pub use sentinelone_raw::unified_alerts::{
    ActionProviderType, ActionType, AddToBlocklistPayloadInput, AddToExclusionsPayloadInput,
    AddToIncidentPayloadInput, AiInvestigationPayloadInput, AiInvestigationPurpleStatus,
    AiInvestigationStatus, AiInvestigationVerdict, Alert, AlertAccount, AlertActionFailure, AlertActionLimit,
    AlertActionRejection, AlertActionSkip, AlertActionSuccess, AlertActionsResult, AlertAiInvestigation,
    AlertAiInvestigationDetail, AlertAnalytics, AlertAsset, AlertAssetTag, AlertAttack, AlertAvailableAction,
    AlertAvailableActions, AlertColumn, AlertConnection, AlertCounter, AlertCsv, AlertDetail,
    AlertDetectionAsset, AlertDetectionAttacker, AlertDetectionCloud, AlertDetectionKubernetes,
    AlertDetectionScope, AlertDetectionSource, AlertDetectionTargetUser, AlertDetectionTime, AlertEdge,
    AlertExclusionHashes, AlertFieldCount, AlertFieldCounts, AlertFile, AlertFileDetail, AlertGroup,
    AlertHistoryConnection, AlertHistoryCreator, AlertHistoryCsv, AlertHistoryEdge, AlertHistoryEntry,
    AlertHistoryEventType, AlertHistoryFilterInput, AlertIncident, AlertIndicator, AlertNote,
    AlertNoteAuthor, AlertNotes, AlertObservable, AlertPageInfo, AlertProcess, AlertProcessDetail,
    AlertRawData, AlertRealTime, AlertScope, AlertSite, AlertTactic, AlertTechnique, AlertTimelineConnection,
    AlertTimelineCreator, AlertTimelineEdge, AlertTimelineEntry, AlertTimelineEventType,
    AlertTimelineFilterInput, AlertTotal, AlertTriggeredAction, AlertUpdateAnalystVerdictInput,
    AlertUpdateStatusInput, AlertUpdateStringInput, AlertUser, AlertValueCount, AnalystVerdict,
    AndFilterSelectionInput, AssetActionPayloadInput, AssetRole, AssetStatus, AssetTagType, AssignUserInput,
    AttackSurfaceType, Classification, ConfidenceLevel, ConsoleConnectivity, ContentType,
    CreateIncidentPayloadInput, DataType, EqualFilterBooleanInput, EqualFilterIntegerInput,
    EqualFilterLongInput, EqualFilterStringInput, ErrorType, FilterInput, FilterType, FormattedNoteInput,
    FullTextOperator, FulltextFilterInput, InFilterBooleanInput, InFilterIntegerInput, InFilterLongInput,
    InFilterStringInput, MitigationResult, ObservableType, OrFilterSelectionInput, OsType, Policy,
    PreemptiveMitigationType, RangeFilterIntegerInput, RangeFilterLongInput, RelatedAlert,
    RelatedAssetOrigin, ScopeLevel, ScopeSelectorInput, ScopeType, Severity, SkipReasonType, SortInput,
    SortOrderType, Status, TriggerActionInput, TriggerPayloadInput, UnifiedAlertsAddNoteData,
    UnifiedAlertsAddNoteVariables, UnifiedAlertsCountByFieldData, UnifiedAlertsCountByFieldVariables,
    UnifiedAlertsCountData, UnifiedAlertsCountVariables, UnifiedAlertsDeleteNoteData,
    UnifiedAlertsDeleteNoteVariables, UnifiedAlertsExportData, UnifiedAlertsExportHistoryData,
    UnifiedAlertsExportHistoryVariables, UnifiedAlertsExportVariables, UnifiedAlertsGetData,
    UnifiedAlertsGetRawDataData, UnifiedAlertsGetRawDataVariables, UnifiedAlertsGetVariables,
    UnifiedAlertsListAvailableActionsData, UnifiedAlertsListAvailableActionsVariables,
    UnifiedAlertsListColumnsData, UnifiedAlertsListColumnsVariables, UnifiedAlertsListData,
    UnifiedAlertsListHistoryData, UnifiedAlertsListHistoryVariables, UnifiedAlertsListNotesData,
    UnifiedAlertsListNotesVariables, UnifiedAlertsListTimelineData, UnifiedAlertsListTimelineVariables,
    UnifiedAlertsListVariables, UnifiedAlertsTriggerActionsData, UnifiedAlertsTriggerActionsVariables,
    UnifiedAlertsUpdateNoteData, UnifiedAlertsUpdateNoteVariables, UserType, ViewType,
};

use error::data;

/// Operations on unified alerts; see [`Client::unified_alerts`].
#[derive(Clone, Debug)]
pub struct UnifiedAlerts {
    client: Client,
}

impl Client {
    /// Returns the operations on unified alerts, the inbox of all detections of the console.
    pub fn unified_alerts(&self) -> UnifiedAlerts {
        UnifiedAlerts { client: self.clone() }
    }
}

impl UnifiedAlerts {
    /// Lists alerts.
    pub fn list(&self) -> AlertList {
        AlertList::new(&self.client)
    }

    /// Returns an alert with its details.
    ///
    /// # Errors
    /// Returns an error if the alert does not exist, or if the call fails.
    pub async fn get(&self, id: impl Into<String>) -> Result<AlertDetail> {
        let variables = UnifiedAlertsGetVariables::new(id.into());
        let response = self.client.send(&raw::get(&variables)?).await?;
        member(response, false, "data.alert", |data| data.alert)
    }

    /// Prepares actions on alerts, by their IDs.
    pub fn act<I: Into<String>>(&self, ids: impl IntoIterator<Item = I>) -> AlertActions {
        AlertActions::on_ids(&self.client, ids.into_iter().map(Into::into).collect())
    }

    /// Prepares actions on the alerts of a filter.
    pub fn act_on(&self, filter: AlertFilter) -> AlertActions {
        AlertActions::on_filter(&self.client, filter)
    }

    /// Lists the actions that the alerts of a filter have.
    ///
    /// # Errors
    /// Returns an error if the filter is not valid, or if the call fails.
    pub async fn available_actions(&self, filter: &AlertFilter) -> Result<Vec<AlertAvailableAction>> {
        let variables = UnifiedAlertsListAvailableActionsVariables::new(filter.selection()?);
        let response = self.client.send(&raw::list_available_actions(&variables)?).await?;
        member(response, false, "data.alertAvailableActions.data", |data| data.alert_available_actions?.data)
    }

    /// Lists the notes of an alert.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn notes(&self, alert_id: impl Into<String>) -> Result<Vec<AlertNote>> {
        let variables = UnifiedAlertsListNotesVariables::new(alert_id.into());
        let response = self.client.send(&raw::list_notes(&variables)?).await?;
        member(response, false, "data.alertNotes.data", |data| data.alert_notes?.data)
    }

    /// Adds a note to an alert, and returns all its notes. The console accepts changes of the note after 30 to 90 seconds.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn add_note(
        &self,
        alert_id: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<Vec<AlertNote>> {
        let variables = UnifiedAlertsAddNoteVariables::new(alert_id.into(), text.into());
        let response = self.client.send(&raw::add_note(&variables)?).await?;
        member(response, true, "data.addAlertNote.data", |data| data.add_alert_note?.data)
    }

    /// Replaces the text of a note, and returns all notes of its alert.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn update_note(
        &self,
        note_id: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<Vec<AlertNote>> {
        let variables = UnifiedAlertsUpdateNoteVariables::new(note_id.into(), text.into());
        let response = self.client.send(&raw::update_note(&variables)?).await?;
        member(response, true, "data.updateAlertNote.data", |data| data.update_alert_note?.data)
    }

    /// Deletes a note, and returns the remaining notes of its alert.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn delete_note(&self, note_id: impl Into<String>) -> Result<Vec<AlertNote>> {
        let variables = UnifiedAlertsDeleteNoteVariables::new(note_id.into());
        let response = self.client.send(&raw::delete_note(&variables)?).await?;
        member(response, true, "data.deleteAlertNote.data", |data| data.delete_alert_note?.data)
    }

    /// Counts the alerts by the values of fields, by their IDs.
    ///
    /// # Errors
    /// Returns an error if the filter is not valid or has several groups, or if the call fails.
    pub async fn count_by_field<I: Into<String>>(
        &self,
        field_ids: impl IntoIterator<Item = I>,
        filter: Option<&AlertFilter>,
    ) -> Result<Vec<AlertFieldCount>> {
        let field_ids: Vec<String> = field_ids.into_iter().map(Into::into).collect();
        let mut variables = UnifiedAlertsCountByFieldVariables::new(field_ids);
        variables.filters = one_group(filter)?;
        let response = self.client.send(&raw::count_by_field(&variables)?).await?;
        member(response, false, "data.alertFiltersCount.data", |data| data.alert_filters_count?.data)
    }

    /// Lists the fields of alerts, with the comparators of their filters.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn columns(&self) -> Result<Vec<AlertColumn>> {
        let request = raw::list_columns(&UnifiedAlertsListColumnsVariables::default())?;
        let response = self.client.send(&request).await?;
        member(response, false, "data.alertColumnMetadata", |data| data.alert_column_metadata)
    }

    /// Returns the events from which alerts were made, as their source sent them: an object or a text each.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn raw_data<I: Into<String>>(
        &self,
        alert_ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<AlertRawData>> {
        let alert_ids: Vec<String> = alert_ids.into_iter().map(Into::into).collect();
        let request = raw::get_raw_data(&UnifiedAlertsGetRawDataVariables::new(alert_ids))?;
        let response = self.client.send(&request).await?;
        member(response, false, "data.alertsRawData", |data| data.alerts_raw_data)
    }

    /// Returns alerts as CSV.
    ///
    /// # Errors
    /// Returns an error if the filter is not valid or has several groups, or if the call fails.
    pub async fn export(&self, filter: Option<&AlertFilter>) -> Result<String> {
        let mut variables = UnifiedAlertsExportVariables::default();
        variables.filters = one_group(filter)?;
        let response = self.client.send(&raw::export(&variables)?).await?;
        member(response, false, "data.alertsCsvExport.data", |data| data.alerts_csv_export?.data)
    }

    /// Returns the changes of an alert as CSV, up to 10,000.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn export_history(&self, alert_id: impl Into<String>) -> Result<String> {
        let variables = UnifiedAlertsExportHistoryVariables::new(alert_id.into());
        let response = self.client.send(&raw::export_history(&variables)?).await?;
        member(response, false, "data.alertHistoryCsvExport.data", |data| data.alert_history_csv_export?.data)
    }
}

/// Returns a member of the data; an error if it is missing.
fn member<T, M>(
    response: Response<Data<T>>,
    is_action: bool,
    path: &str,
    get: impl FnOnce(T) -> Option<M>,
) -> Result<M> {
    let missing = response.missing_value(path);
    get(data(response, is_action)?).ok_or(missing)
}

/// Returns the conditions of a filter, for an operation that accepts one group.
fn one_group(filter: Option<&AlertFilter>) -> Result<Option<Vec<FilterInput>>> {
    let Some(filter) = filter else { return Ok(None) };
    let conditions = filter.conditions()?;
    Ok(Some(conditions.ok_or(AlertFilterError::SeveralGroups)?))
}
