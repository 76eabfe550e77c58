//! Edits of the text of a query. All other bytes stay.

use super::span::Span;

/// A query in version 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The query in 2.0. It equals the input if [`changes`](Self::changes) is empty.
    pub text: String,
    /// The changes, in the order of the input.
    pub changes: Vec<Change>,
}

/// A change of a translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kind of part.
    pub kind: ChangeKind,
    /// The place in the input.
    pub span: Span,
    /// The part of the input.
    pub from: String,
    /// The part of 2.0, with `…` for the operands of an operator.
    pub to: String,
    /// A limit of the translation, such as a case that the sources disagree about.
    pub note: Option<&'static str>,
}

/// Kinds of parts that a translation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The name of a field.
    Name,
    /// An operator.
    Operator,
    /// A value.
    Value,
    /// A function of a power query.
    Function,
}

#[derive(Debug)]
pub(super) struct Edits<'t> {
    text: &'t str,
    edits: Vec<(Span, String)>,
    changes: Vec<Change>,
}

impl<'t> Edits<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, edits: Vec::new(), changes: Vec::new() }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Replaces a part of the input and lists the change.
    pub(super) fn change(&mut self, kind: ChangeKind, span: Span, to: &str, note: Option<&'static str>) {
        self.replace(span, to.to_owned());
        self.list(kind, span, to.to_owned(), note);
    }

    /// Lists a change whose edits are made with [`replace`](Self::replace) and [`insert`](Self::insert).
    pub(super) fn list(&mut self, kind: ChangeKind, span: Span, to: String, note: Option<&'static str>) {
        let from = span.slice(self.text).to_owned();
        self.changes.push(Change { kind, span, from, to, note });
    }

    pub(super) fn replace(&mut self, span: Span, to: String) {
        self.edits.push((span, to));
    }

    pub(super) fn insert(&mut self, offset: usize, text: &str) {
        self.replace(Span::at(offset), text.to_owned());
    }

    pub(super) fn finish(self) -> Translation {
        let Self { text, mut edits, changes } = self;
        // Insertions precede the replacement at the same offset; the sort keeps their order.
        edits.sort_by_key(|(span, _)| *span);
        let mut output = String::with_capacity(text.len() + 16 * edits.len());
        let mut done = 0;
        for (span, to) in edits {
            output.push_str(text.get(done..span.start).unwrap_or_default());
            output.push_str(&to);
            done = span.end;
        }
        output.push_str(text.get(done..).unwrap_or_default());
        Translation { text: output, changes }
    }
}
