//! Operators of both versions.

/// The operator of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`, without regard to case. With the value `*`: the field is present.
    Equal,
    /// `==`, with regard to case.
    EqualMatchCase,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `contains`, without regard to case; one of several values suffices.
    Contains,
    /// `contains:anycase`.
    ContainsAnycase,
    /// `contains:matchcase`.
    ContainsMatchCase,
    /// `in`.
    In,
    /// `in:anycase`.
    InAnycase,
    /// `in:matchcase`.
    InMatchCase,
    /// `matches`: a regular expression without regard to case.
    Matches,
    /// `matches:anycase`.
    MatchesAnycase,
    /// `matches:matchcase`.
    MatchesMatchCase,
    /// An operator of 1.0 only.
    Legacy(LegacyOperator),
}

/// Operators of version 1.0 that 2.0 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LegacyOperator {
    /// `ContainsCIS`.
    ContainsCis,
    /// `Contains Anycase`.
    ContainsAnycase,
    /// `StartsWith`.
    StartsWith,
    /// `StartsWithCIS`.
    StartsWithCis,
    /// `StartsWith Anycase`.
    StartsWithAnycase,
    /// `EndsWith`.
    EndsWith,
    /// `EndsWithCIS`.
    EndsWithCis,
    /// `EndsWith Anycase`.
    EndsWithAnycase,
    /// `RegExp`.
    RegExp,
    /// `In Anycase`.
    InAnycase,
    /// `Not In`, `NotIn`.
    NotIn,
    /// `In Contains Anycase`.
    InContainsAnycase,
    /// `In Contains`.
    InContains,
    /// `Does Not ContainCIS`, `Does Not Contain Anycase`.
    DoesNotContainCis,
    /// `Does Not Contain`.
    DoesNotContain,
    /// `Exists`.
    Exists,
    /// `Is Not Empty`.
    IsNotEmpty,
    /// `Is Empty`.
    IsEmpty,
    /// `Is True`.
    IsTrue,
    /// `Is False`.
    IsFalse,
    /// `Between … And …`, with both ends.
    Between,
}

impl Operator {
    /// Returns whether only version 1.0 has this operator.
    pub fn is_version_1(self) -> bool {
        matches!(self, Self::Legacy(_))
    }

    /// Returns the keyword or symbol in 2.0, or `None` for an operator of 1.0.
    pub fn version_2_text(self) -> Option<&'static str> {
        Some(match self {
            Self::Equal => "=",
            Self::EqualMatchCase => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "contains",
            Self::ContainsAnycase => "contains:anycase",
            Self::ContainsMatchCase => "contains:matchcase",
            Self::In => "in",
            Self::InAnycase => "in:anycase",
            Self::InMatchCase => "in:matchcase",
            Self::Matches => "matches",
            Self::MatchesAnycase => "matches:anycase",
            Self::MatchesMatchCase => "matches:matchcase",
            Self::Legacy(_) => return None,
        })
    }

    /// Returns this operator with `:anycase` or `:matchcase`, or `None` if the suffix or the operator is another.
    pub(super) fn with_suffix(self, suffix: &str) -> Option<Self> {
        let is_anycase = suffix.eq_ignore_ascii_case("anycase");
        if !is_anycase && !suffix.eq_ignore_ascii_case("matchcase") {
            return None;
        }
        match (self, is_anycase) {
            (Self::Contains, true) => Some(Self::ContainsAnycase),
            (Self::Contains, false) => Some(Self::ContainsMatchCase),
            (Self::In, true) => Some(Self::InAnycase),
            (Self::In, false) => Some(Self::InMatchCase),
            (Self::Matches, true) => Some(Self::MatchesAnycase),
            (Self::Matches, false) => Some(Self::MatchesMatchCase),
            _ => None,
        }
    }

    /// Returns the operands that follow this operator.
    pub(super) fn operands(self) -> Operands {
        use LegacyOperator as L;
        match self {
            Self::Equal
            | Self::EqualMatchCase
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual => Operands::One,
            Self::Legacy(L::Exists | L::IsNotEmpty | L::IsEmpty | L::IsTrue | L::IsFalse) => Operands::None,
            Self::Legacy(L::Between) => Operands::Range,
            Self::Legacy(
                L::StartsWith
                | L::StartsWithCis
                | L::StartsWithAnycase
                | L::EndsWith
                | L::EndsWithCis
                | L::EndsWithAnycase
                | L::RegExp,
            ) => Operands::Text,
            _ => Operands::OneOrList,
        }
    }
}

/// Operands of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operands {
    None,
    One,
    /// One string.
    Text,
    OneOrList,
    /// Two values with `and` between them.
    Range,
}

/// Operators in words. An operator precedes each one that begins with the same words.
pub(super) const PHRASES: &[(&[&str], Operator)] = &[
    (&["is", "not", "empty"], Operator::Legacy(LegacyOperator::IsNotEmpty)),
    (&["is", "empty"], Operator::Legacy(LegacyOperator::IsEmpty)),
    (&["is", "true"], Operator::Legacy(LegacyOperator::IsTrue)),
    (&["is", "false"], Operator::Legacy(LegacyOperator::IsFalse)),
    (&["exists"], Operator::Legacy(LegacyOperator::Exists)),
    (&["startswith", "anycase"], Operator::Legacy(LegacyOperator::StartsWithAnycase)),
    (&["startswithcis"], Operator::Legacy(LegacyOperator::StartsWithCis)),
    (&["startswith"], Operator::Legacy(LegacyOperator::StartsWith)),
    (&["endswith", "anycase"], Operator::Legacy(LegacyOperator::EndsWithAnycase)),
    (&["endswithcis"], Operator::Legacy(LegacyOperator::EndsWithCis)),
    (&["endswith"], Operator::Legacy(LegacyOperator::EndsWith)),
    (&["regexp"], Operator::Legacy(LegacyOperator::RegExp)),
    (&["does", "not", "containcis"], Operator::Legacy(LegacyOperator::DoesNotContainCis)),
    (&["does", "not", "contain", "anycase"], Operator::Legacy(LegacyOperator::DoesNotContainCis)),
    (&["does", "not", "contain"], Operator::Legacy(LegacyOperator::DoesNotContain)),
    (&["not", "in"], Operator::Legacy(LegacyOperator::NotIn)),
    (&["notin"], Operator::Legacy(LegacyOperator::NotIn)),
    (&["in", "contains", "anycase"], Operator::Legacy(LegacyOperator::InContainsAnycase)),
    (&["in", "contains"], Operator::Legacy(LegacyOperator::InContains)),
    (&["in", "anycase"], Operator::Legacy(LegacyOperator::InAnycase)),
    (&["in"], Operator::In),
    (&["contains", "anycase"], Operator::Legacy(LegacyOperator::ContainsAnycase)),
    (&["containscis"], Operator::Legacy(LegacyOperator::ContainsCis)),
    (&["contains"], Operator::Contains),
    (&["matches"], Operator::Matches),
    (&["between"], Operator::Legacy(LegacyOperator::Between)),
];
