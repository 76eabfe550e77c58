//! Evaluation of filters in S1QL 2.0.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use sentinelone::s1ql::{Comparison, Filter, Operator, ValueKind};
use serde_json::{Map, Value};

use crate::values::scalar_to_string;

/// What the sandbox does not evaluate: the word of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsupported(pub(super) String);

/// A filter with its patterns.
#[derive(Debug)]
pub(super) struct CompiledFilter<'a> {
    filter: &'a Filter,
    /// Patterns by the position of their comparison.
    patterns: BTreeMap<usize, Vec<Regex>>,
}

impl<'a> CompiledFilter<'a> {
    /// Compiles the patterns of a filter.
    pub(super) fn new(filter: &'a Filter) -> Result<Self, Unsupported> {
        let (mut patterns, mut unsupported) = (BTreeMap::new(), None);
        filter.for_each_comparison(&mut |comparison| match compile(comparison) {
            Ok(compiled) => drop(patterns.insert(comparison.span.start, compiled)),
            Err(word) => drop(unsupported.get_or_insert(word)),
        });
        match unsupported {
            Some(word) => Err(Unsupported(word)),
            None => Ok(Self { filter, patterns }),
        }
    }

    /// Returns whether a row matches.
    pub(super) fn matches(&self, row: &Map<String, Value>) -> bool {
        self.is_match(self.filter, row)
    }

    fn is_match(&self, filter: &Filter, row: &Map<String, Value>) -> bool {
        match filter {
            Filter::And { terms, .. } => terms.iter().all(|term| self.is_match(term, row)),
            Filter::Or { terms, .. } => terms.iter().any(|term| self.is_match(term, row)),
            Filter::Not { term, .. } => !self.is_match(term, row),
            Filter::Comparison(comparison) => self.compare(comparison, row) != comparison.is_negated,
            Filter::Text(text) => {
                let text = text.value.to_lowercase();
                row.values()
                    .filter(|value| !value.is_null())
                    .any(|value| scalar_to_string(value).to_lowercase().contains(&text))
            }
            Filter::Everything { .. } => true,
        }
    }

    fn compare(&self, comparison: &Comparison, row: &Map<String, Value>) -> bool {
        let field = row.get(&comparison.field.text).filter(|value| !value.is_null());
        if comparison.operator == Operator::NotEqual {
            return !comparison.values.iter().any(|value| equals(field, &value.kind, false));
        }
        let values = || comparison.values.iter().map(|value| &value.kind);
        match comparison.operator {
            Operator::Equal => values().any(|value| equals(field, value, false)),
            Operator::EqualMatchCase => values().any(|value| equals(field, value, true)),
            Operator::In | Operator::InMatchCase => values().any(|value| equals(field, value, true)),
            Operator::InAnycase => values().any(|value| equals(field, value, false)),
            Operator::Less => ordered(field, values(), |order| order < 0.0),
            Operator::LessOrEqual => ordered(field, values(), |order| order <= 0.0),
            Operator::Greater => ordered(field, values(), |order| order > 0.0),
            Operator::GreaterOrEqual => ordered(field, values(), |order| order >= 0.0),
            Operator::Contains | Operator::ContainsAnycase => {
                let text = field.map(scalar_to_string).unwrap_or_default().to_lowercase();
                field.is_some() && values().any(|value| text.contains(&literal(value).to_lowercase()))
            }
            Operator::ContainsMatchCase => {
                let text = field.map(scalar_to_string).unwrap_or_default();
                field.is_some() && values().any(|value| text.contains(&literal(value)))
            }
            Operator::Matches | Operator::MatchesAnycase | Operator::MatchesMatchCase => {
                let patterns = self.patterns.get(&comparison.span.start);
                let text = field.map(scalar_to_string).unwrap_or_default();
                field.is_some() && patterns.into_iter().flatten().any(|pattern| pattern.is_match(&text))
            }
            _ => false,
        }
    }
}

/// Returns the patterns of a comparison, or the word that is not supported.
fn compile(comparison: &Comparison) -> Result<Vec<Regex>, String> {
    let is_pattern = matches!(
        comparison.operator,
        Operator::Matches | Operator::MatchesAnycase | Operator::MatchesMatchCase
    );
    if comparison.operator.is_version_1() {
        return Err(comparison.field.text.clone());
    }
    if !is_pattern {
        return Ok(Vec::new());
    }
    let any_case = comparison.operator != Operator::MatchesMatchCase;
    let compile = |value: &ValueKind| {
        let pattern = literal(value);
        RegexBuilder::new(&pattern).case_insensitive(any_case).build().map_err(|_| pattern)
    };
    comparison.values.iter().map(|value| compile(&value.kind)).collect()
}

fn equals(field: Option<&Value>, value: &ValueKind, match_case: bool) -> bool {
    match (field, value) {
        (field, ValueKind::Wildcard) => field.is_some(),
        (field, ValueKind::Null) => field.is_none(),
        (Some(field), ValueKind::Number { value, .. }) => number_of(field) == Some(*value),
        (Some(field), value) if match_case => scalar_to_string(field) == literal(value),
        (Some(field), value) => scalar_to_string(field).to_lowercase() == literal(value).to_lowercase(),
        (None, _) => false,
    }
}

fn ordered<'a>(
    field: Option<&Value>,
    mut values: impl Iterator<Item = &'a ValueKind>,
    holds: impl Fn(f64) -> bool,
) -> bool {
    let number = |value: &ValueKind| match value {
        ValueKind::Number { value, .. } => Some(*value),
        ValueKind::Text(text) => text.value.parse().ok(),
        _ => None,
    };
    let Some(field) = field.and_then(number_of) else { return false };
    values.any(|value| number(value).is_some_and(|value| holds(field - value)))
}

/// Returns the number of a value, also of a text.
pub(super) fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn literal(value: &ValueKind) -> String {
    match value {
        ValueKind::Text(text) => text.value.clone(),
        ValueKind::Number { raw, .. } => raw.clone(),
        ValueKind::Boolean(value) => value.to_string(),
        ValueKind::Null | ValueKind::Wildcard => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sentinelone::s1ql::parse_filter;
    use serde_json::json;

    use super::*;

    fn matches(text: &str) -> bool {
        let Value::Object(row) = json!({
            "src.process.name": "PowerShell.exe", "dst.port.number": 443, "src.process.pid": "812",
            "is.admin": true, "empty": "", "nothing": null,
        }) else {
            unreachable!()
        };
        let filter = parse_filter(text).unwrap();
        CompiledFilter::new(&filter).unwrap().matches(&row)
    }

    #[test]
    fn filter_selects_rows_as_its_operators_say() {
        for (text, expected) in [
            ("", true),
            ("*", true),
            ("src.process.name = 'powershell.exe'", true),
            ("src.process.name == 'powershell.exe'", false),
            ("src.process.name != 'powershell.exe'", false),
            ("src.process.name in ('cmd.exe', 'PowerShell.exe')", true),
            ("src.process.name in ('powershell.exe')", false),
            ("src.process.name in:anycase ('powershell.exe')", true),
            ("src.process.name contains 'SHELL'", true),
            ("src.process.name contains:matchcase 'SHELL'", false),
            ("src.process.name contains ('cmd', 'shell')", true),
            ("src.process.name matches '^power.*\\\\.exe$'", true),
            ("src.process.name !matches 'cmd'", true),
            ("dst.port.number = 443 and src.process.pid = 812", true),
            ("dst.port.number >= 443 dst.port.number < 444", true),
            ("dst.port.number > 443 or src.process.pid <= 100", false),
            ("is.admin = true", true),
            ("src.process.name = *", true),
            ("!(nothing = *) and not (missing = *)", true),
            ("empty = *", true),
            ("missing contains ''", false),
            ("'shell'", true),
            ("not ('shell' and is.admin = true)", false),
        ] {
            assert_eq!(matches(text), expected, "{text}");
        }
        let filter = parse_filter("a.b matches '('").unwrap();
        assert_eq!(CompiledFilter::new(&filter).unwrap_err(), Unsupported("(".into()));
    }
}
