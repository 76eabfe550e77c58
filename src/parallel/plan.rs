//! The source of the pages of a list, and how the list is read.

use futures_util::future::BoxFuture;
use sentinelone_raw::runtime::{Page, Request};

use super::column::Column;
use crate::Result;
use crate::response::Response;

/// Sends the requests of a list.
pub(crate) trait PageSource<T>: Send + Sync + 'static {
    /// Requests a page.
    fn request(&self, request: Request<Page<T>>) -> BoxFuture<'static, Result<Response<Page<T>>>>;

    /// Returns the current time in milliseconds since 1970.
    fn now(&self) -> i64;
}

/// What is read, and how.
pub(crate) struct Plan<T> {
    /// Request of the first page of the whole list, with the page size.
    pub(crate) request: Request<Page<T>>,
    pub(crate) column: Column,
    /// Maximum number of requests in flight.
    pub(crate) concurrency: usize,
    pub(crate) page_size: u64,
    /// Maximum number of items that the caller reads.
    pub(crate) limit: Option<u64>,
}

impl<T> Plan<T> {
    /// Returns the number of items that a part should have: somewhat less than two pages, so that most parts need two
    /// requests.
    pub(super) fn part_items(&self) -> u64 {
        (self.page_size.saturating_mul(18) / 10).max(1)
    }
}
