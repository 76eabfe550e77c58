//! The blocklist: files that must not run, by hash.

use sentinelone_raw::blocklist as raw;
use sentinelone_raw::runtime::{Data, Page};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::blocklist::{
    BlocklistCreated, BlocklistCreation, BlocklistCreationData, BlocklistDeletion, BlocklistDeletionData,
    BlocklistEntry, BlocklistListQuery, BlocklistSortField, BlocklistType,
};
pub use sentinelone_raw::exclusions::{EntryScope, ExclusionMode, ListSource, Recommendation};
pub use sentinelone_raw::shared::{ScopeFilter, SortOrder};
pub use sentinelone_raw::threats::OsType;

use super::grammar::{Act, List, acts, lists, resource};

resource! {
    /// Everything about the blocklist; from [`Client::blocklist`](crate::Client::blocklist).
    Blocklist
}

lists! {
    BlocklistListQuery: sorts BlocklistSortField, counts;
}

acts! {
    ScopeFilter: BlocklistCreation;
}

impl<'a> Blocklist<'a> {
    /// Lists entries. Which scopes are looked at depends on `tenant` and the identifiers given.
    ///
    /// `GET /web/api/v2.1/restrictions`
    ///
    /// ```no_run
    /// # use sentinelone::blocklist::BlocklistListQuery;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let everywhere = BlocklistListQuery::default().tenant(true);
    /// println!("{} entries", client.blocklist().list().query(everywhere).count().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> List<'a, BlocklistListQuery, BlocklistEntry> {
        List::new(self.client, BlocklistListQuery::default(), |_, query| raw::list(query))
    }

    /// Keeps a file from running on every agent of the scope that the filter says.
    ///
    /// `POST /web/api/v2.1/restrictions`
    ///
    /// ```no_run
    /// # use sentinelone::blocklist::{BlocklistCreationData, BlocklistType, OsType, ScopeFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let hash = "3395856ce81f2b7382dee72602f798b642f14140";
    /// let entry = BlocklistCreationData::new(OsType::Windows, BlocklistType::BlackHash, hash);
    /// let site = ScopeFilter::default().site_ids(["1234567890123456789"]);
    /// client.blocklist().create(entry).filter(site).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, entry: BlocklistCreationData) -> Act<'a, BlocklistCreation, Page<BlocklistCreated>> {
        let body = BlocklistCreation::new(entry, ScopeFilter::default());
        Act::new(self.client, body, |_, body| raw::create(body))
    }

    /// Removes entries: the files may run again.
    ///
    /// `DELETE /web/api/v2.1/restrictions`
    pub fn delete(
        self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Act<'a, BlocklistDeletion, Data<Affected>> {
        let body = BlocklistDeletion::new(BlocklistDeletionData::new(ids));
        Act::new(self.client, body, |_, body| raw::delete(body))
    }
}

impl Act<'_, BlocklistDeletion, Data<Affected>> {
    /// The kind of the entries.
    pub fn of_type(mut self, kind: impl Into<BlocklistType>) -> Self {
        self.body.data.type_ = Some(kind.into());
        self
    }
}
