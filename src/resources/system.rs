//! The system: whether the console is up.

use sentinelone_raw::runtime::Data;
use sentinelone_raw::system as raw;

pub use sentinelone_raw::system::SystemStatus;

use super::grammar::resource;
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about the system; from [`Client::system`](crate::Client::system).
    System
}

impl System<'_> {
    /// Whether the console and its API are up. The API needs no token for this.
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
    /// As [`Client::send`](crate::Client::send).
    pub async fn status(self) -> Result<Response<Data<SystemStatus>>> {
        self.client.send(&raw::get_status()?).await
    }
}
