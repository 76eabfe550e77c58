//! Request builders that all resources share, and the traits and macros behind them.

use std::fmt;
use std::time::Duration;

use sentinelone_raw::runtime::{Page, Request, RequestError, ResponseBody};
use sentinelone_raw::shared::SortOrder;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Result;
use crate::batch::ActionBatch;
use crate::client::{Client, RetryPolicy};
use crate::items::Items;
use crate::paging::Pages;
use crate::parallel::ParallelPages;
use crate::response::Response;

/// Builds the request of a list from the path parameter, empty if the path has none, and the query.
type BuildList<Q, T> = fn(&str, &Q) -> Result<Request<Page<T>>, RequestError>;

/// Builds the request of an action from the path parameter, empty if the path has none, and the body.
type BuildAction<B, A> = fn(&str, &B) -> Result<Request<A>, RequestError>;

mod sealed {
    /// Only this crate implements the traits of builders, so that they can get more methods.
    pub trait Sealed {}
}

pub(super) use sealed::Sealed;

/// The query of a list that can be sorted. Only this crate implements it.
pub trait SortableQuery: Sealed {
    /// The sort field.
    type Field;

    /// Sets the sort field and the order.
    fn set_sort(&mut self, field: Self::Field, order: SortOrder);
}

/// The query of a list that has a filter. Only this crate implements it.
pub trait FilterableQuery: Sealed {
    /// The filter type, which actions may use too.
    type Filter;

    /// Sets the filter.
    fn set_filter(&mut self, filter: Self::Filter);
}

/// The query of a list that returns a total. Only this crate implements it.
pub trait CountableQuery: Sealed {}

/// The body of an action that has a filter. Only this crate implements it.
pub trait FilterableBody: Sealed {
    /// The filter type.
    type Filter;

    /// Returns the filter.
    fn filter(&self) -> Option<&Self::Filter>;

    /// Sets the filter.
    fn set_filter(&mut self, filter: Self::Filter);
}

/// The body of an action whose filter has a maximum number of items. Only this crate implements it.
pub trait LimitedBody: FilterableBody {
    /// Sets the maximum number of items.
    fn set_limit(&mut self, items: u64);
}

/// A filter that a list also has, so that the matching items can be counted. Only this crate implements it.
pub trait CountableFilter: Sealed + Clone + Default {
    /// The query of that list.
    type Query: CountableQuery + FilterableQuery<Filter = Self>;

    /// The item type of that list.
    type Item: DeserializeOwned;

    /// Returns that list.
    fn list(client: &Client) -> ListBuilder<Self::Query, Self::Item>;
}

/// A builder of a list request. `page`, `pages`, `items` and `count` read the list.
#[must_use = "no request is sent until the list is read"]
pub struct ListBuilder<Q, T> {
    client: Client,
    path_param: String,
    query: Q,
    build: BuildList<Q, T>,
}

impl<Q, T> ListBuilder<Q, T> {
    pub(super) fn new(client: &Client, query: Q, build: BuildList<Q, T>) -> Self {
        Self::with_path_param(client, String::new(), query, build)
    }

    /// Creates a list whose path has a parameter.
    pub(super) fn with_path_param(
        client: &Client,
        path_param: String,
        query: Q,
        build: BuildList<Q, T>,
    ) -> Self {
        Self { client: client.clone(), path_param, query, build }
    }

    /// Sets all parameters at once: filter, page size and sort order. Replaces the previous ones.
    pub fn query(mut self, query: Q) -> Self {
        self.query = query;
        self
    }

    /// Sets the timeout of each call, above zero, instead of [that of the client](crate::ClientBuilder::timeout). It
    /// includes all attempts, rate-limit permits, delays that the console requests, and backoff. A list has one call
    /// per page, and a count is one call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of each call, in the ranges of [`RetryPolicy`], instead of [that of the
    /// client](crate::ClientBuilder::retry_policy).
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Returns the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the API does not accept a parameter.
    pub fn request(&self) -> Result<Request<Page<T>>, RequestError> {
        (self.build)(&self.path_param, &self.query)
    }

    /// Returns the pages, which are requested one by one. An invalid parameter is the first error.
    pub fn pages(&self) -> Pages<T> {
        Pages::new(self.client.clone(), self.request())
    }

    /// Returns the items of all pages, which are requested one by one.
    pub fn items(&self) -> Items<T> {
        self.pages().items()
    }
}

impl<Q, T> ListBuilder<Q, T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    /// Returns the pages, which are read in parts with up to `requests` requests in flight; see [`Pages::concurrency`].
    pub fn concurrency(&self, requests: usize) -> ParallelPages<T> {
        self.pages().concurrency(requests)
    }
}

impl<Q: FilterableQuery, T> ListBuilder<Q, T> {
    /// Sets the filter. Without a filter, the list has all items in scope.
    pub fn filter(mut self, filter: Q::Filter) -> Self {
        self.query.set_filter(filter);
        self
    }
}

impl<Q: SortableQuery, T> ListBuilder<Q, T> {
    /// Sets the sort field and the order.
    pub fn sort_by(mut self, field: impl Into<Q::Field>, order: SortOrder) -> Self {
        self.query.set_sort(field.into(), order);
        self
    }
}

impl<Q, T: DeserializeOwned> ListBuilder<Q, T> {
    /// Requests the first page. It has up to `limit` items; without a limit the API decides, usually 10.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`] fails.
    pub async fn page(&self) -> Result<Response<Page<T>>> {
        self.client.send(&self.request()?).await
    }
}

impl<Q: CountableQuery, T: DeserializeOwned> ListBuilder<Q, T> {
    /// Returns the number of all items; `limit` is ignored.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`] fails or the response has no total.
    pub async fn count(&self) -> Result<u64> {
        let mut request = self.request()?;
        for name in ["limit", "skip", "skipCount", "cursor", "sortBy", "sortOrder"] {
            request.set_query_param(name, Value::Null)?;
        }
        request.set_query_param("countOnly", true)?;
        let page = self.client.send(&request).await?;
        page.total().ok_or_else(|| page.missing_value("pagination.totalItems"))
    }
}

impl<Q: Clone, T> Clone for ListBuilder<Q, T> {
    fn clone(&self) -> Self {
        let Self { client, path_param, query, build } = self;
        Self { client: client.clone(), path_param: path_param.clone(), query: query.clone(), build: *build }
    }
}

/// Omits the parameters, which may contain registration tokens.
impl<Q, T> fmt::Debug for ListBuilder<Q, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListBuilder").field("path_param", &self.path_param).finish_non_exhaustive()
    }
}

/// A builder of an action request. [`send`](Self::send) sends it.
#[must_use = "no request is sent until `send` is called"]
pub struct ActionBuilder<B, A> {
    client: Client,
    path_param: String,
    pub(super) body: B,
    everything_in_scope: bool,
    build: BuildAction<B, A>,
}

impl<B, A> ActionBuilder<B, A> {
    pub(super) fn new(client: &Client, body: B, build: BuildAction<B, A>) -> Self {
        Self::with_path_param(client, String::new(), body, build)
    }

    /// Creates an action whose path has a parameter.
    pub(super) fn with_path_param(
        client: &Client,
        path_param: String,
        body: B,
        build: BuildAction<B, A>,
    ) -> Self {
        Self { client: client.clone(), path_param, body, everything_in_scope: false, build }
    }

    /// Sets the timeout of each call, above zero, instead of [that of the client](crate::ClientBuilder::timeout). It
    /// includes all attempts, rate-limit permits, delays that the console requests, and backoff.
    /// [Batches](Self::batches) inherit it, and have one call each.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Sets the retry policy of each call, in the ranges of [`RetryPolicy`], instead of [that of the
    /// client](crate::ClientBuilder::retry_policy). [Batches](Self::batches) inherit it.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Returns the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the API does not accept a value, or if a required value is missing.
    pub fn request(&self) -> Result<Request<A>, RequestError> {
        let request = (self.build)(&self.path_param, &self.body)?;
        Ok(if self.everything_in_scope { request.everything_in_scope() } else { request })
    }
}

impl<B, A: ResponseBody> ActionBuilder<B, A> {
    /// Sends the request.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`] fails. A filter that is not selective is rejected before the request
    /// is sent.
    pub async fn send(&self) -> Result<Response<A>> {
        self.client.send(&self.request()?).await
    }
}

impl<B, A: ResponseBody + Send> ActionBuilder<B, A> {
    /// Returns the action on each of these IDs, in batches of a size that the API accepts. The other conditions of the
    /// filter apply to each batch.
    ///
    /// # Errors
    /// Returns the errors of [`request`](Self::request), and an error if the list is empty, the operation does not select
    /// items by ID, or the API does not accept an ID.
    pub fn batches<I: Into<String>>(&self, ids: impl IntoIterator<Item = I>) -> Result<ActionBatch<A>> {
        ActionBatch::new(&self.client, self.request()?, ids)
    }
}

impl<B: FilterableBody, A> ActionBuilder<B, A> {
    /// Sets the filter: the items to change or, for a new item, its scope. A filter that is not selective is
    /// rejected.
    pub fn filter(mut self, filter: B::Filter) -> Self {
        self.body.set_filter(filter);
        self
    }
}

impl<B: LimitedBody, A> ActionBuilder<B, A> {
    /// Sets the maximum number of items that the console changes, at least 1. The default is all that match the filter. The
    /// vendor does not document which items are changed. It does not make a filter selective, and cannot be used with
    /// [batches](Self::batches) of several requests or with a journal.
    pub fn limit(mut self, items: u64) -> Self {
        self.body.set_limit(items);
        self
    }
}

impl<B: FilterableBody<Filter: CountableFilter>, A> ActionBuilder<B, A> {
    /// Allows the action on all items in the scope of the token. Without it, an empty filter is rejected.
    pub fn everything_in_scope(mut self) -> Self {
        self.everything_in_scope = true;
        self
    }

    /// Returns the number of items that match the filter, to check before `send`. A limit is ignored.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`] fails or the response has no total.
    pub async fn count(&self) -> Result<u64> {
        let filter = self.body.filter().cloned().unwrap_or_default();
        B::Filter::list(&self.client).filter(filter).count().await
    }
}

impl<B: Clone, A> Clone for ActionBuilder<B, A> {
    fn clone(&self) -> Self {
        let Self { client, path_param, body, everything_in_scope, build } = self;
        Self {
            client: client.clone(),
            path_param: path_param.clone(),
            body: body.clone(),
            everything_in_scope: *everything_in_scope,
            build: *build,
        }
    }
}

/// Omits the body, which may contain passwords.
impl<B, A> fmt::Debug for ActionBuilder<B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionBuilder").field("path_param", &self.path_param).finish_non_exhaustive()
    }
}

/// Defines a resource type, which owns the client.
macro_rules! resource {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            pub(super) client: $crate::Client,
        }

        impl $name {
            pub(crate) fn new(client: &$crate::Client) -> Self {
                Self { client: client.clone() }
            }
        }
    };
}

/// Implements the query traits: `Query: sorts Field, filters Filter, counts`.
macro_rules! impl_list_query {
    (@ sorts $query:ty, $field:ty) => {
        impl $crate::resources::builders::SortableQuery for $query {
            type Field = $field;

            fn set_sort(&mut self, field: $field, order: sentinelone_raw::shared::SortOrder) {
                self.sort_by = Some(field);
                self.sort_order = Some(order);
            }
        }
    };
    (@ filters $query:ty, $filter:ty) => {
        impl $crate::resources::builders::FilterableQuery for $query {
            type Filter = $filter;

            fn set_filter(&mut self, filter: $filter) {
                self.filter = filter;
            }
        }
    };
    // A list without a further capability.
    (@ lists $query:ty) => {};
    (@ counts $query:ty) => {
        impl $crate::resources::builders::CountableQuery for $query {}
    };
    ($($query:ty: $($capability:ident $($ty:ty)?),+;)+) => { $(
        impl $crate::resources::builders::Sealed for $query {}

        $($crate::resources::builders::impl_list_query!(@ $capability $query $(, $ty)?);)+
    )+ };
}

/// Implements [`FilterableBody`]: `Filter: Body, Body`.
macro_rules! impl_action_body {
    ($($filter:ty: $($body:ty),+;)+) => { $($(
        impl $crate::resources::builders::Sealed for $body {}

        impl $crate::resources::builders::FilterableBody for $body {
            type Filter = $filter;

            fn filter(&self) -> Option<&$filter> {
                (&self.filter).into()
            }

            fn set_filter(&mut self, filter: $filter) {
                self.filter = filter.into();
            }
        }
    )+)+ };
}

/// Implements [`FilterableBody`] and [`LimitedBody`] for bodies whose filter extends that of the list: `Filter: Body, Body`.
macro_rules! impl_limited_action_body {
    ($filter:ty: $($body:ty),+) => { $(
        impl $crate::resources::builders::Sealed for $body {}

        impl $crate::resources::builders::FilterableBody for $body {
            type Filter = $filter;

            fn filter(&self) -> Option<&$filter> {
                Some(&self.filter.filter)
            }

            fn set_filter(&mut self, filter: $filter) {
                self.filter.filter = filter;
            }
        }

        impl $crate::resources::builders::LimitedBody for $body {
            fn set_limit(&mut self, items: u64) {
                self.filter.limit = Some(i64::try_from(items).unwrap_or(i64::MAX));
            }
        }
    )+ };
}

/// Defines `IncidentUpdate`, the body of an action whose incident status is required and set later: `Filter: Body(Data),
/// Response, operation`.
macro_rules! incident_update {
    ($(#[$doc:meta])* $filter:ty: $body:ident($data:ident), $response:ty, $operation:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct IncidentUpdate {
            // The request body itself: copying a filter with a hundred fields takes as long as sending it.
            body: $body,
            has_status: bool,
        }

        impl Default for IncidentUpdate {
            #[inline]
            fn default() -> Self {
                let data = $data::new(IncidentStatus::from(""));
                Self { body: $body::new(data, <$filter>::default()), has_status: false }
            }
        }

        impl IncidentUpdate {
            fn body(&self) -> Result<&$body, RequestError> {
                let missing = || RequestError::missing(&$operation, "data.incidentStatus");
                self.has_status.then_some(&self.body).ok_or_else(missing)
            }
        }

        impl $crate::resources::builders::Sealed for IncidentUpdate {}

        impl $crate::resources::builders::FilterableBody for IncidentUpdate {
            type Filter = $filter;

            fn filter(&self) -> Option<&$filter> {
                $crate::resources::builders::FilterableBody::filter(&self.body)
            }

            #[inline]
            fn set_filter(&mut self, filter: $filter) {
                self.body.set_filter(filter);
            }
        }

        impl $crate::resources::builders::LimitedBody for IncidentUpdate {
            fn set_limit(&mut self, items: u64) {
                self.body.set_limit(items);
            }
        }

        impl ActionBuilder<IncidentUpdate, $response> {
            /// Sets the incident status, which the API requires.
            #[inline]
            pub fn status(mut self, status: impl Into<IncidentStatus>) -> Self {
                self.body.body.data.incident_status = status.into();
                self.body.has_status = true;
                self
            }
        }
    };
}

/// Implements [`CountableFilter`]: `Filter: resource, Query, Item`.
macro_rules! impl_countable_filter {
    ($filter:ty: $resource:ident, $query:ty, $item:ty) => {
        impl $crate::resources::builders::Sealed for $filter {}

        impl $crate::resources::builders::CountableFilter for $filter {
            type Query = $query;
            type Item = $item;

            fn list(client: &$crate::Client) -> $crate::resources::builders::ListBuilder<$query, $item> {
                client.$resource().list()
            }
        }
    };
}

pub(super) use {
    impl_action_body, impl_countable_filter, impl_limited_action_body, impl_list_query, incident_update,
    resource,
};
