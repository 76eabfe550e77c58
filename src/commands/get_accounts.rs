//! `sentinelone-get-accounts`: lists accounts or returns one.

use sentinelone_raw::accounts::{self as raw, AccountsListQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::{get, list};
use super::{CommandDeclaration, GetAccounts, Outcome};
use crate::Result;
use crate::json_path::{get_path, set_path};
use crate::paging::with_page_size;

impl Behavior for GetAccounts {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let request = match &self.account_id {
            Some(id) => raw::get(id)?.with_response_type(),
            None => with_page_size(raw::list(&AccountsListQuery::default())?.with_response_type(), None)?,
        };
        Ok(vec![request])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Some(id) = &self.account_id else {
            let Run { client, requests, observer } = run;
            return list((client, observer), requests, None, None, ContextEntries::of::<Self>()).await;
        };
        let mut outcome = get::<Self, Value>(run, Some(("account_id", id))).await?;
        // The context is always a list.
        let account = get_path(&outcome.context, Self::INFO.context).cloned();
        set_path(&mut outcome.context, Self::INFO.context, json!(Vec::from_iter(account)));
        Ok(outcome)
    }
}
