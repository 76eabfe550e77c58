//! Syntax tree of filters.

use super::operator::Operator;
use super::span::Span;
use super::text::Text;

/// A filter of version 1.0 or 2.0. [`Filter::span`] is its place in the query, without parentheses around it.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All terms apply. There are at least two.
    And {
        /// The terms.
        terms: Vec<Filter>,
        /// The place in the query.
        span: Span,
    },
    /// At least one term applies. There are at least two.
    Or {
        /// The terms.
        terms: Vec<Filter>,
        /// The place in the query.
        span: Span,
    },
    /// The term does not apply.
    Not {
        /// The term.
        term: Box<Filter>,
        /// The place in the query.
        span: Span,
    },
    /// A field compared with values.
    Comparison(Comparison),
    /// A string alone, which is searched for in the text of events.
    Text(Text),
    /// All events: `*`, or a query without a filter.
    Everything {
        /// The place in the query.
        span: Span,
    },
}

impl Filter {
    /// Returns the place in the query.
    pub fn span(&self) -> Span {
        match self {
            Self::And { span, .. } | Self::Or { span, .. } | Self::Not { span, .. } => *span,
            Self::Everything { span } => *span,
            Self::Comparison(comparison) => comparison.span,
            Self::Text(text) => text.span,
        }
    }

    /// Calls `visit` for each comparison, in the order of the text.
    pub fn for_each_comparison<'f>(&'f self, visit: &mut impl FnMut(&'f Comparison)) {
        match self {
            Self::And { terms, .. } | Self::Or { terms, .. } => {
                for term in terms {
                    term.for_each_comparison(visit);
                }
            }
            Self::Not { term, .. } => term.for_each_comparison(visit),
            Self::Comparison(comparison) => visit(comparison),
            Self::Text(_) | Self::Everything { .. } => {}
        }
    }
}

/// A comparison of a field with values.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The field.
    pub field: Name,
    /// The operator.
    pub operator: Operator,
    /// The place of the operator.
    pub operator_span: Span,
    /// Whether a `!` precedes the operator, as in `f !contains "x"`. Operators such as `Not In` do not set it.
    pub is_negated: bool,
    /// The values: none for `Exists`, two for `Between`, one or several otherwise.
    pub values: Vec<Value>,
    /// The place of the list with its parentheses, if the values are a list.
    pub list: Option<Span>,
    /// The place of `and` in `Between … And …`.
    pub range_and: Option<Span>,
    /// The place in the query.
    pub span: Span,
}

/// The name of a field or column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name as written.
    pub text: String,
    /// The place in the query.
    pub span: Span,
}

/// A value in a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The value.
    pub kind: ValueKind,
    /// The place in the query.
    pub span: Span,
}

/// Kinds of values.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// A string.
    Text(Text),
    /// A number.
    Number {
        /// The number as written.
        raw: String,
        /// The number.
        value: f64,
    },
    /// `true` or `false`.
    Boolean(bool),
    /// `null`.
    Null,
    /// `*`, any value.
    Wildcard,
}
