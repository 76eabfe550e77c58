//! Translation of filters from 1.0 to 2.0.

use std::borrow::Cow;
use std::collections::HashSet;

use super::ast::{Comparison, Filter, Name, Value, ValueKind};
use super::edits::{ChangeKind, Edits, Translation};
use super::error::{TranslationError, quoted};
use super::names::{LowerCase, Resolution, resolve};
use super::operator::Operator;
use super::parse::parse_filter;
use super::rewrite::{CONTAINS_NOTE, Values, rewrite};
use super::text::{Text, pattern_of, write_text};
use super::versions::lower_case;

/// Translates a filter of 1.0 or 2.0, or of both, to 2.0. A filter of 2.0 keeps all bytes.
///
/// The values of strings stay, with two exceptions of the published table: values of `ObjectType` become lower case,
/// and the `EventType` `ModuleLoad` becomes `Module Load`. Strings are read as 1.0 if the operator is one of 1.0, or if
/// the name is one of 1.0 and the operator is in both versions.
///
/// # Errors
///
/// Fails for invalid syntax, for a name that is in neither version, and for a string that cannot be written in 2.0
/// because it contains both kinds of quotes.
pub fn translate(text: &str) -> Result<Translation, TranslationError> {
    let filter = parse_filter(text)?;
    let context = Context { lower_case: lower_case(&[&filter]), ..Context::default() };
    let mut edits = Edits::new(text);
    context.filter(&filter, &mut edits)?;
    Ok(edits.finish())
}

/// The circumstances of a filter.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) lower_case: LowerCase,
    /// Columns that earlier stages of a power query define.
    pub(super) columns: HashSet<String>,
    /// Whether an earlier stage defines columns that the parser does not read.
    pub(super) has_unread_columns: bool,
    /// Whether `= null` becomes `!(… = *)`, as power queries require.
    pub(super) replaces_null: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            lower_case: LowerCase::Version2,
            columns: HashSet::new(),
            has_unread_columns: false,
            replaces_null: false,
        }
    }
}

const DOUBLED_BACKSLASH: &str =
    "each backslash of a 1.0 string is taken as a character, so that a doubled one matches two backslashes";
const OTHER_CASE: &str = "the name is in the table of 1.0 in another case";

impl Context {
    pub(super) fn filter(&self, filter: &Filter, edits: &mut Edits<'_>) -> Result<(), TranslationError> {
        match filter {
            Filter::And { terms, .. } | Filter::Or { terms, .. } => {
                terms.iter().try_for_each(|term| self.filter(term, edits))
            }
            Filter::Not { term, span } => match &**term {
                Filter::Comparison(comparison) => {
                    // Parentheses around the comparison end after it.
                    self.comparison(comparison, comparison.span.end == span.end, edits)
                }
                term => self.filter(term, edits),
            },
            Filter::Comparison(comparison) => self.comparison(comparison, false, edits),
            Filter::Text(_) | Filter::Everything { .. } => Ok(()),
        }
    }

    /// Returns the version of a name. Columns of earlier stages are names of 2.0.
    pub(super) fn resolve(&self, name: &Name, text: &str) -> Result<Resolution, TranslationError> {
        if self.columns.contains(&name.text) {
            return Ok(Resolution::Version2);
        }
        match resolve(&name.text, self.lower_case) {
            Resolution::Unknown if !self.has_unread_columns => {
                let reason = format!(
                    "the field {} is in neither version; allowed: a name of 1.0 from the table, or a name of 2.0, \
                     which has a dot or is in lower case",
                    quoted(&name.text)
                );
                let help = "replace the name with the name of the field in 2.0".to_owned();
                Err(TranslationError::refused(text, name.span, reason, help))
            }
            resolution => Ok(resolution),
        }
    }

    /// Translates the name of a field and returns its version.
    pub(super) fn name(&self, name: &Name, edits: &mut Edits<'_>) -> Result<Resolution, TranslationError> {
        let resolution = self.resolve(name, edits.text())?;
        if let Resolution::Version1 { version_2, is_exact } = resolution {
            let note = (!is_exact).then_some(OTHER_CASE);
            edits.change(ChangeKind::Name, name.span, version_2, note);
        }
        Ok(resolution)
    }

    fn comparison(
        &self,
        comparison: &Comparison,
        is_below_not: bool,
        edits: &mut Edits<'_>,
    ) -> Result<(), TranslationError> {
        let field = self.name(&comparison.field, edits)?;
        let field = match field {
            Resolution::Version1 { version_2, .. } => Some(version_2),
            _ => None,
        };
        match comparison.operator {
            Operator::Legacy(_) => self.legacy_operator(comparison, field, is_below_not, edits),
            Operator::Equal | Operator::EqualMatchCase | Operator::NotEqual
                if self.replaces_null && has_null(comparison) =>
            {
                null(comparison, is_below_not, edits);
                Ok(())
            }
            operator => {
                let is_common = matches!(
                    operator,
                    Operator::Equal
                        | Operator::NotEqual
                        | Operator::Less
                        | Operator::LessOrEqual
                        | Operator::Greater
                        | Operator::GreaterOrEqual
                        | Operator::Contains
                        | Operator::In
                );
                let is_version_1 = field.is_some() && is_common && !comparison.is_negated;
                if is_version_1 {
                    common_operator(comparison, operator, edits);
                }
                values(comparison, field, is_version_1, Values::Plain, edits)
            }
        }
    }

    fn legacy_operator(
        &self,
        comparison: &Comparison,
        field: Option<&'static str>,
        is_below_not: bool,
        edits: &mut Edits<'_>,
    ) -> Result<(), TranslationError> {
        let Operator::Legacy(operator) = comparison.operator else { return Ok(()) };
        let rewritten = rewrite(operator);
        let is_negated = !rewritten.negation.is_empty();
        let (start, end) = (comparison.span.start, comparison.span.end);
        // Two negations in a row are kept apart.
        let has_parentheses = is_negated && is_below_not && rewritten.values != Values::Range;
        if has_parentheses {
            edits.insert(start, "(");
        }
        edits.insert(start, rewritten.negation);
        edits.list(ChangeKind::Operator, comparison.operator_span, rewritten.describe(), rewritten.note);
        edits.replace(comparison.operator_span, rewritten.operator.to_owned());
        match (rewritten.values, comparison.range_and) {
            (Values::Range, Some(and)) => {
                let name = field.unwrap_or(&comparison.field.text);
                edits.replace(and, format!("and {name} <="));
                values(comparison, field, true, Values::Plain, edits)?;
            }
            (Values::List, _) => list(comparison, field, edits)?,
            _ => values(comparison, field, true, rewritten.values, edits)?,
        }
        if is_negated {
            edits.insert(end, ")");
        }
        if has_parentheses {
            edits.insert(end, ")");
        }
        Ok(())
    }
}

/// Writes an operator of both versions with a name of 1.0 as the table does.
fn common_operator(comparison: &Comparison, operator: Operator, edits: &mut Edits<'_>) {
    let Some(to) = operator.version_2_text() else { return };
    if comparison.operator_span.slice(edits.text()) != to {
        let note = if operator == Operator::Contains { CONTAINS_NOTE } else { None };
        edits.change(ChangeKind::Operator, comparison.operator_span, to, note);
    }
    if operator == Operator::In {
        enclose(comparison, edits);
    }
}

fn list(
    comparison: &Comparison,
    field: Option<&'static str>,
    edits: &mut Edits<'_>,
) -> Result<(), TranslationError> {
    enclose(comparison, edits);
    values(comparison, field, true, Values::Plain, edits)
}

/// Adds the parentheses of a list to a value alone.
fn enclose(comparison: &Comparison, edits: &mut Edits<'_>) {
    if let (None, [value]) = (comparison.list, comparison.values.as_slice()) {
        edits.insert(value.span.start, "(");
        edits.insert(value.span.end, ")");
    }
}

fn has_null(comparison: &Comparison) -> bool {
    matches!(comparison.values.as_slice(), [Value { kind: ValueKind::Null, .. }])
}

/// Replaces a comparison with null. Source: published skill of the vendor, by which `= null` can fail with HTTP 500.
fn null(comparison: &Comparison, is_below_not: bool, edits: &mut Edits<'_>) {
    let is_equal = comparison.operator != Operator::NotEqual;
    let (open, close) = match (is_equal, is_below_not) {
        (true, true) => ("(!(", "))"),
        (true, false) => ("!(", ")"),
        (false, _) => ("", ""),
    };
    edits.insert(comparison.span.start, open);
    if comparison.operator != Operator::Equal {
        edits.replace(comparison.operator_span, "=".to_owned());
    }
    for value in &comparison.values {
        edits.replace(value.span, "*".to_owned());
    }
    edits.insert(comparison.span.end, close);
    let to = if is_equal { "!(… = *)" } else { "… = *" };
    let span = comparison.operator_span.cover(comparison.span);
    edits.list(ChangeKind::Operator, span, to.to_owned(), None);
}

/// Translates the strings of a comparison.
fn values(
    comparison: &Comparison,
    field: Option<&'static str>,
    is_version_1: bool,
    form: Values,
    edits: &mut Edits<'_>,
) -> Result<(), TranslationError> {
    for value in &comparison.values {
        let ValueKind::Text(text) = &value.kind else { continue };
        let read = if is_version_1 { text.version_1_value() } else { text.value.clone() };
        let is_pattern = !matches!(form, Values::Plain | Values::List | Values::Range);
        let is_regex = form == Values::Pattern
            || matches!(
                comparison.operator,
                Operator::Matches | Operator::MatchesAnycase | Operator::MatchesMatchCase
            );
        let meaning = if is_regex { Cow::Borrowed(read.as_str()) } else { meaning(&read, field) };
        if !is_version_1 && meaning == read.as_str() {
            continue;
        }
        let written = match form {
            Values::Start => format!("^{}", pattern_of(&meaning)),
            Values::End => format!("{}$", pattern_of(&meaning)),
            Values::Pattern => meaning.strip_prefix("(?i)").unwrap_or(&meaning).to_owned(),
            _ => meaning.into_owned(),
        };
        let Some(to) = write_text(&written, &text.raw, is_pattern) else {
            return Err(two_quotes(text, edits.text()));
        };
        if to != text.raw {
            // In a regular expression a doubled backslash is one backslash in both versions.
            let is_doubled = is_version_1 && form != Values::Pattern && read.contains("\\\\");
            edits.change(ChangeKind::Value, value.span, &to, is_doubled.then_some(DOUBLED_BACKSLASH));
        }
    }
    Ok(())
}

fn two_quotes(text: &Text, query: &str) -> TranslationError {
    let reason = format!(
        "the string {} contains both kinds of quotes; allowed: single or double quotes, not both",
        quoted(&text.raw)
    );
    let help = "search for the parts on both sides of a quote with two conditions".to_owned();
    TranslationError::refused(query, text.span, reason, help)
}

/// Returns the value in 2.0 of a field with a name of 1.0.
fn meaning<'v>(value: &'v str, field: Option<&'static str>) -> Cow<'v, str> {
    match field {
        Some("event.category") if value.chars().any(char::is_uppercase) => value.to_lowercase().into(),
        Some("event.type") if value.eq_ignore_ascii_case("ModuleLoad") => "Module Load".into(),
        _ => value.into(),
    }
}
