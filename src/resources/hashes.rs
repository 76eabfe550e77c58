//! Hashes: what the vendor's reputation service knows about a file.

use sentinelone_raw::hashes as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::hashes::HashVerdict;

use super::grammar::resource;
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about hashes; from [`Client::hashes`](crate::Client::hashes).
    Hashes
}

impl Hashes<'_> {
    /// What the reputation service knows about a SHA-1.
    ///
    /// `GET /web/api/v2.1/hashes/{hash}/verdict`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let answer = client.hashes().verdict("3395856ce81f2b7382dee72602f798b642f14140").await?;
    /// println!("{:?}", answer.data);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn verdict(self, hash: impl AsRef<str>) -> Result<Response<Data<HashVerdict>>> {
        self.client.send(&raw::get_verdict(hash.as_ref())?).await
    }
}
