//! `sentinelone-get-accounts`: the accounts of the tenant, or one of them.

use sentinelone_raw::accounts::{self as raw, AccountsListQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::{Value, json};

use super::context::Output;
use super::lists::id;
use super::read::{get, list};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::{at, put};
use crate::paging::sized;

/// The accounts of the tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetAccounts {
    /// Only this one.
    pub account_id: Option<String>,
}

const PREFIX: &str = "SentinelOne.Accounts";

impl Command for GetAccounts {
    const INFO: Info = Info {
        name: "get-accounts",
        full_name: "sentinelone-get-accounts",
        summary: "List the accounts, or get one",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["accounts_get", "accounts_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Accounts.ID", "String", "Identifier of the account", "id"),
        Output::field("SentinelOne.Accounts.Name", "String", "Name of the account", "name"),
        Output::field(
            "SentinelOne.Accounts.AccountType",
            "String",
            "Whether it is paid for or a trial",
            "accountType",
        ),
        Output::field(
            "SentinelOne.Accounts.State",
            "String",
            "Whether it is active, expired or deleted",
            "state",
        ),
        Output::field(
            "SentinelOne.Accounts.NumberOfSites",
            "Number",
            "How many sites it has",
            "numberOfSites",
        ),
        Output::field(
            "SentinelOne.Accounts.ActiveAgents",
            "Number",
            "How many agents it has",
            "activeAgents",
        ),
        Output::field("SentinelOne.Accounts.CreatedAt", "String", "When it was created", "createdAt"),
        Output::field("SentinelOne.Accounts.Expiration", "String", "When it expires", "expiration"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new(
            "account_id",
            ArgumentKind::Text,
            "Only the account with this identifier. Without it, all accounts.",
        )]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { account_id: id(arguments, "account_id")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let request = match &self.account_id {
            Some(id) => one(id)?,
            None => all()?.answering(),
        };
        Ok(vec![request])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let Some(id) = &self.account_id else {
            return list((client, watch), all()?, None, |_| true, (PREFIX, Self::OUTPUTS)).await;
        };
        let mut outcome = get(client, &one(id)?, (PREFIX, Self::OUTPUTS)).await?;
        // The context is a list however many were asked for.
        let account = at(&outcome.context, PREFIX).cloned();
        put(&mut outcome.context, PREFIX, json!(Vec::from_iter(account)));
        Ok(outcome)
    }
}

fn one(id: &str) -> Result<Request<Value>> {
    Ok(raw::get(id)?.answering())
}

fn all() -> Result<Request<Page<Value>>> {
    Ok(sized(raw::list(&AccountsListQuery::default())?.answering(), None)?)
}
