//! `sentinelone-get-activities`: lists activities.

use sentinelone_raw::runtime::ApiVersion;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::list_command::{list_requests, read_list};
use super::support::list_entries::ContextEntries;
use super::{CommandDeclaration, GetActivities, Outcome};
use crate::Result;

impl Behavior for GetActivities {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let mut requests = list_requests(self)?;
        if let Some(between) = between(self)? {
            requests
                .iter_mut()
                .try_for_each(|request| request.set_query_param("createdAt__between", between.as_str()))?;
        }
        Ok(requests)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        read_list(self, run, ContextEntries::of::<Self>()).await
    }
}

/// Returns the range of the creation time in the format of the API.
fn between(command: &GetActivities) -> Result<Option<String>> {
    let Some((from, to)) = &command.created_between else { return Ok(None) };
    let message = match (from.unix_millis(), to.unix_millis()) {
        (Some(from), Some(to)) if from > to => "ends before it starts",
        (Some(from), Some(to)) => return Ok(Some(format!("{from}-{to}"))),
        _ => "contains a value that is not a time",
    };
    Err(argument_error(GetActivities::INFO.name, "created_between", message))
}
