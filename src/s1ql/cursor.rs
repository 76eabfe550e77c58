//! Position in the tokens of a query.

use super::ast::Name;
use super::error::{BACKSLASH_HELP, SyntaxError};
use super::span::Span;
use super::token::{Symbol, Token, TokenKind};

/// Maximum nesting of parentheses and negations. It bounds the recursion of the parser and of visitors.
pub(super) const MAX_DEPTH: usize = 64;

/// Reads tokens from first to last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// Offset after the last token, for errors at the end.
    end: usize,
    /// End of the token read last.
    previous_end: usize,
    /// First token after the part, if it is not the end of the query.
    next: Option<Token>,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, tokens: &'t [Token]) -> Self {
        Self { text, tokens, end: text.len(), previous_end: 0, next: None }
    }

    /// Returns a cursor over a part of the tokens; `next` is the token after them.
    pub(super) fn part(text: &'t str, tokens: &'t [Token], next: Option<Token>) -> Self {
        let end = next.map_or(text.len(), |token| token.span.start);
        let start = tokens.first().map_or(end, |token| token.span.start);
        Self { text, tokens, end, previous_end: start, next }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.first().copied()
    }

    pub(super) fn peek_at(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Returns the place of the next token, or the end.
    pub(super) fn span(&self) -> Span {
        self.peek().map_or(Span::at(self.end), |token| token.span)
    }

    pub(super) fn previous_end(&self) -> usize {
        self.previous_end
    }

    pub(super) fn advance(&mut self) {
        if let Some((first, rest)) = self.tokens.split_first() {
            self.previous_end = first.span.end;
            self.tokens = rest;
        }
    }

    /// Returns whether the token at `index` is this keyword.
    pub(super) fn is_keyword_at(&self, index: usize, keyword: &str) -> bool {
        self.peek_at(index).is_some_and(|token| {
            token.kind == TokenKind::Word && token.span.slice(self.text).eq_ignore_ascii_case(keyword)
        })
    }

    pub(super) fn take_keyword(&mut self, keyword: &str) -> Option<Span> {
        let span = self.span();
        self.is_keyword_at(0, keyword).then(|| {
            self.advance();
            span
        })
    }

    pub(super) fn is_symbol_at(&self, index: usize, symbol: Symbol) -> bool {
        self.peek_at(index).is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    }

    pub(super) fn take_symbol(&mut self, symbol: Symbol) -> Option<Span> {
        let span = self.span();
        self.is_symbol_at(0, symbol).then(|| {
            self.advance();
            span
        })
    }

    pub(super) fn take_name(&mut self) -> Option<Name> {
        let token = self.peek().filter(|token| token.kind == TokenKind::Word)?;
        self.advance();
        Some(Name { text: token.span.slice(self.text).to_owned(), span: token.span })
    }

    /// Returns an error at the next token.
    pub(super) fn error(&self, expected: &'static str) -> SyntaxError {
        let next = self.peek().or(self.next);
        let span = next.map_or(Span::at(self.end), |token| token.span);
        let error = SyntaxError::new(self.text, span, expected);
        if span.slice(self.text) == "\\" { error.with_help(BACKSLASH_HELP) } else { error }
    }
}
