//! `update-remote-system`: sends changes of an incident to its mirrored threat.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::threats::{AnalystVerdict, IncidentStatus};
use serde_json::{Value, json};

use super::arguments::argument_error;
use super::support::batch_action::without_detail;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::incidents::delta::push_changes;
use crate::incidents::{Delta, MirrorError, StepOutcome};
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};

/// Sets the verdict and the status of the threat that an incident mirrors, and adds a note for each applied change.
///
/// The response has the ID of the threat as `remoteId`, and the responses of the console as `verdict`, `verdictNote`,
/// `status` and `statusNote`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateRemoteSystem {
    /// Threat ID.
    pub remote_id: String,
    /// New verdict, if it changed.
    pub verdict: Option<AnalystVerdict>,
    /// New status, if it changed.
    pub status: Option<IncidentStatus>,
    /// Text at the end of the note about a resolved threat.
    pub close_notes: String,
}

impl Command for UpdateRemoteSystem {
    const INFO: CommandInfo = CommandInfo {
        name: "update-remote-system",
        full_name: "update-remote-system",
        topic: Topic::Incidents,
        summary: "Set the verdict and status of a mirrored threat",
        example: "s1 update-remote-system --remote-id 460000000000000011 --incident-changed true \
            --delta '{\"sentinelonethreatstatus\": \"Resolved\"}'",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_add_note", "threats_update_analyst_verdict", "threats_update_incident"],
    };

    const OUTPUTS: &'static [ContextPath] = &[];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, String};
        vec![
            Argument::new("remoteId", String, "ID of the threat.").required(),
            Argument::new(
                "incidentChanged",
                Boolean,
                "Whether the incident changed. Without a change no request is sent. Required if delta has a \
                 verdict or a status.",
            ),
            Argument::new(
                "delta",
                String,
                "Changes as a JSON object: sentinelonethreatanalystverdict (True positive, Suspicious, \
                 False positive, Undefined), sentinelonethreatstatus (Unresolved, In progress, Resolved) \
                 and closeNotes. Other fields are ignored.",
            ),
            Argument::new("status", String, "Ignored; accepted because the platform passes it."),
            Argument::new("data", String, "Ignored; accepted because the platform passes it."),
            Argument::new("entries", String, "Ignored; accepted because the platform passes it."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let remote_id = arguments.required("remoteId")?.trim().to_owned();
        let changed = arguments.boolean("incidentChanged")?;
        let delta = arguments.string("delta")?.unwrap_or_else(|| "{}".to_owned());
        let delta: Value = serde_json::from_str(&delta).unwrap_or_default();
        let delta =
            Delta::from_fields(&delta).map_err(|error| arguments.error("delta", invalid_delta(&error)))?;
        for ignored in ["status", "data", "entries"] {
            arguments.string(ignored)?;
        }
        let Delta { verdict, status, close_notes, .. } = delta;
        match changed {
            Some(true) => Ok(Self { remote_id, verdict, status, close_notes }),
            None if verdict.is_some() || status.is_some() => Err(arguments
                .error("incidentChanged", "is missing; it is required with a verdict or status in delta")),
            _ => Ok(Self { remote_id, ..Self::default() }),
        }
    }

    /// Returns all requests that may be sent. A note is sent only if the console applied its change.
    fn requests(&self, version: ApiVersion) -> Result<Requests> {
        self.delta().requests(version, &self.remote_id).map_err(delta_error)
    }

    async fn execute(&self, client: &Client, changes: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let updated = push_changes(client, &self.remote_id, &self.delta(), changes).await?;
        let mut outcome = Outcome::new(json!({ "remoteId": self.remote_id }), Value::Null);
        if updated.steps.is_empty() {
            // An update without changes succeeds.
            outcome.affected = Some(0);
        }
        outcome.results.extend(combined_result(&self.remote_id, &updated.steps));
        for step in updated.steps {
            outcome.errors.extend(step.errors);
            outcome.repairs.extend(&step.repairs);
            let Some(response) = step.response else { continue };
            if !step.step.is_note() {
                let affected = response.pointer("/data/affected").and_then(Value::as_u64);
                outcome.affected = outcome.affected.max(affected);
            }
            set_path(&mut outcome.response, step.step.as_str(), response);
        }
        outcome.failure = updated.failure;
        outcome.context = outcome.response.clone();
        Ok(outcome)
    }
}

impl UpdateRemoteSystem {
    fn delta(&self) -> Delta {
        let (verdict, status) = (self.verdict.clone(), self.status.clone());
        Delta { verdict, status, close_notes: self.close_notes.clone() }
    }
}

fn invalid_delta(error: &MirrorError) -> String {
    format!("is invalid: {error}")
}

/// Converts a mirror error to an error of the argument `delta`.
fn delta_error(error: Error) -> Error {
    let source = std::error::Error::source(&error);
    match source.and_then(|source| source.downcast_ref()) {
        Some(mirror) => argument_error(UpdateRemoteSystem::INFO.name, "delta", invalid_delta(mirror)),
        None => error,
    }
}

/// Combines the results of the changes and notes into one result of the threat.
fn combined_result(id: &str, steps: &[StepOutcome]) -> Option<IdOutcome> {
    let any = |state: IdState| steps.iter().any(|step| step.state == state);
    let all = |state: IdState| steps.iter().all(|step| step.state == state);
    let state = match () {
        () if steps.is_empty() => return None,
        () if all(IdState::NotAffected) => IdState::NotAffected,
        () if all(IdState::AlreadySet) => IdState::AlreadySet,
        () if steps.iter().all(|step| step.state.is_success()) => IdState::Done,
        () if any(IdState::Unknown) => IdState::Unknown,
        () => IdState::Partial,
    };
    let detail = |step: &StepOutcome| {
        let detail = step.detail.as_deref()?;
        Some(if step.step.is_note() { format!("note: {detail}") } else { detail.to_owned() })
    };
    let details: Vec<_> = steps.iter().filter_map(detail).collect();
    let detail = (!details.is_empty()).then(|| details.join(", "));
    Some(IdOutcome { detail, ..without_detail(id.to_owned(), state) })
}
