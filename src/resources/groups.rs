//! Groups: what a site is divided into, each with its policy.

use sentinelone_raw::groups as raw;
use sentinelone_raw::runtime::Data;
use sentinelone_raw::shared::SuccessFlag;

pub use sentinelone_raw::agents::AgentFilter;
pub use sentinelone_raw::groups::{
    AgentMove, AgentMoveResult, Group, GroupSortField, GroupType, GroupsListQuery,
};
pub use sentinelone_raw::shared::SortOrder;

use super::grammar::{Act, List, acts, lists, resource};

resource! {
    /// Everything about groups; from [`Client::groups`](crate::Client::groups).
    Groups
}

lists! {
    GroupsListQuery: sorts GroupSortField, counts;
}

acts! {
    AgentFilter: AgentMove;
}

impl<'a> Groups<'a> {
    /// Lists groups.
    ///
    /// `GET /web/api/v2.1/groups`
    pub fn list(self) -> List<'a, GroupsListQuery, Group> {
        List::new(self.client, GroupsListQuery::default(), |_, query| raw::list(query))
    }

    /// Removes a group. Its agents fall to another group of the site.
    ///
    /// `DELETE /web/api/v2.1/groups/{group_id}`
    pub fn delete(self, group_id: impl Into<String>) -> Act<'a, (), Data<SuccessFlag>> {
        Act::of(self.client, group_id.into(), (), |group_id, ()| raw::delete(group_id))
    }

    /// Moves the agents that a filter selects into a group of their site, of which the policy applies to
    /// them from then on.
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
    ///     client.groups().move_agents(group).filter(agents).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn move_agents(self, group_id: impl Into<String>) -> Act<'a, AgentMove, Data<AgentMoveResult>> {
        Act::of(self.client, group_id.into(), AgentMove::new(AgentFilter::default()), raw::move_agents)
    }
}
