//! Grammar of power queries: a filter and stages after `|`.

use super::ast::{Filter, Name};
use super::cursor::{Cursor, MAX_DEPTH};
use super::error::SyntaxError;
use super::parse::parse_part;
use super::span::Span;
use super::token::{Symbol, Token, TokenKind, tokens};

/// A power query.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerQuery {
    /// The filter before the first `|`.
    pub filter: Filter,
    /// The stages.
    pub stages: Vec<Stage>,
}

/// A stage of a power query.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// `filter f`: keeps the rows of a filter.
    Filter {
        /// The filter.
        filter: Filter,
        /// The place in the query.
        span: Span,
    },
    /// `columns a, b = c`: keeps and renames columns.
    Columns {
        /// The columns, at least one.
        columns: Vec<Column>,
        /// The place in the query.
        span: Span,
    },
    /// `group n = count() by a, b = c`: one row for each combination of values.
    Group {
        /// The functions, at least one.
        aggregates: Vec<Aggregate>,
        /// The columns after `by`. Without columns, the result has one row.
        by: Vec<Column>,
        /// The place in the query.
        span: Span,
    },
    /// `sort -a, +b`.
    Sort {
        /// The columns, at least one, the first one with precedence.
        keys: Vec<SortKey>,
        /// The place in the query.
        span: Span,
    },
    /// `limit n`.
    Limit {
        /// The maximum number of rows.
        rows: u64,
        /// The place in the query.
        span: Span,
    },
    /// A stage that this parser does not read.
    Unsupported(UnsupportedStage),
}

/// A stage that the parser does not read. Its quotes and parentheses are closed; its syntax is not checked otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct UnsupportedStage {
    /// The command, or the function if the command is supported.
    pub word: String,
    /// The place of the word.
    pub word_span: Span,
    /// The difference to the supported syntax, if the command is supported.
    pub detail: Option<SyntaxError>,
    /// The place in the query.
    pub span: Span,
}

impl UnsupportedStage {
    /// Returns whether the command reads rows that the filter before it does not select.
    pub fn reads_other_rows(&self) -> bool {
        LEADING_COMMANDS.iter().any(|command| self.word.eq_ignore_ascii_case(command))
    }
}

/// A column with a name of its own or that of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name before `=`, if there is one.
    pub alias: Option<Name>,
    /// The field or the column of an earlier stage.
    pub source: Name,
}

impl Column {
    /// Returns the name of the column in the result.
    pub fn name(&self) -> &str {
        &self.alias.as_ref().unwrap_or(&self.source).text
    }
}

/// A function over the rows of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// The name before `=`, if there is one.
    pub alias: Option<Name>,
    /// The function.
    pub function: AggregateFunction,
    /// The fields: none for `count`, two for `min_by` and `max_by`, one otherwise.
    pub arguments: Vec<Name>,
    /// The place of the function with its arguments.
    pub span: Span,
}

/// Functions over the rows of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// `count()`: number of rows.
    Count,
    /// `sum(a)`.
    Sum,
    /// `min(a)`.
    Min,
    /// `max(a)`.
    Max,
    /// `avg(a)`, `average(a)`.
    Average,
    /// `estimate_distinct(a)`: number of values.
    EstimateDistinct,
    /// `min_by(a, b)`: the value of `a` in the row with the lowest `b`.
    MinBy,
    /// `max_by(a, b)`: the value of `a` in the row with the highest `b`.
    MaxBy,
}

impl AggregateFunction {
    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" | "average" => Self::Average,
            "estimate_distinct" => Self::EstimateDistinct,
            "min_by" => Self::MinBy,
            "max_by" => Self::MaxBy,
            _ => return None,
        })
    }

    /// Returns the name in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Average => "avg",
            Self::EstimateDistinct => "estimate_distinct",
            Self::MinBy => "min_by",
            Self::MaxBy => "max_by",
        }
    }

    fn arity(self) -> usize {
        match self {
            Self::Count => 0,
            Self::MinBy | Self::MaxBy => 2,
            _ => 1,
        }
    }
}

/// A column of `sort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: Name,
    /// Whether the highest value is first: `-` precedes the column.
    pub is_descending: bool,
}

/// Commands that can begin a query instead of a filter.
const LEADING_COMMANDS: [&str; 8] =
    ["compare", "datasource", "dataset", "inputlookup", "join", "lookup", "savelookup", "union"];

/// Parses a power query of version 1.0 or 2.0. The filter before the first `|` can be missing.
///
/// Stages outside of the supported syntax become [`Stage::Unsupported`].
///
/// # Errors
///
/// Fails for an invalid filter before the first `|`, for a stage without a command, for quotes, comments and
/// parentheses that are not closed, and for more than 64 nested parentheses.
pub fn parse_power_query(text: &str) -> Result<PowerQuery, SyntaxError> {
    let tokens = tokens(text)?;
    let (filter, stages) = parse_tokens(text, &tokens)?;
    Ok(PowerQuery { filter, stages: stages.into_iter().map(|(stage, _)| stage).collect() })
}

/// Parses the tokens of a power query. Each stage has a cursor at its first token.
pub(super) fn parse_tokens<'t>(
    text: &'t str,
    tokens: &'t [Token],
) -> Result<(Filter, Vec<(Stage, Cursor<'t>)>), SyntaxError> {
    let mut parts = split(text, tokens)?.into_iter();
    let mut stages = Vec::new();
    let first = parts.next().unwrap_or(Cursor::new(text, tokens));
    let filter = match parse_part(first) {
        Ok(filter) => filter,
        Err(error) => match leading_stage(first) {
            Some((filter, stage)) => {
                stages.extend(stage.map(|stage| (Stage::Unsupported(stage), first)));
                filter
            }
            None => return Err(error),
        },
    };
    for part in parts {
        stages.push((stage(part)?, part));
    }
    Ok((filter, stages))
}

/// Splits tokens at each `|` outside of parentheses.
fn split<'t>(text: &'t str, tokens: &'t [Token]) -> Result<Vec<Cursor<'t>>, SyntaxError> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(Symbol::Open) if depth == MAX_DEPTH => {
                return Err(SyntaxError::new(text, token.span, "at most 64 nested parentheses"));
            }
            TokenKind::Symbol(Symbol::Open) => depth += 1,
            TokenKind::Symbol(Symbol::Close) if depth == 0 => {
                return Err(SyntaxError::new(text, token.span, "\"(\" before \")\""));
            }
            TokenKind::Symbol(Symbol::Close) => depth -= 1,
            TokenKind::Symbol(Symbol::Pipe) if depth == 0 => {
                parts.push(Cursor::part(text, tokens.get(start..index).unwrap_or_default(), Some(*token)));
                start = index + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(SyntaxError::new(text, Span::at(text.len()), "\")\""));
    }
    parts.push(Cursor::part(text, tokens.get(start..).unwrap_or_default(), None));
    Ok(parts)
}

/// Reads a query that begins with a command. Returns the filter and the command, unless it is `filter`.
fn leading_stage(mut cursor: Cursor<'_>) -> Option<(Filter, Option<UnsupportedStage>)> {
    let start = cursor.span();
    if cursor.take_keyword("filter").is_some() {
        return parse_part(cursor).ok().map(|filter| (filter, None));
    }
    let word = cursor.take_name()?;
    let is_command = LEADING_COMMANDS.iter().any(|command| word.text.eq_ignore_ascii_case(command));
    is_command.then(|| {
        let span = Span { start: start.start, end: last_end(cursor) };
        let stage = UnsupportedStage { word: word.text, word_span: word.span, detail: None, span };
        (Filter::Everything { span: Span::at(span.start) }, Some(stage))
    })
}

fn last_end(mut cursor: Cursor<'_>) -> usize {
    while !cursor.is_at_end() {
        cursor.advance();
    }
    cursor.previous_end()
}

fn stage(mut cursor: Cursor<'_>) -> Result<Stage, SyntaxError> {
    let span = Span { start: cursor.span().start, end: last_end(cursor) };
    let Some(command) = cursor.take_name() else {
        return Err(cursor.error("a command after \"|\""));
    };
    let stage = match command.text.to_ascii_lowercase().as_str() {
        "filter" if !cursor.is_at_end() => {
            parse_part(cursor).map(|filter| Stage::Filter { filter, span }).map_err(Gap::from)
        }
        "columns" => columns(&mut cursor).map(|columns| Stage::Columns { columns, span }),
        "group" => group(&mut cursor, span),
        "sort" => sort(&mut cursor).map(|keys| Stage::Sort { keys, span }),
        "limit" => limit(&mut cursor).map(|rows| Stage::Limit { rows, span }),
        _ => Err(Gap { function: None, detail: None }),
    };
    Ok(stage.unwrap_or_else(|gap| {
        let word = gap.function.unwrap_or(command);
        Stage::Unsupported(UnsupportedStage {
            word: word.text,
            word_span: word.span,
            detail: gap.detail.map(|error| *error),
            span,
        })
    }))
}

/// A difference to the supported syntax.
struct Gap {
    function: Option<Name>,
    detail: Option<Box<SyntaxError>>,
}

impl From<SyntaxError> for Gap {
    fn from(error: SyntaxError) -> Self {
        Self { function: None, detail: Some(Box::new(error)) }
    }
}

/// Reads columns up to the end.
fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<Column>, Gap> {
    let mut columns = Vec::new();
    loop {
        let alias = alias(cursor);
        let Some(source) = cursor.take_name() else { return Err(cursor.error("a column").into()) };
        if cursor.is_symbol_at(0, Symbol::Open) {
            let detail = Some(Box::new(cursor.error("a column without a function")));
            return Err(Gap { function: Some(source), detail });
        }
        columns.push(Column { alias, source });
        if cursor.is_at_end() {
            return Ok(columns);
        }
        if cursor.take_symbol(Symbol::Comma).is_none() {
            return Err(cursor.error("\",\" or the end of the stage").into());
        }
    }
}

/// Reads a name before `=`.
fn alias(cursor: &mut Cursor<'_>) -> Option<Name> {
    if !cursor.is_symbol_at(1, Symbol::Equal) {
        return None;
    }
    let name = cursor.take_name()?;
    cursor.advance();
    Some(name)
}

fn group(cursor: &mut Cursor<'_>, span: Span) -> Result<Stage, Gap> {
    let mut aggregates = Vec::new();
    loop {
        aggregates.push(aggregate(cursor)?);
        if cursor.take_symbol(Symbol::Comma).is_some() {
            continue;
        }
        if cursor.is_at_end() {
            return Ok(Stage::Group { aggregates, by: Vec::new(), span });
        }
        if cursor.take_keyword("by").is_some() {
            return Ok(Stage::Group { aggregates, by: columns(cursor)?, span });
        }
        return Err(cursor.error("\",\", \"by\" or the end of the stage").into());
    }
}

fn aggregate(cursor: &mut Cursor<'_>) -> Result<Aggregate, Gap> {
    let alias = alias(cursor);
    let Some(word) = cursor.take_name() else { return Err(cursor.error("a function").into()) };
    if cursor.take_symbol(Symbol::Open).is_none() {
        return Err(cursor.error("\"(\" after the function").into());
    }
    let Some(function) = AggregateFunction::of(&word.text) else {
        return Err(Gap { function: Some(word), detail: None });
    };
    let mut arguments = Vec::new();
    let error = loop {
        if arguments.len() == function.arity() {
            if cursor.take_symbol(Symbol::Close).is_some() {
                let span = Span { start: word.span.start, end: cursor.previous_end() };
                return Ok(Aggregate { alias, function, arguments, span });
            }
            break cursor.error("\")\"");
        }
        if !arguments.is_empty() && cursor.take_symbol(Symbol::Comma).is_none() {
            break cursor.error("\",\"");
        }
        match cursor.take_name() {
            Some(name) => arguments.push(name),
            None => break cursor.error("a field"),
        }
    };
    Err(Gap { function: Some(word), detail: Some(Box::new(error)) })
}

fn sort(cursor: &mut Cursor<'_>) -> Result<Vec<SortKey>, Gap> {
    let mut keys = Vec::new();
    loop {
        let is_descending = cursor.take_symbol(Symbol::Minus).is_some();
        if !is_descending {
            cursor.take_symbol(Symbol::Plus);
        }
        let Some(column) = cursor.take_name() else { return Err(cursor.error("a column").into()) };
        keys.push(SortKey { column, is_descending });
        if cursor.is_at_end() {
            return Ok(keys);
        }
        if cursor.take_symbol(Symbol::Comma).is_none() {
            return Err(cursor.error("\",\" or the end of the stage").into());
        }
    }
}

fn limit(cursor: &mut Cursor<'_>) -> Result<u64, Gap> {
    let error = cursor.error("a whole number of rows");
    let rows = cursor.peek().and_then(|token| token.span.slice(cursor.text()).parse().ok());
    cursor.advance();
    match rows {
        Some(rows) if cursor.is_at_end() => Ok(rows),
        Some(_) => Err(cursor.error("the end of the stage").into()),
        None => Err(error.into()),
    }
}
