//! Queries for events.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use http::StatusCode;
use sentinelone_raw::long_running_query::{
    self as raw, LongRunningQueryCreateLog, LongRunningQueryCreateQueryType,
};
use sentinelone_raw::runtime::{JsonBody, Timestamp};
use serde_json::Value;

use super::error::{MAX_PAGE_SIZE, MAX_SLICES, QueryError};
use super::progress::{QueryState, QuerySummary};
use super::range::MillisRange;
use super::results::QueryEvent;
use super::settings::{QuerySettings, impl_settings};
use super::{run, text};
use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorRepr};
use crate::response::Response;

/// Number of slices that are searched at the same time.
const PARALLEL_SLICES: usize = 4;

/// A query for events; from [`Queries::log`](super::Queries::log).
#[derive(Clone, Debug)]
#[must_use = "a query is not sent before its events are read"]
pub struct LogQuery {
    client: Client,
    filter: String,
    settings: QuerySettings,
    page_size: u32,
    slices: u32,
    is_ascending: bool,
    limit: Option<u64>,
}

impl_settings!(LogQuery);

impl LogQuery {
    pub(super) fn new(client: &Client, filter: String) -> Self {
        Self {
            client: client.clone(),
            filter,
            settings: QuerySettings::default(),
            page_size: 1_000,
            slices: 1,
            is_ascending: false,
            limit: None,
        }
    }

    /// Returns the oldest events first. The default is the newest first.
    pub fn ascending(mut self) -> Self {
        self.is_ascending = true;
        self
    }

    /// Sets the maximum number of events. The default is all events.
    pub fn limit(mut self, events: u64) -> Self {
        self.limit = Some(events);
        self
    }

    /// Sets the number of events of each query in the data lake, from 1 to 5,000. The default is 1,000. Further events
    /// are found by further queries.
    pub fn page_size(mut self, events: u32) -> Self {
        self.page_size = events;
        self
    }

    /// Cuts the time range into slices, from 1 to 1,000, of which up to 4 are searched at the same time. The events keep
    /// their order; those of a slice are in memory at once. A long range takes less time in slices. The default is 1.
    pub fn slices(mut self, slices: u32) -> Self {
        self.slices = slices;
        self
    }

    /// Returns the number of matching events that the data lake estimates, without the events; `None` if it reports none.
    ///
    /// # Errors
    /// Returns the errors of [`QueryEvents::next`].
    pub async fn estimate(self) -> Result<Option<u64>> {
        let mut events = self.page_size(1).slices(1).limit(1).events();
        events.next().await.transpose()?;
        Ok(events.summary().match_count)
    }

    /// Returns the events. Each page is a query of its own, which is deleted before its events are returned.
    pub fn events(self) -> QueryEvents {
        let summary = Arc::new(Mutex::new(QuerySummary::default()));
        let limit = self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let events = match self.prepare(&summary) {
            Err(error) => stream::once(async { Err(error.into()) }).boxed(),
            Ok((search, ranges)) => search.events(ranges).take(limit).boxed(),
        };
        QueryEvents { events, summary }
    }

    fn prepare(
        self,
        summary: &Arc<Mutex<QuerySummary>>,
    ) -> Result<(Arc<EventSearch>, Vec<MillisRange>), QueryError> {
        if !(1..=MAX_PAGE_SIZE).contains(&self.page_size) {
            return Err(QueryError::PageSize(self.page_size));
        }
        if !(1..=MAX_SLICES).contains(&self.slices) {
            return Err(QueryError::Slices(self.slices));
        }
        let range = self.settings.range.resolve(&self.client.now())?;
        let filter = text::filter(&self.filter, self.settings.site_condition()?.as_deref())?;
        let mut ranges = range.cut(self.slices);
        if !self.is_ascending {
            ranges.reverse();
        }
        // The scope is checked before the first event is read.
        self.settings.request(LongRunningQueryCreateQueryType::Log, range)?;
        let Self { client, settings, page_size, is_ascending, .. } = self;
        let summary = Arc::clone(summary);
        Ok((Arc::new(EventSearch { client, filter, settings, page_size, is_ascending, summary }), ranges))
    }
}

/// A search that is valid.
struct EventSearch {
    client: Client,
    filter: String,
    settings: QuerySettings,
    page_size: u32,
    is_ascending: bool,
    summary: Arc<Mutex<QuerySummary>>,
}

impl EventSearch {
    /// Returns the events of the ranges, in order.
    fn events(self: Arc<Self>, ranges: Vec<MillisRange>) -> BoxStream<'static, Result<QueryEvent>> {
        let pages = move |range| {
            let position = Position {
                range,
                search: Arc::clone(&self),
                after: None,
                boundary: Boundary::default(),
                is_first: true,
                is_last: false,
            };
            stream::try_unfold(position, |mut position| async move {
                Ok::<_, Error>(position.next_page().await?.map(|page| (page, position)))
            })
        };
        let flat = |page: Vec<QueryEvent>| stream::iter(page.into_iter().map(Ok));
        match ranges.as_slice() {
            [range] => pages(*range).map_ok(flat).try_flatten().boxed(),
            _ => {
                let slices = stream::iter(ranges).map(move |range| pages(range).try_concat());
                slices.buffered(PARALLEL_SLICES).map_ok(flat).try_flatten().boxed()
            }
        }
    }
}

/// Where the next page of a range begins.
struct Position {
    search: Arc<EventSearch>,
    range: MillisRange,
    after: Option<LastEvent>,
    /// The last events of the page before.
    boundary: Boundary,
    is_first: bool,
    is_last: bool,
}

/// The end of a page.
enum LastEvent {
    /// The cursor of the last event.
    Cursor(String),
    /// The last events, where the data lake does not accept cursors: the range is cut at their time.
    Boundary(Boundary),
}

/// Events with the same time.
#[derive(Clone, Default, PartialEq)]
struct Boundary {
    /// Milliseconds since 1970; `None` if the last event has no time.
    millis: Option<i64>,
    /// Texts of the events.
    texts: HashSet<String>,
}

impl Position {
    /// Returns the next page, or `None` after the last one.
    async fn next_page(&mut self) -> Result<Option<Vec<QueryEvent>>> {
        if self.is_last {
            return Ok(None);
        }
        let response = match self.search().await {
            // Only the cursor differs from the page before.
            Err(error) if self.has_cursor() && error.status() == Some(StatusCode::BAD_REQUEST) => {
                self.cut_range()?;
                self.search().await?
            }
            response => response?,
        };
        let search = Arc::clone(&self.search);
        let body = String::from_utf8_lossy(response.body());
        let state = QueryState::parse(&body);
        let matches = state.list("matches");
        self.is_last = matches.len() < search.page_size as usize;
        let mut summary = QuerySummary::of(&state);
        if !std::mem::take(&mut self.is_first) {
            // Each page reports all matches of the range.
            summary.match_count = None;
        }
        search.summary.lock().unwrap_or_else(PoisonError::into_inner).add(summary);

        let mut page = Vec::with_capacity(matches.len());
        let mut boundary = Boundary::default();
        for text in &matches {
            let event = QueryEvent::parse(text);
            let is_known = match &self.after {
                Some(LastEvent::Cursor(cursor)) => page.is_empty() && event.cursor.as_ref() == Some(cursor),
                Some(LastEvent::Boundary(before)) => before.texts.contains(text.get()),
                None => false,
            };
            let millis = event.timestamp.as_ref().and_then(Timestamp::unix_millis);
            if boundary.millis != millis {
                boundary = Boundary { millis, texts: HashSet::new() };
            }
            boundary.texts.insert(text.get().to_owned());
            if !is_known {
                page.push(event);
            }
        }
        if !self.is_last {
            self.boundary = boundary;
            self.advance(&page)?;
        }
        Ok(Some(page))
    }

    /// Runs the query of the next page.
    async fn search(&self) -> Result<Response<JsonBody<Value>>> {
        let search = &self.search;
        let mut log = LongRunningQueryCreateLog::default()
            .filter(search.filter.as_str())
            .limit(i64::from(search.page_size))
            .ascending(search.is_ascending);
        if let Some(LastEvent::Cursor(cursor)) = &self.after {
            log = log.cursor(cursor.as_str()).exclusive(true);
        }
        let request = search.settings.request(LongRunningQueryCreateQueryType::Log, self.range)?.log(log);
        run::run(&search.client, &request, &search.settings.run).await
    }

    fn has_cursor(&self) -> bool {
        matches!(self.after, Some(LastEvent::Cursor(_)))
    }

    /// Goes on after a page with new events.
    fn advance(&mut self, page: &[QueryEvent]) -> Result<()> {
        let cursor = page.last().and_then(|event| event.cursor.clone());
        match (&self.after, cursor) {
            (_, None) | (Some(LastEvent::Boundary(_)), _) => self.cut_range(),
            (Some(LastEvent::Cursor(before)), Some(next)) if *before == next => Err(no_progress()),
            (_, Some(next)) => {
                self.after = Some(LastEvent::Cursor(next));
                Ok(())
            }
        }
    }

    /// Cuts the range at the time of the last events, which the next page has, too.
    fn cut_range(&mut self) -> Result<()> {
        let boundary = std::mem::take(&mut self.boundary);
        let millis = boundary.millis.ok_or_else(no_progress)?;
        let range = match self.search.is_ascending {
            true => MillisRange { start: millis, ..self.range },
            false => MillisRange { end: millis.saturating_add(1), ..self.range },
        };
        let is_same = matches!(&self.after, Some(LastEvent::Boundary(before)) if *before == boundary);
        if is_same || range.start >= range.end {
            return Err(no_progress());
        }
        (self.range, self.after) = (range, Some(LastEvent::Boundary(boundary)));
        Ok(())
    }
}

/// Returns the error of a page that does not get further than the one before.
fn no_progress() -> Error {
    Error::for_operation(&raw::CREATE, ErrorRepr::RepeatedCursor)
}

/// The events that a query finds, from [`LogQuery::events`]. Dropping them ends the query in the data lake, too.
#[must_use = "no query is sent before the first event is read"]
pub struct QueryEvents {
    events: BoxStream<'static, Result<QueryEvent>>,
    summary: Arc<Mutex<QuerySummary>>,
}

impl QueryEvents {
    /// Returns the next event; `None` after the last one.
    ///
    /// # Errors
    /// Nothing is sent if the query has no scope, a time range that matches nothing, invalid syntax, or parts of S1QL 1.0
    /// ([`QueryError`]). Returns an error of the kind [`NoResult`](crate::ErrorKind::NoResult) if the query fails,
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout) if it is not finished in time, and
    /// [`RepeatedCursor`](crate::ErrorKind::RepeatedCursor) if a page does not get further than the one before.
    pub async fn next(&mut self) -> Option<Result<QueryEvent>> {
        self.events.next().await
    }

    /// Returns what the queries so far reported in addition to the events.
    pub fn summary(&self) -> QuerySummary {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Stream for QueryEvents {
    type Item = Result<QueryEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(context)
    }
}

impl fmt::Debug for QueryEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryEvents").field("summary", &self.summary()).finish_non_exhaustive()
    }
}
