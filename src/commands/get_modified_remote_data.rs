//! `get-modified-remote-data`: lists the IDs of changed threats.

use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde_json::{Value, json};

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::incidents::mirror::modified_request;
use crate::paging::with_page_size;

/// Lists the IDs of all threats that changed since a time, in the member `ids` of the response.
#[derive(Clone, Debug, PartialEq)]
pub struct GetModifiedRemoteData {
    /// Changed at or after this time.
    pub last_update: Timestamp,
}

impl Command for GetModifiedRemoteData {
    const INFO: CommandInfo = CommandInfo {
        name: "get-modified-remote-data",
        full_name: "get-modified-remote-data",
        topic: Topic::Incidents,
        summary: "List the IDs of threats changed since a time",
        example: "s1 get-modified-remote-data --last-update '1 day'",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_list", "threats_list_v2_0"],
    };

    const OUTPUTS: &'static [ContextPath] = &[];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("last_update", ArgumentKind::Time, "Changed at or after this time. Required."),
            Argument::new(
                "lastUpdate",
                ArgumentKind::Time,
                "Alternative name of last_update, used by the platform.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let last_update = match (arguments.time("last_update")?, arguments.time("lastUpdate")?) {
            (Some(_), Some(_)) => {
                let message = "is set twice; set either last_update or lastUpdate";
                return Err(arguments.error("last_update", message));
            }
            (None, None) => {
                let message =
                    "is missing; it is required, because the command would list all threats in scope";
                return Err(arguments.error("last_update", message));
            }
            (Some(time), None) | (None, Some(time)) => time,
        };
        Ok(Self { last_update })
    }

    fn requests(&self, version: ApiVersion) -> Result<Requests> {
        Ok(vec![with_page_size(modified_request(version, &self.last_update)?, None)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, lists: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
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
