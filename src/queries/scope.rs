//! The accounts that a query searches.

use super::error::QueryError;

/// The accounts that a query searches. A query without a scope finds nothing, and the console returns no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryScope(Accounts);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Accounts {
    /// All accounts of the tenant.
    Tenant,
    /// At least one account.
    Ids(Vec<String>),
}

impl QueryScope {
    /// Returns the scope of all accounts that the token reaches. For some users of several accounts, the console searches
    /// only one of them.
    pub const fn tenant() -> Self {
        Self(Accounts::Tenant)
    }

    /// Returns the scope of one account.
    pub fn account(id: impl Into<String>) -> Self {
        Self(Accounts::Ids(vec![id.into()]))
    }

    /// Returns the scope of accounts.
    ///
    /// # Errors
    /// Returns an error if the list or an ID is empty.
    pub fn accounts<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Result<Self, QueryError> {
        let ids: Vec<String> = ids.into_iter().map(Into::into).collect();
        match ids.is_empty() || ids.iter().any(|id| id.trim().is_empty()) {
            true => Err(QueryError::EmptyAccounts),
            false => Ok(Self(Accounts::Ids(ids))),
        }
    }

    /// Returns the IDs of the accounts; `None` for all accounts of the tenant.
    pub fn account_ids(&self) -> Option<&[String]> {
        match &self.0 {
            Accounts::Tenant => None,
            Accounts::Ids(ids) => Some(ids),
        }
    }
}
