//! The blocklist: hashes of files that agents block.

use sentinelone_raw::blocklist as raw;
use sentinelone_raw::runtime::{Data, Page};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::blocklist::{
    BlocklistCreateData, BlocklistCreateRequest, BlocklistDeleteRequest, BlocklistDeletionData,
    BlocklistEntry, BlocklistListQuery, BlocklistSortField, BlocklistType, CreatedBlocklistEntry,
};
pub use sentinelone_raw::exclusions::{EntryScope, ExclusionMode, ListSource, Recommendation};
pub use sentinelone_raw::shared::{ScopeFilter, SortOrder};
pub use sentinelone_raw::threats::OsType;

#[cfg(feature = "exclusions")]
pub use super::documented::types::blocklist::*;

use super::builders::{ActionBuilder, ListBuilder, impl_action_body, impl_list_query, resource};

resource! {
    /// Operations on the blocklist; see [`Client::blocklist`](crate::Client::blocklist).
    Blocklist
}

impl_list_query! {
    BlocklistListQuery: sorts BlocklistSortField, counts;
}

impl_action_body! {
    ScopeFilter: BlocklistCreateRequest;
}

impl Blocklist {
    /// Lists the entries that match a query. `tenant` and the scope IDs of the query select the scopes.
    ///
    /// `GET /web/api/v2.1/restrictions`
    ///
    /// ```no_run
    /// # use sentinelone::blocklist::BlocklistListQuery;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let query = BlocklistListQuery::default().tenant(true);
    /// println!("{} entries", client.blocklist().list().query(query).count().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListBuilder<BlocklistListQuery, BlocklistEntry> {
        ListBuilder::new(&self.client, BlocklistListQuery::default(), |_, query| raw::list(query))
    }

    /// Adds an entry to the blocklist of the scope in the filter. Agents of that scope block the file.
    ///
    /// `POST /web/api/v2.1/restrictions`
    ///
    /// ```no_run
    /// # use sentinelone::blocklist::{BlocklistCreateData, BlocklistType, OsType, ScopeFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let hash = "3395856ce81f2b7382dee72602f798b642f14140";
    /// let entry = BlocklistCreateData::new(OsType::Windows, BlocklistType::BlackHash).value(hash);
    /// let site = ScopeFilter::default().site_ids(["1234567890123456789"]);
    /// let response = client.blocklist().create(entry).filter(site).send().await?;
    /// println!("HTTP {}", response.status());
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        &self,
        entry: BlocklistCreateData,
    ) -> ActionBuilder<BlocklistCreateRequest, Page<CreatedBlocklistEntry>> {
        let body = BlocklistCreateRequest::new(entry, ScopeFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::create(body))
    }

    /// Removes entries. The files may run again.
    ///
    /// `DELETE /web/api/v2.1/restrictions`
    pub fn delete(
        &self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> ActionBuilder<BlocklistDeleteRequest, Data<Affected>> {
        let body = BlocklistDeleteRequest::new(BlocklistDeletionData::new(ids));
        ActionBuilder::new(&self.client, body, |_, body| raw::delete(body))
    }
}

impl ActionBuilder<BlocklistDeleteRequest, Data<Affected>> {
    /// Sets the type of the entries.
    pub fn entry_type(mut self, entry_type: impl Into<BlocklistType>) -> Self {
        self.body.data.type_ = Some(entry_type.into());
        self
    }
}
