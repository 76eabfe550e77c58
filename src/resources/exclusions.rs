//! Exclusions: what agents leave alone.

use sentinelone_raw::exclusions as raw;
use sentinelone_raw::runtime::{Data, Page};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::exclusions::{
    EntryScope, Exclusion, ExclusionAction, ExclusionCreated, ExclusionCreation, ExclusionCreationData,
    ExclusionDeletion, ExclusionDeletionData, ExclusionMode, ExclusionModeType, ExclusionSortField,
    ExclusionType, ExclusionsListQuery, ListSource, PathExclusionType, Recommendation,
};
pub use sentinelone_raw::shared::{ScopeFilter, SortOrder};
pub use sentinelone_raw::threats::OsType;

use super::grammar::{Act, List, acts, lists, resource};

resource! {
    /// Everything about exclusions; from [`Client::exclusions`](crate::Client::exclusions).
    Exclusions
}

lists! {
    ExclusionsListQuery: sorts ExclusionSortField, counts;
}

acts! {
    ScopeFilter: ExclusionCreation;
}

impl<'a> Exclusions<'a> {
    /// Lists exclusions. Which scopes are looked at depends on `tenant` and the identifiers given; children
    /// and parents have to be asked for.
    ///
    /// `GET /web/api/v2.1/exclusions`
    pub fn list(self) -> List<'a, ExclusionsListQuery, Exclusion> {
        List::new(self.client, ExclusionsListQuery::default(), |_, query| raw::list(query))
    }

    /// Makes the agents of the scope that the filter says leave something alone. Every exclusion is a gap in
    /// the protection.
    ///
    /// `POST /web/api/v2.1/exclusions`
    ///
    /// ```no_run
    /// # use sentinelone::exclusions::{ExclusionCreationData, ExclusionType, OsType, ScopeFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let folder = ExclusionCreationData::new(OsType::Linux, ExclusionType::Path, "/opt/backup/");
    /// let group = ScopeFilter::default().group_ids(["1234567890123456789"]);
    /// let answer = client.exclusions().create(folder).filter(group).send().await?;
    /// let ids: Vec<String> = answer.into_value().data.into_iter().filter_map(|one| one.id).collect();
    ///
    /// client.exclusions().delete(ids).of_type(ExclusionType::Path).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        self,
        exclusion: ExclusionCreationData,
    ) -> Act<'a, ExclusionCreation, Page<ExclusionCreated>> {
        let body = ExclusionCreation::new(exclusion, ScopeFilter::default());
        Act::new(self.client, body, |_, body| raw::create(body))
    }

    /// Removes exclusions: the agents look at these things again.
    ///
    /// `DELETE /web/api/v2.1/exclusions`
    pub fn delete(
        self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Act<'a, ExclusionDeletion, Data<Affected>> {
        let body = ExclusionDeletion::new(ExclusionDeletionData::new(ids));
        Act::new(self.client, body, |_, body| raw::delete(body))
    }
}

impl Act<'_, ExclusionDeletion, Data<Affected>> {
    /// The kind of the exclusions.
    pub fn of_type(mut self, kind: impl Into<ExclusionType>) -> Self {
        self.body.data.type_ = Some(kind.into());
        self
    }
}
