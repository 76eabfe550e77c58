//! Activities: the log of actions by users, agents and the console.

use sentinelone_raw::activities as raw;
use sentinelone_raw::runtime::Page;

pub use sentinelone_raw::activities::{ActivitiesListQuery, Activity, ActivitySortField, ActivityType};
pub use sentinelone_raw::shared::SortOrder;

#[cfg(feature = "administration")]
pub use super::documented::types::activities::*;

use super::builders::{ListBuilder, impl_list_query, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on activities; see [`Client::activities`](crate::Client::activities).
    Activities
}

impl_list_query! {
    ActivitiesListQuery: sorts ActivitySortField, counts;
}

impl Activities {
    /// Lists the activities that match a query. The log is long, so set narrow conditions.
    ///
    /// `GET /web/api/v2.1/activities`
    ///
    /// ```no_run
    /// # use sentinelone::activities::{ActivitiesListQuery, ActivitySortField, SortOrder};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let query = ActivitiesListQuery::default().agent_ids(["1234567890123456789"]);
    /// let list = client.activities().list().query(query);
    /// let mut newest = list.sort_by(ActivitySortField::CreatedAt, SortOrder::Desc).items().limit(20);
    /// while let Some(activity) = newest.next().await {
    ///     println!("{}", activity?.primary_description.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListBuilder<ActivitiesListQuery, Activity> {
        ListBuilder::new(&self.client, ActivitiesListQuery::default(), |_, query| raw::list(query))
    }

    /// Returns the activity types: their numbers and description templates.
    ///
    /// `GET /web/api/v2.1/activities/types`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn types(&self) -> Result<Response<Page<ActivityType>>> {
        self.client.send(&raw::list_types()?).await
    }
}
