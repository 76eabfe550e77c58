//! The position in a list: the cursor of the next page, and the checks that a list ends.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use sentinelone_raw::runtime::{Page, Request};
use serde_json::Value;

use crate::Result;
use crate::error::{Error, ErrorRepr};
use crate::response::Response;

/// Maximum number of pages in a row that are empty or equal an earlier page. Consoles return an empty page now and then,
/// if all of its items were removed or are hidden from the token. A list that only returns such pages ends after seconds
/// instead of never; with the slowest rate limit of a list, after half a minute.
const MAX_PAGES_WITHOUT_NEW: u32 = 15;

/// Name of the member with the cursor.
const CURSOR_NAME: &[u8] = b"\"nextCursor\"";

/// Number of bytes at each end of a page that its fingerprint covers.
const FINGERPRINT_BYTES: usize = 2048;

/// Returns a hash of a page without its cursor, to recognize a page that is returned again. Of the parts in front of the
/// cursor and after it, it covers the length and both ends: hashing a whole page would slow down each list.
fn fingerprint(body: &[u8]) -> u64 {
    let cursor = cursor_range(body).unwrap_or(body.len()..body.len());
    let mut hasher = DefaultHasher::new();
    for part in [&body[..cursor.start], &body[cursor.end..]] {
        let end = part.len().saturating_sub(FINGERPRINT_BYTES);
        (part.len(), &part[..part.len().min(FINGERPRINT_BYTES)], &part[end..]).hash(&mut hasher);
    }
    hasher.finish()
}

/// Returns the position of the cursor of a page, which is a string or a number.
fn cursor_range(body: &[u8]) -> Option<Range<usize>> {
    let name = memchr::memmem::rfind(body, CURSOR_NAME)?;
    let start = name + CURSOR_NAME.len();
    let is_end = |byte: &u8| matches!(byte, b',' | b'}');
    let length = match body[start..].iter().position(|byte| *byte == b'"') {
        // The value is a string. Its quotes are escaped.
        Some(quote) if !body[start..start + quote].iter().any(is_end) => {
            let mut at = start + quote + 1;
            while *body.get(at)? != b'"' {
                at += if body[at] == b'\\' { 2 } else { 1 };
            }
            at - start
        }
        _ => body[start..].iter().position(is_end)?,
    };
    Some(start..start + length)
}

/// The position after the pages of a list that were read so far.
#[derive(Default)]
pub(crate) struct Position {
    cursor: Option<String>,
    /// The cursors so far, with the `fingerprint` of the page that had the cursor.
    visited_cursors: HashMap<String, u64>,
    /// The fingerprints of all pages so far.
    known_pages: HashSet<u64>,
    /// Number of pages without a new item since the last one with a new item.
    pages_without_new: u32,
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Active,
    RepeatedCursor,
    EmptyPages,
    Ended,
}

impl Position {
    /// Ends the list.
    pub(crate) fn end(&mut self) {
        self.state = State::Ended;
    }

    /// Returns whether no further page exists.
    pub(crate) fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Returns whether the next page can be requested.
    pub(crate) fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Returns whether the next page is not the first one.
    pub(crate) fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// Moves the position after `page`.
    ///
    /// # Errors
    /// Returns an error if the page has a repeated cursor and equals the page that had it first.
    pub(crate) fn advance<T>(&mut self, page: &Response<Page<T>>) -> Result<()> {
        let fingerprint = fingerprint(&page.body);
        let is_known = !self.known_pages.insert(fingerprint);
        let has_items = !page.data.is_empty() || !page.undecoded.is_empty();
        let has_new = has_items && !is_known;
        self.pages_without_new = if has_new { 0 } else { self.pages_without_new + 1 };
        // A cursor is ignored if the list has no cursor parameter.
        let accepts_cursor = page.operation.query_field("cursor").is_some();
        self.cursor = page.next_cursor().filter(|_| accepts_cursor).map(str::to_owned);
        self.state = match &self.cursor {
            None => State::Ended,
            Some(cursor) => match self.visited_cursors.entry(cursor.clone()) {
                Entry::Occupied(first) if *first.get() == fingerprint => {
                    return Err(Error::for_operation(page.operation, ErrorRepr::RepeatedCursor));
                }
                Entry::Occupied(_) => State::RepeatedCursor,
                Entry::Vacant(entry) => {
                    entry.insert(fingerprint);
                    let is_active = self.pages_without_new < MAX_PAGES_WITHOUT_NEW;
                    if is_active { State::Active } else { State::EmptyPages }
                }
            },
        };
        Ok(())
    }

    /// Sets the cursor of the next page in a request.
    ///
    /// # Errors
    /// Returns an error if the list would never end.
    pub(crate) fn apply<T>(&self, request: &mut Request<Page<T>>) -> Result<()> {
        let endless = match self.state {
            State::RepeatedCursor => Some(ErrorRepr::RepeatedCursor),
            State::EmptyPages => Some(ErrorRepr::EmptyPages(self.pages_without_new)),
            State::Active | State::Ended => None,
        };
        if let Some(endless) = endless {
            return Err(Error::for_operation(request.operation(), endless));
        }
        if let Some(cursor) = &self.cursor {
            request.set_query_param("cursor", cursor.as_str())?;
            // The cursor has the position. The page size does not change, because a cursor may not accept another
            // one; surplus items are dropped here.
            request.set_query_param("skip", Value::Null)?;
        }
        Ok(())
    }
}
