//! `sentinelone-delete-ioc`: deletes indicators of compromise.

use sentinelone_raw::iocs::{self as raw, IocFilter, IocsDeleteRequest};
use sentinelone_raw::runtime::{ApiVersion, Fields};

use super::arguments::argument_error;
use super::support::batch_action::{batch_requests, run_id_action, success_or_null};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Deletes indicators from the threat intelligence database.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteIoc {
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Indicator IDs.
    pub uuids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.IOC";

impl Command for DeleteIoc {
    const INFO: CommandInfo = CommandInfo {
        name: "delete-ioc",
        full_name: "sentinelone-delete-ioc",
        topic: Topic::Detection,
        summary: "Delete threat intelligence indicators",
        example: "s1 delete-ioc --account-ids 410000000000000001 --uuids 8eec4ea1276be0206b6353fdf8be8b03",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["iocs_delete"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.IOC.UUID", "String", "ID of the indicator", "uuids"),
        ContextPath::computed(
            "SentinelOne.IOC.Deleted",
            "Boolean",
            "Whether the indicator was deleted; null if unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("account_ids", ArgumentKind::List, "Account IDs.").required(),
            Argument::new("uuids", ArgumentKind::List, "Indicator IDs.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.required_list("account_ids")?,
            uuids: arguments.required_list("uuids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        if self.account_ids.is_empty() {
            return Err(argument_error(
                Self::INFO.name,
                "account_ids",
                "is missing; expected at least one value",
            ));
        }
        batch_requests(self, ("uuids", &self.uuids), IocFilter::FIELDS, |uuids| {
            let filter = IocFilter::default().account_ids(&self.account_ids).uuids(uuids);
            raw::delete(&IocsDeleteRequest::new(filter))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_id_action(client, actions, (PREFIX, "UUID"), |result, entry| {
            set_path(entry, "Deleted", success_or_null(result))
        })
        .await
    }
}
