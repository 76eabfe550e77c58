//! Sites: the parts of an account, each with a license and groups.

use sentinelone_raw::runtime::{Data, RequestError, Timestamp};
use sentinelone_raw::shared::SuccessFlag;
use sentinelone_raw::sites as raw;

pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::sites::{
    LicenseBundle, LicenseFeature, LicenseModule, LicenseSetting, LicenseState, LicenseSurface, LicenseType,
    Licenses, Site, SiteReactivationData, SiteSortField, SitesListQuery, SitesReactivateRequest, Suite,
};

#[cfg(feature = "administration")]
pub use super::documented::types::sites::*;

use super::builders::{ActionBuilder, ListBuilder, impl_list_query, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on sites; see [`Client::sites`](crate::Client::sites).
    Sites
}

impl_list_query! {
    SitesListQuery: sorts SiteSortField, counts;
}

impl Sites {
    /// Lists the sites that match a query. The license totals of all sites are siblings of the list; see
    /// [`list_envelope`](crate::Page::list_envelope).
    ///
    /// `GET /web/api/v2.1/sites`
    ///
    /// ```no_run
    /// # use sentinelone::sites::{SiteSortField, SitesListQuery, SortOrder};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let query = SitesListQuery::default().account_ids(["1234567890123456789"]);
    /// let list = client.sites().list().query(query).sort_by(SiteSortField::Name, SortOrder::Asc);
    /// for site in list.items().collect().await? {
    ///     println!("{}", site.name.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListBuilder<SitesListQuery, Site> {
        ListBuilder::new(&self.client, SitesListQuery::default(), |_, query| raw::list(query))
    }

    /// Returns a site.
    ///
    /// `GET /web/api/v2.1/sites/{site_id}`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn get(&self, site_id: impl AsRef<str>) -> Result<Response<Data<Site>>> {
        self.client.send(&raw::get(site_id.as_ref())?).await
    }

    /// Expires the license of a site immediately. Its agents are not served until the site is reactivated.
    ///
    /// `POST /web/api/v2.1/sites/{site_id}/expire-now`
    pub fn expire(&self, site_id: impl Into<String>) -> ActionBuilder<(), Data<Site>> {
        ActionBuilder::with_path_param(&self.client, site_id.into(), (), |site_id, ()| raw::expire(site_id))
    }

    /// Reactivates an expired site. Set [`expiration`](ActionBuilder::expiration) or
    /// [`unlimited`](ActionBuilder::unlimited); the request fails without either.
    ///
    /// `PUT /web/api/v2.1/sites/{site_id}/reactivate`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let response = client.sites().reactivate("1234567890123456789").expiration("2027-01-01T00:00:00Z").send().await?;
    /// println!("HTTP {}", response.status());
    /// # Ok(())
    /// # }
    /// ```
    pub fn reactivate(
        &self,
        site_id: impl Into<String>,
    ) -> ActionBuilder<SitesReactivateRequest, Data<SuccessFlag>> {
        let body = SitesReactivateRequest::new(SiteReactivationData::default());
        ActionBuilder::with_path_param(&self.client, site_id.into(), body, |site_id, body| {
            let SiteReactivationData { expiration, unlimited, .. } = &body.data;
            if expiration.is_none() && unlimited.is_none() {
                return Err(RequestError::missing(&raw::REACTIVATE, "data.expiration"));
            }
            raw::reactivate(site_id, body)
        })
    }
}

impl ActionBuilder<SitesReactivateRequest, Data<SuccessFlag>> {
    /// Sets the time when the site expires again.
    pub fn expiration(mut self, time: impl Into<Timestamp>) -> Self {
        self.body.data = SiteReactivationData::default().expiration(time);
        self
    }

    /// Reactivates the site without an expiration.
    pub fn unlimited(mut self) -> Self {
        self.body.data = SiteReactivationData::default().unlimited(true);
        self
    }
}
