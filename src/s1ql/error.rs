//! Errors of queries.

use std::fmt;

use super::span::{Position, Span};

/// Longest excerpt of a query in a message, in characters.
const MAX_EXCERPT: usize = 40;

/// Remedy for a string that ends in a backslash, which some published queries of 1.0 have.
pub(super) const BACKSLASH_HELP: &str =
    "a backslash before a quote makes it a part of the string; write \"\\\\\" for a backslash at the end";

/// An error in the syntax of a query.
///
/// The message names the place, the text found there and the text that is allowed, in one line:
///
/// ```
/// use sentinelone::s1ql;
///
/// let error = s1ql::parse_filter("endpoint.name || 1").unwrap_err();
/// assert_eq!(error.to_string(), "column 15: found \"||\"; expected an operator");
/// assert_eq!(error.render("endpoint.name || 1"), "endpoint.name || 1\n              ^^");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    span: Span,
    position: Position,
    found: String,
    expected: &'static str,
    help: Option<&'static str>,
}

impl SyntaxError {
    pub(super) fn new(text: &str, span: Span, expected: &'static str) -> Self {
        let found = match span.slice(text) {
            "" => "the end of the query".to_owned(),
            found => quoted(found),
        };
        Self { span, position: Position::of(text, span.start), found, expected, help: None }
    }

    pub(super) fn with_found(mut self, found: &str) -> Self {
        found.clone_into(&mut self.found);
        self
    }

    pub(super) fn with_help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// Returns the place in the query. It is empty at the end of the query.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Returns the line, counted from 1.
    pub fn line(&self) -> usize {
        self.position.line
    }

    /// Returns the column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.position.column
    }

    /// Returns the text found, in quotes and cut off after 40 characters, or a description of it.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// Returns the text that is allowed, in words.
    pub fn expected(&self) -> &str {
        self.expected
    }

    /// Returns the remedy, if there is one for this error.
    pub fn help(&self) -> Option<&str> {
        self.help
    }

    /// Returns the line of the error with carets below the place. `text` is the text of the query.
    pub fn render(&self, text: &str) -> String {
        self.position.render(text, self.span)
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; expected {}", self.position.label(), self.found, self.expected)
    }
}

impl std::error::Error for SyntaxError {}

/// A query that is not translated: its syntax is invalid, or a part has no equal in 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranslationError(Repr);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Repr {
    Syntax(SyntaxError),
    Refused { span: Span, position: Position, reason: String, help: String },
}

impl TranslationError {
    pub(super) fn refused(text: &str, span: Span, reason: String, help: String) -> Self {
        Self(Repr::Refused { span, position: Position::of(text, span.start), reason, help })
    }

    /// Returns the place in the query.
    pub fn span(&self) -> Span {
        match &self.0 {
            Repr::Syntax(error) => error.span(),
            Repr::Refused { span, .. } => *span,
        }
    }

    /// Returns the error of the syntax, or `None` if the query is valid but a part has no translation.
    pub fn syntax_error(&self) -> Option<&SyntaxError> {
        match &self.0 {
            Repr::Syntax(error) => Some(error),
            Repr::Refused { .. } => None,
        }
    }

    /// Returns the remedy, if there is one for this error.
    pub fn help(&self) -> Option<&str> {
        match &self.0 {
            Repr::Syntax(error) => error.help(),
            Repr::Refused { help, .. } => Some(help),
        }
    }

    /// Returns the line of the error with carets below the place. `text` is the text of the query.
    pub fn render(&self, text: &str) -> String {
        match &self.0 {
            Repr::Syntax(error) => error.render(text),
            Repr::Refused { span, position, .. } => position.render(text, *span),
        }
    }
}

impl From<SyntaxError> for TranslationError {
    fn from(error: SyntaxError) -> Self {
        Self(Repr::Syntax(error))
    }
}

impl fmt::Display for TranslationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Syntax(error) => write!(f, "{error}"),
            Repr::Refused { position, reason, .. } => write!(f, "{}: {reason}", position.label()),
        }
    }
}

impl std::error::Error for TranslationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Repr::Syntax(error) => Some(error),
            Repr::Refused { .. } => None,
        }
    }
}

/// Returns a part of a query for a message: in double quotes, on one line, and cut off.
pub(super) fn quoted(part: &str) -> String {
    let mut excerpt = String::from("\"");
    for (index, c) in part.chars().enumerate() {
        if index == MAX_EXCERPT {
            excerpt.push('…');
            break;
        }
        if c.is_control() {
            excerpt.extend(c.escape_default());
        } else {
            excerpt.push(c);
        }
    }
    excerpt.push('"');
    excerpt
}
