//! Hashes: the verdict of SentinelOne's reputation service about a file.

use sentinelone_raw::hashes as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::hashes::HashVerdict;

#[cfg(feature = "exclusions")]
pub use super::documented::types::hashes::*;

use super::builders::resource;
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on hashes; see [`Client::hashes`](crate::Client::hashes).
    Hashes
}

impl Hashes {
    /// Returns the verdict of the reputation service about a SHA-1.
    ///
    /// `GET /web/api/v2.1/hashes/{hash}/verdict`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let response = client.hashes().verdict("3395856ce81f2b7382dee72602f798b642f14140").await?;
    /// println!("{:?}", response.data);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn verdict(&self, hash: impl AsRef<str>) -> Result<Response<Data<HashVerdict>>> {
        self.client.send(&raw::get_verdict(hash.as_ref())?).await
    }
}
