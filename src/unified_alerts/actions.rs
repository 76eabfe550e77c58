//! Actions on unified alerts.

use std::collections::{BTreeMap, BTreeSet};

use sentinelone_raw::unified_alerts::{
    self as raw, AlertActionsResult, AlertUpdateAnalystVerdictInput, AlertUpdateStatusInput,
    AlertUpdateStringInput, AnalystVerdict, AssignUserInput, ErrorType, OrFilterSelectionInput, ScopeType,
    SkipReasonType, Status, TriggerActionInput, TriggerPayloadInput, UnifiedAlertsTriggerActionsVariables,
    ViewType,
};

use super::error::data;
use super::filter::AlertFilter;
use super::list::{AlertList, scope};
use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorKind};

/// Actions on the alerts of a filter; from [`UnifiedAlerts::act`](super::UnifiedAlerts::act).
#[derive(Clone, Debug)]
#[must_use = "an action is not sent before `send`"]
pub struct AlertActions {
    client: Client,
    target: Target,
    actions: Vec<TriggerActionInput>,
    scope: Option<(ScopeType, Vec<String>)>,
    view: Option<ViewType>,
    everything_in_scope: bool,
}

/// The alerts of an action.
#[derive(Clone, Debug)]
enum Target {
    Ids(Vec<String>),
    Filter(AlertFilter),
}

impl AlertActions {
    pub(super) fn on_ids(client: &Client, ids: Vec<String>) -> Self {
        Self::new(client, Target::Ids(ids))
    }

    pub(super) fn on_filter(client: &Client, filter: AlertFilter) -> Self {
        Self::new(client, Target::Filter(filter))
    }

    fn new(client: &Client, target: Target) -> Self {
        let client = client.clone();
        Self { client, target, actions: Vec::new(), scope: None, view: None, everything_in_scope: false }
    }

    /// Sets the status.
    pub fn status(self, status: Status) -> Self {
        let payload = TriggerPayloadInput::default().status(AlertUpdateStatusInput::new(status));
        self.action("S1/alert/statusUpdate", Some(payload))
    }

    /// Sets the verdict of the analyst.
    pub fn analyst_verdict(self, verdict: AnalystVerdict) -> Self {
        let verdict = AlertUpdateAnalystVerdictInput::new(verdict);
        let payload = TriggerPayloadInput::default().analyst_verdict(verdict);
        self.action("S1/alert/analystVerdictUpdate", Some(payload))
    }

    /// Assigns the alerts to a user, by the numeric user ID.
    pub fn assign(self, user_id: i64) -> Self {
        let payload = TriggerPayloadInput::default().assign_user(AssignUserInput::default().value(user_id));
        self.action("S1/alert/assignUser", Some(payload))
    }

    /// Assigns the alerts to no user.
    pub fn unassign(self) -> Self {
        let payload = TriggerPayloadInput::default().assign_user(AssignUserInput::default());
        self.action("S1/alert/assignUser", Some(payload))
    }

    /// Sets the ID of a ticket in another system.
    pub fn ticket_id(self, id: impl Into<String>) -> Self {
        let payload = TriggerPayloadInput::default().ticket_id(AlertUpdateStringInput::new(id.into()));
        self.action("S1/alert/setTicketId", Some(payload))
    }

    /// Adds a note.
    pub fn note(self, text: impl Into<String>) -> Self {
        let payload = TriggerPayloadInput::default().note(AlertUpdateStringInput::new(text.into()));
        self.action("S1/alert/addNote", Some(payload))
    }

    /// Triggers an action by its ID, such as `S1/kill`, or one of
    /// [`available_actions`](super::UnifiedAlerts::available_actions).
    pub fn action(mut self, id: impl Into<String>, payload: Option<TriggerPayloadInput>) -> Self {
        let mut action = TriggerActionInput::new(id.into());
        action.payload = payload;
        self.actions.push(action);
        self
    }

    /// Restricts the action to accounts, sites or groups.
    pub fn scope<I: Into<String>>(mut self, kind: ScopeType, ids: impl IntoIterator<Item = I>) -> Self {
        self.scope = Some((kind, ids.into_iter().map(Into::into).collect()));
        self
    }

    /// Restricts the action to a view.
    pub fn view(mut self, view: ViewType) -> Self {
        self.view = Some(view);
        self
    }

    /// Allows a filter without a condition, which selects all alerts of the scope.
    pub fn everything_in_scope(mut self) -> Self {
        self.everything_in_scope = true;
        self
    }

    /// Returns the number of alerts that the action selects.
    ///
    /// # Errors
    /// Returns an error if the filter is not valid, or if the call fails.
    pub async fn count(&self) -> Result<u64> {
        let mut list = AlertList::new(&self.client);
        if !self.selects_everything() {
            list = list.filter(self.filter());
        }
        if let Some((kind, ids)) = &self.scope {
            list = list.scope(kind.clone(), ids.clone());
        }
        if let Some(view) = &self.view {
            list = list.view(view.clone());
        }
        list.count().await
    }

    /// Triggers the actions once.
    ///
    /// # Errors
    /// Nothing is sent without an action, or if the filter selects all alerts without
    /// [`everything_in_scope`](Self::everything_in_scope). Returns an error if the call fails, or if the console rejects all
    /// actions. Errors of single alerts are part of the outcome.
    pub async fn send(self) -> Result<AlertActionsOutcome> {
        let request = self.request()?;
        let response = self.client.send(&request).await?;
        let missing = response.missing_value("data.alertTriggerActions");
        let result = data(response, true)?.alert_trigger_actions.ok_or(missing)?;
        AlertActionsOutcome::of(self.requested(), &self.actions, result)
    }

    fn requested(&self) -> Option<&[String]> {
        match &self.target {
            Target::Ids(ids) => Some(ids),
            Target::Filter(_) => None,
        }
    }

    fn filter(&self) -> AlertFilter {
        match &self.target {
            Target::Ids(ids) => AlertFilter::ids(ids.iter().cloned()),
            Target::Filter(filter) => filter.clone(),
        }
    }

    fn selects_everything(&self) -> bool {
        self.everything_in_scope
            && matches!(&self.target, Target::Filter(filter) if *filter == AlertFilter::default())
    }

    /// Returns the request.
    ///
    /// # Errors
    /// Returns the errors of [`send`](Self::send) that are found before anything is sent.
    pub fn request(
        &self,
    ) -> Result<crate::Request<sentinelone_raw::runtime::Data<raw::UnifiedAlertsTriggerActionsData>>> {
        if self.actions.is_empty() {
            let error = AlertActionError::NoAction;
            return Err(Error::caused(ErrorKind::InvalidRequest, error, Some("add an action".to_owned())));
        }
        let is_everything = self.selects_everything();
        let filter = match is_everything {
            true => OrFilterSelectionInput::default(),
            false => self.filter().selection()?,
        };
        let mut variables = UnifiedAlertsTriggerActionsVariables::new(self.actions.clone(), filter);
        variables.scope = self.scope.as_ref().map(|(kind, ids)| scope(kind.clone(), ids.clone()));
        variables.view_type = self.view.clone();
        let request = raw::trigger_actions(&variables)?;
        Ok(if is_everything { request.everything_in_scope() } else { request })
    }
}

/// An action that is not sent, or that the console rejects as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlertActionError {
    /// No action is set.
    #[error("the list of actions is empty; expected at least 1")]
    NoAction,
    /// The console rejects all actions.
    #[error("the console rejected the actions: {message}")]
    Rejected {
        /// The reasons.
        message: String,
        /// Largest number of alerts or of actions at the same time, if the console states one.
        limit: Option<i64>,
    },
}

/// What became of an action on an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlertActionState {
    /// The action was done.
    Done,
    /// The alert has the requested value already.
    Unchanged,
    /// The action was skipped.
    Skipped {
        /// Kind of the reason; `None` if the console states none.
        kind: Option<SkipReasonType>,
        /// Reason.
        message: String,
    },
    /// The action failed.
    Failed {
        /// Kind of the reason; `None` if the console states none.
        kind: Option<ErrorType>,
        /// Reason.
        message: String,
    },
    /// The console does it later. It is not done yet.
    Scheduled,
    /// The response does not name the alert, so it does not exist, is out of the scope, or the action is unknown.
    Unknown,
}

impl AlertActionState {
    /// Returns whether the alert has the requested state.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Done | Self::Unchanged)
    }
}

/// The outcome of actions.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AlertActionsOutcome {
    /// State by the ID of the action, and by the ID of the alert.
    pub states: BTreeMap<String, BTreeMap<String, AlertActionState>>,
    /// ID of the job, if the console does the actions later.
    pub execution_id: Option<String>,
    /// Whether the console does the actions later.
    pub is_scheduled: bool,
}

impl AlertActionsOutcome {
    fn of(
        requested: Option<&[String]>,
        actions: &[TriggerActionInput],
        result: AlertActionsResult,
    ) -> Result<Self> {
        if let Some(errors) = result.errors.filter(|errors| !errors.is_empty()) {
            let limits = errors.iter().filter_map(|error| error.error_payload.as_ref()?.limit);
            let limit = limits.min();
            let message = errors.iter().filter_map(|error| error.error_message.clone());
            let error = AlertActionError::Rejected { message: message.collect::<Vec<_>>().join("; "), limit };
            let help = "select fewer alerts, or wait until other actions have ended";
            return Err(Error::caused(ErrorKind::NoResult, error, Some(help.to_owned())));
        }
        let is_scheduled = result.typename.as_deref() == Some("TriggerActionsScheduled");
        let mut states: BTreeMap<String, BTreeMap<String, AlertActionState>> = BTreeMap::new();
        for triggered in result.actions.unwrap_or_default() {
            let own = states.entry(triggered.action_id.unwrap_or_default()).or_default();
            for one in triggered.success.unwrap_or_default() {
                own.insert(one.id.unwrap_or_default(), AlertActionState::Done);
            }
            for one in triggered.skip.unwrap_or_default() {
                let state = match one.skip_type {
                    Some(SkipReasonType::NoChange) => AlertActionState::Unchanged,
                    kind => AlertActionState::Skipped { kind, message: one.skip_message.unwrap_or_default() },
                };
                own.insert(one.id.unwrap_or_default(), state);
            }
            for one in triggered.failure.unwrap_or_default() {
                let message = one.error_message.unwrap_or_default();
                let state = AlertActionState::Failed { kind: one.error_type, message };
                own.insert(one.id.unwrap_or_default(), state);
            }
        }
        let missing = if is_scheduled { AlertActionState::Scheduled } else { AlertActionState::Unknown };
        for id in actions.iter().map(|action| &action.id) {
            let own = states.entry(id.clone()).or_default();
            for alert in requested.into_iter().flatten() {
                own.entry(alert.clone()).or_insert_with(|| missing.clone());
            }
        }
        Ok(Self { states, execution_id: result.execution_id, is_scheduled })
    }

    /// Returns whether each action was done on each alert.
    pub fn is_complete(&self) -> bool {
        !self.is_scheduled
            && self
                .states
                .values()
                .all(|states| !states.is_empty() && states.values().all(AlertActionState::is_success))
    }

    /// Returns the IDs of the alerts on which all actions were done.
    pub fn done(&self) -> BTreeSet<&str> {
        let alerts: BTreeSet<&str> =
            self.states.values().flat_map(|one| one.keys()).map(String::as_str).collect();
        let is_done = |id: &&str| {
            self.states.values().all(|one| one.get(*id).is_some_and(AlertActionState::is_success))
        };
        alerts.into_iter().filter(is_done).collect()
    }
}
