//! Reads the parts of a list at the same time.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use futures_util::future::{Either, select};
use http::StatusCode;
use sentinelone_raw::runtime::{Page, ResponseBody};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument;

use super::column::{Direction, Place};
use super::part::{Part, cut_points};
use super::plan::{PageSource, Plan};
use super::survey::{Cuts, survey};
use crate::Result;
use crate::error::{Error, ErrorKind};
use crate::response::Response;

/// Number of pages from which a part is cut again.
const MAX_PART_PAGES: u64 = 3;

/// Maximum number of times that a part is cut again. What is left then are many items within a short time.
const MAX_DEPTH: u32 = 5;

/// A list that a task reads. Dropping it cancels all requests.
pub(crate) struct Running<T> {
    pages: mpsc::Receiver<Result<Response<Page<T>>>>,
    task: Option<JoinHandle<()>>,
}

impl<T> Running<T>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
{
    /// Starts to read a list.
    pub(crate) fn start(source: impl PageSource<T>, plan: Plan<T>, runtime: &Handle) -> Self {
        let (sender, pages) = mpsc::channel(1);
        let task = runtime.spawn(Reader::new(source, plan).run(sender).in_current_span());
        Self { pages, task: Some(task) }
    }
}

impl<T> Running<T> {
    /// Waits for the next page; `None` after the last one.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<Page<T>>>>> {
        if let Some(page) = ready!(self.pages.poll_recv(cx)) {
            return Poll::Ready(Some(page));
        }
        // A list whose task did not finish is not complete.
        let Some(task) = &mut self.task else { return Poll::Ready(None) };
        let end = ready!(Pin::new(task).poll(cx));
        self.task = None;
        Poll::Ready(match end {
            Ok(()) => None,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Some(Err(Error::configuration("the runtime that reads the list has ended"))),
        })
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A finished request.
struct Finished<T> {
    part: u64,
    response: Result<Response<Page<T>>>,
    /// Places of the items, if they are needed.
    places: Option<Vec<Place>>,
}

struct Reader<T, S> {
    source: S,
    plan: Plan<T>,
    /// `None` if the list is read as a whole.
    cuts: Option<Cuts>,
    /// The unfinished parts, in the order of the list.
    parts: Vec<Part<T>>,
    next_id: u64,
    requests: JoinSet<Finished<T>>,
    /// Pages to hand on.
    ready: VecDeque<Response<Page<T>>>,
    /// A page without items, which is handed on if no other page is.
    empty: Option<Response<Page<T>>>,
    /// Whether a page was handed on.
    has_pages: bool,
    /// Maximum number of items to hand on.
    remaining: Option<u64>,
}

impl<T, S> Reader<T, S>
where
    T: Send + 'static,
    Page<T>: ResponseBody,
    S: PageSource<T>,
{
    fn new(source: S, plan: Plan<T>) -> Self {
        Self {
            remaining: plan.limit,
            source,
            plan,
            cuts: None,
            parts: Vec::new(),
            next_id: 0,
            requests: JoinSet::new(),
            ready: VecDeque::new(),
            empty: None,
            has_pages: false,
        }
    }

    async fn run(mut self, sender: mpsc::Sender<Result<Response<Page<T>>>>) {
        if let Err(error) = self.read(&sender).await {
            // The pages before the error are valid. The receiver may be dropped.
            let pages = std::mem::take(&mut self.ready).into_iter().map(Ok);
            for page in pages.chain([Err(error)]) {
                if sender.send(page).await.is_err() {
                    break;
                }
            }
        }
    }

    async fn read(&mut self, sender: &mpsc::Sender<Result<Response<Page<T>>>>) -> Result<()> {
        let mut survey = survey(&self.source, &self.plan).await?;
        if survey.first_page.as_ref().is_err_and(Error::is_transient) {
            survey = self::survey(&self.source, &self.plan).await?;
        }
        let points = survey.cuts.as_ref().map(|cuts| cuts.points.clone()).unwrap_or_default();
        self.cuts = survey.cuts;
        self.parts = self.pieces((None, None), points, 0);
        if let [whole] = &self.parts[..] {
            let response = survey.first_page;
            let places = response.as_ref().ok().and_then(|page| self.plan.column.places(&page.body));
            self.finish(Finished { part: whole.id, response, places })?;
        }
        loop {
            self.start_requests()?;
            let (can_send, is_waiting) = (!self.ready.is_empty(), !self.requests.is_empty());
            let finished = match (can_send, is_waiting) {
                (false, false) => break,
                (true, false) => Either::Left(sender.reserve().await),
                (false, true) => Either::Right(self.requests.join_next().await),
                (true, true) => match select(pin!(sender.reserve()), pin!(self.requests.join_next())).await {
                    Either::Left((permit, _)) => Either::Left(permit),
                    Either::Right((finished, _)) => Either::Right(finished),
                },
            };
            match finished {
                Either::Left(Ok(permit)) => {
                    if let Some(page) = self.ready.pop_front() {
                        permit.send(Ok(page));
                    }
                }
                // The receiver was dropped.
                Either::Left(Err(_)) => return Ok(()),
                Either::Right(Some(Ok(finished))) => self.finish(finished)?,
                Either::Right(Some(Err(error))) if error.is_panic() => {
                    std::panic::resume_unwind(error.into_panic())
                }
                Either::Right(Some(Err(_))) if self.remaining == Some(0) => {}
                Either::Right(_) => {
                    return Err(Error::configuration("the runtime that reads the list has ended"));
                }
            }
        }
        if let Some(page) = self.empty.take().filter(|_| !self.has_pages) {
            let _ = sender.send(Ok(page)).await;
        }
        Ok(())
    }

    /// Starts requests until the maximum number is in flight.
    fn start_requests(&mut self) -> Result<()> {
        while self.requests.len() < self.plan.concurrency {
            let index = self.parts.iter().position(Part::needs_page).filter(|index| self.can_hold(*index));
            let Some(part) = index.and_then(|index| self.parts.get_mut(index)) else { break };
            part.is_requested = true;
            let (id, is_restarted, column) = (part.id, part.is_restarted(), self.plan.column);
            let response = self.source.request(part.next_request(&self.plan.request, &column)?);
            let finished = async move {
                let response = response.await;
                // The places are needed if the next page can fail.
                let page = response.as_ref().ok().filter(|page| is_restarted || page.next_cursor().is_some());
                let places = page.and_then(|page| column.places(&page.body));
                Finished { part: id, response, places }
            };
            self.requests.spawn(finished.in_current_span());
        }
        Ok(())
    }

    /// Returns whether another page of a part may be held in memory. The first part is always read if no page can be
    /// handed on.
    fn can_hold(&self, index: usize) -> bool {
        let held: usize = self.parts.iter().map(|part| part.pages.len()).sum();
        let is_next = index == 0 && self.ready.is_empty();
        is_next || held + self.ready.len() + self.requests.len() < 2 * self.plan.concurrency
    }

    /// Processes the response of a part.
    fn finish(&mut self, finished: Finished<T>) -> Result<()> {
        let Finished { part: id, response, places } = finished;
        let Some(index) = self.parts.iter().position(|part| part.id == id) else { return Ok(()) };
        let Some(part) = self.parts.get_mut(index) else { return Ok(()) };
        part.is_requested = false;
        match response {
            Ok(page) => {
                if page.next_cursor().is_some() && self.cut(index, page.total()) {
                    return Ok(());
                }
                let order = self.plan.column.direction;
                if let Some(part) = self.parts.get_mut(index) {
                    part.add(page, places, order)?;
                }
                self.collect();
            }
            Err(error) if error.is_transient() && part.repeat_page() => {}
            Err(error) if rejects_cursor(&error) && part.restart() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Replaces a part whose first page was received by smaller ones, if it has too many items. Returns whether it did;
    /// `total` is the number of items.
    fn cut(&mut self, index: usize, total: Option<u64>) -> bool {
        let (Some(cuts), Some(total), Some(part)) = (&self.cuts, total, self.parts.get(index)) else {
            return false;
        };
        let max_items = self.plan.page_size.saturating_mul(MAX_PART_PAGES);
        if total <= max_items || part.depth >= MAX_DEPTH || !part.is_unread() {
            return false;
        }
        let (from, until) = (part.from.unwrap_or(cuts.range.0), part.until.unwrap_or(cuts.range.1));
        let pieces = total.div_ceil(self.plan.part_items()).min(2 * self.plan.concurrency as u64);
        let points = cut_points(from, until, pieces);
        if points.is_empty() {
            return false;
        }
        let pieces = self.pieces((part.from, part.until), points, part.depth + 1);
        self.parts.splice(index..=index, pieces);
        true
    }

    /// Returns the parts between the bounds and the points, in the order of the list.
    fn pieces(
        &mut self,
        (from, until): (Option<i64>, Option<i64>),
        points: Vec<i64>,
        depth: u32,
    ) -> Vec<Part<T>> {
        let bounds: Vec<_> = [from].into_iter().chain(points.into_iter().map(Some)).chain([until]).collect();
        let starts = bounds.iter().copied().zip(bounds.iter().copied().skip(1));
        let mut pieces: Vec<_> =
            (self.next_id..).zip(starts).map(|(id, bounds)| Part::new(id, bounds, depth)).collect();
        self.next_id += pieces.len() as u64;
        if self.plan.column.direction == Some(Direction::Descending) {
            pieces.reverse();
        }
        pieces
    }

    /// Moves the pages that can be handed on, and drops finished parts.
    fn collect(&mut self) {
        let is_ordered = self.plan.column.direction.is_some();
        let mut index = 0;
        while let Some(part) = self.parts.get_mut(index) {
            let is_finished = part.position.is_ended();
            let pages = std::mem::take(&mut part.pages);
            pages.into_iter().for_each(|page| self.hand_on(page));
            match (is_finished, is_ordered) {
                (true, _) => drop(self.parts.remove(index)),
                (false, true) => break,
                (false, false) => index += 1,
            }
        }
        if self.remaining == Some(0) {
            // The other items are not needed.
            self.parts.clear();
            self.requests.abort_all();
        }
    }

    fn hand_on(&mut self, mut page: Response<Page<T>>) {
        let value = &mut page.value;
        let pagination = value.pagination.get_or_insert_default();
        // The cursor is a position in the part.
        pagination.next_cursor = None;
        if let Some(cuts) = &self.cuts {
            pagination.total_items = Some(cuts.total);
        }
        if value.data.is_empty() && value.undecoded.is_empty() && page.errors.is_empty() {
            self.empty = Some(page);
        } else {
            let items = (value.data.len() + value.undecoded.len()) as u64;
            self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(items));
            self.has_pages = true;
            self.ready.push_back(page);
        }
    }
}

/// Returns whether the console does not accept a cursor any more.
fn rejects_cursor(error: &Error) -> bool {
    let rejections = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::GONE];
    error.kind() == ErrorKind::Api && error.status().is_some_and(|status| rejections.contains(&status))
}
