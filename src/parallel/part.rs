//! A part of a list.

use std::collections::{HashSet, VecDeque};
use std::time::SystemTime;

use sentinelone_raw::runtime::{Page, Request};

use super::column::{Column, Direction, Place};
use crate::Result;
use crate::paging::Position;
use crate::response::Response;

/// The items with a value of the column from `from` up to, but not including, `until`, in milliseconds since 1970.
pub(super) struct Part<T> {
    pub(super) id: u64,
    pub(super) from: Option<i64>,
    pub(super) until: Option<i64>,
    /// Number of cuts that led to this part.
    pub(super) depth: u32,
    /// Whether a request of the part is in flight.
    pub(super) is_requested: bool,
    pub(super) position: Position,
    /// Pages that are not handed on.
    pub(super) pages: VecDeque<Response<Page<T>>>,
    /// The IDs of the items so far; `None` if an item has no ID.
    ids: Option<HashSet<String>>,
    /// Time of the last item in the order of the list.
    last_time: Option<SystemTime>,
    /// Number of times that the part was started again.
    restarts: u32,
    /// Number of failures of the next page.
    failures: u32,
}

/// Maximum number of times that a part is started again, and that a page is requested again. Each request has the
/// attempts of the retry policy.
const MAX_REPEATS: u32 = 2;

impl<T> Part<T> {
    pub(super) fn new(id: u64, (from, until): (Option<i64>, Option<i64>), depth: u32) -> Self {
        let (position, pages, ids) = (Position::default(), VecDeque::new(), Some(HashSet::new()));
        let (is_requested, last_time, restarts, failures) = (false, None, 0, 0);
        Self { id, from, until, depth, is_requested, position, pages, ids, last_time, restarts, failures }
    }

    /// Returns whether the next page can be requested.
    pub(super) fn needs_page(&self) -> bool {
        !self.is_requested && !self.position.is_ended()
    }

    /// Returns whether the part can still be replaced by smaller ones.
    pub(super) fn is_unread(&self) -> bool {
        self.restarts == 0 && !self.position.has_cursor()
    }

    /// Returns the request of the next page.
    pub(super) fn next_request(&self, list: &Request<Page<T>>, column: &Column) -> Result<Request<Page<T>>> {
        let mut request = column.bounded(list, self.from, self.until)?;
        self.position.apply(&mut request)?;
        Ok(request)
    }

    /// Returns whether the places of the next page are needed even if it is the last one.
    pub(super) fn is_restarted(&self) -> bool {
        self.restarts > 0
    }

    /// Adds a page. `places` has the places of its items, if they were read; `order` is the order of the list.
    pub(super) fn add(
        &mut self,
        mut page: Response<Page<T>>,
        places: Option<Vec<Place>>,
        order: Option<Direction>,
    ) -> Result<()> {
        self.failures = 0;
        self.position.advance(&page)?;
        let is_before = |one: SystemTime, other: SystemTime| match order {
            Some(Direction::Ascending) => one < other,
            Some(Direction::Descending) => one > other,
            None => false,
        };
        if self.is_restarted() {
            let (Some(known), Some(places)) = (&self.ids, &places) else {
                return Err(page.missing_value("data[].id"));
            };
            // An item that appeared since the first reading may be out of order.
            let is_late = |place: &Place| {
                place.time.zip(self.last_time).is_some_and(|(time, last)| is_before(time, last))
            };
            let is_new = |place: &Place| !known.contains(&place.id) && !is_late(place);
            let is_new: Vec<bool> = places.iter().map(is_new).collect();
            retain(&mut page.value, &is_new);
        }
        for time in places.iter().flatten().filter_map(|place| place.time) {
            if self.last_time.is_none_or(|last| is_before(last, time)) {
                self.last_time = Some(time);
            }
        }
        match (&mut self.ids, places) {
            (Some(known), Some(places)) => known.extend(places.into_iter().map(|place| place.id)),
            (known, _) => *known = None,
        }
        self.pages.push_back(page);
        Ok(())
    }

    /// Returns whether the page can be requested again after a temporary failure.
    pub(super) fn repeat_page(&mut self) -> bool {
        self.failures += 1;
        self.failures <= MAX_REPEATS
    }

    /// Starts the part again, if it has read a page and the IDs of its items are known.
    pub(super) fn restart(&mut self) -> bool {
        if !self.position.has_cursor() || self.ids.is_none() || self.restarts >= MAX_REPEATS {
            return false;
        }
        self.restarts += 1;
        self.position = Position::default();
        true
    }
}

/// Drops the items of a page that are not new. `is_new` has a value for each item, in the order of the page.
fn retain<T>(page: &mut Page<T>, is_new: &[bool]) {
    let is_kept = |index: usize| is_new.get(index).copied().unwrap_or(true);
    let undecoded: HashSet<usize> = page.undecoded.iter().map(|item| item.index).collect();
    page.undecoded.retain(|item| is_kept(item.index));
    let mut decoded = (0..).filter(|index| !undecoded.contains(index));
    page.data.retain(|_| decoded.next().is_none_or(is_kept));
}

/// Returns the points that cut a range into `pieces` of the same width, in ascending order. They are whole
/// milliseconds, so items with the same time stay together.
pub(super) fn cut_points(from: i64, until: i64, pieces: u64) -> Vec<i64> {
    let width = i128::from(until) - i128::from(from);
    let point = |piece: u64| i128::from(from) + width * i128::from(piece) / i128::from(pieces.max(1));
    let points = (1..pieces).filter_map(|piece| i64::try_from(point(piece)).ok());
    let mut points: Vec<i64> = points.filter(|point| *point > from && *point < until).collect();
    points.dedup();
    points
}
