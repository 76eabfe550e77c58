//! `sentinelone-get-accounts`: lists accounts or returns one.

use sentinelone_raw::accounts::{self as raw, AccountsListQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::support::batched_lists::id;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::{get, list};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::{get_path, set_path};
use crate::paging::with_page_size;

/// Lists the accounts in scope, or returns one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetAccounts {
    /// Account ID. Default: all accounts.
    pub account_id: Option<String>,
}

const PREFIX: &str = "SentinelOne.Accounts";

impl Command for GetAccounts {
    const INFO: CommandInfo = CommandInfo {
        name: "get-accounts",
        full_name: "sentinelone-get-accounts",
        topic: Topic::Console,
        summary: "List accounts, or get one account",
        example: "s1 get-accounts",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["accounts_get", "accounts_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Accounts.ID", "String", "ID of the account", "id"),
        ContextPath::field("SentinelOne.Accounts.Name", "String", "Name of the account", "name"),
        ContextPath::field(
            "SentinelOne.Accounts.AccountType",
            "String",
            "License type, such as Paid or Trial",
            "accountType",
        ),
        ContextPath::field(
            "SentinelOne.Accounts.State",
            "String",
            "State: active, expired or deleted",
            "state",
        ),
        ContextPath::field(
            "SentinelOne.Accounts.NumberOfSites",
            "Number",
            "Number of sites",
            "numberOfSites",
        ),
        ContextPath::field("SentinelOne.Accounts.ActiveAgents", "Number", "Number of agents", "activeAgents"),
        ContextPath::field("SentinelOne.Accounts.CreatedAt", "String", "Creation time", "createdAt"),
        ContextPath::field("SentinelOne.Accounts.Expiration", "String", "Expiration time", "expiration"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("account_id", ArgumentKind::String, "Account ID. Default: all accounts.")]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { account_id: id(arguments, "account_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let request = match &self.account_id {
            Some(id) => raw::get(id)?.with_response_type(),
            None => with_page_size(raw::list(&AccountsListQuery::default())?.with_response_type(), None)?,
        };
        Ok(vec![request])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let Some(id) = &self.account_id else {
            return list((client, observer), requests, None, None, (PREFIX, Self::OUTPUTS)).await;
        };
        let mut outcome =
            get::<Value>(client, requests, Some(("account_id", id)), (PREFIX, Self::OUTPUTS)).await?;
        // The context is always a list.
        let account = get_path(&outcome.context, PREFIX).cloned();
        set_path(&mut outcome.context, PREFIX, json!(Vec::from_iter(account)));
        Ok(outcome)
    }
}
