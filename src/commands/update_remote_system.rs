//! `update-remote-system`: what changed in an incident, to the threat that it mirrors.

use sentinelone_raw::runtime::{ApiVersion, Request, RequestError};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatIncidentUpdate,
    ThreatNoteAddition, ThreatNoteData, ThreatVerdictData, ThreatVerdictUpdate,
};
use serde_json::{Map, Value, json};

use super::act::{act, refuse, without_answer};
use super::context::Output;
use super::mirroring::{STATUSES, VERDICTS, label, value};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
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

/// The steps, in order, by the name that their answer gets.
const STEPS: [[&str; 2]; 2] = [["verdict", "verdictNote"], ["status", "statusNote"]];

const VERDICT_FIELD: &str = "sentinelonethreatanalystverdict";
const STATUS_FIELD: &str = "sentinelonethreatstatus";

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
        let Ok(delta) = serde_json::from_str::<Map<String, Value>>(&delta) else {
            return Err(arguments.wrong("delta", "is no JSON object"));
        };
        for unneeded in ["status", "data", "entries"] {
            arguments.text(unneeded)?;
        }
        let text = |name: &str| match delta.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(arguments.wrong("delta", format!("has a {name} that is no text"))),
        };
        let labelled = |name: &str, labels: &[(&'static str, &'static str)]| {
            let label = text(name)?;
            if label.trim().is_empty() {
                return Ok(None);
            }
            value(labels, label).map(Some).ok_or_else(|| {
                let known: Vec<_> = labels.iter().map(|(label, _)| *label).collect();
                let message = format!("has {label:?} as {name}; it knows {}", known.join(", "));
                arguments.wrong("delta", message)
            })
        };
        let verdict = labelled(VERDICT_FIELD, VERDICTS)?.map(AnalystVerdict::from);
        let status = labelled(STATUS_FIELD, STATUSES)?.map(IncidentStatus::from);
        let close_notes = text("closeNotes")?.to_owned();
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
        Ok(self.changes(version)?.into_iter().flatten().flatten().collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let changes = self.changes(client.api_version())?;
        let mut outcome = Outcome::found(json!({ "remoteId": self.remote_id }), Value::Null);
        if changes.iter().all(Option::is_none) {
            // There was nothing to do, and it is done.
            outcome.affected = Some(0);
        }
        let mut states = Vec::new();
        for (names, change) in STEPS.into_iter().zip(changes) {
            let Some([change, note]) = change else { continue };
            if outcome.failure.is_some() {
                states.push(without_answer(self.remote_id.clone(), IdState::NotAffected));
                continue;
            }
            let [change_name, note_name] = names;
            let done = match act(client, vec![change]).await {
                Ok((done, _)) => done,
                Err(error) if states.is_empty() => return Err(error),
                Err(error) => {
                    let state = if error.may_have_acted() { IdState::Unknown } else { IdState::NotAffected };
                    states.push(without_answer(self.remote_id.clone(), state));
                    outcome.failure = Some(error);
                    continue;
                }
            };
            put(&mut outcome.answer, change_name, done.answer);
            outcome.errors.extend(done.errors);
            outcome.affected = outcome.affected.max(done.affected);
            let is_taken = done.ids.iter().any(|one| one.state == IdState::Done);
            states.extend(done.ids);
            if !is_taken {
                continue;
            }
            match act(client, vec![note]).await {
                Ok((written, _)) => {
                    put(&mut outcome.answer, note_name, written.answer);
                    outcome.errors.extend(written.errors);
                    states.extend(written.ids.into_iter().map(|one| IdOutcome {
                        detail: one.detail.map(|detail| format!("note: {detail}")),
                        ..one
                    }));
                }
                Err(error) => {
                    let state = if error.may_have_acted() { IdState::Unknown } else { IdState::NotAffected };
                    states.push(without_answer(self.remote_id.clone(), state));
                    outcome.failure = Some(error);
                }
            }
        }
        outcome.ids.extend(together(&self.remote_id, &states));
        outcome.context = outcome.answer.clone();
        Ok(outcome)
    }
}

impl UpdateRemoteSystem {
    /// The change of the verdict and that of the status, each with its note.
    fn changes(&self, version: ApiVersion) -> Result<[Option<[Request<Value>; 2]>; 2]> {
        if version == ApiVersion::V2_0 && (self.verdict.is_some() || self.status.is_some()) {
            let message = "cannot reach API 2.0, whose threats have neither a verdict nor an incident status";
            return Err(refuse(Self::INFO.name, "delta", message));
        }
        let verdict = match &self.verdict {
            None => None,
            Some(verdict) => {
                let label = self.label(VERDICTS, verdict.as_str())?;
                // As update-threats-verdict asks.
                let filter = self.filter().tenant(true);
                let data = ThreatVerdictData::new(verdict.clone());
                let change = raw::update_analyst_verdict(&ThreatVerdictUpdate::new(data, filter))?;
                let note = self.note(format!("XSOAR - Updated the threat analyst verdict to {label}"))?;
                Some([change.answering(), note])
            }
        };
        let status = match &self.status {
            None => None,
            Some(status) => {
                let label = self.label(STATUSES, status.as_str())?;
                let data = ThreatIncidentData::new(status.clone());
                let change = raw::update_incident(&ThreatIncidentUpdate::new(data, self.filter()))?;
                let note = match status {
                    IncidentStatus::Resolved => {
                        format!("XSOAR - Marked as resolved \n{}", self.close_notes)
                    }
                    _ => format!("XSOAR - Updated the threat status to {label}"),
                };
                Some([change.answering(), self.note(note)?])
            }
        };
        Ok([verdict, status])
    }

    fn label(&self, labels: &[(&'static str, &'static str)], value: &str) -> Result<&'static str> {
        let unknown =
            || refuse(Self::INFO.name, "delta", format!("has {value:?}, which the API does not have"));
        label(labels, value).ok_or_else(unknown)
    }

    fn filter(&self) -> ThreatFilter {
        ThreatFilter::default().ids([&self.remote_id])
    }

    fn note(&self, text: String) -> Result<Request<Value>, RequestError> {
        let addition = ThreatNoteAddition::new(ThreatNoteData::new(text), self.filter());
        Ok(raw::add_note(&addition)?.answering())
    }
}

/// What is known of the threat when something is known of each change and each note.
fn together(id: &str, states: &[IdOutcome]) -> Option<IdOutcome> {
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
    let words: Vec<_> = states.iter().filter_map(|one| one.detail.as_deref()).collect();
    let detail = (!words.is_empty()).then(|| words.join(", "));
    Some(IdOutcome { detail, ..without_answer(id.to_owned(), state) })
}
