//! `update-remote-system`: what changed in an incident, to the threat that it mirrors.

use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::threats::{AnalystVerdict, IncidentStatus};
use serde_json::{Value, json};

use super::act::{refuse, without_answer};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::error::Error;
use crate::incidents::delta::update;
use crate::incidents::{Delta, MirrorError, StepOutcome};
use crate::outcome::{IdOutcome, IdState};

/// Sets the verdict and the status of the threat that an incident mirrors, and writes a note about each that
/// the console took.
///
/// The answer has the threat as `remoteId`, and what the console said under `verdict`, `verdictNote`, `status`
/// and `statusNote`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateRemoteSystem {
    /// The threat.
    pub remote_id: String,
    /// The verdict, if it changed.
    pub verdict: Option<AnalystVerdict>,
    /// The status, if it changed.
    pub status: Option<IncidentStatus>,
    /// What the note about a resolved threat ends with.
    pub close_notes: String,
}

impl Command for UpdateRemoteSystem {
    const INFO: Info = Info {
        name: "update-remote-system",
        full_name: "update-remote-system",
        summary: "Set verdict and status of the threat that an incident mirrors",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_add_note", "threats_update_analyst_verdict", "threats_update_incident"],
    };

    const OUTPUTS: &'static [Output] = &[];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Text};
        vec![
            Argument::new("remoteId", Text, "Identifier of the threat.").required(),
            Argument::new(
                "incidentChanged",
                Boolean,
                "Whether the incident changed; otherwise nothing is sent. It has to be said where delta holds a \
                 verdict or a status.",
            ),
            Argument::new(
                "delta",
                Text,
                "What changed, as a JSON object: sentinelonethreatanalystverdict (True positive, Suspicious, False \
                 positive, Undefined), sentinelonethreatstatus (Unresolved, In progress, Resolved) and closeNotes. \
                 Other fields are passed over.",
            ),
            Argument::new("status", Text, "The platform gives it; it is not needed."),
            Argument::new("data", Text, "The platform gives it; it is not needed."),
            Argument::new("entries", Text, "The platform gives it; it is not needed."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let remote_id = arguments.required("remoteId")?.trim().to_owned();
        let changed = arguments.boolean("incidentChanged")?;
        let delta = arguments.text("delta")?.unwrap_or_else(|| "{}".to_owned());
        let delta: Value = serde_json::from_str(&delta).unwrap_or_default();
        let delta = Delta::from_fields(&delta).map_err(|error| arguments.wrong("delta", unfit(&error)))?;
        for unneeded in ["status", "data", "entries"] {
            arguments.text(unneeded)?;
        }
        let Delta { verdict, status, close_notes, .. } = delta;
        match changed {
            Some(true) => Ok(Self { remote_id, verdict, status, close_notes }),
            None if verdict.is_some() || status.is_some() => {
                Err(arguments.wrong("incidentChanged", "is missing; say whether delta is to be sent"))
            }
            _ => Ok(Self { remote_id, ..Self::default() }),
        }
    }

    /// All that may be sent: a note only follows when the console took the change before it.
    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        let changes = self.delta().changes(version, &self.remote_id).map_err(refused)?;
        Ok(changes.into_iter().flat_map(|one| [one.request, one.note]).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let updated = update(client, &self.remote_id, &self.delta()).await.map_err(refused)?;
        let mut outcome = Outcome::found(json!({ "remoteId": self.remote_id }), Value::Null);
        if updated.steps.is_empty() {
            // There was nothing to do, and it is done.
            outcome.affected = Some(0);
        }
        outcome.ids.extend(together(&self.remote_id, &updated.steps));
        for step in updated.steps {
            outcome.errors.extend(step.errors);
            let Some(answer) = step.answer else { continue };
            if !step.step.is_note() {
                let affected = answer.pointer("/data/affected").and_then(Value::as_u64);
                outcome.affected = outcome.affected.max(affected);
            }
            put(&mut outcome.answer, step.step.as_str(), answer);
        }
        outcome.failure = updated.failure;
        outcome.context = outcome.answer.clone();
        Ok(outcome)
    }
}

impl UpdateRemoteSystem {
    fn delta(&self) -> Delta {
        let (verdict, status) = (self.verdict.clone(), self.status.clone());
        Delta { verdict, status, close_notes: self.close_notes.clone() }
    }
}

fn unfit(error: &MirrorError) -> String {
    format!("does not fit: {error}")
}

/// What the mirror refuses, as what is wrong with the argument that it came in.
fn refused(error: Error) -> Error {
    match error.mirror_error() {
        Some(wrong) => refuse(UpdateRemoteSystem::INFO.name, "delta", unfit(wrong)),
        None => error,
    }
}

/// What is known of the threat when something is known of each change and each note.
fn together(id: &str, states: &[StepOutcome]) -> Option<IdOutcome> {
    let any = |state: IdState| states.iter().any(|one| one.state == state);
    let all = |state: IdState| states.iter().all(|one| one.state == state);
    let state = match () {
        () if states.is_empty() => return None,
        () if all(IdState::NotAffected) => IdState::NotAffected,
        () if all(IdState::AlreadySet) => IdState::AlreadySet,
        () if states.iter().all(|one| one.state.is_fulfilled()) => IdState::Done,
        () if any(IdState::Unknown) => IdState::Unknown,
        () => IdState::Partly,
    };
    let word = |one: &StepOutcome| {
        let detail = one.detail.as_deref()?;
        Some(if one.step.is_note() { format!("note: {detail}") } else { detail.to_owned() })
    };
    let words: Vec<_> = states.iter().filter_map(word).collect();
    let detail = (!words.is_empty()).then(|| words.join(", "));
    Some(IdOutcome { detail, ..without_answer(id.to_owned(), state) })
}
