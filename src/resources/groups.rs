//! Groups: the parts of a site, each with a policy.

use sentinelone_raw::groups as raw;
use sentinelone_raw::runtime::Data;
use sentinelone_raw::shared::SuccessFlag;

pub use sentinelone_raw::agents::AgentFilter;
pub use sentinelone_raw::groups::{
    Group, GroupSortField, GroupType, GroupsListQuery, GroupsMoveAgentsRequest, GroupsMoveAgentsResult,
};
pub use sentinelone_raw::shared::SortOrder;

#[cfg(feature = "administration")]
pub use super::documented::types::groups::*;

use super::builders::{ActionBuilder, ListBuilder, impl_action_body, impl_list_query, resource};

resource! {
    /// Operations on groups; see [`Client::groups`](crate::Client::groups).
    Groups
}

impl_list_query! {
    GroupsListQuery: sorts GroupSortField, counts;
}

impl_action_body! {
    AgentFilter: GroupsMoveAgentsRequest;
}

impl Groups {
    /// Lists the groups that match a query.
    ///
    /// `GET /web/api/v2.1/groups`
    pub fn list(&self) -> ListBuilder<GroupsListQuery, Group> {
        ListBuilder::new(&self.client, GroupsListQuery::default(), |_, query| raw::list(query))
    }

    /// Deletes a group. Its agents move to another group of the site.
    ///
    /// `DELETE /web/api/v2.1/groups/{group_id}`
    pub fn delete(&self, group_id: impl Into<String>) -> ActionBuilder<(), Data<SuccessFlag>> {
        ActionBuilder::with_path_param(&self.client, group_id.into(), (), |group_id, ()| {
            raw::delete(group_id)
        })
    }

    /// Moves the agents that match the filter to a group of their site. The policy of that group applies to them
    /// from then on.
    ///
    /// `PUT /web/api/v2.1/groups/{group_id}/move-agents`
    ///
    /// ```no_run
    /// # use sentinelone::groups::{AgentFilter, GroupsListQuery};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let servers = GroupsListQuery::default().name("Servers");
    /// let page = client.groups().list().query(servers).page().await?;
    /// if let Some(group) = page.data.first().and_then(|group| group.id.as_deref()) {
    ///     let agents = AgentFilter::default().computer_name_contains(["web-"]);
    ///     let response = client.groups().move_agents(group).filter(agents).send().await?;
    ///     let moved = response.into_value().data.and_then(|result| result.agents_moved);
    ///     println!("{} moved", moved.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn move_agents(
        &self,
        group_id: impl Into<String>,
    ) -> ActionBuilder<GroupsMoveAgentsRequest, Data<GroupsMoveAgentsResult>> {
        ActionBuilder::with_path_param(
            &self.client,
            group_id.into(),
            GroupsMoveAgentsRequest::new(AgentFilter::default()),
            raw::move_agents,
        )
    }
}
