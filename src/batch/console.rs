//! The console that receives the batches of an action.

use std::time::Duration;

use sentinelone_raw::runtime::{ApiVersion, Page, Request, ResponseBody};
use serde_json::Value;

use crate::Result;
use crate::client::Client;
use crate::response::Response;
use crate::transport::SleepFuture;

/// The console that receives the batches.
pub(crate) trait Console: Sync {
    /// Checks the settings of the calls.
    fn validate(&self) -> Result<()>;

    fn send<A: ResponseBody + Send>(
        &self,
        request: &Request<A>,
    ) -> impl Future<Output = Result<Response<A>>> + Send;

    /// Reads all items of a list.
    fn list(&self, request: Request<Page<Value>>) -> impl Future<Output = Result<Vec<Value>>> + Send;

    fn url(&self) -> String;

    fn version(&self) -> ApiVersion;

    fn sleep(&self, delay: Duration) -> SleepFuture;
}

impl Console for Client {
    fn validate(&self) -> Result<()> {
        self.check_call_settings()
    }

    async fn send<A: ResponseBody + Send>(&self, request: &Request<A>) -> Result<Response<A>> {
        Client::send(self, request).await
    }

    async fn list(&self, request: Request<Page<Value>>) -> Result<Vec<Value>> {
        let (mut pages, mut items) = (self.pages(request), Vec::new());
        while let Some(page) = pages.next().await {
            let page = page?;
            // A missing item would be taken for one without the requested state.
            if let Some(error) = page.partial_error() {
                return Err(error);
            }
            if let Some(item) = page.set_apart().first() {
                return Err(page.invalid_item(item));
            }
            items.extend(page.into_value().data);
        }
        Ok(items)
    }

    fn url(&self) -> String {
        self.console_url().to_string()
    }

    fn version(&self) -> ApiVersion {
        self.api_version()
    }

    fn sleep(&self, delay: Duration) -> SleepFuture {
        Client::sleep(self, delay)
    }
}
