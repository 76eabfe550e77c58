//! The system: the health of the console.

use sentinelone_raw::runtime::Data;
use sentinelone_raw::system as raw;

pub use sentinelone_raw::system::SystemStatus;

#[cfg(feature = "administration")]
pub use super::documented::types::system::*;

use super::builders::resource;
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on the system; see [`Client::system`](crate::Client::system).
    System
}

impl System {
    /// Returns the health of the console and its API. The API requires no token for this.
    ///
    /// `GET /web/api/v2.1/system/status`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// println!("{:?}", client.system().status().await?.data);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn status(&self) -> Result<Response<Data<SystemStatus>>> {
        self.client.send(&raw::get_status()?).await
    }
}
