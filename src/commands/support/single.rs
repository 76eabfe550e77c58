//! Actions on one object.

use serde_json::Value;

use super::batch_action::run_action;
use crate::Result;
use crate::commands::Outcome;
use crate::commands::command::Run;
use crate::outcome::{IdOutcome, IdState};

/// Runs an action that is one request. `evaluate` derives the result of the object from the response.
pub(crate) async fn run_single_action(
    run: Run<'_>,
    evaluate: impl Fn(&Value) -> Vec<IdOutcome>,
) -> Result<Outcome> {
    let (mut outcome, _) = run_action(run.client, run.requests).await?;
    outcome.results = evaluate(&outcome.response);
    let is_known = |result: &IdOutcome| result.state != IdState::Unknown;
    let done = outcome.results.iter().filter(|result| result.state.is_success()).count() as u64;
    outcome.affected = outcome.results.iter().all(is_known).then_some(done);
    Ok(outcome)
}
