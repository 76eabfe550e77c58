//! Exclusions: objects that agents do not inspect.

use sentinelone_raw::exclusions as raw;
use sentinelone_raw::runtime::{Data, Page};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::exclusions::{
    CreatedExclusion, EntryScope, Exclusion, ExclusionAction, ExclusionDeletionData, ExclusionMode,
    ExclusionModeType, ExclusionSortField, ExclusionType, ExclusionsCreateData, ExclusionsCreateRequest,
    ExclusionsDeleteRequest, ExclusionsListQuery, ListSource, PathExclusionType, Recommendation,
};
pub use sentinelone_raw::shared::{ScopeFilter, SortOrder};
pub use sentinelone_raw::threats::OsType;

#[cfg(feature = "exclusions")]
pub use super::documented::types::exclusions::*;

use super::builders::{ActionBuilder, ListBuilder, impl_action_body, impl_list_query, resource};

resource! {
    /// Operations on exclusions; see [`Client::exclusions`](crate::Client::exclusions).
    Exclusions
}

impl_list_query! {
    ExclusionsListQuery: sorts ExclusionSortField, counts;
}

impl_action_body! {
    ScopeFilter: ExclusionsCreateRequest;
}

impl Exclusions {
    /// Lists the exclusions that match a query. `tenant` and the scope IDs of the query select the scopes. Child
    /// and parent scopes are included only on request.
    ///
    /// `GET /web/api/v2.1/exclusions`
    pub fn list(&self) -> ListBuilder<ExclusionsListQuery, Exclusion> {
        ListBuilder::new(&self.client, ExclusionsListQuery::default(), |_, query| raw::list(query))
    }

    /// Creates an exclusion in the scope of the filter. Each exclusion is a gap in the protection.
    ///
    /// `POST /web/api/v2.1/exclusions`
    ///
    /// ```no_run
    /// # use sentinelone::exclusions::{ExclusionsCreateData, ExclusionType, OsType, ScopeFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let directory = ExclusionsCreateData::new(OsType::Linux, ExclusionType::Path, "/opt/backup/");
    /// let group = ScopeFilter::default().group_ids(["1234567890123456789"]);
    /// let response = client.exclusions().create(directory).filter(group).send().await?;
    /// let ids: Vec<String> = response.into_value().data.into_iter().filter_map(|created| created.id).collect();
    ///
    /// client.exclusions().delete(ids).exclusion_type(ExclusionType::Path).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        &self,
        exclusion: ExclusionsCreateData,
    ) -> ActionBuilder<ExclusionsCreateRequest, Page<CreatedExclusion>> {
        let body = ExclusionsCreateRequest::new(exclusion, ScopeFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::create(body))
    }

    /// Removes exclusions. Agents inspect the objects again.
    ///
    /// `DELETE /web/api/v2.1/exclusions`
    pub fn delete(
        &self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> ActionBuilder<ExclusionsDeleteRequest, Data<Affected>> {
        let body = ExclusionsDeleteRequest::new(ExclusionDeletionData::new(ids));
        ActionBuilder::new(&self.client, body, |_, body| raw::delete(body))
    }
}

impl ActionBuilder<ExclusionsDeleteRequest, Data<Affected>> {
    /// Sets the type of the exclusions.
    pub fn exclusion_type(mut self, exclusion_type: impl Into<ExclusionType>) -> Self {
        self.body.data.type_ = Some(exclusion_type.into());
        self
    }
}
