//! Indicators of compromise: the threat intelligence that agents are compared with.

use sentinelone_raw::iocs as raw;
use sentinelone_raw::runtime::{Data, Page};
use sentinelone_raw::shared::Affected;

pub use sentinelone_raw::iocs::{
    Ioc, IocCreation, IocData, IocDeletion, IocFilter, IocMethod, IocSortField, IocType, IocsListQuery,
    ThreatActorType,
};
pub use sentinelone_raw::shared::{ScopeFilter, SortOrder};

use super::grammar::{Act, List, acts, lists, resource, selects};

resource! {
    /// Everything about indicators; from [`Client::iocs`](crate::Client::iocs).
    Iocs
}

lists! {
    IocsListQuery: sorts IocSortField, filters IocFilter, counts;
}

acts! {
    IocFilter: IocDeletion;
    ScopeFilter: IocCreation;
}

selects!(IocFilter: iocs, IocsListQuery, Ioc);

impl<'a> Iocs<'a> {
    /// Lists indicators.
    ///
    /// `GET /web/api/v2.1/threat-intelligence/iocs`
    pub fn list(self) -> List<'a, IocsListQuery, Ioc> {
        List::new(self.client, IocsListQuery::default(), |_, query| raw::list(query))
    }

    /// Adds indicators in the scope that the filter says.
    ///
    /// `POST /web/api/v2.1/threat-intelligence/iocs`
    ///
    /// ```no_run
    /// # use sentinelone::iocs::{IocData, IocMethod, IocType, ScopeFilter};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let address = IocData::new("own research", "203.0.113.7").type_(IocType::Ipv4);
    /// let account = ScopeFilter::default().account_ids(["1234567890123456789"]);
    /// client.iocs().create([address.method(IocMethod::Equals)]).filter(account).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, iocs: impl IntoIterator<Item = IocData>) -> Act<'a, IocCreation, Page<Ioc>> {
        Act::new(self.client, IocCreation::new(iocs), |_, body| raw::create(body))
    }

    /// Removes the indicators that a filter selects. The vendor asks for an account and one more condition.
    ///
    /// `DELETE /web/api/v2.1/threat-intelligence/iocs`
    pub fn delete(self) -> Act<'a, IocDeletion, Data<Affected>> {
        Act::new(self.client, IocDeletion::new(IocFilter::default()), |_, body| raw::delete(body))
    }
}
