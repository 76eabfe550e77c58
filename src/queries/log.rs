//! Queries for events.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use http::StatusCode;
use sentinelone_raw::long_running_query::{
    self as raw, LongRunningQueryCreateLog, LongRunningQueryCreateQueryType, LongRunningQueryCreateRequest,
};
#[cfg(feature = "commands")]
use sentinelone_raw::runtime::Request;
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
    query: EventQuery,
}

/// What a query for events finds.
#[derive(Clone, Debug)]
pub(crate) struct EventQuery {
    filter: String,
    pub(crate) settings: QuerySettings,
    pub(crate) page_size: u32,
    slices: u32,
    is_ascending: bool,
    pub(crate) limit: Option<u64>,
    /// Cursor of the last event that is known.
    pub(crate) after: Option<String>,
}

impl EventQuery {
    pub(crate) fn new(filter: String) -> Self {
        Self {
            filter,
            settings: QuerySettings::default(),
            page_size: 1_000,
            slices: 1,
            is_ascending: false,
            limit: None,
            after: None,
        }
    }

    /// Returns the launch of the first page.
    #[cfg(feature = "commands")]
    pub(crate) fn first_request(&self, now: &Timestamp) -> Result<Request<JsonBody<Value>>> {
        let (search, ranges) = self.prepare(now)?;
        let range = ranges.first().copied().ok_or(QueryError::Slices(0))?;
        Ok(raw::create(&search.request(range, self.after.as_deref())?)?.with_response_type())
    }

    /// Checks the query. Returns what is searched for, and the ranges.
    fn prepare(&self, now: &Timestamp) -> Result<(EventSearch, Vec<MillisRange>), QueryError> {
        if !(1..=MAX_PAGE_SIZE).contains(&self.page_size) {
            return Err(QueryError::PageSize(self.page_size));
        }
        if !(1..=MAX_SLICES).contains(&self.slices) {
            return Err(QueryError::Slices(self.slices));
        }
        if self.slices > 1 && self.after.is_some() {
            return Err(QueryError::CursorOfSlices(self.slices));
        }
        let range = self.settings.range.resolve(now)?;
        let search = EventSearch {
            filter: text::filter(&self.filter, self.settings.site_condition()?.as_deref())?,
            settings: self.settings.clone(),
            page_size: self.page_size,
            is_ascending: self.is_ascending,
        };
        // The scope is checked before the first event is read.
        search.request(range, None)?;
        let mut ranges = range.cut(self.slices);
        if !self.is_ascending {
            ranges.reverse();
        }
        Ok((search, ranges))
    }
}

impl_settings!(LogQuery);

impl LogQuery {
    pub(super) fn new(client: &Client, filter: String) -> Self {
        Self { client: client.clone(), query: EventQuery::new(filter) }
    }

    /// Creates the query of a command.
    #[cfg(feature = "commands")]
    pub(crate) fn of(client: &Client, query: EventQuery) -> Self {
        Self { client: client.clone(), query }
    }

    /// Returns the oldest events first. The default is the newest first.
    pub fn ascending(mut self) -> Self {
        self.query.is_ascending = true;
        self
    }

    /// Sets the maximum number of events. The default is all events.
    pub fn limit(mut self, events: u64) -> Self {
        self.query.limit = Some(events);
        self
    }

    /// Sets the number of events of each query in the data lake, from 1 to 5,000. The default is 1,000. Further events
    /// are found by further queries.
    pub fn page_size(mut self, events: u32) -> Self {
        self.query.page_size = events;
        self
    }

    /// Cuts the time range into slices, from 1 to 1,000, of which up to 4 are searched at the same time. The events keep
    /// their order; those of a slice are in memory at once. A long range takes less time in slices. The default is 1.
    pub fn slices(mut self, slices: u32) -> Self {
        self.query.slices = slices;
        self
    }

    /// Continues after the event with this [cursor](QueryEvent::cursor). The filter, the time range and the direction have
    /// to be those of the query that found the event. A query in slices has no cursor.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.query.after = Some(cursor.into());
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
        let Self { client, query } = self;
        let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let events = match query.prepare(&client.now()) {
            Err(error) => stream::once(async { Err(error.into()) }).boxed(),
            Ok((search, ranges)) => {
                let run = EventRun { client, search, summary: Arc::clone(&summary) };
                Arc::new(run).events(ranges, query.after).take(limit).boxed()
            }
        };
        QueryEvents { events, summary }
    }
}

/// A search that is valid.
struct EventSearch {
    filter: String,
    settings: QuerySettings,
    page_size: u32,
    is_ascending: bool,
}

impl EventSearch {
    /// Returns the query of a page: the first one, or the one after a cursor.
    fn request(
        &self,
        range: MillisRange,
        cursor: Option<&str>,
    ) -> Result<LongRunningQueryCreateRequest, QueryError> {
        let mut log = LongRunningQueryCreateLog::default()
            .filter(self.filter.as_str())
            .limit(i64::from(self.page_size))
            .ascending(self.is_ascending);
        if let Some(cursor) = cursor {
            log = log.cursor(cursor).exclusive(true);
        }
        Ok(self.settings.request(LongRunningQueryCreateQueryType::Log, range)?.log(log))
    }
}

/// A search on a console.
struct EventRun {
    client: Client,
    search: EventSearch,
    summary: Arc<Mutex<QuerySummary>>,
}

impl EventRun {
    /// Returns the events of the ranges, in order.
    fn events(
        self: Arc<Self>,
        ranges: Vec<MillisRange>,
        after: Option<String>,
    ) -> BoxStream<'static, Result<QueryEvent>> {
        let pages = move |range| {
            let position = Position {
                range,
                run: Arc::clone(&self),
                after: after.clone().map(LastEvent::Cursor),
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
    run: Arc<EventRun>,
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
        let run = Arc::clone(&self.run);
        let body = String::from_utf8_lossy(response.body());
        let state = QueryState::parse(&body);
        let matches = state.list("matches");
        self.is_last = matches.len() < run.search.page_size as usize;
        let mut summary = QuerySummary::of(&state);
        if !std::mem::take(&mut self.is_first) {
            // Each page reports all matches of the range.
            summary.match_count = None;
        }
        run.summary.lock().unwrap_or_else(PoisonError::into_inner).add(summary);

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
        let EventRun { client, search, .. } = &*self.run;
        let cursor = match &self.after {
            Some(LastEvent::Cursor(cursor)) => Some(cursor.as_str()),
            _ => None,
        };
        run::run(client, &search.request(self.range, cursor)?, &search.settings.run).await
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
        let range = match self.run.search.is_ascending {
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
