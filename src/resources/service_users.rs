//! Service users: accounts for automation, each with an API token.

use sentinelone_raw::service_users as raw;

pub use sentinelone_raw::service_users::{
    ScopeLevel, ScopeRole, ServiceUser, ServiceUserSortField, ServiceUsersListQuery, UserReference,
};
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::users::ApiTokenDetails;

#[cfg(feature = "administration")]
pub use super::documented::types::service_users::*;

use super::builders::{ListBuilder, impl_list_query, resource};

resource! {
    /// Operations on service users; see [`Client::service_users`](crate::Client::service_users).
    ServiceUsers
}

impl_list_query! {
    ServiceUsersListQuery: sorts ServiceUserSortField, counts;
}

impl ServiceUsers {
    /// Lists the service users that match a query.
    ///
    /// `GET /web/api/v2.1/service-users`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let mut users = client.service_users().list().items();
    /// while let Some(user) = users.next().await {
    ///     println!("{}", user?.name.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListBuilder<ServiceUsersListQuery, ServiceUser> {
        ListBuilder::new(&self.client, ServiceUsersListQuery::default(), |_, query| raw::list(query))
    }
}
