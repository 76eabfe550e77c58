//! `get-modified-remote-data`: lists the IDs of changed threats.

use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde_json::{Value, json};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::list_pages::list;
use super::{CommandDeclaration, GetModifiedRemoteData, Outcome};
use crate::Result;
use crate::incidents::mirror::modified_request;
use crate::paging::with_page_size;

impl Behavior for GetModifiedRemoteData {
    fn build_requests(&self, version: ApiVersion) -> Result<Requests> {
        Ok(vec![with_page_size(modified_request(version, last_update(self)?)?, None)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: lists, .. } = run;
        let mut outcome = list(client, lists, None, None, ("threats", Self::OUTPUTS)).await?;
        let threats = outcome.response.get("data").and_then(Value::as_array);
        let ids = threats.into_iter().flatten().filter_map(|threat| threat.get("id").cloned());
        // A threat that is not valid JSON changed, too.
        let ids: Vec<_> = ids.chain(outcome.repairs.set_apart_ids().map(Value::from)).collect();
        outcome.response = json!({ "ids": ids });
        outcome.context = outcome.response.clone();
        Ok(outcome)
    }
}

/// Returns the time, which one of two arguments has.
fn last_update(command: &GetModifiedRemoteData) -> Result<&Timestamp> {
    let error = |message| argument_error(GetModifiedRemoteData::INFO.name, "last_update", message);
    match (&command.last_update, &command.platform_last_update) {
        (Some(_), Some(_)) => Err(error("is set twice; set either last_update or lastUpdate")),
        (None, None) => {
            Err(error("is missing; it is required, because the command would list all threats in scope"))
        }
        (Some(time), None) | (None, Some(time)) => Ok(time),
    }
}
