//! Accounts: what a tenant is divided into, each with its licences and sites.

use sentinelone_raw::accounts as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::accounts::{
    Account, AccountSku, AccountSortField, AccountsListQuery, BillingMode, UsageType,
};
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::sites::{LicenceFeature, LicenceState, LicenceType, Licences, Suite};

use super::grammar::{List, lists, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about accounts; from [`Client::accounts`](crate::Client::accounts).
    Accounts
}

lists! {
    AccountsListQuery: sorts AccountSortField, counts;
}

impl<'a> Accounts<'a> {
    /// Lists accounts.
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
    pub fn list(self) -> List<'a, AccountsListQuery, Account> {
        List::new(self.client, AccountsListQuery::default(), |_, query| raw::list(query))
    }

    /// One account.
    ///
    /// `GET /web/api/v2.1/accounts/{account_id}`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn get(self, account_id: impl AsRef<str>) -> Result<Response<Data<Account>>> {
        self.client.send(&raw::get(account_id.as_ref())?).await
    }
}
