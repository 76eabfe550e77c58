//! Operators of 1.0 in 2.0. Source: published converter.

use super::operator::LegacyOperator;

/// The form of an operator of 1.0 in 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    /// Negation before the comparison, with an opening parenthesis, or an empty text.
    pub(super) negation: &'static str,
    pub(super) operator: &'static str,
    pub(super) values: Values,
    pub(super) note: Option<&'static str>,
}

/// Values of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// The operator has no values in 1.0.
    None,
    /// Strings, numbers or booleans.
    Plain,
    /// A list, with parentheses also for one value.
    List,
    /// The end of a range: the comparison is written twice.
    Range,
    /// A regular expression.
    Pattern,
    /// A string that becomes a regular expression with `^` before it.
    Start,
    /// A string that becomes a regular expression with `$` after it.
    End,
}

const CASE_IS_UNSURE: Option<&str> = Some(
    "the published converter keeps case in \"Does Not Contain\" and \"In Contains\", yet not in \"Contains\"",
);
const IGNORES_CASE: Option<&str> = Some("\"matches\" ignores case");

/// Returns the form of an operator in 2.0.
pub(super) fn rewrite(operator: LegacyOperator) -> Rewrite {
    use LegacyOperator as L;
    let (negation, operator, values, note) = match operator {
        L::ContainsCis | L::ContainsAnycase => ("", "contains", Values::Plain, None),
        L::StartsWith => ("", "matches", Values::Start, IGNORES_CASE),
        L::StartsWithCis | L::StartsWithAnycase => ("", "matches", Values::Start, None),
        L::EndsWith => ("", "matches", Values::End, IGNORES_CASE),
        L::EndsWithCis | L::EndsWithAnycase => ("", "matches", Values::End, None),
        L::RegExp => ("", "matches", Values::Pattern, IGNORES_CASE),
        L::InAnycase => ("", "in:anycase", Values::List, None),
        L::NotIn => ("NOT (", "in", Values::List, None),
        L::InContainsAnycase => ("", "contains", Values::Plain, None),
        L::InContains => ("", "contains:matchcase", Values::Plain, CASE_IS_UNSURE),
        L::DoesNotContainCis => ("NOT (", "contains", Values::Plain, None),
        L::DoesNotContain => ("NOT (", "contains:matchcase", Values::Plain, CASE_IS_UNSURE),
        L::Exists | L::IsNotEmpty => ("", "= *", Values::None, None),
        L::IsEmpty => ("!(", "= *", Values::None, None),
        L::IsTrue => ("", "= true", Values::None, None),
        L::IsFalse => ("", "= false", Values::None, None),
        L::Between => ("(", ">=", Values::Range, None),
    };
    Rewrite { negation, operator, values, note }
}

/// Note of [`Operator::Contains`](super::operator::Operator::Contains) in 1.0.
pub(super) const CONTAINS_NOTE: Option<&str> = CASE_IS_UNSURE;

impl Rewrite {
    /// Returns the form in words, with `…` for field and values.
    pub(super) fn describe(self) -> String {
        let Self { negation, operator, values, .. } = self;
        match values {
            Values::Range => ">= … and <= …".to_owned(),
            _ if negation.is_empty() => operator.to_owned(),
            Values::None => format!("{negation}… {operator})"),
            _ => format!("{negation}… {operator} …)"),
        }
    }
}
