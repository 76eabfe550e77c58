//! `get-modified-remote-data`: which threats changed.

use sentinelone_raw::runtime::{ApiVersion, Page, Request, Timestamp};
use serde_json::{Value, json};

use super::context::Output;
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::incidents::mirror::modified_request;
use crate::paging::sized;

/// The identifiers of all threats that changed since a time.
///
/// They are in `ids` of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct GetModifiedRemoteData {
    /// Changed then or after.
    pub last_update: Timestamp,
}

impl Command for GetModifiedRemoteData {
    const INFO: Info = Info {
        name: "get-modified-remote-data",
        full_name: "get-modified-remote-data",
        summary: "List the identifiers of the threats that changed since a time",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["threats_list", "threats_list_v2_0"],
    };

    const OUTPUTS: &'static [Output] = &[];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new(
                "last_update",
                ArgumentKind::Time,
                "Changed at this time or after. It cannot be left out.",
            ),
            Argument::new(
                "lastUpdate",
                ArgumentKind::Time,
                "The same, under the name that the platform gives it; in place of last_update.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let last_update = match (arguments.time("last_update")?, arguments.time("lastUpdate")?) {
            (Some(_), Some(_)) => {
                let message = "is given under both of its names; leave last_update or lastUpdate out";
                return Err(arguments.wrong("last_update", message));
            }
            (None, None) => {
                let message = "is missing; without it this would list every threat in scope";
                return Err(arguments.wrong("last_update", message));
            }
            (Some(time), None) | (None, Some(time)) => time,
        };
        Ok(Self { last_update })
    }

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request(version)?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let request = self.request(client.api_version())?;
        let mut outcome = list(client, request, None, |_| true, ("threats", Self::OUTPUTS)).await?;
        let threats = outcome.answer.get("data").and_then(Value::as_array);
        let ids: Vec<_> = threats.into_iter().flatten().filter_map(|threat| threat.get("id")).collect();
        outcome.answer = json!({ "ids": ids });
        outcome.context = outcome.answer.clone();
        Ok(outcome)
    }
}

impl GetModifiedRemoteData {
    fn request(&self, version: ApiVersion) -> Result<Request<Page<Value>>> {
        Ok(sized(modified_request(version, &self.last_update)?, None)?)
    }
}
