//! Grammar of filters.

use super::ast::{Comparison, Filter, Value, ValueKind};
use super::cursor::{Cursor, MAX_DEPTH};
use super::error::SyntaxError;
use super::operator::{Operands, Operator, PHRASES};
use super::span::Span;
use super::text::Text;
use super::token::{Symbol, TokenKind, tokens};

/// Parses a filter of version 1.0 or 2.0. An empty text is [`Filter::Everything`].
///
/// # Errors
///
/// Fails for invalid syntax and for more than 64 nested parentheses and negations. A `|` is an error: a power query has
/// its own function, [`parse_power_query`](super::parse_power_query).
pub fn parse_filter(text: &str) -> Result<Filter, SyntaxError> {
    let tokens = tokens(text)?;
    parse_part(Cursor::new(text, &tokens))
}

/// Parses all tokens of a cursor as a filter.
pub(super) fn parse_part(mut cursor: Cursor<'_>) -> Result<Filter, SyntaxError> {
    if cursor.is_at_end() {
        return Ok(Filter::Everything { span: cursor.span() });
    }
    let filter = or(&mut cursor, 0)?;
    if cursor.is_symbol_at(0, Symbol::Pipe) {
        let error = cursor.error("\"and\", \"or\" or the end of the filter");
        return Err(error.with_help("a query with \"|\" is a power query, not a filter"));
    }
    if !cursor.is_at_end() {
        return Err(cursor.error("\"and\", \"or\" or the end of the filter"));
    }
    Ok(filter)
}

fn or(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let start = cursor.span().start;
    let first = and(cursor, depth)?;
    let mut terms = vec![first];
    while cursor.take_symbol(Symbol::Or).or_else(|| cursor.take_keyword("or")).is_some() {
        terms.push(and(cursor, depth)?);
    }
    Ok(joined(terms, start, cursor, |terms, span| Filter::Or { terms, span }))
}

fn and(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let start = cursor.span().start;
    let first = not(cursor, depth)?;
    let mut terms = vec![first];
    loop {
        let has_keyword = cursor.take_symbol(Symbol::And).or_else(|| cursor.take_keyword("and")).is_some();
        if !has_keyword && !begins_term(cursor) {
            break;
        }
        terms.push(not(cursor, depth)?);
    }
    Ok(joined(terms, start, cursor, |terms, span| Filter::And { terms, span }))
}

fn joined(
    mut terms: Vec<Filter>,
    start: usize,
    cursor: &Cursor<'_>,
    join: impl FnOnce(Vec<Filter>, Span) -> Filter,
) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        last => {
            terms.extend(last);
            join(terms, Span { start, end: cursor.previous_end() })
        }
    }
}

/// Returns whether the next token begins a term, which is then joined by `and`.
fn begins_term(cursor: &Cursor<'_>) -> bool {
    match cursor.peek().map(|token| token.kind) {
        Some(TokenKind::Word) => !cursor.is_keyword_at(0, "or"),
        Some(TokenKind::Text) => true,
        Some(TokenKind::Symbol(symbol)) => matches!(symbol, Symbol::Open | Symbol::Not | Symbol::Star),
        Some(TokenKind::Number) | None => false,
    }
}

fn not(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let start = cursor.span().start;
    let has_keyword = cursor.is_keyword_at(0, "not");
    if !has_keyword && !cursor.is_symbol_at(0, Symbol::Not) {
        return term(cursor, depth);
    }
    check_depth(cursor, depth)?;
    cursor.advance();
    let term = not(cursor, depth + 1)?;
    Ok(Filter::Not { term: Box::new(term), span: Span { start, end: cursor.previous_end() } })
}

fn check_depth(cursor: &Cursor<'_>, depth: usize) -> Result<(), SyntaxError> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    Err(cursor.error("at most 64 nested parentheses and negations"))
}

fn term(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    const EXPECTED: &str = "a field, a string, \"*\", \"not\" or \"(\"";
    let Some(token) = cursor.peek() else { return Err(cursor.error(EXPECTED)) };
    match token.kind {
        TokenKind::Symbol(Symbol::Open) => {
            check_depth(cursor, depth)?;
            cursor.advance();
            let filter = or(cursor, depth + 1)?;
            if cursor.take_symbol(Symbol::Close).is_none() {
                return Err(cursor.error("\"and\", \"or\" or \")\""));
            }
            Ok(filter)
        }
        TokenKind::Symbol(Symbol::Star) => {
            cursor.advance();
            Ok(Filter::Everything { span: token.span })
        }
        TokenKind::Text => {
            cursor.advance();
            Ok(Filter::Text(Text::new(token.span.slice(cursor.text()), token.span)))
        }
        TokenKind::Word if !cursor.is_keyword_at(0, "and") && !cursor.is_keyword_at(0, "or") => {
            comparison(cursor)
        }
        _ => Err(cursor.error(EXPECTED)),
    }
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<Filter, SyntaxError> {
    let Some(field) = cursor.take_name() else { return Err(cursor.error("a field")) };
    let operator_start = cursor.span().start;
    let is_negated = cursor.is_symbol_at(0, Symbol::Not)
        && ["contains", "in", "matches"].iter().any(|keyword| cursor.is_keyword_at(1, keyword));
    if is_negated {
        cursor.advance();
    }
    let operator = operator(cursor)?;
    let operator_span = Span { start: operator_start, end: cursor.previous_end() };
    let (mut values, mut list, mut range_and) = (Vec::new(), None, None);
    match operator.operands() {
        Operands::None => {}
        Operands::One => values.push(value(cursor)?),
        Operands::Text => {
            if cursor.peek().is_none_or(|token| token.kind != TokenKind::Text) {
                return Err(cursor.error("a string"));
            }
            values.push(value(cursor)?);
        }
        Operands::OneOrList if cursor.is_symbol_at(0, Symbol::Open) => {
            list = Some(value_list(cursor, &mut values)?);
        }
        Operands::OneOrList => values.push(value(cursor)?),
        Operands::Range => {
            values.push(value(cursor)?);
            range_and = cursor.take_keyword("and");
            if range_and.is_none() {
                return Err(cursor.error("\"and\" and the end of the range"));
            }
            values.push(value(cursor)?);
        }
    }
    let span = Span { start: field.span.start, end: cursor.previous_end() };
    Ok(Filter::Comparison(Comparison {
        field,
        operator,
        operator_span,
        is_negated,
        values,
        list,
        range_and,
        span,
    }))
}

fn operator(cursor: &mut Cursor<'_>) -> Result<Operator, SyntaxError> {
    let symbol = match cursor.peek().map(|token| token.kind) {
        Some(TokenKind::Symbol(Symbol::Equal)) => Some(Operator::Equal),
        Some(TokenKind::Symbol(Symbol::EqualEqual)) => Some(Operator::EqualMatchCase),
        Some(TokenKind::Symbol(Symbol::NotEqual)) => Some(Operator::NotEqual),
        Some(TokenKind::Symbol(Symbol::Less)) => Some(Operator::Less),
        Some(TokenKind::Symbol(Symbol::LessOrEqual)) => Some(Operator::LessOrEqual),
        Some(TokenKind::Symbol(Symbol::Greater)) => Some(Operator::Greater),
        Some(TokenKind::Symbol(Symbol::GreaterOrEqual)) => Some(Operator::GreaterOrEqual),
        _ => None,
    };
    if let Some(operator) = symbol {
        cursor.advance();
        return Ok(operator);
    }
    let is_next = |words: &&[&str]| {
        words.iter().enumerate().all(|(index, keyword)| cursor.is_keyword_at(index, keyword))
    };
    let Some((words, operator)) = PHRASES.iter().find(|(words, _)| is_next(words)) else {
        return Err(cursor.error("an operator"));
    };
    for _ in *words {
        cursor.advance();
    }
    // `contains:anycase` has no whitespace.
    if !cursor.is_symbol_at(0, Symbol::Colon) || cursor.span().start != cursor.previous_end() {
        return Ok(*operator);
    }
    cursor.advance();
    let suffix = cursor.span().slice(cursor.text());
    match operator.with_suffix(suffix) {
        Some(operator) if cursor.span().start == cursor.previous_end() => {
            cursor.advance();
            Ok(operator)
        }
        _ => Err(cursor
            .error("\"anycase\" or \"matchcase\" directly after \"contains:\", \"in:\" or \"matches:\"")),
    }
}

fn value_list(cursor: &mut Cursor<'_>, values: &mut Vec<Value>) -> Result<Span, SyntaxError> {
    let open = cursor.span();
    cursor.advance();
    loop {
        values.push(value(cursor)?);
        if let Some(close) = cursor.take_symbol(Symbol::Close) {
            return Ok(open.cover(close));
        }
        if cursor.take_symbol(Symbol::Comma).is_none() {
            return Err(cursor.error("\",\" or \")\""));
        }
    }
}

fn value(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    const EXPECTED: &str = "a string in quotes, a number, true, false, null or \"*\"";
    let text = cursor.text();
    let Some(token) = cursor.peek() else { return Err(cursor.error(EXPECTED)) };
    let (kind, span) = match token.kind {
        TokenKind::Text => (ValueKind::Text(Text::new(token.span.slice(text), token.span)), token.span),
        TokenKind::Number => (number(token.span.slice(text)), token.span),
        TokenKind::Symbol(Symbol::Minus | Symbol::Plus) => match cursor.peek_at(1) {
            Some(digits) if digits.kind == TokenKind::Number && digits.span.start == token.span.end => {
                cursor.advance();
                let span = token.span.cover(digits.span);
                (number(span.slice(text)), span)
            }
            _ => return Err(cursor.error(EXPECTED)),
        },
        TokenKind::Symbol(Symbol::Star) => (ValueKind::Wildcard, token.span),
        TokenKind::Word if cursor.is_keyword_at(0, "true") => (ValueKind::Boolean(true), token.span),
        TokenKind::Word if cursor.is_keyword_at(0, "false") => (ValueKind::Boolean(false), token.span),
        TokenKind::Word if cursor.is_keyword_at(0, "null") => (ValueKind::Null, token.span),
        _ => return Err(cursor.error(EXPECTED)),
    };
    cursor.advance();
    Ok(Value { kind, span })
}

fn number(raw: &str) -> ValueKind {
    // The lexer accepts decimal digits only, which always parse.
    ValueKind::Number { raw: raw.to_owned(), value: raw.parse().unwrap_or_default() }
}
