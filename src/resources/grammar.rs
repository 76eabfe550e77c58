//! What all resources have in common: a list in the making, and an action in the making.

use std::fmt;

use sentinelone_raw::runtime::{Answer, Page, Request, RequestError};
use sentinelone_raw::shared::SortOrder;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Result;
use crate::client::Client;
use crate::paging::{Items, Pages};
use crate::response::Response;

/// How the request of a list is built: of what it is the list (the identifier in the path, where it has
/// one), and the parameters.
type BuildList<Q, T> = fn(&str, &Q) -> Result<Request<Page<T>>, RequestError>;

/// How the request of an action is built: what it acts on by the path, where it has such an identifier, and
/// the body.
type BuildAct<B, A> = fn(&str, &B) -> Result<Request<A>, RequestError>;

/// The parameters of a list that can be sorted.
pub trait Sorts {
    /// The fields to sort by.
    type Field;

    /// Sets field and order.
    fn sort(&mut self, field: Self::Field, order: SortOrder);
}

/// The parameters of a list that has a filter.
pub trait Filters {
    /// The filter, which actions may take too.
    type Filter;

    /// Sets the filter.
    fn set_filter(&mut self, filter: Self::Filter);
}

/// The parameters of a list that tells how many items there are.
pub trait Counts {}

/// The body of an action that has a filter.
pub trait Acts {
    /// The filter.
    type Filter;

    /// The filter as it is.
    fn filter(&self) -> Option<&Self::Filter>;

    /// Sets the filter.
    fn set_filter(&mut self, filter: Self::Filter);
}

/// A filter that a list takes too, so that what it selects can be counted.
pub trait Selects: Clone + Default {
    /// The parameters of that list.
    type Query: Counts + Filters<Filter = Self>;

    /// The items of that list.
    type Item: DeserializeOwned;

    /// That list.
    fn list(client: &Client) -> List<'_, Self::Query, Self::Item>;
}

/// A list in the making.
#[must_use = "nothing happens until it is sent"]
pub struct List<'a, Q, T> {
    client: &'a Client,
    of: String,
    query: Q,
    build: BuildList<Q, T>,
}

impl<'a, Q, T> List<'a, Q, T> {
    pub(super) fn new(client: &'a Client, query: Q, build: BuildList<Q, T>) -> Self {
        Self::of(client, String::new(), query, build)
    }

    /// The list of what belongs to one thing.
    pub(super) fn of(client: &'a Client, of: String, query: Q, build: BuildList<Q, T>) -> Self {
        Self { client, of, query, build }
    }

    /// All parameters at once, in the place of those that were there: what to list, the size of a page, the
    /// order.
    pub fn query(mut self, query: Q) -> Self {
        self.query = query;
        self
    }

    /// The request as a value.
    ///
    /// # Errors
    /// When a parameter is outside what the API takes.
    pub fn request(&self) -> Result<Request<Page<T>>, RequestError> {
        (self.build)(&self.of, &self.query)
    }

    /// All pages, lazily. A parameter that cannot be sent is the first error.
    pub fn pages(&self) -> Pages<T> {
        Pages::of(self.client.clone(), self.request())
    }

    /// All items, lazily, page by page.
    pub fn items(&self) -> Items<T> {
        self.pages().items()
    }
}

impl<Q: Filters, T> List<'_, Q, T> {
    /// What to list. Without a filter, everything in scope.
    pub fn filter(mut self, filter: Q::Filter) -> Self {
        self.query.set_filter(filter);
        self
    }
}

impl<Q: Sorts, T> List<'_, Q, T> {
    /// The field to sort by.
    pub fn sort_by(mut self, field: impl Into<Q::Field>, order: SortOrder) -> Self {
        self.query.sort(field.into(), order);
        self
    }
}

impl<Q, T: DeserializeOwned> List<'_, Q, T> {
    /// One page: the first, with as many items as `limit` says, else as many as the API gives, which is 10
    /// on most lists.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn page(&self) -> Result<Response<Page<T>>> {
        self.client.send(&self.request()?).await
    }
}

impl<Q: Counts, T: DeserializeOwned> List<'_, Q, T> {
    /// How many items there are in all; `limit` is left out of account.
    ///
    /// # Errors
    /// As [`Client::send`]; also when the console answers without a total.
    pub async fn count(&self) -> Result<u64> {
        let mut request = self.request()?;
        for name in ["limit", "skip", "skipCount", "cursor", "sortBy", "sortOrder"] {
            request.set_query(name, Value::Null)?;
        }
        request.set_query("countOnly", true)?;
        let page = self.client.send(&request).await?;
        page.total().ok_or_else(|| page.lacks("pagination.totalItems"))
    }
}

impl<Q: Clone, T> Clone for List<'_, Q, T> {
    fn clone(&self) -> Self {
        let Self { client, of, query, build } = self;
        Self { client, of: of.clone(), query: query.clone(), build: *build }
    }
}

/// Parameters may hold registration tokens, so only the outline is shown.
impl<Q, T> fmt::Debug for List<'_, Q, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("of", &self.of).finish_non_exhaustive()
    }
}

/// An action in the making. Nothing is changed until [`send`](Self::send).
#[must_use = "nothing happens until it is sent"]
pub struct Act<'a, B, A> {
    client: &'a Client,
    of: String,
    pub(super) body: B,
    everything: bool,
    build: BuildAct<B, A>,
}

impl<'a, B, A> Act<'a, B, A> {
    pub(super) fn new(client: &'a Client, body: B, build: BuildAct<B, A>) -> Self {
        Self::of(client, String::new(), body, build)
    }

    /// The action on one thing.
    pub(super) fn of(client: &'a Client, of: String, body: B, build: BuildAct<B, A>) -> Self {
        Self { client, of, body, everything: false, build }
    }

    /// The request as a value.
    ///
    /// # Errors
    /// When a value is outside what the API takes, or one is missing that it demands.
    pub fn request(&self) -> Result<Request<A>, RequestError> {
        let request = (self.build)(&self.of, &self.body)?;
        Ok(if self.everything { request.everything_in_scope() } else { request })
    }
}

impl<B, A: Answer> Act<'_, B, A> {
    /// Acts.
    ///
    /// # Errors
    /// As [`Client::send`]. Nothing is sent when there is a filter and it selects nothing in particular.
    pub async fn send(&self) -> Result<Response<A>> {
        self.client.send(&self.request()?).await
    }
}

impl<B: Acts, A> Act<'_, B, A> {
    /// What to act on; of something new, where it belongs to. A filter that selects nothing in particular
    /// is refused.
    pub fn filter(mut self, filter: B::Filter) -> Self {
        self.body.set_filter(filter);
        self
    }
}

impl<B: Acts<Filter: Selects>, A> Act<'_, B, A> {
    /// Says in so many words that everything in the scope of the token is meant; only then an empty filter
    /// is sent.
    pub fn everything_in_scope(mut self) -> Self {
        self.everything = true;
        self
    }

    /// How many things the filter selects, to be asked before acting; its `limit` is left out of account.
    ///
    /// # Errors
    /// As [`Client::send`]; also when the console answers without a total.
    pub async fn count(&self) -> Result<u64> {
        let filter = self.body.filter().cloned().unwrap_or_default();
        B::Filter::list(self.client).filter(filter).count().await
    }
}

impl<B: Clone, A> Clone for Act<'_, B, A> {
    fn clone(&self) -> Self {
        let Self { client, of, body, everything, build } = self;
        Self { client, of: of.clone(), body: body.clone(), everything: *everything, build: *build }
    }
}

/// Bodies may hold passwords, so only the outline is shown.
impl<B, A> fmt::Debug for Act<'_, B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Act").field("of", &self.of).finish_non_exhaustive()
    }
}

/// Everything that a resource is about is reached through the client.
macro_rules! resource {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            client: &'a $crate::Client,
        }

        impl<'a> $name<'a> {
            pub(crate) fn new(client: &'a $crate::Client) -> Self {
                Self { client }
            }
        }
    };
}

/// Parameters of lists: `Query: sorts Field, filters Filter, counts`.
macro_rules! lists {
    (@ sorts $query:ty, $field:ty) => {
        impl $crate::resources::grammar::Sorts for $query {
            type Field = $field;

            fn sort(&mut self, field: $field, order: sentinelone_raw::shared::SortOrder) {
                self.sort_by = Some(field);
                self.sort_order = Some(order);
            }
        }
    };
    (@ filters $query:ty, $filter:ty) => {
        impl $crate::resources::grammar::Filters for $query {
            type Filter = $filter;

            fn set_filter(&mut self, filter: $filter) {
                self.filter = filter;
            }
        }
    };
    (@ counts $query:ty) => {
        impl $crate::resources::grammar::Counts for $query {}
    };
    ($($query:ty: $($what:ident $($by:ty)?),+;)+) => { $($(
        $crate::resources::grammar::lists!(@ $what $query $(, $by)?);
    )+)+ };
}

/// Bodies that have a filter.
macro_rules! acts {
    ($($filter:ty: $($body:ty),+;)+) => { $($(
        impl $crate::resources::grammar::Acts for $body {
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

/// Filters that a list takes too: `Filter: the resource, Query, Item`.
macro_rules! selects {
    ($filter:ty: $resource:ident, $query:ty, $item:ty) => {
        impl $crate::resources::grammar::Selects for $filter {
            type Query = $query;
            type Item = $item;

            fn list(client: &$crate::Client) -> $crate::resources::grammar::List<'_, $query, $item> {
                client.$resource().list()
            }
        }
    };
}

pub(super) use {acts, lists, resource, selects};
