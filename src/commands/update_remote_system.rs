//! `update-remote-system`: sends changes of an incident to its mirrored threat.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batch_action::without_detail;
use super::support::execution::Requests;
use super::{CommandDeclaration, Outcome, UpdateRemoteSystem};
use crate::Result;
use crate::error::Error;
use crate::incidents::delta::push_changes;
use crate::incidents::{Delta, MirrorError, StepOutcome};
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};

impl Behavior for UpdateRemoteSystem {
    /// Returns all requests that may be sent. A note is sent only if the console applied its change.
    fn build_requests(&self, version: ApiVersion) -> Result<Requests> {
        delta(self)?.requests(version, &self.remote_id).map_err(delta_error)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: changes, .. } = run;
        let updated = push_changes(client, &self.remote_id, &delta(self)?, changes).await?;
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

/// Returns the changes to send: none if the incident did not change.
fn delta(command: &UpdateRemoteSystem) -> Result<Delta> {
    let name = UpdateRemoteSystem::INFO.name;
    let fields = Value::Object(command.delta.clone().unwrap_or_default());
    let delta =
        Delta::from_fields(&fields).map_err(|error| argument_error(name, "delta", invalid_delta(&error)))?;
    match command.incident_changed {
        Some(true) => Ok(delta),
        None if delta.verdict.is_some() || delta.status.is_some() => {
            let message = "is missing; it is required with a verdict or status in delta";
            Err(argument_error(name, "incidentChanged", message))
        }
        _ => Ok(Delta::default()),
    }
}

fn invalid_delta(error: &MirrorError) -> String {
    format!("is invalid: {error}")
}

/// Converts a mirror error to an error of the argument `delta`.
fn delta_error(error: Error) -> Error {
    match error.downcast_ref() {
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
