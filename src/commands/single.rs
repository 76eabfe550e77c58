//! What actions on one thing have in common.

use serde_json::Value;

use super::act::act;
use super::{Command, Outcome};
use crate::Result;
use crate::client::Client;
use crate::outcome::{IdOutcome, IdState};

/// Runs an action on one thing, which is one request. `judge` says what the answer tells of the thing.
pub(super) async fn act_on_one<C: Command>(
    command: &C,
    client: &Client,
    judge: impl Fn(&Value) -> Vec<IdOutcome>,
) -> Result<Outcome> {
    let (mut outcome, _) = act(client, command.requests(client.api_version())?).await?;
    outcome.ids = judge(&outcome.answer);
    let is_known = |one: &IdOutcome| one.state != IdState::Unknown;
    let done = outcome.ids.iter().filter(|one| one.state.is_fulfilled()).count() as u64;
    outcome.affected = outcome.ids.iter().all(is_known).then_some(done);
    Ok(outcome)
}
