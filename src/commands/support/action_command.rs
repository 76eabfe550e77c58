//! Commands that apply an action to IDs, as their declaration describes it.

use sentinelone_raw::commands::*;
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::runtime::commands::{ActionCommand, ContextSource, ResultValue};
use serde_json::{Map, Value, json};

use super::batch_action::{batch_requests, run_action, success_or_null};
use super::context_entry::context_under;
use super::execution::Requests;
use crate::Result;
use crate::commands::Outcome;
use crate::commands::command::{Behavior, Run};
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};

macro_rules! behaviors {
    ($($command:ident)*) => {$(
        impl Behavior for $command {
            fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
                action_requests(self)
            }

            async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
                run_on_ids(self, run).await
            }
        }
    )*};
}

sentinelone_raw::for_each_action_command!(behaviors);

/// Returns the requests of the action, in batches.
fn action_requests<C: ActionCommand>(command: &C) -> Result<Requests> {
    let filter = C::operation().body_parts.iter().find(|part| part.is_filter);
    let fields = filter.map(|part| part.fields).unwrap_or_default();
    batch_requests(C::INFO.name, command.ids(), fields, |ids| command.request(&ids))
}

/// Runs the action. The context has one entry for each ID.
async fn run_on_ids<C: ActionCommand>(command: &C, run: Run<'_>) -> Result<Outcome> {
    let (mut outcome, _) = run_action(run.client, run.requests).await?;
    let prefix = C::INFO.context;
    let entries = outcome.results.iter().map(|result| {
        let mut entry = Value::Object(Map::new());
        for output in C::OUTPUTS {
            let value = match output.source {
                ContextSource::Argument(name) if name == command.ids().0 => json!(result.id),
                ContextSource::Argument(name) => command.value(name),
                ContextSource::Result(form) => result_value(result, form),
                _ => continue,
            };
            set_path(&mut entry, output.relative_to(prefix), value);
        }
        entry
    });
    outcome.context = context_under(prefix, entries.collect());
    Ok(outcome)
}

fn result_value(result: &IdOutcome, form: ResultValue) -> Value {
    match (form, result.state) {
        (ResultValue::Word, IdState::Unknown | IdState::Partial) => json!("Unknown"),
        (ResultValue::Word, state) if state.is_success() => json!("Success"),
        (ResultValue::Word, _) => json!("Failed"),
        _ => success_or_null(result),
    }
}
