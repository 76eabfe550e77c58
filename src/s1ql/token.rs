//! Tokens of a query.

use winnow::combinator::{alt, peek, preceded, repeat};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, none_of, one_of, take_till, take_until, take_while};

use super::error::{BACKSLASH_HELP, SyntaxError};
use super::span::Span;

/// A token with its place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword: letters, digits, `_` and `.`, and `#` or `$` at the beginning.
    Word,
    /// Digits, with at most one decimal point.
    Number,
    /// A string in single or double quotes.
    Text,
    /// An operator or another character.
    Symbol(Symbol),
}

/// Symbols that the grammars use; all other characters are [`Symbol::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    Equal,
    EqualEqual,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Not,
    And,
    Or,
    Pipe,
    Open,
    Close,
    Comma,
    Colon,
    Star,
    Plus,
    Minus,
    Other,
}

type Input<'t> = LocatingSlice<&'t str>;

/// Splits a query into tokens. Whitespace and comments are skipped.
///
/// # Errors
///
/// Fails for a string or a comment that is not closed.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut input = LocatingSlice::new(text);
    let mut tokens = Vec::new();
    loop {
        if space(&mut input).is_err() {
            let start = text.len() - input.len();
            let found = "a comment that is not closed";
            return Err(SyntaxError::new(text, Span { start, end: start + 2 }, "\"*/\"").with_found(found));
        }
        if input.is_empty() {
            return Ok(tokens);
        }
        let start = text.len() - input.len();
        match token(&mut input) {
            Ok(token) => tokens.push(token),
            // Only a string can fail: each other character is a token.
            Err(_) => {
                let error = SyntaxError::new(text, Span { start, end: start + 1 }, "a closing quote")
                    .with_found("a string that is not closed")
                    .with_help(BACKSLASH_HELP);
                return Err(error);
            }
        }
    }
}

fn space(input: &mut Input<'_>) -> ModalResult<()> {
    loop {
        take_while(0.., char::is_whitespace).void().parse_next(input)?;
        if input.starts_with("//") {
            take_till(0.., '\n').void().parse_next(input)?;
        } else if input.starts_with("/*") {
            let comment = ("/*", take_until(0.., "*/"), "*/");
            // The input stays before a comment that is not closed, for the place of the error.
            let checkpoint = *input;
            if comment.void().parse_next(input).map_err(|error: ErrMode<ContextError>| error).is_err() {
                *input = checkpoint;
                return Err(ErrMode::Cut(ContextError::new()));
            }
        } else {
            return Ok(());
        }
    }
}

fn token(input: &mut Input<'_>) -> ModalResult<Token> {
    let (kind, range) = match peek(any).parse_next(input)? {
        '"' | '\'' => string.with_span().parse_next(input)?,
        _ => alt((word, symbol)).with_span().parse_next(input)?,
    };
    Ok(Token { kind, span: range.into() })
}

fn string(input: &mut Input<'_>) -> ModalResult<TokenKind> {
    let quote = one_of(['"', '\'']).parse_next(input)?;
    let escaped = preceded('\\', any);
    let part = alt((escaped, none_of([quote, '\\'])));
    (repeat::<_, _, (), _, _>(0.., part), quote).void().parse_next(input)?;
    Ok(TokenKind::Text)
}

fn word(input: &mut Input<'_>) -> ModalResult<TokenKind> {
    let first = |c: char| is_word_char(c) || matches!(c, '#' | '$');
    let word = (one_of(first), take_while(0.., is_word_char)).take().parse_next(input)?;
    Ok(if is_number(word) { TokenKind::Number } else { TokenKind::Word })
}

fn symbol(input: &mut Input<'_>) -> ModalResult<TokenKind> {
    let symbol = alt((
        "==".value(Symbol::EqualEqual),
        "!=".value(Symbol::NotEqual),
        "<=".value(Symbol::LessOrEqual),
        ">=".value(Symbol::GreaterOrEqual),
        "&&".value(Symbol::And),
        "||".value(Symbol::Or),
        any.map(|c| match c {
            '=' => Symbol::Equal,
            '<' => Symbol::Less,
            '>' => Symbol::Greater,
            '!' => Symbol::Not,
            '|' => Symbol::Pipe,
            '(' => Symbol::Open,
            ')' => Symbol::Close,
            ',' => Symbol::Comma,
            ':' => Symbol::Colon,
            '*' => Symbol::Star,
            '+' => Symbol::Plus,
            '-' => Symbol::Minus,
            _ => Symbol::Other,
        }),
    ));
    symbol.map(TokenKind::Symbol).parse_next(input)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

fn is_number(word: &str) -> bool {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}
