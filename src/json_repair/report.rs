//! Reports of repairs: what was replaced, where and why.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::redaction::Redactor;
use crate::text::replace_control_chars;

/// Maximum number of repairs that are described, and of further losses. The others are counted.
pub(super) const MAX_DESCRIBED: usize = 100;

/// A repair of a response body that is not valid JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// Location in the body, such as `data[1].threatInfo.threatName`. Indexes count null items.
    pub location: String,
    /// ID of the list item that contains the location, if the item has a readable one.
    pub item_id: Option<String>,
    /// Kind of the repair.
    pub kind: RepairKind,
    /// Position of the list item among those that are not null.
    pub(crate) item: Option<usize>,
}

/// The kind of a [`Repair`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepairKind {
    /// One half of a surrogate pair was replaced by U+FFFD.
    UnpairedSurrogate(u16),
    /// Bytes that are not UTF-8 were replaced by U+FFFD.
    InvalidUtf8,
    /// A control character, which JSON requires to be escaped, was escaped.
    ControlCharacter(u8),
    /// `NaN` or an infinity was replaced by null.
    NotANumber(String),
    /// A value outside of list items, which cannot be represented, was replaced by null or by U+FFFD. Holds the reason.
    Replaced(String),
    /// The list item was set apart. Holds the reason. [`Page::undecoded`](crate::Page::undecoded) has the text of the
    /// item; in [`Response::json`](crate::Response::json), the item is null.
    SetApart(String),
}

impl Repair {
    fn redact(&mut self, secrets: &Redactor<'_>) {
        self.location = secrets.redact(&self.location);
        self.item_id = self.item_id.take().map(|id| secrets.redact(&id));
        if let RepairKind::Replaced(reason) | RepairKind::SetApart(reason) = &mut self.kind {
            *reason = secrets.redact(reason);
        }
    }
}

impl RepairKind {
    /// Returns whether the repaired body lacks a value of the console: a [`Replaced`](Self::Replaced) one or an item
    /// that was [set apart](Self::SetApart).
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Replaced(_) | Self::SetApart(_))
    }
}

impl fmt::Display for RepairKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnpairedSurrogate(half) => {
                write!(f, "unpaired surrogate \\u{half:04x} replaced by U+FFFD")
            }
            Self::InvalidUtf8 => f.write_str("invalid UTF-8 replaced by U+FFFD"),
            Self::ControlCharacter(code) => write!(f, "control character U+{code:04X} escaped"),
            Self::NotANumber(token) => write!(f, "{token} replaced by null"),
            Self::Replaced(reason) => write!(f, "value replaced: {reason}"),
            Self::SetApart(reason) => write!(f, "item set apart: {reason}"),
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Text of the console must not control a terminal.
        f.write_str(&replace_control_chars(&self.location))?;
        if let Some(id) = &self.item_id {
            write!(f, " (ID {})", replace_control_chars(id))?;
        }
        write!(f, ": {}", replace_control_chars(&self.kind.to_string()))
    }
}

/// The repairs of one or more response bodies; empty for valid JSON. At most 100 repairs and then 100
/// [losses](RepairKind::is_loss) are described, one for each value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it states which parts of the response were changed"]
pub struct Repairs {
    pub(super) described: Vec<Repair>,
    omitted: u64,
    has_loss: bool,
}

impl Repairs {
    /// No repairs.
    pub(crate) const NONE: &'static Self = &Self { described: Vec::new(), omitted: 0, has_loss: false };

    /// Returns the described repairs, in the order of the bodies.
    pub fn iter(&self) -> std::slice::Iter<'_, Repair> {
        self.described.iter()
    }

    /// Returns whether nothing was repaired.
    pub fn is_empty(&self) -> bool {
        self.described.is_empty()
    }

    /// Returns the number of repairs that are not described.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Returns the readable IDs of the described items that are set apart.
    #[cfg(feature = "commands")]
    pub(crate) fn set_apart_ids(&self) -> impl Iterator<Item = &str> {
        let set_apart = self.iter().filter(|repair| matches!(repair.kind, RepairKind::SetApart(_)));
        set_apart.filter_map(|repair| repair.item_id.as_deref())
    }

    /// Returns whether a repair is a [loss](RepairKind::is_loss).
    pub fn has_loss(&self) -> bool {
        self.has_loss
    }

    pub(crate) fn push(&mut self, repair: Repair) {
        if self.describes(&repair.kind, 0) {
            self.has_loss |= repair.kind.is_loss();
            self.described.push(repair);
        } else {
            self.omit(&repair.kind);
        }
    }

    /// Returns whether another repair is described, after `pending` repairs that are not yet part of these.
    pub(super) fn describes(&self, kind: &RepairKind, pending: usize) -> bool {
        // A loss is named even if it is behind many values that were only replaced.
        let max = if kind.is_loss() { 2 * MAX_DESCRIBED } else { MAX_DESCRIBED };
        self.described.len() + pending < max
    }

    /// Adds repairs that are not described.
    pub(crate) fn add_omitted(&mut self, count: u64) {
        self.omitted += count;
    }

    pub(super) fn omit(&mut self, kind: &RepairKind) {
        self.omitted += 1;
        self.has_loss |= kind.is_loss();
    }

    /// Adds the repairs of another body.
    pub(crate) fn extend(&mut self, other: &Self) {
        other.iter().for_each(|repair| self.push(repair.clone()));
        self.omitted += other.omitted;
        self.has_loss |= other.has_loss;
    }

    pub(crate) fn redact(&mut self, secrets: &Redactor<'_>) {
        self.described.iter_mut().for_each(|repair| repair.redact(secrets));
    }
}

impl<'a> IntoIterator for &'a Repairs {
    type Item = &'a Repair;
    type IntoIter = std::slice::Iter<'a, Repair>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Collects the repairs of all responses of a client; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RepairLog(Arc<Mutex<Repairs>>);

impl RepairLog {
    pub(crate) fn add(&self, repairs: &Repairs) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(repairs);
    }

    /// Takes the repairs so far.
    #[cfg(feature = "commands")]
    pub(crate) fn take(&self) -> Repairs {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
