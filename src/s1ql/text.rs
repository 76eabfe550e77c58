//! Strings: their values in both versions, and their form in 2.0.

use super::span::Span;

/// A string of a query.
///
/// The versions read a backslash differently. In 2.0 it escapes itself, a quote and a slash, and is a character before
/// all others. In 1.0 it escapes the quote of the string only. Source: published converter, which doubles each backslash
/// of a 1.0 string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    /// The string as written, with its quotes.
    pub raw: String,
    /// The value in 2.0.
    pub value: String,
    /// The place in the query.
    pub span: Span,
}

impl Text {
    pub(super) fn new(raw: &str, span: Span) -> Self {
        let value = unescape(raw, |c, _| matches!(c, '\\' | '"' | '\'' | '/'));
        Self { raw: raw.to_owned(), value, span }
    }

    /// Returns the value in 1.0, where `\` is a character unless it precedes the quote of the string.
    pub fn version_1_value(&self) -> String {
        unescape(&self.raw, |c, quote| c == quote)
    }
}

/// Removes the quotes, and the backslash of each pair that `is_escape` accepts.
fn unescape(raw: &str, is_escape: impl Fn(char, char) -> bool) -> String {
    let mut chars = raw.chars();
    let Some(quote) = chars.next() else { return String::new() };
    chars.next_back();
    let mut value = String::with_capacity(raw.len());
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some(escaped) if is_escape(escaped, quote) => value.push(escaped),
            next => {
                value.push('\\');
                value.extend(next);
            }
        }
    }
    value
}

/// Returns a string of 2.0 for a value, or `None` for a value with both kinds of quotes.
///
/// The quotes of `raw` are kept if the value does not contain them. A slash is escaped outside of patterns only.
pub(super) fn write_text(value: &str, raw: &str, is_pattern: bool) -> Option<String> {
    let quote = match (value.contains('"'), value.contains('\'')) {
        (true, true) => return None,
        (true, false) => '\'',
        (false, true) => '"',
        (false, false) => raw.chars().next().unwrap_or('"'),
    };
    let mut text = String::with_capacity(value.len() + 2);
    text.push(quote);
    for c in value.chars() {
        if c == '\\' || (c == '/' && !is_pattern) {
            text.push('\\');
        }
        text.push(c);
    }
    text.push(quote);
    Some(text)
}

/// Returns a regular expression that matches `value` itself.
pub(super) fn pattern_of(value: &str) -> String {
    let mut pattern = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
