//! Changes of an incident and their updates of the mirrored threat.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request, RequestError};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatNoteData,
    ThreatVerdictData, ThreatsAddNoteRequest, ThreatsUpdateAnalystVerdictRequest,
    ThreatsUpdateIncidentRequest,
};
use serde_json::Value;

use super::labels;
use super::mirror_error::MirrorError;
use crate::Result;
use crate::client::Client;
use crate::error::{ApiError, Error};
use crate::json_repair::Repairs;
use crate::outcome::{IdState, too_many_affected};

/// The changes of an incident. The default has no changes.
///
/// ```
/// use sentinelone::incidents::Delta;
/// use sentinelone::threats::{AnalystVerdict, IncidentStatus};
///
/// let delta = Delta::default()
///     .verdict(AnalystVerdict::FalsePositive)
///     .status(IncidentStatus::Resolved)
///     .close_notes("a test of the red team");
/// assert!(!delta.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Delta {
    /// The new analyst verdict, if it changed.
    pub verdict: Option<AnalystVerdict>,
    /// The new incident status, if it changed.
    pub status: Option<IncidentStatus>,
    /// Text at the end of the note about a resolved threat. It is used only if the new status is resolved.
    pub close_notes: String,
}

/// Fields of the incident on the platform.
const VERDICT_FIELD: &str = "sentinelonethreatanalystverdict";
const STATUS_FIELD: &str = "sentinelonethreatstatus";
const CLOSE_FIELD: &str = "closeNotes";

impl Delta {
    /// Reads the changes from a JSON object of the platform: `sentinelonethreatanalystverdict` and
    /// `sentinelonethreatstatus` as [`labels`](super::labels), and `closeNotes`. Empty and null fields count
    /// as unchanged; other fields are ignored.
    ///
    /// # Errors
    /// Returns an error if the value is not an object, a field is not a string, or a label is unknown.
    pub fn from_fields(fields: &Value) -> Result<Self, MirrorError> {
        if !fields.is_object() {
            return Err(MirrorError::NotAnObject);
        }
        let string = |field: &'static str| match fields.get(field) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(string)) => Ok(string.as_str()),
            Some(_) => Err(MirrorError::NotAString(field)),
        };
        let unknown = |field, label: &str, labels: Vec<_>| MirrorError::Unknown {
            field,
            value: label.to_owned(),
            allowed: labels.join(", "),
        };
        let verdict = match string(VERDICT_FIELD)? {
            blank if blank.trim().is_empty() => None,
            label => Some(
                labels::parse_verdict(label)
                    .ok_or_else(|| unknown(VERDICT_FIELD, label, labels::verdict_labels().collect()))?,
            ),
        };
        let status = match string(STATUS_FIELD)? {
            blank if blank.trim().is_empty() => None,
            label => Some(
                labels::parse_status(label)
                    .ok_or_else(|| unknown(STATUS_FIELD, label, labels::status_labels().collect()))?,
            ),
        };
        Ok(Self { verdict, status, close_notes: string(CLOSE_FIELD)?.to_owned() })
    }

    /// Sets the analyst verdict.
    pub fn verdict(mut self, verdict: impl Into<AnalystVerdict>) -> Self {
        self.verdict = Some(verdict.into());
        self
    }

    /// Sets the incident status.
    pub fn status(mut self, status: impl Into<IncidentStatus>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Sets the close notes.
    pub fn close_notes(mut self, notes: impl Into<String>) -> Self {
        self.close_notes = notes.into();
        self
    }

    /// Returns whether the delta has no verdict and no status to send.
    pub fn is_empty(&self) -> bool {
        self.verdict.is_none() && self.status.is_none()
    }

    /// Returns the steps of the changes in order, each with that of the note that follows if the console applied the
    /// change.
    fn steps(&self) -> impl Iterator<Item = (UpdateStep, UpdateStep)> {
        let verdict = self.verdict.as_ref().map(|_| (UpdateStep::Verdict, UpdateStep::VerdictNote));
        let status = self.status.as_ref().map(|_| (UpdateStep::Status, UpdateStep::StatusNote));
        verdict.into_iter().chain(status)
    }

    /// Returns the requests of the changes in order, each followed by that of its note.
    pub(crate) fn requests(&self, version: ApiVersion, id: &str) -> Result<Vec<Request<Value>>> {
        if version == ApiVersion::V2_0 && !self.is_empty() {
            return Err(MirrorError::UnsupportedApiVersion(version).into());
        }
        let filter = || ThreatFilter::default().ids([id]);
        let note = |text: String| -> Result<Request<Value>, RequestError> {
            Ok(raw::add_note(&ThreatsAddNoteRequest::new(ThreatNoteData::new(text), filter()))?
                .with_response_type())
        };
        let mut requests = Vec::new();
        if let Some(verdict) = &self.verdict {
            let label =
                labels::label_of_verdict(verdict).ok_or_else(|| unknown("analyst verdict", verdict))?;
            // The filter of update-threats-verdict.
            let filter = filter().tenant(true);
            let update =
                ThreatsUpdateAnalystVerdictRequest::new(ThreatVerdictData::new(verdict.clone()), filter);
            requests.push(raw::update_analyst_verdict(&update)?.with_response_type());
            requests.push(note(format!("XSOAR - Updated the threat analyst verdict to {label}"))?);
        }
        if let Some(status) = &self.status {
            let label = labels::label_of_status(status).ok_or_else(|| unknown("incident status", status))?;
            let update = ThreatsUpdateIncidentRequest::new(ThreatIncidentData::new(status.clone()), filter());
            let text = match status {
                IncidentStatus::Resolved => format!("XSOAR - Marked as resolved \n{}", self.close_notes),
                _ => format!("XSOAR - Updated the threat status to {label}"),
            };
            requests.push(raw::update_incident(&update)?.with_response_type());
            requests.push(note(text)?);
        }
        Ok(requests)
    }
}

fn unknown<T: OpenEnum>(field: &'static str, value: &T) -> MirrorError {
    MirrorError::Unknown { field, value: value.as_str().to_owned(), allowed: T::VALUES.join(", ") }
}

/// A step of an update. The steps run in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UpdateStep {
    /// Sets the analyst verdict: `POST /web/api/v2.1/threats/analyst-verdict`.
    Verdict,
    /// Adds a note about the verdict: `POST /web/api/v2.1/threats/notes`.
    VerdictNote,
    /// Sets the incident status: `POST /web/api/v2.1/threats/incident`.
    Status,
    /// Adds a note about the status: `POST /web/api/v2.1/threats/notes`.
    StatusNote,
}

impl UpdateStep {
    /// Returns `verdict`, `verdictNote`, `status` or `statusNote`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::VerdictNote => "verdictNote",
            Self::Status => "status",
            Self::StatusNote => "statusNote",
        }
    }

    /// Returns whether the step adds a note.
    pub fn is_note(self) -> bool {
        matches!(self, Self::VerdictNote | Self::StatusNote)
    }
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepOutcome {
    /// The step.
    pub step: UpdateStep,
    /// The state of the threat.
    pub state: IdState,
    /// Result value of the console, such as `already_set`, if present.
    pub detail: Option<String>,
    /// Response body; `None` if no request was sent or no response was received.
    pub response: Option<Value>,
    /// Errors that the response had in addition to data.
    pub errors: Vec<ApiError>,
    /// Repairs of the response, if it was not valid JSON.
    pub repairs: Repairs,
}

impl StepOutcome {
    /// Creates the outcome of a step without a response.
    fn new(step: UpdateStep, state: IdState) -> Self {
        let (errors, repairs) = (Vec::new(), Repairs::default());
        Self { step, state, detail: None, response: None, errors, repairs }
    }
}

/// The result of an update.
#[derive(Debug)]
#[must_use = "a later step may have failed"]
#[non_exhaustive]
pub struct UpdateReport {
    /// The steps in order. A note has a step only if the change before it was applied. After a failure, no further
    /// request is sent, and the remaining changes have the state [`NotAffected`](IdState::NotAffected).
    pub steps: Vec<StepOutcome>,
    /// The error that ended the update early. Earlier steps took effect.
    pub failure: Option<Error>,
}

impl UpdateReport {
    /// Returns the outcome of a step, or `None` if the step did not run.
    pub fn step(&self, step: UpdateStep) -> Option<&StepOutcome> {
        self.steps.iter().find(|outcome| outcome.step == step)
    }

    /// Returns whether all changes and notes succeeded.
    pub fn is_complete(&self) -> bool {
        let succeeded = |step: &StepOutcome| step.state.is_success() && step.errors.is_empty();
        self.failure.is_none() && self.steps.iter().all(succeeded)
    }

    /// Sends the request of a step. Returns the error if it is the first step; otherwise records the failure.
    async fn send(
        &mut self,
        client: &Client,
        id: &str,
        step: UpdateStep,
        request: &Request<Value>,
    ) -> Result<()> {
        match client.send(request).await {
            Ok(response) => {
                let ids = [id.to_owned()];
                let body = response.json();
                let affected = body.pointer("/data/affected").and_then(Value::as_u64);
                let mut outcome = StepOutcome::new(step, IdState::Unknown);
                if let Some(threat) = response.outcomes_in(&body, &ids).into_iter().next() {
                    (outcome.state, outcome.detail) = (threat.state, threat.detail);
                }
                outcome.errors = response.api_errors().to_vec();
                outcome.repairs = response.repairs().clone();
                outcome.errors.extend(too_many_affected(&ids, affected));
                outcome.response = Some(body);
                self.steps.push(outcome);
            }
            Err(error) if self.steps.is_empty() => return Err(error),
            Err(error) => {
                let state =
                    if error.may_have_taken_effect() { IdState::Unknown } else { IdState::NotAffected };
                self.steps.push(StepOutcome::new(step, state));
                self.failure = Some(error);
            }
        }
        Ok(())
    }
}

/// Sends the changes one after the other, with the [requests](Delta::requests) for them.
pub(crate) async fn push_changes(
    client: &Client,
    id: &str,
    delta: &Delta,
    requests: Vec<Request<Value>>,
) -> Result<UpdateReport> {
    let mut report = UpdateReport { steps: Vec::new(), failure: None };
    let mut requests = requests.into_iter();
    for (step, note_step) in delta.steps() {
        let (Some(request), Some(note)) = (requests.next(), requests.next()) else {
            // A change without a request must not be taken for one that was made.
            report.failure.get_or_insert_with(|| Error::configuration("a request of the changes is missing"));
            report.steps.push(StepOutcome::new(step, IdState::NotAffected));
            continue;
        };
        if report.failure.is_some() {
            report.steps.push(StepOutcome::new(step, IdState::NotAffected));
            continue;
        }
        report.send(client, id, step, &request).await?;
        if report.failure.is_none() && report.step(step).is_some_and(|outcome| outcome.state == IdState::Done)
        {
            report.send(client, id, note_step, &note).await?;
        }
    }
    Ok(report)
}
