//! Activities: the log of what people, agents and the console did.

use sentinelone_raw::activities as raw;
use sentinelone_raw::runtime::Page;

pub use sentinelone_raw::activities::{ActivitiesListQuery, Activity, ActivitySortField, ActivityType};
pub use sentinelone_raw::shared::SortOrder;

use super::grammar::{List, lists, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about activities; from [`Client::activities`](crate::Client::activities).
    Activities
}

lists! {
    ActivitiesListQuery: sorts ActivitySortField, counts;
}

impl<'a> Activities<'a> {
    /// Lists activities. The log is long, so narrow it down.
    ///
    /// `GET /web/api/v2.1/activities`
    ///
    /// ```no_run
    /// # use sentinelone::activities::{ActivitiesListQuery, ActivitySortField, SortOrder};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let of_one = ActivitiesListQuery::default().agent_ids(["1234567890123456789"]);
    /// let list = client.activities().list().query(of_one);
    /// let mut newest = list.sort_by(ActivitySortField::CreatedAt, SortOrder::Desc).items().limit(20);
    /// while let Some(activity) = newest.next().await {
    ///     println!("{}", activity?.primary_description.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> List<'a, ActivitiesListQuery, Activity> {
        List::new(self.client, ActivitiesListQuery::default(), |_, query| raw::list(query))
    }

    /// The kinds of activities by number, with the text that each is shown with.
    ///
    /// `GET /web/api/v2.1/activities/types`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn types(self) -> Result<Response<Page<ActivityType>>> {
        self.client.send(&raw::list_types()?).await
    }
}
