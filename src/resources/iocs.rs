//! Indicators of compromise: threat intelligence that agents match against.

use sentinelone_raw::iocs as raw;
use sentinelone_raw::runtime::{Data, Page};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::iocs::{
    Ioc, IocData, IocFilter, IocMethod, IocSortField, IocType, IocsCreateRequest, IocsDeleteRequest,
    IocsListQuery, ThreatActorType,
};
pub use sentinelone_raw::shared::{ScopeFilter, SortOrder};

#[cfg(feature = "detection")]
pub use super::documented::types::iocs::*;

use super::builders::{
    ActionBuilder, ListBuilder, impl_action_body, impl_countable_filter, impl_list_query, resource,
};

resource! {
    /// Operations on indicators of compromise; see [`Client::iocs`](crate::Client::iocs).
    Iocs
}

impl_list_query! {
    IocsListQuery: sorts IocSortField, filters IocFilter, counts;
}

impl_action_body! {
    IocFilter: IocsDeleteRequest;
    ScopeFilter: IocsCreateRequest;
}

impl_countable_filter!(IocFilter: iocs, IocsListQuery, Ioc);

impl Iocs {
    /// Lists the indicators that match a filter.
    ///
    /// `GET /web/api/v2.1/threat-intelligence/iocs`
    pub fn list(&self) -> ListBuilder<IocsListQuery, Ioc> {
        ListBuilder::new(&self.client, IocsListQuery::default(), |_, query| raw::list(query))
    }

    /// Adds indicators to the scope of the filter.
    ///
    /// `POST /web/api/v2.1/threat-intelligence/iocs`
    ///
    /// ```no_run
    /// # use sentinelone::iocs::{IocData, IocMethod, IocType, ScopeFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let address = IocData::new("own research", "203.0.113.7").type_(IocType::Ipv4);
    /// let account = ScopeFilter::default().account_ids(["1234567890123456789"]);
    /// let response = client.iocs().create([address.method(IocMethod::Equals)]).filter(account).send().await?;
    /// println!("HTTP {}", response.status());
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        &self,
        iocs: impl IntoIterator<Item = IocData>,
    ) -> ActionBuilder<IocsCreateRequest, Page<Ioc>> {
        ActionBuilder::new(&self.client, IocsCreateRequest::new(iocs), |_, body| raw::create(body))
    }

    /// Deletes the indicators that match the filter. SentinelOne requires an account and one more condition.
    ///
    /// `DELETE /web/api/v2.1/threat-intelligence/iocs`
    pub fn delete(&self) -> ActionBuilder<IocsDeleteRequest, Data<Affected>> {
        ActionBuilder::new(&self.client, IocsDeleteRequest::new(IocFilter::default()), |_, body| {
            raw::delete(body)
        })
    }
}
