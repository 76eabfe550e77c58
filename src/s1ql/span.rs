//! Ranges in the text of a query.

use std::ops::Range;

/// A range of bytes in the text of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the span of an empty text at `offset`.
    pub fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// Returns the smallest span with both spans.
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Returns the part of `text` in this span. It is empty if `text` is not the text of this span.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A place in a text, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Line, counted from 1.
    pub(super) line: usize,
    /// Column in characters, counted from 1.
    pub(super) column: usize,
    /// Whether the text has more than one line.
    pub(super) has_lines: bool,
}

impl Position {
    /// Returns the place of a byte offset.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            has_lines: text.contains('\n'),
        }
    }

    /// Returns the place in words, such as `column 14` or `line 2, column 3`.
    pub(super) fn label(&self) -> String {
        if self.has_lines {
            format!("line {}, column {}", self.line, self.column)
        } else {
            format!("column {}", self.column)
        }
    }

    /// Returns the line of this place with a caret below each character of `span`.
    pub(super) fn render(&self, text: &str, span: Span) -> String {
        let line = text.split('\n').nth(self.line - 1).unwrap_or_default();
        // A tab or another control character has no width of its own, so that the carets stand below the span.
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let width = span.slice(text).split('\n').next().unwrap_or_default().chars().count().max(1);
        format!("{line}\n{}{}", " ".repeat(self.column - 1), "^".repeat(width))
    }
}
