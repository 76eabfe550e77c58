//! Translation of power queries.

use super::ast::{Filter, Name};
use super::cursor::Cursor;
use super::edits::{ChangeKind, Edits, Translation};
use super::error::{TranslationError, quoted};
use super::names::{LowerCase, Resolution, resolve};
use super::pipeline::{Stage, parse_tokens};
use super::span::Span;
use super::token::{Symbol, TokenKind, tokens};
use super::translate::Context;
use super::versions::lower_case;

/// Percentiles that 2.0 has as functions. Source: published skill of the vendor.
const PERCENTILES: [(&str, &str); 3] = [("50", "p50"), ("95", "p95"), ("99", "p99")];

/// Translates a power query to 2.0. A query of 2.0 keeps all bytes, except for `= null` and the functions below.
///
/// Filters are translated as by [`translate`](super::translate()); a comparison with `null` becomes `!(… = *)`. In other
/// stages names of fields are translated, unless an earlier stage defines a column of that name. `count_distinct`
/// becomes `estimate_distinct`, and `percentile(x, 95)` becomes `p95(x)`. All else stays.
///
/// # Errors
///
/// Fails as [`translate`](super::translate()) and [`parse_power_query`](super::parse_power_query), for `first` and `last`,
/// for percentiles other than 50, 95 and 99, and for a `filter` stage with names of 1.0 that cannot be read.
pub fn translate_power_query(text: &str) -> Result<Translation, TranslationError> {
    let tokens = tokens(text)?;
    let (filter, stages) = parse_tokens(text, &tokens)?;
    let mut edits = Edits::new(text);
    let mut context =
        Context { lower_case: lower_case_of(&filter, &stages), replaces_null: true, ..Context::default() };
    context.filter(&filter, &mut edits)?;
    for (stage, cursor) in &stages {
        match stage {
            Stage::Filter { filter, .. } => context.filter(filter, &mut edits)?,
            stage => StageTokens { stage, context: &mut context }.translate(*cursor, &mut edits)?,
        }
    }
    Ok(edits.finish())
}

fn lower_case_of(filter: &Filter, stages: &[(Stage, Cursor<'_>)]) -> LowerCase {
    let mut filters = vec![filter];
    let mut has_name = false;
    for (stage, cursor) in stages {
        match stage {
            Stage::Filter { filter, .. } => filters.push(filter),
            _ => has_name = has_name || has_version_1_name(*cursor),
        }
    }
    if has_name { LowerCase::Version1 } else { lower_case(&filters) }
}

/// Returns whether a stage has a name of 1.0 that it does not define.
fn has_version_1_name(mut cursor: Cursor<'_>) -> bool {
    cursor.advance();
    while let Some(token) = cursor.peek() {
        let is_defined = cursor.is_symbol_at(1, Symbol::Equal) || cursor.is_symbol_at(1, Symbol::Open);
        let name = token.span.slice(cursor.text());
        if token.kind == TokenKind::Word
            && !is_defined
            && matches!(resolve(name, LowerCase::Version2), Resolution::Version1 { is_exact: true, .. })
        {
            return true;
        }
        cursor.advance();
    }
    false
}

/// Translates the tokens of a stage that is not a filter.
struct StageTokens<'s> {
    stage: &'s Stage,
    context: &'s mut Context,
}

impl StageTokens<'_> {
    fn translate(&mut self, mut cursor: Cursor<'_>, edits: &mut Edits<'_>) -> Result<(), TranslationError> {
        self.check_filter(cursor, edits.text())?;
        let is_group = cursor.is_keyword_at(0, "group");
        let is_filter = cursor.is_keyword_at(0, "filter");
        cursor.advance();
        let mut depth = 0_usize;
        while let Some(token) = cursor.peek() {
            match token.kind {
                TokenKind::Symbol(Symbol::Open) => depth += 1,
                TokenKind::Symbol(Symbol::Close) => depth = depth.saturating_sub(1),
                TokenKind::Word if cursor.is_symbol_at(1, Symbol::Open) => function(cursor, edits)?,
                TokenKind::Word => {
                    let text = token.span.slice(cursor.text()).to_owned();
                    let is_definition = depth == 0 && !is_filter && cursor.is_symbol_at(1, Symbol::Equal);
                    let is_keyword = is_group && depth == 0 && cursor.is_keyword_at(0, "by");
                    if is_definition {
                        self.context.columns.insert(text);
                    } else if !is_keyword {
                        self.name(&Name { text, span: token.span }, edits)?;
                    }
                }
                _ => {}
            }
            cursor.advance();
        }
        self.context.has_unread_columns |= matches!(self.stage, Stage::Unsupported(_)) && !is_filter;
        Ok(())
    }

    fn name(&self, name: &Name, edits: &mut Edits<'_>) -> Result<(), TranslationError> {
        let is_read = !matches!(self.stage, Stage::Unsupported(_));
        if is_read || self.is_version_1(&name.text) {
            self.context.name(name, edits)?;
        }
        Ok(())
    }

    /// Returns whether a word of a stage that is not read is a name of 1.0. Other case could be a keyword.
    fn is_version_1(&self, word: &str) -> bool {
        let resolution = resolve(word, LowerCase::Version2);
        matches!(resolution, Resolution::Version1 { is_exact: true, .. })
            && !self.context.columns.contains(word)
    }

    /// Refuses a `filter` with names of 1.0 that is not read: its strings and operators would stay those of 1.0.
    fn check_filter(&self, cursor: Cursor<'_>, text: &str) -> Result<(), TranslationError> {
        let Stage::Unsupported(stage) = self.stage else { return Ok(()) };
        match &stage.detail {
            Some(error) if cursor.is_keyword_at(0, "filter") && self.has_version_1_name(cursor) => {
                let reason = format!(
                    "the filter has names of 1.0 and cannot be read: found {}; expected {}",
                    error.found(),
                    error.expected()
                );
                let help = "write the filter in 2.0".to_owned();
                Err(TranslationError::refused(text, error.span(), reason, help))
            }
            _ => Ok(()),
        }
    }

    fn has_version_1_name(&self, mut cursor: Cursor<'_>) -> bool {
        while let Some(token) = cursor.peek() {
            if token.kind == TokenKind::Word && self.is_version_1(token.span.slice(cursor.text())) {
                return true;
            }
            cursor.advance();
        }
        false
    }
}

/// Translates the function at the cursor.
fn function(cursor: Cursor<'_>, edits: &mut Edits<'_>) -> Result<(), TranslationError> {
    let (span, text) = (cursor.span(), cursor.text());
    let by = match span.slice(text).to_ascii_lowercase().as_str() {
        "count_distinct" => {
            edits.change(ChangeKind::Function, span, "estimate_distinct", None);
            return Ok(());
        }
        "percentile" => return percentile(cursor, edits),
        "first" => "min_by",
        "last" => "max_by",
        _ => return Ok(()),
    };
    let reason = format!(
        "the function {} has no equal in 2.0; allowed: min_by and max_by with a field to sort by",
        quoted(span.slice(text))
    );
    let help = format!("use {by}(x, timestamp)");
    Err(TranslationError::refused(text, span, reason, help))
}

fn percentile(cursor: Cursor<'_>, edits: &mut Edits<'_>) -> Result<(), TranslationError> {
    let (span, text) = (cursor.span(), cursor.text());
    let last = last_argument(cursor);
    let name = last.and_then(|(_, number)| {
        PERCENTILES.iter().find(|(percent, _)| *percent == number.slice(text)).map(|(_, name)| *name)
    });
    match (last, name) {
        (Some((comma, number)), Some(name)) => {
            edits.change(ChangeKind::Function, span, name, None);
            edits.replace(comma.cover(number), String::new());
            Ok(())
        }
        _ => {
            let found = last.map_or("without a number".to_owned(), |(_, number)| quoted(number.slice(text)));
            let reason = format!("percentile: {found} has no function in 2.0; allowed: 50, 95, 99");
            let help = "use p50(x), p95(x) or p99(x)".to_owned();
            Err(TranslationError::refused(text, span, reason, help))
        }
    }
}

/// Returns the last comma and the token after it, if it is the last argument of the function at the cursor.
fn last_argument(mut cursor: Cursor<'_>) -> Option<(Span, Span)> {
    let (mut depth, mut last) = (0_usize, None);
    cursor.advance();
    while let Some(token) = cursor.peek() {
        match token.kind {
            TokenKind::Symbol(Symbol::Open) => depth += 1,
            TokenKind::Symbol(Symbol::Close) if depth <= 1 => return last,
            TokenKind::Symbol(Symbol::Close) => depth -= 1,
            TokenKind::Symbol(Symbol::Comma) if depth == 1 => {
                let is_last = cursor.is_symbol_at(2, Symbol::Close);
                last = cursor.peek_at(1).filter(|_| is_last).map(|number| (token.span, number.span));
            }
            _ => {}
        }
        cursor.advance();
    }
    None
}
