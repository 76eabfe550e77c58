//! From an incident to the threat that it mirrors: what changed, and what became of it.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request, RequestError};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatIncidentUpdate,
    ThreatNoteAddition, ThreatNoteData, ThreatVerdictData, ThreatVerdictUpdate,
};
use serde_json::Value;

use super::labels;
use super::mirror::MirrorError;
use crate::Result;
use crate::client::Client;
use crate::error::{Error, VendorError};
use crate::outcome::{IdState, too_many};

/// What changed in an incident. Nothing, to begin with.
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
    /// The verdict, if it changed.
    pub verdict: Option<AnalystVerdict>,
    /// The status, if it changed.
    pub status: Option<IncidentStatus>,
    /// What the note about a resolved threat ends with. Of no account unless the status becomes resolved.
    pub close_notes: String,
}

/// The fields of the platform's incident.
const VERDICT_FIELD: &str = "sentinelonethreatanalystverdict";
const STATUS_FIELD: &str = "sentinelonethreatstatus";
const CLOSE_FIELD: &str = "closeNotes";

impl Delta {
    /// The changes that a JSON object of the platform tells: `sentinelonethreatanalystverdict` and
    /// `sentinelonethreatstatus` as [`labels`](super::labels), and `closeNotes`. Empty ones and null changed nothing,
    /// and other fields are passed over.
    ///
    /// # Errors
    /// For what is no object, a field that is no text, and a label that there is not.
    pub fn from_fields(fields: &Value) -> Result<Self, MirrorError> {
        if !fields.is_object() {
            return Err(MirrorError::NoObject);
        }
        let text = |field: &'static str| match fields.get(field) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(MirrorError::NoText(field)),
        };
        let unknown = |field, given: &str, known: Vec<_>| MirrorError::Unknown {
            what: field,
            given: given.to_owned(),
            known: known.join(", "),
        };
        let verdict = match text(VERDICT_FIELD)? {
            blank if blank.trim().is_empty() => None,
            label => Some(
                labels::verdict(label)
                    .ok_or_else(|| unknown(VERDICT_FIELD, label, labels::verdicts().collect()))?,
            ),
        };
        let status = match text(STATUS_FIELD)? {
            blank if blank.trim().is_empty() => None,
            label => Some(
                labels::status(label)
                    .ok_or_else(|| unknown(STATUS_FIELD, label, labels::statuses().collect()))?,
            ),
        };
        Ok(Self { verdict, status, close_notes: text(CLOSE_FIELD)?.to_owned() })
    }

    /// The same with this verdict.
    pub fn verdict(mut self, verdict: impl Into<AnalystVerdict>) -> Self {
        self.verdict = Some(verdict.into());
        self
    }

    /// The same with this status.
    pub fn status(mut self, status: impl Into<IncidentStatus>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// The same with these words about why it was closed.
    pub fn close_notes(mut self, notes: impl Into<String>) -> Self {
        self.close_notes = notes.into();
        self
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.verdict.is_none() && self.status.is_none()
    }

    /// All that may be sent for it, in order: each change with the note that follows when the console took it.
    pub(crate) fn changes(&self, version: ApiVersion, id: &str) -> Result<Vec<Change>> {
        if version == ApiVersion::V2_0 && !self.is_empty() {
            return Err(MirrorError::Version(version).into());
        }
        let filter = || ThreatFilter::default().ids([id]);
        let note = |text: String| -> Result<Request<Value>, RequestError> {
            Ok(raw::add_note(&ThreatNoteAddition::new(ThreatNoteData::new(text), filter()))?.answering())
        };
        let mut changes = Vec::new();
        if let Some(verdict) = &self.verdict {
            let label = labels::label_of_verdict(verdict).ok_or_else(|| unknown("the verdict", verdict))?;
            // As update-threats-verdict asks.
            let filter = filter().tenant(true);
            let update = ThreatVerdictUpdate::new(ThreatVerdictData::new(verdict.clone()), filter);
            changes.push(Change {
                step: Step::Verdict,
                request: raw::update_analyst_verdict(&update)?.answering(),
                note_step: Step::VerdictNote,
                note: note(format!("XSOAR - Updated the threat analyst verdict to {label}"))?,
            });
        }
        if let Some(status) = &self.status {
            let label = labels::label_of_status(status).ok_or_else(|| unknown("the status", status))?;
            let update = ThreatIncidentUpdate::new(ThreatIncidentData::new(status.clone()), filter());
            let text = match status {
                IncidentStatus::Resolved => format!("XSOAR - Marked as resolved \n{}", self.close_notes),
                _ => format!("XSOAR - Updated the threat status to {label}"),
            };
            changes.push(Change {
                step: Step::Status,
                request: raw::update_incident(&update)?.answering(),
                note_step: Step::StatusNote,
                note: note(text)?,
            });
        }
        Ok(changes)
    }
}

fn unknown<T: OpenEnum>(what: &'static str, given: &T) -> MirrorError {
    MirrorError::Unknown { what, given: given.as_str().to_owned(), known: T::KNOWN.join(", ") }
}

/// A change of a threat, and the note about it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    step: Step,
    pub(crate) request: Request<Value>,
    note_step: Step,
    pub(crate) note: Request<Value>,
}

/// A step of an update. They are taken in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The verdict is set: `POST /web/api/v2.1/threats/analyst-verdict`.
    Verdict,
    /// A note says so: `POST /web/api/v2.1/threats/notes`.
    VerdictNote,
    /// The incident status is set: `POST /web/api/v2.1/threats/incident`.
    Status,
    /// A note says so: `POST /web/api/v2.1/threats/notes`.
    StatusNote,
}

impl Step {
    /// `verdict`, `verdictNote`, `status` or `statusNote`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::VerdictNote => "verdictNote",
            Self::Status => "status",
            Self::StatusNote => "statusNote",
        }
    }

    /// Whether it writes a note.
    pub fn is_note(self) -> bool {
        matches!(self, Self::VerdictNote | Self::StatusNote)
    }
}

/// What is known of a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepOutcome {
    /// The step.
    pub step: Step,
    /// Whether it was done to the threat.
    pub state: IdState,
    /// The console's own word for it, such as `already_set`; `None` when it gave none.
    pub detail: Option<String>,
    /// What the console answered; `None` when it did not, or was not asked.
    pub answer: Option<Value>,
    /// Errors that came beside what was done.
    pub errors: Vec<VendorError>,
}

/// What became of an update.
#[derive(Debug)]
#[must_use = "a later step may have failed"]
#[non_exhaustive]
pub struct Updated {
    /// The steps, in order, as far as they came to something. A note is among them only when the change before it was
    /// taken; a change after a failure is there as not affected, since it was not sent.
    pub steps: Vec<StepOutcome>,
    /// What ended it early. What was done before stands.
    pub failure: Option<Error>,
}

impl Updated {
    /// What is known of a step; `None` when there was no occasion for it.
    pub fn step(&self, step: Step) -> Option<&StepOutcome> {
        self.steps.iter().find(|one| one.step == step)
    }

    /// Whether all that was asked for is so now, and the notes about it are written.
    pub fn is_complete(&self) -> bool {
        let is_well = |one: &StepOutcome| one.state.is_fulfilled() && one.errors.is_empty();
        self.failure.is_none() && self.steps.iter().all(is_well)
    }

    /// Sends the request of a step. Before anything came to anything, what goes wrong is the error.
    async fn take(&mut self, client: &Client, id: &str, step: Step, request: &Request<Value>) -> Result<()> {
        let silent = |state| StepOutcome { step, state, detail: None, answer: None, errors: Vec::new() };
        match client.send(request).await {
            Ok(answer) => {
                let asked = [id.to_owned()];
                let body = answer.json();
                let affected = body.pointer("/data/affected").and_then(Value::as_u64);
                let mut taken = silent(IdState::Unknown);
                if let Some(one) = answer.outcomes_of(&asked).into_iter().next() {
                    (taken.state, taken.detail) = (one.state, one.detail);
                }
                taken.errors = answer.vendor_errors().to_vec();
                taken.errors.extend(too_many(&asked, affected));
                taken.answer = Some(body);
                self.steps.push(taken);
            }
            Err(error) if self.steps.is_empty() => return Err(error),
            Err(error) => {
                let state = if error.may_have_acted() { IdState::Unknown } else { IdState::NotAffected };
                self.steps.push(silent(state));
                self.failure = Some(error);
            }
        }
        Ok(())
    }
}

/// Sends what changed, one step after the other.
pub(crate) async fn update(client: &Client, id: &str, delta: &Delta) -> Result<Updated> {
    let mut updated = Updated { steps: Vec::new(), failure: None };
    // All of the requests may be sent, or none is.
    for Change { step, request, note_step, note } in delta.changes(client.api_version(), id)? {
        if updated.failure.is_some() {
            let (state, detail, answer, errors) = (IdState::NotAffected, None, None, Vec::new());
            updated.steps.push(StepOutcome { step, state, detail, answer, errors });
            continue;
        }
        updated.take(client, id, step, &request).await?;
        if updated.failure.is_none() && updated.step(step).is_some_and(|one| one.state == IdState::Done) {
            updated.take(client, id, note_step, &note).await?;
        }
    }
    Ok(updated)
}
