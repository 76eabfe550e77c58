//! Sites: what an account is divided into, each with its licence and groups.

use sentinelone_raw::runtime::{Data, RequestError, Timestamp};
use sentinelone_raw::shared::SuccessFlag;
use sentinelone_raw::sites as raw;

pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::sites::{
    LicenceBundle, LicenceFeature, LicenceModule, LicenceSetting, LicenceState, LicenceSurface, LicenceType,
    Licences, Site, SiteReactivation, SiteReactivationData, SiteSortField, SitesListQuery, Suite,
};

use super::grammar::{Act, List, lists, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about sites; from [`Client::sites`](crate::Client::sites).
    Sites
}

lists! {
    SitesListQuery: sorts SiteSortField, counts;
}

impl<'a> Sites<'a> {
    /// Lists sites. The licence totals over all of them are in what is
    /// [around](crate::Page::around) the list.
    ///
    /// `GET /web/api/v2.1/sites`
    ///
    /// ```no_run
    /// # use sentinelone::sites::{SiteSortField, SitesListQuery, SortOrder};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let of_account = SitesListQuery::default().account_ids(["1234567890123456789"]);
    /// let list = client.sites().list().query(of_account).sort_by(SiteSortField::Name, SortOrder::Asc);
    /// for site in list.items().collect().await? {
    ///     println!("{}", site.name.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> List<'a, SitesListQuery, Site> {
        List::new(self.client, SitesListQuery::default(), |_, query| raw::list(query))
    }

    /// One site.
    ///
    /// `GET /web/api/v2.1/sites/{site_id}`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn get(self, site_id: impl AsRef<str>) -> Result<Response<Data<Site>>> {
        self.client.send(&raw::get(site_id.as_ref())?).await
    }

    /// Ends the licence of a site at once. Its agents stop being served until it is reactivated.
    ///
    /// `POST /web/api/v2.1/sites/{site_id}/expire-now`
    pub fn expire(self, site_id: impl Into<String>) -> Act<'a, (), Data<Site>> {
        Act::of(self.client, site_id.into(), (), |site_id, ()| raw::expire(site_id))
    }

    /// Brings an expired site back, until a given time or without an end: one of the two has to be said.
    ///
    /// `PUT /web/api/v2.1/sites/{site_id}/reactivate`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// client.sites().reactivate("1234567890123456789").until("2027-01-01T00:00:00Z").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reactivate(self, site_id: impl Into<String>) -> Act<'a, SiteReactivation, Data<SuccessFlag>> {
        let body = SiteReactivation::new(SiteReactivationData::default());
        Act::of(self.client, site_id.into(), body, |site_id, body| {
            let SiteReactivationData { expiration, unlimited } = &body.data;
            if expiration.is_none() && unlimited.is_none() {
                return Err(RequestError::missing(&raw::REACTIVATE, "data.expiration"));
            }
            raw::reactivate(site_id, body)
        })
    }
}

impl Act<'_, SiteReactivation, Data<SuccessFlag>> {
    /// When the site expires again.
    pub fn until(mut self, expiration: impl Into<Timestamp>) -> Self {
        self.body.data = SiteReactivationData::default().expiration(expiration);
        self
    }

    /// The site does not expire again.
    pub fn unlimited(mut self) -> Self {
        self.body.data = SiteReactivationData::default().unlimited(true);
        self
    }
}
