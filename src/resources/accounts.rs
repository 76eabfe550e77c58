//! Accounts: the parts of a tenant, each with its licenses and sites.

use sentinelone_raw::accounts as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::accounts::{
    Account, AccountSku, AccountSortField, AccountsListQuery, BillingMode, UsageType,
};
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::sites::{LicenseFeature, LicenseState, LicenseType, Licenses, Suite};

#[cfg(feature = "administration")]
pub use super::documented::types::accounts::*;

use super::builders::{ListBuilder, impl_list_query, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on accounts; see [`Client::accounts`](crate::Client::accounts).
    Accounts
}

impl_list_query! {
    AccountsListQuery: sorts AccountSortField, counts;
}

impl Accounts {
    /// Lists the accounts that match a query.
    ///
    /// `GET /web/api/v2.1/accounts`
    ///
    /// ```no_run
    /// # use sentinelone::accounts::AccountsListQuery;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let active = AccountsListQuery::default().states(["active"]);
    /// for account in client.accounts().list().query(active).items().collect().await? {
    ///     println!("{}", account.name.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListBuilder<AccountsListQuery, Account> {
        ListBuilder::new(&self.client, AccountsListQuery::default(), |_, query| raw::list(query))
    }

    /// Returns an account.
    ///
    /// `GET /web/api/v2.1/accounts/{account_id}`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn get(&self, account_id: impl AsRef<str>) -> Result<Response<Data<Account>>> {
        self.client.send(&raw::get(account_id.as_ref())?).await
    }
}
