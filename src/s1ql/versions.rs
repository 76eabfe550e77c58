//! Parts of version 1.0 in a filter.

use super::ast::{Comparison, Filter};
use super::names::{LowerCase, Resolution, resolve};
use super::operator::Operator;
use super::parse::parse_filter;
use super::rewrite::rewrite;
use super::span::Span;

/// A name or operator of version 1.0 in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionOnePart {
    /// The kind of part.
    pub kind: PartKind,
    /// The place in the query.
    pub span: Span,
    /// The part of 2.0, with `…` for the operands of an operator.
    pub replacement: String,
}

/// Kinds of parts of version 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// The name of a field.
    Name,
    /// An operator.
    Operator,
}

/// Returns the names and operators of 1.0 in a filter, in the order of the text.
///
/// The list is empty for a filter of 2.0. A query of 1.0 whose names and operators are also of 2.0, such as
/// `sha1 = "…"`, is one of 2.0. A word in lower case counts as a name of 1.0 if another part is of 1.0.
pub fn version_1_parts(filter: &Filter) -> Vec<VersionOnePart> {
    parts(filter, lower_case(&[filter]))
}

/// Returns whether a text is a filter with parts of 1.0. A text that is not a filter is not one of 1.0.
pub fn is_version_1(text: &str) -> bool {
    parse_filter(text).is_ok_and(|filter| !version_1_parts(&filter).is_empty())
}

/// Returns the reading of words in lower case in a query with these filters.
pub(super) fn lower_case(filters: &[&Filter]) -> LowerCase {
    let is_version_2 = filters.iter().all(|filter| parts(filter, LowerCase::Version2).is_empty());
    if is_version_2 { LowerCase::Version2 } else { LowerCase::Version1 }
}

fn parts(filter: &Filter, lower_case: LowerCase) -> Vec<VersionOnePart> {
    let mut parts = Vec::new();
    filter.for_each_comparison(&mut |comparison: &Comparison| {
        let Comparison { field, operator, operator_span, .. } = comparison;
        if let Resolution::Version1 { version_2, .. } = resolve(&field.text, lower_case) {
            let replacement = version_2.to_owned();
            parts.push(VersionOnePart { kind: PartKind::Name, span: field.span, replacement });
        }
        if let Operator::Legacy(operator) = operator {
            let replacement = rewrite(*operator).describe();
            parts.push(VersionOnePart { kind: PartKind::Operator, span: *operator_span, replacement });
        }
    });
    parts
}
