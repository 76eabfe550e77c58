//! `sentinelone-delete-ioc`: indicators of the threat intelligence database away.

use sentinelone_raw::iocs::{self as raw, IocDeletion, IocFilter};
use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use serde_json::Value;

use super::act::{act_on, known, refuse, requests};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// Deletes indicators from the threat intelligence database.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteIoc {
    /// The accounts that they belong to.
    pub account_ids: Vec<String>,
    /// The indicators.
    pub uuids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.IOC";

impl Command for DeleteIoc {
    const INFO: Info = Info {
        name: "delete-ioc",
        full_name: "sentinelone-delete-ioc",
        summary: "Delete indicators from the threat intelligence database",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["iocs_delete"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.IOC.UUID", "String", "Identifier of the indicator", "uuids"),
        Output::computed(
            "SentinelOne.IOC.Deleted",
            "Boolean",
            "Whether it was deleted; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("account_ids", ArgumentKind::List, "Accounts that they belong to, by identifier.")
                .required(),
            Argument::new("uuids", ArgumentKind::List, "Identifiers of the indicators.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            account_ids: arguments.required_list("account_ids")?,
            uuids: arguments.required_list("uuids")?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        if self.account_ids.is_empty() {
            return Err(refuse(Self::INFO.name, "account_ids", "is missing; give at least one"));
        }
        requests(self, ("uuids", &self.uuids), IocFilter::FIELDS, |uuids| {
            let filter = IocFilter::default().account_ids(&self.account_ids).uuids(uuids);
            raw::delete(&IocDeletion::new(filter))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on(self, client, (PREFIX, "UUID"), |one, entry| put(entry, "Deleted", known(one))).await
    }
}
